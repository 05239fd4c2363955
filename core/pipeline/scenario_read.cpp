#include <algorithm>
#include <set>

#include "core/pipeline/scenario.hpp"

namespace schakel::scenario {
namespace {

class Reader {
 public:
  std::vector<Finding> findings;

  void wrong(std::string pointer, std::string code, std::string message) {
    findings.push_back({std::move(pointer), std::move(code), std::move(message), ""});
  }

  void only(const Json& j, const std::string& at, const std::set<std::string, std::less<>>& must,
            const std::set<std::string, std::less<>>& may = {}) {
    if (!j.is_object()) return wrong(at, "TYPE", "an object is expected");
    for (const auto& [key, value] : j.items())
      if (!must.contains(key) && !may.contains(key)) wrong(at + "/" + key, "UNKNOWN_KEY", "no such key here");
    for (const std::string& key : must)
      if (!j.contains(key)) wrong(at + "/" + key, "MISSING", "is not there");
  }
  std::string text(const Json& j, const std::string& at, const char* key) {
    auto it = j.find(key);
    if (it == j.end() || !it->is_string()) {
      wrong(at + "/" + key, "TYPE", "a text is expected");
      return {};
    }
    return it->get<std::string>();
  }
  Instant instant(const Json& j, const std::string& at, const char* key) {
    auto t = parse_instant(text(j, at, key));
    if (!t) wrong(at + "/" + key, "INSTANT", "an instant with offset is expected (RFC 3339)");
    return t.value_or(Instant{});
  }
};

const std::set<std::string, std::less<>> kExpect = {"outcomes",        "recipients", "not_recipients",
                                                    "blocked_because", "signals",    "filing",
                                                    "deadlines",       "invoices",   "escalation"};

void read_given(Reader& r, const Json& given) {
  // What is not given is empty.
  r.only(given, "/given", {"pupil"}, {"case", "consents", "documents", "meeting", "profile_overrides", "timezone"});
  if (!given.is_object()) return;
  const Json& pupil = given.value("pupil", Json::object());
  r.only(pupil, "/given/pupil", {"birth_date"}, {"name", "bsn", "school", "school_type", "woongemeente", "enrolled"});
  if (!given.value("case", Json::object()).is_object()) r.wrong("/given/case", "TYPE", "an object is expected");
  if (!given.value("profile_overrides", Json::object()).is_object())
    r.wrong("/given/profile_overrides", "TYPE", "an object is expected");
  if (given.value("timezone", Json("Europe/Amsterdam")) != "Europe/Amsterdam")
    r.wrong("/given/timezone", "TIMEZONE", "only Europe/Amsterdam");
  const Json& meeting = given.value("meeting", Json());
  if (!meeting.is_null()) {
    r.only(meeting, "/given/meeting", {"kind", "at"});
    if (meeting.is_object()) r.instant(meeting, "/given/meeting", "at");
  }
  std::size_t n = 0;
  const Json consents = given.value("consents", Json::array());
  if (!consents.is_array())
    r.wrong("/given/consents", "TYPE", "a list is expected");
  else
    for (const Json& c : consents) {
      std::string at = "/given/consents/" + std::to_string(n++);
      r.only(c, at, {"id", "giver", "purpose", "valid_from"}, {"doc_types", "roles", "valid_until", "withdrawn_at"});
      if (!c.is_object()) continue;
      for (const char* key : {"id", "giver", "purpose"}) r.text(c, at, key);
      r.instant(c, at, "valid_from");
      for (const char* key : {"valid_until", "withdrawn_at"})
        if (!c.value(key, Json()).is_null()) r.instant(c, at, key);
    }
  n = 0;
  const Json documents = given.value("documents", Json::array());
  if (!documents.is_array())
    r.wrong("/given/documents", "TYPE", "a list is expected");
  else
    for (const Json& d : documents) {
      std::string at = "/given/documents/" + std::to_string(n++);
      r.only(d, at, {"doc_type", "status"}, {"version"});
    }
}

/// Documents that come along with more than a name: our own scenarios may have them, as real messages do.
void read_attachments(Reader& r, const Json& list, const std::string& at, Message& message) {
  if (!list.is_array()) return r.wrong(at, "TYPE", "a list is expected");
  for (std::size_t i = 0; i < list.size(); ++i) {
    std::string here = at + "/" + std::to_string(i);
    r.only(list[i], here, {"doc_type"}, {"status", "version"});
    if (!list[i].is_object()) continue;
    Attachment a;
    a.doc_type = r.text(list[i], here, "doc_type");
    if (list[i].contains("status")) a.status = r.text(list[i], here, "status");
    if (auto it = list[i].find("version"); it != list[i].end()) {
      if (!it->is_number_integer() || it->get<std::int64_t>() < 1 || it->get<std::int64_t>() > 1'000'000)
        r.wrong(here + "/version", "TYPE", "a version from 1 is expected");
      else
        a.version = it->get<int>();
    }
    message.attachments.push_back(std::move(a));
  }
}

void read_message(Reader& r, const Json& m, std::size_t index, std::size_t count, Scenario& out) {
  std::string at = "/messages_in/" + std::to_string(index);
  r.only(m, at, {"seq", "at", "type", "from", "payload"}, {"addressed_to", "attachments", "party"});
  if (!m.is_object()) return;
  Message message;
  if (m.value("seq", Json()) != Json(index + 1)) r.wrong(at + "/seq", "SEQUENCE", "messages are numbered 1, 2, 3 ...");
  message.seq = static_cast<std::int64_t>(index + 1);
  message.id = out.id + "/" + std::to_string(index + 1);
  message.source = "urn:schakel:scenario";
  message.type = r.text(m, at, "type");
  message.subject = out.id;
  message.region = out.region;
  message.time = r.instant(m, at, "at");
  message.sender_role = r.text(m, at, "from");
  if (m.contains("party")) message.party = r.text(m, at, "party");
  message.payload = m.value("payload", Json());
  if (!message.payload.is_object()) return r.wrong(at + "/payload", "TYPE", "an object is expected");
  if (auto it = m.find("addressed_to"); it != m.end()) {
    if (!it->is_array())
      r.wrong(at + "/addressed_to", "TYPE", "a list of roles is expected");
    else
      for (const Json& role : *it)
        if (role.is_string())
          message.addressed_to.push_back(role.get<std::string>());
        else
          r.wrong(at + "/addressed_to", "TYPE", "a list of roles is expected");
  }
  if (auto it = m.find("attachments"); it != m.end()) read_attachments(r, *it, at + "/attachments", message);
  if (auto it = message.payload.find("delivery_seq"); it != message.payload.end()) {
    if (!it->is_number_integer() || it->get<std::int64_t>() < 1 ||
        it->get<std::int64_t>() > static_cast<std::int64_t>(count))
      return r.wrong(at + "/payload/delivery_seq", "NO_MESSAGE", "the number of a message is expected");
    message.payload["delivery"] = out.id + "/" + std::to_string(it->get<std::int64_t>());
    message.payload.erase("delivery_seq");
  }
  out.messages.push_back(std::move(message));
}

}  // namespace

Result<Scenario> read(std::string_view text) {
  auto parsed = parse_json(text, {.bytes = 4 * 1024 * 1024, .depth = 24, .string_bytes = 64 * 1024});
  if (!parsed) return fail(ErrorKind::invalid, "SCENARIO_INVALID", parsed.error().message);
  const Json& j = *parsed;
  Reader r;
  Scenario out;
  try {
    r.only(j, "", {"schema", "id", "region", "given", "messages_in", "expect"}, {"title", "rules"});
    if (!j.is_object())
      return fail(ErrorKind::invalid, "SCENARIO_INVALID", "a scenario is an object", std::move(r.findings));
    if (j.value("schema", Json()) != "oza-scenario/1") r.wrong("/schema", "SCHEMA", "oza-scenario/1 is expected");
    out.id = r.text(j, "", "id");
    out.region = r.text(j, "", "region");
    out.title = j.value("title", "");
    out.given = j.value("given", Json::object());
    out.expect = j.value("expect", Json::object());
    for (const Json& rule : j.value("rules", Json::array()))
      if (rule.is_string()) out.rules.push_back(rule.get<std::string>());
    read_given(r, out.given);
    r.only(out.expect, "/expect", kExpect);
    for (const std::string& key : kExpect)
      if (key != "escalation" && out.expect.is_object() && out.expect.contains(key) && !out.expect[key].is_array())
        r.wrong("/expect/" + key, "TYPE", "a list is expected");
    const Json messages = j.value("messages_in", Json::array());
    if (!messages.is_array())
      r.wrong("/messages_in", "TYPE", "a list is expected");
    else
      for (std::size_t i = 0; i < messages.size(); ++i) read_message(r, messages[i], i, messages.size(), out);
  } catch (const Json::exception&) {
    r.wrong("", "TYPE", "a value has another type than its place asks for");
  }
  if (!r.findings.empty())
    return fail(ErrorKind::invalid, "SCENARIO_INVALID", "the scenario file has mistakes", std::move(r.findings));

  // The opening comes before the first message, at the earliest instant: what was given holds from there.
  out.opening.id = out.id + "/0";
  out.opening.source = "urn:schakel:scenario";
  out.opening.type = "zaak_opening";
  out.opening.subject = out.id;
  out.opening.region = out.region;
  out.opening.sender_role = "broker";
  if (!out.messages.empty()) out.opening.time = std::ranges::min(out.messages, {}, &Message::time).time;
  Json payload = out.given;
  payload.erase("timezone");
  payload["pupil"].erase("name");
  payload["pupil"].erase("bsn");
  out.opening.payload = std::move(payload);
  return out;
}

}  // namespace schakel::scenario
