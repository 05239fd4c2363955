#include <fmt/format.h>

#include <algorithm>

#include "core/formats/ubl.hpp"
#include "core/formats/ubl_codes.hpp"

namespace schakel::formats {
namespace {

class Writer {
 public:
  explicit Writer(const UblDocument& d) : d_(d), x_({.expected = 6000 + d.lines.size() * 1500}) {}

  Result<std::string> run() && {
    x_.open(d_.credit_note ? "CreditNote" : "Invoice")
        .attribute("xmlns", d_.credit_note ? kUblCreditNote : kUblInvoice);
    x_.attribute("xmlns:cac", kCac).attribute("xmlns:cbc", kCbc);
    head();
    party("cac:AccountingSupplierParty", d_.supplier);
    party("cac:AccountingCustomerParty", d_.customer);
    payment();
    for (const auto& a : d_.allowances) allowance(a);
    taxes();
    totals();
    for (const auto& l : d_.lines) line(l);
    x_.close();
    return std::move(x_).finish();
  }

 private:
  void amount(std::string_view name, Cents value) { x_.element(name, "currencyID", d_.currency, format_cents(value)); }
  void amount(std::string_view name, const std::optional<Cents>& value) {
    if (value) amount(name, *value);
  }
  void identifier(std::string_view name, const UblId& id) {
    if (id.value.empty()) return;
    if (id.scheme.empty())
      x_.element(name, id.value);
    else
      x_.element(name, "schemeID", id.scheme, id.value);
  }
  void period(const std::optional<UblPeriod>& p) {
    if (!p || (!p->start && !p->end)) return;
    x_.open("cac:InvoicePeriod");
    if (p->start) x_.element("cbc:StartDate", format_date(*p->start));
    if (p->end) x_.element("cbc:EndDate", format_date(*p->end));
    x_.close();
  }
  void scheme() { x_.open("cac:TaxScheme").element("cbc:ID", "VAT").close(); }

  void head() {
    x_.optional("cbc:CustomizationID", d_.customization).optional("cbc:ProfileID", d_.profile).element("cbc:ID", d_.id);
    x_.element("cbc:IssueDate", format_date(d_.issue_date));
    if (!d_.credit_note && d_.due_date) x_.element("cbc:DueDate", format_date(*d_.due_date));
    x_.element(d_.credit_note ? "cbc:CreditNoteTypeCode" : "cbc:InvoiceTypeCode", d_.type_code);
    for (const auto& note : d_.notes) x_.optional("cbc:Note", note);
    x_.element("cbc:DocumentCurrencyCode", d_.currency).optional("cbc:BuyerReference", d_.buyer_reference);
    period(d_.period);
    if (!d_.order_reference.empty()) x_.open("cac:OrderReference").element("cbc:ID", d_.order_reference).close();
    for (const auto& reference : d_.billing_references)
      x_.open("cac:BillingReference").open("cac:InvoiceDocumentReference").element("cbc:ID", reference).close().close();
    for (const auto& a : d_.attachments) {
      x_.open("cac:AdditionalDocumentReference")
          .element("cbc:ID", a.id)
          .optional("cbc:DocumentDescription", a.description);
      if (!a.mime.empty()) {
        x_.open("cac:Attachment")
            .open("cbc:EmbeddedDocumentBinaryObject")
            .attribute("mimeCode", a.mime)
            .attribute("filename", a.filename);
        x_.text(to_base64(a.content)).close().close();
      }
      x_.close();
    }
  }

  void party(std::string_view name, const UblParty& p) {
    x_.open(name).open("cac:Party");
    identifier("cbc:EndpointID", p.endpoint);
    if (!p.name.empty()) x_.open("cac:PartyName").element("cbc:Name", p.name).close();
    x_.open("cac:PostalAddress").optional("cbc:StreetName", p.street).optional("cbc:AdditionalStreetName", p.extra);
    x_.optional("cbc:CityName", p.city).optional("cbc:PostalZone", p.zip);
    x_.open("cac:Country").element("cbc:IdentificationCode", p.country).close().close();
    if (!p.vat_number.empty()) {
      x_.open("cac:PartyTaxScheme").element("cbc:CompanyID", p.vat_number);
      scheme();
      x_.close();
    }
    x_.open("cac:PartyLegalEntity").optional("cbc:RegistrationName", p.registration_name);
    identifier("cbc:CompanyID", p.legal_id);
    x_.close();
    if (!p.contact.empty() || !p.phone.empty() || !p.mail.empty())
      x_.open("cac:Contact")
          .optional("cbc:Name", p.contact)
          .optional("cbc:Telephone", p.phone)
          .optional("cbc:ElectronicMail", p.mail)
          .close();
    x_.close().close();
  }

  void payment() {
    if (!d_.payment_means.empty()) {
      x_.open("cac:PaymentMeans").element("cbc:PaymentMeansCode", d_.payment_means);
      // UBL's CreditNote has no DueDate.
      if (d_.credit_note && d_.due_date) x_.element("cbc:PaymentDueDate", format_date(*d_.due_date));
      x_.optional("cbc:PaymentID", d_.payment_id);
      if (!d_.iban.empty()) x_.open("cac:PayeeFinancialAccount").element("cbc:ID", d_.iban).close();
      x_.close();
    }
    if (!d_.payment_terms.empty()) x_.open("cac:PaymentTerms").element("cbc:Note", d_.payment_terms).close();
  }

