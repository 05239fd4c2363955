// Responses of an IMAP server (RFC 3501 section 7), taken from the bytes as they come. Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"

namespace schakel::net {

struct ImapLimits {
  std::size_t line = 256 * 1024;          ///< text of one response, literals not counted
  std::size_t literal = 4 * 1024 * 1024;  ///< one literal
  std::size_t literals = 16;              ///< of one response
};

/// One response: its text, in which every literal stands as "{}" in place of its size, and the literals in order.
struct ImapLine {
  std::string text;
  std::vector<std::string> literals;
};

/// The next complete response, taken off `rest`; nullopt (and `rest` unchanged) when more bytes are needed.
/// IMAP_PROTOCOL (io) for what no server may say, IMAP_TOO_LARGE (too_large) beyond the limits.
[[nodiscard]] Result<std::optional<ImapLine>> take_imap_line(std::string_view& rest, const ImapLimits& limits = {});

/// Numbers of "* SEARCH 4 7 9", ascending and unique; IMAP_PROTOCOL when one is none.
[[nodiscard]] Result<std::vector<std::uint32_t>> read_imap_search(std::string_view text);
/// The number of "[NAME 123]" in a status response; nullopt when it is not there.
[[nodiscard]] std::optional<std::uint32_t> read_imap_code(std::string_view text, std::string_view name);
/// A mailbox name or password between quotes; nullopt for what cannot stand there (control characters, 8-bit).
[[nodiscard]] std::optional<std::string> imap_quoted(std::string_view text);

}  // namespace schakel::net
