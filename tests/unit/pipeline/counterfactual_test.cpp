// Decisions made again, and what would have had to be different, with the real deciders and regions.
#include "core/pipeline/counterfactual.hpp"

#include <gtest/gtest.h>

#include <functional>
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

/// The rules of a region as a policy officer would try them: `change` gets the rows of the file.
std::shared_ptr<const Profile> changed(const char* region, const std::function<void(Json&)>& change) {
  Json source = rules_test::profiles().at(region)->source();
  change(source["region"]["rules"]);
  auto profile = Profile::from_source(source);
  EXPECT_TRUE(profile) << (profile ? "" : profile.error().message);
  return profile ? *profile : rules_test::profiles().at(region);
}
void without(Json& rules, std::string_view stage, std::string_view type) {
  Json left = Json::array();
  for (const Json& r : rules)
    if (r["stage"] != stage || dump_json(r["on"]).find(type) == std::string::npos) left.push_back(r);
  EXPECT_LT(left.size(), rules.size());
  rules = std::move(left);
}
const Flip* flip_of(const std::vector<Flip>& all, Flip::Kind kind, std::string_view target) {
  auto it = std::ranges::find_if(all, [&](const Flip& f) { return f.kind == kind && f.target == target; });
  return it == all.end() ? nullptr : &*it;
}

TEST(Flips, ADeletedFactsRowIsSeenThoughTheOutcomeStands) {
  Replayed c("KNH", given());
  c.ask("2026-11-20T09:00:00+01:00", "ots_melding", "gezinsvoogd",
        {{"measure", "ots"}, {"start", "2026-11-20"}, {"end", "2027-11-19"}});
  auto next = changed("KNH", [](Json& rules) { without(rules, "facts", "ots_melding"); });
  Draft again = redecide(c.deciders, c.before, *next);
  ASSERT_EQ(again.outcome, c.last.outcome);
  auto found = flips(c.last, again);
  const Flip* gi = flip_of(found, Flip::Kind::fact, "case.gi_involved");
  ASSERT_TRUE(gi);
  EXPECT_EQ(gi->before, "true");
  EXPECT_EQ(gi->after, "not stated");
  EXPECT_FALSE(gi->rule.empty());
  // And the other way round: a row that is added.
  auto back = flips(again, c.last);
  gi = flip_of(back, Flip::Kind::fact, "case.gi_involved");
  ASSERT_TRUE(gi);
  EXPECT_EQ(gi->after, "true");
}

TEST(Flips, AnotherFilingIsSeen) {
  Replayed c("KNH", given());
  c.play("2026-11-20T09:00:00+01:00", "documentlevering", "school_ib", kDelivery);
  std::string delivery = c.message.id;
  std::string opener;
  for (const Recipient& r : c.last.recipients)
    for (const auto* rule : c.profile->rules(Stage::filing, "link_geopend"))
      if (r.role == rule->then.file->by) opener = r.role;
  ASSERT_FALSE(opener.empty()) << "nobody who files gets documents";
  c.ask("2026-11-20T10:00:00+01:00", "link_geopend", opener, {{"delivery", delivery}});
  ASSERT_FALSE(c.last.filings.empty());
  auto none = changed("KNH", [](Json& rules) { without(rules, "filing", "link_geopend"); });
  auto found = flips(c.last, redecide(c.deciders, c.before, *none));
  const Flip* filing = flip_of(found, Flip::Kind::filing, opener);
  ASSERT_TRUE(filing);
  EXPECT_EQ(filing->after, "nothing");
  EXPECT_TRUE(c.profile->rule(filing->rule)) << filing->rule;
  auto elsewhere = changed("KNH", [](Json& rules) {
    for (Json& r : rules)
      if (r["stage"] == "filing") r["then"]["file"]["system"] = "archief";
  });
  found = flips(c.last, redecide(c.deciders, c.before, *elsewhere));
  ASSERT_TRUE(flip_of(found, Flip::Kind::filing, opener));
  EXPECT_NE(flip_of(found, Flip::Kind::filing, opener)->after.find("in archief"), std::string::npos);
}

