#include "core/net/http_client.hpp"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "core/net/stream.hpp"
#include "core/runtime/deadline.hpp"

namespace schakel::net {
namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using Tcp = asio::ip::tcp;

namespace {

constexpr auto kAwaitResult = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kHeadBytes = 32 * 1024;  ///< partners send long ones, with cookies and policies

struct Target {
  bool tls = false;
  std::string host, port, authority, path;
};

Result<Target> parse_url(const std::string& text, const ClientOptions& options) {
  const auto bad = [](std::string why) { return fail(ErrorKind::invalid, "HTTP_URL", std::move(why)); };
  const auto parsed = boost::urls::parse_uri(text);
  if (!parsed) return bad("not an absolute URL");
  const auto& url = *parsed;
  Target out;
  out.tls = url.scheme() == "https";
  if (!out.tls && url.scheme() != "http") return bad("neither http nor https");
  if (!out.tls && !options.allow_plain && options.unix_path.empty()) return bad("plain http is not allowed here");
  if (out.tls && !options.tls && options.unix_path.empty()) return bad("https without TLS settings");
  if (url.has_userinfo() || url.has_fragment()) return bad("user information or a fragment in a URL");
  out.host = url.host_address();
  if (out.host.empty()) return bad("no host");
  const std::string_view port(url.port().data(), url.port().size());
  if (port.size() > 5) return bad("not a port");
  out.port = port.empty() ? (out.tls ? "443" : "80") : std::string(port);
  out.authority = std::string(url.encoded_host().data(), url.encoded_host().size());
  if (!port.empty()) out.authority += ":" + out.port;
  // Boost.URL 1.81 reads "host:abc" as a host without a port.
  if (out.authority != std::string_view(url.encoded_authority().data(), url.encoded_authority().size()))
    return bad("not a host and port");
  out.path = std::string(url.encoded_path().data(), url.encoded_path().size());
  if (out.path.empty()) out.path = "/";
  if (url.has_query()) out.path += "?" + std::string(url.encoded_query().data(), url.encoded_query().size());
  return out;
}

/// getaddrinfo cannot be cancelled, so a look-up that hangs is left behind with everything it needs.
struct Lookup {
  explicit Lookup(const asio::any_io_executor& executor) : resolver(executor), done(executor) {
    done.expires_at(asio::steady_timer::time_point::max());
  }
  Tcp::resolver resolver;
  asio::steady_timer done;
  error_code ec;
  std::vector<Tcp::endpoint> found;
  bool ready = false;
};

Task<Result<std::vector<Tcp::endpoint>>> resolve(std::string host, std::string port) {
  error_code ec;
  const auto address = asio::ip::make_address(host, ec);
  const int number = std::atoi(port.c_str());
  if (number <= 0 || number > 65535) co_return fail(ErrorKind::invalid, "HTTP_URL", "not a port");
  if (!ec) co_return std::vector<Tcp::endpoint>{Tcp::endpoint(address, static_cast<std::uint16_t>(number))};
  const auto executor = co_await asio::this_coro::executor;
  auto lookup = std::make_shared<Lookup>(executor);
  lookup->resolver.async_resolve(host, port,
                                 [lookup](const error_code& failed, const Tcp::resolver::results_type& results) {
                                   lookup->ec = failed;
                                   for (const auto& entry : results) lookup->found.push_back(entry.endpoint());
                                   lookup->ready = true;
                                   lookup->done.cancel();
                                 });
  co_await lookup->done.async_wait(kAwaitResult);
  if (!lookup->ready) throw boost::system::system_error(asio::error::operation_aborted);
  if (lookup->ec || lookup->found.empty())
    co_return fail(ErrorKind::unavailable, "HTTP_REFUSED", "the host name cannot be resolved");
  co_return std::move(lookup->found);
}

Task<error_code> connect_one(Tcp::socket& socket, Tcp::endpoint endpoint) {
  const auto [ec] = co_await socket.async_connect(endpoint, kAwaitResult);
  co_return ec;
}

Task<Result<Tcp::socket>> connect(const Target& target, milliseconds each) {
  const auto endpoints = co_await resolve(target.host, target.port);
  if (!endpoints) co_return fail(endpoints.error());
  const auto executor = co_await asio::this_coro::executor;
  bool slow = false;
  for (const auto& endpoint : *endpoints) {
    Tcp::socket socket(executor);
    const auto connected = co_await runtime::with_deadline(connect_one(socket, endpoint), each);
    slow = !connected;
    if (connected && !*connected) {
      error_code ignored;
      socket.set_option(Tcp::no_delay(true), ignored);
      co_return std::move(socket);
    }
  }
  if (slow) co_return fail(ErrorKind::timeout, "HTTP_TIMEOUT_BEFORE_SEND", "no connection in time");
  co_return fail(ErrorKind::unavailable, "HTTP_REFUSED", "nobody listens there");
}

Task<Result<std::unique_ptr<Stream>>> open(const Target& target, const ClientOptions& options) {
  if (!options.unix_path.empty()) {
    const auto executor = co_await asio::this_coro::executor;
    if (options.unix_path.size() > 100) co_return fail(ErrorKind::invalid, "HTTP_URL", "the socket path is too long");
    asio::local::stream_protocol::socket socket(executor);
    const auto [ec] =
        co_await socket.async_connect(asio::local::stream_protocol::endpoint(options.unix_path), kAwaitResult);
    if (ec) co_return fail(ErrorKind::unavailable, "HTTP_REFUSED", "nobody listens on the socket");
    co_return local_stream(std::move(socket));
  }
  auto socket = co_await connect(target, options.connect_time);
  if (!socket) co_return fail(socket.error());
  if (!target.tls) co_return plain_stream(std::move(*socket));
  auto stream = tls_client_stream(std::move(*socket), options.tls->current(), target.host);
  if (!stream) co_return fail(ErrorKind::invalid, "HTTP_URL", "the host name cannot be used with TLS");
  const auto shaken = co_await stream->handshake();
  if (!shaken) {
    const auto why = stream->verify_failure();
    co_return fail(ErrorKind::unavailable, "HTTP_TLS",
                   why.empty() ? shaken.error().message : "the server's certificate: " + why);
  }
  co_return stream;
}

Result<std::string> request_head(const ClientRequest& request, const Target& target) {
  const auto bad = [] {
    return fail(ErrorKind::invalid, "HTTP_HEADER", "a method or header cannot be sent as it stands");
  };
  if (!valid_header(request.method, "")) return bad();
  std::string out =
      request.method + " " + target.path + " HTTP/1.1\r\nHost: " + target.authority + "\r\nConnection: close\r\n";
  for (const auto& [name, value] : request.headers) {
    if (!valid_header(name, value)) return bad();
    bool ours = false;
    for (const auto reserved : {"Host", "Content-Length", "Transfer-Encoding", "Connection"})
      ours |= equal_ignoring_case(name, reserved);
    if (!ours) out += name + ": " + value + "\r\n";
  }
  const auto size = request.stream ? request.stream->size() : std::optional<std::uint64_t>(request.body.size());
  if (!size)
    out += "Transfer-Encoding: chunked\r\n";
  else if (*size > 0 || request.stream || (request.method != "GET" && request.method != "HEAD"))
    out += fmt::format("Content-Length: {}\r\n", *size);
  return out + "\r\n";
}

/// How far the request got; read after a time-out.
struct Progress {
  bool sent_any = false;
};

Task<Result<void>> send_body(Stream& stream, BodyProducer& body, ProducerEnd& ending) {
  const auto promised = body.size();
  std::vector<std::uint8_t> piece(64 * 1024);
  for (;;) {
    const auto n = co_await body.produce(piece);
    if (!n) co_return fail(n.error());
    if (promised && (ending.sent + *n > *promised || (*n == 0 && ending.sent != *promised)))
      co_return fail(ErrorKind::internal, "HTTP_BODY_SIZE", "the body has another size than announced");
    if (*n == 0) break;
    std::string framed = promised ? std::string{} : fmt::format("{:x}\r\n", *n);
    framed.append(reinterpret_cast<const char*>(piece.data()), *n);
    if (!promised) framed += "\r\n";
    const auto written = co_await write_all(stream, framed);
    if (!written) co_return Result<void>{};  // the answer may tell why
    ending.sent += *n;
  }
  if (!promised) {
    const auto written = co_await write_all(stream, "0\r\n\r\n");
    if (!written) co_return Result<void>{};
  }
  ending.complete = true;
  co_return Result<void>{};
}

std::unexpected<Error> malformed(const char* why) { return fail(ErrorKind::invalid, "HTTP_MALFORMED", why); }
std::unexpected<Error> broken_after_send(const Error& cause) {
  if (cause.code == "NET_TLS_REFUSED")
    return fail(ErrorKind::unavailable, "HTTP_TLS",
                "the server refused our certificate or TLS settings: " + cause.message);
  return fail(ErrorKind::io, "HTTP_OUTCOME_UNKNOWN", "the connection broke before the answer was complete");
}

/// Reads one response. `started` is set with its first byte.
class ResponseReader {
 public:
  ResponseReader(Stream& stream, const ClientOptions& options, bool head_only)
      : stream_(stream), options_(options), head_only_(head_only) {}

