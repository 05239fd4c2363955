// Who pays what: the plan of an invoice, and the amounts that follow from it (domain.md 9.1 and 9.2). Pure arithmetic.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "plugins/invoicing/rates.hpp"
#include "plugins/invoicing/state.hpp"

namespace schakel::invoicing {

/// Fixes `holder` and `groups` of an invoice that is about to be sent. `odd` is whose turn the odd cent is.
/// Also fixes the VAT treatment of each group, and of the whole, where the agreement says one thing of all its kinds.
void plan(LedgerEntry& invoice, const MoneyState& state, const Switches& switches, OddCent odd);

/// O, E or S for what this payer is asked: that of all kinds that it has a part of; empty where that is not one thing.
[[nodiscard]] std::string treatment_for(const LedgerEntry& invoice, std::string_view payer);

/// What the payers of one group owe of it; they add up to `cents` and `vat`.
struct GroupAmounts {
  const ShareGroup* group = nullptr;
  Cents cents, vat;
  std::vector<PayerAmount> payers;
};

struct Shares {
  Cents gross, vat;
  std::vector<GroupAmounts> groups;
  /// Every payer of the plan once, in the order gemeente, schoolbestuur, swv; adds up to gross and vat.
  std::vector<PayerAmount> payers;
  /// Of each payer the rates of exactly the lines that it pays; adds up to what a payer owes and, over the payers, to
  /// every rate. Empty unless every line has its rate.
  std::vector<std::vector<RatePart>> rates;

  [[nodiscard]] PayerAmount of(std::string_view role) const;
};

/// Amounts left of an invoice: by kind, and the VAT. `lines` may name a kind more than once.
/// Postcondition: the payers add up to the whole in gross and VAT, and nobody's share is negative.
[[nodiscard]] Shares share(const LedgerEntry& invoice, std::span<const LedgerLine> lines, Cents vat);

/// The lines left of an invoice after credits, kinds in the order of the invoice; each VAT rate of a kind apart where
/// that is wanted and every line has one. VAT of a rate that credits took beyond a kind is off the other kinds.
[[nodiscard]] std::vector<LedgerLine> lines_left(const LedgerEntry& invoice,
                                                 std::span<const LedgerEntry* const> credits, bool by_rate = true);
/// VAT left; never below 0: a provider may round the VAT of its credits up.
[[nodiscard]] Cents vat_left(const LedgerEntry& invoice, std::span<const LedgerEntry* const> credits);

/// HR-MONEY-01, CORE-MONEY-08: minutes of the education side.
[[nodiscard]] std::int64_t education_minutes(std::int64_t minutes, std::uint32_t education_bp);

/// Lays a payer's share of a group on the lines of that group; adds up to `share`.
[[nodiscard]] std::vector<Cents> lay_on_lines(Cents share, std::span<const Cents> lines);

}  // namespace schakel::invoicing
