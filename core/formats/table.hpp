// A format as a table, and the checker that holds a document against it and reports everything at once.
// Design: "Each inbound format has its own declarative table (elements in order, how often, type, length, code list,
// source)".
#pragma once
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "core/formats/xml.hpp"

namespace schakel::formats {

enum class ValueKind { text, integer, decimal, date, boolean, date_time };

/// What a text-only element may hold. All given limits apply together.
struct TypeRule {
  std::string_view name;  ///< of the standard, for people: "LDT_AgbCode"
  ValueKind kind = ValueKind::text;
  std::size_t min_length = 0, max_length = std::numeric_limits<std::size_t>::max();  ///< characters of text
  std::int64_t min = std::numeric_limits<std::int64_t>::min(), max = std::numeric_limits<std::int64_t>::max();
  bool (*matches)(std::string_view) = nullptr;  ///< stands for the pattern of the standard
  std::span<const std::string_view> codes{};    ///< closed list when not empty
};

struct AttributeRule {
  std::string_view name;
  bool required = false;
  std::span<const std::string_view> codes{};
};

inline constexpr unsigned kUnbounded = std::numeric_limits<unsigned>::max();

/// One element: either `type` or `children`, never both.
struct ElementRule {
  std::string_view ns;
  std::string_view name;
  unsigned min = 1, max = 1;
  const TypeRule* type = nullptr;
  std::span<const ElementRule> children{};
  std::span<const AttributeRule> attributes{};
  std::string_view rule{};  ///< rule id or section of the standard, copied to the finding
  /// Elements that the table does not know are passed over in any place. For formats of which we read a part (UBL).
  bool open = false;
  /// With `open`: does the format have this child in that element? What it does not have is XML_ELEMENT_UNKNOWN at any
  /// depth. Null: anything may stand there.
  bool (*knows)(const XmlElement& parent, const XmlElement& child) = nullptr;
};

/// Holds `element` against `rule`. Codes: XML_ELEMENT_UNKNOWN, XML_ELEMENT_ORDER, XML_ELEMENT_MISSING,
/// XML_ELEMENT_REPEATED, XML_ELEMENT_EMPTY, XML_TEXT_UNEXPECTED, XML_ATTRIBUTE_UNKNOWN, XML_ATTRIBUTE_MISSING,
/// XML_VALUE_TYPE, XML_VALUE_LENGTH, XML_VALUE_RANGE, XML_VALUE_PATTERN, XML_VALUE_CODE. In document order; ends with
/// FINDINGS_TRUNCATED after `max_findings`. Pointers are XmlElement::path(); no finding carries a value. Pure.
[[nodiscard]] std::vector<Finding> check_table(const XmlElement& element, const ElementRule& rule,
                                               std::size_t max_findings = 200);

/// Schemas of an operator (setting `formats.xsd_dir`), checked by libxml2. We ship none.
/// Thread: any; a check is independent of others. Loading reads files below the given path, never the network.
class XsdSchema {
 public:
  /// XSD_UNAVAILABLE when the file is not there, XSD_INVALID when libxml2 cannot compile it.
  [[nodiscard]] static Result<XsdSchema> load(const std::string& path);
  /// The bytes are screened first (screen_xml); then one finding XML_SCHEMA per libxml2 error, with its line.
  [[nodiscard]] Result<std::vector<Finding>> check(std::string_view bytes, const XmlLimits& limits = {}) const;

  XsdSchema(XsdSchema&& o) noexcept;
  XsdSchema& operator=(XsdSchema&&) = delete;
  ~XsdSchema();

 private:
  explicit XsdSchema(void* schema) : schema_(schema) {}
  void* schema_;
};

}  // namespace schakel::formats
