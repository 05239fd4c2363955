#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <csignal>
#include <cstdlib>
#include <future>
#include <latch>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "core/runtime/blocking_pool.hpp"
#include "core/runtime/deadline.hpp"
#include "core/runtime/metrics.hpp"
#include "core/runtime/scope.hpp"
#include "core/runtime/service_manager.hpp"
#include "core/runtime/shards.hpp"
#include "core/runtime/stop_signal.hpp"
#include "tests/support/run_now.hpp"
#include "tests/support/temp_folder.hpp"

namespace schakel::runtime {
namespace {
namespace asio = boost::asio;
using namespace std::chrono_literals;
using test::run_now;

Task<int> number(int n) { co_return n; }
Task<int> number_after(int n, milliseconds t) {
  co_await sleep_for(t);
  co_return n;
}
Task<Result<int>> result_of(Result<int> r) { co_return r; }
Task<int> throws() {
  throw std::logic_error("broken");
  co_return 0;
}
Task<Result<int>> error_when_cancelled(bool& cancelled) {
  try {
    co_await sleep_for(1h);
  } catch (const boost::system::system_error&) {
    cancelled = true;
  }
  co_return fail(ErrorKind::io, "NET_ABORTED", "was cancelled");
}

TEST(Deadline, ValueInTimeIsReturned) {
  EXPECT_EQ(run_now(with_deadline(number(7), 10s)), 7);
  EXPECT_EQ(run_now(with_deadline(number_after(7, 1ms), 10s)), 7);
}

TEST(Deadline, WorkThatHangsBecomesTimeoutAndHasEnded) {
  bool cancelled = false;
  const auto r = run_now(with_deadline(error_when_cancelled(cancelled), 5ms));
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, "TIMEOUT");
  EXPECT_EQ(r.error().kind, ErrorKind::timeout);
  EXPECT_TRUE(cancelled);
  const auto plain = run_now(with_deadline(number_after(1, 1h), 5ms));
  ASSERT_FALSE(plain);
  EXPECT_EQ(plain.error().code, "TIMEOUT");
  const auto nothing = run_now(with_deadline(sleep_for(1h), 5ms));
  ASSERT_FALSE(nothing);
}

TEST(Deadline, OwnErrorInTimeIsNotRewritten) {
  const auto r = run_now(with_deadline(result_of(fail(ErrorKind::conflict, "OTHER", "x")), 10s));
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, "OTHER");
}

TEST(Deadline, ExceptionOfTheWorkPassesThrough) {
  EXPECT_THROW((void)run_now(with_deadline(throws(), 10s)), std::logic_error);
}

Task<int> nested() {
  const auto inner = co_await with_deadline(number_after(1, 1h), 1h);
  co_return inner.value_or(-1);
}
TEST(Deadline, OuterLimitReachesThroughAnInnerOne) {
  const auto r = run_now(with_deadline(nested(), 5ms));
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, "TIMEOUT");
}

Task<> loop_until_stopped(Scope& scope, int& rounds) {
  for (;;) {
    ++rounds;
    const bool go_on = co_await scope.pause(1h);
    if (!go_on) co_return;
  }
}
Task<> hang(bool& cancelled) {
  try {
    co_await sleep_for(1h);
  } catch (const boost::system::system_error&) {
    cancelled = true;
    throw;
  }
}
Task<> deaf(asio::steady_timer& forever) {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await forever.async_wait(asio::use_awaitable);
}
Task<> failing() {
  throw std::runtime_error("x");
  co_return;
}

Task<bool> soft_scenario(int& rounds) {
  const auto executor = co_await asio::this_coro::executor;
  Scope scope(executor);
  scope.spawn(loop_until_stopped(scope, rounds), "loop");
  co_await sleep_for(1ms);
  const bool ended = co_await scope.close(10s, 0ms);
  co_return ended;
}
TEST(Scope, SoftStopEndsLoopsInTheirPauseWithoutCancelling) {
  int rounds = 0;
  EXPECT_TRUE(run_now(soft_scenario(rounds)));
  EXPECT_EQ(rounds, 1);
}

