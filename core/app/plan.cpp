// schakel plan: recorded history decided again under new rules; nothing is sent.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <iostream>

#include "core/app/config.hpp"
#include "core/app/show.hpp"

namespace schakel::app {
namespace {

/// 30d, 12h or 4w back from now, or an instant.
std::optional<Instant> plan_since(const std::string& span) {
  if (auto at = parse_instant(span)) return *at;
  if (span.size() < 2 || span.size() > 6 ||
      !std::all_of(span.begin(), span.end() - 1, [](unsigned char ch) { return std::isdigit(ch); }))
    return std::nullopt;
  std::int64_t n = std::stoll(span.substr(0, span.size() - 1));
  int hours = span.back() == 'd' ? 24 : span.back() == 'w' ? 168 : span.back() == 'h' ? 1 : 0;
  if (hours == 0) return std::nullopt;
  return SystemClock().now() - std::chrono::hours(hours * n);
}

/// A configuration file, or a folder with regions/ and schemas/.
Result<Profiles> plan_profiles(const std::string& where) {
  if (std::filesystem::is_directory(where)) return load_profiles(where);
  auto config = read_config(where, installed_prefix());
  if (!config) return fail(std::move(config.error()));
  return std::move(config->profiles);
}

/// Adds one answer to the sum of those before it.
void plan_add(Json& sum, const Json& part) {
  for (const char* count : {"besluiten", "gelijk", "anders", "zaken", "nietGegroepeerd"})
    sum[count] = sum.value(count, std::int64_t{0}) + part.value(count, std::int64_t{0});
  for (const auto& [reason, n] : part["nietHerleidbaar"].items())
    sum["nietHerleidbaar"][reason] = sum["nietHerleidbaar"].value(reason, std::int64_t{0}) + n.get<std::int64_t>();
  for (const auto& g : part["groepen"]) {
    auto key = fmt::format("{}\n{}\n{}\n{}", text(g, "soort"), text(g, "regel"), text(g, "school"), text(g, "doel"));
    auto& mine = sum["groepen"][key];
    if (mine.is_null()) {
      mine = g;
      continue;
    }
    mine["aantal"] = mine["aantal"].get<std::int64_t>() + g["aantal"].get<std::int64_t>();
    for (const auto& example : g["voorbeelden"])
      if (mine["voorbeelden"].size() < 3) mine["voorbeelden"].push_back(example);
  }
}

void plan_show(const Json& sum) {
  std::cout << fmt::format("{} decisions of {} cases made again: {} the same, {} flipped\n", sum.value("besluiten", 0),
                           sum.value("zaken", 0), sum.value("gelijk", 0), sum.value("anders", 0));
  for (const auto& [reason, n] : sum["nietHerleidbaar"].items())
    std::cout << fmt::format("not replayable: {} {}\n", n.get<std::int64_t>(), reason);
  if (sum["groepen"].empty()) return;
  std::cout << "\n";
  std::vector<std::vector<std::string>> rows;
  for (const auto& g : sum["groepen"])
    rows.push_back({text(g, "soort"), text(g, "regel"), text(g, "school"), text(g, "doel"), text(g, "aantal"),
                    text(g, "was") + " -> " + text(g, "wordt"), text(g, "voorbeelden")});
  table({"WHAT", "RULE", "SCHOOL", "TARGET", "COUNT", "FOR EXAMPLE", "MESSAGES"}, rows);
}

int plan_run(const Common& common, const std::string& span, const std::string& where) {
  auto since = plan_since(span);
  if (!since) return report({ErrorKind::invalid, "SPAN", "--replay takes 30d, 12h, 4w or an instant", {}}, common);
  auto profiles = plan_profiles(where);
  if (!profiles) return report(profiles.error(), common);
  Json rules = Json::array();
  for (const auto& [code, profile] : *profiles) rules.push_back(profile->source());
  Json sum{{"sinds", format_instant(*since)},
           {"regels", Json::object()},
           {"groepen", Json::object()},
           {"nietHerleidbaar", Json::object()}};
  for (const auto& [code, profile] : *profiles) sum["regels"][code] = profile->version();
  Json next = 0;
  auto shown_at = std::chrono::steady_clock::now();
  while (!next.is_null()) {
    auto part =
        call(common, "POST", "/v1/beheer/plan", {{"vanaf", format_instant(*since)}, {"na", next}, {"regels", rules}});
    if (!part) return report(part.error(), common);
    plan_add(sum, *part);
    next = part->value("verder", Json());
    if (auto now = std::chrono::steady_clock::now(); !next.is_null() && now - shown_at > std::chrono::seconds(2)) {
      shown_at = now;
      std::cerr << fmt::format("... {} cases, {} decisions, {} flipped\n", sum.value("zaken", 0),
                               sum.value("besluiten", 0), sum.value("anders", 0));
    }
  }
  // Most first, then by content: the same history gives the same list.
  std::vector<Json> groups(sum["groepen"].begin(), sum["groepen"].end());
  std::ranges::sort(groups, [](const Json& a, const Json& b) {
    const auto many = a["aantal"].get<std::int64_t>(), other = b["aantal"].get<std::int64_t>();
    return many != other ? many > other : a < b;
  });
  sum["groepen"] = groups;
  if (common.json)
    print_json(sum);
  else
    plan_show(sum);
  return sum.value("anders", 0) == 0 ? kOk : kFinding;
}

}  // namespace

void add_plan(CLI::App& app, Common& common, int& exit) {
  static std::string span = "30d", where;
  auto* c = app.add_subcommand("plan",
                               "Decide recorded history again under new rules and list what flips; nothing is sent. "
                               "Exit 0: nothing flips, 1: something does");
  c->add_option("--replay", span, "how far back: 30d, 12h, 4w or an instant (default 30d)");
  c->add_option("--config", where, "the new configuration: schakel.json, or a folder with regions and schemas")
      ->required()
      ->check(CLI::ExistingPath);
  c->callback([&common, &exit] { exit = plan_run(common, span, where); });
}

}  // namespace schakel::app
