#include "core/model/rule.hpp"

#include <algorithm>

#include "core/model/profile.hpp"

namespace schakel {
namespace {

constexpr std::array<std::string_view, kStages> kStageNames = {
    "facts", "gate", "routing", "audience", "consent", "signal", "filing", "escalation", "timer", "invoicing"};

/// Numbers by size, texts and dates by their letters: YYYY-MM-DD sorts as a date does. 0 when they cannot be compared.
int compare(const FactValue& a, const FactValue& b, bool& comparable) {
  comparable = a.kind == b.kind && (a.kind == FactValue::Kind::integer || a.kind == FactValue::Kind::text);
  if (!comparable) return 0;
  if (a.kind == FactValue::Kind::integer) return a.number < b.number ? -1 : a.number > b.number ? 1 : 0;
  return a.text < b.text ? -1 : a.text > b.text ? 1 : 0;
}

/// Most cases have no overrides of their own: then the setting needs no looking up.
const Json& setting_of(const std::string& name, const Json* region_value, const FactView& facts) {
  return region_value && facts.as_region() ? *region_value : facts.profile().setting(name, facts.file().overrides);
}

/// `room` holds what is no fact.
const FactValue& left(const Condition& c, const FactView& facts, FactValue& room) {
  if (c.setting.empty()) return facts.get(c.slot);
  return room = FactValue::of(setting_of(c.setting, c.region_value, facts));
}

const FactValue& right(const Operand& o, const FactView& facts, FactValue& room) {
  if (o.slot >= 0) return facts.get(o.slot);
  if (o.fixed && (o.setting.empty() || facts.as_region())) return *o.fixed;
  return room = o.get(facts);
}

bool contains(const FactValue& list, const FactValue& what) {
  if (list.kind != FactValue::Kind::list) return same(list, what);
  return std::ranges::any_of(*list.json, [&](const Json& v) { return same(FactValue::of(v), what); });
}

/// How many different elements a list has; a single value counts as one, what is absent as none.
std::int64_t distinct(const FactValue& list) {
  if (!list.there()) return 0;
  if (list.kind != FactValue::Kind::list) return 1;
  std::int64_t n = 0;
  for (auto it = list.json->begin(); it != list.json->end(); ++it)
    if (std::find(list.json->begin(), it, *it) == it) ++n;
  return n;
}

}  // namespace

std::string_view to_string(Stage stage) { return kStageNames[static_cast<std::size_t>(stage)]; }

FactValue Operand::get(const FactView& facts) const {
  if (slot >= 0) return facts.get(slot);
  if (fixed && (setting.empty() || facts.as_region())) return *fixed;
  if (!setting.empty()) return FactValue::of(setting_of(setting, region_value, facts));
  return FactValue::of(value);
}

bool Condition::holds(const FactView& facts) const {
  switch (op) {
    case Op::always:
      return true;
    case Op::all:
      for (const Condition& c : children)
        if (!c.holds(facts)) return false;
      return true;
    case Op::equal:
      // By itself: most of what is asked.
      if (setting.empty()) {
        FactValue room;
        return same(facts.get(slot), right(operands[0], facts, room));
      }
      break;
    case Op::any:
      return std::ranges::any_of(children, [&](const Condition& c) { return c.holds(facts); });
    case Op::none:
      return std::ranges::none_of(children, [&](const Condition& c) { return c.holds(facts); });
    default:
      break;
  }
  FactValue left_room, right_room;
  const FactValue& v = left(*this, facts, left_room);
  auto operand = [&](const Operand& o) -> const FactValue& { return right(o, facts, right_room); };
  auto any_operand = [&] {
    return std::ranges::any_of(operands, [&](const Operand& o) {
      const FactValue& other = operand(o);
      if (other.kind == FactValue::Kind::list && v.kind != FactValue::Kind::list) return contains(other, v);
      return same(v, other);
    });
  };
  bool comparable = false;
  switch (op) {
    case Op::equal:
      return same(v, operand(operands[0]));
    case Op::not_equal:
      return !same(v, operand(operands[0]));
    case Op::in:
      return any_operand();
    case Op::not_in:
      return !any_operand();
    case Op::at_least:
      return compare(v, operands[0].get(facts), comparable) >= 0 && comparable;
    case Op::more_than:
      return compare(v, operands[0].get(facts), comparable) > 0 && comparable;
    case Op::less_than:
      return compare(v, operands[0].get(facts), comparable) < 0 && comparable;
    case Op::exists:
      return v.there() == flag;
    case Op::contains:
      return v.there() && std::ranges::all_of(operands, [&](const Operand& o) { return contains(v, o.get(facts)); });
    case Op::count_less_than:
      return distinct(v) < operands[0].get(facts).number;
    case Op::count_not:
      return distinct(v) != operands[0].get(facts).number;
    default:
      return false;
  }
}

bool Condition::nearly(const FactView& facts) const {
  if (op == Op::all && children.size() > 1) {
    int misses = 0;
    for (const Condition& c : children)
      if (!c.holds(facts) && ++misses > 1) return false;
    return misses == 1;
  }
  if (op == Op::all && children.size() == 1) return children[0].nearly(facts);
  if (op == Op::any) return std::ranges::any_of(children, [&](const Condition& c) { return c.nearly(facts); });
  if (op == Op::at_least || op == Op::more_than) {
    FactValue room, limit = operands[0].get(facts);
    const FactValue& v = left(*this, facts, room);
    return v.kind == FactValue::Kind::integer && limit.kind == FactValue::Kind::integer && !holds(facts) &&
           v.number >= limit.number - limit.number / 10;
  }
  return false;
}

Condition::Fit Condition::fit(const FactView& facts) const {
  if (op == Op::all && children.size() == 1) return children[0].fit(facts);
  if (op == Op::all) {
    int misses = 0;
    for (const Condition& c : children)
      if (!c.holds(facts) && ++misses > 1) return Fit::not_at_all;
    return misses == 0 ? Fit::holds : Fit::nearly;
  }
  return holds(facts) ? Fit::holds : nearly(facts) ? Fit::nearly : Fit::not_at_all;
}

void Condition::collect(std::vector<int>& slots) const {
  auto add = [&](int s) {
    if (s >= 0 && std::ranges::find(slots, s) == slots.end()) slots.push_back(s);
  };
  add(slot);
  for (const Operand& o : operands) add(o.slot);
  for (const Condition& c : children) c.collect(slots);
}

Explanation explain(const Rule& rule, const FactView& facts, Word stage, Word result, std::string_view code) {
  const Vocabulary& vocabulary = facts.profile().vocabulary();
  SeenFacts seen;
  if (!rule.facts.empty()) {
    seen = SeenFacts(facts.profile().vocabulary_owner(), rule.facts.size());
    for (int slot : rule.facts) facts.get(slot).tell(vocabulary.at(slot).name, seen);
  }
  return explain(rule, stage, result, code, std::move(seen));
}

Explanation explain(const Rule& rule, Word stage, Word result, std::string_view code, SeenFacts seen) {
  return {rule.cited.empty() ? SharedText(rule.id) : rule.cited,
          stage,
          result,
          std::string(code),
          rule.quote,
          rule.source,
          std::move(seen)};
}

}  // namespace schakel
