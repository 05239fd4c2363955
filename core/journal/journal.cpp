#include "core/journal/journal.hpp"

#include <fmt/format.h>

#include "core/audit/leaf.hpp"
#include "core/journal/record.hpp"
#include "core/model/pull.hpp"

namespace schakel::journal {

std::string lane_of(const Message& m) { return m.subject.empty() ? "party:" + m.party : "case:" + m.subject; }

std::string new_case_id() {
  constexpr std::string_view kAlphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
  std::string id = "Z-";
  for (auto b : random_bytes(16)) id += kAlphabet[b & 31];
  return id;
}

Journal::Journal(store::Store& store, Sealer& sealer, const Clock& clock, Secret hash_key)
    : store_(store), sealer_(sealer), clock_(clock), hash_key_(std::move(hash_key)) {}

namespace {
/// What makes two deliveries of the same id the same message: everything the sender said, nothing the broker added.
Json said(const Message& m) {
  Json j = m;
  for (const char* ours : {"seq", "time"}) j.erase(ours);
  // The case id of an opening is given by the broker; everywhere else it is what the sender meant.
  if (m.type == "zaak_opening") j.erase("subject");
  return j;
}
}  // namespace

Task<Result<Accepted>> Journal::accept(Message message, store::Transaction with) {
  message.time = clock_.now();
  store::MessageRow row;
  row.source = message.source;
  row.id = message.id;
  row.type = message.type;
  row.region = message.region;
  row.party = message.party;
  row.case_id = message.subject;
  row.lane = lane_of(message);
  row.accepted_at = message.time;
  row.content_hash = hmac_sha256(hash_key_.reveal(), as_bytes(dump_json(said(message))));
  auto hash = row.content_hash;

  auto sealed = co_await sealer_.seal(message.subject, "message", message.source + "\n" + message.id,
                                      to_bytes(dump_json(message)), with);
  if (!sealed) co_return fail(std::move(sealed.error()));
  row.sealed = std::move(*sealed);
  with.ops.push_back(audit::leaf(message.time, "message.accepted",
                                 {.ids = {{"message", message.id},
                                          {"source", message.source},
                                          {"type", message.type},
                                          {"region", message.region},
                                          {"party", message.party},
                                          {"case", message.subject}},
                                  .hashes = {{"content", hash}}}));
  // First: a repeat is known as one before anything else of it can conflict.
  with.ops.insert(with.ops.begin(), store::Accept{std::move(row)});
  auto committed = co_await store_.commit(std::move(with));
  if (!committed) co_return fail(std::move(committed.error()));
  if (committed->duplicate_of) {
    auto& first = *committed->duplicate_of;
    if (!equal_constant_time(first.content_hash, hash))
      co_return fail(ErrorKind::conflict, "MESSAGE_CONFLICT",
                     "another message with this source and id was accepted before");
    co_return Accepted{first.seq, first.case_id, true, first.outcome};
  }
  arrivals_.ring();
  co_return Accepted{committed->seq, message.subject, false, ""};
}

Task<Result<Message>> Journal::read(store::MessageRow row) {
  auto plain = co_await sealer_.open(row.case_id, "message", row.source + "\n" + row.id, std::move(row.sealed));
  if (!plain) co_return fail(std::move(plain.error()));
  Message m;
  JsonPull from(as_text(*plain));
  schakel::read(from, m);
  m.seq = row.seq;
  co_return m;
}

Task<Result<Recorded>> Journal::recorded(store::DecisionRow row) {
  auto plain = co_await sealer_.open(row.case_id, "decision", std::to_string(row.message), std::move(row.sealed));
  if (!plain) co_return fail(std::move(plain.error()));
  auto out = read_record(row.message, as_text(*plain), Explained::read);
  if (!out) co_return fail(std::move(out.error()));
  out->decided_at = row.decided_at;
  out->rules_version = row.rules_version;
  co_return out;
}

Task<Result<Journal::Stretch>> Journal::stretch(std::string case_id, store::MessageSeq after, int limit) {
  Stretch out;
  auto rows = co_await store_.decisions(case_id, after, limit);
  if (!rows) co_return fail(std::move(rows.error()));
  out.rows = std::move(*rows);
  if (out.rows.empty()) co_return out;
  auto opener = co_await sealer_.opener(std::move(case_id));
  if (opener)
    out.opener = std::move(*opener);
  else
    // Of an erased case every value says so.
    out.opener = [why = opener.error()](std::string_view, std::string_view, ByteView) -> Result<Bytes> {
      return fail(why);
    };
  co_return out;
}

Task<Result<std::vector<Recorded>>> Journal::history(std::string case_id) {
  std::vector<Recorded> out;
  store::MessageSeq after = 0;
  for (;;) {
    auto rows = co_await store_.decisions(case_id, after, 200);
    if (!rows) co_return fail(std::move(rows.error()));
    if (rows->empty()) co_return out;
    after = rows->back().message;
    for (auto& row : *rows) {
      auto one = co_await recorded(std::move(row));
      if (!one) co_return fail(std::move(one.error()));
      out.push_back(std::move(*one));
    }
  }
}

Task<Result<std::vector<Recalled>>> Journal::recall(std::string case_id) {
  std::vector<Recalled> out;
  store::MessageSeq after = 0;
  for (;;) {
    auto next = co_await stretch(case_id, after, 500);
    if (!next) co_return fail(std::move(next.error()));
    if (next->rows.empty()) co_return out;
    after = next->rows.back().message;
    for (auto& row : next->rows) out.push_back(recalled(std::move(row), next->opener, Explained::read));
  }
}

Task<Result<CaseFile>> Journal::load(std::string case_id, store::MessageSeq until) {
  CaseFile file;
  file.id = case_id;
  if (case_id.empty()) co_return file;
  auto past = co_await history(case_id);
  if (!past) co_return fail(std::move(past.error()));
  for (const auto& r : *past) {
    if (until && r.message.seq > until) break;
    apply(file, r.message, r.draft);
  }
  co_return file;
}

Task<Result<std::optional<Recorded>>> Journal::decision(store::MessageSeq seq) {
  auto row = co_await store_.decision(seq);
  if (!row) co_return fail(std::move(row.error()));
  if (!*row) co_return std::optional<Recorded>{};
  auto one = co_await recorded(std::move(**row));
  if (!one) co_return fail(std::move(one.error()));
  co_return std::optional<Recorded>(std::move(*one));
}

Task<Result<void>> Journal::record(const Message& message, const Draft& draft, std::string rules_version,
                                   store::Transaction& with, const std::map<std::string, Json>& registers) {
  store::DecisionRow row;
  row.message = message.seq;
  row.case_id = message.subject;
  row.decided_at = clock_.now();
  row.outcome = to_string(draft.outcome);
  row.codes = draft.codes;
  row.rules_version = std::move(rules_version);
  auto plain = record_text(message, draft, registers);
  auto sealed = co_await sealer_.seal(message.subject, "decision", std::to_string(message.seq), to_bytes(plain), with);
  if (!sealed) co_return fail(std::move(sealed.error()));
  row.sealed = std::move(*sealed);
  std::set<std::string> rules;
  for (const auto& e : draft.explanation) rules.insert(e.rule.str());
  auto codes = row.codes;
  codes.insert(codes.end(), rules.begin(), rules.end());
  with.ops.push_back(audit::leaf(row.decided_at, "message.decided",
                                 {.ids = {{"message", message.id},
                                          {"case", message.subject},
                                          {"outcome", row.outcome},
                                          {"rules_version", row.rules_version}},
                                  .codes = std::move(codes),
                                  .counts = {{"seq", message.seq}}}));
  with.ops.push_back(store::Decide{std::move(row)});
  co_return Result<void>{};
}

std::string Journal::correlation_key(std::string_view party, std::string_view foreign_id) const {
  // A partner's number may name a pupil; only its keyed hash is kept.
  auto text = fmt::format("{}\n{}", party, foreign_id);
  return to_hex(hmac_sha256(hash_key_.reveal(), as_bytes(text)));
}

Task<Result<std::string>> Journal::case_of(std::string party, std::string foreign_id) {
  auto row = co_await store_.row("correlation", correlation_key(party, foreign_id));
  if (!row) co_return fail(std::move(row.error()));
  if (!*row) co_return std::string{};
  co_return std::string(as_text((*row)->value));
}

store::PutRow Journal::correlate(std::string_view party, std::string_view foreign_id, std::string_view case_id) const {
  return {"correlation", correlation_key(party, foreign_id), to_bytes(case_id), std::nullopt};
}

}  // namespace schakel::journal
