#include "core/formats/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/model/party.hpp"

namespace schakel::formats {
namespace {
bool digit(char c) { return c >= '0' && c <= '9'; }
bool upper(char c) { return c >= 'A' && c <= 'Z'; }
bool hex(char c) { return digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
int number(std::string_view s) {
  int v = 0;
  for (char c : s) v = v * 10 + (c - '0');
  return v;
}
bool zeros(std::string_view s) {
  return std::ranges::all_of(s, [](char c) { return c == '0'; });
}
}  // namespace

bool all_digits(std::string_view text) { return !text.empty() && std::ranges::all_of(text, digit); }

std::optional<Date> parse_date(std::string_view t) {
  if (t.size() != 10 || t[4] != '-' || t[7] != '-') return std::nullopt;
  auto y = t.substr(0, 4), m = t.substr(5, 2), d = t.substr(8, 2);
  if (!all_digits(y) || !all_digits(m) || !all_digits(d) || zeros(y)) return std::nullopt;
  Date date{std::chrono::year(number(y)), std::chrono::month(static_cast<unsigned>(number(m))),
            std::chrono::day(static_cast<unsigned>(number(d)))};
  return date.ok() ? std::optional(date) : std::nullopt;
}

std::string format_date(Date d) {
  auto y = static_cast<int>(d.year());
  auto m = static_cast<unsigned>(d.month()), day = static_cast<unsigned>(d.day());
  if (y < 0 || y > 9999 || m > 99 || day > 99) return fmt::format("{:04}-{:02}-{:02}", y, m, day);
  std::string out("0000-00-00");
  auto put = [&](std::size_t at, unsigned v) {
    out[at] = static_cast<char>('0' + v / 10);
    out[at + 1] = static_cast<char>('0' + v % 10);
  };
  auto year = static_cast<unsigned>(y);
  put(0, year / 100), put(2, year % 100), put(5, m), put(8, day);
  return out;
}

std::string format_date_dutch(Date d) {
  constexpr std::array<std::string_view, 12> kMonths{"januari",   "februari", "maart",    "april",
                                                     "mei",       "juni",     "juli",     "augustus",
                                                     "september", "oktober",  "november", "december"};
  return fmt::format("{} {} {}", static_cast<unsigned>(d.day()), kMonths[static_cast<unsigned>(d.month()) - 1],
                     static_cast<int>(d.year()));
}

bool valid_bsn(std::string_view t) {
  if (t.size() != 9 || !all_digits(t) || zeros(t)) return false;
  int sum = 0;
  for (int i = 0; i < 8; ++i) sum += (t[static_cast<std::size_t>(i)] - '0') * (9 - i);
  return (sum - (t[8] - '0')) % 11 == 0;
}

bool holds_bsn(std::string_view t) {
  for (std::size_t at = 0; at < t.size();) {
    std::size_t end = at;
    while (end < t.size() && digit(t[end])) ++end;
    if (end - at == 9 && valid_bsn(t.substr(at, 9))) return true;
    at = end + 1;
  }
  return false;
}

bool valid_iban(std::string_view t) {
  if (t.size() < 15 || t.size() > 34 || !upper(t[0]) || !upper(t[1]) || !digit(t[2]) || !digit(t[3])) return false;
  if (t.starts_with("NL") &&
      (t.size() != 18 || !std::ranges::all_of(t.substr(4, 4), upper) || !all_digits(t.substr(8))))
    return false;
  int rest = 0;
  auto feed = [&rest](char c) {
    if (digit(c)) return rest = (rest * 10 + (c - '0')) % 97, true;
    if (upper(c)) return rest = (rest * 100 + (c - 'A' + 10)) % 97, true;
    return false;
  };
  for (char c : t.substr(4))
    if (!feed(c)) return false;
  for (char c : t.substr(0, 4))
    if (!feed(c)) return false;
  return rest == 1;
}

bool looks_like_iban(std::string_view t) {
  return t.size() >= 4 && upper(t[0]) && upper(t[1]) && digit(t[2]) && digit(t[3]);
}

bool valid_kvk(std::string_view t) { return t.size() == 8 && all_digits(t) && !zeros(t); }

bool issued_oin(std::string_view t) {
  return valid_oin(t) && t.starts_with("000000") && !zeros(t.substr(6, 2)) && !zeros(t.substr(8));
}

bool valid_vat_nl(std::string_view t) {
  return t.size() == 14 && t.starts_with("NL") && all_digits(t.substr(2, 9)) && t[11] == 'B' &&
         all_digits(t.substr(12));
}

bool valid_uuid(std::string_view t) {
  if (t.size() != 36) return false;
  for (std::size_t i = 0; i < 36; ++i)
    if (i == 8 || i == 13 || i == 18 || i == 23 ? t[i] != '-' : !hex(t[i])) return false;
  return true;
}

std::size_t characters(std::string_view t) {
  return static_cast<std::size_t>(
      std::ranges::count_if(t, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace schakel::formats
