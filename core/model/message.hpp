// A case message after it was read from its CloudEvent: a plain value.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/json.hpp"

namespace schakel {

/// A document that a message carries by claim check. `document` is the id that the upload returned.
struct Attachment {
  std::string document;
  std::string doc_type;
  int version = 1;
  std::string status;
  std::string sha256;
  bool operator==(const Attachment&) const = default;
};

/// Source of the fields: design.md, "The message on the wire"; domain.md section 2.
struct Message {
  std::int64_t seq = 0;  ///< place in the journal; 0 before it has one
  std::string id;
  std::string source;
  std::string type;       ///< short: documentlevering, not nl.schakel.documentlevering.v1
  std::string subject;    ///< our case id; empty when the sender does not know it
  std::string reference;  ///< the sender's own case number
  Instant time{};         ///< when the broker accepted it: the instant rules are judged at
  std::string causation_id;
  std::string region;
  std::string party;  ///< who sent it (parties.json)
  std::string sender_role;
  std::string sender_person;  ///< id of a deelnemer, may be empty
  std::vector<std::string> addressed_to;
  std::vector<std::string> consent_refs;
  std::vector<Attachment> attachments;
  Json payload = Json::object();
  bool operator==(const Message&) const = default;
};

/// CloudEvents type attribute of a short type.
[[nodiscard]] std::string event_type(std::string_view short_type);
/// nullopt when it is not nl.schakel.<type>.v1.
[[nodiscard]] std::optional<std::string> short_type(std::string_view event_type);

void to_json(Json& j, const Attachment& v);
void from_json(const Json& j, Attachment& v);
void to_json(Json& j, const Message& v);
void from_json(const Json& j, Message& v);

}  // namespace schakel
