// What store.hpp promises, as one suite for any Store. A backend is a class with
//   static constexpr bool durable;               whether reopen() finds what was committed
//   std::unique_ptr<store::Store> open();        a fresh, empty store
//   std::unique_ptr<store::Store> reopen();      the same store again, after close()
//   std::string new_path(std::string name);      a path in the test's own folder
//   std::unique_ptr<store::Store> open_copy(path);  what backup() wrote
// and is registered with INSTANTIATE_TYPED_TEST_SUITE_P(Name, StoreConformance, Backend).
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "core/store/store.hpp"
#include "tests/support/run_shared.hpp"

namespace schakel::store::conformance {

template <class T>
T run(Task<T> task) {
  return test::run_shared(std::move(task));
}

/// The value itself, so that a loop over it keeps it alive.
template <class T>
T held(Result<T> result) {
  return std::move(result.value());
}

inline Instant at(std::int64_t ms) { return Instant{milliseconds{1'800'000'000'000 + ms}}; }

inline MessageRow message(std::string id, std::string lane = "case:c1", std::string case_id = "c1") {
  MessageRow m;
  m.source = "urn:nld:oin:00000001800000000000:systeem:ot";
  m.id = std::move(id);
  m.type = "documentlevering";
  m.region = "KNH";
  m.party = "school-1";
  m.lane = std::move(lane);
  m.case_id = std::move(case_id);
  m.accepted_at = at(1);
  m.sealed = to_bytes("sealed " + m.id);
  m.content_hash = sha256(m.id);
  return m;
}

inline DecisionRow decision(MessageSeq seq, std::string case_id = "c1") {
  return {seq, std::move(case_id), at(2), "delivered", {"A", "B"}, "KNH@abc", to_bytes("why")};
}

inline DeliveryRow delivery(std::string id, std::string lane = "case:c1|gemeente", std::string target = "gemeente",
                            Instant next = at(0)) {
  DeliveryRow d;
  d.id = std::move(id);
  d.message = 1;
  d.case_id = "c1";
  d.lane = std::move(lane);
  d.target = std::move(target);
  d.role = "procesregisseur";
  d.kind = "documents";
  d.created_at = at(0);
  d.next_at = next;
  d.sealed = to_bytes("body " + d.id);
  return d;
}

inline std::vector<std::string> ids(const std::vector<DeliveryRow>& rows) {
  std::vector<std::string> out;
  for (const auto& r : rows) out.push_back(r.id);
  return out;
}

using Names = std::vector<std::string>;

template <class Backend>
class StoreConformance : public ::testing::Test {
 protected:
  void SetUp() override { store = backend.open(); }
  void TearDown() override {
    if (store) store->close();
  }
  void reopen() {
    store->close();
    store.reset();
    store = backend.reopen();
  }

  Result<Committed> commit(std::vector<Op> ops) { return run(store->commit({std::move(ops)})); }
  /// The one operation works.
  Committed ok(Op op) { return ok(std::vector<Op>{std::move(op)}); }
  Committed ok(std::vector<Op> ops) {
    auto r = commit(std::move(ops));
    EXPECT_TRUE(r.has_value()) << (r ? "" : r.error().code + ": " + r.error().message);
    return r ? std::move(*r) : Committed{};
  }
  void conflicts(std::vector<Op> ops) {
    auto r = commit(std::move(ops));
    ASSERT_FALSE(r.has_value());
    EXPECT_EQ(r.error().kind, ErrorKind::conflict);
    EXPECT_EQ(r.error().code, "STORE_CONFLICT");
  }
  void conflicts(Op op) { conflicts(std::vector<Op>{std::move(op)}); }

  Names due(Instant now, int limit = 100, Names busy = {}) {
    return ids(run(store->due_deliveries(now, limit, busy)).value());
  }
  DeliveryRow one(std::string id) { return run(store->delivery(id)).value().value(); }
  std::optional<Row> row(std::string space, std::string key) { return run(store->row(space, key)).value(); }
  Names keys(std::string prefix, std::string after = "", int limit = 100) {
    Names out;
    for (auto& r : held(run(store->rows("s", prefix, after, limit)))) out.push_back(r.key);
    return out;
  }

