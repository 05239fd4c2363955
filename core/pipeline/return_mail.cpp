#include "core/pipeline/return_mail.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <charconv>

#include "core/base/drop_folder.hpp"
#include "core/base/log.hpp"
#include "core/store/row_json.hpp"

namespace schakel::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMailsPerLook = 20;
constexpr std::size_t kMailBytes = 2 * 1024 * 1024;  ///< what read_mail_report() takes
constexpr std::string_view kMarkRow = "return.mail";

class Maildir final : public MailSource {
 public:
  Maildir(runtime::BlockingPool& pool, fs::path folder) : pool_(pool), folder_(std::move(folder)) {}

  Task<Result<std::vector<ReturnedMail>>> look(std::size_t limit, std::size_t max_bytes) override {
    auto out = co_await pool_.run([&] { return read(limit, max_bytes); });
    if (!out) co_return fail(std::move(out.error()));
    co_return std::move(*out);
  }

  Task<Result<void>> done(std::vector<Done> mails) override {
    auto out = co_await pool_.run([&] { return move(mails); });
    if (!out) co_return fail(std::move(out.error()));
    co_return std::move(*out);
  }

 private:
  static std::unexpected<Error> absent() {
    return fail(ErrorKind::unavailable, "RETURN_FOLDER", "the maildir of the return address cannot be used");
  }

  [[nodiscard]] Result<std::vector<ReturnedMail>> read(std::size_t limit, std::size_t max_bytes) const {
    // Names begin with the time of arrival.
    auto names = names_in((folder_ / "new").string(), "", limit);
    if (!names) return absent();
    std::vector<ReturnedMail> out;
    for (auto& name : *names) {
      ReturnedMail mail;
      auto text = read_file((folder_ / "new" / name).string(), max_bytes);
      // What cannot be read is no report, and does not stand in the way of the others.
      mail.too_large = !text && text.error().kind == ErrorKind::too_large;
      if (text) mail.content = std::move(*text);
      mail.id = std::move(name);
      out.push_back(std::move(mail));
    }
    return out;
  }

  /// As mail programs do: to cur/ with flags behind the name; S is seen.
  [[nodiscard]] Result<void> move(const std::vector<Done>& mails) const {
    std::error_code ec;
    fs::create_directory(folder_ / "cur", ec);
    for (const auto& m : mails) {
      auto name = m.id.substr(0, m.id.find(":2,")) + (m.report ? ":2,S" : ":2,");
      fs::rename(folder_ / "new" / m.id, folder_ / "cur" / name, ec);
      if (ec && ec != std::errc::no_such_file_or_directory) return absent();
    }
    return {};
  }

  runtime::BlockingPool& pool_;
  fs::path folder_;
};

class ImapSource final : public MailSource {
 public:
  ImapSource(net::ImapMailbox& mailbox, store::Store& store, bool remove)
      : mailbox_(mailbox), store_(store), remove_(remove) {}

  Task<Result<std::vector<ReturnedMail>>> look(std::size_t limit, std::size_t max_bytes) override {
    auto row = co_await store_.row("register", std::string(kMarkRow));
    if (!row) co_return fail(std::move(row.error()));
    net::ImapMark mark;
    if (*row) {
      auto j = store::object_in(**row);
      if (!j) co_return fail(std::move(j.error()));
      mark = {j->value("validity", 0U), j->value("uid", 0U)};
    }
    auto found = co_await mailbox_.look(mark, limit, max_bytes);
    if (!found) co_return fail(std::move(found.error()));
    validity_ = found->validity;
    std::vector<ReturnedMail> out;
    for (auto& m : found->mails) out.push_back({std::to_string(m.uid), m.too_large, std::move(m.content)});
    co_return out;
  }

