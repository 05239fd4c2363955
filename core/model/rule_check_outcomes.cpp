// Signals, facts, terms, consents, filings, escalations and audiences: where rules of one stage meet.
#include <algorithm>

#include "core/model/rule_check_stages.hpp"

namespace schakel {
namespace {

bool same_timer(const Rule& a, const Rule& b) {
  const TimerOutcome &x = *a.then.timer, &y = *b.then.timer;
  return x.days == y.days && x.months == y.months && x.years == y.years && x.working_days == y.working_days &&
         x.days_setting == y.days_setting && x.backwards == y.backwards && x.ends == y.ends &&
         x.severity == y.severity && x.responsible == y.responsible && x.rolls == y.rolls && x.from == y.from;
}

bool outcome_shares(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::ranges::any_of(a, [&](const std::string& x) { return std::ranges::find(b, x) != b.end(); });
}

}  // namespace

void StageCheck::first_counts(const std::vector<const Rule*>& list, const std::vector<Condition>& when,
                              const std::string& type, const std::string& what, const Same& same) {
  for (std::size_t i = 1; i < list.size(); ++i) {
    std::vector<Condition> before(when.begin(), when.begin() + static_cast<std::ptrdiff_t>(i));
    if (solve(all_of({when[i], none_of(before)}), type) == Sat::no && solve(when[i], type) == Sat::yes) {
      find(Severity::error, "SHADOWED", {list[i], list[0]}, "",
           "never counts: an earlier rule already decides " + what + " whenever this one holds");
      continue;
    }
    for (std::size_t k = 0; k < i; ++k) {
      if (same(*list[k], *list[i])) continue;
      Json example;
      if (solve(all_of({when[k], when[i]}), type, &example) == Sat::yes)
        find(Severity::warning, "OVERLAP", {list[i], list[k]}, "",
             "with these facts " + list[k]->id + " decides " + what + ", not this rule", std::move(example),
             accepted(*list[i], *list[k]));
    }
  }
}

void StageCheck::signals(const std::string& type) {
  std::vector<const Rule*> gate_rules;
  auto blocked = blocks(type, &gate_rules);
  for (const Rule* r : rules(Stage::signal, type)) {
    const SignalOutcome& s = r->then.signal.value();
    if (!s.with_code.empty()) {
      std::vector<Condition> with;
      for (const Rule* g : gate_rules)
        if (g->then.block == s.with_code) with.push_back(g->when);
      if (solve(all_of({r->when, any_of(with)}), type) == Sat::no)
        find(Severity::error, "UNREACHABLE", {r}, "/then/signal/with_code",
             "no rule blocks a " + type + " with " + s.with_code + " when this holds");
    } else if (!s.also_blocked && !blocked.empty() && solve(all_of({r->when, none_of(blocked)}), type) == Sat::no) {
      std::vector<const Rule*> about{r};
      for (const Rule* g : gate_rules)
        if (solve(all_of({r->when, g->when}), type) == Sat::yes) about.push_back(g);
      find(Severity::error, "CONTRADICTION", about, "",
           "never given: every " + type + " for which it holds is blocked, and also_blocked is not set");
    }
  }
}

void StageCheck::sets(const std::string& type) {
  auto list = rules(Stage::facts, type);
  auto literal = [](const Operand& o) { return o.slot < 0 && o.setting.empty(); };
  for (std::size_t i = 1; i < list.size(); ++i)
    for (std::size_t k = 0; k < i; ++k)
      for (const SetOutcome& a : list[k]->then.set)
        for (const SetOutcome& b : list[i]->then.set) {
          if (a.slot != b.slot || !literal(a.value) || !literal(b.value) || a.value.value == b.value.value) continue;
          Json example;
          if (solve(all_of({list[k]->when, list[i]->when}), type, &example) == Sat::yes)
            find(Severity::warning, "OVERLAP", {list[i], list[k]}, "/then/set",
                 "both set " + in_.profile.vocabulary().at(a.slot).name + ", to different values; this one counts",
                 std::move(example), accepted(*list[i], *list[k]));
        }
}

void StageCheck::timers(const std::string& type) {
  std::map<std::string, std::vector<const Rule*>> by_name;
  for (const Rule* r : rules(Stage::timer, type)) {
    // Rules for every type are looked at once.
    if (type != "*" && std::ranges::find(r->on, "*") != r->on.end() && r->on.size() == 1 && all_types_.contains("*")) {
      bool others = std::ranges::any_of(rules(Stage::timer, type), [&](const Rule* o) {
        return o->then.timer->name == r->then.timer->name && std::ranges::find(o->on, type) != o->on.end();
      });
      if (!others) continue;
    }
    const TimerOutcome& t = r->then.timer.value();
    by_name[t.name].push_back(r);
    if (t.responsible.empty())
      find(Severity::error, "NO_RESPONSIBLE", {r}, "/then/timer",
           "nobody is told when this term ends: name a responsible role");
    for (const std::string& met : t.met_by)
      if (!in_.types.empty() && !in_.types.contains(met))
        find(Severity::error, "UNKNOWN_MESSAGE_TYPE", {r}, "/then/timer/met_by", "there is no message type " + met);
  }
  for (const auto& [name, list] : by_name) {
    std::vector<Condition> when;
    for (const Rule* r : list) when.push_back(all_of({r->when, exists(r->then.timer->from, true)}));
    first_counts(list, when, type, "the term " + name, same_timer);
  }
}

void StageCheck::consents(const std::string& type) {
  if (type == "link_geopend") return;
  std::set<std::string> receivers;
  bool listed = true;
  for (const Entry& e : entries(type)) {
    if (e.role.empty()) listed = false;
    receivers.insert(e.role.substr(0, e.role.find_first_of(":@")));
  }
  auto list = rules(Stage::consent, type);
  for (const Rule* r : list) {
    const ConsentOutcome& c = r->then.consent.value();
    if (!listed || c.roles.empty()) continue;
    std::string nobody;
    for (const std::string& role : c.roles)
      if (!receivers.contains(role)) nobody += (nobody.empty() ? "" : ", ") + role;
    if (!nobody.empty())
      find(Severity::warning, "NO_EFFECT", {r}, "/then/consent/role",
           "no rule sends a " + type + " to " + nobody + ": consent is asked for what does not happen");
  }
  for (std::size_t i = 1; i < list.size(); ++i)
    for (std::size_t k = 0; k < i; ++k) {
      const ConsentOutcome &a = *list[k]->then.consent, &b = *list[i]->then.consent;
      if (a.purpose != b.purpose || !outcome_shares(a.roles, b.roles) || (a.blocks == b.blocks && a.code == b.code))
        continue;
      Json example;
      if (solve(all_of({list[k]->when, list[i]->when}), type, &example) == Sat::yes)
        find(Severity::warning, "OVERLAP", {list[i], list[k]}, "",
             "the same consent is asked twice, with another consequence", std::move(example),
             accepted(*list[i], *list[k]));
    }
}

void StageCheck::filings(const std::string& type) {
  std::map<std::string, std::vector<const Rule*>> by;
  for (const Rule* r : rules(Stage::filing, type)) by[r->then.file->by].push_back(r);
  for (const auto& [role, list] : by) {
    std::vector<Condition> when;
    for (const Rule* r : list) when.push_back(r->when);
    first_counts(list, when, type, "the filing by " + role, [](const Rule& a, const Rule& b) {
      return a.then.file->system == b.then.file->system && a.then.file->create_unless == b.then.file->create_unless;
    });
  }
}

void StageCheck::escalations(const std::string& type) {
  auto list = rules(Stage::escalation, type);
  for (std::size_t i = 1; i < list.size(); ++i)
    for (std::size_t k = 0; k < i; ++k) {
      const EscalationOutcome &a = *list[k]->then.escalation, &b = *list[i]->then.escalation;
      if (a.action == b.action && a.body == b.body && a.outcome == b.outcome) continue;
      Json example;
      if (solve(all_of({list[k]->when, list[i]->when}), type, &example) == Sat::yes)
        find(Severity::warning, "OVERLAP", {list[i], list[k]}, "",
             "both act on the escalation of the case; this one counts", std::move(example),
             accepted(*list[i], *list[k]));
    }
}

void StageCheck::audiences(const std::string& type) {
  auto list = rules(Stage::audience, type);
  for (const Rule* a : list)
    for (const Rule* b : list) {
      std::vector<std::string> drops;
      for (const std::string& name : a->then.drop)
        for (const std::string& role :
             name.starts_with('$') ? in_.profile.setting_list(name.substr(1), Json::object()) : std::vector{name})
          drops.push_back(role);
      if (!outcome_shares(drops, b->then.allow)) continue;
      Json example;
      if (solve(all_of({a->when, b->when}), type, &example) == Sat::yes)
        find(Severity::warning, "CONTRADICTION", {b, a}, "/then/allow", "allows a role that " + a->id + " takes out",
             std::move(example), accepted(*a, *b));
    }
}

}  // namespace schakel
