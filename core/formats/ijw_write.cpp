#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/formats/ijw.hpp"

namespace schakel::formats {
namespace {

/// Element names with the prefix of one message.
class Writer {
 public:
  explicit Writer(std::string_view prefix) : prefix_(prefix), xml_({.indent = true, .newline = "\r\n"}) {
    xml_.open(own("Bericht"))
        .attribute("xmlns:ijw", kIjwBasis)
        .attribute(fmt::format("xmlns:{}", prefix), prefix == "jw323" ? kJw323Ns : kJw325Ns);
  }
  [[nodiscard]] std::string own(std::string_view name) const { return fmt::format("{}:{}", prefix_, name); }
  void open(std::string_view name) { xml_.open(own(name)); }
  void close() { xml_.close(); }
  void element(std::string_view name, std::string_view value) { xml_.element(own(name), value); }
  void element(std::string_view name, std::int64_t value) { xml_.element(own(name), std::to_string(value)); }

  void header(std::string_view code, std::string_view afzender, std::string_view ontvanger) {
    open("Header");
    element("BerichtCode", code);
    element("BerichtVersie", "3");
    element("BerichtSubversie", "2");
    element("Afzender", afzender);
    element("Ontvanger", ontvanger);
  }
  void identification(std::string_view name, std::string_view id, Date date) {
    open(name);
    xml_.element("ijw:Identificatie", id).element("ijw:Dagtekening", format_date(date));
    close();
  }
  void versions(std::string_view name, const IjwVersies& v) {
    open(name);
    xml_.element("ijw:BasisschemaXsdVersie", v.basisschema).element("ijw:BerichtXsdVersie", v.bericht);
    close();
  }
  void period(std::string_view name, const IjwPeriode& p) {
    open(name);
    xml_.element("ijw:Begindatum", format_date(p.begin)).element("ijw:Einddatum", format_date(p.eind));
    close();
  }
  /// Signed amount as amount and D or C; 0 is D (CS325).
  void amount(std::string_view name, std::string_view inner, Cents amount) {
    bool credit = amount < Cents{};
    open(name);
    xml_.element(fmt::format("ijw:{}", inner), std::to_string((credit ? -amount : amount).value()))
        .element("ijw:DebetCredit", credit ? "C" : "D");
    close();
  }
  void retour(const std::vector<std::string>& codes) {
    open("RetourCodes");
    for (const auto& code : codes) element("RetourCode", code);
    close();
  }
  void prestatie(const IjwPrestatie& p) {
    open("ProductReferentie");
    xml_.element("ijw:ReferentieNummer", p.referentie).optional("ijw:VorigReferentieNummer", p.vorige_referentie);
    close();
    element("ToewijzingNummer", p.toewijzing);
    element("ProductCategorie", p.categorie);
    element("ProductCode", p.product);
    period("ProductPeriode", p.periode);
    element("GeleverdVolume", p.volume);
    element("Eenheid", p.eenheid);
    if (p.tarief) element("ProductTarief", p.tarief->value());
    amount("IngediendBedrag", "Bedrag", p.signed_bedrag());
  }
  Result<std::string> finish() && {
    xml_.close();
    return std::move(xml_).finish();
  }

