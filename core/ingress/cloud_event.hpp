// CloudEvents 1.0 over HTTP (NL GOV profile): bytes to events, events to messages. Pure.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.hpp"
#include "core/model/message.hpp"

namespace schakel::ingress {

/// Context attributes as text, data as JSON. Extensions stay among the attributes.
struct Event {
  std::map<std::string, std::string> attributes;
  Json data = Json::object();
};

struct EventLimits {
  std::size_t event_bytes = 64 * 1024;         ///< intermediaries forward at least this; we take no more
  std::size_t batch_bytes = 10 * 1024 * 1024;  ///< design.md, The surface
  std::size_t batch_events = 1000;
};

enum class Mode { structured, binary, batched };
/// By Content-Type, case-insensitive, batch prefix first (CloudEvents HTTP binding 3). CE_MEDIA_TYPE (unsupported) for
/// a structured format that is not JSON, or a binary event whose data is not JSON.
[[nodiscard]] Result<Mode> mode_of(std::string_view content_type, bool has_ce_headers);

using HeaderPairs = std::vector<std::pair<std::string, std::string>>;

/// Reads the request in any of the three modes. All findings at once under CE_INVALID, pointers start with the index of
/// the event in a batch. JSON errors keep their own code. CE_TOO_LARGE, CE_BATCH_TOO_LONG (too_large).
[[nodiscard]] Result<std::vector<Event>> read_events(std::string_view content_type, const HeaderPairs& headers,
                                                     std::string_view body, const EventLimits& limits = {});

/// A header value as the binding says: quoted string undone, then one round of percent decoding; CE_HEADER when that is
/// not valid UTF-8 or holds a control character.
[[nodiscard]] Result<std::string> decode_header(std::string_view value);

/// Envelope fields of `data` (region, sender, addressed_to, consent_refs, attachments, reference) become fields,
/// everything else is the payload. Types of the envelope fields are checked here: CE_DATA with all findings.
[[nodiscard]] Result<Message> to_message(const Event& event);

}  // namespace schakel::ingress
