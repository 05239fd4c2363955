#include "core/model/rule_check_stages.hpp"

#include <algorithm>

#include "core/model/invoice_types.hpp"

namespace schakel {
namespace {

std::string stage_role(std::string_view role) { return std::string(role.substr(0, role.find_first_of(":@"))); }

bool stage_has(const std::vector<std::string>& list, std::string_view what) {
  return std::ranges::find(list, what) != list.end();
}

/// Texts that the conditions of a region compare a fact with.
void texts_of(const Condition& c, std::map<int, std::set<std::string>>& out) {
  for (const Condition& child : c.children) texts_of(child, out);
  if (c.slot < 0) return;
  for (const Operand& o : c.operands)
    if (o.setting.empty() && o.slot < 0 && o.value.is_string()) out[c.slot].insert(o.value.get<std::string>());
}

/// Message types whose recipients are not listed by routing rules: they follow from money, or the message is for the
/// broker.
bool listed_elsewhere(std::string_view type) {
  static const std::set<std::string_view> other = {"zaak_opening", "toestemming", "toestemming_intrekking",
                                                   "link_geopend", "termijnsignaal"};
  return is_invoice_type(type) || other.contains(type);
}

}  // namespace

StageCheck::StageCheck(const Input& in, std::vector<RuleFinding>& out)
    : in_(in), out_(out), solver_(in.profile, in.ranges) {
  for (const Rule& r : in_.profile.all_rules())
    for (const std::string& t : r.on) all_types_.insert(t);
}

void StageCheck::run() {
  words();
  reachable();
  aliases();
  for (const std::string& type : all_types_) {
    gates(type);
    routing(type);
    signals(type);
    sets(type);
    timers(type);
    consents(type);
    filings(type);
    escalations(type);
    audiences(type);
  }
  not_routed();
  if (undecided_)
    out_.push_back({Severity::note,
                    "UNDECIDED",
                    in_.region.name + "#",
                    "some conditions have too many combinations to try them all; what is reported is still right",
                    {},
                    {},
                    ""});
}

std::vector<const Rule*> StageCheck::rules(Stage stage, const std::string& type) const {
  std::vector<const Rule*> out;
  for (const Rule* r : in_.profile.rules(stage, type))
    if (!dead_.contains(r)) out.push_back(r);
  return out;
}

Sat StageCheck::solve(const Condition& c, std::string_view type, Json* example, bool switches, bool own_words) {
  Json found;
  Sat s = solver_.solve(c, {type, switches, own_words ? &words_ : nullptr}, found);
  undecided_ = undecided_ || s == Sat::undecided;
  if (example) *example = std::move(found);
  return s;
}

const Json& StageCheck::source(const Rule& r) const {
  const RuleOrigin& o = in_.origins[static_cast<std::size_t>(r.order)];
  return (o.base ? in_.base : in_.region).content["rules"][o.row];
}

std::string StageCheck::place(const Rule& r, const std::string& below) const {
  const RuleOrigin& o = in_.origins[static_cast<std::size_t>(r.order)];
  return (o.base ? in_.base : in_.region).name + "#/rules/" + std::to_string(o.row) + below;
}

std::string StageCheck::accepted(const Rule& a, const Rule& b) const {
  for (const Rule* r : {&a, &b})
    if (auto it = source(*r).find("overlap_ok"); it != source(*r).end() && it->is_string())
      return it->get<std::string>();
  return {};
}

void StageCheck::find(Severity severity, std::string code, const std::vector<const Rule*>& about,
                      const std::string& below, std::string message, Json example, std::string why) {
  // What concerns the base alone is told where the base is checked.
  if (!about.empty() && std::ranges::all_of(about, [&](const Rule* r) { return of_base(*r); })) return;
  RuleFinding f{severity,
                std::move(code),
                about.empty() ? in_.region.name + "#" + below : place(*about[0], below),
                std::move(message),
                {},
                std::move(example),
                std::move(why)};
  std::string key = f.code + ' ' + f.pointer;
  for (const Rule* r : about) {
    key += ' ' + std::to_string(r->order);
    if (!stage_has(f.rules, r->id)) f.rules.push_back(r->id);
  }
  // The same rules meet at every message type that they share: once is enough.
  if (!told_.insert(std::move(key)).second) return;
  if (!f.accepted.empty()) f.severity = Severity::note;
  out_.push_back(std::move(f));
}

/// For open facts: the values that this region speaks of.
void StageCheck::words() {
  std::map<int, std::set<std::string>> all;
  for (const Rule& r : in_.profile.all_rules()) texts_of(r.when, all);
  for (auto& [slot, texts] : all)
    if (in_.profile.vocabulary().at(slot).type == FactType::text && in_.ranges[static_cast<std::size_t>(slot)].open)
      words_[slot] = std::move(texts);
}

void StageCheck::reachable() {
  for (const Rule& r : in_.profile.all_rules()) {
    bool any = false, undecided = false;
    for (const std::string& t : r.on) {
      Sat s = solve(r.when, t);
      any = any || s == Sat::yes;
      undecided = undecided || s == Sat::undecided;
      if (s == Sat::yes) branches(r, t);
    }
    if (any || undecided) continue;
    dead_.insert(&r);
    Json example;
    for (const std::string& t : r.on)
      if (solve(r.when, t, &example, true) == Sat::yes) {
        any = true;
        break;
      }
    if (any) off_.insert(&r);
    if (any)
      find(Severity::note, "SWITCHED_OFF", {&r}, "/when",
           "never holds with the switches of this file; it would with those in the example", std::move(example));
    else
      find(Severity::error, "UNREACHABLE", {&r}, "/when", "no facts exist for which this condition holds");
  }
}

/// A member of an `any` that can never hold together with the rest of its rule.
void StageCheck::branches(const Rule& r, std::string_view type) {
  const Condition* group = r.when.op == Condition::Op::any ? &r.when : nullptr;
  if (r.when.op == Condition::Op::all)
    for (const Condition& c : r.when.children)
      if (c.op == Condition::Op::any) group = &c;
  if (!group) return;
  for (std::size_t i = 0; i < group->children.size(); ++i)
    if (solve(all_of({r.when, group->children[i]}), type, nullptr, true) == Sat::no)
      find(Severity::warning, "DEAD_BRANCH", {&r}, "/when/any/" + std::to_string(i), "this alternative never holds");
}

std::vector<std::pair<std::string, Condition>> StageCheck::roles_of(const std::string& name) const {
  if (!name.starts_with('$')) return {{name, Condition{}}};
  std::vector<std::pair<std::string, Condition>> out;
  std::vector<Condition> before;
  for (const RoleAlias& row : RuleReader::role_rows(in_.profile, std::string_view(name).substr(1))) {
    out.emplace_back(row.role, all_of({row.when, none_of(before)}));
    before.push_back(row.when);
  }
  return out;
}

void StageCheck::aliases() {
  for (const NamedJson* file : {&in_.base, &in_.region}) {
    if (file == &in_.base) continue;
    auto names = file->content.find("roles");
    if (names == file->content.end() || !names->is_object()) continue;
    for (const auto& [name, rows] : names->items()) {
      std::vector<Condition> before;
      auto list = RuleReader::role_rows(in_.profile, name);
      for (std::size_t i = 0; i < list.size(); ++i) {
        std::string at = "/roles/" + name + "/" + std::to_string(i);
        if (solve(all_of({list[i].when, none_of(before)}), "*", nullptr, true) == Sat::no)
          find(Severity::error, "UNREACHABLE", {}, at, "the rows before this one already hold whenever this one does");
        before.push_back(list[i].when);
      }
      Json example;
      if (solve(none_of(before), "*", &example) == Sat::yes)
        find(Severity::warning, "ROLE_GAP", {}, "/roles/" + name, "no row holds: who is meant then?",
             std::move(example));
    }
  }
}

std::vector<Condition> StageCheck::blocks(const std::string& type, std::vector<const Rule*>* which) const {
  std::vector<Condition> out;
  for (const Rule* r : rules(Stage::gate, type)) {
    out.push_back(r->when);
    if (which) which->push_back(r);
  }
  return out;
}

void StageCheck::gates(const std::string& type) {
  auto list = rules(Stage::gate, type);
  std::vector<Condition> all;
  for (const Rule* r : list) all.push_back(r->when);
  if (!list.empty() && solve(none_of(all), type, nullptr, true) == Sat::no) {
    // As few rules as still leave nothing: each one that can be missed is taken out.
    std::vector<const Rule*> core = list;
    for (std::size_t i = core.size(); i-- > 0;) {
      std::vector<Condition> rest;
      for (std::size_t k = 0; k < core.size(); ++k)
        if (k != i) rest.push_back(core[k]->when);
      if (core.size() > 1 && solve(none_of(rest), type, nullptr, true) == Sat::no)
        core.erase(core.begin() + static_cast<std::ptrdiff_t>(i));
    }
    find(Severity::error, "CONTRADICTION", core, "",
         "together these rules block every " + type + ": what one requires another blocks");
  }
  // A rule that waits for another choice may be redundant as well: with it, whatever the switches say.
  std::vector<const Rule*> also_off;
  for (const Rule* r : in_.profile.rules(Stage::gate, type))
    if (!dead_.contains(r) || off_.contains(r)) also_off.push_back(r);
  for (const Rule* r : also_off)
    for (const Rule* other : also_off) {
      if (r == other) continue;
      bool earlier = other->order < r->order, switches = off_.contains(r) || off_.contains(other);
      auto within = [&](const Rule* a, const Rule* b) {
        return solve(all_of({a->when, none_of({b->when})}), type, nullptr, switches) == Sat::no;
      };
      // Of two rows with one code the narrower adds nothing, whichever stands first; of two that say the same, the
      // later.
      bool hides = other->then.alone ? (!r->then.alone || earlier)
                                     : (other->then.block == r->then.block && !r->then.alone &&
                                        (earlier || other->then.if_consented == r->then.if_consented));
      if (!hides || !within(r, other)) continue;
      if (!other->then.alone && !earlier && within(other, r)) continue;
      find(Severity::error, "SHADOWED", {r, other}, "",
           other->then.alone ? "never reported: " + other->id + " blocks alone whenever this holds"
                             : "adds nothing: " + other->id + " blocks with this code whenever this holds");
    }
}

std::vector<StageCheck::Entry> StageCheck::entries(const std::string& type) const {
  const Vocabulary& v = in_.profile.vocabulary();
  int sender = v.slot("envelope.sender"), asked = v.slot("envelope.addressed_to");
  std::vector<Entry> out;
  for (const Rule* r : rules(Stage::routing, type)) {
    const RecipientOutcome& to = *r->then.recipient;
    for (const std::string& name : to.roles)
      for (const auto& [role, row] : roles_of(name)) {
        Entry e{r, role, all_of({r->when, row}), {}};
        std::vector<Condition> parts{r->when, row};
        std::string plain = stage_role(role);
        if (to.unless_sender && sender >= 0) parts.push_back(compared(sender, Condition::Op::not_equal, plain));
        if (to.if_addressed && asked >= 0) parts.push_back(compared(asked, Condition::Op::contains, plain));
        if (to.list_only && asked >= 0)
          parts.push_back(any_of({exists(asked, false), compared(asked, Condition::Op::contains, plain)}));
        e.exact = all_of(std::move(parts));
        out.push_back(std::move(e));
      }
    if (!to.function.empty()) out.push_back({r, "", r->when, r->when});
  }
  return out;
}

void StageCheck::routing(const std::string& type) {
  auto list = entries(type);
  std::vector<const Rule*> gate_rules;
  auto blocked = blocks(type, &gate_rules);
  bool some_pass = solve(none_of(blocked), type) != Sat::no;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Entry& e = list[i];
    if (some_pass && solve(all_of({e.exact, none_of(blocked)}), type) == Sat::no && solve(e.exact, type) == Sat::yes) {
      std::vector<const Rule*> about{e.rule};
      for (std::size_t g = 0; g < gate_rules.size(); ++g)
        if (solve(all_of({e.exact, gate_rules[g]->when}), type) == Sat::yes) about.push_back(gate_rules[g]);
      find(Severity::error, "CONTRADICTION", about, "",
           "every " + type + " that would go to " + e.role + " is blocked");
    }
    if (e.role.empty()) continue;
    // The first rule that brings a role in decides what it gets.
    std::vector<Condition> before;
    const Entry* hidden_by = nullptr;
    for (std::size_t k = 0; k < i; ++k) {
      const Entry& o = list[k];
      if (o.rule == e.rule || stage_role(o.role) != stage_role(e.role)) continue;
      // Whether a consent names the role is no fact: such a row hides nothing for certain.
      if (o.rule->then.recipient->if_consent_names) continue;
      before.push_back(o.exact);
      const RecipientOutcome &a = *o.rule->then.recipient, &b = *e.rule->then.recipient;
      bool differs =
          a.content != b.content || a.channel != b.channel || a.without != b.without || a.of_gemeente != b.of_gemeente;
      if (!differs) continue;
      hidden_by = &o;
      Json example;
      if (solve(all_of({o.exact, e.exact}), type, &example) == Sat::yes)
        find(Severity::warning, "OVERLAP", {e.rule, o.rule}, "",
             "for the same " + type + " " + e.role + " gets what " + o.rule->id + " says, not what this rule says",
             std::move(example), accepted(*e.rule, *o.rule));
    }
    if (hidden_by && solve(all_of({e.exact, none_of(before)}), type) == Sat::no)
      find(Severity::error, "SHADOWED", {e.rule, hidden_by->rule}, "",
           "never counts for " + e.role + ": an earlier rule always brings in this role first");
  }
  dropped(type, list);
  gap(type, list);
}

