// An outgoing invoice as an adapter gets it: the half of the swv of one re-invoice.
#pragma once
#include "core/delivery/invoice_document.hpp"
#include "schakel/adapter.hpp"

namespace schakel::test {

inline Json invoice_gemeente() {
  return {{"name", "Gemeente Zandoever"},
          {"oin", "00000099000100001000"},
          {"kvk", ""},
          {"vat_number", ""},
          {"iban", "NL19TEST0001000001"},
          {"street", "Fictiestraat 1"},
          {"city", "Zandoever"},
          {"postcode", "1001 XX"},
          {"mail", "crediteuren@gemeente-zandoever.example"},
          {"buyer_reference", ""},
          {"vat_category", "O"}};
}
inline Json invoice_swv() {
  return {{"name", "SWV Kop van Noord-Holland"},
          {"oin", ""},
          {"kvk", "90000002"},
          {"vat_number", ""},
          {"iban", "NL89TEST0001000002"},
          {"street", "Fictiestraat 2"},
          {"city", "Zandoever"},
          {"postcode", "1002 XX"},
          {"mail", "oza@swvkopvannoordholland.nl"},
          {"buyer_reference", ""},
          {"vat_category", "O"}};
}

/// With its document as core/delivery makes it before the first attempt.
inline Delivery with_document(Delivery d, const Json& config = Json::object()) {
  d.invoice = delivery::make_document(d, config).value();
  return d;
}

inline Delivery invoice_delivery() {
  Delivery d;
  d.id = "afl-db-1";
  d.kind = "invoice";
  d.type = "doorbelasting";
  d.message_id = "m-1";
  d.region = "KNH";
  d.case_id = "zaak-1";
  d.pseudonym = "ps-4711";
  d.role = "swv_financien";
  d.endpoint = {{"mail", "oza@swvkopvannoordholland.nl"}};
  d.body = {{"invoice",
             {{"number", "DB-ZB-2026-0917"},
              {"kind", "doorbelasting"},
              {"payer", "swv"},
              {"payee", "gemeente"},
              {"address", "oza@swvkopvannoordholland.nl"},
              {"amount_cents", 36666},
              {"vat_cents", 0},
              {"net_cents", 36666},
              {"issued", "2026-10-05"},
              {"period_from", "2026-09-01"},
              {"period_to", "2026-09-30"},
              {"credits", ""},
              {"source_number", "ZB-2026-0917"},
              {"lines", Json::array({{{"kind", "zorg"}, {"cents", 105000}, {"share_cents", 0}, {"description", "zorg"}},
                                     {{"kind", "onderwijs"},
                                      {"cents", 20000},
                                      {"share_cents", 20000},
                                      {"description", "onderwijs, september 2026"}},
                                     {{"kind", "grijs"},
                                      {"cents", 33333},
                                      {"share_cents", 16666},
                                      {"description", "grijs gebied, september 2026"}}})},
              {"seller", invoice_gemeente()},
              {"buyer", invoice_swv()}}},
            {"payload", {{"naam", "Pluk Testerman"}}}};
  d.first_attempt = *parse_instant("2026-10-05T09:00:00Z");
  return with_document(std::move(d));
}

}  // namespace schakel::test
