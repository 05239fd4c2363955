#include "core/base/bytes.hpp"

#include <array>

namespace schakel {
namespace {

constexpr std::string_view kStandard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string encode(ByteView in, std::string_view alphabet, bool pad) {
  std::string out;
  out.reserve((in.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < in.size(); i += 3) {
    std::uint32_t v = static_cast<std::uint32_t>(in[i]) << 16;
    if (i + 1 < in.size()) v |= static_cast<std::uint32_t>(in[i + 1]) << 8;
    if (i + 2 < in.size()) v |= in[i + 2];
    auto have = std::min<std::size_t>(3, in.size() - i) + 1;
    for (std::size_t k = 0; k < have; ++k) out += alphabet[(v >> (18 - 6 * k)) & 63];
    if (pad) out.append(4 - have, '=');
  }
  return out;
}

Result<Bytes> decode(std::string_view in, std::string_view alphabet, bool padded) {
  auto bad = [] { return fail(ErrorKind::invalid, "BASE64_FORMAT", "not valid base64"); };
  std::array<int, 256> value;
  value.fill(-1);
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    value[static_cast<unsigned char>(alphabet[i])] = static_cast<int>(i);
  if (padded) {
    if (in.size() % 4) return bad();
    if (!in.empty() && in.back() == '=') in.remove_suffix(1);
    if (!in.empty() && in.back() == '=') in.remove_suffix(1);
  }
  if (in.size() % 4 == 1) return bad();
  Bytes out;
  out.reserve(in.size() * 3 / 4);
  std::uint32_t acc = 0;
  int bits = 0;
  for (unsigned char c : in) {
    if (value[c] < 0) return bad();
    acc = (acc << 6) | static_cast<std::uint32_t>(value[c]);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out.push_back(static_cast<std::uint8_t>(acc >> bits));
      acc &= (1u << bits) - 1;
    }
  }
  // Left-over bits that are not zero are a second spelling of the same bytes.
  if (acc) return bad();
  return out;
}

}  // namespace

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string to_hex(ByteView bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (auto b : bytes) {
    out += kDigits[b >> 4];
    out += kDigits[b & 15];
  }
  return out;
}

std::string to_letters(ByteView bytes) {
  constexpr std::string_view kLetters = "bcdfghjkmnpqrstv";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (auto b : bytes) {
    out += kLetters[b >> 4];
    out += kLetters[b & 15];
  }
  return out;
}

Result<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2) return fail(ErrorKind::invalid, "HEX_FORMAT", "not hexadecimal");
  Bytes out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    int a = hex_digit(text[i]), b = hex_digit(text[i + 1]);
    if (a < 0 || b < 0) return fail(ErrorKind::invalid, "HEX_FORMAT", "not hexadecimal");
    out.push_back(static_cast<std::uint8_t>(a * 16 + b));
  }
  return out;
}

std::string to_base64(ByteView bytes) { return encode(bytes, kStandard, true); }
Result<Bytes> from_base64(std::string_view text) { return decode(text, kStandard, true); }
std::string to_base64url(ByteView bytes) { return encode(bytes, kUrl, false); }
Result<Bytes> from_base64url(std::string_view text) { return decode(text, kUrl, false); }

}  // namespace schakel
