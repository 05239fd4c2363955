// The rules of EN 16931, NLCIUS and Peppol BIS 3 that concern us, natively, and the ones that nobody else checks.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/formats/ubl.hpp"
#include "core/formats/ubl_codes.hpp"

namespace schakel::formats {
namespace {

using Words = std::initializer_list<std::string_view>;
bool one_of(std::string_view value, Words words) { return std::ranges::find(words, value) != words.end(); }

class Rules {
 public:
  explicit Rules(const UblDocument& d)
      : d_(d),
        peppol_(d.customization == kPeppolBis3),
        plain_(d.customization == kEn16931),
        dutch_(d.supplier.country == "NL" && !plain_) {}

  std::vector<Finding> run() && {
    header();
    parties();
    references();
    payment();
    totals();
    for (std::size_t i = 0; i < d_.lines.size(); ++i) line(d_.lines[i], i);
    auto vat = check_ubl_vat(d_);
    out_.insert(out_.end(), std::make_move_iterator(vat.begin()), std::make_move_iterator(vat.end()));
    return std::move(out_);
  }

 private:
  /// Where something stands; written out only when it is wrong.
  struct Where {
    std::string_view path, rest{};
    std::size_t line = 0;  ///< number of the line, 0 when it is not in one
    constexpr Where(std::string_view p, std::string_view r = {}) : path(p), rest(r) {}
    constexpr Where(const char* p) : path(p) {}
    static constexpr Where in_line(std::size_t number, std::string_view rest = {}) {
      Where w(std::string_view{}, rest);
      w.line = number;
      return w;
    }
  };
  void add(std::string_view rule, const Where& where, std::string text) {
    if (out_.size() >= 200) return;
    auto at = fmt::format("/{}/{}", d_.credit_note ? "CreditNote" : "Invoice", where.path);
    if (where.line) at += fmt::format("{}[{}]", d_.credit_note ? "CreditNoteLine" : "InvoiceLine", where.line);
    at += where.rest;
    out_.push_back({std::move(at), "UBL_RULE", std::move(text), std::string(rule)});
  }
  void need(bool ok, std::string_view rule, const Where& where, const char* text) {
    if (!ok) add(rule, where, text);
  }

  void header() {
    need(d_.customization == kNlcius || peppol_ || plain_, "PROFILE", "CustomizationID",
         "CustomizationID is neither EN 16931, NLCIUS nor Peppol BIS 3");
    need(!d_.id.empty(), "BR-02", "ID", "the invoice has no number");
    need(d_.issue_date.ok(), "BR-03", "IssueDate", "the invoice has no issue date");
    need(d_.currency == "EUR", "SCH-EUR", "DocumentCurrencyCode", "only invoices in euro are carried");
    if (d_.credit_note) {
      need(one_of(d_.type_code, {"381"}), plain_ ? "SCH-TYPE" : "BR-NL-8", "CreditNoteTypeCode",
           "a CreditNote has type 381");
    } else {
      need(d_.type_code != "381", plain_ ? "BR-CL-01" : "BR-NL-8", "InvoiceTypeCode", "type 381 is a CreditNote");
      need(one_of(d_.type_code, {"380", "381", "384", "389"}), plain_ ? "SCH-TYPE" : "BR-NL-7", "InvoiceTypeCode",
           "the type is not 380, 384 or 389");
      need(!peppol_ || one_of(d_.type_code, {"380", "381"}), "PEPPOL-EN16931-P0100", "InvoiceTypeCode",
           "Peppol has no 384 and 389: credit and invoice anew");
    }
    need(plain_ || !d_.buyer_reference.empty() || !d_.order_reference.empty(), "BR-NL-2", "BuyerReference",
         "a buyer reference or an order reference is required");
    period(d_.period, "InvoicePeriod");
    if (d_.due_date && !d_.due_date->ok()) add("BR-CO-25", "DueDate", "the due date does not exist");
    // Of the rules of 2023; the NLCIUS in force has it still.
    need(plain_ || d_.payable <= Cents{} || d_.due_date || !d_.payment_terms.empty(), "BR-CO-25", "DueDate",
         "a due date or payment terms are required");
    if (peppol_) need(!d_.profile.empty(), "PEPPOL-EN16931-R001", "ProfileID", "Peppol requires the ProfileID");
    need(d_.notes.size() <= 1 || !peppol_, "PEPPOL-EN16931-R002", "Note", "Peppol allows one note");
  }

  void period(const std::optional<UblPeriod>& p, const Where& where) {
    if (!p) return;
    need(p->start || p->end, "BR-CO-19", where, "a period has a start or an end");
    need(!p->start || !p->end || *p->start <= *p->end, "BR-29", where, "the period ends before it starts");
  }

  void identifier(const UblId& id, const Where& where) {
    if (id.value.empty()) return;
    if (id.scheme == "0106") need(valid_kvk(id.value), "SCH-KVK", where, "a KvK number is 8 digits");
    if (id.scheme == "0190")
      need(issued_oin(id.value), "SCH-OIN", where,
           "an OIN is a prefix from 00000001 to 00000099, nine digits or capitals, and 000");
    if (id.scheme == "9944") need(valid_vat_nl(id.value), "SCH-VAT", where, "a Dutch VAT number is NL123456789B01");
  }

