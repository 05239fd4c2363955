#include "core/store/sqlite/sqlite_store.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "core/store/sqlite/engine.hpp"
#include "core/store/sqlite/opening.hpp"

namespace schakel::store {

class SqliteStore::Impl {
 public:
  explicit Impl(std::unique_ptr<Engine> e, SqliteOptions o) : engine(std::move(e)), options(std::move(o)) {}

  template <class T, class Query>
  Task<Result<T>> read(Query query, bool deadline = true) {
    if (engine->memory()) co_return engine->read_now<T>(query);
    auto start = [e = engine.get(), q = std::move(query), deadline](Answer<T> answer) mutable {
      e->submit_read<T>(std::move(q), deadline, std::move(answer));
    };
    auto result = co_await suspend<T>(std::move(start));
    co_return result;
  }

  std::unique_ptr<Engine> engine;
  SqliteOptions options;
};

SqliteStore::SqliteStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SqliteStore::~SqliteStore() { close(); }

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::string& path, const Clock& clock,
                                                       SqliteOptions options) {
  const bool memory = path == ":memory:";
  FileLock lock;
  if (!memory) {
    if (auto ok = check_file_system(folder_of(path)); !ok) return fail(std::move(ok.error()));
    auto taken = FileLock::take(path);
    if (!taken) return fail(std::move(taken.error()));
    lock = std::move(*taken);
    if (auto ok = make_private_file(path); !ok) return fail(std::move(ok.error()));
    if (auto ok = flush_file(path); !ok) return fail(std::move(ok.error()));
    if (auto ok = lay_ballast(path, options.ballast_bytes); !ok) return fail(std::move(ok.error()));
  }
  RowGuard guard(options.integrity_key);
  try {
    auto writer = std::make_unique<Connection>(path, Connection::Mode::write, options.vfs);
    Result<void> prepared;
    try {
      prepared = prepare_database(*writer, guard, clock.now(), memory);
    } catch (...) {
      // After a failed flush nothing may be tried again on this handle, a checkpoint at closing included (DUR-5).
      writer->abandon();
      throw;
    }
    if (!prepared) {
      writer->abandon();
      return fail(std::move(prepared.error()));
    }
    // Switching to write-ahead logging removed a rollback journal; were it to come back after a power cut, SQLite would
    // undo the switch and what followed it.
    if (!memory) {
      if (auto ok = flush_folder(folder_of(path)); !ok) {
        writer->abandon();
        return fail(std::move(ok.error()));
      }
    }
    auto engine = std::make_unique<Engine>(options, std::move(lock), path, std::move(writer), std::move(guard), memory);
    engine->start();
    return std::unique_ptr<SqliteStore>(new SqliteStore(std::make_unique<Impl>(std::move(engine), std::move(options))));
  } catch (const SqliteFailure& failure) {
    return fail(failure.error());
  }
}

Task<Result<Committed>> SqliteStore::commit(Transaction transaction) {
  if (impl_->engine->memory()) co_return impl_->engine->commit_now(transaction);
  auto start = [e = impl_->engine.get(), t = std::move(transaction)](Answer<Committed> answer) mutable {
    e->submit(std::move(t), std::move(answer));
  };
  auto result = co_await suspend<Committed>(std::move(start));
  co_return result;
}

