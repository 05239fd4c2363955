#include "core/model/message.hpp"

#include <fmt/format.h>

#include <concepts>

#include "core/model/fields.hpp"
#include "core/model/pull.hpp"

namespace schakel {

std::string event_type(std::string_view short_type) { return fmt::format("nl.schakel.{}.v1", short_type); }

std::optional<std::string> short_type(std::string_view t) {
  constexpr std::string_view prefix = "nl.schakel.", suffix = ".v1";
  if (t.size() <= prefix.size() + suffix.size() || !t.starts_with(prefix) || !t.ends_with(suffix)) return std::nullopt;
  return std::string(t.substr(prefix.size(), t.size() - prefix.size() - suffix.size()));
}

template <class V>
  requires std::same_as<std::remove_const_t<V>, Attachment>
void fields(V& v, auto&& f) {
  f("document", v.document), f("doc_type", v.doc_type), f("version", v.version), f("status", v.status);
  f("sha256", v.sha256);
}

void to_json(Json& j, const Attachment& v) { j = field::written(v); }
void from_json(const Json& j, Attachment& v) { field::read(j, v); }

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
  const std::string text = dump_json(j);
  JsonPull from(text);
  read(from, v);
}

void read(JsonPull& from, Message& v) {
  bool id = false, source = false, type = false, time = false;
  from.object([&](std::string_view key) {
    if (key == "seq")
      field::pull(from, v.seq);
    else if (key == "id")
      field::pull(from, v.id), id = true;
    else if (key == "source")
      field::pull(from, v.source), source = true;
    else if (key == "type")
      field::pull(from, v.type), type = true;
    else if (key == "subject")
      field::pull(from, v.subject);
    else if (key == "reference")
      field::pull(from, v.reference);
    else if (key == "time")
      v.time = parse_instant(from.text()).value(), time = true;
    else if (key == "causation_id")
      field::pull(from, v.causation_id);
    else if (key == "region")
      field::pull(from, v.region);
    else if (key == "party")
      field::pull(from, v.party);
    else if (key == "sender_role")
      field::pull(from, v.sender_role);
    else if (key == "sender_person")
      field::pull(from, v.sender_person);
    else if (key == "addressed_to")
      field::pull(from, v.addressed_to);
    else if (key == "consent_refs")
      field::pull(from, v.consent_refs);
    else if (key == "attachments")
      field::pull(from, v.attachments);
    else if (key == "payload")
      field::pull(from, v.payload);
    else
      from.skip();
  });
  if (!id || !source || !type || !time) throw std::invalid_argument("a message has more members");
}

}  // namespace schakel
