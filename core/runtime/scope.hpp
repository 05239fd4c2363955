// The owner of spawned coroutines: nothing runs detached.
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <memory>
#include <string_view>

#include "core/base/clock.hpp"
#include "core/base/task.hpp"

namespace schakel::runtime {

/// A group of coroutines on one executor that end together: asked softly first, cancelled hard after a limit.
///
/// Thread: that of the executor (one shard), for every member.
/// Lifetime: what a spawned coroutine refers to outlives the scope. The destructor cancels hard what is still there and
/// does not wait; call close() first.
class Scope {
 public:
  explicit Scope(boost::asio::any_io_executor executor);
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  /// Starts `task` and owns it to its end. `name` goes to the log when it fails; static storage. After close() has
  /// begun the task is dropped unstarted. An exception that leaves the task ends that task only and is logged by its
  /// type.
  void spawn(Task<> task, std::string_view name);

  /// True from the moment close() began. Loops ask this between two pieces of work.
  [[nodiscard]] bool stopping() const;
  [[nodiscard]] std::size_t size() const;

  /// Waits; true after the whole time, false at once when the scope is or gets stopping.
  [[nodiscard]] Task<bool> pause(milliseconds time);

  /// Soft: stopping() turns true and every pause() returns false. After `soft`, members still there are cancelled
  /// (terminal: their pending operation fails). Waits at most `hard` more. True when all have ended. Not called by a
  /// member.
  [[nodiscard]] Task<bool> close(milliseconds soft, milliseconds hard);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// Waits on the current executor; ends early, by exception, only when the coroutine is cancelled.
[[nodiscard]] Task<> sleep_for(milliseconds time);

}  // namespace schakel::runtime
