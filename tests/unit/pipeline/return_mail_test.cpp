// Bounces as they come in: a maildir, a mailbox that breaks off, copies, and mail that is no report.
#include "core/pipeline/return_mail.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/pipeline/money_road.hpp"

namespace schakel::test {
namespace {

namespace fs = std::filesystem;

struct Returned {
  fs::path folder = fs::temp_directory_path() / fmt::format("schakel-return-{}-{}", ::getpid(), ++made());
  MoneyRoad road;
  runtime::BlockingPool pool{1, 8};
  runtime::MetricsRegistry metrics;
  std::unique_ptr<pipeline::MailSource> source;
  std::string half;

  Returned() {
    fs::create_directories(folder / "new");
    source = pipeline::maildir_source(pool, folder);
    road.open_case();
    if (!road.accept(road.factuur("F1", 30001))) throw std::runtime_error("not accepted");
    road.run();
    half = road.id_of("swv_financien");
  }
  ~Returned() { fs::remove_all(folder); }
  static int& made() {
    static int n = 0;
    return n;
  }
  void put(const std::string& name, const std::string& mail) const { std::ofstream(folder / "new" / name) << mail; }
  Result<pipeline::ReturnMail::Step> look() {
    pipeline::ReturnMail mail(road.process->journal, *source, metrics, milliseconds(1000));
    auto out = run_now(mail.step());
    road.run();
    return out;
  }
  [[nodiscard]] std::set<std::string> in(const char* sub) const {
    std::set<std::string> out;
    if (fs::exists(folder / sub))
      for (const auto& e : fs::directory_iterator(folder / sub)) out.insert(e.path().filename().string());
    return out;
  }
  int refusals() const {
    return static_cast<int>(std::ranges::count_if(
        road.partners.told, [](const Json& s) { return s.value("code", "") == "INVOICE_REFUSED"; }));
  }
};

TEST(ReturnMail, ABounceRefusesTellsFinanceAndIsSeen) {
  Returned r;
  r.put("1000.a.host", bounce_of(r.half, "failed", "5.1.1", "dsn-1@mta.example"));
  auto step = r.look();
  ASSERT_TRUE(step) << step.error().code;
  EXPECT_EQ(step->recorded, 1);
  EXPECT_EQ(r.road.status(r.half), "refused");
  EXPECT_EQ(r.road.status(r.road.id_of("gemeente_financien")), "transported");
  EXPECT_EQ(r.refusals(), 1);
  EXPECT_TRUE(r.in("new").empty());
  EXPECT_EQ(r.in("cur"), (std::set<std::string>{"1000.a.host:2,S"}));
  EXPECT_EQ(r.look()->recorded, 0);
}

TEST(ReturnMail, ACopyByAnotherWayIsTheSameReportAndANewOneIsNot) {
  Returned r;
  auto mail = bounce_of(r.half, "failed", "5.1.1", "dsn-1@mta.example");
  r.put("1", mail);
  r.put("2", "Received: by another.example\n" + mail);
  auto step = r.look();
  ASSERT_TRUE(step);
  EXPECT_EQ(step->recorded, 1);
  EXPECT_EQ(step->known, 1);
  EXPECT_EQ(r.refusals(), 1);
  r.put("3", bounce_of(r.half, "failed", "5.1.1", "dsn-2@mta.example"));  // it was sent again and came back again
  EXPECT_EQ(r.look()->recorded, 1);
  EXPECT_EQ(r.refusals(), 2);
}

TEST(ReturnMail, AReceiptIsReceivedAndADelayIsNothing) {
  Returned r;
  r.put("1", bounce_of(r.half, "delayed", "4.4.7", "dsn-1@mta.example"));
  EXPECT_EQ(r.look()->known, 1);
  EXPECT_EQ(r.road.status(r.half), "transported");
  r.put("2", bounce_of(r.half, "delivered", "2.0.0", "dsn-2@mta.example"));
  EXPECT_EQ(r.look()->recorded, 1);
  EXPECT_EQ(r.road.status(r.half), "received");
}

TEST(ReturnMail, WhatIsNoReportStaysUnreadForPeopleAndStopsNothing) {
  Returned r;
  r.put("1", "From: Jan Verzonnen <jan@swv.example>\nSubject: vraag over de factuur\n\nKlopt dit?\n");
  r.put("2", bounce_of("A-VREEMD"));
  r.put("3", std::string(3 * 1024 * 1024, 'x'));
  r.put("4", "");
  r.put("5:2,", bounce_of(r.half, "failed", "5.7.1", "dsn-1@mta.example"));
  fs::create_symlink("/etc/passwd", r.folder / "new/0.link");
  auto step = r.look();
  ASSERT_TRUE(step) << step.error().code;
  EXPECT_EQ(step->people, 4);
  EXPECT_EQ(step->recorded, 1);
  EXPECT_EQ(r.in("cur"), (std::set<std::string>{"1:2,", "2:2,", "3:2,", "4:2,", "5:2,S"}));
  EXPECT_EQ(r.in("new"), (std::set<std::string>{"0.link"})) << "a link is nobody's mail";
  auto text = r.metrics.text();
  EXPECT_EQ(text.find("Verzonnen"), std::string::npos);
  EXPECT_NE(text.find("BOUNCE_NOT_A_REPORT"), std::string::npos);
  EXPECT_NE(text.find("BOUNCE_TOO_LARGE"), std::string::npos);
}

TEST(ReturnMail, ALookIsBoundedAndTheRestComesNext) {
  Returned r;
  for (int n = 0; n < 45; ++n) r.put(fmt::format("{:03}", n), "Subject: x\n\nx\n");
  EXPECT_EQ(r.look()->people, 20);
  EXPECT_EQ(r.look()->people, 20);
  EXPECT_EQ(r.look()->people, 5);
}

TEST(ReturnMail, AFolderThatIsGoneIsAnErrorAndComesBack) {
  Returned r;
  fs::rename(r.folder / "new", r.folder / "weg");
  EXPECT_EQ(r.look().error().code, "RETURN_FOLDER");
  fs::rename(r.folder / "weg", r.folder / "new");
  EXPECT_TRUE(r.look());
}

TEST(ReturnMail, ACrashAtAnyCommitRecordsItOnce) {
  for (int n = 1; n <= 6; ++n)
    for (bool after : {false, true}) {
      Returned r;
      r.put("1", bounce_of(r.half, "failed", "5.1.1", "dsn-1@mta.example"));
      r.road.process->store.die_at = r.road.process->store.commits + n;
      r.road.process->store.die_after = after;
      (void)r.look();
      r.road.restart();
      ASSERT_TRUE(run_now(r.road.process->dispatcher.recover()));
      ASSERT_TRUE(r.look());
      EXPECT_EQ(r.road.status(r.half), "refused") << n;
      EXPECT_EQ(r.road.reports(), 1U) << n << after;
      EXPECT_GE(r.refusals(), 1) << n << after;
      EXPECT_TRUE(r.in("new").empty());
    }
}

/// A mailbox that breaks off where it is told to.
class Breaking final : public pipeline::MailSource {
 public:
  std::vector<pipeline::ReturnedMail> mails;
  std::set<std::string> marked;
  bool down = false, cannot_mark = false;
  Task<Result<std::vector<pipeline::ReturnedMail>>> look(std::size_t, std::size_t) override {
    if (down) co_return fail(ErrorKind::timeout, "IMAP_TIMEOUT", "");
    std::vector<pipeline::ReturnedMail> out;
    for (const auto& m : mails)
      if (!marked.contains(m.id)) out.push_back(m);
    co_return out;
  }
  Task<Result<void>> done(std::vector<Done> all) override {
    if (cannot_mark) co_return fail(ErrorKind::unavailable, "IMAP_BROKEN", "");
    for (const auto& m : all) marked.insert(m.id);
    co_return Result<void>{};
  }
};

TEST(ReturnMail, AMailboxThatBreaksOffIsReadAgainWithoutASecondEffect) {
  Returned r;
  auto broken = std::make_unique<Breaking>();
  auto& mailbox = *broken;
  r.source = std::move(broken);
  mailbox.mails = {{"7", false, bounce_of(r.half, "failed", "5.1.1", "dsn-1@mta.example")}};
  mailbox.down = true;
  EXPECT_EQ(r.look().error().code, "IMAP_TIMEOUT");
  mailbox.down = false;
  mailbox.cannot_mark = true;
  EXPECT_EQ(r.look().error().code, "IMAP_BROKEN");
  EXPECT_EQ(r.refusals(), 1) << "recorded before the mailbox was touched";
  mailbox.cannot_mark = false;
  EXPECT_EQ(r.look()->known, 1);
  EXPECT_EQ(r.refusals(), 1);
  EXPECT_EQ(r.look()->known, 0);
}

}  // namespace
}  // namespace schakel::test
