// The threads of the SQLite store: the one that writes and those that read.
#pragma once
#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "core/store/sqlite/sqlite_store.hpp"

namespace schakel::store {

/// Answers a waiting coroutine, once. The coroutine resumes on its own executor, never on the thread that answers.
template <class T>
using Answer = std::move_only_function<void(Result<T>)>;

/// Suspends the calling coroutine and gives `start` the way to answer it.
template <class T, class Start>
Task<Result<T>> suspend(Start start) {
  namespace asio = boost::asio;
  return asio::async_initiate<const asio::use_awaitable_t<>, void(Result<T>)>(
      [](auto handler, Start begin) {
        // The guard keeps the caller's io_context running while the answer is under way, and travels with it: the
        // context may be gone as soon as the coroutine resumed, so the answering thread touches it no more after
        // post().
        auto executor = asio::get_associated_executor(handler);
        auto work = asio::make_work_guard(executor);
        begin(Answer<T>([h = std::move(handler), executor, work = std::move(work)](Result<T> result) mutable {
          asio::post(executor, [h = std::move(h), work = std::move(work), r = std::move(result)]() mutable {
            std::move(h)(std::move(r));
          });
        }));
      },
      asio::use_awaitable, std::move(start));
}

/// Thread: any, but close(), which one caller at a time runs and which must not be called from the engine's own
/// threads. In memory mode there is no thread and calls run at once under `mutex_`.
class Engine {
 public:
  Engine(SqliteOptions options, FileLock lock, std::string path, std::unique_ptr<Connection> writer, RowGuard guard,
         bool memory);
  ~Engine() { close(); }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  [[nodiscard]] bool memory() const { return memory_; }
  /// Opens the readers and starts the threads. Throws SqliteFailure.
  void start();
  void close();
  [[nodiscard]] SqliteHealth health() const;
  [[nodiscard]] bool room_for_intake() const;

  void submit(Transaction transaction, Answer<Committed> answer);
  Result<Committed> commit_now(const Transaction& transaction);

  /// Queues a read. `query` is called on a reading thread as Result<T>(ReadContext&).
  template <class T, class Query>
  void submit_read(Query query, bool deadline, Answer<T> answer) {
    ReadJob job{deadline,
                [this, q = std::move(query), a = std::move(answer)](ReadContext* c, const Error* error) mutable {
                  if (error)
                    a(fail(*error));
                  else
                    a(guarded<T>(q, *c));
                }};
    if (auto refused = enqueue(std::move(job))) refused->run(nullptr, &refused->error);
  }
  template <class T, class Query>
  Result<T> read_now(Query& query) {
    std::lock_guard lock(mutex_);
    if (auto e = unusable()) return fail(std::move(*e));
    ReadContext c{*writer_, guard_};
    auto r = guarded<T>(query, c);
    return r;
  }

 private:
  struct WriteJob {
    Transaction transaction;
    Answer<Committed> answer;
    std::size_t weight;
  };
  struct ReadJob {
    bool deadline;
    std::move_only_function<void(ReadContext*, const Error*)> call;
  };
  struct Refused {
    ReadJob job;
    Error error;
    void run(ReadContext* c, const Error* e) { job.call(c, e); }
  };
  enum class Space { enough, no_intake, none };

  template <class T, class Query>
  Result<T> guarded(Query& query, ReadContext& c) {
    try {
      Result<T> r = query(c);
      corrupt_rows_ += c.corrupt;
      if (c.corrupt) report_corrupt(c.corrupt);
      return r;
    } catch (const SqliteFailure& failure) {
      return fail(read_failure(failure));
    }
  }

  std::optional<Refused> enqueue(ReadJob job);
  void write_loop();
  void read_loop(Connection& db);
  void write_batch(std::vector<WriteJob>& batch);
  Result<Committed> apply_one(const Transaction& transaction, Space space);
  void checkpoint_if_long();
  Space space();
  [[nodiscard]] Result<DiskUse> ask_disk() const;
  [[nodiscard]] Space judge(const Result<DiskUse>& use) const;
  std::optional<Error> unusable() const;
  Error read_failure(const SqliteFailure& failure);
  static void report_corrupt(int rows);
  /// The store is over: answers everyone, those of the broken batch first, then tells the owner.
  void fail_store(const Error& error, std::vector<WriteJob>* batch = nullptr);

  const SqliteOptions options_;
  const std::string path_;
  const bool memory_;
  FileLock lock_;
  RowGuard guard_;
  std::unique_ptr<Connection> writer_;
  std::vector<std::unique_ptr<Connection>> reader_connections_;
  std::vector<std::thread> threads_;
  std::once_flag closed_once_;

  mutable std::mutex mutex_;
  std::condition_variable write_ready_, read_ready_;
  std::deque<WriteJob> writes_;
  std::deque<ReadJob> reads_;
  std::size_t queued_bytes_ = 0;
  bool closing_ = false;
  std::optional<Error> failed_;

  // Of the writing thread only.
  int checkpointed_frames_ = 0;
  Space space_ = Space::enough;
  std::chrono::steady_clock::time_point space_asked_{};

  std::atomic<std::int64_t> batches_{0}, transactions_{0}, wal_frames_{0}, corrupt_rows_{0};
};

}  // namespace schakel::store
