// What --coverage counts: scenarios per rule, rules that nothing reached first, common rules once.
#include "core/app/coverage.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace schakel::app {
namespace {

const Profiles& coverage_profiles() {
  static const Profiles all = load_profiles(SCHAKEL_SOURCE_DIR "/config").value();
  return all;
}

Draft cites(std::vector<std::pair<std::string, std::string>> rules) {
  Draft d;
  for (auto& [rule, result] : rules) {
    Explanation e;
    e.rule = rule;
    e.result = Word::of(result);
    d.explanation.push_back(std::move(e));
  }
  return d;
}

const RuleUse* find(const std::vector<RuleUse>& rows, std::string_view rule) {
  auto it = std::ranges::find(rows, rule, &RuleUse::rule);
  return it == rows.end() ? nullptr : &*it;
}

TEST(Coverage, CountsScenariosNotMentions) {
  Coverage c(coverage_profiles());
  std::vector<Draft> one = {cites({{"KNH-DOC-01", "blocked"}, {"KNH-DOC-01", "blocked"}}),
                            cites({{"KNH-DOC-01", "blocked"}, {"KNH-CTO-02", "near"}})};
  c.add("KNH", one);
  c.add("KNH", one);
  auto rows = c.rows();
  ASSERT_TRUE(find(rows, "KNH-DOC-01"));
  EXPECT_EQ(find(rows, "KNH-DOC-01")->blocked, 2);
  EXPECT_EQ(find(rows, "KNH-CTO-02")->nearly, 2);
  EXPECT_FALSE(find(rows, "KNH-CTO-02")->exercised()) << "nearly is not exercised";
  EXPECT_TRUE(find(rows, "KNH-ROUTE-03")) << "rules that nothing reached are rows too";
  EXPECT_FALSE(find(rows, "MH-DOC-02")) << "regions that were not played are left out";
  // Never exercised first, the others behind them.
  EXPECT_FALSE(rows.front().exercised());
  EXPECT_TRUE(rows.back().exercised());
}

TEST(Coverage, RulesOfSeveralRegionsAreOneRow) {
  Coverage c(coverage_profiles());
  c.add("KNH", std::vector<Draft>{cites({{"CORE-AUD-01", "suppressed"}, {"CORE-CONSENT-05", "fired"}})});
  c.add("MH", std::vector<Draft>{cites({{"CORE-AUD-01", "suppressed"}})});
  auto rows = c.rows();
  EXPECT_EQ(std::ranges::count(rows, "CORE-AUD-01", &RuleUse::rule), 1);
  EXPECT_EQ(find(rows, "CORE-AUD-01")->region, "CORE");
  EXPECT_EQ(find(rows, "CORE-AUD-01")->blocked, 2);
  EXPECT_EQ(find(rows, "CORE-CONSENT-05")->region, "CORE") << "cited by a named function only";
  Json j = to_json(rows);
  EXPECT_EQ(j["rules"], rows.size());
  EXPECT_EQ(j["exercised"], 2);
  EXPECT_EQ(j["never"].size(), rows.size() - 2);
  EXPECT_NE(to_table(rows).find("never exercised"), std::string::npos);
}

}  // namespace
}  // namespace schakel::app
