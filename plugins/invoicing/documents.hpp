// Writes what leaves: the forwarded invoice and what is re-invoiced from it, with everything an e-invoice needs later.
#pragma once
#include <vector>

#include "plugins/invoicing/shares.hpp"

namespace schakel::invoicing {

struct Written {
  std::vector<InvoiceOut> invoices;
  std::vector<std::string> payers;  ///< roles that got something, in order
  std::vector<PayerAmount> zero;    ///< shares of 0 cents of a shared part that is not 0 (CORE-MONEY-09), by payer
  Json facts = Json::object();      ///< what an explanation shows
};

/// Gives a document that the broker makes its number: the creditor's own series, or what the scheme of domain.md 9.2
/// made of the source's number, told apart where another source made the same.
class Numbering {
 public:
  Numbering() = default;
  /// `facts` are the registers of `numbering_keys`; `year` is that of the issue date in the Netherlands.
  Numbering(const Switches& switches, const std::map<std::string, Json>& facts, std::string region, int year);
  [[nodiscard]] std::string next(const std::string& creditor, const std::string& scheme_number);
  /// Registers that changed; they go into the transaction of the decision, so that no number is lost or given twice.
  [[nodiscard]] std::vector<RegisterWrite> writes() const;

 private:
  [[nodiscard]] Json value(const std::string& key) const;
  std::map<std::string, std::string> series_;
  std::map<std::string, Json> known_;
  std::map<std::string, Json> changed_;
  std::string region_;
  int year_ = 0;
};
/// Keys of the registers that numbering may look at when these are sent.
[[nodiscard]] std::vector<std::string> numbering_keys(const Switches& switches, const std::string& region,
                                                      std::span<const LedgerEntry* const> sources);

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
