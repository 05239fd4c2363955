// Durable accepts per second with 1, 8 and 64 callers, beside what SQLite itself does in the same run on the same disk
// with one row per commit. Run it on a real disk: TMPDIR decides where the files lie.
#include <benchmark/benchmark.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>

#include "core/store/sqlite/sqlite_store.hpp"

namespace {

using namespace schakel;
using namespace schakel::store;

struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("schakel-bench-" + to_hex(random_bytes(8)));
  Folder() { std::filesystem::create_directory(path); }
  ~Folder() { std::filesystem::remove_all(path); }
  [[nodiscard]] std::string file() const { return (path / "j.db").string(); }
};

MessageRow message(std::int64_t n) {
  MessageRow m;
  m.source = "urn:nld:oin:00000001800000000000:systeem:bench";
  m.id = std::to_string(n);
  m.type = "documentlevering";
  m.region = "KNH";
  m.party = "school-1";
  m.lane = m.case_id = "case:" + std::to_string(n % 100);
  m.sealed.assign(1500, static_cast<std::uint8_t>(n));
  return m;
}

Task<void> caller(Store& store, std::int64_t& next, std::int64_t last) {
  while (next < last) {
    auto n = next++;
    Transaction t{{Accept{message(n)}, AppendLeaf{{-1, {}, "message.accepted", R"({"kind":"message.accepted"})"}}}};
    auto r = co_await store.commit(std::move(t));
    if (!r) throw std::runtime_error(r.error().code);
  }
}

void accepts(benchmark::State& state) {
  Folder folder;
  SystemClock clock;
  boost::asio::io_context context(1);  // outlives the store
  auto store = SqliteStore::open(folder.file(), clock, {});
  if (!store) return state.SkipWithError(store.error().code.c_str());
  std::int64_t next = 0;
  for (auto _ : state) {
    context.restart();
    auto last = next + 64 * 8;
    for (int i = 0; i < state.range(0); ++i)
      boost::asio::co_spawn(context, caller(**store, next, last), [](std::exception_ptr e) {
        if (e) std::rethrow_exception(e);
      });
    context.run();
  }
  state.SetItemsProcessed(next);
  auto health = (*store)->health();
  state.counters["per_commit"] =
      static_cast<double>(health.transactions) / static_cast<double>(std::max<std::int64_t>(1, health.batches));
}
BENCHMARK(accepts)->Arg(1)->Arg(8)->Arg(64)->UseRealTime()->Unit(benchmark::kMillisecond);

void memory_accepts(benchmark::State& state) {
  SystemClock clock;
  auto store = SqliteStore::open(":memory:", clock, {});
  std::int64_t next = 0;
  for (auto _ : state) {
    boost::asio::io_context context(1);
    boost::asio::co_spawn(context, caller(**store, next, next + 512), [](std::exception_ptr e) {
      if (e) std::rethrow_exception(e);
    });
    context.run();
  }
  state.SetItemsProcessed(next);
}
BENCHMARK(memory_accepts)->UseRealTime()->Unit(benchmark::kMillisecond);

/// The baseline: one table, one row of the same size per durable commit, nothing else.
void raw_sqlite(benchmark::State& state) {
  Folder folder;
  Connection db(folder.file(), Connection::Mode::write, "");
  db.script(
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE j(id TEXT PRIMARY KEY, body BLOB) WITHOUT ROWID");
  Bytes body(1500, 1);
  std::int64_t n = 0;
  const auto batch = state.range(0);
  for (auto _ : state) {
    for (int i = 0; i < 64; ++i) {
      db.run("BEGIN IMMEDIATE");
      for (std::int64_t k = 0; k < batch; ++k) db.run("INSERT INTO j VALUES(?1,?2)", std::to_string(n++), body);
      db.run("COMMIT");
    }
    if (db.wal_frames() > 1000) db.checkpoint(SQLITE_CHECKPOINT_PASSIVE);
  }
  state.SetItemsProcessed(n);
}
BENCHMARK(raw_sqlite)->Arg(1)->Arg(8)->Arg(64)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
