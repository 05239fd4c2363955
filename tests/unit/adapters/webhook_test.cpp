#include <gtest/gtest.h>

#include "core/base/hash.hpp"
#include "tests/support/plugin_bench.hpp"

namespace schakel::test {
namespace {

Json config() {
  return {{"url", "https://abonnee.example/haak"},
          {"source", "urn:nld:oin:00000099000100001000:systeem:schakel"},
          {"origin", "schakel.example"},
          {"bearer_secret", "haak-token"},
          {"signature_secret", "haak-hmac"}};
}

struct Subscriber {
  std::set<std::string> seen;
  std::vector<HttpRequest> posts;
  std::string allowed = "schakel.example";
  Result<HttpReply> operator()(const HttpRequest& r) {
    if (r.method == "OPTIONS") return HttpReply{200, {{"webhook-allowed-origin", allowed}}, {}};
    Json event = Json::parse(r.body);
    seen.insert(event["source"].get<std::string>() + '|' + event["id"].get<std::string>() + '|' +
                std::to_string(std::hash<std::string>{}(r.body)));
    posts.push_back(r);
    return HttpReply{202, {}, {}};
  }
};

struct Fresh {
  std::map<PluginBench*, std::shared_ptr<Subscriber>> subscribers;
  std::unique_ptr<PluginBench> operator()() {
    auto bench = std::make_unique<PluginBench>("webhook", config());
    bench->world.secrets = {{"haak-token", "token-geheim-1"}, {"haak-hmac", "hmac-geheim-2"}};
    auto s = std::make_shared<Subscriber>();
    subscribers[bench.get()] = s;
    bench->world.partner = [s](const HttpRequest& r) { return (*s)(r); };
    return bench;
  }
};

Delivery delivery() {
  Delivery d;
  d.id = "afl-1";
  d.kind = "message";
  d.type = "besluit_zorgdeel";
  d.message_id = "m-1";
  d.region = "KNH";
  d.pseudonym = "ps-1";
  d.case_id = "zaak-geheim";
  d.role = "school_ib";
  d.endpoint = {{"mail", "ib@school.example"}};
  d.body = {{"payload", {{"besluit", "toekennen"}}}};
  d.documents = {{"d1", "opp", "application/pdf", "Jansen_opp.pdf", "ab", 1, 5}};
  d.first_attempt = *parse_instant("2026-11-02T09:00:00Z");
  return d;
}

TEST(Webhook, EventFollowsTheProfileAndIsSigned) {
  Fresh fresh;
  auto bench = fresh();
  ASSERT_EQ(bench->send(delivery())->verdict, Verdict::delivered);
  const auto& r = fresh.subscribers[bench.get()]->posts.at(0);
  HttpReply headers{0, r.headers, {}};
  EXPECT_TRUE(headers.header("Content-Type").starts_with("application/cloudevents+json"));
  EXPECT_EQ(headers.header("Authorization"), "Bearer token-geheim-1");
  auto mac = hmac_sha256(as_bytes("hmac-geheim-2"), as_bytes(headers.header("X-Timestamp") + "." + r.body));
  EXPECT_EQ(headers.header("X-Signature"), "sha256=" + to_hex(mac));
  Json event = Json::parse(r.body);
  EXPECT_EQ(event["specversion"], "1.0");
  EXPECT_EQ(event["type"], "nl.schakel.besluit_zorgdeel.v1");
  EXPECT_EQ(event["subject"], "ps-1");
  EXPECT_EQ(event["causationid"], "m-1");
  for (const auto& [name, value] : event.items())
    for (char c : name) EXPECT_TRUE(std::islower(c) || std::isdigit(c)) << name;
  EXPECT_EQ(event["data"]["payload"]["besluit"], "toekennen");
  EXPECT_EQ(r.body.find("Jansen"), std::string::npos);
  EXPECT_EQ(r.body.find("zaak-geheim"), std::string::npos);
  EXPECT_EQ(r.body.find("ib@school"), std::string::npos);
  EXPECT_TRUE(bench->leaks().empty());
}

std::string seen(Fresh& fresh, PluginBench& b) { return ::testing::PrintToString(fresh.subscribers[&b]->seen); }

TEST(Webhook, CrashAtAnyAwaitSendsTheSameBytesAgain) {
  auto fresh = std::make_shared<Fresh>();
  for (const auto& w : crash_everywhere([fresh] { return (*fresh)(); }, delivery(),
                                        [fresh](PluginBench& b) { return seen(*fresh, b); }))
    ADD_FAILURE() << w;
}

TEST(Webhook, EveryFaultGivesTheRightVerdict) {
  auto fresh = std::make_shared<Fresh>();
  auto started = [fresh] {
    auto bench = (*fresh)();
    EXPECT_TRUE(bench->restart());
    bench->world.requests.clear();
    return bench;
  };
  for (const auto& w : fault_everywhere(started, delivery(), [fresh](PluginBench& b) { return seen(*fresh, b); }))
    ADD_FAILURE() << w;
}

TEST(Webhook, HandshakeRefusalKeepsTheChannelOff) {
  Fresh fresh;
  auto bench = fresh();
  fresh.subscribers[bench.get()]->allowed = "iemand-anders.example";
  auto started = bench->restart();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, "WEBHOOK_NOT_ALLOWED");
  EXPECT_TRUE(fresh.subscribers[bench.get()]->posts.empty());
}

TEST(Webhook, TargetThatIsDownAtStartIsAskedAgainBeforeTheFirstEvent) {
  Fresh fresh;
  auto bench = fresh();
  auto real = bench->world.partner;
  bench->world.partner = [](const HttpRequest&) -> Result<HttpReply> {
    return fail(ErrorKind::unavailable, "HTTP_REFUSED", "down");
  };
  ASSERT_TRUE(bench->restart());
  EXPECT_EQ(bench->send(delivery())->verdict, Verdict::retry_later);
  bench->world.partner = real;
  EXPECT_EQ(bench->send(delivery())->verdict, Verdict::delivered);
}

TEST(Webhook, GoneIsRejectedAndRetryAfterIsHonoured) {
  Fresh fresh;
  auto bench = fresh();
  ASSERT_TRUE(bench->restart());
  bench->world.partner = [](const HttpRequest&) { return HttpReply{410, {}, {}}; };
  auto r = bench->send(delivery());
  EXPECT_EQ(r->verdict, Verdict::rejected);
  EXPECT_EQ(r->code, "WEBHOOK_GONE");
  bench->world.partner = [](const HttpRequest&) { return HttpReply{429, {{"Retry-After", "7"}}, {}}; };
  r = bench->send(delivery());
  EXPECT_EQ(r->verdict, Verdict::retry_later);
  EXPECT_EQ(r->retry_after, std::chrono::seconds(7));
}

TEST(Webhook, OversizedEventIsRefusedBeforeItLeaves) {
  Fresh fresh;
  auto bench = fresh();
  Delivery d = delivery();
  d.body["payload"]["tekst"] = std::string(70'000, 'x');
  EXPECT_EQ(bench->send(d)->code, "EVENT_TOO_LARGE");
  EXPECT_TRUE(fresh.subscribers[bench.get()]->posts.empty());
}

TEST(Webhook, BadConfigurationIsRefused) {
  for (const auto& w : bad_configs_refused("webhook", config())) ADD_FAILURE() << w;
}

}  // namespace
}  // namespace schakel::test
