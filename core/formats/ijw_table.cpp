// JW323 and JW325 as tables (facturatie.md 3.2 and 3.4).
#include <algorithm>
#include <array>

#include "core/formats/ijw.hpp"

namespace schakel::formats {
namespace {

using Codes = std::string_view;

bool agb(std::string_view s) { return s.size() == 8 && all_digits(s); }
bool gemeente(std::string_view s) { return s.size() == 4 && all_digits(s); }
bool nine_digits(std::string_view s) { return s.size() == 9 && all_digits(s); }
bool not_blank(std::string_view s) { return !collapse(s).empty() && s.find('\n') == std::string_view::npos; }
bool letters_and_digits(std::string_view s) {
  return std::ranges::all_of(
      s, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
}
bool version(std::string_view s) {
  for (int part = 0; part < 3; ++part) {
    auto dot = part < 2 ? s.find('.') : s.size();
    if (dot == std::string_view::npos) return false;
    auto n = s.substr(0, dot);
    if (!all_digits(n) || (n.size() > 1 && n[0] == '0')) return false;
    s.remove_prefix(part < 2 ? dot + 1 : dot);
  }
  return true;
}

constexpr std::array<Codes, 24> kCategorie{"31", "32", "33", "34", "35", "36", "37", "38", "40", "41", "42", "43",
                                           "44", "45", "46", "47", "48", "49", "50", "51", "52", "53", "54", "55"};
constexpr std::array<Codes, 7> kEenheid{"01", "04", "14", "16", "82", "83", "84"};
constexpr std::array<Codes, 2> kDebetCredit{"C", "D"};
constexpr std::array<Codes, 1> k490{"490"}, k491{"491"}, k3{"3"}, k2{"2"};
constexpr std::array<Codes, 59> kRetour{"0001", "0200", "0233", "0611", "8001", "8017", "8021", "8187", "8214", "8848",
                                        "9019", "9056", "9063", "9069", "9071", "9074", "9307", "9308", "9319", "9321",
                                        "9322", "9326", "9332", "9333", "9338", "9339", "9340", "9341", "9346", "9347",
                                        "9349", "9350", "9351", "9355", "9357", "9359", "9360", "9361", "9365", "9366",
                                        "9367", "9369", "9373", "9374", "9375", "9379", "9384", "9385", "9387", "9388",
                                        "9389", "9390", "9411", "9412", "9413", "9414", "9415", "S300", "S329"};

constexpr TypeRule text(std::string_view name, std::size_t max, bool (*matches)(std::string_view) = nullptr) {
  TypeRule t;
  t.name = name;
  t.min_length = 1;
  t.max_length = max;
  t.matches = matches;
  return t;
}
constexpr TypeRule coded(std::string_view name, std::span<const Codes> codes, ValueKind kind = ValueKind::text) {
  TypeRule t;
  t.name = name;
  t.kind = kind;
  t.codes = codes;
  return t;
}
constexpr TypeRule number(std::string_view name, std::int64_t max) {
  TypeRule t;
  t.name = name;
  t.kind = ValueKind::integer;
  t.min = 0;
  t.max = max;
  return t;
}
constexpr TypeRule day(std::string_view name) {
  TypeRule t;
  t.name = name;
  t.kind = ValueKind::date;
  return t;
}

constexpr TypeRule kAgb = text("LDT_AgbCode", 8, agb), kGemeente = text("LDT_Gemeente", 4, gemeente),
                   kBsn = text("LDT_BurgerServicenummer", 9, nine_digits);
constexpr TypeRule kIdentificatie = text("LDT_IdentificatieBericht", 12, not_blank), kDatum = day("LDT_Datum"),
                   kVersie = text("LDT_Versie", 32, version);
constexpr TypeRule kDeclaratie323 = text("LDT_IdentificatieDeclaratie", 12, letters_and_digits),
                   kDeclaratie325 = text("LDT_IdentificatieDeclaratie", 12);
constexpr TypeRule kReferentie = text("LDT_ReferentieNummer", 20), kProduct = text("LDT_ProductCode", 5, not_blank);
constexpr TypeRule kNummer = number("LDT_Nummer", 999'999'999), kVolume = number("LDT_Volume", 99'999'999),
                   kBedrag = number("LDT_Bedrag", 99'999'999);
constexpr TypeRule kTotaal = number("LDT_TotaalBedrag", 999'999'999'999);
constexpr TypeRule kCat = coded("JZ020", kCategorie), kEenheidT = coded("LDT_Eenheid", kEenheid),
                   kDc = coded("LDT_DebetCredit", kDebetCredit);
constexpr TypeRule kCode490 = coded("BerichtCode", k490), kCode491 = coded("BerichtCode", k491),
                   kV3 = coded("BerichtVersie", k3, ValueKind::integer);
constexpr TypeRule kV2 = coded("BerichtSubversie", k2, ValueKind::integer);
constexpr TypeRule kRetourT = coded("LDT_RetourCode", kRetour);

constexpr ElementRule leaf(std::string_view ns, std::string_view name, const TypeRule& type, unsigned min = 1,
                           unsigned max = 1) {
  ElementRule r;
  r.ns = ns;
  r.name = name;
  r.type = &type;
  r.min = min;
  r.max = max;
  return r;
}
constexpr ElementRule group(std::string_view ns, std::string_view name, std::span<const ElementRule> children,
                            unsigned min = 1, unsigned max = 1) {
  ElementRule r;
  r.ns = ns;
  r.name = name;
  r.children = children;
  r.min = min;
  r.max = max;
  return r;
}

constexpr std::array kBerichtId{leaf(kIjwBasis, "Identificatie", kIdentificatie),
                                leaf(kIjwBasis, "Dagtekening", kDatum)};
constexpr std::array kXsdVersie{leaf(kIjwBasis, "BasisschemaXsdVersie", kVersie),
                                leaf(kIjwBasis, "BerichtXsdVersie", kVersie)};
constexpr std::array kPeriode{leaf(kIjwBasis, "Begindatum", kDatum), leaf(kIjwBasis, "Einddatum", kDatum)};
constexpr std::array kTotaalDc{leaf(kIjwBasis, "TotaalBedrag", kTotaal), leaf(kIjwBasis, "DebetCredit", kDc)};
constexpr std::array kBedragDc{leaf(kIjwBasis, "Bedrag", kBedrag), leaf(kIjwBasis, "DebetCredit", kDc)};
constexpr std::array kReferentieGroup{leaf(kIjwBasis, "ReferentieNummer", kReferentie),
                                      leaf(kIjwBasis, "VorigReferentieNummer", kReferentie, 0)};

// Both messages have the same Prestatie; the JW325 adds RetourCodes behind it.
template <const std::string_view& Ns>
struct Shared {
  static constexpr std::array kRetourCode{leaf(Ns, "RetourCode", kRetourT, 1, kUnbounded)};
  static constexpr std::array kPrestatie{group(Ns, "ProductReferentie", kReferentieGroup),
                                         leaf(Ns, "ToewijzingNummer", kNummer),
                                         leaf(Ns, "ProductCategorie", kCat),
                                         leaf(Ns, "ProductCode", kProduct),
                                         group(Ns, "ProductPeriode", kPeriode),
                                         leaf(Ns, "GeleverdVolume", kVolume),
                                         leaf(Ns, "Eenheid", kEenheidT),
                                         leaf(Ns, "ProductTarief", kBedrag, 0),
                                         group(Ns, "IngediendBedrag", kBedragDc),
                                         group(Ns, "RetourCodes", kRetourCode)};
};
using S323 = Shared<kJw323Ns>;
using S325 = Shared<kJw325Ns>;

constexpr std::array kHeader323{
    leaf(kJw323Ns, "BerichtCode", kCode490), leaf(kJw323Ns, "BerichtVersie", kV3),
    leaf(kJw323Ns, "BerichtSubversie", kV2), leaf(kJw323Ns, "Afzender", kAgb),
    leaf(kJw323Ns, "Ontvanger", kGemeente),  group(kJw323Ns, "BerichtIdentificatie", kBerichtId),
    group(kJw323Ns, "XsdVersie", kXsdVersie)};
constexpr std::array kPrestaties323{
    group(kJw323Ns, "Prestatie", std::span(S323::kPrestatie).first<9>(), 1, kUnbounded)};
constexpr std::array kClient323{leaf(kJw323Ns, "Bsn", kBsn), group(kJw323Ns, "Prestaties", kPrestaties323)};
constexpr std::array kClienten323{group(kJw323Ns, "Client", kClient323, 1, kUnbounded)};
constexpr std::array kDeclaratie{
    leaf(kJw323Ns, "DeclaratieNummer", kDeclaratie323), group(kJw323Ns, "DeclaratiePeriode", kPeriode),
    leaf(kJw323Ns, "DeclaratieDagtekening", kDatum), group(kJw323Ns, "TotaalIngediendBedrag", kTotaalDc),
    group(kJw323Ns, "Clienten", kClienten323)};
constexpr std::array kRoot323{group(kJw323Ns, "Header", kHeader323), group(kJw323Ns, "Declaratie", kDeclaratie)};
constexpr ElementRule kBericht323 = group(kJw323Ns, "Bericht", kRoot323);

constexpr std::array kHeader325{leaf(kJw325Ns, "BerichtCode", kCode491),
                                leaf(kJw325Ns, "BerichtVersie", kV3),
                                leaf(kJw325Ns, "BerichtSubversie", kV2),
                                leaf(kJw325Ns, "Afzender", kGemeente),
                                leaf(kJw325Ns, "Ontvanger", kAgb),
                                group(kJw325Ns, "BerichtIdentificatie", kBerichtId),
                                group(kJw325Ns, "XsdVersie", kXsdVersie),
                                group(kJw325Ns, "DeclaratieIdentificatie", kBerichtId),
                                leaf(kJw325Ns, "XsltVersie", kVersie, 0),
                                group(kJw325Ns, "XsdVersieDeclaratie", kXsdVersie),
                                group(kJw325Ns, "RetourCodes", S325::kRetourCode)};
constexpr std::array kPrestaties325{group(kJw325Ns, "Prestatie", S325::kPrestatie, 1, kUnbounded)};
constexpr std::array kClient325{leaf(kJw325Ns, "Bsn", kBsn), group(kJw325Ns, "Prestaties", kPrestaties325),
                                group(kJw325Ns, "RetourCodes", S325::kRetourCode)};
constexpr std::array kClienten325{group(kJw325Ns, "Client", kClient325, 1, kUnbounded)};
constexpr std::array kAntwoord{
    leaf(kJw325Ns, "DeclaratieNummer", kDeclaratie325), group(kJw325Ns, "TotaalIngediendBedrag", kTotaalDc),
    group(kJw325Ns, "TotaalToegekendBedrag", kTotaalDc), group(kJw325Ns, "Clienten", kClienten325, 0),
    group(kJw325Ns, "RetourCodes", S325::kRetourCode)};
constexpr std::array kRoot325{group(kJw325Ns, "Header", kHeader325),
                              group(kJw325Ns, "DeclaratieAntwoord", kAntwoord, 0)};
constexpr ElementRule kBericht325 = group(kJw325Ns, "Bericht", kRoot325);

struct RuleCode {
  std::string_view rule, code;
};
constexpr std::array kCodes{
    RuleCode{"TR056", "9056"}, RuleCode{"TR135", "8848"}, RuleCode{"TR304", "8187"}, RuleCode{"TR307", "9307"},
    RuleCode{"TR308", "9308"}, RuleCode{"TR314", "8021"}, RuleCode{"TR318", "8214"}, RuleCode{"TR319", "9319"},
    RuleCode{"TR333", "9333"}, RuleCode{"TR338", "9338"}, RuleCode{"TR339", "9339"}, RuleCode{"TR340", "9340"},
    RuleCode{"TR341", "9341"}, RuleCode{"TR346", "9346"}, RuleCode{"TR367", "9367"}, RuleCode{"TR378", "S300"},
    RuleCode{"TR381", "S329"}, RuleCode{"TR384", "9384"}, RuleCode{"TR387", "9387"}, RuleCode{"TR388", "9388"},
    RuleCode{"TR389", "9389"}, RuleCode{"TR390", "9390"}, RuleCode{"TR418", "0611"}};

}  // namespace

const ElementRule& jw323_table() { return kBericht323; }
const ElementRule& jw325_table() { return kBericht325; }

std::string_view retour_code(std::string_view rule) {
  auto at = std::ranges::find(kCodes, rule, &RuleCode::rule);
  return at == kCodes.end() ? std::string_view("0001") : at->code;
}

}  // namespace schakel::formats