  void allowance(const UblAllowance& a) {
    x_.open("cac:AllowanceCharge")
        .element("cbc:ChargeIndicator", a.charge ? "true" : "false")
        .optional("cbc:AllowanceChargeReason", a.reason);
    amount("cbc:Amount", a.amount);
    x_.open("cac:TaxCategory").element("cbc:ID", a.category);
    if (a.percent) x_.element("cbc:Percent", a.percent->text());
    scheme();
    x_.close().close();
  }

  void taxes() {
    x_.open("cac:TaxTotal");
    amount("cbc:TaxAmount", d_.tax_total);
    for (const auto& t : d_.taxes) {
      x_.open("cac:TaxSubtotal");
      amount("cbc:TaxableAmount", t.taxable);
      amount("cbc:TaxAmount", t.tax);
      x_.open("cac:TaxCategory").element("cbc:ID", t.category);
      if (t.percent) x_.element("cbc:Percent", t.percent->text());
      x_.optional("cbc:TaxExemptionReasonCode", t.reason_code).optional("cbc:TaxExemptionReason", t.reason);
      scheme();
      x_.close().close();
    }
    x_.close();
  }

  void totals() {
    x_.open("cac:LegalMonetaryTotal");
    amount("cbc:LineExtensionAmount", d_.line_total);
    amount("cbc:TaxExclusiveAmount", d_.tax_exclusive);
    amount("cbc:TaxInclusiveAmount", d_.tax_inclusive);
    amount("cbc:AllowanceTotalAmount", d_.allowance_total);
    amount("cbc:ChargeTotalAmount", d_.charge_total);
    amount("cbc:PrepaidAmount", d_.prepaid);
    amount("cbc:PayableRoundingAmount", d_.rounding);
    amount("cbc:PayableAmount", d_.payable);
    x_.close();
  }

  void line(const UblLine& l) {
    x_.open(d_.credit_note ? "cac:CreditNoteLine" : "cac:InvoiceLine")
        .element("cbc:ID", l.id)
        .optional("cbc:Note", l.note);
    x_.element(d_.credit_note ? "cbc:CreditedQuantity" : "cbc:InvoicedQuantity", "unitCode", l.unit, l.quantity.text());
    amount("cbc:LineExtensionAmount", l.net);
    period(l.period);
    if (l.adjustments != Cents{}) {
      bool charge = l.adjustments > Cents{};
      x_.open("cac:AllowanceCharge")
          .element("cbc:ChargeIndicator", charge ? "true" : "false")
          .element("cbc:AllowanceChargeReason", charge ? "Toeslag" : "Korting");
      amount("cbc:Amount", charge ? l.adjustments : -l.adjustments);
      x_.close();
    }
    x_.open("cac:Item").optional("cbc:Description", l.description).element("cbc:Name", l.name);
    if (!l.seller_item.empty()) x_.open("cac:SellersItemIdentification").element("cbc:ID", l.seller_item).close();
    // No exemption reason here: it belongs in the TaxSubtotal only (UBL-CR-601).
    x_.open("cac:ClassifiedTaxCategory").element("cbc:ID", l.category);
    if (l.percent) x_.element("cbc:Percent", l.percent->text());
    scheme();
    x_.close();
    for (const auto& [name, value] : l.properties)
      x_.open("cac:AdditionalItemProperty").element("cbc:Name", name).element("cbc:Value", value).close();
    x_.close();
    x_.open("cac:Price").element("cbc:PriceAmount", "currencyID", d_.currency, l.price.text());
    if (l.base_quantity) x_.element("cbc:BaseQuantity", l.base_quantity->text());
    x_.close().close();
  }

  const UblDocument& d_;
  XmlWriter x_;
};

}  // namespace

void complete_totals(UblDocument& d, std::string_view exemption_reason) {
  d.line_total = {};
  d.taxes.clear();
  for (std::size_t i = 0; i < d.lines.size(); ++i) {
    auto& l = d.lines[i];
    if (l.id.empty()) l.id = std::to_string(i + 1);
    d.line_total += l.net;
    auto same = std::ranges::find_if(
        d.taxes, [&](const UblTax& t) { return t.category == l.category && t.percent == l.percent; });
    if (same == d.taxes.end())
      same = d.taxes.insert(d.taxes.end(), {l.category, l.percent, {}, {}, std::string(exemption_reason), ""});
    same->taxable += l.net;
  }
  d.tax_total = {};
  d.tax_exclusive = d.tax_inclusive = d.payable = d.line_total;
  d.allowance_total = d.charge_total = d.prepaid = d.rounding = std::nullopt;
}

Result<std::string> render_ubl(const UblDocument& document) { return Writer(document).run(); }

Result<std::string> write_ubl(const UblDocument& document) {
  if (auto findings = check_ubl(document); !findings.empty())
    return fail(ErrorKind::invalid, "UBL_INVALID",
                fmt::format("the invoice breaks {} rule(s), first {}", findings.size(), findings[0].rule),
                std::move(findings));
  return write_checked_ubl(document);
}

Result<std::string> write_checked_ubl(const UblDocument& document) {
  auto xml = render_ubl(document);
  // Read back as its receiver will: a text of blanks, say, is an empty element only once it is written.
  if (xml)
    if (auto back = read_back_ubl(*xml, document); !back.accepted())
      return fail(ErrorKind::invalid, "UBL_INVALID", "the invoice does not pass its own reader",
                  std::move(back.findings));
  return xml;
}

}  // namespace schakel::formats
