// The sequencer and verify together: what is signed, what is refused, and where a break is found.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/audit/leaf.hpp"
#include "core/audit/log_rows.hpp"
#include "core/audit/restore.hpp"
#include "core/audit/sequencer.hpp"
#include "core/audit/verify.hpp"
#include "core/base/json.hpp"
#include "core/store/sqlite/sqlite_store.hpp"
#include "core/store/sqlite/writes.hpp"
#include "tests/support/run_shared.hpp"
#include "tests/support/temp_folder.hpp"

namespace schakel::audit {
namespace {

template <class T>
T run(Task<T> task) {
  return test::run_shared(std::move(task));
}

class AuditLog : public ::testing::Test {
 protected:
  void SetUp() override { open(); }
  void TearDown() override {
    sequencer.reset();
    if (db) db->close();
  }
  void open() {
    store::SqliteOptions o;
    o.disk_use = [] { return Result<store::DiskUse>(store::DiskUse{1ULL << 40, 1ULL << 39}); };
    auto s = store::SqliteStore::open(path(), clock, o);
    ASSERT_TRUE(s.has_value()) << s.error().code;
    db = std::move(*s);
    SequencerOptions options;
    options.heads_path = heads_path();
    options.batch = 50;
    options.every_leaves = 100;
    sequencer = std::make_unique<Sequencer>(
        *db, clock, std::move(Signer::from_seed("schakel.test/log", Secret(Bytes(32, 7))).value()), options);
  }
  void close() {
    sequencer.reset();
    db->close();
    db.reset();
  }
  void reopen() {
    close();
    open();
  }
  std::string path() { return folder.file("log.db"); }
  std::string heads_path() { return folder.file("heads.jsonl"); }

