#include "core/base/json_pull.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace schakel {
namespace {

/// Bytes that stand for themselves in a text: all but quote, backslash and control characters.
constexpr std::array<bool, 256> kJsonPlain = [] {
  std::array<bool, 256> out{};
  for (int c = 0x20; c < 256; ++c) out[static_cast<std::size_t>(c)] = c != '"' && c != '\\';
  return out;
}();

bool is_json_digit(char c) { return c >= '0' && c <= '9'; }

void append_utf8(std::string& out, unsigned c) {
  auto put = [&](unsigned byte) { out += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | c >> 6);
    put(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    put(0xe0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3f));
    put(0x80 | (c & 0x3f));
  } else {
    put(0xf0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3f));
    put(0x80 | (c >> 6 & 0x3f));
    put(0x80 | (c & 0x3f));
  }
}

}  // namespace

void JsonPull::bad() { throw std::runtime_error("not the JSON that is expected here"); }

std::string_view JsonPull::text() {
  expect('"');
  const auto from = at_;
  while (at_ < text_.size() && kJsonPlain[static_cast<unsigned char>(text_[at_])]) ++at_;
  if (at_ >= text_.size()) bad();
  if (text_[at_] != '"') return unescaped(from);
  return text_.substr(from, at_++ - from);
}

/// From the first escape on.
std::string_view JsonPull::unescaped(std::size_t from) {
  room_.assign(text_.substr(from, at_ - from));
  for (;;) {
    const auto run = at_;
    while (at_ < text_.size() && kJsonPlain[static_cast<unsigned char>(text_[at_])]) ++at_;
    room_.append(text_.substr(run, at_ - run));
    if (at_ >= text_.size()) bad();
    if (text_[at_] == '"') {
      ++at_;
      return room_;
    }
    if (text_[at_] != '\\' || ++at_ >= text_.size()) bad();
    constexpr std::string_view kEscapes = "\"\\/bfnrt", kMeant = "\"\\/\b\f\n\r\t";
    const char c = text_[at_++];
    if (auto known = kEscapes.find(c); known != std::string_view::npos) {
      room_ += kMeant[known];
      continue;
    }
    if (c != 'u') bad();
    unsigned code = hex4();
    if (code >= 0xdc00 && code < 0xe000) bad();
    if (code >= 0xd800 && code < 0xdc00) {
      if (text_.substr(at_, 2) != "\\u") bad();
      at_ += 2;
      const unsigned low = hex4();
      if (low < 0xdc00 || low >= 0xe000) bad();
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    append_utf8(room_, code);
  }
}

unsigned JsonPull::hex4() {
  const auto digits = text_.substr(at_, 4);
  unsigned out = 0;
  auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), out, 16);
  if (digits.size() != 4 || ec != std::errc{} || end != digits.data() + 4) bad();
  at_ += 4;
  return out;
}

/// The letters of a number, which follow the grammar of RFC 8259.
std::string_view JsonPull::number(bool& whole) {
  space();
  const auto from = at_;
  auto here = [&](char c) { return at_ < text_.size() && text_[at_] == c; };
  auto digits = [&] {
    const auto first = at_;
    while (at_ < text_.size() && is_json_digit(text_[at_])) ++at_;
    if (at_ == first) bad();
    return at_ - first;
  };
  if (here('-')) ++at_;
  const auto first = at_;
  if (digits() > 1 && text_[first] == '0') bad();
  whole = true;
  if (here('.')) {
    whole = false;
    ++at_;
    digits();
  }
  if (here('e') || here('E')) {
    whole = false;
    ++at_;
    if (here('+') || here('-')) ++at_;
    digits();
  }
  return text_.substr(from, at_ - from);
}

std::int64_t JsonPull::integer() {
  bool whole = false;
  const auto letters = number(whole);
  std::int64_t out = 0;
  if (!whole || std::from_chars(letters.data(), letters.data() + letters.size(), out).ec != std::errc{}) bad();
  return out;
}

void JsonPull::word(std::string_view text) {
  if (text_.substr(at_, text.size()) != text) bad();
  at_ += text.size();
}

Json JsonPull::value() {
  switch (peek()) {
    case '{': {
      Json::object_t out;
      object([&](std::string_view key) {
        // Sorted, as dump_json writes them: each belongs behind the one before. Of the same key the last one counts.
        auto place = out.emplace_hint(out.end(), std::string(key), nullptr);
        place->second = value();
      });
      return Json(std::move(out));
    }
    case '[': {
      Json::array_t out;
      array([&] { out.push_back(value()); });
      return Json(std::move(out));
    }
    case '"':
      return Json(std::string(text()));
    case 't':
      word("true");
      return Json(true);
    case 'f':
      word("false");
      return Json(false);
    case 'n':
      word("null");
      return Json(nullptr);
    default:
      break;
  }
  // As nlohmann reads them: what does not fit is a number with a fraction.
  bool whole = false;
  const auto letters = number(whole);
  const char *from = letters.data(), *to = from + letters.size();
  if (whole && letters[0] == '-') {
    std::int64_t n = 0;
    if (std::from_chars(from, to, n).ec == std::errc{}) return Json(n);
  } else if (whole) {
    std::uint64_t n = 0;
    if (std::from_chars(from, to, n).ec == std::errc{}) return Json(n);
  }
  double n = 0;
  // What is too small for a double is nothing; what is too large is no number here.
  if (std::from_chars(from, to, n).ec != std::errc{}) n = std::strtod(std::string(letters).c_str(), nullptr);
  if (!std::isfinite(n)) bad();
  return Json(n);
}

std::string_view JsonPull::skip() {
  space();
  const auto from = at_;
  int depth = 0;
  do {
    switch (peek()) {
      case '"':
        // Behind the quote that no escape makes part of the text.
        for (++at_;; ++at_) {
          const auto from_here = at_;
          at_ = text_.find('"', at_);
          if (at_ == std::string_view::npos) bad();
          std::size_t escapes = 0;
          while (at_ - escapes > from_here && text_[at_ - escapes - 1] == '\\') ++escapes;
          if (escapes % 2 == 0) break;
        }
        ++at_;
        break;
      case '{':
      case '[':
        ++depth;
        ++at_;
        break;
      case '}':
      case ']':
        --depth;
        ++at_;
        break;
      case ',':
      case ':':
        if (depth == 0) bad();
        ++at_;
        break;
      default: {
        const auto first = at_;
        while (at_ < text_.size() && !std::string_view(",:{}[]\" \n\r\t").contains(text_[at_])) ++at_;
        if (at_ == first) bad();
      }
    }
    if (depth < 0) bad();
  } while (depth > 0);
  return text_.substr(from, at_ - from);
}

void JsonPull::end() {
  space();
  if (at_ != text_.size()) bad();
}

}  // namespace schakel
