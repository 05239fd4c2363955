// The one interface to durable state. It speaks of messages, lanes, deliveries, timers, leaves and rows, not of SQL.
//
// Thread: every function may be called from any coroutine on any io_context; the coroutine resumes on its own executor.
// Lifetime: a Store outlives everything that holds a reference to it.
// Durability: when commit() returns a value, all of its effects survive a power cut (trust.md DUR-1). When it returns
// an error nothing of it can be seen, except after kind `io`: then the process must stop, since what reached the disk
// is unknown until the store is opened again (DUR-4, DUR-5). A store never retries a failed fsync.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/task.hpp"

namespace schakel::store {

/// Place of a message in the journal: counts up from 1 with gaps, unique for ever in one store.
using MessageSeq = std::int64_t;

enum class MessageState { accepted, decided };

/// An accepted message. `envelope` and `payload` are sealed by the vault before they come here; the other fields hold
/// no personal data. `content_hash` is a keyed hash of the whole event, to tell a repeat from another message with the
/// same id.
struct MessageRow {
  MessageSeq seq = 0;  ///< given by the store
  std::string source;
  std::string id;    ///< (source, id) is unique for ever: the idempotent receiver
  std::string type;  ///< short type of domain.md, e.g. documentlevering
  std::string region;
  std::string party;    ///< who sent it, an id of parties.json
  std::string lane;     ///< case:<id> or party:<id>
  std::string case_id;  ///< empty when not about one case (yet)
  Instant accepted_at{};
  Bytes sealed;  ///< erasable
  Digest content_hash{};
  MessageState state = MessageState::accepted;
  std::string outcome;  ///< delivered, recorded, blocked, held, dropped_duplicate, quarantined; empty until decided
};

enum class DeliveryState {
  pending,     ///< waits for next_at and for its turn in its lane
  attempting,  ///< an attempt was recorded as started; found at start-up it means: outcome unknown
  delivered,
  dead,      ///< dead letter: attempts used up or refused for good
  parked,    ///< needs a person: RECIPIENT_UNKNOWN, uncertain outcome, paused lane
  cancelled  ///< consent withdrawn or case closed before it went
};

/// One thing that goes to one recipient. `sealed` is the delivery body, sealed by the vault.
struct DeliveryRow {
  std::string id;  ///< stable; also the idempotency key towards the target
  MessageSeq message = 0;
  std::string case_id;
  std::string lane;    ///< strict order inside it: <message lane>|<target>
  std::string target;  ///< adapter instance; empty when parked as RECIPIENT_UNKNOWN
  std::string role;
  std::string kind;  ///< what it is: message, documents, notice, filing, invoice, signal, erasure
  DeliveryState state = DeliveryState::pending;
  int attempts = 0;
  Instant created_at{};
  Instant next_at{};
  std::optional<Instant> settled_at;
  std::string code;  ///< last result code, no personal data
  Bytes sealed;
};

struct AttemptRow {
  std::string delivery;
  int number = 0;
  Instant started_at{};
  std::optional<Instant> ended_at;
  std::string verdict;  ///< delivered, retry_later, rejected, unknown; empty while it runs
  std::string code;
};

/// The decision on one message; `sealed` holds the whole record (facts used, effects, explanation).
struct DecisionRow {
  MessageSeq message = 0;
  std::string case_id;
  Instant decided_at{};
  std::string outcome;
  std::vector<std::string> codes;
  std::string rules_version;  ///< region and hash of its rule file
  Bytes sealed;
};

struct TimerRow {
  std::string id;  ///< stable: <case>/<name>
  std::string case_id;
  std::string name;
  Instant due{};
  std::string state;  ///< set, warned, met, breached, replaced, cancelled
  Bytes sealed;       ///< what to do when it fires
};

/// A leaf of the audit tree before it has its place. `body` is canonical JSON without personal data.
struct LeafRow {
  std::int64_t position = -1;  ///< given by the sequencer; -1 while unsequenced
  Instant at{};
  std::string kind;
  std::string body;
};

/// A value of a module's own (documents, keys, links, correlation, adapter progress, registers): no meaning to the
/// store.
struct Row {
  std::string space;
  std::string key;
  Bytes value;
  std::int64_t version = 0;  ///< counts up by one at every write of this key
};

// ---- what a transaction can do -------------------------------------------------------------------------------------

/// Fails nothing when (source, id) is there already: the result then says duplicate and names the first.
struct Accept {
  MessageRow message;
};
/// Marks the message decided and stores the record. CONFLICT when it was decided already.
struct Decide {
  DecisionRow decision;
};
/// Adds a delivery; a delivery with this id is left as it is (repeat of the same decision).
struct Enqueue {
  DeliveryRow delivery;
};
/// pending -> attempting and records attempt number attempts+1. CONFLICT when not pending with `expect_attempts`.
struct StartAttempt {
  std::string delivery;
  int expect_attempts = 0;
  Instant at{};
};
/// attempting -> state, with the verdict of the attempt. CONFLICT when attempt `number` is not the running one
/// (fencing).
struct Settle {
  std::string delivery;
  int number = 0;
  Instant at{};
  std::string verdict;
  std::string code;
  DeliveryState state{};
  Instant next_at{};
};
/// Any state change by an operator or a rule: resend, cancel, park, retarget. CONFLICT when the state is not `expect`.
/// `next_at` is also the moment of settling when `state` is a final one. `reset_attempts` has no effect while the last
/// attempt was never settled: its number still fences its runner off. STORE_INVALID for state attempting, here and in
/// Settle.
struct ChangeDelivery {
  std::string delivery;
  DeliveryState expect{};
  DeliveryState state{};
  Instant next_at{};
  std::string code;
  std::optional<std::string> target;
  bool reset_attempts = false;
  std::optional<Bytes> sealed{};  ///< another body, as when the address became known
};
struct SetTimer {
  TimerRow timer;
};
/// `expect_version`: 0 = must not exist, n = must be at n, nullopt = write whatever is there. CONFLICT otherwise.
struct PutRow {
  std::string space;
  std::string key;
  Bytes value;
  std::optional<std::int64_t> expect_version;
};
/// No error when it is not there, unless expect_version is set.
struct EraseRow {
  std::string space;
  std::string key;
  std::optional<std::int64_t> expect_version;
};
/// Inserted unsequenced; core/audit gives it its place.
struct AppendLeaf {
  LeafRow leaf;
};
/// Gives unsequenced leaves the next places in order of insertion, at most `limit`.
struct SequenceLeaves {
  int limit = 10000;
};
/// Erases the sealed part of a message (retention, erasure); the row stays for the idempotent receiver. CONFLICT when
/// there is no such message; repeating it is no error.
struct EraseSealed {
  MessageSeq message = 0;
};

using Op = std::variant<Accept, Decide, Enqueue, StartAttempt, Settle, ChangeDelivery, SetTimer, PutRow, EraseRow,
                        AppendLeaf, SequenceLeaves, EraseSealed>;

/// All or nothing. When any op conflicts the whole transaction is undone and commit returns kind conflict with the code
/// of that op: STORE_CONFLICT. An Accept that meets a duplicate also undoes the rest of its transaction, and commit
/// returns a value with `duplicate_of` set: nothing was written, and the first message is durable (finding F1 of
/// trust.md).
struct Transaction {
  std::vector<Op> ops;
};

struct Committed {
  MessageSeq seq = 0;                      ///< of the last Accept
  std::optional<MessageRow> duplicate_of;  ///< without `sealed`
  int sequenced = 0;                       ///< by SequenceLeaves
};

struct DeliveryFilter {
  std::optional<DeliveryState> state{};
  std::string case_id{}, target{}, code{};
  MessageSeq message = 0;
  std::string after_id{};  ///< page: ids greater than this
  int limit = 100;
};
struct MessageFilter {
  std::string case_id{}, party{}, type{}, outcome{};
  MessageSeq after = 0;
  int limit = 100;
  bool with_sealed = false;
};

struct Stats {
  std::int64_t messages = 0, undecided = 0, pending = 0, dead = 0, parked = 0, leaves = 0, unsequenced = 0;
  std::optional<Instant> oldest_undecided, oldest_pending;
  std::int64_t bytes = 0;
};

class Store {
 public:
  virtual ~Store() = default;

