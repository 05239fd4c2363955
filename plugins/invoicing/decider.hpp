// The money stage: forwards, splits, holds, releases and refuses invoices (domain.md 4.1 G-MONEY, 9, 14.2).
#pragma once
#include "schakel/decider.hpp"

namespace schakel::invoicing {

/// Stateless; what it remembers is the ledger of the case (core/model/ledger.hpp) and one register entry per invoice.
/// Thread: any.
class InvoicingDecider final : public Decider {
 public:
  [[nodiscard]] std::string_view stage() const override { return "invoicing"; }
  [[nodiscard]] std::vector<std::string> reads(const CaseFile& file, const Message& message,
                                               const Profile& profile) const override;
  [[nodiscard]] Draft decide(FactView& view, const Facts& facts, Draft draft) const override;
};

}  // namespace schakel::invoicing
