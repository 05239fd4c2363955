#include "core/net/http_types.hpp"

#include <algorithm>

#include "core/base/bytes.hpp"
#include "core/base/json.hpp"

namespace schakel::net {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool token_char(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view Headers::get(std::string_view name) const {
  for (const auto& [key, value] : *this)
    if (equal_ignoring_case(key, name)) return value;
  return {};
}

std::size_t Headers::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(begin(), end(), [name](const Header& h) { return equal_ignoring_case(h.first, name); }));
}

void Headers::remove(std::string_view name) {
  std::erase_if(static_cast<std::vector<Header>&>(*this),
                [name](const Header& h) { return equal_ignoring_case(h.first, name); });
}

void Headers::set(std::string_view name, std::string value) {
  remove(name);
  add(name, std::move(value));
}

std::string PeerIdentity::key() const {
  switch (kind) {
    case Kind::certificate:
      return "spki:" + spki_sha256;
    case Kind::local:
      return "uid:" + (uid ? std::to_string(*uid) : std::string("?"));
    case Kind::anonymous:
      break;
  }
  return {};
}

Response problem(int status, std::string_view code, std::string_view title) {
  Response r;
  r.status = status;
  r.headers.add("Content-Type", "application/problem+json");
  r.headers.add("Cache-Control", "no-store");
  r.body = dump_json(Json{{"status", status}, {"code", code}, {"title", title}, {"type", "about:blank"}});
  return r;
}

int status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid:
      return 400;
    case ErrorKind::unauthenticated:
      return 401;
    case ErrorKind::forbidden:
      return 403;
    case ErrorKind::not_found:
      return 404;
    case ErrorKind::conflict:
      return 409;
    case ErrorKind::too_large:
      return 413;
    case ErrorKind::unsupported:
      return 415;
    case ErrorKind::unavailable:
      return 503;
    case ErrorKind::timeout:
      return 504;
    case ErrorKind::io:
    case ErrorKind::internal:
      return 500;
  }
  return 500;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 423:
      return "Locked";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Status";
  }
}

Result<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  const auto bad = [] { return fail(ErrorKind::invalid, "URL_ENCODING", "a percent escape or its text is malformed"); };
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3) return bad();
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return bad();
      c = static_cast<char>(high * 16 + low);
      // A form may hold line breaks of a text area; a NUL or escape never has a meaning.
      const auto u = static_cast<unsigned char>(c);
      if ((u < 0x20 && c != '\r' && c != '\n' && c != '\t') || u == 0x7F) return bad();
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      return bad();
    }
    out.push_back(c);
  }
  if (!is_utf8(out)) return bad();
  return out;
}

Result<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view text, std::size_t limit) {
  std::vector<std::pair<std::string, std::string>> out;
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const auto pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    if (out.size() >= limit) return fail(ErrorKind::invalid, "QUERY_TOO_MANY", "too many parameters");
    const auto eq = std::min(pair.find('='), pair.size());
    auto name = percent_decode(pair.substr(0, eq), true);
    if (!name) return fail(std::move(name.error()));
    auto value = percent_decode(pair.substr(std::min(eq + 1, pair.size())), true);
    if (!value) return fail(std::move(value.error()));
    out.emplace_back(std::move(*name), std::move(*value));
  }
  return out;
}

std::optional<std::chrono::seconds> retry_after(const Headers& headers) {
  const auto text = headers.get("Retry-After");
  if (text.empty() || text.size() > 9 ||
      !std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return std::nullopt;
  return std::min(std::chrono::seconds(std::stol(std::string(text))), std::chrono::seconds(86400));
}

bool is_utf8(std::string_view s) {
  for (std::size_t i = 0; i < s.size();) {
    const auto c = static_cast<unsigned char>(s[i]);
    if (c < 0x80) {
      ++i;
      continue;
    }
    const std::size_t more = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : 1;
    if (c < 0xC2 || c > 0xF4 || s.size() - i <= more) return false;
    std::uint32_t value = c & (0x3FU >> more);
    for (std::size_t k = 1; k <= more; ++k) {
      const auto next = static_cast<unsigned char>(s[i + k]);
      if ((next & 0xC0U) != 0x80) return false;
      value = value << 6U | (next & 0x3FU);
    }
    if ((more == 2 && value < 0x800) || (more == 3 && value < 0x10000) || value > 0x10FFFF ||
        (value >= 0xD800 && value <= 0xDFFF))
      return false;
    i += more + 1;
  }
  return true;
}

bool valid_header(std::string_view name, std::string_view value) {
  if (name.empty() ||
      !std::all_of(name.begin(), name.end(), [](char c) { return token_char(static_cast<unsigned char>(c)); }))
    return false;
  for (const char c : value)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F) return false;
  if (value.empty()) return true;
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  return !blank(value.front()) && !blank(value.back());
}

}  // namespace schakel::net
