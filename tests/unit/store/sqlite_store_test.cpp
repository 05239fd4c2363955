// What SqliteStore adds to the contract: opening, limits, damage, speed.
#include "core/store/sqlite/sqlite_store.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include "core/store/sqlite/opening.hpp"
#include "core/store/sqlite/writes.hpp"
#include "tests/conformance/store_conformance.hpp"
#include "tests/support/temp_folder.hpp"

namespace schakel::store {
namespace {

using conformance::at;
using conformance::decision;
using conformance::delivery;
using conformance::message;
using conformance::run;

/// Holds the writer at the start of a batch, where it asks how full the disk is.
class Gate {
 public:
  void shut() { set(true); }
  void open() { set(false); }
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !shut_; });
    --waiting_;
  }
  void wait_until_held() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ > 0; });
  }

 private:
  void set(bool shut) {
    std::lock_guard lock(mutex_);
    shut_ = shut;
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool shut_ = false;
  int waiting_ = 0;
};

Task<void> send(Store& store, std::string id, std::vector<std::string>& codes) {
  Transaction t{{Accept{message(std::move(id))}}};
  auto r = co_await store.commit(std::move(t));
  codes.push_back(r ? "OK" : r.error().code);
}

class SqliteStoreTest : public ::testing::Test {
 protected:
  SqliteOptions options() {
    SqliteOptions o;
    o.disk_use = [this] {
      gate.pass();
      return Result<DiskUse>(disk);
    };
    return o;
  }
  std::unique_ptr<SqliteStore> open(SqliteOptions o) {
    auto s = SqliteStore::open(path(), clock, std::move(o));
    if (!s) throw std::runtime_error(s.error().code);
    return std::move(*s);
  }
  std::unique_ptr<SqliteStore> open() { return open(options()); }
  std::string open_error(SqliteOptions o = {}) {
    auto s = SqliteStore::open(path(), clock, std::move(o));
    return s ? "" : s.error().code;
  }
  std::string path() { return folder.file("j.db"); }
  void ok(Store& s, std::vector<Op> ops) {
    auto r = run(s.commit({std::move(ops)}));
    ASSERT_TRUE(r.has_value()) << r.error().code;
  }
  void raw(const std::string& sql) {
    Connection c(path(), Connection::Mode::write, "");
    sqlite3_db_config(c.handle(), SQLITE_DBCONFIG_DEFENSIVE, 0, nullptr);
    c.script(sql);
  }
  std::string bytes(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return std::move(out).str();
  }

  boost::asio::io_context context{1};  // outlives every store
  ManualClock clock{at(0)};
  test::TempFolder folder;
  Gate gate;
  DiskUse disk{1ULL << 40, 1ULL << 39};
};

// ---- opening --------------------------------------------------------------------------------------------------------

TEST_F(SqliteStoreTest, SecondStoreOnTheSameFileIsRefusedUntilTheFirstIsClosed) {
  auto s = open();
  EXPECT_EQ(open_error(), "STORE_IN_USE");
  s->close();
  EXPECT_EQ(open_error(), "");
}

