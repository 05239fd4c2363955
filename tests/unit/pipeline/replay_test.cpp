// What is kept of a decision, and what is said where it cannot be made again.
#include "core/pipeline/replay.hpp"

#include "core/journal/record.hpp"
#include "tests/unit/pipeline/real_road.hpp"

namespace schakel::pipeline {
namespace {
using test::changed;
using test::RealRoad;
using test::road_delivery;
using test::run_now;

std::vector<Step> steps_of(const std::vector<journal::Recalled>& rows) {
  std::vector<Step> out;
  walk(rows, [&](const Step& s) { out.push_back(s); });
  return out;
}

/// KNH asks no lead time for documents any more, and the school may not send them.
std::shared_ptr<const Profile> strict() {
  return changed(rules_test::profiles().at("KNH"), [](Json& region) {
    region["rules"].push_back({{"id", "TEST-01"},
                               {"source", region["sources"].begin().key()},
                               {"quote", "Proef"},
                               {"stage", "gate"},
                               {"on", "documentlevering"},
                               {"then", {{"block", "MANDATE_MISSING"}}}});
  });
}

TEST(Replay, EveryDecisionIsMadeAgainBitForBitFromTheKeptRules) {
  RealRoad road;
  road.open();
  road.say("2026-11-20T08:00:00Z", "documentlevering", "school_ib", road_delivery());
  road.say("2026-11-20T08:10:00Z", "factuur", "zorgaanbieder_billing",
           {{"number", "F-1"}, {"lines", Json::array({{{"kind", "onderwijs"}, {"cents", 1000}}})}, {"vat_cents", 0}});
  auto rows = road.recall();
  auto steps = steps_of(rows);
  ASSERT_EQ(steps.size(), 3u);
  for (const auto& s : steps) {
    EXPECT_EQ(s.reason, "");
    EXPECT_EQ(s.row->content->semantics, kSemanticsVersion);
    auto profile = run_now(road.pipeline->rules().version(s.row->rules_version)).value();
    EXPECT_EQ(profile->version(), s.row->rules_version);
    EXPECT_EQ(registers_missing(road.deciders, s, *profile), "");
    EXPECT_TRUE(replay::identical(s.row->content->draft, replay::redecide(road.deciders, s.known, *profile)));
  }
}

TEST(Replay, RuleDataAreKeptOncePerVersion) {
  RealRoad road;
  road.open();
  for (int i = 0; i < 3; ++i) road.say("2026-11-20T08:00:00Z", "documentlevering", "school_ib", road_delivery());
  auto rows = run_now(road.store->rows(std::string(kRuleSpace), "", "", 100)).value();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].version, 1);
  EXPECT_EQ(run_now(road.pipeline->rules().version("KNH-0000000000000000")).error().code, "RULES_UNKNOWN");
}

TEST(Replay, KeptRulesThatReadAsAnotherVersionAreRefused) {
  RealRoad road;
  road.open();
  auto source = rules_test::profiles().at("KNH")->source();
  ASSERT_TRUE(run_now(road.store->commit(
      {{store::PutRow{std::string(kRuleSpace), "KNH-feedfeedfeedfeed", to_bytes(dump_json(source)), std::nullopt}}})));
  EXPECT_EQ(run_now(road.pipeline->rules().version("KNH-feedfeedfeedfeed")).error().code, "RULES_CHANGED");
}

TEST(Replay, WhatWasErasedAndWhatCameAfterItAreNotGuessed) {
  RealRoad road;
  road.open();
  auto second = road.say("2026-11-20T08:00:00Z", "toestemming", "ouder_1", {{"purpose", "documents"}});
  road.say("2026-11-20T09:00:00Z", "documentlevering", "school_ib", road_delivery());
  road.erase(second.message.seq);
  EXPECT_FALSE(run_now(road.journal.history(road.zaak)));
  auto rows = road.recall();
  auto steps = steps_of(rows);
  ASSERT_EQ(steps.size(), 3u);
  EXPECT_EQ(steps[0].reason, "");
  EXPECT_EQ(steps[1].reason, "ERASED");
  EXPECT_EQ(steps[2].reason, "CASE_INCOMPLETE");
}

