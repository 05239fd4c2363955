// verify, on the store and offline on an export: each attack recomputes everything it can, and the break is found where
// it is.
#include <filesystem>

#include "core/store/sqlite/writes.hpp"
#include "tests/unit/audit/log.hpp"

namespace schakel::audit {
namespace {

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
