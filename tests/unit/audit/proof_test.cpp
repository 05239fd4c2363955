// What outsiders are given: the export by pages, and the proof of one entry.
#include "tests/unit/audit/log.hpp"

namespace schakel::audit {
namespace {

TEST_F(AuditLog, EveryEntryUnderAHeadCanBeProvenToAnOutsider) {
  fill();
  add(1);
  ASSERT_TRUE(run(sequencer->tick()).has_value());
  for (std::uint64_t p : {0U, 1U, 255U, 256U, 299U}) {
    auto proof = run(prove(*db, p)).value();
    EXPECT_EQ(proof.body, run(db->leaves(static_cast<std::int64_t>(p), 1)).value()[0].body);
    auto read = read_proof(dump_json(proof_json(proof)));
    ASSERT_TRUE(read);
    auto head = check_proof(*read, sequencer->verifier());
    ASSERT_TRUE(head) << head.error().code;
    EXPECT_EQ(head->size, 300U);
  }
  for (std::uint64_t p : {300U, 301U, 1'000'000U}) EXPECT_EQ(run(prove(*db, p)).error().code, "NOT_FOUND") << p;
}

TEST_F(AuditLog, ProofOfAnotherEntryPlaceHeadOrKeyIsNone) {
  fill();
  const auto good = run(prove(*db, 42)).value();
  auto code = [&](auto change) {
    auto proof = good;
    change(proof);
    auto r = check_proof(proof, sequencer->verifier());
    return r ? "" : r.error().code;
  };
  EXPECT_EQ(code([](Proof&) {}), "");
  EXPECT_EQ(code([](Proof& p) { p.body.back() = ' '; }), "AUDIT_PROOF");
  EXPECT_EQ(code([](Proof& p) { p.position = 43; }), "AUDIT_PROOF");
  EXPECT_EQ(code([](Proof& p) { p.path.pop_back(); }), "AUDIT_PROOF");
  EXPECT_EQ(code([](Proof& p) { p.path[0][0] ^= 1; }), "AUDIT_PROOF");
  EXPECT_EQ(code([&](Proof& p) { p.head = outside()[1]; }), "AUDIT_PROOF") << "of the log when it was shorter";
  EXPECT_EQ(code([](Proof& p) { p.head = "rubbish"; }), "AUDIT_HEAD_FORMAT");
  auto other = std::move(Signer::from_seed("schakel.test/log", Secret(Bytes(32, 9))).value());
  EXPECT_EQ(check_proof(good, other.verifier()).error().code, "AUDIT_HEAD_SIGNATURE");
}

TEST_F(AuditLog, WhatIsNoProofIsRefused) {
  fill();
  const auto good = proof_json(run(prove(*db, 42)).value());
  auto with = [&](const char* name, Json value) {
    auto j = good;
    j[name] = std::move(value);
    return dump_json(j);
  };
  for (const auto& bad : std::vector<std::string>{
           "", "rubbish", "[]", "{}", with("plaats", -1), with("plaats", "42"), with("plaats", 4.5), with("blad", 1),
           with("hoofd", nullptr), with("pad", "00"), with("pad", {1}), with("pad", {"00"}),
           with("pad", {std::string(64, 'x')}), with("pad", Json(std::vector<std::string>(65, std::string(64, '0')))),
           std::string(2 << 20, ' ')}) {
    auto read = read_proof(bad);
    ASSERT_FALSE(read) << bad.substr(0, 80);
    EXPECT_EQ(read.error().code, "AUDIT_PROOF_FORMAT");
  }
}

TEST_F(AuditLog, AnExportComesInPages) {
  started();
  for (int i = 0; i < 3; ++i) add(700);
  ASSERT_TRUE(run(sequencer->flush()).has_value());
  auto first = run(export_page(*db, 0)).value();
  EXPECT_EQ(first.next, 1000U);
  auto last = run(export_page(*db, 2000)).value();
  EXPECT_EQ(std::ranges::count(last.lines, '\n'), 100);
  EXPECT_FALSE(last.next);
  auto r = check(exported());
  EXPECT_TRUE(r.ok());
  EXPECT_EQ(r.anchored, 2100U);
}

}  // namespace
}  // namespace schakel::audit
