#include "core/portal/portal.hpp"

#include <gmock/gmock.h>

#include "tests/unit/portal/http.hpp"

namespace schakel {
namespace {

using namespace std::chrono_literals;
using test::secret_of_url;
using ::testing::HasSubstr;
using ::testing::Not;
using Portal = test::PortalTest;

/// Pages that differ only in what must differ: the id of the link that was asked for.
std::string without(std::string text, const std::string& id) {
  for (auto at = text.find(id); at != text.npos; at = text.find(id)) text.erase(at, id.size());
  return text;
}

TEST_F(Portal, RecipientSeesDocumentsAfterLinkAndCodeAndFetchesThem) {
  auto link = recipient_link();
  auto b = entered(link);
  auto page = b.get("/l/" + link.id + "/inhoud");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, HasSubstr("Basisschool De Verzonnen Vuurtoren"));
  EXPECT_THAT(page.body, HasSubstr("Ontwikkelingsperspectief (OPP)"));
  EXPECT_THAT(page.body, Not(HasSubstr("Groeidocument"))) << "only what the link names";
  const auto token = b.csrf("/l/" + link.id + "/inhoud");
  auto file = b.post("/l/" + link.id + "/document", "csrf=" + token + "&document=" + doc1);
  EXPECT_EQ(file.status, 200);
  EXPECT_EQ(file.body, "%PDF-1.7 inhoud van het OPP");
  EXPECT_EQ(file.header("content-disposition"), "attachment; filename=\"opp-OZA-7K3F-9Q2M-v1.pdf\"");
  EXPECT_THAT(file.header("content-security-policy"), HasSubstr("sandbox"));
  EXPECT_EQ(file.header("x-content-type-options"), "nosniff");
  EXPECT_EQ(file.header("cache-control"), "no-store");
  EXPECT_EQ(b.post("/l/" + link.id + "/document", "csrf=" + token + "&document=" + doc2).status, 404)
      << "a document of the case that was not sent here";
  EXPECT_EQ(leaves("link.downloaded"), 1);
  EXPECT_EQ(backend.opened,
            (std::vector<std::pair<std::string, std::string>>{{"orthopedagoog", ""}, {"orthopedagoog", doc1}}));
}

TEST_F(Portal, HundredGetsAndHeadsByAScannerChangeNothing) {
  auto link = recipient_link();
  const auto before = rows("link");
  const auto events_before = events.size();
  for (int i = 0; i < 100; ++i) {
    auto b = browser();
    EXPECT_EQ(b.request(i % 3 == 0 ? "HEAD" : "GET", "/l/" + link.id).status, 200);
    b.get("/l/" + link.id + "/code");
    b.get("/l/" + link.id + "/inhoud");
  }
  const auto after = rows("link");
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < after.size(); ++i) EXPECT_EQ(after[i].version, before[i].version);
  EXPECT_TRUE(rows("link.session").empty());
  EXPECT_EQ(events.size(), events_before);
  entered(link);
}

TEST_F(Portal, UnknownExpiredRevokedAndWrongLinksGiveTheSameAnswer) {
  auto good = recipient_link("good");
  auto revoked = recipient_link("revoked");
  ASSERT_TRUE(*test::run_now(links.revoke(revoked.id, "x")));
  auto soon = order("soon");
  soon.expires = clock.now() + 1min;
  auto expired = issue(soon);
  clock.advance(1min);
  auto used = recipient_link("used");
  const std::string unknown = "AAAAAAAAAAAAAAAAAAAAAA", secret(43, 'A');
  std::vector<std::pair<std::string, std::string>> tries{{unknown, secret},
                                                         {good.id, secret},
                                                         {good.id, ""},
                                                         {good.id, "rubbish"},
                                                         {revoked.id, secret_of_url(revoked.url)},
                                                         {expired.id, secret_of_url(expired.url)},
                                                         {used.id, secret_of_url(good.url)}};
  std::set<std::string> bodies, heads;
  for (auto& [id, s] : tries) {
    auto b = browser();
    auto a = b.post("/l/" + id + "/openen", "sleutel=" + s);
    EXPECT_EQ(a.status, 404);
    EXPECT_TRUE(a.header("set-cookie").empty());
    bodies.insert(without(a.body, id));
    std::string head;
    for (auto& [k, v] : a.headers)
      if (k != "Date") head += k + ": " + v + "\n";
    heads.insert(head);
    bodies.insert(without(a.body, id));
  }
  EXPECT_EQ(bodies.size(), 1u);
  EXPECT_EQ(heads.size(), 1u);
  std::set<std::string> starts;
  for (auto& id : {unknown, good.id, revoked.id, expired.id}) {
    auto b = browser();
    starts.insert(without(b.get("/l/" + id).body, id));
  }
  EXPECT_EQ(starts.size(), 1u);
}

