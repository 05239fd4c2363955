// Sending from the work place: the form, who gets what and why, and the sending itself.
#include <set>

#include "core/base/calendar.hpp"
#include "core/portal/words.hpp"
#include "core/portal/work_view.hpp"

namespace schakel::portal {
namespace {

using net::Response;

constexpr std::string_view kMeetings[] = {"OT", "MDO", "CTO"};
constexpr std::string_view kQuestions[] = {"onderwijs", "zorg", "onderwijs_zorg"};
constexpr std::size_t kNoteBytes = 4000, kDocuments = 50;

std::string_view value(const FormFields& fields, std::string_view name) {
  for (const auto& [k, v] : fields)
    if (k == name) return v;
  return {};
}

Json options_json(std::span<const std::string_view> codes, std::string (*word)(std::string_view),
                  std::string_view chosen) {
  Json out = Json::array();
  for (auto c : codes) out.push_back({{"code", std::string(c)}, {"name", word(c)}, {"chosen", c == chosen}});
  return out;
}

/// A rule of the region in its own words. Schakel's own rules are written for engineers: a reader gets them in Dutch.
Json quote_json(const Explanation& e) {
  const bool own = e.rule.str().starts_with("CORE-");
  return {{"rule", e.rule},
          {"quote", own ? "" : e.quote},
          {"plain", own ? core_rule_word(e.rule.str()) : ""},
          {"source", own ? "" : e.source}};
}

/// The rules that led to a role, each with its quote, so that every yes and no can be read back in the region's
/// agreements.
Json why(const Draft& draft, const std::vector<std::string>& rules, std::string_view role) {
  Json out = Json::array();
  std::set<std::string> seen;
  for (const auto& e : draft.explanation) {
    const bool named = std::ranges::find(rules, e.rule.str()) != rules.end();
    if ((!named && e.code != role) || !seen.insert(e.rule.str()).second) continue;
    out.push_back(quote_json(e));
  }
  for (const auto& r : rules)
    if (seen.insert(r).second)
      out.push_back({{"rule", r}, {"quote", ""}, {"plain", core_rule_word(r)}, {"source", ""}});
  return out;
}

Json draft_json(const Draft& draft) {
  Json out{{"recipients", Json::array()},
           {"suppressed", Json::array()},
           {"signals", Json::array()},
           {"blocks", Json::array()}};
  for (const auto& r : draft.recipients) {
    std::vector<std::string> content;
    for (const auto& c : r.content) content.push_back(doc_word(c));
    out["recipients"].push_back({{"role", role_word(r.role)},
                                 {"content", content},
                                 {"why", why(draft, r.rules, r.role)},
                                 {"link", r.channel == "secure_link"}});
  }
  for (const auto& s : draft.suppressed) {
    const auto e = explain(s.code);
    out["suppressed"].push_back(
        {{"role", role_word(s.role)}, {"title", e.title}, {"help", e.help}, {"why", why(draft, {s.rule}, "")}});
  }
  for (const auto& s : draft.signals) {
    const auto e = explain(s.code);
    out["signals"].push_back({{"title", e.title}, {"help", e.help}, {"role", s.role.empty() ? "" : role_word(s.role)}});
  }
  for (const auto& c : draft.codes) {
    const auto e = explain(c);
    Json quotes = Json::array();
    std::set<std::string> seen;
    for (const auto& x : draft.explanation)
      if (x.code == c && !x.quote.empty() && seen.insert(x.rule.str()).second) quotes.push_back(quote_json(x));
    out["blocks"].push_back({{"title", e.title}, {"help", e.help}, {"why", quotes}});
  }
  for (auto name : {"recipients", "suppressed", "signals", "blocks"})
    out[std::string("has_") + name] = !out[name].empty();
  return out;
}

/// What was filled in, for the form of the next page; `key` is what the sending is known by.
Json filled_json(const FormFields& fields, std::string key) {
  Json out = Json::array();
  for (const auto& [k, v] : fields)
    if (k != "csrf" && k != "terug" && k != "sleutel") out.push_back({{"name", k}, {"value", v}});
  out.push_back({{"name", "sleutel"}, {"value", std::move(key)}});
  return out;
}

std::string new_key() { return to_base64url(random_bytes(16)); }

/// Amsterdam wall time of a date and HH:MM.
Result<Instant> local_time(std::string_view date, std::string_view time) {
  auto bad = [] { return fail(ErrorKind::invalid, "FORM", ""); };
  auto day = Date::parse(date);
  if (!day || time.size() != 5 || time[2] != ':') return bad();
  int part[2] = {0, 0};
  for (int i = 0; i < 2; ++i)
    for (int k = 0; k < 2; ++k) {
      const char c = time[static_cast<std::size_t>(3 * i + k)];
      if (c < '0' || c > '9') return bad();
      part[i] = part[i] * 10 + (c - '0');
    }
  if (part[0] > 23 || part[1] > 59) return bad();
  const Instant as_utc{std::chrono::sys_days{std::chrono::days{day->days()}} + std::chrono::hours{part[0]} +
                       std::chrono::minutes{part[1]}};
  // Twice, since the offset is asked at the instant that it decides.
  auto t = as_utc - std::chrono::seconds{amsterdam_offset_seconds(as_utc)};
  return as_utc - std::chrono::seconds{amsterdam_offset_seconds(t)};
}

}  // namespace

Result<SendForm> read_send_form(const FormFields& fields) {
  SendForm form;
  std::vector<Finding> findings;
  form.question_kind = value(fields, "vraag");
  if (std::ranges::find(kQuestions, form.question_kind) == std::end(kQuestions))
    findings.push_back({"vraag", "REQUIRED", "Kies waar de vraag over gaat.", ""});
  form.meeting.kind = value(fields, "overleg");
  if (std::ranges::find(kMeetings, form.meeting.kind) == std::end(kMeetings))
    findings.push_back({"overleg", "REQUIRED", "Kies voor welk overleg de documenten zijn.", ""});
  auto at = local_time(value(fields, "datum"), value(fields, "tijd"));
  if (at)
    form.meeting.at = *at;
  else
    findings.push_back({"datum", "DATE", "Vul de datum en het tijdstip van het overleg in.", ""});
  for (const auto& [k, v] : fields)
    if (k == "document" && !v.empty() && v.size() <= 100 &&
        std::ranges::find(form.documents, v) == form.documents.end())
      form.documents.push_back(v);
  if (form.documents.empty()) findings.push_back({"documenten", "REQUIRED", "Kies minstens één document.", ""});
  if (form.documents.size() > kDocuments)
    findings.push_back({"documenten", "TOO_MANY", "Kies hoogstens 50 documenten.", ""});
  form.note = value(fields, "toelichting");
  if (form.note.size() > kNoteBytes)
    findings.push_back({"toelichting", "TOO_LONG", "De toelichting is te lang: hoogstens 4000 tekens.", ""});
  if (!findings.empty()) return fail(ErrorKind::invalid, "FORM", "the form is not filled in", std::move(findings));
  return form;
}

Response Portal::show_send(const Session& s, const CaseView& v, const Fields& filled,
                           const std::vector<Finding>& findings) const {
  auto data = work_json(s, v, findings.empty() ? "Documenten versturen" : "Fout: Documenten versturen");
  std::string_view question = value(filled, "vraag"), kind = value(filled, "overleg"), date = value(filled, "datum"),
                   time = value(filled, "tijd");
  std::string known_date, known_time;
  if (filled.empty()) {
    question = v.question_kind;
    if (v.meeting) {
      const auto local = [&] { return std::pair(local_date(v.meeting->at).str(), long_date_time(v.meeting->at)); }();
      known_date = local.first;
      const auto comma = local.second.rfind(", ");
      known_time = local.second.substr(comma + 2, 5);
      kind = v.meeting->kind;
      date = known_date;
      time = known_time;
    }
  }
  data["questions"] = options_json(kQuestions, &question_word, question);
  data["meetings"] = options_json(kMeetings, &meeting_word, kind);
  data["date"] = std::string(date);
  data["time"] = std::string(time);
  data["note"] = std::string(value(filled, "toelichting"));
  data["documents"] = documents_json(v, filled);
  data["has_documents"] = !v.documents.empty();
  const auto key = value(filled, "sleutel");
  data["key"] = key.empty() ? new_key() : std::string(key);
  data["findings"] = Json::array();
  for (const auto& f : findings) {
    data["findings"].push_back({{"field", f.pointer}, {"text", f.message}});
    data["error_" + f.pointer] = f.message;
  }
  data["has_findings"] = !findings.empty();
  return page("send", std::move(data), findings.empty() ? 200 : 422);
}

Task<Response> Portal::send_page(Call&, const Full& who) {
  auto view = co_await backend_.case_view(who.session.link);
  if (!view) co_return failure(view.error());
  co_return show_send(who.session, *view, {}, {});
}

Task<Response> Portal::preview(Call& call, const Full& who) {
  auto view = co_await backend_.case_view(who.session.link);
  if (!view) co_return failure(view.error());
  auto form = read_send_form(call.fields);
  if (!form) co_return show_send(who.session, *view, call.fields, form.error().findings);
  if (call.field("terug") == "1") co_return show_send(who.session, *view, call.fields, {});
  auto draft = co_await backend_.preview(who.session.link, *form);
  if (!draft) co_return failure(draft.error());
  auto data = work_json(who.session, *view, "Controleren en versturen");
  data.update(draft_json(*draft));
  data["can_send"] = draft->outcome == Outcome::delivered && !draft->recipients.empty();
  data["meeting"] = meeting_json(form->meeting);
  data["question"] = question_word(form->question_kind);
  const auto key = call.field("sleutel");
  data["fields"] = filled_json(call.fields, key.empty() ? new_key() : std::string(key));
  co_return page("preview", std::move(data));
}

Response Portal::show_unsent(const Session& s, const Fields& filled, std::vector<std::string> lines) const {
  Json data{{"title", "De documenten konden niet worden verstuurd"}, {"link", s.link.id}, {"csrf", s.csrf}};
  data["lines"] = std::move(lines);
  data["fields"] = filled_json(filled, new_key());
  return page("unsent", std::move(data), 409);
}

Task<Response> Portal::submit(Call& call, const Full& who) {
  auto form = read_send_form(call.fields);
  const auto key = call.field("sleutel");
  if (!form || key.size() < 16 || key.size() > 64) {
    auto view = co_await backend_.case_view(who.session.link);
    if (!view) co_return failure(view.error());
    co_return show_send(who.session, *view, call.fields, form ? std::vector<Finding>{} : form.error().findings);
  }
  auto sent = co_await backend_.submit(who.session.link, std::move(*form), std::string(key));
  if (!sent && sent.error().code == "MESSAGE_CONFLICT")
    co_return show_unsent(
        who.session, call.fields,
        {"Dit formulier is al eerder verstuurd, met een andere inhoud.",
         "Wat u nu hebt ingevuld, is niet verzonden. Bekijk opnieuw wie wat krijgt en verstuur het dan."});
  if (!sent) co_return failure(sent.error());
  if (sent->draft.outcome == Outcome::delivered || sent->draft.outcome == Outcome::dropped_duplicate)
    co_return see_other("/w/" + call.link + "?m=verzonden");
  std::vector<std::string> lines{"Er is niets verzonden."};
  for (const auto& c : sent->draft.codes) {
    const auto e = explain(c);
    lines.push_back(e.title + ". " + e.help);
  }
  co_return show_unsent(who.session, call.fields, std::move(lines));
}

}  // namespace schakel::portal
