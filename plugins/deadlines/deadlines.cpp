#include "plugins/deadlines/deadlines.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <memory>
#include <optional>

#include "core/base/calendar.hpp"

namespace schakel::deadlines {
namespace {

Date shifted(Date from, int days, int months, int working_days) {
  if (working_days > 0) return add_working_days(from, working_days);
  if (months != 0) from = add_months(from, months);
  return add_days(from, days);
}

/// A deadline as it follows from the facts, not yet in words: of most that follow nothing is new.
struct Due {
  const Rule* rule;
  Date date;
  std::optional<Date> warn;
  std::string_view responsible;
  bool replaced = false;
  std::optional<std::string> reached{};  ///< of a term of one role: the day on which that role had what it is about

  [[nodiscard]] const TimerOutcome& timer() const { return *rule->then.timer; }
  [[nodiscard]] const std::string& name() const { return timer().name; }
  [[nodiscard]] Deadline deadline(std::string_view state) const {
    Deadline d;
    d.name = name();
    d.date = date.str();
    if (warn) d.warn_date = warn->str();
    d.rule = rule->id;
    d.severity = timer().severity;
    if (replaced) d.severity += "_replaced";
    d.responsible = responsible;
    d.state = state;
    return d;
  }
  /// Whether the case file has it exactly so.
  [[nodiscard]] bool is(const Deadline& old, std::string_view day, std::string_view state) const {
    std::string_view severity(old.severity);
    if (old.state != state || old.date != day || old.rule != rule->id || old.responsible != responsible ||
        !severity.starts_with(timer().severity) ||
        severity.substr(timer().severity.size()) != (replaced ? "_replaced" : ""))
      return false;
    return warn ? old.warn_date == warn->str() : old.warn_date.empty();
  }
};

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

/// The term of a timer from its start, with its warning. CORE-TIME-01 to -04.
Due term(const TimerOutcome& t, const Rule& rule, Date from, const FactView& view) {
  const Json& overrides = view.file().overrides;
  std::int64_t days = t.days_setting.empty() ? t.days : view.profile().setting_int(t.days_setting, overrides, t.days);
  auto often = [&](const std::string& setting, int otherwise) {
    // Whatever a tenant writes stays within the calendar.
    return setting.empty() ? otherwise
                           : static_cast<int>(std::clamp<std::int64_t>(
                                 view.profile().setting_int(setting, overrides, otherwise), 0, 1200));
  };
  int months = often(t.months_setting, t.months), working_days = often(t.working_days_setting, t.working_days);
  int sign = t.backwards ? -1 : 1;
  Due d{&rule, from, std::nullopt, {}};
  Date& due = d.date;
  if (t.ends == "school_year")
    due = school_year(from).last;
  else if (working_days > 0)
    due = add_working_days(from, working_days);
  else {
    if (t.years != 0) due = add_years(due, sign * t.years);
    if (months != 0) due = add_months(due, sign * months);
    due = add_days(due, sign * days);
  }
  if (t.rolls) due = roll_forward(due);
  if (t.warn_from_days != 0)
    d.warn = add_days(from, t.warn_from_days);
  else if (t.warn_from_months != 0)
    d.warn = add_months(from, t.warn_from_months);
  else if (t.warn_working_days != 0)
    d.warn = add_working_days(from, t.warn_working_days);
  else if (t.warn_days != 0 || t.warn_months != 0)
    d.warn = shifted(due, t.warn_days, t.warn_months, 0);
  d.responsible = view.profile().role(t.responsible, view);
  d.replaced = t.replaced && t.replaced->holds(view);
  return d;
}

std::vector<Due> all_due(const FactView& view) {
  std::vector<Due> out;
  auto rules = view.rules(Stage::timer);
  out.reserve(rules.size());
  // Most timers of a region start at one of a few dates.
  int start = -1;
  std::optional<Date> date;
  for (const Rule* r : rules) {
    const TimerOutcome& t = *r->then.timer;
    const FactValue& from = view.get(t.from);
    if (from.kind != FactValue::Kind::text) continue;
    if (!r->when.holds(view)) continue;
    if (std::ranges::any_of(out, [&](const Due& d) { return d.name() == t.name; })) continue;
    if (t.from != start) {
      auto read = Date::parse(from.text);
      date = read ? std::optional(*read) : std::nullopt;
      start = t.from;
    }
    if (date) out.push_back(term(t, *r, *date, view));
  }
  return out;
}

void signal(Draft& draft, Signal s) {
  if (std::ranges::find_if(draft.signals, [&](const Signal& x) {
        return x.code == s.code && x.to == s.to && x.role == s.role && x.timer == s.timer;
      }) == draft.signals.end())
    draft.signals.push_back(std::move(s));
}

bool links_to(const std::vector<Recipient>& recipients, std::string_view role) {
  return std::ranges::any_of(recipients,
                             [&](const Recipient& r) { return r.channel == "secure_link" && r.role == role; });
}

/// The role of a term that is of one role (documents_due:<role>), empty of any other.
std::string_view role_of(std::string_view timer) {
  auto colon = timer.find(':');
  return colon == std::string_view::npos ? std::string_view() : timer.substr(colon + 1);
}

/// Day on which a message that meets the term reached this role, for the meeting as it stands: what was sent for a
/// meeting that was moved since goes along with it.
std::optional<std::string> reached_on(const FactView& view, const TimerOutcome& t, std::string_view role,
                                      const Draft& draft) {
  const CaseFile& file = view.file();
  auto meets = [&](const std::string& type) { return std::ranges::find(t.met_by, type) != t.met_by.end(); };
  for (const PastMessage& m : file.messages)
    if (meets(m.type) && m.outcome == Outcome::delivered && m.meeting && file.meeting &&
        m.meeting->at == file.meeting->at && links_to(m.recipients, role))
      return local_date(m.at).str();
  if (meets(view.message().type) && draft.outcome == Outcome::delivered && links_to(draft.recipients, role))
    return std::string(view.today());
  return std::nullopt;
}

/// The terms of the meetings that stand (case.meetings), the first meeting first. With more than one each has its own
/// terms under the same names: what counts is that of the first meeting that still asks it, documents until it was held
/// and a decision until it was taken.
class Terms {
 public:
  /// `moved`: this message says when a meeting is.
  Terms(const FactView& view, const Draft& draft, const CaseFile& before, bool moved) : view_(view) {
    FactValue list = view.get("case.meetings");
    if (list.kind == FactValue::Kind::list && list.json->size() > 1)
      for (const Json& j : *list.json) {
        bool read = j.is_object() && j.value("at", Json()).is_string() && j.value("kind", Json()).is_string();
        auto at = parse_instant(read ? j["at"].get<std::string>() : std::string());
        if (!at) continue;
        auto& seat = seats_.emplace_back(std::make_unique<Seat>(view.file()));
        seat->file.meeting = Meeting{j["kind"].get<std::string>(), *at};
        seat->view = std::make_unique<FactView>(seat->file, view.message(), view.profile(), view.at());
        seat->view->adopt(draft.effects);
      }
    std::ranges::sort(seats_, {}, [](const auto& s) { return s->file.meeting->at; });
    for (auto& seat : seats_) seat->due = all_due(*seat->view);
    if (seats_.empty()) {
      due_ = all_due(view);
      return;
    }
    for (const Due& first : seats_.front()->due) due_.push_back(choose(first.name(), draft, before, moved));
    for (const auto& seat : seats_)
      for (const Due& d : seat->due)
        if (std::ranges::none_of(due_, [&](const Due& x) { return x.name() == d.name(); })) due_.push_back(d);
  }

