// Second half of store_conformance.hpp, which includes it: deliveries, timers, rows, leaves, and the store as a whole.
#pragma once

namespace schakel::store::conformance {

// ---- deliveries -----------------------------------------------------------------------------------------------------

TYPED_TEST_P(StoreConformance, DeliveryIsReadBackWholeAndARepeatLeavesItAsItIs) {
  auto d = delivery("d1");
  this->ok(Enqueue{d});
  auto other = delivery("d1", "another lane", "another target", at(99));
  this->ok(Enqueue{other});
  auto back = this->one("d1");
  EXPECT_EQ(back.message, d.message);
  EXPECT_EQ(back.case_id, d.case_id);
  EXPECT_EQ(back.lane, d.lane);
  EXPECT_EQ(back.target, d.target);
  EXPECT_EQ(back.role, d.role);
  EXPECT_EQ(back.kind, d.kind);
  EXPECT_EQ(back.state, DeliveryState::pending);
  EXPECT_EQ(back.attempts, 0);
  EXPECT_EQ(back.created_at, d.created_at);
  EXPECT_EQ(back.next_at, d.next_at);
  EXPECT_FALSE(back.settled_at.has_value());
  EXPECT_EQ(back.sealed, d.sealed);
  EXPECT_FALSE(run(this->store->delivery("d2")).value().has_value());
}

TYPED_TEST_P(StoreConformance, AttemptIsRecordedBeforeAndSettledAfter) {
  this->ok(Enqueue{delivery("d1")});
  this->ok(StartAttempt{"d1", 0, at(10)});
  EXPECT_EQ(this->one("d1").state, DeliveryState::attempting);
  EXPECT_EQ(this->one("d1").attempts, 1);
  auto attempts = run(this->store->attempts("d1")).value();
  ASSERT_EQ(attempts.size(), 1U);
  EXPECT_EQ(attempts[0].number, 1);
  EXPECT_EQ(attempts[0].started_at, at(10));
  EXPECT_FALSE(attempts[0].ended_at.has_value());
  EXPECT_EQ(attempts[0].verdict, "");
  this->ok(Settle{"d1", 1, at(11), "retry_later", "HTTP_503", DeliveryState::pending, at(100)});
  auto d = this->one("d1");
  EXPECT_EQ(d.state, DeliveryState::pending);
  EXPECT_EQ(d.next_at, at(100));
  EXPECT_EQ(d.code, "HTTP_503");
  EXPECT_FALSE(d.settled_at.has_value());
  this->ok(StartAttempt{"d1", 1, at(100)});
  this->ok(Settle{"d1", 2, at(101), "delivered", "", DeliveryState::delivered, at(101)});
  EXPECT_EQ(this->one("d1").settled_at, at(101));
  attempts = run(this->store->attempts("d1")).value();
  ASSERT_EQ(attempts.size(), 2U);
  EXPECT_EQ(attempts[0].verdict, "retry_later");
  EXPECT_EQ(attempts[0].ended_at, at(11));
  EXPECT_EQ(attempts[1].number, 2);
}

TYPED_TEST_P(StoreConformance, OnlyThePendingDeliveryWithTheExpectedAttemptsStarts) {
  this->conflicts(StartAttempt{"nobody", 0, at(1)});
  this->ok(Enqueue{delivery("d1")});
  this->conflicts(StartAttempt{"d1", 1, at(1)});
  this->ok(StartAttempt{"d1", 0, at(1)});
  this->conflicts(StartAttempt{"d1", 0, at(1)});
  this->conflicts(StartAttempt{"d1", 1, at(1)});
}

TYPED_TEST_P(StoreConformance, PausedWorkerCannotSettleALaterAttempt) {
  this->ok(Enqueue{delivery("d1")});
  this->conflicts(Settle{"d1", 1, at(2), "delivered", "", DeliveryState::delivered, at(2)});
  this->ok(StartAttempt{"d1", 0, at(1)});
  this->conflicts(Settle{"d1", 2, at(2), "delivered", "", DeliveryState::delivered, at(2)});
  // Found attempting at a start, parked, and sent again by a person; the reset must not give attempt 1 its number back.
  this->ok(ChangeDelivery{"d1", DeliveryState::attempting, DeliveryState::parked, at(3), "UNCERTAIN", {}, false});
  this->conflicts(Settle{"d1", 1, at(4), "delivered", "", DeliveryState::delivered, at(4)});
  this->ok(ChangeDelivery{"d1", DeliveryState::parked, DeliveryState::pending, at(5), "", {}, true});
  this->ok(StartAttempt{"d1", 1, at(6)});
  this->conflicts(Settle{"d1", 1, at(7), "delivered", "", DeliveryState::delivered, at(7)});
  this->ok(Settle{"d1", 2, at(8), "delivered", "", DeliveryState::delivered, at(8)});
  this->conflicts(Settle{"d1", 2, at(9), "delivered", "", DeliveryState::delivered, at(9)});
}

TYPED_TEST_P(StoreConformance, OperatorChangesAskForTheStateTheySaw) {
  this->conflicts(ChangeDelivery{"nobody", DeliveryState::pending, DeliveryState::parked, at(1), "", {}, false});
  this->ok(Enqueue{delivery("d1")});
  this->conflicts(ChangeDelivery{"d1", DeliveryState::dead, DeliveryState::pending, at(1), "", {}, false});
  this->ok(StartAttempt{"d1", 0, at(1)});
  this->ok(Settle{"d1", 1, at(2), "rejected", "HTTP_400", DeliveryState::dead, at(2)});
  this->ok(ChangeDelivery{"d1", DeliveryState::dead, DeliveryState::pending, at(9), "RESENT", "zorgaanbieder", true});
  auto d = this->one("d1");
  EXPECT_EQ(d.state, DeliveryState::pending);
  EXPECT_EQ(d.next_at, at(9));
  EXPECT_EQ(d.code, "RESENT");
  EXPECT_EQ(d.target, "zorgaanbieder");
  EXPECT_EQ(d.attempts, 0);
  EXPECT_FALSE(d.settled_at.has_value());
  EXPECT_EQ(d.sealed, delivery("d1").sealed);
  auto body = to_bytes("another body");
  this->ok(ChangeDelivery{"d1", DeliveryState::pending, DeliveryState::pending, at(10), "RESENT", {}, false, body});
  EXPECT_EQ(this->one("d1").sealed, body);
  EXPECT_EQ(this->due(at(10)), (Names{"d1"})) << "its check holds over the new body";
  this->ok(ChangeDelivery{"d1", DeliveryState::pending, DeliveryState::cancelled, at(12), "CONSENT", {}, false});
  EXPECT_EQ(this->one("d1").sealed, body) << "a change without a body leaves it";
  EXPECT_EQ(this->one("d1").settled_at, at(12));
  auto bad =
      this->commit({ChangeDelivery{"d1", DeliveryState::cancelled, DeliveryState::attempting, at(1), "", {}, false}});
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().code, "STORE_INVALID");
}

