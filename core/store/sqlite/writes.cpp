#include "core/store/sqlite/writes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/json.hpp"

namespace schakel::store {
namespace {

std::unexpected<Error> conflict(std::string what) {
  return fail(ErrorKind::conflict, "STORE_CONFLICT", std::move(what));
}

bool open_state(DeliveryState s) {
  return s == DeliveryState::pending || s == DeliveryState::attempting || s == DeliveryState::parked;
}
bool final_state(DeliveryState s) {
  return s == DeliveryState::delivered || s == DeliveryState::dead || s == DeliveryState::cancelled;
}

/// Applies operations one by one; every function returns an error or nothing.
class Writer {
 public:
  Writer(Connection& db, const RowGuard& guard) : db_(db), guard_(guard) {}
  Committed committed;

  Result<void> operator()(const Accept& op) {
    const auto& in = op.message;
    {
      auto s = db_.query(fmt::format("SELECT {} FROM messages WHERE source=?1 AND id=?2", kMessageColumns), in.source,
                         in.id);
      if (s.step()) {
        auto first = read_message(s, guard_, false);
        if (!first) return fail(first.error());
        committed.duplicate_of = std::move(*first);
        return {};
      }
    }
    // The number is part of the check, so it is taken before the row is written.
    MessageRow m = in;
    m.seq = next("messages");
    auto sealed_hash = sha256(m.sealed);
    db_.run("INSERT INTO messages VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)", m.seq, m.source, m.id,
            m.type, m.region, m.party, m.lane, m.case_id, m.accepted_at, m.content_hash, static_cast<int>(m.state),
            m.outcome, sealed_hash, guard_.check(m, sealed_hash), m.sealed);
    committed.seq = m.seq;
    return {};
  }

  Result<void> operator()(const Decide& op) {
    const auto& d = op.decision;
    RowMeta meta;
    auto m = load_message(d.message, meta);
    if (!m) return fail(m.error());
    if ((*m).state == MessageState::decided) return conflict("decide: the message was decided already");
    m->state = MessageState::decided;
    m->outcome = d.outcome;
    db_.run("UPDATE messages SET state=?2, outcome=?3, row_check=?4 WHERE seq=?1", d.message,
            static_cast<int>(m->state), m->outcome, guard_.check(*m, meta.sealed_hash));
    auto codes = dump_json(Json(d.codes));
    auto sealed_hash = sha256(d.sealed);
    db_.run("INSERT INTO decisions VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)", d.message, d.case_id, d.decided_at, d.outcome,
            codes, d.rules_version, sealed_hash, guard_.check(d, codes, sealed_hash), d.sealed);
    return {};
  }

  Result<void> operator()(const Enqueue& op) {
    const auto& d = op.delivery;
    {
      auto s = db_.query("SELECT 1 FROM deliveries WHERE id=?1", d.id);
      if (s.step()) return {};
    }
    auto sealed_hash = sha256(d.sealed);
    db_.run(
        "INSERT INTO "
        "deliveries(id,message,case_id,lane,target,role,kind,state,attempts,created_at,next_at,settled_at,code,sealed_"
        "hash,"
        "row_check,head,sealed) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,0,?16)",
        d.id, d.message, d.case_id, d.lane, d.target, d.role, d.kind, static_cast<int>(d.state), d.attempts,
        d.created_at, d.next_at, d.settled_at, d.code, sealed_hash, guard_.check(d, sealed_hash), d.sealed);
    refresh_head(d.lane);
    return {};
  }

  Result<void> operator()(const StartAttempt& op) {
    RowMeta meta;
    auto d = load_delivery(op.delivery, meta);
    if (!d) return fail(d.error());
    if (d->state != DeliveryState::pending || d->attempts != op.expect_attempts)
      return conflict("start: the delivery is not pending with that many attempts");
    d->state = DeliveryState::attempting;
    ++d->attempts;
    save(*d, meta);
    AttemptRow a{d->id, d->attempts, op.at, std::nullopt, "", ""};
    db_.run(
        "INSERT INTO attempts(delivery,number,started_at,ended_at,verdict,code,row_check) "
        "VALUES(?1,?2,?3,NULL,'','',?4)",
        a.delivery, a.number, a.started_at, guard_.check(a));
    return {};
  }

