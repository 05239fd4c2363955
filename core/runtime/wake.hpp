// A bell: somebody waits until somebody else rings, or until a deadline.
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <mutex>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/task.hpp"

namespace schakel::runtime {

/// Thread: ring() from any thread; wait() from one coroutine at a time per waiter, any number of waiters.
/// A ring that nobody waits for is remembered once, so that work announced between look and wait is not slept over.
class Bell {
 public:
  Bell();
  ~Bell();
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  void ring();
  /// True when it rang, false when `limit` passed first.
  Task<bool> wait(milliseconds limit);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace schakel::runtime
