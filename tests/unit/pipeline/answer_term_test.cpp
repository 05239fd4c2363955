// The term of a JW325 as an obligation: who is owed one is named until it is given, and told of in time.
#include "tests/unit/pipeline/money_road.hpp"

namespace schakel::test {
namespace {

struct Owed : MoneyRoad {
  Owed() {
    open_case(false);
    if (!accept(factuur("F1", 30001, 0, {{"answer_due", "2026-11-03"}}))) throw std::runtime_error("not accepted");
    run();
  }
  std::vector<std::string> told(const char* code) const {
    std::vector<std::string> out;
    for (const auto& s : partners.told)
      if (s.value("code", "") == code) out.push_back(s.value("number", "") + " " + s.value("reason", ""));
    return out;
  }
  void at(const char* instant) {
    clock.set(parse_instant(instant).value());
    run();
  }
};

TEST(AnswerTerm, AHeldDeclarationIsNamedWithItsLastDay) {
  Owed road;
  auto m = road.books();
  ASSERT_EQ(m.open.size(), 1U);
  EXPECT_EQ(m.open[0].what, "HELD");
  EXPECT_EQ(m.open[0].due, "2026-11-03");
  EXPECT_EQ(month_view(m)["open"][0]["antwoordUiterlijk"], "2026-11-03");
}

TEST(AnswerTerm, TheGemeenteIsToldTwoWorkingDaysBeforeAndOnceMoreAfter) {
  Owed road;
  road.at("2026-10-29T12:00:00Z");  // Thursday
  EXPECT_TRUE(road.told("ANSWER_DUE").empty());
  road.at("2026-10-30T12:00:00Z");  // Friday: two working days to Tuesday
  EXPECT_EQ(road.told("ANSWER_DUE"), (std::vector<std::string>{"F1 2026-11-03"}));
  road.at("2026-11-03T12:00:00Z");
  road.restart();
  road.at("2026-11-03T20:00:00Z");
  EXPECT_EQ(road.told("ANSWER_DUE").size(), 1U) << "once, also over a restart";
  EXPECT_TRUE(road.told("ANSWER_OVERDUE").empty()) << "its last day is not over";
  road.at("2026-11-04T00:30:00Z");
  EXPECT_EQ(road.told("ANSWER_OVERDUE"), (std::vector<std::string>{"F1 2026-11-03"}));
  road.at("2026-11-10T12:00:00Z");
  EXPECT_EQ(road.told("ANSWER_OVERDUE").size(), 1U);
}

TEST(AnswerTerm, WhatIsReleasedIsOwedNoMore) {
  Owed road;
  ASSERT_TRUE(road.accept(road.message("fa", "financieringsafspraak", Json::object(), "swv", "swv")));
  road.run();
  EXPECT_TRUE(run_now(road.disk->rows("invoice.answer", "", "", 10)).value().empty());
  road.at("2026-11-10T12:00:00Z");
  EXPECT_TRUE(road.told("ANSWER_DUE").empty());
  EXPECT_TRUE(road.told("ANSWER_OVERDUE").empty());
  EXPECT_TRUE(road.books().closes());
}

TEST(AnswerTerm, ACrashWhileTellingTellsOnce) {
  for (int n = 1; n <= 5; ++n)
    for (bool after : {false, true}) {
      Owed road;
      road.process->store.die_at = road.process->store.commits + n;
      road.process->store.die_after = after;
      road.at("2026-11-04T12:00:00Z");
      road.restart();
      ASSERT_TRUE(run_now(road.process->dispatcher.recover()));
      road.at("2026-11-04T12:00:01Z");
      EXPECT_EQ(road.reports(), 1U) << n << after;
      EXPECT_GE(road.told("ANSWER_OVERDUE").size(), 1U) << n << after;
      EXPECT_TRUE(road.told("ANSWER_DUE").empty());
    }
}

}  // namespace
}  // namespace schakel::test
