// A recorded case becomes a scenario without a real name in it, which decides as the case did.
#include "core/pipeline/capture.hpp"

#include <fstream>

#include "tests/unit/pipeline/real_road.hpp"

namespace schakel::scenario {
namespace {
using test::RealRoad;
using test::road_delivery;

std::set<std::string, std::less<>> public_words() {
  std::set<std::string, std::less<>> words;
  collect_words(rules_test::profiles().at("KNH")->source(), words);
  for (const auto& entry : std::filesystem::directory_iterator(SCHAKEL_SOURCE_DIR "/config/schemas/messages")) {
    std::ifstream in(entry.path());
    collect_words(Json::parse(in), words);
  }
  return words;
}

Result<Capture> captured(RealRoad& road) {
  std::vector<CapturedDecision> decisions;
  for (auto& r : road.recall())
    decisions.push_back(
        {r.content->message, r.content->draft, r.content->registers.value_or(std::map<std::string, Json>{})});
  return capture(road.deciders, rules_test::profiles().at(road.region), decisions, public_words());
}

Json real_case() {
  auto given = rules_test::given();
  given["pupil"]["school"] = "Basisschool De Zeester, Den Helder";
  given["pupil"]["name"] = "Sanne de Vries";
  given["pupil"]["woongemeente"] = "Ergenshuizen";
  given["case"]["contact"] = "Juf Petra Jansen";
  return given;
}

/// Plays a captured file as `schakel test` does.
Played play(const Json& file) {
  auto scenario = read(file.dump());
  EXPECT_TRUE(scenario) << (scenario ? "" : scenario.error().code);
  PurePlayer player(in_order(test_deciders()), rules_test::profiles().at(scenario->region));
  return run(*scenario, player);
}

TEST(Capture, ACaseFromTheRoadIsPlayedAgainAndPasses) {
  RealRoad road;
  road.open(real_case());
  auto sent = road.say("2026-11-20T08:00:00Z", "documentlevering", "school_ib", road_delivery(), {"smw"});
  road.say("2026-11-20T09:00:00Z", "link_geopend", "orthopedagoog", {{"delivery", sent.message.id}}, {}, "ortho");
  road.say("2026-11-21T09:00:00Z", "toestemming_intrekking", "ouder_1",
           {{"consent", "c1"}, {"reason", "Opa Willem wil het niet"}});
  road.say("2026-11-22T09:00:00Z", "documentlevering", "school_ib", road_delivery());
  auto made = captured(road);
  ASSERT_TRUE(made) << made.error().code
                    << (made.error().findings.empty()
                            ? ""
                            : made.error().findings[0].pointer + made.error().findings[0].message);
  auto played = play(made->scenario);
  EXPECT_TRUE(played.passed()) << (played.differences.empty() ? "" : played.differences[0].text());
  ASSERT_EQ(played.drafts.size(), 4u);
  EXPECT_EQ(played.drafts[3].codes, std::vector<std::string>{"CONSENT_WITHDRAWN"});
  EXPECT_EQ(made->scenario["messages_in"][1]["payload"]["delivery_seq"], 1);
  // An expectation that is not there does not pass: the file really expects something.
  auto other = made->scenario;
  other["expect"]["outcomes"][0]["outcome"] = "blocked";
  EXPECT_FALSE(play(other).passed());
}

TEST(Capture, NoRealWordIsLeft) {
  RealRoad road;
  road.open(real_case());
  road.say("2026-11-20T08:00:00Z", "escalatie", "school_ib",
           {{"point_of_disagreement", "Petra Jansen vindt 0612345678 te weinig"}, {"reason", "Sanne de Vries"}});
  auto made = captured(road);
  ASSERT_TRUE(made) << made.error().code;
  auto text = made->scenario.dump();
  for (const char* real :
       {"Zeester", "Sanne", "Ergenshuizen", "Petra", "0612345678", "2018-01-30", "Z-2222", "bericht-"})
    EXPECT_EQ(text.find(real), std::string::npos) << real;
  EXPECT_FALSE(made->birth_date_kept);
  EXPECT_GE(made->replaced, 4);
}

TEST(Capture, TheSameWordIsTheSameEverywhere) {
  RealRoad road;
  auto given = real_case();
  given["case"]["brp_gemeente"] = "Ergenshuizen";
  given["case"]["brp_before_stay"] = "Nergensdorp";
  road.open(given);
  road.say("2026-11-20T08:00:00Z", "documentlevering", "school_ib", road_delivery());
  auto made = captured(road);
  ASSERT_TRUE(made) << made.error().code;
  const auto& g = made->scenario["given"];
  EXPECT_EQ(g["pupil"]["woongemeente"], g["case"]["brp_gemeente"]);
  EXPECT_NE(g["case"]["brp_gemeente"], g["case"]["brp_before_stay"]);
}

TEST(Capture, ADateOfBirthOnItsBorderStays) {
  RealRoad road;
  auto given = real_case();
  given["pupil"]["birth_date"] = "2014-11-20";  // twelve today, and its consent asked for
  road.open(given);
  road.say("2026-11-19T08:00:00Z", "documentlevering", "school_ib", road_delivery());
  road.say("2026-11-20T08:00:00Z", "documentlevering", "school_ib", road_delivery());
  auto made = captured(road);
  ASSERT_TRUE(made) << made.error().code;
  EXPECT_TRUE(made->birth_date_kept);
  EXPECT_TRUE(play(made->scenario).passed());
}

TEST(Capture, AnInvoiceIsSharedInTheScenarioAsItWasInTheCase) {
  RealRoad road;
  auto given = real_case();
  given["case"]["contract_holder"] = "gemeente";
  given["case"]["funding_agreed"] = true;
  given["case"]["dispute"] = false;
  given["case"]["funding_period"] = {"2026-08-01", "2027-07-31"};
  given["case"]["funding"] = {{{"activity", "Zorgboerderij De Echte Naam"}, {"kind", "zorg"}, {"payer", "gemeente"}},
                              {{"activity", "dagdeel"}, {"kind", "grijs"}, {"payer", "50/50"}},
                              {{"activity", "les"}, {"kind", "onderwijs"}, {"payer", "swv"}}};
  road.open(given);
  auto sent = road.say("2026-11-20T08:00:00Z", "factuur", "zorgaanbieder_billing",
                       {{"number", "ECHT-77"},
                        {"period", "2026-10"},
                        {"lines", {{{"kind", "zorg"}, {"cents", 1000}}, {{"kind", "grijs"}, {"cents", 333}}}},
                        {"vat_cents", 0}});
  ASSERT_EQ(sent.draft.outcome, Outcome::delivered) << (sent.draft.codes.empty() ? "" : sent.draft.codes[0]);
  ASSERT_EQ(sent.draft.invoices.size(), 2u);
  auto made = captured(road);
  ASSERT_TRUE(made) << made.error().code;
  auto played = play(made->scenario);
  EXPECT_TRUE(played.passed()) << (played.differences.empty() ? "" : played.differences[0].text());
  EXPECT_EQ(made->scenario["expect"]["invoices"].size(), 2u);
  auto text = made->scenario.dump();
  for (const char* real : {"ECHT-77", "De Echte Naam"}) EXPECT_EQ(text.find(real), std::string::npos) << real;
}

/// A delivery with documents that came along, as those of systems and of the portal do.
journal::Recorded attached(RealRoad& road, const std::string& when, std::vector<Attachment> documents) {
  road.clock.set(parse_instant(when).value());
  Message m;
  m.id = "bericht-" + std::to_string(++road.count);
  m.source = "urn:test";
  m.type = "documentlevering";
  m.subject = road.zaak;
  m.region = road.region;
  m.party = "school";
  m.sender_role = "school_ib";
  m.payload = {{"documents", {"groeidocument"}}, {"meeting", "OT"}};
  m.attachments = std::move(documents);
  auto accepted = test::run_now(road.journal.accept(std::move(m)));
  EXPECT_TRUE(accepted);
  EXPECT_TRUE(test::run_now(road.pipeline->step()));
  return std::move(*test::run_now(road.journal.decision(accepted->seq)).value());
}

TEST(Capture, WhatAttachmentsStateIsStatedInTheScenario) {
  for (auto [status, outcome] : {std::pair{"compleet", Outcome::delivered}, {"concept", Outcome::blocked}}) {
    RealRoad road;
    auto given = real_case();
    given["documents"] = Json::array();
    road.open(given);
    auto sent = attached(road, "2026-11-20T08:00:00Z",
                         {{"upload-1", "groeidocument", 1, "", "aa"}, {"upload-2", "opp", 3, status, "bb"}});
    ASSERT_EQ(sent.draft.outcome, Outcome::delivered);
    EXPECT_EQ(road.say("2026-11-20T09:00:00Z", "beschikking", "jeugdhulpdeskundige").draft.outcome, outcome) << status;
    // An older one comes too late to change it.
    attached(road, "2026-11-20T10:00:00Z", {{"upload-3", "opp", 2, "concept", "cc"}});
    EXPECT_EQ(road.say("2026-11-20T11:00:00Z", "beschikking", "jeugdhulpdeskundige").draft.outcome, outcome) << status;
    auto made = captured(road);
    ASSERT_TRUE(made) << status << ' ' << made.error().code
                      << (made.error().findings.empty() ? "" : made.error().findings[0].message);
    auto played = play(made->scenario);
    EXPECT_TRUE(played.passed()) << (played.differences.empty() ? "" : played.differences[0].text());
    EXPECT_EQ(made->scenario["messages_in"][0]["attachments"],
              Json::array({{{"doc_type", "groeidocument"}, {"version", 1}},
                           {{"doc_type", "opp"}, {"version", 3}, {"status", status}}}));
    // The document itself stays where it was.
    EXPECT_EQ(made->scenario.dump().find("upload"), std::string::npos);
  }
}

TEST(Capture, WithoutOpeningOrMessagesThereIsNoScenario) {
  RealRoad road;
  EXPECT_EQ(captured(road).error().code, "CAPTURE_NO_OPENING");
  road.open(real_case());
  EXPECT_EQ(captured(road).error().code, "CAPTURE_EMPTY");
}

TEST(Capture, ADecisionThatHungOnAnotherCaseIsNotPretended) {
  RealRoad road;
  road.open(real_case());
  road.say("2026-11-20T08:00:00Z", "documentlevering", "school_ib", road_delivery());
  std::vector<CapturedDecision> decisions;
  for (auto& r : road.recall()) decisions.push_back({r.content->message, r.content->draft});
  decisions[1].draft.outcome = Outcome::dropped_duplicate;
  auto made = capture(road.deciders, rules_test::profiles().at("KNH"), decisions, public_words());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, "CAPTURE_DIFFERS");
  ASSERT_FALSE(made.error().findings.empty());
  // It says what differs in which message, in the words of the scenario.
  const auto& said = made.error().findings[0];
  EXPECT_EQ(said.pointer, "/expect/outcomes");
  EXPECT_NE(said.message.find("message 1"), std::string::npos) << said.message;
  EXPECT_NE(said.message.find("dropped_duplicate"), std::string::npos) << said.message;
  for (const auto& f : made.error().findings) EXPECT_EQ(f.message.find("Zeester"), std::string::npos) << f.message;
}

/// Who may bill hangs on which organisation is meant: the answer is kept with the decision, and with the scenario.
TEST(Capture, AnInvoiceOfAnotherProviderWaitsThereToo) {
  RealRoad road;
  auto given = real_case();
  given["case"]["funding_agreed"] = true;
  given["documents"] = Json::array({{{"doc_type", "opp"}, {"status", "compleet"}, {"version", 1}}});
  given["consents"] = Json::array();
  for (const char* parent : {"ouder_1", "ouder_2"})
    given["consents"].push_back({{"id", std::string("zorg-") + parent},
                                 {"giver", parent},
                                 {"purpose", "aanmelding_zorg"},
                                 {"doc_types", {"*"}},
                                 {"roles", {"*"}},
                                 {"valid_from", "2026-01-05T09:00:00+01:00"},
                                 {"valid_until", nullptr},
                                 {"withdrawn_at", nullptr}});
  road.open(given);
  auto bill = [&](const char* number, const char* party) {
    return road
        .say("2026-11-21T08:00:00Z", "factuur", "zorgaanbieder_billing",
             {{"number", number}, {"lines", {{{"kind", "grijs"}, {"cents", 1001}}}}, {"vat_cents", 0}}, {}, party)
        .draft;
  };
  auto named = road.say("2026-11-20T08:00:00Z", "zorgtoewijzing", "procesregisseur", {{"provider", "Partij vreemd"}});
  ASSERT_EQ(named.draft.outcome, Outcome::delivered) << ::testing::PrintToString(named.draft.codes);
  auto held = bill("ZB-1", "ortho");
  EXPECT_EQ(held.outcome, Outcome::held);
  EXPECT_EQ(held.codes, std::vector<std::string>{"PROVIDER_IS_ANOTHER"});
  EXPECT_EQ(bill("ZB-2", "vreemd").outcome, Outcome::delivered);
  // A change of provider: what waited goes on.
  auto changed = road.say("2026-11-22T08:00:00Z", "zorgtoewijzing", "procesregisseur", {{"provider", "ortho"}});
  ASSERT_FALSE(changed.draft.invoices.empty());
  EXPECT_EQ(changed.draft.invoices[0].number, "ZB-1");
  auto rows = road.recall();
  const auto& kept = rows[2].content->registers;
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->at("provider/ortho/zorgaanbieder:Partij vreemd"), false);
  auto made = captured(road);
  ASSERT_TRUE(made) << made.error().code << (made.error().findings.empty() ? "" : made.error().findings[0].message);
  EXPECT_EQ(made->scenario.dump().find("Partij vreemd"), std::string::npos);
  EXPECT_EQ(made->scenario["messages_in"][2]["party"], made->scenario["messages_in"][0]["payload"]["provider"]);
  EXPECT_TRUE(play(made->scenario).passed());
}

TEST(Capture, TheNumberPassesTheElevenProofAndIsNobodys) {
  for (int i = 0; i < 200; ++i) {
    auto bsn = fictional_bsn(std::to_string(i));
    ASSERT_EQ(bsn.size(), 9u);
    EXPECT_TRUE(bsn.starts_with("9999"));
    int sum = -(bsn[8] - '0');
    for (int k = 0; k < 8; ++k) sum += (bsn[static_cast<std::size_t>(k)] - '0') * (9 - k);
    EXPECT_EQ(sum % 11, 0) << bsn;
  }
}

}  // namespace
}  // namespace schakel::scenario