  Result<void> operator()(const Settle& op) {
    RowMeta meta;
    auto d = load_delivery(op.delivery, meta);
    if (!d) return fail(d.error());
    if (d->state != DeliveryState::attempting || d->attempts != op.number)
      return conflict("settle: not the running attempt");
    if (op.state == DeliveryState::attempting)
      return fail(ErrorKind::invalid, "STORE_INVALID", "settle: attempting is no outcome");
    {
      std::int64_t n = 0;
      AttemptRow a;
      {
        auto s = db_.query(
            fmt::format("SELECT {},n FROM attempts WHERE delivery=?1 ORDER BY n DESC LIMIT 1", kAttemptColumns),
            op.delivery);
        if (!s.step()) return conflict("settle: no attempt is recorded");
        auto read = read_attempt(s, guard_);
        if (!read) return fail(read.error());
        a = std::move(*read);
        n = s.integer(7);
      }
      a.ended_at = op.at;
      a.verdict = op.verdict;
      a.code = op.code;
      db_.run("UPDATE attempts SET ended_at=?2, verdict=?3, code=?4, row_check=?5 WHERE n=?1", n, op.at, a.verdict,
              a.code, guard_.check(a));
    }
    d->state = op.state;
    d->next_at = op.next_at;
    d->code = op.code;
    d->settled_at = final_state(op.state) ? std::optional(op.at) : std::nullopt;
    save(*d, meta);
    refresh_head(d->lane);
    return {};
  }

  Result<void> operator()(const ChangeDelivery& op) {
    RowMeta meta;
    auto d = load_delivery(op.delivery, meta);
    if (!d) return fail(d.error());
    if (d->state != op.expect) return conflict("change: the delivery is in another state");
    if (op.state == DeliveryState::attempting)
      return fail(ErrorKind::invalid, "STORE_INVALID", "change: an attempt is started by StartAttempt");
    d->state = op.state;
    d->next_at = op.next_at;
    d->code = op.code;
    if (op.target) d->target = *op.target;
    if (op.sealed) {
      meta.sealed_hash = sha256(*op.sealed);
      db_.run("UPDATE deliveries SET sealed=?2, sealed_hash=?3 WHERE n=?1", meta.n, *op.sealed, meta.sealed_hash);
    }
    d->settled_at = final_state(op.state) ? std::optional(op.next_at) : std::nullopt;
    // The number of an attempt that was never settled still fences its runner off; counting again from 1 would let it
    // back in.
    if (op.reset_attempts && !last_attempt_open(op.delivery)) d->attempts = 0;
    save(*d, meta);
    refresh_head(d->lane);
    return {};
  }

  Result<void> operator()(const SetTimer& op) {
    const auto& t = op.timer;
    db_.run(
        "INSERT INTO timers VALUES(?1,?2,?3,?4,?5,?6,?7) ON CONFLICT(id) DO UPDATE SET case_id=excluded.case_id, "
        "name=excluded.name, "
        "due=excluded.due, state=excluded.state, row_check=excluded.row_check, sealed=excluded.sealed",
        t.id, t.case_id, t.name, t.due, t.state, guard_.check(t), t.sealed);
    return {};
  }

  Result<void> operator()(const PutRow& op) {
    auto version = row_version(op.space, op.key);
    if (op.expect_version && *op.expect_version != version) return conflict("put: the row is at another version");
    Row r{op.space, op.key, op.value, version + 1};
    auto check = guard_.check(r);
    if (version == 0)
      db_.run("INSERT INTO kv VALUES(?1,?2,?3,?4,?5)", r.space, r.key, r.version, check, r.value);
    else
      db_.run("UPDATE kv SET version=?3, row_check=?4, value=?5 WHERE space=?1 AND key=?2", r.space, r.key, r.version,
              check, r.value);
    return {};
  }

  Result<void> operator()(const EraseRow& op) {
    auto version = row_version(op.space, op.key);
    if (op.expect_version && *op.expect_version != version) return conflict("erase: the row is at another version");
    if (version != 0) db_.run("DELETE FROM kv WHERE space=?1 AND key=?2", op.space, op.key);
    return {};
  }

  Result<void> operator()(const AppendLeaf& op) {
    db_.run("INSERT INTO leaves(position,at,kind,body,row_check) VALUES(NULL,?1,?2,?3,?4)", op.leaf.at, op.leaf.kind,
            op.leaf.body, guard_.check(op.leaf));
    return {};
  }

  Result<void> operator()(const SequenceLeaves& op) {
    std::vector<std::int64_t> waiting;
    {
      auto s = db_.query("SELECT n FROM leaves WHERE position IS NULL ORDER BY n LIMIT ?1", op.limit);
      while (s.step()) waiting.push_back(s.integer(0));
    }
    std::int64_t position = 0;
    {
      auto s = db_.query("SELECT MAX(position) FROM leaves WHERE position IS NOT NULL");
      if (s.step() && !s.null(0)) position = s.integer(0) + 1;
    }
    for (auto n : waiting) db_.run("UPDATE leaves SET position=?2 WHERE n=?1", n, position++);
    committed.sequenced += static_cast<int>(waiting.size());
    return {};
  }

  Result<void> operator()(const EraseSealed& op) {
    RowMeta meta;
    auto m = load_message(op.message, meta);
    if (!m) return fail(m.error());
    auto nothing = sha256(ByteView{});
    db_.run("UPDATE messages SET sealed=x'', sealed_hash=?2, row_check=?3 WHERE seq=?1", op.message, nothing,
            guard_.check(*m, nothing));
    return {};
  }