  Task<Result<ClientReply>> read() {
    for (int interim = 0; interim < 6; ++interim) {
      parser_.emplace();
      parser_->header_limit(kHeadBytes);
      parser_->body_limit(boost::none);
      if (head_only_) parser_->skip(true);
      const auto head = co_await read_head();
      if (!head) co_return fail(head.error());
      const auto& message = parser_->get();
      const int status = static_cast<int>(message.result_int());
      if (status >= 100 && status < 200 && status != 101) continue;
      if (status < 200 || status > 599) co_return malformed("a status that is none");
      ClientReply reply;
      reply.status = status;
      for (const auto& field : message)
        reply.headers.add({field.name_string().data(), field.name_string().size()},
                          {field.value().data(), field.value().size()});
      const auto body = co_await read_body(reply);
      if (!body) co_return fail(body.error());
      co_return reply;
    }
    co_return malformed("too many interim answers");
  }

 private:
  using Parser = http::response_parser<http::buffer_body>;

  /// True at the end of the stream.
  Task<Result<bool>> more() {
    if (buffer_.size() >= 2 * kHeadBytes) co_return malformed("a line without end");
    const auto room = buffer_.prepare(16 * 1024);
    const auto n = co_await stream_.read_some({static_cast<char*>(room.data()), room.size()});
    if (!n) co_return broken_after_send(n.error());
    buffer_.commit(*n);
    any_ |= *n > 0;
    co_return *n == 0;
  }

