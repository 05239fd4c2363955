// From the broker's invoice to a UBL document, and to the files that go out. Pure. Source: facturatie.md section 2;
// VAT: CORE-MONEY-05.
#pragma once
#include "core/base/json.hpp"
#include "core/formats/ubl.hpp"

namespace schakel::formats {

/// How one channel writes its invoices.
struct InvoiceSettings {
  explicit InvoiceSettings(const Json& config);
  bool peppol;
  bool embed_pdf;
  int payment_days;
  std::string reason_o, reason_e;
};

/// `invoice` is delivery.body.invoice; `reference` names the arrangement (a pseudonym) where the buyer gave no
/// reference of its own. INVOICE_MALFORMED when a field that must be there is not, INVOICE_PARTY_UNKNOWN without seller
/// or buyer. Rules of UBL are not checked here: check_ubl does.
///
/// VAT follows `vat_treatment` of the agreement: O outside scope and E exempt ask for the gross amount without VAT; S
/// passes the VAT on as it was charged, a line per rate of `vat_rates`, also where it rounds to nothing. With
/// `vat_of_source` it is the invoice of who made the source, and says the categories and rates of `vat_rates` whatever
/// was agreed. Without a treatment the seller's own category counts (`vat_category`); S with VAT and without rates is
/// INVOICE_MALFORMED: no rate is ever guessed. `issue_date`, `due_date` and `payment_id` stand for an invoice that is
/// passed on as it came; else the day of `issued`, `payment_days` after it, and the number. A line may have a `period`
/// [from, to] of its own.
[[nodiscard]] Result<UblDocument> to_ubl(const Json& invoice, const std::string& reference,
                                         const InvoiceSettings& settings);

/// What a document asks, a credit note below zero: {bedragCent, btw: [{categorie, tarief, nettoCent, btwCent}]}.
[[nodiscard]] Json stated_amounts(const UblDocument& document);

/// The number as a file name: anything but letters, digits, dot, dash and underscore becomes '-'; never starts with a
/// dot.
[[nodiscard]] std::string file_name(const std::string& number);

/// One invoice as it leaves: the same input gives the same bytes on every channel, at every attempt and in an export.
struct InvoiceFiles {
  std::string name;  ///< of both files, without extension
  UblDocument document;
  std::string xml, pdf;  ///< `pdf` empty when neither wanted nor embedded
};
/// UBL_INVALID with the broken rules, and what to_ubl, render_invoice_pdf and write_ubl say.
[[nodiscard]] Result<InvoiceFiles> invoice_files(const Json& invoice, const std::string& reference,
                                                 const InvoiceSettings& settings, bool want_pdf = true);

/// The rules that a document breaks, as one code that fits a dead letter: UBL_INVALID:BR-NL-2,BR-50.
[[nodiscard]] std::string code_with_rules(const Error& error);

}  // namespace schakel::formats
