#include <gtest/gtest.h>

#include "core/base/hash.hpp"
#include "tests/unit/adapters/fake_zgw.hpp"

namespace schakel::test {
namespace {

const std::string kType = "https://catalogi.example.nl/catalogi/api/v1/";

Json config() {
  return {{"zaken_url", "https://zaken.example.nl/zaken/api/v1"},
          {"documenten_url", "https://documenten.example.nl/documenten/api/v1"},
          {"client_id", "schakel"},
          {"client_secret", "zgw-zandoever"},
          {"bronorganisatie", "517439943"},
          {"small_document_bytes", 8},
          {"types",
           {{"zaaktype", kType + "zaaktypen/1"},
            {"statustype", kType + "statustypen/1"},
            {"roltype", kType + "roltypen/1"},
            {"informatieobjecttypen", {{"*", kType + "informatieobjecttypen/1"}}},
            {"eigenschappen", {{"regio", kType + "eigenschappen/1"}}}}},
          {"messages",
           {{"besluit_zorgdeel",
             {{"eigenschap", kType + "eigenschappen/2"},
              {"field", "/besluit"},
              {"statustype", kType + "statustypen/2"}}}}}};
}

std::shared_ptr<FakeZgw> partner_of(PluginBench& bench) {
  auto zgw = std::make_shared<FakeZgw>();
  bench.world.partner = [zgw](const HttpRequest& r) { return (*zgw)(r); };
  return zgw;
}

struct Fresh {
  std::map<PluginBench*, std::shared_ptr<FakeZgw>> partners;
  std::unique_ptr<PluginBench> operator()() {
    auto bench = std::make_unique<PluginBench>("gemeente", config());
    bench->world.secrets["zgw-zandoever"] = "geheim-van-zandoever-0123456789";
    bench->world.bsns["zaak-1"] = "999990019";
    bench->world.documents["d1"] = to_bytes("klein");
    bench->world.documents["d2"] = to_bytes("een groot document");
    partners[bench.get()] = partner_of(*bench);
    return bench;
  }
};

Delivery filing(std::string operation = "dossier.create") {
  Delivery d;
  d.id = "afl-1";
  d.kind = "filing";
  d.message_id = "5f0c7a1e-0f0e-4f5e-9f0e-6c2f3f8b7a11";
  d.type = "link_geopend";
  d.region = "KNH";
  d.case_id = "zaak-1";
  d.pseudonym = "ps-7Q";
  d.role = "gemeente_registratie";
  d.endpoint = {{"mail", "jan.jansen@gemeente.example"}};
  d.body = {{"filing", {{"operation", operation}, {"by", "procesregisseur"}, {"system", "gemeente_registratie"}}},
            {"payload", {{"naam", "Pluk Testerman"}}}};
  d.documents = {{"d1", "opp", "application/pdf", "opp.pdf", "", 1, 5},
                 {"d2", "groeidocument", "application/pdf", "groeidocument.pdf", "", 1, 18}};
  d.first_attempt = *parse_instant("2026-11-02T09:00:00Z");
  return d;
}

TEST(Gemeente, FilesSmallAndLargeDocumentsInOneZaak) {
  Fresh fresh;
  auto bench = fresh();
  auto result = bench->send(filing());
  ASSERT_TRUE(result);
  EXPECT_EQ(result->verdict, Verdict::delivered) << result->code;
  auto& zgw = *fresh.partners[bench.get()];
  EXPECT_EQ(
      zgw.picture(),
      "zaken=1 rollen=1 statussen=1 eigenschappen=1 links=2 groeidocument:false:een groot document opp:false:klein");
  EXPECT_EQ(zgw.roles[0]["betrokkeneIdentificatie"]["inpBsn"], "999990019");
  EXPECT_LE(zgw.cases[0]["identificatie"].get<std::string>().size(), 40U);
  EXPECT_EQ(result->receipt["zaak"], zgw.cases[0]["url"]);
  EXPECT_TRUE(bench->world.undeclared.empty());
}

TEST(Gemeente, RoleStandsBeforeTheFirstStatus) {
  Fresh fresh;
  auto bench = fresh();
  (void)bench->send(filing());
  std::vector<std::string> posts;
  for (const auto& r : bench->world.requests)
    if (r.method == "POST") posts.push_back(r.url.substr(r.url.rfind('/') + 1));
  auto role = std::ranges::find(posts, "rollen"), status = std::ranges::find(posts, "statussen");
  ASSERT_NE(status, posts.end());
  EXPECT_LT(role, status);
  EXPECT_EQ(status, posts.end() - 1);
}

TEST(Gemeente, EveryCallCarriesAFreshlySignedToken) {
  Fresh fresh;
  auto bench = fresh();
  (void)bench->send(filing());
  ASSERT_FALSE(bench->world.requests.empty());
  for (const auto& r : bench->world.requests) {
    std::string token = HttpReply{0, r.headers, {}}.header("Authorization").substr(7);
    auto dot = token.rfind('.');
    auto mac =
        hmac_sha256(as_bytes("geheim-van-zandoever-0123456789"), as_bytes(std::string_view(token).substr(0, dot)));
    EXPECT_EQ(token.substr(dot + 1), to_base64url(mac));
    auto first = token.find('.');
    EXPECT_EQ(token.substr(0, first), "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9");
    auto claims = from_base64url(token.substr(first + 1, dot - first - 1));
    ASSERT_TRUE(claims);
    EXPECT_EQ(
        as_text(*claims),
        R"({"iss":"schakel","iat":1793610000,"client_id":"schakel","user_id":"schakel","user_representation":"Schakel"})");
  }
}

TEST(Gemeente, CrashAtAnyAwaitHasNoSecondEffect) {
  auto fresh = std::make_shared<Fresh>();
  auto wrong = crash_everywhere([fresh] { return (*fresh)(); }, filing(),
                                [fresh](PluginBench& b) { return fresh->partners[&b]->picture(); });
  for (const auto& w : wrong) ADD_FAILURE() << w;
}

TEST(Gemeente, EveryFaultAtEveryCallGivesTheRightVerdict) {
  auto fresh = std::make_shared<Fresh>();
  auto wrong = fault_everywhere([fresh] { return (*fresh)(); }, filing(),
                                [fresh](PluginBench& b) { return fresh->partners[&b]->picture(); });
  for (const auto& w : wrong) ADD_FAILURE() << w;
}

TEST(Gemeente, BsnSecretAndNameAppearInBodiesOnly) {
  Fresh fresh;
  auto bench = fresh();
  (void)bench->send(filing());
  EXPECT_TRUE(bench->leaks({"Testerman", "jansen", "Jansen"}).empty());
  for (const auto& r : bench->world.requests) {
    EXPECT_EQ(r.body.find("Testerman"), std::string::npos);
    if (r.body.find("999990019") != std::string::npos) EXPECT_TRUE(r.url.ends_with("/rollen")) << r.url;
  }
}

TEST(Gemeente, BsnIsAskedOnlyWhenTheRoleIsMissing) {
  Fresh fresh;
  auto bench = fresh();
  (void)bench->send(filing());
  Delivery second = filing("dossier.append");
  second.id = "afl-2";
  auto result = bench->send(second);
  EXPECT_EQ(result->verdict, Verdict::delivered);
  EXPECT_EQ(bench->world.bsn_asked.size(), 1U);
  EXPECT_EQ(fresh.partners[bench.get()]->cases.size(), 1U);
  EXPECT_EQ(fresh.partners[bench.get()]->links.size(), 2U);
}

TEST(Gemeente, NoBsnMeansNoFiling) {
  Fresh fresh;
  auto bench = fresh();
  bench->world.bsns.clear();
  auto result = bench->send(filing());
  EXPECT_EQ(result->verdict, Verdict::rejected);
  EXPECT_EQ(result->code, "BSN_UNKNOWN");
  EXPECT_TRUE(fresh.partners[bench.get()]->roles.empty());
}

TEST(Gemeente, AppendWithoutDossierWaitsWhereItMayNotCreate) {
  Json c = config();
  c["create_on_append"] = false;
  PluginBench bench("gemeente", c);
  bench.world.secrets["zgw-zandoever"] = "x";
  auto zgw = partner_of(bench);
  auto result = bench.send(filing("dossier.append"));
  EXPECT_EQ(result->verdict, Verdict::retry_later);
  EXPECT_EQ(result->code, "ZGW_DOSSIER_UNKNOWN");
  EXPECT_TRUE(zgw->cases.empty());
}

TEST(Gemeente, KnownDossierOfTheGemeenteIsUsed) {
  Fresh fresh;
  auto bench = fresh();
  auto& zgw = *fresh.partners[bench.get()];
  zgw.cases.push_back({{"identificatie", "ZAAK-2024-77"},
                       {"bronorganisatie", "517439943"},
                       {"url", zgw.zaken + "/zaken/095be615-a8ad-4c33-8e9c-c7612fbf6c9f"}});
  Delivery d = filing("dossier.append");
  d.body["filing"]["dossier"] = "ZAAK-2024-77";
  EXPECT_EQ(bench->send(d)->verdict, Verdict::delivered);
  EXPECT_EQ(zgw.cases.size(), 1U);
}

TEST(Gemeente, RaceOnIdentificatieEndsInOneZaak) {
  Fresh fresh;
  auto bench = fresh();
  auto& zgw = *fresh.partners[bench.get()];
  bool hidden = true;
  bench->world.partner = [&](const HttpRequest& r) -> Result<HttpReply> {
    if (hidden && r.method == "GET") {
      hidden = false;  // the look sees nothing, then somebody else makes it
      return HttpReply{200, {}, R"({"count":0,"next":null,"previous":null,"results":[]})"};
    }
    if (r.method == "POST" && r.url.ends_with("/zaken") && zgw.cases.empty()) {
      (void)zgw(r);
      return zgw(r);
    }
    return zgw(r);
  };
  auto result = bench->send(filing());
  EXPECT_EQ(result->verdict, Verdict::delivered) << result->code;
  EXPECT_EQ(zgw.cases.size(), 1U);
}

TEST(Gemeente, RetryAfterIsHonouredAndProblemTextIsNotKept) {
  Fresh fresh;
  auto bench = fresh();
  bench->world.partner = [](const HttpRequest&) { return HttpReply{429, {{"retry-after", "120"}}, ""}; };
  auto result = bench->send(filing());
  EXPECT_EQ(result->verdict, Verdict::retry_later);
  EXPECT_EQ(result->retry_after, std::chrono::seconds(120));
  bench->world.partner = [](const HttpRequest&) {
    return HttpReply{
        400,
        {},
        R"({"code":"invalid","invalidParams":[{"name":"zaaktype","code":"not-published","reason":"Jansen 999990019"}]})"};
  };
  result = bench->send(filing());
  EXPECT_EQ(result->verdict, Verdict::rejected);
  EXPECT_EQ(result->code, "ZGW_not-published");
}

TEST(Gemeente, MessageBecomesPropertyAndStatusOnce) {
  auto fresh = std::make_shared<Fresh>();
  Delivery d = filing();
  d.kind = "message";
  d.type = "besluit_zorgdeel";
  d.body = {{"payload", {{"besluit", "toekennen"}}}};
  auto wrong = crash_everywhere([fresh] { return (*fresh)(); }, d,
                                [fresh](PluginBench& b) { return fresh->partners[&b]->picture(); });
  for (const auto& w : wrong) ADD_FAILURE() << w;
  d.type = "onderzoek_start";
  auto bench = (*fresh)();
  EXPECT_EQ(bench->send(d)->code, "ZGW_MESSAGE_NOT_CONFIGURED");
  d.type = "besluit_zorgdeel";
  d.body = {{"payload", Json::object()}};
  EXPECT_EQ(bench->send(d)->code, "ZGW_FIELD_ABSENT");
}

TEST(Gemeente, PartsThatDoNotFitTheDocumentAreRefused) {
  Fresh fresh;
  auto bench = fresh();
  auto& zgw = *fresh.partners[bench.get()];
  bench->world.partner = [&](const HttpRequest& r) -> Result<HttpReply> {
    auto reply = zgw(r);
    if (r.method == "GET" && reply && reply->body.find("bestandsdelen\":[{") != std::string::npos &&
        reply->body.find("results") == std::string::npos) {
      Json body = Json::parse(reply->body);
      body["bestandsdelen"][0]["omvang"] = 1'000'000'000'000;
      reply->body = body.dump();
    }
    return reply;
  };
  auto result = bench->send(filing());
  EXPECT_EQ(result->verdict, Verdict::rejected);
  EXPECT_EQ(result->code, "ZGW_PARTS_DO_NOT_FIT");
}

TEST(Gemeente, BadConfigurationIsRefused) {
  for (const auto& w : bad_configs_refused("gemeente", config())) ADD_FAILURE() << w;
  PluginBench bench("gemeente", config());
  auto started = bench.restart();  // the secret is not there
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, "SECRET_UNKNOWN");
}

}  // namespace
}  // namespace schakel::test
