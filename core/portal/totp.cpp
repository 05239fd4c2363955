#include "core/portal/totp.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "core/base/assert.hpp"
#include "core/base/hash.hpp"

namespace schakel::portal {

TotpProfile totp_profile(ByteView seed) {
  return seed.size() >= 32 ? TotpProfile{TotpHash::sha256, 8} : TotpProfile{TotpHash::sha1, 6};
}

std::int64_t totp_step(Instant t) {
  return std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count() / 30;
}

std::string hotp(ByteView seed, std::uint64_t counter, const TotpProfile& profile) {
  std::array<std::uint8_t, 8> message{};
  for (std::size_t i = 0; i < 8; ++i) message[i] = static_cast<std::uint8_t>(counter >> (56 - 8 * i));
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> mac{};
  unsigned n = 0;
  SCHAKEL_ASSERT(HMAC(profile.hash == TotpHash::sha1 ? EVP_sha1() : EVP_sha256(), seed.data(),
                      static_cast<int>(seed.size()), message.data(), message.size(), mac.data(), &n) != nullptr);
  const std::size_t at = mac[n - 1] & 15u;
  const std::uint32_t bits = (mac[at] & 0x7fu) << 24 | mac[at + 1] << 16u | mac[at + 2] << 8u | mac[at + 3];
  std::uint32_t modulus = 1;
  for (int i = 0; i < profile.digits; ++i) modulus *= 10;
  return fmt::format("{:0{}}", bits % modulus, profile.digits);
}

std::optional<std::int64_t> totp_match(ByteView seed, std::string_view code, Instant now, std::int64_t after) {
  const auto profile = totp_profile(seed);
  const auto present = totp_step(now);
  std::optional<std::int64_t> found;
  for (auto step : {present - 1, present, present + 1}) {
    const bool same =
        equal_constant_time(as_bytes(hotp(seed, static_cast<std::uint64_t>(step), profile)), as_bytes(code));
    if (same && step > after) found = step;
  }
  return found;
}

std::string to_base32(ByteView bytes) {
  static constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string out;
  std::uint32_t buffer = 0;
  int bits = 0;
  for (auto b : bytes) {
    buffer = buffer << 8 | b;
    bits += 8;
    while (bits >= 5) {
      out += kAlphabet[buffer >> (bits - 5) & 31];
      bits -= 5;
    }
  }
  if (bits > 0) out += kAlphabet[buffer << (5 - bits) & 31];
  return out;
}

}  // namespace schakel::portal