  void party(const UblParty& p, std::string_view where, std::string_view name_rule, std::string_view country_rule) {
    auto at = [&](std::string_view rest) { return Where(where, rest); };
    need(!p.registration_name.empty(), name_rule, at("/Party/PartyLegalEntity/RegistrationName"),
         "the registered name is required");
    need(!p.country.empty(), country_rule, at("/Party/PostalAddress/Country"), "the country is required");
    need(p.country.empty() || in_code_list(CodeList::country, p.country), "BR-CL-14",
         at("/Party/PostalAddress/Country"), "the country is not in ISO 3166-1");
    identifier(p.legal_id, at("/Party/PartyLegalEntity/CompanyID"));
    identifier(p.endpoint, at("/Party/EndpointID"));
    if (p.vat_number.starts_with("NL"))
      need(valid_vat_nl(p.vat_number), "SCH-VAT", at("/Party/PartyTaxScheme/CompanyID"),
           "a Dutch VAT number is NL123456789B01");
    if (peppol_)
      need(!p.endpoint.value.empty(),
           where.starts_with("AccountingSupplier") ? "PEPPOL-EN16931-R020" : "PEPPOL-EN16931-R010",
           at("/Party/EndpointID"), "Peppol requires an endpoint");
    need(p.endpoint.value.empty() || !p.endpoint.scheme.empty(),
         where.starts_with("AccountingSupplier") ? "BR-62" : "BR-63", at("/Party/EndpointID"),
         "an endpoint has a scheme");
    need(p.endpoint.scheme.empty() || in_code_list(CodeList::endpoint, p.endpoint.scheme), "BR-CL-25",
         at("/Party/EndpointID"), "the endpoint scheme is not one that we know");
  }

  void parties() {
    party(d_.supplier, "AccountingSupplierParty", "BR-06", "BR-09");
    party(d_.customer, "AccountingCustomerParty", "BR-07", "BR-11");
    if (!dutch_) return;
    auto known = [](const UblParty& p) {
      return one_of(p.legal_id.scheme, {"0106", "0190"}) && !p.legal_id.value.empty();
    };
    auto address = [](const UblParty& p) { return !p.street.empty() && !p.city.empty() && !p.zip.empty(); };
    need(known(d_.supplier), "BR-NL-1", "AccountingSupplierParty/Party/PartyLegalEntity/CompanyID",
         "the seller has a KvK number (0106) or an OIN (0190)");
    need(address(d_.supplier), "BR-NL-3", "AccountingSupplierParty/Party/PostalAddress",
         "the seller's street, city and postal code are required");
    if (d_.customer.country != "NL") return;
    need(address(d_.customer), "BR-NL-4", "AccountingCustomerParty/Party/PostalAddress",
         "the buyer's street, city and postal code are required");
    need(known(d_.customer), "BR-NL-10", "AccountingCustomerParty/Party/PartyLegalEntity/CompanyID",
         "the buyer has a KvK number (0106) or an OIN (0190)");
  }

