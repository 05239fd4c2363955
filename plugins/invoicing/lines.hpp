// What a document says, line by line, in Dutch: {kind, cents, share_cents, description}, and {percent, category} where
// the source says them per line.
#pragma once
#include <string_view>
#include <vector>

#include "plugins/invoicing/shares.hpp"

namespace schakel::invoicing {

/// One payer's lines: those in whose group it has a part. `sign` is -1 on a credit note. No text of the source is
/// passed on: an invoice to a mailbox carries no personal data (CORE-RET-03, Q-47).
[[nodiscard]] Json lines_for(std::string_view payer, const LedgerEntry& source, const LedgerEntry& period_of,
                             const std::vector<GroupAmounts>& groups,
                             const std::vector<std::vector<PayerAmount>>& amounts, std::int64_t sign);

/// All lines of the source, of the period of `period_of`, as they are passed on to who gets the whole invoice.
[[nodiscard]] Json source_lines(const LedgerEntry& source, const LedgerEntry& period_of, std::int64_t sign);

}  // namespace schakel::invoicing
