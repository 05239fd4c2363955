#include "core/outbox/policy.hpp"

#include <algorithm>
#include <cmath>

namespace schakel::outbox {

milliseconds delay_after(const RetryPolicy& p, int attempt, double random,
                         std::optional<std::chrono::seconds> retry_after) {
  double step = static_cast<double>(p.first.count()) * std::pow(2.0, std::min(attempt - 1, 40));
  double ceiling = std::min(step, static_cast<double>(p.cap.count()));
  // Half of the step is certain: full jitter alone would let a tenth of the retries come back at once.
  milliseconds delay{static_cast<std::int64_t>(ceiling / 2 + ceiling / 2 * random)};
  if (retry_after) delay = std::max(delay, std::min<milliseconds>(*retry_after, p.cap));
  return delay;
}

bool used_up(const RetryPolicy& p, int attempt, Instant created, Instant now) {
  return attempt >= p.max_attempts && now - created >= p.min_age;
}

bool Breaker::allow(Instant now) {
  if (state_ == State::open && now >= until_)
    state_ = State::probing;
  else if (state_ == State::probing)
    return false;
  return state_ != State::open;
}

void Breaker::succeeded() {
  state_ = State::closed;
  failures_ = 0;
}

void Breaker::give_back(Instant now) {
  if (state_ != State::probing) return;
  state_ = State::open;
  until_ = now;
}

void Breaker::failed(Instant now) {
  ++failures_;
  if (state_ == State::probing || failures_ >= threshold_) {
    state_ = State::open;
    until_ = now + rest_;
  }
}

}  // namespace schakel::outbox
