// The sixth region is files only: config/examples adds it, and its scenarios pass.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "core/model/region_files.hpp"
#include "core/model/rule_check.hpp"
#include "core/pipeline/scenario.hpp"
#include "tests/scenarios/deciders.hpp"

namespace schakel {
namespace {

const std::filesystem::path kConfig = std::filesystem::path(SCHAKEL_SOURCE_DIR) / "config",
                            kExamples = kConfig / "examples";

TEST(ExampleRegion, IsAddedByAFolder) {
  EXPECT_FALSE(load_profiles(kConfig)->contains("WLO"));
  auto all = load_profiles(kConfig, std::span(&kExamples, 1));
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_EQ(all->size(), 6u);
  EXPECT_TRUE(all->contains("WLO"));
}

TEST(ExampleRegion, TwoFilesWithOneRegionAreRefused) {
  std::vector<std::filesystem::path> twice{kExamples, kExamples};
  auto all = load_profiles(kConfig, twice);
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().code, "PROFILE_INVALID");
  std::filesystem::path nowhere = kExamples / "nowhere";
  EXPECT_EQ(load_profiles(kConfig, std::span(&nowhere, 1)).error().code, "CONFIG_UNREADABLE");
}

TEST(ExampleRegion, ItsScenariosPass) {
  auto all = load_profiles(kConfig, std::span(&kExamples, 1));
  ASSERT_TRUE(all);
  std::set<std::string> cited;
  int played = 0;
  for (const auto& e : std::filesystem::directory_iterator(kExamples / "scenarios")) {
    std::ifstream in(e.path());
    std::ostringstream text;
    text << in.rdbuf();
    auto s = scenario::read(text.str());
    ASSERT_TRUE(s) << e.path().filename() << ' ' << s.error().message;
    scenario::PurePlayer player(scenario::test_deciders(), all->at("WLO"));
    auto result = scenario::run(*s, player);
    ++played;
    EXPECT_TRUE(result.passed()) << s->id;
    for (const auto& d : result.differences) ADD_FAILURE() << s->id << ' ' << d.text();
    for (const Draft& d : result.drafts)
      for (const Explanation& x : d.explanation) cited.insert(x.rule.str());
    for (const Draft& d : result.drafts)
      for (const Deadline& x : d.deadlines) cited.insert(x.rule);
  }
  EXPECT_GE(played, 5);
  // Every rule of the region has a scenario in which it did something.
  for (const Rule& r : all->at("WLO")->all_rules())
    if (r.id.starts_with("WLO-")) {
      EXPECT_TRUE(cited.contains(r.id)) << r.id << " is in no scenario";
    }
}

/// What the policy guide prints of `schakel check --notes` is what the check says.
TEST(ExampleRegion, TheGuideSaysWhatTheCheckSays) {
  auto file = read_region_file(kExamples / "regions/waterland-oost.json", kConfig);
  auto facts = read_region_json(kConfig / "schemas/facts.json");
  ASSERT_TRUE(file && facts);
  std::set<std::string, std::less<>> types{"link_geopend", "termijnsignaal", "zaak_opening"};
  for (const auto& e : std::filesystem::directory_iterator(kConfig / "schemas/messages"))
    types.insert(e.path().filename().string().substr(0, e.path().filename().string().find('.')));
  auto findings = check_region({"waterland-oost.json", file->region}, {"core.json", file->base}, *facts, types);
  std::ifstream in(std::filesystem::path(SCHAKEL_SOURCE_DIR) / "docs/policy-guide.md");
  std::ostringstream guide;
  guide << in.rdbuf();
  EXPECT_EQ(findings.size(), 2u);
  for (const RuleFinding& f : findings) {
    EXPECT_EQ(f.severity, Severity::note) << f.code << ' ' << f.message;
    EXPECT_NE(guide.str().find(f.code + "  " + f.pointer), std::string::npos) << f.code << ' ' << f.pointer;
    EXPECT_NE(guide.str().find("          " + f.message + "\n"), std::string::npos) << f.message;
  }
}

}  // namespace
}  // namespace schakel
