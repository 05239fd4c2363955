#include "core/model/message.hpp"

#include <fmt/format.h>

namespace schakel {

std::string event_type(std::string_view short_type) { return fmt::format("nl.schakel.{}.v1", short_type); }

std::optional<std::string> short_type(std::string_view t) {
  constexpr std::string_view prefix = "nl.schakel.", suffix = ".v1";
  if (t.size() <= prefix.size() + suffix.size() || !t.starts_with(prefix) || !t.ends_with(suffix)) return std::nullopt;
  return std::string(t.substr(prefix.size(), t.size() - prefix.size() - suffix.size()));
}

void to_json(Json& j, const Attachment& v) {
  j = {{"document", v.document},
       {"doc_type", v.doc_type},
       {"version", v.version},
       {"status", v.status},
       {"sha256", v.sha256}};
}

void from_json(const Json& j, Attachment& v) {
  v.document = j.value("document", "");
  v.doc_type = j.value("doc_type", "");
  v.version = j.value("version", 1);
  v.status = j.value("status", "");
  v.sha256 = j.value("sha256", "");
}

void to_json(Json& j, const Message& v) {
  j = {{"seq", v.seq},
       {"id", v.id},
       {"source", v.source},
       {"type", v.type},
       {"subject", v.subject},
       {"reference", v.reference},
       {"time", format_instant(v.time)},
       {"causation_id", v.causation_id},
       {"region", v.region},
       {"party", v.party},
       {"sender_role", v.sender_role},
       {"sender_person", v.sender_person},
       {"addressed_to", v.addressed_to},
       {"consent_refs", v.consent_refs},
       {"attachments", v.attachments},
       {"payload", v.payload}};
}

void from_json(const Json& j, Message& v) {
  v.seq = j.value("seq", std::int64_t{0});
  v.id = j.at("id");
  v.source = j.at("source");
  v.type = j.at("type");
  v.subject = j.value("subject", "");
  v.reference = j.value("reference", "");
  v.time = parse_instant(j.at("time").get<std::string>()).value();
  v.causation_id = j.value("causation_id", "");
  v.region = j.value("region", "");
  v.party = j.value("party", "");
  v.sender_role = j.value("sender_role", "");
  v.sender_person = j.value("sender_person", "");
  v.addressed_to = j.value("addressed_to", std::vector<std::string>{});
  v.consent_refs = j.value("consent_refs", std::vector<std::string>{});
  v.attachments = j.value("attachments", std::vector<Attachment>{});
  v.payload = j.value("payload", Json::object());
}

}  // namespace schakel
