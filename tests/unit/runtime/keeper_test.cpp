// A loop that ends by an exception is run again; one that is stopped is not.
#include "core/runtime/keeper.hpp"

#include <gtest/gtest.h>

#include <boost/asio/this_coro.hpp>
#include <stdexcept>

#include "core/runtime/wake.hpp"
#include "tests/support/run_now.hpp"

namespace schakel::runtime {
namespace {
namespace asio = boost::asio;
using namespace std::chrono_literals;
using test::run_now;

bool says(const MetricsRegistry& metrics, const std::string& line) {
  return metrics.text().find(line + "\n") != std::string::npos;
}

/// Rings at each run, throws up to `bad` of them, and goes on from then.
Task<> stumbling(Scope& scope, Bell& began, int& runs, int bad) {
  began.ring();
  if (++runs <= bad) throw std::runtime_error("broken");
  for (;;) {
    const bool on = co_await scope.pause(1h);
    if (!on) co_return;
  }
}

Task<bool> twice_scenario(Keeper& keeper, int& runs) {
  const auto executor = co_await asio::this_coro::executor;
  Scope scope(executor);
  Bell began;
  keeper.keep(scope, "test", [&] { return stumbling(scope, began, runs, 2); });
  while (runs < 3) {
    const bool rang = co_await began.wait(30s);
    if (!rang) co_return false;
  }
  EXPECT_TRUE(keeper.whole());
  EXPECT_TRUE(keeper.runs("test"));
  const bool ended = co_await scope.close(10s, 10s);
  co_return ended;
}
TEST(Keeper, ALoopThatThrowsTwiceIsRunAThirdTimeAndCounted) {
  MetricsRegistry metrics;
  Keeper keeper(metrics, {1ms, 2ms});
  int runs = 0;
  EXPECT_TRUE(run_now(twice_scenario(keeper, runs)));
  EXPECT_EQ(runs, 3);
  EXPECT_TRUE(says(metrics, "schakel_loop_restarts_total{loop=\"test\"} 2")) << metrics.text();
}

Task<bool> down_scenario(Keeper& keeper, int& bad, int& good) {
  const auto executor = co_await asio::this_coro::executor;
  Scope scope(executor);
  Bell began;
  keeper.keep(scope, "bad", [&] { return stumbling(scope, began, bad, 1'000'000); });
  keeper.keep(scope, "good", [&] { return stumbling(scope, began, good, 0); });
  // A loop that throws is down before anybody else runs on this executor.
  while (bad == 0 || good == 0) {
    const bool rang = co_await began.wait(30s);
    if (!rang) co_return false;
  }
  EXPECT_FALSE(keeper.whole());
  EXPECT_FALSE(keeper.runs("bad"));
  EXPECT_TRUE(keeper.runs("good"));
  const bool ended = co_await scope.close(10s, 10s);
  co_return ended;
}
TEST(Keeper, ALoopThatStandsStillIsNamedAndEndsWithItsScopeAtOnce) {
  MetricsRegistry metrics;
  Keeper keeper(metrics, {1h, 1h});
  int bad = 0;
  int good = 0;
  EXPECT_TRUE(run_now(down_scenario(keeper, bad, good)));
  EXPECT_EQ(bad, 1);
  EXPECT_EQ(good, 1);
  EXPECT_TRUE(says(metrics, "schakel_loop_restarts_total{loop=\"bad\"} 1")) << metrics.text();
  EXPECT_TRUE(says(metrics, "schakel_loop_restarts_total{loop=\"good\"} 0")) << metrics.text();
}

Task<> deaf_to_stopping(Bell& began, int& runs) {
  ++runs;
  began.ring();
  co_await sleep_for(1h);
}
Task<bool> cancel_scenario(Keeper& keeper, int& runs) {
  const auto executor = co_await asio::this_coro::executor;
  Scope scope(executor);
  Bell began;
  keeper.keep(scope, "test", [&] { return deaf_to_stopping(began, runs); });
  const bool rang = co_await began.wait(30s);
  if (!rang) co_return false;
  const bool ended = co_await scope.close(1ms, 10s);
  co_return ended;
}
TEST(Keeper, ALoopThatIsCancelledDidNotFail) {
  MetricsRegistry metrics;
  Keeper keeper(metrics, {1ms, 2ms});
  int runs = 0;
  EXPECT_TRUE(run_now(cancel_scenario(keeper, runs)));
  EXPECT_EQ(runs, 1);
  EXPECT_TRUE(says(metrics, "schakel_loop_restarts_total{loop=\"test\"} 0")) << metrics.text();
  EXPECT_TRUE(keeper.whole());
}

}  // namespace
}  // namespace schakel::runtime
