// JSON Schema (draft-07 vocabulary; `$defs` works by pointer) behind a facade: valijson stays inside the .cpp.
#pragma once
#include <memory>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/json.hpp"

namespace schakel {

/// A compiled schema. Thread: any, several at once. Cheap to copy.
///
/// Patterns run on std::regex, which recurses once per character, so a long string could end the process. Therefore
/// every `pattern` or `format` counts as having `maxLength` 1024 unless the schema says less, and `patternProperties`
/// is refused.
class SchemaCheck {
 public:
  /// SCHEMA_INVALID when it is no schema: unknown reference, broken pattern, remote $ref, patternProperties.
  [[nodiscard]] static Result<SchemaCheck> compile(const Json& schema);

  /// Everything that is wrong, in document order; empty when the value is acceptable. `pointer` is a JSON pointer into
  /// `value`; `code` is one of SCHEMA_TYPE, SCHEMA_REQUIRED, SCHEMA_UNKNOWN_PROPERTY, SCHEMA_PATTERN, SCHEMA_ENUM,
  /// SCHEMA_RANGE, SCHEMA_LENGTH, SCHEMA_FORMAT, SCHEMA_ONE_OF, SCHEMA_KEY_TOO_LONG, SCHEMA_OTHER. Never carries a
  /// value of the input.
  [[nodiscard]] std::vector<Finding> findings(const Json& value) const;

 private:
  struct Compiled;
  explicit SchemaCheck(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const Compiled> compiled_;
};

/// For a single use; a schema that does not compile is one finding with code SCHEMA_INVALID and an empty pointer.
[[nodiscard]] std::vector<Finding> check_schema(const Json& schema, const Json& value);

}  // namespace schakel
