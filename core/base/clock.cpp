#include "core/base/clock.hpp"

#include <date/date.h>
#include <fmt/format.h>

#include <sstream>

namespace schakel {

Instant SystemClock::now() const {
  return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
}

void ManualClock::set(Instant t) {
  auto wanted = t.time_since_epoch().count();
  auto seen = now_.load();
  while (seen < wanted && !now_.compare_exchange_weak(seen, wanted)) {
  }
}

namespace {
bool digits(std::string_view s, std::size_t at, std::size_t n, int& out) {
  if (at + n > s.size()) return false;
  out = 0;
  for (auto i = at; i < at + n; ++i) {
    if (s[i] < '0' || s[i] > '9') return false;
    out = out * 10 + (s[i] - '0');
  }
  return true;
}
}  // namespace

Result<Instant> parse_instant(std::string_view s) {
  auto bad = [] { return fail(ErrorKind::invalid, "INSTANT_FORMAT", "not an RFC 3339 date-time with an offset"); };
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, sec = 0;
  if (!digits(s, 0, 4, y) || s.size() < 20 || s[4] != '-' || !digits(s, 5, 2, mo) || s[7] != '-' ||
      !digits(s, 8, 2, d) || (s[10] != 'T' && s[10] != 't') || !digits(s, 11, 2, h) || s[13] != ':' ||
      !digits(s, 14, 2, mi) || s[16] != ':' || !digits(s, 17, 2, sec))
    return bad();
  date::year_month_day ymd{date::year{y}, date::month{static_cast<unsigned>(mo)}, date::day{static_cast<unsigned>(d)}};
  if (!ymd.ok() || h > 23 || mi > 59 || sec > 60) return bad();
  std::size_t at = 19;
  std::int64_t millis = 0;
  if (s[at] == '.') {
    ++at;
    std::int64_t scale = 100;
    auto start = at;
    while (at < s.size() && s[at] >= '0' && s[at] <= '9') {
      millis += (s[at] - '0') * scale;
      scale /= 10;
      ++at;
    }
    if (at == start || at - start > 9) return bad();
  }
  if (at >= s.size()) return bad();
  std::int64_t offset = 0;
  if (s[at] == 'Z' || s[at] == 'z') {
    if (at + 1 != s.size()) return bad();
  } else if (s[at] == '+' || s[at] == '-') {
    int oh = 0, om = 0;
    if (at + 6 != s.size() || !digits(s, at + 1, 2, oh) || s[at + 3] != ':' || !digits(s, at + 4, 2, om) || oh > 23 ||
        om > 59)
      return bad();
    offset = (oh * 60 + om) * (s[at] == '-' ? -1 : 1);
  } else {
    return bad();
  }
  auto days = date::sys_days{ymd}.time_since_epoch().count();
  std::int64_t total = ((static_cast<std::int64_t>(days) * 24 + h) * 60 + mi - offset) * 60 + sec;
  return Instant{milliseconds{total * 1000 + millis}};
}

std::string format_instant(Instant t) {
  auto day = date::floor<date::days>(date::sys_time<milliseconds>{t.time_since_epoch()});
  date::year_month_day ymd{day};
  auto rest = t.time_since_epoch() - day.time_since_epoch();
  auto ms = std::chrono::duration_cast<milliseconds>(rest).count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(ymd.year()),
                     static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day()), ms / 3600000,
                     ms / 60000 % 60, ms / 1000 % 60, ms % 1000);
}

}  // namespace schakel
