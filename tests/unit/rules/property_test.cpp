// What must hold for every message of every published scenario, whatever its expectation.
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "core/pipeline/scenario.hpp"
#include "tests/unit/rules/rules_support.hpp"

namespace schakel::rules_test {
namespace {

const std::filesystem::path kScenarios = SCHAKEL_SOURCE_DIR "/../shared/domain/scenarios";

std::vector<scenario::Scenario> published() {
  std::vector<scenario::Scenario> out;
  if (!std::filesystem::exists(kScenarios)) return out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kScenarios)) {
    if (entry.path().extension() != ".json") continue;
    std::ifstream in(entry.path());
    std::ostringstream text;
    text << in.rdbuf();
    auto s = scenario::read(text.str());
    EXPECT_TRUE(s) << entry.path();
    if (s) out.push_back(std::move(*s));
  }
  return out;
}

/// Calls `see` with the case as it is before each message.
template <class See>
void replay(const scenario::Scenario& s, See see) {
  auto profile = profiles().at(s.region);
  scenario::PurePlayer player(scenario::test_deciders(), profile);
  ASSERT_TRUE(player.open(s.opening));
  for (const Message& m : s.messages) {
    see(player.file(), m, *profile);
    ASSERT_TRUE(player.play(m));
  }
}

TEST(Properties, PublishedScenariosPass) {
  auto all = published();
  if (all.empty()) GTEST_SKIP() << "no ../shared/domain/scenarios beside this checkout";
  for (const auto& s : all) {
    scenario::PurePlayer player(scenario::test_deciders(), profiles().at(s.region));
    auto played = scenario::run(s, player);
    EXPECT_TRUE(played.passed()) << s.id << (played.differences.empty() ? "" : ": " + played.differences[0].text());
  }
}

TEST(Properties, SameInputsSameDraft) {
  auto all = published();
  if (all.empty()) GTEST_SKIP() << "no ../shared/domain/scenarios beside this checkout";
  auto deciders = in_order(scenario::test_deciders());
  for (const auto& s : all)
    replay(s, [&](const CaseFile& file, const Message& m, const Profile& p) {
      Draft a = decide(deciders, file, m, p, {}), b = decide(deciders, file, m, p, {});
      EXPECT_EQ(Json(a).dump(), Json(b).dump()) << m.id;
    });
}

TEST(Properties, RemovingAConsentNeverAddsARecipient) {
  auto all = published();
  if (all.empty()) GTEST_SKIP() << "no ../shared/domain/scenarios beside this checkout";
  auto deciders = in_order(scenario::test_deciders());
  for (const auto& s : all)
    replay(s, [&](const CaseFile& file, const Message& m, const Profile& p) {
      Draft with = decide(deciders, file, m, p, {});
      for (std::size_t i = 0; i < file.consents.size(); ++i) {
        CaseFile less = file;
        less.consents.erase(less.consents.begin() + static_cast<std::ptrdiff_t>(i));
        Draft without = decide(deciders, less, m, p, {});
        for (const Recipient& r : without.recipients)
          EXPECT_TRUE(std::ranges::any_of(with.recipients, [&](const Recipient& x) { return x.role == r.role; }))
              << m.id << ' ' << r.role;
      }
    });
}

TEST(Properties, ABlockedMessageLeavesOnlyItsRecord) {
  auto all = published();
  if (all.empty()) GTEST_SKIP() << "no ../shared/domain/scenarios beside this checkout";
  auto deciders = in_order(scenario::test_deciders());
  for (const auto& s : all)
    replay(s, [&](const CaseFile& file, const Message& m, const Profile& p) {
      Draft d = decide(deciders, file, m, p, {});
      if (d.outcome != Outcome::blocked) return;
      EXPECT_FALSE(d.codes.empty()) << m.id;
      CaseFile after = file;
      apply(after, m, d);
      after.messages.pop_back();
      EXPECT_EQ(to_json(after), to_json(file)) << m.id;
    });
}

TEST(Properties, CaseFileSurvivesItsJson) {
  auto all = published();
  if (all.empty()) GTEST_SKIP() << "no ../shared/domain/scenarios beside this checkout";
  for (const auto& s : all)
    replay(s, [&](const CaseFile& file, const Message& m, const Profile&) {
      auto back = case_file_from(to_json(file));
      ASSERT_TRUE(back) << m.id;
      EXPECT_EQ(to_json(*back), to_json(file)) << m.id;
    });
}

/// Payloads from outside may hold anything where a rule expects a text or a number: a decision follows, never an
/// exception.
TEST(Properties, HostilePayloadsAreDecidedNotThrown) {
  std::mt19937 random(7);
  const std::vector<Json> odd = {nullptr,
                                 true,
                                 -1,
                                 1.5,
                                 "",
                                 "x",
                                 Json::array(),
                                 Json::object(),
                                 Json::array({nullptr, 1, "opp"}),
                                 Json{{"a", 1}},
                                 std::string(5000, 'x'),
                                 INT64_MAX};
  const std::vector<std::string> fields = {"documents",
                                           "meeting",
                                           "opp",
                                           "purpose",
                                           "consent",
                                           "delivery",
                                           "lines",
                                           "measure",
                                           "end",
                                           "date",
                                           "start",
                                           "minutes_leerkracht",
                                           "point_of_disagreement",
                                           "provider",
                                           "experts",
                                           "goal_start",
                                           "goal_end",
                                           "extension_until",
                                           "pgb_plan",
                                           "procesregisseurs",
                                           "granted",
                                           "alignment",
                                           "shares",
                                           "at",
                                           "number",
                                           "cents",
                                           "vat_cents"};
  const std::vector<std::string> types = {"documentlevering",  "link_geopend",
                                          "toestemming",       "toestemming_intrekking",
                                          "oza_vaststelling",  "uitnodiging",
                                          "beschikking",       "zorgtoewijzing",
                                          "ots_melding",       "onderzoek_start",
                                          "evaluatie",         "escalatie",
                                          "escalatie_besluit", "onderschrijding_aanvraag",
                                          "inspectie_besluit", "tlv_aanvraag",
                                          "hulpvraagmelding",  "financieringsafspraak",
                                          "bindend_advies",    "zorgtoewijzing_antwoord",
                                          "factuur",           "creditnota",
                                          "declaratie",        "startgesprek",
                                          "ot_verslag",        "nonsense"};
  for (const auto& [region, profile] : profiles()) {
    Case c(region, given());
    for (int i = 0; i < 1500; ++i) {
      Json payload = Json::object();
      for (int k = 0; k < 4; ++k) payload[fields[random() % fields.size()]] = odd[random() % odd.size()];
      EXPECT_NO_THROW(c.play("2026-10-02T09:00:00+02:00", types[random() % types.size()], "school_ib", payload))
          << payload.dump();
    }
  }
}

}  // namespace
}  // namespace schakel::rules_test
