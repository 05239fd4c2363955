#include "core/net/http_connection.hpp"

#include <boost/system/system_error.hpp>
#include <typeinfo>

#include "core/base/log.hpp"
#include "core/net/http_body.hpp"
#include "core/runtime/deadline.hpp"

namespace schakel::net {
namespace {

using std::chrono::steady_clock;

std::string_view refusal_title(int status) {
  switch (status) {
    case 408:
      return "the request took too long";
    case 413:
      return "the body is larger than allowed here";
    case 414:
      return "the address is too long";
    case 417:
      return "this expectation is not known";
    case 431:
      return "the header is too large";
    case 503:
      return "too busy, try again later";
    case 505:
      return "this version of HTTP is not spoken here";
    default:
      return "the request is not acceptable HTTP";
  }
}

}  // namespace

bool Quota::take(const std::string& key, std::size_t limit) {
  const std::lock_guard lock(mutex_);
  auto& count = counts_[key];
  if (count >= limit) return false;
  ++count;
  return true;
}

void Quota::give(const std::string& key) {
  const std::lock_guard lock(mutex_);
  if (const auto it = counts_.find(key); it != counts_.end() && --it->second == 0) counts_.erase(it);
}

Connection::Connection(ConnectionContext context, std::unique_ptr<Stream> stream, std::string listener,
                       std::string address, bool tls)
    : context_(std::move(context)),
      stream_(std::move(stream)),
      listener_(std::move(listener)),
      address_(std::move(address)),
      tls_(tls) {}

Connection::~Connection() {
  if (!quota_key_.empty()) context_.identities.give(quota_key_);
}

void Connection::stop_softly() {
  if (!busy_) stream_->close();
}

TimePoint Connection::rate_limit(steady_clock::duration waited, std::uint64_t bytes) const {
  const auto& l = context_.options.limits;
  const auto now = steady_clock::now();
  const auto allowed = l.rate_grace + std::chrono::milliseconds(bytes * 1000 / std::max<std::uint64_t>(1, l.min_rate));
  return std::min({now + allowed - waited, now + l.idle_time, request_limit_});
}

Response Connection::refuse(const Refusal& refusal) {
  ++context_.stats.heads_refused;
  log(LogLevel::debug, "http.refused",
      {{"listener", listener_}, {"code", std::string(refusal.code)}, {"status", std::int64_t{refusal.status}}});
  return problem(refusal.status, refusal.code, refusal_title(refusal.status));
}

Task<bool> Connection::shake_hands() {
  if (!tls_) {
    peer_ = stream_->peer();
    co_return true;
  }
  if (context_.handshakes.fetch_add(1) >= context_.options.limits.handshakes) {
    --context_.handshakes;
    ++context_.stats.connections_refused;
    co_return false;
  }
  stream_->expires_after(context_.options.limits.handshake_time);
  struct Ended {
    std::atomic<std::size_t>& count;
    ~Ended() { --count; }
  } const ended{context_.handshakes};
  const auto shaken = co_await stream_->handshake();
  if (!shaken) {
    ++context_.stats.handshakes_failed;
    const auto why = stream_->verify_failure();
    log(LogLevel::info, "tls.handshake_failed",
        {{"listener", listener_}, {"reason", why.empty() ? shaken.error().message : why}});
    co_return false;
  }
  peer_ = stream_->peer();
  co_return true;
}

Task<> Connection::run() {
  const bool welcome = co_await shake_hands();
  if (!welcome) {
    // The alert that says why must reach the client before a reset does.
    co_await stream_->finish();
    co_return;
  }
  if (auto key = peer_.key(); peer_.kind == PeerIdentity::Kind::certificate) {
    if (context_.identities.take(key, context_.options.limits.connections_per_identity))
      quota_key_ = std::move(key);
    else
      over_quota_ = true;
  }
  Next next = Next::again;
  while (next == Next::again && !context_.stopping) next = co_await serve_one();
  if (next == Next::finish) co_await stream_->finish();
  stream_->close();
}

Response Connection::too_busy() {
  ++context_.stats.overloaded;
  auto busy = problem(503, "OVERLOADED", refusal_title(503));
  busy.headers.add("Retry-After", "5");
  return busy;
}

Task<std::variant<RequestHead, Refusal, Connection::Next>> Connection::read_head() {
  const auto& limits = context_.options.limits;
  busy_ = !buffer_.empty();
  stream_->expires_after(busy_ ? limits.head_time : limits.idle_time);
  std::vector<char> piece(4096);
  for (;;) {
    const auto scanned = scan_head(buffer_, limits.head);
    if (const auto* refusal = std::get_if<Refusal>(&scanned)) co_return *refusal;
    if (const auto* complete = std::get_if<HeadComplete>(&scanned)) {
      auto read = read_request_head(std::string_view(buffer_).substr(0, complete->bytes), limits.head);
      if (const auto* refusal = std::get_if<Refusal>(&read)) co_return *refusal;
      buffer_.erase(0, complete->bytes);
      co_return std::move(std::get<RequestHead>(read));
    }
    const auto n = co_await stream_->read_some(piece);
    if (!n) {
      if (n.error().code != "NET_TIMEOUT") co_return Next::close;
      if (busy_) ++context_.stats.timeouts;
      co_return Next::close;  // the socket is gone already; an idle or slow client gets no answer
    }
    if (*n == 0 && buffer_.empty()) co_return Next::close;
    if (*n == 0) co_return Refusal{400, "HEAD_INCOMPLETE"};
    if (buffer_.empty()) stream_->expires_after(limits.head_time);
    busy_ = true;
    buffer_.append(piece.data(), *n);
  }
}

Task<Result<std::size_t>> Connection::receive(std::span<char> into) {
  stream_->expires_at(rate_limit(waited_in_, received_));
  const auto before = steady_clock::now();
  const auto n = co_await stream_->read_some(into);
  waited_in_ += steady_clock::now() - before;
  if (!n && n.error().code == "NET_TIMEOUT") {
    ++context_.stats.timeouts;
    co_return fail(ErrorKind::timeout, "BODY_SLOW", "the body came too slowly");
  }
  if (!n || *n == 0) co_return fail(ErrorKind::io, "BODY_BROKEN", "the body ended early");
  received_ += *n;
  context_.stats.body_bytes_read += static_cast<std::int64_t>(*n);
  co_return *n;
}

Task<Response> Connection::handle(Request& request) {
  try {
    auto response = co_await context_.handler.on_request(request);
    co_return response;
  } catch (const boost::system::system_error& e) {
    if (e.code() == boost::asio::error::operation_aborted) throw;
    log(LogLevel::error, "http.handler_failed", {{"listener", listener_}, {"error", typeid(e).name()}});
  } catch (const std::exception& e) {
    log(LogLevel::error, "http.handler_failed", {{"listener", listener_}, {"error", typeid(e).name()}});
  }
  co_return problem(500, "INTERNAL", "something went wrong here");
}

Task<Connection::Next> Connection::serve_one() {
  const auto& limits = context_.options.limits;
  request_limit_ = TimePoint::max();
  auto got = co_await read_head();
  if (const auto* next = std::get_if<Next>(&got)) co_return *next;
  busy_ = true;
  request_limit_ = steady_clock::now() + limits.request_time;
  waited_in_ = waited_out_ = {};
  received_ = sent_ = 0;
  if (const auto* refusal = std::get_if<Refusal>(&got)) {
    const auto next = co_await answer(nullptr, refuse(*refusal), false);
    co_return next;
  }

  Request request;
  request.head = std::move(std::get<RequestHead>(got));
  auto& head = request.head;
  head.peer = peer_;
  head.address = address_;
  head.listener = listener_;
  head.tls = tls_;
  ++context_.stats.requests;
  // A body that nobody reads makes the rest of the connection unreadable, so such a connection ends with the answer.
  const bool bodiless = !head.has_body();
  const bool keep = head.keep_alive;

  std::optional<std::chrono::seconds> later;
  if (over_quota_)
    later = std::chrono::seconds(5);
  else if (context_.options.overloaded)
    later = context_.options.overloaded(head);
  if (later) {
    ++context_.stats.overloaded;
    auto busy = problem(503, "OVERLOADED", refusal_title(503));
    busy.headers.add("Retry-After", std::to_string(later->count()));
    const auto next = co_await answer(&head, std::move(busy), keep && bodiless && !over_quota_);
    co_return next;
  }

  auto decided = co_await runtime::with_deadline(context_.handler.on_head(head), limits.request_time);
  if (!decided) {
    const auto next = co_await answer(&head, problem(503, "TIMEOUT", refusal_title(503)), false);
    co_return next;
  }
  if (auto* refusal = std::get_if<Response>(&*decided)) {
    const auto next = co_await answer(&head, std::move(*refusal), keep && bodiless);
    co_return next;
  }
  auto& accept = std::get<Accept>(*decided);
  request.context = std::move(accept.context);
  if (head.content_length.value_or(0) > accept.body_limit || (head.chunked && accept.body_limit == 0)) {
    ++context_.stats.bodies_too_large;
    co_await context_.handler.on_body_refused(request, "BODY_TOO_LARGE");
    const auto next = co_await answer(&head, problem(413, "BODY_TOO_LARGE", refusal_title(413)), false);
    co_return next;
  }
  BodyBudget::Hold hold(context_.bodies, quota_key_.empty() ? address_ : quota_key_);
  if (!accept.stream && !hold.fits(head.content_length.value_or(0))) {
    const auto next = co_await answer(&head, too_busy(), false);
    co_return next;
  }
  if (accept.stream) request_limit_ = TimePoint::max();

  IncomingBody body(*this, head, accept.body_limit);
  if (!bodiless && head.headers.has("expect") && buffer_.empty()) {
    const auto invited = co_await send("HTTP/1.1 100 Continue\r\n\r\n");
    if (!invited) co_return Next::close;
  }
  if (accept.stream) {
    request.stream = &body;
  } else {
    auto whole = co_await read_whole(body, accept.body_limit, hold);
    if (!whole) {
      const auto& code = whole.error().code;
      if (code == "BODY_TOO_LARGE") ++context_.stats.bodies_too_large;
      if (code == "BODY_SLOW") co_return Next::close;
      if (code == "OVERLOADED") {
        const auto next = co_await answer(&head, too_busy(), false);
        co_return next;
      }
      co_await context_.handler.on_body_refused(request, code);
      const int status = code == "BODY_BROKEN" ? 400 : status_of(whole.error().kind);
      const auto next = co_await answer(&head, problem(status, code, refusal_title(status)), false);
      co_return next;
    }
    request.body = std::move(*whole);
  }

  Response response;
  if (accept.stream) {
    // No time limit of the socket while the handler works; its reads set their own.
    stream_->expires_at(TimePoint::max());
    response = co_await handle(request);
  } else {
    stream_->expires_at(TimePoint::max());
    const auto left = std::chrono::duration_cast<milliseconds>(request_limit_ - steady_clock::now());
    auto in_time = co_await runtime::with_deadline(handle(request), std::max(left, milliseconds{1}));
    if (in_time) {
      response = std::move(*in_time);
    } else {
      ++context_.stats.timeouts;
      response = problem(504, "TIMEOUT", "the work took too long");
      request_limit_ = steady_clock::now() + limits.idle_time;
    }
  }
  request.stream = nullptr;
  const auto next = co_await answer(&head, std::move(response), keep && body.ended());
  co_return next;
}

}  // namespace schakel::net
