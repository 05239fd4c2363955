#include <algorithm>
#include <array>
#include <cstring>

#include "core/base/assert.hpp"
#include "core/formats/xml.hpp"

namespace schakel::formats {
namespace {
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> t{};
  for (unsigned char c = 0x20; c < 0x7f; ++c) t[c] = c != '&' && c != '<' && c != '>' && c != '"';
  return t;
}();
/// ASCII that needs no escape, which most texts are.
bool plain(std::string_view value) {
  return std::ranges::all_of(value, [](char c) { return kPlain[static_cast<unsigned char>(c)]; });
}
}  // namespace

XmlWriter::XmlWriter(Style style) : style_(style) {
  out_.reserve(4096);
  if (style_.declaration) {
    out_ = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    out_ += style_.newline;
  }
}

void XmlWriter::begin_content(bool is_element) {
  if (tag_open_) out_ += '>';
  tag_open_ = false;
  if (is_element && style_.indent && !open_.empty()) new_line();
}

void XmlWriter::new_line() {
  auto at = out_.size(), blanks = open_.size() * 2, all = at + style_.newline.size() + blanks;
  out_.resize_and_overwrite(all, [&](char* to, std::size_t) {
    std::memcpy(to + at, style_.newline.data(), style_.newline.size());
    std::memset(to + at + style_.newline.size(), ' ', blanks);
    return all;
  });
}

XmlWriter& XmlWriter::open(std::string_view name) {
  begin_content(true);
  out_ += '<';
  open_.push_back({out_.size(), name.size()});
  out_ += name;
  tag_open_ = true;
  has_children_ = false;
  return *this;
}

XmlWriter& XmlWriter::attribute(std::string_view name, std::string_view value) {
  SCHAKEL_ASSERT(tag_open_);
  out_ += ' ';
  out_ += name;
  out_ += "=\"";
  escape(value, true);
  out_ += '"';
  return *this;
}

XmlWriter& XmlWriter::text(std::string_view value) {
  begin_content(false);
  escape(value, false);
  return *this;
}

XmlWriter& XmlWriter::close() {
  SCHAKEL_ASSERT(!open_.empty());
  auto name = open_.back();
  open_.pop_back();
  if (tag_open_) {
    out_ += "/>";
  } else {
    if (style_.indent && has_children_) new_line();
    out_ += "</";
    out_.append(out_, name.at, name.size);
    out_ += '>';
  }
  tag_open_ = false;
  has_children_ = true;
  return *this;
}

XmlWriter& XmlWriter::element(std::string_view name, std::string_view value) {
  if (!plain(value)) return open(name).text(value).close();
  // The same in one piece, for nearly all that is written.
  begin_content(true);
  auto at = out_.size(), size = 2 * name.size() + value.size() + 5;
  out_.resize_and_overwrite(at + size, [&](char* to, std::size_t) {
    char* p = to + at;
    auto put = [&p](std::string_view part) {
      std::memcpy(p, part.data(), part.size());
      p += part.size();
    };
    *p++ = '<';
    put(name);
    *p++ = '>';
    put(value);
    *p++ = '<';
    *p++ = '/';
    put(name);
    *p = '>';
    return at + size;
  });
  has_children_ = true;
  return *this;
}

XmlWriter& XmlWriter::optional(std::string_view name, std::string_view value) {
  return value.empty() ? *this : element(name, value);
}

XmlWriter& XmlWriter::raw(std::string_view fragment) {
  begin_content(true);
  out_ += fragment;
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