TEST_F(SqliteStoreTest, FilesAreReadableByTheOwnerOnly) {
  std::ofstream(path()).close();
  ::chmod(path().c_str(), 0644);
  auto s = open();
  ok(*s, {Accept{message("m1")}});
  for (auto name : {"j.db", "j.db-wal", "j.db-shm", "j.db.lock"}) {
    struct stat st{};
    ASSERT_EQ(::stat(folder.file(name).c_str(), &st), 0) << name;
    EXPECT_EQ(st.st_mode & 0777, 0600U) << name;
  }
  ASSERT_TRUE(run(s->backup(folder.file("copy.db"))).has_value());
  struct stat st{};
  ASSERT_EQ(::stat(folder.file("copy.db").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600U);
}

TEST_F(SqliteStoreTest, DurabilitySettingsHoldOnTheWritingConnection) {
  Connection c(path(), Connection::Mode::write, "");
  c.script("PRAGMA synchronous=OFF");
  ASSERT_TRUE(prepare_database(c, RowGuard(), at(0), false).has_value());
  auto value = [&](const char* sql) {
    auto s = c.query(sql);
    return s.step() ? s.text(0) : "";
  };
  EXPECT_EQ(value("PRAGMA synchronous"), "2");
  EXPECT_EQ(value("PRAGMA journal_mode"), "wal");
  EXPECT_EQ(value("PRAGMA wal_autocheckpoint"), "0");
  EXPECT_EQ(value("PRAGMA secure_delete"), "1");
}

TEST_F(SqliteStoreTest, DatabaseOfSomethingElseIsRefusedAndLeftAlone) {
  raw("CREATE TABLE theirs(x); INSERT INTO theirs VALUES(1)");
  EXPECT_EQ(open_error(), "STORE_FOREIGN");
  raw("INSERT INTO theirs VALUES(2)");
}

TEST_F(SqliteStoreTest, FileThatIsNoDatabaseIsRefused) {
  std::ofstream(path()) << std::string(8192, 'x');
  EXPECT_EQ(open_error(), "STORE_IO");
}

TEST_F(SqliteStoreTest, LaterVersionAndEditedMigrationAreRefused) {
  open()->close();
  raw("INSERT INTO migrations VALUES(99,'later','',0)");
  EXPECT_EQ(open_error(), "STORE_NEWER");
  raw("DELETE FROM migrations WHERE version=99; UPDATE migrations SET sha256='x' WHERE version=1");
  EXPECT_EQ(open_error(), "STORE_MIGRATION");
}

TEST_F(SqliteStoreTest, AnotherIntegrityKeyIsRefused) {
  auto o = options();
  o.integrity_key = Bytes(32, 1);
  open(o)->close();
  EXPECT_EQ(open_error(), "STORE_KEY");
  o.integrity_key = Bytes(32, 2);
  EXPECT_EQ(open_error(o), "STORE_KEY");
  o.integrity_key = Bytes(32, 1);
  EXPECT_EQ(open_error(o), "");
}

TEST_F(SqliteStoreTest, FolderThatIsNotThereIsAnIoError) {
  auto s = SqliteStore::open(folder.file("nowhere/j.db"), clock, {});
  ASSERT_FALSE(s.has_value());
  EXPECT_EQ(s.error().code, "STORE_IO");
}

TEST_F(SqliteStoreTest, ErasedPayloadIsGoneFromTheFilesAfterClosing) {
  auto s = open();
  auto m = message("m1");
  m.sealed = to_bytes(std::string(6000, 'z') + "FINDME-SEALED");
  ok(*s, {Accept{m}, PutRow{"s", "k", to_bytes("FINDME-ROW"), {}}});
  ok(*s, {EraseSealed{1}, EraseRow{"s", "k", {}}});
  s->close();
  for (auto& f : std::filesystem::directory_iterator(std::filesystem::path(path()).parent_path()))
    EXPECT_EQ(bytes(f.path().string()).find("FINDME"), std::string::npos) << f.path();
}

// ---- limits ---------------------------------------------------------------------------------------------------------

TEST_F(SqliteStoreTest, ManyCallersShareOneCommit) {
  auto s = open();
  gate.shut();
  std::vector<std::string> codes;
  auto spawn = [&](int i) {
    boost::asio::co_spawn(context, send(*s, "m" + std::to_string(i), codes),
                          [](std::exception_ptr e) { EXPECT_FALSE(e); });
  };
  auto before = s->health();
  spawn(0);
  context.poll();
  gate.wait_until_held();
  for (int i = 1; i <= 300; ++i) spawn(i);
  context.poll();
  EXPECT_EQ(s->health().queued, 300U);
  gate.open();
  context.run();
  EXPECT_EQ(std::ranges::count(codes, "OK"), 301);
  EXPECT_EQ(s->health().batches - before.batches, 3);  // the first alone, then 256, then the rest
}

TEST_F(SqliteStoreTest, QueueIsBoundedByNumberAndByBytes) {
  for (bool by_bytes : {false, true}) {
    auto o = options();
    if (by_bytes)
      o.max_queue_bytes = 5 * 600;
    else
      o.max_queue = 5;
    auto s = open(o);
    gate.shut();
    context.restart();
    std::vector<std::string> codes;
    auto spawn = [&](int i) {
      boost::asio::co_spawn(context, send(*s, "m" + std::to_string(i), codes),
                            [](std::exception_ptr e) { EXPECT_FALSE(e); });
    };
    spawn(0);
    context.poll();
    gate.wait_until_held();
    for (int i = 1; i <= 10; ++i) spawn(i);
    context.poll();
    gate.open();
    context.run();
    EXPECT_EQ(std::ranges::count(codes, "OK"), 6) << by_bytes;
    EXPECT_EQ(std::ranges::count(codes, "STORE_BUSY"), 5) << by_bytes;
    EXPECT_EQ(run(s->stats()).value().messages, 6) << "what was refused is not stored";
    s->close();
    s.reset();
    std::filesystem::remove(path());
  }
}

TEST_F(SqliteStoreTest, ClosingFinishesWhatIsQueued) {
  auto s = open();
  gate.shut();
  std::vector<std::string> codes;
  for (int i = 0; i < 40; ++i)
    boost::asio::co_spawn(context, send(*s, "m" + std::to_string(i), codes),
                          [](std::exception_ptr e) { EXPECT_FALSE(e); });
  context.poll();
  gate.wait_until_held();
  std::thread closer([&] { s->close(); });
  gate.open();
  closer.join();
  context.run();
  EXPECT_EQ(std::ranges::count(codes, "OK"), 40);
  s = open();
  EXPECT_EQ(run(s->stats()).value().messages, 40);
}

TEST_F(SqliteStoreTest, FullDiskRefusesNewWorkFirstAndDeliveryGoesOn) {
  auto s = open();
  ok(*s, {Accept{message("m1")}, Enqueue{delivery("d1")}});
  EXPECT_TRUE(s->room_for_intake());
  disk = {100ULL << 20, 9ULL << 20};  // 91 % full
  EXPECT_FALSE(s->room_for_intake());
  auto r = run(s->commit({{Accept{message("m2")}}}));
  ASSERT_FALSE(r.has_value());
  EXPECT_EQ(r.error().code, "STORE_FULL");
  EXPECT_EQ(r.error().kind, ErrorKind::unavailable);
  EXPECT_FALSE(s->health().failed);
  ok(*s, {StartAttempt{"d1", 0, at(1)}});
  ok(*s, {Settle{"d1", 1, at(2), "delivered", "", DeliveryState::delivered, at(2)}, Decide{decision(1)}});
  disk.available = 1ULL << 20;  // below the reserve
  EXPECT_EQ(run(s->commit({{PutRow{"s", "k", {}, {}}}})).error().code, "STORE_FULL");
  EXPECT_TRUE(run(s->message(1)).value().has_value());
  EXPECT_FALSE(s->room_for_intake());
  disk.available = 50ULL << 20;  // space came back
  ok(*s, {Accept{message("m2")}});
  disk = {10ULL << 40, 500ULL << 30};  // 95 % of a large disk is no reason to stop
  ok(*s, {Accept{message("m3")}});
  EXPECT_TRUE(s->room_for_intake());
}

TEST_F(SqliteStoreTest, BallastIsSetAsideAndReleased) {
  auto o = options();
  o.ballast_bytes = 1 << 20;
  auto s = open(o);
  EXPECT_EQ(std::filesystem::file_size(path() + ".ballast"), 1U << 20);
  EXPECT_TRUE(release_ballast(path()));
  EXPECT_FALSE(release_ballast(path()));
  ok(*s, {Accept{message("m1")}});
}

TEST_F(SqliteStoreTest, ReadThatRunsTooLongIsStopped) {
  auto o = options();
  o.read_deadline = milliseconds{0};
  auto s = open(o);
  std::vector<Op> ops;
  for (int i = 0; i < 5000; ++i) ops.emplace_back(Accept{message("m" + std::to_string(i), "busy")});
  ok(*s, std::move(ops));
  auto r = run(s->undecided(10, {"busy"}));
  ASSERT_FALSE(r.has_value());
  EXPECT_EQ(r.error().code, "STORE_TIMEOUT");
  EXPECT_TRUE(run(s->message(1)).has_value());
}

TEST_F(SqliteStoreTest, WriteLockHeldFromOutsideIsBusyAndNotFatal) {
  auto s = open();
  {
    Connection other(path(), Connection::Mode::write, "");
    other.script("BEGIN IMMEDIATE");
    EXPECT_EQ(run(s->commit({{Accept{message("m1")}}})).error().code, "STORE_BUSY");
    other.script("ROLLBACK");
  }
  ok(*s, {Accept{message("m1")}});
}

// ---- damage ---------------------------------------------------------------------------------------------------------

TEST_F(SqliteStoreTest, DamagedRowIsNeverServed) {
  auto s = open();
  ok(*s, {Accept{message("m1", "case:a")}, Accept{message("m2", "case:a")}, Accept{message("m3", "case:b")},
          Enqueue{delivery("d1", "x")}, Enqueue{delivery("d2", "y")}, SetTimer{{"t1", "c1", "n", at(0), "set", {}}},
          PutRow{"s", "k", to_bytes("v"), {}}, AppendLeaf{{-1, at(0), "k", "{}"}}, SequenceLeaves{}});
  ok(*s, {Decide{decision(3)}, StartAttempt{"d2", 0, at(1)}});
  s->close();
  raw("UPDATE messages SET sealed=x'00' WHERE seq=1; UPDATE deliveries SET target='thief' WHERE id='d1'; UPDATE timers "
      "SET due=due-1; "
      "UPDATE kv SET value=x'01'; UPDATE leaves SET body='{ }'; UPDATE decisions SET outcome='blocked'; UPDATE "
      "attempts SET code='X'");
  s = open();
  EXPECT_EQ(run(s->message(1)).error().code, "STORE_CORRUPT_ROW");
  EXPECT_EQ(run(s->message(1)).error().kind, ErrorKind::internal);
  EXPECT_EQ(run(s->delivery("d1")).error().code, "STORE_CORRUPT_ROW");
  EXPECT_EQ(run(s->row("s", "k")).error().code, "STORE_CORRUPT_ROW");
  EXPECT_EQ(run(s->leaves(0, 10)).error().code, "STORE_CORRUPT_ROW");
  EXPECT_EQ(run(s->decision(3)).error().code, "STORE_CORRUPT_ROW");
  EXPECT_EQ(run(s->decisions("c1", 0, 10)).error().code, "STORE_CORRUPT_ROW");
  EXPECT_EQ(run(s->attempts("d2")).error().code, "STORE_CORRUPT_ROW");
  EXPECT_EQ(run(s->timers("c1")).error().code, "STORE_CORRUPT_ROW");
  EXPECT_EQ(run(s->commit({{StartAttempt{"d1", 0, at(1)}}})).error().code, "STORE_CORRUPT_ROW");
  // Work lists go on without the row and without what stands behind it.
  EXPECT_TRUE(run(s->undecided(10, {})).value().empty()) << "m2 stands behind m1 in its lane";
  EXPECT_TRUE(run(s->due_deliveries(at(9), 10, {})).value().empty());
  EXPECT_TRUE(run(s->due_timers(at(9), 10)).value().empty());
  EXPECT_GE(s->health().corrupt_rows, 3);
  EXPECT_EQ(run(s->integrity()).value().corrupt.size(), 7U);
  auto b = run(s->backup(folder.file("copy.db")));
  ASSERT_FALSE(b.has_value());
  EXPECT_EQ(b.error().code, "STORE_CORRUPT_ROW");
  EXPECT_FALSE(std::filesystem::exists(folder.file("copy.db")));
  EXPECT_FALSE(s->health().failed);
}

TEST_F(SqliteStoreTest, RowMovedToAnotherPlaceIsNotServed) {
  auto s = open();
  ok(*s, {Accept{message("m1")}, Accept{message("m2")}});
  s->close();
  raw("UPDATE messages SET (sealed,sealed_hash)=(SELECT sealed,sealed_hash FROM messages WHERE seq=2) WHERE seq=1");
  s = open();
  EXPECT_EQ(run(s->message(1)).error().code, "STORE_CORRUPT_ROW");
}

TEST_F(SqliteStoreTest, FlippedBitIsDetectedAndNothingFalseIsServed) {
  {
    auto s = open();
    std::vector<Op> ops;
    for (int i = 0; i < 40; ++i) {
      ops.emplace_back(Accept{message("m" + std::to_string(i))});
      ops.emplace_back(Enqueue{delivery("d" + std::to_string(i), "l" + std::to_string(i))});
    }
    ok(*s, std::move(ops));
  }
  const auto good = bytes(path());
  std::mt19937 chance(20261122);
  int detected = 0, harmless = 0, refused = 0;
  for (int round = 0; round < 400; ++round) {
    auto bad = good;
    auto bit = chance() % (bad.size() * 8);
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    std::ofstream(path(), std::ios::binary | std::ios::trunc) << bad;
    auto opened = SqliteStore::open(path(), clock, options());
    if (!opened) {
      ++refused;
      continue;
    }
    auto& s = **opened;
    bool complete = true;
    for (int i = 0; i < 40; ++i) {
      auto m = run(s.message(i + 1));
      if (m && *m) {
        EXPECT_EQ((*m)->id, "m" + std::to_string(i));
        EXPECT_EQ((*m)->sealed, message("m" + std::to_string(i)).sealed);
        EXPECT_EQ((*m)->state, MessageState::accepted);
      } else {
        complete = false;
      }
    }
    for (auto& d : run(s.due_deliveries(at(1), 100, {})).value_or(std::vector<DeliveryRow>{})) {
      EXPECT_EQ(d.sealed, to_bytes("body " + d.id));
      EXPECT_EQ(d.target, "gemeente");
    }
    auto report = run(s.integrity());
    bool found = !report || !report->corrupt.empty();
    EXPECT_TRUE(complete || found) << "bit " << bit << " made a row vanish unnoticed";
    ++(found ? detected : harmless);
  }
  // Harmless: unused space and the statistics in the header.
  RecordProperty("detected", detected);
  RecordProperty("harmless", harmless);
  RecordProperty("refused", refused);
  EXPECT_GT(detected, 20);
}

// ---- speed ----------------------------------------------------------------------------------------------------------

double milliseconds_of(auto work) {
  auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

TEST_F(SqliteStoreTest, MemoryStoreIsFastEnoughForAScenarioEach) {
  std::vector<double> opening;
  for (int i = 0; i < 20; ++i)
    opening.push_back(milliseconds_of([&] { (void)SqliteStore::open(":memory:", clock, options()); }));
  std::ranges::sort(opening);
  auto s = SqliteStore::open(":memory:", clock, options()).value().release();
  std::unique_ptr<SqliteStore> store(s);
  auto ms = milliseconds_of([&] {
    for (int i = 0; i < 500; ++i)
      ok(*store, {Accept{message("m" + std::to_string(i))}, Enqueue{delivery("d" + std::to_string(i))}});
  });
  RecordProperty("open_ms", std::to_string(opening[10]));
  RecordProperty("transactions_per_second", std::to_string(500 / ms * 1000));
  std::printf("memory: open %.2f ms, %.0f transactions/s\n", opening[10], 500 / ms * 1000);
#ifdef NDEBUG
  EXPECT_LT(opening[10], 5.0);
  EXPECT_GT(500 / ms * 1000, 2000);
#endif
}

TEST_F(SqliteStoreTest, DueDeliveriesAmongAHundredThousandTakeLessThanTwentyMilliseconds) {
  auto s = open();
  for (int shape : {0, 1, 2}) {
    // Many short lanes, all due; few long lanes; many lanes of which none is due yet.
    for (int block = 0; block < 100; ++block) {
      std::vector<Op> ops;
      for (int i = 0; i < 333; ++i) {
        auto n = std::to_string(shape) + "-" + std::to_string(block * 333 + i);
        auto lane = shape == 1 ? "long" + std::to_string(i % 10) : "lane" + n;
        ops.emplace_back(
            Enqueue{delivery("d" + n, lane, "target" + std::to_string(i % 20), at(shape == 2 ? 1'000'000 : i))});
      }
      ok(*s, std::move(ops));
    }
    std::vector<double> times;
    std::size_t got = 0;
    for (int i = 0; i < 9; ++i)
      times.push_back(
          milliseconds_of([&] { got = run(s->due_deliveries(at(1000), 100, {"target1", "target2"})).value().size(); }));
    std::ranges::sort(times);
    std::printf("due_deliveries with %d pending: %.2f ms\n", (shape + 1) * 33'300, times[4]);
    EXPECT_EQ(got, 100U);
#ifdef NDEBUG
    EXPECT_LT(times[4], 20.0);
#endif
    EXPECT_TRUE(run(s->next_due()).value().has_value());
  }
  EXPECT_EQ(run(s->stats()).value().pending, 99'900);
}

}  // namespace
}  // namespace schakel::store
