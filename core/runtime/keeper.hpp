// Loops that go on as long as the process does: one that ends by an exception is run again.
#pragma once
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "core/runtime/metrics.hpp"
#include "core/runtime/scope.hpp"

namespace schakel::runtime {

/// How long a loop stands still before it is run again: `first`, twice as long after each failure, at most `most`.
/// After a run of at least `most` it is `first` again.
struct KeeperPauses {
  milliseconds first{1000}, most{60'000};
};

/// Thread: keep() on that of its scope, the rest by any. Lifetime: outlives every coroutine that it keeps.
///
/// Each failure is logged by its type (`runtime.loop_failed`) and counted in schakel_loop_restarts_total{loop}.
class Keeper {
 public:
  using Loop = std::function<Task<>()>;

  explicit Keeper(MetricsRegistry& metrics, KeeperPauses pauses = {});
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  /// Runs loop() as a member of `scope`, again after each exception, until it returns or the scope ends it: a loop that
  /// stands still ends at once when the scope stops, and cancellation is no failure. `name` is a label and goes to the
  /// log: no id, no person. What `loop` refers to outlives the scope.
  void keep(Scope& scope, std::string name, Loop loop);

  /// Whether none of them stands still after an exception.
  [[nodiscard]] bool whole() const;
  [[nodiscard]] bool runs(std::string_view name) const;

 private:
  class Down;
  Task<> run(Scope& scope, std::string name, Loop loop);
  MetricsRegistry& metrics_;
  const KeeperPauses pauses_;
  mutable std::mutex mutex_;
  std::set<std::string, std::less<>> down_;
};

}  // namespace schakel::runtime
