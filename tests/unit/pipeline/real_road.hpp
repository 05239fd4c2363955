// Journal and pipeline on a store in memory, with the real deciders and regions; a case can be erased, rules can
// change.
#pragma once
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "core/pipeline/pipeline.hpp"
#include "core/store/sqlite/sqlite_store.hpp"
#include "tests/support/run_now.hpp"
#include "tests/unit/rules/rules_support.hpp"

namespace schakel::test {

/// Bytes as they are, bound to their place; what was erased cannot be opened, as with the vault.
class ErasableSealer final : public journal::Sealer {
 public:
  std::set<std::string> erased;  ///< <case>|<kind>|<id>
  Task<Result<Bytes>> seal(std::string c, std::string k, std::string id, Bytes plain, store::Transaction&) override {
    auto out = to_bytes(c + "|" + k + "|" + id + "\n");
    out.insert(out.end(), plain.begin(), plain.end());
    co_return out;
  }
  Task<Result<Bytes>> open(std::string c, std::string k, std::string id, Bytes sealed) override {
    co_return opened(c, k, id, sealed);
  }
  Task<Result<journal::Opener>> opener(std::string c) override {
    co_return journal::Opener(
        [this, c](std::string_view k, std::string_view id, ByteView sealed) { return opened(c, k, id, sealed); });
  }

 private:
  [[nodiscard]] Result<Bytes> opened(const std::string& c, std::string_view k, std::string_view id,
                                     ByteView sealed) const {
    auto place = fmt::format("{}|{}|{}", c, k, id);
    if (erased.contains(place)) return fail(ErrorKind::not_found, "VAULT_ERASED", "erased");
    auto head = place + "\n";
    if (!as_text(sealed).starts_with(head)) return fail(ErrorKind::io, "VAULT_BROKEN", "moved");
    return Bytes(sealed.begin() + static_cast<std::ptrdiff_t>(head.size()), sealed.end());
  }
};

class NobodyThere final : public pipeline::Directory {
 public:
  Task<Result<std::vector<outbox::Contact>>> contacts(std::string) override {
    co_return std::vector<outbox::Contact>{};
  }
  Task<Result<void>> extend(const Message&, const Draft&, store::Transaction&) override { co_return Result<void>{}; }
};

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
  ErasableSealer sealer;
  journal::Journal journal{*store, sealer, clock, Secret("k")};
  NobodyThere people;
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
