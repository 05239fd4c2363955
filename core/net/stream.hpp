// A byte stream over TCP, TLS or a UNIX socket, with a time limit. For the .cpp files of this folder only.
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/net/tls.hpp"

namespace schakel::net {

using TimePoint = std::chrono::steady_clock::time_point;

/// Thread: the one of the executor of its socket. One read and one write may be pending at a time.
class Stream {
 public:
  virtual ~Stream() = default;

  /// When `at` passes the socket is closed, the pending operation fails with NET_TIMEOUT and so does every later one.
  /// Replaces the limit before. TimePoint::max() for none.
  virtual void expires_at(TimePoint at) = 0;
  void expires_after(milliseconds time) { expires_at(std::chrono::steady_clock::now() + time); }

  /// NET_TLS (io) when it fails; `verify_failure()` may say why. Plain streams succeed at once.
  [[nodiscard]] virtual Task<Result<void>> handshake() = 0;
  /// 0 at a proper end. NET_TRUNCATED when TLS ended without its closing message, NET_TLS_REFUSED when the
  /// other side refused our certificate or settings, NET_TLS, NET_TIMEOUT, NET_BROKEN.
  [[nodiscard]] virtual Task<Result<std::size_t>> read_some(std::span<char> into) = 0;
  /// Bytes that were taken, at least 1.
  [[nodiscard]] virtual Task<Result<std::size_t>> write_some(std::string_view bytes) = 0;
  /// Says that we are done, then throws away what still comes for a short time, so that the other side can read our
  /// last answer before a reset reaches it. Never fails.
  [[nodiscard]] virtual Task<> finish() = 0;
  /// At once.
  virtual void close() = 0;

  [[nodiscard]] virtual PeerIdentity peer() const = 0;
  [[nodiscard]] virtual std::string verify_failure() const = 0;
};

[[nodiscard]] std::unique_ptr<Stream> plain_stream(boost::asio::ip::tcp::socket socket);
[[nodiscard]] std::unique_ptr<Stream> local_stream(boost::asio::local::stream_protocol::socket socket);
[[nodiscard]] std::unique_ptr<Stream> tls_server_stream(boost::asio::ip::tcp::socket socket,
                                                        std::shared_ptr<boost::asio::ssl::context> context);
/// Sends `host` as server name and demands a certificate for it. nullptr when OpenSSL refuses the name.
[[nodiscard]] std::unique_ptr<Stream> tls_client_stream(boost::asio::ip::tcp::socket socket,
                                                        std::shared_ptr<boost::asio::ssl::context> context,
                                                        const std::string& host);

/// Writes everything.
[[nodiscard]] Task<Result<void>> write_all(Stream& stream, std::string_view bytes);

}  // namespace schakel::net
