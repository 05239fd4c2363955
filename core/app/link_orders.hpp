// What stands beside links: authenticator apps, for the operator, and telling a sender that a link was locked.
#pragma once
#include "core/journal/journal.hpp"
#include "core/model/party.hpp"
#include "core/portal/authenticators.hpp"
#include "core/portal/links.hpp"
#include "core/vault/participants.hpp"

namespace schakel::app {

/// `schakel link authenticator`: {"do": "authenticator"|"authenticator_weg"|"authenticators", "naam", "vervang",
/// "uid"}.
Task<Result<Json>> authenticator_order(portal::Authenticators& apps, Json order);

/// Tells who sent the message of a link that it is locked for today (LNK-5), by the same road as every signal.
/// Thread: any. Lifetime: outlived by what its constructor names.
class LockNotice {
 public:
  LockNotice(journal::Journal& journal, vault::Participants& participants, std::shared_ptr<const Parties> parties)
      : journal_(journal), participants_(participants), parties_(std::move(parties)) {}
  /// Adds the signal LINK_LOCKED to the transaction that locks. Nothing for a link that belongs to no message.
  Task<Result<void>> add(portal::LinkView link, store::Transaction& with);

 private:
  journal::Journal& journal_;
  vault::Participants& participants_;
  std::shared_ptr<const Parties> parties_;
};

}  // namespace schakel::app
