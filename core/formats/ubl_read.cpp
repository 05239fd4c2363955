#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/formats/ubl.hpp"
#include "core/formats/ubl_codes.hpp"

namespace schakel::formats {
namespace {

constexpr std::size_t kMostFound = 200;

char as_capital(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
bool digit(char c) { return c >= '0' && c <= '9'; }

/// Reads values after the table passed; what the table cannot see (decimals, range) becomes a finding here.
class Reader {
 public:
  explicit Reader(UblRead& out) : out_(out) {}

  UblDocument document(const XmlElement& root) {
    UblDocument d;
    d.credit_note = root.local() == "CreditNote";
    d.type_code.clear();
    d.payment_means.clear();
    d.customization.clear();
    d.profile.clear();
    d.currency.clear();
    std::size_t lines = 0;
    for (XmlElement e : root.children()) lines += is_line(e.local()) ? 1 : 0;
    d.lines.reserve(lines);
    for (XmlElement e : root.children()) head(d, e);
    return d;
  }

 private:
  static bool is_line(std::string_view name) { return name == "InvoiceLine" || name == "CreditNoteLine"; }
  static std::string text(const XmlElement& e) { return std::string(collapse(e.text())); }
  static std::string cbc(const XmlElement& e, std::string_view name) { return text(e.child(kCbc, name)); }
  static std::optional<Date> date(const XmlElement& e) { return parse_date(collapse(e.text())); }

  void add(const XmlElement& e, std::string_view rule, std::string message) {
    // A path counts the siblings before it: one for each of 50,000 lines would be hours.
    if (out_.findings.size() < kMostFound)
      out_.findings.push_back({e.path(), "UBL_RULE", std::move(message), std::string(rule)});
  }

  void passed_over(const XmlElement& e, const char* text) {
    if (out_.warnings.size() < kMostFound) out_.warnings.push_back({e.path(), "UBL_NOT_READ", text, ""});
  }

  Cents amount(const XmlElement& e, std::string_view decimals_rule) {
    if (!e) return {};
    auto c = parse_cents(collapse(e.text()));
    if (c) return *c;
    if (c.error().code == "AMOUNT_DECIMALS")
      add(e, decimals_rule, "an amount has at most two decimals");
    else
      add(e, "SCH-AMOUNT", "the amount is out of range");
    return {};
  }
  std::optional<Cents> optional_amount(const XmlElement& e, std::string_view decimals_rule) {
    if (!e) return std::nullopt;
    return amount(e, decimals_rule);
  }
  UblDecimal decimal(const XmlElement& e) {
    auto d = UblDecimal::parse(collapse(e.text()));
    if (!d) add(e, "SCH-AMOUNT", "the number has too many digits");
    return d.value_or(UblDecimal{});
  }
  std::optional<UblDecimal> optional_decimal(const XmlElement& e) {
    if (!e) return std::nullopt;
    return decimal(e);
  }

  static UblPeriod period(const XmlElement& e) {
    return {date(e.child(kCbc, "StartDate")), date(e.child(kCbc, "EndDate"))};
  }

  static UblId id(const XmlElement& e) {
    return e ? UblId{std::string(e.attribute("schemeID").value_or("")), text(e)} : UblId{};
  }

  static UblParty party(const XmlElement& e) {
    auto p = e.child(kCac, "Party"), a = p.child(kCac, "PostalAddress"), l = p.child(kCac, "PartyLegalEntity"),
         c = p.child(kCac, "Contact");
    UblParty out;
    out.endpoint = id(p.child(kCbc, "EndpointID"));
    out.name = cbc(p.child(kCac, "PartyName"), "Name");
    out.street = cbc(a, "StreetName");
    out.extra = cbc(a, "AdditionalStreetName");
    out.city = cbc(a, "CityName");
    out.zip = cbc(a, "PostalZone");
    out.country = cbc(a.child(kCac, "Country"), "IdentificationCode");
    out.registration_name = cbc(l, "RegistrationName");
    out.legal_id = id(l.child(kCbc, "CompanyID"));
    out.contact = cbc(c, "Name");
    out.phone = cbc(c, "Telephone");
    out.mail = cbc(c, "ElectronicMail");
    for (XmlElement t : p.children())
      if (auto scheme = cbc(t.child(kCac, "TaxScheme"), "ID");
          t.is(kCac, "PartyTaxScheme") && scheme.size() == 3 &&
          std::ranges::equal(scheme, std::string_view("VAT"), {}, as_capital))
        out.vat_number = cbc(t, "CompanyID");
    return out;
  }

  UblAllowance allowance(const XmlElement& e, std::string_view rule) {
    UblAllowance a;
    auto indicator = cbc(e, "ChargeIndicator");
    a.charge = indicator == "true" || indicator == "1";
    a.amount = amount(e.child(kCbc, "Amount"), rule);
    a.reason = cbc(e, "AllowanceChargeReason");
    auto t = e.child(kCac, "TaxCategory");
    a.category = cbc(t, "ID");
    a.percent = optional_decimal(t.child(kCbc, "Percent"));
    return a;
  }

  void attachment(UblDocument& d, const XmlElement& e) {
    UblAttachment a;
    a.id = cbc(e, "ID");
    a.description = cbc(e, "DocumentDescription");
    if (auto b = e.child(kCac, "Attachment").child(kCbc, "EmbeddedDocumentBinaryObject")) {
      a.filename = b.attribute("filename").value_or("");
      a.mime = b.attribute("mimeCode").value_or("");
      std::string packed;
      std::ranges::copy_if(b.text(), std::back_inserter(packed),
                           [](char c) { return c != ' ' && c != '\t' && c != '\r' && c != '\n'; });
      if (auto content = from_base64(packed))
        a.content = std::move(*content);
      else
        add(b, "SCH-ATTACHMENT", "the embedded file is not base64");
    }
    d.attachments.push_back(std::move(a));
  }

  void payment(UblDocument& d, const XmlElement& e) {
    // More than one way to pay is legal; we keep the first and say so.
    if (!d.payment_means.empty()) {
      passed_over(e, "a second PaymentMeans is passed over");
      d.further_means.emplace_back(cbc(e, "PaymentMeansCode"), cbc(e.child(kCac, "PayeeFinancialAccount"), "ID"));
      return;
    }
    d.payment_means = cbc(e, "PaymentMeansCode");
    d.payment_id = cbc(e, "PaymentID");
    d.iban = cbc(e.child(kCac, "PayeeFinancialAccount"), "ID");
    if (auto due = date(e.child(kCbc, "PaymentDueDate")); due && !d.due_date) d.due_date = due;
  }

  void tax_total(UblDocument& d, const XmlElement& e) {
    // A second TaxTotal is the one in accounting currency and has no breakdown.
    if (!e.child(kCac, "TaxSubtotal") && !d.taxes.empty()) return;
    d.tax_total = amount(e.child(kCbc, "TaxAmount"), "BR-DEC-13");
    for (XmlElement s : e.children()) {
      if (!s.is(kCac, "TaxSubtotal")) continue;
      auto c = s.child(kCac, "TaxCategory");
      UblTax t;
      t.category = cbc(c, "ID");
      t.percent = optional_decimal(c.child(kCbc, "Percent"));
      t.taxable = amount(s.child(kCbc, "TaxableAmount"), "BR-DEC-19");
      t.tax = amount(s.child(kCbc, "TaxAmount"), "BR-DEC-20");
      t.reason = cbc(c, "TaxExemptionReason");
      t.reason_code = cbc(c, "TaxExemptionReasonCode");
      d.taxes.push_back(std::move(t));
    }
  }

  void totals(UblDocument& d, const XmlElement& e) {
    d.line_total = amount(e.child(kCbc, "LineExtensionAmount"), "BR-DEC-09");
    d.tax_exclusive = amount(e.child(kCbc, "TaxExclusiveAmount"), "BR-DEC-12");
    d.tax_inclusive = amount(e.child(kCbc, "TaxInclusiveAmount"), "BR-DEC-14");
    d.allowance_total = optional_amount(e.child(kCbc, "AllowanceTotalAmount"), "BR-DEC-10");
    d.charge_total = optional_amount(e.child(kCbc, "ChargeTotalAmount"), "BR-DEC-11");
    d.prepaid = optional_amount(e.child(kCbc, "PrepaidAmount"), "BR-DEC-16");
    d.rounding = optional_amount(e.child(kCbc, "PayableRoundingAmount"), "BR-DEC-17");
    d.payable = amount(e.child(kCbc, "PayableAmount"), "BR-DEC-18");
  }

  void line(UblDocument& d, const XmlElement& e) {
    UblLine& l = d.lines.emplace_back();
    l.category.clear();
    l.properties.reserve(2);
    for (XmlElement c : e.children()) {
      auto name = c.local();
      if (name == "ID") {
        l.id = text(c);
      } else if (name == "Note") {
        l.note = text(c);
      } else if (name == "InvoicedQuantity" || name == "CreditedQuantity") {
        l.quantity = decimal(c);
        l.unit = c.attribute("unitCode").value_or("");
      } else if (name == "LineExtensionAmount") {
        l.net = amount(c, "BR-DEC-23");
      } else if (name == "InvoicePeriod") {
        l.period = period(c);
      } else if (name == "AllowanceCharge") {
        auto a = allowance(c, "BR-DEC-24");
        l.adjustments += a.charge ? a.amount : -a.amount;
      } else if (name == "Item") {
        item(l, c);
      } else if (name == "Price") {
        l.price = decimal(c.child(kCbc, "PriceAmount"));
        l.base_quantity = optional_decimal(c.child(kCbc, "BaseQuantity"));
      }
    }
  }

  void item(UblLine& l, const XmlElement& e) {
    for (XmlElement c : e.children()) {
      auto name = c.local();
      if (name == "Description") {
        l.description = text(c);
      } else if (name == "Name") {
        l.name = text(c);
      } else if (name == "SellersItemIdentification") {
        l.seller_item = cbc(c, "ID");
      } else if (name == "ClassifiedTaxCategory") {
        l.category = cbc(c, "ID");
        l.percent = optional_decimal(c.child(kCbc, "Percent"));
      } else if (name == "AdditionalItemProperty") {
        l.properties.emplace_back(cbc(c, "Name"), cbc(c, "Value"));
      }
    }
  }

  void head(UblDocument& d, const XmlElement& e) {
    auto name = e.local();
    if (is_line(name)) return line(d, e);
    if (name == "CustomizationID") {
      d.customization = text(e);
    } else if (name == "ProfileID") {
      d.profile = text(e);
    } else if (name == "ID") {
      d.id = text(e);
    } else if (name == "IssueDate") {
      d.issue_date = date(e).value_or(Date{});
    } else if (name == "DueDate") {
      d.due_date = date(e);
    } else if (name == "InvoiceTypeCode" || name == "CreditNoteTypeCode") {
      d.type_code = text(e);
    } else if (name == "Note") {
      d.notes.push_back(text(e));
    } else if (name == "DocumentCurrencyCode") {
      d.currency = text(e);
    } else if (name == "BuyerReference") {
      d.buyer_reference = text(e);
    } else if (name == "InvoicePeriod") {
      d.period = period(e);
    } else if (name == "OrderReference") {
      d.order_reference = cbc(e, "ID");
    } else if (name == "BillingReference") {
      d.billing_references.push_back(cbc(e.child(kCac, "InvoiceDocumentReference"), "ID"));
    } else if (name == "AdditionalDocumentReference") {
      attachment(d, e);
    } else if (name == "AccountingSupplierParty") {
      d.supplier = party(e);
    } else if (name == "AccountingCustomerParty") {
      d.customer = party(e);
    } else if (name == "PayeeParty") {
      d.payee = id(e.child(kCac, "PartyLegalEntity").child(kCbc, "CompanyID"));
    } else if (name == "PaymentMeans") {
      payment(d, e);
    } else if (name == "PaymentTerms") {
      d.payment_terms = cbc(e, "Note");
    } else if (name == "AllowanceCharge") {
      d.allowances.push_back(allowance(e, "BR-DEC-01"));
    } else if (name == "TaxTotal") {
      tax_total(d, e);
    } else if (name == "LegalMonetaryTotal") {
      totals(d, e);
    } else {
      passed_over(e, "this element is passed over");
    }
  }

  UblRead& out_;
};

/// Do table and tree say nothing of this document but what check_ubl said of it, in the order in which it is written?
/// The rest of what they look at are codes and texts that are not of the model, which we nearly never write.
bool plainly_written(const UblDocument& d) {
  auto ours = [](const UblParty& p) {
    return (p.legal_id.scheme == "0106" || p.legal_id.scheme == "0190") && !p.legal_id.value.empty() &&
           (p.vat_number.empty() || p.vat_number.starts_with("NL"));
  };
  auto embedded = [](const UblAttachment& a) { return !a.mime.empty() && !a.content.empty(); };
  return ours(d.supplier) && ours(d.customer) && d.allowances.empty() && d.further_means.empty() && !d.payee &&
         std::ranges::all_of(d.attachments, embedded) &&
         std::ranges::none_of(d.notes, [](const std::string& n) { return n.contains('#'); }) &&
         std::ranges::all_of(d.taxes, [](const UblTax& t) { return t.reason_code.empty(); }) &&
         std::ranges::all_of(d.lines, [](const UblLine& l) { return l.adjustments == Cents{}; });
}

UblRead read_and_check(std::string_view bytes, const XmlLimits& limits, const UblDocument* checked) {
  UblRead out;
  auto xml = read_xml(bytes, limits);
  if (!xml) {
    out.findings.push_back({"", xml.error().code, xml.error().message, ""});
    return out;
  }
  auto root = xml->root();
  if (checked && plainly_written(*checked)) {
    auto document = Reader(out).document(root);
    if (out.findings.empty() && out.warnings.empty() && document == *checked) {
      out.document = std::move(document);
      return out;
    }
    out = {};
  }
  const ElementRule* table = root.is(kUblInvoice, "Invoice")         ? &ubl_invoice_table()
                             : root.is(kUblCreditNote, "CreditNote") ? &ubl_credit_note_table()
                                                                     : nullptr;
  if (!table) {
    out.findings.push_back({root.path(), "XML_ROOT", "not a UBL 2.1 Invoice or CreditNote", ""});
    return out;
  }
  out.findings = check_table(root, *table);
  auto tree = check_ubl_tree(root);
  bool whole = out.findings.empty();
  for (auto& f : tree) {
    bool empty = f.code == "XML_ELEMENT_EMPTY";
    // Said already by the table, by a rule of its own.
    if (empty && std::ranges::any_of(out.findings, [&](const Finding& o) { return o.pointer == f.pointer; })) continue;
    whole = whole && !empty;
    out.findings.push_back(std::move(f));
  }
  if (!whole) return out;
  std::set<std::string> codes;
  for (const auto& f : out.findings) codes.insert(f.rule);
  auto document = Reader(out).document(root);
  for (auto& f : check_ubl(document))
    // A code that is in no list is named once, with its line.
    if (!f.rule.starts_with("BR-C") || !codes.contains(f.rule)) out.findings.push_back(std::move(f));
  out.document = std::move(document);
  return out;
}

}  // namespace

std::optional<UblDecimal> UblDecimal::parse(std::string_view t) {
  bool negative = t.starts_with('-');
  if (negative || t.starts_with('+')) t.remove_prefix(1);
  auto dot = t.find('.');
  auto whole = t.substr(0, dot), part = dot == std::string_view::npos ? std::string_view{} : t.substr(dot + 1);
  if (whole.size() + part.size() == 0 || whole.size() + part.size() > 15 || part.size() > 8) return std::nullopt;
  UblDecimal d;
  for (auto half : {whole, part})
    for (char c : half) {
      if (!digit(c)) return std::nullopt;
      d.units = d.units * 10 + (c - '0');
    }
  d.scale = static_cast<int>(part.size());
  if (negative) d.units = -d.units;
  return d;
}

std::string UblDecimal::text() const {
  auto digits = std::to_string(units < 0 ? -units : units);
  auto s = static_cast<std::size_t>(scale);
  if (digits.size() <= s) digits.insert(0, s + 1 - digits.size(), '0');
  if (scale > 0) digits.insert(digits.size() - s, ".");
  return units < 0 ? "-" + digits : digits;
}

bool UblDecimal::equals(UblDecimal o) const {
  auto a = static_cast<__int128>(units), b = static_cast<__int128>(o.units);
  for (int i = scale; i < o.scale; ++i) a *= 10;
  for (int i = o.scale; i < scale; ++i) b *= 10;
  return a == b;
}

UblRead read_ubl(std::string_view bytes, const XmlLimits& limits) { return read_and_check(bytes, limits, nullptr); }

UblRead read_back_ubl(std::string_view bytes, const UblDocument& checked) {
  return read_and_check(bytes, {}, &checked);
}

}  // namespace schakel::formats
