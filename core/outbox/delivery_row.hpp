// From a planned delivery to its row: lane, state and sealed body. The one place where rows are made.
#pragma once
#include "core/journal/sealer.hpp"
#include "core/model/message.hpp"
#include "core/outbox/plan.hpp"

namespace schakel::outbox {

/// What a delivery comes from. `lane` is that of the message; the row's own lane is narrower, by target and person, for
/// people do not wait for one another: one bad mailbox is one lane.
struct Origin {
  store::MessageSeq message = 0;  ///< 0: no message, the operator asked for it
  std::string message_id, case_id, region, lane;
};
[[nodiscard]] Origin origin_of(const Message& message, std::string lane);

/// Adds the row of this delivery to `with`. One without a target is parked: visible, never dropped. Errors: those of
/// the sealer.
Task<Result<void>> enqueue(journal::Sealer& sealer, const Planned& planned, const Origin& from, Instant now,
                           store::Transaction& with);

}  // namespace schakel::outbox
