// What is refused before a parser sees the bytes: cheaper than parsing, and independent of the parser's own options.
#include <algorithm>
#include <cctype>
#include <cstring>

#include "core/formats/sniff.hpp"
#include "core/formats/xml.hpp"

namespace schakel::formats {
namespace {

std::unexpected<Error> refuse(const char* code, const char* message) { return fail(ErrorKind::invalid, code, message); }

/// Length of the valid XML character at `p`, 0 when there is none.
std::size_t xml_character(const unsigned char* p, std::size_t left) {
  unsigned char c = p[0];
  if (c < 0x80) return c >= 0x20 || c == '\t' || c == '\n' || c == '\r' ? 1 : 0;
  auto next = [&](std::size_t i) { return i < left && (p[i] & 0xC0) == 0x80; };
  if (c >= 0xC2 && c <= 0xDF) return next(1) ? 2 : 0;
  if (c >= 0xE0 && c <= 0xEF) {
    if (!next(1) || !next(2)) return 0;
    if (c == 0xE0 && p[1] < 0xA0) return 0;                                     // overlong
    if (c == 0xED && p[1] > 0x9F) return 0;                                     // surrogate
    if (c == 0xEF && p[1] == 0xBF && (p[2] == 0xBE || p[2] == 0xBF)) return 0;  // U+FFFE, U+FFFF
    return 3;
  }
  if (c >= 0xF0 && c <= 0xF4) {
    if (!next(1) || !next(2) || !next(3)) return 0;
    if (c == 0xF0 && p[1] < 0x90) return 0;
    if (c == 0xF4 && p[1] > 0x8F) return 0;
    return 4;
  }
  return 0;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  });
}

/// The value of a pseudo-attribute of the XML declaration, empty when absent.
std::string_view declared(std::string_view declaration, std::string_view name) {
  auto at = declaration.find(name);
  if (at == std::string_view::npos) return {};
  at = declaration.find_first_of("\"'", at);
  if (at == std::string_view::npos) return {};
  auto end = declaration.find(declaration[at], at + 1);
  return end == std::string_view::npos ? std::string_view{} : declaration.substr(at + 1, end - at - 1);
}

Result<void> check_declaration(std::string_view bytes) {
  if (!bytes.starts_with("<?xml") || bytes.size() < 6 || !std::strchr(" \t\r\n", bytes[5])) return {};
  auto end = bytes.substr(0, 256).find("?>");
  if (end == std::string_view::npos) return refuse("XML_SYNTAX", "the XML declaration does not end");
  auto declaration = bytes.substr(5, end - 5);
  if (declared(declaration, "version") != "1.0") return refuse("XML_VERSION", "only XML 1.0 is read");
  auto encoding = declared(declaration, "encoding");
  if (declaration.find("encoding") != std::string_view::npos && !equal_ignoring_case(encoding, "UTF-8"))
    return refuse("XML_ENCODING", "only UTF-8 is read");
  return {};
}

/// libxml2 2.9 compares every attribute of a tag with every other, so a tag of a million attributes would stop it for
/// hours.
bool too_many_attributes(std::string_view s, int limit) {
  std::size_t i = 0;
  while ((i = s.find('<', i)) != std::string_view::npos) {
    auto skip = [&](std::string_view until) {
      i = s.find(until, i);
      return i != std::string_view::npos;
    };
    auto rest = s.substr(i, 9);
    if (rest.starts_with("<!--")) {
      i += 4;
      if (!skip("-->")) return false;
      continue;
    }
    if (rest.starts_with("<![CDATA[")) {
      if (!skip("]]>")) return false;
      continue;
    }
    if (rest.starts_with("<?")) {
      if (!skip("?>")) return false;
      continue;
    }
    int count = 0;
    for (++i; i < s.size() && s[i] != '>' && s[i] != '<'; ++i) {
      if (s[i] != '"' && s[i] != '\'') continue;
      if (++count > limit) return true;
      i = s.find(s[i], i + 1);
      if (i == std::string_view::npos) return false;
    }
  }
  return false;
}

}  // namespace

bool valid_xml_text(std::string_view text) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  constexpr std::size_t kBlock = 64;
  std::size_t i = 0;
  while (i < text.size()) {
    // A block of plain characters at a time: a loop without a way out, of which the compiler makes a few instructions.
    if (i + kBlock <= text.size()) {
      unsigned char odd = 0;
      for (std::size_t k = 0; k < kBlock; ++k) {
        auto c = static_cast<signed char>(p[i + k]);  // from 0x80 it is negative
        odd |= static_cast<unsigned char>((c < 0x20) & (c != '\n') & (c != '\r') & (c != '\t'));
      }
      if (odd == 0) {
        i += kBlock;
        continue;
      }
    }
    // One by one to the end of that block.
    for (auto end = std::min(i + kBlock, text.size()); i < end;) {
      auto n = xml_character(p + i, text.size() - i);
      if (n == 0) return false;
      i += n;
    }
  }
  return true;
}

Result<void> screen_xml(std::string_view bytes, const XmlLimits& limits) {
  if (bytes.size() > limits.bytes) return fail(ErrorKind::too_large, "XML_TOO_LARGE", "the document is too large");
  if (bytes.starts_with("\xEF\xBB\xBF")) {
    if (limits.refuse_bom) return refuse("XML_BOM", "a byte order mark is not allowed (OP192)");
    bytes.remove_prefix(3);
  }
  if (utf16_low(bytes)) return refuse("XML_ENCODING", "only UTF-8 is read");
  if (!valid_xml_text(bytes)) return refuse("XML_UTF8", "not UTF-8, or a character that XML does not allow");
  if (auto ok = check_declaration(bytes); !ok) return ok;
  // Also inside comments and CDATA, where a declaration would be inert: two parsers may differ on where a comment ends.
  for (auto at = bytes.find("<!"); at != std::string_view::npos; at = bytes.find("<!", at + 2)) {
    auto rest = bytes.substr(at);
    if (!rest.starts_with("<!--") && !rest.starts_with("<![CDATA["))
      return refuse("XML_DTD", "a document type or entity declaration is not allowed");
  }
  if (too_many_attributes(bytes, limits.attributes_per_element))
    return refuse("XML_ATTRIBUTES", "an element has too many attributes");
  return {};
}

}  // namespace schakel::formats
