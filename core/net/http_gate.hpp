// The strict gate: what of an HTTP request head is let in. Pure functions over bytes (fuzz target http_head_fuzz).
//
// Boost.Beast 1.81 accepts messages that RFC 9112 calls ambiguous (trust.md F4), so no head reaches a handler before it
// has passed here, and a body is decoded by http_chunk.hpp. Every refusal closes the connection (OVL-7).
#pragma once
#include <cstddef>
#include <optional>
#include <string_view>
#include <variant>

#include "core/net/http_types.hpp"

namespace schakel::net {

/// trust.md OVL-1.
struct HeadLimits {
  std::size_t head_bytes = 8192;
  std::size_t fields = 64;
  std::size_t target_bytes = 2048;
};

/// Why a head is refused: the status to answer and a stable code.
struct Refusal {
  int status = 400;
  std::string_view code;
  bool operator==(const Refusal&) const = default;
};

struct NeedMore {};
/// The head is the first `bytes` bytes, its empty line included.
struct HeadComplete {
  std::size_t bytes = 0;
};

/// Looks at raw bytes as they arrive, before any parser: line ends, folding, control characters, size. Refuses at the
/// first byte that cannot belong to a good head, so that a bare LF or a TLS hello on a plain port does not wait for a
/// time-out.
[[nodiscard]] std::variant<NeedMore, HeadComplete, Refusal> scan_head(std::string_view buffer,
                                                                      const HeadLimits& limits);

/// Method, target, version and fields as a parser found them; views into its memory.
struct ParsedHead {
  std::string_view method;
  std::string_view target;
  int version = 11;
  std::vector<std::pair<std::string_view, std::string_view>> fields;
};

/// The rules of RFC 9112 and 9110 on framing, Host and target, each read strictly. nullopt: let in.
[[nodiscard]] std::optional<Refusal> check_head(const ParsedHead& head, const HeadLimits& limits);

/// The whole way for a complete head: scan, parse (Beast), check. Fills method, path, query, headers, content_length,
/// chunked and keep_alive of RequestHead.
[[nodiscard]] std::variant<RequestHead, Refusal> read_request_head(std::string_view raw, const HeadLimits& limits);

}  // namespace schakel::net
