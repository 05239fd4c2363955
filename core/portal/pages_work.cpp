// The work place of the intern begeleider: documents, preview of who gets what and why, sending, what became of it.
#include <fmt/format.h>

#include <set>

#include "core/base/calendar.hpp"
#include "core/portal/call.hpp"
#include "core/portal/file_kind.hpp"
#include "core/portal/multipart.hpp"
#include "core/portal/words.hpp"

namespace schakel::portal {
namespace {

using net::Response;
using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kMeetings[] = {"OT", "MDO", "CTO"};
constexpr std::string_view kQuestions[] = {"onderwijs", "zorg", "onderwijs_zorg"};
constexpr std::size_t kNoteBytes = 4000, kDocuments = 50;

std::string_view value(const Pairs& fields, std::string_view name) {
  for (const auto& [k, v] : fields)
    if (k == name) return v;
  return {};
}

Json meeting_json(const MeetingView& m) { return {{"kind", meeting_word(m.kind)}, {"at", long_date_time(m.at)}}; }

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& w : words) out += (out.empty() ? "" : ", ") + w;
  return out;
}

Json work_json(const Session& s, const CaseView& v, std::string title) {
  return {{"title", std::move(title)}, {"link", s.link.id},  {"csrf", s.csrf},
          {"case_name", v.case_name},  {"school", v.school}, {"region", v.region_name}};
}

Json documents_json(const CaseView& v, const Pairs& filled) {
  Json out = Json::array();
  for (const auto& d : v.documents) {
    const bool chosen =
        std::ranges::any_of(filled, [&](const auto& f) { return f.first == "document" && f.second == d.id; });
    out.push_back({{"id", d.id},
                   {"name", doc_word(d.doc_type)},
                   {"version", std::to_string(d.version)},
                   {"size", size_word(d.size)},
                   {"status", d.status},
                   {"concept", d.status == "concept"},
                   {"stored", long_date(d.stored_at)},
                   {"chosen", chosen}});
  }
  return out;
}

Json options_json(std::span<const std::string_view> codes, std::string (*word)(std::string_view),
                  std::string_view chosen) {
  Json out = Json::array();
  for (auto c : codes) out.push_back({{"code", std::string(c)}, {"name", word(c)}, {"chosen", c == chosen}});
  return out;
}

/// A rule of the region in its own words. Schakel's own rules are written for engineers: a reader gets them in Dutch.
Json quote_json(const Explanation& e) {
  const bool own = e.rule.starts_with("CORE-");
  return {{"rule", e.rule},
          {"quote", own ? "" : e.quote},
          {"plain", own ? core_rule_word(e.rule) : ""},
          {"source", own ? "" : e.source}};
}

/// The rules that led to a role, each with its quote, so that every yes and no can be read back in the region's
/// agreements.
Json why(const Draft& draft, const std::vector<std::string>& rules, std::string_view role) {
  Json out = Json::array();
  std::set<std::string> seen;
  for (const auto& e : draft.explanation) {
    const bool named = std::ranges::find(rules, e.rule) != rules.end();
    if ((!named && e.code != role) || !seen.insert(e.rule).second) continue;
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
      if (x.code == c && !x.quote.empty() && seen.insert(x.rule).second) quotes.push_back(quote_json(x));
    out["blocks"].push_back({{"title", e.title}, {"help", e.help}, {"why", quotes}});
  }
  for (auto name : {"recipients", "suppressed", "signals", "blocks"})
    out[std::string("has_") + name] = !out[name].empty();
  return out;
}

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

