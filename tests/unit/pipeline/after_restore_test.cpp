// A copy of the store that was put back: no invoice leaves by itself.
#include <algorithm>

#include "tests/unit/pipeline/money_road.hpp"

namespace schakel::test {
namespace {

TEST(AfterRestore, NoInvoiceLeavesByItselfUntilAPersonHasLooked) {
  MoneyRoad road;
  (void)road.open_case();
  (void)road.accept(road.factuur("F1", 30001));
  // The store is a copy that was put back between the decision and the sending.
  ASSERT_TRUE(run_now(pipeline::mark_copy(*road.disk, true)));
  ASSERT_TRUE(run_now(pipeline::continue_series(*road.disk, road.clock.now())).value());
  road.run();
  EXPECT_TRUE(road.partners.taken.empty());
  ASSERT_EQ(road.invoices().size(), 2U);
  for (const auto& d : road.invoices()) {
    EXPECT_EQ(d.state, store::DeliveryState::parked);
    EXPECT_EQ(d.code, "RESTORED");
  }
  // Towards another target than that of the invoice: behind it, its lane waits for the person.
  EXPECT_GE(std::ranges::count_if(road.partners.told,
                                  [](const Json& s) { return s.value("code", "") == "INVOICE_UNDELIVERABLE"; }),
            1);
  // The provider sends once more what was accepted after the copy: decided, and it waits as well.
  (void)road.accept(road.factuur("F2", 777));
  road.run();
  EXPECT_TRUE(road.partners.taken.empty());
  EXPECT_EQ(road.invoices().size(), 4U);

  // A person has looked, and sends what had not left; from then on invoices leave by themselves.
  store::Transaction tx;
  tx.ops.push_back(outbox::end_after_restore());
  for (const auto& d : road.invoices())
    if (d.state == store::DeliveryState::parked)
      tx.ops.push_back(store::ChangeDelivery{
          d.id, store::DeliveryState::parked, store::DeliveryState::pending, road.clock.now(), "", {}});
  ASSERT_TRUE(run_now(road.disk->commit(std::move(tx))));
  (void)road.accept(road.factuur("F3", 1000));
  road.run();
  EXPECT_EQ(road.partners.taken.size(), 6U);
  for (const auto& [id, times] : road.partners.arrivals) EXPECT_EQ(times, 1) << id;
}

TEST(AfterRestore, AWaitThatCannotBeReadIsAWait) {
  MoneyRoad road;
  store::Transaction tx;
  tx.ops.push_back(outbox::wait_after_restore(road.clock.now()));
  std::get<store::PutRow>(tx.ops[0]).value = to_bytes("gisteren");
  ASSERT_TRUE(run_now(road.disk->commit(std::move(tx))));
  EXPECT_EQ(run_now(outbox::restored_since(*road.disk)).error().code, "STORE_CORRUPT_ROW");
}

}  // namespace
}  // namespace schakel::test
