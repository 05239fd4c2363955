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
    std::uint32_t at = 0, size = 0;  ///< in the arena
  };
  struct Bound {
    std::string_view prefix;
    std::uint32_t uri = 0;
  };
  struct Open {
    std::string_view name;
    std::uint32_t node = 0, last_child = 0;
    std::size_t scope = 0;  ///< size of scope_ outside of it
  };

  struct Attribute {
    Qualified name;
    std::string_view value;
  };
  /// The element that came after another one, and under which bindings.
  struct Followed {
    std::string_view whole;
    std::uint32_t name = 0, bindings = 0;
  };
  /// The first attribute that an element of this name had last time, as it is written: ` currencyID="`.
  struct Led {
    std::string_view whole;
    std::uint32_t name = 0, bindings = 0;
  };
  static constexpr std::size_t kMostNames = 256, kMostGuessed = 128, kMostAttributes = 16, kMostUris = 64;

  bool blanks();
  bool take(char c);
  bool qualified(Qualified& out);
  [[nodiscard]] std::optional<std::uint32_t> bound(std::string_view prefix) const;
  bool declare(std::string_view prefix, std::string_view uri, std::size_t scope_before);
  Place keep(std::string_view text);
  bool intern(const Qualified& name, std::uint32_t uri, std::uint32_t& out);
  bool start();
  Followed& guess();
  bool usual_tag(XmlDocument::Node& node, std::string_view& name);
  bool begin(XmlDocument::Node node, std::string_view name, std::size_t scope_before, bool empty);
  bool content();
  void leave(std::size_t scope);
  bool store(XmlDocument::Node& node, std::string_view text, bool as_is);

  const XmlLimits& limits_;
  const char *at_, *end_;
  XmlDocument document_;
  std::vector<Open> open_;
  std::vector<Bound> scope_;
  std::vector<Place> uris_;
  std::array<std::uint16_t, 1024> slots_{};            ///< index into names_ plus one, by hash
  std::array<Followed, 256> followed_{};               ///< by the name before and the depth
  std::array<Led, kMostGuessed> led_{};                ///< by the name
  std::array<Attribute, kMostAttributes> attributes_;  ///< of the tag that is read
  std::uint32_t last_name_ = 0, bindings_ = 1;         ///< bindings_ counts the changes of scope_
  std::int32_t line_ = 1;
};

/// What read_xml does when XmlPlainReader gives up; for tests that hold the two against each other.
[[nodiscard]] Result<XmlDocument> read_xml_with_libxml(std::string_view bytes, const XmlLimits& limits = {});

}  // namespace schakel::formats
