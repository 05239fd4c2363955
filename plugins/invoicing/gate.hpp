// G-MONEY: may this invoice be forwarded now (domain.md 4.1, CORE-MONEY-06, CORE-MONEY-07).
#pragma once
#include <string>
#include <vector>

#include "plugins/invoicing/state.hpp"

namespace schakel::invoicing {

/// What came in compared with what is known: first of all questions (domain.md 4.1).
enum class Seen { fresh, duplicate, conflict };
struct Compared {
  Seen seen = Seen::fresh;
  std::string why;  ///< rule id: CORE-MONEY-06 or CORE-MONEY-04
  Json facts = Json::object();
};
/// `elsewhere` is the register entry of this key, written by any case; null when there is none.
[[nodiscard]] Compared compare(const LedgerEntry& incoming, const Ledger& ledger, const Json& elsewhere);
/// The kind of which a credit takes more than is left of its invoice, or nothing. Where all lines name their VAT rate:
/// in net of each kind and rate, and in VAT of each rate; of that a kind may give a cent per line more than was laid on
/// it. Else in gross of each kind. Credits that are held take nothing yet.
[[nodiscard]] std::optional<LedgerLine> exceeds(const LedgerEntry& credit, const LedgerEntry& invoice,
                                                const Ledger& ledger);
/// Key of that register entry.
[[nodiscard]] std::string register_key(const LedgerEntry& entry);

/// Failing codes in the order of the gate. `shares_with_swv` says whether SWV money would be used if it were sent now.
/// A credit is judged by its own lines and the period of the invoice it takes from.
[[nodiscard]] std::vector<std::string> money_codes(const LedgerEntry& entry, const MoneyState& state,
                                                   const Switches& switches, bool shares_with_swv);

/// Codes that block for good, as opposed to those that hold until they are lifted.
[[nodiscard]] bool blocks(std::string_view code);

}  // namespace schakel::invoicing
