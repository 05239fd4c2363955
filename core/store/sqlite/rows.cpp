#include "core/store/sqlite/rows.hpp"

#include "core/base/json.hpp"

namespace schakel::store {

class RowGuard::Hasher {
 public:
  Hasher(const Bytes& key, std::string_view table) : key_(key) { add(table); }
  Hasher& add(std::string_view v) {
    number(static_cast<std::int64_t>(v.size()));
    buffer_.append(v);
    return *this;
  }
  Hasher& add(ByteView v) { return add(as_text(v)); }
  Hasher& add(std::int64_t v) {
    number(v);
    return *this;
  }
  Hasher& add(int v) { return add(std::int64_t{v}); }
  Hasher& add(Instant t) { return add(std::int64_t{t.time_since_epoch().count()}); }
  Hasher& add(const std::optional<Instant>& t) {
    add(t ? 1 : 0);
    return t ? add(*t) : *this;
  }
  [[nodiscard]] Digest done() const { return key_.empty() ? sha256(buffer_) : hmac_sha256(key_, as_bytes(buffer_)); }

 private:
  void number(std::int64_t v) {
    for (int i = 0; i < 8; ++i) buffer_.push_back(static_cast<char>(static_cast<std::uint64_t>(v) >> (8 * i)));
  }
  const Bytes& key_;
  std::string buffer_;
};

Digest RowGuard::check(const MessageRow& m, const Digest& sealed_hash) const {
  return Hasher(key_, "messages")
      .add(m.seq)
      .add(m.source)
      .add(m.id)
      .add(m.type)
      .add(m.region)
      .add(m.party)
      .add(m.lane)
      .add(m.case_id)
      .add(m.accepted_at)
      .add(ByteView(m.content_hash))
      .add(static_cast<int>(m.state))
      .add(m.outcome)
      .add(ByteView(sealed_hash))
      .done();
}

Digest RowGuard::check(const DeliveryRow& d, const Digest& sealed_hash) const {
  return Hasher(key_, "deliveries")
      .add(d.id)
      .add(d.message)
      .add(d.case_id)
      .add(d.lane)
      .add(d.target)
      .add(d.role)
      .add(d.kind)
      .add(static_cast<int>(d.state))
      .add(d.attempts)
      .add(d.created_at)
      .add(d.next_at)
      .add(d.settled_at)
      .add(d.code)
      .add(ByteView(sealed_hash))
      .done();
}

Digest RowGuard::check(const DecisionRow& d, std::string_view codes, const Digest& sealed_hash) const {
  return Hasher(key_, "decisions")
      .add(d.message)
      .add(d.case_id)
      .add(d.decided_at)
      .add(d.outcome)
      .add(codes)
      .add(d.rules_version)
      .add(ByteView(sealed_hash))
      .done();
}

Digest RowGuard::check(const AttemptRow& a) const {
  return Hasher(key_, "attempts")
      .add(a.delivery)
      .add(a.number)
      .add(a.started_at)
      .add(a.ended_at)
      .add(a.verdict)
      .add(a.code)
      .done();
}

Digest RowGuard::check(const TimerRow& t) const {
  return Hasher(key_, "timers")
      .add(t.id)
      .add(t.case_id)
      .add(t.name)
      .add(t.due)
      .add(t.state)
      .add(ByteView(t.sealed))
      .done();
}

Digest RowGuard::check(const Row& r) const {
  return Hasher(key_, "kv").add(r.space).add(r.key).add(r.version).add(ByteView(r.value)).done();
}

Digest RowGuard::check(const LeafRow& l) const {
  return Hasher(key_, "leaves").add(l.at).add(l.kind).add(l.body).done();
}

Digest RowGuard::check_text(std::string_view text) const { return Hasher(key_, "meta").add(text).done(); }

namespace {
std::unexpected<Error> corrupt(std::string_view table) {
  return fail(ErrorKind::internal, "STORE_CORRUPT_ROW",
              std::string("a row of ") + std::string(table) + " does not match its check");
}

template <class State>
State state_of(std::int64_t v, State last) {
  // An unknown number is stored bytes gone wrong; the check over the number read here fails then too.
  return v >= 0 && v <= static_cast<std::int64_t>(last) ? static_cast<State>(v) : State{};
}
}  // namespace

Result<MessageRow> read_message(const Statement& s, const RowGuard& guard, bool with_sealed, RowMeta* meta) {
  MessageRow m;
  m.seq = s.integer(0);
  m.source = s.text(1);
  m.id = s.text(2);
  m.type = s.text(3);
  m.region = s.text(4);
  m.party = s.text(5);
  m.lane = s.text(6);
  m.case_id = s.text(7);
  m.accepted_at = s.instant(8);
  m.content_hash = s.digest(9);
  m.state = state_of(s.integer(10), MessageState::decided);
  m.outcome = s.text(11);
  auto sealed_hash = s.digest(12);
  if (guard.check(m, sealed_hash) != s.digest(13)) return corrupt("messages");
  if (with_sealed) {
    m.sealed = s.blob(14);
    if (sha256(m.sealed) != sealed_hash) return corrupt("messages");
  }
  if (meta) *meta = {sealed_hash, m.seq};
  return m;
}

Result<DeliveryRow> read_delivery(const Statement& s, const RowGuard& guard, bool with_sealed, RowMeta* meta) {
  DeliveryRow d;
  d.id = s.text(1);
  d.message = s.integer(2);
  d.case_id = s.text(3);
  d.lane = s.text(4);
  d.target = s.text(5);
  d.role = s.text(6);
  d.kind = s.text(7);
  d.state = state_of(s.integer(8), DeliveryState::cancelled);
  d.attempts = static_cast<int>(s.integer(9));
  d.created_at = s.instant(10);
  d.next_at = s.instant(11);
  d.settled_at = s.maybe_instant(12);
  d.code = s.text(13);
  auto sealed_hash = s.digest(14);
  if (guard.check(d, sealed_hash) != s.digest(15)) return corrupt("deliveries");
  if (with_sealed) {
    d.sealed = s.blob(16);
    if (sha256(d.sealed) != sealed_hash) return corrupt("deliveries");
  }
  if (meta) *meta = {sealed_hash, s.integer(0)};
  return d;
}

Result<DecisionRow> read_decision(const Statement& s, const RowGuard& guard) {
  DecisionRow d;
  d.message = s.integer(0);
  d.case_id = s.text(1);
  d.decided_at = s.instant(2);
  d.outcome = s.text(3);
  auto codes = s.text(4);
  d.rules_version = s.text(5);
  d.sealed = s.blob(8);
  auto sealed_hash = s.digest(6);
  if (guard.check(d, codes, sealed_hash) != s.digest(7) || sha256(d.sealed) != sealed_hash) return corrupt("decisions");
  auto parsed = Json::parse(codes, nullptr, false);
  if (!parsed.is_array()) return corrupt("decisions");
  for (auto& c : parsed) d.codes.push_back(c.is_string() ? c.get<std::string>() : std::string());
  return d;
}

Result<AttemptRow> read_attempt(const Statement& s, const RowGuard& guard) {
  AttemptRow a{s.text(0), static_cast<int>(s.integer(1)), s.instant(2), s.maybe_instant(3), s.text(4), s.text(5)};
  if (guard.check(a) != s.digest(6)) return corrupt("attempts");
  return a;
}

Result<TimerRow> read_timer(const Statement& s, const RowGuard& guard) {
  TimerRow t{s.text(0), s.text(1), s.text(2), s.instant(3), s.text(4), s.blob(6)};
  if (guard.check(t) != s.digest(5)) return corrupt("timers");
  return t;
}

Result<Row> read_row(const Statement& s, const RowGuard& guard) {
  Row r{s.text(0), s.text(1), s.blob(4), s.integer(2)};
  if (guard.check(r) != s.digest(3)) return corrupt("kv");
  return r;
}

Result<LeafRow> read_leaf(const Statement& s, const RowGuard& guard) {
  LeafRow l{s.null(0) ? -1 : s.integer(0), s.instant(1), s.text(2), s.text(3)};
  if (guard.check(l) != s.digest(4)) return corrupt("leaves");
  return l;
}

}  // namespace schakel::store