  Task<Result<void>> done(std::vector<Done> mails) override {
    std::vector<std::uint32_t> reports;
    std::uint32_t last = 0;
    for (const auto& m : mails) {
      std::uint32_t uid = 0;
      std::from_chars(m.id.data(), m.id.data() + m.id.size(), uid);
      last = std::max(last, uid);
      if (m.report) reports.push_back(uid);
    }
    // The mark in the mailbox first: without it a report would stay unread for ever.
    auto marked = co_await mailbox_.mark(validity_, std::move(reports),
                                         remove_ ? net::ImapMailbox::Mark::removed : net::ImapMailbox::Mark::read);
    if (!marked) co_return fail(std::move(marked.error()));
    store::Transaction tx;
    tx.ops.push_back(store::PutRow{"register", std::string(kMarkRow),
                                   to_bytes(dump_json({{"validity", validity_}, {"uid", last}})), std::nullopt});
    auto kept = co_await store_.commit(std::move(tx));
    if (!kept) co_return fail(std::move(kept.error()));
    co_return Result<void>{};
  }

 private:
  net::ImapMailbox& mailbox_;
  store::Store& store_;
  bool remove_;
  std::uint32_t validity_ = 0;
};

/// Nothing is wrong with the mail: another time it may go.
bool passing(const Error& e) {
  return e.kind == ErrorKind::unavailable || e.kind == ErrorKind::timeout || e.kind == ErrorKind::io ||
         e.kind == ErrorKind::internal;
}

}  // namespace

std::unique_ptr<MailSource> maildir_source(runtime::BlockingPool& pool, fs::path folder) {
  return std::make_unique<Maildir>(pool, std::move(folder));
}

std::unique_ptr<MailSource> imap_source(net::ImapMailbox& mailbox, store::Store& store, bool remove) {
  return std::make_unique<ImapSource>(mailbox, store, remove);
}

Task<Result<ReturnMail::Step>> ReturnMail::step() {
  auto mails = co_await source_.look(kMailsPerLook, kMailBytes);
  if (!mails) co_return fail(std::move(mails.error()));
  Step out;
  std::vector<MailSource::Done> done;
  std::optional<Error> stopped;
  for (auto& m : *mails) {
    Result<BounceResult> report = fail(ErrorKind::too_large, "BOUNCE_TOO_LARGE", "larger than a report is");
    if (!m.too_large) report = co_await report_bounce(journal_, std::move(m.content));
    if (!report && passing(report.error())) {
      stopped = std::move(report.error());
      break;  // in order: the rest waits as well
    }
    if (!report) {
      ++out.people;
      metrics_.count("schakel_return_mail_total", {{"result", report.error().code}});
      log(LogLevel::info, "return_mail.for_people", {{"code", report.error().code}});
    } else {
      bool fresh = report->recorded && !report->known;
      ++(fresh ? out.recorded : out.known);
      metrics_.count("schakel_return_mail_total", {{"result", fresh ? "recorded" : "known"}});
      if (fresh)
        log(LogLevel::info, "return_mail.recorded",
            {{"delivery", report->delivery}, {"status", report->status}, {"code", report->code}});
    }
    done.push_back({std::move(m.id), report.has_value()});
  }
  if (!done.empty()) {
    auto kept = co_await source_.done(std::move(done));
    if (!kept) co_return fail(std::move(kept.error()));
  }
  if (stopped) co_return fail(std::move(*stopped));
  co_return out;
}

Task<> ReturnMail::run(runtime::Scope& scope) {
  while (!scope.stopping()) {
    auto looked = co_await step();
    metrics_.set("schakel_return_mail_up", {}, looked ? 1 : 0);
    if (!looked) log(LogLevel::error, "return_mail.failed", {{"code", looked.error().code}});
    // A full look means that more may wait.
    if (looked && looked->recorded + looked->known + looked->people == static_cast<int>(kMailsPerLook)) continue;
    auto on = co_await scope.pause(every_);
    if (!on) break;
  }
}

}  // namespace schakel::pipeline