  /// Many callers share one fsync; no timer delays a single one. Errors: STORE_CONFLICT (conflict), STORE_BUSY
  /// (unavailable: the writer's queue is full), STORE_FULL (unavailable: disk above its high-water mark), STORE_IO
  /// (io).
  virtual Task<Result<Committed>> commit(Transaction transaction) = 0;

  /// Undecided messages in order of seq, skipping lanes in `busy`; with `sealed`.
  virtual Task<Result<std::vector<MessageRow>>> undecided(int limit, std::vector<std::string> busy_lanes) = 0;
  virtual Task<Result<std::optional<MessageRow>>> message(MessageSeq seq) = 0;
  virtual Task<Result<std::optional<MessageRow>>> find_message(std::string source, std::string id) = 0;
  virtual Task<Result<std::vector<MessageRow>>> messages(MessageFilter filter) = 0;
  /// In order of message seq: the case file is a fold over these.
  virtual Task<Result<std::vector<DecisionRow>>> decisions(std::string case_id, MessageSeq after, int limit) = 0;
  virtual Task<Result<std::optional<DecisionRow>>> decision(MessageSeq message) = 0;

  /// Pending deliveries with next_at <= now that are first in their lane (no earlier delivery of the lane is pending,
  /// attempting or parked), longest waiting (next_at, then insertion) first, at most one per lane. With `sealed`. A row
  /// whose stored bytes were damaged is left out of this list and of undecided(), with its lane; asked for by id it is
  /// STORE_CORRUPT_ROW (internal).
  virtual Task<Result<std::vector<DeliveryRow>>> due_deliveries(Instant now, int limit,
                                                                std::vector<std::string> busy_targets) = 0;
  virtual Task<Result<std::optional<DeliveryRow>>> delivery(std::string id) = 0;
  virtual Task<Result<std::vector<DeliveryRow>>> deliveries(DeliveryFilter filter) = 0;
  virtual Task<Result<std::vector<AttemptRow>>> attempts(std::string delivery) = 0;
  /// When the next pending delivery that is first in its lane, or the next timer in state `set`, is due; nullopt: there
  /// is none.
  virtual Task<Result<std::optional<Instant>>> next_due() = 0;