struct SlowRefusals : Portal {
  SlowRefusals() { refusal_time = milliseconds{120}; }
};

TEST_F(SlowRefusals, RefusedLinksTakeTheSameTime) {
  auto revoked = recipient_link("revoked");
  ASSERT_TRUE(*test::run_now(links.revoke(revoked.id, "x")));
  std::map<std::string, std::vector<double>> times;
  for (int i = 0; i < 5; ++i)
    for (auto& [name, id, secret] :
         {std::tuple<std::string, std::string, std::string>{"unknown", "AAAAAAAAAAAAAAAAAAAAAA", std::string(43, 'A')},
          {"revoked", revoked.id, secret_of_url(revoked.url)}}) {
      auto b = browser();
      const auto t = std::chrono::steady_clock::now();
      EXPECT_EQ(b.post("/l/" + id + "/openen", "sleutel=" + secret).status, 404);
      times[name].push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - t).count());
    }
  // Both wait for the same moment, so the quickest of each are as long as the wait and no longer than it by chance.
  for (auto& [name, t] : times) EXPECT_GE(*std::ranges::min_element(t), 119.0) << name;
}

TEST_F(Portal, RevocationBreaksARunningDownloadOff) {
  const std::size_t size = 40'000'000;
  doc1 = backend.add("lvs", Bytes(size, 'x'));
  auto link = recipient_link();
  auto b = entered(link);
  const auto token = b.csrf("/l/" + link.id + "/inhoud");
  const auto body = "csrf=" + token + "&document=" + doc1;
  std::string jar;
  for (auto& [k, v] : b.cookies) jar += k + "=" + v;
  test::Wire wire(server->port("portal"));
  wire.send("POST /l/" + link.id +
            "/document HTTP/1.1\r\nHost: x\r\nOrigin: https://portaal.example\r\nCookie: " + jar +
            "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: " + std::to_string(body.size()) +
            "\r\n\r\n" + body);
  std::size_t got = 0;
  while (got < 300'000) got += wire.some(65536).size();
  ASSERT_TRUE(*test::run_now(links.revoke(link.id, "CONSENT_WITHDRAWN")));
  for (std::string more = wire.some(1 << 20); !more.empty(); more = wire.some(1 << 20)) got += more.size();
  EXPECT_LT(got, size) << "what lay in the sockets may still come, the rest may not";
  auto again = browser();
  again.get("/toegankelijkheid");  // any request writes what ended
  std::vector<std::int64_t> broken;
  for (auto& e : events)
    if (e.kind == "broken_off") broken.push_back(e.bytes);
  ASSERT_EQ(broken.size(), 1u);
  EXPECT_GT(broken[0], 0);
  EXPECT_LT(broken[0], static_cast<std::int64_t>(size));
  EXPECT_EQ(leaves("link.broken_off"), 1);
}

TEST_F(Portal, RulesDecideAtOpeningAndAtEachDownload) {
  auto link = recipient_link();
  backend.refuse = {"CONSENT_WITHDRAWN", "CHILD_CONSENT_MISSING"};
  auto b = entered(link);
  auto page = b.get("/l/" + link.id + "/inhoud");
  EXPECT_EQ(page.status, 403);
  EXPECT_THAT(page.body, HasSubstr("De toestemming is ingetrokken"));
  EXPECT_THAT(page.body, HasSubstr("De toestemming van de leerling ontbreekt"));
  EXPECT_THAT(page.body, Not(HasSubstr("Ophalen")));
  const auto token = b.csrf("/l/" + link.id + "/inhoud");
  EXPECT_EQ(b.post("/l/" + link.id + "/document", "csrf=" + token + "&document=" + doc1).status, 303);
  backend.refuse.clear();
  EXPECT_EQ(b.post("/l/" + link.id + "/opnieuw", "csrf=" + token).status, 303);
  EXPECT_EQ(b.get("/l/" + link.id + "/inhoud").status, 200);
  backend.refuse = {"CONSENT_WITHDRAWN"};
  EXPECT_EQ(b.post("/l/" + link.id + "/document", "csrf=" + token + "&document=" + doc1).status, 303)
      << "consent is judged at the download as well";
  EXPECT_EQ(b.get("/l/" + link.id + "/inhoud").status, 403);
}

TEST_F(Portal, PageThatIsLookedAtAgainIsJudgedAgain) {
  auto link = recipient_link();
  auto b = entered(link);
  EXPECT_EQ(b.get("/l/" + link.id + "/inhoud").status, 200);
  backend.refuse = {"CONSENT_WITHDRAWN"};
  auto again = b.get("/l/" + link.id + "/inhoud");
  EXPECT_EQ(again.status, 303);
  EXPECT_THAT(again.body, Not(HasSubstr("Ophalen")));
  auto page = b.get("/l/" + link.id + "/inhoud");
  EXPECT_EQ(page.status, 403);
  EXPECT_THAT(page.body, HasSubstr("De toestemming is ingetrokken"));
}

TEST_F(Portal, WithoutAnAnswerOfTheRulesTheAnswerIsNo) {
  auto link = recipient_link();
  backend.silent = true;
  auto b = entered(link);
  auto page = b.get("/l/" + link.id + "/inhoud");
  EXPECT_EQ(page.status, 403);
  EXPECT_THAT(page.body, HasSubstr("Opnieuw proberen"));
}

TEST_F(Portal, EveryRouteHasALimitAndRefusesWhoHasNotProvenEnough) {
  auto link = recipient_link();
  auto work = workplace_link();
  auto proven = browser();
  ASSERT_EQ(proven.post("/l/" + link.id + "/openen", "sleutel=" + secret_of_url(link.url)).status, 303);
  auto full_elsewhere = entered(recipient_link("other"));
  for (const auto& r : portal::Portal::routes()) {
    EXPECT_GT(r.limit.count, 0) << r.pattern;
    EXPECT_GT(r.limit.window.count(), 0) << r.pattern;
    if (r.needs == "anonymous") continue;
    std::string path(r.pattern);
    const auto at = path.find("{link}");
    path.replace(at, 6, link.id);
    auto stranger = browser();
    auto a = stranger.request(std::string(r.method), path, r.method == "POST" ? "csrf=x" : "");
    EXPECT_EQ(a.status, 303) << path;
    EXPECT_EQ(a.header("location"), "/l/" + link.id) << path;
    a = full_elsewhere.request(std::string(r.method), path, r.method == "POST" ? "csrf=x" : "");
    EXPECT_EQ(a.header("location"), "/l/" + link.id) << path << ": the session of one link is nothing at another";
    if (r.needs == "full") {
      a = proven.request(std::string(r.method), path, r.method == "POST" ? "csrf=x" : "");
      EXPECT_EQ(a.header("location"), "/l/" + link.id + "/code") << path << ": half the proof is not enough";
    }
  }
  // A recipient's full session reaches nothing of the work place.
  auto recipient = entered(recipient_link("third"));
  const auto id = recipient.cookies.begin()->first.substr(std::string("__Host-schakel-").size());
  for (const auto& r : portal::Portal::routes())
    if (r.workplace) {
      std::string path(r.pattern);
      path.replace(path.find("{link}"), 6, id);
      EXPECT_EQ(recipient.request(std::string(r.method), path, r.method == "POST" ? "csrf=x" : "").header("location"),
                "/l/" + id + "/inhoud")
          << path;
    }
}

TEST_F(Portal, UnsafeRequestNeedsOwnOriginAndToken) {
  auto link = recipient_link();
  auto b = entered(link);
  const auto token = b.csrf("/l/" + link.id + "/inhoud"), path = "/l/" + link.id + "/document",
             body = "csrf=" + token + "&document=" + doc1;
  auto with = [&](std::vector<std::pair<std::string, std::string>> headers) {
    auto c = b;
    c.extra = std::move(headers);
    return c.request("POST", path, body, "application/x-www-form-urlencoded", false).status;
  };
  EXPECT_EQ(with({}), 403);
  EXPECT_EQ(with({{"Origin", "https://kwaad.example"}}), 403);
  EXPECT_EQ(with({{"Origin", "null"}}), 403);
  EXPECT_EQ(with({{"Sec-Fetch-Site", "cross-site"}}), 403);
  EXPECT_EQ(with({{"Sec-Fetch-Site", "same-site"}, {"Origin", "https://portaal.example"}}), 403);
  EXPECT_EQ(with({{"Origin", "https://portaal.example"}, {"Sec-Fetch-Site", "cross-site"}}), 403);
  EXPECT_EQ(with({{"Origin", "null"}, {"Sec-Fetch-Site", "same-origin"}}), 200)
      << "what a browser sends from a page without referrer";
  EXPECT_EQ(with({{"Origin", "https://portaal.example"}}), 200);
  EXPECT_EQ(b.post(path, "csrf=" + std::string(43, 'A') + "&document=" + doc1).status, 403);
  EXPECT_EQ(b.post(path, "document=" + doc1).status, 403);
}

TEST_F(Portal, PagesCarryTheHeadersAndCookieTheFlagsThatProtectThem) {
  auto link = recipient_link();
  auto b = browser();
  for (auto path : {std::string("/l/") + link.id, std::string("/toegankelijkheid"), std::string("/niets")}) {
    auto a = b.get(path);
    EXPECT_THAT(a.header("content-security-policy"), HasSubstr("default-src 'none'"));
    EXPECT_THAT(a.header("content-security-policy"), HasSubstr("frame-ancestors 'none'"));
    EXPECT_THAT(a.header("content-security-policy"), Not(HasSubstr("unsafe")));
    EXPECT_EQ(a.header("referrer-policy"), "no-referrer");
    EXPECT_EQ(a.header("x-content-type-options"), "nosniff");
    EXPECT_EQ(a.header("cache-control"), "no-store");
    EXPECT_FALSE(a.header("strict-transport-security").empty());
    EXPECT_EQ(a.body.find("<script>"), std::string::npos);
    EXPECT_EQ(a.body.find(" style="), std::string::npos);
    EXPECT_EQ(a.body.find(" onclick"), std::string::npos);
  }
  auto cookie = b.post("/l/" + link.id + "/openen", "sleutel=" + secret_of_url(link.url)).header("set-cookie");
  EXPECT_THAT(cookie, ::testing::StartsWith("__Host-schakel-"));
  for (auto flag : {"; Path=/", "; HttpOnly", "; SameSite=Strict", "; Secure"}) EXPECT_THAT(cookie, HasSubstr(flag));
}

TEST_F(Portal, PlainHttpIsForLoopbackOnly) {
  portal::PortalOptions o;
  o.share = SCHAKEL_BINARY_DIR "/share/schakel/portal";
  for (auto bad : {"http://portaal.example", "http://127.0.0.1.kwaad.example:80", "ftp://localhost", ""}) {
    o.public_url = bad;
    auto made = portal::Portal::open(backend, links, limiter, o);
    ASSERT_FALSE(made) << bad;
    EXPECT_EQ(made.error().code, "PORTAL_PLAIN");
  }
  o.public_url = "http://127.0.0.1:8080";
  EXPECT_TRUE(portal::Portal::open(backend, links, limiter, o));
  o.share = "/nonexistent";
  EXPECT_EQ(portal::Portal::open(backend, links, limiter, o).error().code, "PORTAL_SHARE");
}

TEST_F(Portal, TooManyTriesOfOneLinkAreSlowedDown) {
  auto b = browser();
  int limited = 0;
  for (int i = 0; i < 60; ++i) limited += b.post("/l/AAAAAAAAAAAAAAAAAAAAAA/openen", "sleutel=x").status == 429;
  EXPECT_EQ(limited, 20);
  clock.advance(1min);
  EXPECT_EQ(b.post("/l/AAAAAAAAAAAAAAAAAAAAAA/openen", "sleutel=x").status, 404);
  EXPECT_TRUE(rows("portal.limit").empty()) << "a link that somebody made up leaves no trace";

  auto link = recipient_link();
  limited = 0;
  for (int i = 0; i < 60; ++i) limited += b.post("/l/" + link.id + "/openen", "sleutel=x").status == 429;
  EXPECT_EQ(limited, 20) << "the same answers for one that is there";
  EXPECT_EQ(rows("portal.limit").size(), 2u) << "its own count and that of the address, which a restart keeps";
}

TEST_F(Portal, WhatComesFromAnotherSiteWritesNothing) {
  auto link = recipient_link();
  auto b = browser();
  b.origin = "https://kwaad.example";
  for (int i = 0; i < 5; ++i) EXPECT_EQ(b.post("/l/" + link.id + "/openen", "sleutel=x").status, 403);
  EXPECT_TRUE(rows("portal.limit").empty());
}

TEST(LimitedAddress, IsThatOfOneVisitorWhoHasAWholeNetwork) {
  EXPECT_EQ(portal::limited_address("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(portal::limited_address("2001:db8:1:2:3:4:5:6"), portal::limited_address("2001:db8:1:2::1"));
  EXPECT_NE(portal::limited_address("2001:db8:1:2::1"), portal::limited_address("2001:db8:1:3::1"));
  for (const char* none : {"", "unknown"}) EXPECT_EQ(portal::limited_address(none), none);
}

TEST_F(Portal, TheEndOfADownloadIsWrittenDownWhenTheStoreTakesItAgain) {
  auto link = recipient_link();
  auto b = entered(link);
  const auto token = b.csrf("/l/" + link.id + "/inhoud");
  ASSERT_EQ(b.post("/l/" + link.id + "/document", "csrf=" + token + "&document=" + doc1).status, 200);
  disk_full = true;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(b.get("/toegankelijkheid").status, 503);
  disk_full = false;
  EXPECT_EQ(b.get("/toegankelijkheid").status, 200);
  EXPECT_EQ(leaves("link.downloaded"), 1);
}

TEST_F(Portal, ADocumentThatWasFetchedOftenEnoughIsRefusedBeforeTheRulesAreAsked) {
  auto link = recipient_link();
  auto b = entered(link);
  const auto token = b.csrf("/l/" + link.id + "/inhoud"), path = "/l/" + link.id + "/document",
             body = "csrf=" + token + "&document=" + doc1;
  for (int i = 0; i < 25; ++i) ASSERT_EQ(b.post(path, body).status, 200);
  const auto asked = backend.opened.size();
  auto more = b.post(path, body);
  EXPECT_EQ(more.status, 403);
  EXPECT_THAT(more.body, HasSubstr("al zo vaak opgehaald"));
  EXPECT_EQ(backend.opened.size(), asked) << "nothing of it comes into the case";
}

TEST_F(Portal, AskingTheRulesAgainIsForWhoWasRefusedAndHasALimit) {
  auto link = recipient_link();
  auto b = entered(link);
  auto token = b.csrf("/l/" + link.id + "/inhoud");
  const auto path = "/l/" + link.id + "/opnieuw";
  EXPECT_EQ(backend.opened.size(), 1u);
  EXPECT_EQ(b.post(path, "csrf=" + token).status, 303);
  EXPECT_EQ(backend.opened.size(), 1u) << "who may see it has nothing to ask";
  backend.refuse = {"CONSENT_WITHDRAWN"};
  b.get("/l/" + link.id + "/inhoud");
  int limited = 0;
  for (int i = 0; i < 25; ++i) limited += b.post(path, "csrf=" + token).status == 429;
  EXPECT_EQ(limited, 5);
  EXPECT_EQ(backend.opened.size(), 21u);
}

TEST_F(Portal, StrangePathsAndMethodsAreRefused) {
  auto b = browser();
  for (auto path : {"/l/", "/l/a%2Fb", "/l/../w", "/assets/..%2fportal.cpp", "/assets/nope.css", "/w/", "/",
                    "/l/"
                    "AAAA"
                    "/document/extra"})
    EXPECT_GE(b.get(path).status, 400) << path;
  EXPECT_EQ(b.request("DELETE", "/toegankelijkheid").status, 405);
  EXPECT_EQ(b.request("POST", "/toegankelijkheid", "x=1").status, 405);
  EXPECT_EQ(b.get("/assets/portal.css").status, 200);
  EXPECT_EQ(b.get("/assets/portal.css").header("content-type"), "text/css; charset=utf-8");
}

TEST_F(Portal, LogOutEndsTheSession) {
  auto link = recipient_link();
  auto b = entered(link);
  auto kept = b;
  const auto token = b.csrf("/l/" + link.id + "/inhoud");
  EXPECT_EQ(b.post("/l/" + link.id + "/uit", "csrf=" + token).status, 200);
  EXPECT_EQ(kept.get("/l/" + link.id + "/inhoud").status, 303);
}

TEST_F(Portal, TextOfThePageIsNeverMarkup) {
  auto link = recipient_link("eigen");
  portal::SendForm form;
  form.question_kind = "onderwijs";
  form.note = "<script>alert(1)</script>\"'>{{csrf}}{{{body}}}";
  form.documents = {doc1};
  form.meeting.at = clock.now() + 24h * 7;
  ASSERT_TRUE(test::run_now(backend.submit({}, form, "key-key-key-key-1")));
  auto b = entered(link);
  auto page = b.get("/l/" + link.id + "/inhoud").body;
  EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;"));
  EXPECT_THAT(page, HasSubstr("{{csrf}}{{{body}}}"));
}

}  // namespace
}  // namespace schakel
