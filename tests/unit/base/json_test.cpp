// Our own writer of JSON against nlohmann's: the same bytes for every value, as hashes and signatures are over them.
#include "core/base/json.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace schakel {
namespace {

std::string reference(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

TEST(DumpJson, EveryKindOfValueIsWrittenAsTheLibraryWritesIt) {
  for (const Json& value :
       {Json(), Json(true), Json(false), Json(0), Json(-1), Json(std::numeric_limits<std::int64_t>::min()),
        Json(std::numeric_limits<std::int64_t>::max()), Json(std::numeric_limits<std::uint64_t>::max()), Json(1.5),
        Json(1e300), Json(std::numeric_limits<double>::quiet_NaN()), Json::array(), Json::object(),
        Json{{"a", Json::array({Json::object(), Json::array(), "", nullptr})}, {"", {{"b", 1}}}}, Json::binary({1, 2}),
        Json(Json::value_t::discarded)})
    EXPECT_EQ(dump_json(value), reference(value));
}

TEST(DumpJson, EveryByteInATextAndInAName) {
  for (int c = 0; c < 256; ++c) {
    std::string text = "a";
    text += static_cast<char>(c);
    const Json as_text = text, around = Json::array({text + "b"});
    EXPECT_EQ(dump_json(as_text), reference(as_text)) << c;
    EXPECT_EQ(dump_json(around), reference(around)) << c;
    if (c >= 0x80) continue;  // a name that is no UTF-8 does not come from parse_json
    const Json named = {{text, 1}};
    EXPECT_EQ(dump_json(named), reference(named)) << c;
  }
  const Json words = {{"\xC3\xA9n", "tw\xC3\xA9\xC3\xAB"}, {"\xE2\x82\xAC", {"\xF0\x9F\x98\x80", "\"\\/\b\f\n\r\t"}}};
  EXPECT_EQ(dump_json(words), reference(words));
}

TEST(DumpJson, RandomTrees) {
  std::mt19937_64 random(7);
  auto below = [&](std::uint64_t n) { return random() % n; };
  auto text = [&] {
    std::string out;
    for (auto n = below(12); n-- > 0;) out += static_cast<char>(below(20) == 0 ? below(0x20) : 0x20 + below(0x60));
    return out;
  };
  auto tree = [&](auto& self, int depth) -> Json {
    switch (below(depth > 4 ? 5 : 7)) {
      case 0:
        return text();
      case 1:
        return static_cast<std::int64_t>(random());
      case 2:
        return random();
      case 3:
        return below(2) == 0;
      case 4:
        return nullptr;
      case 5: {
        Json out = Json::array();
        for (auto n = below(5); n-- > 0;) out.push_back(self(self, depth + 1));
        return out;
      }
      default: {
        Json out = Json::object();
        for (auto n = below(5); n-- > 0;) out[text()] = self(self, depth + 1);
        return out;
      }
    }
  };
  for (int i = 0; i < 2000; ++i) {
    Json value = tree(tree, 0);
    ASSERT_EQ(dump_json(value), reference(value));
  }
}

}  // namespace
}  // namespace schakel
