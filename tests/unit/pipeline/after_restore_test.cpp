// A copy of the store that was put back: no invoice leaves by itself.
#include "core/pipeline/after_restore.hpp"

#include <algorithm>

#include "core/outbox/generation.hpp"
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

TEST(AfterRestore, EachWaitsForAPersonAlsoBehindAnotherOneInItsLane) {
  MoneyRoad road;
  (void)road.open_case();
  (void)road.accept(road.factuur("F1", 30001));
  (void)road.accept(road.factuur("F2", 777));
  store::Transaction wait;
  wait.ops.push_back(outbox::wait_after_restore(road.clock.now()));
  ASSERT_TRUE(run_now(road.disk->commit(std::move(wait))));
  road.run();
  ASSERT_EQ(road.invoices().size(), 4U);
  for (const auto& d : road.invoices()) EXPECT_EQ(d.code, "RESTORED") << d.lane;
  EXPECT_EQ(run_now(pipeline::waiting_after_restore(*road.disk, 100)).value().size(), 4U);
  EXPECT_EQ(run_now(pipeline::waiting_after_restore(*road.disk, 3)).value().size(), 3U);

  // One had left: it is settled by saying so. The others still wait, and nothing goes past them.
  auto& journal = road.process->journal;
  auto gone = road.id_of("swv_financien");
  ASSERT_TRUE(run_now(pipeline::report_invoice(journal, {gone, "received", "", "postbus"})));
  road.run();
  auto row = run_now(road.disk->delivery(gone)).value();
  EXPECT_EQ(row->state, store::DeliveryState::delivered);
  EXPECT_EQ(row->code, pipeline::kReported);
  EXPECT_TRUE(run_now(pipeline::has_arrived(*road.disk, gone)).value());
  EXPECT_EQ(run_now(pipeline::waiting_after_restore(*road.disk, 100)).value().size(), 3U);
  EXPECT_TRUE(road.partners.taken.empty());
  // What a person sends once more all the same is sent: the report was of the time before.
  store::Transaction again;
  again.ops.push_back(run_now(outbox::next_generation(*road.disk, gone)).value());
  ASSERT_TRUE(run_now(road.disk->commit(std::move(again))));
  EXPECT_FALSE(run_now(pipeline::has_arrived(*road.disk, gone)).value());
}

TEST(AfterRestore, AResendOfBeforeTheCopySaysNothingOfWhatLeftAfterIt) {
  MoneyRoad road;
  (void)road.open_case();
  (void)road.accept(road.factuur("F1", 30001));
  ASSERT_TRUE(run_now(road.process->pipeline.step()));
  auto half = road.id_of("swv_financien"), whole = road.id_of("gemeente_financien");
  store::Transaction copy;
  for (const auto& id : {half, whole}) copy.ops.push_back(run_now(outbox::next_generation(*road.disk, id)).value());
  auto since = road.clock.now();
  copy.ops.push_back(outbox::wait_after_restore(since));
  // A person has the one sent since, and had the other sent in a wait before this one.
  copy.ops.push_back(outbox::sent_by_person(half, since));
  copy.ops.push_back(outbox::sent_by_person(whole, since - milliseconds(1)));
  ASSERT_TRUE(run_now(road.disk->commit(std::move(copy))));
  EXPECT_TRUE(run_now(outbox::was_sent_by_person(*road.disk, half, since)).value());
  EXPECT_FALSE(run_now(outbox::was_sent_by_person(*road.disk, whole, since)).value());
  EXPECT_EQ(run_now(pipeline::waiting_after_restore(*road.disk, 9)).value(), std::vector<std::string>{whole});
  EXPECT_EQ(run_now(pipeline::park_after_restore(*road.disk, since)).value(), 1);
  EXPECT_EQ(run_now(road.disk->delivery(whole)).value()->code, "RESTORED");
  EXPECT_EQ(run_now(road.disk->delivery(half)).value()->state, store::DeliveryState::pending);
  EXPECT_EQ(run_now(pipeline::waiting_after_restore(*road.disk, 9)).value(), std::vector<std::string>{whole});
}

TEST(AfterRestore, WhatWasReportedWhileItWaitedIsSettledByARepeatOfTheReport) {
  MoneyRoad road;
  (void)road.open_case();
  (void)road.accept(road.factuur("F1", 30001));
  ASSERT_TRUE(run_now(road.process->pipeline.step()));
  auto half = road.id_of("swv_financien");
  auto& journal = road.process->journal;
  ASSERT_EQ(run_now(road.disk->delivery(half)).value()->state, store::DeliveryState::pending);
  EXPECT_EQ(run_now(pipeline::report_invoice(journal, {half, "refused", "X", "1", "N-1"})).error().code,
            "INVOICE_NUMBER");
  for (const char* number : {"met spatie", "999990019", "12345678901234567890123456789012345678901"})
    EXPECT_EQ(run_now(pipeline::report_invoice(journal, {half, "received", "", "1", number})).error().code,
              "INVOICE_NUMBER")
        << number;
  ASSERT_TRUE(run_now(pipeline::report_invoice(journal, {half, "processed", "", "1"})));
  EXPECT_EQ(run_now(road.disk->delivery(half)).value()->state, store::DeliveryState::delivered);
  // Other hands set it back, as when the report was made while an attempt was under way.
  store::Transaction back;
  back.ops.push_back(store::ChangeDelivery{
      half, store::DeliveryState::delivered, store::DeliveryState::pending, road.clock.now(), "", {}});
  ASSERT_TRUE(run_now(road.disk->commit(std::move(back))));
  auto repeat = run_now(pipeline::report_invoice(journal, {half, "processed", "", "1"}));
  ASSERT_TRUE(repeat);
  EXPECT_TRUE(repeat->duplicate);
  EXPECT_EQ(run_now(road.disk->delivery(half)).value()->state, store::DeliveryState::delivered);
}

TEST(AfterRestore, CreditsReferToTheNumberThatThePayerHas) {
  MoneyRoad road;
  (void)road.open_case();
  (void)road.accept(road.factuur("F1", 30001));
  road.run();
  auto& journal = road.process->journal;
  auto half = road.id_of("swv_financien");
  ASSERT_TRUE(run_now(pipeline::report_invoice(journal, {half, "received", "", "1", "GA2026-000009"})));
  road.run();
  EXPECT_EQ(run_now(pipeline::settled(*road.disk, half)).value().sent_as, "GA2026-000009");
  // Said wrongly at first.
  ASSERT_TRUE(run_now(pipeline::report_invoice(journal, {half, "received", "", "2", "GA2026-000004"})));
  (void)road.accept(road.creditnota("C1", "F1", 10001));
  road.run();
  std::map<std::string, std::string> credited;
  for (const auto& r : run_now(journal.history("Z-1")).value())
    for (const auto& i : r.draft.invoices)
      if (i.kind == "creditnota") credited[i.payer] = i.credits;
  EXPECT_EQ(credited, (std::map<std::string, std::string>{{"gemeente", "F1"}, {"swv", "GA2026-000004"}}));
  EXPECT_TRUE(road.books().closes()) << month_view(road.books()).dump(1);
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