  [[nodiscard]] std::vector<Due>& due() { return due_; }
  /// What the message is about: the meeting it names, else the last that was stated.
  [[nodiscard]] std::pair<const FactView*, const std::vector<Due>*> of_message() const {
    const Json kind = view_.message().payload.value("meeting", Json());
    for (const auto& seat : seats_)
      if (kind.is_string() && same_kind(kind.get<std::string>(), seat->file.meeting->kind) &&
          seat->file.meeting->at > view_.at())
        return {seat->view.get(), &seat->due};
    for (const auto& seat : seats_)
      if (view_.file().meeting && seat->file.meeting->at == view_.file().meeting->at)
        return {seat->view.get(), &seat->due};
    return {&view_, &due_};
  }

 private:
  struct Seat {
    explicit Seat(CaseFile f) : file(std::move(f)) {}
    CaseFile file;
    std::unique_ptr<FactView> view;
    std::vector<Due> due;
  };

  static bool same_kind(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b,
                              [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
  }

  Due choose(const std::string& name, const Draft& draft, const CaseFile& before, bool moved) {
    std::vector<std::pair<const Due*, const Seat*>> all;
    for (const auto& seat : seats_)
      for (const Due& d : seat->due)
        if (d.name() == name) all.emplace_back(&d, seat.get());
    auto old = std::ranges::find(before.deadlines, name, &Deadline::name);
    bool had = old != before.deadlines.end() && old->state != "cancelled";
    std::size_t i = 0;
    // What was over stays over, unless this message says that there is an earlier one.
    if (had && !moved && role_of(name).empty())
      while (i + 1 < all.size() && all[i].first->date.str() != old->date) ++i;
    if (had && all[i].first->date.str() != old->date && !moved) i = 0;
    for (; i + 1 < all.size(); ++i) {
      const auto& [d, seat] = all[i];
      std::string held = local_date(seat->file.meeting->at).str();
      bool over = false;
      if (!role_of(name).empty())
        over = view_.today() > std::string_view(held) ||
               reached_on(*seat->view, *d->rule->then.timer, role_of(name), draft).has_value();
      else
        over = (had && old->date == d->date.str() && (old->state == "met" || old->state == "breached")) ||
               std::ranges::any_of(seat->file.messages, [&](const PastMessage& m) {
                 const auto& by = d->rule->then.timer->met_by;
                 return m.outcome == Outcome::delivered && std::ranges::find(by, m.type) != by.end() &&
                        local_date(m.at).str() >= held;
               });
      if (!over) break;
    }
    Due out = *all[i].first;
    if (!role_of(name).empty())
      out.reached = reached_on(*all[i].second->view, *out.rule->then.timer, role_of(name), draft);
    return out;
  }

  const FactView& view_;
  std::vector<std::unique_ptr<Seat>> seats_;
  std::vector<Due> due_;
};

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
  Date meeting = local_date(view.file().meeting->at), sent = local_date(view.at());
  std::int64_t general = view.profile().setting_int("lead_floor_days", overrides, 14);
  bool appendix = view.profile().setting_text("lead_time_policy", overrides) == "appendix_4_weeks";
  bool hold = view.profile().setting_text("late_policy", overrides) == "hold";
  std::map<std::string, std::string> withheld;  // role, rule
  for (const Recipient& to : draft.recipients) {
    if (to.channel != "secure_link") continue;
    std::string name = "documents_due:" + to.role;
    auto it = std::ranges::find_if(due, [&](const Due& d) { return d.name() == name; });
    if (it == due.end()) continue;
    Date last = it->date;
    // The appendix asks four weeks of whoever has four weeks: for those there is nothing between on time and late.
    Date floor = appendix ? std::min(last, add_days(meeting, -general)) : add_days(meeting, -general);
    SeenFacts seen(nullptr, 4);
    seen.add("due", last.str());
    seen.add("floor", floor.str());
    seen.add("sent", sent.str());
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
    if (!r->when.holds(view)) {
      if (r->when.nearly(view)) draft.explanation.push_back(explain(*r, view, "deadlines", "near", s.code));
      continue;
    }
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
      if (reached) state = *reached > day ? "breached" : "met";
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

std::vector<Deadline> deadlines_of(const FactView& view) {
  std::vector<Deadline> out;
  for (const Due& d : all_due(view)) out.push_back(d.deadline(d.replaced ? "replaced" : "set"));
  return out;
}

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
