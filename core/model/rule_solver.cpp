#include "core/model/rule_solver.hpp"

#include <algorithm>

#include "core/model/rule_solver_values.hpp"

namespace schakel {
namespace {

constexpr std::int64_t kMostSteps = 200'000;
enum class Tri : std::uint8_t { no, yes, unknown };

Tri opposite(Tri t) { return t == Tri::unknown ? t : t == Tri::yes ? Tri::no : Tri::yes; }

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

struct RuleSolver::Search {
  SolverVariables& in;
  std::int64_t left = kMostSteps;

  /// The value of a fact as this comparison sees it; false where it is not known yet (then `first` is what to try).
  bool value_of(int slot, const std::string& setting, Json& out, std::size_t& first) {
    std::size_t i = in.at(slot, setting);
    const SolverVariable& v = in.vars[i];
    if (!v.value) {
      if (first == in.vars.size()) first = i;
      return false;
    }
    out = *v.value;
    if (slot >= 0)
      if (const FactDef& d = in.profile.vocabulary().at(slot);
          d.from == FactDef::From::document && d.aspect != "status")
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
        right.push_back(o.setting.empty() ? &o.value : &in.profile.setting(o.setting, Json::object()));
      }
    }
    return leaf_holds(c, v, right) ? Tri::yes : Tri::no;
  }

  Sat search(const Condition& what) {
    std::size_t first = in.vars.size();
    Tri t = look(what, first);
    if (t == Tri::yes) return Sat::yes;
    if (t == Tri::no) return Sat::no;
    if (first == in.vars.size() || --left < 0) return Sat::undecided;
    Sat out = Sat::no;
    for (const Json& value : in.vars[first].domain) {
      in.vars[first].value = &value;
      Sat s = search(what);
      if (s == Sat::yes) return s;
      if (s == Sat::undecided) out = s;
      if (left < 0) break;
    }
    in.vars[first].value = nullptr;
    return out;
  }

  Json example() const {
    Json out = Json::object();
    for (const auto& [key, i] : in.index) {
      const SolverVariable& v = in.vars[i];
      if (!v.value) continue;
      if (!v.setting.empty()) {
        if (*v.value != in.profile.setting(v.setting, Json::object())) out[key] = *v.value;
      } else if (v.slot >= 0 && in.profile.vocabulary().at(v.slot).from == FactDef::From::document) {
        out[key] = v.value->is_null() ? Json("absent") : *v.value;
      } else if (key != "envelope.type") {
        out[key] = *v.value;
      }
    }
    return out;
  }
};

Sat RuleSolver::solve(const Condition& what, const Options& options, Json& example) {
  SolverVariables variables{*profile_, *ranges_, options};
  variables.collect(what);
  variables.domains();
  if (variables.too_wide) return Sat::undecided;
  Search s{variables};
  Sat out = s.search(what);
  steps_ += kMostSteps - s.left;
  if (out == Sat::yes) example = s.example();
  return out;
}

}  // namespace schakel
