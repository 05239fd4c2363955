// What happens to a database before its first request.
#pragma once
#include "core/store/sqlite/rows.hpp"

namespace schakel::store {

/// Sets and reads back the journal mode and synchronous=FULL, checkpoints, and applies migrations, in that order: the
/// first write of this process comes after all earlier ones are durable (finding F1; trust.md section 5, pitfall 1).
/// With `memory` there is nothing to flush. Throws SqliteFailure.
Result<void> prepare_database(Connection& db, const RowGuard& guard, Instant now, bool memory);

}  // namespace schakel::store
