// One SQLite connection and its prepared statements.
#pragma once
#include <sqlite3.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/hash.hpp"

namespace schakel::store {

/// What SQLite refused. An exception, unlike expected failures, since nearly every one of them ends the store: it is
/// caught where a batch, a read or an opening begins and nowhere else in this folder.
class SqliteFailure : public std::runtime_error {
 public:
  SqliteFailure(int extended_code, const std::string& where);
  [[nodiscard]] int extended() const { return code_; }
  [[nodiscard]] int primary() const { return code_ & 0xff; }
  /// Codes and the place only; SQLite's own text may quote a value.
  [[nodiscard]] Error error() const;

 private:
  int code_;
};

/// A prepared statement borrowed from its connection; reset when it goes. Bound values are copied.
class Statement {
 public:
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  ~Statement();
  Statement(Statement&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)), next_(other.next_) {}
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  Statement& operator=(Statement&&) = delete;

  Statement& bind(std::string_view text);
  Statement& bind(ByteView blob);
  Statement& bind(std::int64_t value);
  Statement& bind(int value) { return bind(std::int64_t{value}); }
  Statement& bind(Instant t) { return bind(t.time_since_epoch().count()); }
  Statement& bind(const std::optional<Instant>& t);
  Statement& bind(const Bytes& blob) { return bind(ByteView(blob)); }
  Statement& bind(const Digest& digest) { return bind(ByteView(digest)); }
  Statement& bind(const std::string& text) { return bind(std::string_view(text)); }
  Statement& bind(const char* text) { return bind(std::string_view(text)); }

  /// true: a row stands ready.
  bool step();
  [[nodiscard]] std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] Bytes blob(int column) const;
  /// All zero when the column does not hold 32 bytes; a row check over it then fails.
  [[nodiscard]] Digest digest(int column) const;
  [[nodiscard]] Instant instant(int column) const { return Instant{milliseconds{integer(column)}}; }
  [[nodiscard]] std::optional<Instant> maybe_instant(int column) const;
  [[nodiscard]] bool null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

 private:
  sqlite3_stmt* statement_;
  int next_ = 1;
};

/// Thread: one at a time. Statements borrowed from it must be gone before it goes.
class Connection {
 public:
  enum class Mode { write, read_only };
  /// Throws SqliteFailure. Turns off what can be a surprise: mmap (an I/O error there is a SIGBUS), trusted schema, and
  /// for read_only every kind of checkpoint (trust.md section 5, pitfalls 2 and 8).
  Connection(const std::string& path, Mode mode, const std::string& vfs);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  template <class... Values>
  Statement query(std::string_view sql, const Values&... values) {
    Statement s(prepared(sql));
    (s.bind(values), ...);
    return s;
  }
  template <class... Values>
  void run(std::string_view sql, const Values&... values) {
    auto s = query(sql, values...);
    while (s.step()) {
    }
  }
  /// Several statements without values.
  void script(std::string_view sql);
  [[nodiscard]] int changes() const { return sqlite3_changes(db_); }
  /// Frames in the write-ahead log after the last commit of this connection.
  [[nodiscard]] int wal_frames() const { return wal_frames_; }
  /// Returns whether a reader or writer stood in the way; that is no error to SQLite (pitfall 5).
  bool checkpoint(int mode);
  /// Leave the files exactly as they are when this goes: no checkpoint, after a failure.
  void abandon();
  [[nodiscard]] sqlite3* handle() const { return db_; }

 private:
  sqlite3_stmt* prepared(std::string_view sql);
  sqlite3* db_ = nullptr;
  int wal_frames_ = 0;
  std::unordered_map<std::string, sqlite3_stmt*> statements_;
};

}  // namespace schakel::store
