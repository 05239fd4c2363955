#include "core/formats/duo.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace schakel::formats {
namespace {

constexpr std::string_view kNs = kDuoVerzuimNs;

bool upper(char c) { return c >= 'A' && c <= 'Z'; }
bool brin(std::string_view s) { return s.size() == 4 && all_digits(s.substr(0, 2)) && upper(s[2]) && upper(s[3]); }
bool vestiging(std::string_view s) { return s.size() == 6 && brin(s.substr(0, 4)) && all_digits(s.substr(4)); }
bool pgn(std::string_view s) { return s.size() == 9 && all_digits(s); }

constexpr TypeRule text_type(std::string_view name, std::size_t min, std::size_t max) {
  TypeRule t;
  t.name = name, t.min_length = min, t.max_length = max;
  return t;
}
constexpr TypeRule pattern(std::string_view name, bool (*matches)(std::string_view)) {
  TypeRule t;
  t.name = name, t.matches = matches;
  return t;
}
constexpr TypeRule kinded(std::string_view name, ValueKind kind, std::int64_t min = 0, std::int64_t max = 0) {
  TypeRule t;
  t.name = name, t.kind = kind;
  if (kind == ValueKind::integer) t.min = min, t.max = max;
  return t;
}
constexpr TypeRule coded(std::string_view name, std::span<const std::string_view> codes) {
  TypeRule t;
  t.name = name, t.codes = codes;
  return t;
}

// V1 and V2 are old kinds: accepted when reading, never sent (section 4), so not in the table of what we send.
constexpr std::array<std::string_view, 6> kSoort{"V3", "V4", "LRV", "L", "RMC", "O"};
constexpr std::array<std::string_view, 4> kOpleiding{"PO", "SO", "VO", "BVE"};
constexpr TypeRule kUuid = pattern("UUID", valid_uuid), kBrin = pattern("BRIN", brin),
                   kVestiging = pattern("Vestiging", vestiging), kPgn = pattern("PGN", pgn);
constexpr TypeRule kInstantie = text_type("Instantie", 3, 22), k200 = text_type("Tekst200", 1, 200),
                   k3000 = text_type("Tekst3000", 1, 3000);
constexpr TypeRule kDay = kinded("date", ValueKind::date), kTime = kinded("dateTime", ValueKind::date_time),
                   kBool = kinded("boolean", ValueKind::boolean);
constexpr TypeRule kYear = kinded("positiveInteger", ValueKind::integer, 1, 99),
                   kHour = kinded("lesuur", ValueKind::integer, 1, 12);
constexpr TypeRule kSoortT = coded("Verzuimsoort", kSoort), kOpleidingT = coded("soortOpleiding", kOpleiding);

constexpr ElementRule leaf(std::string_view name, const TypeRule& type, unsigned min = 1, unsigned max = 1) {
  ElementRule r;
  r.ns = kNs, r.name = name, r.type = &type, r.min = min, r.max = max;
  return r;
}
constexpr ElementRule group(std::string_view name, std::span<const ElementRule> children, unsigned min = 1,
                            unsigned max = 1) {
  ElementRule r;
  r.ns = kNs, r.name = name, r.children = children, r.min = min, r.max = max;
  return r;
}

constexpr std::array kPupil{leaf("burgerservicenummer", kPgn, 0), leaf("onderwijsnummer", kPgn, 0),
                            leaf("leerlingkenmerk", k200, 0)};
constexpr std::array kDag{leaf("datum", kDay), leaf("heleDag", kBool), leaf("lesuur", kHour, 0, 12)};
constexpr std::array kContact{leaf("naam", k200), leaf("functie", k200, 0), leaf("emailadres", k200),
                              leaf("telefoonnummer", k200, 0)};
constexpr std::array kMelding{leaf("brin", kBrin),
                              leaf("vestiging", kVestiging, 0),
                              group("onderwijsontvanger", kPupil),
                              leaf("soortOpleiding", kOpleidingT, 0),
                              leaf("leerjaar", kYear, 0),
                              leaf("verzuimsoort", kSoortT),
                              leaf("datumBeginVerzuim", kDay),
                              leaf("datumEindVerzuim", kDay, 0),
                              leaf("vermoedelijkeReden", k200),
                              leaf("toelichting", k3000, 0),
                              leaf("actieGewenst", kBool),
                              leaf("toelichtingActieGewenst", k3000, 0),
                              leaf("toelichtingOndernomenActie", k3000, 0),
                              leaf("alleLessenGemist", kBool, 0),
                              group("verzuimdag", kDag, 0, 100),
                              group("contactpersoon", kContact)};
constexpr std::array kRequest{leaf("identificatiecodeBedrijfsdocument", kUuid),
                              leaf("verzendendeInstantie", kInstantie), leaf("ontvangendeInstantie", kInstantie),
                              leaf("datumTijdBedrijfsdocument", kTime), group("melding", kMelding)};
constexpr ElementRule kAanleveren = group("aanleverenVerzuimmelding_request", kRequest);

constexpr std::string_view yes(bool b) { return b ? "true" : "false"; }

Result<std::string> body(const DuoAanlevering& r) {
  const auto& m = r.melding;
  XmlWriter w({.indent = false, .declaration = false});
  w.open("aanleverenVerzuimmelding_request").attribute("xmlns", kNs);
  w.optional("identificatiecodeBedrijfsdocument", r.document_id)
      .optional("verzendendeInstantie", r.verzendende_instantie);
  w.optional("ontvangendeInstantie", r.ontvangende_instantie)
      .element("datumTijdBedrijfsdocument", format_instant(r.tijd));
  w.open("melding").optional("brin", m.brin).optional("vestiging", m.vestiging);
  w.open("onderwijsontvanger")
      .optional("burgerservicenummer", m.bsn)
      .optional("onderwijsnummer", m.onderwijsnummer)
      .optional("leerlingkenmerk", m.leerlingkenmerk)
      .close();
  w.optional("soortOpleiding", m.soort_opleiding).optional("leerjaar", m.leerjaar ? std::to_string(*m.leerjaar) : "");
  w.optional("verzuimsoort", m.verzuimsoort)
      .element("datumBeginVerzuim", format_date(m.begin))
      .optional("datumEindVerzuim", m.eind ? format_date(*m.eind) : "");
  w.optional("vermoedelijkeReden", m.reden)
      .optional("toelichting", m.toelichting)
      .element("actieGewenst", yes(m.actie_gewenst));
  w.optional("toelichtingActieGewenst", m.toelichting_actie).optional("toelichtingOndernomenActie", m.ondernomen_actie);
  if (m.alle_lessen_gemist) w.element("alleLessenGemist", yes(*m.alle_lessen_gemist));
  for (const auto& d : m.dagen) {
    w.open("verzuimdag").element("datum", format_date(d.datum)).element("heleDag", yes(d.hele_dag));
    for (int lesuur : d.lesuren) w.element("lesuur", std::to_string(lesuur));
    w.close();
  }
  w.open("contactpersoon")
      .optional("naam", m.contact.naam)
      .optional("functie", m.contact.functie)
      .optional("emailadres", m.contact.email);
  w.optional("telefoonnummer", m.contact.telefoon).close();
  w.close().close();
  return std::move(w).finish();
}

/// What the table cannot say.
std::vector<Finding> business(const DuoVerzuimmelding& m) {
  std::vector<Finding> out;
  auto need = [&](bool ok, const char* where, const char* code, const char* text) {
    if (!ok) out.push_back({fmt::format("/melding/{}", where), code, text, ""});
  };
  need(m.bsn.empty() != m.onderwijsnummer.empty(), "onderwijsontvanger", "DUO_PGN",
       "exactly one of BSN and onderwijsnummer is required");
  need(m.bsn.empty() || valid_bsn(m.bsn), "onderwijsontvanger/burgerservicenummer", "DUO_BSN",
       "the BSN fails the 11-proof");
  need(!m.eind || m.begin <= *m.eind, "datumEindVerzuim", "DUO_PERIOD", "the absence ends before it begins");
  bool closed = m.verzuimsoort == "V3" || m.verzuimsoort == "V4" || m.verzuimsoort == "LRV" || m.verzuimsoort == "RMC";
  need(!closed || m.eind, "datumEindVerzuim", "DUO_END", "this kind of absence needs an end date");
  return out;
}

}  // namespace

