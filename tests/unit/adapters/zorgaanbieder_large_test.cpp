// A declaration that does not fit one row: kept in pieces before its 202, handed over after it, booked and erased page
// by page. Nothing of that may show, whatever moment the process ends at.
#include <algorithm>
#include <stdexcept>

#include "tests/unit/adapters/declaration_desk.hpp"

namespace schakel::test {
namespace {

/// As long as three pieces, by white space alone.
std::string stretched(const Jw323& d) {
  auto out = text(d);
  return out.insert(out.find("?>") + 2, std::string(2'500'000, ' '));
}

Jw323 two_pupils(const char* id = "A1", const char* number = "D1") {
  return declaration(id, number,
                     {{"999990019", {line("P1", 33333), line("P2", 20001)}}, {"999990020", {line("P3", 5000)}}});
}

std::size_t rows(PluginBench& bench, std::string_view prefix) {
  return static_cast<std::size_t>(
      std::ranges::count_if(bench.world.progress, [&](const auto& row) { return row.first.starts_with(prefix); }));
}

/// Decides all that came in, as granted, and lets the answer go.
void grant_everything(PluginBench& bench) {
  for (std::size_t i = 0; i < bench.world.events.size(); ++i)
    ASSERT_EQ(bench.send(decision(bench.world.events[i]["id"], "delivered"))->verdict, Verdict::delivered);
}

/// What is left when all is over, but for the answer and what makes a repeat known.
std::vector<std::string> left_over(PluginBench& bench) {
  std::vector<std::string> out;
  for (const auto& [key, value] : bench.world.progress)
    for (const char* gone :
         {"body/", "begun/", "open/", "claim/", "event/", "part/", "handed/", "due/", "volgt/", "wacht/", "unsent/"})
      if (key.starts_with(gone)) out.push_back(key);
  return out;
}

TEST(ZorgaanbiederLarge, IsAnsweredWhenItIsDurableAndHandedOverAfter) {
  auto bench = fresh_desk();
  auto file = stretched(two_pupils());
  auto reply = post(*bench, file);
  EXPECT_EQ(reply.status, 202) << reply.body;
  EXPECT_EQ(Json::parse(reply.body)["code"], "JW323_ACCEPTED");
  EXPECT_TRUE(bench->world.events.empty());
  EXPECT_EQ(rows(*bench, "body/"), 3U);
  EXPECT_EQ(rows(*bench, "begun/"), 0U) << "it is whole";
  EXPECT_EQ(post(*bench, file).status, 202) << "a repeat waits for the same";
  EXPECT_TRUE(bench->world.events.empty());
  ASSERT_TRUE(bench->poll());
  EXPECT_EQ(bench->world.events.size(), 2U);
  EXPECT_EQ(rows(*bench, "volgt/"), 0U);
  EXPECT_EQ(rows(*bench, "event/"), 0U);
  grant_everything(*bench);
  auto answer = only_answer(*bench);
  EXPECT_EQ(answer.retour, std::vector<std::string>{"0200"});
  EXPECT_EQ(answer.antwoord->toegekend, Cents(58334));
  EXPECT_EQ(left_over(*bench), std::vector<std::string>{});
  EXPECT_EQ(post(*bench, file).status, 202);
  ASSERT_TRUE(bench->poll());
  EXPECT_EQ(bench->world.events.size(), 2U);
}

TEST(ZorgaanbiederLarge, ManyPupilsOfASmallFileAreHandedOverAfterToo) {
  auto bench = fresh_desk();
  std::vector<IjwClient> clients;
  for (int n = 999'900'000; clients.size() < 70; ++n) {
    auto bsn = std::to_string(n);
    if (!formats::valid_bsn(bsn)) continue;
    bench->world.case_by_bsn[bsn] = fmt::format("zaak-{}", clients.size());
    clients.push_back({bsn, {line(fmt::format("Q{}", clients.size()).c_str(), 100)}});
  }
  EXPECT_EQ(declare(*bench, "A1", "D1", std::move(clients)).status, 202);
  EXPECT_TRUE(bench->world.events.empty());
  ASSERT_TRUE(bench->poll());
  EXPECT_EQ(bench->world.events.size(), 70U);
  grant_everything(*bench);
  EXPECT_EQ(only_answer(*bench).antwoord->toegekend, Cents(7000));
  EXPECT_EQ(left_over(*bench), std::vector<std::string>{});
}

TEST(ZorgaanbiederLarge, ItsLinesAreTakenWhileItIsUndecided) {
  auto bench = fresh_desk();
  EXPECT_EQ(post(*bench, stretched(two_pupils())).status, 202);
  auto other = line("P9", 33333);
  other.toewijzing = line("P1", 1).toewijzing;  // the month of P1 under another reference
  EXPECT_EQ(declare(*bench, "A2", "D2", {{"999990019", {line("P2", 20001), other}}}).status, 202);
  EXPECT_EQ(line_codes(*bench), (std::set<std::string>{"8021", "9389"}));
  EXPECT_TRUE(bench->world.events.empty());
  // Of another sender the same names are others.
  Json config = declaration_config();
  config["afzenders"]["87654321"] = "hoeve";
  PluginBench both("zorgaanbieder", config);
  fs::create_directories(both.folder() + "/antwoorden");
  fs::create_directories(both.folder() + "/in");
  both.world = bench->world;
  auto theirs = two_pupils();
  theirs.afzender = "87654321";
  EXPECT_EQ(post(both, text(theirs)).status, 202);
  EXPECT_EQ(both.world.events.size(), 2U);
}

TEST(ZorgaanbiederLarge, TwoCreditsOfOneLineTakeItBackOnce) {
  auto bench = fresh_desk();
  EXPECT_EQ(declare(*bench, "A1", "D1", {{"999990019", {line("P1", 33333)}}}).status, 202);
  grant_everything(*bench);
  for (const char* id : {"A2", "A3"})
    EXPECT_EQ(post(*bench, stretched(declaration(
                               id, fmt::format("D{}", id).c_str(),
                               {{"999990019", {line(fmt::format("C{}", id).c_str(), 33333, "45A03", "P1")}}})))
                  .status,
              202);
  ASSERT_TRUE(bench->poll());
  EXPECT_EQ(bench->world.events.size(), 2U) << "the debit and one credit";
  EXPECT_EQ(line_codes(*bench), std::set<std::string>{"9390"});
  (void)bench->send(decision(bench->world.events[1]["id"], "delivered"));
  EXPECT_EQ(declare(*bench, "A4", "D4", {{"999990019", {line("C4", 33333, "45A03", "P1")}}}).status, 202);
  EXPECT_EQ(bench->world.events.size(), 2U) << "nor once more after it was granted";
}

TEST(ZorgaanbiederLarge, AnExceptionOfTheHandOverIsNamedAndEndsTheRun) {
  auto bench = fresh_desk();
  EXPECT_EQ(post(*bench, stretched(two_pupils())).status, 202);
  // The loop that polls finds the broker busy, and pauses; the one that hands on comes next.
  bench->world.inbox = [asked = 0](const Json&) mutable -> Result<bool> {
    if (asked++ == 0) return fail(ErrorKind::unavailable, "STORE_BUSY", "later");
    throw std::length_error("999990019");
  };
  EXPECT_THROW((void)bench->poll(), std::length_error) << "not the cancellation of the other";
  EXPECT_NE(bench->log_text().find("zorgaanbieder.hand_over_failed"), std::string::npos);
  EXPECT_EQ(bench->leaks(), std::vector<std::string>{});
  bench->world.inbox = nullptr;
  ASSERT_TRUE(bench->poll()) << "it is run again";
  EXPECT_EQ(bench->world.events.size(), 2U);
}

TEST(ZorgaanbiederLarge, ACrashAnywhereWhileItIsTakenInLosesAndDoublesNothing) {
  auto file = stretched(two_pupils());
  int awaits = 0;
  {
    auto bench = fresh_desk();
    bench->crash_at(0, CrashWhen::never);
    (void)post(*bench, file);
    awaits = bench->awaits();
  }
  ASSERT_GT(awaits, 15);
  for (int n = 1; n <= awaits; ++n)
    for (CrashWhen when : {CrashWhen::before, CrashWhen::after}) {
      auto bench = fresh_desk();
      bench->crash_at(n, when);
      (void)bench->request(posted(file), "hoeve");
      bench->crash_at(0, CrashWhen::never);
      ASSERT_EQ(post(*bench, file).status, 202) << n;
      ASSERT_TRUE(bench->poll());
      ASSERT_EQ(bench->world.events.size(), 2U) << n;
      grant_everything(*bench);
      ASSERT_EQ(only_answer(*bench).antwoord->toegekend, Cents(58334)) << n;
      ASSERT_EQ(left_over(*bench), std::vector<std::string>{}) << n;
    }
}

TEST(ZorgaanbiederLarge, ACrashAnywhereAfterItsAcceptanceLosesAndDoublesNothing) {
  auto file = stretched(two_pupils());
  for (int n = 1; n <= 60; ++n)
    for (CrashWhen when : {CrashWhen::before, CrashWhen::after}) {
      auto bench = fresh_desk();
      (void)post(*bench, file);
      bench->crash_at(n, when);
      bool lived = bench->poll();
      for (std::size_t i = 0; lived && i < bench->world.events.size(); ++i)
        lived = bench->send(decision(bench->world.events[i]["id"], "delivered")).has_value();
      bench->crash_at(0, CrashWhen::never);
      ASSERT_TRUE(bench->poll()) << n;
      ASSERT_EQ(bench->world.events.size(), 2U) << n;
      grant_everything(*bench);
      ASSERT_TRUE(bench->poll()) << n;  // what was left of the pieces goes at the next start
      ASSERT_EQ(only_answer(*bench).antwoord->toegekend, Cents(58334)) << n;
      ASSERT_EQ(left_over(*bench), std::vector<std::string>{}) << n;
      // Each line stands granted once: it can be credited, once, and not be declared again.
      (void)declare(*bench, "A2", "D2", {{"999990020", {line("P3", 5000)}}});
      ASSERT_EQ(bench->world.events.size(), 2U) << n;
      (void)declare(*bench, "A3", "D3", {{"999990020", {line("P4", 5000, "45A03", "P3")}}});
      ASSERT_EQ(bench->world.events.size(), 3U) << n;
    }
}

TEST(ZorgaanbiederLarge, WhatItsSenderNeverSendsAgainIsErasedAfterADay) {
  auto file = stretched(two_pupils());
  auto bench = fresh_desk();
  bench->world.inbox = [](const Json&) -> Result<bool> { return fail(ErrorKind::unavailable, "STORE_BUSY", ""); };
  for (int n = 1; rows(*bench, "body/") < 3; ++n) {
    bench->world.progress.clear();
    bench->crash_at(n, CrashWhen::after);
    (void)bench->request(posted(file), "hoeve");
    ASSERT_LT(n, 100);
  }
  bench->crash_at(0, CrashWhen::never);
  ASSERT_EQ(rows(*bench, "jw323/"), 0U) << "not accepted";
  ASSERT_TRUE(bench->poll());
  EXPECT_EQ(rows(*bench, "body/"), 3U) << "its sender may be at it";
  bench->clock.advance(std::chrono::hours(48));
  ASSERT_TRUE(bench->poll());
  EXPECT_EQ(left_over(*bench), std::vector<std::string>{});
}

TEST(ZorgaanbiederLarge, AnotherFileUnderTheNameOfOneThatWasNeverAcceptedHasNothingOfIt) {
  auto file = stretched(two_pupils());
  auto bench = fresh_desk();
  for (int n = 1; rows(*bench, "event/") < 2; ++n) {
    bench->world.progress.clear();
    bench->crash_at(n, CrashWhen::after);
    (void)bench->request(posted(file), "hoeve");
    ASSERT_LT(n, 100);
  }
  bench->crash_at(0, CrashWhen::never);
  const World before = bench->world;
  auto other = declaration("A1", "D1", {{"999990020", {line("P3", 4000)}}});
  for (const auto& bytes : {stretched(other), text(other)}) {
    auto again = fresh_desk();
    again->world = before;
    EXPECT_EQ(post(*again, bytes).status, 202);
    again->clock.advance(std::chrono::hours(72));
    ASSERT_TRUE(again->poll());
    ASSERT_EQ(again->world.events.size(), 1U);
    grant_everything(*again);
    EXPECT_EQ(only_answer(*again).antwoord->toegekend, Cents(4000));
    EXPECT_EQ(left_over(*again), std::vector<std::string>{});
  }
}

}  // namespace
}  // namespace schakel::test
