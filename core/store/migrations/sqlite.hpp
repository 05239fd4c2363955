// The schema of the SQLite store, as steps that are applied once and in order. A step that was released is never
// edited: its hash is kept in the database and a difference refuses to open (STORE_MIGRATION).
#pragma once
#include <array>
#include <string_view>

namespace schakel::store {

struct Migration {
  int version;
  std::string_view name;
  std::string_view sql;
};

/// `row_check` covers every other column of its row (and `sealed` through `sealed_hash`), since SQLite has no page
/// checksums (trust.md DUR-8); `deliveries.head` is derived and checked at use. `sealed` stands last, so that reading
/// the other columns does not walk its overflow pages. Instants are milliseconds UTC. States are the values of the
/// enums.
inline constexpr std::string_view kSqliteStep1 = R"sql(
CREATE TABLE messages(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, region TEXT NOT NULL,
  party TEXT NOT NULL, lane TEXT NOT NULL, case_id TEXT NOT NULL, accepted_at INTEGER NOT NULL, content_hash BLOB NOT NULL,
  state INTEGER NOT NULL, outcome TEXT NOT NULL, sealed_hash BLOB NOT NULL, row_check BLOB NOT NULL, sealed BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX messages_source_id ON messages(source, id);
CREATE INDEX messages_undecided ON messages(seq, lane) WHERE state=0;
CREATE INDEX messages_case ON messages(case_id, seq) WHERE case_id<>'';
CREATE INDEX messages_party ON messages(party, seq);

CREATE TABLE decisions(
  message INTEGER PRIMARY KEY, case_id TEXT NOT NULL, decided_at INTEGER NOT NULL, outcome TEXT NOT NULL, codes TEXT NOT NULL,
  rules_version TEXT NOT NULL, sealed_hash BLOB NOT NULL, row_check BLOB NOT NULL, sealed BLOB NOT NULL
) STRICT;
CREATE INDEX decisions_case ON decisions(case_id, message);

CREATE TABLE deliveries(
  n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, message INTEGER NOT NULL, case_id TEXT NOT NULL, lane TEXT NOT NULL,
  target TEXT NOT NULL, role TEXT NOT NULL, kind TEXT NOT NULL, state INTEGER NOT NULL, attempts INTEGER NOT NULL,
  created_at INTEGER NOT NULL, next_at INTEGER NOT NULL, settled_at INTEGER, code TEXT NOT NULL,
  sealed_hash BLOB NOT NULL, row_check BLOB NOT NULL, head INTEGER NOT NULL, sealed BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX deliveries_id ON deliveries(id);
CREATE UNIQUE INDEX deliveries_head ON deliveries(lane) WHERE head=1;
CREATE INDEX deliveries_open ON deliveries(lane, n) WHERE state IN (0,1,4);
CREATE INDEX deliveries_due ON deliveries(target, next_at, n) WHERE head=1 AND state=0;
CREATE INDEX deliveries_state ON deliveries(state, id) WHERE state<>2;
CREATE INDEX deliveries_case ON deliveries(case_id, id) WHERE case_id<>'';
CREATE INDEX deliveries_message ON deliveries(message, id);

CREATE TABLE attempts(
  n INTEGER PRIMARY KEY AUTOINCREMENT, delivery TEXT NOT NULL, number INTEGER NOT NULL, started_at INTEGER NOT NULL,
  ended_at INTEGER, verdict TEXT NOT NULL, code TEXT NOT NULL, row_check BLOB NOT NULL
) STRICT;
CREATE INDEX attempts_delivery ON attempts(delivery, n);

CREATE TABLE timers(
  id TEXT PRIMARY KEY, case_id TEXT NOT NULL, name TEXT NOT NULL, due INTEGER NOT NULL, state TEXT NOT NULL,
  row_check BLOB NOT NULL, sealed BLOB NOT NULL
) STRICT;
CREATE INDEX timers_due ON timers(due, id) WHERE state='set';
CREATE INDEX timers_case ON timers(case_id, id);

CREATE TABLE kv(
  space TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, row_check BLOB NOT NULL, value BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX kv_key ON kv(space, key);

CREATE TABLE leaves(
  n INTEGER PRIMARY KEY AUTOINCREMENT, position INTEGER, at INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
  row_check BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX leaves_position ON leaves(position) WHERE position IS NOT NULL;
CREATE INDEX leaves_unsequenced ON leaves(n) WHERE position IS NULL;

CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
)sql";

inline constexpr std::array<Migration, 1> kSqliteMigrations{{{1, "first", kSqliteStep1}}};

}  // namespace schakel::store
