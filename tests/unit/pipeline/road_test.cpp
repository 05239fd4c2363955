// Journal, pipeline and timers on a store in memory, with a decider that does as it is told.
#include <gtest/gtest.h>

#include "core/pipeline/pipeline.hpp"
#include "core/pipeline/timers.hpp"
#include "core/store/sqlite/sqlite_store.hpp"
#include "tests/support/run_now.hpp"
#include "tests/unit/pipeline/road_parts.hpp"

namespace schakel::pipeline {
namespace {
using test::run_now;

class Obedient final : public Decider {
 public:
  [[nodiscard]] std::string_view stage() const override { return "routing"; }
  [[nodiscard]] std::vector<std::string> reads(const CaseFile&, const Message& m, const Profile&) const override {
    return {"seen/" + m.payload.value("key", "")};
  }
  [[nodiscard]] Draft decide(FactView& view, const Facts& facts, Draft d) const override {
    const Message& m = view.message();
    d.effects.push_back({"count", "", static_cast<int>(view.file().messages.size())});
    for (const auto& role : m.addressed_to) d.recipients.push_back({role, {}, "broker", {}, {"TEST-1"}});
    if (m.payload.contains("key")) {
      if (facts.contains("seen/" + m.payload.value("key", ""))) d.outcome = Outcome::dropped_duplicate;
      d.registers.push_back({"seen/" + m.payload.value("key", ""), m.id});
    }
    if (m.payload.contains("due"))
      d.deadlines.push_back(
          {"besluit_due", m.payload["due"], m.payload.value("warn", ""), "R", "target", "school_ib", "set"});
    return d;
  }
};

struct Road : ::testing::Test {
  ManualClock clock{parse_instant("2026-11-20T09:00:00Z").value()};
  std::unique_ptr<store::SqliteStore> store = store::SqliteStore::open(":memory:", clock).value();
  test::OpenSealer sealer;
  journal::Journal journal{*store, sealer, clock, Secret("k")};
  Obedient decider;
  test::NoPeople people;
  std::shared_ptr<const Parties> parties = std::make_shared<Parties>(
      Parties::read({{"parties",
                      {{{"id", "g"},
                        {"name", "G"},
                        {"domain", "care"},
                        {"endpoints", {{{"roles", {"smw"}}, {"regions", {"KNH"}}, {"adapter", "hook"}}}}}}}})
          .value());
  Pipeline pipeline{
      journal, {&decider}, load_profiles(std::string(SCHAKEL_SOURCE_DIR) + "/config").value(), parties, people};

  static Message message(std::string id, Json payload = Json::object(), std::vector<std::string> to = {}) {
    return test::road_message(std::move(id), std::move(payload), std::move(to));
  }
  journal::Accepted accept(Message m) { return run_now(journal.accept(std::move(m))).value(); }
  void decide() { ASSERT_TRUE(run_now(pipeline.step())); }
  std::vector<store::DeliveryRow> deliveries() { return run_now(store->deliveries({})).value(); }
};

TEST_F(Road, DuplicateIsAcknowledgedWithTheFirstAndDecidedOnce) {
  auto first = accept(message("1", Json::object(), {"smw"}));
  decide();
  auto again = accept(message("1", Json::object(), {"smw"}));
  EXPECT_TRUE(again.duplicate);
  EXPECT_EQ(again.seq, first.seq);
  EXPECT_EQ(again.outcome, "delivered");
  decide();
  EXPECT_EQ(deliveries().size(), 1u);
}

TEST_F(Road, SameIdWithOtherContentIsAConflict) {
  accept(message("1"));
  auto other = run_now(journal.accept(message("1", {{"date", "2026-01-01"}})));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, "MESSAGE_CONFLICT");
}

TEST_F(Road, NobodyToReachIsParkedAndVisible) {
  accept(message("1", Json::object(), {"orthopedagoog"}));
  decide();
  auto all = deliveries();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].state, store::DeliveryState::parked);
  EXPECT_EQ(all[0].code, "RECIPIENT_UNKNOWN");
}

TEST_F(Road, APersonOfTheCaseIsReachedBySecureLinkAndAnOrganisationByItsEndpoint) {
  people.list = {{"o1", "orthopedagoog", "o@example.org", "sms:+31600000001"}};
  accept(message("1", Json::object(), {"orthopedagoog", "smw"}));
  decide();
  std::set<std::string> targets;
  for (const auto& d : deliveries()) targets.insert(d.target);
  EXPECT_EQ(targets, (std::set<std::string>{"secure_link", "hook"}));
}