  boost::asio::io_context context{1};  // outlives the store
  Backend backend;
  std::unique_ptr<Store> store;
};
TYPED_TEST_SUITE_P(StoreConformance);

// ---- accept ---------------------------------------------------------------------------------------------------------

TYPED_TEST_P(StoreConformance, AcceptedMessageIsReadBackWhole) {
  auto m = message("m1");
  auto seq = this->ok(Accept{m}).seq;
  EXPECT_GE(seq, 1);
  auto back = run(this->store->message(seq)).value().value();
  EXPECT_EQ(back.seq, seq);
  EXPECT_EQ(back.source, m.source);
  EXPECT_EQ(back.id, m.id);
  EXPECT_EQ(back.type, m.type);
  EXPECT_EQ(back.region, m.region);
  EXPECT_EQ(back.party, m.party);
  EXPECT_EQ(back.lane, m.lane);
  EXPECT_EQ(back.case_id, m.case_id);
  EXPECT_EQ(back.accepted_at, m.accepted_at);
  EXPECT_EQ(back.sealed, m.sealed);
  EXPECT_EQ(back.content_hash, m.content_hash);
  EXPECT_EQ(back.state, MessageState::accepted);
  EXPECT_EQ(back.outcome, "");
  auto found = run(this->store->find_message(m.source, "m1")).value();
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->seq, seq);
  EXPECT_FALSE(run(this->store->find_message(m.source, "m2")).value().has_value());
  EXPECT_FALSE(run(this->store->message(seq + 1)).value().has_value());
}

TYPED_TEST_P(StoreConformance, SequenceCountsUpAndIsNeverReused) {
  MessageSeq last = 0;
  for (int i = 0; i < 20; ++i) {
    auto seq = this->ok(Accept{message("m" + std::to_string(i))}).seq;
    EXPECT_GT(seq, last);
    last = seq;
    this->commit({Accept{message("undone" + std::to_string(i))}, Decide{decision(9999)}});
  }
}

TYPED_TEST_P(StoreConformance, DuplicateOfAcceptedMessageIsAcknowledgedNotStored) {
  auto first = this->ok(Accept{message("m1")}).seq;
  auto again = message("m1");
  again.sealed = to_bytes("other");
  again.content_hash = sha256("other");
  auto r = this->ok(Accept{again});
  ASSERT_TRUE(r.duplicate_of.has_value());
  EXPECT_EQ(r.duplicate_of->seq, first);
  EXPECT_EQ(r.duplicate_of->content_hash, sha256("m1"));
  EXPECT_TRUE(r.duplicate_of->sealed.empty());
  EXPECT_EQ(run(this->store->message(first)).value()->sealed, to_bytes("sealed m1"));
  EXPECT_EQ(run(this->store->stats()).value().messages, 1);
}

TYPED_TEST_P(StoreConformance, SameIdOfAnotherSourceIsAnotherMessage) {
  auto a = message("m1"), b = message("m1");
  b.source += "2";
  EXPECT_NE(this->ok(Accept{a}).seq, this->ok(Accept{b}).seq);
}

TYPED_TEST_P(StoreConformance, DuplicateUndoesTheRestOfItsTransaction) {
  this->ok(Accept{message("m1")});
  auto r = this->ok(
      {PutRow{"s", "before", to_bytes("x"), {}}, Accept{message("m1")}, PutRow{"s", "after", to_bytes("x"), {}}});
  EXPECT_TRUE(r.duplicate_of.has_value());
  EXPECT_FALSE(this->row("s", "before").has_value());
  EXPECT_FALSE(this->row("s", "after").has_value());
}

TYPED_TEST_P(StoreConformance, ConflictUndoesTheWholeTransactionWhereverItStands) {
  auto seq = this->ok(Accept{message("m1")}).seq;
  this->ok(Decide{decision(seq)});
  this->conflicts({PutRow{"s", "k", to_bytes("x"), {}}, Enqueue{delivery("d1")}, AppendLeaf{{-1, at(0), "k", "{}"}},
                   SetTimer{{"t", "c1", "n", at(0), "set", {}}}, Accept{message("m2")}, Decide{decision(seq)}});
  EXPECT_FALSE(this->row("s", "k").has_value());
  EXPECT_FALSE(run(this->store->delivery("d1")).value().has_value());
  EXPECT_FALSE(run(this->store->find_message(message("m2").source, "m2")).value().has_value());
  EXPECT_TRUE(run(this->store->timers("c1")).value().empty());
  EXPECT_EQ(run(this->store->stats()).value().leaves, 0);
}

TYPED_TEST_P(StoreConformance, HostileTextAndLargeBodiesAreKeptAsTheyAre) {
  auto m = message(std::string("a'b\"c;--\0z\n\xc3\xa9 \xff", 15));
  m.sealed.assign(3'000'000, 0xa5);
  auto seq = this->ok(Accept{m}).seq;
  auto back = run(this->store->find_message(m.source, m.id)).value();
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->seq, seq);
  EXPECT_EQ(back->id, m.id);
  EXPECT_EQ(back->sealed, m.sealed);
  auto empty = message("");
  empty.sealed.clear();
  EXPECT_TRUE(run(this->store->message(this->ok(Accept{empty}).seq)).value()->sealed.empty());
}

TYPED_TEST_P(StoreConformance, EmptyTransactionCommits) { this->ok(std::vector<Op>{}); }

// ---- decide ---------------------------------------------------------------------------------------------------------

