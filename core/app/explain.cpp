// schakel explain and schakel as-of: why, and how it stood.
#include <fmt/format.h>

#include <iostream>

#include "core/app/show.hpp"
#include "core/base/clock.hpp"
#include "core/base/hash.hpp"

namespace schakel::app {
namespace {

struct ExplainWords {
  std::string_view outcome, rules, facts, hidden, what_if, quote, source, file, version, to, not_to;
};
constexpr ExplainWords kExplainNl{"Uitkomst", "Regels",  "Feiten",      "verborgen", "Anders als", "citaat",
                                  "bron",     "bestand", "regelversie", "naar",      "niet"};
constexpr ExplainWords kExplainEn{"Outcome", "Rules", "Facts",        "hidden", "Otherwise if", "quote",
                                  "source",  "file",  "rule version", "to",     "not"};

std::string explain_value(const Json& v) { return v.is_string() ? v.get<std::string>() : v.dump(); }

void show_explanation(const Json& d, const ExplainWords& w) {
  std::cout << fmt::format("#{} {}\n", d.value("volgnummer", 0), text(d, "samenvatting"));
  std::cout << fmt::format("  {}: {}   {}: {}\n", w.outcome, text(d, "uitkomst"), w.version, text(d, "regelversie"));
  for (const auto& r : d.value("ontvangers", Json::array()))
    std::cout << fmt::format("  {:<8} {}  [{}]  {}  {}\n", w.to, text(r, "rol"), text(r, "inhoud"), text(r, "kanaal"),
                             text(r, "regels"));
  for (const auto& r : d.value("nietNaar", Json::array()))
    std::cout << fmt::format("  {:<8} {}  {}  {}\n", w.not_to, text(r, "rol"), text(r, "code"), text(r, "regel"));
  if (!d["regels"].empty()) std::cout << "  " << w.rules << "\n";
  std::string last;
  for (const auto& r : d["regels"]) {
    std::cout << "    " << text(r, "tekst") << "\n";
    // The same rule may hold for many: its text is shown once.
    if (auto key = text(r, "regel") + text(r, "citaat"); key != last && !text(r, "citaat").empty()) {
      std::cout << fmt::format("        \"{}\"\n        {}: {}", text(r, "citaat"), w.source,
                               text(r, "bronTitel").empty() ? text(r, "bron") : text(r, "bronTitel"));
      if (!text(r, "bestand").empty()) std::cout << fmt::format("   {}: {}", w.file, text(r, "bestand"));
      std::cout << "\n";
      last = key;
    }
  }
  if (!d["feiten"].empty()) std::cout << "  " << w.facts << "\n";
  for (const auto& f : d["feiten"])
    std::cout << fmt::format("    {} = {}\n", text(f, "naam"), explain_value(f["waarde"]));
  if (d.value("verborgenFeiten", 0) > 0)
    std::cout << fmt::format("    ({} {})\n", d.value("verborgenFeiten", 0), w.hidden);
  const auto& other = d["anders"];
  std::cout << "  " << w.what_if << "\n    " << text(other, "tekst") << "\n";
  for (const auto& a : other.value("mogelijkheden", Json::array())) std::cout << "    - " << text(a, "tekst") << "\n";
}

/// Every page of it: a case may have more messages than one answer holds.
Result<Json> explain_all(const Common& c, const std::string& what, bool nl, const std::string& reveal) {
  Json all = Json::array();
  for (Json next = 0; !next.is_null();) {
    auto page = call(c, "GET",
                     fmt::format("/v1/beheer/uitleg/{}?taal={}&na={}{}", what, nl ? "nl" : "en", next.dump(), reveal));
    if (!page) return fail(std::move(page.error()));
    for (auto& d : (*page)["besluiten"]) all.push_back(std::move(d));
    next = page->value("verder", Json());
  }
  return Json{{"besluiten", all}};
}

/// The reason itself leaves this program for nowhere: the log of the broker keeps its hash.
std::string reveal_query(const std::string& reason) { return reason.empty() ? "" : "&onthul=" + sha256_hex(reason); }

void add_reveal(CLI::App* command, std::string& reason) {
  command
      ->add_option(
          "--reveal", reason,
          "show what is stated about the child too, for this reason (3 to 200 characters); the audit log keeps "
          "that it was shown and the hash of the reason. Without it such values are ***")
      ->check(CLI::Validator(
          [](const std::string& text) {
            return text.size() >= 3 && text.size() <= 200 ? std::string() : "a reason has 3 to 200 characters";
          },
          "REASON"));
}

void show_as_of(const Json& j) {
  std::cout << fmt::format("{} at {}\n", text(j, "zaak"), text(j, "moment"));
  if (j["ingericht"].is_object())
    std::cout << fmt::format("configured since {}: {}\n", text(j["ingericht"], "sinds"),
                             j["ingericht"]["regios"].dump());
  std::cout << fmt::format("rules of the case: {}\n\n", text(j, "regelversie"));
  std::vector<std::vector<std::string>> rows;
  for (const auto& p : j["partijen"])
    rows.push_back({text(p, "id"), text(p, "naam"), text(p, "stuurdeAls"), text(p, "ontvingAls")});
  table({"PARTY", "NAME", "SENT AS", "WAS SENT AS"}, rows);
  if (!text(j, "partijenReden").empty())
    std::cout << "names and recipients are not known: " << text(j, "partijenReden") << "\n";
  std::cout << "\n";
  if (!j.value("volledig", false)) {
    std::cout << "facts, consents, documents and deadlines: not replayable, a part of the case was erased\n";
  } else {
    rows.clear();
    for (const auto& c : j["toestemmingen"])
      rows.push_back({text(c, "id"), text(c, "gever"), text(c, "doel"), text(c, "stand"), text(c, "vanaf"),
                      text(c, "tot"), text(c, "ingetrokkenOp")});
    table({"CONSENT", "GIVER", "PURPOSE", "STATE", "FROM", "UNTIL", "WITHDRAWN"}, rows);
    std::cout << "\nfacts: " << j["feiten"].dump() << "\n";
  }
  std::cout << "\n";
  rows.clear();
  for (const auto& d : j["besluiten"]) {
    auto again = text(d, "herleid");
    if (again == "gelijk") again = "identical";
    if (again == "verschilt") again = "DIFFERS";
    if (again == "niet herleidbaar") again = "not replayable: " + text(d, "reden");
    rows.push_back({"#" + text(d, "volgnummer"), text(d, "type"), text(d, "van"), text(d, "uitkomst"), text(d, "codes"),
                    text(d, "regelversie"), again});
  }
  table({"DECISION", "TYPE", "FROM", "OUTCOME", "CODES", "RULES", "MADE AGAIN"}, rows);
}

}  // namespace

void add_explain(CLI::App& app, Common& c, int& exit) {
  static std::string what, instant, id, reason;
  auto* explain = app.add_subcommand("explain",
                                     "Why a message, or every message of a case, was decided as it was, and the "
                                     "smallest change of facts that would have altered it");
  explain->add_option("what", what, "number of a message, or Z-...")->required();
  add_reveal(explain, reason);
  explain->callback([&c, &exit] {
    bool nl = c.lang == "nl";
    exit = shown(c, explain_all(c, what, nl, reveal_query(reason)), [&](const Json& j) {
      bool first = true;
      for (const auto& d : j.value("besluiten", Json::array())) {
        if (!first) std::cout << "\n";
        first = false;
        show_explanation(d, nl ? kExplainNl : kExplainEn);
      }
    });
  });
  auto* as_of = app.add_subcommand(
      "as-of",
      "Rules, consents and parties as they were at an instant, and each decision made again with that day's rules");
  as_of->require_subcommand(1);
  as_of->add_option("instant", instant, "RFC 3339 with offset: 2026-11-01T09:00:00Z")->required();
  auto* of_case = as_of->add_subcommand("case", "Of this case");
  of_case->add_option("id", id, "Z-...")->required();
  add_reveal(of_case, reason);
  of_case->callback([&c, &exit] {
    auto at = parse_instant(instant);
    if (!at) {
      exit = report({ErrorKind::invalid, "INSTANT_FORMAT", "the instant must be RFC 3339 with an offset", {}}, c);
      return;
    }
    auto answer = call(c, "GET", "/v1/beheer/toen/" + id + "?op=" + format_instant(*at) + reveal_query(reason));
    bool differs = false;
    if (answer)
      for (const auto& d : (*answer)["besluiten"]) differs = differs || d["herleid"] == Json("verschilt");
    exit = shown(c, std::move(answer), show_as_of);
    // The same rules and facts that give another decision are a defect, not an answer.
    if (exit == kOk && differs) exit = kFinding;
  });
}

}  // namespace schakel::app
