// Threads for work that blocks: disk, libcurl, key operations. Never network waits that Asio can do.
#pragma once
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/task.hpp"

namespace schakel::runtime {

/// A fixed number of threads behind a bounded queue.
///
/// Thread: any. Lifetime: outlives every coroutine that awaits run(). stop() finishes what was queued.
class BlockingPool {
 public:
  BlockingPool(unsigned threads, std::size_t queue_limit);
  ~BlockingPool();
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  /// Runs `fn` on a pool thread and resumes the caller on its own executor. POOL_FULL (unavailable) when the queue is
  /// full or the pool stopped; then `fn` never ran. An exception of `fn` is rethrown in the caller. `fn` cannot be
  /// cancelled: the caller always waits for its end, so `fn` may refer to the caller's frame, and must bound its own
  /// time.
  template <class F>
  [[nodiscard]] Task<Result<std::invoke_result_t<F&>>> run(F fn) {
    using R = std::invoke_result_t<F&>;
    struct Outcome {
      std::conditional_t<std::is_void_v<R>, bool, std::optional<R>> value{};
      std::exception_ptr failure;
    } outcome;
    // submit() takes no cancellation: the work refers to this frame, so a cancelled caller still waits here and is told
    // at its next co_await.
    const bool queued = co_await submit([&fn, &outcome] {
      try {
        if constexpr (std::is_void_v<R>) {
          fn();
          outcome.value = true;
        } else {
          outcome.value.emplace(fn());
        }
      } catch (...) {
        outcome.failure = std::current_exception();
      }
    });
    if (!queued) co_return fail(ErrorKind::unavailable, "POOL_FULL", "too much blocking work is waiting");
    if (outcome.failure) std::rethrow_exception(outcome.failure);
    if constexpr (std::is_void_v<R>)
      co_return Result<void>{};
    else
      co_return std::move(*outcome.value);
  }

  [[nodiscard]] std::size_t queued() const;
  /// Refuses new work, runs the queue to its end, joins. Idempotent.
  void stop();

 private:
  [[nodiscard]] Task<bool> submit(std::function<void()> job);
  [[nodiscard]] bool enqueue(std::function<void()>& job);
  void work();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  std::size_t limit_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace schakel::runtime
