// TLS contexts with the settings of NCSC's guideline (2025-05), and what a certificate says about its holder.
#pragma once
#include <memory>
#include <mutex>
#include <string>

#include "core/base/error.hpp"
#include "core/net/http_types.hpp"

struct ssl_st;
struct x509_st;
namespace boost::asio::ssl {
class context;
}

namespace schakel::net {

/// TLS 1.2 and 1.3, forward-secret AEAD suites only, X25519 and the P curves, no compression, renegotiation, tickets,
/// session cache or early data. So a revoked certificate is seen at the next connection.
struct TlsServerOptions {
  enum class ClientCertificate { none, optional, required };
  std::string certificate_file{};  ///< PEM, leaf first, then intermediates
  std::string key_file{};          ///< PEM
  ClientCertificate client = ClientCertificate::none;
  std::string client_ca_file{};  ///< PEM; the only roots that count. Required unless `client` is none.
  std::string crl_file{};  ///< PEM, of every CA in the chain; empty: not checked. An expired list refuses everybody.
  int depth = 4;
};

/// Thread: any. Lifetime: connections keep the context they began with, so reload() disturbs none.
class TlsServerContext {
 public:
  /// TLS_CONFIG (invalid) names the file that could not be used: a missing file, a key that does not belong, no CA.
  [[nodiscard]] static Result<std::shared_ptr<TlsServerContext>> load(TlsServerOptions options);
  /// Reads all files again. On an error the old context stays in use.
  [[nodiscard]] Result<void> reload();
  [[nodiscard]] std::shared_ptr<boost::asio::ssl::context> current() const;
  [[nodiscard]] const TlsServerOptions& options() const { return options_; }

 private:
  explicit TlsServerContext(TlsServerOptions options) : options_(std::move(options)) {}
  TlsServerOptions options_;
  mutable std::mutex mutex_;
  std::shared_ptr<boost::asio::ssl::context> current_;
};

struct TlsClientOptions {
  std::string ca_file{};           ///< PEM; empty: the system's roots
  std::string certificate_file{};  ///< empty: no client certificate
  std::string key_file{};
  std::string crl_file{};
};

/// The server's certificate must be valid for the host by subjectAltName (RFC 6125); the common name does not count.
class TlsClientContext {
 public:
  [[nodiscard]] static Result<std::shared_ptr<TlsClientContext>> load(TlsClientOptions options);
  [[nodiscard]] Result<void> reload();
  [[nodiscard]] std::shared_ptr<boost::asio::ssl::context> current() const;

 private:
  explicit TlsClientContext(TlsClientOptions options) : options_(std::move(options)) {}
  TlsClientOptions options_;
  mutable std::mutex mutex_;
  std::shared_ptr<boost::asio::ssl::context> current_;
};

/// Until when the first certificate of a PEM file is valid. TLS_CONFIG when it cannot be read.
[[nodiscard]] Result<Instant> certificate_end(const std::string& file);

/// What the certificate says; a name with an embedded NUL or a repeated serialNumber counts as absent.
[[nodiscard]] PeerIdentity identity_of(x509_st* certificate);
/// The verified peer of a finished handshake; anonymous without a certificate.
[[nodiscard]] PeerIdentity identity_of_peer(ssl_st* connection);
/// Stable word for why the peer's certificate was refused: "certificate has expired", "unable to get local issuer
/// certificate", ... Empty when it was not refused.
[[nodiscard]] std::string verify_failure(ssl_st* connection);

}  // namespace schakel::net
