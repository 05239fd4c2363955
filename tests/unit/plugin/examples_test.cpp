// The examples of docs/writing-a-plugin.md: they build, load and do what the text says.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/plugin/registry.hpp"
#include "tests/support/run_now.hpp"
#include "tests/support/temp_folder.hpp"

namespace schakel::plugin {
namespace {
namespace fs = std::filesystem;

TEST(Examples, TheAdapterWritesOneFileADelivery) {
  const test::TempFolder temp;
  const fs::path& folder = temp.path();
  Registry registry(SCHAKEL_EXAMPLE_FOLDER);
  auto loaded = registry.load(Kind::adapter, "journal_line");
  ASSERT_TRUE(loaded) << loaded.error().code;
  EXPECT_EQ((*loaded)->make_adapter(Json::object()).error().code, "CONFIG_INVALID");
  auto adapter = (*loaded)->make_adapter({{"folder", folder.string()}});
  ASSERT_TRUE(adapter) << adapter.error().code;
  Delivery d;
  d.id = "A-1";
  d.kind = "message";
  d.type = "ot_verslag";
  for (int attempt = 0; attempt < 2; ++attempt)
    EXPECT_EQ(test::run_now((*adapter)->send(d)).verdict, Verdict::delivered);
  std::ifstream in(folder / "A-1.json");
  std::string line;
  ASSERT_TRUE(std::getline(in, line));
  EXPECT_EQ(Json::parse(line)["type"], "ot_verslag");
  fs::remove_all(folder);
  EXPECT_EQ(test::run_now((*adapter)->send(d)).verdict, Verdict::retry_later) << "the folder is gone";
}

TEST(Examples, TheDeciderSignals) {
  Registry registry(SCHAKEL_EXAMPLE_FOLDER);
  auto loaded = registry.load(Kind::decider, "remind");
  ASSERT_TRUE(loaded) << loaded.error().code;
  auto decider = (*loaded)->make_decider(Json::object());
  ASSERT_TRUE(decider) << decider.error().code;
  auto profiles = load_profiles(std::string(SCHAKEL_SOURCE_DIR) + "/config").value();
  Message m;
  m.type = "ot_verslag";
  m.sender_role = "school_ib";
  CaseFile file;
  FactView without(file, m, *profiles.at("KNH"), Instant{});
  EXPECT_EQ((*decider)->decide(without, {}, {}).signals.size(), 1U);
  file.meeting.emplace();
  FactView with(file, m, *profiles.at("KNH"), Instant{});
  EXPECT_TRUE((*decider)->decide(with, {}, {}).signals.empty());
}

}  // namespace
}  // namespace schakel::plugin
