// Every message type: its schema takes the valid example and refuses each invalid one for its reason.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/ingress/ingress.hpp"

namespace schakel::ingress {
namespace {
namespace fs = std::filesystem;

Json read(const fs::path& p) {
  std::ifstream in(p);
  return Json::parse(in);
}
const fs::path kSource = SCHAKEL_SOURCE_DIR;

TEST(Schemas, EachTypeTakesItsExampleAndRefusesThreeFaultyOnes) {
  auto types = TypeCatalogue::load((kSource / "config/schemas/messages").string());
  ASSERT_TRUE(types) << types.error().message;
  std::set<std::string> covered;
  for (const auto& file : fs::directory_iterator(kSource / "tests/unit/ingress/examples")) {
    auto j = read(file.path());
    Message m;
    m.type = j.at("type");
    covered.insert(m.type);
    m.payload = j.at("valid");
    auto findings = types->check(m);
    EXPECT_TRUE(findings.empty()) << m.type << " "
                                  << (findings.empty() ? "" : findings[0].pointer + " " + findings[0].code);
    ASSERT_EQ(j.at("invalid").size(), 3u) << m.type;
    for (const auto& bad : j.at("invalid")) {
      m.payload = bad.at("payload");
      findings = types->check(m);
      EXPECT_TRUE(
          std::ranges::any_of(findings, [&](const Finding& f) { return f.code == bad.at("code").get<std::string>(); }))
          << m.type << ": " << bad.at("why");
    }
  }
  for (const auto& t : types->types()) EXPECT_TRUE(covered.contains(t)) << t << " has no examples";
  EXPECT_GE(covered.size(), 50u);
}

TEST(Schemas, PayloadsOfTheScenariosFit) {
  auto scenarios = kSource / "../shared/domain/scenarios";
  if (!fs::exists(scenarios)) GTEST_SKIP() << "the scenarios are not on this machine";
  auto types = TypeCatalogue::load((kSource / "config/schemas/messages").string()).value();
  for (const auto& file : fs::recursive_directory_iterator(scenarios)) {
    if (file.path().extension() != ".json") continue;
    auto j = read(file.path());
    if (!j.contains("messages_in")) continue;
    for (const auto& in : j["messages_in"]) {
      Message m;
      m.type = in.at("type");
      if (m.type == "link_geopend") continue;  // made by the portal
      m.payload = in.at("payload");
      for (const auto& f : types.check(m)) {
        // A real invitation says which meeting it is for (domain.md section 3); scenarios leave out what their case
        // has.
        if (m.type == "uitnodiging" && f.code == "SCHEMA_REQUIRED") continue;
        ADD_FAILURE() << file.path().filename() << " " << m.type << " " << f.pointer << " " << f.code;
      }
    }
  }
}

}  // namespace
}  // namespace schakel::ingress
