// What each payer gets back by a credit, in gross, VAT and rates (CORE-MONEY-04, CORE-MONEY-05). Pure arithmetic.
#pragma once
#include <optional>
#include <vector>

#include "plugins/invoicing/shares.hpp"

namespace schakel::invoicing {

struct GivenBack {
  /// As `after.payers`; below zero where rounding asks a payer for a cent more.
  std::vector<PayerAmount> payers;
  /// Of each payer the rates of the credit; nothing where the credit or the invoice does not say what they are of.
  std::optional<std::vector<std::vector<RatePart>>> rates;
};

/// `after` is what is borne of the lines that are left after the credit, `invoice.issued` what was before it.
///
/// Gross is what was issued less what is borne now, to the cent. VAT, and net and VAT of each rate, add up over the
/// payers to those of the credit, and no document has VAT without money or a part of another sign than its total.
/// Within that no payer gets back more of a rate than it was issued and did not get back yet, unless every way of
/// writing the credit takes as much too much; and the parts are nearest to what was issued less what is borne now.
///
/// So the credit that takes all that is left gives each payer exactly what it has left, per rate in net, VAT and gross,
/// and every row of every payer is zero then: always, but where a credit before it had to take too much of a rate. That
/// happens where gross is shared over all rates at once and a credit is of some: single cents of two rates in turn, of
/// an invoice shared half and half, are one payer's for the one rate and the other's for the other. The last credit
/// takes at most as many cents too much once more, so no part of a payer is off by more than twice the cents
/// that were taken too much before it. No number of cents bounds that for all invoices: each credit may add to it.
/// Where there are no rates the same holds of the VAT of a payer, which is left between nothing and its money. Where
/// the rates are not those of lines, the parts have to be near their rates besides (BR-S-09).
[[nodiscard]] GivenBack give_back(const LedgerEntry& credit, const LedgerEntry& invoice, const Shares& after);

}  // namespace schakel::invoicing
