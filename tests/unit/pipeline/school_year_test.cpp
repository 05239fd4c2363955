// OT meetings per school: told on 1 May and 31 July, once, in working hours (KNH-ROLE-01).
#include "core/pipeline/school_year.hpp"

#include "core/pipeline/timers.hpp"
#include "tests/unit/pipeline/real_road.hpp"

namespace schakel::pipeline {
namespace {
using test::RealRoad;
using test::run_now;

struct SchoolYearRoad : ::testing::Test, RealRoad {
  SchoolYearWatch watch{journal, rules_test::profiles()};
  int cases = 0;

  void case_of(const std::string& school, const std::string& opened, const std::string& kind = "PO") {
    zaak = "Z-222222222222222" + std::string(1, static_cast<char>('A' + cases++));
    auto payload = rules_test::given();
    payload["pupil"]["school"] = school;
    payload["pupil"]["school_type"] = kind;
    payload["meeting"] = nullptr;
    say(opened + "T09:00:00Z", "zaak_opening", "broker", payload);
  }
  /// Meetings that follow one another; each is said on the day of the one before it.
  void held(const std::string& school, const std::vector<std::string>& days) {
    case_of(school, "2026-08-20");
    std::string said = "2026-08-20";
    for (const auto& day : days) {
      auto invited =
          say(said + "T13:00:00Z", "uitnodiging", "school_ib", {{"meeting", "OT"}, {"at", day + "T10:00:00Z"}});
      EXPECT_EQ(invited.draft.outcome, Outcome::delivered);
      said = day;
    }
  }
  int at(const char* when) {
    clock.set(parse_instant(when).value());
    auto told = run_now(watch.step());
    EXPECT_TRUE(told) << (told ? "" : told.error().code);
    return told.value_or(-1);
  }
  std::vector<Message> signals() {
    std::vector<Message> out;
    store::MessageFilter filter;
    filter.type = "termijnsignaal";
    filter.with_sealed = true;
    for (auto& row : run_now(store->messages(filter)).value())
      out.push_back(run_now(journal.read(std::move(row))).value());
    return out;
  }
};

TEST_F(SchoolYearRoad, AShortfallIsToldToTheSchoolOnce) {
  held("De Wilgen", {"2026-09-10", "2026-11-12", "2027-02-11"});
  auto last = zaak;
  // 1 May 2027 is a Saturday: on Monday, at nine.
  EXPECT_EQ(at("2027-05-01T10:00:00Z"), 0);
  EXPECT_EQ(at("2027-05-03T06:59:00Z"), 0);
  EXPECT_EQ(at("2027-05-03T07:00:00Z"), 1);
  EXPECT_EQ(at("2027-05-03T08:00:00Z"), 0);
  EXPECT_EQ(at("2027-05-04T08:00:00Z"), 0);
  ASSERT_EQ(signals().size(), 1u);
  EXPECT_EQ(signals()[0].payload["code"], "TIMER_WARN");
  // 31 July 2027 is a Saturday as well; the new school year began meanwhile.
  EXPECT_EQ(at("2027-07-30T08:00:00Z"), 0);
  EXPECT_EQ(at("2027-08-02T08:00:00Z"), 1);
  EXPECT_EQ(at("2027-08-03T08:00:00Z"), 0);
  auto told = signals();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[1].payload["code"], "OT_COUNT_LOW");
  EXPECT_EQ(told[1].payload["rule"], "KNH-ROLE-01");
  EXPECT_EQ(told[1].payload["count"], 3);
  EXPECT_EQ(told[1].payload["minimum"], 5);
  EXPECT_EQ(told[1].payload["date"], "2027-07-31");
  EXPECT_EQ(told[1].subject, last);
  EXPECT_EQ(told[1].id.find("Wilgen"), std::string::npos);
  // It goes the way of every message: to the school, and to nobody else.
  ASSERT_TRUE(run_now(pipeline->step()));
  auto decided = run_now(journal.decision(told[1].seq)).value()->draft;
  EXPECT_EQ(decided.outcome, Outcome::delivered);
  ASSERT_EQ(decided.recipients.size(), 1u);
  EXPECT_EQ(decided.recipients[0].role, "school_ib");
}

TEST_F(SchoolYearRoad, ARestartTellsNothingTwice) {
  held("De Wilgen", {"2026-09-10"});
  EXPECT_EQ(at("2027-08-02T08:00:00Z"), 1);
  SchoolYearWatch after(journal, rules_test::profiles());
  clock.set(parse_instant("2027-08-03T08:00:00Z").value());
  EXPECT_EQ(run_now(after.step()).value(), 0);
  // Also where it ended between the message and the mark.
  ASSERT_TRUE(run_now(store->commit({{store::EraseRow{"school_year", "2026/ended", std::nullopt}}})));
  SchoolYearWatch again(journal, rules_test::profiles());
  clock.set(parse_instant("2027-08-04T08:00:00Z").value());
  EXPECT_EQ(run_now(again.step()).value(), 0);
  EXPECT_EQ(signals().size(), 1u);
}

TEST_F(SchoolYearRoad, EnoughMeetingsOrAnotherKindOfSchoolIsNotTold) {
  held("Genoeg", {"2026-09-10", "2026-11-12", "2027-01-14", "2027-03-11", "2027-05-13"});
  case_of("Speciaal", "2026-10-01", "SO");
  // Its case is of another school year.
  case_of("Later", "2027-08-01");
  EXPECT_EQ(at("2027-08-02T08:00:00Z"), 0);
  EXPECT_TRUE(signals().empty());
}

TEST_F(SchoolYearRoad, SeveralCasesOnOneDayAreOneMeeting) {
  held("De Wilgen", {"2026-09-10", "2026-11-12", "2027-01-14", "2027-03-11"});
  held("De Wilgen", {"2026-09-10", "2026-11-12"});
  EXPECT_EQ(at("2027-08-02T08:00:00Z"), 1);
  EXPECT_EQ(signals()[0].payload["count"], 4);
}

TEST_F(SchoolYearRoad, ABrokerThatWasDownForTooLongSaysNothing) {
  held("De Wilgen", {"2026-09-10"});
  EXPECT_EQ(at("2027-09-20T08:00:00Z"), 0);
  EXPECT_TRUE(signals().empty());
}

}  // namespace
}  // namespace schakel::pipeline
