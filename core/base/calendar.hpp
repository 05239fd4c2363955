// Calendar dates in Europe/Amsterdam: local days, working days, months and ages (domain.md section 8,
// CORE-TIME-01..06).
//
// A deadline is a date, never a number of hours: convert an Instant with `local_date` first, then count (CORE-TIME-01),
// so that a change of the clock never moves a deadline. Everything here is pure; the time zone is read once, at first
// use, from the system's tz database. std::runtime_error at that first use when the system has none: call
// `load_time_zone` at start-up. Thread: any.
#pragma once
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/clock.hpp"
#include "core/base/error.hpp"

namespace schakel {

/// ISO 8601 numbering.
enum class Weekday { monday = 1, tuesday, wednesday, thursday, friday, saturday, sunday };

/// A day of the Gregorian calendar, 0001-01-01 to 9999-12-31. Arithmetic that would leave that range stops at its
/// border.
class Date {
 public:
  /// 1970-01-01.
  constexpr Date() = default;
  /// DATE_INVALID when there is no such day.
  [[nodiscard]] static Result<Date> from(int year, int month, int day);
  /// Exactly YYYY-MM-DD. DATE_FORMAT for another shape, DATE_INVALID when there is no such day.
  [[nodiscard]] static Result<Date> parse(std::string_view text);
  /// Days since 1970-01-01.
  [[nodiscard]] static constexpr Date from_days(std::int64_t days) {
    Date d;
    d.days_ = static_cast<std::int32_t>(days < kFirst ? kFirst : days > kLast ? kLast : days);
    return d;
  }

  [[nodiscard]] constexpr std::int32_t days() const { return days_; }
  [[nodiscard]] int year() const;
  [[nodiscard]] int month() const;  ///< 1..12
  [[nodiscard]] int day() const;    ///< 1..31
  [[nodiscard]] Weekday weekday() const;
  /// YYYY-MM-DD.
  [[nodiscard]] std::string str() const;

  constexpr auto operator<=>(const Date&) const = default;

 private:
  static constexpr std::int64_t kFirst = -719162, kLast = 2932896;
  std::int32_t days_ = 0;
};

/// Reads the time zone now, so that a missing tz database is a failure of the start and not of the first rule.
void load_time_zone();

/// The Amsterdam calendar date on which `t` falls.
[[nodiscard]] Date local_date(Instant t);
/// 00:00:00.000 Amsterdam of that day.
[[nodiscard]] Instant start_of_day(Date d);
/// 23:59:59.999 Amsterdam of that day: the last instant at which "on or before that date" holds (CORE-TIME-01).
[[nodiscard]] Instant end_of_day(Date d);
/// Seconds that Amsterdam is ahead of UTC at `t`: 3600 or 7200 in our time.
[[nodiscard]] std::int32_t amsterdam_offset_seconds(Instant t);
/// RFC 3339 with the Amsterdam offset, to the second: 2026-11-22T10:00:00+01:00.
[[nodiscard]] std::string format_amsterdam(Instant t);

[[nodiscard]] constexpr Date add_days(Date d, std::int64_t n) { return Date::from_days(d.days() + n); }
/// Calendar months; where the day does not exist, the last of the month: 31 May - 3 months = 28 or 29 February
/// (CORE-TIME-03).
[[nodiscard]] Date add_months(Date d, std::int64_t n);
[[nodiscard]] Date add_years(Date d, std::int64_t n);
/// b - a in days.
[[nodiscard]] constexpr std::int64_t days_between(Date a, Date b) { return std::int64_t{b.days()} - a.days(); }

/// Easter Sunday of the Gregorian calendar.
[[nodiscard]] Date easter(int year);
/// The days of CORE-TIME-02 (Algemene termijnenwet); 5 May in every year. Empty when `d` is an ordinary day, else its
/// Dutch name.
[[nodiscard]] std::string_view holiday_name(Date d);
[[nodiscard]] inline bool is_holiday(Date d) { return !holiday_name(d).empty(); }
/// Monday to Friday and no holiday.
[[nodiscard]] bool is_working_day(Date d);
/// Day 1 is the first working day after `d`. n <= 0 gives `d` itself, working day or not.
[[nodiscard]] Date add_working_days(Date d, int n);
/// `d` itself or the first working day after it (CORE-TIME-04: statutory terms only).
[[nodiscard]] Date roll_forward(Date d);

/// 1 August to 31 July, both included.
struct SchoolYear {
  Date first, last;
  constexpr auto operator<=>(const SchoolYear&) const = default;
};
[[nodiscard]] SchoolYear school_year(Date d);

/// The date on which somebody becomes `years` old; born on 29 February: 1 March in a common year (CORE-TIME-05, Q-51).
[[nodiscard]] Date birthday(Date birth, int years);
/// Full years on that date; negative before the birth.
[[nodiscard]] int age_on(Date birth, Date on);

}  // namespace schakel