Task<bool> hard_scenario(bool& cancelled) {
  const auto executor = co_await asio::this_coro::executor;
  Scope scope(executor);
  scope.spawn(hang(cancelled), "hang");
  co_await sleep_for(1ms);
  EXPECT_EQ(scope.size(), 1U);
  const bool ended = co_await scope.close(5ms, 10s);
  co_return ended;
}
TEST(Scope, TaskThatDoesNotStopIsCancelledAfterTheSoftLimit) {
  bool cancelled = false;
  EXPECT_TRUE(run_now(hard_scenario(cancelled)));
  EXPECT_TRUE(cancelled);
}

Task<bool> deaf_scenario() {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer forever(executor, 1h);
  Scope scope(executor);
  scope.spawn(deaf(forever), "deaf");
  co_await sleep_for(1ms);
  const bool ended = co_await scope.close(1ms, 5ms);
  forever.cancel();
  co_await sleep_for(1ms);
  co_return ended;
}
TEST(Scope, TaskThatIgnoresCancellationIsReportedNotWaitedForForever) { EXPECT_FALSE(run_now(deaf_scenario())); }

Task<std::size_t> failing_scenario(int& rounds) {
  const auto executor = co_await asio::this_coro::executor;
  Scope scope(executor);
  scope.spawn(failing(), "failing");
  scope.spawn(loop_until_stopped(scope, rounds), "loop");
  co_await sleep_for(2ms);
  const std::size_t left = scope.size();
  const bool ended = co_await scope.close(1s, 1s);
  EXPECT_TRUE(ended);
  scope.spawn(loop_until_stopped(scope, rounds), "late");
  EXPECT_EQ(scope.size(), 0U);
  co_return left;
}
TEST(Scope, FailureOfOneTaskLeavesTheOthersAndNothingStartsAfterClose) {
  int rounds = 0;
  EXPECT_EQ(run_now(failing_scenario(rounds)), 1U);
  EXPECT_EQ(rounds, 1);
}

Task<> tell_thread(std::promise<std::thread::id>& out) {
  out.set_value(std::this_thread::get_id());
  co_return;
}
Task<> shard_loop(Shards& shards, std::atomic<int>& rounds, std::latch& started) {
  started.count_down();
  for (;;) {
    const bool go_on = co_await shards.pause(1h);
    if (!go_on) break;
  }
  ++rounds;
}

TEST(Shards, EachShardHasItsOwnThreadAndStopEndsItsLoops) {
  Shards shards(3);
  shards.start();
  std::set<std::thread::id> seen;
  for (unsigned i = 0; i < shards.size(); ++i) {
    std::promise<std::thread::id> id;
    shards.spawn(i, tell_thread(id), "tell");
    seen.insert(id.get_future().get());
  }
  EXPECT_EQ(seen.size(), 3U);
  EXPECT_FALSE(seen.contains(std::this_thread::get_id()));
  std::atomic<int> ended = 0;
  std::latch started(3);
  for (unsigned i = 0; i < shards.size(); ++i) shards.spawn(i, shard_loop(shards, ended, started), "loop");
  started.wait();
  EXPECT_TRUE(shards.stop(10s, 10s));
  EXPECT_EQ(ended, 3);
  EXPECT_TRUE(shards.stop(1ms, 1ms)) << "a second stop is harmless";
}

TEST(Shards, UsableCoresIsAtLeastOne) { EXPECT_GE(usable_cores(), 1U); }

