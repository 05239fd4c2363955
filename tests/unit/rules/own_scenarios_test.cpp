// Our own scenarios: each passes, and its `rules` are exactly those that its decisions cite. docs/rules.md and make
// mutate rely on that.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/scenarios/cited.hpp"
#include "tests/unit/rules/rules_support.hpp"

namespace schakel::rules_test {
namespace {

std::vector<std::filesystem::path> own_files() {
  std::vector<std::filesystem::path> out;
  for (const auto& e : std::filesystem::recursive_directory_iterator(SCHAKEL_SOURCE_DIR "/tests/scenarios"))
    if (e.path().extension() == ".json") out.push_back(e.path());
  std::ranges::sort(out);
  return out;
}

TEST(OwnScenarios, PassAndCiteTheRulesTheyName) {
  std::set<std::string> regions, ids;
  for (const auto& path : own_files()) {
    std::ifstream in(path);
    std::ostringstream text;
    text << in.rdbuf();
    auto s = scenario::read(text.str());
    ASSERT_TRUE(s) << path << ' ' << (s.error().findings.empty() ? "" : s.error().findings[0].pointer);
    regions.insert(s->region);
    EXPECT_TRUE(ids.insert(s->id).second) << path << ": another scenario has this id";
    scenario::PurePlayer player(scenario::test_deciders(), profiles().at(s->region));
    auto played = scenario::run(*s, player);
    EXPECT_TRUE(played.passed()) << s->id << (played.differences.empty() ? "" : ": " + played.differences[0].text());
    EXPECT_EQ(scenario::cited(*s, played), scenario::named(*s)) << s->id;
  }
  EXPECT_EQ(regions, (std::set<std::string>{"FRL", "HR", "KNH", "MH", "MVS"}));
}

/// A scenario may ask when a deadline warns, who answers for it and how it stands; one that does not ask is not told.
TEST(OwnScenarios, DeadlinesAreComparedInWhatIsAsked) {
  for (const auto& path : own_files()) {
    if (path.filename() != "care-decision-in-time.json") continue;
    std::ifstream in(path);
    Json file = Json::parse(in);
    auto differs = [&](const Json& j) {
      auto s = scenario::read(j.dump());
      EXPECT_TRUE(s);
      scenario::PurePlayer player(scenario::test_deciders(), profiles().at(s->region));
      return scenario::run(*s, player).differences.size();
    };
    EXPECT_EQ(differs(file), 0u);
    for (const char* key : {"warn", "responsible", "state"}) {
      Json wrong = file, silent = file;
      wrong["expect"]["deadlines"][0][key] = "anders";
      for (Json& row : silent["expect"]["deadlines"]) row.erase(key);
      EXPECT_EQ(differs(wrong), 1u) << key;
      EXPECT_EQ(differs(silent), 0u) << key;
    }
    return;
  }
  FAIL() << "care-decision-in-time.json is gone";
}

}  // namespace
}  // namespace schakel::rules_test