TYPED_TEST_P(StoreConformance, StrictOrderInsideALaneAndNoLaneWaitsForAnother) {
  this->ok({Enqueue{delivery("a1", "a")}, Enqueue{delivery("a2", "a")}, Enqueue{delivery("b1", "b")},
            Enqueue{delivery("b2", "b")}});
  EXPECT_EQ(this->due(at(1)), (Names{"a1", "b1"}));
  this->ok(StartAttempt{"a1", 0, at(1)});
  EXPECT_EQ(this->due(at(1)), (Names{"b1"}));
  this->ok(Settle{"a1", 1, at(2), "retry_later", "X", DeliveryState::pending, at(50)});
  EXPECT_EQ(this->due(at(2)), (Names{"b1"}));  // a2 waits behind the retry
  EXPECT_EQ(this->due(at(50)), (Names{"b1", "a1"}));
  this->ok(StartAttempt{"a1", 1, at(50)});
  this->ok(Settle{"a1", 2, at(51), "delivered", "", DeliveryState::delivered, at(51)});
  EXPECT_EQ(this->due(at(51)), (Names{"a2", "b1"}));
}

TYPED_TEST_P(StoreConformance, ParkedDeliveryHoldsItsLaneAndDeadOrCancelledDoNot) {
  this->ok({Enqueue{delivery("a1", "a")}, Enqueue{delivery("a2", "a")}, Enqueue{delivery("a3", "a")}});
  this->ok(ChangeDelivery{"a1", DeliveryState::pending, DeliveryState::parked, at(1), "", {}, false});
  EXPECT_TRUE(this->due(at(1)).empty());
  this->ok(ChangeDelivery{"a1", DeliveryState::parked, DeliveryState::dead, at(2), "", {}, false});
  EXPECT_EQ(this->due(at(2)), (Names{"a2"}));
  this->ok(ChangeDelivery{"a2", DeliveryState::pending, DeliveryState::cancelled, at(2), "", {}, false});
  EXPECT_EQ(this->due(at(2)), (Names{"a3"}));
  // A dead letter that is sent again takes its old place before what came later.
  this->ok(ChangeDelivery{"a1", DeliveryState::dead, DeliveryState::pending, at(3), "", {}, true});
  EXPECT_EQ(this->due(at(3)), (Names{"a1"}));
  // Cancelling in the middle of a lane changes nothing for its head.
  this->ok(Enqueue{delivery("a4", "a")});
  this->ok(ChangeDelivery{"a3", DeliveryState::pending, DeliveryState::cancelled, at(4), "", {}, false});
  EXPECT_EQ(this->due(at(4)), (Names{"a1"}));
}

