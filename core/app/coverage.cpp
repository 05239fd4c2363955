#include "core/app/coverage.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace schakel::app {

void Coverage::add(const std::string& region, std::span<const Draft> drafts) {
  regions_.insert(region);
  std::set<std::string> fired, blocked, nearly;
  for (const Draft& d : drafts)
    for (const Explanation& e : d.explanation)
      (e.result == "near" ? nearly : e.result == "fired" ? fired : blocked).insert(e.rule.str());
  for (const auto& rule : fired) ++counts_[{region, rule}].fired;
  for (const auto& rule : blocked) ++counts_[{region, rule}].blocked;
  for (const auto& rule : nearly) ++counts_[{region, rule}].nearly;
}

std::vector<RuleUse> Coverage::rows() const {
  // A rule that several regions have comes from their common base: it is covered where any of them reaches it.
  std::map<std::string, std::set<std::string>> having;
  std::map<std::string, std::string> quotes;
  for (const auto& [region, profile] : profiles_)
    for (const Rule& r : profile->all_rules()) {
      having[r.id].insert(region);
      quotes.try_emplace(r.id, r.quote);
    }
  auto home = [&](const std::string& region, const std::string& rule) {
    auto it = having.find(rule);
    // Named functions cite rules that no file has; these are common too.
    return it == having.end() || it->second.size() > 1 ? std::string("CORE") : region;
  };
  std::map<std::pair<std::string, std::string>, RuleUse> found;
  auto row = [&](const std::string& region, const std::string& rule) -> RuleUse& {
    RuleUse& r = found[{home(region, rule), rule}];
    r.region = home(region, rule);
    r.rule = rule;
    if (auto it = quotes.find(rule); it != quotes.end()) r.quote = it->second;
    return r;
  };
  for (const auto& region : regions_)
    if (auto it = profiles_.find(region); it != profiles_.end())
      for (const Rule& r : it->second->all_rules()) row(region, r.id);
  for (const auto& [key, count] : counts_) {
    if (key.second.empty()) continue;
    RuleUse& r = row(key.first, key.second);
    r.fired += count.fired;
    r.blocked += count.blocked;
    r.nearly += count.nearly;
  }
  std::vector<RuleUse> out;
  for (auto& [key, r] : found) out.push_back(std::move(r));
  std::ranges::sort(out, {}, [](const RuleUse& r) { return std::tuple(r.exercised(), r.region, r.rule); });
  return out;
}

Json to_json(std::span<const RuleUse> rows) {
  Json never = Json::array(), all = Json::array();
  for (const RuleUse& r : rows) {
    if (!r.exercised()) never.push_back(r.rule);
    all.push_back({{"region", r.region},
                   {"rule", r.rule},
                   {"quote", r.quote},
                   {"fired", r.fired},
                   {"blocked", r.blocked},
                   {"nearly", r.nearly}});
  }
  return {{"rules", rows.size()},
          {"exercised", rows.size() - never.size()},
          {"never", std::move(never)},
          {"rows", std::move(all)}};
}

std::string to_table(std::span<const RuleUse> rows) {
  std::string out = fmt::format("{:<5} {:<18} {:>6} {:>8} {:>7}\n", "", "rule", "fired", "blocked", "nearly");
  std::size_t never = 0;
  for (const RuleUse& r : rows) {
    never += r.exercised() ? 0 : 1;
    out += fmt::format("{:<5} {:<18} {:>6} {:>8} {:>7}{}\n", r.region, r.rule, r.fired, r.blocked, r.nearly,
                       r.exercised() ? "" : "  never exercised");
  }
  return out + fmt::format("{} rules, {} exercised, {} never\n", rows.size(), rows.size() - never, never);
}

}  // namespace schakel::app
