#include <array>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "core/base/assert.hpp"
#include "core/formats/xml.hpp"

namespace schakel::formats {
namespace {
constexpr std::array<unsigned char, 256> kOdd = [] {
  std::array<unsigned char, 256> t{};
  for (unsigned c = 0; c < t.size(); ++c)
    t[c] = c < 0x20 || c >= 0x7f || c == '&' || c == '<' || c == '>' || c == '"' ? 1 : 0;
  return t;
}();
/// ASCII that needs no escape, which most texts are: so all of it is looked at without a way out.
bool plain(std::string_view value) {
  unsigned char odd = 0;
  for (char c : value) odd |= kOdd[static_cast<unsigned char>(c)];
  return odd == 0;
}
/// Most parts are shorter than a call is worth.
char* copy(char* to, std::string_view part) {
  const char* from = part.data();
  const auto size = part.size();
  auto ends = [&]<class Word>(Word) {  // the first and the last bytes, which may overlap
    Word first, last;
    std::memcpy(&first, from, sizeof first);
    std::memcpy(&last, from + size - sizeof last, sizeof last);
    std::memcpy(to, &first, sizeof first);
    std::memcpy(to + size - sizeof last, &last, sizeof last);
  };
  if (size > 32)
    std::memcpy(to, from, size);
  else if (size >= 16)
    ends(std::array<std::uint64_t, 2>{});
  else if (size >= 8)
    ends(std::uint64_t{});
  else if (size >= 4)
    ends(std::uint32_t{});
  else
    for (std::size_t i = 0; i < size; ++i) to[i] = from[i];
  return to + size;
}

/// All parts, texts and single characters, in one piece.
template <class... Parts>
void put(std::string& out, const Parts&... parts) {
  auto size_of = [](const auto& part) -> std::size_t {
    if constexpr (std::is_same_v<std::decay_t<decltype(part)>, char>)
      return 1;
    else
      return part.size();
  };
  const std::size_t before = out.size(), all = before + (size_of(parts) + ...);
  out.resize_and_overwrite(all, [&](char* to, std::size_t) {
    char* p = to + before;
    auto add = [&p](const auto& part) {
      if constexpr (std::is_same_v<std::decay_t<decltype(part)>, char>) {
        *p++ = part;
      } else {
        p = copy(p, part);
      }
    };
    (add(parts), ...);
    return all;
  });
}
/// A new line of either kind with its blanks is a part of this.
constexpr std::string_view kLine = "\r\n                                                                ";
}  // namespace

XmlWriter::XmlWriter(Style style) : style_(style) {
  if (kLine.substr(0, 2).ends_with(style_.newline)) line_ = kLine.substr(2 - style_.newline.size());
  out_.reserve(style_.expected);
  if (style_.declaration) {
    out_ = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    out_ += style_.newline;
  }
}

/// What stands between here and the next tag of that depth: the end of the tag that is open, and a new line.
XmlWriter::Lead XmlWriter::lead(bool new_line) {
  Lead out;
  if (std::exchange(tag_open_, false)) out.end = ">";
  if (!new_line || !style_.indent) return out;
  const auto blanks = open_.size() * 2;
  if (auto size = style_.newline.size() + blanks; size <= line_.size()) {
    out.line = line_.substr(0, size);
  } else {
    put(out_, std::exchange(out.end, {}), style_.newline);
    out_.append(blanks, ' ');
  }
  return out;
}

XmlWriter& XmlWriter::open(std::string_view name) {
  auto l = lead(!open_.empty());
  put(out_, l.end, l.line, '<', name);
  open_.push_back({out_.size() - name.size(), name.size()});
  tag_open_ = true;
  has_children_ = false;
  return *this;
}

XmlWriter& XmlWriter::attribute(std::string_view name, std::string_view value) {
  SCHAKEL_ASSERT(tag_open_);
  if (plain(value)) {
    put(out_, ' ', name, '=', '"', value, '"');
    return *this;
  }
  put(out_, ' ', name, '=', '"');
  escape(value, true);
  out_ += '"';
  return *this;
}

XmlWriter& XmlWriter::text(std::string_view value) {
  put(out_, lead(false).end);
  escape(value, false);
  return *this;
}

XmlWriter& XmlWriter::close() {
  SCHAKEL_ASSERT(!open_.empty());
  auto name = open_.back();
  open_.pop_back();
  if (tag_open_) {
    out_ += "/>";
    tag_open_ = false;
  } else {
    auto l = lead(has_children_);
    // Room first: the name stands in out_ itself.
    if (auto all = out_.size() + l.line.size() + name.size + 3; all > out_.capacity()) out_.reserve(all);
    put(out_, l.line, '<', '/', std::string_view(out_).substr(name.at, name.size), '>');
  }
  has_children_ = true;
  return *this;
}

XmlWriter& XmlWriter::element(std::string_view name, std::string_view value) {
  if (!plain(value)) return open(name).text(value).close();
  // The same in one piece, for nearly all that is written.
  auto l = lead(!open_.empty());
  put(out_, l.end, l.line, '<', name, '>', value, '<', '/', name, '>');
  has_children_ = true;
  return *this;
}

XmlWriter& XmlWriter::element(std::string_view name, std::string_view attribute, std::string_view its_value,
                              std::string_view value) {
  if (!plain(its_value) || !plain(value)) return open(name).attribute(attribute, its_value).text(value).close();
  auto l = lead(!open_.empty());
  put(out_, l.end, l.line, '<', name, ' ', attribute, '=', '"', its_value, '"', '>', value, '<', '/', name, '>');
  has_children_ = true;
  return *this;
}

XmlWriter& XmlWriter::optional(std::string_view name, std::string_view value) {
  return value.empty() ? *this : element(name, value);
}

XmlWriter& XmlWriter::raw(std::string_view fragment) {
  auto l = lead(!open_.empty());
  put(out_, l.end, l.line, fragment);
  has_children_ = true;
  return *this;
}

void XmlWriter::escape(std::string_view value, bool in_attribute) {
  if (plain(value)) {
    out_ += value;
    return;
  }
  if (!valid_xml_text(value)) {
    bad_character_ = true;
    return;
  }
  for (char c : value) switch (c) {
      case '&':
        out_ += "&amp;";
        break;
      case '<':
        out_ += "&lt;";
        break;
      case '>':
        out_ += "&gt;";
        break;
      // A reader turns a bare carriage return into a line feed; the reference keeps it.
      case '\r':
        out_ += "&#13;";
        break;
      case '"':
        out_ += in_attribute ? "&quot;" : "\"";
        break;
      case '\n':
        out_ += in_attribute ? "&#10;" : "\n";
        break;
      case '\t':
        out_ += in_attribute ? "&#9;" : "\t";
        break;
      default:
        out_ += c;
    }
}

Result<std::string> XmlWriter::finish() && {
  SCHAKEL_ASSERT(open_.empty());
  if (bad_character_)
    return fail(ErrorKind::invalid, "XML_CHARACTER", "a text holds a character that XML cannot carry");
  if (style_.declaration) out_ += style_.newline;
  return std::move(out_);
}

}  // namespace schakel::formats
