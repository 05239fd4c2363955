#include "plugins/deadlines/deadlines.hpp"

#include <algorithm>
#include <map>

#include "plugins/deadlines/terms.hpp"

namespace schakel::deadlines {
namespace {

/// Both days of a school holiday are in it (CORE-TIME-06); days as YYYY-MM-DD.
bool in_school_holiday(const FactView& view, std::string_view day) {
  const Json& all = view.profile().setting("school_holidays", view.file().overrides);
  auto part = [](const Json& holiday, const char* key) -> std::string_view {
    auto it = holiday.is_object() ? holiday.find(key) : holiday.end();
    return it != holiday.end() && it->is_string() ? std::string_view(it->get_ref<const std::string&>())
                                                  : std::string_view();
  };
  return all.is_array() && std::ranges::any_of(all, [&](const Json& holiday) {
           std::string_view from = part(holiday, "from"), to = part(holiday, "to");
           return !from.empty() && from <= day && day <= to;
         });
}

void signal(Draft& draft, Signal s) {
  if (std::ranges::find_if(draft.signals, [&](const Signal& x) {
        return x.code == s.code && x.to == s.to && x.role == s.role && x.timer == s.timer;
      }) == draft.signals.end())
    draft.signals.push_back(std::move(s));
}

/// domain.md 6.2: what the recipients of a delivery are told about its moment. Each is judged on the own date, CONF-01.
/// With late_policy=hold who would get it too late gets nothing until the meeting is moved and the school delivers
/// again.
void lead_times(const Terms& terms, Draft& draft) {
  const auto [about, listed] = terms.of_message();
  const FactView& view = *about;
  const std::vector<Due>& due = *listed;
  if (!view.file().meeting) return;
  const Json& overrides = view.file().overrides;
  const Profile& profile = view.profile();
  Date meeting = local_date(view.file().meeting->at), sent = view.day();
  std::int64_t general = view.profile().setting_int("lead_floor_days", overrides, 14);
  bool appendix = view.profile().setting_view("lead_time_policy", overrides) == "appendix_4_weeks";
  bool hold = view.profile().setting_view("late_policy", overrides) == "hold";
  std::map<std::string, std::string> withheld;  // role, rule
  for (const Recipient& to : draft.recipients) {
    if (to.channel != "secure_link") continue;
    auto it = std::ranges::find_if(
        due, [&](const Due& d) { return d.name().starts_with("documents_due:") && role_of(d.name()) == to.role; });
    if (it == due.end()) continue;
    Date last = it->date;
    // The appendix asks four weeks of whoever has four weeks: for those there is nothing between on time and late.
    Date floor = appendix ? std::min(last, add_days(meeting, -general)) : add_days(meeting, -general);
    SeenFacts seen(nullptr, 4);
    seen.add("due", last.str());
    seen.add("floor", floor.str());
    seen.add("sent", std::string(view.today()));
    seen.add("meeting", meeting.str());
    // The first rule of that id is the one that is cited.
    const Rule& cited = *profile.rule(it->rule->id);
    if (sent <= last) {
      draft.explanation.push_back(explain(cited, "deadlines", "fired", "on_time:" + to.role, std::move(seen)));
      continue;
    }
    std::string code = sent <= floor ? "LEAD_TIME_SHORT" : "LEAD_TIME_VIOLATION";
    signal(draft, {code, "school_ib", to.role, "", it->rule->id});
    draft.explanation.push_back(explain(cited, "deadlines", "fired", code, std::move(seen)));
    if (hold && code == "LEAD_TIME_VIOLATION") withheld[to.role] = it->rule->id;
  }
  if (withheld.empty()) return;
  std::erase_if(draft.recipients, [&](const Recipient& r) { return withheld.contains(r.role); });
  for (const auto& [role, rule] : withheld) draft.suppressed.push_back({role, "LEAD_TIME_VIOLATION", rule});
  if (draft.recipients.empty()) draft.codes.emplace_back("LEAD_TIME_VIOLATION");
}

void region_signals(const FactView& view, Draft& draft) {
  bool blocked = draft.outcome == Outcome::blocked;
  for (const Rule* r : view.rules(Stage::signal)) {
    const SignalOutcome& s = *r->then.signal;
    if (blocked && !s.also_blocked) continue;
    if (draft.outcome != Outcome::delivered && !blocked) continue;
    if (!s.with_code.empty() && std::ranges::find(draft.codes, s.with_code) == draft.codes.end()) continue;
    auto fit = r->when.fit(view);
    if (fit == Condition::Fit::nearly) draft.explanation.push_back(explain(*r, view, "deadlines", "near", s.code));
    if (fit != Condition::Fit::holds) continue;
    signal(draft, {s.code, s.to_sender ? view.message().sender_role : s.to, s.role, "", r->id});
    draft.explanation.push_back(explain(*r, view, "deadlines", "fired", s.code));
  }
}

/// The case file as it will be: only where what opens the case or moves the meeting is not yet a fact of the view.
bool needs_copy(const Draft& draft) {
  return std::ranges::any_of(draft.effects, [](const Effect& e) { return e.what == "open" || e.what == "meeting"; });
}

void timers(const CaseFile& file, const FactView& view, const std::vector<Due>& due, Draft& draft) {
  const Message& message = view.message();
  std::string_view today = view.today();
  for (const Due& next : due) {
    auto old = std::ranges::find(file.deadlines, next.name(), &Deadline::name);
    bool had = old != file.deadlines.end() && old->state != "cancelled";
    const TimerOutcome& t = next.timer();
    const std::string day = next.date.str();
    bool same_date = had && old->date == day;
    std::string_view role = role_of(next.name());
    std::string_view state = next.replaced ? "replaced" : "set";
    if (same_date && role.empty() && !next.replaced && (old->state == "met" || old->state == "breached"))
      state = old->state;
    auto met = [&](bool late, bool tell) {
      state = late ? "breached" : "met";
      if (tell) signal(draft, {"TIMER_BREACH", message.sender_role, "", next.name(), next.rule->id});
      draft.explanation.push_back(view.profile().explain(next.rule->id, "deadlines", "fired",
                                                         tell ? "TIMER_BREACH" : "met:" + next.name(),
                                                         {{"due", day}, {"today", std::string(today)}}));
    };
    if (state == "set" && !role.empty()) {
      // How late it was, lead_times says.
      auto reached = next.reached ? next.reached : reached_on(view, t, role, draft);
      if (reached) state = *reached > next.date ? "breached" : "met";
    } else if (state == "set" && t.met && t.met->holds(view)) {
      met(today > day, false);
    } else if (state == "set" && std::ranges::find(t.met_by, message.type) != t.met_by.end()) {
      met(today > day, today > day && t.tells_late);
    }
    if (next.timer().announces_holiday && !same_date && message.type != "zaak_opening" &&
        (is_holiday(next.date) || in_school_holiday(view, day)))
      signal(draft, {"FALLS_ON_HOLIDAY", "school_ib", "", next.name(), "CORE-TIME-06"});
    if (had && next.is(*old, day, state)) continue;
    if (!same_date) draft.explanation.push_back(explain(*next.rule, view, "deadlines", "fired", next.name()));
    draft.deadlines.push_back(next.deadline(state));
  }
  for (const Deadline& old : file.deadlines) {
    if (old.state == "cancelled" || std::ranges::any_of(due, [&](const Due& d) { return d.name() == old.name; }))
      continue;
    Deadline gone = old;
    gone.state = "cancelled";
    draft.deadlines.push_back(std::move(gone));
  }
}

}  // namespace

Draft DeadlinesDecider::decide(FactView& view, const Facts&, Draft draft) const {
  const CaseFile& file = view.file();
  const Message& message = view.message();
  bool counts = draft.outcome == Outcome::delivered || draft.outcome == Outcome::recorded;
  if (counts && needs_copy(draft)) {
    CaseFile after = file;
    Draft only;
    only.outcome = draft.outcome;
    for (const Effect& e : draft.effects)
      if (e.what == "open" || e.what == "meeting") only.effects.push_back(e);
    apply(after, message, only);
    FactView later(after, message, view.profile(), view.at());
    later.adopt(draft.effects);
    if (draft.outcome == Outcome::delivered) region_signals(later, draft);
    Terms terms(later, draft, file, true);
    if (message.type == "documentlevering") lead_times(terms, draft);
    timers(file, later, terms.due(), draft);
    return draft;
  }
  region_signals(view, draft);
  if (!counts) return draft;
  Terms terms(view, draft, file, false);
  if (message.type == "documentlevering") lead_times(terms, draft);
  timers(file, view, terms.due(), draft);
  return draft;
}

}  // namespace schakel::deadlines
