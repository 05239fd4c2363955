// What a failing disk and a power cut do to acknowledged messages: nothing (trust.md DUR-1, DUR-3 to DUR-6).
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/store/sqlite/opening.hpp"
#include "core/store/sqlite/sqlite_store.hpp"
#include "core/store/sqlite/writes.hpp"
#include "tests/conformance/store_conformance.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/unit/store/fault_vfs.hpp"

namespace schakel::store {
namespace {

using conformance::at;
using conformance::held;
using conformance::message;
using conformance::run;
using test::FaultVfs;

MessageRow big(const std::string& id) {
  auto m = message(id);
  m.sealed.assign(9000, static_cast<std::uint8_t>(id.size()));
  return m;
}

struct Outcome {
  std::set<std::string> acknowledged, refused;
  int fatal = 0;
  bool opened = false;
};

Task<void> accept_some(SqliteStore& store, FaultVfs& vfs, std::string prefix, int count, Outcome& out) {
  for (int i = 0; i < count; ++i) {
    auto id = prefix + std::to_string(i);
    Transaction t{{Accept{big(id)}, AppendLeaf{{-1, at(0), "k", "{}"}}}};
    auto r = co_await store.commit(std::move(t));
    if (r) {
      vfs.mark(id);
      out.acknowledged.insert(id);
    } else {
      EXPECT_TRUE(r.error().code == "STORE_IO") << r.error().code;
      out.refused.insert(id);
    }
  }
}

class StoreFaults : public ::testing::Test {
 protected:
  SqliteOptions options(FaultVfs& vfs, Outcome& out) {
    SqliteOptions o;
    o.vfs = vfs.name();
    o.checkpoint_frames = 20;
    o.readers = 1;
    o.disk_use = [] { return Result<DiskUse>(DiskUse{1ULL << 40, 1ULL << 39}); };
    o.on_fatal = [&out](const Error&) { ++out.fatal; };
    return o;
  }

  /// Opens, sends four one by one and twelve from four callers at once, reads a little, closes.
  Outcome work(FaultVfs& vfs, const std::string& path) {
    Outcome out;
    auto opened = SqliteStore::open(path, clock, options(vfs, out));
    if (!opened) {
      EXPECT_EQ(opened.error().code, "STORE_IO");
      return out;
    }
    out.opened = true;
    auto& store = **opened;
    boost::asio::io_context context(1);
    auto spawn = [&](Task<void> t) {
      boost::asio::co_spawn(context, std::move(t), [](std::exception_ptr e) {
        if (e) std::rethrow_exception(e);
      });
    };
    spawn(accept_some(store, vfs, "s", 4, out));
    context.run();
    context.restart();
    for (auto name : {"a", "b", "c", "d"}) spawn(accept_some(store, vfs, name, 3, out));
    context.run();
    (void)run(store.undecided(5, {}));
    store.close();
    return out;
  }

  /// Everything acknowledged is there once and whole; a repeat of what was refused is taken or known.
  void expect_kept(const std::string& path, const Outcome& out, const std::string& what) {
    SqliteOptions plain;
    plain.disk_use = [] { return Result<DiskUse>(DiskUse{1ULL << 40, 1ULL << 39}); };
    auto opened = SqliteStore::open(path, clock, plain);
    ASSERT_TRUE(opened.has_value()) << what << ": " << opened.error().code << " " << opened.error().message;
    auto& store = **opened;
    for (const auto& id : out.acknowledged) {
      auto m = run(store.find_message(message("").source, id)).value();
      ASSERT_TRUE(m.has_value()) << what << ": lost " << id;
      EXPECT_EQ(m->sealed, big(id).sealed);
    }
    for (const auto& id : out.refused) EXPECT_TRUE(run(store.commit({{Accept{big(id)}}})).has_value()) << what;
    std::set<std::string> seen;
    for (auto& m : held(run(store.messages({.limit = 1000}))))
      EXPECT_TRUE(seen.insert(m.id).second) << what << ": twice " << m.id;
    auto report = run(store.integrity()).value();
    EXPECT_TRUE(report.corrupt.empty()) << what << ": " << report.corrupt.front();
  }