TEST(Flips, AnotherEscalationIsSeen) {
  Replayed c("KNH", given());
  c.ask("2026-11-20T09:00:00+01:00", "escalatie", "school_ib", {{"point_of_disagreement", "verdeling van de kosten"}});
  ASSERT_EQ(c.last.outcome, Outcome::delivered);
  auto none = changed("KNH", [](Json& rules) { without(rules, "escalation", "escalatie"); });
  auto found = flips(c.last, redecide(c.deciders, c.before, *none));
  auto opened = std::ranges::find(found, Flip::Kind::escalation, &Flip::kind);
  ASSERT_NE(opened, found.end());
  EXPECT_EQ(opened->before, "open");
  EXPECT_EQ(opened->after, "nothing");
  EXPECT_FALSE(opened->rule.empty());
}

TEST(Flips, WhoIsLeftOutIsSeen) {
  Replayed c("KNH", given());
  c.ask("2026-11-20T09:00:00+01:00", "documentlevering", "school_ib", kDelivery, {"orthopedagoog", "ciz"});
  ASSERT_EQ(c.last.outcome, Outcome::delivered);
  ASSERT_FALSE(c.last.suppressed.empty());
  Draft other = c.last;
  other.suppressed.clear();
  auto found = flips(c.last, other);
  const Flip* left = flip_of(found, Flip::Kind::suppressed, "ciz");
  ASSERT_TRUE(left);
  EXPECT_EQ(left->before, "AUDIENCE_NOT_INVOLVED");
  EXPECT_EQ(left->after, "not left out");
  EXPECT_EQ(left->rule, c.last.suppressed[0].rule);
}

TEST(Flips, ALinkThatStandsIsSeen) {
  Draft with, without_it;
  with.outcome = without_it.outcome = Outcome::recorded;
  with.revoked_links = {"m-1/orthopedagoog", "m-2/orthopedagoog"};
  with.explanation.push_back({"TEST-01", "consent", "fired", "withdrawn", "", "", {}});
  auto found = flips(with, without_it);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0], (Flip{Flip::Kind::link, "TEST-01", "orthopedagoog", "2 ended", "none ended"}));
}

/// A list with other lines, and what has no kind of its own, are never silent.
TEST(Flips, NoEffectIsOverlooked) {
  Draft a, b;
  a.effects = {{"fact", "funding", Json::array({1})}};
  b.effects = {{"fact", "funding", Json::array({2})}};
  auto found = flips(a, b);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].target, "case.funding");
  EXPECT_EQ(found[0].after, "a list of 1, other content");
  a.effects = {{"consent", "c1", {{"giver", "ouder_1"}}}};
  b.effects.clear();
  found = flips(a, b);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].target, "consent");
  a.effects = {{"document", "opp", {{"status", "compleet"}}}};
  b.effects = {{"document", "opp", {{"status", "concept"}}}};
  found = flips(a, b);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].target, "document.opp.status");
  EXPECT_EQ(found[0].before + found[0].after, "compleetconcept");
  // What only explains the same result in other words is no flip.
  b = a;
  b.explanation.push_back({"TEST-01", "gate", "near", "OPP_MISSING", "", "", {}});
  EXPECT_TRUE(flips(a, b).empty());
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

/// Many reasons at once: the last phase keeps within the budget as well.
TEST(Counterfactual, TheBudgetHoldsForSeveralReasons) {
  auto payload = given();
  payload["consents"] = Json::array();
  payload["documents"] = Json::array();
  Replayed c("KNH", payload);
  c.ask("2026-11-20T09:00:00+01:00", "oza_vaststelling", "school_ib", Json::object());
  ASSERT_GT(c.last.codes.size(), 3u);
  SearchOptions options;
  options.budget = 1;
  auto none = c.search(options);
  EXPECT_EQ(none.tried, 1u);
  // Just enough for the singles: pairs and the last phase have none left.
  auto singles = none.candidates;
  for (std::size_t budget : {singles, singles + 5, singles + 50, std::size_t{1500}}) {
    options.budget = budget;
    EXPECT_LE(c.search(options).tried, budget) << budget;
  }
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
