#include "core/model/rule_solver.hpp"

#include <algorithm>

#include "core/base/calendar.hpp"

namespace schakel {
namespace {

constexpr std::int64_t kMostSteps = 200'000;
constexpr std::size_t kMostListWords = 8;
enum class Tri : std::uint8_t { no, yes, unknown };

Tri opposite(Tri t) { return t == Tri::unknown ? t : t == Tri::yes ? Tri::no : Tri::yes; }

/// The key of the variable behind a fact: the three views of a document are one.
std::string solver_key(const Vocabulary& v, int slot) {
  const FactDef& d = v.at(slot);
  return d.from == FactDef::From::document ? "document." + d.field : d.name;
}

bool always_there(const FactDef& d) {
  if (!d.fallback.is_null()) return true;
  if (d.from == FactDef::From::document) return d.aspect != "status";
  if (d.from == FactDef::From::past) return true;
  if (d.from == FactDef::From::function) return d.type == FactType::boolean || d.field == "today";
  return d.name == "envelope.sender" || d.name == "envelope.type" || d.name == "pupil.enrolled";
}

bool same_value(const Json& a, const Json& b) { return a == b; }

bool in_list(const Json& list, const Json& what) {
  if (!list.is_array()) return same_value(list, what);
  return std::ranges::find(list, what) != list.end();
}

std::int64_t different(const Json& list) {
  if (list.is_null()) return 0;
  return list.is_array() ? static_cast<std::int64_t>(std::set<Json>(list.begin(), list.end()).size()) : 1;
}

/// -1, 0, 1; nullopt where they cannot be compared.
std::optional<int> ordered(const Json& a, const Json& b) {
  if (a.is_number_integer() && b.is_number_integer()) {
    auto x = a.get<std::int64_t>(), y = b.get<std::int64_t>();
    return x < y ? -1 : x > y ? 1 : 0;
  }
  if (a.is_string() && b.is_string()) return a < b ? -1 : b < a ? 1 : 0;
  return std::nullopt;
}

/// The same meaning as Condition::holds, on values. tests/unit/model/rule_check_test.cpp compares the two.
bool leaf_holds(const Condition& c, const Json& v, const std::vector<const Json*>& right) {
  auto any_right = [&] {
    return std::ranges::any_of(
        right, [&](const Json* r) { return r->is_array() && !v.is_array() ? in_list(*r, v) : same_value(v, *r); });
  };
  auto order = [&] { return right.empty() ? std::nullopt : ordered(v, *right[0]); };
  auto count = [&] { return right.empty() || !right[0]->is_number_integer() ? 0 : right[0]->get<std::int64_t>(); };
  switch (c.op) {
    case Condition::Op::equal:
      return !right.empty() && same_value(v, *right[0]);
    case Condition::Op::not_equal:
      return !right.empty() && !same_value(v, *right[0]);
    case Condition::Op::in:
      return any_right();
    case Condition::Op::not_in:
      return !any_right();
    case Condition::Op::at_least:
      return order() && *order() >= 0;
    case Condition::Op::more_than:
      return order() && *order() > 0;
    case Condition::Op::less_than:
      return order() && *order() < 0;
    case Condition::Op::exists:
      return v.is_null() != c.flag;
    case Condition::Op::contains:
      return !v.is_null() && std::ranges::all_of(right, [&](const Json* r) { return in_list(v, *r); });
    case Condition::Op::count_less_than:
      return different(v) < count();
    case Condition::Op::count_not:
      return different(v) != count();
    default:
      return true;
  }
}

Condition solver_group(Condition::Op op, std::vector<Condition> parts) {
  Condition c;
  c.op = op;
  c.children = std::move(parts);
  return c;
}

}  // namespace

FactRanges fact_ranges(const Vocabulary& vocabulary, const Json& facts) {
  FactRanges out(static_cast<std::size_t>(vocabulary.size()));
  for (const Json& f : facts.value("facts", Json::array())) {
    if (!f.is_object() || !f.value("name", Json()).is_string()) continue;
    int slot = vocabulary.slot(f["name"].get_ref<const std::string&>());
    auto values = f.find("values");
    if (slot < 0 || values == f.end() || !values->is_array()) continue;
    FactRange& r = out[static_cast<std::size_t>(slot)];
    for (const Json& v : *values)
      if (v.is_string()) r.values.push_back(v.get<std::string>());
    r.open = r.values.empty() || f.value("open", Json(false)) == Json(true);
  }
  return out;
}

Condition all_of(std::vector<Condition> parts) { return solver_group(Condition::Op::all, std::move(parts)); }
Condition any_of(std::vector<Condition> parts) { return solver_group(Condition::Op::any, std::move(parts)); }
Condition none_of(std::vector<Condition> parts) { return solver_group(Condition::Op::none, std::move(parts)); }
Condition compared(int slot, Condition::Op op, Json value) {
  Condition c;
  c.op = op;
  c.slot = slot;
  c.operands.push_back({std::move(value), "", -1, false});
  return c;
}
Condition exists(int slot, bool there) {
  Condition c;
  c.op = Condition::Op::exists;
  c.slot = slot;
  c.flag = there;
  return c;
}

/// A fact or a setting, with the values worth trying.
struct RuleSolver::Variable {
  int slot = -1;
  std::string setting;
  std::vector<Json> words;  ///< what it is compared with
  std::int64_t count = 0;   ///< largest number that its elements are counted against
  bool ordered = false;
  std::size_t group = 0;  ///< variables that are compared with each other share one
  std::vector<Json> domain;
  const Json* value = nullptr;
};

struct RuleSolver::Search {
  const Profile& profile;
  const FactRanges& ranges;
  const Options& options;
  std::map<std::string, std::size_t> index{};
  std::vector<Variable> vars{};
  std::int64_t left = kMostSteps;
  bool too_wide = false;

