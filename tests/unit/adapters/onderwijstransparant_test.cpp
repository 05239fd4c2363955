#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/base/hash.hpp"
#include "tests/support/plugin_bench.hpp"

namespace schakel::test {
namespace {

const std::string kId = "11111111-2222-4333-8444-555555555551", kDoc = "11111111-2222-4333-8444-555555555559";

Json config() {
  return {{"base_url", "https://ot.example/ot/v1"},
          {"token_url", "https://ot.example/oauth/token"},
          {"client_id", "schakel"},
          {"client_secret", "ot-client"},
          {"party", "swv-havenmonde"},
          {"source", "urn:nld:oin:00000099000100013000:systeem:onderwijstransparant"},
          {"region", "MVS"},
          {"swv_code", "PO2801"},
          {"statussen", {{"besluit_zorgdeel", "toegekend"}}}};
}

Json melding(const std::string& id = kId, int version = 1) {
  return {{"id", id},
          {"versie", version},
          {"swvCode", "PO2801"},
          {"school", {{"brin", "00YY"}, {"vestiging", "00"}, {"naam", "De Verzonnen Vuurtoren"}}},
          {"melder", {{"naam", "Anna Verzonnen"}, {"rol", "intern_begeleider"}, {"email", "ib@school.example"}}},
          {"leerling",
           {{"leerlingkenmerk", "L-77"},
            {"voornamen", Json::array({"Pluk"})},
            {"achternaam", "Testerman"},
            {"geboortedatum", "2017-03-02"},
            {"geslacht", "1"}}},
          {"soortAanvraag", "onderwijs_zorgarrangement"},
          {"hulpvraag", {{"omschrijving", "Begeleiding in de klas"}, {"zorgBetrokken", true}}},
          {"ouders", {{"geinformeerd", true}, {"toestemming", "ja"}}},
          {"ingediendOp", "2026-11-01T10:00:00Z"},
          {"status", "ingediend"}};
}

struct Ot {
  std::map<std::string, Json> meldingen;
  std::vector<std::pair<std::string, int>> changes;
  std::map<std::string, std::string> files;
  std::map<std::string, std::string> posted, statuses;  ///< by Idempotency-Key
  int tokens = 0, etag = 1, page = 2;
  bool cursor_gone = false;
  std::string good_token;
  static std::string header(const HttpRequest& r, const char* n) { return HttpReply{0, r.headers, {}}.header(n); }

