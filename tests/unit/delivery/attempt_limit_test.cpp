// One attempt has the time of its instance and no more; what is cut has an unknown outcome and is made again with the
// same key, or waits for a person where the partner does not recognise a repeat.
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/delivery/attempt.hpp"
#include "core/outbox/delivery_row.hpp"
#include "core/outbox/dispatcher.hpp"
#include "tests/unit/delivery/delivery_road.hpp"

namespace schakel {
namespace {
using test::run_now;

/// Answers after its own time, which is that of a slow line.
struct SlowPartner final : Adapter {
  milliseconds takes{0};
  std::vector<std::pair<std::string, int>> begun;
  int ended = 0;
  Task<Result<void>> start(Host&) override { co_return Result<void>{}; }
  Task<AttemptResult> send(const Delivery& d) override {
    begun.emplace_back(d.id, d.attempt);
    auto executor = co_await boost::asio::this_coro::executor;
    boost::asio::steady_timer line(executor, takes);
    co_await line.async_wait(boost::asio::use_awaitable);
    ++ended;
    co_return AttemptResult{Verdict::delivered, "HTTP_200", std::nullopt, Json::object()};
  }
};

struct AttemptLimit : ::testing::Test, test::DeliveryRoad {
  SlowPartner partner;

  void instance(milliseconds limit, bool repeatable) {
    delivery::Instance one;
    one.name = "slow";
    one.plugin = "slow";
    one.adapter = &partner;
    one.repeatable = repeatable;
    one.deadline = limit;
    delivering.add(std::move(one));
    outbox::Planned p;
    p.id = "A-1";
    p.kind = "message";
    p.target = "slow";
    p.role = "gemeente_registratie";
    store::Transaction tx;
    ASSERT_TRUE(run_now(outbox::enqueue(journal.sealer(), p, {0, "m-1", "Z-1", "KNH", "case:Z-1"}, clock.now(), tx)));
    ASSERT_TRUE(run_now(store->commit(std::move(tx))));
  }
  store::DeliveryRow row() { return run_now(store->delivery("A-1")).value().value(); }
};

TEST_F(AttemptLimit, WhatIsDoneInTimeIsDelivered) {
  partner.takes = milliseconds(1);
  instance(std::chrono::seconds(60), true);
  ASSERT_EQ(run_now(dispatcher.step()), 1);
  EXPECT_EQ(row().state, store::DeliveryState::delivered);
}

TEST_F(AttemptLimit, WhatTakesLongerIsCutAndMadeAgainUnderTheSameKey) {
  partner.takes = std::chrono::hours(1);
  instance(milliseconds(20), true);
  ASSERT_EQ(run_now(dispatcher.step()), 1);
  EXPECT_EQ(row().state, store::DeliveryState::pending);
  EXPECT_EQ(row().code, "ADAPTER_TIMEOUT");
  EXPECT_EQ(run_now(store->attempts("A-1"))->front().verdict, "unknown");
  EXPECT_EQ(partner.ended, 0) << "cut, not left running beside the next attempt";
  partner.takes = milliseconds(1);
  clock.advance(std::chrono::hours(1));
  ASSERT_EQ(run_now(dispatcher.step()), 1);
  EXPECT_EQ(row().state, store::DeliveryState::delivered);
  EXPECT_EQ(partner.begun, (std::vector<std::pair<std::string, int>>{{"A-1", 1}, {"A-1", 2}}));
}

TEST_F(AttemptLimit, WhereARepeatIsNotRecognisedItWaitsForAPerson) {
  partner.takes = std::chrono::hours(1);
  instance(milliseconds(20), false);
  ASSERT_EQ(run_now(dispatcher.step()), 1);
  EXPECT_EQ(row().state, store::DeliveryState::parked);
  EXPECT_EQ(row().code, "ADAPTER_TIMEOUT");
}

/// The limit is of one process: an attempt that its end cut off is found at the start, however long it was allowed.
TEST_F(AttemptLimit, ALongAttemptThatOurOwnEndCutIsFoundAtTheStart) {
  instance(std::chrono::hours(1), true);
  ASSERT_TRUE(run_now(store->commit({{store::StartAttempt{"A-1", 0, clock.now()}}})));
  outbox::Dispatcher next{*store, delivering, clock, outbox::DispatcherOptions{}};
  ASSERT_EQ(run_now(next.recover()), 1);
  EXPECT_EQ(row().state, store::DeliveryState::pending);
  EXPECT_EQ(row().code, "PROCESS_ENDED");
  ASSERT_EQ(run_now(next.step()), 1) << "at once: nothing leases it";
  EXPECT_EQ(partner.begun.back().second, 2);
}

}  // namespace
}  // namespace schakel