 private:
  /// The number AUTOINCREMENT would give: above every one that was ever used.
  std::int64_t next(std::string_view table) {
    auto s = db_.query("SELECT seq FROM sqlite_sequence WHERE name=?1", table);
    return s.step() ? s.integer(0) + 1 : 1;
  }

  Result<MessageRow> load_message(MessageSeq seq, RowMeta& meta) {
    auto s = db_.query(fmt::format("SELECT {} FROM messages WHERE seq=?1", kMessageColumns), seq);
    if (!s.step()) return conflict("there is no such message");
    return read_message(s, guard_, false, &meta);
  }

  Result<DeliveryRow> load_delivery(const std::string& id, RowMeta& meta) {
    auto s = db_.query(fmt::format("SELECT {} FROM deliveries WHERE id=?1", kDeliveryColumns), id);
    if (!s.step()) return conflict("there is no such delivery");
    return read_delivery(s, guard_, false, &meta);
  }

  void save(const DeliveryRow& d, const RowMeta& meta) {
    // A row that leaves the open states gives up its place here; refresh_head finds the next one.
    db_.run(
        "UPDATE deliveries SET target=?2, state=?3, attempts=?4, next_at=?5, settled_at=?6, code=?7, row_check=?8, "
        "head=head AND ?9 "
        "WHERE n=?1",
        meta.n, d.target, static_cast<int>(d.state), d.attempts, d.next_at, d.settled_at, d.code,
        guard_.check(d, meta.sealed_hash), open_state(d.state) ? 1 : 0);
  }

  /// Exactly the first open delivery of a lane carries head=1; due_deliveries then reads an index and no lane is
  /// scanned.
  void refresh_head(const std::string& lane) {
    std::int64_t first = 0, current = 0;
    {
      auto s = db_.query("SELECT n FROM deliveries WHERE lane=?1 AND state IN (0,1,4) ORDER BY n LIMIT 1", lane);
      if (s.step()) first = s.integer(0);
    }
    {
      auto s = db_.query("SELECT n FROM deliveries WHERE lane=?1 AND head=1", lane);
      if (s.step()) current = s.integer(0);
    }
    if (first == current) return;
    if (current) db_.run("UPDATE deliveries SET head=0 WHERE n=?1", current);
    if (first) db_.run("UPDATE deliveries SET head=1 WHERE n=?1", first);
  }

  bool last_attempt_open(const std::string& delivery) {
    auto s = db_.query("SELECT ended_at IS NULL FROM attempts WHERE delivery=?1 ORDER BY n DESC LIMIT 1", delivery);
    return s.step() && s.integer(0) != 0;
  }

  std::int64_t row_version(const std::string& space, const std::string& key) {
    auto s = db_.query("SELECT version FROM kv WHERE space=?1 AND key=?2", space, key);
    return s.step() ? s.integer(0) : 0;
  }

  Connection& db_;
  const RowGuard& guard_;
};

}  // namespace

Result<Committed> apply(Connection& db, const RowGuard& guard, const Transaction& transaction) {
  db.run("SAVEPOINT one");
  Writer writer(db, guard);
  Result<void> done;
  try {
    for (const auto& op : transaction.ops) {
      done = std::visit(writer, op);
      if (!done || writer.committed.duplicate_of) break;
    }
  } catch (const SqliteFailure& failure) {
    // Too large is a fault of this transaction only.
    if (failure.primary() != SQLITE_TOOBIG) throw;
    done = fail(ErrorKind::too_large, "STORE_TOO_LARGE", "a value is larger than the store can hold");
  }
  if (!done || writer.committed.duplicate_of) {
    db.run("ROLLBACK TO one");
    db.run("RELEASE one");
    if (!done) return fail(std::move(done.error()));
    return Committed{0, std::move(writer.committed.duplicate_of), 0};
  }
  db.run("RELEASE one");
  return std::move(writer.committed);
}

bool takes_in(const Transaction& transaction) {
  return std::ranges::any_of(transaction.ops, [](const Op& op) { return std::holds_alternative<Accept>(op); });
}

std::size_t weight(const Transaction& transaction) {
  std::size_t n = 256;
  for (const auto& op : transaction.ops) {
    n += 256;
    if (const auto* a = std::get_if<Accept>(&op)) n += a->message.sealed.size();
    if (const auto* d = std::get_if<Decide>(&op)) n += d->decision.sealed.size();
    if (const auto* e = std::get_if<Enqueue>(&op)) n += e->delivery.sealed.size();
    if (const auto* c = std::get_if<ChangeDelivery>(&op); c && c->sealed) n += c->sealed->size();
    if (const auto* p = std::get_if<PutRow>(&op)) n += p->value.size();
    if (const auto* l = std::get_if<AppendLeaf>(&op)) n += l->leaf.body.size();
  }
  return n;
}

}  // namespace schakel::store
