// Explanations, as-of, plan and capture through the routes, as a party and as the operator.
#include "core/api/explain.hpp"

#include <gtest/gtest.h>

#include "core/journal/members.hpp"
#include "core/pipeline/scenario.hpp"
#include "tests/support/run_now.hpp"
#include "tests/unit/pipeline/real_road.hpp"
#include "tests/unit/vault/support.hpp"

namespace schakel::api {
namespace {
using test::run_now;

struct NoDocumentCheck final : ingress::DocumentCheck {
  Task<Result<void>> check(const Attachment&, std::string_view, std::string_view) override { co_return Result<void>{}; }
};

/// The road with what the routes need around it.
struct Api : ::testing::Test, test::RealRoad {
  boost::asio::io_context io;
  test::TempFolder folder;
  runtime::BlockingPool pool{1, 16};
  std::unique_ptr<vault::Vault> vault = std::move(*run_now(vault::Vault::open(*store, clock, test::master(1))));
  vault::Documents documents{*vault, *store, clock, pool, std::move(*vault::Blobs::open(folder.path() / "blobs"))};
  vault::Participants participants{*vault, *store};
  vault::Bsn bsn{*vault, *store, clock};
  delivery::Delivering delivering{journal, *vault, documents, pipeline->profiles()};
  outbox::Dispatcher dispatcher{*store, delivering, clock, outbox::DispatcherOptions{}};
  ingress::TypeCatalogue types = ingress::TypeCatalogue::load(SCHAKEL_SOURCE_DIR "/config/schemas/messages").value();
  NoDocumentCheck check;
  ingress::Ingress ingress{journal, parties, types, check, {"KNH"}};

