// What SqliteStore adds to the contract: opening and limits.
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "core/store/sqlite/opening.hpp"
#include "tests/unit/store/sqlite_file.hpp"

namespace schakel::store {
namespace {

Task<void> send(Store& store, std::string id, std::vector<std::string>& codes) {
  Transaction t{{Accept{message(std::move(id))}}};
  auto r = co_await store.commit(std::move(t));
  codes.push_back(r ? "OK" : r.error().code);
}

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
  EXPECT_TRUE(std::filesystem::remove(path() + ".ballast")) << "an operator makes room by hand";
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

}  // namespace
}  // namespace schakel::store
