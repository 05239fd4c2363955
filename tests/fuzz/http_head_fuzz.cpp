// The gate: whatever the bytes, a head that is let in is unambiguous by rules that are written here a second time.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/net/http_gate.hpp"

namespace {
void demand(bool holds) {
  if (!holds) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace schakel::net;
  const std::string_view raw(reinterpret_cast<const char*>(data), size);
  const HeadLimits limits;
  const auto scanned = scan_head(raw, limits);
  const auto read = read_request_head(raw, limits);
  const auto* head = std::get_if<RequestHead>(&read);
  if (head == nullptr) return 0;

  const auto* complete = std::get_if<HeadComplete>(&scanned);
  demand(complete != nullptr && complete->bytes <= limits.head_bytes);
  const auto bytes = raw.substr(0, complete->bytes);
  demand(bytes.ends_with("\r\n\r\n"));
  demand(static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '\r')) ==
         static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '\n')));
  demand(bytes.find('\0') == std::string_view::npos);
  demand(bytes.find("\n ") == std::string_view::npos && bytes.find("\n\t") == std::string_view::npos);
  demand(head->headers.count("host") == 1 && !head->headers.get("host").empty());
  demand(head->headers.count("content-length") + head->headers.count("transfer-encoding") <= 1);
  demand(head->chunked == head->headers.has("transfer-encoding"));
  demand(head->content_length.has_value() == head->headers.has("content-length"));
  demand(head->path == "*" || head->path.starts_with("/"));
  demand(head->path.find("/../") == std::string::npos && !head->path.ends_with("/.."));
  demand(head->path.size() + head->query.size() <= limits.target_bytes);
  // The same verdict however the bytes arrive: no prefix of a good head is refused, none is complete early.
  for (std::size_t n = 0; n < complete->bytes; ++n)
    demand(std::holds_alternative<NeedMore>(scan_head(raw.substr(0, n), limits)));
  return 0;
}