  Services services() {
    return {io.get_executor(),
            *store,
            journal,
            ingress,
            *pipeline,
            dispatcher,
            delivering,
            *vault,
            documents,
            participants,
            bsn,
            parties,
            clock,
            0,
            "",
            {},
            {},
            {},
            {},
            nullptr,
            SCHAKEL_SOURCE_DIR "/config/schemas/messages"};
  }
  /// What a route answers. The broker's work runs on `io`, which is the one the caller is on.
  net::Response ask(std::string method, std::string pattern, std::map<std::string, std::string> path, const char* party,
                    std::map<std::string, std::string> query = {}, const Json& body = Json(),
                    std::string language = "") {
    for (auto part : {explain_routes(), rehearse_routes()})
      for (auto& route : part) {
        if (route.method != method || route.pattern != pattern) continue;
        EXPECT_EQ(route.who, party ? Who::party : Who::operator_);
        net::Request request;
        request.head.method = method;
        if (!language.empty()) request.head.headers.set("Accept-Language", language);
        if (!body.is_null()) request.body = dump_json(body);
        auto s = services();
        Call call{.services = s,
                  .request = request,
                  .party = party ? parties->find(party) : nullptr,
                  .path = std::move(path),
                  .query = std::move(query)};
        net::Response out;
        bool done = false;
        boost::asio::co_spawn(io, route.run(call), [&](std::exception_ptr e, net::Response r) {
          if (e) std::rethrow_exception(e);
          out = std::move(r);
          done = true;
        });
        io.restart();
        io.run_for(std::chrono::seconds(60));
        EXPECT_TRUE(done);
        return out;
      }
    ADD_FAILURE() << "no route " << pattern;
    return {};
  }
  Json explain(store::MessageSeq seq, const char* party, std::string language = "", int status = 200) {
    auto r = ask("GET", "/v1/berichten/{bericht}/uitleg", {{"bericht", std::to_string(seq)}}, party, {}, {},
                 std::move(language));
    EXPECT_EQ(r.status, status) << r.body;
    return Json::parse(r.body);
  }
  void join(const char* party) { ASSERT_TRUE(run_now(store->commit({{journal::member(zaak, party)}}))); }
  Json blocked_case() {
    auto payload = rules_test::given();
    payload["consents"] = Json::array({rules_test::consent("c1", "ouder_1", "documents")});
    return payload;
  }
};

TEST_F(Api, TheSenderHearsOutcomeRulesFactsAndTheSmallestChange) {
  open(blocked_case());
  join("school");
  auto r = say("2026-11-20T08:00:00Z", "documentlevering", "school_ib", test::road_delivery());
  auto nl = explain(r.message.seq, "school"), en = explain(r.message.seq, "school", "en");
  EXPECT_EQ(nl["uitkomst"], "blocked");
  EXPECT_EQ(nl["codes"], Json::array({"CONSENT_PARTIAL"}));
  EXPECT_NE(nl["samenvatting"].get<std::string>().find("is tegengehouden"), std::string::npos);
  EXPECT_NE(en["samenvatting"].get<std::string>().find("was blocked"), std::string::npos);
  ASSERT_FALSE(nl["regels"].empty());
  bool consent_rule = false;
  for (const auto& rule : nl["regels"]) {
    EXPECT_FALSE(rule["citaat"].get<std::string>().empty());
    EXPECT_EQ(rule["versie"], r.rules_version);
    if (rule["regel"] == "CORE-CONSENT-01") {
      consent_rule = true;
      EXPECT_EQ(rule["bestand"], "core.json");
    }
  }
  EXPECT_TRUE(consent_rule);
  ASSERT_TRUE(nl["anders"]["gevonden"]);
  EXPECT_EQ(nl["anders"]["aantal"], 1);
  EXPECT_TRUE(nl["anders"]["kleinste"]);
  bool named = false;
  for (const auto& a : nl["anders"]["mogelijkheden"])
    named = named || a["tekst"] ==
                         "Als ouder_2 toestemming voor documents had gegeven: delivered, ook naar jeugdhulpdeskundige, "
                         "orthopedagoog.";
  EXPECT_TRUE(named) << nl["anders"].dump(2);
  // One record, two languages: only words differ.
  for (const char* same : {"volgnummer", "uitkomst", "codes", "regelversie", "feiten", "ontvangers", "nietNaar"})
    EXPECT_EQ(nl[same], en[same]) << same;
}

TEST_F(Api, ARecipientHearsOnlyWhyItGotIt) {
  auto payload = rules_test::given();
  payload["case"]["wijkteam_involved"] = true;
  open(payload);
  auto r = say("2026-11-20T08:00:00Z", "documentlevering", "school_ib", test::road_delivery(), {"smw"});
  ASSERT_EQ(r.draft.outcome, Outcome::delivered);
  auto j = explain(r.message.seq, "ortho");
  // A quote names whom it likes: it is the public text of the rule.
  auto unquoted = j;
  for (auto& rule : unquoted["regels"]) rule.erase("citaat");
  auto text = unquoted.dump();
  ASSERT_EQ(j["ontvangers"].size(), 1u);
  EXPECT_EQ(j["ontvangers"][0]["rol"], "orthopedagoog");
  EXPECT_FALSE(j["regels"].empty());
  // Neither who else got it or did not, nor what others stated.
  for (const char* secret : {"jeugdhulpdeskundige", "procesregisseur", "smw", "wijkteam", "2018-01-30", "bericht-"})
    EXPECT_EQ(text.find(secret), std::string::npos) << secret << text;
  EXPECT_FALSE(j.contains("id"));
}

TEST_F(Api, FactsThatOthersStatedAreHiddenFromTheSenderAndNotVaried) {
  auto payload = rules_test::given();
  payload["case"]["wijkteam_involved"] = true;
  say("2026-11-01T09:00:00Z", "zaak_opening", "broker", payload, {}, "vreemd");
  join("school");
  auto r = say("2026-11-20T08:00:00Z", "documentlevering", "school_ib", test::road_delivery());
  auto mine = explain(r.message.seq, "school");
  EXPECT_GT(mine["verborgenFeiten"].get<int>(), 0);
  EXPECT_EQ(mine.dump().find("wijkteam_involved"), std::string::npos) << mine.dump(2);
  EXPECT_EQ(mine.dump().find("birth_date"), std::string::npos);
  auto all = ask("GET", "/v1/beheer/uitleg/{wat}", {{"wat", std::to_string(r.message.seq)}}, nullptr);
  EXPECT_NE(all.body.find("wijkteam_involved"), std::string::npos);
}

TEST_F(Api, StrangersLearnNothingNotEvenThatItIsThere) {
  open();
  auto r = say("2026-11-20T08:00:00Z", "documentlevering", "school_ib", test::road_delivery());
  EXPECT_EQ(explain(r.message.seq, "vreemd", "", 404)["code"], "MESSAGE_UNKNOWN");
  EXPECT_EQ(explain(999999, "vreemd", "", 404)["code"], "MESSAGE_UNKNOWN");
  join("vreemd");
  EXPECT_EQ(explain(r.message.seq, "vreemd", "", 404)["code"], "MESSAGE_UNKNOWN");
  auto of_case = ask("GET", "/v1/zaken/{zaak}/uitleg", {{"zaak", zaak}}, "vreemd");
  EXPECT_EQ(Json::parse(of_case.body)["besluiten"], Json::array());
  for (const char* hostile : {"", "-1", "0", "1x", "99999999999999999999", "../1"}) {
    auto bad = ask("GET", "/v1/berichten/{bericht}/uitleg", {{"bericht", hostile}}, "school");
    EXPECT_EQ(bad.status, 404) << hostile;
  }
}

TEST_F(Api, NoCounterfactualWhereTheDecisionCannotBeMadeAgain) {
  open(blocked_case());
  join("school");
  auto r = say("2026-11-20T08:00:00Z", "documentlevering", "school_ib", test::road_delivery());
  ASSERT_TRUE(
      run_now(store->commit({{store::EraseRow{std::string(pipeline::kRuleSpace), r.rules_version, std::nullopt}}})));
  start(rules_test::profiles());
  auto j = explain(r.message.seq, "school");
  EXPECT_FALSE(j["anders"]["gevonden"]);
  EXPECT_EQ(j["anders"]["reden"], "RULES_UNKNOWN");
  EXPECT_FALSE(j["regels"].empty());
}

TEST_F(Api, AsOfShowsTheInstantAndMakesTheDecisionsAgain) {
  ASSERT_TRUE(run_now(pipeline->rules().in_force_now(rules_test::profiles(), test::road_parties(), clock.now())));
  open();
  say("2026-11-20T08:00:00Z", "documentlevering", "school_ib", test::road_delivery());
  say("2026-11-21T08:00:00Z", "toestemming_intrekking", "ouder_1", {{"consent", "c1"}});
  auto as_of = [&](const char* at) {
    return ask("GET", "/v1/beheer/toen/{zaak}", {{"zaak", zaak}}, nullptr, {{"op", at}});
  };
  auto before = Json::parse(as_of("2026-11-20T12:00:00Z").body),
       after = Json::parse(as_of("2026-11-21T08:00:00Z").body);
  EXPECT_EQ(before["besluiten"].size(), 2u);
  EXPECT_EQ(after["besluiten"].size(), 3u);
  for (const auto& d : after["besluiten"]) EXPECT_EQ(d["herleid"], "gelijk");
  EXPECT_EQ(before["toestemmingen"][0]["stand"], "geldig");
  EXPECT_EQ(after["toestemmingen"][0]["stand"], "ingetrokken");
  EXPECT_EQ(before["ingericht"]["regios"]["KNH"], rules_test::profiles().at("KNH")->version());
  std::set<std::string> parties_then;
  for (const auto& p : before["partijen"]) parties_then.insert(p["id"].get<std::string>());
  EXPECT_TRUE(parties_then.contains("school"));
  EXPECT_TRUE(parties_then.contains("ortho"));
  EXPECT_EQ(as_of("2026-10-01T00:00:00Z").status, 404);
  EXPECT_EQ(as_of("yesterday").status, 400);
  EXPECT_EQ(
      ask("GET", "/v1/beheer/toen/{zaak}", {{"zaak", "Z-nobody"}}, nullptr, {{"op", "2026-11-20T12:00:00Z"}}).status,
      404);
}

TEST_F(Api, AsOfOfAnErasedCaseSaysSoAndGuessesNothing) {
  auto opened = open();
  say("2026-11-20T08:00:00Z", "documentlevering", "school_ib", test::road_delivery());
  erase(opened.message.seq);
  auto j = Json::parse(
      ask("GET", "/v1/beheer/toen/{zaak}", {{"zaak", zaak}}, nullptr, {{"op", "2026-12-01T00:00:00Z"}}).body);
  ASSERT_EQ(j["besluiten"].size(), 2u);
  EXPECT_EQ(j["besluiten"][0]["reden"], "ERASED");
  EXPECT_EQ(j["besluiten"][1]["reden"], "CASE_INCOMPLETE");
  EXPECT_FALSE(j["volledig"]);
  EXPECT_TRUE(j["feiten"].is_null());
  EXPECT_TRUE(j["toestemmingen"].empty());
  EXPECT_EQ(j["partijenReden"], "PARTIES_UNKNOWN");
}

TEST_F(Api, PlanWalksTheCasesAndRefusesWhatIsNoRuleData) {
  open();
  say("2026-11-20T08:00:00Z", "documentlevering", "school_ib", test::road_delivery());
  Json body{{"vanaf", "2026-11-10T00:00:00Z"}, {"na", 0}, {"regels", Json::array()}};
  body["regels"].push_back(test::changed(rules_test::profiles().at("KNH"), [](Json& region) {
                             region["settings"]["child_consent_age"] = {{"value", 4}, {"why", "proef"}};
                           })->source());
  auto r = ask("POST", "/v1/beheer/plan", {}, nullptr, {}, body);
  ASSERT_EQ(r.status, 200) << r.body;
  auto j = Json::parse(r.body);
  // The opening is before the span; it is known, not counted.
  EXPECT_EQ(j["besluiten"], 1);
  EXPECT_EQ(j["anders"], 1) << r.body;
  EXPECT_TRUE(j["verder"].is_null());
  body["regels"][0]["region"]["rules"][0]["when"] = {{"case.no_such_fact", true}};
  EXPECT_EQ(Json::parse(ask("POST", "/v1/beheer/plan", {}, nullptr, {}, body).body)["code"], "PROFILE_INVALID");
  for (const Json& bad : {Json::array(), Json{{"vanaf", "x"}}, Json{{"vanaf", "2026-11-10T00:00:00Z"}, {"regels", 3}}})
    EXPECT_EQ(ask("POST", "/v1/beheer/plan", {}, nullptr, {}, bad).status, 400);
}

TEST_F(Api, CaptureGivesAScenario) {
  open();
  say("2026-11-20T08:00:00Z", "documentlevering", "school_ib", test::road_delivery());
  auto r = ask("GET", "/v1/beheer/zaken/{zaak}/scenario", {{"zaak", zaak}}, nullptr);
  ASSERT_EQ(r.status, 200) << r.body;
  EXPECT_TRUE(scenario::read(Json::parse(r.body)["scenario"].dump()));
  EXPECT_EQ(ask("GET", "/v1/beheer/zaken/{zaak}/scenario", {{"zaak", "Z-nobody"}}, nullptr).status, 404);
}

}  // namespace
}  // namespace schakel::api
