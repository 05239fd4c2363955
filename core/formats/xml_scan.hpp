// Internal to XmlPlainReader: classes of bytes, and runs of them.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>

namespace schakel::formats::scan {

inline constexpr unsigned char kNameStart = 1, kNameRest = 2, kUri = 4, kBlank = 8, kValue = 16;

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

/// Behind the white space from here, of which the line feeds are added to `lines`; indentation eight at a time.
inline const char* behind_blanks(const char* p, const char* end, std::int32_t& lines) {
  constexpr std::uint64_t kBlanks = 0x2020202020202020ULL;
  std::uint64_t eight = 0;
  for (; p < end && is(*p, kBlank); ++p) {
    if (*p == '\n') ++lines;
    while (end - p > 8 && (std::memcpy(&eight, p + 1, 8), eight == kBlanks)) p += 8;
  }
  return p;
}

/// White space only? Nearly always it is a new line and its indentation, which is looked at as one.
inline bool blank(const char* p, const char* end, std::int32_t& lines) {
  static constexpr std::array<char, 64> kIndentation = [] {
    std::array<char, 64> t{};
    t.fill(' ');
    return t;
  }();
  if (p != end && *p == '\n' && end - p <= std::ssize(kIndentation) &&
      same(p + 1, kIndentation.data(), static_cast<std::size_t>(end - p - 1))) {
    ++lines;
    return true;
  }
  return behind_blanks(p, end, lines) == end;
}

/// The next `c` from here, `end` when there is none.
inline const char* next(const char* p, const char* end, char c) {
  const void* found = p == end ? nullptr : std::memchr(p, c, static_cast<std::size_t>(end - p));
  return found ? static_cast<const char*>(found) : end;
}

}  // namespace schakel::formats::scan