void StageCheck::dropped(const std::string& type, const std::vector<Entry>& list) {
  auto blocked = blocks(type, nullptr);
  for (const Entry& e : list) {
    std::vector<Condition> drops;
    std::vector<const Rule*> about{e.rule};
    for (const Rule* r : rules(Stage::audience, type))
      for (const std::string& name : r->then.drop) {
        auto roles =
            name.starts_with('$') ? in_.profile.setting_list(name.substr(1), Json::object()) : std::vector{name};
        if (!stage_has(roles, stage_role(e.role))) continue;
        drops.push_back(r->when);
        about.push_back(r);
      }
    if (drops.empty()) continue;
    if (solve(all_of({e.exact, none_of(blocked)}), type) == Sat::yes &&
        solve(all_of({e.exact, none_of(blocked), none_of(drops)}), type) == Sat::no)
      find(Severity::error, "CONTRADICTION", about, "",
           "brings in " + e.role + ", and " + about[1]->id + " always takes it out again");
  }
}

void StageCheck::gap(const std::string& type, const std::vector<Entry>& list) {
  if (listed_elsewhere(type) || type == "*") return;
  std::vector<Condition> reached;
  std::vector<const Rule*> about;
  for (const Entry& e : list)
    if (!e.rule->then.recipient->if_addressed && !e.rule->then.recipient->if_consent_names) {
      reached.push_back(e.when);
      if (std::ranges::find(about, e.rule) == about.end()) about.push_back(e.rule);
    }
  if (reached.empty()) return;
  Condition nobody = all_of({none_of(blocks(type, nullptr)), none_of(reached)});
  std::string why;
  if (auto ok = in_.region.content.find("gaps_ok");
      ok != in_.region.content.end() && ok->is_object() && ok->contains(type) && (*ok)[type].is_string())
    why = (*ok)[type];
  Json example;
  if (solve(nobody, type, &example, false, true) == Sat::yes)
    find(Severity::warning, "GAP", about, "", "a " + type + " with these facts passes the gates and goes to nobody",
         std::move(example), why);
  else if (solve(nobody, type, &example) == Sat::yes)
    find(Severity::note, "GAP", about, "",
         "a " + type + " with these facts goes to nobody; the region does not speak of them", std::move(example), why);
}

void StageCheck::not_routed() {
  if (in_.types.empty() || in_.region.content.value("region", Json()) == "CORE") return;
  std::string names;
  for (const std::string& t : in_.types)
    if (!listed_elsewhere(t) && in_.profile.rules(Stage::routing, t).empty()) names += (names.empty() ? "" : ", ") + t;
  if (!names.empty())
    find(Severity::note, "NOT_ROUTED", {}, "/rules",
         "no rule gives these messages a recipient in this region: " + names);
}

}  // namespace schakel
