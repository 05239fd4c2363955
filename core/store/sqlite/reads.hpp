// The queries of store.hpp. Each runs in one implicit read transaction, throws SqliteFailure when the store failed.
#pragma once
#include "core/store/sqlite/rows.hpp"

namespace schakel::store {

/// A work list leaves a row out whose check fails, with what stands behind it in its lane, and counts it in `corrupt`:
/// one flipped bit stops its own lane and no other. A question about that row itself is answered with
/// STORE_CORRUPT_ROW.
struct ReadContext {
  Connection& db;
  const RowGuard& guard;
  int corrupt = 0;
};

/// Every row of every table against its check, and SQLite's own structure; `corrupt` names table and row number.
struct IntegrityReport {
  std::int64_t rows = 0;
  std::vector<std::string> corrupt;
};

Result<std::vector<MessageRow>> read_undecided(ReadContext& c, int limit, const std::vector<std::string>& busy_lanes);
Result<std::optional<MessageRow>> read_message_by_seq(ReadContext& c, MessageSeq seq);
Result<std::optional<MessageRow>> read_message_by_id(ReadContext& c, const std::string& source, const std::string& id);
Result<std::vector<MessageRow>> read_messages(ReadContext& c, const MessageFilter& filter);
Result<std::vector<DecisionRow>> read_decisions(ReadContext& c, const std::string& case_id, MessageSeq after,
                                                int limit);
Result<std::optional<DecisionRow>> read_decision_of(ReadContext& c, MessageSeq message);
Result<std::vector<DeliveryRow>> read_due(ReadContext& c, Instant now, int limit,
                                          const std::vector<std::string>& busy_targets);
Result<std::optional<DeliveryRow>> read_delivery_by_id(ReadContext& c, const std::string& id);
Result<std::vector<DeliveryRow>> read_deliveries(ReadContext& c, const DeliveryFilter& filter);
Result<std::vector<AttemptRow>> read_attempts(ReadContext& c, const std::string& delivery);
Result<std::optional<Instant>> read_next_due(ReadContext& c);
Result<std::vector<TimerRow>> read_due_timers(ReadContext& c, Instant now, int limit);
Result<std::vector<TimerRow>> read_timers(ReadContext& c, const std::string& case_id);
Result<std::optional<Row>> read_row_at(ReadContext& c, const std::string& space, const std::string& key);
Result<std::vector<std::optional<Row>>> read_rows_at(ReadContext& c, const std::string& space,
                                                     const std::vector<std::string>& keys);
Result<std::vector<Row>> read_rows(ReadContext& c, const std::string& space, const std::string& prefix,
                                   const std::string& after, int limit);
Result<std::vector<LeafRow>> read_leaves(ReadContext& c, std::int64_t position, int limit);
Result<Stats> read_stats(ReadContext& c);
Result<IntegrityReport> read_integrity(ReadContext& c);

}  // namespace schakel::store