  /// Timers in state `set` with due <= now, earliest first.
  virtual Task<Result<std::vector<TimerRow>>> due_timers(Instant now, int limit) = 0;
  virtual Task<Result<std::vector<TimerRow>>> timers(std::string case_id) = 0;

  virtual Task<Result<std::optional<Row>>> row(std::string space, std::string key) = 0;
  /// Many rows at once: what stands at each of `keys`, in their order. One visit of the store, so ask for no more at a
  /// time than may be held in memory. The default asks one by one.
  virtual Task<Result<std::vector<std::optional<Row>>>> rows_at(std::string space, std::vector<std::string> keys) {
    std::vector<std::optional<Row>> out;
    for (auto& key : keys) {
      auto one = co_await row(space, std::move(key));
      if (!one) co_return fail(std::move(one.error()));
      out.push_back(std::move(*one));
    }
    co_return out;
  }
  /// Keys that start with `prefix` and are greater than `after`, in order.
  virtual Task<Result<std::vector<Row>>> rows(std::string space, std::string prefix, std::string after, int limit) = 0;

  /// Sequenced leaves from `position`, in order.
  virtual Task<Result<std::vector<LeafRow>>> leaves(std::int64_t position, int limit) = 0;
  virtual Task<Result<Stats>> stats() = 0;

  /// A consistent copy while the store runs, written to a new file at `path` (refuses an existing one: STORE_EXISTS).
  virtual Task<Result<void>> backup(std::string path) = 0;
  /// Stops taking work, finishes what is queued, checkpoints and closes. Further commits return STORE_CLOSED.
  virtual void close() = 0;
};

}  // namespace schakel::store
