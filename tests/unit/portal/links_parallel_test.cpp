// What many visitors at once, on several threads, do to one link.
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <future>

#include "core/portal/links.hpp"
#include "tests/unit/portal/support.hpp"

namespace schakel {
namespace {

using namespace std::chrono_literals;
using portal::LinkProven;
using test::code_of;
using test::run_now;
using test::secret_of_url;

/// Real threads on a real file: what parallel visitors do to one row.
struct ParallelLinks : ::testing::Test {
  ManualClock clock{std::chrono::sys_days{std::chrono::year{2026} / 3 / 2}};
  test::TempFolder dir;
  std::unique_ptr<store::SqliteStore> store =
      std::move(*store::SqliteStore::open((dir.path() / "s.db").string(), clock));
  std::unique_ptr<vault::Vault> vault = std::move(*run_now(vault::Vault::open(*store, clock, test::master(1))));
  test::FakeSms sms;
  portal::LinkService links{*store, *vault, clock, &sms, {}};
  IssuedLink link;
  std::vector<portal::Session> sessions;

  void SetUp() override {
    LinkOrder o;
    o.delivery = "d1", o.case_id = "case-1", o.role = "orthopedagoog", o.second_factor = "sms:+31612345678";
    o.expires = clock.now() + 24h;
    link = *run_now(links.issue(o));
  }
  portal::Session proven() {
    auto cookie = run_now(links.prove(link.id, Secret(std::string_view(secret_of_url(link.url)))));
    return std::get<LinkProven>(*run_now(links.visitor(link.id, std::move(*cookie)))).session;
  }
  /// Everybody tries at once; how often each answer came.
  std::map<std::string, int> race(std::vector<portal::Session> who, const std::string& code) {
    boost::asio::thread_pool pool(4);
    std::vector<std::future<Result<Secret>>> answers;
    for (auto& s : who)
      answers.push_back(
          boost::asio::co_spawn(pool, links.try_code(s, Secret(std::string_view(code))), boost::asio::use_future));
    std::map<std::string, int> out;
    for (auto& a : answers) {
      auto r = a.get();
      ++out[r ? "in" : r.error().code];
    }
    pool.join();
    return out;
  }
};

TEST_F(ParallelLinks, OfAThousandParallelGuessesAtMostFiveAreEvaluated) {
  auto s = proven();
  ASSERT_TRUE(run_now(links.begin_round(s), std::chrono::seconds(60)));
  auto answers = race(std::vector(1000, s), "00000000");
  EXPECT_EQ(answers["CODE_WRONG"], 5);
  EXPECT_EQ(answers["CODE_NONE"], 995);
  EXPECT_EQ(code_of(run_now(links.try_code(s, Secret(std::string_view(sms.code()))))), "CODE_NONE");
}

TEST_F(ParallelLinks, OfFiftyClientsWithTheRightCodeExactlyOneWins) {
  std::vector<portal::Session> who;
  for (int i = 0; i < 50; ++i) who.push_back(proven());
  ASSERT_TRUE(run_now(links.begin_round(who[0])));
  auto answers = race(who, sms.code());
  EXPECT_EQ(answers["in"], 1) << ::testing::PrintToString(answers);
  EXPECT_EQ(answers["CODE_WRONG"] + answers["CODE_NONE"], 49);
}

TEST_F(ParallelLinks, LimitIsKeptWhenManyAskAtOnceAndAfterARestart) {
  portal::RateLimiter limiter(*store, *vault, clock);
  const portal::Limit limit{"test", 30, 60s, 1};
  boost::asio::thread_pool pool(4);
  std::vector<std::future<Result<bool>>> answers;
  for (int i = 0; i < 40; ++i)
    answers.push_back(boost::asio::co_spawn(pool, limiter.allow(limit, "10.0.0.1"), boost::asio::use_future));
  int yes = 0;
  for (auto& a : answers) yes += a.get().value_or(false) ? 1 : 0;
  pool.join();
  EXPECT_LE(yes, 30);
  EXPECT_GE(yes, 1);
  portal::RateLimiter restarted(*store, *vault, clock);
  while (*run_now(restarted.allow(limit, "10.0.0.1"))) ++yes;
  EXPECT_EQ(yes, 30);
  EXPECT_TRUE(*run_now(restarted.allow(limit, "10.0.0.2")));
  clock.advance(60s);
  EXPECT_TRUE(*run_now(restarted.allow(limit, "10.0.0.1")));
  EXPECT_GE(*run_now(restarted.sweep(100)), 0);
}

TEST_F(ParallelLinks, WithoutTheStoreNobodyGetsThrough) {
  portal::RateLimiter limiter(*store, *vault, clock);
  store->close();
  EXPECT_FALSE(run_now(limiter.allow({"test", 30, 60s, 20}, "10.0.0.1")));
  EXPECT_FALSE(run_now(links.prove(link.id, Secret(std::string_view(secret_of_url(link.url))))));
}

}  // namespace
}  // namespace schakel
