// The sequencer: what is signed, and when it refuses to go on.
#include <filesystem>

#include "core/audit/log_rows.hpp"
#include "core/audit/restore.hpp"
#include "tests/unit/audit/log.hpp"

namespace schakel::audit {
namespace {

TEST_F(AuditLog, HeadIsSignedAfterEnoughLeavesOrEnoughTimeAndNotBefore) {
  started();
  EXPECT_FALSE(run(sequencer->tick()).value().head.has_value());
  add(20);
  auto t = run(sequencer->tick()).value();
  EXPECT_EQ(t.sequenced, 20);
  EXPECT_FALSE(t.head.has_value());
  clock.advance(milliseconds{59'999});
  EXPECT_FALSE(run(sequencer->tick()).value().head.has_value());
  clock.advance(milliseconds{1});
  auto head = run(sequencer->tick()).value().head;
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(sequencer->verifier().open(*head)->size, 20U);
  EXPECT_EQ(sequencer->latest(), *head);
  add(100);
  EXPECT_TRUE(run(sequencer->tick()).value().more);
  t = run(sequencer->tick()).value();
  EXPECT_TRUE(t.head.has_value());
  clock.advance(milliseconds{600'000});
  EXPECT_FALSE(run(sequencer->tick()).value().head.has_value()) << "nothing new, nothing to sign";
  EXPECT_EQ(outside().size(), 2U);
}

TEST_F(AuditLog, TickBeforeStartIsRefused) { EXPECT_EQ(run(sequencer->tick()).error().code, "AUDIT_NOT_STARTED"); }

TEST_F(AuditLog, ContinuesAfterARestartAtAnySize) {
  started();
  for (int n : {1, 254, 1, 1, 255, 300}) {
    add(n);
    ASSERT_TRUE(run(sequencer->flush()).has_value());
    reopen();
    started();
  }
  auto r = check_store();
  EXPECT_TRUE(r.ok());
  EXPECT_EQ(r.leaves, 812U);
  EXPECT_EQ(r.anchored, 812U);
}

TEST_F(AuditLog, HeadThatACrashKeptFromTheFileOutsideIsAddedAtTheStart) {
  fill();
  auto lines = outside();
  std::ofstream(heads_path(), std::ios::trunc)
      << head_line(lines[0]) << head_line(lines[1]) << head_line(lines[2]).substr(0, 20);
  reopen();
  started();
  EXPECT_EQ(outside(), lines);
}

TEST_F(AuditLog, RestoredBackupIsSeenAsAForkAndNotSignedOver) {
  started();
  add(50);
  ASSERT_TRUE(run(sequencer->flush()).has_value());
  auto backup = folder.file("backup.db");
  ASSERT_TRUE(run(db->backup(backup)).has_value());
  add(50);
  ASSERT_TRUE(run(sequencer->flush()).has_value());
  close();
  std::filesystem::rename(backup, path());
  open();
  EXPECT_EQ(start_error(), "AUDIT_FORK");
  EXPECT_EQ(run(sequencer->tick()).error().code, "AUDIT_FORK");
  // Also when the copy has grown past the old head in the meantime, by a sequencer that did not see the file.
  std::filesystem::rename(heads_path(), folder.file("kept"));
  reopen();
  started();
  add(200);
  ASSERT_TRUE(run(sequencer->flush()).has_value());
  std::filesystem::rename(folder.file("kept"), heads_path());
  reopen();
  EXPECT_EQ(start_error(), "AUDIT_FORK");
}

TEST_F(AuditLog, RestoredBackupStartsAfterAPersonAcceptedItAndSaysSoInItsLog) {
  started();
  add(50);
  ASSERT_TRUE(run(sequencer->flush()).has_value());
  auto accept = [&] { return run(accept_restore(*db, heads_path(), "uid-0", "disk replaced", clock.now())); };
  EXPECT_EQ(accept().error().code, "AUDIT_NO_FORK") << "there is nothing to accept";
  auto backup = folder.file("backup.db");
  ASSERT_TRUE(run(db->backup(backup)).has_value());
  add(70);
  ASSERT_TRUE(run(sequencer->flush()).has_value());
  close();
  std::filesystem::rename(backup, path());
  open();
  EXPECT_EQ(start_error(), "AUDIT_FORK");
  reopen();
  auto accepted = accept();
  ASSERT_TRUE(accepted) << accepted.error().code;
  EXPECT_EQ(accepted->here, 50u);
  EXPECT_EQ(accepted->outside, 120u);
  EXPECT_TRUE(std::filesystem::exists(accepted->kept)) << "what was lost can still be told";
  started();
  add(5);
  ASSERT_TRUE(run(sequencer->flush()).has_value());
  auto report = check_store();
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.leaves, 56u) << "50, the leaf of the restore, 5";
  auto rows = run(db->leaves(50, 1)).value();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].kind, "store.restored");
  EXPECT_EQ(rows[0].body.find("disk replaced"), std::string::npos) << "the reason may name somebody";
  // Whoever holds the old heads still sees it.
  std::filesystem::copy_file(accepted->kept, heads_path(), std::filesystem::copy_options::overwrite_existing);
  reopen();
  EXPECT_EQ(start_error(), "AUDIT_FORK");
}

TEST_F(AuditLog, RestoreIsNotAcceptedOnHeadsThatCannotBeRead) {
  started();
  add(50);
  ASSERT_TRUE(run(sequencer->flush()).has_value());
  std::ofstream(heads_path(), std::ios::app) << "{\"head\":\"no note\"}\n";
  EXPECT_EQ(run(accept_restore(*db, heads_path(), "uid-0", "why", clock.now())).error().code, "AUDIT_HEAD_FORMAT");
  std::ofstream(heads_path(), std::ios::app) << "rubbish\n";
  EXPECT_EQ(run(accept_restore(*db, heads_path(), "uid-0", "why", clock.now())).error().code, "AUDIT_HEADS_FORMAT");
}

TEST_F(AuditLog, StoredTreeOrHeadThatWasTamperedWithIsNotSignedOver) {
  fill();
  auto tree = run(db->row(kSpace, kTree)).value().value();
  auto other = tree.value;
  other[other.size() - 5] = other[other.size() - 5] == '0' ? '1' : '0';
  write({store::PutRow{kSpace, kTree, other, {}}});
  reopen();
  EXPECT_EQ(start_error(), "AUDIT_TREE");
  write({store::PutRow{kSpace, kTree, tree.value, {}}, store::PutRow{kSpace, kLatest, to_bytes("rubbish"), {}}});
  reopen();
  EXPECT_EQ(start_error(), "AUDIT_HEAD_SIGNATURE");
}

/// Shows another leaf the second time it is read, as memory with a bad bit does.
class FlippingStore final : public store::Store {
 public:
  explicit FlippingStore(store::Store& inner) : inner_(inner) {}
  int flip_at_read = -1;
  Task<Result<store::Committed>> commit(store::Transaction t) override { return inner_.commit(std::move(t)); }
  Task<Result<std::vector<store::LeafRow>>> leaves(std::int64_t position, int limit) override {
    auto page = co_await inner_.leaves(position, limit);
    if (page && !page->empty() && reads_++ == flip_at_read) page->back().body.back() ^= 1;
    co_return page;
  }
  Task<Result<std::optional<store::Row>>> row(std::string s, std::string k) override { return inner_.row(s, k); }
  Task<Result<std::vector<store::Row>>> rows(std::string s, std::string p, std::string a, int l) override {
    return inner_.rows(s, p, a, l);
  }
  Task<Result<std::vector<store::MessageRow>>> undecided(int l, std::vector<std::string> b) override {
    return inner_.undecided(l, b);
  }
  Task<Result<std::optional<store::MessageRow>>> message(store::MessageSeq s) override { return inner_.message(s); }
  Task<Result<std::optional<store::MessageRow>>> find_message(std::string s, std::string i) override {
    return inner_.find_message(s, i);
  }
  Task<Result<std::vector<store::MessageRow>>> messages(store::MessageFilter f) override { return inner_.messages(f); }
  Task<Result<std::vector<store::DecisionRow>>> decisions(std::string c, store::MessageSeq a, int l) override {
    return inner_.decisions(c, a, l);
  }
  Task<Result<std::optional<store::DecisionRow>>> decision(store::MessageSeq m) override { return inner_.decision(m); }
  Task<Result<std::vector<store::DeliveryRow>>> due_deliveries(Instant n, int l, std::vector<std::string> b) override {
    return inner_.due_deliveries(n, l, b);
  }
  Task<Result<std::optional<store::DeliveryRow>>> delivery(std::string i) override { return inner_.delivery(i); }
  Task<Result<std::vector<store::DeliveryRow>>> deliveries(store::DeliveryFilter f) override {
    return inner_.deliveries(f);
  }
  Task<Result<std::vector<store::AttemptRow>>> attempts(std::string d) override { return inner_.attempts(d); }
  Task<Result<std::optional<Instant>>> next_due() override { return inner_.next_due(); }
  Task<Result<std::vector<store::TimerRow>>> due_timers(Instant n, int l) override { return inner_.due_timers(n, l); }
  Task<Result<std::vector<store::TimerRow>>> timers(std::string c) override { return inner_.timers(c); }
  Task<Result<store::Stats>> stats() override { return inner_.stats(); }
  Task<Result<void>> backup(std::string p) override { return inner_.backup(p); }
  void close() override {}

 private:
  store::Store& inner_;
  int reads_ = 0;
};

TEST_F(AuditLog, BitThatFlipsBetweenTwoReadingsStopsTheSignature) {
  for (int read : {0, 1}) {
    FlippingStore bad(*db);
    bad.flip_at_read = read;
    Sequencer s(bad, clock, std::move(Signer::from_seed("schakel.test/log", Secret(Bytes(32, 7))).value()), {});
    ASSERT_TRUE(run(s.start()).has_value());
    add(10);
    auto r = run(s.flush());
    ASSERT_FALSE(r.has_value());
    EXPECT_EQ(r.error().code, "AUDIT_REHASH");
    EXPECT_EQ(run(s.flush()).error().code, "AUDIT_REHASH") << "halted until a person looked";
    EXPECT_EQ(s.latest(), "");
  }
}

TEST_F(AuditLog, SecondSequencerOfTheSameLogIsNoticed) {
  Sequencer other(*db, clock, std::move(Signer::from_seed("schakel.test/log", Secret(Bytes(32, 7))).value()), {});
  started();
  ASSERT_TRUE(run(other.start()).has_value());
  add(5);
  ASSERT_TRUE(run(sequencer->flush()).has_value());
  add(5);
  EXPECT_EQ(run(other.flush()).error().code, "AUDIT_CONFLICT");
}

}  // namespace
}  // namespace schakel::audit
