// What each operation of store.hpp does to the tables.
#pragma once
#include "core/store/sqlite/rows.hpp"

namespace schakel::store {

/// Applies one transaction inside the open batch, under a savepoint of its own: on an error or a duplicate nothing of
/// it is left. The result counts only after the batch's COMMIT returned. Throws SqliteFailure when the store itself
/// failed.
Result<Committed> apply(Connection& db, const RowGuard& guard, const Transaction& transaction);

/// Whether the transaction takes in new work, which is refused first when the disk fills up (DUR-9).
[[nodiscard]] bool takes_in(const Transaction& transaction);
/// Rough size in memory, for the bound of the queue.
[[nodiscard]] std::size_t weight(const Transaction& transaction);

}  // namespace schakel::store
