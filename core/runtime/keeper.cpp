#include "core/runtime/keeper.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>
#include <typeinfo>

#include "core/base/log.hpp"

namespace schakel::runtime {

/// A loop stands still as long as this lives.
class Keeper::Down {
 public:
  Down(Keeper& keeper, std::string name) : keeper_(keeper), name_(std::move(name)) {
    const std::lock_guard lock(keeper_.mutex_);
    keeper_.down_.insert(name_);
  }
  ~Down() {
    const std::lock_guard lock(keeper_.mutex_);
    keeper_.down_.erase(name_);
  }
  Down(const Down&) = delete;
  Down& operator=(const Down&) = delete;

 private:
  Keeper& keeper_;
  const std::string name_;
};

Keeper::Keeper(MetricsRegistry& metrics, KeeperPauses pauses) : metrics_(metrics), pauses_(pauses) {}

void Keeper::keep(Scope& scope, std::string name, Loop loop) {
  // There before the first failure, so that an alarm on it can be made.
  metrics_.count("schakel_loop_restarts_total", {{"loop", name}}, 0);
  scope.spawn(run(scope, std::move(name), std::move(loop)), "kept-loop");
}

bool Keeper::whole() const {
  const std::lock_guard lock(mutex_);
  return down_.empty();
}

bool Keeper::runs(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  return !down_.contains(name);
}

Task<> Keeper::run(Scope& scope, std::string name, Loop loop) {
  auto wait = pauses_.first;
  for (;;) {
    const auto began = std::chrono::steady_clock::now();
    std::string failure;
    bool cancelled = false;
    try {
      co_await loop();
      co_return;
    } catch (const boost::system::system_error& e) {
      cancelled = e.code() == boost::asio::error::operation_aborted;
      failure = e.code().category().name();
    } catch (const std::exception& e) {
      // what() may quote input, so only the type is told.
      failure = typeid(e).name();
    }
    if (cancelled && scope.stopping()) co_return;
    log(LogLevel::error, "runtime.loop_failed", {{"loop", name}, {"error", failure}});
    metrics_.count("schakel_loop_restarts_total", {{"loop", name}});
    if (std::chrono::steady_clock::now() - began >= pauses_.most) wait = pauses_.first;
    const Down down(*this, name);
    const bool on = co_await scope.pause(wait);
    if (!on) co_return;
    wait = std::min(wait * 2, pauses_.most);
  }
}

}  // namespace schakel::runtime
