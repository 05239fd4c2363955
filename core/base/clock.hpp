// Time as a parameter: nothing reads the wall clock but an implementation of Clock.
#pragma once
#include <atomic>
#include <chrono>
#include <string>
#include <string_view>

#include "core/base/error.hpp"

namespace schakel {

/// A point in UTC with millisecond resolution.
using Instant = std::chrono::sys_time<std::chrono::milliseconds>;
using std::chrono::milliseconds;

/// Thread: any. Lifetime: outlives everything that was given a reference to it.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Instant now() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override;
};

/// A clock that a test or the scenario runner turns. Never goes back.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Instant start = {}) : now_(start.time_since_epoch().count()) {}
  [[nodiscard]] Instant now() const override { return Instant{milliseconds{now_.load()}}; }
  void set(Instant t);
  void advance(milliseconds d) { now_ += d.count(); }

 private:
  std::atomic<std::int64_t> now_;
};

/// RFC 3339 with any offset, seconds optional fraction. INSTANT_FORMAT when it is not that.
[[nodiscard]] Result<Instant> parse_instant(std::string_view text);
/// RFC 3339 in UTC with milliseconds: 2026-11-22T09:00:00.000Z.
[[nodiscard]] std::string format_instant(Instant t);

}  // namespace schakel
