// Dates against a second, independent computation, over ten years and more.
#include "core/base/calendar.hpp"

#include <gtest/gtest.h>

#include <ctime>
#include <set>

namespace schakel {
namespace {

Date day(std::string_view text) {
  auto d = Date::parse(text);
  EXPECT_TRUE(d) << text;
  return d.value_or(Date{});
}

Instant at(std::string_view text) {
  auto t = parse_instant(text);
  EXPECT_TRUE(t) << text;
  return t.value_or(Instant{});
}

/// Counts one day at a time from 1970-01-01 without any calendar library.
struct Walker {
  int y = 1970, m = 1, d = 1, weekday = 4;
  static bool leap(int y) { return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0; }
  static int length(int y, int m) {
    if (m == 2) return leap(y) ? 29 : 28;
    return m == 4 || m == 6 || m == 9 || m == 11 ? 30 : 31;
  }
  void next() {
    weekday = weekday % 7 + 1;
    if (++d <= length(y, m)) return;
    d = 1;
    if (++m <= 12) return;
    m = 1;
    ++y;
  }
  [[nodiscard]] std::string str() const { return fmt::format("{:04}-{:02}-{:02}", y, m, d); }
};

/// Gauss's Easter, with Lichtenberg's corrections: not the formula of the code under test. Month and day.
std::pair<int, int> easter_by_gauss(int x) {
  int k = x / 100, m = 15 + (3 * k + 3) / 4 - (8 * k + 13) / 25, s = 2 - (3 * k + 3) / 4, a = x % 19;
  int d = (19 * a + m) % 30, r = (d + a / 11) / 29, og = 21 + d - r, sz = 7 - (x + x / 4 + s) % 7,
      oe = 7 - (og - sz) % 7;
  int march = og + oe;
  return march > 31 ? std::pair{4, march - 31} : std::pair{3, march};
}

TEST(Date, EveryDayFrom1970To2120CountsAsByHand) {
  Walker w;
  for (int n = 0; w.y < 2120; ++n, w.next()) {
    Date d = Date::from_days(n);
    ASSERT_EQ(d.str(), w.str());
    ASSERT_EQ(static_cast<int>(d.weekday()), w.weekday) << w.str();
    ASSERT_EQ(day(w.str()), d);
    ASSERT_EQ(d.year(), w.y);
    ASSERT_EQ(d.month(), w.m);
    ASSERT_EQ(d.day(), w.d);
  }
}

TEST(Date, OnlyExactShapesAndRealDaysAreRead) {
  for (auto text : {"", "2026-1-01", "2026/01/01", "20260101", "2026-01-01 ", " 2026-01-01", "2026-01-0a", "+026-01-01",
                    "2026-01-01T00:00:00Z"}) {
    auto d = Date::parse(text);
    ASSERT_FALSE(d) << text;
    EXPECT_EQ(d.error().code, "DATE_FORMAT") << text;
  }
  for (auto text : {"2026-02-29", "2026-00-10", "2026-13-01", "2026-04-31", "2026-04-00", "0000-01-01", "1900-02-29"}) {
    auto d = Date::parse(text);
    ASSERT_FALSE(d) << text;
    EXPECT_EQ(d.error().code, "DATE_INVALID") << text;
  }
  EXPECT_EQ(day("2024-02-29").str(), "2024-02-29");
  EXPECT_EQ(day("0001-01-01").str(), "0001-01-01");
  EXPECT_EQ(day("9999-12-31").str(), "9999-12-31");
}

TEST(Date, ArithmeticStopsAtTheBordersOfTheCalendar) {
  EXPECT_EQ(add_days(day("9999-12-31"), 5'000'000'000).str(), "9999-12-31");
  EXPECT_EQ(add_days(day("0001-01-01"), -1).str(), "0001-01-01");
  EXPECT_EQ(add_months(day("9999-12-31"), INT32_MAX).str(), "9999-12-31");
  EXPECT_EQ(add_years(day("2000-01-01"), INT64_MIN).str(), "0001-01-01");
  EXPECT_EQ(add_working_days(day("9999-12-30"), 1000).str(), "9999-12-31");
  EXPECT_EQ(roll_forward(day("9999-12-31")).str(), "9999-12-31");
}

TEST(Amsterdam, LocalDateTurnsAtLocalMidnightInWinterAndSummer) {
  EXPECT_EQ(local_date(at("2026-01-14T22:59:59.999Z")).str(), "2026-01-14");
  EXPECT_EQ(local_date(at("2026-01-14T23:00:00Z")).str(), "2026-01-15");
  EXPECT_EQ(local_date(at("2026-07-14T21:59:59.999Z")).str(), "2026-07-14");
  EXPECT_EQ(local_date(at("2026-07-14T22:00:00Z")).str(), "2026-07-15");
}

TEST(Amsterdam, NightsOfTheClockChangeHave23And25Hours) {
  using std::chrono::hours;
  EXPECT_EQ(start_of_day(day("2026-03-30")) - start_of_day(day("2026-03-29")), hours{23});
  EXPECT_EQ(start_of_day(day("2026-10-26")) - start_of_day(day("2026-10-25")), hours{25});
  EXPECT_EQ(format_instant(start_of_day(day("2026-03-29"))), "2026-03-28T23:00:00.000Z");
  EXPECT_EQ(format_instant(end_of_day(day("2026-03-29"))), "2026-03-29T21:59:59.999Z");
  EXPECT_EQ(format_amsterdam(at("2026-10-25T00:30:00Z")), "2026-10-25T02:30:00+02:00");
  EXPECT_EQ(format_amsterdam(at("2026-10-25T01:30:00Z")), "2026-10-25T02:30:00+01:00");
}

TEST(Amsterdam, AgreesWithTheCLibraryEverySixHours) {
  const char* before = std::getenv("TZ");
  std::string saved = before ? before : "";
  setenv("TZ", "Europe/Amsterdam", 1);
  tzset();
  for (std::time_t t = 0; t < 4'102'444'800; t += 6 * 3600 + 17) {  // to 2100: beyond the end of the tz file
    std::tm local{};
    localtime_r(&t, &local);
    Instant i{std::chrono::seconds{t}};
    ASSERT_EQ(amsterdam_offset_seconds(i), local.tm_gmtoff) << t;
    ASSERT_EQ(local_date(i).str(),
              fmt::format("{:04}-{:02}-{:02}", local.tm_year + 1900, local.tm_mon + 1, local.tm_mday))
        << t;
  }
  before ? setenv("TZ", saved.c_str(), 1) : unsetenv("TZ");
  tzset();
}

TEST(Amsterdam, EveryDayStartsWhereTheOneBeforeEnds) {
  for (Date d = day("1970-01-02"); d < day("2100-01-01"); d = add_days(d, 1)) {
    ASSERT_EQ(local_date(start_of_day(d)), d);
    ASSERT_EQ(local_date(start_of_day(d) - milliseconds{1}), add_days(d, -1));
    ASSERT_EQ(local_date(end_of_day(d)), d);
    ASSERT_EQ(end_of_day(d) + milliseconds{1}, start_of_day(add_days(d, 1)));
  }
}

TEST(Months, TheLastDayOfTheMonthStandsInForOneThatIsMissing) {
  EXPECT_EQ(add_months(day("2026-05-31"), -3).str(), "2026-02-28");
  EXPECT_EQ(add_months(day("2024-05-31"), -3).str(), "2024-02-29");
  EXPECT_EQ(add_months(day("2026-08-31"), 6).str(), "2027-02-28");
  EXPECT_EQ(add_months(day("2026-01-15"), -13).str(), "2024-12-15");
  EXPECT_EQ(add_years(day("2024-02-29"), 1).str(), "2025-02-28");
  EXPECT_EQ(add_years(day("2024-02-29"), 4).str(), "2028-02-29");
}

TEST(Months, AgreeWithCountingByHandOverTenYears) {
  for (Date d = day("2020-01-01"); d < day("2030-01-01"); d = add_days(d, 1))
    for (int n = -30; n <= 30; ++n) {
      int y = d.year(), m = d.month() + n;
      while (m < 1) m += 12, --y;
      while (m > 12) m -= 12, ++y;
      int expected = std::min(d.day(), Walker::length(y, m));
      ASSERT_EQ(add_months(d, n).str(), fmt::format("{:04}-{:02}-{:02}", y, m, expected));
    }
}

TEST(Holidays, EasterAgreesWithGaussForFiveCenturies) {
  for (int y = 1700; y < 2200; ++y) {
    auto [m, d] = easter_by_gauss(y);
    ASSERT_EQ(easter(y).str(), fmt::format("{:04}-{:02}-{:02}", y, m, d));
    ASSERT_EQ(easter(y).weekday(), Weekday::sunday);
  }
  EXPECT_EQ(easter(2026).str(), "2026-04-05");
  EXPECT_EQ(easter(2038).str(), "2038-04-25");
}

TEST(Holidays, KingsDayMovesToThe26thWhenThe27thIsASunday) {
  EXPECT_EQ(holiday_name(day("2025-04-26")), "Koningsdag");
  EXPECT_FALSE(is_holiday(day("2025-04-27")));
  EXPECT_EQ(holiday_name(day("2026-04-27")), "Koningsdag");
  EXPECT_FALSE(is_holiday(day("2026-04-26")));
}

TEST(Holidays, WorkingDaysOfTenYearsAreThoseOfTheList) {
  Walker w;
  while (w.y < 2020) w.next();
  for (; w.y < 2032; w.next()) {
    auto [em, ed] = easter_by_gauss(w.y);
    Walker e;
    while (e.y != w.y || e.m != em || e.d != ed) e.next();
    // Days from 1 January, counted with the table of month lengths only.
    auto in_year = [](int y, int m, int d) {
      for (int k = 1; k < m; ++k) d += Walker::length(y, k);
      return d;
    };
    int sunday = in_year(w.y, em, ed), today = in_year(w.y, w.m, w.d);
    int kings_weekday = (w.weekday + 700 + in_year(w.y, 4, 27) - today) % 7;
    std::set<int> off = {1,
                         sunday - 2,
                         sunday + 1,
                         sunday + 39,
                         sunday + 50,
                         in_year(w.y, 4, kings_weekday == 0 ? 26 : 27),
                         in_year(w.y, 5, 5),
                         in_year(w.y, 12, 25),
                         in_year(w.y, 12, 26)};
    ASSERT_EQ(is_holiday(day(w.str())), off.contains(today)) << w.str();
    ASSERT_EQ(is_working_day(day(w.str())), w.weekday <= 5 && !off.contains(today)) << w.str();
  }
}

TEST(WorkingDays, DayOneIsTheFirstWorkingDayAfterReceipt) {
  EXPECT_EQ(add_working_days(day("2026-11-20"), 1).str(), "2026-11-23");  // Friday
  EXPECT_EQ(add_working_days(day("2026-11-21"), 1).str(), "2026-11-23");  // Saturday
  EXPECT_EQ(add_working_days(day("2026-04-01"), 7).str(), "2026-04-14");  // over Good Friday and Easter Monday
  EXPECT_EQ(add_working_days(day("2026-11-21"), 0).str(), "2026-11-21");
}

TEST(WorkingDays, NAreExactlyNOverTenYears) {
  for (Date d = day("2020-01-01"); d < day("2030-01-01"); d = add_days(d, 3))
    for (int n : {1, 5, 7, 10, 23}) {
      Date end = add_working_days(d, n);
      int counted = 0;
      for (Date x = add_days(d, 1); x <= end; x = add_days(x, 1)) counted += is_working_day(x);
      ASSERT_EQ(counted, n);
      ASSERT_TRUE(is_working_day(end));
    }
}

TEST(WorkingDays, RollForwardStopsAtTheFirstWorkingDay) {
  EXPECT_EQ(roll_forward(day("2026-12-25")).str(), "2026-12-28");  // Friday Christmas, weekend
  EXPECT_EQ(roll_forward(day("2026-12-24")).str(), "2026-12-24");
  EXPECT_EQ(roll_forward(day("2026-05-05")).str(), "2026-05-06");
}

TEST(SchoolYear, RunsFromTheFirstOfAugustToTheLastOfJuly) {
  EXPECT_EQ(school_year(day("2026-07-31")), (SchoolYear{day("2025-08-01"), day("2026-07-31")}));
  EXPECT_EQ(school_year(day("2026-08-01")), (SchoolYear{day("2026-08-01"), day("2027-07-31")}));
}

TEST(Age, IsTwelveFromTheBirthdayItself) {
  EXPECT_EQ(age_on(day("2014-06-15"), day("2026-06-14")), 11);
  EXPECT_EQ(age_on(day("2014-06-15"), day("2026-06-15")), 12);
  EXPECT_EQ(age_on(day("2014-06-15"), day("2014-06-14")), -1);
}

TEST(Age, BornOn29FebruaryTurnsOlderOnTheFirstOfMarchInACommonYear) {
  EXPECT_EQ(age_on(day("2008-02-29"), day("2026-02-28")), 17);
  EXPECT_EQ(age_on(day("2008-02-29"), day("2026-03-01")), 18);
  EXPECT_EQ(age_on(day("2008-02-29"), day("2028-02-28")), 19);
  EXPECT_EQ(age_on(day("2008-02-29"), day("2028-02-29")), 20);
  EXPECT_EQ(birthday(day("2008-02-29"), 18).str(), "2026-03-01");
}

}  // namespace
}  // namespace schakel
