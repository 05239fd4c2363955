// From the broker's invoice to a UBL document. Pure. Source: facturatie.md section 2; VAT: CORE-MONEY-05.
#pragma once
#include "core/base/json.hpp"
#include "core/formats/ubl.hpp"

namespace schakel::mail {

struct InvoiceSettings {
  explicit InvoiceSettings(const Json& config);
  bool peppol;
  int payment_days;
  std::string reason_o, reason_e;
};

/// `invoice` is delivery.body.invoice; `reference` names the arrangement (a pseudonym) where the buyer gave no reference of its own.
/// INVOICE_MALFORMED when a field that must be there is not, INVOICE_PARTY_UNKNOWN without seller or buyer. Rules of UBL are not
/// checked here: check_ubl does.
[[nodiscard]] Result<formats::UblDocument> to_ubl(const Json& invoice, const std::string& reference, const InvoiceSettings& settings);

/// The number as a file name: anything but letters, digits, dot, dash and underscore becomes '-'; never starts with a dot.
[[nodiscard]] std::string file_name(const std::string& number);

}  // namespace schakel::mail
