// Who may call which route, what it refuses and with which code: every route of core/api.
#include "core/outbox/delivery_row.hpp"
#include "core/pipeline/series.hpp"
#include "core/portal/authenticators.hpp"
#include "desk.hpp"

namespace schakel::test {
namespace {

Json event(std::string id, std::string case_id, Json data = {{"date", "2026-10-15"}}, std::string role = "school_ib",
           const std::string& oin = kSchoolOin) {
  data.update({{"region", "KNH"}, {"sender", {{"role", role}}}});
  return {{"specversion", "1.0"},
          {"id", id},
          {"source", "urn:nld:oin:" + oin + ":systeem:t"},
          {"type", "nl.schakel.intern_overleg.v1"},
          {"subject", case_id},
          {"data", data}};
}
const std::vector<std::pair<std::string, std::string>> kEvent{{"Content-Type", "application/cloudevents+json"}};

std::string filled(std::string pattern, const std::string& zaak) {
  for (const auto& [name, value] : std::map<std::string, std::string>{{"{zaak}", zaak},
                                                                      {"{bericht}", "1"},
                                                                      {"{persoon}", "p-1"},
                                                                      {"{partij}", "gemeente"},
                                                                      {"{id}", "A-x"},
                                                                      {"{doel}", "t"},
                                                                      {"{wat}", "1"},
                                                                      {"{aflevering}", "A-x"}})
    if (auto at = pattern.find(name); at != std::string::npos) pattern.replace(at, name.size(), value);
  return pattern;
}

TEST_F(Desk, EveryRouteIsForThoseItSaysAndNobodyElse) {
  for (const auto& route : api::all_routes()) {
    auto path = filled(route.pattern, "Z-AAAAAAAAAAAAAAAA");
    ASSERT_EQ(path.find('{'), std::string::npos) << path;
    auto stranger = ask(nobody, route.method, path);
    auto local = ask(operator_(), route.method, path, route.method == "POST" ? "{}" : "");
    switch (route.who) {
      case api::Who::anyone: {
        // What operators watch is not on the listener of partners.
        bool watched = path == "/readyz" || path == "/metrics";
        EXPECT_EQ(stranger.status, watched ? 404 : 200) << path;
        break;
      }
      case api::Who::party:
        EXPECT_EQ(stranger.code, "PARTY_UNKNOWN") << path;
        EXPECT_FALSE(stranger.body_read) << path;
        EXPECT_EQ(local.code, "PARTY_UNKNOWN") << path << ": the operator may not pose as a party";
        break;
      case api::Who::operator_:
        EXPECT_EQ(stranger.status, 404) << path;
        EXPECT_EQ(ask(gemeente, route.method, path).code, "NOT_FOUND")
            << path << ": a party does not learn that it exists";
        clock.advance(std::chrono::minutes(1));
        EXPECT_NE(local.status, 403) << path;
        break;
    }
  }
}

TEST_F(Desk, NoRouteBreaksOnABodyThatIsNoObject) {
  auto zaak = open_case();
  for (const auto& route : api::all_routes()) {
    if (route.method == "GET") continue;
    for (const std::string body :
         {"", "[]", "{", "\"x\"", "{\"a\":1,\"a\":2}", "{\"bsn\":5}", "\xff",
          "{\"rol\":7,\"kenmerk\":[],\"actie\":{},\"reden\":5,\"pad\":1,\"gepauzeerd\":3,\"do\":[]}"}) {
      clock.advance(std::chrono::minutes(1));
      auto got = ask(route.who == api::Who::operator_ ? operator_() : school, route.method,
                     filled(route.pattern, zaak) + (route.stream ? "?zaak=" + zaak : ""), body);
      EXPECT_GE(got.status, 400) << route.pattern << " " << body;
      EXPECT_NE(got.status, 500) << route.pattern << " " << body;
      EXPECT_FALSE(got.code.empty() && got.status != 413) << route.pattern << " " << body << " " << got.status;
    }
  }
}

TEST_F(Desk, ACaseOfAnotherIsNotThere) {
  auto zaak = open_case();
  for (const auto& route : api::all_routes()) {
    if (route.who != api::Who::party || route.pattern.find("{zaak}") == std::string::npos) continue;
    clock.advance(std::chrono::minutes(1));
    auto foreign = ask(elsewhere, route.method, filled(route.pattern, zaak), route.method == "PUT" ? "{}" : "");
    auto missing =
        ask(elsewhere, route.method, filled(route.pattern, "Z-AAAAAAAAAAAAAAAA"), route.method == "PUT" ? "{}" : "");
    EXPECT_EQ(foreign.code, missing.code) << route.pattern;
    EXPECT_EQ(foreign.body, missing.body) << route.pattern;
    if (route.pattern != "/v1/zaken/{zaak}/bsn") EXPECT_EQ(foreign.code, "CASE_UNKNOWN") << route.pattern;
  }
  for (const char* path :
       {"/v1/documenten?zaak=", "/v1/toestemmingen?zaak=", "/v1/afleveringen?zaak=", "/v1/facturen?zaak="})
    EXPECT_EQ(ask(elsewhere, "GET", path + zaak).code, "CASE_UNKNOWN") << path;
  EXPECT_EQ(ask(gemeente, "GET", "/v1/zaken/" + zaak).status, 200) << "a party that works for the region";
  EXPECT_EQ(ask(school, "GET", "/v1/zaken/" + zaak).body["id"], zaak);
}

TEST_F(Desk, RightsThatTheHeadTellsAreJudgedBeforeTheBody) {
  auto binary = [&](const net::PeerIdentity& peer, const std::string& oin, const std::string& type) {
    return ask(peer, "POST", "/v1/berichten", "{}",
               {{"Content-Type", "application/json"},
                {"ce-specversion", "1.0"},
                {"CE-Type", "nl.schakel." + type + ".v1"},
                {"ce-id", "1"},
                {"ce-source", "urn:nld:oin:" + oin + ":systeem:t"}});
  };
  for (const auto& [got, code] : {std::pair{ask(mute, "POST", "/v1/berichten", "{}", kEvent), "PARTY_NOT_ALLOWED"},
                                  std::pair{binary(gemeente, kGemeenteOin, "factuur"), "PARTY_NOT_ALLOWED"},
                                  std::pair{binary(gemeente, kSchoolOin, "intern_overleg"), "SOURCE_NOT_YOURS"},
                                  std::pair{ask(gemeente, "POST", "/v1/zaken", "{}"), "PARTY_NOT_ALLOWED"},
                                  std::pair{ask(gemeente, "PUT", "/v1/zaken/Z-A/bsn", "{}"), "BSN_NOT_YOURS"}}) {
    EXPECT_EQ(got.code, code);
    EXPECT_EQ(got.status, 403);
    EXPECT_FALSE(got.body_read) << code;
  }
  EXPECT_TRUE(binary(gemeente, kGemeenteOin, "intern_overleg").body_read);
  EXPECT_TRUE(binary(gemeente, kGemeenteOin, "bestaat_niet").body_read)
      << "an unknown type gets its own code from the reader of events";
}

TEST_F(Desk, EveryRefusalOfAKnownPartyLeavesALeafAndOthersDoNot) {
  auto zaak = open_case();
  ask(nobody, "POST", "/v1/berichten", "{}", kEvent);
  EXPECT_TRUE(refusals().empty());
  ask(school, "GET", "/v1/niets");
  ask(school, "DELETE", "/v1/zaken/" + zaak);
  ask(school, "POST", "/v1/berichten", "{", kEvent);
  ask(school, "PUT", "/v1/zaken/" + zaak + "/bsn", "{\"bsn\":\"123\"}");
  ask(mute, "POST", "/v1/berichten", "{}", kEvent);
  ask(school, "PUT", "/v1/zaken/" + zaak + "/kenmerken/gemeente", std::string(5000, ' '));
  ask(school, "GET", "/v1/zaken?a=1&a=2");
  auto got = refusals();
  EXPECT_EQ(got, (std::vector<std::string>{"school NOT_FOUND", "school METHOD_NOT_ALLOWED", "school JSON_SYNTAX",
                                           "school BSN_INVALID", "stil PARTY_NOT_ALLOWED", "school BODY_TOO_LARGE",
                                           "school METHOD_NOT_ALLOWED"}));
  EXPECT_EQ(ask(school, "GET", "/v1/zaken/" + zaak).status, 200);
  EXPECT_EQ(refusals().size(), got.size()) << "what is answered leaves none";
}

TEST_F(Desk, AMessageIsAcceptedOnceAndShownToItsSenderOnly) {
  auto zaak = open_case();
  auto text = dump_json(event("e-1", zaak));
  auto first = ask(school, "POST", "/v1/berichten", text, kEvent),
       again = ask(school, "POST", "/v1/berichten", text, kEvent);
  ASSERT_EQ(first.status, 202) << first.body.dump();
  EXPECT_EQ(again.status, 202);
  EXPECT_FALSE(first.body["berichten"][0]["dubbel"]);
  EXPECT_TRUE(again.body["berichten"][0]["dubbel"]);
  auto path = std::string(first.headers.get("Location"));
  EXPECT_EQ(ask(school, "GET", path).body["id"], "e-1");
  EXPECT_EQ(ask(gemeente, "GET", path).code, "MESSAGE_UNKNOWN");
  for (const char* bad : {"/v1/berichten/99999", "/v1/berichten/x", "/v1/berichten/1x", "/v1/berichten/-1",
                          "/v1/berichten/99999999999999999999"})
    EXPECT_EQ(ask(school, "GET", bad).code, "MESSAGE_UNKNOWN") << bad;
  EXPECT_EQ(ask(school, "POST", "/v1/berichten", dump_json(event("e-1", zaak, {{"date", "2026-10-16"}})), kEvent).code,
            "MESSAGE_CONFLICT");
  EXPECT_EQ(ask(gemeente, "POST", "/v1/berichten",
                dump_json(event("e-2", zaak, {{"date", "2026-10-15"}}, "school_ib", kGemeenteOin)), kEvent)
                .code,
            "PARTY_NOT_ALLOWED");
  EXPECT_EQ(ask(elsewhere, "POST", "/v1/berichten",
                dump_json(event("e-3", zaak, {{"date", "2026-10-15"}}, "school_ib", kElsewhereOin)), kEvent)
                .code,
            "PARTY_NOT_ALLOWED");
}

TEST_F(Desk, OpeningACaseNeedsAKeyAndARepeatFindsTheSameCase) {
  EXPECT_EQ(ask(school, "POST", "/v1/zaken", "{}").code, "IDEMPOTENCY_KEY");
  Json data{{"region", "KNH"},
            {"sender", {{"role", "school_ib"}}},
            {"pupil", {{"birth_date", "2017-03-02"}, {"school", "S"}, {"school_type", "PO"}, {"enrolled", true}}},
            {"case", {{"question_kind", "onderwijs_zorg"}, {"custody", {"ouder_1"}}}}};
  std::vector<std::pair<std::string, std::string>> key{{"Content-Type", "application/json"},
                                                       {"Idempotency-Key", "een"}};
  auto first = ask(school, "POST", "/v1/zaken", dump_json(data), key),
       again = ask(school, "POST", "/v1/zaken", dump_json(data), key);
  EXPECT_EQ(first.status, 201) << first.body.dump();
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(first.body["id"], again.body["id"]);
  data["pupil"]["school"] = "T";
  EXPECT_EQ(ask(school, "POST", "/v1/zaken", dump_json(data), key).status, 409);
  data["pupil"] = 5;
  key[1].second = "twee";
  auto bad = ask(school, "POST", "/v1/zaken", dump_json(data), key);
  EXPECT_EQ(bad.code, "SCHEMA_VIOLATION");
  EXPECT_FALSE(bad.body["fouten"].empty());
}

TEST_F(Desk, PeopleAreNamedByWhoMay) {
  auto path = "/v1/zaken/" + open_case() + "/deelnemers/";
  Json person{{"rol", "orthopedagoog"},
              {"naam", "Fictieve Orthopedagoog"},
              {"mail", "o@swv.example"},
              {"tweedeFactor", "sms:+31600000002"}};
  EXPECT_EQ(ask(school, "PUT", path + "o-1", dump_json(person)).status, 204);
  EXPECT_EQ(ask(gemeente, "PUT", path + "o-2", dump_json(person)).code, "ROLE_NOT_YOURS");
  person["rol"] = "procesregisseur";
  EXPECT_EQ(ask(gemeente, "PUT", path + "o-1", dump_json(person)).status, 403)
      << "it may send for the role only some types, and names nobody";
  person["schoenmaat"] = "44";
  auto unknown = ask(school, "PUT", path + "o-3", dump_json(person));
  EXPECT_EQ(unknown.code, "BODY_INVALID");
  EXPECT_EQ(unknown.body.dump().find("schoenmaat"), std::string::npos) << "a key can hold personal data";
}

TEST_F(Desk, AnAppThatWasNotEnrolledIsNoSecondFactor) {
  auto path = "/v1/zaken/" + open_case() + "/deelnemers/o-1";
  Json person{{"rol", "orthopedagoog"}, {"naam", "Fictieve Orthopedagoog"}, {"mail", "o@swv.example"}};
  for (std::string factor : {"totp:ortho-1", "totp:audit.seed", "totp:"}) {
    person["tweedeFactor"] = factor;
    EXPECT_EQ(ask(school, "PUT", path, dump_json(person)).code, "AUTHENTICATOR_UNKNOWN") << factor;
  }
  portal::Authenticators apps(*store, *vault, clock);
  ASSERT_TRUE(go(apps.enrol("ortho-1", false, 0)));
  person["tweedeFactor"] = "totp:ortho-1";
  EXPECT_EQ(ask(school, "PUT", path, dump_json(person)).status, 204);
}

TEST_F(Desk, ABsnGoesInOnceAndNeverComesBack) {
  auto path = "/v1/zaken/" + open_case() + "/bsn";
  EXPECT_EQ(ask(school, "PUT", path, R"({"bsn":"123456789"})").code, "BSN_INVALID");
  EXPECT_EQ(ask(school, "PUT", path, R"({"bsn":"999990019","naam":"x"})").code, "BODY_INVALID");
  EXPECT_EQ(ask(school, "PUT", path, R"({"bsn":"999990019"})").status, 204);
  EXPECT_EQ(ask(school, "PUT", path, R"({"bsn":"999990019"})").status, 204);
  EXPECT_EQ(ask(school, "PUT", path, R"({"bsn":"999990020"})").code, "BSN_CHANGED");
  EXPECT_EQ(ask(school, "GET", path).code, "METHOD_NOT_ALLOWED");
}

TEST_F(Desk, ReferencesOfPartners) {
  auto one = open_case(), two = open_case();
  auto path = [](const std::string& zaak, const char* partij) { return "/v1/zaken/" + zaak + "/kenmerken/" + partij; };
  EXPECT_EQ(ask(school, "PUT", path(one, "gemeente"), R"({"kenmerk":"G-1"})").status, 204);
  EXPECT_EQ(ask(school, "PUT", path(two, "gemeente"), R"({"kenmerk":"G-1"})").code, "REFERENCE_TAKEN");
  EXPECT_EQ(ask(school, "PUT", path(one, "bestaat-niet"), R"({"kenmerk":"G-1"})").code, "BODY_INVALID");
  EXPECT_EQ(ask(school, "PUT", path(one, "gemeente"), R"({"kenmerk":""})").code, "BODY_INVALID");
  EXPECT_EQ(ask(gemeente, "PUT", path(one, "elders"), R"({"kenmerk":"E-1"})").code, "CASE_NOT_YOURS");
}

TEST_F(Desk, AReferenceStaysWithTheCaseThatTookItFirst) {
  Json data{{"region", "KNH"},
            {"sender", {{"role", "school_ib"}}},
            {"reference", "LAS-1"},
            {"pupil", {{"birth_date", "2017-03-02"}, {"school", "S"}, {"school_type", "PO"}, {"enrolled", true}}},
            {"case", {{"question_kind", "onderwijs_zorg"}, {"custody", {"ouder_1"}}}}};
  auto open = [&](std::string key) {
    return ask(school, "POST", "/v1/zaken", dump_json(data),
               {{"Content-Type", "application/json"}, {"Idempotency-Key", std::move(key)}});
  };
  auto first = open("a");
  ASSERT_EQ(first.status, 201) << first.body.dump();
  auto zaak = first.body["id"].get<std::string>();
  EXPECT_EQ(open("b").code, "REFERENCE_TAKEN");
  auto again = open("a");
  EXPECT_EQ(again.status, 200) << "a repeat is no second opening";
  EXPECT_EQ(again.body["id"], zaak);
  EXPECT_EQ(go(journal.case_of("school", "LAS-1")).value(), zaak);
  EXPECT_EQ(go(store->messages({.type = "zaak_opening"}))->size(), 1U) << "nothing of the refused one was kept";
  data["reference"] = "LAS-2";
  EXPECT_EQ(open("b").status, 201) << "what was refused used nothing up";
}

TEST_F(Desk, DocumentsAreStoredForTheirOwnerAndBadUploadsAreNot) {
  auto zaak = open_case();
  auto up = [&](std::string query, std::string body) {
    return ask(school, "POST", "/v1/documenten?zaak=" + zaak + query, std::move(body),
               {{"Content-Type", "application/pdf"}});
  };
  auto made = up("&docType=opp&status=concept&versie=2", "%PDF-1.4");
  ASSERT_EQ(made.status, 201) << made.body.dump();
  EXPECT_EQ(made.body["omvang"], 8);
  EXPECT_EQ(up("&docType=opp", "").code, "DOCUMENT_EMPTY");
  auto bad = up("&docType=Naam%20Kind&status=&versie=nul", "x");
  EXPECT_EQ(bad.code, "DOCUMENT_INVALID");
  EXPECT_EQ(bad.body["fouten"].size(), 3u);
  EXPECT_EQ(up("&docType=opp", std::string(1024 * 1024 + 1, 'x')).status, 413);
  EXPECT_EQ(ask(school, "GET", "/v1/documenten?zaak=" + zaak).body["documenten"].size(), 1u);
  EXPECT_EQ(ask(gemeente, "GET", "/v1/documenten?zaak=" + zaak).body["documenten"].size(), 0u)
      << "each sees what it uploaded";
}

TEST_F(Desk, AMinuteHasItsShare) {
  for (int i = 0; i < 60; ++i) ask(elsewhere, "GET", "/v1/zaken/Z-A");
  auto over = ask(elsewhere, "GET", "/v1/zaken/Z-A");
  EXPECT_EQ(over.code, "RATE_LIMIT");
  EXPECT_EQ(over.headers.get("Retry-After"), "30");
  EXPECT_NE(ask(school, "GET", "/v1/zaken/Z-A").code, "RATE_LIMIT") << "another party is not held up";
  clock.advance(std::chrono::minutes(1));
  EXPECT_NE(ask(elsewhere, "GET", "/v1/zaken/Z-A").code, "RATE_LIMIT");
}

TEST_F(Desk, TheOperatorSeesLeavesInOrderAndCanAskForOneCode) {
  ask(mute, "POST", "/v1/berichten", "{}", kEvent);
  ask(school, "GET", "/v1/niets");
  refusals();
  auto all = ask(operator_(), "GET", "/v1/beheer/audit").body["bladen"];
  ASSERT_GE(all.size(), 2u);
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i]["plaats"], i);
  auto one = ask(operator_(), "GET", "/v1/beheer/audit?code=NOT_FOUND&partij=school").body["bladen"];
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one[0]["ids"]["route"], "none");
  EXPECT_EQ(ask(operator_(), "GET", "/v1/beheer/audit?na=" + std::to_string(all.size())).body["bladen"].size(), 0u);
  EXPECT_EQ(ask(operator_(), "GET", "/v1/beheer/audit?na=x").code, "VALUE");
}

