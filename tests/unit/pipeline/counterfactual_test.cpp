// Decisions made again, and what would have had to be different, with the real deciders and regions.
#include "core/pipeline/counterfactual.hpp"

#include <gtest/gtest.h>

#include <set>

#include "core/pipeline/explain.hpp"
#include "tests/unit/rules/rules_support.hpp"

namespace schakel::replay {
namespace {
using rules_test::consent;
using rules_test::given;

/// A case in which the last message is decided again.
struct Replayed : rules_test::Case {
  using rules_test::Case::Case;
  Known before;
  const Draft& ask(std::string when, std::string type, std::string from, Json payload = Json::object(),
                   std::vector<std::string> to = {}) {
    before.file = file;
    play(std::move(when), std::move(type), std::move(from), std::move(payload), std::move(to));
    before.message = message;
    return last;
  }
  [[nodiscard]] Counterfactual search(SearchOptions options = {}) const {
    return counterfactual(deciders, before, *profile, last, options);
  }
};

std::set<std::string> facts_of(const Counterfactual& c) {
  std::set<std::string> out;
  for (const auto& a : c.found)
    for (const auto& change : a.changes) out.insert(change.fact);
  return out;
}

const Json kDelivery = {{"documents", {"groeidocument", "opp"}}, {"meeting", "OT"}};

TEST(Redecide, TheSameFactsAndRulesGiveTheSameBytes) {
  Replayed c("KNH", given());
  c.ask("2026-11-20T09:00:00+01:00", "documentlevering", "school_ib", kDelivery);
  EXPECT_TRUE(identical(c.last, redecide(c.deciders, c.before, *c.profile)));
  EXPECT_TRUE(identical(Json(c.last).get<Draft>(), c.last));
}

TEST(Redecide, FlipsNameRuleTargetAndBothSides) {
  Replayed c("KNH", given());
  c.ask("2026-11-20T09:00:00+01:00", "documentlevering", "school_ib", kDelivery);
  ASSERT_EQ(c.last.outcome, Outcome::delivered);
  auto known = c.before;
  for (auto& consent : known.file.consents) consent.withdrawn_at = known.message.time;
  auto found = flips(c.last, redecide(c.deciders, known, *c.profile));
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found[0].kind, Flip::Kind::outcome);
  EXPECT_EQ(found[0].after, "blocked CONSENT_WITHDRAWN");
  EXPECT_TRUE(std::ranges::any_of(found, [](const Flip& f) {
    return f.kind == Flip::Kind::recipient && f.target == "orthopedagoog" && f.after == "nothing" && !f.rule.empty();
  }));
  EXPECT_TRUE(flips(c.last, c.last).empty());
}

TEST(Counterfactual, OneParentsConsentIsTheSmallestChange) {
  auto payload = given();
  payload["consents"] = Json::array({consent("c1", "ouder_1", "documents")});
  Replayed c("KNH", payload);
  c.ask("2026-11-20T09:00:00+01:00", "documentlevering", "school_ib", kDelivery);
  ASSERT_EQ(c.last.codes, std::vector<std::string>{"CONSENT_PARTIAL"});
  auto found = c.search();
  ASSERT_FALSE(found.found.empty());
  EXPECT_TRUE(found.singles_complete);
  EXPECT_TRUE(facts_of(found).contains("consent:ouder_2:documents"));
  for (const auto& a : found.found) {
    EXPECT_EQ(a.changes.size(), 1u);
    EXPECT_EQ(a.outcome, Outcome::delivered);
  }
}

TEST(Counterfactual, TwoParentsAreAPair) {
  auto payload = given();
  payload["consents"] = Json::array();
  Replayed c("KNH", payload);
  c.ask("2026-11-20T09:00:00+01:00", "documentlevering", "school_ib", kDelivery);
  ASSERT_EQ(c.last.codes, std::vector<std::string>{"CONSENT_MISSING"});
  // Who has custody is stated by the school and not in doubt here.
  SearchOptions options;
  options.may_vary = [](std::string_view fact) { return fact.starts_with("consent:"); };
  auto found = c.search(options);
  ASSERT_EQ(found.found.size(), 1u);
  EXPECT_EQ(facts_of(found), (std::set<std::string>{"consent:ouder_1:documents", "consent:ouder_2:documents"}));
}

TEST(Counterfactual, NoneIsSaidHonestlyAndNothingForbiddenIsVaried) {
  auto payload = given();
  payload["consents"] = Json::array();
  Replayed c("KNH", payload);
  c.ask("2026-11-20T09:00:00+01:00", "documentlevering", "school_ib", kDelivery);
  SearchOptions options;
  std::set<std::string> asked;
  options.may_vary = [&](std::string_view fact) {
    asked.emplace(fact);
    return fact.starts_with("document.");
  };
  auto found = c.search(options);
  EXPECT_TRUE(found.found.empty());
  EXPECT_TRUE(found.singles_complete);
  EXPECT_TRUE(found.pairs_complete);
  EXPECT_TRUE(asked.contains("consent:ouder_1:documents"));
}

TEST(Counterfactual, ABudgetThatRunsOutIsNoNone) {
  auto payload = given();
  payload["consents"] = Json::array();
  Replayed c("KNH", payload);
  c.ask("2026-11-20T09:00:00+01:00", "documentlevering", "school_ib", kDelivery);
  SearchOptions options;
  options.budget = 3;
  auto found = c.search(options);
  EXPECT_TRUE(found.found.empty());
  EXPECT_FALSE(found.singles_complete);
  EXPECT_EQ(found.tried, 3u);
}

TEST(Counterfactual, AThresholdIsMetByOneUnit) {
  auto payload = given();
  payload["pupil"]["birth_date"] = "2014-11-21";  // twelve the day after
  Replayed c("KNH", payload);
  c.ask("2026-11-20T09:00:00+01:00", "documentlevering", "school_ib", kDelivery);
  ASSERT_EQ(c.last.outcome, Outcome::delivered);
  auto found = c.search();
  bool born_a_day_earlier = false;
  for (const auto& a : found.found)
    for (const auto& change : a.changes)
      born_a_day_earlier =
          born_a_day_earlier || (change.fact == "pupil.birth_date" && change.would_be == Json("2014-11-20"));
  auto candidates_are_verified = std::ranges::all_of(found.found, [](const Alternative& a) {
    return a.outcome == Outcome::blocked || !a.lost.empty() || !a.gained.empty();
  });
  EXPECT_TRUE(candidates_are_verified);
  SearchOptions age_only;
  age_only.may_vary = [](std::string_view fact) { return fact == "pupil.birth_date"; };
  auto by_age = c.search(age_only);
  ASSERT_FALSE(by_age.found.empty());
  EXPECT_EQ(by_age.found[0].changes[0].would_be, Json("2014-11-20"));
  EXPECT_EQ(by_age.found[0].outcome, Outcome::blocked);
  (void)born_a_day_earlier;
}

/// Every alternative that is found in any region is what the deciders really say: applying it is done inside the
/// search, so it is enough that its outcome differs from the recorded one.
TEST(Counterfactual, EveryAlternativeDiffersInEveryRegion) {
  for (const auto& [region, profile] : rules_test::profiles()) {
    Replayed c(region, given());
    c.ask("2026-11-20T09:00:00+01:00", "documentlevering", "school_ib", kDelivery);
    auto found = c.search();
    for (const auto& a : found.found)
      EXPECT_TRUE(a.outcome != c.last.outcome || !a.gained.empty() || !a.lost.empty()) << region;
  }
}

TEST(Words, TheLanguageIsTheFirstOfTheTwo) {
  using pipeline::Lang;
  EXPECT_EQ(pipeline::language_of(""), Lang::nl);
  EXPECT_EQ(pipeline::language_of("en-GB,en;q=0.9"), Lang::en);
  EXPECT_EQ(pipeline::language_of("de, en;q=0.5, nl;q=0.1"), Lang::en);
  EXPECT_EQ(pipeline::language_of("en;q=0, nl"), Lang::nl);
  EXPECT_EQ(pipeline::language_of("energy"), Lang::nl);
  EXPECT_EQ(pipeline::language_of(std::string(10000, ',')), Lang::nl);
}

TEST(InFlight, WhatACaseWaitsFor) {
  auto at = rules_test::at("2026-11-20T09:00:00+01:00");
  CaseFile file;
  EXPECT_TRUE(in_flight(file, at, 90));
  PastMessage m;
  m.at = rules_test::at("2026-01-20T09:00:00+01:00");
  file.messages.push_back(m);
  EXPECT_FALSE(in_flight(file, at, 90));
  EXPECT_TRUE(in_flight(file, at, 365));
  auto with = [&](auto change) {
    auto f = file;
    change(f);
    return in_flight(f, at, 90);
  };
  EXPECT_TRUE(with([](CaseFile& f) { f.deadlines.push_back({"d", "2027-01-01", "", "", "hard", "", "set"}); }));
  EXPECT_FALSE(with([](CaseFile& f) { f.deadlines.push_back({"d", "2027-01-01", "", "", "hard", "", "met"}); }));
  EXPECT_TRUE(with([](CaseFile& f) { f.facts["dispute"] = true; }));
  EXPECT_TRUE(with([](CaseFile& f) { f.escalation = EscalationState{}; }));
}

}  // namespace
}  // namespace schakel::replay