TYPED_TEST_P(StoreConformance, DeliveryEnqueuedAsParkedHoldsItsLaneFromTheStart) {
  auto parked = delivery("p1", "p", "");
  parked.state = DeliveryState::parked;
  parked.code = "RECIPIENT_UNKNOWN";
  this->ok({Enqueue{parked}, Enqueue{delivery("p2", "p")}});
  EXPECT_TRUE(this->due(at(1)).empty());
  this->ok(ChangeDelivery{"p1", DeliveryState::parked, DeliveryState::pending, at(1), "", "gemeente", false});
  EXPECT_EQ(this->due(at(1)), (Names{"p1"}));
}

TYPED_TEST_P(StoreConformance, DueSkipsBusyTargetsKeepsTheLimitAndTheLongestWaitingFirst) {
  this->ok({Enqueue{delivery("x3", "l1", "t1", at(30))}, Enqueue{delivery("x1", "l2", "t2", at(10))},
            Enqueue{delivery("x2", "l3", "t1", at(20))}, Enqueue{delivery("x4", "l4", "t3", at(40))}});
  EXPECT_EQ(this->due(at(35)), (Names{"x1", "x2", "x3"}));
  EXPECT_EQ(this->due(at(35), 2), (Names{"x1", "x2"}));
  EXPECT_EQ(this->due(at(100), 100, {"t1"}), (Names{"x1", "x4"}));
  EXPECT_EQ(this->due(at(100), 100, {"t1", "t2", "t3"}), Names{});
  EXPECT_TRUE(this->due(at(9)).empty());
}

TYPED_TEST_P(StoreConformance, DeliveriesAreFilteredAndPagedById) {
  for (int i = 0; i < 10; ++i) {
    auto d = delivery("d" + std::to_string(i), "l" + std::to_string(i), i % 2 ? "t1" : "t2");
    d.case_id = i < 5 ? "c1" : "c2";
    d.message = i;
    d.code = i == 3 ? "X" : "";
    this->ok(Enqueue{d});
  }
  this->ok(StartAttempt{"d3", 0, at(1)});
  this->ok(Settle{"d3", 1, at(1), "delivered", "X", DeliveryState::delivered, at(1)});
  auto list = [&](DeliveryFilter f) { return ids(run(this->store->deliveries(f)).value()); };
  EXPECT_EQ(list({}).size(), 10U);
  EXPECT_EQ(list({.state = DeliveryState::pending}).size(), 9U);
  EXPECT_EQ(list({.state = DeliveryState::delivered}), (Names{"d3"}));
  EXPECT_EQ(list({.case_id = "c2"}).size(), 5U);
  EXPECT_EQ(list({.target = "t1"}).size(), 5U);
  EXPECT_EQ(list({.code = "X"}), (Names{"d3"}));
  EXPECT_EQ(list({.message = 7}), (Names{"d7"}));
  EXPECT_EQ(list({.after_id = "d4", .limit = 2}), (Names{"d5", "d6"}));
}

