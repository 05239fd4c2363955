// When to try again, and when to leave a target alone: pure functions and values.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>

#include "core/base/clock.hpp"

namespace schakel::outbox {

/// Full jitter between 0 and the doubled step, never above `cap`; a Retry-After of the target wins when it is later.
/// `random` is uniform in [0, 1). Attempts are counted from 1. (trust.md DUR-12, DUR-14)
struct RetryPolicy {
  milliseconds first{std::chrono::seconds(5)};
  milliseconds cap{std::chrono::hours(6)};
  int max_attempts = 8;
  milliseconds min_age{std::chrono::hours(24)};  ///< no dead letter before it is this old, however many attempts
};
[[nodiscard]] milliseconds delay_after(const RetryPolicy& policy, int attempt, double random,
                                       std::optional<std::chrono::seconds> retry_after);
[[nodiscard]] bool used_up(const RetryPolicy& policy, int attempt, Instant created, Instant now);

/// Circuit breaker of one target. closed -> open after `threshold` failures in a row; one probe after `rest`; closed
/// again after a success. While it is open nothing is attempted, so no attempt is used up on a target that is down.
class Breaker {
 public:
  enum class State { closed, open, probing };
  explicit Breaker(int threshold = 5, milliseconds rest = std::chrono::seconds(30))
      : threshold_(threshold), rest_(rest) {}
  /// May an attempt start now? Turns open into probing when the rest is over.
  [[nodiscard]] bool allow(Instant now);
  void succeeded();
  /// The probe was not made after all: another one may be.
  void give_back(Instant now);
  void failed(Instant now);
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] Instant retry_at() const { return until_; }

 private:
  int threshold_;
  milliseconds rest_;
  State state_ = State::closed;
  int failures_ = 0;
  Instant until_{};
};

}  // namespace schakel::outbox
