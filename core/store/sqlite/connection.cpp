#include "core/store/sqlite/connection.hpp"

#include <fmt/format.h>

#include <cstring>

namespace schakel::store {

SqliteFailure::SqliteFailure(int extended_code, const std::string& where)
    : std::runtime_error(fmt::format("{}: {} ({})", where, sqlite3_errstr(extended_code & 0xff), extended_code)),
      code_(extended_code) {}

Error SqliteFailure::error() const { return {ErrorKind::io, "STORE_IO", what(), {}}; }

namespace {
[[noreturn]] void raise(sqlite3* db, const char* where) {
  throw SqliteFailure(db ? sqlite3_extended_errcode(db) : SQLITE_NOMEM, where);
}
}  // namespace

Statement::~Statement() {
  if (statement_) {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
}

Statement& Statement::bind(std::string_view text) {
  // A null pointer would bind NULL.
  const char* data = text.data() ? text.data() : "";
  if (sqlite3_bind_text64(statement_, next_++, data, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8) != SQLITE_OK)
    raise(sqlite3_db_handle(statement_), "bind");
  return *this;
}

Statement& Statement::bind(ByteView blob) {
  const void* data = blob.data() ? static_cast<const void*>(blob.data()) : "";
  if (sqlite3_bind_blob64(statement_, next_++, data, blob.size(), SQLITE_TRANSIENT) != SQLITE_OK)
    raise(sqlite3_db_handle(statement_), "bind");
  return *this;
}

Statement& Statement::bind(std::int64_t value) {
  if (sqlite3_bind_int64(statement_, next_++, value) != SQLITE_OK) raise(sqlite3_db_handle(statement_), "bind");
  return *this;
}

Statement& Statement::bind(const std::optional<Instant>& t) {
  if (t) return bind(*t);
  if (sqlite3_bind_null(statement_, next_++) != SQLITE_OK) raise(sqlite3_db_handle(statement_), "bind");
  return *this;
}

bool Statement::step() {
  switch (sqlite3_step(statement_)) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      raise(sqlite3_db_handle(statement_), "step");
  }
}

std::string Statement::text(int column) const {
  const auto* p = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return p ? std::string(p, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))) : std::string();
}

Bytes Statement::blob(int column) const {
  const auto* p = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
  return p ? Bytes(p, p + sqlite3_column_bytes(statement_, column)) : Bytes();
}

Digest Statement::digest(int column) const {
  Digest d{};
  const void* p = sqlite3_column_blob(statement_, column);
  if (p && sqlite3_column_bytes(statement_, column) == static_cast<int>(d.size())) std::memcpy(d.data(), p, d.size());
  return d;
}

std::optional<Instant> Statement::maybe_instant(int column) const {
  if (null(column)) return std::nullopt;
  return instant(column);
}

Connection::Connection(const std::string& path, Mode mode, const std::string& vfs) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
              (mode == Mode::write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
  int rc = sqlite3_open_v2(path.c_str(), &db_, flags, vfs.empty() ? nullptr : vfs.c_str());
  if (rc != SQLITE_OK) {
    sqlite3_close_v2(db_);
    throw SqliteFailure(rc, "open");
  }
  try {
    sqlite3_db_config(db_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(db_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(db_, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
    sqlite3_db_config(db_, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
    if (mode == Mode::read_only) sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    sqlite3_busy_timeout(db_, 1000);
    // No automatic checkpoint anywhere: SQLite ignores its errors, and ours must end the store (DUR-5).
    script(
        "PRAGMA wal_autocheckpoint=0; PRAGMA mmap_size=0; PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY; PRAGMA "
        "cache_size=-16384");
    sqlite3_wal_hook(
        db_,
        [](void* self, sqlite3*, const char*, int frames) {
          static_cast<Connection*>(self)->wal_frames_ = frames;
          return SQLITE_OK;
        },
        this);
  } catch (...) {
    sqlite3_close_v2(db_);
    throw;
  }
}

Connection::~Connection() {
  for (auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close_v2(db_);
}

void Connection::script(std::string_view sql) {
  if (sqlite3_exec(db_, std::string(sql).c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) raise(db_, "script");
}

sqlite3_stmt* Connection::prepared(std::string_view sql) {
  auto [at, fresh] = statements_.try_emplace(std::string(sql), nullptr);
  if (!at->second) {
    if (sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &at->second,
                           nullptr) != SQLITE_OK)
      raise(db_, "prepare");
  }
  // A statement in use twice at once would lose its place; only the folder's own code could do that.
  if (sqlite3_stmt_busy(at->second)) throw SqliteFailure(SQLITE_MISUSE, "statement in use");
  return at->second;
}

bool Connection::checkpoint(int mode) {
  int frames = 0, done = 0;
  int rc = sqlite3_wal_checkpoint_v2(db_, nullptr, mode, &frames, &done);
  if (rc == SQLITE_BUSY) return true;
  if (rc != SQLITE_OK) raise(db_, "checkpoint");
  if (mode == SQLITE_CHECKPOINT_TRUNCATE) wal_frames_ = 0;
  return false;
}

void Connection::abandon() { sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr); }

}  // namespace schakel::store