// ---- timers and what is due -----------------------------------------------------------------------------------------

TYPED_TEST_P(StoreConformance, NextDueIsTheEarliestThatCanHappen) {
  auto next = [&] { return run(this->store->next_due()).value(); };
  EXPECT_FALSE(next().has_value());
  this->ok({Enqueue{delivery("a1", "a", "t", at(50))}, Enqueue{delivery("a2", "a", "t", at(5))}});
  EXPECT_EQ(next(), at(50));  // a2 stands behind a1
  this->ok(SetTimer{{"c1/x", "c1", "x", at(40), "set", {}}});
  EXPECT_EQ(next(), at(40));
  this->ok(Enqueue{delivery("b1", "b", "u", at(30))});
  EXPECT_EQ(next(), at(30));
  this->ok(StartAttempt{"b1", 0, at(30)});
  this->ok(SetTimer{{"c1/x", "c1", "x", at(40), "met", {}}});
  EXPECT_EQ(next(), at(50));
}

TYPED_TEST_P(StoreConformance, TimersFireOnceTheyAreDueAndOnlyWhileSet) {
  this->ok({SetTimer{{"c1/b", "c1", "b", at(20), "set", to_bytes("do b")}},
            SetTimer{{"c1/a", "c1", "a", at(30), "set", {}}}, SetTimer{{"c2/a", "c2", "a", at(10), "set", {}}},
            SetTimer{{"c1/z", "c1", "z", at(1), "warned", {}}}});
  auto due = [&](Instant t, int limit) {
    Names out;
    for (auto& row : held(run(this->store->due_timers(t, limit)))) out.push_back(row.id);
    return out;
  };
  EXPECT_TRUE(due(at(9), 10).empty());
  EXPECT_EQ(due(at(20), 10), (Names{"c2/a", "c1/b"}));
  EXPECT_EQ(due(at(99), 1), (Names{"c2/a"}));
  this->ok(SetTimer{{"c1/b", "c1", "b", at(99), "set", to_bytes("moved")}});
  EXPECT_EQ(due(at(50), 10), (Names{"c2/a", "c1/a"}));
  this->ok(SetTimer{{"c2/a", "c2", "a", at(10), "cancelled", {}}});
  EXPECT_EQ(due(at(50), 10), (Names{"c1/a"}));
  auto of_case = run(this->store->timers("c1")).value();
  ASSERT_EQ(of_case.size(), 3U);
  EXPECT_EQ(of_case[1].sealed, to_bytes("moved"));
  EXPECT_EQ(of_case[1].due, at(99));
  EXPECT_EQ(of_case[1].name, "b");
}

// ---- rows -----------------------------------------------------------------------------------------------------------

TYPED_TEST_P(StoreConformance, RowsAreComparedAndSwapped) {
  this->conflicts(PutRow{"s", "k", to_bytes("1"), 1});
  this->ok(PutRow{"s", "k", to_bytes("1"), 0});
  this->conflicts(PutRow{"s", "k", to_bytes("2"), 0});
  EXPECT_EQ(this->row("s", "k")->version, 1);
  this->ok(PutRow{"s", "k", to_bytes("2"), 1});
  this->ok(PutRow{"s", "k", to_bytes("3"), {}});
  EXPECT_EQ(this->row("s", "k")->version, 3);
  EXPECT_EQ(this->row("s", "k")->value, to_bytes("3"));
  EXPECT_FALSE(this->row("other", "k").has_value());
  this->conflicts(EraseRow{"s", "k", 2});
  this->ok(EraseRow{"s", "k", 3});
  EXPECT_FALSE(this->row("s", "k").has_value());
  this->ok(EraseRow{"s", "k", {}});
  this->conflicts(EraseRow{"s", "k", 3});
}

