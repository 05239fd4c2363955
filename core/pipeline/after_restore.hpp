// Invoices of a restored copy, of which a person has to say whether they had left (core/outbox/restored.hpp).
#pragma once
#include <string>
#include <vector>

#include "core/store/store.hpp"

namespace schakel::pipeline {

/// Deliveries of invoices that wait because of a restore: parked for it, or still pending, and not sent by a person
/// since. In order of id, at most `limit`; none when there is no such wait.
Task<Result<std::vector<std::string>>> waiting_after_restore(store::Store& store, std::size_t limit);

/// While invoices wait after a restore: parks each that is still pending, so that none stands unseen behind another one
/// in its lane and leaves when that one is cancelled. What a person has sent again goes its way. How many were parked;
/// one that is taken up at this moment is left to its attempt, which parks it as well.
Task<Result<int>> park_after_restore(store::Store& store, Instant now);

}  // namespace schakel::pipeline
