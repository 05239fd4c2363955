// What a connection sends: heads, bodies and streams, and whether the connection goes on after it.
#include <fmt/format.h>

#include <ctime>

#include "core/base/log.hpp"
#include "core/net/http_body.hpp"
#include "core/net/http_connection.hpp"

namespace schakel::net {
namespace {

std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char text[40];
  const auto n = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc);
  return {text, n};
}

bool no_body(int status) { return status == 204 || status == 304 || (status >= 100 && status < 200); }

/// The head of a response; empty when a header could not be sent as it stands.
std::string head_text(const Response& r, std::optional<std::uint64_t> length, bool chunked, bool close) {
  std::string out = fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", r.status, reason_phrase(r.status), http_date());
  for (const auto& [name, value] : r.headers) {
    if (!valid_header(name, value)) return {};
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
  }
  if (length) out += fmt::format("Content-Length: {}\r\n", *length);
  if (chunked) out += "Transfer-Encoding: chunked\r\n";
  if (close) out += "Connection: close\r\n";
  out += "\r\n";
  return out;
}

}  // namespace

Task<Result<void>> Connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    stream_->expires_at(rate_limit(waited_out_, sent_));
    const auto before = std::chrono::steady_clock::now();
    const auto n = co_await stream_->write_some(bytes);
    waited_out_ += std::chrono::steady_clock::now() - before;
    if (!n) {
      if (n.error().code == "NET_TIMEOUT") ++context_.stats.timeouts;
      co_return fail(n.error());
    }
    sent_ += *n;
    bytes.remove_prefix(*n);
  }
  co_return Result<void>{};
}

/// Value: whether the body was completed.
Task<Result<bool>> Connection::send_stream(BodyProducer& body, bool chunked, std::uint64_t& sent) {
  std::vector<std::uint8_t> piece(64 * 1024);
  const auto promised = body.size();
  for (;;) {
    stream_->expires_at(TimePoint::max());
    const auto n = co_await body.produce(piece);
    if (!n) co_return false;
    if (promised && sent + *n > *promised) co_return false;
    if (*n == 0) break;
    const std::string_view data(reinterpret_cast<const char*>(piece.data()), *n);
    std::string framed;
    if (chunked) {
      framed = fmt::format("{:x}\r\n", *n);
      framed += data;
      framed += "\r\n";
    }
    const auto written = co_await send(chunked ? std::string_view(framed) : data);
    if (!written) co_return fail(written.error());
    sent += *n;
  }
  if (promised && sent != *promised) co_return false;
  if (chunked) {
    const auto written = co_await send("0\r\n\r\n");
    if (!written) co_return fail(written.error());
  }
  co_return true;
}

Task<Connection::Next> Connection::answer(const RequestHead* head, Response response, bool keep) {
  const bool head_only = head != nullptr && head->method == "HEAD";
  if (context_.options.decorate) context_.options.decorate(head, response);
  for (const auto name : {"Content-Length", "Transfer-Encoding", "Connection", "Date"}) response.headers.remove(name);
  keep = keep && !context_.stopping;

  // HTTP/1.0 knows no chunks: there the end of the connection ends the body.
  const bool silent = no_body(response.status);
  std::optional<std::uint64_t> length;
  bool chunked = false;
  if (!silent) {
    if (!response.stream)
      length = response.body.size();
    else if (const auto size = response.stream->size())
      length = size;
    else if (head != nullptr && !head->http10)
      chunked = true;
    else
      keep = false;
  }
  if (response.stream) request_limit_ = TimePoint::max();
  auto text = head_text(response, length, chunked, !keep);
  if (text.empty()) {
    log(LogLevel::error, "http.header_invalid", {{"listener", listener_}});
    const auto unused = std::move(response.stream);
    const ProducerEnd unsent(unused.get());
    response = problem(500, "INTERNAL", "something went wrong here");
    length = response.body.size();
    chunked = keep = false;
    text = head_text(response, length, false, true);
  }
  const auto stream = std::move(response.stream);
  ProducerEnd ending(stream.get());
  const bool with_body = !silent && !head_only;
  if (with_body && !stream) text += response.body;

  const auto written = co_await send(text);
  bool broken = !written;
  if (written && stream && with_body) {
    const auto streamed = co_await send_stream(*stream, chunked, ending.sent);
    ending.complete = streamed.value_or(false);
    broken = !ending.complete;
  }
  if (broken) {
    ++context_.stats.responses_broken_off;
    co_return Next::close;
  }
  co_return keep ? Next::again : Next::finish;
}

}  // namespace schakel::net
