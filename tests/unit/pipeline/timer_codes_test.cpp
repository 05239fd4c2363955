// What the day after a term says, over the real road: a target warns, a hard term breaches, a term that is met is
// silent, and a term of kind signal says its own name.
#include "core/pipeline/timers.hpp"
#include "tests/unit/pipeline/real_road.hpp"

namespace schakel::pipeline {
namespace {
using test::run_now;

struct TermRoad : ::testing::Test, test::RealRoad {
  TimerLoop timers{journal};

  TermRoad() { region = "MH"; }
  /// Every term that has something to say until then, in office hours of each day.
  std::vector<std::pair<std::string, std::string>> told_until(const char* day) {
    auto last = parse_instant(std::string(day) + "T16:00:00Z").value();
    for (auto now = clock.now(); now <= last; now += std::chrono::hours(6)) {
      clock.set(now);
      EXPECT_TRUE(run_now(timers.step()));
      EXPECT_TRUE(run_now(pipeline->step()));
    }
    std::vector<std::pair<std::string, std::string>> out;
    for (const auto& r : recall())
      if (r.content && r.content->message.type == "termijnsignaal")
        out.emplace_back(r.content->message.payload.value("timer", ""), r.content->message.payload.value("code", ""));
    return out;
  }
  Draft last_signal() {
    for (auto all = recall(); !all.empty(); all.pop_back())
      if (all.back().content && all.back().content->message.type == "termijnsignaal") return all.back().content->draft;
    return {};
  }
};
using Told = std::vector<std::pair<std::string, std::string>>;

Json plan() {
  Json g = rules_test::given();
  g["meeting"] = nullptr;
  g["case"]["plan_agreed"] = "2026-11-02";
  return g;
}

/// MH-T6: more than 28 days a warning, more than 42 a second, more than 56 a breach.
TEST_F(TermRoad, APlanThatIsNotCarriedOutWarnsTwiceAndThenBreaches) {
  open(plan());
  EXPECT_EQ(told_until("2026-11-30"), Told{}) << "28 days are not more than 28 days";
  EXPECT_EQ(told_until("2026-12-01"), (Told{{"operationeel_target", "TIMER_WARN"}}));
  EXPECT_EQ(told_until("2026-12-15"),
            (Told{{"operationeel_target", "TIMER_WARN"}, {"operationeel_warn", "TIMER_WARN"}}));
  EXPECT_EQ(told_until("2027-01-10"), (Told{{"operationeel_target", "TIMER_WARN"},
                                            {"operationeel_warn", "TIMER_WARN"},
                                            {"operationeel_due", "TIMER_BREACH"}}));
}

TEST_F(TermRoad, APlanThatIsCarriedOutIsSilentFromThenOn) {
  open(plan());
  (void)told_until("2026-12-01");
  say("2026-12-02T09:00:00Z", "startgesprek", "lokaal_team", {{"operational", true}});
  EXPECT_EQ(told_until("2027-01-10"), (Told{{"operationeel_target", "TIMER_WARN"}}));
}

/// CONF-11, Q-33: five working days after the binding advice, to the (end)responsible of both parties.
TEST_F(TermRoad, AnAdviceThatIsNotRatifiedIsToldToTheBoard) {
  Json g = rules_test::given();
  g["meeting"] = nullptr;
  open(g);
  say("2026-11-02T09:00:00Z", "escalatie", "school_ib", {{"point_of_disagreement", "kosten"}});
  say("2026-11-04T09:00:00Z", "bindend_advies", "oza_team", {{"shares", {{"gemeente", 6000}, {"swv", 4000}}}});
  say("2026-11-05T09:00:00Z", "bekrachtiging", "swv");
  EXPECT_EQ(told_until("2026-11-11"), Told{});
  EXPECT_EQ(told_until("2026-11-12"), (Told{{"ratification_overdue", "RATIFICATION_OVERDUE"}}));
  auto told = last_signal();
  EXPECT_EQ(told.outcome, Outcome::delivered);
  std::set<std::string> roles;
  for (const Recipient& r : told.recipients) roles.insert(r.role);
  EXPECT_EQ(roles, (std::set<std::string>{"gemeente_eindverantwoordelijke", "swv_eindverantwoordelijke"}));
}

TEST_F(TermRoad, AnAdviceThatBothRatifiedIsNotOverdue) {
  Json g = rules_test::given();
  g["meeting"] = nullptr;
  open(g);
  say("2026-11-02T09:00:00Z", "escalatie", "school_ib", {{"point_of_disagreement", "kosten"}});
  say("2026-11-04T09:00:00Z", "bindend_advies", "oza_team", {{"shares", {{"gemeente", 6000}, {"swv", 4000}}}});
  say("2026-11-05T09:00:00Z", "bekrachtiging", "swv");
  say("2026-11-06T09:00:00Z", "bekrachtiging", "gemeente");
  EXPECT_EQ(told_until("2026-12-01"), Told{});
}

/// documents_due is met with documentlevering (domain.md section 8): what was delivered is not asked again.
TEST_F(TermRoad, NobodyIsWarnedForDocumentsThatWereDelivered) {
  region = "KNH";
  open();
  say("2026-11-02T09:00:00Z", "documentlevering", "school_ib", test::road_delivery());
  auto told = told_until("2026-12-01");
  EXPECT_TRUE(std::ranges::none_of(told, [](const auto& t) { return t.first.starts_with("documents_due"); }))
      << (told.empty() ? "" : told[0].first);
}

TEST_F(TermRoad, DocumentsThatWereNotDeliveredAreAskedFor) {
  region = "KNH";
  open();
  auto told = told_until("2026-12-01");
  EXPECT_EQ(std::ranges::count(told, std::pair<std::string, std::string>("documents_due:orthopedagoog", "TIMER_WARN")),
            1);
  EXPECT_EQ(
      std::ranges::count(told, std::pair<std::string, std::string>("documents_due:orthopedagoog", "TIMER_BREACH")), 1);
}

}  // namespace
}  // namespace schakel::pipeline