  void add(int n) {
    store::Transaction t;
    for (int i = 0; i < n; ++i)
      t.ops.push_back(leaf(clock.now(), "message.accepted", {.ids = {{"message", std::to_string(++count)}}}));
    ASSERT_TRUE(run(db->commit(std::move(t))).has_value());
  }
  void write(std::vector<store::Op> ops) { ASSERT_TRUE(run(db->commit({std::move(ops)})).has_value()); }
  void started() {
    auto r = run(sequencer->start());
    ASSERT_TRUE(r.has_value()) << r.error().code;
  }
  std::string start_error() {
    auto r = run(sequencer->start());
    return r ? "" : r.error().code;
  }
  /// A log of 300 entries with heads at 100, 200 and 300.
  void fill() {
    started();
    for (int i = 0; i < 3; ++i) {
      add(100);
      auto t = run(sequencer->flush());
      ASSERT_TRUE(t.has_value()) << t.error().code;
    }
  }
  std::vector<std::string> outside() {
    std::ifstream in(heads_path(), std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return parse_heads(text.str()).value();
  }
  std::vector<std::string> exported() {
    std::stringstream out;
    EXPECT_TRUE(run(export_log(*db, out)).has_value());
    std::vector<std::string> lines;
    for (std::string line; std::getline(out, line);) lines.push_back(line);
    return lines;
  }
  Report check(const std::vector<std::string>& lines) {
    std::stringstream in;
    for (const auto& l : lines) in << l << '\n';
    return verify_export(in, outside(), sequencer->verifier());
  }
  Report check_store() { return run(verify_store(*db, outside(), sequencer->verifier())).value(); }

  ManualClock clock{Instant{milliseconds{1'800'000'000'000}}};
  test::TempFolder folder;
  std::unique_ptr<store::SqliteStore> db;
  std::unique_ptr<Sequencer> sequencer;
  int count = 0;
};

// ---- the sequencer --------------------------------------------------------------------------------------------------

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

TEST_F(AuditLog, EveryEntryUnderAHeadCanBeProvenToAnOutsider) {
  fill();
  for (std::uint64_t p : {0U, 1U, 255U, 256U, 299U}) {
    auto proof = run(prove(*db, p)).value();
    auto head = sequencer->verifier().open(proof.head).value();
    EXPECT_EQ(proof.leaf, leaf_hash(run(db->leaves(static_cast<std::int64_t>(p), 1)).value()[0].body));
    EXPECT_TRUE(verify_inclusion(p, head.size, proof.leaf, proof.path, head.root));
  }
  EXPECT_EQ(run(prove(*db, 300)).error().code, "NOT_FOUND");
}

// ---- verify: each attack recomputes everything it can ---------------------------------------------------------------

/// Entries of an export that an attacker may rearrange; hashes and positions are made right again by write().
struct Attack {
  explicit Attack(std::vector<std::string> lines) {
    for (auto& l : lines) (l.find("\"body\"") != std::string::npos ? entries : front).push_back(l);
  }
  std::vector<std::string> write() {
    auto out = front;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      auto j = Json::parse(entries[i]);
      j["p"] = i;
      j["h"] = to_hex(leaf_hash(j["body"].get<std::string>()));
      out.push_back(dump_json(j));
    }
    return out;
  }
  void set(std::size_t i, const std::string& id) {
    auto j = Json::parse(entries[i]);
    auto body = Json::parse(j["body"].get<std::string>());
    body["ids"]["message"] = id;
    j["body"] = dump_json(body);
    entries[i] = dump_json(j);
  }
  std::vector<std::string> front, entries;
};

void expect_first(const Report& r, const std::string& code, std::uint64_t from, std::uint64_t to) {
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.breaks[0].code, code);
  EXPECT_EQ(r.breaks[0].from, from);
  EXPECT_EQ(r.breaks[0].to, to);
}

TEST_F(AuditLog, UntouchedLogVerifiesOnlineAndOffline) {
  fill();
  add(7);
  ASSERT_TRUE(run(sequencer->tick()).has_value());
  for (const auto& r : {check(exported()), check_store()}) {
    EXPECT_TRUE(r.ok());
    EXPECT_EQ(r.leaves, 307U);
    EXPECT_EQ(r.anchored, 300U);
    EXPECT_EQ(r.heads_checked, 6U);
  }
}

TEST_F(AuditLog, ModifiedEntryIsFound) {
  fill();
  Attack a(exported());
  a.set(150, "999");
  expect_first(check(a.write()), "AUDIT_ROOT", 100, 199);
  // Without recomputed hashes the entry itself is named.
  auto lines = exported();
  Attack b(lines);
  b.set(150, "999");
  auto at = std::ranges::find_if(lines, [](auto& l) { return l.find("\"p\":150") != std::string::npos; });
  *at = b.entries[150];
  expect_first(check(lines), "AUDIT_LEAF_ALTERED", 150, 150);
}

TEST_F(AuditLog, DeletedEntryIsFound) {
  fill();
  Attack a(exported());
  a.entries.erase(a.entries.begin() + 42);
  expect_first(check(a.write()), "AUDIT_ROOT", 0, 99);
  auto lines = exported();
  std::erase_if(lines, [](auto& l) {
    return l.find("\"p\":42,") != std::string::npos || l.find("\"p\":42}") != std::string::npos;
  });
  expect_first(check(lines), "AUDIT_GAP", 42, 42);
}

TEST_F(AuditLog, InsertedEntryIsFound) {
  fill();
  Attack a(exported());
  a.entries.insert(a.entries.begin() + 250, a.entries[250]);
  expect_first(check(a.write()), "AUDIT_ROOT", 200, 299);
}

TEST_F(AuditLog, SwappedEntriesAreFound) {
  fill();
  Attack a(exported());
  std::swap(a.entries[10], a.entries[11]);
  expect_first(check(a.write()), "AUDIT_ROOT", 0, 99);
  auto lines = exported();
  std::swap(lines[lines.size() - 2], lines[lines.size() - 3]);
  expect_first(check(lines), "AUDIT_GAP", 297, 297);
}

TEST_F(AuditLog, TruncatedLogIsFoundAlsoWhenItsOwnHeadsWereCutToFit) {
  fill();
  Attack a(exported());
  a.entries.resize(200);
  a.front.resize(3);  // the first line and the heads of 100 and 200
  expect_first(check(a.write()), "AUDIT_TRUNCATED", 200, 299);
}

TEST_F(AuditLog, RewrittenLogIsFoundByTheFirstHeadThatSomebodyElseKept) {
  fill();
  Attack a(exported());
  for (std::size_t i = 120; i < a.entries.size(); ++i) a.set(i, "5");
  // The thief has the signing key too and signs new heads for what he wrote; outsiders kept the old ones.
  auto thief = std::move(Signer::from_seed("schakel.test/log", Secret(Bytes(32, 7))).value());
  Tree tree;
  a.front.resize(1);
  for (std::size_t i = 0; i < a.entries.size(); ++i) {
    tree.append(leaf_hash(Json::parse(a.entries[i])["body"].get<std::string>()));
    if ((i + 1) % 100 == 0) {
      auto line = head_line(thief.sign({"schakel.test/log", tree.size(), tree.root(), clock.now()}));
      a.front.push_back(line.substr(0, line.size() - 1));
    }
  }
  auto r = check(a.write());
  expect_first(r, "AUDIT_FORKED_HEADS", 100, 199);
  EXPECT_EQ(r.anchored, 100U);
  // Without heads from outside the same log looks whole, and says that nothing is anchored.
  std::stringstream in;
  for (auto& l : a.write()) in << l << '\n';
  auto alone = verify_export(in, {}, thief.verifier());
  EXPECT_TRUE(alone.ok());
  EXPECT_EQ(alone.anchored, 0U);
}

TEST_F(AuditLog, RolledBackStoreIsFound) {
  started();
  add(100);
  ASSERT_TRUE(run(sequencer->flush()).has_value());
  ASSERT_TRUE(run(db->backup(folder.file("old.db"))).has_value());
  add(100);
  ASSERT_TRUE(run(sequencer->flush()).has_value());
  close();
  std::filesystem::rename(folder.file("old.db"), path());
  open();
  expect_first(check_store(), "AUDIT_TRUNCATED", 100, 199);
}

TEST_F(AuditLog, LeafChangedInsideTheDatabaseIsNamed) {
  fill();
  close();
  {
    // With the row check made right again, as someone who knows the code would.
    store::Connection c(path(), store::Connection::Mode::write, "");
    store::LeafRow l;
    {
      auto s = c.query("SELECT at, kind, body FROM leaves WHERE position=77");
      ASSERT_TRUE(s.step());
      l = {77, s.instant(0), s.text(1), s.text(2)};
    }
    auto body = Json::parse(l.body);
    body["ids"]["message"] = "x";
    l.body = dump_json(body);
    c.run("UPDATE leaves SET body=?1, row_check=?2 WHERE position=77", l.body, store::RowGuard().check(l));
  }
  open();
  auto r = check_store();
  expect_first(r, "AUDIT_LEAF_ALTERED", 77, 77);
  EXPECT_EQ(r.breaks[1].code, "AUDIT_ROOT");
  close();
  {
    store::Connection c(path(), store::Connection::Mode::write, "");
    c.run("UPDATE leaves SET at=at+1 WHERE position=30");
  }
  open();
  expect_first(check_store(), "AUDIT_ROW_DAMAGED", 30, 30);
}

TEST_F(AuditLog, HeadsOfAnotherKeyAnchorNothing) {
  fill();
  auto lines = exported();
  std::stringstream in;
  for (auto& l : lines) in << l << '\n';
  auto other = std::move(Signer::from_seed("schakel.test/log", Secret(Bytes(32, 9))).value());
  auto r = verify_export(in, outside(), other.verifier());
  expect_first(r, "AUDIT_HEAD_SIGNATURE", 0, 0);
  EXPECT_EQ(r.anchored, 0U);
}

TEST_F(AuditLog, HostileExportIsReportedByLineAndNeverTrusted) {
  fill();
  for (const auto& bad : std::vector<std::string>{
           "", "rubbish", "{}", "[]", R"({"p":-1,"at":"2027-01-15T08:00:00.000Z","kind":"k","body":"{}"})",
           R"({"p":99999999999999999999,"at":"x","kind":"k","body":"{}"})",
           R"({"p":0,"h":"00","at":"2027-01-15T08:00:00.000Z","kind":"k","body":"{}"})"}) {
    auto lines = exported();
    lines.insert(lines.begin() + 4, bad);
    expect_first(check(lines), "AUDIT_EXPORT_FORMAT", 5, 5);
  }
  auto headless = exported();
  headless[0] = "x";
  expect_first(check(headless), "AUDIT_EXPORT_FORMAT", 1, 1);
  expect_first(check({}), "AUDIT_EXPORT_FORMAT", 1, 1);
}

TEST_F(AuditLog, ALongExportIsVerified) {
  constexpr int kEntries = 20'000;
  std::stringstream in;
  in << "{\"schakel-audit-export\":1}\n";
  for (int i = 0; i < kEntries; ++i) {
    auto l = leaf(clock.now(), "delivery.settled",
                  {.ids = {{"delivery", std::to_string(i)}, {"case", "case:KNH-1"}},
                   .codes = {"OK"},
                   .hashes = {{"body", sha256("x")}}})
                 .leaf;
    in << dump_json({{"p", i},
                     {"at", format_instant(l.at)},
                     {"kind", l.kind},
                     {"body", l.body},
                     {"h", to_hex(leaf_hash(l.body))}})
       << '\n';
  }
  auto r = verify_export(in, {}, sequencer->verifier());
  EXPECT_TRUE(r.ok());
  EXPECT_EQ(r.leaves, static_cast<std::uint64_t>(kEntries));
}

}  // namespace
}  // namespace schakel::audit
