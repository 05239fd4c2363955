#include "plugins/deadlines/terms.hpp"

#include <algorithm>
#include <cctype>

namespace schakel::deadlines {
namespace {

Date shifted(Date from, int days, int months, int working_days) {
  if (working_days > 0) return add_working_days(from, working_days);
  if (months != 0) from = add_months(from, months);
  return add_days(from, days);
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

bool links_to(const std::vector<Recipient>& recipients, std::string_view role) {
  return std::ranges::any_of(recipients,
                             [&](const Recipient& r) { return r.channel == "secure_link" && r.role == role; });
}

bool same_kind(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

}  // namespace

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

std::string_view role_of(std::string_view timer) {
  auto colon = timer.find(':');
  return colon == std::string_view::npos ? std::string_view() : timer.substr(colon + 1);
}

std::optional<Date> reached_on(const FactView& view, const TimerOutcome& t, std::string_view role, const Draft& draft) {
  const CaseFile& file = view.file();
  auto meets = [&](const std::string& type) { return std::ranges::find(t.met_by, type) != t.met_by.end(); };
  for (const PastMessage& m : file.messages)
    if (meets(m.type) && m.outcome == Outcome::delivered && m.meeting && file.meeting &&
        m.meeting->at == file.meeting->at && links_to(m.recipients, role))
      return local_date(m.at);
  if (meets(view.message().type) && draft.outcome == Outcome::delivered && links_to(draft.recipients, role))
    return view.day();
  return std::nullopt;
}

Terms::Terms(const FactView& view, const Draft& draft, const CaseFile& before, bool moved) : view_(view) {
  FactValue list = view.get(KnownFact::case_meetings);
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

std::pair<const FactView*, const std::vector<Due>*> Terms::of_message() const {
  if (seats_.empty()) return {&view_, &due_};
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

Due Terms::choose(const std::string& name, const Draft& draft, const CaseFile& before, bool moved) {
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

}  // namespace schakel::deadlines
