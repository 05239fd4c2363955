// How a link is kept in its row. Private to core/portal.
#pragma once
#include "core/base/json.hpp"
#include "core/portal/links.hpp"

namespace schakel::portal {

inline constexpr std::string_view kLinks = "link", kLinkOfDelivery = "link.delivery", kLinkOfCase = "link.case",
                                  kRevoked = "link.revoked", kSessions = "link.session", kClock = "link.clock";

struct LinkService::Record {
  std::int64_t version = 0;  ///< of the row
  std::string id, hash, delivery, message_id, case_id, role;
  bool workplace = false, sms = false;
  int generation = 0;  ///< of the delivery, for which this link was made
  Instant created{}, expires{};
  std::string sealed;  ///< base64: {mail, second_factor, person, documents}
  // The round of tries that is open.
  int tries = 0;
  std::string code_mac, code_salt;  ///< SMS only; empty: no code out
  Instant code_until{};
  std::int64_t totp_step = 0;  ///< the last step that counted
  int rounds = 0;
  std::string day;  ///< on which `rounds` counts
  std::optional<Instant> locked_until, opened;
  std::string session;  ///< hash of the one full session
  std::map<std::string, int> downloads;

  [[nodiscard]] Json to_json() const;
  [[nodiscard]] static Result<Record> parse(const store::Row& row);
};

}  // namespace schakel::portal
