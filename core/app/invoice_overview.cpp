#include "core/app/invoice_overview.hpp"

#include <fmt/format.h>

#include <array>
#include <map>
#include <set>

#include "core/app/show.hpp"
#include "core/base/money.hpp"
#include "core/formats/pdf.hpp"
#include "core/model/code_words.hpp"

namespace schakel::app {
namespace {

using Cells = std::vector<std::string>;

/// "1.234,56", "-0,01": the column says that it is money.
std::string amount(std::int64_t cents) {
  auto whole = std::to_string(cents < 0 ? -(cents / 100) : cents / 100);
  for (auto at = static_cast<std::ptrdiff_t>(whole.size()) - 3; at > 0; at -= 3)
    whole.insert(static_cast<std::size_t>(at), ".");
  auto rest = cents % 100;
  return fmt::format("{}{},{:02}", cents < 0 ? "-" : "", whole, rest < 0 ? -rest : rest);
}

std::int64_t cents_at(const Json& j, const char* key) {
  auto it = j.find(key);
  return it != j.end() && it->is_number_integer() ? it->get<std::int64_t>() : 0;
}

std::string payer_name(const std::string& role) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kNames{
      {{"gemeente", "Gemeente"}, {"schoolbestuur", "Schoolbestuur"}, {"swv", "Samenwerkingsverband"}}};
  for (const auto& [name, dutch] : kNames)
    if (name == role) return std::string(dutch);
  return role;
}

/// Role and party of a row, in the order of the tables.
using Payer = std::pair<std::string, std::string>;
Payer payer_of(const Json& row) { return {text(row, "betaler"), text(row, "betalerPartij")}; }
std::string full_name(const Payer& payer) {
  return payer.second.empty() ? payer_name(payer.first) : fmt::format("{} ({})", payer_name(payer.first), payer.second);
}

std::string month_name(const std::string& month) {
  auto first = formats::parse_date(month + "-01");
  if (!first) return month;
  auto day = formats::format_date_dutch(*first);  // 1 oktober 2026
  return day.substr(day.find(' ') + 1);
}

/// In and out of one row or of several.
struct Sums {
  std::int64_t in_net = 0, in_vat = 0, out_net = 0, out_vat = 0;
  void add(const Json& r) {
    in_net += cents_at(r, "inNettoCent"), in_vat += cents_at(r, "inBtwCent");
    out_net += cents_at(r, "uitNettoCent"), out_vat += cents_at(r, "uitBtwCent");
  }
  [[nodiscard]] Cells cells() const {
    return {amount(in_net),
            amount(in_vat),
            amount(in_net + in_vat),
            amount(out_net),
            amount(out_vat),
            amount(out_net + out_vat),
            amount(in_net + in_vat - out_net - out_vat)};
  }
};

Cells joined(Cells first, const Cells& more) {
  first.insert(first.end(), more.begin(), more.end());
  return first;
}

/// Columns of money behind those that say what it is of.
std::vector<formats::PdfColumn> with_money(std::vector<formats::PdfColumn> columns) {
  for (const char* name : {"In netto", "In btw", "In bruto", "Uit netto", "Uit btw", "Uit bruto", "Verschil"})
    columns.push_back({name, 1, true});
  return columns;
}

/// What is owed per payer and VAT rate, and in all.
formats::PdfTable summary(const Json& rows) {
  formats::PdfTable t{"Totalen per betaler en btw-tarief, in euro", with_money({{"Betaler", 3}, {"Btw", 0.7}}), {}, {}};
  std::map<std::pair<Payer, std::string>, Sums> by;
  Sums all;
  for (const auto& r : rows) by[{payer_of(r), vat_name(r)}].add(r), all.add(r);
  for (const auto& [key, sums] : by) t.rows.push_back(joined({full_name(key.first), key.second}, sums.cells()));
  t.totals.push_back(joined({"Alle betalers", ""}, all.cells()));
  return t;
}

formats::PdfTable table_of(const Json& rows, const Payer& payer) {
  formats::PdfTable t{fmt::format("Betaler {}, in euro", full_name(payer)),
                      with_money({{"Zaak", 2}, {"Afspraak", 1}, {"Btw", 0.7}}),
                      {},
                      {}};
  std::map<std::string, Sums> by_rate;
  Sums all;
  for (const auto& r : rows) {
    if (payer_of(r) != payer) continue;
    Sums one;
    one.add(r), all.add(r), by_rate[vat_name(r)].add(r);
    t.rows.push_back(joined({text(r, "zaak"), text(r, "afspraak"), vat_name(r)}, one.cells()));
  }
  if (by_rate.size() > 1)
    for (const auto& [rate, sums] : by_rate) t.totals.push_back(joined({"Totaal", "", rate}, sums.cells()));
  t.totals.push_back(joined({"Totaal", "", ""}, all.cells()));
  return t;
}

/// The code, and what it says where we know it: codes of receivers stand as they came.
std::string in_words(const std::string& code) {
  const auto* words = code_words(code);
  return words ? std::string(words->nl) : std::string();
}

formats::PdfTable items(const char* heading, const Json& list, bool open) {
  formats::PdfTable t{heading, {{"Wat", 1.2}, {"Factuur", 1.35}}, {}, {}};
  if (open) t.columns.insert(t.columns.end(), {{"Betaler", 1.8}, {"Bedrag", 0.85, true}});
  t.columns.insert(t.columns.end(), {{"Code", 2.1}, {"Betekenis", 1.6}});
  if (open) t.columns.push_back({"Antwoord voor", 0.85});
  t.columns.push_back({"Zaak", 1.75});
  std::int64_t sum = 0;
  for (const auto& o : list) {
    auto code = text(o, "code");
    sum += cents_at(o, "bedragCent");
    Cells row{what_open(text(o, "wat")), text(o, "nummer")};
    if (open) row = joined(std::move(row), {payer_name(text(o, "betaler")), amount(cents_at(o, "bedragCent"))});
    row = joined(std::move(row), {code, in_words(code)});
    if (open) row.push_back(text(o, "antwoordUiterlijk"));
    row.push_back(text(o, "zaak"));
    t.rows.push_back(std::move(row));
  }
  if (open) t.totals.push_back({fmt::format("{} open", list.size()), "", "", amount(sum), "", "", "", ""});
  return t;
}

}  // namespace

