// Settings and facts that nothing reads: a switch that changes nothing looks like a choice.
#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>

#include "core/model/rule_check_stages.hpp"

namespace schakel {
namespace {

/// Settings that deciders and named functions read by name. tests/unit/model/rule_settings_test.cpp compares it with
/// the code.
constexpr std::array<std::string_view, 33> kReadByCode = {"child_consent_age",
                                                          "child_only_age",
                                                          "combined_split_bp",
                                                          "consent_quorum",
                                                          "cto.count_grey",
                                                          "escalation.binding",
                                                          "escalation.needs_ratification",
                                                          "finance_hidden_from",
                                                          "funding_lines_need_period",
                                                          "goal_max_months",
                                                          "grey_contract_holder",
                                                          "money.holder_elsewhere",
                                                          "grey_split.enabled",
                                                          "grey_split.odd_cent",
                                                          "grey_split.swv_bp",
                                                          "hold_grey_only",
                                                          "invoice_addresses",
                                                          "late_policy",
                                                          "lead_floor_days",
                                                          "lead_time_policy",
                                                          "link_days",
                                                          "money.content_first",
                                                          "money.education_needs_enrolment",
                                                          "money.education_needs_regie",
                                                          "money.flow",
                                                          "money.number_series",
                                                          "money.pgb_pays_care",
                                                          "school_holidays",
                                                          "settled_after_days",
                                                          "registers.meetings_minimum",
                                                          "registers.meetings_school_types",
                                                          "swv_invoice_address",
                                                          "woonplaats_change"};

/// Facts of the case that deciders and named functions read and no rule of ours does.
/// tests/unit/rules/words_test.cpp compares it with the code.
constexpr std::array<std::string_view, 19> kFactsOfCode = {"brp_before_stay",
                                                           "brp_gemeente",
                                                           "contract_holder",
                                                           "custody",
                                                           "education_cents_per_year",
                                                           "education_payer",
                                                           "education_regie",
                                                           "funding",
                                                           "funding_period",
                                                           "gezaghebbende_ouder_gemeente",
                                                           "grey_swv_half_cents",
                                                           "handelingsdeel_signed",
                                                           "meetings",
                                                           "offered_by",
                                                           "order_education_payer",
                                                           "pgb",
                                                           "provider",
                                                           "verblijf",
                                                           "voogdij_end"};

/// Every fact that rules look at: in conditions, as a value, as the start of a term. One that is only set is not read.
void named_facts(const Json& j, std::set<std::string, std::less<>>& out) {
  if (j.is_string() && j.get_ref<const std::string&>().starts_with("case.")) out.insert(j.get<std::string>());
  if (j.is_array())
    for (const Json& each : j) named_facts(each, out);
  if (!j.is_object()) return;
  for (const auto& [key, value] : j.items()) {
    if (key == "set" && value.is_object()) {
      for (const Json& each : value) named_facts(each, out);
      continue;
    }
    if (key.starts_with("case.")) out.insert(key);
    named_facts(value, out);
  }
}

/// Every place of a region file that names a setting: {"setting": name}, setting.name of a condition, the *_setting of
/// a timer, and $name of a list or text.
void named_settings(const Json& j, std::set<std::string, std::less<>>& out) {
  if (j.is_array())
    for (const Json& each : j) named_settings(each, out);
  if (j.is_string() && j.get_ref<const std::string&>().starts_with('$'))
    out.insert(j.get_ref<const std::string&>().substr(1));
  if (!j.is_object()) return;
  for (const auto& [key, value] : j.items()) {
    if (key.starts_with("setting.")) out.insert(key.substr(8));
    if (value.is_string() && (key == "setting" || key.ends_with("_setting"))) out.insert(value.get<std::string>());
    named_settings(value, out);
  }
}

}  // namespace

std::span<const std::string_view> settings_read_by_code() { return kReadByCode; }
std::span<const std::string_view> facts_read_by_code() { return kFactsOfCode; }

std::vector<RuleFinding> unused_facts(const Json& facts, std::span<const Json* const> regions) {
  std::set<std::string, std::less<>> used;
  for (std::string_view name : kFactsOfCode) used.insert("case." + std::string(name));
  for (const Json* region : regions)
    for (const char* part : {"rules", "roles"})
      if (auto it = region->find(part); region->is_object() && it != region->end()) named_facts(*it, used);
  std::vector<RuleFinding> out;
  std::size_t n = 0;
  for (const Json& f : facts.value("facts", Json::array())) {
    std::string name = f.value("name", ""), at = "facts.json#/facts/" + std::to_string(n++);
    if (name.starts_with("case.") && !used.contains(name))
      out.push_back({Severity::note,
                     "UNUSED_FACT",
                     at,
                     name + " may be stated, and no rule of these regions and no decider looks at it",
                     {},
                     {},
                     ""});
  }
  return out;
}

void check_settings(const Profile& profile, const NamedJson& file, const NamedJson& base,
                    std::vector<RuleFinding>& out) {
  std::set<std::string, std::less<>> used(kReadByCode.begin(), kReadByCode.end());
  for (const NamedJson* f : {&base, &file})
    for (const char* part : {"rules", "roles"})
      if (auto it = f->content.find(part); f->content.is_object() && it != f->content.end()) named_settings(*it, used);
  for (const auto& [name, setting] : file.content.value("settings", Json::object()).items()) {
    auto parts = profile.settings_parts().find(name);
    bool read =
        used.contains(name) ||
        (parts != profile.settings_parts().end() &&
         std::ranges::any_of(parts->second, [&](const std::string& part) { return used.contains(name + "." + part); }));
    bool describes = profile.settings_describe().contains(name);
    if (read != describes) continue;
    out.push_back({Severity::warning,
                   "UNUSED_SETTING",
                   file.name + "#/settings/" + name,
                   read ? "it is read: then it does not only describe"
                        : "no rule and no decider reads this setting: name it in a rule, or say in describes why it is "
                          "there",
                   {},
                   {},
                   ""});
  }
}

}  // namespace schakel
