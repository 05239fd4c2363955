// XML from outside, read without trust, and XML to outside, written deterministically.
// Every reader here is a pure function over bytes. Source of the limits: facturatie.md sections 1 and 3.1, trust.md
// OVL-4.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"

namespace schakel::formats {

struct XmlLimits {
  std::size_t bytes = 25 * 1024 * 1024;  ///< OP179
  int depth = 64;
  std::size_t nodes = 2'000'000;  ///< elements plus attributes; up to 32 bytes each
  int attributes_per_element = 64;
  bool refuse_bom = false;  ///< OP192 (iJw) forbids a byte order mark; UBL and SOAP tolerate it
};

class XmlDocument;

/// One element of a document, or none: a missing child is an empty handle whose text is empty and whose children are
/// none, so that a path of optional elements reads as one expression. Valid as long as its document. Copies are cheap.
class XmlElement {
 public:
  XmlElement() = default;
  explicit operator bool() const { return document_ != nullptr; }

  /// Namespace URI, never a prefix.
  [[nodiscard]] std::string_view ns() const;
  [[nodiscard]] std::string_view local() const;
  /// Character data directly in this element, entities resolved, comments left out, not trimmed. Empty when the element
  /// has child elements and only white space between them.
  [[nodiscard]] std::string_view text() const;
  [[nodiscard]] int line() const;
  [[nodiscard]] bool is(std::string_view ns, std::string_view local) const {
    return local == this->local() && ns == this->ns();
  }

  /// Elements of one document that share this number have the same name; it is below name_count(). For who looks at
  /// many elements and at each name once.
  [[nodiscard]] std::uint32_t name_id() const;
  [[nodiscard]] std::size_t name_count() const;

  [[nodiscard]] XmlElement parent() const;
  [[nodiscard]] XmlElement first_child() const;
  [[nodiscard]] XmlElement next_sibling() const;
  /// First child with that name, empty handle when there is none.
  [[nodiscard]] XmlElement child(std::string_view ns, std::string_view local) const;
  /// First child with that local name in the namespace of this element.
  [[nodiscard]] XmlElement child(std::string_view local) const { return child(ns(), local); }

  struct Attribute {
    std::string_view ns, local, value;
  };
  [[nodiscard]] std::vector<Attribute> attributes() const;
  [[nodiscard]] std::size_t attribute_count() const;
  [[nodiscard]] Attribute attribute_at(std::size_t index) const;
  /// nullopt when absent. `ns` is empty for an attribute without prefix.
  [[nodiscard]] std::optional<std::string_view> attribute(std::string_view local, std::string_view ns = {}) const;
  [[nodiscard]] bool has_attributes() const;

  /// "/Bericht/Header/BerichtCode" with [n] where a name repeats, then ":line". Holds names only, never content.
  [[nodiscard]] std::string path() const;

  /// for (XmlElement c : e.children())
  class Children {
   public:
    class Iterator;
    explicit Children(XmlElement const& first);
    [[nodiscard]] Iterator begin() const;
    [[nodiscard]] Iterator end() const;

   private:
    const XmlDocument* document_;
    std::uint32_t first_;
  };
  [[nodiscard]] Children children() const { return Children(first_child()); }

  bool operator==(const XmlElement&) const = default;

 private:
  friend class XmlDocument;
  XmlElement(const XmlDocument* document, std::uint32_t index) : document_(document), index_(index) {}
  [[nodiscard]] XmlElement at(std::uint32_t index) const;
  const XmlDocument* document_ = nullptr;
  std::uint32_t index_ = 0;
};

/// An immutable tree in four flat arrays: 32 bytes per element, 12 per attribute, and a copy of the document or its
/// texts.
/// Thread: any number of readers. Move only; handles follow the object, not its content, so do not move it while they
/// live.
class XmlDocument {
 public:
  XmlDocument(XmlDocument&&) = default;
  XmlDocument& operator=(XmlDocument&&) = default;
  [[nodiscard]] XmlElement root() const { return {this, 1}; }
  [[nodiscard]] std::size_t elements() const { return nodes_.size() - 1; }

 private:
  friend class XmlElement;
  friend class XmlBuilder;
  friend class XmlPlainReader;
  static constexpr std::uint32_t kNone = 0;
  /// Places in the arena.
  struct Name {
    std::uint32_t ns = 0, ns_size = 0, local = 0, local_size = 0;
  };
  /// In the order of the document: the first child of a node, where it has one, is the node behind it.
  struct Node {
    std::uint32_t name = 0, parent = kNone, next = kNone;
    std::uint32_t text = 0, text_size = 0, attribute = 0;
    std::uint32_t attributes : 31 = 0, has_child : 1 = 0;
    std::int32_t line = 0;
  };
  struct Attr {
    std::uint32_t name = 0, value = 0, value_size = 0;
  };
  XmlDocument() = default;
  [[nodiscard]] std::string_view view(std::uint32_t at, std::uint32_t size) const { return {arena_.data() + at, size}; }
  // Places come from the tree itself and are not checked again: an element is looked at many times.
  [[nodiscard]] const Node& node(std::uint32_t at) const { return nodes_.data()[at]; }
  [[nodiscard]] const Name& name(std::uint32_t at) const { return names_.data()[at]; }
  [[nodiscard]] const Attr& attribute(std::size_t at) const { return attributes_.data()[at]; }
  [[nodiscard]] std::uint32_t child_of(std::uint32_t at) const { return node(at).has_child ? at + 1 : kNone; }

