// A date from outside: refused, or written back as it was, with arithmetic that stays in the calendar.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "core/base/calendar.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace schakel;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto date = Date::parse(text);
  if (!date) return 0;
  if (date->str() != text) std::abort();
  if (local_date(start_of_day(*date)) != *date) std::abort();
  if (add_days(add_days(*date, 1), -1) != *date && date->str() != "9999-12-31") std::abort();
  auto year = school_year(*date);
  if (*date < year.first || *date > year.last) std::abort();
  if (!is_working_day(roll_forward(*date)) && date->year() < 9999) std::abort();
  if (age_on(*date, *date) != 0) std::abort();
  return 0;
}
