// A meeting that moves or is cancelled, with the rules of a region: its deadlines, reminders and links go along.
#include <gtest/gtest.h>

#include "core/base/calendar.hpp"
#include "core/pipeline/pipeline.hpp"
#include "core/pipeline/timers.hpp"
#include "core/store/sqlite/sqlite_store.hpp"
#include "tests/scenarios/deciders.hpp"
#include "tests/support/run_now.hpp"
#include "tests/unit/pipeline/road_parts.hpp"

namespace schakel::pipeline {
namespace {
using test::run_now;

class Nobody final : public Directory {
 public:
  std::vector<Json> moved;
  Task<Result<std::vector<outbox::Contact>>> contacts(std::string) override {
    co_return std::vector<outbox::Contact>{{"s1", "school_ib", "s@example.org", "sms:+31600000001"}};
  }
  Task<Result<void>> extend(const Message&, const Draft& draft, store::Transaction&) override {
    for (const Effect& e : draft.effects)
      if (e.what == "meeting" && e.value.contains("moved_from")) moved.push_back(e.value);
    co_return Result<void>{};
  }
};

struct MeetingRoad : ::testing::Test {
  ManualClock clock{parse_instant("2026-09-01T08:00:00Z").value()};
  std::unique_ptr<store::SqliteStore> store = store::SqliteStore::open(":memory:", clock).value();
  test::OpenSealer sealer;
  journal::Journal journal{*store, sealer, clock, Secret("k")};
  Nobody people;
  std::shared_ptr<const Parties> parties =
      std::make_shared<Parties>(Parties::read({{"parties", Json::array()}}).value());
  Pipeline pipeline{journal, scenario::test_deciders(),
                    load_profiles(std::string(SCHAKEL_SOURCE_DIR) + "/config").value(), parties, people};
  TimerLoop timers{journal};
  int count = 0;

