#include "core/net/tls.hpp"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <boost/asio/ssl/context.hpp>
#include <chrono>

#include "core/base/hash.hpp"
#include "core/model/party.hpp"

namespace schakel::net {
namespace {

namespace ssl = boost::asio::ssl;

// interfaces: NCSC "ICT-beveiligingsrichtlijnen voor TLS", settings "good" and "sufficient" only.
constexpr const char* kTls12 =
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-"
    "POLY1305:"
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256";
constexpr const char* kTls13 = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";
constexpr const char* kGroups = "X25519:P-256:P-384:P-521";
constexpr const char* kSignatures =
    "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:RSA+"
    "SHA512";

std::unexpected<Error> config_error(std::string what) {
  ERR_clear_error();
  return fail(ErrorKind::invalid, "TLS_CONFIG", std::move(what));
}

Result<void> common_settings(SSL_CTX* ctx) {
  SSL_CTX_set_options(
      ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_clear_options(ctx, SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION);
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  const bool ok = SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
                  SSL_CTX_set_cipher_list(ctx, kTls12) == 1 && SSL_CTX_set_ciphersuites(ctx, kTls13) == 1 &&
                  SSL_CTX_set1_groups_list(ctx, kGroups) == 1 && SSL_CTX_set1_sigalgs_list(ctx, kSignatures) == 1 &&
                  SSL_CTX_set_max_early_data(ctx, 0) == 1 && SSL_CTX_set_num_tickets(ctx, 0) == 1;
  if (!ok) return config_error("OpenSSL does not take the TLS settings");
  return {};
}

Result<void> use_identity(SSL_CTX* ctx, const std::string& certificate, const std::string& key) {
  if (SSL_CTX_use_certificate_chain_file(ctx, certificate.c_str()) != 1)
    return config_error("certificate file cannot be used: " + certificate);
  if (SSL_CTX_use_PrivateKey_file(ctx, key.c_str(), SSL_FILETYPE_PEM) != 1)
    return config_error("key file cannot be used: " + key);
  if (SSL_CTX_check_private_key(ctx) != 1)
    return config_error("key and certificate do not belong together: " + certificate);
  return {};
}

Result<void> use_crl(SSL_CTX* ctx, const std::string& file) {
  if (file.empty()) return {};
  X509_STORE* store = SSL_CTX_get_cert_store(ctx);
  X509_LOOKUP* lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
  if (lookup == nullptr || X509_load_crl_file(lookup, file.c_str(), X509_FILETYPE_PEM) < 1)
    return config_error("CRL file cannot be used: " + file);
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  return {};
}

Result<std::shared_ptr<ssl::context>> make_server(const TlsServerOptions& o) {
  using Client = TlsServerOptions::ClientCertificate;
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* ctx = context->native_handle();
  if (auto r = common_settings(ctx); !r) return fail(r.error());
  if (auto r = use_identity(ctx, o.certificate_file, o.key_file); !r) return fail(r.error());
  if (o.client != Client::none) {
    if (o.client_ca_file.empty() || SSL_CTX_load_verify_file(ctx, o.client_ca_file.c_str()) != 1)
      return config_error("client CA file cannot be used: " + o.client_ca_file);
    // Tells clients which of their certificates to offer.
    SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(o.client_ca_file.c_str()));
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | (o.client == Client::required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                       nullptr);
    SSL_CTX_set_verify_depth(ctx, o.depth);
    // Digikoppeling advises against extendedKeyUsage: OpenSSL's purpose check takes a missing one and refuses a wrong
    // one.
    SSL_CTX_set_purpose(ctx, X509_PURPOSE_SSL_CLIENT);
    if (auto r = use_crl(ctx, o.crl_file); !r) return fail(r.error());
  }
  return context;
}

Result<std::shared_ptr<ssl::context>> make_client(const TlsClientOptions& o) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  SSL_CTX* ctx = context->native_handle();
  if (auto r = common_settings(ctx); !r) return fail(r.error());
  if (o.ca_file.empty()) {
    if (SSL_CTX_set_default_verify_paths(ctx) != 1)
      return config_error("the system's root certificates cannot be read");
  } else if (SSL_CTX_load_verify_file(ctx, o.ca_file.c_str()) != 1) {
    return config_error("CA file cannot be used: " + o.ca_file);
  }
  if (!o.certificate_file.empty())
    if (auto r = use_identity(ctx, o.certificate_file, o.key_file); !r) return fail(r.error());
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
  if (auto r = use_crl(ctx, o.crl_file); !r) return fail(r.error());
  return context;
}

std::string text_of(const ASN1_STRING* s) {
  unsigned char* utf8 = nullptr;
  const int n = ASN1_STRING_to_UTF8(&utf8, s);
  if (n < 0) return {};
  std::string out(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(n));
  OPENSSL_free(utf8);
  // "school.nl\0.evil.example" reads as another name for C functions; such a name is no name.
  if (std::any_of(out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }))
    return {};
  return out;
}