TEST(Replay, AnotherInterpreterIsNotReplayable) {
  RealRoad road;
  road.open();
  auto rows = road.recall();
  rows[0].content->semantics = kSemanticsVersion + 1;
  EXPECT_EQ(steps_of(rows)[0].reason, "SEMANTICS_CHANGED");
}

TEST(Replay, AnInvoiceWithoutItsRegisterIsNotReplayable) {
  RealRoad road;
  road.open();
  Json invoice = {
      {"number", "F-1"}, {"lines", Json::array({{{"kind", "onderwijs"}, {"cents", 1000}}})}, {"vat_cents", 0}};
  road.say("2026-11-20T08:00:00Z", "factuur", "zorgaanbieder_billing", invoice, {}, "ortho");
  auto rows = road.recall();
  auto steps = steps_of(rows);
  const auto& profile = *rules_test::profiles().at("KNH");
  auto keys = registers_read(road.deciders, steps[1].known.file, steps[1].known.message, profile);
  ASSERT_FALSE(keys.empty());
  // Absent is a fact that was read; it is kept as null.
  ASSERT_TRUE(rows[1].content->registers);
  EXPECT_TRUE(rows[1].content->registers->contains(keys[0]));
  EXPECT_EQ(registers_missing(road.deciders, steps[1], profile), "");
  rows[1].content->registers = std::nullopt;
  EXPECT_EQ(registers_missing(road.deciders, steps_of(rows)[1], profile), "REGISTERS_NOT_KEPT");
}

TEST(InFlightRules, ACaseKeepsTheRulesItWasOpenedUnder) {
  RealRoad road;
  auto opened = road.open();
  Profiles next = rules_test::profiles();
  next["KNH"] = strict();
  road.start(next);
  auto running = road.say("2026-11-20T08:00:00Z", "documentlevering", "school_ib", road_delivery());
  EXPECT_EQ(running.rules_version, opened.rules_version);
  EXPECT_EQ(running.draft.outcome, Outcome::delivered);
  // Also from the cache, and what is rehearsed is what will be decided.
  EXPECT_EQ(road.say("2026-11-20T08:01:00Z", "documentlevering", "school_ib", road_delivery()).rules_version,
            opened.rules_version);
  Message again = running.message;
  EXPECT_EQ(run_now(road.pipeline->rehearse(again)).value().outcome, Outcome::delivered);
  // A case that is opened now has the new ones.
  road.zaak = "Z-22222222222222BB";
  EXPECT_EQ(road.say("2026-11-20T08:02:00Z", "zaak_opening", "broker", rules_test::given()).rules_version,
            next["KNH"]->version());
  EXPECT_EQ(road.say("2026-11-20T08:03:00Z", "documentlevering", "school_ib", road_delivery()).draft.outcome,
            Outcome::blocked);
}

TEST(InFlightRules, ASettledCaseTakesTheRulesOfTheDay) {
  RealRoad road;
  auto payload = rules_test::given();
  payload["meeting"] = nullptr;
  road.open(payload);
  road.say("2026-11-20T08:00:00Z", "toestemming", "ouder_1", {{"purpose", "cto_attendance"}});
  Profiles next = rules_test::profiles();
  next["KNH"] = strict();
  road.start(next);
  auto later = road.say("2027-06-01T08:00:00Z", "documentlevering", "school_ib", road_delivery());
  EXPECT_EQ(later.rules_version, next["KNH"]->version());
  EXPECT_EQ(later.draft.outcome, Outcome::blocked);
}

/// No message meets such a term: once it is past for the quiet days the case is settled, whatever the term says.
TEST(InFlightRules, ATermThatIsLongPastIsWaitedForNoLonger) {
  CaseFile file;
  file.messages.push_back({});
  file.messages.back().at = rules_test::at("2026-01-10T09:00:00+01:00");
  file.deadlines.push_back({"doel_max_end", "2026-06-01", "", "HR-TIMER-01", "hard", "school_ib", "set"});
  auto waits = [&](const char* when) { return replay::in_flight(file, rules_test::at(when), 30); };
  EXPECT_TRUE(waits("2026-05-31T23:00:00+02:00"));
  EXPECT_TRUE(waits("2026-06-30T23:59:00+02:00"));  // 29 days past
  EXPECT_FALSE(waits("2026-07-01T00:01:00+02:00"));
  file.deadlines[0].state = "met";
  EXPECT_FALSE(waits("2026-05-31T23:00:00+02:00"));
  // The other reasons stay.
  file.facts["dispute"] = true;
  EXPECT_TRUE(waits("2027-07-01T09:00:00+02:00"));
}

