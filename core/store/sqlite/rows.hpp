// Rows between SQLite and the values of store.hpp, each with its integrity check (trust.md DUR-8).
#pragma once
#include "core/store/sqlite/connection.hpp"
#include "core/store/store.hpp"

namespace schakel::store {

/// Makes and compares row checks: HMAC-SHA256 with the key, or plain SHA-256 when there is none. Fields are
/// length-prefixed, so no two different rows give the same bytes.
class RowGuard {
 public:
  explicit RowGuard(Bytes key = {}) : key_(std::move(key)) {}
  [[nodiscard]] Digest check(const MessageRow& m, const Digest& sealed_hash) const;
  [[nodiscard]] Digest check(const DeliveryRow& d, const Digest& sealed_hash) const;
  [[nodiscard]] Digest check(const DecisionRow& d, std::string_view codes, const Digest& sealed_hash) const;
  [[nodiscard]] Digest check(const AttemptRow& a) const;
  [[nodiscard]] Digest check(const TimerRow& t) const;
  [[nodiscard]] Digest check(const Row& r) const;
  /// Without the position, which is given later and covered by the tree.
  [[nodiscard]] Digest check(const LeafRow& l) const;
  [[nodiscard]] Digest check_text(std::string_view text) const;

 private:
  class Hasher;
  Bytes key_;
};

/// What stands beside a row.
struct RowMeta {
  Digest sealed_hash{};
  std::int64_t n = 0;
};

// Column lists and the readers that fit them. A reader returns STORE_CORRUPT_ROW (internal) when the check fails: such
// a row is never served. `with_sealed` expects one more column at the end.
inline constexpr std::string_view kMessageColumns =
    "seq,source,id,type,region,party,lane,case_id,accepted_at,content_hash,state,outcome,sealed_hash,row_check";
inline constexpr std::string_view kDeliveryColumns =
    "n,id,message,case_id,lane,target,role,kind,state,attempts,created_at,next_at,settled_at,code,sealed_hash,row_"
    "check";
inline constexpr std::string_view kDecisionColumns =
    "message,case_id,decided_at,outcome,codes,rules_version,sealed_hash,row_check,sealed";
inline constexpr std::string_view kAttemptColumns = "delivery,number,started_at,ended_at,verdict,code,row_check";
inline constexpr std::string_view kTimerColumns = "id,case_id,name,due,state,row_check,sealed";
inline constexpr std::string_view kRowColumns = "space,key,version,row_check,value";
inline constexpr std::string_view kLeafColumns = "position,at,kind,body,row_check";

Result<MessageRow> read_message(const Statement& s, const RowGuard& guard, bool with_sealed, RowMeta* meta = nullptr);
Result<DeliveryRow> read_delivery(const Statement& s, const RowGuard& guard, bool with_sealed, RowMeta* meta = nullptr);
Result<DecisionRow> read_decision(const Statement& s, const RowGuard& guard);
Result<AttemptRow> read_attempt(const Statement& s, const RowGuard& guard);
Result<TimerRow> read_timer(const Statement& s, const RowGuard& guard);
Result<Row> read_row(const Statement& s, const RowGuard& guard);
Result<LeafRow> read_leaf(const Statement& s, const RowGuard& guard);

}  // namespace schakel::store
