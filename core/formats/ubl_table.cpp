// The elements of UBL 2.1 that the EN 16931 model uses, in UBL's order (facturatie.md 2.1). Open: what UBL has beside
// them (ubl_names.cpp) may stand between them and is passed over.
#include <array>

#include "core/formats/ubl.hpp"
#include "core/formats/ubl_codes.hpp"

namespace schakel::formats {
namespace {

using R = ElementRule;

constexpr TypeRule kText = [] {
  TypeRule t;
  t.name = "text";
  return t;
}();
constexpr TypeRule kDay = [] {
  TypeRule t;
  t.name = "date";
  t.kind = ValueKind::date;
  return t;
}();
constexpr TypeRule kNumber = [] {
  TypeRule t;
  t.name = "decimal";
  t.kind = ValueKind::decimal;
  return t;
}();
constexpr TypeRule kBoolean = [] {
  TypeRule t;
  t.name = "indicator";
  t.kind = ValueKind::boolean;
  return t;
}();

constexpr std::array<std::string_view, 1> kEur{"EUR"};
constexpr std::array kCurrency{AttributeRule{"currencyID", true, kEur}};
constexpr std::array kUnit{AttributeRule{"unitCode", true, {}}};
constexpr std::array kScheme{AttributeRule{"schemeID", true, {}}};
constexpr std::array kMime{AttributeRule{"mimeCode", true, {}}, AttributeRule{"filename", true, {}}};

constexpr unsigned kMany = kUnbounded;

constexpr R text(std::string_view name, unsigned min = 0, unsigned max = 1, std::string_view rule = {}) {
  R r;
  r.ns = kCbc, r.name = name, r.min = min, r.max = max, r.type = &kText, r.rule = rule, r.open = true, r.knows = in_ubl;
  return r;
}
constexpr R typed(R r, const TypeRule& type) {
  r.type = &type;
  return r;
}
constexpr R date(std::string_view name, unsigned min = 0, std::string_view rule = {}) {
  return typed(text(name, min, 1, rule), kDay);
}
constexpr R amount(std::string_view name, unsigned min = 0, std::string_view rule = {}) {
  R r = typed(text(name, min, 1, rule), kNumber);
  r.attributes = kCurrency;
  return r;
}
constexpr R group(std::string_view name, std::span<const R> children, unsigned min = 0, unsigned max = 1,
                  std::string_view rule = {}) {
  R r;
  r.ns = kCac, r.name = name, r.min = min, r.max = max, r.children = children, r.rule = rule, r.open = true,
  r.knows = in_ubl;
  return r;
}
/// Known by place only: not read, not looked into.
constexpr R passed(std::string_view ns, std::string_view name, unsigned max = kMany) {
  R r;
  r.ns = ns, r.name = name, r.min = 0, r.max = max, r.open = true, r.knows = in_ubl;
  return r;
}
constexpr R with(R r, std::span<const AttributeRule> attributes) {
  r.attributes = attributes;
  return r;
}

constexpr std::array kPeriod{date("StartDate"), date("EndDate"), passed(kCbc, "DescriptionCode")};
constexpr std::array kCountry{text("IdentificationCode", 1, 1, "BR-09")};
constexpr std::array kAddress{text("StreetName"),
                              text("AdditionalStreetName"),
                              text("CityName"),
                              text("PostalZone"),
                              text("CountrySubentity"),
                              passed(kCac, "AddressLine"),
                              group("Country", kCountry, 1, 1, "BR-09")};
constexpr std::array kTaxScheme{text("ID", 1)};
constexpr std::array kPartyTax{text("RegistrationName"), text("CompanyID"), group("TaxScheme", kTaxScheme, 1)};
constexpr std::array kLegal{text("RegistrationName", 1, 1, "BR-06"), text("CompanyID"), text("CompanyLegalForm")};
constexpr std::array kContact{text("Name"), text("Telephone"), text("ElectronicMail")};
constexpr std::array kPartyName{text("Name", 1)};
constexpr std::array kParty{with(text("EndpointID", 0, 1, "BR-62"), kScheme),
                            passed(kCac, "PartyIdentification"),
                            group("PartyName", kPartyName, 0, 1),
                            group("PostalAddress", kAddress, 1, 1, "BR-08"),
                            group("PartyTaxScheme", kPartyTax, 0, 2),
                            group("PartyLegalEntity", kLegal, 1, 1, "BR-06"),
                            group("Contact", kContact)};
constexpr std::array kSupplier{group("Party", kParty, 1, 1, "BR-06")};
constexpr std::array kOrder{text("ID", 1)};
constexpr std::array kReference{text("ID", 1, 1, "BR-55"), date("IssueDate")};
constexpr std::array kBilling{group("InvoiceDocumentReference", kReference, 1, 1, "BR-55")};
constexpr std::array kExternal{text("URI", 1)};
constexpr std::array kAttachment{with(text("EmbeddedDocumentBinaryObject", 0, 1, "BR-CL-24"), kMime),
                                 group("ExternalReference", kExternal)};
constexpr std::array kDocumentReference{text("ID", 1, 1, "BR-52"), text("DocumentTypeCode"),
                                        text("DocumentDescription"), group("Attachment", kAttachment)};
constexpr std::array kAccount{text("ID", 1, 1, "BR-50"), text("Name"), passed(kCac, "FinancialInstitutionBranch", 1)};
constexpr std::array kMeans{text("PaymentMeansCode", 1, 1, "BR-49"),
                            date("PaymentDueDate"),
                            text("PaymentID", 0, kMany),
                            passed(kCac, "CardAccount", 1),
                            group("PayeeFinancialAccount", kAccount),
                            passed(kCac, "PaymentMandate", 1)};
constexpr std::array kTerms{text("Note", 0, 1)};
constexpr std::array kCategory{text("ID", 1, 1, "BR-47"), typed(text("Percent"), kNumber),
                               text("TaxExemptionReasonCode"), text("TaxExemptionReason"),
                               group("TaxScheme", kTaxScheme, 1)};
constexpr std::array kAllowance{typed(text("ChargeIndicator", 1), kBoolean),
                                text("AllowanceChargeReasonCode"),
                                text("AllowanceChargeReason"),
                                typed(text("MultiplierFactorNumeric"), kNumber),
                                amount("Amount", 1, "BR-31"),
                                amount("BaseAmount"),
                                group("TaxCategory", kCategory)};
constexpr std::array kSubtotal{amount("TaxableAmount", 1, "BR-45"), amount("TaxAmount", 1, "BR-46"),
                               group("TaxCategory", kCategory, 1, 1, "BR-47")};
constexpr std::array kTaxTotal{amount("TaxAmount", 1), group("TaxSubtotal", kSubtotal, 0, kMany)};
constexpr std::array kTotals{amount("LineExtensionAmount", 1, "BR-12"),
                             amount("TaxExclusiveAmount", 1, "BR-13"),
                             amount("TaxInclusiveAmount", 1, "BR-14"),
                             amount("AllowanceTotalAmount"),
                             amount("ChargeTotalAmount"),
                             amount("PrepaidAmount"),
                             amount("PayableRoundingAmount"),
                             amount("PayableAmount", 1, "BR-15")};
constexpr std::array kItemId{text("ID", 1)};
constexpr std::array kProperty{text("Name", 1, 1, "BR-54"), text("Value", 1, 1, "BR-54")};
constexpr std::array kLineCategory{text("ID", 1, 1, "BR-CO-04"), typed(text("Percent"), kNumber),
                                   group("TaxScheme", kTaxScheme, 1)};
constexpr std::array kItem{text("Description"),
                           text("Name", 1, 1, "BR-25"),
                           passed(kCac, "BuyersItemIdentification", 1),
                           group("SellersItemIdentification", kItemId),
                           passed(kCac, "StandardItemIdentification", 1),
                           passed(kCac, "OriginCountry", 1),
                           passed(kCac, "CommodityClassification"),
                           group("ClassifiedTaxCategory", kLineCategory, 1, 1, "BR-CO-04"),
                           group("AdditionalItemProperty", kProperty, 0, kMany)};
constexpr std::array kPrice{amount("PriceAmount", 1, "BR-26"), typed(text("BaseQuantity"), kNumber),
                            passed(kCac, "AllowanceCharge")};

template <bool Credit>
struct Tables {
  static constexpr std::array kLine = [] {
    auto quantity = with(typed(text(Credit ? "CreditedQuantity" : "InvoicedQuantity", 1, 1, "BR-22"), kNumber), kUnit);
    return std::array{text("ID", 1, 1, "BR-21"),
                      text("Note"),
                      quantity,
                      amount("LineExtensionAmount", 1, "BR-24"),
                      passed(kCbc, "AccountingCost", 1),
                      group("InvoicePeriod", kPeriod),
                      passed(kCac, "OrderLineReference"),
                      passed(kCac, "DocumentReference"),
                      group("AllowanceCharge", kAllowance, 0, kMany),
                      group("Item", kItem, 1, 1, "BR-25"),
                      group("Price", kPrice, 1, 1, "BR-26")};
  }();
  static constexpr std::array kHeadInvoice{date("DueDate"), text("InvoiceTypeCode", 1, 1, "BR-04"),
                                           text("Note", 0, kMany), date("TaxPointDate")};
  static constexpr std::array kHeadCredit{date("TaxPointDate"), text("CreditNoteTypeCode", 1, 1, "BR-04"),
                                          text("Note", 0, kMany), passed(kCbc, "_", 1)};
  // UBL orders the references of a credit note differently.
  static constexpr std::array kReferencesInvoice{
      passed(kCac, "StatementDocumentReference"), passed(kCac, "OriginatorDocumentReference"),
      passed(kCac, "ContractDocumentReference"), group("AdditionalDocumentReference", kDocumentReference, 0, kMany),
      passed(kCac, "ProjectReference")};
  static constexpr std::array kReferencesCredit{
      passed(kCac, "ContractDocumentReference"), group("AdditionalDocumentReference", kDocumentReference, 0, kMany),
      passed(kCac, "StatementDocumentReference"), passed(kCac, "OriginatorDocumentReference"), passed(kCac, "_")};
  static constexpr auto& kHead = [] -> auto& {
    if constexpr (Credit)
      return kHeadCredit;
    else
      return kHeadInvoice;
  }();
  static constexpr auto& kReferences = [] -> auto& {
    if constexpr (Credit)
      return kReferencesCredit;
    else
      return kReferencesInvoice;
  }();
  static constexpr std::array kRoot{passed(kCbc, "UBLVersionID", 1),
                                    text("CustomizationID", 1, 1, "BR-01"),
                                    text("ProfileID"),
                                    text("ID", 1, 1, "BR-02"),
                                    passed(kCbc, "CopyIndicator", 1),
                                    passed(kCbc, "UUID", 1),
                                    date("IssueDate", 1, "BR-03"),
                                    passed(kCbc, "IssueTime", 1),
                                    kHead[0],
                                    kHead[1],
                                    kHead[2],
                                    kHead[3],
                                    text("DocumentCurrencyCode", 1, 1, "BR-05"),
                                    text("TaxCurrencyCode"),
                                    passed(kCbc, "AccountingCost", 1),
                                    passed(kCbc, "LineCountNumeric", 1),
                                    text("BuyerReference"),
                                    group("InvoicePeriod", kPeriod),
                                    group("OrderReference", kOrder),
                                    group("BillingReference", kBilling, 0, kMany),
                                    passed(kCac, "DespatchDocumentReference"),
                                    passed(kCac, "ReceiptDocumentReference"),
                                    kReferences[0],
                                    kReferences[1],
                                    kReferences[2],
                                    kReferences[3],
                                    kReferences[4],
                                    passed(kCac, "Signature"),
                                    group("AccountingSupplierParty", kSupplier, 1, 1, "BR-06"),
                                    group("AccountingCustomerParty", kSupplier, 1, 1, "BR-07"),
                                    passed(kCac, "PayeeParty", 1),
                                    passed(kCac, "TaxRepresentativeParty", 1),
                                    passed(kCac, "Delivery"),
                                    group("PaymentMeans", kMeans, 0, kMany),
                                    group("PaymentTerms", kTerms),
                                    passed(kCac, "PrepaidPayment"),
                                    group("AllowanceCharge", kAllowance, 0, kMany),
                                    group("TaxTotal", kTaxTotal, 1, 1, "BR-CO-15"),
                                    group("LegalMonetaryTotal", kTotals, 1),
                                    group(Credit ? "CreditNoteLine" : "InvoiceLine", kLine, 1, kMany, "BR-16")};
  static constexpr R kDocument = [] {
    R r;
    r.ns = Credit ? kUblCreditNote : kUblInvoice, r.name = Credit ? "CreditNote" : "Invoice", r.children = kRoot,
    r.open = true, r.knows = in_ubl;
    return r;
  }();
};

}  // namespace

const ElementRule& ubl_invoice_table() { return Tables<false>::kDocument; }
const ElementRule& ubl_credit_note_table() { return Tables<true>::kDocument; }

}  // namespace schakel::formats