const ElementRule& duo_aanleveren_table() { return kAanleveren; }

std::string aanleveren_action() { return fmt::format("{}/aanleverenVerzuimmelding", kDuoVerzuimContract); }

Result<std::string> write_aanleveren(const DuoAanlevering& r) {
  if (!r.melding.begin.ok() || (r.melding.eind && !r.melding.eind->ok()) ||
      std::ranges::any_of(r.melding.dagen, [](const auto& d) { return !d.datum.ok(); }))
    return fail(ErrorKind::invalid, "DUO_REQUEST_INVALID", "a date does not exist");
  auto xml = body(r);
  if (!xml) return xml;
  auto document = read_xml(*xml);
  if (!document) return fail(document.error());
  auto findings = check_table(document->root(), kAanleveren);
  auto more = business(r.melding);
  findings.insert(findings.end(), more.begin(), more.end());
  if (!findings.empty())
    return fail(ErrorKind::invalid, "DUO_REQUEST_INVALID", "the melding does not fit the contract",
                std::move(findings));
  return write_soap({std::string(kDuoOin), r.school_oin, aanleveren_action(), r.message_id, ""}, *xml);
}

DuoVerdict duo_fault_verdict(std::string_view code) {
  return code.ends_with("DK0050") || code.ends_with("DK0051") ? DuoVerdict::retry : DuoVerdict::rejected;
}

