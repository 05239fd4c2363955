// The rules of iJw 3.2 that one message can show to be broken (level 2). Levels 3 and 4 need earlier messages or the
// contract.
#include <fmt/format.h>

#include <set>
#include <tuple>
#include <unordered_set>

#include "core/formats/ijw.hpp"

namespace schakel::formats {
namespace {

using namespace std::chrono;

constexpr std::size_t kMost = 1000;

class Rules {
 public:
  explicit Rules(std::string_view root) : root_(root) {}

  void message(std::string_view rule, std::string_view where, std::string text) {
    add(rule, fmt::format("/Bericht/{}", where), std::move(text), -1, -1);
  }
  void line(std::string_view rule, std::size_t client, std::size_t prestatie, int at, std::string text) {
    add(rule,
        fmt::format("/Bericht/{}/Clienten/Client[{}]/Prestaties/Prestatie[{}]:{}", root_, client + 1, prestatie + 1,
                    at),
        std::move(text), static_cast<std::ptrdiff_t>(client), static_cast<std::ptrdiff_t>(prestatie));
  }
  void client(std::string_view rule, std::size_t c, std::string text) {
    add(rule, fmt::format("/Bericht/{}/Clienten/Client[{}]/Bsn", root_, c + 1), std::move(text),
        static_cast<std::ptrdiff_t>(c), -1);
  }
  std::vector<IjwFinding> take() && { return std::move(out_); }

