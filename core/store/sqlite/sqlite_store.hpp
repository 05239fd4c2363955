// The embedded store: one SQLite file, one thread that writes, a few that read.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "core/store/sqlite/place.hpp"
#include "core/store/sqlite/reads.hpp"
#include "core/store/store.hpp"

namespace schakel::store {

struct SqliteOptions {
  int max_batch = 256;           ///< transactions that share one fsync
  std::size_t max_queue = 4096;  ///< waiting commits, and waiting reads; STORE_BUSY above it
  std::size_t max_queue_bytes = 64 * 1024 * 1024;
  int checkpoint_frames = 1000;      ///< pages of 4 KiB in the write-ahead log before the writer moves them over
  int readers = 2;                   ///< reading threads, each with its own connection
  milliseconds read_deadline{5000};  ///< a read that runs longer is stopped: STORE_TIMEOUT (DUR-15)
  /// New work (transactions with an Accept) is refused with STORE_FULL when the disk is fuller than this share and less
  /// than `high_water_free` is left; everything is refused when less than `reserve` is left (DUR-9).
  double high_water = 0.90;
  std::uint64_t high_water_free = 2ULL << 30;
  std::uint64_t reserve = 8ULL << 20;
  std::uint64_t ballast_bytes = 0;  ///< set aside at opening, see lay_ballast()
  Bytes integrity_key;              ///< key of the row checks; empty: plain SHA-256. Fixed at creation: STORE_KEY
  /// Called once, on a store thread, after every caller in the queue was given STORE_IO. The process must end soon
  /// after. Must not call the store.
  std::function<void(const Error&)> on_fatal;
  std::function<Result<DiskUse>()> disk_use;  ///< how full the disk is; empty: ask the file system
  std::string vfs;                            ///< SQLite VFS by name; empty: the operating system's
};

/// What an operator watches beside stats().
struct SqliteHealth {
  bool failed = false;
  std::size_t queued = 0;         ///< commits that wait
  std::int64_t batches = 0;       ///< COMMITs since opening
  std::int64_t transactions = 0;  ///< that they carried
  std::int64_t wal_bytes = 0;     ///< after the last commit; above 64 MiB for a minute is an alarm (DUR-15)
  std::int64_t corrupt_rows = 0;  ///< met by work lists, left out of them
};

/// Thread: as Store. Lifetime: the io_contexts of callers must outlive close(), which the destructor calls.
/// Memory: with the path ":memory:" there are no threads; every call runs to its end at once under a lock, nothing
/// survives, and results are the same on every run. For tests and rehearsal.
class SqliteStore final : public Store {
 public:
  /// When this returns a store, everything found in the file is durable, what a killed process wrote included: the
  /// start checkpoint rewrote and flushed it (finding F1), so duplicates of it may be acknowledged. Errors:
  /// STORE_IN_USE, STORE_NETWORK_FS, STORE_IO, STORE_FOREIGN (a database of something else), STORE_NEWER (written by a
  /// later version), STORE_MIGRATION (a released step was edited), STORE_KEY, STORE_SETTING (SQLite did not take a
  /// setting), STORE_CHECKPOINT_BUSY (something else has the file open).
  static Result<std::unique_ptr<SqliteStore>> open(const std::string& path, const Clock& clock,
                                                   SqliteOptions options = {});
  ~SqliteStore() override;

  Task<Result<Committed>> commit(Transaction transaction) override;
  Task<Result<std::vector<MessageRow>>> undecided(int limit, std::vector<std::string> busy_lanes) override;
  Task<Result<std::optional<MessageRow>>> message(MessageSeq seq) override;
  Task<Result<std::optional<MessageRow>>> find_message(std::string source, std::string id) override;
  Task<Result<std::vector<MessageRow>>> messages(MessageFilter filter) override;
  Task<Result<std::vector<DecisionRow>>> decisions(std::string case_id, MessageSeq after, int limit) override;
  Task<Result<std::optional<DecisionRow>>> decision(MessageSeq message) override;
  Task<Result<std::vector<DeliveryRow>>> due_deliveries(Instant now, int limit,
                                                        std::vector<std::string> busy_targets) override;
  Task<Result<std::optional<DeliveryRow>>> delivery(std::string id) override;
  Task<Result<std::vector<DeliveryRow>>> deliveries(DeliveryFilter filter) override;
  Task<Result<std::vector<AttemptRow>>> attempts(std::string delivery) override;
  Task<Result<std::optional<Instant>>> next_due() override;
  Task<Result<std::vector<TimerRow>>> due_timers(Instant now, int limit) override;
  Task<Result<std::vector<TimerRow>>> timers(std::string case_id) override;
  Task<Result<std::optional<Row>>> row(std::string space, std::string key) override;
  Task<Result<std::vector<std::optional<Row>>>> rows_at(std::string space, std::vector<std::string> keys) override;
  Task<Result<std::vector<Row>>> rows(std::string space, std::string prefix, std::string after, int limit) override;
  Task<Result<std::vector<LeafRow>>> leaves(std::int64_t position, int limit) override;
  Task<Result<Stats>> stats() override;
  /// The copy is flushed and its rows are checked before this returns: STORE_CORRUPT_ROW rather than a bad backup.
  Task<Result<void>> backup(std::string path) override;
  void close() override;

  /// Reads the whole database: for `doctor` and restore drills.
  Task<Result<IntegrityReport>> integrity();
  /// Thread: any.
  [[nodiscard]] SqliteHealth health() const;
  /// Whether the disk has room for new work (DUR-9): asked anew each time, so that room which came back is seen where
  /// nothing is written any more. Thread: any.
  [[nodiscard]] bool room_for_intake() const;

 private:
  class Impl;
  explicit SqliteStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace schakel::store
