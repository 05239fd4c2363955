// Internal to XmlPlainReader: classes of bytes, and runs of them.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace schakel::formats::scan {

inline constexpr unsigned char kNameStart = 1, kNameRest = 2, kOrdinary = 4, kUri = 8, kBlank = 16, kValue = 32;

/// Only the ASCII part of what XML calls a name.
inline constexpr std::array<unsigned char, 256> kClass = [] {
  std::array<unsigned char, 256> t{};
  for (unsigned i = 0; i < t.size(); ++i) {
    auto c = static_cast<char>(i);
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'), number = c >= '0' && c <= '9';
    if (letter || c == '_') t[i] |= kNameStart | kNameRest;
    if (number || c == '-' || c == '.') t[i] |= kNameRest;
    if (letter || number || c == '-' || c == '.' || c == '_') t[i] |= kUri;
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') t[i] |= kBlank;
    if (c != '<' && c != '&' && c != ']' && c != '\r' && c != '\n') t[i] |= kOrdinary;
    // References, and white space that a reader would change, are not plain in an attribute.
    if (i >= 0x20 && c != '<' && c != '&' && c != '"' && c != '\'') t[i] |= kValue;
  }
  return t;
}();
inline bool is(char c, unsigned char what) { return (kClass[static_cast<unsigned char>(c)] & what) != 0; }

/// Faster than a call for the few bytes of a name.
inline bool same(const char* a, const char* b, std::size_t size) {
  auto equal = [&]<class Word>(Word, std::size_t at) {
    Word x, y;
    std::memcpy(&x, a + at, sizeof x);
    std::memcpy(&y, b + at, sizeof y);
    return x == y;
  };
  if (size >= 8) {
    for (std::size_t i = 0; i + 8 < size; i += 8)
      if (!equal(std::uint64_t{}, i)) return false;
    return equal(std::uint64_t{}, size - 8);
  }
  if (size >= 4) return equal(std::uint32_t{}, 0) && equal(std::uint32_t{}, size - 4);
  for (std::size_t i = 0; i < size; ++i)
    if (a[i] != b[i]) return false;
  return true;
}

/// Behind the blanks from here, eight at a time.
inline const char* behind_blanks(const char* p, const char* end) {
  constexpr std::uint64_t kBlanks = 0x2020202020202020ULL;
  std::uint64_t eight = 0;
  while (end - p >= 8 && (std::memcpy(&eight, p, 8), eight == kBlanks)) p += 8;
  while (p < end && *p == ' ') ++p;
  return p;
}

inline constexpr std::ptrdiff_t kBlock = 16;
/// Behind the ordinary characters from here, in blocks: a loop without a way out, of which the compiler makes a few
/// instructions. `p` stands on one.
inline const char* behind_ordinary(const char* p, const char* end) {
  while (end - p >= kBlock) {
    unsigned char other = 0;
    for (std::ptrdiff_t i = 0; i < kBlock; ++i) {
      char c = p[i];
      other |= static_cast<unsigned char>((c == '<') | (c == '&') | (c == ']') | (c == '\r') | (c == '\n'));
    }
    if (other != 0) break;
    p += kBlock;
  }
  while (p < end && is(*p, kOrdinary)) ++p;
  return p;
}

}  // namespace schakel::formats::scan