 private:
  void add(std::string_view rule, std::string pointer, std::string text, std::ptrdiff_t client,
           std::ptrdiff_t prestatie) {
    if (out_.size() >= kMost) return;
    if (out_.size() + 1 == kMost) {
      // Lines behind the last finding were not looked at: nothing of such a message is granted.
      out_.push_back(
          {{"/Bericht", "IJW_TOO_MANY", "more findings than are listed: the whole is refused", ""}, "0001", -1, -1});
      return;
    }
    out_.push_back({{std::move(pointer), fmt::format("IJW_{}", rule), std::move(text), std::string(rule)},
                    retour_code(rule),
                    client,
                    prestatie});
  }
  std::string_view root_;
  std::vector<IjwFinding> out_;
};

bool one_month(const IjwPeriode& p) {
  return p.begin.year() == p.eind.year() && p.begin.month() == p.eind.month() && p.begin <= p.eind;
}

/// Rounded up, of numbers from 0.
std::int64_t divided_up(std::int64_t a, std::int64_t b) { return a / b + (a % b > 0 ? 1 : 0); }

/// Minutes are billed at the hourly tariff (IV081): there is a tariff T of whole cents an hour that is `tarief` a
/// minute when rounded, and T times the minutes is `bedrag` when rounded once.
bool minutes_add_up(std::int64_t minutes, std::int64_t tarief, std::int64_t bedrag) {
  if (minutes == 0) return bedrag == 0;
  // round(T/60) = tarief: 60 tarief - 30 <= T < 60 tarief + 30; round(T minutes / 60) = bedrag in the same way.
  auto least = std::max<std::int64_t>({0, 60 * tarief - 30, bedrag == 0 ? 0 : divided_up(60 * bedrag - 30, minutes)});
  auto most = std::min(60 * tarief + 30, divided_up(60 * bedrag + 30, minutes)) - 1;
  return least <= most;
}

void check_line(Rules& rules, const IjwPrestatie& p, std::size_t c, std::size_t i) {
  auto broken = [&](std::string_view rule, const char* text) { rules.line(rule, c, i, p.line, text); };
  if (p.credit && p.bedrag == Cents{}) broken("CS325", "an amount of 0 is D");
  if (p.credit == p.vorige_referentie.empty()) broken("CD060", "VorigReferentieNummer stands with C, and only with C");
  bool euro = p.eenheid == "83";
  if (euro == p.tarief.has_value()) broken("CD087", "ProductTarief is absent with Eenheid 83, and only then");
  if (euro && p.bedrag.value() != p.volume) broken("CS339", "with Eenheid 83 IngediendBedrag equals GeleverdVolume");
  if (!euro && p.tarief) {
    bool right = p.eenheid == "01" ? minutes_add_up(p.volume, p.tarief->value(), p.bedrag.value())
                                   : p.bedrag.value() == p.volume * p.tarief->value();
    if (!right) broken("TR346", "IngediendBedrag is not GeleverdVolume times ProductTarief");
  }
  if (p.periode.begin < Date{2021y / January / 1}) broken("CS100", "ProductPeriode begins before 2021");
  if (!one_month(p.periode)) broken("CS337", "ProductPeriode lies within one month");
}

}  // namespace

bool of_another_category(std::string_view product, std::string_view categorie) {
  auto category = [](std::string_view t) {
    return all_digits(t) && ((t >= "31" && t <= "38") || (t >= "40" && t <= "55"));
  };
  return product.size() == 5 && category(product.substr(0, 2)) && product[2] >= 'A' && product[2] <= 'Z' &&
         all_digits(product.substr(3)) && !product.starts_with(categorie);
}

std::vector<IjwFinding> check_jw323(const Jw323& m, std::optional<Date> today) {
  Rules rules("Declaratie");
  if (m.periode.begin.day() != day{1} ||
      m.periode.eind != Date{m.periode.begin.year() / m.periode.begin.month() / last})
    rules.message("CS340", "Declaratie/DeclaratiePeriode", "DeclaratiePeriode is not one whole calendar month");
  if (m.periode.begin < Date{2021y / January / 1})
    rules.message("CS100", "Declaratie/DeclaratiePeriode", "DeclaratiePeriode begins before 2021");
  if (m.ontvanger == "0000") rules.message("TR378", "Header/Ontvanger", "0000 is the code of no gemeente");
  if (m.declaratie_dagtekening > m.dagtekening)
    rules.message("TR134", "Declaratie/DeclaratieDagtekening", "DeclaratieDagtekening is after Dagtekening");
  if (today && m.dagtekening > *today)
    rules.message("TR135", "Header/BerichtIdentificatie/Dagtekening", "Dagtekening is in the future");

  std::unordered_set<std::string_view> references, previous;
  for (const auto& client : m.clienten)
    for (const auto& p : client.prestaties)
      if (!p.vorige_referentie.empty()) previous.insert(p.vorige_referentie);
  std::unordered_set<std::string_view> previous_seen;
  std::set<std::tuple<std::int64_t, std::string_view, std::string_view, Date, Date>> debits;
  auto oldest = m.declaratie_dagtekening - years{5};
  if (!oldest.ok()) oldest = oldest.year() / oldest.month() / last;
  Cents sum;
  for (std::size_t c = 0; c < m.clienten.size(); ++c) {
    const auto& client = m.clienten[c];
    if (!valid_bsn(client.bsn)) rules.client("CS002", c, "Bsn fails the 11-proof");
    for (std::size_t i = 0; i < client.prestaties.size(); ++i) {
      const auto& p = client.prestaties[i];
      check_line(rules, p, c, i);
      auto broken = [&](std::string_view rule, const char* text) { rules.line(rule, c, i, p.line, text); };
      if (!references.insert(p.referentie).second) broken("TR314", "ReferentieNummer occurs before in this message");
      if (!p.vorige_referentie.empty() && !previous_seen.insert(p.vorige_referentie).second)
        broken("TR315", "VorigReferentieNummer occurs before in this message");
      if (of_another_category(p.product, p.categorie)) broken("TR381", "ProductCode is not of this ProductCategorie");
      if (previous.contains(p.referentie)) broken("TR316", "this line and its credit are in one message");
      if (!p.credit && !debits.emplace(p.toewijzing, p.categorie, p.product, p.periode.begin, p.periode.eind).second)
        broken("TR416", "second debit for the same product and period");
      if (Date{p.periode.eind.year() / p.periode.eind.month() / 1} > m.periode.eind)
        broken("TR319", "ProductPeriode is after DeclaratiePeriode");
      if (p.periode.eind < oldest) broken("TR335", "ProductPeriode ended more than five years ago");
      sum += p.signed_bedrag();
    }
  }
  if (sum != m.totaal)
    rules.message("IV086", "Declaratie/TotaalIngediendBedrag", "TotaalIngediendBedrag is not the sum of D minus C");
  return std::move(rules).take();
}

std::vector<IjwFinding> check_jw325(const Jw325& m) {
  Rules rules("DeclaratieAntwoord");
  if (!m.antwoord) return {};
  const auto& a = *m.antwoord;
  Cents rejected;
  for (std::size_t c = 0; c < a.clienten.size(); ++c) {
    if (!valid_bsn(a.clienten[c].bsn)) rules.client("CS002", c, "Bsn fails the 11-proof");
    for (std::size_t i = 0; i < a.clienten[c].prestaties.size(); ++i) {
      const auto& p = a.clienten[c].prestaties[i].prestatie;
      check_line(rules, p, c, i);
      rejected += p.signed_bedrag();
    }
  }
  bool judged_by_line =
      std::ranges::all_of(a.retour, [](const auto& code) { return code == "0200" || code == "8001"; });
  if (judged_by_line ? a.ingediend - a.toegekend != rejected : a.toegekend != Cents{})
    rules.message("TR342", "DeclaratieAntwoord/TotaalToegekendBedrag",
                  "the rejected lines do not explain submitted minus granted");
  return std::move(rules).take();
}

}  // namespace schakel::formats
