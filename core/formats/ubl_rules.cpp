// The rules of EN 16931, NLCIUS and Peppol BIS 3 that concern us, natively, and the ones that nobody else checks.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/formats/ubl.hpp"

namespace schakel::formats {
namespace {

using Words = std::initializer_list<std::string_view>;
bool one_of(std::string_view value, Words words) { return std::ranges::find(words, value) != words.end(); }

class Rules {
 public:
  explicit Rules(const UblDocument& d)
      : d_(d), peppol_(d.customization == kPeppolBis3), dutch_(d.supplier.country == "NL") {}

  std::vector<Finding> run() && {
    header();
    parties();
    references();
    payment();
    vat();
    totals();
    for (std::size_t i = 0; i < d_.lines.size(); ++i) line(d_.lines[i], i);
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
    need(d_.customization == kNlcius || peppol_, "PROFILE", "CustomizationID",
         "CustomizationID is neither NLCIUS nor Peppol BIS 3");
    need(!d_.id.empty(), "BR-02", "ID", "the invoice has no number");
    need(d_.issue_date.ok(), "BR-03", "IssueDate", "the invoice has no issue date");
    need(d_.currency == "EUR", "SCH-EUR", "DocumentCurrencyCode", "only invoices in euro are carried");
    if (d_.credit_note) {
      need(one_of(d_.type_code, {"381"}), "BR-NL-8", "CreditNoteTypeCode", "a CreditNote has type 381");
    } else {
      need(d_.type_code != "381", "BR-NL-8", "InvoiceTypeCode", "type 381 is a CreditNote");
      need(one_of(d_.type_code, {"380", "381", "384", "389"}), "BR-NL-7", "InvoiceTypeCode",
           "the type is not 380, 384 or 389");
      need(!peppol_ || one_of(d_.type_code, {"380", "381"}), "PEPPOL-EN16931-P0100", "InvoiceTypeCode",
           "Peppol has no 384 and 389: credit and invoice anew");
    }
    need(!d_.buyer_reference.empty() || !d_.order_reference.empty(), "BR-NL-2", "BuyerReference",
         "a buyer reference or an order reference is required");
    period(d_.period, "InvoicePeriod");
    if (d_.due_date && !d_.due_date->ok()) add("BR-CO-25", "DueDate", "the due date does not exist");
    need(d_.payable <= Cents{} || d_.due_date || !d_.payment_terms.empty(), "BR-CO-25", "DueDate",
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
    need(p.country.empty() ||
             (p.country.size() == 2 && std::ranges::all_of(p.country, [](char c) { return c >= 'A' && c <= 'Z'; })),
         "BR-CL-14", at("/Party/PostalAddress/Country"), "the country is two capitals");
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
    need(p.endpoint.scheme.empty() ||
             one_of(p.endpoint.scheme,
                    {"0106", "0190", "9944", "EM", "0007", "0088", "0208", "9956", "0204", "0192", "0184", "0060"}) ||
             !dutch_,
         "BR-CL-25", at("/Party/EndpointID"), "the endpoint scheme is not one that we know");
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
    need(!d_.credit_note || have, "NL-R-001", "BillingReference", "a credit note names the invoice that it corrects");
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
    if (one_of(d_.payment_means, {"30", "58"})) {
      need(!d_.iban.empty(), "BR-61", "PaymentMeans/PayeeFinancialAccount/ID", "a credit transfer needs an account");
      need(d_.iban.empty() || valid_iban(d_.iban), "SCH-IBAN", "PaymentMeans/PayeeFinancialAccount/ID",
           "the IBAN fails its check");
    }
  }

  [[nodiscard]] Cents taxable_of(const UblTax& t, bool by_rate) const {
    Cents sum;
    auto same = [&](std::string_view category, const std::optional<UblDecimal>& percent) {
      if (category != t.category) return false;
      return !by_rate || (percent.has_value() == t.percent.has_value() && (!percent || percent->equals(*t.percent)));
    };
    for (const auto& l : d_.lines)
      if (same(l.category, l.percent)) sum += l.net;
    for (const auto& a : d_.allowances)
      if (same(a.category, a.percent)) sum += a.charge ? a.amount : -a.amount;
    return sum;
  }

  void vat() {
    constexpr std::string_view kAt = "TaxTotal/TaxSubtotal";
    need(!d_.taxes.empty(), "BR-CO-18", kAt, "a VAT breakdown is required");
    bool outside = std::ranges::any_of(d_.taxes, [](const UblTax& t) { return t.category == "O"; });
    auto has = [&](std::string_view category) {
      return std::ranges::any_of(d_.lines, [&](const UblLine& l) { return l.category == category; }) ||
             std::ranges::any_of(d_.allowances, [&](const UblAllowance& a) { return a.category == category; });
    };
    for (const auto& t : d_.taxes) {
      need(one_of(t.category, {"AE", "L", "M", "E", "S", "Z", "G", "O", "K", "B"}), "BR-CL-17", kAt,
           "the VAT category is not in its list");
      if (t.category == "O" || t.category == "E") {
        bool o = t.category == "O";
        need(t.tax == Cents{}, o ? "BR-O-09" : "BR-E-09", kAt, "the VAT of this category is 0");
        need(!t.reason.empty() || !t.reason_code.empty(), o ? "BR-O-10" : "BR-E-10", kAt,
             "the reason why no VAT is charged is required");
        need(taxable_of(t, false) == t.taxable, o ? "BR-O-08" : "BR-E-08", kAt,
             "the taxable amount is not the sum of its lines");
      } else if (t.category == "S") {
        need(t.percent && t.percent->units > 0, "BR-S-05", kAt, "the standard rate is above zero");
        need(taxable_of(t, true) == t.taxable, "BR-S-08", kAt, "the taxable amount is not the sum of its lines");
        if (t.percent) rate(t);
      }
    }
    for (std::string_view category : {"O", "E", "S"})
      if (has(category) && std::ranges::none_of(d_.taxes, [&](const UblTax& t) { return t.category == category; }))
        add(fmt::format("BR-{}-01", category), kAt, "a VAT category of a line has no breakdown");
    if (outside) {
      need(d_.taxes.size() == 1, "BR-O-11", kAt, "category O stands alone");
      need(std::ranges::all_of(d_.lines, [](const UblLine& l) { return l.category == "O"; }), "BR-O-12", kAt,
           "category O allows no line of another");
    }
    if (has("O"))
      need(d_.supplier.vat_number.empty() && d_.customer.vat_number.empty(), "BR-O-02",
           "AccountingSupplierParty/Party/PartyTaxScheme", "category O excludes VAT numbers");
    if (has("E"))
      need(!d_.supplier.vat_number.empty(), "BR-E-02", "AccountingSupplierParty/Party/PartyTaxScheme",
           "category E requires the seller's VAT number");
    if (has("S"))
      need(!d_.supplier.vat_number.empty(), "BR-S-02", "AccountingSupplierParty/Party/PartyTaxScheme",
           "category S requires the seller's VAT number");
  }

  /// The published rule allows a slack of less than one euro; ours too, as rounding per line is lawful.
  void rate(const UblTax& t) {
    __int128 scale = 100;
    for (int i = 0; i < t.percent->scale; ++i) scale *= 10;
    auto exact = static_cast<__int128>(t.taxable.value()) * t.percent->units;
    auto off = static_cast<__int128>(t.tax.value()) * scale - exact;
    need(off < 100 * scale && -off < 100 * scale, "BR-S-09", "TaxTotal/TaxSubtotal",
         "the VAT is not the taxable amount times the rate");
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
    need(l.unit.empty() ||
             (l.unit.size() <= 3 &&
              std::ranges::all_of(l.unit, [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); })),
         "BR-CL-23", at, "the unit is not a code");
    need(!l.name.empty(), "BR-25", at, "a line has an item name");
    need(l.price.units >= 0, "BR-27", at, "a price is not negative");
    need(!l.category.empty(), "BR-CO-04", at, "a line has a VAT category");
    if (l.category == "O") need(!l.percent, "BR-O-05", at, "category O has no rate");
    if (l.category == "E") need(l.percent && l.percent->units == 0, "BR-E-05", at, "category E has rate 0");
    if (l.category == "S") need(l.percent && l.percent->units > 0, "BR-S-05", at, "the standard rate is above zero");
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
    // Long double only to judge a slack, never to make an amount; it holds 64 bit integers exactly.
    auto value = [](UblDecimal d) {
      auto v = static_cast<long double>(d.units);
      for (int i = 0; i < d.scale; ++i) v /= 10;
      return v;
    };
    auto made =
        value(l.quantity) * value(l.price) / value(base) * 100 + static_cast<long double>(l.adjustments.value());
    auto off = made - static_cast<long double>(l.net.value());
    need(off <= 2.0001L && off >= -2.0001L, "SCH-LINE", at, "quantity times price is not the line amount");
  }

  const UblDocument& d_;
  bool peppol_, dutch_;
  std::vector<Finding> out_;
};

}  // namespace

std::vector<Finding> check_ubl(const UblDocument& document) { return Rules(document).run(); }

}  // namespace schakel::formats
