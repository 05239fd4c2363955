#include "core/model/rule_solver_values.hpp"

#include <algorithm>

#include "core/base/calendar.hpp"

namespace schakel {
namespace {

constexpr std::size_t kMostListWords = 8;

bool always_there(const FactDef& d) {
  if (!d.fallback.is_null()) return true;
  if (d.from == FactDef::From::document) return d.aspect != "status";
  if (d.from == FactDef::From::past) return true;
  if (d.from == FactDef::From::function) return d.type == FactType::boolean || d.field == "today";
  return d.name == "envelope.sender" || d.name == "envelope.type" || d.name == "pupil.enrolled";
}

void solver_word(SolverVariable& v, const Json& value) {
  if (!value.is_null() && std::ranges::find(v.words, value) == v.words.end()) v.words.push_back(value);
}

void solver_add(SolverVariable& v, Json value) {
  if (std::ranges::find(v.domain, value) == v.domain.end()) v.domain.push_back(std::move(value));
}

void solver_integers(SolverVariable& v, int near, bool negative) {
  std::set<std::int64_t> points;
  for (const Json& w : v.words) {
    if (!w.is_number_integer()) continue;
    auto c = w.get<std::int64_t>();
    for (std::int64_t k = -near; k <= near; ++k)
      if (k <= 0 ? c >= INT64_MIN - k : c <= INT64_MAX - k) points.insert(c + k);
  }
  if (points.empty())
    for (int k = 0; k <= near; ++k) points.insert(k);
  for (std::int64_t p : points)
    if (negative || p >= 0) v.domain.emplace_back(p);
}

void solver_dates(SolverVariable& v, int near) {
  std::set<std::string> points;
  for (const Json& w : v.words) {
    auto day = Date::parse(w.is_string() ? w.get_ref<const std::string&>() : std::string());
    if (!day) {
      points.insert(w.is_string() ? w.get<std::string>() : std::string());
      continue;
    }
    for (int k = -near; k <= near; ++k) points.insert(add_days(*day, k).str());
  }
  if (auto day = Date::parse("2026-09-01"); points.empty() && day)
    for (int k = 0; k <= near; ++k) points.insert(add_days(*day, k).str());
  for (const std::string& p : points) v.domain.emplace_back(p);
}

void solver_texts(SolverVariable& v, const FactRange& range, int near) {
  for (const Json& w : v.words)
    if (w.is_string()) {
      v.domain.push_back(w);
      // Behind it in the order of letters, and before the next.
      if (v.ordered)
        for (int k = 1; k <= near; ++k)
          v.domain.push_back(w.get<std::string>() + std::string(static_cast<std::size_t>(k), '\x01'));
    }
  if (v.ordered) solver_add(v, "");
  // Values that no comparison names are all alike: as many as there are facts that could differ in them.
  int other = 0;
  for (const std::string& value : range.values)
    if (other < near && std::ranges::find(v.domain, Json(value)) == v.domain.end()) {
      v.domain.emplace_back(value);
      ++other;
    }
  for (; range.open && other < near; ++other)
    solver_add(v, other == 0 ? std::string("anders") : "anders" + std::to_string(other + 1));
}

}  // namespace

std::string SolverVariables::key(int slot, const std::string& setting) const {
  if (slot < 0) return "setting." + setting;
  const FactDef& d = profile.vocabulary().at(slot);
  return d.from == FactDef::From::document ? "document." + d.field : d.name;
}

std::size_t SolverVariables::at(int slot, const std::string& setting) const { return index.at(key(slot, setting)); }

std::size_t SolverVariables::variable(int slot, const std::string& setting) {
  auto [it, fresh] = index.emplace(key(slot, setting), vars.size());
  if (fresh) {
    vars.emplace_back();
    vars.back().slot = slot;
    vars.back().setting = setting;
    vars.back().group = it->second;
  }
  return it->second;
}

void SolverVariables::collect(const Condition& c) {
  for (const Condition& child : c.children) collect(child);
  if (c.slot < 0 && c.setting.empty()) return;
  std::size_t v = variable(c.slot, c.setting);
  bool order = c.op == Condition::Op::at_least || c.op == Condition::Op::more_than || c.op == Condition::Op::less_than;
  vars[v].ordered = vars[v].ordered || order;
  for (const Operand& o : c.operands) {
    if (o.slot >= 0) {
      std::size_t other = variable(o.slot, "");
      std::size_t from = vars[other].group, to = vars[v].group;
      for (SolverVariable& x : vars)
        if (x.group == from) x.group = to;
      vars[other].ordered = vars[other].ordered || order;
      continue;
    }
    const Json& value = o.setting.empty() ? o.value : profile.setting(o.setting, Json::object());
    if (c.op == Condition::Op::count_less_than || c.op == Condition::Op::count_not) {
      if (value.is_number_integer()) vars[v].count = std::max(vars[v].count, value.get<std::int64_t>());
    } else if (value.is_array() && (c.op == Condition::Op::in || c.op == Condition::Op::not_in)) {
      for (const Json& each : value) solver_word(vars[v], each);
    } else {
      solver_word(vars[v], value);
    }
  }
}

/// Every kind of value that the comparisons tell apart.
void SolverVariables::domains() {
  std::map<std::size_t, std::vector<Json>> shared;
  std::map<std::size_t, int> members;
  for (const SolverVariable& v : vars) {
    ++members[v.group];
    for (const Json& w : v.words)
      if (auto& list = shared[v.group]; std::ranges::find(list, w) == list.end()) list.push_back(w);
  }
  for (SolverVariable& v : vars) {
    v.words = shared[v.group];
    std::ranges::sort(v.words);
    bool linked = members[v.group] > 1;
    if (v.slot < 0)
      setting_domain(v);
    else
      fact_domain(v, linked ? members[v.group] : 1);
  }
}

void SolverVariables::setting_domain(SolverVariable& v) const {
  const Json& value = profile.setting(v.setting, Json::object());
  v.domain = {value};
  if (!options.switches) return;
  for (const Json& w : v.words)
    if (w != value) v.domain.push_back(w);
  if (value.is_boolean()) v.domain = {value, !value.get<bool>()};
}

void SolverVariables::fact_domain(SolverVariable& v, int near) {
  const FactDef& d = profile.vocabulary().at(v.slot);
  const FactRange& range = ranges[static_cast<std::size_t>(v.slot)];
  if (d.from == FactDef::From::document) {
    // The document itself: absent, a concept, or something complete.
    v.domain = {nullptr, "concept", "compleet"};
    for (const Json& w : v.words)
      if (w.is_string()) solver_add(v, w);
    return;
  }
  if (d.name == "envelope.type" && options.type != "*") {
    v.domain = {std::string(options.type)};
    return;
  }
  switch (d.type) {
    case FactType::boolean:
      v.domain = {true, false};
      break;
    case FactType::integer:
      solver_integers(v, near, d.unit.empty());
      break;
    case FactType::date:
      solver_dates(v, near);
      break;
    case FactType::text:
      solver_texts(v, range, near);
      break;
    case FactType::list:
      lists(v, d, range);
      break;
    case FactType::object:
      v.domain = {Json{{"x", 1}}};
      break;
  }
  if (options.words)
    if (auto it = options.words->find(v.slot); it != options.words->end()) {
      v.domain.assign(it->second.begin(), it->second.end());
      return;
    }
  if (!always_there(d)) v.domain.emplace_back(nullptr);
}

void SolverVariables::lists(SolverVariable& v, const FactDef& d, const FactRange& range) {
  std::vector<Json> words;
  for (const Json& w : v.words) {
    if (w.is_array())
      solver_add(v, w);
    else
      words.push_back(w);
  }
  if (words.size() > kMostListWords || v.count > 16) {
    too_wide = true;
    return;
  }
  std::vector<Json> others;
  for (const std::string& value : range.values)
    if (std::ranges::find(words, Json(value)) == words.end()) others.emplace_back(value);
  if (range.open)
    for (int k = 0; k <= v.count; ++k) others.emplace_back("anders" + std::to_string(k + 1));
  std::size_t most = std::min(others.size(), static_cast<std::size_t>(v.count) + 1);
  for (std::size_t mask = 0; mask < (std::size_t{1} << words.size()); ++mask) {
    Json list = Json::array();
    for (std::size_t i = 0; i < words.size(); ++i)
      if ((mask >> i) & 1) list.push_back(words[i]);
    for (std::size_t extra = 0; extra <= most; ++extra) {
      // An address list is not empty: without roles there is none.
      if (!list.empty() || d.name != "envelope.addressed_to") solver_add(v, list);
      if (extra < most) list.push_back(others[extra]);
    }
  }
}

}  // namespace schakel
