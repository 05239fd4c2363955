// Reading in one pass: the same values as the tree has, and nothing read where something else stands.
#include "core/base/json_pull.hpp"

#include <gtest/gtest.h>

namespace schakel {
namespace {

Json pulled(std::string_view text) {
  JsonPull from(text);
  Json out = from.value();
  from.end();
  return out;
}
std::string skipped(std::string_view text) {
  try {
    return std::string(JsonPull(text).skip());
  } catch (const std::runtime_error&) {
    return "nothing";
  }
}

TEST(JsonPull, ReadsWhatTheTreeReads) {
  for (const char* text : {"{}",
                           "[]",
                           "null",
                           " true ",
                           "false",
                           "0",
                           "-0",
                           "-1",
                           "9223372036854775807",
                           "-9223372036854775808",
                           "18446744073709551615",
                           "18446744073709551616",
                           "-9223372036854775809",
                           "1.5",
                           "-2.5e-3",
                           "1E+2",
                           "1e-999",
                           "-2.5e-3036847587502337203",
                           "0.1",
                           R"("")",
                           R"("tekst")",
                           R"("\"\\\/\b\f\n\r\t")",
                           R"("é\u00e9\u20ac\ud83d\ude00")",
                           R"("\u0000x")",
                           R"({"b":[1,{"c":null}],"a":"x"})",
                           R"({"a":1,"a":2})",
                           " { \"a\" :\t[ 1 ,\n2 ] } ",
                           R"({"\u0061":1})",
                           R"([[[]],{"x":{}}])"})
    EXPECT_EQ(pulled(text), Json::parse(text)) << text;
}

TEST(JsonPull, RefusesWhatIsNoJson) {
  for (const char* text : {"",
                           " ",
                           "{",
                           "[",
                           "\"",
                           "\"open",
                           R"("\)",
                           R"("\x")",
                           R"("\u12")",
                           R"("\u12g4")",
                           R"("\ud83d")",
                           R"("\ud83dx")",
                           R"("\ud83d\u0041")",
                           R"("\ude00")",
                           "\"a\nb\"",
                           "tru",
                           "nul",
                           "01",
                           "-",
                           "+1",
                           "1.",
                           ".5",
                           "1e",
                           "1e+",
                           "1e999",
                           "[1,]",
                           "[1 2]",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{a:1}",
                           "{\"a\" 1}",
                           "[1}",
                           "{\"a\":1]",
                           "1 2",
                           "[]]",
                           "nan"})
    EXPECT_THROW((void)pulled(text), std::runtime_error) << text;
  EXPECT_THROW((void)pulled(std::string(100'000, '[')), std::runtime_error);
  EXPECT_NO_THROW((void)pulled(std::string(200, '[') + std::string(200, ']')));
}

TEST(JsonPull, ReadsMembersAsTheyCome) {
  JsonPull from(R"({"n":-12,"t":"a\tb","list":["x","y"],"other":{"deep":[1,"]"]},"last":7})");
  std::int64_t n = 0, last = 0;
  std::string t, list;
  from.object([&](std::string_view key) {
    if (key == "n")
      n = from.integer();
    else if (key == "t")
      t = from.text();
    else if (key == "list")
      from.array([&] { list += from.text(); });
    else if (key == "last")
      last = from.integer();
    else
      EXPECT_EQ(from.skip(), R"({"deep":[1,"]"]})");
  });
  from.end();
  EXPECT_EQ(n, -12);
  EXPECT_EQ(t, "a\tb");
  EXPECT_EQ(list, "xy");
  EXPECT_EQ(last, 7);
}

TEST(JsonPull, AnotherValueThanIsAskedForIsRefused) {
  EXPECT_THROW((void)JsonPull("\"1\"").integer(), std::runtime_error);
  EXPECT_THROW((void)JsonPull("1.0").integer(), std::runtime_error);
  EXPECT_THROW((void)JsonPull("9223372036854775808").integer(), std::runtime_error);
  EXPECT_THROW((void)JsonPull("1").text(), std::runtime_error);
  EXPECT_THROW(JsonPull("[]").object([](std::string_view) {}), std::runtime_error);
  EXPECT_THROW(JsonPull("{}").array([] {}), std::runtime_error);
}

TEST(JsonPull, SkipsByBracketsAndQuotes) {
  EXPECT_EQ(skipped("[1,2],3"), "[1,2]");
  EXPECT_EQ(skipped(" [ ] "), "[ ]");
  EXPECT_EQ(skipped(R"(["]\\\"",{"k":"}"}])"), R"(["]\\\"",{"k":"}"}])");
  EXPECT_EQ(skipped(R"("\\")"), R"("\\")");
  EXPECT_EQ(skipped(R"("a\"b",1)"), R"("a\"b")");
  EXPECT_EQ(skipped("-1.5e3}"), "-1.5e3");
  for (const char* text : {"", " ", "[1,2", R"(["open)", R"("\")", "}", "]", ",", ":1"})
    EXPECT_EQ(skipped(text), "nothing") << text;
}

}  // namespace
}  // namespace schakel
