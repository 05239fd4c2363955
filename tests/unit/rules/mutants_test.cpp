// The changes that make mutate tries: each is a change, has a name of its own, and they reach every part of a rule.
#include "tests/mutate/mutants.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>

namespace schakel::mutate {
namespace {

Json file() {
  return Json::parse(
      R"({"region": "X", "settings": {"days": {"value": 14, "why": "w"}}, "gates": [{"name": "G", "on": ["a", "b"], "codes": ["ONE", "TWO"]}],
    "rules": [{"id": "X-1", "stage": "gate", "on": ["a", "b"], "when": {"case.n": {"at_least": 5}, "any": [{"case.p": true}, {"case.q": {"in": ["u", "v"]}}]}, "then": {"block": "ONE"}},
              {"id": "X-1", "stage": "gate", "on": ["a"], "then": {"block": "TWO"}},
              {"id": "X-2", "stage": "timer", "on": ["*"], "then": {"timer": {"name": "t", "from": "case.d", "days": 3, "severity": "hard", "responsible": "r", "met_by": ["a"]}}}]})");
}

TEST(Mutants, EachIsAChangeWithANameOfItsOwn) {
  Json original = file();
  std::set<std::string> keys;
  for (const Mutant& m : mutants_of(original)) {
    Json changed = original;
    changed[m.at] = m.value;
    EXPECT_NE(changed, original) << m.key;
    EXPECT_TRUE(keys.insert(m.key).second) << m.key;
  }
  for (const char* key :
       {"X-1 gate: delete", "X-1 gate#2: delete", "X-1 gate: when without case.n",
        "X-1 gate: when not case.n={\"at_least\":5}", "X-1 gate: when/case.n at_least exchanged",
        "X-1 gate: drop {\"case.p\":true} of when/any", "X-1 gate: drop u of when/any/1/case.q in",
        "X-1 gate: drop b of on", "X-1 gate: other block", "X-2 timer: one more days", "X-2 timer: other severity",
        "X-2 timer: drop a of met_by", "settings days: value one less", "gate G: TWO before ONE"})
    EXPECT_TRUE(keys.contains(key)) << key;
}

TEST(Mutants, OfTheRealRegionsAreChangesToo) {
  for (const char* name : {"core", "friesland", "holland-rijnland", "kop-van-noord-holland",
                           "maassluis-vlaardingen-schiedam", "midden-holland"}) {
    std::ifstream in(std::string(SCHAKEL_SOURCE_DIR "/config/regions/") + name + ".json");
    Json original = Json::parse(in);
    auto all = mutants_of(original);
    std::set<std::string> keys;
    for (const Mutant& m : all) {
      EXPECT_NE(original.at(m.at), m.value) << m.key;
      EXPECT_TRUE(keys.insert(m.key).second) << m.key;
    }
    EXPECT_EQ(static_cast<std::size_t>(std::ranges::count_if(all, &Mutant::deletion)), original["rules"].size());
  }
}

}  // namespace
}  // namespace schakel::mutate
