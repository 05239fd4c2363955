#include "core/portal/links.hpp"

#include <gmock/gmock.h>

#include "tests/unit/portal/support.hpp"

namespace schakel {
namespace {

using namespace std::chrono_literals;
using portal::Anonymous;
using portal::Full;
using portal::LinkProven;
using test::code_of;
using test::run_now;
using test::secret_of_url;
using Links = test::LinkTest;

Secret text(std::string_view s) { return Secret(s); }

TEST_F(Links, LinkIsLongRandomAndSaysNothing) {
  std::set<std::string> ids, secrets;
  for (int i = 0; i < 500; ++i) {
    auto link = issue(order("d" + std::to_string(i)));
    ASSERT_THAT(link.url, ::testing::StartsWith("https://portaal.example/l/" + link.id + "#"));
    EXPECT_EQ(from_base64url(secret_of_url(link.url))->size(), 32u);
    EXPECT_EQ(from_base64url(link.id)->size(), 16u);
    EXPECT_EQ(link.url.find("case-1"), std::string::npos);
    EXPECT_TRUE(ids.insert(link.id).second && secrets.insert(secret_of_url(link.url)).second);
  }
}

TEST_F(Links, StoreHoldsNeitherSecretNorCodeNorCookieNorAddress) {
  auto link = issue(order());
  auto cookie = enter(link);
  const auto secret = secret_of_url(link.url);
  for (auto space :
       {"link", "link.delivery", "link.case", "link.session", "link.revoked", "portal.limit", "link.clock"})
    for (auto& r : rows(space)) {
      const auto all = r.key + std::string(as_text(r.value));
      for (const std::string& needle : {secret, std::string(cookie.reveal_text()), sms.code(), std::string("sam@swv"),
                                        std::string("31612345678"), sha256_hex(sms.code())})
        EXPECT_EQ(all.find(needle), std::string::npos) << space;
    }
}

TEST_F(Links, LinkPlusCodeOpensAndEitherAloneDoesNot) {
  auto link = issue(order());
  EXPECT_EQ(code_of(run_now(links.prove(link.id, text(std::string(43, 'A'))))), "LINK_DEAD");
  auto cookie = prove(link);
  EXPECT_TRUE(std::holds_alternative<LinkProven>(visitor(link.id, cookie)));
  auto s = session(link.id, cookie);
  EXPECT_EQ(code_of(run_now(links.try_code(s, text("12345678")))), "CODE_NONE");
  ASSERT_TRUE(run_now(links.begin_round(s)));
  ASSERT_EQ(sms.sent.size(), 1u);
  EXPECT_EQ(sms.sent[0].first, "+31612345678");
  EXPECT_EQ(sms.code().size(), 8u);
  auto full = run_now(links.try_code(s, text(sms.code())));
  ASSERT_TRUE(full);
  auto v = visitor(link.id, *full);
  ASSERT_TRUE(std::holds_alternative<Full>(v));
  EXPECT_EQ(std::get<Full>(v).session.link.documents, (std::vector<std::string>{"doc-1", "doc-2"}));
  EXPECT_TRUE(std::holds_alternative<Anonymous>(visitor(link.id, cookie)))
      << "a new session id at login, the old one ends";
}

TEST_F(Links, CookieOfOneLinkIsNothingAtAnother) {
  auto a = issue(order("d1")), b = issue(order("d2"));
  auto cookie = enter(a);
  EXPECT_TRUE(std::holds_alternative<Anonymous>(visitor(b.id, cookie)));
  EXPECT_TRUE(std::holds_alternative<Anonymous>(visitor(a.id, text("rubbish"))));
  EXPECT_TRUE(std::holds_alternative<Anonymous>(visitor(a.id, text(std::string(5000, 'x')))));
}

TEST_F(Links, AppCodeOpensOnceAndAReplayDoesNot) {
  auto link = issue(order("d1", "totp:app-1"));
  auto code = portal::hotp(as_bytes(seed), static_cast<std::uint64_t>(portal::totp_step(clock.now())),
                           portal::totp_profile(as_bytes(seed)));
  auto s = session(link.id, prove(link));
  EXPECT_EQ(code_of(run_now(links.try_code(s, text(code)))), "CODE_NONE") << "a round of tries must be begun first";
  ASSERT_TRUE(run_now(links.begin_round(s)));
  ASSERT_TRUE(run_now(links.try_code(s, text(code))));
  auto again = session(link.id, prove(link));
  ASSERT_TRUE(run_now(links.begin_round(again)));
  EXPECT_EQ(code_of(run_now(links.try_code(again, text(code)))), "CODE_WRONG");
}

TEST_F(Links, CodeEndsAfterTenMinutesAndAfterItsUse) {
  auto link = issue(order());
  auto s = session(link.id, prove(link));
  ASSERT_TRUE(run_now(links.begin_round(s)));
  clock.advance(10min);
  EXPECT_EQ(code_of(run_now(links.try_code(s, text(sms.code())))), "CODE_NONE");
  ASSERT_TRUE(run_now(links.begin_round(s)));
  ASSERT_TRUE(run_now(links.try_code(s, text(sms.code()))));
  auto t = session(link.id, prove(link));
  EXPECT_EQ(code_of(run_now(links.try_code(t, text(sms.code())))), "CODE_NONE");
}

TEST_F(Links, FiveWrongTriesEndTheCodeAndThreeCodesTheDay) {
  auto link = issue(order());
  auto s = session(link.id, prove(link));
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(run_now(links.begin_round(s)));
    for (int i = 0; i < 5; ++i) EXPECT_EQ(code_of(run_now(links.try_code(s, text("00000000")))), "CODE_WRONG");
    EXPECT_EQ(code_of(run_now(links.try_code(s, text(sms.code())))), "CODE_NONE") << "the right one comes too late";
  }
  EXPECT_EQ(code_of(run_now(links.begin_round(s))), "CODE_LIMIT");
  EXPECT_EQ(sms.sent.size(), 3u);
  EXPECT_EQ(std::ranges::count(events, "locked", &portal::LinkEvent::kind), 1) << "the sender is told";
  EXPECT_TRUE(run_now(links.status(link.id))->value().locked_until);
  clock.advance(24h);
  auto next_day = session(link.id, prove(link));
  EXPECT_TRUE(run_now(links.begin_round(next_day)));
}

TEST_F(Links, SendingAgainGivesTheSameLinkAnotherSecretAndNoNewGuesses) {
  auto first = issue(order());
  auto cookie = prove(first);
  auto s = session(first.id, cookie);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(run_now(links.begin_round(s)));
  auto second = issue(order());
  EXPECT_EQ(second.id, first.id);
  EXPECT_NE(second.url, first.url);
  EXPECT_EQ(code_of(run_now(links.prove(first.id, text(secret_of_url(first.url))))), "LINK_DEAD");
  EXPECT_TRUE(std::holds_alternative<Anonymous>(visitor(first.id, cookie)));
  auto t = session(second.id, prove(second));
  EXPECT_EQ(code_of(run_now(links.begin_round(t))), "CODE_LIMIT");
  EXPECT_EQ(run_now(links.of_case("case-1"))->size(), 1u);
}

TEST_F(Links, WhatAPersonSendsAgainGetsALinkOfItsOwnAndTheOneBeforeEnds) {
  auto first = issue(order());
  auto cookie = enter(first);
  auto s = session(first.id, cookie);
  auto again = order();
  again.generation = 1;
  auto second = issue(again);
  EXPECT_NE(second.id, first.id);
  EXPECT_EQ(code_of(run_now(links.still_valid(first.id, s.token_hash))), "LINK_DEAD");
  EXPECT_TRUE(std::holds_alternative<Anonymous>(visitor(first.id, cookie)));
  EXPECT_EQ(code_of(run_now(links.prove(first.id, text(secret_of_url(first.url))))), "LINK_DEAD");
  auto before = run_now(links.status(first.id))->value();
  EXPECT_EQ(before.revoked_because, "LINK_REPLACED");
  auto now = run_now(links.of_delivery("d1"))->value();
  EXPECT_EQ(now.id, second.id);
  EXPECT_FALSE(now.revoked);
  EXPECT_EQ(leaves("link.revoked"), 1);

  auto retry = issue(again);
  EXPECT_EQ(retry.id, second.id) << "a retry of the same is the same link";
  EXPECT_EQ(code_of(run_now(links.prove(second.id, text(secret_of_url(second.url))))), "LINK_DEAD");
  enter(retry);
  EXPECT_EQ(run_now(links.of_case("case-1"))->size(), 2u);

  ASSERT_TRUE(*run_now(links.revoke(second.id, "CONSENT_WITHDRAWN")));
  again.generation = 2;
  EXPECT_EQ(code_of(run_now(links.issue(again))), "LINK_REVOKED") << "ended access does not come back";
}

TEST_F(Links, ALinkThatWasReplacedIsSweptWithoutTheOneThatCameAfterIt) {
  issue(order("d1"));
  auto again = order("d1");
  again.generation = 1;
  again.expires = clock.now() + 24h * 59;
  auto second = issue(again);
  clock.advance(24h * 30);
  EXPECT_GE(*run_now(links.sweep(24h, 100)), 1);
  auto left = run_now(links.of_delivery("d1"));
  ASSERT_TRUE(left && *left);
  EXPECT_EQ((*left)->id, second.id);
  EXPECT_EQ(run_now(links.of_case("case-1"))->size(), 1u);
}

TEST_F(Links, RevokedLinkIsDeadStaysDeadAndEndsSessions) {
  auto link = issue(order());
  auto cookie = enter(link);
  auto s = session(link.id, cookie);
  EXPECT_TRUE(run_now(links.still_valid(link.id, s.token_hash)));
  ASSERT_TRUE(*run_now(links.revoke(link.id, "CONSENT_WITHDRAWN")));
  EXPECT_EQ(code_of(run_now(links.still_valid(link.id, s.token_hash))), "LINK_DEAD");
  EXPECT_TRUE(std::holds_alternative<Anonymous>(visitor(link.id, cookie)));
  EXPECT_EQ(code_of(run_now(links.prove(link.id, text(secret_of_url(link.url))))), "LINK_DEAD");
  EXPECT_EQ(code_of(run_now(links.issue(order()))), "LINK_REVOKED");
  auto status = run_now(links.status(link.id))->value();
  EXPECT_EQ(status.revoked_because, "CONSENT_WITHDRAWN");
  EXPECT_FALSE(*run_now(links.revoke("no-such-link", "x")));
}

TEST_F(Links, RevocationInsideADecisionNeverConflictsWithAVisitor) {
  auto link = issue(order("d1"));
  auto other = issue([&] {
    auto o = order("d2");
    o.role = "procesregisseur";
    return o;
  }());
  auto ops = run_now(links.revoke_ops("case-1", "m1", "orthopedagoog", "CONSENT_WITHDRAWN"));
  ASSERT_TRUE(ops);
  auto cookie = enter(link);  // the row moves on between reading and committing
  commit(*ops);
  EXPECT_TRUE(std::holds_alternative<Anonymous>(visitor(link.id, cookie)));
  EXPECT_TRUE(std::holds_alternative<LinkProven>(visitor(other.id, prove(other))));
}

TEST_F(Links, ExpiredLinkIsDeadAlsoWhenTheClockIsTurnedBack) {
  auto link = issue(order());
  auto cookie = enter(link);
  clock.advance(24h * 20);
  EXPECT_EQ(code_of(run_now(links.prove(link.id, text(secret_of_url(link.url))))), "LINK_DEAD");
  EXPECT_TRUE(std::holds_alternative<Anonymous>(visitor(link.id, cookie)));
  // A restart with a clock that is behind: the highest time acted on is in the store.
  ManualClock behind(clock.now() - 24h * 10);
  portal::LinkService after(*store, *vault, behind, &sms, {});
  ASSERT_TRUE(run_now(after.start()));
  EXPECT_EQ(code_of(run_now(after.prove(link.id, text(secret_of_url(link.url))))), "LINK_DEAD");
}

TEST_F(Links, NoLinkLivesLongerThanSixtyDaysAndNoneIsBornDead) {
  auto o = order();
  o.expires = clock.now() + 24h * 365;
  auto link = issue(o);
  EXPECT_EQ(run_now(links.status(link.id))->value().expires, clock.now() + 24h * 60);
  auto moved = run_now(links.move_ops("case-1", {"m1"}, 365));
  ASSERT_TRUE(moved && !moved->empty());
  commit(std::move(*moved));
  EXPECT_EQ(run_now(links.status(link.id))->value().expires, clock.now() + 24h * 60);
  o = order("d2");
  o.expires = clock.now();
  EXPECT_EQ(code_of(run_now(links.issue(o))), "LINK_PAST");
  EXPECT_EQ(code_of(run_now(links.issue(order("d3", "")))), "LINK_NO_FACTOR");
  EXPECT_EQ(code_of(run_now(links.issue(order("d3", "mail:sam@swv.example")))), "LINK_NO_FACTOR")
      << "a code by mail is no second channel";
}

TEST_F(Links, WithTheMeetingTheyMoveByLocalDaysNeverBeyondTheLongestLife) {
  auto o = order();
  o.expires = *parse_instant("2026-03-20T23:59:59.999+01:00");
  auto link = issue(o);
  auto other = issue([&] {
    auto x = order("d2");
    x.message_id = "m2";
    return x;
  }());
  auto of_role = issue([&] {
    auto x = order("d3");
    x.role = "procesregisseur";
    x.expires = o.expires;
    return x;
  }());
  auto revoked = issue(order("d4"));
  ASSERT_TRUE(*run_now(links.revoke(revoked.id, "TEST")));
  auto expires = [&](const IssuedLink& l) { return run_now(links.status(l.id))->value().expires; };
  const auto untouched = expires(other), ended = expires(revoked);
  // Across the change of the clock on 29 March the end of a day stays one.
  auto later = *run_now(links.move_ops("case-1", {"m1"}, 14));
  commit(later);
  EXPECT_EQ(expires(link), *parse_instant("2026-04-03T23:59:59.999+02:00"));
  EXPECT_EQ(expires(of_role), expires(link));
  EXPECT_EQ(expires(other), untouched);
  EXPECT_EQ(expires(revoked), ended);
  EXPECT_EQ(leaves("link.moved"), 2);
  commit(*run_now(links.move_ops("case-1", {"m1"}, -14)));
  EXPECT_EQ(expires(link), o.expires);
  commit(*run_now(links.move_ops("case-1", {"m1"}, 3650)));
  EXPECT_EQ(expires(link), clock.now() + 24h * 60);
  EXPECT_TRUE(run_now(links.move_ops("case-1", {}, 3))->empty());
  EXPECT_TRUE(run_now(links.move_ops("case-unknown", {"m1"}, 3))->empty());
}

TEST_F(Links, MovingIsDoneAgainWhereAVisitorActedAtTheSameMoment) {
  auto link = issue(order());
  auto ops = *run_now(links.move_ops("case-1", {"m1"}, 2));
  auto cookie = enter(link);
  store::Transaction t;
  t.ops = std::move(ops);
  EXPECT_EQ(run_now(store->commit(std::move(t))).error().kind, ErrorKind::conflict);
  const auto before = run_now(links.status(link.id))->value().expires;
  commit(*run_now(links.move_ops("case-1", {"m1"}, 2)));
  EXPECT_GT(run_now(links.status(link.id))->value().expires, before);
  EXPECT_TRUE(std::holds_alternative<Full>(visitor(link.id, cookie))) << "who is in stays in";
}

TEST_F(Links, SessionEndsIdleAfterFifteenMinutesAndAnywayAfterEightHours) {
  auto link = issue(order());
  auto cookie = enter(link);
  clock.advance(14min);
  EXPECT_TRUE(std::holds_alternative<Full>(visitor(link.id, cookie)));
  clock.advance(14min);
  EXPECT_TRUE(std::holds_alternative<Full>(visitor(link.id, cookie))) << "use renews it";
  clock.advance(15min);
  EXPECT_TRUE(std::holds_alternative<Anonymous>(visitor(link.id, cookie)));
  auto second = enter(link);
  for (int i = 0; i < 47; ++i) {
    clock.advance(10min);
    EXPECT_TRUE(std::holds_alternative<Full>(visitor(link.id, second))) << i;
  }
  clock.advance(10min);
  EXPECT_TRUE(std::holds_alternative<Anonymous>(visitor(link.id, second)));
}

TEST_F(Links, SecondLoginEndsTheFirstOne) {
  auto link = issue(order());
  auto first = enter(link);
  auto second = enter(link);
  EXPECT_TRUE(std::holds_alternative<Anonymous>(visitor(link.id, first)));
  EXPECT_TRUE(std::holds_alternative<Full>(visitor(link.id, second)));
}

TEST_F(Links, ErasedCaseLeavesADeadLink) {
  auto link = issue(order());
  commit(run_now(vault->erase_case("case-1"))->ops);
  vault->forget("case-1");
  EXPECT_EQ(code_of(run_now(links.prove(link.id, text(secret_of_url(link.url))))), "LINK_DEAD");
}

TEST_F(Links, EveryStepIsInTheAuditAndEveryLinkInTheList) {
  auto link = issue(order());
  auto cookie = prove(link);
  auto s = session(link.id, cookie);
  ASSERT_TRUE(run_now(links.begin_round(s)));
  EXPECT_FALSE(run_now(links.try_code(s, text("00000000"))));
  auto full = run_now(links.try_code(s, text(sms.code())));
  auto f = session(link.id, *full);
  ASSERT_TRUE(run_now(links.record_outcome(f, true, {})));
  ASSERT_TRUE(run_now(links.count_download(f, "doc-1")));
  ASSERT_TRUE(run_now(links.record_download(f.link, "doc-1", 1234, true)));
  for (auto kind : {"link.issued", "link.proven", "link.code_sent", "link.code_wrong", "link.code_right", "link.opened",
                    "link.downloaded"})
    EXPECT_EQ(leaves(kind), 1) << kind;
  auto list = run_now(links.of_case("case-1"));
  ASSERT_EQ(list->size(), rows("link").size());
  EXPECT_EQ(list->at(0).downloads, 1);
  EXPECT_TRUE(list->at(0).opened);
  EXPECT_EQ(run_now(links.of_delivery("d1"))->value().id, link.id);
  for (auto& l : *run_now(store->leaves(0, 1000))) EXPECT_EQ(l.body.find("sam@"), std::string::npos);
}

TEST_F(Links, ThatADownloadBeganIsDurableBeforeItsFirstByte) {
  auto link = issue(order());
  auto s = session(link.id, enter(link));
  ASSERT_TRUE(run_now(links.count_download(s, "doc-1")));
  // Nothing after this runs when the process is killed; the log and the list know of it all the same.
  EXPECT_EQ(leaves("link.download_begun"), 1);
  EXPECT_EQ(run_now(links.status(link.id))->value().downloads, 1);
}

TEST_F(Links, WhatTellsOfALockIsDurableWithItOrNothingIs) {
  auto link = issue(order());
  auto s = session(link.id, prove(link));
  bool fails = true;
  links.on_lock([&](portal::LinkView view, store::Transaction& with) -> Task<Result<void>> {
    return [](bool broken, portal::LinkView v, store::Transaction& t) -> Task<Result<void>> {
      if (broken) co_return fail(ErrorKind::unavailable, "STORE_BUSY", "busy");
      t.ops.push_back(store::PutRow{"told", v.delivery, {}, std::nullopt});
      co_return Result<void>{};
    }(fails, std::move(view), with);
  });
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(run_now(links.begin_round(s)));
  EXPECT_EQ(code_of(run_now(links.begin_round(s))), "STORE_BUSY");
  EXPECT_FALSE(run_now(links.status(link.id))->value().locked_until);
  fails = false;
  EXPECT_EQ(code_of(run_now(links.begin_round(s))), "CODE_LIMIT");
  EXPECT_TRUE(run_now(links.status(link.id))->value().locked_until);
  EXPECT_EQ(rows("told").size(), 1U);
  EXPECT_EQ(code_of(run_now(links.begin_round(s))), "CODE_LIMIT");
  EXPECT_EQ(leaves("link.locked"), 1) << "told once a lock";
}

TEST_F(Links, AnEndByHandSaysWhoAndKeepsTheReasonAsAHash) {
  auto link = issue(order());
  ASSERT_TRUE(*run_now(
      links.revoke(link.id, "REVOKED_BY_OPERATOR", portal::LinkService::ByHand{1000, "mail ging naar Sam Voorbeeld"})));
  EXPECT_EQ(leaves("link.revoked"), 1);
  for (auto& l : *run_now(store->leaves(0, 1000))) {
    EXPECT_EQ(l.body.find("Voorbeeld"), std::string::npos);
    if (l.kind != "link.revoked") continue;
    auto body = Json::parse(l.body);
    EXPECT_EQ(body["counts"]["uid"], 1000);
    EXPECT_TRUE(body["hashes"].contains("reason"));
  }
}

TEST_F(Links, DownloadsAreCounted) {
  auto link = issue(order());
  auto s = session(link.id, enter(link));
  for (int i = 0; i < 25; ++i) ASSERT_TRUE(run_now(links.count_download(s, "doc-1")));
  EXPECT_EQ(code_of(run_now(links.count_download(s, "doc-1"))), "DOWNLOAD_LIMIT");
  EXPECT_TRUE(run_now(links.count_download(s, "doc-2")));
}

TEST_F(Links, SweepRemovesWhatEndedLongAgo) {
  issue(order("d1"));
  auto second = order("d2");
  second.expires = clock.now() + 24h * 59;
  auto kept = issue(second);
  enter(kept);
  clock.advance(24h * 30);
  EXPECT_GE(*run_now(links.sweep(24h, 100)), 1);
  auto list = run_now(links.of_case("case-1"));
  ASSERT_EQ(list->size(), 1u);
  EXPECT_EQ(list->at(0).id, kept.id);
  EXPECT_TRUE(rows("link.session").empty());
}

TEST_F(Links, SmsThatDoesNotLeaveIsSaidAndStillCounts) {
  auto link = issue(order());
  auto s = session(link.id, prove(link));
  sms.broken = true;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(code_of(run_now(links.begin_round(s))), "SMS_FAILED");
  EXPECT_EQ(code_of(run_now(links.begin_round(s))), "CODE_LIMIT");
}

TEST(PastedLink, SecretIsFoundInALinkOrAloneAndNowhereElse) {
  const std::string secret(43, 'A');
  EXPECT_EQ(portal::secret_of(secret), secret);
  EXPECT_EQ(portal::secret_of("  https://host/l/abc#" + secret + " \r\n"), secret);
  for (auto bad : {"", "#", "https://host/l/abc", "https://host/l/abc#kort", "AAAA BBBB"})
    EXPECT_EQ(portal::secret_of(bad), "");
  EXPECT_EQ(portal::secret_of(std::string(100000, 'A')), "");
}

}  // namespace
}  // namespace schakel
