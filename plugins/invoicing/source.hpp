// Reads a factuur, declaratie, doorbelasting or creditnota out of a message.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/model/ledger.hpp"
#include "core/model/message.hpp"

namespace schakel::invoicing {

/// The organisation that claims the money: its party or, where the sender is no party, the case and the role.
[[nodiscard]] std::string creditor_of(const Message& message);
/// zorgaanbieder_billing -> zorgaanbieder, gemeente_financien -> gemeente; other roles as they are.
[[nodiscard]] std::string payee_role(std::string_view sender_role);

/// A new ledger entry, not held and not shared yet. INVOICE_INVALID with a finding per mistake when the payload is not
/// an invoice that can be booked: no number, no lines, unknown kinds, amounts that are no whole cents from 0 to 100
/// billion euro, more VAT than money, a period that is none. Pure; never throws.
[[nodiscard]] Result<LedgerEntry> read_source(const Message& message);

}  // namespace schakel::invoicing
