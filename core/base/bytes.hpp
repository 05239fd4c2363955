// Bytes and their text forms.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"

namespace schakel {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

[[nodiscard]] inline ByteView as_bytes(std::string_view s) {
  return {reinterpret_cast<const std::uint8_t*>(s.data()), s.size()};
}
[[nodiscard]] inline std::string_view as_text(ByteView b) {
  return {reinterpret_cast<const char*>(b.data()), b.size()};
}
[[nodiscard]] inline Bytes to_bytes(std::string_view s) { return {s.begin(), s.end()}; }

[[nodiscard]] std::string to_hex(ByteView bytes);
/// Two letters a byte, no digits: for ids that partners look at. Nine digits in a row that happen to pass the eleven
/// test would be taken for a BSN at a border.
[[nodiscard]] std::string to_letters(ByteView bytes);
/// HEX_FORMAT when odd or not hexadecimal.
[[nodiscard]] Result<Bytes> from_hex(std::string_view text);
/// The value of one hexadecimal digit in either case; -1 for any other character.
[[nodiscard]] int hex_digit(char c);
/// RFC 4648 section 4, padded.
[[nodiscard]] std::string to_base64(ByteView bytes);
/// Strict: no white space, correct padding. BASE64_FORMAT otherwise.
[[nodiscard]] Result<Bytes> from_base64(std::string_view text);
/// RFC 4648 section 5, without padding.
[[nodiscard]] std::string to_base64url(ByteView bytes);
[[nodiscard]] Result<Bytes> from_base64url(std::string_view text);

}  // namespace schakel
