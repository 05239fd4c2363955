#include "core/outbox/dispatcher.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "core/store/sqlite/sqlite_store.hpp"
#include "tests/support/run_now.hpp"

namespace schakel::outbox {
namespace {
using namespace std::chrono_literals;
using store::DeliveryState;
using test::run_now;

/// Answers as it was told, and remembers what was sent in which order.
class Scripted final : public Attempter {
 public:
  std::deque<AttemptResult> answers;
  std::vector<std::string> sent;
  bool may_repeat = true, throws = false;

  Task<AttemptResult> attempt(store::DeliveryRow row, int number) override {
    sent.push_back(fmt::format("{}#{}", row.id, number));
    if (on_attempt) on_attempt();
    if (throws) throw std::runtime_error("999990019");
    if (answers.empty()) co_return AttemptResult{Verdict::delivered, "OK", std::nullopt, Json::object()};
    auto a = answers.front();
    answers.pop_front();
    co_return a;
  }
  std::function<void()> on_attempt, on_settlement;
  Task<Result<store::Transaction>> settlement(const store::DeliveryRow&, const AttemptResult&) override {
    if (on_settlement) on_settlement();
    co_return store::Transaction{};
  }
  [[nodiscard]] bool repeatable(std::string_view) const override { return may_repeat; }
};

struct DispatcherTest : ::testing::Test {
  ManualClock clock{parse_instant("2026-11-22T09:00:00Z").value()};
  std::unique_ptr<store::SqliteStore> store = store::SqliteStore::open(":memory:", clock).value();
  Scripted partner;
  Dispatcher dispatcher{*store, partner, clock, {}};

