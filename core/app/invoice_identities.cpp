#include "core/app/invoice_identities.hpp"

#include "core/formats/values.hpp"

namespace schakel::app {

std::vector<Finding> check_invoice_identities(const Parties& parties) {
  std::vector<Finding> out;
  for (const auto& party : parties.all()) {
    if (!party.invoice) continue;
    const auto& v = *party.invoice;
    auto need = [&](bool ok, const char* field, const char* code, const char* words, const char* rule) {
      if (!ok) out.push_back({"parties.json#" + party.id + "/invoice/" + field, code, words, rule});
    };
    need(v.oin.empty() || formats::issued_oin(v.oin), "oin", "OIN_FORMAT", "not an OIN that can have been given out",
         "SCH-OIN");
    need(v.kvk.empty() || formats::valid_kvk(v.kvk), "kvk", "KVK_FORMAT", "a KvK number is 8 digits", "SCH-KVK");
    need(v.iban.empty() || formats::valid_iban(v.iban), "iban", "IBAN_CHECK", "the IBAN fails its check (no spaces)",
         "SCH-IBAN");
    need(v.vat_number.empty() || !v.vat_number.starts_with("NL") || formats::valid_vat_nl(v.vat_number), "vat_number",
         "VAT_NUMBER", "a Dutch VAT number is NL123456789B01", "SCH-VAT");
    bool charges = v.vat_category == "E" || v.vat_category == "S";
    need(charges || v.vat_category == "O", "vat_category", "VAT_CATEGORY", "O, E or S", "SCH-CATEGORY");
    need(!charges || !v.vat_number.empty(), "vat_number", "VAT_NUMBER_NEEDED",
         "a seller that charges VAT or is exempt from it has a VAT number",
         v.vat_category == "E" ? "BR-E-02" : "BR-S-02");
  }
  return out;
}

}  // namespace schakel::app