TEST_F(Desk, ATargetThatIsNotThereCannotBePaused) {
  EXPECT_EQ(ask(operator_(), "POST", "/v1/beheer/doelen/bestaatniet", R"({"gepauzeerd":true})").code, "TARGET_UNKNOWN");
  delivery::Instance hook;
  hook.name = "hook";
  delivering.add(std::move(hook));
  EXPECT_EQ(ask(operator_(), "POST", "/v1/beheer/doelen/hook", R"({"gepauzeerd":true})").status, 200);
  EXPECT_EQ(ask(operator_(), "POST", "/v1/beheer/doelen/bestaatniet", R"({"gepauzeerd":false})").status, 200)
      << "what was paused before it left the configuration can be resumed";
  ASSERT_TRUE(go(store->commit({{store::PutRow{"progress.hook", "wacht/een", {}, std::nullopt}}})));
  auto status = ask(operator_(), "GET", "/v1/beheer/status").body;
  EXPECT_EQ(status["doelen"][0]["wachtOpInname"], 1);
}

TEST_F(Desk, AListThatIsNotWholeSaysSo) {
  store::Transaction many;
  for (int i = 0; i < 501; ++i) {
    store::DeliveryRow d;
    d.id = fmt::format("A-{:04}", i);
    d.lane = d.id;
    d.kind = "message";
    d.state = store::DeliveryState::parked;
    d.created_at = d.next_at = clock.now();
    many.ops.push_back(store::Enqueue{std::move(d)});
  }
  ASSERT_TRUE(go(store->commit(std::move(many))));
  auto first = ask(operator_(), "GET", "/v1/beheer/afleveringen?status=geparkeerd").body;
  ASSERT_EQ(first["afleveringen"].size(), 500U);
  ASSERT_TRUE(first.contains("verder"));
  auto rest =
      ask(operator_(), "GET", "/v1/beheer/afleveringen?status=geparkeerd&na=" + first["verder"].get<std::string>())
          .body;
  EXPECT_EQ(rest["afleveringen"].size(), 1U);
  EXPECT_FALSE(rest.contains("verder"));
  auto zaak = open_case();
  auto cases = ask(operator_(), "GET", "/v1/beheer/zaken").body;
  EXPECT_EQ(cases["zaken"].size(), 1U);
  EXPECT_FALSE(cases.contains("verder"));
  EXPECT_EQ(ask(operator_(), "GET", "/v1/beheer/zaken?na=1000").body["zaken"].size(), 0U);
  EXPECT_EQ(ask(operator_(), "GET", "/v1/beheer/zaken?na=x").code, "VALUE");
}