TYPED_TEST_P(StoreConformance, OneTransactionSeesItsOwnWrites) {
  this->ok({PutRow{"s", "k", to_bytes("1"), 0}, PutRow{"s", "k", to_bytes("2"), 1}});
  EXPECT_EQ(this->row("s", "k")->version, 2);
  this->conflicts({PutRow{"s", "k", to_bytes("3"), 2}, PutRow{"s", "k", to_bytes("4"), 2}});
  EXPECT_EQ(this->row("s", "k")->value, to_bytes("2"));
}

TYPED_TEST_P(StoreConformance, RowsAreListedByPrefixInOrder) {
  for (auto key : {"b/2", "a", "b/1", "b", "b0", "c", "b/10", "b/\xff", "\xff"})
    this->ok(PutRow{"s", key, to_bytes("v"), {}});
  this->ok(PutRow{"t", "b/0", to_bytes("v"), {}});
  EXPECT_EQ(this->keys("b/"), (Names{"b/1", "b/10", "b/2", "b/\xff"}));
  EXPECT_EQ(this->keys("b/", "b/1"), (Names{"b/10", "b/2", "b/\xff"}));
  EXPECT_EQ(this->keys("b/", "b/1", 1), (Names{"b/10"}));
  EXPECT_EQ(this->keys("").size(), 9U);
  EXPECT_EQ(this->keys("\xff"), (Names{"\xff"}));
  EXPECT_TRUE(this->keys("%").empty());
}

TYPED_TEST_P(StoreConformance, ManyRowsAreReadAtOnceInTheOrderAsked) {
  std::vector<Op> puts;
  for (int i = 0; i < 1000; ++i)
    puts.push_back(PutRow{"s", std::to_string(i), to_bytes("value " + std::to_string(i)), 0});
  this->ok(std::move(puts));
  this->ok(PutRow{"other", "absent", to_bytes("x"), 0});
  std::vector<std::string> asked;
  for (int i = 999; i >= 0; --i) asked.push_back(std::to_string(i));
  asked.insert(asked.end(), {"absent", "7", "", "7"});
  auto rows = held(run(this->store->rows_at("s", asked)));
  ASSERT_EQ(rows.size(), asked.size());
  for (std::size_t i = 0; i < asked.size(); ++i) {
    bool there = asked[i] != "absent" && !asked[i].empty();
    ASSERT_EQ(rows[i].has_value(), there) << asked[i];
    if (there) EXPECT_EQ(as_text(rows[i]->value), "value " + asked[i]);
  }
  EXPECT_TRUE(held(run(this->store->rows_at("s", {}))).empty());
  this->ok(EraseRow{"s", "7", std::nullopt});
  EXPECT_FALSE(held(run(this->store->rows_at("s", {"7"})))[0]) << "each look is a new one";
}

// ---- leaves ---------------------------------------------------------------------------------------------------------

TYPED_TEST_P(StoreConformance, LeavesGetTheirPlaceInOrderOfInsertion) {
  for (int i = 0; i < 7; ++i)
    this->ok(AppendLeaf{{-1, at(i), "k" + std::to_string(i), "{\"n\":" + std::to_string(i) + "}"}});
  EXPECT_TRUE(run(this->store->leaves(0, 100)).value().empty());
  EXPECT_EQ(run(this->store->stats()).value().unsequenced, 7);
  EXPECT_EQ(this->ok(SequenceLeaves{3}).sequenced, 3);
  EXPECT_EQ(this->ok(SequenceLeaves{100}).sequenced, 4);
  EXPECT_EQ(this->ok(SequenceLeaves{100}).sequenced, 0);
  auto all = run(this->store->leaves(0, 100)).value();
  ASSERT_EQ(all.size(), 7U);
  for (int i = 0; i < 7; ++i) {
    EXPECT_EQ(all[static_cast<std::size_t>(i)].position, i);
    EXPECT_EQ(all[static_cast<std::size_t>(i)].at, at(i));
    EXPECT_EQ(all[static_cast<std::size_t>(i)].kind, "k" + std::to_string(i));
  }
  auto some = run(this->store->leaves(2, 3)).value();
  ASSERT_EQ(some.size(), 3U);
  EXPECT_EQ(some[0].body, "{\"n\":2}");
  auto s = run(this->store->stats()).value();
  EXPECT_EQ(s.leaves, 7);
  EXPECT_EQ(s.unsequenced, 0);
}