  void references() {
    for (const auto& r : d_.billing_references)
      need(!r.empty(), "BR-55", "BillingReference", "a reference to an invoice has its number");
    bool have = !d_.billing_references.empty();
    need(d_.type_code != "384" || have, "BR-NL-9", "BillingReference",
         "a corrective invoice names the invoice that it corrects");
    need(!d_.credit_note || have, plain_ ? "SCH-REFERENCE" : "NL-R-001", "BillingReference",
         "a credit note names the invoice that it corrects");
    for (const auto& a : d_.attachments) {
      need(!a.id.empty(), "BR-52", "AdditionalDocumentReference/ID", "an attached document has an id");
      if (a.mime.empty() && a.content.empty()) continue;
      need(one_of(a.mime, {"application/pdf", "image/png", "image/jpeg", "text/csv",
                           "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                           "application/vnd.oasis.opendocument.spreadsheet"}),
           "BR-CL-24", "AdditionalDocumentReference", "only pdf, png, jpeg, csv, xlsx and ods may be attached");
      need(!a.filename.empty(), "SCH-ATTACHMENT", "AdditionalDocumentReference", "an embedded file has a name");
    }
  }

  void payment() {
    constexpr std::string_view kAt = "PaymentMeans";
    need(!dutch_ || d_.payable <= Cents{} || !d_.payment_means.empty(), "BR-NL-11", kAt,
         "a means of payment is required");
    if (d_.payment_means.empty()) return;
    need(!dutch_ || one_of(d_.payment_means, {"30", "48", "49", "57", "58", "59"}), "BR-NL-12", kAt,
         "the code is not 30, 48, 49, 57, 58 or 59");
    need(in_code_list(CodeList::payment_means, d_.payment_means), "BR-CL-16", kAt,
         "the means of payment is not in its list");
    bool transfer = one_of(d_.payment_means, {"30", "58"});
    need(!transfer || !d_.iban.empty(), "BR-61", "PaymentMeans/PayeeFinancialAccount/ID",
         "a credit transfer needs an account");
    need(!(transfer ? !d_.iban.empty() : looks_like_iban(d_.iban)) || valid_iban(d_.iban), "SCH-IBAN",
         "PaymentMeans/PayeeFinancialAccount/ID",
         d_.iban.find(' ') == std::string::npos ? "the IBAN fails its check"
                                                : "an IBAN in an e-invoice is written without blanks");
  }

  void totals() {
    constexpr std::string_view kAt = "LegalMonetaryTotal";
    need(!d_.lines.empty(), "BR-16", "InvoiceLine", "an invoice has a line");
    Cents lines, allowances, charges, tax;
    for (const auto& l : d_.lines) lines += l.net;
    for (const auto& a : d_.allowances) (a.charge ? charges : allowances) += a.amount;
    for (const auto& t : d_.taxes) tax += t.tax;
    need(lines == d_.line_total, "BR-CO-10", kAt, "the line total is not the sum of the lines");
    need(d_.allowance_total.value_or(Cents{}) == allowances, "BR-CO-11", kAt,
         "the allowance total is not the sum of the allowances");
    need(d_.charge_total.value_or(Cents{}) == charges, "BR-CO-12", kAt,
         "the charge total is not the sum of the charges");
    need(d_.line_total - allowances + charges == d_.tax_exclusive, "BR-CO-13", kAt,
         "the total without VAT does not add up");
    need(tax == d_.tax_total, "BR-CO-14", "TaxTotal/TaxAmount", "the VAT total is not the sum of its breakdown");
    need(d_.tax_exclusive + d_.tax_total == d_.tax_inclusive, "BR-CO-15", kAt, "the total with VAT does not add up");
    need(d_.tax_inclusive - d_.prepaid.value_or(Cents{}) + d_.rounding.value_or(Cents{}) == d_.payable, "BR-CO-16", kAt,
         "the amount due does not add up");
    if (d_.credit_note)
      need(d_.payable >= Cents{} && d_.tax_inclusive >= Cents{} && d_.line_total >= Cents{}, "SCH-CREDIT", kAt,
           "a credit note has positive amounts");
    else if (d_.type_code == "380" || d_.type_code == "389")
      need(d_.payable >= Cents{} && d_.tax_inclusive >= Cents{}, "SCH-CREDIT", kAt,
           "an invoice of less than zero is a credit note");
  }

  void line(const UblLine& l, std::size_t index) {
    auto at = Where::in_line(index + 1);
    need(!l.id.empty(), "BR-21", at, "a line has an id");
    need(!l.unit.empty(), "BR-23", at, "a quantity has a unit");
    need(l.unit.empty() || in_code_list(CodeList::unit, l.unit), "BR-CL-23", at,
         "the unit is not a code of Recommendation 20 or 21");
    need(!l.name.empty(), "BR-25", at, "a line has an item name");
    need(l.price.units >= 0, "BR-27", at, "a price is not negative");
    if (d_.credit_note) need(l.net >= Cents{}, "SCH-CREDIT", at, "a credit note has positive amounts");
    for (const auto& [name, value] : l.properties)
      need(!name.empty() && !value.empty(), "BR-54", at, "a property has a name and a value");
    period(l.period, Where::in_line(index + 1, "/InvoicePeriod"));
    product(l, at);
  }

  /// PEPPOL-EN16931-R120: quantity x price / base + adjustments = net, with a slack of 0.02; NLCIUS has no such check.
  void product(const UblLine& l, const Where& at) {
    auto base = l.base_quantity.value_or(UblDecimal::of(1));
    if (base.units <= 0) return add("PEPPOL-EN16931-R121", at, "a base quantity is above zero");
    auto power = [](int n) {
      __int128 out = 1;
      while (n-- > 0) out *= 10;
      return out;
    };
    // quantity * price / base against net - adjustments, both times the base and the powers of ten: whole numbers,
    // never floating point. What does not fit in 128 bits is no line of an invoice.
    int scales = l.quantity.scale + l.price.scale;
    __int128 factor = static_cast<__int128>(base.units) * power(scales);
    __int128 made = static_cast<__int128>(l.quantity.units) * l.price.units * 100;
    __int128 limit = factor, want = l.net.value() - l.adjustments.value(), off = 0;
    bool fits =
        !__builtin_mul_overflow(made, power(base.scale), &made) && !__builtin_mul_overflow(want, factor, &want) &&
        !__builtin_mul_overflow(limit, static_cast<__int128>(2), &limit) && !__builtin_sub_overflow(made, want, &off);
    need(fits && off <= limit && off >= -limit, "SCH-LINE", at, "quantity times price is not the line amount");
  }

  const UblDocument& d_;
  bool peppol_, plain_, dutch_;  ///< dutch_: the rules for sellers in the Netherlands, which plain EN 16931 has not
  std::vector<Finding> out_;
};

}  // namespace

std::vector<Finding> check_ubl(const UblDocument& document) { return Rules(document).run(); }

}  // namespace schakel::formats
