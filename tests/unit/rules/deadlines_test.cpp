// domain.md 6.2 and 8: dates, severities, lead times and what meets a timer.
#include "tests/unit/rules/rules_support.hpp"

namespace schakel::rules_test {
namespace {

TEST(Deadlines, LeadTimeIsJudgedPerRoleOnLocalDates) {
  Json g = given();
  g["case"]["wijkteam_involved"] = true;
  g["meeting"]["at"] = "2026-03-30T09:00:00+02:00";
  Case c("KNH", g, "2026-02-01T09:00:00+01:00");
  Json docs = {{"documents", {"groeidocument"}}, {"meeting", "OT"}};
  EXPECT_EQ(c.due("documents_due:procesregisseur"), "2026-03-02");
  EXPECT_EQ(c.due("documents_due:orthopedagoog"), "2026-03-16");
  c.play("2026-03-02T23:59:00+01:00", "documentlevering", "school_ib", docs);
  EXPECT_TRUE(c.last.signals.empty());
  c.play("2026-03-03T00:00:00+01:00", "documentlevering", "school_ib", docs);
  EXPECT_TRUE(c.signalled("LEAD_TIME_SHORT", "school_ib", "procesregisseur"));
  c.play("2026-03-16T23:59:00+01:00", "documentlevering", "school_ib", docs);
  EXPECT_FALSE(c.signalled("LEAD_TIME_VIOLATION", "school_ib", "orthopedagoog"));
  c.play("2026-03-17T00:00:00+01:00", "documentlevering", "school_ib", docs);
  EXPECT_TRUE(c.signalled("LEAD_TIME_VIOLATION", "school_ib", "orthopedagoog"));
  EXPECT_TRUE(c.signalled("LEAD_TIME_VIOLATION", "school_ib", "procesregisseur"));
}

TEST(Deadlines, UnderTheHoldPolicyWhoWouldGetItTooLateGetsNothing) {
  Json g = given();
  g["case"]["wijkteam_involved"] = true;
  g["meeting"]["at"] = "2026-03-30T09:00:00+02:00";
  g["profile_overrides"] = {{"late_policy", "hold"}};
  Case c("KNH", g, "2026-02-01T09:00:00+01:00");
  Json docs = {{"documents", {"groeidocument"}}, {"meeting", "OT"}};
  c.play("2026-03-02T12:00:00+01:00", "documentlevering", "school_ib", docs);
  auto in_time = c.roles();
  ASSERT_FALSE(in_time.empty());
  c.play("2026-03-17T00:00:00+01:00", "documentlevering", "school_ib", docs);
  EXPECT_TRUE(c.roles().empty());
  EXPECT_EQ(c.last.outcome, Outcome::blocked);
  EXPECT_EQ(c.last.codes, (std::vector<std::string>{"LEAD_TIME_VIOLATION"}));
  // What is blocked leaves only its record; why stands in its explanation.
  EXPECT_TRUE(
      std::ranges::any_of(c.last.explanation, [](const Explanation& e) { return e.code == "LEAD_TIME_VIOLATION"; }));
  c.file.overrides = Json::object();
  c.play("2026-03-17T00:10:00+01:00", "documentlevering", "school_ib", docs);
  EXPECT_EQ(c.roles(), in_time) << "the policy of the region itself delivers and flags";
}

TEST(Deadlines, AppendixPolicyKnowsNothingBetweenOnTimeAndLate) {
  Json g = given();
  g["case"]["wijkteam_involved"] = true;
  g["profile_overrides"] = {{"lead_time_policy", "appendix_4_weeks"}};
  Case c("KNH", g);
  c.play("2026-11-06T09:00:00+01:00", "documentlevering", "school_ib",
         {{"documents", {"groeidocument"}}, {"meeting", "OT"}});
  EXPECT_TRUE(c.signalled("LEAD_TIME_VIOLATION", "school_ib", "procesregisseur"));
  EXPECT_FALSE(c.signalled("LEAD_TIME_SHORT", "school_ib", "procesregisseur"));
}

TEST(Deadlines, DeadlinesFollowTheStateOfTheCase) {
  Case c("KNH", given());
  EXPECT_EQ(c.due("documents_due:jeugdhulpdeskundige"), "2026-11-19");
  EXPECT_EQ(c.due("documents_due:procesregisseur"), "");
  c.play("2026-10-02T09:00:00+02:00", "betrokkenheidsmelding", "procesregisseur", {{"start", "2026-10-02"}});
  EXPECT_EQ(c.due("documents_due:jeugdhulpdeskundige"), "");
  EXPECT_EQ(c.due("documents_due:procesregisseur"), "2026-11-05");
}

TEST(Deadlines, ResearchReplacesTheDecisionTermAndRollsOverHolidays) {
  Json g = given();
  g["meeting"]["at"] = "2026-03-30T09:00:00+02:00";
  Case c("KNH", g, "2026-02-01T09:00:00+01:00");
  c.play("2026-03-30T12:00:00+02:00", "onderzoek_start", "jeugdhulpdeskundige", {{"start", "2026-03-30"}});
  EXPECT_EQ(c.due("onderzoek_due"), "2026-05-26");  // 25 May 2026 is Whit Monday
  auto it = std::ranges::find(c.file.deadlines, "besluit_due", &Deadline::name);
  EXPECT_EQ(it->severity, "target_replaced");
  c.play("2026-05-01T09:00:00+02:00", "intern_overleg", "procesregisseur", {{"date", "2026-05-01"}});
  c.play("2026-05-26T23:00:00+02:00", "besluit_zorgdeel", "jeugdhulpdeskundige");
  EXPECT_TRUE(c.last.signals.empty());
}

TEST(Deadlines, TheFirstMessageThatComesTooLateSaysSo) {
  Case c("KNH", given());
  c.play("2026-12-01T09:00:00+01:00", "intern_overleg", "procesregisseur", {{"date", "2026-12-01"}});
  c.play("2026-12-18T00:00:00+01:00", "besluit_zorgdeel", "jeugdhulpdeskundige");
  EXPECT_TRUE(c.signalled("TIMER_BREACH", "jeugdhulpdeskundige"));
  c.play("2026-12-19T00:00:00+01:00", "besluit_zorgdeel", "jeugdhulpdeskundige");
  EXPECT_TRUE(c.last.signals.empty());
}

TEST(Deadlines, MonthsAreClampedAndHolidaysAnnouncedOnce) {
  Json g = given();
  g["case"] = {{"custody", {"ouder_1"}}};
  Case c("MH", g);
  c.play("2026-10-02T09:00:00+02:00", "ots_overdracht", "gezinsvoogd", {{"ots_end", "2027-05-31"}});
  EXPECT_EQ(c.due("ots_afspraak_due"), "2027-02-28");
  c.play("2026-10-03T09:00:00+02:00", "ots_melding", "gezinsvoogd", {{"measure", "ots"}, {"end", nullptr}});
  EXPECT_EQ(c.due("ots_afspraak_due"), "2027-02-28");
  c.play("2026-03-10T09:00:00+01:00", "ot_verslag", "school_ib", {{"plan_agreed", "2026-03-10"}});
  EXPECT_EQ(c.due("operationeel_due"), "2026-05-05");
  EXPECT_TRUE(std::ranges::any_of(
      c.last.signals, [](const Signal& s) { return s.code == "FALLS_ON_HOLIDAY" && s.timer == "operationeel_due"; }));
  c.play("2026-03-10T10:00:00+01:00", "ot_verslag", "school_ib", {{"plan_agreed", "2026-03-10"}});
  EXPECT_TRUE(c.last.signals.empty());
}

TEST(Deadlines, SevenWorkingDaysOverKingsDay) {
  Json g = given();
  Case c("MH", g);
  c.play("2026-04-22T16:00:00+02:00", "escalatie", "school_ib", {{"point_of_disagreement", "kosten"}});
  EXPECT_EQ(c.due("oza_advies_due"), "2026-05-04");
}

}  // namespace
}  // namespace schakel::rules_test