std::string vat_name(const Json& r, const char* category, const char* rate) {
  auto name = text(r, category);
  return name == "O" ? name : fmt::format("{} {} %", name, text(r, rate));
}

std::string what_open(const std::string& what) {
  static const std::map<std::string, std::string> kWords = {{"UNDECIDED", "nog niet beslist"},
                                                            {"BLOCKED", "geweigerd aan de afzender"},
                                                            {"DUPLICATE", "dubbel ingestuurd"},
                                                            {"SET_ASIDE", "afgehandeld"},
                                                            {"NOT_GRANTED", "afgewezen door financiën"},
                                                            {"HELD", "vastgehouden"},
                                                            {"QUARANTINED", "in quarantaine"},
                                                            {"CREDIT_REFUSED", "creditnota geweigerd"},
                                                            {"ON_ITS_WAY", "nog niet verzonden"},
                                                            {"REFUSED", "geweigerd of onbestelbaar"},
                                                            {"MISSING", "helft ontbreekt"},
                                                            {"NOT_CONSERVED", "telt niet op"}};
  auto it = kWords.find(what);
  return it == kWords.end() ? what : it->second;
}

Result<std::string> month_pdf(const Json& j, std::optional<formats::Date> made) {
  formats::PdfReport d;
  auto month = text(j, "maand");
  d.title = "Aansluiting facturen " + month_name(month);
  d.author = "Schakel";
  d.date = made.value_or(formats::parse_date(month + "-01").value_or(formats::Date{}));
  d.footer = "Aansluiting facturen " + month + ", uit het journaal van Schakel";
  d.facts.emplace_back("Maand", month_name(month));
  if (made) d.facts.emplace_back("Gemaakt op", formats::format_date_dutch(*made));
  d.facts.emplace_back("Bronfacturen",
                       fmt::format("{}, samen {} waarvan btw {}", j.value("bronfacturen", 0),
                                   amount(cents_at(j, "bronCent")), amount(cents_at(j, "bronBtwCent"))));
  d.facts.emplace_back("Documenten",
                       fmt::format("{}, verdeeld {} waarvan btw {}", j.value("documenten", 0),
                                   amount(cents_at(j, "verdeeldCent")), amount(cents_at(j, "verdeeldBtwCent"))));
  d.facts.emplace_back("Open posten", std::to_string(j["open"].size()));
  if (auto erased = cents_at(j, "gewist"); erased > 0)
    d.facts.emplace_back("Gewist", fmt::format("{} bronberichten van zaken die gewist zijn", erased));
  d.remarks.emplace_back(
      j.value("sluit", false)
          ? "De maand sluit: elk deel dat is verdeeld, is ook vertrokken, per betaler, afspraak en btw-tarief."
          : "De maand sluit niet. Hieronder staat wat open is, of waar in en uit verschillen.");
  d.remarks.emplace_back(
      "In is wat de bronfacturen van een betaler vragen, uit wat de documenten aan hem vragen die vertrokken zijn. "
      "Creditnota's tellen negatief.");
  d.tables.push_back(summary(j["regels"]));
  std::set<Payer> payers;
  for (const auto& r : j["regels"]) payers.insert(payer_of(r));
  for (const auto& payer : payers) d.tables.push_back(table_of(j["regels"], payer));
  if (j["open"].empty())
    d.remarks.emplace_back("Er staat niets open.");
  else
    d.tables.push_back(items("Open posten", j["open"], true));
  if (auto refused = j.value("geweigerd", Json::array()); !refused.empty())
    d.tables.push_back(items("Niet verdeeld, teruggegeven aan de afzender", refused, false));
  return formats::render_report_pdf(d);
}

}  // namespace schakel::app
