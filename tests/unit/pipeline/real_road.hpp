// Journal and pipeline on a store in memory, with the real deciders and regions; a case can be erased, rules can
// change.
#pragma once
#include <gtest/gtest.h>

#include <set>

#include "core/pipeline/pipeline.hpp"
#include "core/store/sqlite/sqlite_store.hpp"
#include "tests/support/run_now.hpp"
#include "tests/unit/pipeline/road_parts.hpp"
#include "tests/unit/rules/rules_support.hpp"

namespace schakel::test {

/// A school that opens cases and sends, and three that it is sent to.
inline Json road_parties() {
  auto party = [](std::string id, std::vector<std::string> roles, std::vector<std::string> may) {
    return Json{{"id", id},
                {"name", "Partij " + id},
                {"domain", "care"},
                {"may_send", {{{"roles", may}, {"types", {"*"}}, {"regions", {"*"}}}}},
                {"endpoints", {{{"roles", roles}, {"regions", {"*"}}, {"adapter", "hook"}}}}};
  };
  return {{"parties",
           {party("school", {"school_ib", "school_directeur"},
                  {"school_ib", "school_directeur", "broker", "ouder_1", "ouder_2"}),
            party("ortho", {"orthopedagoog"}, {"orthopedagoog"}),
            party("jhd", {"jeugdhulpdeskundige"}, {"jeugdhulpdeskundige"}), party("vreemd", {"ciz"}, {"ciz"})}}};
}

/// The same profile with one thing changed in its region file.
inline std::shared_ptr<const Profile> changed(const std::shared_ptr<const Profile>& profile,
                                              const std::function<void(Json&)>& change) {
  Json source = profile->source();
  change(source["region"]);
  return Profile::from_source(source).value();
}

struct RealRoad {
  ManualClock clock{parse_instant("2026-11-01T09:00:00Z").value()};
  std::unique_ptr<store::SqliteStore> store = store::SqliteStore::open(":memory:", clock).value();
  OpenSealer sealer;
  journal::Journal journal{*store, sealer, clock, Secret("k")};
  NoPeople people;
  std::shared_ptr<const Parties> parties = std::make_shared<Parties>(Parties::read(road_parties()).value());
  std::vector<const Decider*> deciders = in_order(scenario::test_deciders());
  std::unique_ptr<pipeline::Pipeline> pipeline;
  std::string zaak = "Z-22222222222222AA", region = "KNH";
  int count = 0;

  RealRoad() { start(rules_test::profiles()); }
  /// As after a restart with this configuration.
  void start(Profiles profiles) {
    pipeline = std::make_unique<pipeline::Pipeline>(journal, deciders, std::move(profiles), parties, people);
  }

  journal::Recorded say(const std::string& when, std::string type, std::string from, Json payload = Json::object(),
                        std::vector<std::string> to = {}, std::string party = "school") {
    clock.set(parse_instant(when).value());
    Message m;
    m.id = "bericht-" + std::to_string(++count);
    m.source = "urn:test";
    m.type = std::move(type);
    m.subject = zaak;
    m.region = region;
    m.party = std::move(party);
    m.sender_role = std::move(from);
    m.addressed_to = std::move(to);
    m.payload = std::move(payload);
    auto accepted = run_now(journal.accept(std::move(m)));
    EXPECT_TRUE(accepted) << accepted.error().code;
    auto decided = run_now(pipeline->step());
    EXPECT_TRUE(decided) << (decided ? "" : decided.error().code);
    auto recorded = run_now(journal.decision(accepted->seq)).value();
    EXPECT_TRUE(recorded);
    return std::move(*recorded);
  }
  journal::Recorded open(const Json& payload = rules_test::given()) {
    return say("2026-11-01T09:00:00Z", "zaak_opening", "broker", payload);
  }
  std::vector<journal::Recalled> recall() { return run_now(journal.recall(zaak)).value(); }
  void erase(store::MessageSeq seq) { sealer.erased.insert(zaak + "|decision|" + std::to_string(seq)); }
};

inline const Json& road_delivery() {
  static const Json payload = {{"documents", {"groeidocument", "opp"}}, {"meeting", "OT"}};
  return payload;
}

}  // namespace schakel::test