TEST_F(Desk, DeliveriesAreChangedWithAReasonOnly) {
  auto zaak = open_case();
  delivery::Instance instance;
  instance.name = "t";
  delivering.add(std::move(instance));
  outbox::Planned p;
  p.id = "A-1";
  p.kind = "message";
  p.role = "smw";
  p.code = "RECIPIENT_UNKNOWN";
  store::Transaction tx;
  ASSERT_TRUE(go(outbox::enqueue(journal.sealer(), p, {1, "m-1", zaak, "KNH", "case:" + zaak}, clock.now(), tx)));
  ASSERT_TRUE(go(store->commit(std::move(tx))));
  auto change = [&](Json body, std::string id = "A-1") {
    return ask(operator_(), "POST", "/v1/beheer/afleveringen/" + id, dump_json(body));
  };
  EXPECT_EQ(change({{"actie", "opnieuw"}}).code, "REASON_REQUIRED");
  EXPECT_EQ(change({{"actie", "weg"}, {"reden", "omdat"}}).code, "VALUE");
  EXPECT_EQ(change({{"actie", "opnieuw"}, {"reden", "omdat"}}, "A-2").code, "DELIVERY_UNKNOWN");
  EXPECT_EQ(change({{"actie", "opnieuw"}, {"reden", "omdat"}}).code, "RECIPIENT_UNKNOWN")
      << "nobody is known for this role";
  EXPECT_EQ(change({{"actie", "opnieuw"}, {"reden", "omdat"}, {"doel", "bestaatniet"}}).code, "TARGET_UNKNOWN");
  EXPECT_EQ(change({{"actie", "opnieuw"}, {"reden", "omdat"}, {"doel", "t"}}).status, 200);
  EXPECT_EQ(ask(operator_(), "GET", "/v1/beheer/afleveringen/A-1").body["status"], "wacht");
  EXPECT_EQ(ask(operator_(), "GET", "/v1/beheer/afleveringen?status=onzin").code, "VALUE");
}

