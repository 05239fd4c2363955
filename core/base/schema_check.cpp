#include "core/base/schema_check.hpp"

#include <fmt/format.h>

#include <array>

// Without this it ends the process on a broken schema.
#define VALIJSON_USE_EXCEPTIONS 1
// The headers are not written for our warnings.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Weverything"
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#pragma clang diagnostic pop

namespace schakel {
namespace {

constexpr std::int64_t kPatternChars = 1024;
constexpr std::size_t kPatternBytes = 4 * kPatternChars;  // UTF-8 takes at most four a character
constexpr std::size_t kKeyBytes = 256;

/// Puts the length bound beside each pattern and format, and refuses what cannot be bounded. `data` positions (enum,
/// const, default, examples) are not schemas and are left alone.
bool bound(Json& schema) {
  if (schema.is_array()) {
    for (auto& item : schema)
      if (!bound(item)) return false;
    return true;
  }
  if (!schema.is_object()) return true;
  if (schema.contains("patternProperties")) return false;
  auto is_text = [&](const char* key) { return schema.contains(key) && schema[key].is_string(); };
  if (is_text("pattern") || is_text("format")) {
    auto& limit = schema["maxLength"];
    if (!limit.is_number_integer() || limit.get<std::int64_t>() > kPatternChars) limit = kPatternChars;
  }
  for (auto& [key, value] : schema.items()) {
    if (key == "enum" || key == "const" || key == "default" || key == "examples") continue;
    if (key == "properties" || key == "$defs" || key == "definitions") {
      for (auto& [name, sub] : value.items())
        if (!bound(sub)) return false;
      continue;
    }
    if (!bound(value)) return false;
  }
  return true;
}

void without_patterns(Json& schema) {
  if (schema.is_object()) {
    for (const char* key : {"pattern", "format"})
      if (schema.contains(key) && schema[key].is_string()) schema.erase(key);
  }
  if (schema.is_structured())
    for (auto& item : schema) without_patterns(item);
}

bool long_key(const Json& value) {
  if (value.is_object())
    for (const auto& [key, item] : value.items())
      if (key.size() > kKeyBytes || long_key(item)) return true;
  if (value.is_array())
    for (const auto& item : value)
      if (long_key(item)) return true;
  return false;
}

/// True when something was cut.
bool cut_strings(Json& value) {
  bool cut = false;
  if (value.is_string()) {
    auto& text = value.get_ref<std::string&>();
    if (text.size() > kPatternBytes) {
      text.resize(kPatternBytes);
      cut = true;
    }
  } else if (value.is_structured()) {
    for (auto& item : value) cut |= cut_strings(item);
  }
  return cut;
}

bool has_long_string(const Json& value) {
  if (value.is_string()) return value.get_ref<const std::string&>().size() > kPatternBytes;
  if (value.is_structured())
    for (const auto& item : value)
      if (has_long_string(item)) return true;
  return false;
}

struct Phrase {
  std::string_view starts, code, message;
  bool cascade = false;  ///< repeats what a finding further down says
};
constexpr std::array kPhrases{
    Phrase{"Value type not permitted", "SCHEMA_TYPE", "has another type than the schema asks"},
    Phrase{"Missing required property", "SCHEMA_REQUIRED", "is required"},
    Phrase{"Missing dependency", "SCHEMA_REQUIRED", "is required beside another property"},
    Phrase{"Object contains a property", "SCHEMA_UNKNOWN_PROPERTY", "is not a known property"},
    Phrase{"Failed to match regex", "SCHEMA_PATTERN", "does not have the form that the pattern asks"},
    Phrase{"Failed to match against any enum", "SCHEMA_ENUM", "is not one of the listed values"},
    Phrase{"Failed to match expected value set by 'const'", "SCHEMA_ENUM", "is not the one allowed value"},
    Phrase{"Target value and comparison", "SCHEMA_ENUM", "is not the one allowed value"},
    Phrase{"Expected number", "SCHEMA_RANGE", "is outside the allowed range"},
    Phrase{"Value should be a multiple", "SCHEMA_RANGE", "is not a multiple of the step"},
    Phrase{"Value could not be converted", "SCHEMA_RANGE", "is not a multiple of the step"},
    Phrase{"String should be a valid", "SCHEMA_FORMAT", "is not a valid date, time or date-time"},
    Phrase{"String should be", "SCHEMA_LENGTH", "is too long or too short"},
    Phrase{"Array should contain", "SCHEMA_LENGTH", "has too many or too few items"},
    Phrase{"Array contains more items", "SCHEMA_LENGTH", "has too many items"},
    Phrase{"Object should have", "SCHEMA_LENGTH", "has too many or too few properties"},
    Phrase{"Elements at indexes", "SCHEMA_OTHER", "has the same item twice"},
    Phrase{"Failed to any values against subschema in 'contains'", "SCHEMA_OTHER", "lacks an item that must be there"},
    Phrase{"Failed to validate against any schemas allowed by anyOf", "SCHEMA_ONE_OF",
           "fits none of the allowed forms"},
    Phrase{"Failed to validate against any child schemas", "SCHEMA_ONE_OF", "fits none of the allowed forms"},
    Phrase{"Failed to validate against exactly one", "SCHEMA_ONE_OF", "fits more than one of the allowed forms"},
    Phrase{"Failed to validate against a conditional", "SCHEMA_ONE_OF", "does not fit what its other properties ask"},
    Phrase{"Target should not validate", "SCHEMA_ONE_OF", "has a form that is not allowed"},
    Phrase{"Failed to validate", "SCHEMA_OTHER", "does not fit the schema", true},
    Phrase{"Cannot validate item", "SCHEMA_LENGTH", "has too many items"},
};

std::string escaped(std::string_view token) {
  std::string out;
  for (char c : token) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

std::string pointer_of(const std::vector<std::string>& context) {
  std::string out;
  for (std::size_t i = 1; i < context.size(); ++i) {
    std::string_view token = context[i];
    if (token.size() >= 2 && token.front() == '[' && token.back() == ']') token = token.substr(1, token.size() - 2);
    out += '/' + escaped(token);
  }
  return out;
}

/// The property name a message quotes, as it is.
std::string raw_name(const std::string& description) {
  auto from = description.find('\'');
  auto to = description.rfind('\'');
  // "... using 'properties' or 'additionalProperties' constraints: 'name'."
  if (to != std::string::npos && to > 0) from = description.rfind('\'', to - 1);
  if (from == std::string::npos || to <= from + 1) return {};
  return description.substr(from + 1, to - from - 1);
}

/// The same, if it looks like a name that a schema author would give: a key can hold personal data.
std::string quoted_name(const std::string& description) {
  auto name = raw_name(description);
  if (name.empty()) return {};
  bool plain = name.size() <= 64 && !std::isdigit(static_cast<unsigned char>(name.front()));
  for (char c : name)
    plain = plain && (std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '$');
  return plain ? name : std::string{};
}

std::vector<Finding> run_once(const valijson::Schema& schema, const Json& value,
                              std::vector<std::pair<std::string, std::string>>& unknown) {
  // Its cache of compiled patterns is keyed by pattern text, which only schemas supply.
  static thread_local valijson::Validator validator(valijson::Validator::kStrongTypes);
  valijson::ValidationResults results;
  valijson::adapters::NlohmannJsonAdapter target(value);
  if (validator.validate(schema, target, &results)) return {};
  std::vector<Finding> out, cascades;
  for (const auto& error : results) {
    Finding finding{pointer_of(error.context), "SCHEMA_OTHER", "does not fit the schema", ""};
    for (const auto& phrase : kPhrases) {
      if (!error.description.starts_with(phrase.starts)) continue;
      finding.code = phrase.code;
      finding.message = phrase.message;
      if (phrase.code == "SCHEMA_REQUIRED" || phrase.code == "SCHEMA_UNKNOWN_PROPERTY") {
        if (phrase.code == "SCHEMA_UNKNOWN_PROPERTY")
          unknown.emplace_back(finding.pointer, raw_name(error.description));
        if (auto name = quoted_name(error.description); !name.empty()) finding.pointer += '/' + escaped(name);
      }
      auto& list = phrase.cascade ? cascades : out;
      if (std::find(list.begin(), list.end(), finding) == list.end()) list.push_back(finding);
      break;
    }
  }
  if (out.empty()) out = std::move(cascades);
  if (out.empty()) out.push_back({"", "SCHEMA_OTHER", "does not fit the schema", ""});
  return out;
}

/// valijson names the first unknown property of an object only. So those it named are taken out and the rest is asked
/// again, for further unknown properties alone: what else is wrong was said the first time.
std::vector<Finding> run(const valijson::Schema& schema, const Json& value) {
  constexpr int kRounds = 50;
  std::vector<std::pair<std::string, std::string>> unknown;
  auto out = run_once(schema, value, unknown);
  if (unknown.empty()) return out;
  Json rest = value;
  for (int round = 0; round < kRounds && !unknown.empty(); ++round) {
    std::size_t taken = 0;
    for (const auto& [pointer, name] : unknown) {
      Json::json_pointer at(pointer);
      if (rest.contains(at) && rest[at].is_object()) taken += rest[at].erase(name);
    }
    if (taken == 0) break;
    unknown.clear();
    for (auto& finding : run_once(schema, rest, unknown))
      if (finding.code == "SCHEMA_UNKNOWN_PROPERTY" && std::find(out.begin(), out.end(), finding) == out.end())
        out.push_back(std::move(finding));
  }
  return out;
}

}  // namespace

struct SchemaCheck::Compiled {
  valijson::Schema full, lengths_only;
};

Result<SchemaCheck> SchemaCheck::compile(const Json& schema) {
  auto refuse = [](std::string message) { return fail(ErrorKind::invalid, "SCHEMA_INVALID", std::move(message)); };
  if (!schema.is_object()) return refuse("a schema is a JSON object");
  Json bounded = schema;
  if (!bound(bounded)) return refuse("patternProperties is not supported");
  auto compiled = std::make_shared<Compiled>();
  try {
    auto fill = [](const Json& text, valijson::Schema& into) {
      valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
      valijson::adapters::NlohmannJsonAdapter adapter(text);
      parser.populateSchema(adapter, into);
    };
    fill(bounded, compiled->full);
    Json lengths = bounded;
    without_patterns(lengths);
    fill(lengths, compiled->lengths_only);
    // A broken pattern shows only when it is first used; find it now.
    std::vector<const Json*> open{&bounded};
    while (!open.empty()) {
      const Json* at = open.back();
      open.pop_back();
      if (at->is_object() && at->contains("pattern") && (*at)["pattern"].is_string())
        (void)std::regex((*at)["pattern"].get<std::string>());
      if (at->is_structured())
        for (const auto& item : *at) open.push_back(&item);
    }
  } catch (const std::exception& e) {
    return refuse(fmt::format("not a usable JSON Schema: {}", e.what()));
  }
  return SchemaCheck(std::move(compiled));
}

std::vector<Finding> SchemaCheck::findings(const Json& value) const {
  if (long_key(value))
    return {{"", "SCHEMA_KEY_TOO_LONG", fmt::format("an object has a key longer than {} bytes", kKeyBytes), ""}};
  if (!has_long_string(value)) return run(compiled_->full, value);
  // A long string breaks the length that goes with any pattern; everything else is judged on the cut copy.
  auto out = run(compiled_->lengths_only, value);
  Json cut = value;
  cut_strings(cut);
  for (auto& finding : run(compiled_->full, cut)) {
    if (finding.code != "SCHEMA_PATTERN" && finding.code != "SCHEMA_FORMAT") continue;
    if (std::find(out.begin(), out.end(), finding) == out.end()) out.push_back(std::move(finding));
  }
  return out;
}

std::vector<Finding> check_schema(const Json& schema, const Json& value) {
  auto compiled = SchemaCheck::compile(schema);
  if (!compiled) return {{"", compiled.error().code, compiled.error().message, ""}};
  return compiled->findings(value);
}

}  // namespace schakel
