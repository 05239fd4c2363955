// A crash at every commit between receipt and settlement.
#include <algorithm>

#include "tests/unit/pipeline/money_road.hpp"

namespace schakel::test {
namespace {

/// One story from receipt to settlement: an invoice, a credit, a held one and its release, a bounce.
/// What of it a process that died could not do, the next one does, and whoever sent something sends it again.
void story(MoneyRoad& road) {
  (void)road.open_case();
  (void)road.accept(road.factuur("F1", 30001));
  (void)road.accept(road.creditnota("C1", "F1", 10001));
  (void)road.accept(road.message("esc", "escalatie", Json::object(), "ouders", "gem"));
  (void)road.accept(road.factuur("F2", 777));
  (void)road.accept(road.message("bes", "escalatie_besluit", Json::object(), "cto", "swv"));
  road.run();
  if (road.process->store.dead) return;
  auto half = road.id_of("swv_financien");
  if (!half.empty()) (void)run_now(pipeline::report_bounce(road.process->journal, bounce_of(half)));
  road.run();
}

TEST(CrashSweep, NoHalfLeavesUnseenAndNothingLeavesTwiceWhereverTheProcessEnds) {
  int commits = 0, repeated = 0;
  std::map<std::string, std::string> expected;
  std::set<std::string> open;
  {
    MoneyRoad road;
    story(road);
    commits = road.process->store.commits;
    expected = road.partners.taken;
    open = what_is_open(road.books());
  }
  ASSERT_GT(commits, 25);
  ASSERT_EQ(expected.size(), 6U) << "three sources, two halves each";
  ASSERT_EQ(open.size(), 1U);
  for (int n = 1; n <= commits; ++n)
    for (bool after : {false, true}) {
      MoneyRoad road;
      road.process->store.die_at = n;
      road.process->store.die_after = after;
      story(road);
      // Seen from outside between the two lives: what left once is named by the journal, and its other half is there or
      // open.
      auto between = run_now([](store::Store* disk) -> Task<int> {
        auto rows = co_await disk->rows(std::string(outbox::kInvoicesOut), "", "", 1000);
        co_return static_cast<int>(rows->size());
      }(road.disk.get()));
      EXPECT_EQ(between % 2, 0) << "one half alone was decided at commit " << n;
      EXPECT_LE(road.partners.taken.size(), static_cast<std::size_t>(between)) << n;
      // What had arrived and was not settled when the process ended: the one repeat that cannot be avoided, under its
      // own key. Nothing else arrives a second time.
      std::set<std::string> under_way;
      store::DeliveryFilter attempting;
      attempting.state = store::DeliveryState::attempting;
      for (const auto& d : run_now(road.disk->deliveries(attempting)).value())
        if (road.partners.arrivals.contains(d.id)) under_way.insert(d.id);
      road.restart();
      ASSERT_TRUE(run_now(road.process->dispatcher.recover()));
      story(road);
      EXPECT_EQ(road.partners.taken, expected) << "commit " << n << (after ? " after" : " before");
      for (const auto& [id, times] : road.partners.arrivals)
        EXPECT_EQ(times, under_way.contains(id) ? 2 : 1) << id << " at commit " << n;
      repeated += static_cast<int>(under_way.size());
      auto m = road.books();
      EXPECT_EQ(what_is_open(m), open) << n;
      EXPECT_EQ(m.source_gross, 30001 - 10001 + 777) << n;
      EXPECT_EQ(std::ranges::count_if(road.partners.told,
                                      [](const Json& s) { return s.value("code", "") == "INVOICE_REFUSED"; }) >= 1,
                true)
          << n;
    }
  EXPECT_GT(repeated, 0) << "no process ended between an arrival and its settlement: the sweep missed that moment";
}

}  // namespace
}  // namespace schakel::test