TEST_F(Desk, BackupCarriesTheLeafOfItsOwnMakingAndTheStoreThatGoesOnAlsoItsEnd) {
  auto kinds = [&](store::Store& of) {
    go(of.commit({{store::SequenceLeaves{}}}));
    std::vector<std::string> out;
    for (const auto& row : go(of.leaves(0, 100)).value())
      if (row.kind.starts_with("store."))
        out.push_back(row.kind + Json::parse(row.body).value("codes", Json::array()).dump());
    return out;
  };
  auto order = [&](const std::string& path) {
    return ask(operator_(), "POST", "/v1/beheer/reservekopie", dump_json(Json{{"pad", path}}));
  };
  EXPECT_EQ(order("elders.db").code, "VALUE");
  auto copy = folder.file("copy.db");
  ASSERT_EQ(order(copy).status, 200);
  EXPECT_EQ(kinds(*store), (std::vector<std::string>{"store.backup[]", "store.backup_ended[]"}));
  EXPECT_FALSE(go(pipeline::continue_series(*store, clock.now())).value()) << "the store that goes on is no copy";
  auto again = order(copy);
  EXPECT_GE(again.status, 400) << "a copy is never written over";
  EXPECT_EQ(kinds(*store).back(), "store.backup_ended[\"" + again.code + "\"]");
  EXPECT_FALSE(go(pipeline::continue_series(*store, clock.now())).value()) << "also after a backup that failed";

  auto restored = store::SqliteStore::open(copy, clock);
  ASSERT_TRUE(restored) << restored.error().code;
  EXPECT_EQ(kinds(**restored), std::vector<std::string>{"store.backup[]"});
  EXPECT_TRUE(go(pipeline::continue_series(**restored, clock.now())).value()) << "a copy counts on in a new epoch";
}

