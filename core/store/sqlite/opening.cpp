#include "core/store/sqlite/opening.hpp"

#include <fmt/format.h>

#include "core/store/migrations/sqlite.hpp"

namespace schakel::store {
namespace {

constexpr std::int64_t kApplicationId = 0x5343484b;  // "SCHK"

// Both step to the end: a pragma that writes gives its answer first and may fail after it.
std::int64_t number(Connection& db, std::string_view sql) {
  auto s = db.query(sql);
  std::int64_t out = 0;
  while (s.step()) out = s.integer(0);
  return out;
}

std::string word(Connection& db, std::string_view sql) {
  auto s = db.query(sql);
  std::string out;
  while (s.step()) out = s.text(0);
  return out;
}

std::unexpected<Error> setting(std::string_view name) {
  return fail(ErrorKind::internal, "STORE_SETTING", fmt::format("SQLite did not take {}", name));
}

Result<void> migrate(Connection& db, const RowGuard& guard, Instant now) {
  auto id = number(db, "PRAGMA application_id");
  auto tables = number(db, "SELECT COUNT(*) FROM sqlite_schema");
  if (id != kApplicationId && (id != 0 || tables != 0))
    return fail(ErrorKind::invalid, "STORE_FOREIGN", "the file is a database of something else");
  if (tables == 0) {
    db.run("BEGIN IMMEDIATE");
    db.script(fmt::format("PRAGMA application_id={}", kApplicationId));
    db.run(
        "CREATE TABLE migrations(version INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, applied_at "
        "INTEGER NOT NULL) STRICT");
    db.run("COMMIT");
  }
  auto newest = number(db, "SELECT MAX(version) FROM migrations");
  if (newest > kSqliteMigrations.back().version)
    return fail(ErrorKind::invalid, "STORE_NEWER", "the database was written by a later version");
  for (const auto& step : kSqliteMigrations) {
    auto hash = sha256_hex(step.sql);
    if (step.version <= newest) {
      auto s = db.query("SELECT sha256 FROM migrations WHERE version=?1", step.version);
      if (!s.step() || s.text(0) != hash)
        return fail(ErrorKind::internal, "STORE_MIGRATION",
                    fmt::format("step {} is not the one that was applied", step.version));
      continue;
    }
    db.run("BEGIN IMMEDIATE");
    db.script(step.sql);
    db.run("INSERT INTO migrations VALUES(?1,?2,?3,?4)", step.version, step.name, hash, now);
    if (step.version == 1) db.run("INSERT INTO meta VALUES('guard',?1)", guard.check_text("guard"));
    db.run("COMMIT");
  }
  auto s = db.query("SELECT value FROM meta WHERE key='guard'");
  if (!s.step() || s.digest(0) != guard.check_text("guard"))
    return fail(ErrorKind::invalid, "STORE_KEY", "the row checks were made with another key");
  return {};
}

}  // namespace

Result<void> prepare_database(Connection& db, const RowGuard& guard, Instant now, bool memory) {
  auto wanted = memory ? "memory" : "wal";
  if (word(db, memory ? "PRAGMA journal_mode=MEMORY" : "PRAGMA journal_mode=WAL") != wanted)
    return setting("journal_mode");
  db.script("PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA journal_size_limit=67108864");
  if (number(db, "PRAGMA synchronous") != 2) return setting("synchronous");
  if (!memory && db.checkpoint(SQLITE_CHECKPOINT_TRUNCATE))
    return fail(ErrorKind::conflict, "STORE_CHECKPOINT_BUSY", "something else has the database open");
  return migrate(db, guard, now);
}

}  // namespace schakel::store
