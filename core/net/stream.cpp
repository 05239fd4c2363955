#include "core/net/stream.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>

namespace schakel::net {
namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

/// Closes the stream when its time is over. Held by shared_ptr because its timer's handler may run after the stream is
/// gone.
struct Watch : std::enable_shared_from_this<Watch> {
  explicit Watch(const asio::any_io_executor& executor) : timer(executor) {}
  asio::steady_timer timer;
  TimePoint at = TimePoint::max();
  bool armed = false;
  bool fired = false;
  Stream* owner = nullptr;

  void set(TimePoint when) {
    at = when;
    if (fired) return;
    if (armed && timer.expiry() <= at) return;  // it wakes early and looks again
    if (at == TimePoint::max()) return;
    arm();
  }
  void arm() {
    armed = true;
    timer.expires_at(at);
    timer.async_wait([self = shared_from_this()](const error_code& ec) { self->wake(ec); });
  }
  void wake(const error_code& ec) {
    if (ec || owner == nullptr) return;  // re-armed earlier, or the stream is gone
    armed = false;
    if (at == TimePoint::max()) return;
    if (std::chrono::steady_clock::now() < at) return arm();
    fired = true;
    owner->close();
  }
  void detach() {
    owner = nullptr;
    timer.cancel();
  }
};

/// What plain and TLS streams share: the socket, its limit and the words for its errors.
template <class Socket>
class SocketStream : public Stream {
 public:
  explicit SocketStream(const asio::any_io_executor& executor) : watch_(std::make_shared<Watch>(executor)) {
    watch_->owner = this;
  }
  ~SocketStream() override { watch_->detach(); }
  void expires_at(TimePoint at) override { watch_->set(at); }
  void close() override {
    error_code ignored;
    socket().close(ignored);
  }

 protected:
  virtual Socket& socket() = 0;

  [[nodiscard]] std::unexpected<Error> error_of(const error_code& ec) const {
    if (watch_->fired) return fail(ErrorKind::timeout, "NET_TIMEOUT", "the other side was too slow");
    if (ec == asio::ssl::error::stream_truncated)
      return fail(ErrorKind::io, "NET_TRUNCATED", "the connection ended without notice");
    if (ec.category() == asio::error::get_ssl_category()) {
      // With TLS 1.3 a client hears only after its own handshake that its certificate is refused. OpenSSL numbers a
      // received alert as reason 1000 + alert; 40 to 49 and 116 are about the handshake and certificates.
      const int alert = ERR_GET_REASON(static_cast<unsigned long>(ec.value())) - 1000;
      if ((alert >= 40 && alert <= 49) || alert == 116)
        return fail(ErrorKind::io, "NET_TLS_REFUSED", "TLS: " + ec.message());
      return fail(ErrorKind::io, "NET_TLS", std::string("TLS: ") + ec.message());
    }
    return fail(ErrorKind::io, "NET_BROKEN", "the connection broke: " + ec.message());
  }

  Task<> discard() {
    error_code ec;
    socket().shutdown(Socket::shutdown_send, ec);
    std::array<char, 4096> rest{};
    std::size_t budget = 256 * 1024;
    while (!ec && budget > 0) {
      const auto [failed, n] = co_await socket().async_read_some(asio::buffer(rest), kAwait);
      if (failed) break;
      budget -= std::min(budget, n);
    }
    close();
  }

  std::shared_ptr<Watch> watch_;
};

template <class Socket>
class PlainStream final : public SocketStream<Socket> {
 public:
  explicit PlainStream(Socket socket) : SocketStream<Socket>(socket.get_executor()), socket_(std::move(socket)) {}
  Task<Result<void>> handshake() override { co_return Result<void>{}; }
  Task<Result<std::size_t>> read_some(std::span<char> into) override {
    const auto [ec, n] = co_await socket_.async_read_some(asio::buffer(into.data(), into.size()), kAwait);
    if (ec == asio::error::eof) co_return 0;
    if (ec) co_return this->error_of(ec);
    co_return n;
  }
  Task<Result<std::size_t>> write_some(std::string_view bytes) override {
    const auto [ec, n] = co_await socket_.async_write_some(asio::buffer(bytes.data(), bytes.size()), kAwait);
    if (ec) co_return this->error_of(ec);
    co_return n;
  }
  Task<> finish() override {
    this->expires_after(milliseconds{1000});
    co_await this->discard();
  }
  PeerIdentity peer() const override {
    PeerIdentity out;
    if constexpr (std::is_same_v<Socket, asio::local::stream_protocol::socket>) {
      out.kind = PeerIdentity::Kind::local;
      ucred who{};
      socklen_t size = sizeof who;
      auto& mutable_socket = const_cast<Socket&>(socket_);  // native_handle() is not const
      if (::getsockopt(mutable_socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &who, &size) == 0) out.uid = who.uid;
    }
    return out;
  }
  std::string verify_failure() const override { return {}; }

