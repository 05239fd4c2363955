#include "core/base/calendar.hpp"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace schakel {
namespace {

using std::chrono::sys_days;
using std::chrono::year_month_day;

year_month_day civil(Date d) { return sys_days{std::chrono::days{d.days()}}; }

Date from_civil(year_month_day ymd) { return Date::from_days(sys_days{ymd}.time_since_epoch().count()); }

constexpr std::int64_t kDay = 86400;

/// From `begin` (seconds of UTC) on, Amsterdam is `offset` seconds ahead.
struct Span {
  std::int64_t begin;
  std::int32_t offset;
};

/// Sunday of the last week of the month at 01:00 UTC: when the European Union turns its clocks (directive 2000/84/EC).
std::int64_t eu_change(int year, unsigned month) {
  using namespace std::chrono;
  sys_days day{std::chrono::year{year} / std::chrono::month{month} / Sunday[last]};
  return day.time_since_epoch().count() * kDay + 3600;
}

/// The system's file ends in 2037 and leaves the rest to a rule that date does not read: after that year the rule is
/// ours.
std::vector<Span> read_zone() {
  constexpr int kFirstYear = 1892, kFileEnds = 2037, kTableEnds = 2200;
  const date::time_zone* zone = date::locate_zone("Europe/Amsterdam");
  auto second = [](int year) { return date::sys_seconds{date::sys_days{date::year{year} / 1 / 1}}; };
  std::vector<Span> out;
  for (auto t = second(kFirstYear); t < second(kFileEnds + 1);) {
    auto info = zone->get_info(t);
    auto offset = static_cast<std::int32_t>(info.offset.count());
    if (out.empty() || out.back().offset != offset) out.push_back({t.time_since_epoch().count(), offset});
    if (info.end <= t) break;
    t = info.end;
  }
  for (int year = kFileEnds + 1; year < kTableEnds; ++year) {
    out.push_back({eu_change(year, 3), 7200});
    out.push_back({eu_change(year, 10), 3600});
  }
  return out;
}

const std::vector<Span>& zone_table() {
  static const std::vector<Span> table = read_zone();
  return table;
}

std::int32_t offset_at(std::int64_t seconds) {
  const auto& table = zone_table();
  auto after = std::upper_bound(table.begin(), table.end(), seconds,
                                [](std::int64_t s, const Span& span) { return s < span.begin; });
  return after == table.begin() ? table.front().offset : std::prev(after)->offset;
}

std::int64_t floor_seconds(Instant t) { return std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count(); }

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

}  // namespace

Result<Date> Date::from(int year, int month, int day) {
  if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31)
    return fail(ErrorKind::invalid, "DATE_INVALID", "there is no such day");
  year_month_day ymd{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                     std::chrono::day{static_cast<unsigned>(day)}};
  if (!ymd.ok()) return fail(ErrorKind::invalid, "DATE_INVALID", "there is no such day");
  return from_civil(ymd);
}

Result<Date> Date::parse(std::string_view text) {
  auto bad = [] { return fail(ErrorKind::invalid, "DATE_FORMAT", "a date is written YYYY-MM-DD"); };
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return bad();
  auto number = [&](std::size_t at, std::size_t n) {
    int value = 0;
    for (char c : text.substr(at, n)) {
      if (c < '0' || c > '9') return -1;
      value = value * 10 + (c - '0');
    }
    return value;
  };
  int year = number(0, 4), month = number(5, 2), day = number(8, 2);
  if (year < 0 || month < 0 || day < 0) return bad();
  return from(year, month, day);
}

int Date::year() const { return static_cast<int>(civil(*this).year()); }
int Date::month() const { return static_cast<int>(static_cast<unsigned>(civil(*this).month())); }
int Date::day() const { return static_cast<int>(static_cast<unsigned>(civil(*this).day())); }

Weekday Date::weekday() const {
  return static_cast<Weekday>(std::chrono::weekday{sys_days{std::chrono::days{days_}}}.iso_encoding());
}

std::string Date::str() const {
  // By hand: a decision writes a dozen of them.
  auto ymd = civil(*this);
  std::string out = "0000-00-00";
  auto put = [&](std::size_t at, unsigned value) {
    out[at] = static_cast<char>('0' + value / 10);
    out[at + 1] = static_cast<char>('0' + value % 10);
  };
  auto year = static_cast<unsigned>(static_cast<int>(ymd.year()));
  put(0, year / 100);
  put(2, year % 100);
  put(5, static_cast<unsigned>(ymd.month()));
  put(8, static_cast<unsigned>(ymd.day()));
  return out;
}

void load_time_zone() { (void)zone_table(); }

Date local_date(Instant t) {
  auto seconds = floor_seconds(t);
  return Date::from_days(floor_div(seconds + offset_at(seconds), kDay));
}

