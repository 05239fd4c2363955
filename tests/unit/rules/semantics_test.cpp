// kSemanticsVersion says by which interpreter a decision was made: the same facts and rules under the same number must
// give the same decision. drafts.json keeps what our scenarios gave under it; what it says of a scenario whose facts or
// rules changed since is renewed, what it says of the others must come again.
#include "core/model/semantics.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/base/hash.hpp"
#include "core/pipeline/scenario.hpp"
#include "tests/unit/rules/rules_support.hpp"

namespace schakel::rules_test {
namespace {

namespace fs = std::filesystem;
const fs::path kDrafts = SCHAKEL_SOURCE_DIR "/tests/unit/rules/drafts.json";
constexpr const char* kRenew =
    "renew: SCHAKEL_RENEW_DRAFTS=1 build/release/bin/unit_rules --gtest_filter='Semantics.*', and look at the "
    "difference";

std::string short_hash(const std::string& text) { return sha256_hex(text).substr(0, 16); }

/// Of each of our scenarios: what its decisions were made of, and what they are.
Json drafts_now() {
  Json out = Json::object();
  for (const auto& e : fs::recursive_directory_iterator(SCHAKEL_SOURCE_DIR "/tests/scenarios")) {
    if (e.path().extension() != ".json") continue;
    std::ifstream in(e.path());
    std::ostringstream text;
    text << in.rdbuf();
    auto s = scenario::read(text.str());
    if (!s) {
      ADD_FAILURE() << e.path();
      continue;
    }
    auto profile = profiles().at(s->region);
    scenario::PurePlayer player(scenario::test_deciders(), profile);
    auto played = scenario::run(*s, player);
    std::string made_of = profile->version() + dump_json(Json(s->opening)), made;
    for (const Message& m : s->messages) made_of += dump_json(Json(m));
    for (const Draft& d : played.drafts) made += dump_json(Json(d)) + "\n";
    out[s->id] = {short_hash(made_of), short_hash(made)};
  }
  return out;
}

TEST(Semantics, TheSameFactsAndRulesGiveTheSameDecisionUnderTheSameNumber) {
  Json stored = Json::object();
  if (std::ifstream in(kDrafts); in) stored = Json::parse(in);
  const Json now = drafts_now();
  ASSERT_GT(now.size(), 100u);
  const bool raised = stored.value("semantics", 0) != kSemanticsVersion;
  Json before = stored.value("drafts", Json::object());
  bool other = raised || before.size() != now.size();
  for (const auto& [id, row] : now.items()) {
    auto known = before.find(id);
    if (known == before.end() || (*known)[0] != row[0]) {
      other = true;
      continue;
    }
    if (!raised)
      EXPECT_EQ((*known)[1], row[1]) << id << ": the same facts and rules give another decision than under semantics "
                                     << kSemanticsVersion << ": raise kSemanticsVersion (core/model/semantics.hpp)";
  }
  if (HasFailure()) return;
  if (std::getenv("SCHAKEL_RENEW_DRAFTS")) {
    std::ofstream out(kDrafts);
    out << "{\"semantics\": " << kSemanticsVersion << ", \"drafts\": {";
    const char* between = "\n";
    for (const auto& [id, row] : now.items()) {
      out << between << "  " << Json(id).dump() << ": " << row.dump();
      between = ",\n";
    }
    out << "\n}}\n";
    ASSERT_TRUE(out.flush());
    return;
  }
  EXPECT_FALSE(other) << (raised ? "kSemanticsVersion was raised; " : "scenarios or rules changed; ") << kRenew;
}

}  // namespace
}  // namespace schakel::rules_test