Result<SendForm> read_send_form(const Pairs& fields) {
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

Response Portal::show_work(const Session& s, const CaseView& v, const std::string& notice, const std::string& error,
                           int status) const {
  auto data = work_json(s, v, error.empty() ? "Werkplek" : "Fout: Werkplek");
  data["notice"] = notice;
  data["error"] = error;
  if (v.meeting) data["meeting"] = meeting_json(*v.meeting);
  if (!v.question_kind.empty()) data["question"] = question_word(v.question_kind);
  data["documents"] = documents_json(v, {});
  data["has_documents"] = !v.documents.empty();
  Json types = Json::array();
  for (const auto& t : v.doc_types) types.push_back({{"code", t}, {"name", doc_word(t)}});
  data["types"] = types;
  Json deliveries = Json::array();
  for (const auto& d : v.deliveries) {
    const auto w = state_word(d.state);
    std::vector<std::string> docs;
    for (const auto& t : d.documents) docs.push_back(doc_word(t));
    Json row{{"id", d.id},     {"role", role_word(d.role)},  {"documents", join(docs)},       {"state", w.text},
             {"tone", w.tone}, {"at", long_date_time(d.at)}, {"can_withdraw", d.can_withdraw}};
    if (!d.code.empty()) row["reason"] = explain(d.code).title;
    deliveries.push_back(std::move(row));
  }
  data["deliveries"] = deliveries;
  data["has_deliveries"] = !deliveries.empty();
  Json consents = Json::array();
  for (const auto& c : v.consents) {
    const auto now = links_.now();
    const bool withdrawn = c.withdrawn_at && *c.withdrawn_at <= now, expired = c.valid_until && *c.valid_until <= now;
    consents.push_back({{"giver", role_word(c.giver)},
                        {"purpose", purpose_word(c.purpose)},
                        {"scope", c.scope},
                        {"from", long_date(c.valid_from)},
                        {"state", withdrawn ? "Ingetrokken op " + long_date(*c.withdrawn_at)
                                  : expired ? "Verlopen op " + long_date(*c.valid_until)
                                            : "Geldig"},
                        {"tone", withdrawn || expired ? "warning" : "success"}});
  }
  data["consents"] = consents;
  data["has_consents"] = !consents.empty();
  Json deadlines = Json::array();
  for (const auto& d : v.deadlines)
    if (d.state == "set")
      deadlines.push_back(
          {{"name", d.name.starts_with("documents_due:") ? "Documenten bij " + role_word(d.name.substr(14))
                    : d.name == "besluit_due"            ? "Besluit over de zorg"
                                                         : d.name},
           {"date", long_date(d.date)}});
  data["deadlines"] = deadlines;
  data["has_deadlines"] = !deadlines.empty();
  data["max_size"] = fmt::format("{} MB", options_.upload_bytes / 1000000);
  return page("work", std::move(data), status);
}

Task<Response> Portal::work(Call& call, const Full& who) {
  auto view = co_await backend_.case_view(who.session.link);
  if (!view) co_return failure(view.error());
  std::string notice;
  if (call.request->head.query == "m=document") notice = "Het document is toegevoegd.";
  if (call.request->head.query == "m=verzonden")
    notice = "De documenten zijn verzonden. Hieronder ziet u per ontvanger wat ermee gebeurt.";
  if (call.request->head.query == "m=ingetrokken") notice = "De toegang van deze ontvanger is ingetrokken.";
  co_return show_work(who.session, *view, notice, "");
}

/// Reads the form as it streams in; the file goes to the vault piece by piece and is never whole in memory.
Task<Result<std::string>> Portal::receive(Call& call, const Full& who) {
  auto say = [](std::string text) { return fail(ErrorKind::invalid, "FORM", std::move(text)); };
  auto boundary = multipart_boundary(call.request->head.headers.get("content-type"));
  if (!boundary) co_return say("Het formulier kwam niet goed aan. Probeer het nog eens.");
  MultipartParser parser(std::move(*boundary));
  std::map<std::string, std::string> fields;
  std::string current, extension;
  bool in_file = false, checked = false;
  Bytes first;
  std::unique_ptr<Upload> upload;
  Bytes buffer(64 * 1024);
  std::int64_t size = 0;
  auto begin = [&]() -> Result<UploadInfo> {
    for (auto name : {"soort", "status"})
      if (const auto& v = fields[name];
          v.empty() || v.size() > 40 || v.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") != v.npos)
        return say("Kies een soort document en een status.");
    auto kind = file_kind(extension, first);
    if (!kind)
      return say(
          "Dit soort bestand kan niet worden gedeeld, of de inhoud past niet bij de naam. Gebruik PDF, ODT, DOCX, PNG, "
          "JPG of TXT.");
    return UploadInfo{fields["soort"], fields["status"], std::move(*kind)};
  };
  while (true) {
    auto n = co_await call.request->stream->read(buffer);
    if (!n) co_return fail(n.error());
    if (*n == 0) break;
    auto events = parser.feed(ByteView(buffer).first(*n));
    if (!events) co_return say("Het formulier kwam niet goed aan. Probeer het nog eens.");
    for (auto& e : *events) {
      if (e.kind == PartEvent::Kind::head) {
        current = e.head.name;
        in_file = e.head.is_file;
        extension = e.head.extension;
        if (!in_file) continue;
        // The fields stand before the file in our form; without the session's token nothing of a file is read on.
        if (!equal_constant_time(as_bytes(fields["csrf"]), as_bytes(who.session.csrf)))
          co_return fail(ErrorKind::forbidden, "CSRF", "the form is out of date");
        if (checked) co_return say("Kies één bestand per keer.");
        checked = true;
      } else if (e.kind == PartEvent::Kind::data && !in_file) {
        auto& v = fields[current];
        if (v.size() + e.data.size() > 1000 || fields.size() > 20)
          co_return say("Het formulier kwam niet goed aan. Probeer het nog eens.");
        v += as_text(e.data);
      } else if (e.kind == PartEvent::Kind::data) {
        size += static_cast<std::int64_t>(e.data.size());
        if (size > options_.upload_bytes)
          co_return fail(ErrorKind::too_large, "BLOB_TOO_LARGE", "the document is larger than allowed");
        if (upload == nullptr) {
          first.insert(first.end(), e.data.begin(), e.data.end());
          if (first.size() < kKindBytes) continue;
          auto info = begin();
          if (!info) co_return fail(info.error());
          auto opened = co_await backend_.begin_upload(who.session.link, std::move(*info));
          if (!opened) co_return fail(opened.error());
          upload = std::move(*opened);
          auto done = co_await upload->write(std::move(first));
          if (!done) co_return fail(done.error());
          continue;
        }
        auto done = co_await upload->write(std::move(e.data));
        if (!done) co_return fail(done.error());
      }
    }
  }
  if (!parser.finish()) co_return say("Het bestand kwam niet helemaal aan. Probeer het nog eens.");
  if (!checked || size == 0) co_return say("Kies een bestand dat niet leeg is.");
  if (upload == nullptr) {
    auto info = begin();
    if (!info) co_return fail(info.error());
    auto opened = co_await backend_.begin_upload(who.session.link, std::move(*info));
    if (!opened) co_return fail(opened.error());
    upload = std::move(*opened);
    auto done = co_await upload->write(std::move(first));
    if (!done) co_return fail(done.error());
  }
  auto finished = co_await upload->finish();
  if (!finished) co_return fail(finished.error());
  co_return finished->id;
}

Task<Response> Portal::upload(Call& call, const Full& who) {
  auto stored = co_await receive(call, who);
  if (stored) co_return see_other("/w/" + call.link + "?m=document");
  const auto& e = stored.error();
  if (e.code == "CSRF")
    co_return message(403, "Het formulier is verlopen", {"Ga terug, ververs de pagina en probeer het nog eens."});
  if (e.kind == ErrorKind::too_large || e.kind == ErrorKind::timeout || e.kind == ErrorKind::io ||
      e.kind == ErrorKind::unavailable)
    co_return failure(e);
  auto view = co_await backend_.case_view(who.session.link);
  if (!view) co_return failure(view.error());
  co_return show_work(who.session, *view, "",
                      e.code == "FORM" ? e.message : "Kies een soort document en een status die bij deze regio horen.",
                      422);
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
  data["key"] = key.empty() ? to_base64url(random_bytes(16)) : std::string(key);
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
  data["fields"] = Json::array();
  for (const auto& [k, v] : call.fields)
    if (k != "csrf" && k != "terug") data["fields"].push_back({{"name", k}, {"value", v}});
  co_return page("preview", std::move(data));
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
  if (!sent) co_return failure(sent.error());
  if (sent->draft.outcome == Outcome::delivered || sent->draft.outcome == Outcome::dropped_duplicate)
    co_return see_other("/w/" + call.link + "?m=verzonden");
  std::vector<std::string> lines{"Er is niets verzonden."};
  for (const auto& c : sent->draft.codes) {
    const auto e = explain(c);
    lines.push_back(e.title + ". " + e.help);
  }
  co_return message(409, "De documenten konden niet worden verstuurd", std::move(lines));
}

Task<Response> Portal::withdraw(Call& call, const Full& who) {
  auto done = co_await backend_.withdraw(who.session.link, std::string(call.field("aflevering")));
  if (!done) co_return failure(done.error());
  co_return see_other("/w/" + call.link + "?m=ingetrokken");
}

}  // namespace schakel::portal