TEST(InFlightRules, RulesThatWereNeverKeptGiveWayToThoseOfToday) {
  RealRoad road;
  road.open();
  auto rows = run_now(road.store->rows(std::string(kRuleSpace), "", "", 10)).value();
  ASSERT_TRUE(run_now(road.store->commit({{store::EraseRow{std::string(kRuleSpace), rows[0].key, std::nullopt}}})));
  Profiles next = rules_test::profiles();
  next["KNH"] = strict();
  road.start(next);
  EXPECT_EQ(road.say("2026-11-20T08:00:00Z", "documentlevering", "school_ib", road_delivery()).rules_version,
            next["KNH"]->version());
}

TEST(Plan, ListsOnlyWhatFlipsByRuleSchoolAndTarget) {
  RealRoad road;
  auto payload = rules_test::given();
  payload["pupil"]["school"] = "De Wilgen";
  road.open(payload);
  auto sent = road.say("2026-11-20T08:00:00Z", "documentlevering", "school_ib", road_delivery());
  road.say("2026-11-20T08:10:00Z", "toestemming", "ouder_1", {{"purpose", "cto_attendance"}});
  auto deliveries = run_now(road.store->deliveries({})).value().size();
  Profiles next = rules_test::profiles();
  Rehearsal same, other;
  auto rows = road.recall();
  walk(rows, [&](const Step& s) { same.add(road.deciders, s, next); });
  auto j = same.to_json();
  EXPECT_EQ(j["besluiten"], 3);
  EXPECT_EQ(j["gelijk"], 3);
  EXPECT_TRUE(j["groepen"].empty());
  next["KNH"] = strict();
  walk(rows, [&](const Step& s) { other.add(road.deciders, s, next); });
  j = other.to_json();
  EXPECT_EQ(j["gelijk"], 2);
  EXPECT_EQ(j["anders"], 1);
  bool outcome = false, recipient = false;
  for (const auto& g : j["groepen"]) {
    EXPECT_EQ(g["school"], "De Wilgen");
    EXPECT_EQ(g["voorbeelden"], Json::array({std::to_string(sent.message.seq)}));
    outcome =
        outcome || (g["soort"] == "outcome" && g["regel"] == "TEST-01" && g["wordt"] == "blocked MANDATE_MISSING");
    recipient = recipient || (g["soort"] == "recipient" && g["regel"] == "TEST-01" && g["doel"] == "orthopedagoog" &&
                              g["wordt"] == "nothing");
  }
  EXPECT_TRUE(outcome) << j.dump(2);
  EXPECT_TRUE(recipient) << j.dump(2);
  EXPECT_EQ(run_now(road.store->deliveries({})).value().size(), deliveries);
}

TEST(Plan, AnUnreadExplanationNamesTheSameRules) {
  RealRoad road;
  // What was blocked goes now: the rule behind that stands only in the explanation of the old decision.
  Profiles next = rules_test::profiles(), before = next;
  before["KNH"] = strict();
  road.start(before);
  road.open();
  road.say("2026-11-20T08:00:00Z", "documentlevering", "school_ib", road_delivery());
  road.say("2026-11-21T08:00:00Z", "toestemming", "ouder_1", {{"purpose", "cto_attendance"}});
  road.say("2026-11-22T08:00:00Z", "documentlevering", "school_ib", road_delivery(), {"huisarts"});
  Rehearsal read, unread, first, rest;
  walk(road.recall(), [&](const Step& s) { read.add(road.deciders, s, next); });
  auto part = run_now(road.journal.stretch(road.zaak, 0, 100)).value();
  Walk all;
  for (std::size_t i = 0; i < part.rows.size(); ++i)
    all.step(journal::recalled(part.rows[i], part.opener, journal::Explained::unread), [&](const Step& s) {
      unread.add(road.deciders, s, next);
      (i < 2 ? first : rest).add(road.deciders, s, next);
    });
  EXPECT_EQ(read.to_json(), unread.to_json());
  EXPECT_EQ(read.to_json()["anders"], 2);
  EXPECT_NE(read.to_json()["groepen"].dump().find("TEST-01"), std::string::npos);
  // Counted in two and added up: the same.
  first.add(rest);
  EXPECT_EQ(first.to_json(), read.to_json());
  EXPECT_EQ(first.decisions(), 4);
}

