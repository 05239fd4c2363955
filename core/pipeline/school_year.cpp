#include "core/pipeline/school_year.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/base/log.hpp"
#include "core/pipeline/registers.hpp"
#include "core/pipeline/timers.hpp"

namespace schakel::pipeline {
namespace {

constexpr std::string_view kSchoolYearSpace = "school_year";
constexpr int kOpenings = 200;
/// A broker that was down for longer says nothing of a year that is over.
constexpr int kLateDays = 30;

/// What the cases of one school amount to.
struct SchoolCount {
  std::set<std::string> days;  ///< of OT meetings: several cases on one day are one meeting
  std::int64_t minimum = 0;
  std::string region;
  std::string last_case;
  Instant last{};
};

/// Adds a case to its school, where it was open in the year and its region asks OT meetings of such a school.
void count_case(std::span<const journal::Recorded> history, SchoolYear year, const Profile& rules,
                std::map<std::string, SchoolCount>& schools) {
  bool in_year = std::ranges::any_of(history, [&](const journal::Recorded& r) {
    auto day = local_date(r.message.time);
    return day >= year.first && day <= year.last;
  });
  if (!in_year) return;
  // It stays in this process: no pseudonym is needed.
  auto extract = register_extract("", history, &rules);
  auto asked = extract["minimum"].find("ot");
  auto name = extract["school"].get<std::string>();
  if (asked == extract["minimum"].end() || !asked->is_number_integer() || name.empty()) return;
  auto region = extract["regio"].get<std::string>();
  auto& school = schools[region + "|" + name];
  school.region = std::move(region);
  school.minimum = std::max(school.minimum, asked->get<std::int64_t>());
  for (const Json& m : extract["overleggen"]) {
    auto day = Date::parse(m["datum"].get<std::string>());
    if (m["soort"] == "ot" && day && *day >= year.first && *day <= year.last) school.days.insert(day->str());
  }
  if (school.last_case.empty() || history.back().decided_at > school.last) {
    school.last_case = history.back().message.subject;
    school.last = history.back().decided_at;
  }
}

}  // namespace

Task<Result<int>> SchoolYearWatch::step() {
  const auto now = journal_.clock().now();
  const auto today = local_date(now);
  if (looked_ == today.str() || !office_is_open(now)) co_return 0;
  int told = 0;
  // In August the year that is over is not the one of today.
  for (bool ended : {false, true}) {
    auto year = school_year(ended ? add_days(today, -kLateDays) : today);
    auto due = roll_forward(ended ? year.last : Date::parse(fmt::format("{}-05-01", year.last.year())).value());
    if (today < due || today > add_days(due, kLateDays)) continue;
    auto mark = fmt::format("{}/{}", year.first.year(), ended ? "ended" : "warned");
    auto done = co_await journal_.store().row(std::string(kSchoolYearSpace), mark);
    if (!done) co_return fail(std::move(done.error()));
    if (*done) continue;
    auto schools = co_await tell(year, ended);
    if (!schools) co_return fail(std::move(schools.error()));
    told += *schools;
    // After the messages: a broker that ends in between tells again, and the journal knows what it has.
    auto kept = co_await journal_.store().commit(
        {{store::PutRow{std::string(kSchoolYearSpace), mark, to_bytes(format_instant(now)), std::nullopt}}});
    if (!kept) co_return fail(std::move(kept.error()));
  }
  looked_ = today.str();
  co_return told;
}

Task<Result<int>> SchoolYearWatch::tell(SchoolYear year, bool ended) {
  std::map<std::string, SchoolCount> schools;
  store::MessageFilter filter;
  filter.type = "zaak_opening";
  filter.limit = kOpenings;
  for (;;) {
    auto openings = co_await journal_.store().messages(filter);
    if (!openings) co_return fail(std::move(openings.error()));
    for (const auto& opening : *openings) {
      auto rules = profiles_.find(opening.region);
      if (rules == profiles_.end() || !rules->second->setting("registers.meetings_minimum", Json::object()).is_object())
        continue;
      auto rows = co_await journal_.recall(opening.case_id);
      if (!rows) co_return fail(std::move(rows.error()));
      std::vector<journal::Recorded> history;
      for (auto& r : *rows)
        if (r.content) history.push_back(std::move(*r.content));
      if (!history.empty() && history.size() == rows->size()) count_case(history, year, *rules->second, schools);
    }
    if (openings->size() < static_cast<std::size_t>(kOpenings)) break;
    filter.after = openings->back().seq;
  }
  int told = 0;
  for (const auto& [school, count] : schools) {
    if (std::cmp_greater_equal(count.days.size(), count.minimum)) continue;
    Message m;
    m.source = "urn:schakel:timers";
    m.id = fmt::format("ot_min_per_jaar/{}/{}/{}", sha256_hex("school|" + school).substr(0, 16), year.last.str(),
                       ended ? "ended" : "warn");
    m.type = "termijnsignaal";
    m.subject = count.last_case;
    m.region = count.region;
    m.party = "schakel";
    m.sender_role = "broker";
    m.payload = {{"timer", "ot_min_per_jaar"}, {"date", year.last.str()},
                 {"severity", "signal"},       {"responsible", "school_ib"},
                 {"rule", "KNH-ROLE-01"},      {"code", ended ? "OT_COUNT_LOW" : "TIMER_WARN"},
                 {"count", count.days.size()}, {"minimum", count.minimum}};
    auto accepted = co_await journal_.accept(std::move(m));
    // Told before with another count: once is enough. A case that is erased now tells nobody anything.
    if (!accepted && accepted.error().code != "MESSAGE_CONFLICT" && accepted.error().code != "VAULT_ERASED")
      co_return fail(std::move(accepted.error()));
    if (accepted && !accepted->duplicate) ++told;
  }
  co_return told;
}

Task<> SchoolYearWatch::run(runtime::Scope& scope) {
  while (!scope.stopping()) {
    auto told = co_await step();
    if (!told) log(LogLevel::error, "school_year.failed", {{"code", told.error().code}});
    auto on = co_await scope.pause(std::chrono::minutes(1));
    if (!on) break;
  }
}

}  // namespace schakel::pipeline
