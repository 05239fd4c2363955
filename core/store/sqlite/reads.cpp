#include "core/store/sqlite/reads.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/json.hpp"

namespace schakel::store {
namespace {

/// Collects what `read` makes of every row, or the first error.
template <class T, class Read>
Result<std::vector<T>> collect(Statement s, Read read) {
  std::vector<T> out;
  while (s.step()) {
    Result<T> row = read(s);
    if (!row) return fail(std::move(row.error()));
    out.push_back(std::move(*row));
  }
  return out;
}

template <class T, class Read>
Result<std::optional<T>> one(Statement s, Read read) {
  if (!s.step()) return std::nullopt;
  Result<T> row = read(s);
  if (!row) return fail(std::move(row.error()));
  return std::optional<T>(std::move(*row));
}

/// Targets with a delivery that could go, by jumping through the index: there are few targets and many deliveries.
std::vector<std::string> waiting_targets(Connection& db) {
  std::vector<std::string> out;
  {
    auto s = db.query("SELECT target FROM deliveries WHERE head=1 AND state=0 ORDER BY target LIMIT 1");
    if (s.step()) out.push_back(s.text(0));
  }
  while (!out.empty()) {
    auto s = db.query("SELECT target FROM deliveries WHERE head=1 AND state=0 AND target>?1 ORDER BY target LIMIT 1",
                      out.back());
    if (!s.step()) break;
    out.push_back(s.text(0));
  }
  return out;
}

std::string prefix_end(std::string prefix) {
  // The first text after all that start with the prefix; empty: there is none.
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();
  if (!prefix.empty()) prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

}  // namespace

Result<std::vector<MessageRow>> read_undecided(ReadContext& c, int limit, const std::vector<std::string>& busy_lanes) {
  std::vector<MessageRow> out;
  std::set<std::string> stopped;
  auto s = c.db.query(
      fmt::format("SELECT {},sealed FROM messages INDEXED BY messages_undecided WHERE state=0 AND lane NOT IN "
                  "(SELECT value FROM json_each(?1)) ORDER BY seq",
                  kMessageColumns),
      dump_json(Json(busy_lanes)));
  while (static_cast<int>(out.size()) < limit && s.step()) {
    auto m = read_message(s, c.guard, true);
    if (!m) {
      ++c.corrupt;
      stopped.insert(s.text(6));
    } else if (!stopped.contains(m->lane)) {
      out.push_back(std::move(*m));
    }
  }
  return out;
}

Result<std::optional<MessageRow>> read_message_by_seq(ReadContext& c, MessageSeq seq) {
  return one<MessageRow>(c.db.query(fmt::format("SELECT {},sealed FROM messages WHERE seq=?1", kMessageColumns), seq),
                         [&](const Statement& s) { return read_message(s, c.guard, true); });
}

Result<std::optional<MessageRow>> read_message_by_id(ReadContext& c, const std::string& source, const std::string& id) {
  return one<MessageRow>(
      c.db.query(fmt::format("SELECT {},sealed FROM messages WHERE source=?1 AND id=?2", kMessageColumns), source, id),
      [&](const Statement& s) { return read_message(s, c.guard, true); });
}

Result<std::vector<MessageRow>> read_messages(ReadContext& c, const MessageFilter& f) {
  // Every parameter is bound in every form, so that one list of values fits all of them.
  auto sql = fmt::format(
      "SELECT {}{} FROM messages WHERE seq>?1 AND ?2 IS NOT NULL AND ?3 IS NOT NULL AND ?4 IS NOT NULL AND ?5 IS NOT "
      "NULL{}{}{}{} "
      "ORDER BY seq LIMIT ?6",
      kMessageColumns, f.with_sealed ? ",sealed" : "", f.case_id.empty() ? "" : " AND case_id=?2 AND case_id<>''",
      f.party.empty() ? "" : " AND party=?3", f.type.empty() ? "" : " AND type=?4",
      f.outcome.empty() ? "" : " AND outcome=?5");
  return collect<MessageRow>(c.db.query(sql, f.after, f.case_id, f.party, f.type, f.outcome, f.limit),
                             [&](const Statement& s) { return read_message(s, c.guard, f.with_sealed); });
}

Result<std::vector<DecisionRow>> read_decisions(ReadContext& c, const std::string& case_id, MessageSeq after,
                                                int limit) {
  return collect<DecisionRow>(
      c.db.query(fmt::format("SELECT {} FROM decisions WHERE case_id=?1 AND message>?2 ORDER BY message LIMIT ?3",
                             kDecisionColumns),
                 case_id, after, limit),
      [&](const Statement& s) { return read_decision(s, c.guard); });
}

Result<std::optional<DecisionRow>> read_decision_of(ReadContext& c, MessageSeq message) {
  return one<DecisionRow>(
      c.db.query(fmt::format("SELECT {} FROM decisions WHERE message=?1", kDecisionColumns), message),
      [&](const Statement& s) { return read_decision(s, c.guard); });
}

Result<std::vector<DeliveryRow>> read_due(ReadContext& c, Instant now, int limit,
                                          const std::vector<std::string>& busy_targets) {
  struct Candidate {
    std::int64_t next_at, n;
    auto operator<=>(const Candidate&) const = default;
  };
  std::vector<Candidate> candidates;
  std::set<std::string, std::less<>> busy(busy_targets.begin(), busy_targets.end());
  for (const auto& target : waiting_targets(c.db)) {
    if (busy.contains(target)) continue;
    auto s = c.db.query(
        "SELECT next_at, n FROM deliveries WHERE head=1 AND state=0 AND target=?1 AND next_at<=?2 ORDER BY next_at, n "
        "LIMIT ?3",
        target, now, limit);
    while (s.step()) candidates.push_back({s.integer(0), s.integer(1)});
  }
  std::ranges::sort(candidates);
  std::vector<DeliveryRow> out;
  for (const auto& candidate : candidates) {
    if (static_cast<int>(out.size()) >= limit) break;
    auto s = c.db.query(fmt::format("SELECT {},sealed FROM deliveries WHERE n=?1", kDeliveryColumns), candidate.n);
    if (!s.step()) continue;
    auto d = read_delivery(s, c.guard, true);
    // `head` is outside the row check, so it is proven here: nothing open stands before it.
    bool first = false;
    if (d) {
      auto before = c.db.query("SELECT 1 FROM deliveries WHERE lane=?1 AND state IN (0,1,4) AND n<?2 LIMIT 1", d->lane,
                               candidate.n);
      first = !before.step();
    }
    if (d && first)
      out.push_back(std::move(*d));
    else
      ++c.corrupt;
  }
  return out;
}

Result<std::optional<DeliveryRow>> read_delivery_by_id(ReadContext& c, const std::string& id) {
  return one<DeliveryRow>(c.db.query(fmt::format("SELECT {},sealed FROM deliveries WHERE id=?1", kDeliveryColumns), id),
                          [&](const Statement& s) { return read_delivery(s, c.guard, true); });
}

Result<std::vector<DeliveryRow>> read_deliveries(ReadContext& c, const DeliveryFilter& f) {
  // The state stands in the text, so that SQLite can prove that the partial index fits.
  auto state = !f.state ? std::string()
               : *f.state == DeliveryState::delivered
                   ? std::string(" AND state=2")
                   : fmt::format(" AND state={} AND state<>2", static_cast<int>(*f.state));
  auto sql = fmt::format(
      "SELECT {},sealed FROM deliveries WHERE id>?1 AND ?2 IS NOT NULL AND ?3 IS NOT NULL AND ?4 IS NOT NULL AND ?5 IS "
      "NOT "
      "NULL{}{}{}{}{} ORDER BY id LIMIT ?6",
      kDeliveryColumns, state, f.case_id.empty() ? "" : " AND case_id=?2 AND case_id<>''",
      f.target.empty() ? "" : " AND target=?3", f.code.empty() ? "" : " AND code=?4",
      f.message == 0 ? "" : " AND message=?5");
  return collect<DeliveryRow>(c.db.query(sql, f.after_id, f.case_id, f.target, f.code, f.message, f.limit),
                              [&](const Statement& s) { return read_delivery(s, c.guard, true); });
}

Result<std::vector<AttemptRow>> read_attempts(ReadContext& c, const std::string& delivery) {
  return collect<AttemptRow>(
      c.db.query(fmt::format("SELECT {} FROM attempts WHERE delivery=?1 ORDER BY n", kAttemptColumns), delivery),
      [&](const Statement& s) { return read_attempt(s, c.guard); });
}

Result<std::optional<Instant>> read_next_due(ReadContext& c) {
  std::optional<Instant> next;
  auto earlier = [&](Instant t) {
    if (!next || t < *next) next = t;
  };
  for (const auto& target : waiting_targets(c.db)) {
    auto s = c.db.query(
        "SELECT next_at FROM deliveries WHERE head=1 AND state=0 AND target=?1 ORDER BY next_at LIMIT 1", target);
    if (s.step()) earlier(s.instant(0));
  }
  auto s = c.db.query("SELECT due FROM timers WHERE state='set' ORDER BY due LIMIT 1");
  if (s.step()) earlier(s.instant(0));
  return next;
}

Result<std::vector<TimerRow>> read_due_timers(ReadContext& c, Instant now, int limit) {
  std::vector<TimerRow> out;
  auto s = c.db.query(
      fmt::format("SELECT {} FROM timers WHERE state='set' AND due<=?1 ORDER BY due, id", kTimerColumns), now);
  while (static_cast<int>(out.size()) < limit && s.step()) {
    auto t = read_timer(s, c.guard);
    if (t)
      out.push_back(std::move(*t));
    else
      ++c.corrupt;
  }
  return out;
}

Result<std::vector<TimerRow>> read_timers(ReadContext& c, const std::string& case_id) {
  return collect<TimerRow>(
      c.db.query(fmt::format("SELECT {} FROM timers WHERE case_id=?1 ORDER BY id", kTimerColumns), case_id),
      [&](const Statement& s) { return read_timer(s, c.guard); });
}

Result<std::optional<Row>> read_row_at(ReadContext& c, const std::string& space, const std::string& key) {
  return one<Row>(c.db.query(fmt::format("SELECT {} FROM kv WHERE space=?1 AND key=?2", kRowColumns), space, key),
                  [&](const Statement& s) { return read_row(s, c.guard); });
}

Result<std::vector<std::optional<Row>>> read_rows_at(ReadContext& c, const std::string& space,
                                                     const std::vector<std::string>& keys) {
  // One look at the store for all of them, and its locks are taken once.
  struct Snapshot {
    Connection& db;
    explicit Snapshot(Connection& c) : db(c) { db.run("BEGIN"); }
    ~Snapshot() {
      try {
        db.run("COMMIT");
      } catch (const SqliteFailure&) {
        // A read that failed has ended its transaction already.
      }
    }
  } snapshot(c.db);
  std::vector<std::optional<Row>> out;
  out.reserve(keys.size());
  for (const auto& key : keys) {
    auto one = read_row_at(c, space, key);
    if (!one) return fail(std::move(one.error()));
    out.push_back(std::move(*one));
  }
  return out;
}

Result<std::vector<Row>> read_rows(ReadContext& c, const std::string& space, const std::string& prefix,
                                   const std::string& after, int limit) {
  auto end = prefix_end(prefix);
  auto sql =
      fmt::format("SELECT {} FROM kv WHERE space=?1 AND key>=?2 AND key>?3 AND ?4 IS NOT NULL{} ORDER BY key LIMIT ?5",
                  kRowColumns, end.empty() ? "" : " AND key<?4");
  return collect<Row>(c.db.query(sql, space, prefix, after, end, limit),
                      [&](const Statement& s) { return read_row(s, c.guard); });
}

Result<std::vector<LeafRow>> read_leaves(ReadContext& c, std::int64_t position, int limit) {
  return collect<LeafRow>(
      c.db.query(
          fmt::format("SELECT {} FROM leaves WHERE position IS NOT NULL AND position>=?1 ORDER BY position LIMIT ?2",
                      kLeafColumns),
          position, limit),
      [&](const Statement& s) { return read_leaf(s, c.guard); });
}

Result<Stats> read_stats(ReadContext& c) {
  Stats out;
  auto number = [&](std::string_view sql) -> std::int64_t {
    auto s = c.db.query(sql);
    return s.step() ? s.integer(0) : 0;
  };
  auto instant = [&](std::string_view sql) -> std::optional<Instant> {
    auto s = c.db.query(sql);
    if (!s.step()) return std::nullopt;
    return s.maybe_instant(0);
  };
  // Messages and leaves are never deleted and their numbers leave no gap here, so the last number is the count.
  out.messages = number("SELECT MAX(seq) FROM messages");
  out.leaves = number("SELECT MAX(n) FROM leaves");
  out.unsequenced = number("SELECT COUNT(*) FROM leaves WHERE position IS NULL");
  out.undecided = number("SELECT COUNT(*) FROM messages WHERE state=0");
  auto s = c.db.query("SELECT state, COUNT(*) FROM deliveries WHERE state<>2 GROUP BY state");
  while (s.step()) {
    switch (static_cast<DeliveryState>(s.integer(0))) {
      case DeliveryState::pending:
        out.pending = s.integer(1);
        break;
      case DeliveryState::dead:
        out.dead = s.integer(1);
        break;
      case DeliveryState::parked:
        out.parked = s.integer(1);
        break;
      default:
        break;
    }
  }
  out.oldest_undecided = instant("SELECT accepted_at FROM messages WHERE state=0 ORDER BY seq LIMIT 1");
  out.oldest_pending =
      instant("SELECT created_at FROM deliveries WHERE n=(SELECT MIN(n) FROM deliveries WHERE head=1 AND state=0)");
  out.bytes = number("SELECT page_count*page_size FROM pragma_page_count(), pragma_page_size()");
  return out;
}

Result<IntegrityReport> read_integrity(ReadContext& c) {
  IntegrityReport report;
  auto structure = c.db.query("PRAGMA integrity_check(20)");
  while (structure.step())
    if (structure.text(0) != "ok") report.corrupt.push_back("structure");
  auto table = [&](std::string_view name, std::string_view columns, auto read) {
    auto s = c.db.query(fmt::format("SELECT {},rowid FROM {}", columns, name));
    auto rowid = static_cast<int>(std::ranges::count(columns, ',')) + 1;
    while (s.step()) {
      ++report.rows;
      if (!read(s)) report.corrupt.push_back(fmt::format("{}/{}", name, s.integer(rowid)));
    }
  };
  table("messages", std::string(kMessageColumns) + ",sealed",
        [&](const Statement& s) { return read_message(s, c.guard, true).has_value(); });
  table("deliveries", std::string(kDeliveryColumns) + ",sealed",
        [&](const Statement& s) { return read_delivery(s, c.guard, true).has_value(); });
  table("decisions", kDecisionColumns, [&](const Statement& s) { return read_decision(s, c.guard).has_value(); });
  table("attempts", kAttemptColumns, [&](const Statement& s) { return read_attempt(s, c.guard).has_value(); });
  table("timers", kTimerColumns, [&](const Statement& s) { return read_timer(s, c.guard).has_value(); });
  table("kv", kRowColumns, [&](const Statement& s) { return read_row(s, c.guard).has_value(); });
  table("leaves", kLeafColumns, [&](const Statement& s) { return read_leaf(s, c.guard).has_value(); });
  return report;
}

}  // namespace schakel::store
