// The HTTP/1.1 client: one request, one answer, and honesty about what may have happened.
#pragma once
#include <memory>
#include <string>

#include "core/net/http_types.hpp"
#include "core/net/tls.hpp"

namespace schakel::net {

/// Takes a response body as it arrives instead of collecting it. Called for statuses 200 to 299 only; bodies of others
/// are collected in ClientReply::body, since they are texts about an error.
class BodySink {
 public:
  virtual ~BodySink() = default;
  [[nodiscard]] virtual Task<Result<void>> write(ByteView piece) = 0;
};

struct ClientRequest {
  std::string method = "GET";
  std::string url{};  ///< http or https; no user information, no fragment
  Headers headers{};  ///< Host, Content-Length, Transfer-Encoding and Connection are the client's to set
  std::string body{};
  std::unique_ptr<BodyProducer> stream{};  ///< when set, `body` is not used; sent chunked unless it knows its size
};

struct ClientOptions {
  milliseconds deadline{30000};     ///< for all of it: name, connection, TLS, request, answer
  milliseconds connect_time{5000};  ///< for each address of the host
  std::size_t max_response_bytes = 4 * 1024 * 1024;
  std::shared_ptr<TlsClientContext> tls{};  ///< needed for https
  bool allow_plain = false;                 ///< http:// is HTTP_URL unless set; the caller allows it for loopback only
  std::string unix_path{};                  ///< connect to this UNIX socket; the URL gives Host and path only
  BodySink* sink = nullptr;                 ///< outlives the call
};

struct ClientReply {
  int status = 0;
  Headers headers{};
  std::string body{};
};

/// Sends one request over a connection of its own. Redirects are never followed: a 3xx is an answer like any other.
///
/// Errors before a byte of the request left (a repeat is safe): HTTP_URL, HTTP_HEADER (invalid), HTTP_REFUSED
/// (unavailable: no such host, nobody listens, unreachable), HTTP_TLS (unavailable: certificate or settings of either
/// side), HTTP_TIMEOUT_BEFORE_SEND (timeout). Errors after it: HTTP_OUTCOME_UNKNOWN (timeout, or io when the connection
/// broke: the other side may have acted), HTTP_TOO_LARGE (too_large), HTTP_MALFORMED (invalid: what came is no complete
/// HTTP answer). An error of the producer or the sink is returned as it is. No error text holds the URL's path or
/// query, or a header. Cancellation closes the connection. Thread: any executor; all of it runs on that of the caller.
[[nodiscard]] Task<Result<ClientReply>> http_request(ClientRequest request, ClientOptions options);

}  // namespace schakel::net
