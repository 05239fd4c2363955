// The HTTP/1.1 server: who is it, is the head sound, does the handler want it, and only then the body.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/net/http_gate.hpp"
#include "core/net/http_types.hpp"
#include "core/net/tls.hpp"
#include "core/runtime/shards.hpp"

namespace schakel::net {

/// What on_head() says yes to.
struct Accept {
  std::uint64_t body_limit = 0;  ///< bytes; a longer body is answered with 413 before it is read. 0: no body at all.
  bool stream = false;  ///< true: the body comes through Request::stream, without the limit on the whole request
  std::any context{};   ///< handed on to on_request(): the route, the session, the party
};
/// Accept, or the answer at once. After a refusal of a request with a body the connection is closed, the body unread.
using HeadDecision = std::variant<Accept, Response>;

struct Request {
  RequestHead head{};
  std::string body{};            ///< whole, unless streamed
  BodyReader* stream = nullptr;  ///< set when Accept::stream; valid until on_request() returns
  std::any context{};
};

/// Thread: every shard at once; a request stays on the shard of its connection. Lifetime: outlives the server.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  /// Called when the head passed the gate and before a byte of the body is read, asked for or parsed: authentication,
  /// route, rights, quota and length are decided here (trust.md IAM-1, OVL-3).
  [[nodiscard]] virtual Task<HeadDecision> on_head(const RequestHead& head) = 0;
  /// Called when the head was accepted and its body is refused by the server: too large, or broken framing. `request`
  /// has no body.
  [[nodiscard]] virtual Task<void> on_body_refused(const Request& request, std::string code) {
    (void)request, (void)code;
    co_return;
  }
  /// Called with the body. An exception is answered with 500 and logged by its type only.
  [[nodiscard]] virtual Task<Response> on_request(Request& request) = 0;
};

/// trust.md OVL-1 and OVL-2.
struct ServerLimits {
  HeadLimits head{};
  milliseconds head_time{10000};  ///< from the first byte of a head to its last
  milliseconds handshake_time{10000};
  milliseconds idle_time{30000};     ///< between two requests, and for one read or write without progress
  milliseconds request_time{60000};  ///< head read to answer written; a streamed up- or download is exempt
  milliseconds rate_grace{5000};     ///< waiting time on the peer after which min_rate counts
  std::uint64_t min_rate = 1024;     ///< bytes a second, on average over the time we waited for the peer
  std::size_t connections = 8192;
  std::size_t connections_per_address = 1024;  ///< many schools share one address
  std::size_t connections_per_identity = 256;
  std::size_t handshakes = 512;  ///< TLS handshakes under way at the same time
  /// Bytes of bodies held in memory at the same time, in all and of one peer (identity, or address without one); a body
  /// that does not fit is answered with 503, before it is read where its length is known.
  std::uint64_t bodies = 96ULL << 20;
  std::uint64_t bodies_per_peer = 48ULL << 20;
};

struct TcpEndpoint {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0: any free one; see HttpServer::port()
};
struct UnixEndpoint {
  std::string path;  ///< a dead socket there is replaced, anything else is LISTEN_FAILED
  unsigned mode = 0600;
};

struct ListenerOptions {
  std::string name{};
  std::variant<TcpEndpoint, UnixEndpoint> endpoint{};
  /// nullptr: plain. That plain TCP is bound to loopback only is checked by the configuration, not here.
  std::shared_ptr<TlsServerContext> tls{};
};

struct ServerOptions {
  std::vector<ListenerOptions> listeners{};
  ServerLimits limits{};
  /// Sees every response before it is sent, also the server's own refusals (then `head` may be nullptr): security
  /// headers.
  std::function<void(const RequestHead* head, Response& response)> decorate{};
  /// A value refuses the request with 503 and Retry-After before on_head() (OVL-8). Cheap: called for each request.
  std::function<std::optional<std::chrono::seconds>(const RequestHead& head)> overloaded{};
};

/// Counters since start; read by metrics. `body_bytes_read` proves that nothing was read of what was refused.
struct ServerStats {
  std::atomic<std::int64_t> connections_open{0}, connections_total{0}, connections_refused{0}, handshakes_failed{0},
      requests{0}, heads_refused{0}, bodies_too_large{0}, timeouts{0}, overloaded{0}, responses_broken_off{0},
      body_bytes_read{0};
};

/// Thread: start() and stop() by one thread that is no shard. Lifetime: the shards and the handler outlive it.
/// A connection is accepted on shard 0 and lives on the shard it is handed to, in turn.
class HttpServer {
 public:
  HttpServer(runtime::Shards& shards, HttpHandler& handler, ServerOptions options);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Binds every listener, or none: LISTEN_FAILED (io) names the listener. Connections are taken from then on.
  [[nodiscard]] Result<void> start();
  /// The bound port of a TCP listener; 0 when there is none of that name.
  [[nodiscard]] std::uint16_t port(std::string_view listener) const;
  [[nodiscard]] const ServerStats& stats() const;
  /// Takes no more connections, closes idle ones, lets requests under way end with "Connection: close"; closes hard
  /// what is left after `grace`. True when nothing had to be cut. Returns when no coroutine of the server is left.
  /// Idempotent.
  bool stop(milliseconds grace);

  struct Core;

 private:
  std::shared_ptr<Core> core_;
};

}  // namespace schakel::net
