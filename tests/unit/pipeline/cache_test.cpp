// The case that the pipeline remembers is never older than the last decision.
#include <boost/asio/executor_work_guard.hpp>
#include <utility>

#include "core/runtime/wake.hpp"
#include "tests/unit/pipeline/real_road.hpp"

namespace schakel::test {
namespace {

TEST(CaseCache, APageThatReadsSlowlyDoesNotUndoADecision) {
  RealRoad road;
  road.open();
  // As after a restart: nothing is remembered.
  road.start(rules_test::profiles());

  boost::asio::io_context io{1};
  auto open_end = boost::asio::make_work_guard(io);
  runtime::Bell go_on;
  bool held = false, first = true;
  road.sealer.before_open = [&](const std::string& kind) -> Task<void> {
    return [](bool hold, bool& is_held, runtime::Bell& bell) -> Task<void> {
      if (!hold) co_return;
      is_held = true;
      co_await bell.wait(std::chrono::seconds(30));
    }(kind == "decision" && std::exchange(first, false), held, go_on);
  };
  Message page;
  page.id = "pagina";
  page.source = "urn:test";
  page.type = "documentlevering";
  page.subject = road.zaak;
  page.region = road.region;
  page.party = "school";
  page.sender_role = "school_ib";
  page.payload = road_delivery();
  std::optional<Result<Draft>> seen;
  boost::asio::co_spawn(io, road.pipeline->rehearse(page), [&](std::exception_ptr e, Result<Draft> d) {
    if (!e) seen.emplace(std::move(d));
  });
  while (!held && io.run_one_for(std::chrono::seconds(10)) > 0) {
  }
  ASSERT_TRUE(held) << "the page is in the middle of reading the case";

  road.clock.set(parse_instant("2026-11-03T09:00:00Z").value());
  Message withdrawal = page;
  withdrawal.id = "intrekking";
  withdrawal.type = "toestemming_intrekking";
  withdrawal.payload = {{"consent", "c2"}};
  withdrawal.sender_role = "ouder_2";
  auto accepted = run_now(road.journal.accept(withdrawal));
  ASSERT_TRUE(accepted) << accepted.error().code;
  std::optional<Result<int>> stepped;
  boost::asio::co_spawn(io, road.pipeline->step(), [&](std::exception_ptr e, Result<int> n) {
    if (!e) stepped.emplace(std::move(n));
  });
  while (!stepped && io.run_one_for(std::chrono::seconds(10)) > 0) {
  }
  ASSERT_TRUE(stepped && *stepped);
  go_on.ring();
  while (!seen && io.run_one_for(std::chrono::seconds(10)) > 0) {
  }
  ASSERT_TRUE(seen && *seen);

  auto decided = road.say("2026-11-04T09:00:00Z", "documentlevering", "school_ib", road_delivery());
  EXPECT_EQ(decided.draft.outcome, Outcome::blocked) << "the withdrawal counts";
}

}  // namespace
}  // namespace schakel::test
