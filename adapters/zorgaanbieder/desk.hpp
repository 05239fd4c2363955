// Splitter and Aggregator of declarations, with their memory in Progress.
//
// Keys: jw323/<agb>/<id> the declaration until it is answered, then its answer; part/<event id> which declaration an event is of,
// and what was decided; handed/<event id> the broker has it; nummer/<agb>/<declaratienummer>; ref/<agb>/<referentie> the invoice that a granted line became.
#pragma once
#include "schakel/adapter.hpp"
#include "splitter.hpp"

namespace schakel::zorgaanbieder {

/// What became of a document that came in.
struct Received {
  int status = 202;       ///< HTTP status that says so
  std::string code;       ///< stable, no personal data
  std::string answer;     ///< id of the JW325 that there is or will be; empty for UBL
  std::vector<Finding> findings;
};

class Desk {
 public:
  Desk(const Settings& settings, Host& host) : settings_(settings), host_(host) {}

  /// A JW323 or a UBL document. `party` empty: taken from the document's sender (a folder). 503: not now, ask again; the same
  /// bytes again continue where it stopped and have no second effect.
  Task<Received> receive(std::string bytes, std::string party, Inbox& inbox);

  /// The broker's decision on one of our events. `granted` false: with the broker's reason.
  Task<AttemptResult> decided(std::string event_id, bool granted, std::string reason);

  /// The JW325 of a declaration of this sender: text, or empty while it is not decided; NOT_FOUND (not_found).
  Task<Result<std::string>> answer(std::string answer_id, std::string party);

 private:
  Task<Received> receive_jw323(std::string bytes, std::string party, Inbox& inbox);
  Task<Received> receive_ubl(std::string bytes, std::string party, Inbox& inbox);
  /// Fills context from the broker and from earlier declarations; false: not now.
  Task<bool> look_around(const formats::Jw323& declaration, const std::string& key, Context& context, Inbox& inbox);
  /// Hands the parts to the broker; false: not now.
  Task<bool> hand_over(Json& record, const std::string& key, Inbox& inbox);
  /// Makes and sends the JW325 when every part is decided.
  Task<std::expected<void, AttemptResult>> settle(std::string key);
  Task<std::expected<void, AttemptResult>> send_answer(std::string key, Json record);
  Task<bool> put(std::string key, Json value);
  const Settings& settings_;
  Host& host_;
};

/// Id of the JW325 to a declaration: 12 characters, the same for the same declaration.
[[nodiscard]] std::string answer_id(const std::string& agb, const std::string& identificatie);

}  // namespace schakel::zorgaanbieder
