// The invoice gemeente to samenwerkingsverband of the interface document, with fictional parties.
#pragma once
#include "core/formats/ubl.hpp"

namespace schakel::formats::test {

inline UblDocument invoice(const std::vector<Cents>& shares = {Cents{14058}, Cents{1}}) {
  UblDocument d;
  d.id = "DB-2026-00017";
  d.issue_date = *parse_date("2026-05-12");
  d.due_date = *parse_date("2026-06-11");
  d.notes = {"Doorbelasting 50% onderwijs-zorgarrangementen april 2026"};
  d.buyer_reference = "OZA-2026-0042";
  d.period = UblPeriod{*parse_date("2026-04-01"), *parse_date("2026-04-30")};
  d.supplier.name = d.supplier.registration_name = "Gemeente Duinrand";
  d.supplier.street = "Raadhuisplein 1", d.supplier.city = "Duinrand", d.supplier.zip = "1799 ZZ";
  d.supplier.endpoint = d.supplier.legal_id = {"0190", "00000001999999990000"};
  d.supplier.contact = "Team Jeugd", d.supplier.phone = "0223 000 000", d.supplier.mail = "jeugd@duinrand.example";
  d.customer.name = "Samenwerkingsverband Noordkust",
  d.customer.registration_name = "Stichting Samenwerkingsverband Noordkust";
  d.customer.street = "Schoolweg 2", d.customer.city = "Noordstad", d.customer.zip = "1798 ZZ";
  d.customer.endpoint = d.customer.legal_id = {"0106", "99999901"};
  d.customer.contact = "OZA", d.customer.mail = "oza@swv-noordkust.example";
  d.payment_id = d.id;
  d.iban = "NL13TEST0123456789";
  d.payment_terms = "Betaling binnen 30 dagen onder vermelding van het factuurnummer";
  for (Cents share : shares) {
    UblLine l;
    l.net = share;
    l.price = UblDecimal::of(share);
    l.period = d.period;
    l.name = "Aandeel samenwerkingsverband onderwijs-zorgarrangement";
    l.description = "Arrangement OZA-7F3K: 50% (product 45A03, 4 uur) & meer <ok> €";
    l.seller_item = "45A03";
    l.properties = {{"Arrangement", "OZA-7F3K"}, {"Aandeel", "50%"}};
    d.lines.push_back(l);
  }
  complete_totals(d, "Niet onderworpen aan btw: doorbelasting kostendeling jeugdhulp en passend onderwijs");
  return d;
}

inline UblDocument credit_note() {
  auto d = invoice({Cents{2501}});
  d.credit_note = true;
  d.type_code = "381";
  d.id = d.payment_id = "CN-2026-00019";
  d.billing_references = {"DB-2026-00017"};
  return d;
}

inline UblDocument exempt() {
  auto d = invoice();
  d.supplier.vat_number = "NL123456789B01";
  for (auto& l : d.lines) l.category = "E", l.percent = UblDecimal::of(std::int64_t{0});
  complete_totals(d, "Vrijgesteld van btw: artikel 11 Wet op de omzetbelasting 1968");
  return d;
}

inline UblDocument taxed() {
  auto d = invoice({Cents{10000}});
  d.supplier.vat_number = "NL123456789B01";
  d.lines[0].category = "S", d.lines[0].percent = UblDecimal::of(21);
  complete_totals(d, "");
  d.taxes[0].tax = d.tax_total = Cents{2100};
  d.tax_inclusive = d.payable = Cents{12100};
  return d;
}

inline UblDocument with_pdf() {
  auto d = invoice();
  d.attachments = {{"DB-2026-00017", "Factuur als PDF", "DB-2026-00017.pdf", "application/pdf", to_bytes("%PDF-1.5 x")},
                   {"JW323-A1", "Declaratie", "", "", {}}};
  return d;
}

inline UblDocument peppol() {
  auto d = invoice();
  d.customization = kPeppolBis3;
  return d;
}

}  // namespace schakel::formats::test