  std::size_t variable(int slot, const std::string& setting) {
    std::string key = slot >= 0 ? solver_key(profile.vocabulary(), slot) : "setting." + setting;
    auto [it, fresh] = index.emplace(std::move(key), vars.size());
    if (fresh) {
      vars.emplace_back();
      vars.back().slot = slot;
      vars.back().setting = setting;
      vars.back().group = it->second;
    }
    return it->second;
  }

  void collect(const Condition& c) {
    for (const Condition& child : c.children) collect(child);
    if (c.slot < 0 && c.setting.empty()) return;
    std::size_t v = variable(c.slot, c.setting);
    bool order =
        c.op == Condition::Op::at_least || c.op == Condition::Op::more_than || c.op == Condition::Op::less_than;
    vars[v].ordered = vars[v].ordered || order;
    for (const Operand& o : c.operands) {
      if (o.slot >= 0) {
        std::size_t other = variable(o.slot, "");
        std::size_t from = vars[other].group, to = vars[v].group;
        for (Variable& x : vars)
          if (x.group == from) x.group = to;
        vars[other].ordered = vars[other].ordered || order;
        continue;
      }
      const Json& value = o.setting.empty() ? o.value : profile.setting(o.setting, Json::object());
      if (c.op == Condition::Op::count_less_than || c.op == Condition::Op::count_not) {
        if (value.is_number_integer()) vars[v].count = std::max(vars[v].count, value.get<std::int64_t>());
      } else if (value.is_array() && (c.op == Condition::Op::in || c.op == Condition::Op::not_in)) {
        for (const Json& each : value) word(vars[v], each);
      } else {
        word(vars[v], value);
      }
    }
  }
  static void word(Variable& v, const Json& value) {
    if (!value.is_null() && std::ranges::find(v.words, value) == v.words.end()) v.words.push_back(value);
  }

