// One at a time per key, within this process.
#pragma once
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/base/clock.hpp"
#include "core/base/task.hpp"

namespace schakel::zorgaanbieder {

/// Coroutines of one io_context take turns, in order of arrival. Thread: that of the io_context.
class Turns {
  struct Waiter {
    explicit Waiter(boost::asio::steady_timer t) : timer(std::move(t)) {}
    boost::asio::steady_timer timer;
    bool called = false;
  };
  using Lines = std::map<std::string, std::deque<Waiter*>>;

 public:
  /// Ends with it, or before by leave().
  class Turn {
   public:
    Turn(std::shared_ptr<Lines> lines, std::string key) : lines_(std::move(lines)), key_(std::move(key)) {}
    Turn(Turn&&) = default;
    Turn& operator=(Turn&&) = delete;
    ~Turn() { leave(); }
    void leave();

   private:
    std::shared_ptr<Lines> lines_;
    std::string key_;
  };

  /// nullopt when it took too long, or too many wait already: not now.
  Task<std::optional<Turn>> enter(std::string key, milliseconds most = milliseconds(20000));

 private:
  std::shared_ptr<Lines> lines_ = std::make_shared<Lines>();
};

/// Wakes one coroutine of the same io_context.
class Bell {
 public:
  void ring() {
    rung_ = true;
    if (timer_) timer_->cancel();
  }
  /// True when it was rung, before or while waiting; false after `most`.
  Task<bool> wait(milliseconds most);

 private:
  bool rung_ = false;
  boost::asio::steady_timer* timer_ = nullptr;
};

}  // namespace schakel::zorgaanbieder