Task<std::pair<Result<std::thread::id>, bool>> pool_scenario(BlockingPool& pool) {
  const auto before = std::this_thread::get_id();
  auto id = co_await pool.run([] { return std::this_thread::get_id(); });
  co_return std::pair{id, before == std::this_thread::get_id()};
}
TEST(BlockingPool, WorkRunsOnAnotherThreadAndTheCallerResumesOnItsOwn) {
  BlockingPool pool(2, 10);
  const auto [id, same] = run_now(pool_scenario(pool));
  ASSERT_TRUE(id);
  EXPECT_NE(*id, std::this_thread::get_id());
  EXPECT_TRUE(same);
}

Task<> use(BlockingPool& pool, std::promise<void>& go, std::atomic<bool>& begun, std::string& code) {
  auto r = co_await pool.run([&] {
    begun = true;
    go.get_future().get();
  });
  code = r ? "OK" : r.error().code;
}
Task<std::string> full_scenario(BlockingPool& pool, std::promise<void>& go) {
  const auto executor = co_await asio::this_coro::executor;
  Scope scope(executor);
  std::string first;
  std::string second;
  std::atomic<bool> first_begun = false;
  std::atomic<bool> second_begun = false;
  std::promise<void> second_go;
  second_go.set_value();
  scope.spawn(use(pool, go, first_begun, first), "first");
  while (!first_begun) co_await sleep_for(1ms);
  scope.spawn(use(pool, second_go, second_begun, second), "second");
  while (pool.queued() == 0) co_await sleep_for(1ms);
  auto third = co_await pool.run([] {});
  EXPECT_FALSE(third);
  const std::string code = third ? "" : third.error().code;
  go.set_value();
  const bool ended = co_await scope.close(10s, 1s);
  EXPECT_TRUE(ended);
  EXPECT_EQ(first, "OK");
  EXPECT_EQ(second, "OK");
  co_return code;
}
TEST(BlockingPool, FullQueueRefusesAtOnceInsteadOfGrowing) {
  BlockingPool pool(1, 1);
  std::promise<void> go;
  EXPECT_EQ(run_now(full_scenario(pool, go)), "POOL_FULL");
}

Task<int> pool_throws(BlockingPool& pool) {
  auto r = co_await pool.run([]() -> int { throw std::logic_error("x"); });
  co_return r.value_or(0);
}
Task<Result<void>> pool_void(BlockingPool& pool, int& n) {
  auto r = co_await pool.run([&n] { n = 5; });
  co_return r;
}
TEST(BlockingPool, ExceptionReachesTheCallerAndStoppedPoolRefuses) {
  BlockingPool pool(1, 4);
  EXPECT_THROW((void)run_now(pool_throws(pool)), std::logic_error);
  int n = 0;
  EXPECT_TRUE(run_now(pool_void(pool, n)));
  EXPECT_EQ(n, 5);
  pool.stop();
  const auto r = run_now(pool_void(pool, n));
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, "POOL_FULL");
}

Task<Result<int>> slow_pool(BlockingPool& pool, std::promise<void>& go, std::atomic<bool>& ended) {
  auto r = co_await pool.run([&] {
    go.get_future().wait_for(50ms);
    ended = true;
    return 3;
  });
  co_return r;
}
TEST(BlockingPool, CancelledCallerStillWaitsSoThatTheWorkNeverOutlivesItsFrame) {
  BlockingPool pool(1, 4);
  std::promise<void> go;
  std::atomic<bool> ended = false;
  const auto r = run_now(with_deadline(slow_pool(pool, go, ended), 1ms));
  EXPECT_TRUE(ended);
  EXPECT_EQ(r.value_or(0), 3) << "a value that was ready in spite of the limit is kept";
}

TEST(StopSignal, SignalAndRequestBothEndTheWait) {
  {
    StopSignal stop;
    std::raise(SIGTERM);
    EXPECT_EQ(stop.wait(), SIGTERM);
  }
  StopSignal stop;
  stop.request();
  EXPECT_EQ(stop.wait(), 0);
}

