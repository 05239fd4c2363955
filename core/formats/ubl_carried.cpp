// What the broker does not carry though it is a sound document: what it could only share by guessing.
#include <algorithm>

#include "core/formats/ubl.hpp"

namespace schakel::formats {

std::vector<Finding> check_carried(const UblDocument& d) {
  std::vector<Finding> out;
  const std::string root = d.credit_note ? "/CreditNote/" : "/Invoice/";
  auto add = [&](const char* rule, const char* where, const char* text) {
    out.push_back({root + where, "UBL_RULE", text, rule});
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
  if (holds_bsn(d.id)) add("SCH-NUMBER", "ID", "the number holds nine digits that could be a BSN");
  for (const auto& r : d.billing_references)
    if (holds_bsn(r)) add("SCH-NUMBER", "BillingReference", "the number holds nine digits that could be a BSN");
  return out;
}

}  // namespace schakel::formats
