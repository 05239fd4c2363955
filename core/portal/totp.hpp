// One-time codes from a shared seed: HOTP (RFC 4226) and TOTP (RFC 6238). Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.hpp"
#include "core/base/clock.hpp"

namespace schakel::portal {

enum class TotpHash { sha1, sha256 };

/// A seed of 20 bytes is for SHA-1 and 6 digits, what every authenticator app can do; 32 bytes for SHA-256 and 8
/// digits.
struct TotpProfile {
  TotpHash hash = TotpHash::sha1;
  int digits = 6;
};
[[nodiscard]] TotpProfile totp_profile(ByteView seed);

/// The 30 second step in which `t` falls.
[[nodiscard]] std::int64_t totp_step(Instant t);
[[nodiscard]] std::string hotp(ByteView seed, std::uint64_t counter, const TotpProfile& profile);
/// The step whose code this is: the present one, or one before or after it, and later than `after` (a step counts
/// once). Compares all of them in constant time.
[[nodiscard]] std::optional<std::int64_t> totp_match(ByteView seed, std::string_view code, Instant now,
                                                     std::int64_t after);
/// RFC 4648 base32 without padding, for the otpauth:// address that an app reads.
[[nodiscard]] std::string to_base32(ByteView bytes);

}  // namespace schakel::portal