  Draft send(const std::string& type, const std::string& role, Json payload) {
    Message m;
    m.id = std::to_string(++count);
    m.source = "s";
    m.type = type;
    m.subject = "Z-1";
    m.region = "KNH";
    m.party = "p";
    m.sender_role = role;
    m.payload = std::move(payload);
    m.time = clock.now();
    auto accepted = run_now(journal.accept(std::move(m))).value();
    EXPECT_TRUE(run_now(pipeline.step()));
    return run_now(journal.decision(accepted.seq)).value()->draft;
  }
  void open_case() {
    Json consents = Json::array();
    for (const char* giver : {"ouder_1", "ouder_2"})
      consents.push_back({{"id", giver},
                          {"giver", giver},
                          {"purpose", "documents"},
                          {"doc_types", {"*"}},
                          {"roles", {"*"}},
                          {"valid_from", "2026-08-01T00:00:00Z"}});
    send("zaak_opening", "broker",
         {{"pupil", {{"birth_date", "2017-03-02"}, {"school_type", "PO"}}},
          {"case",
           {{"question_kind", "onderwijs_zorg"}, {"wijkteam_involved", true}, {"custody", {"ouder_1", "ouder_2"}}}},
          {"consents", consents},
          {"documents", {{{"doc_type", "groeidocument"}, {"status", "compleet"}}}}});
  }
  CaseFile file() { return run_now(journal.load("Z-1")).value(); }
  std::string date(const std::string& name) {
    for (const Deadline& d : file().deadlines)
      if (d.name == name) return d.state == "cancelled" ? "cancelled" : d.date;
    return "none";
  }
  std::vector<store::TimerRow> due(const char* at) {
    return run_now(store->due_timers(parse_instant(at).value(), 100)).value();
  }
  std::vector<Message> signals() {
    std::vector<Message> out;
    for (auto& row : run_now(store->messages({.case_id = "Z-1",
                                              .party = "schakel",
                                              .type = "termijnsignaal",
                                              .outcome = "",
                                              .after = 0,
                                              .limit = 50,
                                              .with_sealed = true}))
                         .value())
      out.push_back(run_now(journal.read(std::move(row))).value());
    return out;
  }
};

TEST_F(MeetingRoad, MovingTakesDeadlinesRemindersAndDeliveriesAlong) {
  open_case();
  send("uitnodiging", "school_ib", {{"meeting", "OT"}, {"at", "2026-10-15T08:00:00Z"}});
  EXPECT_EQ(date("documents_due:procesregisseur"), "2026-09-17");
  EXPECT_EQ(date("besluit_due"), "2026-10-29");
  auto delivered = send("documentlevering", "school_ib", {{"meeting", "OT"}, {"documents", {"groeidocument"}}});
  ASSERT_EQ(delivered.outcome, Outcome::delivered);
  send("uitnodiging", "school_ib", {{"meeting", "ot"}, {"at", "2026-11-05T09:00:00Z"}});
  EXPECT_EQ(date("documents_due:procesregisseur"), "2026-10-08");
  EXPECT_EQ(date("besluit_due"), "2026-11-19");
  // The reminder of the old date is gone: it was 10 September.
  EXPECT_TRUE(due("2026-09-20T12:00:00Z").empty());
  // The documents are there already and go along: nobody is asked for them again, only for the decision.
  EXPECT_TRUE(due("2026-10-02T12:00:00Z").empty());
  EXPECT_FALSE(due("2026-11-16T12:00:00Z").empty());
  // What was sent for it is named, for its links; the case file judges an opening by the new date.
  ASSERT_EQ(people.moved.size(), 1u);
  EXPECT_EQ(people.moved[0]["moved_from"], "2026-10-15T08:00:00.000Z");
  EXPECT_EQ(people.moved[0]["messages"], Json({"3"}));
  for (const PastMessage& m : file().messages)
    if (m.id == "3") {
      EXPECT_EQ(m.meeting->at, parse_instant("2026-11-05T09:00:00Z").value());
    }
  // A meeting of another kind takes nothing of this one along.
  send("uitnodiging", "school_ib", {{"meeting", "cto"}, {"at", "2026-12-10T09:00:00Z"}});
  EXPECT_EQ(people.moved.size(), 1u);
}

TEST_F(MeetingRoad, CancellingEndsThem) {
  open_case();
  send("uitnodiging", "school_ib", {{"meeting", "OT"}, {"at", "2026-10-15T08:00:00Z"}});
  send("documentlevering", "school_ib", {{"meeting", "OT"}, {"documents", {"groeidocument"}}});
  clock.set(parse_instant("2026-09-08T08:00:00Z").value());
  auto d = send("uitnodiging", "school_ib", {{"meeting", "OT"}, {"cancelled", true}});
  EXPECT_EQ(d.outcome, Outcome::delivered);
  EXPECT_FALSE(d.recipients.empty()) << "who was invited is told";
  EXPECT_FALSE(file().meeting);
  EXPECT_EQ(date("documents_due:procesregisseur"), "cancelled");
  EXPECT_EQ(date("besluit_due"), "cancelled");
  EXPECT_TRUE(due("2027-01-01T12:00:00Z").empty());
  ASSERT_EQ(people.moved.size(), 1u);
  EXPECT_TRUE(people.moved[0]["at"].is_null());
  // Their links end now (core/app/edges.cpp); the case file keeps the day as that of the meeting.
  for (const PastMessage& m : file().messages)
    if (m.id == "3") {
      EXPECT_EQ(m.meeting->at, clock.now());
    }
  clock.set(parse_instant("2026-09-23T08:00:00Z").value());
  auto late = send("link_geopend", "procesregisseur", {{"delivery", "3"}});
  EXPECT_EQ(late.codes, (std::vector<std::string>{"LINK_EXPIRED"}));
  // Cancelled twice, or cancelled for another kind: nothing more happens.
  send("uitnodiging", "school_ib", {{"meeting", "OT"}, {"cancelled", true}});
  EXPECT_EQ(people.moved.size(), 1u);
  // A new date sets them anew.
  send("uitnodiging", "school_ib", {{"meeting", "OT"}, {"at", "2026-11-05T09:00:00Z"}});
  EXPECT_EQ(date("besluit_due"), "2026-11-19");
}

TEST_F(MeetingRoad, ABlockedInvitationMovesNothing) {
  open_case();
  send("uitnodiging", "school_ib", {{"meeting", "OT"}, {"at", "2026-10-15T08:00:00Z"}});
  Message m;
  auto d = send("uitnodiging", "school_ib", {{"meeting", "onbekend"}, {"at", "2026-12-15T08:00:00Z"}});
  EXPECT_EQ(d.outcome, Outcome::blocked);
  EXPECT_EQ(date("besluit_due"), "2026-10-29");
}

TEST_F(MeetingRoad, TheResponsibleRoleIsToldOncePerPhaseInWorkingHours) {
  open_case();
  send("uitnodiging", "school_ib", {{"meeting", "OT"}, {"at", "2026-10-15T08:00:00Z"}});
  // documents_due:procesregisseur 17 September, reminder 10 September. At night nobody is told; at nine everybody once.
  clock.set(parse_instant("2026-09-10T05:00:00Z").value());
  EXPECT_EQ(run_now(timers.step()).value(), 0);
  // The broker was down at nine; it starts on Saturday evening and waits for Monday.
  clock.set(parse_instant("2026-09-12T18:00:00Z").value());
  EXPECT_EQ(run_now(timers.step()).value(), 0);
  clock.set(parse_instant("2026-09-14T07:00:00Z").value());
  EXPECT_EQ(run_now(timers.step()).value(), 1);
  EXPECT_EQ(run_now(timers.step()).value(), 0);
  ASSERT_TRUE(run_now(pipeline.step()));
  auto told = signals();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].payload["code"], "TIMER_WARN");
  auto decided = run_now(journal.decision(told[0].seq)).value()->draft;
  EXPECT_EQ(decided.outcome, Outcome::delivered);
  ASSERT_EQ(decided.recipients.size(), 1u);
  EXPECT_EQ(decided.recipients[0].role, "school_ib");
  auto deliveries = run_now(store->deliveries({})).value();
  EXPECT_EQ(std::ranges::count(deliveries, told[0].seq, &store::DeliveryRow::message), 1);
  // The day after the last day it is over: said once.
  clock.set(parse_instant("2026-09-18T06:59:00Z").value());
  EXPECT_EQ(run_now(timers.step()).value(), 0);
  clock.set(parse_instant("2026-09-18T07:00:00Z").value());
  EXPECT_EQ(run_now(timers.step()).value(), 1);
  EXPECT_EQ(run_now(timers.step()).value(), 0);
  ASSERT_TRUE(run_now(pipeline.step()));
  EXPECT_EQ(signals().back().payload["code"], "TIMER_BREACH");
}

TEST_F(MeetingRoad, ABreachOnFridayIsToldOnMonday) {
  open_case();
  // besluit_due 30 October 2026, a Friday.
  send("uitnodiging", "school_ib", {{"meeting", "OT"}, {"at", "2026-10-16T08:00:00Z"}});
  EXPECT_EQ(date("besluit_due"), "2026-10-30");
  clock.set(parse_instant("2026-10-30T10:00:00Z").value());
  (void)run_now(timers.step());
  auto before = signals().size();
  clock.set(parse_instant("2026-10-31T10:00:00Z").value());
  EXPECT_EQ(run_now(timers.step()).value(), 0);
  clock.set(parse_instant("2026-11-02T08:00:00Z").value());
  EXPECT_GE(run_now(timers.step()).value(), 1);
  auto after = signals();
  ASSERT_GT(after.size(), before);
  EXPECT_EQ(after.back().payload["timer"], "besluit_due");
  EXPECT_EQ(after.back().payload["responsible"], "procesregisseur");
}

}  // namespace
}  // namespace schakel::pipeline