  /// Every kind of value that the comparisons tell apart.
  void domains() {
    std::map<std::size_t, std::vector<Json>> shared;
    std::map<std::size_t, int> members;
    for (const Variable& v : vars) {
      ++members[v.group];
      for (const Json& w : v.words)
        if (auto& list = shared[v.group]; std::ranges::find(list, w) == list.end()) list.push_back(w);
    }
    for (Variable& v : vars) {
      v.words = shared[v.group];
      std::ranges::sort(v.words);
      bool linked = members[v.group] > 1;
      if (v.slot < 0)
        setting_domain(v);
      else
        fact_domain(v, linked ? members[v.group] : 1);
    }
  }
  void setting_domain(Variable& v) {
    const Json& value = profile.setting(v.setting, Json::object());
    v.domain = {value};
    if (!options.switches) return;
    for (const Json& w : v.words)
      if (w != value) v.domain.push_back(w);
    if (value.is_boolean()) v.domain = {value, !value.get<bool>()};
  }
  void fact_domain(Variable& v, int near) {
    const FactDef& d = profile.vocabulary().at(v.slot);
    const FactRange& range = ranges[static_cast<std::size_t>(v.slot)];
    if (d.from == FactDef::From::document) {
      // The document itself: absent, a concept, or something complete.
      v.domain = {nullptr, "concept", "compleet"};
      for (const Json& w : v.words)
        if (w.is_string()) add(v, w);
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
        integers(v, near, d.unit.empty());
        break;
      case FactType::date:
        dates(v, near);
        break;
      case FactType::text:
        texts(v, range, near);
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
  static void add(Variable& v, Json value) {
    if (std::ranges::find(v.domain, value) == v.domain.end()) v.domain.push_back(std::move(value));
  }
  static void integers(Variable& v, int near, bool negative) {
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
  static void dates(Variable& v, int near) {
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
  static void texts(Variable& v, const FactRange& range, int near) {
    for (const Json& w : v.words)
      if (w.is_string()) {
        v.domain.push_back(w);
        // Behind it in the order of letters, and before the next.
        if (v.ordered)
          for (int k = 1; k <= near; ++k)
            v.domain.push_back(w.get<std::string>() + std::string(static_cast<std::size_t>(k), '\x01'));
      }
    if (v.ordered) add(v, "");
    // Values that no comparison names are all alike: as many as there are facts that could differ in them.
    int other = 0;
    for (const std::string& value : range.values)
      if (other < near && std::ranges::find(v.domain, Json(value)) == v.domain.end()) {
        v.domain.emplace_back(value);
        ++other;
      }
    for (; range.open && other < near; ++other)
      add(v, other == 0 ? std::string("anders") : "anders" + std::to_string(other + 1));
  }
  void lists(Variable& v, const FactDef& d, const FactRange& range) {
    std::vector<Json> words;
    for (const Json& w : v.words) {
      if (w.is_array())
        add(v, w);
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
        if (!list.empty() || d.name != "envelope.addressed_to") add(v, list);
        if (extra < most) list.push_back(others[extra]);
      }
    }
  }

  /// The value of a fact as this comparison sees it; false where it is not known yet (then `first` is what to try).
  bool value_of(int slot, const std::string& setting, Json& out, std::size_t& first) {
    std::size_t i = index.at(slot >= 0 ? solver_key(profile.vocabulary(), slot) : "setting." + setting);
    const Variable& v = vars[i];
    if (!v.value) {
      if (first == vars.size()) first = i;
      return false;
    }
    out = *v.value;
    if (slot >= 0)
      if (const FactDef& d = profile.vocabulary().at(slot); d.from == FactDef::From::document && d.aspect != "status")
        out = d.aspect == "present" ? !v.value->is_null() : !v.value->is_null() && *v.value != "concept";
    return true;
  }

  Tri look(const Condition& c, std::size_t& first) {
    switch (c.op) {
      case Condition::Op::always:
        return Tri::yes;
      case Condition::Op::all:
      case Condition::Op::any:
      case Condition::Op::none: {
        Tri stop = c.op == Condition::Op::all ? Tri::no : Tri::yes, out = opposite(stop);
        for (const Condition& child : c.children) {
          Tri t = look(child, first);
          if (t == stop) return c.op == Condition::Op::none ? Tri::no : stop;
          if (t == Tri::unknown) out = t;
        }
        return c.op == Condition::Op::none ? opposite(out) : out;
      }
      default:
        break;
    }
    if (c.slot < 0 && c.setting.empty()) return Tri::unknown;
    Json v;
    if (!value_of(c.slot, c.setting, v, first)) return Tri::unknown;
    std::vector<Json> kept(c.operands.size());
    std::vector<const Json*> right;
    for (std::size_t i = 0; i < c.operands.size(); ++i) {
      const Operand& o = c.operands[i];
      if (o.slot >= 0) {
        if (!value_of(o.slot, "", kept[i], first)) return Tri::unknown;
        right.push_back(&kept[i]);
      } else {
        right.push_back(o.setting.empty() ? &o.value : &profile.setting(o.setting, Json::object()));
      }
    }
    return leaf_holds(c, v, right) ? Tri::yes : Tri::no;
  }

  Sat search(const Condition& what) {
    std::size_t first = vars.size();
    Tri t = look(what, first);
    if (t == Tri::yes) return Sat::yes;
    if (t == Tri::no) return Sat::no;
    if (first == vars.size() || --left < 0) return Sat::undecided;
    Sat out = Sat::no;
    for (const Json& value : vars[first].domain) {
      vars[first].value = &value;
      Sat s = search(what);
      if (s == Sat::yes) return s;
      if (s == Sat::undecided) out = s;
      if (left < 0) break;
    }
    vars[first].value = nullptr;
    return out;
  }

  Json example() const {
    Json out = Json::object();
    for (const auto& [key, i] : index) {
      const Variable& v = vars[i];
      if (!v.value) continue;
      if (!v.setting.empty()) {
        if (*v.value != profile.setting(v.setting, Json::object())) out[key] = *v.value;
      } else if (v.slot >= 0 && profile.vocabulary().at(v.slot).from == FactDef::From::document) {
        out[key] = v.value->is_null() ? Json("absent") : *v.value;
      } else if (key != "envelope.type") {
        out[key] = *v.value;
      }
    }
    return out;
  }
};

Sat RuleSolver::solve(const Condition& what, const Options& options, Json& example) {
  Search s{*profile_, *ranges_, options};
  s.collect(what);
  s.domains();
  if (s.too_wide) return Sat::undecided;
  Sat out = s.search(what);
  steps_ += kMostSteps - s.left;
  if (out == Sat::yes) example = s.example();
  return out;
}

}  // namespace schakel