TYPED_TEST_P(StoreConformance, DecidedOnceAndOnlyOnce) {
  auto seq = this->ok(Accept{message("m1")}).seq;
  this->ok(Decide{decision(seq)});
  this->conflicts(Decide{decision(seq)});
  this->conflicts(Decide{decision(seq + 1)});
  auto m = run(this->store->message(seq)).value().value();
  EXPECT_EQ(m.state, MessageState::decided);
  EXPECT_EQ(m.outcome, "delivered");
  auto d = run(this->store->decision(seq)).value().value();
  EXPECT_EQ(d.case_id, "c1");
  EXPECT_EQ(d.decided_at, at(2));
  EXPECT_EQ(d.outcome, "delivered");
  EXPECT_EQ(d.codes, (Names{"A", "B"}));
  EXPECT_EQ(d.rules_version, "KNH@abc");
  EXPECT_EQ(d.sealed, to_bytes("why"));
  EXPECT_FALSE(run(this->store->decision(seq + 1)).value().has_value());
}

TYPED_TEST_P(StoreConformance, UndecidedComeInOrderWithoutBusyLanes) {
  for (int i = 0; i < 6; ++i) this->ok(Accept{message("m" + std::to_string(i), "case:c" + std::to_string(i % 3))});
  this->ok(Decide{decision(1)});
  auto all = run(this->store->undecided(10, {})).value();
  ASSERT_EQ(all.size(), 5U);
  EXPECT_TRUE(std::ranges::is_sorted(all, {}, &MessageRow::seq));
  EXPECT_EQ(all[0].id, "m1");
  EXPECT_EQ(all[0].sealed, to_bytes("sealed m1"));
  auto some = run(this->store->undecided(10, {"case:c1", "case:nobody"})).value();
  ASSERT_EQ(some.size(), 3U);
  for (auto& m : some) EXPECT_NE(m.lane, "case:c1");
  EXPECT_EQ(run(this->store->undecided(2, {})).value().size(), 2U);
}

TYPED_TEST_P(StoreConformance, DecisionsOfACaseComeInOrderOfMessage) {
  for (int i = 0; i < 6; ++i) this->ok(Accept{message("m" + std::to_string(i))});
  for (MessageSeq seq : {5, 2, 4, 1}) this->ok(Decide{decision(seq)});
  this->ok(Decide{decision(3, "c2")});
  auto seqs = [&](MessageSeq after, int limit) {
    std::vector<MessageSeq> out;
    for (auto& d : held(run(this->store->decisions("c1", after, limit)))) out.push_back(d.message);
    return out;
  };
  EXPECT_EQ(seqs(0, 100), (std::vector<MessageSeq>{1, 2, 4, 5}));
  EXPECT_EQ(seqs(2, 1), (std::vector<MessageSeq>{4}));
  EXPECT_TRUE(run(this->store->decisions("nobody", 0, 10)).value().empty());
}

TYPED_TEST_P(StoreConformance, MessagesAreFilteredAndPaged) {
  for (int i = 0; i < 10; ++i) {
    auto m = message("m" + std::to_string(i), "l", i % 2 ? "c1" : "");
    m.party = i % 3 ? "school-1" : "school-2";
    m.type = i < 5 ? "documentlevering" : "factuur";
    this->ok(Accept{m});
  }
  this->ok(Decide{decision(1)});
  auto count = [&](MessageFilter f) { return run(this->store->messages(f)).value().size(); };
  EXPECT_EQ(count({}), 10U);
  EXPECT_EQ(count({.case_id = "c1"}), 5U);
  EXPECT_EQ(count({.party = "school-2"}), 4U);
  EXPECT_EQ(count({.type = "factuur"}), 5U);
  EXPECT_EQ(count({.outcome = "delivered"}), 1U);
  EXPECT_EQ(count({.case_id = "c1", .party = "school-2", .type = "factuur"}), 1U);
  EXPECT_EQ(count({.after = 7}), 3U);
  EXPECT_EQ(count({.limit = 4}), 4U);
  EXPECT_TRUE(run(this->store->messages({.limit = 1})).value()[0].sealed.empty());
  EXPECT_FALSE(run(this->store->messages({.limit = 1, .with_sealed = true})).value()[0].sealed.empty());
}

TYPED_TEST_P(StoreConformance, ErasedSealedIsGoneAndTheRowStays) {
  auto seq = this->ok(Accept{message("m1")}).seq;
  this->ok(EraseSealed{seq});
  this->ok(EraseSealed{seq});
  EXPECT_TRUE(run(this->store->message(seq)).value()->sealed.empty());
  EXPECT_TRUE(this->ok(Accept{message("m1")}).duplicate_of.has_value());
  this->conflicts(EraseSealed{seq + 1});
}

}  // namespace schakel::store::conformance

#include "tests/conformance/store_conformance_more.hpp"