Task<Result<std::vector<MessageRow>>> SqliteStore::undecided(int limit, std::vector<std::string> busy_lanes) {
  return impl_->read<std::vector<MessageRow>>(
      [limit, busy = std::move(busy_lanes)](ReadContext& c) { return read_undecided(c, limit, busy); });
}
Task<Result<std::optional<MessageRow>>> SqliteStore::message(MessageSeq seq) {
  return impl_->read<std::optional<MessageRow>>([seq](ReadContext& c) { return read_message_by_seq(c, seq); });
}
Task<Result<std::optional<MessageRow>>> SqliteStore::find_message(std::string source, std::string id) {
  return impl_->read<std::optional<MessageRow>>(
      [s = std::move(source), i = std::move(id)](ReadContext& c) { return read_message_by_id(c, s, i); });
}
Task<Result<std::vector<MessageRow>>> SqliteStore::messages(MessageFilter filter) {
  return impl_->read<std::vector<MessageRow>>([f = std::move(filter)](ReadContext& c) { return read_messages(c, f); });
}
Task<Result<std::vector<DecisionRow>>> SqliteStore::decisions(std::string case_id, MessageSeq after, int limit) {
  return impl_->read<std::vector<DecisionRow>>(
      [id = std::move(case_id), after, limit](ReadContext& c) { return read_decisions(c, id, after, limit); });
}
Task<Result<std::optional<DecisionRow>>> SqliteStore::decision(MessageSeq message) {
  return impl_->read<std::optional<DecisionRow>>([message](ReadContext& c) { return read_decision_of(c, message); });
}
Task<Result<std::vector<DeliveryRow>>> SqliteStore::due_deliveries(Instant now, int limit,
                                                                   std::vector<std::string> busy_targets) {
  return impl_->read<std::vector<DeliveryRow>>(
      [now, limit, busy = std::move(busy_targets)](ReadContext& c) { return read_due(c, now, limit, busy); });
}
Task<Result<std::optional<DeliveryRow>>> SqliteStore::delivery(std::string id) {
  return impl_->read<std::optional<DeliveryRow>>(
      [i = std::move(id)](ReadContext& c) { return read_delivery_by_id(c, i); });
}
Task<Result<std::vector<DeliveryRow>>> SqliteStore::deliveries(DeliveryFilter filter) {
  return impl_->read<std::vector<DeliveryRow>>(
      [f = std::move(filter)](ReadContext& c) { return read_deliveries(c, f); });
}
Task<Result<std::vector<AttemptRow>>> SqliteStore::attempts(std::string delivery) {
  return impl_->read<std::vector<AttemptRow>>(
      [d = std::move(delivery)](ReadContext& c) { return read_attempts(c, d); });
}
Task<Result<std::optional<Instant>>> SqliteStore::next_due() {
  return impl_->read<std::optional<Instant>>([](ReadContext& c) { return read_next_due(c); });
}
Task<Result<std::vector<TimerRow>>> SqliteStore::due_timers(Instant now, int limit) {
  return impl_->read<std::vector<TimerRow>>([now, limit](ReadContext& c) { return read_due_timers(c, now, limit); });
}
Task<Result<std::vector<TimerRow>>> SqliteStore::timers(std::string case_id) {
  return impl_->read<std::vector<TimerRow>>([id = std::move(case_id)](ReadContext& c) { return read_timers(c, id); });
}
Task<Result<std::optional<Row>>> SqliteStore::row(std::string space, std::string key) {
  return impl_->read<std::optional<Row>>(
      [s = std::move(space), k = std::move(key)](ReadContext& c) { return read_row_at(c, s, k); });
}
Task<Result<std::vector<std::optional<Row>>>> SqliteStore::rows_at(std::string space, std::vector<std::string> keys) {
  return impl_->read<std::vector<std::optional<Row>>>(
      [s = std::move(space), k = std::move(keys)](ReadContext& c) { return read_rows_at(c, s, k); });
}
Task<Result<std::vector<Row>>> SqliteStore::rows(std::string space, std::string prefix, std::string after, int limit) {
  return impl_->read<std::vector<Row>>([s = std::move(space), p = std::move(prefix), a = std::move(after),
                                        limit](ReadContext& c) { return read_rows(c, s, p, a, limit); });
}
Task<Result<std::vector<LeafRow>>> SqliteStore::leaves(std::int64_t position, int limit) {
  return impl_->read<std::vector<LeafRow>>(
      [position, limit](ReadContext& c) { return read_leaves(c, position, limit); });
}
Task<Result<Stats>> SqliteStore::stats() {
  return impl_->read<Stats>([](ReadContext& c) { return read_stats(c); });
}
Task<Result<IntegrityReport>> SqliteStore::integrity() {
  return impl_->read<IntegrityReport>([](ReadContext& c) { return read_integrity(c); }, false);
}

namespace {

Result<void> write_copy(ReadContext& c, const std::string& path, const std::string& vfs) {
  int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    if (errno == EEXIST) return fail(ErrorKind::conflict, "STORE_EXISTS", "there is a file at the path of the backup");
    return fail(ErrorKind::unavailable, "STORE_BACKUP", "the backup file cannot be made");
  }
  ::close(fd);
  auto undo = [&](Error error) -> Result<void> {
    ::unlink(path.c_str());
    return fail(std::move(error));
  };
  try {
    c.db.run("VACUUM INTO ?1", path);
    // The copy is read once, so that a damaged row is found now and not at the restore.
    Connection copy(path, Connection::Mode::read_only, vfs);
    ReadContext check{copy, c.guard};
    auto report = read_integrity(check);
    if (!report) return undo(std::move(report.error()));
    if (!report->corrupt.empty())
      return undo({ErrorKind::internal,
                   "STORE_CORRUPT_ROW",
                   "the store holds damaged rows, first: " + report->corrupt.front(),
                   {}});
  } catch (const SqliteFailure& e) {
    // Of the copy, most likely a full disk: the store itself goes on. Its own failures show on its own statements.
    return undo({ErrorKind::unavailable, "STORE_BACKUP", e.what(), {}});
  }
  if (auto ok = flush_file(path); !ok) return undo({ErrorKind::unavailable, "STORE_BACKUP", ok.error().message, {}});
  return {};
}

}  // namespace

Task<Result<void>> SqliteStore::backup(std::string path) {
  struct Done {};
  auto copied = co_await impl_->read<Done>(
      [p = std::move(path), vfs = impl_->options.vfs](ReadContext& c) -> Result<Done> {
        auto ok = write_copy(c, p, vfs);
        if (!ok) return fail(std::move(ok.error()));
        return Done{};
      },
      false);
  if (!copied) co_return fail(std::move(copied.error()));
  co_return Result<void>{};
}

void SqliteStore::close() { impl_->engine->close(); }
SqliteHealth SqliteStore::health() const { return impl_->engine->health(); }
bool SqliteStore::room_for_intake() const { return impl_->engine->room_for_intake(); }

}  // namespace schakel::store
