#include "core/vault/vault.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/unit/vault/support.hpp"

namespace schakel {
namespace {

using test::master;
using test::run_now;
using vault::Place;
using Test = test::VaultTest;

std::string code(const auto& r) { return r ? "" : r.error().code; }

TEST_F(Test, WhatWasSealedOpensOnlyInItsPlace) {
  const Place place{"case-1", "payload", "m1", 1};
  auto sealed = run_now(vault->seal(place, to_bytes("inhoud")));
  ASSERT_TRUE(sealed);
  EXPECT_EQ(as_text(*run_now(vault->open(place, *sealed))), "inhoud");
  ASSERT_TRUE(run_now(vault->ensure_case_key("case-2")));
  for (auto other :
       {Place{"case-2", "payload", "m1", 1}, Place{"case-1", "decision", "m1", 1}, Place{"case-1", "payload", "m2", 1},
        Place{"case-1", "payload", "m1", 2}, Place{"", "payload", "m1", 1}})
    EXPECT_EQ(code(run_now(vault->open(other, *sealed))), "VAULT_TAMPERED");
}

TEST_F(Test, EveryFlippedBitAndEveryCutIsDetected) {
  const Place place{"case-1", "payload", "m1", 1};
  auto sealed = *run_now(vault->seal(place, to_bytes("inhoud")));
  for (std::size_t i = 0; i < sealed.size() * 8; ++i) {
    auto bad = sealed;
    bad[i / 8] ^= static_cast<std::uint8_t>(1 << (i % 8));
    EXPECT_EQ(code(run_now(vault->open(place, bad))), "VAULT_TAMPERED") << i;
  }
  for (std::size_t n = 0; n < sealed.size(); ++n)
    EXPECT_EQ(code(run_now(vault->open(place, Bytes(sealed.begin(), sealed.begin() + static_cast<std::ptrdiff_t>(n))))),
              "VAULT_TAMPERED");
}

TEST_F(Test, SamePlainTwiceGivesDifferentBytesAndNoNonceRepeats) {
  std::set<Bytes> seen;
  for (int i = 0; i < 5000; ++i) {
    auto s = *run_now(vault->seal({"case-1", "payload", "m1", 1}, to_bytes("x")));
    EXPECT_TRUE(seen.insert(Bytes(s.begin() + 1, s.begin() + 25)).second);
  }
  EXPECT_EQ(vault->key_uses(), 5000u);
}

TEST_F(Test, NoKeyOrPlainTextIsInTheStore) {
  ASSERT_TRUE(run_now(vault->seal({"case-1", "payload", "m1", 1}, to_bytes("x"))));
  for (auto space : {"vault.case", "vault.system"})
    for (auto& r : rows(space)) {
      EXPECT_EQ(as_text(r.value).find(to_base64(Bytes(32, 1))), std::string::npos);
      EXPECT_THAT(std::string(as_text(r.value)), ::testing::HasSubstr("\"master\""));
    }
}

TEST_F(Test, ErasedCaseIsGoneForEverAlsoForWhatArrivesLater) {
  const Place place{"case-1", "payload", "m1", 1};
  auto sealed = *run_now(vault->seal(place, to_bytes("inhoud")));
  auto name = *run_now(vault->pseudonym("case-1", "gemeente"));
  auto erasure = run_now(vault->erase_case("case-1"));
  ASSERT_TRUE(erasure);
  commit(erasure->ops);
  vault->forget("case-1");
  EXPECT_EQ(code(run_now(vault->open(place, sealed))), "VAULT_ERASED");
  EXPECT_EQ(code(run_now(vault->seal(place, to_bytes("te laat")))), "VAULT_ERASED");
  EXPECT_EQ(*run_now(vault->case_of_pseudonym("gemeente", name)), std::nullopt);
  EXPECT_TRUE(rows("pseudonym").empty());
  EXPECT_TRUE(rows("pseudonym.case").empty());
  // another node that still has the unwrapped key loses it when its cache ends
}

TEST_F(Test, CachedKeyEndsWithItsTimeSoThatAnErasureOnAnotherNodeIsSeen) {
  const Place place{"case-1", "payload", "m1", 1};
  auto sealed = *run_now(vault->seal(place, to_bytes("inhoud")));
  auto other = std::move(*run_now(vault::Vault::open(*store, clock, master(1))));
  ASSERT_TRUE(run_now(other->open(place, sealed)));
  commit(run_now(vault->erase_case("case-1"))->ops);
  clock.advance(std::chrono::seconds(11));
  EXPECT_EQ(code(run_now(other->open(place, sealed))), "VAULT_ERASED");
}

TEST_F(Test, RotationIsResumedAndLeavesNothingUnderTheOldKey) {
  std::map<std::string, Bytes> sealed;
  for (int i = 0; i < 25; ++i) {
    auto id = "case-" + std::to_string(i);
    sealed[id] = *run_now(vault->seal({id, "payload", "m", 1}, to_bytes(id)));
  }
  auto system = *run_now(vault->seal({"", "progress", "p", 1}, to_bytes("systeem")));
  auto name = *run_now(vault->pseudonym("case-3", "swv"));
  {
    std::vector<vault::MasterKey> old;
    old.push_back(master(1));
    auto next = std::move(*run_now(vault::Vault::open(*store, clock, master(2), std::move(old))));
    auto part = run_now(next->rewrap(10));
    ASSERT_TRUE(part);
    EXPECT_EQ(part->rewrapped, 10);
    EXPECT_FALSE(part->done);
    EXPECT_EQ(run_now(next->masters_in_use())->size(), 2u);
  }  // killed half-way
  std::vector<vault::MasterKey> old;
  old.push_back(master(1));
  auto next = std::move(*run_now(vault::Vault::open(*store, clock, master(2), std::move(old))));
  auto rest = run_now(next->rewrap(1000));
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->rewrapped, 15);
  EXPECT_TRUE(rest->done);
  auto only_new = std::move(*run_now(vault::Vault::open(*store, clock, master(2))));
  for (auto& [id, s] : sealed) EXPECT_EQ(as_text(*run_now(only_new->open({id, "payload", "m", 1}, s))), id);
  EXPECT_EQ(as_text(*run_now(only_new->open({"", "progress", "p", 1}, system))), "systeem");
  EXPECT_EQ(*run_now(only_new->pseudonym("case-3", "swv")), name);
  EXPECT_EQ(code(run_now(vault::Vault::open(*store, clock, master(1)))), "VAULT_MASTER_UNKNOWN");
}

TEST_F(Test, PseudonymIsReadableStableAndAnotherInEachDomain) {
  auto a = *run_now(vault->pseudonym("case-1", "gemeente"));
  EXPECT_THAT(a,
              ::testing::MatchesRegex(
                  "OZA-[0-9A-HJKMNP-TV-Z][0-9A-HJKMNP-TV-Z][0-9A-HJKMNP-TV-Z][0-9A-HJKMNP-TV-Z]-[0-9A-HJKMNP-TV-Z]+"));
  EXPECT_EQ(a.size(), 13u);
  EXPECT_EQ(*run_now(vault->pseudonym("case-1", "gemeente")), a);
  EXPECT_NE(*run_now(vault->pseudonym("case-1", "swv")), a);
  EXPECT_NE(*run_now(vault->pseudonym("case-2", "gemeente")), a);
  EXPECT_EQ(*run_now(vault->case_of_pseudonym("gemeente", a)), "case-1");
  EXPECT_EQ(*run_now(vault->case_of_pseudonym("swv", a)), std::nullopt);
}

TEST_F(Test, IdThatCouldReachAnotherCaseIsRefused) {
  for (const auto& id : {std::string("a/b"), std::string(), std::string(201, 'a')}) {
    EXPECT_EQ(code(run_now(vault->erase_case(id))), "VAULT_ID");
  }
  EXPECT_EQ(code(run_now(vault->seal({"a/b", "k", "i", 1}, {}))), "VAULT_ID");
}

TEST_F(Test, NamedSecretIsSealedAndUnknownOneIsNotFound) {
  auto op = run_now(vault->put_secret("totp-1", Secret(std::string_view("12345678901234567890"))));
  ASSERT_TRUE(op);
  EXPECT_EQ(as_text(op->value).find("1234567890"), std::string::npos);
  commit({*op});
  EXPECT_EQ(run_now(vault->secret("totp-1"))->reveal_text(), "12345678901234567890");
  EXPECT_EQ(code(run_now(vault->secret("totp-2"))), "SECRET_UNKNOWN");
}

TEST(MasterKey, FileThatOthersMayReadIsRefused) {
  const test::TempFolder dir;
  const auto path = (dir.path() / "master.key").string();
  auto made = vault::MasterKey::create_file(path);
  ASSERT_TRUE(made);
  EXPECT_EQ(code(vault::MasterKey::create_file(path)), "MASTER_KEY_EXISTS");
  auto read = vault::MasterKey::from_file(path);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->id(), made->id());
  ::chmod(path.c_str(), 0640);
  EXPECT_EQ(code(vault::MasterKey::from_file(path)), "MASTER_KEY_MODE");
  ::chmod(path.c_str(), 0660);
  EXPECT_EQ(code(vault::MasterKey::from_credential(dir.path().string(), "master.key")), "MASTER_KEY_MODE");
  ::chmod(path.c_str(), 0440);
  EXPECT_TRUE(vault::MasterKey::from_credential(dir.path().string(), "master.key")) << "an access list shows so";
  ::chmod(path.c_str(), 0444);
  EXPECT_EQ(code(vault::MasterKey::from_credential(dir.path().string(), "master.key")), "MASTER_KEY_MODE");
  ::chmod(path.c_str(), 0600);
  std::filesystem::create_symlink(path, dir.path() / "link");
  EXPECT_EQ(code(vault::MasterKey::from_file((dir.path() / "link").string())), "MASTER_KEY_MISSING");
  EXPECT_EQ(code(vault::MasterKey::from_credential(dir.path().string(), "../master.key")), "MASTER_KEY_MISSING");
  EXPECT_TRUE(vault::MasterKey::from_credential(dir.path().string(), "master.key"));
  std::ofstream(path) << "geen sleutel";
  EXPECT_EQ(code(vault::MasterKey::from_file(path)), "MASTER_KEY_FORMAT");
  EXPECT_EQ(code(vault::MasterKey::from_file((dir.path() / "nope").string())), "MASTER_KEY_MISSING");
}

TEST(Aead, KnownAnswerOfTheGcmSpecification) {
  // NIST GCM test case 14: 256 bit zero key, zero nonce, one zero block.
  const Bytes key(32, 0), nonce(12, 0), plain(16, 0);
  EXPECT_EQ(to_hex(vault::gcm_seal(key, nonce, {}, plain)),
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
}

}  // namespace
}  // namespace schakel
