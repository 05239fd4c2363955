// Internal to read_xml: XML as programs write it, in one pass over the bytes.
#pragma once
#include <array>

#include "core/formats/xml.hpp"

namespace schakel::formats {

/// Reads elements with ASCII names, attributes without references, the five entities, and text in leaves only. On
/// anything else (comments, CDATA, processing instructions, character references, mixed content, other declarations,
/// any error) it gives up and libxml2 judges: what this class accepts, libxml2 reads as the same tree, lines included
/// (tests/unit/formats/xml_plain_test.cpp and xml_fuzz hold the two against each other). Bytes must be valid_xml_text.
class XmlPlainReader {
 public:
  XmlPlainReader(std::string_view bytes, const XmlLimits& limits);
  /// nullopt: not plain, or over a limit.
  [[nodiscard]] std::optional<XmlDocument> run();

 private:
  struct Qualified {
    std::string_view whole, prefix, local;
    std::uint32_t hash = 0;
  };
  struct Place {
    std::uint32_t at = 0, size = 0;  ///< in the document, and in the arena that is its copy
  };
  struct Bound {
    std::string_view prefix;
    std::uint32_t uri = 0;
  };
  struct Open {
    std::string_view name;
    std::uint32_t node = 0;
    std::uint32_t scope = 0;  ///< size of scope_ outside of it
  };

  struct Attribute {
    Qualified name;
    std::string_view value;
  };
  /// What stood behind another tag last time, from there to the end of the next start tag, or to the value of its only
  /// attribute: `\n  <cbc:ID>`, `\n  <cbc:Amount currencyID="`.
  struct Usual {
    std::uint32_t at = 0, bindings = 0;     ///< where it stood, and under which bindings
    std::uint16_t name = 0, attribute = 0;  ///< numbers of their names
    std::uint8_t size = 0, lines = 0, name_at = 0, name_size = 0;
    bool has_attribute = false;
  };
  /// A start tag that was read.
  struct Tag {
    std::string_view whole;
    std::uint32_t name = 0, attributes = 0;  ///< the last ones of the document are its own
    bool empty = false;
  };
  static constexpr std::size_t kMostNames = 256, kMostUsual = 64, kLongestUsual = 200, kMostAttributes = 16,
                               kMostUris = 64;

  bool blanks();
  bool take(char c);
  bool qualified(Qualified& out);
  [[nodiscard]] std::optional<std::uint32_t> bound(std::string_view prefix) const;
  bool declare(std::string_view prefix, std::string_view uri, std::size_t scope_before);
  [[nodiscard]] Place place(std::string_view part) const;
  bool intern(const Qualified& name, std::uint32_t uri, std::uint32_t& out);
  bool start(const char* from, std::int32_t line);
  Usual* usual();
  [[gnu::always_inline]] bool usual_tag(Tag& tag);
  bool begin(const Tag& tag, std::size_t scope_before);
  [[gnu::always_inline]] bool leaf(std::string_view name);
  bool content();
  bool end();
  void leave(std::size_t scope);
  bool unescape(std::string_view text, Place& kept);
  bool store(std::string_view text);

  const XmlLimits& limits_;
  const char *begin_, *at_, *end_;
  std::int32_t line_ = 1;
  bool returns_ = false, references_ = false;  ///< the document has \r, has &
  XmlDocument document_;
  std::vector<Open> open_;
  std::vector<Bound> scope_;
  std::vector<Place> uris_;
  std::array<std::uint16_t, 512> slots_{};                ///< index into names_ plus one, by hash
  std::array<std::array<Usual, 4>, kMostUsual> usual_{};  ///< by the name before, and the depth
  std::array<Attribute, kMostAttributes> attributes_;     ///< of the tag that is read
  std::uint32_t last_name_ = 0, bindings_ = 1;            ///< bindings_ counts the changes of scope_
  std::uint32_t closed_ = 0;                              ///< the element that ended here, 0 right behind a start tag
};

/// What read_xml does when XmlPlainReader gives up; for tests that hold the two against each other.
[[nodiscard]] Result<XmlDocument> read_xml_with_libxml(std::string_view bytes, const XmlLimits& limits = {});

}  // namespace schakel::formats
