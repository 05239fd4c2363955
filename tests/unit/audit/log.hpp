// A log on disk with its sequencer, for the tests of what is signed and of what verify finds.
#pragma once
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "core/audit/leaf.hpp"
#include "core/audit/sequencer.hpp"
#include "core/audit/verify.hpp"
#include "core/base/json.hpp"
#include "core/store/sqlite/sqlite_store.hpp"
#include "tests/support/run_shared.hpp"
#include "tests/support/temp_folder.hpp"

namespace schakel::audit {

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
    for (std::optional<std::uint64_t> from = 0; from;) {
      auto page = run(export_page(*db, *from));
      EXPECT_TRUE(page.has_value());
      out << page->lines;
      from = page->next;
    }
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

}  // namespace schakel::audit