TEST_F(Desk, EveryAnswerIsCountedByItsRouteAndNeverByItsPath) {
  EXPECT_EQ(ask(nobody, "GET", "/v1/zaken/Z-GEHEIM").status, 403);
  EXPECT_EQ(ask(operator_(), "GET", "/v1/beheer/afleveringen/A-GEHEIM").status, 404);
  EXPECT_EQ(ask(nobody, "GET", "/healthz").status, 200);
  EXPECT_EQ(ask(school, "GET", "/nergens/Z-GEHEIM").status, 404);
  EXPECT_EQ(answers, (std::vector<std::string>{"GET /v1/zaken/{zaak} 403", "GET /v1/beheer/afleveringen/{id} 404",
                                               "GET /healthz 200", " 404"}));
}

TEST_F(Desk, HealthIsHonestAndNotForPartners) {
  EXPECT_EQ(ask(nobody, "GET", "/healthz").status, 200);
  for (const char* path : {"/readyz", "/metrics"})
    for (const auto& who : {nobody, school}) EXPECT_EQ(ask(who, "GET", path).code, "NOT_FOUND") << path;
  listener = "health";
  EXPECT_EQ(ask(net::PeerIdentity{}, "GET", "/metrics").status, 200);
  EXPECT_EQ(ask(nobody, "GET", "/readyz").status, 200);
  ready = false;
  EXPECT_EQ(ask(nobody, "GET", "/readyz").status, 503);
  EXPECT_EQ(ask(nobody, "GET", "/healthz").status, 200);
}

}  // namespace
}  // namespace schakel::test
