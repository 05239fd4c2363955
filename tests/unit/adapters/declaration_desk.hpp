// A desk for declarations and e-invoices on a bench, and what is posted to it.
#pragma once
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/formats/ggk.hpp"
#include "core/formats/ijw.hpp"
#include "core/formats/soap.hpp"
#include "core/formats/ubl.hpp"
#include "tests/support/plugin_bench.hpp"

namespace schakel::test {
namespace fs = std::filesystem;
using formats::IjwClient;
using formats::IjwPrestatie;
using formats::Jw323;

inline Json declaration_config() {
  return {{"region", "KNH"},
          {"gemeente_code", "0400"},
          {"source", "urn:nld:oin:00000099000100001000:systeem:jw323"},
          {"afzenders", {{"98765432", "hoeve"}}},
          {"leveranciers", {{"0106:90000004", "hoeve"}}},
          {"afnemers", {"0190:00000099000100001000", "0106:90000002"}},
          {"rekeningen", {{"0106:90000004", {"NL35TEST0001000004", "NL89TEST0001000002"}}}},
          {"producten", Json::array({{{"categorie", "45"}, {"code", "45A03"}, {"kind", "grijs"}},
                                     {{"categorie", "50"}, {"kind", "zorg"}},
                                     {{"code", "GRIJS"}, {"kind", "grijs"}},
                                     {{"code", "ZORG"}, {"kind", "zorg"}}})},
          {"retourcodes", {{"FUNDING_NOT_AGREED", "9338"}, {"INVOICE_CONFLICT", "8021"}}},
          {"answer_folder", "$FOLDER/antwoorden"},
          {"in_folder", "$FOLDER/in"}};
}

inline formats::Date day(const char* text) { return *formats::parse_date(text); }

inline IjwPrestatie line(const char* ref, std::int64_t cents, const char* product = "45A03", const char* credits = "") {
  IjwPrestatie p;
  p.referentie = ref;
  p.vorige_referentie = credits;
  p.credit = *credits != '\0';
  p.toewijzing = 10000 + static_cast<std::int64_t>(std::hash<std::string>{}(p.credit ? credits : ref) %
                                                   100000);  // TR416: one debit a toewijzing and period
  p.categorie = std::string(product).substr(0, 2);
  p.product = product;
  p.periode = {day("2026-09-01"), day("2026-09-30")};
  p.volume = cents;
  p.eenheid = "83";
  p.bedrag = Cents(cents);
  return p;
}

inline Jw323 declaration(const char* id, const char* number, std::vector<IjwClient> clients) {
  Jw323 d;
  d.afzender = "98765432";
  d.ontvanger = "0400";
  d.identificatie = id;
  d.dagtekening = d.declaratie_dagtekening = day("2026-10-05");
  d.declaratienummer = number;
  d.periode = {day("2026-09-01"), day("2026-09-30")};
  for (const auto& c : clients)
    for (const auto& p : c.prestaties) d.totaal += p.signed_bedrag();
  d.clienten = std::move(clients);
  return d;
}

inline std::string text(const Jw323& d) { return formats::write_jw323(d).value(); }

inline Jw323 three_pupils() {
  return declaration("A26100500001", "D202609001",
                     {{"999990019", {line("P1", 105000, "50A01"), line("P2", 33333)}},
                      {"999990020", {line("P3", 20001)}},
                      {"999990032", {line("P4", 500)}}});
}

inline std::unique_ptr<PluginBench> fresh_desk() {
  auto bench = std::make_unique<PluginBench>("zorgaanbieder", declaration_config());
  fs::create_directories(bench->folder() + "/antwoorden");
  fs::create_directories(bench->folder() + "/in");
  bench->world.case_by_bsn = {{"999990019", "zaak-1"}, {"999990020", "zaak-2"}};
  return bench;
}

inline HttpRequest posted(const std::string& body, const std::string& type = "application/xml") {
  HttpRequest r;
  r.method = "POST";
  r.url = "/in/zorgaanbieder/declaraties";
  r.headers = {{"Content-Type", type}};
  r.body = body;
  return r;
}

inline HttpReply post(PluginBench& bench, const std::string& body, const std::string& party = "hoeve",
                      const std::string& type = "application/xml") {
  auto reply = bench.request(posted(body, type), party);
  return reply ? reply->value() : HttpReply{0, {}, {}};
}

/// Posts a JW323 of its sender, as it is written.
inline HttpReply declare(PluginBench& bench, const char* id, const char* number, std::vector<IjwClient> clients) {
  return post(bench, text(declaration(id, number, std::move(clients))));
}

inline Delivery decision(const std::string& event, const std::string& outcome, std::vector<std::string> codes = {}) {
  Delivery d;
  d.id = "afl-" + event;
  d.kind = "signal";
  d.type = outcome == "delivered" ? "verwerkt" : "blokkade";
  d.role = "zorgaanbieder_billing";
  d.body = {{"message", event}, {"signal", {{"code", "X"}, {"outcome", outcome}, {"codes", codes}}}};
  return d;
}

inline std::vector<std::string> answers(PluginBench& bench) {
  std::vector<std::string> out;
  for (const auto& e : fs::directory_iterator(bench.folder() + "/antwoorden")) {
    std::ifstream in(e.path());
    std::stringstream s;
    s << in.rdbuf();
    out.push_back(s.str());
  }
  return out;
}

inline formats::Jw325 only_answer(PluginBench& bench) {
  auto all = answers(bench);
  if (all.size() != 1) throw std::runtime_error(fmt::format("{} answers", all.size()));
  auto read = formats::read_jw325(all[0]);
  for (const auto& f : read.structure) ADD_FAILURE() << f.code << ' ' << f.pointer;
  for (const auto& f : read.rules) ADD_FAILURE() << f.finding.code << ' ' << f.finding.pointer;
  return read.message.value();
}

inline formats::UblDocument ubl_document(bool credit = false, std::int64_t percent = 0) {
  formats::UblDocument d;
  d.credit_note = credit;
  d.type_code = credit ? "381" : "380";
  d.id = credit ? "ZBC-2026-0031" : "ZB-2026-0917";
  d.issue_date = day("2026-10-05");
  d.due_date = day("2026-11-04");
  d.buyer_reference = "ARR-77";
  d.period = formats::UblPeriod{day("2026-09-01"), day("2026-09-30")};
  if (credit) d.billing_references = {"ZB-2026-0917"};
  d.supplier = {{},
                "De Verzonnen Hoeve",
                "Fictiestraat 4",
                "",
                "Zandoever",
                "1004 XX",
                "NL",
                "De Verzonnen Hoeve",
                {"0106", "90000004"},
                percent ? "NL123456789B01" : "",
                "",
                "",
                ""};
  d.customer = {{},
                "Gemeente Zandoever",
                "Fictiestraat 1",
                "",
                "Zandoever",
                "1001 XX",
                "NL",
                "Gemeente Zandoever",
                {"0190", "00000099000100001000"},
                "",
                "",
                "",
                ""};
  d.iban = "NL35TEST0001000004";
  for (auto [item, cents] : {std::pair<const char*, std::int64_t>{"ZORG", 105000}, {"GRIJS", 33333}}) {
    formats::UblLine l;
    l.net = Cents(cents);
    l.price = formats::UblDecimal::of(Cents(cents));
    l.name = "Begeleiding Pluk Testerman";
    l.seller_item = item;
    if (percent) {
      l.category = "S";
      l.percent = formats::UblDecimal::of(percent);
    }
    d.lines.push_back(l);
  }
  formats::complete_totals(d, percent ? "" : "Buiten het toepassingsgebied");
  if (percent) {
    Cents vat(29050);  // 21% of 1383.33
    d.taxes[0].tax = d.tax_total = vat;
    d.taxes[0].reason.clear();
    d.tax_inclusive = d.payable = d.payable + vat;
  }
  return d;
}

inline std::string written(const formats::UblDocument& d) {
  auto out = formats::write_ubl(d);
  if (!out) {
    std::string all;
    for (const auto& f : out.error().findings) all += f.rule + ' ';
    throw std::runtime_error(all);
  }
  return *out;
}

inline std::string ubl(bool credit = false, std::int64_t percent = 0) { return written(ubl_document(credit, percent)); }

/// Codes that all answers of the bench give to lines.
inline std::set<std::string> line_codes(PluginBench& bench) {
  std::set<std::string> codes;
  for (const auto& a : answers(bench)) {
    auto read = formats::read_jw325(a);
    if (!read.message || !read.message->antwoord) continue;
    for (const auto& c : read.message->antwoord->clienten)
      for (const auto& p : c.prestaties) codes.insert(p.retour.begin(), p.retour.end());
  }
  return codes;
}

inline std::string in_envelope(const std::string& bericht, const char* sender = "98765432",
                               const char* function = "JW323") {
  formats::GgkEnvelope e;
  e.zender = {sender, "Zorgsysteem"};
  e.ontvanger = {"0400", "GGk"};
  e.referentienummer = "9c0f7b90-5c69-41e5-a837-0800200c9a66";
  e.tijdstip = "20261005132514";
  e.functie = function;
  e.bericht = bericht;
  return formats::write_ggk(e).value();
}
inline std::string in_soap(const std::string& envelope) {
  return "<s:Envelope xmlns:s=\"" + std::string(formats::kSoapNs) + "\"><s:Body>" +
         envelope.substr(envelope.find("<GGK")) + "</s:Body></s:Envelope>";
}

}  // namespace schakel::test
