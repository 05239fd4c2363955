// JSON as one type, and the strict reader for bytes from outside.
#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "core/base/error.hpp"

namespace schakel {

/// Object keys are sorted, so that dump() of equal values is byte-identical.
using Json = nlohmann::json;

struct JsonLimits {
  std::size_t bytes = 64 * 1024;
  int depth = 32;
  std::size_t string_bytes = 1024 * 1024;
};

/// Reads exactly one JSON value. Refuses, with one stable code each: JSON_TOO_LARGE, JSON_SYNTAX, JSON_DEPTH,
/// JSON_DUPLICATE_KEY, JSON_UTF8 (invalid UTF-8 or an unpaired surrogate), JSON_STRING_TOO_LONG, JSON_NUMBER (not
/// finite, or an integer outside 64 bit). Error texts carry the byte offset, never the content. Pure; source: trust.md
/// OVL-4.
[[nodiscard]] Result<Json> parse_json(std::string_view text, const JsonLimits& limits = {});

/// Compact text with sorted keys; `value` holds valid UTF-8 (everything from parse_json does).
[[nodiscard]] std::string dump_json(const Json& value);

}  // namespace schakel

/// nlohmann 3.11 has no std::optional: absent and null both read as nullopt, nullopt writes null.
template <class T>
struct nlohmann::adl_serializer<std::optional<T>> {
  static void to_json(json& j, const std::optional<T>& v) {
    if (v)
      j = *v;
    else
      j = nullptr;
  }
  static void from_json(const json& j, std::optional<T>& v) {
    if (j.is_null())
      v.reset();
    else
      v = j.template get<T>();
  }
};
