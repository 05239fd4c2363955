// The two descriptions name exactly the routes of parties and those of the operator; and what the operator's routes
// answer is what is described.
#include <fstream>
#include <set>

#include "core/audit/sequencer.hpp"
#include "core/audit/verify.hpp"
#include "core/base/schema_check.hpp"
#include "core/outbox/delivery_row.hpp"
#include "tests/unit/api/desk.hpp"

namespace schakel::api {
namespace {

Json description_in(const char* file) {
  std::ifstream in(std::string(SCHAKEL_SOURCE_DIR "/core/api/") + file);
  return Json::parse(in);
}

/// "GET /v1/zaken/{zaak}"; paths count from the server's address.
std::set<std::string> described(const Json& description) {
  auto server = description.at("servers")[0].at("url").get<std::string>();
  auto base = server.substr(server.find('/', server.find("//") + 2));
  std::set<std::string> out;
  for (const auto& [path, methods] : description.at("paths").items())
    for (const auto& [method, what] : methods.items()) {
      if (method == "parameters") continue;
      auto upper = method;
      for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      out.insert(upper + " " + base + path);
    }
  return out;
}

std::set<std::string> served(const std::function<bool(const Route&)>& wanted) {
  std::set<std::string> out;
  for (const auto& route : all_routes())
    if (wanted(route)) EXPECT_TRUE(out.insert(route.method + " " + route.pattern).second) << route.pattern;
  return out;
}

TEST(OpenApi, DescribesEveryRouteOfAPartyAndNoOther) {
  EXPECT_EQ(described(description_in("openapi.json")), served([](const Route& r) {
              return r.who == Who::party || (r.who == Who::anyone && r.pattern.starts_with("/v1/"));
            }));
}

TEST(OpenApi, DescribesEveryRouteOfTheOperatorAndNoOther) {
  EXPECT_EQ(described(description_in("openapi_beheer.json")),
            served([](const Route& r) { return r.who == Who::operator_; }));
}

/// Beside these: what a load balancer and a scraper ask, which have no version.
TEST(OpenApi, WhatIsNotDescribedIsNamedHere) {
  EXPECT_EQ(served([](const Route& r) { return r.who == Who::anyone && !r.pattern.starts_with("/v1/"); }),
            (std::set<std::string>{"GET /healthz", "GET /readyz", "GET /metrics"}));
}

/// Parameters of a path are those of its pattern, so that a client made from the description reaches the route.
TEST(OpenApi, ParametersOfPathsAreThoseOfThePattern) {
  for (const char* file : {"openapi.json", "openapi_beheer.json"}) {
    auto description = description_in(file);
    for (const auto& [path, methods] : description.at("paths").items())
      for (const auto& [method, what] : methods.items()) {
        std::set<std::string> in_path, listed;
        for (auto at = path.find('{'); at != path.npos; at = path.find('{', at + 1))
          in_path.insert(path.substr(at + 1, path.find('}', at) - at - 1));
        if (what.contains("parameters"))
          for (const auto& p : what["parameters"])
            if (p["in"] == "path") listed.insert(p["name"]);
        EXPECT_EQ(in_path, listed) << file << " " << method << " " << path;
        EXPECT_EQ(what.contains("requestBody"), method == "post" || method == "put") << file << " " << method << path;
      }
  }
}

/// OpenAPI 3.0 as draft 7: nullable, and no member that is not described.
void strict(Json& schema, bool part_of_all = false) {
  if (schema.is_array())
    for (auto& one : schema) strict(one);
  if (!schema.is_object()) return;
  if (schema.contains("allOf")) {
    for (auto& one : schema["allOf"]) strict(one, true);
    return;
  }
  for (auto& [name, value] : schema.items())
    if (value.is_object() || value.is_array()) strict(value);
  if (schema.value("nullable", false) && schema.contains("type"))
    schema["type"] = Json::array({schema["type"], "null"});
  if (schema.value("type", Json()) == "object" && schema.contains("properties") && !schema["properties"].empty() &&
      !schema.contains("additionalProperties") && !part_of_all)
    schema["additionalProperties"] = false;
}

struct Answers : test::Desk {
  Json description = description_in("openapi_beheer.json");

