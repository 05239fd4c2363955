#include <algorithm>
#include <array>

#include "core/base/assert.hpp"
#include "core/formats/xml.hpp"

namespace schakel::formats {
namespace {
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> t{};
  for (unsigned char c = 0x20; c < 0x7f; ++c) t[c] = c != '&' && c != '<' && c != '>' && c != '"';
  return t;
}();
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
  if (is_element && style_.indent && !open_.empty()) {
    out_ += style_.newline;
    out_.append(open_.size() * 2, ' ');
  }
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
    if (style_.indent && has_children_) {
      out_ += style_.newline;
      out_.append(open_.size() * 2, ' ');
    }
    out_ += "</";
    out_.append(out_, name.at, name.size);
    out_ += '>';
  }
  tag_open_ = false;
  has_children_ = true;
  return *this;
}

XmlWriter& XmlWriter::element(std::string_view name, std::string_view value) { return open(name).text(value).close(); }

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
  // Most texts are plain ASCII that needs no escape.
  auto plain = [](char c) { return kPlain[static_cast<unsigned char>(c)]; };
  auto first = static_cast<std::size_t>(std::ranges::find_if_not(value, plain) - value.begin());
  if (first == value.size()) {
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
