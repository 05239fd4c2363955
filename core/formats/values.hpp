// Field types that every format shares: dates, identifiers and their check digits.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace schakel::formats {

using Date = std::chrono::year_month_day;

/// "2026-05-12" and nothing else: an existing day, no zone, years 0001 to 9999.
[[nodiscard]] std::optional<Date> parse_date(std::string_view text);
[[nodiscard]] std::string format_date(Date date);
/// "12 mei 2026"
[[nodiscard]] std::string format_date_dutch(Date date);

[[nodiscard]] bool all_digits(std::string_view text);
/// Nine digits that pass the 11-proof (weights 9..2, -1) and are not all zero.
[[nodiscard]] bool valid_bsn(std::string_view text);
/// A run of exactly nine digits in it that could be a BSN: no such text goes into a subject, a file name or a log.
[[nodiscard]] bool holds_bsn(std::string_view text);
/// Country, length of a Dutch IBAN where it is NL, and ISO 7064 mod-97. No spaces.
[[nodiscard]] bool valid_iban(std::string_view text);
/// Two capitals and two digits first: an account that must pass valid_iban, whatever the means of payment.
[[nodiscard]] bool looks_like_iban(std::string_view text);
/// KvK number: 8 digits, not all zero (scheme 0106).
[[nodiscard]] bool valid_kvk(std::string_view text);
/// An OIN (core/model/party.hpp) that can have been given out: prefix 00000001 to 00000099 (99 is for tests), not all
/// zero behind it (scheme 0190).
[[nodiscard]] bool issued_oin(std::string_view text);
/// NL123456789B01 (scheme 9944 and PartyTaxScheme).
[[nodiscard]] bool valid_vat_nl(std::string_view text);
/// UUID in its 8-4-4-4-12 form.
[[nodiscard]] bool valid_uuid(std::string_view text);

/// White space at both ends removed, as XML Schema collapses it for every type but strings.
[[nodiscard]] inline std::string_view collapse(std::string_view text) {
  auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}
/// Number of characters, not bytes, of valid UTF-8.
[[nodiscard]] std::size_t characters(std::string_view text);

}  // namespace schakel::formats
