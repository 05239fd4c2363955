#include "core/vault/aead.hpp"

#include <openssl/evp.h>

#include "core/base/assert.hpp"

namespace schakel::vault {
namespace {

constexpr std::uint8_t kEnvelopeVersion = 1;
constexpr std::size_t kWrapSalt = 12;
constexpr std::size_t kWrappedBytes = kWrapSalt + kNonceBytes + kKeyBytes + kTagBytes;

/// Owns an OpenSSL cipher context, which holds the expanded key: freeing it also cleanses it.
struct Context {
  EVP_CIPHER_CTX* p = EVP_CIPHER_CTX_new();
  Context() { SCHAKEL_ASSERT(p != nullptr); }
  ~Context() { EVP_CIPHER_CTX_free(p); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
};

/// Fetched once: to be looked up by name for every value is half of opening a small one.
const EVP_CIPHER* aes_256_gcm() {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  SCHAKEL_ASSERT(cipher != nullptr);
  return cipher;
}

std::unexpected<Error> tampered() {
  return fail(ErrorKind::io, "VAULT_TAMPERED", "sealed data does not open: wrong key, wrong place or damaged");
}

}  // namespace

Bytes gcm_seal(ByteView key, ByteView nonce, ByteView aad, ByteView plain) {
  SCHAKEL_ASSERT(key.size() == kKeyBytes && nonce.size() == kNonceBytes && plain.size() < (std::size_t{1} << 30));
  Context c;
  Bytes out(plain.size() + kTagBytes);
  int n = 0;
  SCHAKEL_ASSERT(EVP_EncryptInit_ex(c.p, aes_256_gcm(), nullptr, key.data(), nonce.data()) == 1);
  SCHAKEL_ASSERT(aad.empty() || EVP_EncryptUpdate(c.p, nullptr, &n, aad.data(), static_cast<int>(aad.size())) == 1);
  if (!plain.empty())
    SCHAKEL_ASSERT(EVP_EncryptUpdate(c.p, out.data(), &n, plain.data(), static_cast<int>(plain.size())) == 1);
  SCHAKEL_ASSERT(EVP_EncryptFinal_ex(c.p, out.data() + plain.size(), &n) == 1);
  SCHAKEL_ASSERT(EVP_CIPHER_CTX_ctrl(c.p, EVP_CTRL_GCM_GET_TAG, kTagBytes, out.data() + plain.size()) == 1);
  return out;
}

Result<Bytes> gcm_open(ByteView key, ByteView nonce, ByteView aad, ByteView sealed) {
  SCHAKEL_ASSERT(key.size() == kKeyBytes && nonce.size() == kNonceBytes);
  if (sealed.size() < kTagBytes || sealed.size() > (std::size_t{1} << 30)) return tampered();
  const std::size_t size = sealed.size() - kTagBytes;
  Context c;
  Bytes out(size), tag(sealed.end() - kTagBytes, sealed.end());
  int n = 0;
  SCHAKEL_ASSERT(EVP_DecryptInit_ex(c.p, aes_256_gcm(), nullptr, key.data(), nonce.data()) == 1);
  SCHAKEL_ASSERT(aad.empty() || EVP_DecryptUpdate(c.p, nullptr, &n, aad.data(), static_cast<int>(aad.size())) == 1);
  if (size != 0) SCHAKEL_ASSERT(EVP_DecryptUpdate(c.p, out.data(), &n, sealed.data(), static_cast<int>(size)) == 1);
  SCHAKEL_ASSERT(EVP_CIPHER_CTX_ctrl(c.p, EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1);
  if (EVP_DecryptFinal_ex(c.p, out.data() + size, &n) != 1) {
    OPENSSL_cleanse(out.data(), out.size());
    return tampered();
  }
  return out;
}

Secret random_key() { return Secret(random_bytes(kKeyBytes)); }

Secret derive_key(ByteView key, std::string_view label, ByteView salt) {
  Bytes input(label.begin(), label.end());
  input.push_back(0);
  input.insert(input.end(), salt.begin(), salt.end());
  auto d = hmac_sha256(key, input);
  Secret out(Bytes(d.begin(), d.end()));
  OPENSSL_cleanse(d.data(), d.size());
  return out;
}

Bytes wrap_key(ByteView wrapping, ByteView aad, const Secret& key) {
  SCHAKEL_ASSERT(key.reveal().size() == kKeyBytes);
  Bytes out = random_bytes(kWrapSalt + kNonceBytes);
  const ByteView head(out);
  auto derived = derive_key(wrapping, "schakel wrap 1", head.first(kWrapSalt));
  auto body = gcm_seal(derived.reveal(), head.subspan(kWrapSalt), aad, key.reveal());
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

Result<Secret> unwrap_key(ByteView wrapping, ByteView aad, ByteView wrapped) {
  if (wrapped.size() != kWrappedBytes) return tampered();
  auto derived = derive_key(wrapping, "schakel wrap 1", wrapped.first(kWrapSalt));
  auto plain = gcm_open(derived.reveal(), wrapped.subspan(kWrapSalt, kNonceBytes), aad,
                        wrapped.subspan(kWrapSalt + kNonceBytes));
  if (!plain) return fail(plain.error());
  return Secret(std::move(*plain));
}

Bytes bind(std::initializer_list<std::string_view> parts) {
  Bytes out;
  for (auto part : parts) {
    const auto n = static_cast<std::uint32_t>(part.size());
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(n >> shift));
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

Bytes seal_envelope(ByteView case_key, ByteView aad, ByteView plain) {
  const auto key = random_key();
  const auto wrapped = wrap_key(case_key, aad, key);
  const auto nonce = random_bytes(kNonceBytes);
  const auto body = gcm_seal(key.reveal(), nonce, aad, plain);
  Bytes out;
  out.reserve(1 + wrapped.size() + nonce.size() + body.size());
  out.push_back(kEnvelopeVersion);
  out.insert(out.end(), wrapped.begin(), wrapped.end());
  out.insert(out.end(), nonce.begin(), nonce.end());
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

Result<Bytes> open_envelope(ByteView case_key, ByteView aad, ByteView sealed) {
  if (sealed.size() < 1 + kWrappedBytes + kNonceBytes + kTagBytes || sealed[0] != kEnvelopeVersion) return tampered();
  auto key = unwrap_key(case_key, aad, sealed.subspan(1, kWrappedBytes));
  if (!key) return fail(key.error());
  return gcm_open(key->reveal(), sealed.subspan(1 + kWrappedBytes, kNonceBytes), aad,
                  sealed.subspan(1 + kWrappedBytes + kNonceBytes));
}

}  // namespace schakel::vault
