// A message on which a decider throws: it is set aside, its sender is told, who waits for it has its answer, and the
// case goes on.
#include <gtest/gtest.h>

#include <boost/asio/this_coro.hpp>
#include <stdexcept>

#include "core/pipeline/pipeline.hpp"
#include "core/store/sqlite/sqlite_store.hpp"
#include "tests/support/run_now.hpp"
#include "tests/unit/pipeline/road_parts.hpp"

namespace schakel::pipeline {
namespace {
using namespace std::chrono_literals;
using test::run_now;
constexpr auto message = [](std::string id, Json payload = Json::object()) {
  return test::road_message(std::move(id), std::move(payload));
};

class Brittle final : public Decider {
 public:
  [[nodiscard]] std::string_view stage() const override { return "routing"; }
  [[nodiscard]] Draft decide(FactView& view, const Facts&, Draft d) const override {
    const Message& m = view.message();
    if (m.payload.contains("break")) throw std::runtime_error("999990019");
    d.effects.push_back({"count", "", static_cast<int>(view.file().messages.size())});
    return d;
  }
};

/// Finding out who has to do with a case throws as well.
class BrokenPeople final : public Directory {
 public:
  Task<Result<std::vector<outbox::Contact>>> contacts(std::string) override {
    throw std::runtime_error("999990019");
    co_return std::vector<outbox::Contact>{};
  }
  Task<Result<void>> extend(const Message&, const Draft&, store::Transaction&) override { co_return Result<void>{}; }
};

/// Each is accepted and waited for while the pipeline runs. A bell that nobody rings is a test that hangs.
Task<std::vector<Draft>> decided(journal::Journal& journal, Pipeline& pipeline, std::vector<Message> messages) {
  const auto executor = co_await boost::asio::this_coro::executor;
  runtime::Scope scope(executor);
  scope.spawn(pipeline.run(scope), "test.pipeline");
  std::vector<Draft> out;
  for (auto& m : messages) {
    auto accepted = co_await journal.accept(std::move(m));
    if (!accepted) throw std::runtime_error(accepted.error().code);
    auto recorded = co_await pipeline.await_decision(accepted->seq, 1h);
    if (!recorded) throw std::runtime_error(recorded.error().code);
    out.push_back(std::move(recorded->draft));
  }
  const bool ended = co_await scope.close(10s, 1s);
  EXPECT_TRUE(ended);
  co_return out;
}

struct Quarantine : ::testing::Test {
  ManualClock clock{parse_instant("2026-11-20T09:00:00Z").value()};
  std::unique_ptr<store::SqliteStore> store = store::SqliteStore::open(":memory:", clock).value();
  test::OpenSealer sealer;
  journal::Journal journal{*store, sealer, clock, Secret("k")};
  Brittle decider;
  test::NoPeople people;
  BrokenPeople broken;
  std::shared_ptr<const Parties> parties = std::make_shared<Parties>(
      Parties::read(Json::parse(
                        R"({"parties": [{"id": "p", "name": "P", "domain": "care", "endpoints": [
                              {"roles": ["procesregisseur"], "regions": ["KNH"], "adapter": "hook"}]}]})"))
          .value());

  Pipeline with(Directory& directory) {
    PipelineOptions options;
    options.idle = 1ms;
    return {journal, {&decider}, load_profiles(std::string(SCHAKEL_SOURCE_DIR) + "/config").value(),
            parties, directory,  options};
  }
  std::vector<store::DeliveryRow> deliveries() { return run_now(store->deliveries({})).value(); }
};

TEST_F(Quarantine, TheSenderIsToldAndWhoWaitsHasTheDecision) {
  auto pipeline = with(people);
  int rang = 0;
  pipeline.on_enqueued([&] { ++rang; });
  auto drafts = run_now(decided(journal, pipeline, {message("1"), message("2", {{"break", true}}), message("3")}));
  ASSERT_EQ(drafts.size(), 3U);
  EXPECT_EQ(drafts[1].outcome, Outcome::quarantined);
  EXPECT_EQ(drafts[1].codes, std::vector<std::string>{"DECIDER_THREW"});
  auto told = deliveries();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].target, "hook");
  EXPECT_EQ(told[0].role, "procesregisseur");
  EXPECT_EQ(told[0].kind, "signal");
  EXPECT_EQ(told[0].code, "DECIDER_THREW");
  EXPECT_EQ(told[0].state, store::DeliveryState::pending);
  EXPECT_EQ(rang, 1);
  ASSERT_EQ(drafts[2].effects.size(), 1U);
  EXPECT_EQ(drafts[2].effects[0].value, 2) << "the case knows what was set aside";
}

TEST_F(Quarantine, AMessageIsSetAsideAlsoWhereNobodyCanBeTold) {
  auto pipeline = with(broken);
  auto drafts = run_now(decided(journal, pipeline, {message("1"), message("2")}));
  ASSERT_EQ(drafts.size(), 2U);
  for (const auto& d : drafts) EXPECT_EQ(d.outcome, Outcome::quarantined);
  EXPECT_TRUE(deliveries().empty());
}

}  // namespace
}  // namespace schakel::pipeline