Result<DuoAnswer> read_aanleveren_answer(const DuoAanlevering& request, int http_status, std::string_view bytes) {
  bool good = http_status >= 200 && http_status < 300;
  auto reply = [](const char* text) { return fail(ErrorKind::invalid, "DUO_REPLY", text); };
  auto message = read_soap(bytes);
  if (!message || (!good && !message->fault())) {
    // A gateway in between answers in its own words: 5xx passes, 4xx does not.
    if (!good)
      return DuoAnswer{
          http_status >= 500 || http_status == 429 || http_status == 408 ? DuoVerdict::retry : DuoVerdict::rejected,
          "",
          {fmt::format("HTTP_{}", http_status)}};
    return reply("not a SOAP message");
  }
  if (message->fault()) {
    auto code = message->fault()->code;
    // DK0001, DK0003 and DK0009 can come as a plain Client fault; a plain Server fault is a failure of theirs.
    return DuoAnswer{code == "Server" ? DuoVerdict::retry : duo_fault_verdict(code), "", {code}};
  }
  auto body = message->body();
  if (!body.is(kNs, "aanleverenVerzuimmelding_response")) return reply("not an answer to aanleverenVerzuimmelding");
  if (!message->header().relates_to.empty() && !message->answers(request.message_id))
    return reply("an answer to another message");
  if (body.child("identificatiecodeBedrijfsdocument").text() != request.document_id)
    return reply("an answer about another document");
  auto goedgekeurd = collapse(body.child("requestGoedgekeurd").text());
  DuoAnswer answer;
  for (XmlElement f : body.children()) {
    if (!f.is(kNs, "foutmelding")) continue;
    answer.codes.emplace_back(collapse(f.child("foutcode").text()).substr(0, 60));
    if (answer.codes.back() != "NIET_UNIEK") continue;
    answer.verdict = DuoVerdict::already_known;
    for (XmlElement k : f.children())
      if (k.local() == "sleutelgegeven" && k.child("sleutelnaam").text() == "meldingsnummer")
        answer.meldingsnummer = collapse(k.child("sleutelwaarde").text());
  }
  if (goedgekeurd == "true" || goedgekeurd == "1") {
    answer.verdict = DuoVerdict::accepted;
    answer.meldingsnummer = collapse(body.child("meldingsnummer").text());
    if (!all_digits(answer.meldingsnummer) || answer.meldingsnummer.size() > 18)
      return reply("accepted without a meldingsnummer");
    return answer;
  }
  if (goedgekeurd != "false" && goedgekeurd != "0") return reply("neither accepted nor rejected");
  if (answer.verdict == DuoVerdict::already_known && answer.codes.size() > 1) answer.verdict = DuoVerdict::rejected;
  return answer;
}

}  // namespace schakel::formats
