#include "core/model/rule_fact_functions.hpp"

#include <algorithm>
#include <array>

#include "core/base/calendar.hpp"
#include "core/model/profile.hpp"

namespace schakel {
namespace {

std::string lower(std::string_view s) {
  std::string out(s);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// Full years of the pupil on the Amsterdam date of the instant (CORE-TIME-05).
FactValue age_years(const FactView& f) {
  auto born = Date::parse(f.file().pupil.birth_date);
  if (!born) return {};
  return FactValue::of(std::int64_t{age_on(*born, f.day())});
}

/// Kind of the meeting a message is about, in lower case: what it says itself, else the meeting of the case.
FactValue meeting_kind(const FactView& f) {
  auto it = f.message().payload.find("meeting");
  if (it != f.message().payload.end() && it->is_string())
    return FactValue::of(f.keep(lower(it->get_ref<const std::string&>())));
  if (f.file().meeting) return FactValue::of(f.keep(lower(f.file().meeting->kind)));
  return {};
}

/// Amsterdam date of the meeting of the case.
FactValue meeting_date(const FactView& f) {
  if (!f.file().meeting) return {};
  return FactValue::of(f.keep(local_date(f.file().meeting->at).str()));
}

FactValue today(const FactView& f) { return FactValue::of(f.today()); }

/// domain.md 4.1: as stated, else whether the OPP is signed.
FactValue handelingsdeel_signed(const FactView& f) {
  FactValue stated = f.get("case.handelingsdeel_signed");
  if (stated.there()) return stated;
  return FactValue::of(f.document_status("opp") == "ondertekend");
}

/// MH-ROUTE-08, MH-ROUTE-09, CONF-16: the parent's until the change of the woonplaatsbeginsel, from then the youth's,
/// or the one before a stay.
FactValue responsible_gemeente(const FactView& f) {
  std::string change = f.profile().setting_text("woonplaats_change", f.file().overrides, "2022-01-01");
  if (f.today() < std::string_view(change)) return f.get("case.gezaghebbende_ouder_gemeente");
  return f.is("case.verblijf") ? f.get("case.brp_before_stay") : f.get("case.brp_gemeente");
}

std::int64_t number(const FactValue& v) { return v.kind == FactValue::Kind::integer ? v.number : 0; }

/// KNH-CTO-02, Q-15: the education part of a year, with the SWV half of the grey area where the region counts it.
FactValue cto_cents(const FactView& f) {
  std::int64_t sum = number(f.get("case.education_cents_per_year"));
  if (f.profile().setting_flag("cto.count_grey", f.file().overrides, false))
    sum += number(f.get("case.grey_swv_half_cents"));
  return FactValue::of(sum);
}

/// What would be counted if the SWV half of the grey area were (CTO_THRESHOLD_NEAR).
FactValue cto_cents_with_grey(const FactView& f) {
  return FactValue::of(number(f.get("case.education_cents_per_year")) + number(f.get("case.grey_swv_half_cents")));
}

/// HR-TIMER-01: the latest end of a goal that the message starts.
FactValue goal_limit(const FactView& f) {
  auto start = Date::parse(f.text("case.goal_start"));
  if (!start) return {};
  return FactValue::of(
      f.keep(add_months(*start, f.profile().setting_int("goal_max_months", f.file().overrides, 6)).str()));
}

/// HR-MONEY-01: an invoice of the combined counsellor has a line of that kind.
FactValue combined_invoice(const FactView& f) {
  auto it = f.message().payload.find("lines");
  if (it == f.message().payload.end() || !it->is_array() || f.message().type != "factuur") return FactValue::of(false);
  for (const Json& line : *it)
    if (line.is_object() && line.value("kind", Json()) == "gecombineerd") return FactValue::of(true);
  return FactValue::of(false);
}

/// Whether a link that is opened now went to the role that opens it (domain.md 6.1). A notice is no link.
const PastMessage* opened_delivery(const FactView& f) {
  auto it = f.message().payload.find("delivery");
  if (it == f.message().payload.end() || !it->is_string()) return nullptr;
  const std::string& id = it->get_ref<const std::string&>();
  for (const PastMessage& m : f.file().messages)
    if (m.id == id) return &m;
  return nullptr;
}

FactValue link_was_sent(const FactView& f) {
  const PastMessage* m = opened_delivery(f);
  if (!m || m->outcome != Outcome::delivered) return FactValue::of(false);
  for (const Recipient& r : m->recipients)
    if (r.channel == "secure_link" && r.role == f.message().sender_role) return FactValue::of(true);
  return FactValue::of(false);
}

/// CORE-RET-01: later than `link_days` days after the meeting that the delivery was for.
FactValue link_expired(const FactView& f) {
  const PastMessage* m = opened_delivery(f);
  std::optional<Meeting> meeting = m && m->meeting ? m->meeting : f.file().meeting;
  if (!meeting) return FactValue::of(false);
  Date last = add_days(local_date(meeting->at), f.profile().setting_int("link_days", f.file().overrides, 14));
  return FactValue::of(f.day() > last);
}

/// Whether this role opens this delivery for the first time.
FactValue link_first_opening(const FactView& f) {
  const PastMessage* m = opened_delivery(f);
  return FactValue::of(m && std::ranges::find(m->opened_by, f.message().sender_role) == m->opened_by.end());
}

constexpr std::array<FactFunction, 13> kFunctions = {{{"age_years", age_years},
                                                      {"meeting_kind", meeting_kind},
                                                      {"meeting_date", meeting_date},
                                                      {"today", today},
                                                      {"handelingsdeel_signed", handelingsdeel_signed},
                                                      {"responsible_gemeente", responsible_gemeente},
                                                      {"cto_cents", cto_cents},
                                                      {"cto_cents_with_grey", cto_cents_with_grey},
                                                      {"goal_limit", goal_limit},
                                                      {"link_was_sent", link_was_sent},
                                                      {"link_expired", link_expired},
                                                      {"link_first_opening", link_first_opening},
                                                      {"combined_invoice", combined_invoice}}};

}  // namespace

std::span<const FactFunction> fact_functions() { return kFunctions; }

}  // namespace schakel
