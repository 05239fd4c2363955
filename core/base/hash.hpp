// Hashes, keyed hashes and randomness, all from OpenSSL.
#pragma once
#include <array>
#include <string>

#include "core/base/bytes.hpp"

namespace schakel {

using Digest = std::array<std::uint8_t, 32>;

[[nodiscard]] Digest sha256(ByteView bytes);
[[nodiscard]] inline Digest sha256(std::string_view text) { return sha256(as_bytes(text)); }
[[nodiscard]] std::string sha256_hex(std::string_view text);
[[nodiscard]] Digest hmac_sha256(ByteView key, ByteView bytes);

/// SHA-256 in pieces, for what is streamed. Not for more than one thread.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&& other) noexcept;
  Sha256& operator=(Sha256&&) = delete;
  void update(ByteView bytes);
  [[nodiscard]] Digest finish();

 private:
  void* context_;
};

/// From the operating system's generator through OpenSSL; aborts when that fails.
[[nodiscard]] Bytes random_bytes(std::size_t n);
/// RFC 9562 version 4.
[[nodiscard]] std::string random_uuid();
/// Same time whatever the content (trust.md IAM-9). Views of different length are unequal.
[[nodiscard]] bool equal_constant_time(ByteView a, ByteView b);

}  // namespace schakel