 private:
  std::string_view prefix_;
  XmlWriter xml_;
};

Jw325 answer_header(const Jw323& d, std::string identificatie, Date dagtekening) {
  Jw325 a;
  a.afzender = d.ontvanger;
  a.ontvanger = d.afzender;
  a.identificatie = std::move(identificatie);
  a.dagtekening = dagtekening;
  a.versies = d.versies;
  a.declaratie_identificatie = d.identificatie;
  a.declaratie_dagtekening = d.dagtekening;
  a.declaratie_versies = d.versies;
  a.retour = {"0200"};
  return a;
}

}  // namespace

Result<std::string> write_jw323(const Jw323& d) {
  Writer w("jw323");
  w.header("490", d.afzender, d.ontvanger);
  w.identification("BerichtIdentificatie", d.identificatie, d.dagtekening);
  w.versions("XsdVersie", d.versies);
  w.close();
  w.open("Declaratie");
  w.element("DeclaratieNummer", d.declaratienummer);
  w.period("DeclaratiePeriode", d.periode);
  w.element("DeclaratieDagtekening", format_date(d.declaratie_dagtekening));
  w.amount("TotaalIngediendBedrag", "TotaalBedrag", d.totaal);
  w.open("Clienten");
  for (const auto& client : d.clienten) {
    w.open("Client");
    w.element("Bsn", client.bsn);
    w.open("Prestaties");
    for (const auto& p : client.prestaties) {
      w.open("Prestatie");
      w.prestatie(p);
      w.close();
    }
    w.close();
    w.close();
  }
  w.close();
  w.close();
  return std::move(w).finish();
}

Result<std::string> write_jw325(const Jw325& a) {
  Writer w("jw325");
  w.header("491", a.afzender, a.ontvanger);
  w.identification("BerichtIdentificatie", a.identificatie, a.dagtekening);
  w.versions("XsdVersie", a.versies);
  w.identification("DeclaratieIdentificatie", a.declaratie_identificatie, a.declaratie_dagtekening);
  if (!a.xslt_versie.empty()) w.element("XsltVersie", a.xslt_versie);
  w.versions("XsdVersieDeclaratie", a.declaratie_versies);
  w.retour(a.retour);
  w.close();
  if (a.antwoord) {
    w.open("DeclaratieAntwoord");
    w.element("DeclaratieNummer", a.antwoord->declaratienummer);
    w.amount("TotaalIngediendBedrag", "TotaalBedrag", a.antwoord->ingediend);
    w.amount("TotaalToegekendBedrag", "TotaalBedrag", a.antwoord->toegekend);
    if (!a.antwoord->clienten.empty()) {
      w.open("Clienten");
      for (const auto& client : a.antwoord->clienten) {
        w.open("Client");
        w.element("Bsn", client.bsn);
        w.open("Prestaties");
        for (const auto& p : client.prestaties) {
          w.open("Prestatie");
          w.prestatie(p.prestatie);
          w.retour(p.retour);
          w.close();
        }
        w.close();
        w.retour(client.retour);
        w.close();
      }
      w.close();
    }
    w.retour(a.antwoord->retour);
    w.close();
  }
  return std::move(w).finish();
}

Jw325 grant_all(const Jw323& d, std::string identificatie, Date dagtekening) {
  auto a = answer_header(d, std::move(identificatie), dagtekening);
  a.antwoord = IjwDeclaratieAntwoord{d.declaratienummer, d.totaal, d.totaal, {}, {"8001"}};
  return a;
}

Jw325 reject_lines(const Jw323& d, std::string identificatie, Date dagtekening,
                   const std::vector<IjwRejectedLine>& lines, const std::vector<std::size_t>& unknown_clients) {
  if (lines.empty() && unknown_clients.empty()) return grant_all(d, std::move(identificatie), dagtekening);
  auto a = answer_header(d, std::move(identificatie), dagtekening);
  std::map<std::pair<std::size_t, std::size_t>, std::vector<std::string>> of_line;
  for (const auto& line : lines) {
    auto& codes = of_line[{line.client, line.prestatie}];
    codes.insert(codes.end(), line.codes.begin(), line.codes.end());
  }
  std::set<std::size_t> not_known(unknown_clients.begin(), unknown_clients.end());
  auto& answer = a.antwoord.emplace(IjwDeclaratieAntwoord{d.declaratienummer, d.totaal, d.totaal, {}, {"0200"}});
  for (std::size_t c = 0; c < d.clienten.size(); ++c) {
    bool unknown = not_known.contains(c);
    IjwAnswerClient client{d.clienten[c].bsn, {}, {unknown ? "8187" : "0200"}};
    for (std::size_t i = 0; i < d.clienten[c].prestaties.size(); ++i) {
      std::vector<std::string> codes;
      if (unknown)
        codes = {"0233"};
      else if (auto rejected = of_line.find({c, i}); rejected != of_line.end())
        codes = std::move(rejected->second);
      if (codes.empty()) continue;
      answer.toegekend -= d.clienten[c].prestaties[i].signed_bedrag();
      client.prestaties.push_back({d.clienten[c].prestaties[i], std::move(codes)});
    }
    if (!client.prestaties.empty()) answer.clienten.push_back(std::move(client));
  }
  return a;
}

Jw325 reject_declaration(const Jw323& d, std::string identificatie, Date dagtekening, std::string code) {
  auto a = answer_header(d, std::move(identificatie), dagtekening);
  a.antwoord = IjwDeclaratieAntwoord{d.declaratienummer, d.totaal, Cents{}, {}, {std::move(code)}};
  return a;
}

Jw325 reject_message(const Jw323& d, std::string identificatie, Date dagtekening, std::string code) {
  auto a = answer_header(d, std::move(identificatie), dagtekening);
  a.retour = {std::move(code)};
  return a;
}

Jw325 answer_to(const Jw323& d, const std::vector<IjwFinding>& rules, std::string identificatie, Date dagtekening) {
  std::vector<IjwRejectedLine> lines;
  for (const auto& r : rules) {
    if (r.retour == "0001" || r.retour == "8848" || r.client < 0 || r.prestatie < 0)
      return reject_message(d, std::move(identificatie), dagtekening, r.retour == "8848" ? "8848" : "0001");
    auto c = static_cast<std::size_t>(r.client), i = static_cast<std::size_t>(r.prestatie);
    auto same = std::ranges::find_if(lines, [&](const auto& l) { return l.client == c && l.prestatie == i; });
    if (same == lines.end()) same = lines.insert(lines.end(), {c, i, {}});
    if (std::ranges::find(same->codes, r.retour) == same->codes.end()) same->codes.emplace_back(r.retour);
  }
  return reject_lines(d, std::move(identificatie), dagtekening, lines);
}

Result<std::vector<std::pair<std::size_t, std::size_t>>> granted_lines(const Jw323& d, const Jw325& a) {
  auto mismatch = [](const char* what) { return fail(ErrorKind::conflict, "IJW_ANSWER_MISMATCH", what); };
  if (a.declaratie_identificatie != d.identificatie || a.declaratie_dagtekening != d.dagtekening ||
      a.ontvanger != d.afzender || a.afzender != d.ontvanger)
    return mismatch("the answer is about another declaration (TR337)");
  std::vector<std::pair<std::size_t, std::size_t>> granted;
  if (!a.antwoord) return granted;
  if (a.antwoord->declaratienummer != d.declaratienummer || a.antwoord->ingediend != d.totaal)
    return mismatch("number or total differ from the declaration (TR367)");
  if (!std::ranges::all_of(a.antwoord->retour, [](const auto& c) { return c == "0200" || c == "8001"; }))
    return granted;
  std::set<std::pair<std::string_view, std::string_view>> rejected;
  Cents rejected_sum, granted_sum;
  for (const auto& client : a.antwoord->clienten)
    for (const auto& p : client.prestaties) {
      rejected.emplace(client.bsn, p.prestatie.referentie);
      rejected_sum += p.prestatie.signed_bedrag();
    }
  std::size_t matched = 0;
  Cents matched_sum;
  for (std::size_t c = 0; c < d.clienten.size(); ++c)
    for (std::size_t i = 0; i < d.clienten[c].prestaties.size(); ++i) {
      const auto& p = d.clienten[c].prestaties[i];
      if (rejected.contains({d.clienten[c].bsn, p.referentie})) {
        ++matched;
        matched_sum += p.signed_bedrag();
      } else {
        granted.emplace_back(c, i);
        granted_sum += p.signed_bedrag();
      }
    }
  if (matched != rejected.size() || matched_sum != rejected_sum)
    return mismatch("a rejected line differs from the declaration (TR367)");
  if (granted_sum != a.antwoord->toegekend) return mismatch("the granted lines are not the granted total (TR342)");
  return granted;
}

}  // namespace schakel::formats
