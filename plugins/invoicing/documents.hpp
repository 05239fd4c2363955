// Who gets which document: the forwarded invoice and what is re-invoiced from it, with everything an e-invoice needs
// later.
#pragma once
#include <vector>

#include "plugins/invoicing/numbering.hpp"
#include "plugins/invoicing/shares.hpp"

namespace schakel::invoicing {

struct Written {
  std::vector<InvoiceOut> invoices;
  std::vector<std::string> payers;  ///< roles that got something, in order
  std::vector<PayerAmount> zero;    ///< shares of 0 cents of a shared part that is not 0 (CORE-MONEY-09), by payer
  Json facts = Json::object();      ///< what an explanation shows
};

/// Sends a planned invoice: fills `invoice.issued`.
[[nodiscard]] Written write_invoice(LedgerEntry& invoice, const Switches& switches, std::int64_t released_by,
                                    Numbering& numbering);

/// Sends a credit on `invoice`, which was sent. `sent_credits` are the credits on it that went before this one.
/// The shares are computed again on what is left and the difference is credited (CORE-MONEY-04); updates
/// `invoice.issued`.
[[nodiscard]] Written write_credit(const LedgerEntry& credit, LedgerEntry& invoice,
                                   std::span<const LedgerEntry* const> sent_credits, const Switches& switches,
                                   std::int64_t released_by, Numbering& numbering);

/// gemeente -> gemeente_financien, swv -> swv_financien, schoolbestuur -> schoolbestuur (domain.md 14.2).
[[nodiscard]] std::string finance_role(std::string_view payer);

}  // namespace schakel::invoicing
