// Message types that are an invoice (domain.md section 9): their recipients are payers, found by the invoicing decider.
#pragma once
#include <algorithm>
#include <array>
#include <string_view>

namespace schakel {

inline constexpr std::array<std::string_view, 4> kInvoiceTypes = {"factuur", "declaratie", "creditnota",
                                                                  "doorbelasting"};

[[nodiscard]] constexpr bool is_invoice_type(std::string_view message_type) {
  return std::ranges::find(kInvoiceTypes, message_type) != kInvoiceTypes.end();
}

}  // namespace schakel
