#include "core/audit/checkpoint.hpp"

#include <gtest/gtest.h>

#include "core/audit/leaf.hpp"
#include "core/base/json.hpp"

namespace schakel::audit {
namespace {

Signer signer(std::uint8_t fill = 7, std::string name = "schakel.test/log") {
  return std::move(Signer::from_seed(std::move(name), Secret(Bytes(32, fill))).value());
}
Checkpoint head() { return {"schakel.test/log", 42, sha256("root"), Instant{milliseconds{1'800'000'000'000}}}; }

TEST(Checkpoint, SignedHeadIsReadBackByItsKeyOnly) {
  auto note = signer().sign(head());
  auto back = signer().verifier().open(note);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(*back, head());
  EXPECT_EQ(signer(8).verifier().open(note).error().code, "AUDIT_HEAD_SIGNATURE");
  EXPECT_EQ(signer(7, "other/log").verifier().open(note).error().code, "AUDIT_HEAD_SIGNATURE");
}

TEST(Checkpoint, Ed25519IsTheOneOfRfc8032) {
  // RFC 8032 section 7.1, TEST 1: the public key of this seed.
  auto seed = from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").value();
  auto s = Signer::from_seed("n", Secret(seed)).value().public_text();
  auto key = from_base64(s.substr(11)).value();  // after n+<8 hex>+
  EXPECT_EQ(to_hex(ByteView(key).subspan(1)), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
}

TEST(Checkpoint, EveryChangedByteBreaksTheSignatureOrTheForm) {
  auto v = signer().verifier();
  auto note = signer().sign(head());
  int refused = 0;
  for (std::size_t i = 0; i < note.size(); ++i)
    for (char flip : {'\x01', '\x20'}) {
      auto bad = note;
      bad[i] = static_cast<char>(bad[i] ^ flip);
      if (!v.open(bad)) ++refused;
    }
  EXPECT_EQ(refused, static_cast<int>(note.size()) * 2);
  for (std::size_t n = 0; n < note.size(); ++n) EXPECT_FALSE(v.open(note.substr(0, n)).has_value()) << n;
  EXPECT_FALSE(v.open(note + "x").has_value());
}

TEST(Checkpoint, SignaturesOfWitnessesArePassedOver) {
  auto note = signer().sign(head()) + "\xe2\x80\x94 witness.example AAAAAAAA\n";
  EXPECT_TRUE(signer().verifier().open(note).has_value());
}

TEST(Checkpoint, PublicTextRoundTripsAndADifferentOneIsRefused) {
  auto text = signer().public_text();
  auto v = Verifier::from_text(text);
  ASSERT_TRUE(v.has_value());
  EXPECT_TRUE(v->open(signer().sign(head())).has_value());
  for (const auto& bad : std::vector<std::string>{"", "a", "a+b", "a+b+c", "+00000000+", "other" + text, text + "A"})
    EXPECT_FALSE(Verifier::from_text(bad).has_value()) << bad;
  EXPECT_FALSE(Signer::from_seed("has space", Secret(Bytes(32, 1))).has_value());
  EXPECT_FALSE(Signer::from_seed("n", Secret(Bytes(31, 1))).has_value());
}

TEST(Checkpoint, HeadsFileForgivesOnlyALineThatACrashCutShort) {
  auto line = head_line(signer().sign(head()));
  EXPECT_EQ(parse_heads("").value().size(), 0U);
  EXPECT_EQ(parse_heads(line + line).value().size(), 2U);
  EXPECT_EQ(parse_heads(line + line.substr(0, 10)).value().size(), 1U);
  EXPECT_EQ(parse_heads(line).value()[0], signer().sign(head()));
  for (const auto& bad :
       std::vector<std::string>{"\n", "{}\n", "[]\n", "{\"head\":1}\n", "{\"head\":\"x\",\"y\":1}\n", "rubbish\n"})
    EXPECT_FALSE(parse_heads(line + bad).has_value());
}

TEST(Leaf, BodyIsCanonicalJson) {
  auto op = leaf(Instant{milliseconds{1'800'000'000'000}}, "message.accepted",
                 {.ids = {{"message", "17"}, {"delivery", "d-1"}},
                  .codes = {"OK"},
                  .hashes = {{"envelope", sha256("x")}},
                  .counts = {{"bytes", 12}}});
  EXPECT_EQ(op.leaf.body,
            R"({"at":"2027-01-15T08:00:00.000Z","codes":["OK"],"counts":{"bytes":12},"hashes":{"envelope":")" +
                sha256_hex("x") + R"("},"ids":{"delivery":"d-1","message":"17"},"kind":"message.accepted","v":1})");
  EXPECT_EQ(op.leaf.kind, "message.accepted");
  EXPECT_EQ(op.leaf.position, -1);
}

TEST(Leaf, PersonalDataIsWithheld) {
  // 999990019 is a test BSN that passes the eleven test.
  for (const auto& bad : std::vector<std::string>{"999990019", "case:999990019", "bsn/999990019/x", "Jan de Vries",
                                                  "a@b.nl", "{\"x\":1}", "caf\xc3\xa9", std::string("a\0b", 3)}) {
    EXPECT_FALSE(leaf_text_allowed(bad)) << bad;
    auto body = leaf({}, "k", {.ids = {{"id", bad}}, .codes = {bad}}).leaf.body;
    EXPECT_EQ(body.find("999990019"), std::string::npos);
    EXPECT_NE(body.find("withheld"), std::string::npos);
  }
  EXPECT_FALSE(leaf_text_allowed(std::string(201, 'a')));
  for (const auto& good : std::vector<std::string>{"", "case:KNH-2026-000123", "00000001800000000000", "123456789012",
                                                   "f47ac10b-58cc-4372-a567-0e02b2c3d479", "999990018",
                                                   "urn:nld:oin:00000001800000000000:systeem:ot"})
    EXPECT_TRUE(leaf_text_allowed(good)) << good;
}

}  // namespace
}  // namespace schakel::audit