  void add(const std::string& id, const std::string& lane = "case:1|t", const std::string& target = "t") {
    store::DeliveryRow d;
    d.id = id;
    d.lane = lane;
    d.target = target;
    d.kind = "message";
    d.created_at = d.next_at = clock.now();
    d.sealed = {1};
    ASSERT_TRUE(run_now(store->commit({{store::Enqueue{d}}})));
  }
  DeliveryState state(const std::string& id) { return run_now(store->delivery(id)).value()->state; }
  int step() { return run_now(dispatcher.step()).value(); }
  static AttemptResult answer(Verdict v, std::string code = "X") {
    return {v, std::move(code), std::nullopt, Json::object()};
  }
};

TEST_F(DispatcherTest, LaneKeepsItsOrderAndNoLaneWaitsForAnother) {
  add("A1", "case:1|t");
  add("A2", "case:1|t");
  add("B1", "case:2|t");
  partner.answers = {answer(Verdict::retry_later)};
  step();
  EXPECT_EQ(partner.sent, (std::vector<std::string>{"A1#1", "B1#1"}));
  EXPECT_EQ(step(), 0) << "A2 waits for A1, A1 for its time";
  clock.advance(1min);
  while (step() > 0) {
  }
  EXPECT_EQ(partner.sent, (std::vector<std::string>{"A1#1", "B1#1", "A1#2", "A2#1"}));
}

TEST_F(DispatcherTest, EachAttemptIsToldWithItsTargetAndVerdictForTheMetrics) {
  std::vector<std::string> told;
  DispatcherOptions options;
  options.attempted = [&](const std::string& target, std::string_view verdict, milliseconds took) {
    EXPECT_GE(took.count(), 0);
    told.push_back(fmt::format("{} {}", target, verdict));
  };
  Dispatcher counted{*store, partner, clock, std::move(options)};
  add("A1", "case:1|t");
  add("A2", "case:2|t");
  add("B1", "case:1|u", "u");
  partner.answers = {answer(Verdict::retry_later), answer(Verdict::rejected)};
  EXPECT_EQ(run_now(counted.step()).value(), 3);
  EXPECT_EQ(told, (std::vector<std::string>{"t retry_later", "t rejected", "u delivered"}));
}

TEST_F(DispatcherTest, RefusedForGoodIsADeadLetterAtOnceAndTheLaneGoesOn) {
  add("A1");
  add("A2");
  partner.answers = {answer(Verdict::rejected, "HTTP_400")};
  step();
  EXPECT_EQ(state("A1"), DeliveryState::dead);
  step();
  EXPECT_EQ(state("A2"), DeliveryState::delivered);
  EXPECT_EQ(run_now(store->attempts("A1")).value().at(0).code, "HTTP_400");
}

TEST_F(DispatcherTest, UnknownOutcomeIsRepeatedOnlyWhereThePartnerKnowsARepeat) {
  add("A1");
  partner.answers = {answer(Verdict::unknown)};
  step();
  EXPECT_EQ(state("A1"), DeliveryState::pending);
  partner.may_repeat = false;
  partner.answers = {answer(Verdict::unknown)};
  clock.advance(1h);
  step();
  EXPECT_EQ(state("A1"), DeliveryState::parked);
}

TEST_F(DispatcherTest, AnExceptionOfAnAdapterIsAnUnknownOutcomeAndItsTextGoesNowhere) {
  add("A1");
  partner.throws = true;
  partner.may_repeat = false;
  step();
  EXPECT_EQ(state("A1"), DeliveryState::parked);
  EXPECT_EQ(run_now(store->attempts("A1")).value().at(0).code, "ADAPTER_THREW");
}

TEST_F(DispatcherTest, AnAttemptWhoseRowWentOnWithoutItIsInTheLogAllTheSame) {
  add("A1");
  partner.answers = {answer(Verdict::delivered, "MAIL_SENT")};
  partner.on_attempt = [&] {
    EXPECT_TRUE(
        run_now(store->commit({{store::ChangeDelivery{"A1", DeliveryState::attempting, DeliveryState::cancelled,
                                                      clock.now(), "CANCELLED_BY_OPERATOR", std::nullopt, false}}})));
  };
  EXPECT_EQ(step(), 1);
  EXPECT_EQ(state("A1"), DeliveryState::cancelled);
  ASSERT_TRUE(run_now(store->commit({{store::SequenceLeaves{}}})));
  auto leaves = run_now(store->leaves(0, 100)).value();
  ASSERT_EQ(leaves.size(), 1U);
  EXPECT_EQ(leaves[0].kind, "delivery.attempted");
  auto body = Json::parse(leaves[0].body);
  EXPECT_EQ(body["codes"], (Json{"MAIL_SENT", "NOT_SETTLED"}));
  EXPECT_EQ(body["ids"]["verdict"], "delivered");
}

TEST_F(DispatcherTest, TargetThatIsDownForAnHourGetsEverythingAfterwardsOnceEach) {
  for (int i = 0; i < 20; ++i) add(fmt::format("D{:02}", i), fmt::format("case:{}|t", i));
  auto end = clock.now() + 1h;
  while (clock.now() < end) {
    partner.answers.assign(64, answer(Verdict::retry_later, "HTTP_REFUSED"));
    step();
    clock.advance(10s);
  }
  EXPECT_LT(partner.sent.size(), 20u * 8u) << "the breaker keeps attempts away from a target that is down";
  partner.answers.clear();
  partner.sent.clear();
  for (int i = 0; i < 3000; ++i) {
    step();
    clock.advance(30s);
  }
  EXPECT_EQ(partner.sent.size(), 20u);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(state(fmt::format("D{:02}", i)), DeliveryState::delivered);
}

TEST_F(DispatcherTest, AttemptUnderWayAtTheEndOfAProcessIsFoundAndRepeatedWithTheSameKey) {
  add("A1");
  ASSERT_TRUE(run_now(store->commit({{store::StartAttempt{"A1", 0, clock.now()}}})));
  Dispatcher next(*store, partner, clock, {});
  EXPECT_EQ(run_now(next.recover()).value(), 1);
  EXPECT_EQ(run_now(next.step()).value(), 1);
  EXPECT_EQ(partner.sent, (std::vector<std::string>{"A1#2"}));
  EXPECT_EQ(state("A1"), DeliveryState::delivered);
}

TEST_F(DispatcherTest, AttemptsThatOurOwnEndCutOffAreNoFailuresOfTheTarget) {
  add("A1");
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(run_now(store->commit({{store::StartAttempt{"A1", i, clock.now()}}})));
    Dispatcher next(*store, partner, clock, {});
    ASSERT_EQ(run_now(next.recover()).value(), 1);
  }
  partner.answers = {answer(Verdict::retry_later), answer(Verdict::retry_later)};
  clock.advance(48h);
  EXPECT_EQ(step(), 1);
  EXPECT_EQ(state("A1"), DeliveryState::pending) << "one failure is no dead letter, however old it is";
  auto row = run_now(store->delivery("A1")).value();
  EXPECT_LE(row->next_at - clock.now(), 5s) << "the first failure waits as a first failure does";
  clock.advance(5s);
  EXPECT_EQ(step(), 1);
  row = run_now(store->delivery("A1")).value();
  EXPECT_GT(row->next_at - clock.now(), 4s);
  EXPECT_LE(row->next_at - clock.now(), 10s);
}

TEST_F(DispatcherTest, PausedTargetGetsNothingAlsoAfterARestart) {
  add("A1");
  ASSERT_TRUE(run_now(dispatcher.pause("t", true)));
  EXPECT_EQ(step(), 0);
  Dispatcher next(*store, partner, clock, {});
  ASSERT_TRUE(run_now(next.recover()));
  EXPECT_EQ(run_now(next.step()).value(), 0);
  ASSERT_TRUE(run_now(next.pause("t", false)));
  EXPECT_EQ(run_now(next.step()).value(), 1);
}

TEST_F(DispatcherTest, OneDeadTargetDoesNotStopTheOthers) {
  for (int i = 0; i < 10; ++i) add(fmt::format("D{}", i), fmt::format("case:{}|dead", i), "dead");
  partner.answers.assign(10, answer(Verdict::retry_later));
  step();
  partner.answers.clear();
  add("L1", "case:1|live", "live");
  step();
  EXPECT_EQ(state("L1"), DeliveryState::delivered);
}

TEST_F(DispatcherTest, ADeadLetterOnlyAfterEightAttemptsAndADay) {
  add("A1");
  partner.answers.assign(200, answer(Verdict::retry_later));
  for (int i = 0; i < 400 && state("A1") == DeliveryState::pending; ++i) {
    clock.advance(1h);
    step();
  }
  EXPECT_EQ(state("A1"), DeliveryState::dead);
  EXPECT_GE(partner.sent.size(), 8u);
}

/// A store on a disk that the test fills and empties.
struct DispatcherOnAFullDisk : DispatcherTest {
  bool full = false;
  int asked = 0;  ///< once for each batch that the store writes or refuses
  void SetUp() override {
    store::SqliteOptions options;
    options.disk_use = [this] {
      ++asked;
      return Result<store::DiskUse>(store::DiskUse{1ULL << 40, full ? 0 : 1ULL << 39});
    };
    store = store::SqliteStore::open(":memory:", clock, options).value();
  }
  Dispatcher on_disk() {
    DispatcherOptions options;
    options.store_pause = 10ms;
    return {*store, partner, clock, options};
  }
};

TEST_F(DispatcherOnAFullDisk, WhatCameOfAnAttemptIsWrittenDownWhenThereIsRoomAgainHoweverLongThatTakes) {
  add("A1");
  add("A2");
  auto d = on_disk();
  int tries = 0;
  partner.on_attempt = [&] { full = partner.sent.size() == 1; };
  partner.on_settlement = [&] { full = full && ++tries < 20; };
  EXPECT_EQ(run_now(d.step()).value(), 1);
  EXPECT_EQ(tries, 20);
  EXPECT_EQ(state("A1"), DeliveryState::delivered);
  EXPECT_EQ(run_now(d.step()).value(), 1);
  EXPECT_EQ(partner.sent, (std::vector<std::string>{"A1#1", "A2#1"})) << "sent once each, the lane goes on";
}

TEST_F(DispatcherOnAFullDisk, NothingIsSentWhoseStartCannotBeWrittenDown) {
  add("A1");
  auto d = on_disk();
  full = true;
  EXPECT_EQ(run_now(d.step()).value(), 1);
  EXPECT_TRUE(partner.sent.empty());
  EXPECT_EQ(state("A1"), DeliveryState::pending);
  full = false;
  EXPECT_EQ(run_now(d.step()).value(), 1);
  EXPECT_EQ(state("A1"), DeliveryState::delivered);
}

Task<> run_for(Dispatcher& d, milliseconds time) {
  runtime::Scope scope(co_await boost::asio::this_coro::executor);
  scope.spawn(d.run(scope), "test.outbox");
  co_await runtime::sleep_for(time);
  auto ended = co_await scope.close(100ms, 1s);
  EXPECT_TRUE(ended);
}

TEST_F(DispatcherOnAFullDisk, AStoreThatRefusesIsAskedAtTheSpeedOfThePause) {
  for (int i = 0; i < 5; ++i) add(fmt::format("D{}", i), fmt::format("case:{}|t", i));
  auto d = on_disk();
  full = true;
  asked = 0;
  run_now(run_for(d, 300ms));
  EXPECT_GT(asked, 0);
  // Five lanes, one try in 10 ms each at the most; without the pause it is thousands.
  EXPECT_LE(asked, 5 * 31);
  EXPECT_TRUE(partner.sent.empty());
}

}  // namespace
}  // namespace schakel::outbox
