#include "core/base/schema_check.hpp"

#include <gtest/gtest.h>

namespace schakel {
namespace {

Json schema() {
  return Json::parse(R"({
    "type": "object", "required": ["naam", "lijst"], "additionalProperties": false,
    "properties": {
      "naam": {"type": "string", "pattern": "^[a-z]+$"},
      "lijst": {"type": "array", "maxItems": 3, "items": {"$ref": "#/$defs/post"}},
      "soort": {"enum": ["a", "b"]}, "datum": {"type": "string", "format": "date"}, "a/b~c": {"type": "integer"},
      "lang": {"type": "string"}
    },
    "$defs": {"post": {"type": "object", "required": ["cents"], "properties": {"cents": {"type": "integer", "minimum": 0}}}}
  })");
}

std::set<std::string> codes_at(const Json& value) {
  std::set<std::string> out;
  for (const auto& f : check_schema(schema(), value)) out.insert(f.pointer + ' ' + f.code);
  return out;
}

TEST(SchemaCheck, GoodValueHasNoFinding) {
  EXPECT_TRUE(
      codes_at({{"naam", "abc"}, {"lijst", Json::array({{{"cents", 1}}})}, {"soort", "a"}, {"datum", "2026-11-02"}})
          .empty());
}

TEST(SchemaCheck, EveryUnknownPropertyIsNamedAndOneThatLooksLikeDataIsNot) {
  Json value{{"naam", "abc"},    {"lijst", Json::array()}, {"vreemd", 1}, {"vreemder", {{"diep", 1}}},
             {"999990019", "x"}, {"Jan de Vries", 1}};
  EXPECT_EQ(codes_at(value), (std::set<std::string>{"/vreemd SCHEMA_UNKNOWN_PROPERTY",
                                                    "/vreemder SCHEMA_UNKNOWN_PROPERTY", " SCHEMA_UNKNOWN_PROPERTY"}));
  Json many{{"naam", "abc"}, {"lijst", Json::array()}};
  for (int i = 0; i < 2000; ++i) many["x" + std::to_string(i)] = i;
  auto findings = check_schema(schema(), many);
  EXPECT_GE(findings.size(), 50U) << "bounded, but many";
  EXPECT_LE(findings.size(), 60U);
}

TEST(SchemaCheck, AllFindingsAtOnceWithPointers) {
  auto got = codes_at({{"naam", "ABC"},
                       {"lijst", Json::array({{{"cents", -1}}, {{"cents", "x"}}, Json::object()})},
                       {"soort", "c"},
                       {"a/b~c", "x"},
                       {"vreemd", 1}});
  for (const char* want : {"/naam SCHEMA_PATTERN", "/lijst/0/cents SCHEMA_RANGE", "/lijst/1/cents SCHEMA_TYPE",
                           "/lijst/2/cents SCHEMA_REQUIRED", "/soort SCHEMA_ENUM", "/a~1b~0c SCHEMA_TYPE",
                           "/vreemd SCHEMA_UNKNOWN_PROPERTY"})
    EXPECT_TRUE(got.contains(want)) << want;
}

TEST(SchemaCheck, FindingsNeverCarryTheValue) {
  for (const auto& f :
       check_schema(schema(), {{"naam", "JANSEN"}, {"lijst", 999990019}, {"999990019", "x"}, {"Jan Jansen", 1}})) {
    std::string all = f.pointer + f.code + f.message;
    EXPECT_EQ(all.find("JANSEN"), std::string::npos);
    EXPECT_EQ(all.find("999990019"), std::string::npos);
    EXPECT_EQ(all.find("Jan"), std::string::npos);
  }
}

TEST(SchemaCheck, LongStringUnderAPatternIsRefusedWithoutRunningIt) {
  // std::regex would overflow the stack on this.
  auto got = codes_at(
      {{"naam", std::string(4'000'000, 'a')}, {"lijst", Json::array()}, {"datum", std::string(1'000'000, '1')}});
  EXPECT_TRUE(got.contains("/naam SCHEMA_LENGTH"));
  EXPECT_TRUE(got.contains("/datum SCHEMA_LENGTH"));
  EXPECT_TRUE(codes_at({{"naam", "a"}, {"lijst", Json::array()}, {"lang", std::string(1'000'000, 'x')}}).empty());
}

TEST(SchemaCheck, PatternFindingsStandBesideALongString) {
  auto got = codes_at({{"naam", "ABC"}, {"lijst", Json::array()}, {"lang", std::string(1'000'000, 'x')}});
  EXPECT_TRUE(got.contains("/naam SCHEMA_PATTERN"));
}

TEST(SchemaCheck, UnusableSchemasAreRefusedAtOnce) {
  for (const char* bad : {R"([])", R"("x")", R"({"properties":{"a":{"$ref":"#/$defs/nergens"}}})",
                          R"({"properties":{"a":{"pattern":"("}}})", R"({"patternProperties":{"^a":{}}})",
                          R"({"properties":{"a":{"$ref":"https://example.nl/schema.json"}}})", R"({"type":7})"}) {
    auto made = SchemaCheck::compile(Json::parse(bad));
    EXPECT_FALSE(made) << bad;
    if (!made) EXPECT_EQ(made.error().code, "SCHEMA_INVALID");
  }
}

TEST(SchemaCheck, LongKeysAreRefused) {
  EXPECT_TRUE(codes_at({{std::string(10'000, 'k'), 1}}).contains(" SCHEMA_KEY_TOO_LONG"));
}

}  // namespace
}  // namespace schakel