TEST_F(Road, RegistersReachTheNextDecisionAcrossCases) {
  accept(message("1", {{"key", "INV-1"}}));
  auto other = message("2", {{"key", "INV-1"}});
  other.subject = "Z-2";
  auto second = accept(other);
  decide();
  EXPECT_EQ(run_now(journal.decision(second.seq)).value()->draft.outcome, Outcome::dropped_duplicate);
}

TEST_F(Road, CaseFileIsTheSameFoldFromTheCacheAndFromTheStore) {
  for (int i = 0; i < 5; ++i) accept(message(std::to_string(i)));
  decide();
  Pipeline fresh{journal, {&decider}, pipeline.profiles(), parties, people};
  auto a = run_now(pipeline.rehearse(message("x"))).value(), b = run_now(fresh.rehearse(message("x"))).value();
  EXPECT_EQ(a, b);
  EXPECT_EQ(a.effects.at(0).value, 5);
}

TEST_F(Road, UnknownRegionIsQuarantinedAndNothingLeaves) {
  auto m = message("1", Json::object(), {"smw"});
  m.region = "XX";
  auto a = accept(m);
  decide();
  auto d = run_now(journal.decision(a.seq)).value()->draft;
  EXPECT_EQ(d.outcome, Outcome::quarantined);
  EXPECT_EQ(d.codes, (std::vector<std::string>{"REGION_UNKNOWN"}));
}

TEST_F(Road, ADeadlineWarnsAndBreachesOnceEachInOfficeHours) {
  accept(message("1", {{"due", "2026-11-27"}, {"warn", "2026-11-21"}}));  // warns on a Saturday: Monday 09:00
  decide();
  TimerLoop timers(journal);
  EXPECT_EQ(run_now(timers.step()).value(), 0);
  clock.set(parse_instant("2026-11-23T07:59:59Z").value());
  EXPECT_EQ(run_now(timers.step()).value(), 0);
  clock.set(parse_instant("2026-11-23T08:00:00Z").value());
  EXPECT_EQ(run_now(timers.step()).value(), 1);
  EXPECT_EQ(run_now(timers.step()).value(), 0);
  clock.set(parse_instant("2026-12-10T08:00:00Z").value());
  EXPECT_EQ(run_now(timers.step()).value(), 1);
  EXPECT_EQ(run_now(timers.step()).value(), 0);
  auto rows = run_now(store->messages({.case_id = "Z-1",
                                       .party = "schakel",
                                       .type = "termijnsignaal",
                                       .outcome = "",
                                       .after = 0,
                                       .limit = 10,
                                       .with_sealed = true}))
                  .value();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(run_now(journal.read(rows[0])).value().payload.at("code"), "TIMER_WARN");
  EXPECT_EQ(run_now(journal.read(rows[1])).value().payload.at("code"), "TIMER_BREACH");
}

TEST_F(Road, ATimerThatCannotBeReadKeepsNoOtherFromFiring) {
  accept(message("1", {{"due", "2026-11-27"}, {"warn", "2026-11-21"}}));
  decide();
  for (const char* text : {"", "[]", "{}", R"({"name":1,"date":"","warn_date":""})"}) {
    store::Transaction tx;
    store::TimerRow row;
    row.name = std::string("kapot") + text;
    row.case_id = "Z-1";
    row.id = "Z-1/" + row.name;
    row.due = clock.now();
    row.state = "set";
    row.sealed = run_now(sealer.seal("Z-1", "timer", row.id, to_bytes(text), tx)).value();
    tx.ops.push_back(store::SetTimer{std::move(row)});
    ASSERT_TRUE(run_now(store->commit(std::move(tx))));
  }
  clock.set(parse_instant("2026-11-23T08:00:00Z").value());
  TimerLoop timers(journal);
  EXPECT_EQ(run_now(timers.step()).value(), 1) << "the one that is due";
}

TEST_F(Road, SealedBytesThatWereMovedToAnotherMessageAreNotRead) {
  accept(message("1"));
  auto row = *run_now(store->message(1)).value();
  row.id = "2";
  EXPECT_FALSE(run_now(journal.read(row)));
}

}  // namespace
}  // namespace schakel::pipeline