  Result<HttpReply> operator()(const HttpRequest& r) {
    if (r.url == "https://ot.example/oauth/token") {
      if (header(r, "Authorization") != "Basic " + to_base64(as_bytes("schakel:ot%20geheim")))
        return HttpReply{401, {}, {}};
      good_token = fmt::format("tok-{}", ++tokens);
      return HttpReply{
          200, {}, Json{{"access_token", good_token}, {"token_type", "Bearer"}, {"expires_in", 300}}.dump()};
    }
    if (header(r, "Authorization") != "Bearer " + good_token) return HttpReply{401, {}, {}};
    std::string path = r.url.substr(std::string("https://ot.example/ot/v1").size());
    if (path.starts_with("/hulpvragen?")) {
      auto at = path.find("sinds=c");
      std::size_t from = at == std::string::npos ? 0 : std::stoul(path.substr(at + 7));
      if (at != std::string::npos && cursor_gone) return cursor_gone = false, HttpReply{410, {}, {}};
      Json items = Json::array();
      std::size_t to = std::min(from + static_cast<std::size_t>(page), changes.size());
      for (std::size_t i = from; i < to; ++i)
        items.push_back({{"id", changes[i].first},
                         {"soort", "gewijzigd"},
                         {"tijdstip", "2026-11-01T10:00:00Z"},
                         {"versie", changes[i].second}});
      return HttpReply{
          200, {}, Json{{"items", items}, {"volgende", fmt::format("c{}", to)}, {"meer", to < changes.size()}}.dump()};
    }
    if (r.method == "POST" && path == "/hulpvragen") {
      posted.emplace(header(r, "Idempotency-Key"), r.body);
      return HttpReply{201, {}, R"({"id":"x"})"};
    }
    std::string id = path.substr(12, 36), rest = path.size() > 48 ? path.substr(48) : "";
    if (!meldingen.contains(id)) return HttpReply{404, {}, {}};
    if (rest == "/status") {
      if (header(r, "If-Match") != fmt::format("\"{}\"", etag)) return HttpReply{412, {}, {}};
      statuses.emplace(header(r, "Idempotency-Key"), r.body);
      return HttpReply{204, {}, {}};
    }
    if (rest.starts_with("/documenten/")) return HttpReply{200, {}, files[rest.substr(12)]};
    return HttpReply{200, {{"ETag", fmt::format("\"{}\"", etag)}}, meldingen[id].dump()};
  }
};

struct Fresh {
  std::map<PluginBench*, std::shared_ptr<Ot>> partners;
  std::unique_ptr<PluginBench> operator()() {
    auto bench = std::make_unique<PluginBench>("onderwijstransparant", config());
    bench->world.secrets["ot-client"] = "ot geheim";
    auto ot = std::make_shared<Ot>();
    partners[bench.get()] = ot;
    bench->world.partner = [ot](const HttpRequest& r) { return (*ot)(r); };
    return bench;
  }
};

Delivery delivery(std::string type = "hulpvraagmelding") {
  Delivery d;
  d.id = "afl-3";
  d.kind = "message";
  d.type = std::move(type);
  d.message_id = "m-3";
  d.case_id = "zaak-3";
  d.pseudonym = "ps-3";
  d.body = {{"payload", {{"arrangement", "begeleiding"}}}, {"foreign_id", kId}};
  d.first_attempt = *parse_instant("2026-11-02T09:00:00Z");
  return d;
}

void add(PluginBench& bench, Ot& ot, int n) {
  for (int i = 1; i <= n; ++i) {
    std::string id = fmt::format("11111111-2222-4333-8444-55555555550{}", i);
    bench.world.case_by_foreign[id] = fmt::format("zaak-{}", i);
    ot.meldingen[id] = melding(id);
    ot.changes.emplace_back(id, 1);
  }
}

TEST(OnderwijsTransparant, PollingBringsEachVersionOnceAcrossPages) {
  Fresh fresh;
  auto bench = fresh();
  auto& ot = *fresh.partners[bench.get()];
  add(*bench, ot, 5);
  ASSERT_TRUE(bench->poll());
  EXPECT_EQ(bench->world.events.size(), 5U);
  ASSERT_TRUE(bench->poll(3));
  EXPECT_EQ(bench->world.events.size(), 5U);
  std::string id = ot.changes[0].first;
  ot.meldingen[id]["versie"] = 2;
  ot.changes.emplace_back(id, 2);
  ot.changes.emplace_back(ot.changes[1].first, 1);  // an old version again
  ASSERT_TRUE(bench->poll());
  ASSERT_EQ(bench->world.events.size(), 6U);
  const Json& event = bench->world.events.back();
  EXPECT_EQ(event["id"], id + "-v2");
  EXPECT_EQ(event["type"], "nl.schakel.hulpvraagmelding.v1");
  EXPECT_EQ(event["data"]["reference"], id);
  EXPECT_EQ(event["data"]["question"], "Begeleiding in de klas");
  EXPECT_EQ(ot.tokens, 1);  // one token, kept
  for (const auto& e : bench->world.events) EXPECT_EQ(e.dump().find("Testerman"), std::string::npos);
  EXPECT_TRUE(bench->leaks({"Testerman", "Verzonnen"}).empty());
}

TEST(OnderwijsTransparant, CrashAnywhereInPollingLosesAndDoublesNothing) {
  int awaits = 0;
  {
    Fresh fresh;
    auto bench = fresh();
    add(*bench, *fresh.partners[bench.get()], 3);
    bench->crash_at(0, CrashWhen::never);
    ASSERT_TRUE(bench->poll());
    awaits = bench->awaits();
  }
  ASSERT_GT(awaits, 10);
  for (int n = 1; n <= awaits; ++n)
    for (CrashWhen when : {CrashWhen::before, CrashWhen::after}) {
      Fresh fresh;
      auto bench = fresh();
      add(*bench, *fresh.partners[bench.get()], 3);
      bench->crash_at(n, when);
      EXPECT_FALSE(bench->poll()) << n;
      EXPECT_TRUE(bench->poll());
      EXPECT_EQ(bench->world.events.size(), 3U) << n;
    }
}

TEST(OnderwijsTransparant, BsnAnywhereInAMeldingKeepsItOutAndTheOthersIn) {
  Fresh fresh;
  auto bench = fresh();
  auto& ot = *fresh.partners[bench.get()];
  add(*bench, ot, 4);
  ot.meldingen[ot.changes[0].first]["hulpvraag"]["omschrijving"] = "Leerling met BSN 999990019.";
  ot.meldingen[ot.changes[1].first]["leerling"]["onderwijsnummer"] = "x";
  ot.meldingen[ot.changes[2].first]["swvCode"] = "PO9999";
  ASSERT_TRUE(bench->poll());
  ASSERT_EQ(bench->world.events.size(), 1U);
  EXPECT_EQ(bench->world.metrics["ot_refused code=OT_PGN"], 2);
  EXPECT_EQ(bench->world.metrics["ot_refused code=OT_SWV"], 1);
  EXPECT_TRUE(bench->leaks({"999990019"}).empty());
}

TEST(OnderwijsTransparant, CursorThatIsGoneMeansAFullRoundWithoutDuplicates) {
  Fresh fresh;
  auto bench = fresh();
  auto& ot = *fresh.partners[bench.get()];
  add(*bench, ot, 3);
  ASSERT_TRUE(bench->poll());
  ot.cursor_gone = true;
  ASSERT_TRUE(bench->poll());
  EXPECT_EQ(bench->world.events.size(), 3U);
}

TEST(OnderwijsTransparant, ExpiredTokenIsRenewedOnceAndRefusedClientWaits) {
  Fresh fresh;
  auto bench = fresh();
  auto& ot = *fresh.partners[bench.get()];
  ot.meldingen[kId] = melding();
  EXPECT_EQ(bench->send(delivery())->verdict, Verdict::delivered);
  ot.good_token = "ingetrokken";
  EXPECT_EQ(bench->send(delivery())->verdict, Verdict::delivered);
  EXPECT_EQ(ot.tokens, 2);
  bench->clock.advance(milliseconds(280'000));
  EXPECT_EQ(bench->send(delivery())->verdict, Verdict::delivered);
  EXPECT_EQ(ot.tokens, 3);  // 30 s before its end
  bench->world.secrets["ot-client"] = "verkeerd";
  bench->clock.advance(milliseconds(300'000));
  auto r = bench->send(delivery());
  EXPECT_EQ(r->verdict, Verdict::retry_later);
  EXPECT_EQ(r->code, "OT_TOKEN_401");
}

TEST(OnderwijsTransparant, AttachmentsOfAKnownCaseAreCheckedAndStored) {
  Fresh fresh;
  auto bench = fresh();
  auto& ot = *fresh.partners[bench.get()];
  ot.meldingen[kId] = melding();
  ot.meldingen[kId]["documenten"] = Json::array({{{"id", kDoc},
                                                  {"soort", "opp"},
                                                  {"bestandsnaam", "opp.pdf"},
                                                  {"mediaType", "application/pdf"},
                                                  {"omvang", 6},
                                                  {"sha256", sha256_hex("inhoud")}}});
  ot.files[kDoc] = "inhoud";
  ot.changes.emplace_back(kId, 1);
  bench->world.case_by_foreign[kId] = "zaak-3";
  ASSERT_TRUE(bench->poll());
  ASSERT_EQ(bench->world.events.size(), 1U);
  EXPECT_EQ(bench->world.events[0]["data"]["attachments"][0]["doc_type"], "opp");
  EXPECT_EQ(bench->world.stored_documents.size(), 1U);
  // The same attachment with a next version is neither fetched nor stored again; a changed one is version 2.
  ot.meldingen[kId]["versie"] = 2;
  ot.changes.emplace_back(kId, 2);
  auto stored = bench->world.events[0]["data"]["attachments"][0];
  ASSERT_TRUE(bench->poll());
  ASSERT_EQ(bench->world.events.size(), 2U);
  EXPECT_EQ(bench->world.events[1]["data"]["attachments"][0], stored);
  EXPECT_EQ(std::ranges::count_if(bench->world.requests,
                                  [](const HttpRequest& r) { return r.url.find("/documenten/") != std::string::npos; }),
            1);
  ot.files[kDoc] = "ander";
  ot.meldingen[kId]["documenten"][0]["omvang"] = 5;
  ot.meldingen[kId]["documenten"][0]["sha256"] = sha256_hex("ander");
  ot.meldingen[kId]["versie"] = 3;
  ot.changes.emplace_back(kId, 3);
  ASSERT_TRUE(bench->poll());
  ASSERT_EQ(bench->world.events.size(), 3U);
  EXPECT_EQ(bench->world.events[2]["data"]["attachments"][0]["version"], 2);
  // the way back needs no id in the delivery now
  Delivery d = delivery("besluit_zorgdeel");
  d.body.erase("foreign_id");
  EXPECT_EQ(bench->send(d)->verdict, Verdict::delivered);
  EXPECT_EQ(ot.statuses.size(), 1U);

  ot.meldingen[kId]["versie"] = 4;
  ot.meldingen[kId]["documenten"][0]["sha256"] = sha256_hex("nog een");
  ot.changes.emplace_back(kId, 4);
  ASSERT_TRUE(bench->poll());
  EXPECT_EQ(bench->world.events.size(), 3U);
  EXPECT_EQ(bench->world.metrics["ot_refused code=OT_DOCUMENT_HASH"], 1);
}

TEST(OnderwijsTransparant, AHulpvraagWithoutACaseWaitsAndTheFeedGoesOn) {
  Fresh fresh;
  auto bench = fresh();
  auto& ot = *fresh.partners[bench.get()];
  add(*bench, ot, 3);
  std::string first = ot.changes[0].first, event = first + "-v1";
  bench->world.case_by_foreign.erase(first);
  ASSERT_TRUE(bench->poll(4));
  EXPECT_EQ(bench->world.events.size(), 2U) << "the two behind it are in";
  for (const auto& r : bench->world.requests) EXPECT_EQ(r.url.find(first), std::string::npos) << "nothing is fetched";
  EXPECT_EQ(bench->world.metrics["ot_waits code=CASE_UNKNOWN"], 1) << "told once, not at every poll";
  EXPECT_TRUE(bench->world.progress.contains("wacht/" + first));
  // Its case comes, and nothing new stands in the feed.
  bench->world.case_by_foreign[first] = "zaak-1";
  ASSERT_TRUE(bench->restart());
  ASSERT_TRUE(bench->poll());
  ASSERT_EQ(bench->world.events.size(), 3U);
  EXPECT_EQ(bench->world.events.back()["id"], event);
  EXPECT_FALSE(bench->world.progress.contains("wacht/" + first));
}

TEST(OnderwijsTransparant, AHulpvraagThatWaitsIsRefusedInTheEndAndAWithdrawnOneIsForgotten) {
  Fresh fresh;
  auto bench = fresh();
  auto& ot = *fresh.partners[bench.get()];
  add(*bench, ot, 2);
  bench->world.case_by_foreign.clear();
  ASSERT_TRUE(bench->poll());
  auto real = bench->world.partner;
  std::string second = ot.changes[1].first;
  bench->world.partner = [&](const HttpRequest& r) -> Result<HttpReply> {
    if (r.url.find("/hulpvragen?") == std::string::npos) return real(r);
    Json items = Json::array({{{"id", second}, {"soort", "ingetrokken"}, {"versie", 2}}});
    return HttpReply{200, {}, Json{{"items", items}, {"volgende", "c9"}, {"meer", false}}.dump()};
  };
  ASSERT_TRUE(bench->poll());
  EXPECT_FALSE(bench->world.progress.contains("wacht/" + second));
  bench->world.partner = real;
  bench->clock.advance(std::chrono::hours(24 * 91));
  ASSERT_TRUE(bench->poll());
  EXPECT_EQ(bench->world.metrics["ot_refused code=CASE_UNKNOWN"], 1);
  EXPECT_FALSE(bench->world.progress.contains("wacht/" + ot.changes[0].first));
  ASSERT_TRUE(bench->poll(3));
  EXPECT_EQ(bench->world.metrics["ot_refused code=CASE_UNKNOWN"], 1);
}

TEST(OnderwijsTransparant, OneHulpvraagThatCannotBeFetchedOrTakenDoesNotHoldTheOthers) {
  for (bool inbox : {false, true}) {
    Fresh fresh;
    auto bench = fresh();
    auto& ot = *fresh.partners[bench.get()];
    add(*bench, ot, 3);
    std::string bad = ot.changes[0].first;
    bool broken = true;
    int asked = 0;
    auto real = bench->world.partner;
    bench->world.partner = [&](const HttpRequest& r) -> Result<HttpReply> {
      if (r.url.ends_with(bad)) ++asked;
      return broken && !inbox && r.url.ends_with(bad) ? Result<HttpReply>(HttpReply{500, {}, {}}) : real(r);
    };
    bench->world.inbox = [&](const Json& event) -> Result<bool> {
      if (broken && inbox && event["data"]["reference"] == bad)
        return fail(ErrorKind::unavailable, "STORE_FULL", "full");
      return true;
    };
    ASSERT_TRUE(bench->poll(20));  // a minute each
    EXPECT_EQ(bench->world.events.size(), 2U);
    EXPECT_LE(asked, 7) << "not asked again at every poll";
    broken = false;
    bench->clock.advance(std::chrono::hours(2));
    ASSERT_TRUE(bench->poll());
    EXPECT_EQ(bench->world.events.size(), 3U);
  }
}

TEST(OnderwijsTransparant, CrashAtAnyAwaitOfASendHasNoSecondEffect) {
  for (const char* type : {"hulpvraagmelding", "besluit_zorgdeel"}) {
    auto fresh = std::make_shared<Fresh>();
    auto make = [fresh] {
      auto bench = (*fresh)();
      fresh->partners[bench.get()]->meldingen[kId] = melding();
      return bench;
    };
    auto effects = [fresh](PluginBench& b) {
      return ::testing::PrintToString(fresh->partners[&b]->posted) +
             ::testing::PrintToString(fresh->partners[&b]->statuses);
    };
    for (const auto& w : crash_everywhere(make, delivery(type), effects)) ADD_FAILURE() << type << ' ' << w;
    for (const auto& w : fault_everywhere(make, delivery(type), effects)) ADD_FAILURE() << type << ' ' << w;
  }
}

TEST(OnderwijsTransparant, ChangedMeanwhileIsFetchedAgainOnce) {
  Fresh fresh;
  auto bench = fresh();
  auto& ot = *fresh.partners[bench.get()];
  ot.meldingen[kId] = melding();
  int puts = 0;
  bench->world.partner = [&](const HttpRequest& r) -> Result<HttpReply> {
    if (r.method == "PUT" && ++puts == 1) ot.etag = 2;
    return ot(r);
  };
  EXPECT_EQ(bench->send(delivery("besluit_zorgdeel"))->verdict, Verdict::delivered);
  EXPECT_EQ(puts, 2);
}

TEST(OnderwijsTransparant, BsnNeverLeaves) {
  Fresh fresh;
  auto bench = fresh();
  Delivery d = delivery();
  d.body["payload"]["notitie"] = "bsn: 999990019";
  EXPECT_EQ(bench->send(d)->code, "OT_PGN");
  EXPECT_TRUE(bench->world.requests.empty());
  EXPECT_EQ(bench->send(delivery("verzuimmelding"))->code, "OT_TYPE_NOT_CONFIGURED");
}

TEST(OnderwijsTransparant, RubbishFromThePartnerNeitherStopsNorCrashesPolling) {
  for (const auto& fault : http_faults()) {
    Fresh fresh;
    auto bench = fresh();
    add(*bench, *fresh.partners[bench.get()], 2);
    auto real = bench->world.partner;
    for (int n = 1; n <= 4; ++n) {
      int count = 0;
      bench->world.partner = [&](const HttpRequest& r) -> Result<HttpReply> {
        return ++count == n ? fault.reply : real(r);
      };
      EXPECT_TRUE(bench->poll()) << fault.name;
    }
    bench->world.partner = real;
    EXPECT_TRUE(bench->poll());
    EXPECT_LE(bench->world.events.size(), 2U);
  }
}

TEST(OnderwijsTransparant, BadConfigurationIsRefused) {
  for (const auto& w : bad_configs_refused("onderwijstransparant", config())) ADD_FAILURE() << w;
}

}  // namespace
}  // namespace schakel::test