  Task<Result<void>> read_head() {
    error_code ec;
    for (;;) {
      if (buffer_.size() > 0) {
        const auto n = parser_->put(buffer_.data(), ec);
        buffer_.consume(n);
        if (parser_->is_header_done() && (!ec || ec == http::error::need_buffer || ec == http::error::need_more))
          co_return Result<void>{};
        if (ec && ec != http::error::need_more) co_return malformed("what came back is no HTTP answer");
      }
      const auto end = co_await more();
      if (!end) co_return fail(end.error());
      if (!*end) continue;
      if (!any_) co_return broken_after_send({});
      co_return malformed("the answer ended in its header");
    }
  }

  Task<Result<void>> read_body(ClientReply& reply) {
    if (head_only_) co_return Result<void>{};
    const bool to_sink = options_.sink != nullptr && reply.status < 300;
    std::vector<std::uint8_t> piece(32 * 1024);
    std::uint64_t total = 0;
    const auto length = parser_->content_length();
    if (length && *length > options_.max_response_bytes) co_return too_large();
    while (!parser_->is_done()) {
      auto& body = parser_->get().body();
      body.data = piece.data();
      body.size = piece.size();
      error_code ec;
      std::size_t used = 0;
      if (buffer_.size() > 0) {
        used = parser_->put(buffer_.data(), ec);
        buffer_.consume(used);
      }
      const std::size_t got = piece.size() - body.size;
      if (ec && ec != http::error::need_more && ec != http::error::need_buffer)
        co_return malformed("the body of the answer is malformed");
      total += got;
      if (total > options_.max_response_bytes) co_return too_large();
      if (got > 0 && to_sink) {
        const auto taken = co_await options_.sink->write(ByteView(piece).first(got));
        if (!taken) co_return fail(taken.error());
      } else {
        reply.body.append(reinterpret_cast<const char*>(piece.data()), got);
      }
      if (parser_->is_done() || (buffer_.size() > 0 && ec != http::error::need_more && (used > 0 || got > 0))) continue;
      const auto end = co_await more();
      if (!end) co_return fail(end.error());
      if (!*end) continue;
      parser_->put_eof(ec);
      if (ec) co_return malformed("the answer ended in its body");
      break;
    }
    co_return Result<void>{};
  }

  static std::unexpected<Error> too_large() {
    return fail(ErrorKind::too_large, "HTTP_TOO_LARGE", "the answer is larger than allowed");
  }

  Stream& stream_;
  const ClientOptions& options_;
  bool head_only_;
  bool any_ = false;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
};

Task<Result<ClientReply>> attempt(ClientRequest& request, const ClientOptions& options, Progress& progress) {
  auto target = parse_url(request.url, options);
  if (!target) co_return fail(target.error());
  auto head = request_head(request, *target);
  if (!head) co_return fail(head.error());
  auto opened = co_await open(*target, options);
  if (!opened) co_return fail(opened.error());
  Stream& stream = **opened;

  ProducerEnd ending(request.stream.get());
  if (!request.stream) *head += request.body;
  progress.sent_any = true;
  const auto written = co_await write_all(stream, *head);
  if (written && request.stream) {
    const auto body = co_await send_body(stream, *request.stream, ending);
    if (!body) co_return fail(body.error());
  }
  // A server that refuses early answers and closes while we still send: its answer counts.
  ResponseReader reader(stream, options, request.method == "HEAD");
  auto reply = co_await reader.read();
  co_return reply;
}

}  // namespace

Task<Result<ClientReply>> http_request(ClientRequest request, ClientOptions options) {
  Progress progress;
  auto reply = co_await runtime::with_deadline(attempt(request, options, progress), options.deadline);
  if (!reply && reply.error().code == "TIMEOUT") {
    if (progress.sent_any) co_return fail(ErrorKind::timeout, "HTTP_OUTCOME_UNKNOWN", "no complete answer in time");
    co_return fail(ErrorKind::timeout, "HTTP_TIMEOUT_BEFORE_SEND", "no connection in time");
  }
  co_return reply;
}

}  // namespace schakel::net
