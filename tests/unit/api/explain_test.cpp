// Explanations, as-of, plan and capture through the routes, as a party and as the operator.
#include "core/api/explain.hpp"

#include <gtest/gtest.h>

#include "core/journal/members.hpp"
#include "core/pipeline/scenario.hpp"
#include "tests/support/run_now.hpp"
#include "tests/unit/api/api_road.hpp"

namespace schakel::api {
namespace {
using test::run_now;

struct Api : ::testing::Test, test::ApiRoad {
  /// What a route answers.
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
  for (const char* same : {"volgnummer", "uitkomst", "codes", "regelversie", "ontvangers", "nietNaar"})
    EXPECT_EQ(nl[same], en[same]) << same;
  auto without_words = [](Json facts) {
    for (auto& f : facts) f.erase("betekenis");
    return facts;
  };
  EXPECT_EQ(without_words(nl["feiten"]), without_words(en["feiten"]));
  EXPECT_NE(nl["feiten"], en["feiten"]);
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

TEST_F(Api, APlanOfManyCasesIsTheSumOfEach) {
  // Two pages of rows in one case, and more cases than are looked at together.
  for (int c = 0; c < 6; ++c) {
    zaak = "Z-222222222222222" + std::string(1, static_cast<char>('A' + c));
    open();
    for (int n = 0; n < (c == 2 ? 205 : c); ++n)
      say("2026-11-20T08:00:00Z", "documentlevering", "school_ib", test::road_delivery());
  }
  // The clock stands at the last thing said: all but the first two openings are in the span.
  auto in_span = [&](store::MessageFilter filter) {
    std::int64_t n = 0;
    filter.limit = 1000;
    for (const auto& m : run_now(store->messages(filter)).value())
      n += m.accepted_at >= parse_instant("2026-11-10T00:00:00Z").value();
    return n;
  };
  auto decisions = in_span({});
  ASSERT_EQ(decisions, 1 + 205 + 3 + 4 + 5 + 4);
  Json body{{"vanaf", "2026-11-10T00:00:00Z"}, {"na", 0}, {"regels", Json::array()}};
  body["regels"].push_back(rules_test::profiles().at("KNH")->source());
  auto j = Json::parse(ask("POST", "/v1/beheer/plan", {}, nullptr, {}, body).body);
  EXPECT_EQ(j["besluiten"], decisions) << j.dump();
  EXPECT_EQ(j["gelijk"], decisions);
  EXPECT_EQ(j["zaken"], 5) << "a case with nothing in the span is not counted";
  EXPECT_TRUE(j["verder"].is_null());
  // From the third case on.
  auto openings = run_now(store->messages({.type = "zaak_opening"})).value();
  body["na"] = openings[2].seq;
  EXPECT_EQ(Json::parse(ask("POST", "/v1/beheer/plan", {}, nullptr, {}, body).body)["besluiten"],
            in_span({.after = openings[2].seq}) - 205);
}

TEST_F(Api, ACaseWithMoreDecisionsThanOneAnswerHoldsIsAskedOn) {
  open();
  for (int n = 0; n < 4; ++n) say("2026-11-20T08:00:00Z", "toestemming", "ouder_1", {{"purpose", "smw_contact"}});
  say("2026-11-20T09:00:00Z", "link_geopend", "ciz", {{"delivery", "geen"}}, {}, "vreemd");
  join("school");
  auto page = [&](const char* party, store::MessageSeq after, std::size_t limit) {
    auto s = services();
    Json out;
    boost::asio::co_spawn(
        io, explanations(s, zaak, 0, party ? parties->find(party) : nullptr, pipeline::Lang::nl, false, after, limit),
        [&](std::exception_ptr e, Result<Json> r) {
          if (e) std::rethrow_exception(e);
          out = r.value();
        });
    io.restart();
    io.run_for(std::chrono::seconds(60));
    return out;
  };
  for (const char* party : {"school", static_cast<const char*>(nullptr)}) {
    std::vector<std::int64_t> seen;
    Json next = 0;
    int pages = 0;
    for (; !next.is_null() && pages < 10; ++pages) {
      auto j = page(party, next.get<store::MessageSeq>(), 2);
      EXPECT_LE(j["besluiten"].size(), 2u);
      for (const auto& d : j["besluiten"]) seen.push_back(d["volgnummer"].get<std::int64_t>());
      next = j["verder"];
    }
    // The school has not to do with what a stranger opened.
    EXPECT_EQ(seen.size(), party ? 5u : 6u);
    EXPECT_EQ(pages, 3);
    EXPECT_TRUE(std::ranges::is_sorted(seen));
    EXPECT_EQ(std::set<std::int64_t>(seen.begin(), seen.end()).size(), seen.size());
    EXPECT_TRUE(page(party, 0, 6)["verder"].is_null()) << "exactly full is all";
  }
  for (const char* bad : {"x", "-1", "1e3", "", "99999999999999999999"}) {
    EXPECT_EQ(ask("GET", "/v1/zaken/{zaak}/uitleg", {{"zaak", zaak}}, "school", {{"na", bad}}).status, 400) << bad;
    EXPECT_EQ(ask("GET", "/v1/beheer/uitleg/{wat}", {{"wat", zaak}}, nullptr, {{"na", bad}}).status, 400) << bad;
  }
  auto rest = Json::parse(ask("GET", "/v1/zaken/{zaak}/uitleg", {{"zaak", zaak}}, "school", {{"na", "4"}}).body);
  ASSERT_EQ(rest["besluiten"].size(), 1u);
  EXPECT_EQ(rest["besluiten"][0]["volgnummer"], 5);
  EXPECT_TRUE(rest["verder"].is_null());
}

TEST_F(Api, WhatTheOperatorIsShownOfACaseLeavesALeaf) {
  open();
  auto r = say("2026-11-20T08:00:00Z", "documentlevering", "school_ib", test::road_delivery());
  auto shown = [&] {
    EXPECT_TRUE(run_now(store->commit({{store::SequenceLeaves{}}})));
    std::vector<std::string> out;
    for (const auto& leaf : run_now(store->leaves(0, 1000)).value())
      if (leaf.kind == "case.shown") out.push_back(leaf.body);
    return out;
  };
  ask("GET", "/v1/beheer/uitleg/{wat}", {{"wat", std::to_string(r.message.seq)}}, nullptr);
  ask("GET", "/v1/beheer/toen/{zaak}", {{"zaak", zaak}}, nullptr, {{"op", "2026-11-20T12:00:00Z"}});
  ask("GET", "/v1/beheer/zaken/{zaak}/scenario", {{"zaak", zaak}}, nullptr);
  auto leaves = shown();
  ASSERT_EQ(leaves.size(), 3u);
  const char* as[] = {"explain", "as_of", "scenario"};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NE(leaves[i].find(as[i]), std::string::npos) << leaves[i];
    EXPECT_NE(leaves[i].find(zaak), std::string::npos) << leaves[i];
  }
  // What was not found was not shown.
  ask("GET", "/v1/beheer/uitleg/{wat}", {{"wat", "999999"}}, nullptr);
  ask("GET", "/v1/beheer/toen/{zaak}", {{"zaak", "Z-nobody"}}, nullptr, {{"op", "2026-11-20T12:00:00Z"}});
  EXPECT_EQ(shown().size(), 3u);
}

TEST_F(Api, WhatIsStatedAboutTheChildIsMaskedUnlessAReasonIsGivenWhichIsLogged) {
  open(blocked_case());
  auto r = say("2026-11-20T08:00:00Z", "documentlevering", "school_ib", test::road_delivery());
  auto number = std::to_string(r.message.seq);
  auto of = [&](std::map<std::string, std::string> query) {
    return ask("GET", "/v1/beheer/uitleg/{wat}", {{"wat", number}}, nullptr, std::move(query));
  };
  auto values = [](const Json& decision) {
    std::map<std::string, Json> out;
    for (const auto& f : decision["feiten"]) out[f["naam"]] = f["waarde"];
    return out;
  };
  auto masked = Json::parse(of({}).body)["besluiten"][0];
  const std::string reason = sha256_hex("melding 2026-114 van de school");
  auto shown = Json::parse(of({{"onthul", reason}}).body)["besluiten"][0];
  EXPECT_EQ(masked["codes"], shown["codes"]);
  auto hidden = values(masked), plain = values(shown);
  ASSERT_EQ(hidden.size(), plain.size());
  int stars = 0;
  for (const auto& [name, value] : hidden) {
    EXPECT_EQ(value == Json(pipeline::kMasked), pipeline::about_child(name)) << name;
    EXPECT_NE(plain[name], Json(pipeline::kMasked)) << name;
    stars += value == Json(pipeline::kMasked);
  }
  EXPECT_GT(stars, 0);
  EXPECT_TRUE(pipeline::about_child("pupil.birth_date"));
  EXPECT_FALSE(pipeline::about_child("consent:ouder_1:documents"));
  EXPECT_FALSE(pipeline::about_child("message.time"));
  for (const auto& rule : masked["regels"])
    for (const auto& [name, value] : rule["feiten"].items())
      if (pipeline::about_child(name)) EXPECT_EQ(value, pipeline::kMasked) << name;

  auto then = [&](std::map<std::string, std::string> query) {
    query["op"] = "2026-11-21T00:00:00Z";
    return Json::parse(ask("GET", "/v1/beheer/toen/{zaak}", {{"zaak", zaak}}, nullptr, std::move(query)).body);
  };
  for (const auto& [name, value] : then({})["feiten"].items()) EXPECT_EQ(value, pipeline::kMasked) << name;
  EXPECT_EQ(then({{"onthul", reason}})["feiten"]["extra_support"], rules_test::given()["case"]["extra_support"]);

  ASSERT_TRUE(run_now(store->commit({{store::SequenceLeaves{}}})));
  int with_reason = 0, all = 0;
  for (const auto& leaf : run_now(store->leaves(0, 1000)).value()) {
    if (leaf.kind != "case.shown") continue;
    ++all;
    with_reason += leaf.body.find(reason) != std::string::npos;
  }
  EXPECT_EQ(with_reason, 2);
  EXPECT_EQ(all, 4);
  for (const char* bad : {"", "waarom", "00", "zz"}) {
    auto answer = of({{"onthul", bad}});
    EXPECT_EQ(answer.status, 400) << bad;
    EXPECT_EQ(Json::parse(answer.body)["code"], "REASON_REQUIRED");
  }
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
