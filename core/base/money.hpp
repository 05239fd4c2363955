// Money: 64-bit integer cents, never floating point (CORE-MONEY-01), and the arithmetic of sharing them.
// Everything here is pure; nothing rounds except where its comment says so.
#pragma once
#include <compare>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/assert.hpp"
#include "core/base/error.hpp"

namespace schakel {

/// An amount in euro cents; negative for credits. Outside values enter through `Cents::from` or `parse_cents`, which
/// keep them within `kLimit`, so that no sum over an accepted document can overflow (9 * 10^5 amounts of the limit
/// still fit). The operators abort on overflow: past that border it is a programming error. Use `checked_add` where it
/// is not.
class Cents {
 public:
  /// 100 billion euro.
  static constexpr std::int64_t kLimit = 10'000'000'000'000;

  constexpr Cents() = default;
  constexpr explicit Cents(std::int64_t value) : value_(value) {}
  /// AMOUNT_RANGE beyond kLimit either way.
  [[nodiscard]] static Result<Cents> from(std::int64_t value);

  [[nodiscard]] constexpr std::int64_t value() const { return value_; }
  constexpr auto operator<=>(const Cents&) const = default;

  constexpr Cents& operator+=(Cents o) {
    SCHAKEL_ASSERT(!__builtin_add_overflow(value_, o.value_, &value_));
    return *this;
  }
  constexpr Cents& operator-=(Cents o) {
    SCHAKEL_ASSERT(!__builtin_sub_overflow(value_, o.value_, &value_));
    return *this;
  }
  friend constexpr Cents operator+(Cents a, Cents b) { return a += b; }
  friend constexpr Cents operator-(Cents a, Cents b) { return a -= b; }
  friend constexpr Cents operator-(Cents a) { return Cents{} - a; }

 private:
  std::int64_t value_ = 0;
};

/// AMOUNT_RANGE on overflow.
[[nodiscard]] Result<Cents> checked_add(Cents a, Cents b);
/// AMOUNT_RANGE on overflow.
[[nodiscard]] Result<Cents> sum(std::span<const Cents> amounts);

/// Reads an xs:decimal of at most two decimals: "281.17", "-0.01", "5", ".5". AMOUNT_FORMAT for anything else (white
/// space, exponents, commas), AMOUNT_DECIMALS for a third decimal even if zero (BR-DEC-*), AMOUNT_RANGE beyond
/// Cents::kLimit.
[[nodiscard]] Result<Cents> parse_cents(std::string_view text);
/// "281.17", "-0.01", "0.00": always two decimals, as UBL and the REST interface want it.
[[nodiscard]] std::string format_cents(Cents amount);
/// Dutch, for people: "€ 1.234,56", "€ -0,01"; the space is U+00A0.
[[nodiscard]] std::string format_euro(Cents amount);

/// floor(g / 2), towards minus infinity (CORE-MONEY-02).
[[nodiscard]] constexpr Cents half_floor(Cents g) { return Cents{g.value() >> 1}; }

/// Who bears the odd cent of a 50/50 split. The profile value `alternate` is not here: whose turn it is is a fact
/// across cases that the broker reads before it decides; `alternate_odd_cent` turns that fact into a value.
enum class OddCent { gemeente, swv };

/// First the gemeente, then by turns. `odd_splits_before`: odd splits already made between these two payers.
[[nodiscard]] constexpr OddCent alternate_odd_cent(std::uint64_t odd_splits_before) {
  return odd_splits_before % 2 == 0 ? OddCent::gemeente : OddCent::swv;
}

/// Two shares whose sum is what was split.
struct Halves {
  Cents swv;
  Cents gemeente;
  bool operator==(const Halves&) const = default;
};

/// CORE-MONEY-02, on the grey total of one invoice: SWV floor, gemeente the rest; the other way round for OddCent::swv.
[[nodiscard]] constexpr Halves split_50_50(Cents total, OddCent odd = OddCent::gemeente) {
  Cents small = half_floor(total), large = total - small;
  return odd == OddCent::gemeente ? Halves{small, large} : Halves{large, small};
}

/// CORE-MONEY-03: largest remainder. `basis_points` add up to 10000 and stand in the order in which ties are decided
/// (gemeente, schoolbestuur, swv); the result has the same order and adds up to total. SHARES_INVALID when they do not
/// add up to 10000; AMOUNT_NEGATIVE for total < 0.
[[nodiscard]] Result<std::vector<Cents>> split_basis_points(Cents total, std::span<const std::uint32_t> basis_points);

/// floor(whole * part / of) without overflow, part and of >= 0, whole >= 0 (CORE-MONEY-05: VAT of a group;
/// CORE-MONEY-08: minutes). AMOUNT_RATIO when of <= 0, part < 0, part > of or whole < 0.
[[nodiscard]] Result<Cents> proportion_floor(Cents whole, std::int64_t part, std::int64_t of);

/// CORE-MONEY-08: hours are shared in minutes. Education gets floor(total / 2), the gemeente the rest.
struct MinuteHalves {
  std::int64_t education = 0;
  std::int64_t gemeente = 0;
  bool operator==(const MinuteHalves&) const = default;
};
[[nodiscard]] constexpr MinuteHalves split_minutes(std::int64_t total) { return {total >> 1, total - (total >> 1)}; }

/// Lays a share of a total on its lines by cumulative rounding: line i = share(sum up to i) - share(sum up to i-1), so
/// that the lines add up to share(total) exactly. `share` maps Cents to Cents and share(0) == 0.
template <class Share>
[[nodiscard]] std::vector<Cents> share_over_lines(std::span<const Cents> lines, Share share) {
  std::vector<Cents> out;
  out.reserve(lines.size());
  Cents before, given;
  for (Cents line : lines) {
    before += line;
    Cents now = share(before);
    out.push_back(now - given);
    given = now;
  }
  return out;
}

/// The SWV's part of every line; the lines add up to split_50_50(total, odd).swv.
[[nodiscard]] std::vector<Cents> swv_half_of_lines(std::span<const Cents> lines, OddCent odd = OddCent::gemeente);
/// The gemeente's part of every line: line - SWV part.
[[nodiscard]] std::vector<Cents> gemeente_half_of_lines(std::span<const Cents> lines, OddCent odd = OddCent::gemeente);

/// In JSON an amount is an integer number of cents. from_json throws nlohmann's type_error on anything else.
inline void to_json(nlohmann::json& j, Cents c) { j = c.value(); }
void from_json(const nlohmann::json& j, Cents& c);

}  // namespace schakel
