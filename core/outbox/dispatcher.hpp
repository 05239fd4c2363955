// The outbox at work: takes what is due, has one attempt made, and writes down what came of it.
#pragma once
#include <functional>
#include <map>
#include <set>

#include "core/outbox/policy.hpp"
#include "core/runtime/scope.hpp"
#include "core/runtime/wake.hpp"
#include "core/store/store.hpp"
#include "schakel/adapter.hpp"

namespace schakel::outbox {

/// Makes one attempt through one adapter (core/delivery); knows nothing of retries.
class Attempter {
 public:
  virtual ~Attempter() = default;
  virtual Task<AttemptResult> attempt(store::DeliveryRow row, int number) = 0;
  /// Ops that belong in the transaction that settles this attempt (receipt, correlation), sealed.
  virtual Task<Result<store::Transaction>> settlement(const store::DeliveryRow& row, const AttemptResult& result) = 0;
  /// May an attempt with unknown outcome be made again with the same key? Otherwise it parks for a person.
  [[nodiscard]] virtual bool repeatable(std::string_view target) const = 0;
};

struct DispatcherOptions {
  RetryPolicy retry;
  int per_target = 8;                                 ///< attempts at once towards one target
  int in_flight = 64;                                 ///< attempts at once in all
  milliseconds idle{std::chrono::seconds(5)};         ///< looks again after this long even when nobody rings
  milliseconds store_pause{std::chrono::seconds(1)};  ///< before the next try while the store takes nothing (disk full)
  std::function<double()> random;                     ///< uniform in [0, 1)
  /// Called after each attempt: what it was sent to, its verdict, how long it took. For metrics.
  std::function<void(const std::string& target, std::string_view verdict, milliseconds took)> attempted;
};

/// Thread: one io_context. Lifetime: needs store and attempter to outlive it.
class Dispatcher {
 public:
  Dispatcher(store::Store& store, Attempter& attempter, const Clock& clock, DispatcherOptions options);

  /// Before the first attempt after a start: attempts that were running when the process ended have an unknown outcome.
  Task<Result<int>> recover();
  /// Attempts everything that is due now and may go, one after the other; how many. For tests and the scenario runner.
  Task<Result<int>> step();
  /// Runs until the scope stops.
  Task<> run(runtime::Scope& scope);

  /// Rings when deliveries were added.
  runtime::Bell& arrivals() { return bell_; }

  /// Stops all attempts towards a target within one attempt, survives a restart (users.md 11).
  Task<Result<void>> pause(std::string target, bool paused);
  [[nodiscard]] std::map<std::string, std::string> breakers() const;
  [[nodiscard]] const std::set<std::string>& paused() const { return paused_; }

 private:
  Task<> one(store::DeliveryRow row);
  Task<bool> start(const store::DeliveryRow& row);
  Task<int> failures_so_far(const store::DeliveryRow& row);
  Task<> settle(const store::DeliveryRow& row, AttemptResult result);
  void store_works(bool now, std::string_view code = {});
  Task<Result<void>> refresh_paused();
  std::vector<std::string> closed_targets();
  store::Store& store_;
  Attempter& attempter_;
  const Clock& clock_;
  DispatcherOptions options_;
  runtime::Bell bell_;
  std::map<std::string, Breaker> breakers_;
  std::map<std::string, int> running_;
  std::set<std::string> in_flight_;
  std::set<std::string> paused_;
  bool store_works_ = true;
};

}  // namespace schakel::outbox