// ---- the whole ------------------------------------------------------------------------------------------------------

TYPED_TEST_P(StoreConformance, StatsCountWhatAnOperatorWatches) {
  auto m = message("m1");
  m.accepted_at = at(7);
  this->ok({Accept{m}, Accept{message("m2")}});
  this->ok(Decide{decision(2)});
  auto d = delivery("d1", "l1");
  d.created_at = at(5);
  auto parked = delivery("d2", "l2");
  parked.state = DeliveryState::parked;
  this->ok({Enqueue{d}, Enqueue{parked}, Enqueue{delivery("d3", "l3")}});
  this->ok(ChangeDelivery{"d3", DeliveryState::pending, DeliveryState::dead, at(1), "", {}, false});
  auto s = run(this->store->stats()).value();
  EXPECT_EQ(s.messages, 2);
  EXPECT_EQ(s.undecided, 1);
  EXPECT_EQ(s.pending, 1);
  EXPECT_EQ(s.parked, 1);
  EXPECT_EQ(s.dead, 1);
  EXPECT_EQ(s.oldest_undecided, at(7));
  EXPECT_EQ(s.oldest_pending, at(5));
  EXPECT_GT(s.bytes, 0);
}

template <class Backend>
Task<void> send_many(Store& store, int caller, int count, int& accepted, int& duplicates) {
  for (int i = 0; i < count; ++i) {
    // Every id is sent by four callers at once.
    Transaction t{{Accept{message("m" + std::to_string(caller / 4) + "-" + std::to_string(i))}}};
    auto r = co_await store.commit(std::move(t));
    EXPECT_TRUE(r.has_value());
    if (r && r->duplicate_of)
      ++duplicates;
    else if (r)
      ++accepted;
  }
}

TYPED_TEST_P(StoreConformance, SixtyFourConcurrentCallersStoreEachMessageOnce) {
  int accepted = 0, duplicates = 0;
  for (int c = 0; c < 64; ++c)
    boost::asio::co_spawn(this->context, send_many<TypeParam>(*this->store, c, 10, accepted, duplicates),
                          [](std::exception_ptr e) {
                            if (e) std::rethrow_exception(e);
                          });
  this->context.run();
  EXPECT_EQ(accepted, 160);
  EXPECT_EQ(duplicates, 480);
  EXPECT_EQ(run(this->store->stats()).value().messages, 160);
  // Order of one caller is order in the journal.
  MessageSeq last = 0;
  for (int i = 0; i < 10; ++i) {
    auto m = run(this->store->find_message(message("").source, "m3-" + std::to_string(i))).value().value();
    EXPECT_GT(m.seq, last);
    last = m.seq;
  }
}

TYPED_TEST_P(StoreConformance, ACommittedWriteIsSeenByTheNextRead) {
  for (int i = 0; i < 50; ++i) {
    this->ok(PutRow{"s", "k", to_bytes(std::to_string(i)), {}});
    EXPECT_EQ(this->row("s", "k")->value, to_bytes(std::to_string(i)));
  }
}

TYPED_TEST_P(StoreConformance, BackupIsAConsistentCopyAndRefusesAnExistingFile) {
  this->ok({Accept{message("m1")}, PutRow{"s", "k", to_bytes("v"), {}}});
  auto path = this->backend.new_path("backup");
  auto r = run(this->store->backup(path));
  ASSERT_TRUE(r.has_value()) << r.error().code << " " << r.error().message;
  auto again = run(this->store->backup(path));
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, "STORE_EXISTS");
  this->ok(PutRow{"s", "k", to_bytes("later"), {}});
  auto copy = this->backend.open_copy(path);
  EXPECT_EQ(run(copy->row("s", "k")).value()->value, to_bytes("v"));
  EXPECT_TRUE(run(copy->find_message(message("").source, "m1")).value().has_value());
  copy->close();
}

