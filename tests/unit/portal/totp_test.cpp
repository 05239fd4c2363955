#include "core/portal/totp.hpp"

#include <gtest/gtest.h>

namespace schakel::portal {
namespace {

Instant at(std::int64_t seconds) { return Instant{milliseconds{seconds * 1000}}; }

TEST(Totp, TestVectorsOfRfc4226) {
  const auto seed = to_bytes("12345678901234567890");
  const char* expected[] = {"755224", "287082", "359152", "969429", "338314",
                            "254676", "287922", "162583", "399871", "520489"};
  for (std::uint64_t i = 0; i < 10; ++i) EXPECT_EQ(hotp(seed, i, {TotpHash::sha1, 6}), expected[i]);
}

TEST(Totp, TestVectorsOfRfc6238) {
  const auto sha1 = to_bytes("12345678901234567890");
  const auto sha256_seed = to_bytes("12345678901234567890123456789012");
  struct Row {
    std::int64_t time;
    const char* one;
    const char* two;
  };
  for (auto& r : {Row{59, "94287082", "46119246"}, Row{1111111109, "07081804", "68084774"},
                  Row{1111111111, "14050471", "67062674"}, Row{1234567890, "89005924", "91819424"},
                  Row{2000000000, "69279037", "90698825"}, Row{20000000000, "65353130", "77737706"}}) {
    EXPECT_EQ(hotp(sha1, static_cast<std::uint64_t>(totp_step(at(r.time))), {TotpHash::sha1, 8}), r.one);
    EXPECT_EQ(hotp(sha256_seed, static_cast<std::uint64_t>(totp_step(at(r.time))), totp_profile(sha256_seed)), r.two);
  }
}

TEST(Totp, StepCountsOnceAndOnlyANeighbourIsTaken) {
  const auto seed = to_bytes("12345678901234567890");
  const auto now = at(1111111111);
  const auto step = totp_step(now);
  auto code = [&](std::int64_t s) { return hotp(seed, static_cast<std::uint64_t>(s), totp_profile(seed)); };
  EXPECT_EQ(totp_match(seed, code(step), now, 0), step);
  EXPECT_EQ(totp_match(seed, code(step - 1), now, 0), step - 1);
  EXPECT_EQ(totp_match(seed, code(step + 1), now, 0), step + 1);
  EXPECT_EQ(totp_match(seed, code(step - 2), now, 0), std::nullopt);
  EXPECT_EQ(totp_match(seed, code(step + 2), now, 0), std::nullopt);
  EXPECT_EQ(totp_match(seed, code(step), now, step), std::nullopt);
  EXPECT_EQ(totp_match(seed, code(step - 1), now, step), std::nullopt);
  for (auto bad : {"", "1", "0000000", "abcdef"}) EXPECT_EQ(totp_match(seed, bad, now, 0), std::nullopt);
}

TEST(Totp, Base32OfRfc4648) {
  EXPECT_EQ(to_base32(to_bytes("foobar")), "MZXW6YTBOI");
  EXPECT_EQ(to_base32(to_bytes("f")), "MY");
  EXPECT_EQ(to_base32({}), "");
}

}  // namespace
}  // namespace schakel::portal