TEST(Plan, CountsWhatIsNotReplayableByReason) {
  RealRoad road;
  auto opened = road.open();
  road.say("2026-11-20T08:00:00Z", "documentlevering", "school_ib", road_delivery());
  road.erase(opened.message.seq);
  Rehearsal r;
  auto rows = road.recall();
  walk(rows, [&](const Step& s) { r.add(road.deciders, s, rules_test::profiles()); });
  EXPECT_EQ(r.to_json()["nietHerleidbaar"], (Json{{"ERASED", 1}, {"CASE_INCOMPLETE", 1}}));
  Rehearsal none;
  RealRoad whole;
  whole.open();
  auto all = whole.recall();
  walk(all, [&](const Step& s) { none.add(whole.deciders, s, {}); });
  EXPECT_EQ(none.to_json()["nietHerleidbaar"], (Json{{"REGION_ABSENT", 1}}));
}

TEST(InForce, TheConfigurationOfAnInstant) {
  RealRoad road;
  RuleStore rules(*road.store);
  auto at = [](const char* t) { return parse_instant(t).value(); };
  Profiles one{{"KNH", rules_test::profiles().at("KNH")}}, two{{"KNH", strict()}};
  ASSERT_TRUE(run_now(rules.in_force_now(one, test::road_parties(), at("2026-01-01T00:00:00Z"))));
  ASSERT_TRUE(run_now(rules.in_force_now(one, test::road_parties(), at("2026-02-01T00:00:00Z"))));
  ASSERT_TRUE(run_now(rules.in_force_now(two, Json(), at("2026-03-01T00:00:00Z"))));
  EXPECT_FALSE(run_now(rules.in_force_at(at("2025-12-31T23:59:59Z"))).value());
  auto first = run_now(rules.in_force_at(at("2026-02-15T00:00:00Z"))).value();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->since, at("2026-01-01T00:00:00Z"));
  EXPECT_EQ(first->regions.at("KNH"), one["KNH"]->version());
  EXPECT_EQ(run_now(rules.parties(first->parties)).value(), test::road_parties());
  auto second = run_now(rules.in_force_at(at("2026-03-01T00:00:00Z"))).value();
  EXPECT_EQ(second->regions.at("KNH"), two["KNH"]->version());
  EXPECT_EQ(second->parties, "");
}

TEST(InForce, ARowThatOtherHandsChangedIsAnErrorAndNoException) {
  auto at = parse_instant("2026-01-01T00:00:00Z").value();
  const std::string good = R"({"regions":{"KNH":"KNH-1"},"parties":""})", key = "00000000000000000001";
  for (const auto& [row, value] :
       {std::pair{key, std::string("{")}, std::pair{key, std::string("[]")}, std::pair{key, std::string("{}")},
        std::pair{key, std::string(R"({"regions":[],"parties":""})")},
        std::pair{key, std::string(R"({"regions":{"KNH":1},"parties":""})")},
        std::pair{key, std::string(R"({"regions":{},"parties":2})")}, std::pair{std::string("0000000/"), good}}) {
    RealRoad road;
    RuleStore rules(*road.store);
    store::Transaction tx;
    tx.ops.push_back(store::PutRow{std::string(kInForceSpace), row, to_bytes(value), std::nullopt});
    ASSERT_TRUE(run_now(road.store->commit(std::move(tx))));
    auto read = run_now(rules.in_force_at(at));
    ASSERT_FALSE(read) << row << value;
    EXPECT_EQ(read.error().code, "STORE_CORRUPT_ROW") << row << value;
  }
}

}  // namespace
}  // namespace schakel::pipeline
