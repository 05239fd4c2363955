// A SqliteStore on a file, whose disk and whose writer the test holds.
#pragma once
#include <gtest/gtest.h>

#include <condition_variable>
#include <fstream>
#include <mutex>
#include <sstream>

#include "core/store/sqlite/sqlite_store.hpp"
#include "core/store/sqlite/writes.hpp"
#include "tests/conformance/store_conformance.hpp"
#include "tests/support/temp_folder.hpp"

namespace schakel::store {

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

}  // namespace schakel::store
