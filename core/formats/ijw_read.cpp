#include <charconv>

#include "core/base/assert.hpp"
#include "core/formats/ijw.hpp"

namespace schakel::formats {
namespace {

// Only called on documents that passed their table, so every value has its type.
std::int64_t integer(std::string_view s) {
  s = collapse(s);
  if (s.starts_with('+')) s.remove_prefix(1);
  std::int64_t v = 0;
  auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), v);
  SCHAKEL_ASSERT(error == std::errc{});
  return v;
}

Date date(std::string_view s) {
  auto d = parse_date(collapse(s));
  SCHAKEL_ASSERT(d.has_value());
  return *d;
}

XmlElement basis(const XmlElement& e, std::string_view name) { return e.child(kIjwBasis, name); }
IjwPeriode periode(const XmlElement& e) {
  return {date(basis(e, "Begindatum").text()), date(basis(e, "Einddatum").text())};
}
IjwVersies versies(const XmlElement& e) {
  return {std::string(basis(e, "BasisschemaXsdVersie").text()), std::string(basis(e, "BerichtXsdVersie").text())};
}
Cents total(const XmlElement& e) {
  Cents amount{integer(basis(e, "TotaalBedrag").text())};
  return basis(e, "DebetCredit").text() == "C" ? -amount : amount;
}

IjwPrestatie prestatie(const XmlElement& e) {
  IjwPrestatie p;
  p.line = e.line();
  for (XmlElement c : e.children()) {
    auto name = c.local();
    if (name == "ProductReferentie") {
      p.referentie = basis(c, "ReferentieNummer").text();
      p.vorige_referentie = basis(c, "VorigReferentieNummer").text();
    } else if (name == "ToewijzingNummer") {
      p.toewijzing = integer(c.text());
    } else if (name == "ProductCategorie") {
      p.categorie = c.text();
    } else if (name == "ProductCode") {
      p.product = c.text();
    } else if (name == "ProductPeriode") {
      p.periode = periode(c);
    } else if (name == "GeleverdVolume") {
      p.volume = integer(c.text());
    } else if (name == "Eenheid") {
      p.eenheid = c.text();
    } else if (name == "ProductTarief") {
      p.tarief = Cents{integer(c.text())};
    } else if (name == "IngediendBedrag") {
      p.bedrag = Cents{integer(basis(c, "Bedrag").text())};
      p.credit = basis(c, "DebetCredit").text() == "C";
    }
  }
  return p;
}

std::vector<std::string> retour(const XmlElement& e) {
  std::vector<std::string> out;
  for (XmlElement c : e.child("RetourCodes").children()) out.emplace_back(c.text());
  return out;
}

/// Root name, then table; the document when nothing was found.
std::optional<XmlDocument> structure(std::string_view bytes, const ElementRule& table, const XmlLimits& limits,
                                     std::vector<Finding>& findings) {
  auto document = read_xml(bytes, limits);
  if (!document) {
    const auto& e = document.error();
    findings.push_back({"", e.code, e.message,
                        e.code == "XML_BOM" || e.code == "XML_ENCODING" || e.code == "XML_UTF8" ? "OP192"
                        : e.code == "XML_TOO_LARGE"                                             ? "OP179"
                                                                                                : ""});
    return std::nullopt;
  }
  if (!document->root().is(table.ns, table.name)) {
    findings.push_back({document->root().path(), "XML_ROOT", "the root element is not that of this message", ""});
    return std::nullopt;
  }
  findings = check_table(document->root(), table);
  for (auto& f : findings)
    if (f.code == "XML_ELEMENT_EMPTY" && f.rule.empty()) f.rule = "RS033";
  if (!findings.empty()) return std::nullopt;
  return std::move(*document);
}

}  // namespace

Jw323Read read_jw323(std::string_view bytes, std::optional<Date> today, const XmlLimits& limits) {
  Jw323Read out;
  auto document = structure(bytes, jw323_table(), limits, out.structure);
  if (!document) return out;
  auto header = document->root().child("Header"), declaratie = document->root().child("Declaratie");
  Jw323 m;
  m.afzender = header.child("Afzender").text();
  m.ontvanger = header.child("Ontvanger").text();
  m.identificatie = basis(header.child("BerichtIdentificatie"), "Identificatie").text();
  m.dagtekening = date(basis(header.child("BerichtIdentificatie"), "Dagtekening").text());
  m.versies = versies(header.child("XsdVersie"));
  m.declaratienummer = declaratie.child("DeclaratieNummer").text();
  m.periode = periode(declaratie.child("DeclaratiePeriode"));
  m.declaratie_dagtekening = date(declaratie.child("DeclaratieDagtekening").text());
  m.totaal = total(declaratie.child("TotaalIngediendBedrag"));
  for (XmlElement c : declaratie.child("Clienten").children()) {
    auto& client = m.clienten.emplace_back();
    client.bsn = c.child("Bsn").text();
    for (XmlElement p : c.child("Prestaties").children()) client.prestaties.push_back(prestatie(p));
  }
  out.rules = check_jw323(m, today);
  out.message = std::move(m);
  return out;
}

Jw325Read read_jw325(std::string_view bytes, const XmlLimits& limits) {
  Jw325Read out;
  auto document = structure(bytes, jw325_table(), limits, out.structure);
  if (!document) return out;
  auto header = document->root().child("Header"), antwoord = document->root().child("DeclaratieAntwoord");
  Jw325 m;
  m.afzender = header.child("Afzender").text();
  m.ontvanger = header.child("Ontvanger").text();
  m.identificatie = basis(header.child("BerichtIdentificatie"), "Identificatie").text();
  m.dagtekening = date(basis(header.child("BerichtIdentificatie"), "Dagtekening").text());
  m.versies = versies(header.child("XsdVersie"));
  m.declaratie_identificatie = basis(header.child("DeclaratieIdentificatie"), "Identificatie").text();
  m.declaratie_dagtekening = date(basis(header.child("DeclaratieIdentificatie"), "Dagtekening").text());
  m.xslt_versie = header.child("XsltVersie").text();
  m.declaratie_versies = versies(header.child("XsdVersieDeclaratie"));
  m.retour = retour(header);
  if (antwoord) {
    auto& a = m.antwoord.emplace();
    a.declaratienummer = antwoord.child("DeclaratieNummer").text();
    a.ingediend = total(antwoord.child("TotaalIngediendBedrag"));
    a.toegekend = total(antwoord.child("TotaalToegekendBedrag"));
    a.retour = retour(antwoord);
    for (XmlElement c : antwoord.child("Clienten").children()) {
      auto& client = a.clienten.emplace_back();
      client.bsn = c.child("Bsn").text();
      client.retour = retour(c);
      for (XmlElement p : c.child("Prestaties").children()) client.prestaties.push_back({prestatie(p), retour(p)});
    }
  }
  out.rules = check_jw325(m);
  out.message = std::move(m);
  return out;
}

}  // namespace schakel::formats
