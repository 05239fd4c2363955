// What the broker does not carry though it is a sound document: what it could only share by guessing.
#include <algorithm>

#include "core/formats/ubl.hpp"

namespace schakel::formats {

namespace {

constexpr std::size_t kMostFindings = 200;

/// The form of a number in messages, on documents and in file names of ours.
bool carried_number(std::string_view t) {
  auto letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !t.empty() && t.size() <= 40 && letter(t[0]) &&
         std::ranges::all_of(t, [&](char c) { return letter(c) || c == '.' || c == '_' || c == '/' || c == '-'; });
}

/// What is collected or was paid by card is no claim to pass on; who would pay it would pay it twice.
bool by_transfer(std::string_view code, std::string_view account) {
  return (code == "30" || code == "57" || code == "58") && looks_like_iban(account);  // and SCH-IBAN
}

}  // namespace

std::vector<Finding> check_carried(const UblDocument& d, std::optional<Date> today) {
  std::vector<Finding> out;
  const std::string root = d.credit_note ? "/CreditNote/" : "/Invoice/";
  auto add = [&](const char* rule, const char* where, const char* text) {
    if (out.size() < kMostFindings) out.push_back({root + where, "UBL_RULE", text, rule});
  };
  if (!d.credit_note && d.type_code == "384")
    add("SCH-TYPE", "InvoiceTypeCode",
        "a corrective invoice is not carried: credit the invoice (381) and send a new one");
  if (d.credit_note &&
      std::ranges::any_of(d.billing_references, [&](const auto& r) { return r != d.billing_references.front(); }))
    add("SCH-REFERENCE", "BillingReference", "a credit note takes back one invoice: send one for each");
  if (d.prepaid.value_or(Cents{}) != Cents{})
    add("SCH-PREPAID", "LegalMonetaryTotal/PrepaidAmount",
        "what was paid before belongs to nobody's share: invoice the whole");
  if (d.rounding.value_or(Cents{}) != Cents{})
    add("SCH-PREPAID", "LegalMonetaryTotal/PayableRoundingAmount", "a rounded amount cannot be shared to the cent");
  auto number = [&](const std::string& t, const char* where) {
    if (holds_bsn(t)) add("SCH-NUMBER", where, "the number holds nine digits that could be a BSN");
    if (!carried_number(t))
      add("SCH-NUMBER", where, "a number here has at most 40 letters, digits, points, dashes, underscores and slashes");
  };
  number(d.id, "ID");
  for (const auto& r : d.billing_references) number(r, "BillingReference");
  if (d.lines.size() > kMostLines)
    add("SCH-LINES", d.credit_note ? "CreditNoteLine" : "InvoiceLine", "more than 10,000 lines");
  if (d.taxes.size() > kMostRates) add("SCH-RATES", "TaxTotal/TaxSubtotal", "more than 100 VAT breakdowns");
  // A credit note takes off, however it is settled.
  if (!d.credit_note && d.payable > Cents{}) {
    bool transfer = d.payment_means.empty() || by_transfer(d.payment_means, d.iban);
    for (const auto& [code, account] : d.further_means)
      transfer = transfer && by_transfer(code, account) && account == d.iban;
    if (!transfer)
      add("SCH-PAYMENT", "PaymentMeans",
          "only what is to be paid by transfer (30, 57, 58) to one IBAN is passed on, not what is collected or was "
          "paid");
    if (d.payee && (d.payee->value.empty() || *d.payee != d.supplier.legal_id))
      add("SCH-PAYEE", "PayeeParty", "another than the seller is to be paid: the seller must ask for it itself");
  }
  if (today && std::chrono::sys_days(d.issue_date) > std::chrono::sys_days(*today) + std::chrono::days(1))
    add("SCH-DATE", "IssueDate", "the document is dated in the future");
  if (d.due_date && *d.due_date < d.issue_date)
    add("SCH-DATE", d.credit_note ? "PaymentMeans/PaymentDueDate" : "DueDate", "due before the date of the document");
  return out;
}

}  // namespace schakel::formats