Instant start_of_day(Date d) {
  std::int64_t local = d.days() * kDay;
  // Of the offsets around that night, the one that still holds at the instant it leads to; both hold when midnight
  // comes twice, then the first. The clocks of Amsterdam never skipped a midnight.
  std::int64_t first = local - offset_at(local - kDay), second = local - offset_at(local + kDay);
  std::int64_t earlier = std::min(first, second), later = std::max(first, second);
  std::int64_t start = earlier + offset_at(earlier) == local ? earlier : later;
  return Instant{std::chrono::seconds{start}};
}

Instant end_of_day(Date d) { return start_of_day(add_days(d, 1)) - milliseconds{1}; }

std::int32_t amsterdam_offset_seconds(Instant t) { return offset_at(floor_seconds(t)); }

std::string format_amsterdam(Instant t) {
  auto seconds = floor_seconds(t);
  auto offset = offset_at(seconds);
  auto local = seconds + offset;
  auto in_day = local - floor_div(local, kDay) * kDay;
  auto minutes = (offset < 0 ? -offset : offset) / 60;
  return fmt::format("{}T{:02}:{:02}:{:02}{}{:02}:{:02}", Date::from_days(floor_div(local, kDay)).str(), in_day / 3600,
                     in_day / 60 % 60, in_day % 60, offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

Date add_months(Date d, std::int64_t n) {
  auto ymd = civil(d);
  std::int64_t months = static_cast<int>(ymd.year()) * std::int64_t{12} + static_cast<unsigned>(ymd.month()) - 1 + n;
  std::int64_t year = floor_div(months, 12);
  if (year < 1) return Date::from_days(INT32_MIN);
  if (year > 9999) return Date::from_days(INT32_MAX);
  std::chrono::year_month month{std::chrono::year{static_cast<int>(year)},
                                std::chrono::month{static_cast<unsigned>(months - year * 12 + 1)}};
  year_month_day last{sys_days{month / std::chrono::last}};
  return from_civil(month / std::min(ymd.day(), last.day()));
}

Date add_years(Date d, std::int64_t n) { return add_months(d, std::clamp<std::int64_t>(n, -20000, 20000) * 12); }

Date easter(int year) {
  // The computus of Meeus, Jones and Butcher for the Gregorian calendar.
  int a = year % 19, b = year / 100, c = year % 100, d = b / 4, e = b % 4, f = (b + 8) / 25, g = (b - f + 1) / 3;
  int h = (19 * a + b - d - g + 15) % 30, i = c / 4, k = c % 4, l = (32 + 2 * e + 2 * i - h - k) % 7,
      m = (a + 11 * h + 22 * l) / 451;
  int month = (h + l - 7 * m + 114) / 31, day = (h + l - 7 * m + 114) % 31 + 1;
  return from_civil(std::chrono::year{year} / month / day);
}

std::string_view holiday_name(Date d) {
  auto ymd = civil(d);
  auto month = static_cast<unsigned>(ymd.month()), day = static_cast<unsigned>(ymd.day());
  if (month == 1) return day == 1 ? "Nieuwjaarsdag" : "";
  if (month == 12) return day == 25 ? "Eerste kerstdag" : day == 26 ? "Tweede kerstdag" : "";
  if (month < 3 || month > 6) return "";
  // King's Day moves to Saturday the 26th where the 27th is a Sunday.
  if (month == 4) {
    bool sunday = from_civil(ymd.year() / 4 / 27).weekday() == Weekday::sunday;
    if (day == (sunday ? 26u : 27u)) return "Koningsdag";
  }
  if (month == 5 && day == 5) return "Bevrijdingsdag";
  switch (days_between(easter(static_cast<int>(ymd.year())), d)) {
    case -2:
      return "Goede Vrijdag";
    case 1:
      return "Tweede paasdag";
    case 39:
      return "Hemelvaartsdag";
    case 50:
      return "Tweede pinksterdag";
    default:
      return "";
  }
}

bool is_working_day(Date d) { return d.weekday() < Weekday::saturday && !is_holiday(d); }

Date add_working_days(Date d, int n) {
  while (n > 0) {
    Date next = add_days(d, 1);
    if (next == d) break;  // the end of the calendar
    d = next;
    if (is_working_day(d)) --n;
  }
  return d;
}

Date roll_forward(Date d) {
  while (!is_working_day(d) && add_days(d, 1) != d) d = add_days(d, 1);
  return d;
}

SchoolYear school_year(Date d) {
  auto ymd = civil(d);
  auto first = ymd.month() >= std::chrono::August ? ymd.year() : ymd.year() - std::chrono::years{1};
  return {from_civil(first / 8 / 1), from_civil((first + std::chrono::years{1}) / 7 / 31)};
}

Date birthday(Date birth, int years) {
  Date same = add_years(birth, years);
  return same.day() == birth.day() ? same : add_days(same, 1);
}

int age_on(Date birth, Date on) {
  int years = on.year() - birth.year();
  return on < birthday(birth, years) ? years - 1 : years;
}

}  // namespace schakel
