#include "core/store/sqlite/engine.hpp"

#include <fmt/format.h>

#include "core/base/log.hpp"
#include "core/store/sqlite/writes.hpp"

namespace schakel::store {
namespace {

constexpr int kTruncateFrames = 8 * 1024;  // about 32 MiB: readers stood in the way for long
constexpr std::chrono::milliseconds kSpaceInterval{250};

Error closed() { return {ErrorKind::unavailable, "STORE_CLOSED", "the store is closed", {}}; }
Error busy() { return {ErrorKind::unavailable, "STORE_BUSY", "too much work is waiting", {}}; }

struct Deadline {
  std::chrono::steady_clock::time_point at = std::chrono::steady_clock::time_point::max();
};

int past_deadline(void* deadline) { return std::chrono::steady_clock::now() > static_cast<Deadline*>(deadline)->at; }

}  // namespace

Engine::Engine(SqliteOptions options, FileLock lock, std::string path, std::unique_ptr<Connection> writer,
               RowGuard guard, bool memory)
    : options_(std::move(options)),
      path_(std::move(path)),
      memory_(memory),
      lock_(std::move(lock)),
      guard_(std::move(guard)),
      writer_(std::move(writer)) {}

void Engine::start() {
  if (memory_) return;
  for (int i = 0; i < std::max(1, options_.readers); ++i)
    reader_connections_.push_back(std::make_unique<Connection>(path_, Connection::Mode::read_only, options_.vfs));
  threads_.emplace_back([this] { write_loop(); });
  for (auto& reader : reader_connections_) threads_.emplace_back([this, db = reader.get()] { read_loop(*db); });
}

void Engine::close() {
  std::call_once(closed_once_, [this] {
    {
      std::lock_guard lock(mutex_);
      closing_ = true;
    }
    write_ready_.notify_all();
    read_ready_.notify_all();
    for (auto& thread : threads_) thread.join();
    reader_connections_.clear();
    std::optional<Error> failure;
    {
      std::lock_guard lock(mutex_);
      failure = failed_;
    }
    if (!memory_ && !failure) {
      try {
        if (writer_->checkpoint(SQLITE_CHECKPOINT_TRUNCATE)) log(LogLevel::warn, "store.close_checkpoint_busy");
      } catch (const SqliteFailure& e) {
        // What was acknowledged lies in the write-ahead log; the next start checkpoints it.
        writer_->abandon();
        fail_store(e.error());
      }
    }
    std::lock_guard lock(mutex_);
    writer_.reset();
    lock_ = {};
  });
}

SqliteHealth Engine::health() const {
  std::lock_guard lock(mutex_);
  return {failed_.has_value(), writes_.size(), batches_, transactions_, wal_frames_ * 4120, corrupt_rows_};
}

bool Engine::room_for_intake() const { return (memory_ && !options_.disk_use) || judge(ask_disk()) == Space::enough; }

std::optional<Error> Engine::unusable() const {
  if (failed_) return failed_;
  if (closing_) return closed();
  return std::nullopt;
}

void Engine::submit(Transaction transaction, Answer<Committed> answer) {
  auto bytes = weight(transaction);
  std::optional<Error> refused;
  {
    std::lock_guard lock(mutex_);
    refused = unusable();
    if (!refused && (writes_.size() >= options_.max_queue || queued_bytes_ + bytes > options_.max_queue_bytes))
      refused = busy();
    if (!refused) {
      queued_bytes_ += bytes;
      writes_.push_back({std::move(transaction), std::move(answer), bytes});
    }
  }
  if (refused)
    answer(fail(std::move(*refused)));
  else
    write_ready_.notify_one();
}

std::optional<Engine::Refused> Engine::enqueue(ReadJob job) {
  {
    std::lock_guard lock(mutex_);
    auto refused = unusable();
    if (!refused && reads_.size() >= options_.max_queue) refused = busy();
    if (refused) return Refused{std::move(job), std::move(*refused)};
    reads_.push_back(std::move(job));
  }
  read_ready_.notify_one();
  return std::nullopt;
}

void Engine::write_loop() {
  std::vector<WriteJob> batch;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      write_ready_.wait(lock, [this] { return closing_ || failed_ || !writes_.empty(); });
      if (failed_ || writes_.empty()) return;
      while (!writes_.empty() && static_cast<int>(batch.size()) < options_.max_batch) {
        queued_bytes_ -= writes_.front().weight;
        batch.push_back(std::move(writes_.front()));
        writes_.pop_front();
      }
    }
    write_batch(batch);
    batch.clear();
  }
}

void Engine::write_batch(std::vector<WriteJob>& batch) {
  std::vector<Result<Committed>> results;
  results.reserve(batch.size());
  try {
    auto room = space();
    try {
      writer_->run("BEGIN IMMEDIATE");
    } catch (const SqliteFailure& e) {
      if (e.primary() != SQLITE_BUSY) throw;
      // Something outside holds the write lock. Nothing was begun, so nothing is unknown.
      for (auto& job : batch) job.answer(fail(busy()));
      return;
    }
    for (auto& job : batch) results.push_back(apply_one(job.transaction, room));
    // Duplicates are answered after this too: the first of them may stand in this very batch. One from an earlier batch
    // or an earlier process is durable, since its COMMIT returned or the start checkpoint flushed it (finding F1).
    writer_->run("COMMIT");
  } catch (const SqliteFailure& e) {
    writer_->abandon();
    fail_store(e.error(), &batch);
    return;
  }
  ++batches_;
  transactions_ += static_cast<std::int64_t>(batch.size());
  wal_frames_ = writer_->wal_frames();
  for (std::size_t i = 0; i < batch.size(); ++i) batch[i].answer(std::move(results[i]));
  try {
    checkpoint_if_long();
  } catch (const SqliteFailure& e) {
    writer_->abandon();
    fail_store(e.error());
  }
}