  /// Asks, and holds the answer against its description.
  Json fits(const std::string& method, const std::string& pattern, const std::string& target, int status,
            const std::string& body = "") {
    auto reply = ask(operator_(), method, "/v1/beheer" + target, body);
    EXPECT_EQ(reply.status, status) << target << " " << reply.code;
    auto lower = method == "GET" ? "get" : "post";
    const auto& responses = description["paths"][pattern][lower]["responses"];
    auto code = std::to_string(status);
    if (!responses.contains(code)) {
      ADD_FAILURE() << method << " " << pattern << " has no " << code;
      return {};
    }
    Json response = responses[code];
    if (response.contains("$ref"))
      response = description[Json::json_pointer(response["$ref"].get<std::string>().substr(1))];
    Json schema = response["content"].begin().value()["schema"];
    // An object of a reference has nothing beside it, so the schema goes one level down.
    Json whole{{"allOf", {schema}}, {"components", description["components"]}};
    if (!schema.contains("$ref")) {
      whole = schema;
      strict(whole);
      whole["components"] = description["components"];
    }
    auto& schemas = whole["components"]["schemas"];
    // What allOf puts together cannot be closed one by one.
    for (auto& [name, one] : schemas.items()) strict(one, name == "Aflevering");
    auto checker = SchemaCheck::compile(whole);
    EXPECT_TRUE(checker) << pattern;
    if (checker)
      for (const auto& f : checker->findings(reply.body))
        ADD_FAILURE() << method << " " << pattern << ": " << f.pointer << " " << f.code << "\n" << reply.body.dump();
    return reply.body;
  }
};

TEST_F(Answers, AreAsDescribed) {
  auto zaak = open_case();
  delivery::Instance hook;
  hook.name = "hook";
  hook.plugin = "webhook";
  hook.deadline = std::chrono::seconds(90);
  delivering.add(std::move(hook));
  outbox::Planned p;
  p.id = "A-1";
  p.kind = "message";
  p.target = "hook";
  p.role = "gemeente_registratie";
  store::Transaction tx;
  ASSERT_TRUE(go(outbox::enqueue(journal.sealer(), p, {1, "m-1", zaak, "KNH", "case:" + zaak}, clock.now(), tx)));
  ASSERT_TRUE(go(store->commit(std::move(tx))));

  auto status = fits("GET", "/status", "/status", 200);
  EXPECT_EQ(status["doelen"][0]["pogingSeconden"], 90);
  EXPECT_EQ(fits("GET", "/zaken", "/zaken", 200)["zaken"].size(), 1u);
  fits("GET", "/zaken", "/zaken?na=x", 400);
  EXPECT_EQ(fits("GET", "/zaken/{zaak}", "/zaken/" + zaak, 200)["afleveringen"].size(), 1u);
  fits("GET", "/zaken/{zaak}", "/zaken/Z-NIETS", 404);
  EXPECT_EQ(fits("GET", "/uitleg/{wat}", "/uitleg/" + zaak, 200)["besluiten"].size(), 1u);
  fits("GET", "/uitleg/{wat}", "/uitleg/" + zaak + "?na=x", 400);
  fits("GET", "/toen/{zaak}", "/toen/" + zaak, 400);
  fits("GET", "/toen/{zaak}", "/toen/" + zaak + "?op=2026-11-20T10:00:00Z", 200);
  fits("POST", "/plan", "/plan", 400, "{}");
  fits("POST", "/plan", "/plan", 200,
       dump_json({{"vanaf", "2026-11-01T00:00:00Z"}, {"regels", {pipeline.profiles().at("KNH")->source()}}}));
  fits("GET", "/registers", "/registers", 200);
  EXPECT_EQ(fits("GET", "/afleveringen", "/afleveringen?status=wacht", 200)["afleveringen"].size(), 1u);
  fits("GET", "/afleveringen", "/afleveringen?status=x", 400);
  fits("GET", "/afleveringen/{id}", "/afleveringen/A-1", 200);
  fits("GET", "/afleveringen/{id}", "/afleveringen/A-2", 404);
  fits("POST", "/doelen/{doel}", "/doelen/hook", 200, R"({"gepauzeerd":true})");
  fits("POST", "/doelen/{doel}", "/doelen/geen", 404, R"({"gepauzeerd":true})");
  fits("POST", "/afleveringen/{id}", "/afleveringen/A-1", 400, R"({"actie":"opnieuw"})");
  fits("POST", "/afleveringen/{id}", "/afleveringen/A-1", 200, R"({"actie":"annuleer","reden":"proef"})");
  fits("GET", "/facturen", "/facturen", 200);
  fits("GET", "/facturen/aansluiting", "/facturen/aansluiting?maand=2026-11", 200);
  fits("GET", "/facturen/aansluiting", "/facturen/aansluiting?maand=x", 400);
  fits("GET", "/facturen/uitvoer", "/facturen/uitvoer?maand=2026-11", 200);
  fits("POST", "/facturen/{aflevering}/status", "/facturen/A-1/status", 400, R"({"status":"x","reden":"proef"})");
  fits("POST", "/facturen/afgewezen", "/facturen/afgewezen", 404,
       R"({"zaak":"Z-x","bericht":"b","code":"FUNDING_NOT_AGREED","reden":"proef"})");
  fits("POST", "/factuurherstel", "/factuurherstel", 409, R"({"reden":"proef"})");
  fits("POST", "/factuurreeks", "/factuurreeks", 200, "{}");
  EXPECT_TRUE(fits("GET", "/status", "/status", 200).contains("facturenWachtenSinds"));
  fits("POST", "/factuurherstel", "/factuurherstel", 400, R"({"reden":"x"})");
  fits("POST", "/factuurherstel", "/factuurherstel", 200, R"({"reden":"proef"})");
  fits("POST", "/links", "/links", 503, R"({"do":"list"})");
}

TEST_F(Answers, OfTheLogAreAsDescribed) {
  open_case();
  ASSERT_TRUE(go(store->commit({{store::SequenceLeaves{}}})));
  EXPECT_FALSE(fits("GET", "/audit", "/audit", 200)["bladen"].empty());
  fits("POST", "/audit", "/audit", 200, "{}");
  fits("POST", "/audit", "/audit", 400, R"({"x":1})");
  auto exported = fits("GET", "/audit/uitvoer", "/audit/uitvoer", 200);
  EXPECT_TRUE(exported["regels"].get<std::string>().starts_with("{\"schakel-audit-export\":1}\n"));
  fits("GET", "/audit/uitvoer", "/audit/uitvoer?na=-1", 400);
  fits("GET", "/audit/bewijs", "/audit/bewijs", 400);
  fits("GET", "/audit/bewijs", "/audit/bewijs?plaats=-1", 400);
  fits("GET", "/audit/bewijs", "/audit/bewijs?plaats=0", 404);  // nothing signs heads here

  audit::Sequencer sequencer(*store, clock,
                             std::move(audit::Signer::from_seed("schakel/log", Secret(Bytes(32, 7))).value()), {});
  ASSERT_TRUE(go(sequencer.start()));
  ASSERT_TRUE(go(sequencer.flush()));
  auto proof = fits("GET", "/audit/bewijs", "/audit/bewijs?plaats=0", 200);
  auto read = audit::read_proof(dump_json(proof));
  ASSERT_TRUE(read);
  EXPECT_TRUE(audit::check_proof(*read, sequencer.verifier()));
  auto page = fits("GET", "/audit/uitvoer", "/audit/uitvoer", 200);
  std::istringstream in(page["regels"].get<std::string>());
  auto report = audit::verify_export(in, {sequencer.latest()}, sequencer.verifier());
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.anchored, report.leaves);
}

/// From the side of parties these do not exist.
TEST_F(Answers, OfTheOperatorAreNotThereForAParty) {
  for (const auto& route : all_routes())
    if (route.who == Who::operator_) {
      auto target = route.pattern;
      while (target.find('{') != target.npos)
        target.replace(target.find('{'), target.find('}') - target.find('{') + 1, "x");
      EXPECT_EQ(ask(school, route.method, target).code, "NOT_FOUND") << route.pattern;
    }
}

}  // namespace
}  // namespace schakel::api
