// Meldingen in: a page of changes, each melding fetched, checked and accepted, then the cursor.
#pragma once
#include "ot_client.hpp"

namespace schakel::onderwijstransparant {

struct IncomingSettings {
  explicit IncomingSettings(const Json& config);
  std::string party, source, region, swv_code, sender_role;
  std::int64_t page_size, max_document_bytes, wait_days;
  bool documents;
};

/// A melding that may not enter: OT_PGN, OT_MALFORMED, OT_SWV, OT_SECRET_ADDRESS. nullopt when it may. Pure.
[[nodiscard]] std::optional<std::string> refusal(const Json& melding, const IncomingSettings& settings);
/// The CloudEvent of a melding. Names stay out: the case message needs none. Pure.
[[nodiscard]] Json event_of(const Json& melding, const IncomingSettings& settings, const std::string& at,
                            Json attachments);

/// What became of a change: dealt with for good (accepted, known, or refused); to be tried again later, and the feed
/// goes on without it; or our own store fails, and the round ends before the cursor moves.
struct Taken {
  enum class What { done, later, halt } what = What::done;
  std::string code;  ///< why later
};

class Incoming {
 public:
  Incoming(IncomingSettings settings, Client& client, Host& host)
      : settings_(std::move(settings)), client_(client), host_(host) {}
  /// One round: what waits, then all pages since the cursor. Keeps the place where it stopped when something is not
  /// available.
  Task<void> poll(Inbox& inbox);

 private:
  Task<bool> page(Inbox& inbox, Json& state);
  Task<Taken> take(Inbox& inbox, std::string id, std::int64_t version);
  Task<Step<Json>> attachments(Inbox& inbox, const Json& melding, std::string case_id);
  /// Tries again what waits; false when our own store fails.
  Task<bool> retry(Inbox& inbox);
  Task<bool> try_again(Inbox& inbox, std::string key);
  /// Remembers a change that cannot be taken yet. False when our own store fails.
  Task<bool> wait(std::string id, std::int64_t version, std::string code);
  /// Forgets a waiting change, if there is one.
  Task<bool> forget(std::string id);
  void refused(const std::string& code);
  IncomingSettings settings_;
  Client& client_;
  Host& host_;
  std::string retried_;        ///< last waiting one that was tried: a round tries a bounded number, the next goes on
  std::int64_t waiting_ = -1;  ///< how many wait; -1 before they were counted
};

}  // namespace schakel::onderwijstransparant
