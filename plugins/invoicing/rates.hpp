// Amounts per VAT rate: what each payer has of the rates of a source. Pure arithmetic.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/json.hpp"
#include "core/base/money.hpp"

namespace schakel::invoicing {

struct PayerAmount {
  std::string role;
  Cents gross, vat;
  bool operator==(const PayerAmount&) const = default;
};

/// Net and VAT of one rate.
struct RatePart {
  std::string percent, category;
  Cents net, vat;
};
/// As rows of `vat_rates`, without those of nothing.
[[nodiscard]] Json rates_json(const std::vector<RatePart>& parts);

/// The rates of lines that are shared alike over their payers, the same money: rows add up to net and VAT of a payer,
/// columns to those of a rate, no part is negative and each is within some cents of its rate.
[[nodiscard]] std::vector<std::vector<RatePart>> share_group_rates(std::span<const PayerAmount> payers,
                                                                   const std::vector<RatePart>& rates);

/// Is the VAT of every part within half a euro of its net at the rate of the whole, as a validator will see it?
[[nodiscard]] bool near_rates(const std::vector<std::vector<RatePart>>& rows, const std::vector<RatePart>& rates);

/// For a source that names no rate per line. VAT per rate for each payer: rows add up to a payer's net and VAT, columns
/// to those of a rate, no part is negative. The last payer takes what is left, so nothing is lost or made. nullopt when
/// payers and rates are not the same money.
[[nodiscard]] std::optional<std::vector<Json>> share_rates(std::span<const PayerAmount> payers, const Json& rates);

}  // namespace schakel::invoicing