  int sweep(FaultVfs::Plan plan) {
    int n = 0;
    for (plan.nth = 1; plan.nth < 5000; ++plan.nth) {
      test::TempFolder folder;
      auto path = folder.file("j.db");
      FaultVfs vfs;
      vfs.arm(plan);
      auto out = work(vfs, path);
      if (!vfs.fired()) break;
      ++n;
      auto what = "call " + std::to_string(plan.nth);
      if (vfs.failed_call() == FaultVfs::Call::remove && out.opened) {
        // Only closing removes a file, after all is flushed: the log stays and is empty.
        EXPECT_EQ(out.acknowledged.size(), 16U);
      } else if (out.opened) {
        EXPECT_EQ(out.fatal, 1) << what;
        EXPECT_EQ(vfs.changes_after_failure(), 0) << what << ": the file was touched after a failure (DUR-5)";
      } else {
        EXPECT_TRUE(out.acknowledged.empty());
      }
      vfs.disarm();
      expect_kept(path, out, what);
      if (HasFailure()) break;
    }
    return n;
  }

  ManualClock clock{at(0)};
};

TEST_F(StoreFaults, EveryChangingCallFailsOnce) { EXPECT_GT(sweep({.fault = FaultVfs::Fault::io_error}), 100); }
TEST_F(StoreFaults, EveryChangingCallFailsForGood) {
  EXPECT_GT(sweep({.fault = FaultVfs::Fault::io_error, .sticky = true}), 100);
}
TEST_F(StoreFaults, DiskIsFullAtEveryWrite) { EXPECT_GT(sweep({.fault = FaultVfs::Fault::disk_full}), 50); }
TEST_F(StoreFaults, EveryReadingCallFailsOnce) {
  // Some readings are tried again by SQLite itself, or serve nobody; what is answered must be true all the same.
  int n = 0;
  for (FaultVfs::Plan plan{.nth = 1, .reads = true}; plan.nth < 5000; ++plan.nth, ++n) {
    test::TempFolder folder;
    auto path = folder.file("j.db");
    FaultVfs vfs;
    vfs.arm(plan);
    auto out = work(vfs, path);
    if (!vfs.fired()) break;
    EXPECT_LE(out.fatal, 1);
    if (!out.refused.empty()) EXPECT_EQ(out.fatal, 1);
    vfs.disarm();
    expect_kept(path, out, "reading call " + std::to_string(plan.nth));
    if (HasFailure()) break;
  }
  EXPECT_GT(n, 20);
}
TEST_F(StoreFaults, EveryWriteIsCutShort) { EXPECT_GT(sweep({.fault = FaultVfs::Fault::short_write}), 50); }

// ---- power cuts -----------------------------------------------------------------------------------------------------

void write_image(const std::string& folder, const std::map<std::string, Bytes>& files) {
  std::filesystem::create_directory(folder);
  for (const auto& [name, bytes] : files)
    std::ofstream(folder + "/" + name, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

Outcome acknowledged_before(const std::vector<FaultVfs::Event>& events, std::size_t cut) {
  Outcome out;
  for (std::size_t i = 0; i < cut; ++i)
    if (events[i].kind == FaultVfs::Event::Kind::mark) out.acknowledged.insert(events[i].mark);
  return out;
}

TEST_F(StoreFaults, PowerCutAtAnyMomentLosesNothingAcknowledged) {
  test::TempFolder folder;
  FaultVfs vfs;
  auto all = work(vfs, folder.file("j.db"));
  ASSERT_EQ(all.acknowledged.size(), 16U);
  auto events = vfs.events();
  std::mt19937 chance(20261122);
  int cuts = 0;
  for (std::size_t cut = 1; cut <= events.size(); ++cut)
    for (int keep : {0, 1, 2}) {
      // Every moment with nothing kept; the other two at a third of them.
      if (keep != 0 && cut % 3 != 0) continue;
      auto where = folder.file("cut");
      write_image(where, disk_after_cut(events, cut, keep, chance));
      expect_kept(where + "/j.db", acknowledged_before(events, cut),
                  "cut " + std::to_string(cut) + " keep " + std::to_string(keep));
      std::filesystem::remove_all(where);
      ++cuts;
      if (HasFailure()) return;
    }
  EXPECT_GT(cuts, 200);
}

/// The same work straight on a connection, with another setting or without the start checkpoint.
bool accept_raw(Connection& db, const RowGuard& guard, const std::string& id) {
  db.run("BEGIN IMMEDIATE");
  auto r = apply(db, guard, {{Accept{big(id)}}});
  db.run("COMMIT");
  return r.has_value();
}

TEST_F(StoreFaults, ControlWithSynchronousNormalDoesLose) {
  // If this stops failing the simulation no longer cuts the power.
  test::TempFolder folder;
  FaultVfs vfs;
  RowGuard guard;
  {
    Connection db(folder.file("j.db"), Connection::Mode::write, vfs.name());
    ASSERT_TRUE(prepare_database(db, guard, at(0), false).has_value());
    db.script("PRAGMA synchronous=NORMAL");
    for (int i = 0; i < 10; ++i) {
      ASSERT_TRUE(accept_raw(db, guard, "m" + std::to_string(i)));
      vfs.mark("m" + std::to_string(i));
    }
    db.abandon();
  }
  std::mt19937 chance(1);
  auto events = vfs.events();
  write_image(folder.file("cut"), disk_after_cut(events, events.size(), 0, chance));
  auto store = SqliteStore::open(folder.file("cut/j.db"), clock, {});
  ASSERT_TRUE(store.has_value());
  EXPECT_LT(run((*store)->stats()).value().messages, 10);
}

/// A process wrote a message and died before its flush; the next one is sent the same message. Returns whether a power
/// cut after the second acknowledgement loses it (finding F1).
bool trap_loses(const Clock& clock, bool start_checkpoint) {
  test::TempFolder folder;
  auto path = folder.file("j.db");
  FaultVfs vfs;
  SqliteOptions o;
  o.vfs = vfs.name();
  o.disk_use = [] { return Result<DiskUse>(DiskUse{1ULL << 40, 1ULL << 39}); };
  {
    auto first = SqliteStore::open(path, clock, o).value().release();
    std::unique_ptr<SqliteStore> store(first);
    EXPECT_TRUE(run(store->commit({{Accept{big("a")}}})).has_value());
    vfs.arm({.nth = 1, .file = "-wal", .only_sync = true});
    auto r = run(store->commit({{Accept{big("b")}}}));
    EXPECT_FALSE(r.has_value());
  }
  vfs.disarm();
  RowGuard guard;
  bool duplicate = false;
  std::size_t cut = 0;
  if (start_checkpoint) {
    auto store = SqliteStore::open(path, clock, o);
    EXPECT_TRUE(store.has_value());
    duplicate = run((*store)->commit({{Accept{big("b")}}})).value().duplicate_of.has_value();
    cut = vfs.events().size();
  } else {
    Connection db(path, Connection::Mode::write, vfs.name());
    db.script("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
    db.run("BEGIN IMMEDIATE");
    duplicate = apply(db, guard, {{Accept{big("b")}}}).value().duplicate_of.has_value();
    db.run("COMMIT");
    cut = vfs.events().size();
    db.abandon();
  }
  EXPECT_TRUE(duplicate) << "the message must be known from the page cache, else there is no trap";
  std::mt19937 chance(1);
  write_image(folder.file("cut"), disk_after_cut(vfs.events(), cut, 0, chance));
  auto after = SqliteStore::open(folder.file("cut/j.db"), clock, {});
  EXPECT_TRUE(after.has_value());
  EXPECT_TRUE(run((*after)->find_message(message("").source, "a")).value().has_value());
  return !run((*after)->find_message(message("").source, "b")).value().has_value();
}

TEST_F(StoreFaults, DuplicateTrapIsRealWithoutTheStartCheckpoint) { EXPECT_TRUE(trap_loses(clock, false)); }
TEST_F(StoreFaults, DuplicateIsAcknowledgedOnlyWhenItsFirstCopyIsDurable) { EXPECT_FALSE(trap_loses(clock, true)); }

}  // namespace
}  // namespace schakel::store