Result<Committed> Engine::apply_one(const Transaction& transaction, Space room) {
  if (room == Space::none || (room == Space::no_intake && takes_in(transaction)))
    return fail(ErrorKind::unavailable, "STORE_FULL", "the disk is above its high-water mark");
  return apply(*writer_, guard_, transaction);
}

void Engine::checkpoint_if_long() {
  auto frames = writer_->wal_frames();
  if (frames < checkpointed_frames_) checkpointed_frames_ = 0;  // the log began anew
  if (frames - checkpointed_frames_ < options_.checkpoint_frames) return;
  if (frames >= kTruncateFrames) {
    sqlite3_busy_timeout(writer_->handle(), 200);
    auto held = writer_->checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
    sqlite3_busy_timeout(writer_->handle(), 1000);
    if (held) log(LogLevel::warn, "store.checkpoint_held", {{"wal_frames", std::int64_t{frames}}});
    checkpointed_frames_ = held ? frames : 0;
  } else {
    writer_->checkpoint(SQLITE_CHECKPOINT_PASSIVE);
    checkpointed_frames_ = frames;
  }
}

Result<DiskUse> Engine::ask_disk() const {
  return options_.disk_use ? options_.disk_use() : disk_use(folder_of(path_));
}

Engine::Space Engine::judge(const Result<DiskUse>& use) const {
  if (!use) return Space::enough;  // not knowing is no reason to stop; a full disk then ends the store
  if (use->available < options_.reserve) return Space::none;
  const auto used = static_cast<double>(use->total - use->available);
  if (used >= options_.high_water * static_cast<double>(use->total) && use->available < options_.high_water_free)
    return Space::no_intake;
  return Space::enough;
}

Engine::Space Engine::space() {
  if (memory_ && !options_.disk_use) return Space::enough;
  auto now = std::chrono::steady_clock::now();
  if (!options_.disk_use && now - space_asked_ < kSpaceInterval) return space_;
  space_asked_ = now;
  auto before = space_;
  space_ = judge(ask_disk());
  if (space_ != before)
    log(space_ == Space::enough ? LogLevel::info : LogLevel::error, "store.disk",
        {{"accepting", space_ == Space::enough}});
  return space_;
}

Result<Committed> Engine::commit_now(const Transaction& transaction) {
  std::optional<Error> failure;
  {
    std::lock_guard lock(mutex_);
    if (auto e = unusable()) return fail(std::move(*e));
    try {
      auto room = space();
      writer_->run("BEGIN IMMEDIATE");
      auto result = apply_one(transaction, room);
      writer_->run("COMMIT");
      ++batches_;
      ++transactions_;
      return result;
    } catch (const SqliteFailure& e) {
      failure = e.error();
    }
  }
  fail_store(*failure);
  return fail(std::move(*failure));
}

void Engine::read_loop(Connection& db) {
  Deadline deadline;
  sqlite3_progress_handler(db.handle(), 5000, past_deadline, &deadline);
  for (;;) {
    ReadJob job;
    {
      std::unique_lock lock(mutex_);
      read_ready_.wait(lock, [this] { return closing_ || failed_ || !reads_.empty(); });
      if (failed_ || reads_.empty()) return;
      job = std::move(reads_.front());
      reads_.pop_front();
    }
    deadline.at = job.deadline ? std::chrono::steady_clock::now() + options_.read_deadline
                               : std::chrono::steady_clock::time_point::max();
    ReadContext context{db, guard_};
    job.call(&context, nullptr);
  }
}

Error Engine::read_failure(const SqliteFailure& failure) {
  switch (failure.primary()) {
    case SQLITE_INTERRUPT:
      return {ErrorKind::timeout, "STORE_TIMEOUT", "the read ran past its deadline", {}};
    case SQLITE_BUSY:
      return busy();
    case SQLITE_TOOBIG:
      return {ErrorKind::too_large, "STORE_TOO_LARGE", "a value is too large", {}};
    default:
      break;
  }
  auto error = failure.error();
  if (memory_) {
    failed_ = error;  // the caller holds the lock
    return error;
  }
  fail_store(error);
  return error;
}

void Engine::report_corrupt(int rows) {
  log(LogLevel::error, "store.corrupt_rows_left_out", {{"rows", std::int64_t{rows}}});
}

void Engine::fail_store(const Error& error, std::vector<WriteJob>* batch) {
  std::deque<WriteJob> writes;
  std::deque<ReadJob> reads;
  bool first = false;
  {
    std::lock_guard lock(mutex_);
    first = !failed_;
    if (first) failed_ = error;
    writes.swap(writes_);
    reads.swap(reads_);
  }
  write_ready_.notify_all();
  read_ready_.notify_all();
  if (batch)
    for (auto& job : *batch) job.answer(fail(error));
  for (auto& job : writes) job.answer(fail(error));
  for (auto& job : reads) job.call(nullptr, &error);
  if (!first) return;
  log(LogLevel::error, "store.failed", {{"code", error.code}, {"at", error.message}});
  if (options_.on_fatal) options_.on_fatal(error);
}

}  // namespace schakel::store