 private:
  Socket& socket() override { return socket_; }
  Socket socket_;
};

class TlsStream final : public SocketStream<asio::ip::tcp::socket> {
 public:
  TlsStream(asio::ip::tcp::socket socket, std::shared_ptr<asio::ssl::context> context,
            asio::ssl::stream_base::handshake_type side)
      : SocketStream(socket.get_executor()),
        context_(std::move(context)),
        stream_(std::move(socket), *context_),
        side_(side) {}
  SSL* handle() { return stream_.native_handle(); }

  Task<Result<void>> handshake() override {
    const auto [ec] = co_await stream_.async_handshake(side_, kAwait);
    if (!ec) co_return Result<void>{};
    if (watch_->fired) co_return error_of(ec);
    co_return fail(ErrorKind::io, "NET_TLS", "TLS handshake failed: " + ec.message());
  }
  Task<Result<std::size_t>> read_some(std::span<char> into) override {
    const auto [ec, n] = co_await stream_.async_read_some(asio::buffer(into.data(), into.size()), kAwait);
    if (ec == asio::error::eof) co_return 0;
    if (ec) co_return error_of(ec);
    co_return n;
  }
  Task<Result<std::size_t>> write_some(std::string_view bytes) override {
    const auto [ec, n] = co_await stream_.async_write_some(asio::buffer(bytes.data(), bytes.size()), kAwait);
    if (ec) co_return error_of(ec);
    co_return n;
  }
  Task<> finish() override {
    expires_after(milliseconds{1000});
    // One-way close_notify: waiting for the answer would read application data that we refused.
    send_close_notify();
    co_await discard();
  }
  PeerIdentity peer() const override { return identity_of_peer(const_cast<TlsStream*>(this)->handle()); }
  std::string verify_failure() const override { return net::verify_failure(const_cast<TlsStream*>(this)->handle()); }

 private:
  asio::ip::tcp::socket& socket() override { return stream_.next_layer(); }

  void send_close_notify() {
    error_code ec;
    // Makes the shutdown a plain send: OpenSSL then counts the peer's notice as seen.
    SSL_set_shutdown(handle(), SSL_RECEIVED_SHUTDOWN);
    stream_.next_layer().non_blocking(true, ec);
    if (!ec) stream_.shutdown(ec);
  }

  std::shared_ptr<asio::ssl::context> context_;
  asio::ssl::stream<asio::ip::tcp::socket> stream_;
  asio::ssl::stream_base::handshake_type side_;
};

}  // namespace

std::unique_ptr<Stream> plain_stream(asio::ip::tcp::socket socket) {
  return std::make_unique<PlainStream<asio::ip::tcp::socket>>(std::move(socket));
}

std::unique_ptr<Stream> local_stream(asio::local::stream_protocol::socket socket) {
  return std::make_unique<PlainStream<asio::local::stream_protocol::socket>>(std::move(socket));
}

std::unique_ptr<Stream> tls_server_stream(asio::ip::tcp::socket socket, std::shared_ptr<asio::ssl::context> context) {
  return std::make_unique<TlsStream>(std::move(socket), std::move(context), asio::ssl::stream_base::server);
}

std::unique_ptr<Stream> tls_client_stream(asio::ip::tcp::socket socket, std::shared_ptr<asio::ssl::context> context,
                                          const std::string& host) {
  auto out = std::make_unique<TlsStream>(std::move(socket), std::move(context), asio::ssl::stream_base::client);
  SSL* ssl = out->handle();
  X509_VERIFY_PARAM* param = SSL_get0_param(ssl);
  error_code not_an_address;
  (void)asio::ip::make_address(host, not_an_address);
  if (!not_an_address) {
    if (X509_VERIFY_PARAM_set1_ip_asc(param, host.c_str()) != 1) return nullptr;
    return out;
  }
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  if (X509_VERIFY_PARAM_set1_host(param, host.c_str(), host.size()) != 1) return nullptr;
  if (SSL_set_tlsext_host_name(ssl, host.c_str()) != 1) return nullptr;
  return out;
}

Task<Result<void>> write_all(Stream& stream, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = co_await stream.write_some(bytes);
    if (!n) co_return fail(n.error());
    bytes.remove_prefix(*n);
  }
  co_return Result<void>{};
}

}  // namespace schakel::net