std::string spki_of(X509* certificate) {
  unsigned char* der = nullptr;
  const int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (n <= 0) return {};
  const auto digest = sha256(ByteView(der, static_cast<std::size_t>(n)));
  OPENSSL_free(der);
  return to_hex(digest);
}

}  // namespace

Result<std::shared_ptr<TlsServerContext>> TlsServerContext::load(TlsServerOptions options) {
  std::shared_ptr<TlsServerContext> made(new TlsServerContext(std::move(options)));
  if (auto r = made->reload(); !r) return fail(r.error());
  return made;
}

Result<void> TlsServerContext::reload() {
  auto fresh = make_server(options_);
  if (!fresh) return fail(fresh.error());
  const std::lock_guard lock(mutex_);
  current_ = std::move(*fresh);
  return {};
}

std::shared_ptr<ssl::context> TlsServerContext::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

Result<std::shared_ptr<TlsClientContext>> TlsClientContext::load(TlsClientOptions options) {
  std::shared_ptr<TlsClientContext> made(new TlsClientContext(std::move(options)));
  if (auto r = made->reload(); !r) return fail(r.error());
  return made;
}

Result<void> TlsClientContext::reload() {
  auto fresh = make_client(options_);
  if (!fresh) return fail(fresh.error());
  const std::lock_guard lock(mutex_);
  current_ = std::move(*fresh);
  return {};
}

std::shared_ptr<ssl::context> TlsClientContext::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

PeerIdentity identity_of(X509* certificate) {
  PeerIdentity out;
  out.kind = PeerIdentity::Kind::certificate;
  X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_serialNumber, -1);
  if (at >= 0 && X509_NAME_get_index_by_NID(subject, NID_serialNumber, at) < 0)
    out.subject_serial = text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  if (valid_oin(out.subject_serial)) out.oin = out.subject_serial;

  BIO* bio = BIO_new(BIO_s_mem());
  X509_NAME_print_ex(bio, X509_get_issuer_name(certificate), 0, XN_FLAG_RFC2253);
  char* text = nullptr;
  const long n = BIO_get_mem_data(bio, &text);
  out.issuer.assign(text, static_cast<std::size_t>(n));
  BIO_free(bio);

  out.spki_sha256 = spki_of(certificate);
  auto* names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    auto* into = name->type == GEN_DNS ? &out.san_dns : name->type == GEN_URI ? &out.san_uri : nullptr;
    if (into == nullptr) continue;
    if (auto value = text_of(name->d.ia5); !value.empty()) into->push_back(std::move(value));
  }
  GENERAL_NAMES_free(names);

  std::tm when{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &when) == 1) {
    using namespace std::chrono;
    const year_month_day date{year{when.tm_year + 1900}, month{static_cast<unsigned>(when.tm_mon + 1)},
                              day{static_cast<unsigned>(when.tm_mday)}};
    out.not_after = time_point_cast<milliseconds>(sys_days{date} + hours{when.tm_hour} + minutes{when.tm_min} +
                                                  seconds{when.tm_sec});
  }
  return out;
}

Result<Instant> certificate_end(const std::string& file) {
  std::unique_ptr<BIO, decltype(&BIO_free)> in(BIO_new_file(file.c_str(), "r"), &BIO_free);
  if (!in) return config_error("certificate file cannot be read: " + file);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr),
                                                                &X509_free);
  if (!certificate) return config_error("no certificate in " + file);
  return identity_of(certificate.get()).not_after;
}

PeerIdentity identity_of_peer(SSL* connection) {
  X509* certificate = SSL_get0_peer_certificate(connection);
  if (certificate == nullptr || SSL_get_verify_result(connection) != X509_V_OK) return {};
  PeerIdentity out = identity_of(certificate);
  STACK_OF(X509)* chain = SSL_get0_verified_chain(connection);
  for (int i = 0; i < sk_X509_num(chain); ++i) out.chain_spki_sha256.push_back(spki_of(sk_X509_value(chain, i)));
  return out;
}

std::string verify_failure(SSL* connection) {
  const long result = SSL_get_verify_result(connection);
  return result == X509_V_OK ? std::string{} : X509_verify_cert_error_string(result);
}

}  // namespace schakel::net
