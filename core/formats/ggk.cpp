#include "core/formats/ggk.hpp"

#include <fmt/format.h>

#include "core/base/bytes.hpp"
#include "core/formats/soap.hpp"
#include "core/formats/values.hpp"

namespace schakel::formats {
namespace {

constexpr std::size_t kGgkBytes = 25 * 1024 * 1024;

std::unexpected<Error> ggk_field(std::string where, const char* what) {
  return fail(ErrorKind::invalid, "GGK_FIELD", "a field of the envelope is missing or has not its form",
              {{std::move(where), "GGK_FIELD", what, "StUF-GGk 2.1"}});
}

bool four_digits(std::string_view s) { return s.size() == 4 && all_digits(s); }
bool stuf_moment(std::string_view s) { return s.size() >= 14 && s.size() <= 17 && all_digits(s); }
/// CBS code, AGB code or a name of the hub.
bool organisatie_form(std::string_view s) { return !s.empty() && s.size() <= 200; }

GgkSystem read_system(const XmlElement& e) {
  return {std::string(collapse(e.child(kStufNs, "organisatie").text())),
          std::string(collapse(e.child(kStufNs, "applicatie").text()))};
}

void write_system(XmlWriter& w, std::string_view name, const GgkSystem& s) {
  w.open(name);
  w.optional("StUF:organisatie", s.organisatie);
  w.optional("StUF:applicatie", s.applicatie);
  w.close();
}

Result<std::string> decode_payload(std::string_view text) {
  // base64Binary may be broken into lines.
  std::string plain;
  plain.reserve(text.size());
  for (char c : text)
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n') plain += c;
  auto bytes = from_base64(plain);
  if (!bytes || bytes->empty()) return fail(ErrorKind::invalid, "GGK_CONTENT", "xmlBestand is not base64, or empty");
  return std::string(as_text(*bytes));
}

Result<GgkEnvelope> read_envelope(const XmlElement& root) {
  GgkEnvelope out;
  bool di = root.is(kGgkNs, "envelopHeenbericht-ggk_Di01");
  out.retour = root.is(kGgkNs, "envelopRetourbericht-ggk_Du01");
  if (!di && !out.retour) return fail(ErrorKind::invalid, "GGK_UNKNOWN", "neither a ggk_Di01 nor a ggk_Du01");
  auto head = root.child("stuurgegevens"), parameters = root.child("parameters");
  auto text = [&](const char* name) { return std::string(collapse(head.child(kStufNs, name).text())); };
  if (text("berichtcode") != (di ? "Di01" : "Du01"))
    return ggk_field("/stuurgegevens/berichtcode", "the code is not that of this envelope");
  out.zender = read_system(head.child(kStufNs, "zender"));
  out.ontvanger = read_system(head.child(kStufNs, "ontvanger"));
  if (!organisatie_form(out.zender.organisatie))
    return ggk_field("/stuurgegevens/zender/organisatie", "the sender is required");
  if (!organisatie_form(out.ontvanger.organisatie))
    return ggk_field("/stuurgegevens/ontvanger/organisatie", "the receiver is required");
  out.referentienummer = text("referentienummer");
  if (!valid_uuid(out.referentienummer)) return ggk_field("/stuurgegevens/referentienummer", "a UUID is required");
  out.tijdstip = text("tijdstipBericht");
  if (!stuf_moment(out.tijdstip)) return ggk_field("/stuurgegevens/tijdstipBericht", "yyyyMMddHHmmss is required");
  out.cross_ref = text("crossRefnummer");
  if (out.retour && !valid_uuid(out.cross_ref)) return ggk_field("/stuurgegevens/crossRefnummer", "a UUID is required");
  out.functie = text("functie");
  if (out.functie.empty() || out.functie.size() > 30)
    return ggk_field("/stuurgegevens/functie", "the function is required");
  auto version = [&](const char* name) { return std::string(collapse(parameters.child(name).text())); };
  out.applicatie_versie = version("applicatieVersie"), out.applicatie_subversie = version("applicatieSubversie");
  out.functie_versie = version("functieVersie"), out.functie_subversie = version("functieSubversie");
  for (const auto& v : {out.applicatie_versie, out.applicatie_subversie, out.functie_versie, out.functie_subversie})
    if (!four_digits(v)) return ggk_field("/parameters", "versions have four digits");
  auto file = parameters.child("bericht").child("xmlBestand");
  if (!file) return fail(ErrorKind::invalid, "GGK_CONTENT", "the envelope holds no xmlBestand");
  auto decoded = decode_payload(file.text());
  if (!decoded) return fail(decoded.error());
  out.bericht = std::move(*decoded);
  return out;
}

}  // namespace

Result<GgkEnvelope> read_ggk(std::string_view bytes, const XmlLimits& limits) {
  auto xml = read_xml(bytes, limits);
  if (!xml) return fail(xml.error());
  auto root = xml->root();
  if (root.is(kSoapNs, "Envelope")) {
    auto soap = read_soap(bytes, limits);
    if (!soap) return fail(soap.error());
    if (soap->fault()) return fail(ErrorKind::invalid, "GGK_UNKNOWN", "a fault and no envelope");
    return read_envelope(soap->body());
  }
  return read_envelope(root);
}

Result<std::string> write_ggk(const GgkEnvelope& e) {
  if (!valid_uuid(e.referentienummer)) return ggk_field("/stuurgegevens/referentienummer", "a UUID is required");
  if (e.retour && !valid_uuid(e.cross_ref)) return ggk_field("/stuurgegevens/crossRefnummer", "a UUID is required");
  if (!stuf_moment(e.tijdstip)) return ggk_field("/stuurgegevens/tijdstipBericht", "yyyyMMddHHmmss is required");
  for (const auto& v : {e.applicatie_versie, e.applicatie_subversie, e.functie_versie, e.functie_subversie})
    if (!four_digits(v)) return ggk_field("/parameters", "versions have four digits");
  if (e.bericht.empty() || e.functie.empty())
    return ggk_field("/parameters/bericht", "there is nothing in the envelope");
  XmlWriter w;
  w.open(e.retour ? "GGK:envelopRetourbericht-ggk_Du01" : "GGK:envelopHeenbericht-ggk_Di01")
      .attribute("xmlns:StUF", kStufNs)
      .attribute("xmlns:GGK", kGgkNs);
  w.open("GGK:stuurgegevens").element("StUF:berichtcode", e.retour ? "Du01" : "Di01");
  write_system(w, "StUF:zender", e.zender);
  write_system(w, "StUF:ontvanger", e.ontvanger);
  w.element("StUF:referentienummer", e.referentienummer).element("StUF:tijdstipBericht", e.tijdstip);
  if (e.retour) w.element("StUF:crossRefnummer", e.cross_ref);
  w.element("StUF:functie", e.functie).close();
  w.open("GGK:parameters")
      .element("GGK:applicatieVersie", e.applicatie_versie)
      .element("GGK:applicatieSubversie", e.applicatie_subversie);
  w.element("GGK:functieVersie", e.functie_versie).element("GGK:functieSubversie", e.functie_subversie);
  w.open("GGK:bericht").element("GGK:xmlBestand", to_base64(as_bytes(e.bericht))).close().close().close();
  auto text = std::move(w).finish();
  if (text && text->size() > kGgkBytes)
    return fail(ErrorKind::too_large, "GGK_TOO_LARGE", "the envelope is larger than 25 MB");
  return text;
}

Result<std::string> write_stuf_answer(const StufAnswer& a, bool declaration) {
  if (!valid_uuid(a.referentienummer)) return ggk_field("/stuurgegevens/referentienummer", "a UUID is required");
  bool fault = a.berichtcode != "Bv03";
  XmlWriter w({.indent = declaration, .declaration = declaration});
  w.open(fmt::format("StUF:{}Bericht", a.berichtcode)).attribute("xmlns:StUF", kStufNs);
  w.open("StUF:stuurgegevens").element("StUF:berichtcode", a.berichtcode);
  write_system(w, "StUF:zender", a.zender);
  write_system(w, "StUF:ontvanger", a.ontvanger);
  w.element("StUF:referentienummer", a.referentienummer).element("StUF:tijdstipBericht", a.tijdstip);
  w.optional("StUF:crossRefnummer", a.cross_ref).close();
  if (fault)
    w.open("StUF:body")
        .element("StUF:code", a.code)
        .element("StUF:plek", "client")
        .element("StUF:omschrijving", a.omschrijving.substr(0, 200))
        .close();
  w.close();
  return std::move(w).finish();
}

Result<std::string> write_stuf_soap(const StufAnswer& a) {
  auto inner = write_stuf_answer(a, false);
  if (!inner) return inner;
  XmlWriter w({.indent = false});
  w.open("soap:Envelope").attribute("xmlns:soap", kSoapNs).open("soap:Body");
  if (a.berichtcode == "Bv03") {
    w.raw(*inner);
  } else {
    w.open("soap:Fault").element("faultcode", "soap:Client").element("faultstring", a.omschrijving.substr(0, 200));
    w.open("detail").raw(*inner).close().close();
  }
  w.close().close();
  return std::move(w).finish();
}

}  // namespace schakel::formats
