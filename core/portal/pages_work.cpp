// The work place of the intern begeleider: documents and what became of them, upload, withdrawal.
#include <fmt/format.h>

#include "core/portal/file_kind.hpp"
#include "core/portal/multipart.hpp"
#include "core/portal/words.hpp"
#include "core/portal/work_view.hpp"

namespace schakel::portal {
namespace {

using net::Response;

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& w : words) out += (out.empty() ? "" : ", ") + w;
  return out;
}

}  // namespace

Json meeting_json(const MeetingView& m) { return {{"kind", meeting_word(m.kind)}, {"at", long_date_time(m.at)}}; }

Json work_json(const Session& s, const CaseView& v, std::string title) {
  return {{"title", std::move(title)}, {"link", s.link.id},  {"csrf", s.csrf},
          {"case_name", v.case_name},  {"school", v.school}, {"region", v.region_name}};
}

Json documents_json(const CaseView& v, const FormFields& filled) {
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

Task<Response> Portal::withdraw(Call& call, const Full& who) {
  auto done = co_await backend_.withdraw(who.session.link, std::string(call.field("aflevering")));
  if (!done) co_return failure(done.error());
  co_return see_other("/w/" + call.link + "?m=ingetrokken");
}

}  // namespace schakel::portal
