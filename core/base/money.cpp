#include "core/base/money.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace schakel {
namespace {

constexpr std::uint32_t kWhole = 10'000;

std::unexpected<Error> out_of_range() { return fail(ErrorKind::invalid, "AMOUNT_RANGE", "the amount is too large"); }
bool digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

Result<Cents> Cents::from(std::int64_t value) {
  if (value > kLimit || value < -kLimit) return out_of_range();
  return Cents{value};
}

Result<Cents> checked_add(Cents a, Cents b) {
  std::int64_t v = 0;
  if (__builtin_add_overflow(a.value(), b.value(), &v)) return out_of_range();
  return Cents{v};
}

Result<Cents> sum(std::span<const Cents> amounts) {
  Cents total;
  for (Cents a : amounts) {
    auto next = checked_add(total, a);
    if (!next) return next;
    total = *next;
  }
  return total;
}

Result<Cents> parse_cents(std::string_view text) {
  auto bad = [] { return fail(ErrorKind::invalid, "AMOUNT_FORMAT", "not a decimal amount"); };
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  auto dot = text.find('.');
  auto whole = text.substr(0, dot);
  auto part = dot == std::string_view::npos ? std::string_view{} : text.substr(dot + 1);
  if (whole.empty() && part.empty()) return bad();
  if (!std::ranges::all_of(whole, digit) || !std::ranges::all_of(part, digit)) return bad();
  if (part.size() > 2) return fail(ErrorKind::invalid, "AMOUNT_DECIMALS", "more than two decimals");
  std::int64_t value = 0;
  for (char c : whole) {
    value = value * 10 + (c - '0');
    if (value > Cents::kLimit) return out_of_range();
  }
  value *= 100;
  if (!part.empty()) value += (part[0] - '0') * 10;
  if (part.size() == 2) value += part[1] - '0';
  return Cents::from(negative ? -value : value);
}

std::string format_cents(Cents amount) {
  auto v = amount.value();
  // As unsigned, since the most negative value has no positive twin.
  auto u = v < 0 ? 0 - static_cast<std::uint64_t>(v) : static_cast<std::uint64_t>(v);
  auto out = std::to_string(u / 100);
  out += '.';
  out += static_cast<char>('0' + u % 100 / 10);
  out += static_cast<char>('0' + u % 10);
  return v < 0 ? "-" + out : out;
}

std::string format_euro(Cents amount) {
  auto v = amount.value();
  auto u = v < 0 ? 0 - static_cast<std::uint64_t>(v) : static_cast<std::uint64_t>(v);
  auto digits = std::to_string(u / 100);
  for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > 0; i -= 3)
    digits.insert(static_cast<std::size_t>(i), ".");
  return fmt::format("€\u00a0{}{},{:02}", v < 0 ? "-" : "", digits, u % 100);
}

Result<std::vector<Cents>> split_basis_points(Cents total, std::span<const std::uint32_t> basis_points) {
  if (std::accumulate(basis_points.begin(), basis_points.end(), std::uint64_t{0}) != kWhole)
    return fail(ErrorKind::invalid, "SHARES_INVALID", "the shares do not add up to 10000 basis points");
  if (total < Cents{})
    return fail(ErrorKind::invalid, "AMOUNT_NEGATIVE", "a negative amount is not split; use a credit");
  std::vector<Cents> shares;
  std::vector<std::pair<std::uint32_t, std::size_t>> rest;
  Cents given;
  for (std::size_t i = 0; i < basis_points.size(); ++i) {
    auto product = static_cast<unsigned __int128>(total.value()) * basis_points[i];
    shares.emplace_back(static_cast<std::int64_t>(product / kWhole));
    rest.emplace_back(static_cast<std::uint32_t>(product % kWhole), i);
    given += shares.back();
  }
  // Equal fractions keep the caller's order.
  std::ranges::sort(
      rest, [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  auto missing = static_cast<std::size_t>((total - given).value());
  for (std::size_t i = 0; i < missing; ++i) shares[rest[i].second] += Cents{1};
  return shares;
}

Result<Cents> proportion_floor(Cents whole, std::int64_t part, std::int64_t of) {
  if (of <= 0 || part < 0 || part > of || whole < Cents{})
    return fail(ErrorKind::invalid, "AMOUNT_RATIO", "not a part of a whole");
  return Cents{static_cast<std::int64_t>(static_cast<__int128>(whole.value()) * part / of)};
}

std::vector<Cents> swv_half_of_lines(std::span<const Cents> lines, OddCent odd) {
  return share_over_lines(lines, [odd](Cents up_to) { return split_50_50(up_to, odd).swv; });
}

std::vector<Cents> gemeente_half_of_lines(std::span<const Cents> lines, OddCent odd) {
  return share_over_lines(lines, [odd](Cents up_to) { return split_50_50(up_to, odd).gemeente; });
}

void from_json(const nlohmann::json& j, Cents& c) {
  if (!j.is_number_integer())
    throw nlohmann::json::type_error::create(302, "an amount is an integer number of cents", &j);
  c = Cents{j.get<std::int64_t>()};
}

}  // namespace schakel
