// Every timer of every region, for every start day of ten years, against a calendar written for this test only: days
// counted with std::chrono, Easter after Gauss, no line shared with core/base/calendar.
#include <chrono>

#include "core/base/calendar.hpp"
#include "plugins/deadlines/terms.hpp"
#include "tests/unit/rules/rules_support.hpp"

namespace schakel::rules_test {
namespace {

using std::chrono::sys_days;
using std::chrono::year_month_day;

std::string iso(sys_days d) {
  year_month_day ymd{d};
  char text[16];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", int(ymd.year()), unsigned(ymd.month()), unsigned(ymd.day()));
  return text;
}

sys_days easter_after_gauss(int y) {
  int a = y % 19, b = y % 4, c = y % 7, k = y / 100, p = (13 + 8 * k) / 25, q = k / 4;
  int m = (15 - p + k - q) % 30, n = (4 + k - q) % 7, d = (19 * a + m) % 30, e = (2 * b + 4 * c + 6 * d + n) % 7;
  if (d == 29 && e == 6)
    d = 28;
  else if (d == 28 && e == 6 && (11 * m + 11) % 30 < 19)
    --e, d = 28;
  if (d == 28 && e == -1) e = 6, d = 21;
  return sys_days{std::chrono::year{y} / 3 / 22} + std::chrono::days{d + e};
}

bool listed(sys_days d) {
  year_month_day ymd{d};
  int y = int(ymd.year());
  unsigned m = unsigned(ymd.month()), day = unsigned(ymd.day());
  auto from_easter = (d - easter_after_gauss(y)).count();
  if (from_easter == -2 || from_easter == 1 || from_easter == 39 || from_easter == 50) return true;
  sys_days king{std::chrono::year{y} / 4 / 27};
  if (std::chrono::weekday{king} == std::chrono::Sunday) king -= std::chrono::days{1};
  return d == king || (m == 1 && day == 1) || (m == 5 && day == 5) || (m == 12 && (day == 25 || day == 26));
}
bool works(sys_days d) {
  unsigned w = std::chrono::weekday{d}.iso_encoding();
  return w <= 5 && !listed(d);
}
sys_days rolled(sys_days d) {
  while (!works(d)) d += std::chrono::days{1};
  return d;
}
sys_days working(sys_days d, int n) {
  while (n > 0)
    if (works(d += std::chrono::days{1})) --n;
  return d;
}
sys_days months(sys_days d, int n) {
  auto ymd = year_month_day{d} + std::chrono::months{n};
  return ymd.ok() ? sys_days{ymd} : sys_days{ymd.year() / ymd.month() / std::chrono::last};
}
sys_days end_of_school_year(sys_days d) {
  year_month_day ymd{d};
  return sys_days{(unsigned(ymd.month()) >= 8 ? ymd.year() + std::chrono::years{1} : ymd.year()) / 7 / 31};
}

struct Term {
  const char *region, *fact, *name;
  sys_days (*due)(sys_days);
  sys_days (*warn)(sys_days) = nullptr;  ///< null: it does not warn before it ends
};
template <int N>
sys_days plus(sys_days d) {
  return d + std::chrono::days{N};
}
template <int N>
sys_days plus_rolled(sys_days d) {
  return rolled(plus<N>(d));
}
template <int N>
sys_days in_months(sys_days d) {
  return months(d, N);
}

template <int N, int Back>
sys_days in_months_before(sys_days d) {
  return months(months(d, N), -Back);
}

// domain.md section 8. "meeting" is the date of the meeting, everything else a fact of the case.
const Term kTerms[] = {
    {"KNH", "meeting", "documents_due:orthopedagoog", plus<-14>, plus<-21>},
    {"KNH", "meeting", "documents_due:procesregisseur", plus<-28>, plus<-35>},
    {"KNH", "meeting", "documents_due:gezinsvoogd", plus<-28>, plus<-35>},
    {"KNH", "meeting", "documents_due:jeugdhulpdeskundige", plus<-14>, plus<-21>},
    {"KNH", "meeting", "besluit_due", plus<14>, plus<10>},
    {"KNH", "research_start", "onderzoek_due", plus_rolled<56>, plus<42>},
    {"KNH", "evaluation_date", "evaluatie_due", plus<0>, plus<-14>},
    {"KNH", "escalated_on", "escalation_decision_overdue", [](sys_days d) { return working(d, 10); }},
    {"MH", "plan_agreed", "operationeel_target", plus<28>},
    {"MH", "plan_agreed", "operationeel_warn", plus<42>},
    {"MH", "plan_agreed", "operationeel_due", plus<56>},
    {"MH", "admission_date", "toelating_due", plus_rolled<42>, plus<35>},
    {"MH", "admission_date", "toelating_max", plus_rolled<70>},
    {"MH", "escalated_on", "oza_advies_due", [](sys_days d) { return working(d, 7); },
     [](sys_days d) { return working(d, 5); }},
    {"MH", "advised_on", "ratification_overdue", [](sys_days d) { return working(d, 5); }},
    {"MH", "ots_end", "ots_afspraak_due", in_months<-3>, in_months<-4>},
    {"MH", "residential_expected_end", "residentieel_contact_due", in_months<-3>, in_months<-4>},
    {"MH", "permission_start", "onderwijstijd_schooljaar_end", end_of_school_year,
     [](sys_days d) { return months(end_of_school_year(d), -2); }},
    {"HR", "goal_start", "doel_max_end", in_months<6>, [](sys_days d) { return plus<-28>(in_months<6>(d)); }},
    {"HR", "goal_end", "goal_evaluation_due", plus<0>, plus<-28>},
    {"HR", "permission_start", "onderschrijding_review_due", in_months<12>, in_months_before<12, 2>},
    {"HR", "permission_first_start", "onderschrijding_max", in_months<24>, in_months_before<24, 3>},
    {"HR", "residential_expected_end", "toegroei_max", in_months<24>}};

TEST(Terms, AgreeWithAnIndependentCalendarForEveryDayOfTenYears) {
  std::map<std::string, std::set<std::string>> timers, tried;
  for (const auto& [region, profile] : profiles())
    for (const Rule& r : profile->all_rules())
      if (r.then.timer) timers[region].insert(r.then.timer->name);
  Message nothing;
  nothing.type = "ot_verslag";
  for (sys_days start{std::chrono::year{2024} / 1 / 1}; start < sys_days{std::chrono::year{2034} / 1 / 1};
       start += std::chrono::days{1})
    for (const char* region : {"KNH", "MH", "HR"}) {
      const Profile& profile = *profiles().at(region);
      CaseFile file;
      file.region = region;
      file.facts = {{"question_kind", "zorg"},
                    {"wijkteam_involved", true},
                    {"gi_involved", true},
                    {"category", "d"},
                    {"ratification_pending", true}};
      for (const Term& t : kTerms) {
        if (t.region != std::string_view(region)) continue;
        if (t.fact != std::string_view("meeting")) file.facts[t.fact] = iso(start);
        // Evening of that day, in winter or summer: a day is a day, whatever the clock says in UTC.
        else
          file.meeting = Meeting{"OT", end_of_day(Date::parse(iso(start)).value()) - std::chrono::minutes(10)};
      }
      FactView view(file, nothing, profile, Instant{});
      std::vector<Deadline> due;
      for (const auto& d : deadlines::all_due(view)) due.push_back(d.deadline("set"));
      for (const Term& t : kTerms) {
        if (t.region != std::string_view(region)) continue;
        auto it = std::ranges::find(due, std::string_view(t.name), &Deadline::name);
        ASSERT_NE(it, due.end()) << t.name;
        ASSERT_EQ(it->date, iso(t.due(start))) << t.name << " from " << iso(start);
        ASSERT_EQ(it->warn_date, t.warn ? iso(t.warn(start)) : "") << t.name << " from " << iso(start);
        tried[region].insert(t.name);
      }
    }
  EXPECT_EQ(tried, timers) << "a timer that this test does not count by itself";
}

}  // namespace
}  // namespace schakel::rules_test
