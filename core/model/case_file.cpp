#include "core/model/case_file.hpp"

#include <algorithm>
#include <cctype>

#include "core/base/error.hpp"
#include "core/model/ledger.hpp"

namespace schakel {
namespace {

Instant instant(const Json& j) {
  auto t = parse_instant(j.get_ref<const std::string&>());
  if (!t) throw std::invalid_argument("instant");
  return *t;
}
std::optional<Instant> maybe_instant(const Json& j, const char* key) {
  auto it = j.find(key);
  if (it == j.end() || it->is_null()) return std::nullopt;
  return instant(*it);
}
Json maybe(const std::optional<Instant>& t) { return t ? Json(format_instant(*t)) : Json(); }

Json consent_json(const Consent& c) {
  return {{"id", c.id},
          {"giver", c.giver},
          {"purpose", c.purpose},
          {"doc_types", c.doc_types},
          {"roles", c.roles},
          {"valid_from", format_instant(c.valid_from)},
          {"valid_until", maybe(c.valid_until)},
          {"withdrawn_at", maybe(c.withdrawn_at)}};
}
Consent consent_from(const Json& j) {
  Consent c;
  c.id = j.at("id");
  c.giver = j.at("giver");
  c.purpose = j.at("purpose");
  c.doc_types = j.value("doc_types", std::vector<std::string>{"*"});
  c.roles = j.value("roles", std::vector<std::string>{"*"});
  c.valid_from = instant(j.at("valid_from"));
  c.valid_until = maybe_instant(j, "valid_until");
  c.withdrawn_at = maybe_instant(j, "withdrawn_at");
  return c;
}

Json meeting_json(const std::optional<Meeting>& m) {
  return m ? Json{{"kind", m->kind}, {"at", format_instant(m->at)}} : Json();
}
std::optional<Meeting> meeting_from(const Json& j) {
  // A meeting that was cancelled has no moment.
  if (!j.is_object() || !j.value("at", Json()).is_string()) return std::nullopt;
  return Meeting{j.value("kind", ""), instant(j.at("at"))};
}

bool same_kind(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

Json escalation_json(const std::optional<EscalationState>& e) {
  if (!e) return nullptr;
  return {{"body", e->body},
          {"rmc_region", e->rmc_region},
          {"ground", e->ground},
          {"outcome", e->outcome},
          {"members", e->members},
          {"started", format_instant(e->started)},
          {"closed", maybe(e->closed)},
          {"more", e->more}};
}
std::optional<EscalationState> escalation_from(const Json& j) {
  if (!j.is_object()) return std::nullopt;
  EscalationState e;
  e.body = j.value("body", "");
  e.rmc_region = j.value("rmc_region", "");
  e.ground = j.value("ground", "");
  e.outcome = j.value("outcome", "open");
  e.members = j.value("members", std::vector<std::string>{});
  e.started = instant(j.at("started"));
  e.closed = maybe_instant(j, "closed");
  e.more = j.value("more", Json::object());
  return e;
}

Pupil pupil_from(const Json& j) {
  // What the rules may know, and nothing else: a name or BSN that is sent along stops here.
  Pupil p;
  p.birth_date = j.value("birth_date", "");
  p.school = j.value("school", "");
  p.school_type = j.value("school_type", "");
  p.woongemeente = j.value("woongemeente", "");
  p.enrolled = j.value("enrolled", true);
  return p;
}

void open(CaseFile& file, const Json& v) {
  file.pupil = pupil_from(v.value("pupil", Json::object()));
  file.facts = v.value("case", Json::object());
  file.consents.clear();
  for (const Json& c : v.value("consents", Json::array())) file.consents.push_back(consent_from(c));
  file.documents.clear();
  for (const Json& d : v.value("documents", Json::array()))
    file.documents.push_back({d.at("doc_type"), d.value("status", "aanwezig"), d.value("version", 1)});
  file.meeting = meeting_from(v.value("meeting", Json()));
  file.overrides = v.value("profile_overrides", Json::object());
}

void apply_effect(CaseFile& file, const Effect& e, Instant at) {
  if (e.what == "open") return open(file, e.value);
  if (e.what == "fact") {
    file.facts[e.key] = e.value;
  } else if (e.what == "pupil") {
    if (e.key == "enrolled") file.pupil.enrolled = e.value.get<bool>();
    if (e.key == "birth_date") file.pupil.birth_date = e.value.get<std::string>();
    if (e.key == "school") file.pupil.school = e.value.get<std::string>();
    if (e.key == "school_type") file.pupil.school_type = e.value.get<std::string>();
    if (e.key == "woongemeente") file.pupil.woongemeente = e.value.get<std::string>();
  } else if (e.what == "document") {
    auto it = std::ranges::find(file.documents, e.key, &DocumentState::doc_type);
    if (e.value.is_null()) {
      if (it != file.documents.end()) file.documents.erase(it);
      return;
    }
    if (it == file.documents.end()) it = file.documents.insert(file.documents.end(), DocumentState{e.key, "", 0});
    it->status = e.value.value("status", "");
    it->version = std::max(it->version, e.value.value("version", 1));
  } else if (e.what == "consent") {
    file.consents.push_back(consent_from(e.value));
  } else if (e.what == "consent_withdrawn") {
    Instant from = e.value.is_string() ? instant(e.value) : at;
    for (Consent& c : file.consents)
      if (c.id == e.key && (!c.withdrawn_at || *c.withdrawn_at > from)) c.withdrawn_at = from;
  } else if (e.what == "meeting") {
    file.meeting = meeting_from(e.value);
    // What was sent for it goes along; documents of a cancelled meeting are kept as if it had been held on this day.
    for (const Json& id : e.value.value("messages", Json::array()))
      for (PastMessage& m : file.messages)
        if (m.meeting && id == m.id) m.meeting->at = file.meeting ? file.meeting->at : at;
  } else if (e.what == "opened" || e.what == "told") {
    for (PastMessage& m : file.messages)
      if (m.id == e.key)
        (e.what == "opened" ? m.opened_by : m.told_after_download).push_back(e.value.get<std::string>());
  } else if (is_invoice_effect(e)) {
    apply_invoice_effect(file.invoices, e);
  } else if (e.what == "escalation") {
    file.escalation = escalation_from(e.value);
  }
}

}  // namespace

void apply(CaseFile& file, const Message& message, const Draft& draft) {
  if (draft.outcome != Outcome::blocked) {
    for (const Effect& e : draft.effects) apply_effect(file, e, message.time);
    for (const Deadline& d : draft.deadlines) {
      auto it = std::ranges::find(file.deadlines, d.name, &Deadline::name);
      if (it == file.deadlines.end())
        file.deadlines.push_back(d);
      else
        *it = d;
    }
  }
  if (message.type == "zaak_opening") {
    file.id = message.subject;
    file.region = message.region;
    return;
  }
  PastMessage past;
  past.seq = message.seq;
  past.id = message.id;
  past.type = message.type;
  past.sender_role = message.sender_role;
  past.outcome = draft.outcome;
  past.at = message.time;
  if (draft.outcome == Outcome::delivered) past.recipients = draft.recipients;
  if (message.payload.is_object()) {
    if (auto it = message.payload.find("documents"); it != message.payload.end() && it->is_array())
      for (const Json& d : *it)
        if (d.is_string()) past.documents.push_back(d.get<std::string>());
    // A document may come along without being named: what is filed and judged later is all that went.
    for (const Attachment& a : message.attachments)
      if (std::ranges::find(past.documents, a.doc_type) == past.documents.end()) past.documents.push_back(a.doc_type);
    if (file.meeting && message.type == "documentlevering") {
      past.meeting = file.meeting;
      if (auto it = message.payload.find("meeting"); it != message.payload.end() && it->is_string()) {
        past.meeting->kind = it->get<std::string>();
        // Of several that stand, the one of this kind.
        if (auto list = file.facts.find("meetings"); list != file.facts.end() && list->is_array())
          for (const Json& j : *list)
            if (auto m = meeting_from(j); m && m->at > message.time && same_kind(m->kind, past.meeting->kind))
              past.meeting->at = m->at;
      }
    }
  }
  file.messages.push_back(std::move(past));
}

Json to_json(const CaseFile& f) {
  Json consents = Json::array(), documents = Json::array(), messages = Json::array(), deadlines = Json::array();
  for (const Consent& c : f.consents) consents.push_back(consent_json(c));
  for (const DocumentState& d : f.documents)
    documents.push_back({{"doc_type", d.doc_type}, {"status", d.status}, {"version", d.version}});
  for (const PastMessage& m : f.messages)
    messages.push_back({{"seq", m.seq},
                        {"id", m.id},
                        {"type", m.type},
                        {"sender_role", m.sender_role},
                        {"outcome", to_string(m.outcome)},
                        {"at", format_instant(m.at)},
                        {"recipients", m.recipients},
                        {"opened_by", m.opened_by},
                        {"told_after_download", m.told_after_download},
                        {"documents", m.documents},
                        {"meeting", meeting_json(m.meeting)}});
  for (const Deadline& d : f.deadlines)
    deadlines.push_back({{"name", d.name},
                         {"date", d.date},
                         {"warn_date", d.warn_date},
                         {"rule", d.rule},
                         {"severity", d.severity},
                         {"responsible", d.responsible},
                         {"state", d.state}});
  return {{"id", f.id},
          {"region", f.region},
          {"pupil",
           {{"birth_date", f.pupil.birth_date},
            {"school", f.pupil.school},
            {"school_type", f.pupil.school_type},
            {"woongemeente", f.pupil.woongemeente},
            {"enrolled", f.pupil.enrolled}}},
          {"facts", f.facts},
          {"consents", consents},
          {"documents", documents},
          {"meeting", meeting_json(f.meeting)},
          {"messages", messages},
          {"deadlines", deadlines},
          {"invoices", f.invoices},
          {"escalation", escalation_json(f.escalation)},
          {"overrides", f.overrides}};
}

Result<CaseFile> case_file_from(const Json& j) {
  try {
    CaseFile f;
    f.id = j.at("id");
    f.region = j.at("region");
    f.pupil = pupil_from(j.at("pupil"));
    f.facts = j.at("facts");
    for (const Json& c : j.at("consents")) f.consents.push_back(consent_from(c));
    for (const Json& d : j.at("documents")) f.documents.push_back({d.at("doc_type"), d.at("status"), d.at("version")});
    f.meeting = meeting_from(j.at("meeting"));
    for (const Json& m : j.at("messages")) {
      PastMessage p;
      p.seq = m.at("seq");
      p.id = m.at("id");
      p.type = m.at("type");
      p.sender_role = m.at("sender_role");
      auto outcome = outcome_from(m.at("outcome").get<std::string>());
      if (!outcome) throw std::invalid_argument("outcome");
      p.outcome = *outcome;
      p.at = instant(m.at("at"));
      m.at("recipients").get_to(p.recipients);
      m.at("opened_by").get_to(p.opened_by);
      m.at("told_after_download").get_to(p.told_after_download);
      m.at("documents").get_to(p.documents);
      p.meeting = meeting_from(m.at("meeting"));
      f.messages.push_back(std::move(p));
    }
    for (const Json& d : j.at("deadlines"))
      f.deadlines.push_back({d.at("name"), d.at("date"), d.at("warn_date"), d.at("rule"), d.at("severity"),
                             d.at("responsible"), d.at("state")});
    f.invoices = j.at("invoices");
    f.escalation = escalation_from(j.at("escalation"));
    f.overrides = j.at("overrides");
    return f;
  } catch (const std::exception&) {
    // The text of the exception may quote the content.
    return fail(ErrorKind::invalid, "CASE_FILE_INVALID", "this is not a case file");
  }
}

}  // namespace schakel