TEST(StopSignal, HangupIsACallAndEndsNothing) {
  StopSignal stop;
  int calls = 0;
  stop.on_hangup([&] {
    if (++calls == 2)
      stop.request();
    else
      std::raise(SIGHUP);
  });
  std::raise(SIGHUP);
  EXPECT_EQ(stop.wait(), 0);
  EXPECT_EQ(calls, 2);
}

TEST(Metrics, TotalFollowsACounterThatIsKeptElsewhereAndNeverGoesBack) {
  MetricsRegistry metrics;
  auto has = [&](const std::string& line) { return metrics.text().find(line + "\n") != std::string::npos; };
  metrics.total("schakel_x_total", {{"server", "api"}}, 5);
  EXPECT_TRUE(has("schakel_x_total{server=\"api\"} 5")) << metrics.text();
  metrics.total("schakel_x_total", {{"server", "api"}}, 7);
  metrics.total("schakel_x_total", {{"server", "api"}}, 3);
  EXPECT_TRUE(has("schakel_x_total{server=\"api\"} 7")) << metrics.text();
  EXPECT_TRUE(has("# TYPE schakel_x_total counter")) << metrics.text();
  metrics.count("schakel_x_total", {{"server", "po\"rt\nal"}});
  EXPECT_EQ(metrics.text().find("po\"rt\n"), std::string::npos) << "a label cannot break its line";
}

/// A service manager that listens.
class Manager {
 public:
  explicit Manager(std::string_view path) : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::ranges::copy(path, address.sun_path);
    if (path[0] == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), size), 0);
    ::setenv("NOTIFY_SOCKET", std::string(path).c_str(), 1);
  }
  ~Manager() {
    ::unsetenv("NOTIFY_SOCKET");
    ::close(fd_);
  }
  [[nodiscard]] std::string heard() const {
    char text[64];
    const auto n = ::recv(fd_, text, sizeof text, MSG_DONTWAIT);
    return n < 0 ? "nothing" : std::string(text, static_cast<std::size_t>(n));
  }

 private:
  int fd_;
};

TEST(ServiceManager, HearsStatesOnAFileAndInTheAbstractNamespace) {
  const test::TempFolder folder;
  for (const auto& path : {folder.file("notify"), "@schakel-test-" + to_hex(random_bytes(8))}) {
    const Manager manager(path);
    EXPECT_TRUE(tell_service_manager("READY=1"));
    EXPECT_TRUE(tell_service_manager("WATCHDOG=1"));
    EXPECT_EQ(manager.heard(), "READY=1");
    EXPECT_EQ(manager.heard(), "WATCHDOG=1");
    EXPECT_EQ(manager.heard(), "nothing");
  }
}

TEST(ServiceManager, WhereNoneListensNothingIsSaid) {
  EXPECT_FALSE(tell_service_manager("READY=1"));
  const test::TempFolder folder;
  for (const auto& path :
       {std::string(), std::string("relative"), std::string("/"), folder.file("nobody"), "/" + std::string(200, 'x')}) {
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    EXPECT_FALSE(tell_service_manager("READY=1")) << path;
  }
  ::unsetenv("NOTIFY_SOCKET");
}

TEST(ServiceManager, WatchdogIsFedAtHalfItsTime) {
  EXPECT_EQ(watchdog_interval(), std::nullopt);
  for (const auto& [text, want] : {std::pair("30000000", std::optional(milliseconds(15000))),
                                   {"3000", milliseconds(1)},
                                   {"0", std::nullopt},
                                   {"-5000", std::nullopt},
                                   {"5s", std::nullopt},
                                   {"", std::nullopt},
                                   {"99999999999999999999", std::nullopt}}) {
    ::setenv("WATCHDOG_USEC", text, 1);
    EXPECT_EQ(watchdog_interval(), want) << text;
  }
  ::unsetenv("WATCHDOG_USEC");
}

TEST(RunNow, HangBecomesAFailure) { EXPECT_THROW(run_now(sleep_for(1h), std::chrono::seconds(0)), std::runtime_error); }

}  // namespace
}  // namespace schakel::runtime
