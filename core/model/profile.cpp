#include "core/model/profile.hpp"

#include <algorithm>

#include "core/model/rule_reader.hpp"

namespace schakel {

Result<std::shared_ptr<const Profile>> Profile::parse(const Json& region, std::shared_ptr<const Vocabulary> vocabulary,
                                                      const Json& base) {
  return RuleReader::compile(region, std::move(vocabulary), base, nullptr);
}

void Profile::place_setting(Operand& operand) {
  if (auto it = settings_.find(operand.setting); it != settings_.end()) operand.region_value = &it->second;
  if (operand.slot >= 0) return;
  if (operand.setting.empty())
    operand.fixed = FactValue::of(operand.value);
  else if (operand.region_value)
    operand.fixed = FactValue::of(*operand.region_value);
}

void Profile::place_settings(Condition& condition) {
  if (auto it = settings_.find(condition.setting); it != settings_.end()) condition.region_value = &it->second;
  for (Operand& o : condition.operands) place_setting(o);
  for (Condition& c : condition.children) place_settings(c);
}

void Profile::index() {
  auto everywhere = [](const Rule& r) { return std::ranges::find(r.on, "*") != r.on.end(); };
  for (const auto& [name, value] : settings_) by_name_.emplace(name, &value);
  for (auto& [name, rows] : aliases_)
    for (RoleAlias& row : rows) place_settings(row.when);
  for (Rule& r : rules_) {
    r.cited = SharedText(r.id);
    place_settings(r.when);
    if (r.then.timer && r.then.timer->replaced) place_settings(*r.then.timer->replaced);
    if (r.then.timer && r.then.timer->met) place_settings(*r.then.timer->met);
    for (SetOutcome& s : r.then.set) place_setting(s.value);
    by_id_.emplace(r.id, &r);
    for (const std::string& type : r.on)
      if (type != "*") by_type_.try_emplace(type);
  }
  for (const Rule& r : rules_) {
    auto stage = static_cast<std::size_t>(r.stage);
    if (everywhere(r)) every_type_[stage].push_back(&r);
    for (auto& [type, stages] : by_type_)
      if (everywhere(r) || std::ranges::find(r.on, type) != r.on.end()) stages[stage].push_back(&r);
  }
}

const Json& Profile::setting(std::string_view name, const Json& overrides) const {
  static const Json none;
  if (overrides.is_object() && !overrides.empty()) {
    if (auto it = overrides.find(name); it != overrides.end()) return *it;
    const Json* at = &overrides;
    std::string_view rest = name;
    while (at->is_object()) {
      auto dot = rest.find('.');
      auto it = at->find(rest.substr(0, dot));
      if (it == at->end()) break;
      if (dot == std::string_view::npos) return *it;
      at = &*it;
      rest = rest.substr(dot + 1);
    }
    // A list is written as one value; its elements have the names that the region gives them.
    if (at->is_array() && rest.size() < name.size())
      if (auto parts = parts_.find(name.substr(0, name.size() - rest.size() - 1)); parts != parts_.end())
        for (std::size_t i = 0; i < parts->second.size() && i < at->size(); ++i)
          if (parts->second[i] == rest) return (*at)[i];
  }
  auto it = by_name_.find(name);
  return it == by_name_.end() ? none : *it->second;
}

/// A value of the kind that the setting has, and among its options where it has some.
bool Profile::may_be(std::string_view name, const Json& value) const {
  const Json& known = *by_name_.find(name)->second;
  if (describes_.contains(name)) return value == known;
  if (auto it = options_.find(name); it != options_.end())
    return std::ranges::find(it->second, value) != it->second.end();
  if (known.is_number_integer()) return value.is_number_integer();
  if (value.type() != known.type()) return false;
  auto parts = parts_.find(name);
  return parts == parts_.end() || (value.size() == parts->second.size() &&
                                   std::ranges::all_of(value, [](const Json& v) { return v.is_number_integer(); }));
}

std::optional<Profile::OverrideFault> Profile::override_fault(const Json& overrides) const {
  if (overrides.is_null()) return {};
  if (!overrides.is_object()) return OverrideFault{"", false};
  // Nested and dotted names are the same; what is below a setting is its value.
  std::vector<std::pair<std::string, const Json*>> open;
  for (const auto& [name, value] : overrides.items()) open.emplace_back(name, &value);
  for (std::size_t i = 0; i < open.size(); ++i) {
    auto [name, value] = open[i];
    // Elements of a list by their names.
    if (parts_.contains(name) && value->is_object()) {
      for (const auto& [key, part] : value->items()) open.emplace_back(name + "." + key, &part);
      continue;
    }
    if (by_name_.contains(name)) {
      if (!may_be(name, *value)) return OverrideFault{name, false};
      continue;
    }
    auto group = settings_.lower_bound(name + ".");
    if (!value->is_object() || group == settings_.end() || !group->first.starts_with(name + "."))
      return OverrideFault{name, true};
    for (const auto& [key, part] : value->items()) open.emplace_back(name + "." + key, &part);
  }
  return {};
}

std::int64_t Profile::setting_int(std::string_view name, const Json& overrides, std::int64_t otherwise) const {
  const Json& v = setting(name, overrides);
  return v.is_number_integer() ? v.get<std::int64_t>() : otherwise;
}

std::string Profile::setting_text(std::string_view name, const Json& overrides, std::string_view otherwise) const {
  const Json& v = setting(name, overrides);
  return v.is_string() ? v.get<std::string>() : std::string(otherwise);
}

std::string_view Profile::setting_view(std::string_view name, const Json& overrides) const {
  const Json& v = setting(name, overrides);
  return v.is_string() ? std::string_view(v.get_ref<const std::string&>()) : std::string_view();
}

bool Profile::setting_flag(std::string_view name, const Json& overrides, bool otherwise) const {
  const Json& v = setting(name, overrides);
  return v.is_boolean() ? v.get<bool>() : otherwise;
}

std::vector<std::string> Profile::setting_list(std::string_view name, const Json& overrides) const {
  std::vector<std::string> out;
  const Json& v = setting(name, overrides);
  if (v.is_array())
    for (const Json& e : v)
      if (e.is_string()) out.push_back(e.get<std::string>());
  return out;
}

std::span<const std::vector<const Rule*>> Profile::rules(std::string_view type) const {
  auto it = by_type_.find(type);
  return it == by_type_.end() ? every_type_ : it->second;
}

const Rule* Profile::rule(std::string_view id) const {
  auto it = by_id_.find(id);
  return it == by_id_.end() ? nullptr : it->second;
}

std::string Profile::quote(std::string_view id) const {
  const Rule* r = rule(id);
  return r ? r->quote.str() : std::string();
}

std::string Profile::source_title(std::string_view source) const {
  auto it = sources_.find(source);
  return it == sources_.end() ? std::string() : it->second;
}

Explanation Profile::explain(std::string_view id, Word stage, Word result, std::string_view code, Json facts) const {
  SeenFacts seen(std::move(facts));
  if (const Rule* r = rule(id)) return schakel::explain(*r, stage, result, code, std::move(seen));
  return {SharedText(std::string(id)), stage, result, std::string(code), {}, {}, std::move(seen)};
}

std::string_view Profile::role(std::string_view name, const FactView& facts) const {
  if (!name.starts_with('$')) return name;
  auto it = aliases_.find(name.substr(1));
  if (it == aliases_.end()) return {};
  for (const RoleAlias& row : it->second)
    if (row.when.holds(facts)) return row.role;
  return {};
}

int Profile::code_rank(std::string_view type, std::string_view code) const {
  static constexpr std::array<std::string_view, 8> first = {
      "CONSENT_WITHDRAWN",     "CONSENT_EXPIRED",  "CONSENT_PARTIAL",       "CONSENT_MISSING",
      "CHILD_CONSENT_MISSING", "AUDIENCE_FINANCE", "AUDIENCE_NOT_INVOLVED", "MANDATORY_INVITEE_MISSING"};
  for (std::size_t i = 0; i < first.size(); ++i)
    if (first[i] == code) return static_cast<int>(i);
  int base = 100;
  for (const Gate& g : gates_) {
    if (std::ranges::find(g.on, type) == g.on.end()) continue;
    for (std::size_t i = 0; i < g.codes.size(); ++i)
      if (g.codes[i] == code) return base + static_cast<int>(i);
    base += 100;
  }
  return code == "MANDATE_MISSING" ? 100000 : 10000;
}

}  // namespace schakel