TYPED_TEST_P(StoreConformance, ClosedStoreTakesNothingAndClosingTwiceIsNoError) {
  this->ok(Accept{message("m1")});
  this->store->close();
  this->store->close();
  auto r = this->commit({Accept{message("m2")}});
  ASSERT_FALSE(r.has_value());
  EXPECT_EQ(r.error().code, "STORE_CLOSED");
  EXPECT_FALSE(run(this->store->stats()).has_value());
}

TYPED_TEST_P(StoreConformance, WhatWasCommittedIsThereAfterReopening) {
  if constexpr (!TypeParam::durable) GTEST_SKIP() << "a memory store keeps nothing";
  auto seq = this->ok({Accept{message("m1")}, Enqueue{delivery("d1")}, AppendLeaf{{-1, at(1), "k", "{}"}},
                       PutRow{"s", "k", to_bytes("v"), {}}})
                 .seq;
  this->ok(StartAttempt{"d1", 0, at(3)});
  this->reopen();
  EXPECT_EQ(run(this->store->message(seq)).value()->id, "m1");
  EXPECT_EQ(this->one("d1").state, DeliveryState::attempting);  // seen at start-up as: outcome unknown
  EXPECT_EQ(this->row("s", "k")->version, 1);
  EXPECT_EQ(this->ok(SequenceLeaves{10}).sequenced, 1);
  EXPECT_TRUE(this->ok(Accept{message("m1")}).duplicate_of.has_value());
  EXPECT_GT(this->ok(Accept{message("m2")}).seq, seq);
}

REGISTER_TYPED_TEST_SUITE_P(StoreConformance, AcceptedMessageIsReadBackWhole, SequenceCountsUpAndIsNeverReused,
                            DuplicateOfAcceptedMessageIsAcknowledgedNotStored, SameIdOfAnotherSourceIsAnotherMessage,
                            DuplicateUndoesTheRestOfItsTransaction, ConflictUndoesTheWholeTransactionWhereverItStands,
                            HostileTextAndLargeBodiesAreKeptAsTheyAre, EmptyTransactionCommits, DecidedOnceAndOnlyOnce,
                            UndecidedComeInOrderWithoutBusyLanes, DecisionsOfACaseComeInOrderOfMessage,
                            MessagesAreFilteredAndPaged, ErasedSealedIsGoneAndTheRowStays,
                            DeliveryIsReadBackWholeAndARepeatLeavesItAsItIs, AttemptIsRecordedBeforeAndSettledAfter,
                            OnlyThePendingDeliveryWithTheExpectedAttemptsStarts, PausedWorkerCannotSettleALaterAttempt,
                            OperatorChangesAskForTheStateTheySaw, StrictOrderInsideALaneAndNoLaneWaitsForAnother,
                            ParkedDeliveryHoldsItsLaneAndDeadOrCancelledDoNot,
                            DeliveryEnqueuedAsParkedHoldsItsLaneFromTheStart,
                            DueSkipsBusyTargetsKeepsTheLimitAndTheLongestWaitingFirst,
                            DeliveriesAreFilteredAndPagedById, NextDueIsTheEarliestThatCanHappen,
                            TimersFireOnceTheyAreDueAndOnlyWhileSet, RowsAreComparedAndSwapped,
                            OneTransactionSeesItsOwnWrites, RowsAreListedByPrefixInOrder,
                            ManyRowsAreReadAtOnceInTheOrderAsked, LeavesGetTheirPlaceInOrderOfInsertion,
                            StatsCountWhatAnOperatorWatches, SixtyFourConcurrentCallersStoreEachMessageOnce,
                            ACommittedWriteIsSeenByTheNextRead, BackupIsAConsistentCopyAndRefusesAnExistingFile,
                            ClosedStoreTakesNothingAndClosingTwiceIsNoError, WhatWasCommittedIsThereAfterReopening);

}  // namespace schakel::store::conformance
