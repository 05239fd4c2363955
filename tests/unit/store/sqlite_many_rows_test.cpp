// How long it takes is printed, not judged: docs/performance.md has the figures.
#include <algorithm>
#include <chrono>

#include "tests/unit/store/sqlite_file.hpp"

namespace schakel::store {
namespace {

double milliseconds_of(auto work) {
  auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

TEST_F(SqliteStoreTest, MemoryStoreForAScenarioEach) {
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
  EXPECT_EQ(run(store->stats()).value().pending, 500);
  RecordProperty("open_ms", std::to_string(opening[10]));
  RecordProperty("transactions_per_second", std::to_string(500 / ms * 1000));
  std::printf("memory: open %.2f ms, %.0f transactions/s\n", opening[10], 500 / ms * 1000);
}

TEST_F(SqliteStoreTest, DueDeliveriesAmongAHundredThousandAreFound) {
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
    EXPECT_TRUE(run(s->next_due()).value().has_value());
  }
  EXPECT_EQ(run(s->stats()).value().pending, 99'900);
}

}  // namespace
}  // namespace schakel::store
