// Meldingen in: a page of changes, each melding fetched, checked and accepted, then the cursor.
#pragma once
#include "ot_client.hpp"

namespace schakel::onderwijstransparant {

struct IncomingSettings {
  explicit IncomingSettings(const Json& config);
  std::string party, source, region, swv_code, sender_role;
  std::int64_t page_size, max_document_bytes;
  bool documents;
};

/// A melding that may not enter: OT_PGN, OT_MALFORMED, OT_SWV, OT_SECRET_ADDRESS. nullopt when it may. Pure.
[[nodiscard]] std::optional<std::string> refusal(const Json& melding, const IncomingSettings& settings);
/// The CloudEvent of a melding. Names stay out: the case message needs none. Pure.
[[nodiscard]] Json event_of(const Json& melding, const IncomingSettings& settings, const std::string& at,
                            Json attachments);

class Incoming {
 public:
  Incoming(IncomingSettings settings, Client& client, Host& host)
      : settings_(std::move(settings)), client_(client), host_(host) {}
  /// One round: all pages since the cursor. Keeps the place where it stopped when something is not available.
  Task<void> poll(Inbox& inbox);

 private:
  Task<bool> page(Inbox& inbox, Json& state);
  Task<bool> take(Inbox& inbox, std::string id, std::int64_t version);
  Task<Step<Json>> attachments(Inbox& inbox, const Json& melding, std::string case_id);
  void refused(const std::string& code);
  IncomingSettings settings_;
  Client& client_;
  Host& host_;
};

}  // namespace schakel::onderwijstransparant
