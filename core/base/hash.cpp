#include "core/base/hash.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "core/base/assert.hpp"

namespace schakel {
namespace {

/// Fetched once: with EVP_sha256() OpenSSL 3 looks for it anew at every digest. Never freed, as digests are made until
/// the end.
const EVP_MD* sha256_method() {
  static const EVP_MD* const method = [] {
    const EVP_MD* fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    SCHAKEL_ASSERT(fetched != nullptr);
    return fetched;
  }();
  return method;
}

}  // namespace

Digest sha256(ByteView bytes) {
  Digest out;
  unsigned n = 0;
  SCHAKEL_ASSERT(EVP_Digest(bytes.data(), bytes.size(), out.data(), &n, sha256_method(), nullptr) == 1);
  return out;
}

std::string sha256_hex(std::string_view text) { return to_hex(sha256(text)); }

Digest hmac_sha256(ByteView key, ByteView bytes) {
  Digest out;
  unsigned n = 0;
  SCHAKEL_ASSERT(
      HMAC(sha256_method(), key.data(), static_cast<int>(key.size()), bytes.data(), bytes.size(), out.data(), &n));
  return out;
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  SCHAKEL_ASSERT(context_ && EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_), sha256_method(), nullptr) == 1);
}
Sha256::~Sha256() { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_)); }
Sha256::Sha256(Sha256&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}
void Sha256::update(ByteView bytes) {
  SCHAKEL_ASSERT(EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), bytes.data(), bytes.size()) == 1);
}
Digest Sha256::finish() {
  Digest out;
  unsigned n = 0;
  SCHAKEL_ASSERT(EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_), out.data(), &n) == 1);
  return out;
}

Bytes random_bytes(std::size_t n) {
  Bytes out(n);
  SCHAKEL_ASSERT(RAND_bytes(out.data(), static_cast<int>(n)) == 1);
  return out;
}

std::string random_uuid() {
  auto b = random_bytes(16);
  b[6] = static_cast<std::uint8_t>((b[6] & 0x0f) | 0x40);
  b[8] = static_cast<std::uint8_t>((b[8] & 0x3f) | 0x80);
  auto h = to_hex(b);
  return fmt::format("{}-{}-{}-{}-{}", h.substr(0, 8), h.substr(8, 4), h.substr(12, 4), h.substr(16, 4), h.substr(20));
}

bool equal_constant_time(ByteView a, ByteView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace schakel
