// AES-256-GCM and the two-level sealing built on it. Pure: randomness comes in only through random_bytes().
#pragma once
#include <string_view>

#include "core/base/bytes.hpp"
#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/secret.hpp"

namespace schakel::vault {

inline constexpr std::size_t kKeyBytes = 32;
inline constexpr std::size_t kNonceBytes = 12;
inline constexpr std::size_t kTagBytes = 16;

/// Ciphertext with the 16 byte tag behind it. `key` has 32 bytes, `nonce` 12 that were never used with it before.
[[nodiscard]] Bytes gcm_seal(ByteView key, ByteView nonce, ByteView aad, ByteView plain);
/// VAULT_TAMPERED when key, nonce, aad or any bit of `sealed` is not what it was at gcm_seal().
[[nodiscard]] Result<Bytes> gcm_open(ByteView key, ByteView nonce, ByteView aad, ByteView sealed);

[[nodiscard]] Secret random_key();
/// Another key from `key` for one use, by HMAC-SHA-256 over label and salt.
[[nodiscard]] Secret derive_key(ByteView key, std::string_view label, ByteView salt);

/// Wraps a 32 byte key. 192 bits of nonce: 96 select a derived wrapping key and 96 are the GCM nonce under it, so that
/// random nonces never meet in practice however often one key wraps (GCM alone would allow 2^32 uses; KEY-3).
[[nodiscard]] Bytes wrap_key(ByteView wrapping, ByteView aad, const Secret& key);
/// VAULT_TAMPERED as for gcm_open; also when `wrapped` has another length.
[[nodiscard]] Result<Secret> unwrap_key(ByteView wrapping, ByteView aad, ByteView wrapped);

/// Length-prefixed parts, so that ("ab","c") and ("a","bc") differ.
[[nodiscard]] Bytes bind(std::initializer_list<std::string_view> parts);

/// A payload under its own fresh key, which is wrapped by `case_key`: 0x01 | wrapped key (72) | nonce (12) | ciphertext
/// | tag.
[[nodiscard]] Bytes seal_envelope(ByteView case_key, ByteView aad, ByteView plain);
[[nodiscard]] Result<Bytes> open_envelope(ByteView case_key, ByteView aad, ByteView sealed);

}  // namespace schakel::vault
