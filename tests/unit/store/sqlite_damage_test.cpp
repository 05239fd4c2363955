// Damage on the disk: a row that is not what was written is never served.
#include <algorithm>
#include <filesystem>
#include <random>

#include "tests/unit/store/sqlite_file.hpp"

namespace schakel::store {
namespace {

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

}  // namespace
}  // namespace schakel::store
