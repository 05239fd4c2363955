#include "core/pipeline/registers.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <tuple>

#include "core/base/hash.hpp"
#include "core/model/case_file.hpp"

namespace schakel::pipeline {
namespace {

std::string lower_kind(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string register_text(const Json& j, const char* key) {
  auto it = j.is_object() ? j.find(key) : j.end();
  return it != j.end() && it->is_string() ? it->get<std::string>() : std::string();
}

/// The meetings that stand: one that was moved or cancelled before it was held does not.
struct MeetingList {
  std::vector<std::pair<std::string, Instant>> all;
  void take(const Json& value, Instant at) {
    if (auto from = parse_instant(register_text(value, "moved_from")); from && *from > at)
      std::erase_if(all, [&](const auto& m) { return m.second == *from; });
    auto when = parse_instant(register_text(value, "at"));
    if (!when) return;
    std::pair<std::string, Instant> one{lower_kind(register_text(value, "kind")), *when};
    if (std::ranges::find(all, one) == all.end()) all.push_back(std::move(one));
  }
};

bool within(const std::string& day, const RegisterQuery& q) {
  return !day.empty() && day >= q.from.str() && day <= q.to.str();
}

Json meetings_register(const RegisterQuery& q, std::span<const Json> extracts) {
  std::map<std::tuple<std::string, std::string, std::string, std::string>, std::set<std::string>> days;
  for (const Json& x : extracts) {
    std::string school = register_text(x, "school");
    if (!q.school.empty() && school != q.school) continue;
    for (const Json& m : x.value("overleggen", Json::array())) {
      std::string day = register_text(m, "datum");
      auto date = Date::parse(day);
      if (!date || !within(day, q)) continue;
      auto year = school_year(*date);
      days[{register_text(x, "regio"), school, year.first.str().substr(0, 4) + "/" + year.last.str().substr(0, 4),
            register_text(m, "soort")}]
          .insert(day);
    }
  }
  Json rows = Json::array();
  for (const auto& [key, list] : days) {
    const auto& [region, school, year, kind] = key;
    auto count = static_cast<int>(list.size());
    Json row{{"regio", region}, {"school", school}, {"schooljaar", year}, {"soort", kind}, {"aantal", count}};
    // Only KNH asks a number, of OT meetings.
    if (region == "KNH" && kind == "ot") {
      row["minimum"] = q.minimum;
      row["tekort"] = std::max(0, q.minimum - count);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Json escalation_register(const RegisterQuery& q, std::span<const Json> extracts) {
  Json rows = Json::array();
  for (const Json& x : extracts) {
    if (!q.school.empty() && register_text(x, "school") != q.school) continue;
    for (const Json& e : x.value("escalaties", Json::array())) {
      auto from = Date::parse(register_text(e, "gestart")), to = Date::parse(register_text(e, "gesloten"));
      if (!from || !within(register_text(e, "gestart"), q)) continue;
      Json row = e;
      row["zaak"] = x.value("zaak", "");
      row["regio"] = x.value("regio", "");
      row["dagen"] = to ? Json(days_between(*from, *to)) : Json();
      rows.push_back(std::move(row));
    }
  }
  std::sort(rows.begin(), rows.end(), [](const Json& a, const Json& b) {
    return a["gestart"] != b["gestart"] ? a["gestart"] < b["gestart"] : a["zaak"] < b["zaak"];
  });
  return rows;
}

/// Counts only: for learning, not about anybody.
Json stagnation_register(const RegisterQuery& q, std::span<const Json> extracts) {
  std::map<std::tuple<std::string, std::string, std::string>, std::pair<int, int>> counts;
  for (const Json& x : extracts) {
    if (!q.school.empty() && register_text(x, "school") != q.school) continue;
    std::string region = register_text(x, "regio");
    for (const Json& e : x.value("escalaties", Json::array()))
      if (within(register_text(e, "gestart"), q)) {
        auto& c = counts[{region, "escalatie",
                          register_text(e, "grond").empty() ? "niet genoemd" : register_text(e, "grond")}];
        ++c.first;
        if (register_text(e, "gesloten").empty()) ++c.second;
      }
    for (const Json& s : x.value("signalen", Json::array()))
      if (within(register_text(s, "datum"), q) && register_text(s, "code") == "TIMER_BREACH")
        ++counts[{region, "termijn", register_text(s, "wat")}].first;
  }
  Json rows = Json::array();
  for (const auto& [key, c] : counts)
    rows.push_back({{"regio", std::get<0>(key)},
                    {"soort", std::get<1>(key)},
                    {"grond", std::get<2>(key)},
                    {"aantal", c.first},
                    {"open", c.second}});
  return rows;
}

}  // namespace

Json register_extract(const std::string& case_id, std::span<const journal::Recorded> history) {
  CaseFile file;
  MeetingList meetings;
  std::map<std::string, EscalationState> escalations;  // by the instant of their start
  Json signals = Json::array();
  for (const journal::Recorded& r : history) {
    apply(file, r.message, r.draft);
    if (r.draft.outcome == Outcome::blocked || r.draft.outcome == Outcome::quarantined) continue;
    for (const Effect& e : r.draft.effects) {
      if (e.what == "open" && e.value.is_object() && e.value.contains("meeting"))
        meetings.take(e.value["meeting"], r.message.time);
      if (e.what == "meeting") meetings.take(e.value, r.message.time);
    }
    if (file.escalation) escalations[format_instant(file.escalation->started)] = *file.escalation;
    if (r.message.type == "termijnsignaal")
      signals.push_back({{"code", register_text(r.message.payload, "code")},
                         {"wat", register_text(r.message.payload, "timer")},
                         {"datum", local_date(r.message.time).str()}});
  }
  Json out{{"zaak", "P-" + sha256_hex("register|" + case_id).substr(0, 12)},
           {"regio", file.region},
           {"school", file.pupil.school},
           {"schoolsoort", file.pupil.school_type},
           {"overleggen", Json::array()},
           {"escalaties", Json::array()},
           {"signalen", signals}};
  for (const auto& [kind, at] : meetings.all)
    out["overleggen"].push_back({{"soort", kind}, {"datum", local_date(at).str()}});
  for (const auto& [start, e] : escalations)
    out["escalaties"].push_back({{"orgaan", e.body},
                                 {"grond", e.ground},
                                 {"gestart", local_date(e.started).str()},
                                 {"gesloten", e.closed ? local_date(*e.closed).str() : ""},
                                 {"uitkomst", e.outcome}});
  return out;
}

Result<Json> register_rows(const RegisterQuery& q, std::span<const Json> extracts) {
  if (q.kind == "overleggen") return meetings_register(q, extracts);
  if (q.kind == "escalaties") return escalation_register(q, extracts);
  if (q.kind == "stagnatie") return stagnation_register(q, extracts);
  return fail(ErrorKind::invalid, "REGISTER_UNKNOWN", "a register is overleggen, escalaties or stagnatie");
}

}  // namespace schakel::pipeline
