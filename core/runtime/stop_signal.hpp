// SIGINT and SIGTERM as a value; SIGHUP as a call.
#pragma once
#include <functional>
#include <memory>

namespace schakel::runtime {

/// Catches SIGINT, SIGTERM and SIGHUP from construction on. One per process, made before threads that fork.
///
/// Thread: wait() by the owner (main); request() by any.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  /// Blocks until a signal or request(); the signal's number, 0 for request().
  [[nodiscard]] int wait();
  /// What a SIGHUP does while wait() blocks, on the thread that waits. Without it a SIGHUP does nothing.
  void on_hangup(std::function<void()> call);
  /// Makes wait() return. Used by an administrative stop and by tests.
  void request();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace schakel::runtime