  std::vector<Name> names_;
  std::vector<Node> nodes_;
  std::vector<Attr> attributes_;
  std::string arena_;
};

inline std::string_view XmlElement::ns() const {
  if (!document_) return {};
  const auto& name = document_->name(document_->node(index_).name);
  return document_->view(name.ns, name.ns_size);
}
inline std::string_view XmlElement::local() const {
  if (!document_) return {};
  const auto& name = document_->name(document_->node(index_).name);
  return document_->view(name.local, name.local_size);
}
inline std::string_view XmlElement::text() const {
  if (!document_) return {};
  const auto& n = document_->node(index_);
  return document_->view(n.text, n.text_size);
}
inline int XmlElement::line() const { return document_ ? document_->node(index_).line : 0; }
inline XmlElement XmlElement::at(std::uint32_t index) const {
  return index == XmlDocument::kNone ? XmlElement{} : XmlElement{document_, index};
}
inline XmlElement XmlElement::parent() const { return document_ ? at(document_->node(index_).parent) : *this; }
inline XmlElement XmlElement::first_child() const { return document_ ? at(document_->child_of(index_)) : *this; }
inline XmlElement XmlElement::next_sibling() const { return document_ ? at(document_->node(index_).next) : *this; }
inline bool XmlElement::has_attributes() const { return attribute_count() > 0; }
inline std::size_t XmlElement::attribute_count() const { return document_ ? document_->node(index_).attributes : 0U; }
inline XmlElement::Attribute XmlElement::attribute_at(std::size_t index) const {
  const auto& a = document_->attribute(document_->node(index_).attribute + index);
  const auto& name = document_->name(a.name);
  return {document_->view(name.ns, name.ns_size), document_->view(name.local, name.local_size),
          document_->view(a.value, a.value_size)};
}
inline std::uint32_t XmlElement::name_id() const { return document_ ? document_->node(index_).name : 0U; }
inline std::size_t XmlElement::name_count() const { return document_ ? document_->names_.size() : 0U; }

class XmlElement::Children::Iterator {
 public:
  Iterator(const XmlDocument* document, std::uint32_t at) : document_(document), at_(at) {}
  XmlElement operator*() const { return {document_, at_}; }
  Iterator& operator++() {
    at_ = document_->node(at_).next;
    return *this;
  }
  bool operator!=(const Iterator& o) const { return at_ != o.at_; }

 private:
  const XmlDocument* document_;
  std::uint32_t at_;
};
inline XmlElement::Children::Children(XmlElement const& first) : document_(first.document_), first_(first.index_) {}
inline XmlElement::Children::Iterator XmlElement::Children::begin() const { return {document_, first_}; }
inline XmlElement::Children::Iterator XmlElement::Children::end() const { return {document_, XmlDocument::kNone}; }

/// Reads one XML 1.0 document. Before any parser sees the bytes: XML_TOO_LARGE, XML_BOM, XML_ENCODING (anything but
/// UTF-8, by mark or by declaration), XML_UTF8, XML_DTD (any DOCTYPE or declaration of any kind, wherever it stands),
/// XML_ATTRIBUTES. While it is parsed: XML_SYNTAX, XML_NAMESPACE (undeclared prefix), XML_DEPTH, XML_NODES. No network,
/// no files, no entity but the five of XML itself. Errors carry the line, never content.
[[nodiscard]] Result<XmlDocument> read_xml(std::string_view bytes, const XmlLimits& limits = {});

/// The checks of read_xml that need no parser. For those who hand the bytes to another parser.
[[nodiscard]] Result<void> screen_xml(std::string_view bytes, const XmlLimits& limits = {});

/// Writes elements in the order they are given. The same calls give the same bytes.
/// Thread: one. Names are trusted (they are literals of the caller); texts are escaped.
class XmlWriter {
 public:
  struct Style {
    bool indent = true;               ///< one element per line; text-only elements stay on one line
    std::string_view newline = "\n";  ///< "\r\n" for iJw (OP192)
    bool declaration = true;
    std::size_t expected = 4096;  ///< bytes to make room for at once
  };
  XmlWriter() : XmlWriter(Style{}) {}
  explicit XmlWriter(Style style);

  XmlWriter& open(std::string_view name);
  /// After open and before anything else in that element.
  XmlWriter& attribute(std::string_view name, std::string_view value);
  XmlWriter& text(std::string_view value);
  XmlWriter& close();
  /// open, text, close.
  XmlWriter& element(std::string_view name, std::string_view value);
  /// open, attribute, text, close.
  XmlWriter& element(std::string_view name, std::string_view attribute, std::string_view its_value,
                     std::string_view value);
  /// Nothing when the value is empty: no format of ours allows an empty element (RS033, PEPPOL-EN16931-R008).
  XmlWriter& optional(std::string_view name, std::string_view value);
  /// Puts a finished fragment in place, unescaped: only for what another XmlWriter made without declaration.
  XmlWriter& raw(std::string_view fragment);

  /// The document. XML_CHARACTER when a text held a character that XML 1.0 cannot carry or was not UTF-8.
  [[nodiscard]] Result<std::string> finish() &&;

 private:
  struct Lead {
    std::string_view end, line;
  };
  Lead lead(bool new_line);
  void escape(std::string_view value, bool in_attribute);
  Style style_;
  std::string_view line_;  ///< a new line and its blanks, for as deep as nearly all is
  std::string out_;
  /// Where the names of the open elements stand in out_.
  struct Opened {
    std::size_t at = 0, size = 0;
  };
  std::vector<Opened> open_;
  bool tag_open_ = false;
  bool has_children_ = false;
  bool bad_character_ = false;
};

/// True for UTF-8 without overlong forms and surrogates whose every character XML 1.0 allows.
[[nodiscard]] bool valid_xml_text(std::string_view text);

}  // namespace schakel::formats
