#include "core/net/http_gate.hpp"

#include <algorithm>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

namespace schakel::net {
namespace {

namespace http = boost::beast::http;

bool digit(char c) { return c >= '0' && c <= '9'; }
bool alpha(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

/// Names that decide where a message ends; written with '_' some gateways take them for the real ones.
bool framing_name(std::string_view name) {
  std::string dashed(name);
  std::replace(dashed.begin(), dashed.end(), '_', '-');
  return equal_ignoring_case(dashed, "content-length") || equal_ignoring_case(dashed, "transfer-encoding") ||
         equal_ignoring_case(dashed, "host");
}

/// reg-name, IPv4 or IPv6 literal, with an optional port. No user information.
bool valid_host(std::string_view host) {
  if (host.empty() || host.size() > 255) return false;
  std::string_view port;
  if (host.front() == '[') {
    const auto close = host.find(']');
    if (close == std::string_view::npos || close < 3) return false;
    for (const char c : host.substr(1, close - 1))
      if (!digit(c) && !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F') && c != ':' && c != '.') return false;
    port = host.substr(close + 1);
  } else {
    const auto colon = std::min(host.find(':'), host.size());
    if (colon == 0) return false;
    for (const char c : host.substr(0, colon))
      if (!digit(c) && !alpha(c) && c != '-' && c != '.' && c != '_') return false;
    port = host.substr(colon);
  }
  if (port.empty()) return true;
  return port.front() == ':' && port.size() >= 2 && port.size() <= 6 &&
         std::all_of(port.begin() + 1, port.end(), digit);
}

/// Origin form only. A proxy's absolute form may name another host than Host does, and no client of ours sends it.
std::optional<Refusal> check_target(std::string_view target, std::string_view method) {
  if (target == "*" && method == "OPTIONS") return std::nullopt;
  if (target.empty() || target.front() != '/') return Refusal{400, "TARGET_FORM"};
  for (const char c : target)
    if (c < 0x21 || c > 0x7E || std::string_view("\"<>\\^`{|}#").find(c) != std::string_view::npos)
      return Refusal{400, "TARGET_CHARACTER"};
  const auto path = target.substr(0, target.find('?'));
  std::string segment;
  const auto dots = [](std::string_view s) { return s == "." || s == ".."; };
  for (std::size_t i = 0; i < target.size(); ++i) {
    char c = target[i];
    if (c == '%') {
      const auto hex = [](char x) { return digit(x) || (x >= 'a' && x <= 'f') || (x >= 'A' && x <= 'F'); };
      if (target.size() - i < 3 || !hex(target[i + 1]) || !hex(target[i + 2])) return Refusal{400, "TARGET_ESCAPE"};
      const auto value = [](char x) { return digit(x) ? x - '0' : (x | 0x20) - 'a' + 10; };
      const int decoded = value(target[i + 1]) * 16 + value(target[i + 2]);
      if (i < path.size() && (decoded < 0x20 || decoded == 0x7F || decoded == '/' || decoded == '\\'))
        return Refusal{400, "TARGET_ESCAPE"};
      if (decoded == 0) return Refusal{400, "TARGET_ESCAPE"};
      c = static_cast<char>(decoded);
      i += 2;
      if (i < path.size()) segment.push_back(c);
      continue;
    }
    if (i >= path.size()) continue;
    if (c == '/') {
      if (dots(segment)) return Refusal{400, "TARGET_DOTS"};
      segment.clear();
    } else {
      segment.push_back(c);
    }
  }
  if (dots(segment)) return Refusal{400, "TARGET_DOTS"};
  return std::nullopt;
}

struct Tokens {
  bool close = false;
  bool framing = false;
};

Tokens connection_tokens(std::string_view value) {
  Tokens out;
  while (!value.empty()) {
    const auto end = std::min(value.find(','), value.size());
    auto token = value.substr(0, end);
    value.remove_prefix(std::min(end + 1, value.size()));
    const auto first = token.find_first_not_of(" \t");
    token = first == std::string_view::npos ? std::string_view{}
                                            : token.substr(first, token.find_last_not_of(" \t") - first + 1);
    out.close |= equal_ignoring_case(token, "close");
    out.framing |= framing_name(token);
  }
  return out;
}

}  // namespace

std::variant<NeedMore, HeadComplete, Refusal> scan_head(std::string_view buffer, const HeadLimits& limits) {
  bool first_line = true;
  std::size_t line_start = 0;
  std::size_t fields = 0;
  const std::size_t visible = std::min(buffer.size(), limits.head_bytes);
  for (std::size_t i = 0; i < visible; ++i) {
    const auto c = static_cast<unsigned char>(buffer[i]);
    if (i == 0 && !(c >= 'A' && c <= 'Z')) return Refusal{400, "HEAD_START"};
    if (c == '\n') {
      if (i == line_start || buffer[i - 1] != '\r') return Refusal{400, "HEAD_BARE_LF"};
      const std::size_t length = i - 1 - line_start;
      if (first_line && length == 0) return Refusal{400, "HEAD_START"};
      if (length == 0) return HeadComplete{i + 1};
      if (!first_line) {
        if (++fields > limits.fields) return Refusal{431, "HEAD_FIELDS"};
        const auto line = buffer.substr(line_start, length);
        const auto colon = line.find(':');
        // Covers "Name : value" and a line that is no field at all.
        if (colon == std::string_view::npos || !valid_header(line.substr(0, colon), ""))
          return Refusal{400, "HEAD_FIELD_NAME"};
      }
      first_line = false;
      line_start = i + 1;
      continue;
    }
    if (i > 0 && buffer[i - 1] == '\r') return Refusal{400, "HEAD_BARE_CR"};
    if (c == '\r') continue;
    if (i == line_start && (c == ' ' || c == '\t')) return Refusal{400, "HEAD_FOLDING"};
    if (c < 0x20 ? (c != '\t' || first_line) : c == 0x7F) return Refusal{400, "HEAD_CONTROL"};
    if (first_line && c >= 0x80) return Refusal{400, "HEAD_CONTROL"};
    if (first_line && i > limits.target_bytes + 32) return Refusal{414, "TARGET_TOO_LONG"};
  }
  if (buffer.size() >= limits.head_bytes) return Refusal{431, "HEAD_TOO_LARGE"};
  return NeedMore{};
}

std::optional<Refusal> check_head(const ParsedHead& head, const HeadLimits& limits) {
  if (head.version != 11 && head.version != 10) return Refusal{505, "VERSION"};
  if (head.method.empty() || head.method.size() > 16 ||
      !std::all_of(head.method.begin(), head.method.end(), [](char c) { return c >= 'A' && c <= 'Z'; }))
    return Refusal{400, "METHOD"};
  if (head.method == "CONNECT" || head.method == "TRACE") return Refusal{405, "METHOD"};
  if (head.target.size() > limits.target_bytes) return Refusal{414, "TARGET_TOO_LONG"};
  if (const auto bad = check_target(head.target, head.method)) return bad;
  if (head.fields.size() > limits.fields) return Refusal{431, "HEAD_FIELDS"};

  std::size_t hosts = 0;
  std::size_t lengths = 0;
  std::size_t codings = 0;
  std::size_t types = 0;
  std::size_t authorizations = 0;
  std::size_t expects = 0;
  for (const auto& [name, value] : head.fields) {
    if (!valid_header(name, value)) return Refusal{400, "FIELD"};
    if (equal_ignoring_case(name, "host")) {
      ++hosts;
      if (!valid_host(value)) return Refusal{400, "HOST"};
    } else if (equal_ignoring_case(name, "content-length")) {
      ++lengths;
      // 15 digits cannot overflow; a sign, a list or a blank is not a number.
      if (value.empty() || value.size() > 15 || !std::all_of(value.begin(), value.end(), digit))
        return Refusal{400, "CONTENT_LENGTH"};
    } else if (equal_ignoring_case(name, "transfer-encoding")) {
      ++codings;
      if (!equal_ignoring_case(value, "chunked")) return Refusal{400, "TRANSFER_ENCODING"};
    } else if (framing_name(name)) {
      return Refusal{400, "FIELD_DISGUISED"};
    } else if (equal_ignoring_case(name, "connection")) {
      if (connection_tokens(value).framing) return Refusal{400, "CONNECTION"};
    } else if (equal_ignoring_case(name, "content-type")) {
      ++types;
    } else if (equal_ignoring_case(name, "authorization")) {
      ++authorizations;
    } else if (equal_ignoring_case(name, "expect")) {
      ++expects;
      if (!equal_ignoring_case(value, "100-continue")) return Refusal{417, "EXPECT"};
    }
  }
  if (hosts != 1) return Refusal{400, "HOST"};
  if (lengths > 1) return Refusal{400, "CONTENT_LENGTH"};
  if (codings > 1) return Refusal{400, "TRANSFER_ENCODING"};
  if (codings == 1 && (lengths > 0 || head.version != 11)) return Refusal{400, "TRANSFER_ENCODING"};
  if (types > 1 || authorizations > 1 || expects > 1) return Refusal{400, "FIELD_REPEATED"};
  return std::nullopt;
}

std::variant<RequestHead, Refusal> read_request_head(std::string_view raw, const HeadLimits& limits) {
  const auto scanned = scan_head(raw, limits);
  if (const auto* refusal = std::get_if<Refusal>(&scanned)) return *refusal;
  const auto* complete = std::get_if<HeadComplete>(&scanned);
  if (complete == nullptr) return Refusal{400, "HEAD_INCOMPLETE"};
  raw = raw.substr(0, complete->bytes);

  http::request_parser<http::empty_body> parser;
  parser.header_limit(static_cast<std::uint32_t>(limits.head_bytes));
  parser.body_limit(boost::none);
  boost::beast::error_code ec;
  parser.put(boost::asio::buffer(raw.data(), raw.size()), ec);
  if (ec == http::error::bad_version) return Refusal{505, "VERSION"};
  if (ec || !parser.is_header_done()) return Refusal{400, "HEAD_SYNTAX"};
  const auto& message = parser.get();

  ParsedHead head;
  head.method = {message.method_string().data(), message.method_string().size()};
  head.target = {message.target().data(), message.target().size()};
  head.version = static_cast<int>(message.version());
  for (const auto& field : message)
    head.fields.emplace_back(std::string_view(field.name_string().data(), field.name_string().size()),
                             std::string_view(field.value().data(), field.value().size()));
  if (const auto refusal = check_head(head, limits)) return *refusal;

  RequestHead out;
  out.method = head.method;
  const auto question = std::min(head.target.find('?'), head.target.size());
  out.path = head.target.substr(0, question);
  out.query = head.target.substr(std::min(question + 1, head.target.size()));
  out.http10 = head.version == 10;
  out.keep_alive = !out.http10;
  for (const auto& [name, value] : head.fields) {
    out.headers.add(name, std::string(value));
    if (equal_ignoring_case(name, "transfer-encoding")) out.chunked = true;
    if (equal_ignoring_case(name, "content-length")) out.content_length = std::stoull(std::string(value));
    if (equal_ignoring_case(name, "connection") && connection_tokens(value).close) out.keep_alive = false;
  }
  return out;
}

}  // namespace schakel::net
