// What becomes of invoices: states, bounces, refusals, and what is told of them.
#include <algorithm>

#include "core/outbox/generation.hpp"
#include "tests/unit/pipeline/money_road.hpp"

namespace schakel::test {
namespace {

TEST(Settlement, BothHalvesAreTransportedAndTheMonthCloses) {
  MoneyRoad road;
  road.open_case();
  ASSERT_TRUE(road.accept(road.factuur("F1", 30001)));
  road.run();
  EXPECT_EQ(road.partners.taken.size(), 2U);
  for (const auto& d : road.invoices()) EXPECT_EQ(road.status(d.id), "transported");
  auto m = road.books();
  EXPECT_TRUE(m.closes()) << month_view(m).dump(1);
  EXPECT_EQ(m.source_gross, 30001);
  EXPECT_EQ(m.shared_gross, 30001);
  std::map<std::string, std::int64_t> in;
  for (const auto& r : m.rows) in[r.payer] += r.in_net + r.in_vat;
  EXPECT_EQ(in, (std::map<std::string, std::int64_t>{{"gemeente", 15001}, {"swv", 15000}}));
  EXPECT_TRUE(road.books("2026-09").rows.empty());
  EXPECT_EQ(run_now(pipeline::reconcile(road.process->journal, "2026-13")).error().code, "MONTH_FORMAT");
}

TEST(Settlement, ABounceRefusesTellsFinanceOnceAndOpensTheMonth) {
  MoneyRoad road;
  road.open_case();
  ASSERT_TRUE(road.accept(road.factuur("F1", 30001)));
  road.run();
  auto half = road.id_of("swv_financien");
  auto r = run_now(pipeline::report_bounce(road.process->journal, bounce_of(half)));
  ASSERT_TRUE(r) << r.error().code;
  EXPECT_EQ(r->code, "BOUNCE_5.1.1");
  ASSERT_TRUE(run_now(pipeline::report_bounce(road.process->journal, bounce_of(half))));  // the same mail again
  road.run();
  EXPECT_EQ(road.status(half), "refused");
  EXPECT_EQ(road.status(road.id_of("gemeente_financien")), "transported");
  auto refusals =
      std::ranges::count_if(road.partners.told, [](const Json& s) { return s.value("code", "") == "INVOICE_REFUSED"; });
  EXPECT_EQ(refusals, 1);
  auto told =
      std::ranges::find_if(road.partners.told, [](const Json& s) { return s.value("code", "") == "INVOICE_REFUSED"; });
  ASSERT_NE(told, road.partners.told.end());
  EXPECT_EQ((*told)["number"], "DB-F1");
  EXPECT_EQ((*told)["reason"], "BOUNCE_5.1.1");
  auto m = road.books();
  EXPECT_FALSE(m.closes());
  EXPECT_EQ(what_is_open(m), (std::set<std::string>{"REFUSED DB-F1>swv"}));
  // It is sent again, and arrives.
  road.clock.advance(std::chrono::hours(1));
  auto row = run_now(road.disk->delivery(half)).value().value();
  auto again = run_now(outbox::next_generation(*road.disk, half)).value();
  ASSERT_TRUE(
      run_now(road.disk->commit({{again, store::ChangeDelivery{half, row.state, store::DeliveryState::pending,
                                                               road.clock.now(), "RESENT", std::nullopt, true}}})));
  EXPECT_EQ(road.status(half), "accepted");
  road.run();
  EXPECT_EQ(road.status(half), "transported");
  EXPECT_TRUE(road.books().closes());
}

TEST(Settlement, ABounceThatIsHereBeforeItsAttemptIsSettledIsNotForgotten) {
  MoneyRoad road;
  road.open_case();
  ASSERT_TRUE(road.accept(road.factuur("F1", 30001)));
  // Taken by the mail server, and back at once: the attempt itself is only known to have been made.
  ASSERT_TRUE(run_now(road.process->pipeline.step()));
  auto half = road.id_of("swv_financien");
  ASSERT_TRUE(run_now(road.disk->commit(
      {{store::PutRow{std::string(outbox::kInvoiceOfMail), "m." + half, to_bytes(half), std::nullopt}}})));
  ASSERT_TRUE(run_now(pipeline::report_bounce(road.process->journal, bounce_of(half))));
  ASSERT_TRUE(run_now(road.process->pipeline.step()));
  road.clock.advance(std::chrono::minutes(1));
  road.run();
  EXPECT_EQ(run_now(road.disk->delivery(half)).value()->state, store::DeliveryState::delivered);
  EXPECT_EQ(road.status(half), "refused");
  EXPECT_FALSE(road.books().closes());
}

TEST(Settlement, AWordAboutTheFirstMailSaysNothingOfTheOneThatIsStillToBeSent) {
  MoneyRoad road;
  road.open_case();
  ASSERT_TRUE(road.accept(road.factuur("F1", 30001)));
  road.run();
  auto& journal = road.process->journal;
  auto half = road.id_of("swv_financien");
  ASSERT_TRUE(run_now(pipeline::report_invoice(journal, {half, "refused", "ONBEKEND_KENMERK", "1"})));
  road.run();
  // Mended and sent again; its target is paused, and the reader opens the first mail only now.
  store::Transaction again;
  again.ops.push_back(run_now(outbox::next_generation(*road.disk, half)).value());
  again.ops.push_back(store::ChangeDelivery{
      half, store::DeliveryState::delivered, store::DeliveryState::pending, road.clock.now(), "RESENT", {}, true});
  ASSERT_TRUE(run_now(road.disk->commit(std::move(again))));
  ASSERT_TRUE(run_now(pipeline::report_bounce(journal, bounce_of(half, "delivered", "2.0.0", "late"))));
  while (run_now(road.process->pipeline.step()).value() > 0) {
  }
  EXPECT_EQ(run_now(road.disk->delivery(half)).value()->state, store::DeliveryState::pending);
  EXPECT_FALSE(run_now(pipeline::has_arrived(*road.disk, half)).value());
  auto arrived = road.partners.arrivals[half];
  road.run();
  EXPECT_EQ(road.partners.arrivals[half], arrived + 1) << "what a person had sent again leaves";
  EXPECT_EQ(run_now(pipeline::settled(*road.disk, half)).value().status, "transported");
}

TEST(Settlement, TwoProvidersMayUseTheSameNumberInOneCase) {
  MoneyRoad road;
  auto list = MoneyRoad::directory();
  auto second = list["parties"][2];
  second["id"] = "stal", second["name"] = "stal";
  second["endpoints"][0]["adapter"] = "to_stal";
  list["parties"].push_back(second);
  road.parties = std::make_shared<Parties>(Parties::read(list).value());
  road.restart();
  road.open_case();
  ASSERT_TRUE(road.accept(road.factuur("2026-001", 30001)));
  auto other = road.factuur("2026-001", 5000);
  other.id = "msg-stal", other.party = "stal";
  ASSERT_TRUE(road.accept(other));
  road.run();
  std::map<std::string, int> creditors;
  for (const auto& row : run_now(road.disk->rows(std::string(outbox::kInvoicesOut), "", "", 100)).value()) {
    auto j = Json::parse(row.value.begin(), row.value.end());
    if (j["nummer"] == "2026-001") ++creditors[j["ontvangerPartij"].get<std::string>()];
    auto key = run_now(road.disk->row(std::string(outbox::kInvoiceOfDelivery), j["aflevering"])).value();
    EXPECT_EQ(as_text(key->value), row.key);
  }
  EXPECT_EQ(creditors, (std::map<std::string, int>{{"hoeve", 1}, {"stal", 1}}));
}

TEST(Settlement, ACreditThatIsRefusedAtItsTurnIsToldToWhoSentIt) {
  MoneyRoad road;
  road.open_case(false);
  ASSERT_TRUE(road.accept(road.factuur("F1", 100)));
  ASSERT_TRUE(road.accept(road.creditnota("C1", "F1", 1)));
  ASSERT_TRUE(road.accept(road.creditnota("C2", "F1", 100)));
  road.run();
  road.partners.told.clear();
  ASSERT_TRUE(road.accept(road.message("agree", "financieringsafspraak", Json::object(), "gemeente", "gem")));
  road.run();
  int conflicts = 0;
  for (const auto& s : road.partners.told)
    if (s["code"] == "BLOKKADE" && s["codes"] == Json{"INVOICE_CONFLICT"} && s["outcome"] == "blocked" &&
        s["detail"] == "INVOICE_CONFLICT:left_cents")
      ++conflicts;
  EXPECT_EQ(conflicts, 1);
  // What comes later about the case does not tell it again.
  road.partners.told.clear();
  ASSERT_TRUE(road.accept(road.message("agree2", "financieringsafspraak", Json::object(), "gemeente", "gem")));
  road.run();
  for (const auto& s : road.partners.told) EXPECT_NE(s["code"], "BLOKKADE") << s.dump();
}

TEST(Settlement, ARowThatOtherHandsChangedIsAnErrorOfItsOwn) {
  MoneyRoad road;
  road.open_case();
  ASSERT_TRUE(road.accept(road.factuur("F1", 30001)));
  road.run();
  auto half = road.id_of("swv_financien");
  auto put = [&](std::string_view space, const std::string& key, const char* value) {
    ASSERT_TRUE(run_now(road.disk->commit({{store::PutRow{std::string(space), key, to_bytes(value), std::nullopt}}})));
  };
  put(pipeline::kInvoiceState, half, "[1]");
  EXPECT_EQ(run_now(pipeline::settled(*road.disk, half)).error().code, "STORE_CORRUPT_ROW");
  put(pipeline::kInvoiceAnswer, "Z-1/kapot", "{");
  put(pipeline::kInvoiceAnswer, "Z-1/msg-F1", R"({"zaak":"Z-1","bericht":"msg-F1","termijn":"2026-10-01"})");
  EXPECT_EQ(run_now(road.process->watch.step()).value(), 1) << "the next one is told all the same";
  auto key =
      std::string(as_text(run_now(road.disk->row(std::string(outbox::kInvoiceOfDelivery), half)).value()->value));
  put(outbox::kInvoicesOut, key, "geen json");
  EXPECT_EQ(run_now(pipeline::report_invoice(road.process->journal, {half, "received", "", "1"}, {})).error().code,
            "STORE_CORRUPT_ROW");
}

TEST(Settlement, WhatTheReceiverSaysIsKept) {
  MoneyRoad road;
  road.open_case();
  ASSERT_TRUE(road.accept(road.factuur("F1", 100)));
  road.run();
  auto half = road.id_of("swv_financien");
  EXPECT_FALSE(run_now(pipeline::report_bounce(road.process->journal, bounce_of(half, "delayed", "4.4.7")))->recorded);
  ASSERT_TRUE(run_now(pipeline::report_bounce(road.process->journal, bounce_of(half, "delivered", "2.0.0"))));
  road.run();
  EXPECT_EQ(road.status(half), "received");
  ASSERT_TRUE(run_now(pipeline::report_invoice(road.process->journal, {half, "processed", "BETAALD", "1"})));
  road.run();
  EXPECT_EQ(road.status(half), "processed");
  EXPECT_TRUE(road.books().closes());
}

TEST(Settlement, ReportsThatAreNoneChangeNothing) {
  MoneyRoad road;
  road.open_case();
  ASSERT_TRUE(road.accept(road.factuur("F1", 100)));
  road.run();
  auto half = road.id_of("swv_financien");
  auto& j = road.process->journal;
  EXPECT_EQ(run_now(pipeline::report_bounce(j, bounce_of("A-VREEMD"))).error().code, "BOUNCE_UNKNOWN");
  EXPECT_EQ(run_now(pipeline::report_bounce(j, "Subject: x\n\nhallo")).error().code, "BOUNCE_NOT_A_REPORT");
  EXPECT_EQ(run_now(pipeline::report_invoice(j, {"A-X", "refused", "X", "1"})).error().code, "INVOICE_UNKNOWN");
  EXPECT_EQ(run_now(pipeline::report_invoice(j, {half, "betaald", "X", "1"})).error().code, "INVOICE_STATUS");
  EXPECT_EQ(run_now(pipeline::report_invoice(j, {half, "refused", "Jan zei nee", "1"})).error().code, "INVOICE_CODE");
  EXPECT_EQ(road.status(half), "transported");
}

TEST(Settlement, AHalfThatCannotBeDeliveredIsRefusedAndToldOnce) {
  MoneyRoad road;
  road.open_case();
  road.partners.answer = [](const store::DeliveryRow& d) {
    bool no = d.kind == "invoice" && d.role == "swv_financien";
    return AttemptResult{no ? Verdict::rejected : Verdict::delivered, no ? "SMTP_550" : "OK", std::nullopt,
                         Json::object()};
  };
  ASSERT_TRUE(road.accept(road.factuur("F1", 100)));
  road.run();
  road.run();
  EXPECT_EQ(road.status(road.id_of("swv_financien")), "refused");
  EXPECT_EQ(
      std::ranges::count_if(road.partners.told, [](const Json& s) { return s.value("code", "") == "INVOICE_REFUSED"; }),
      1);
  auto m = road.books();
  EXPECT_EQ(what_is_open(m), (std::set<std::string>{"REFUSED DB-F1>swv"}));
  std::int64_t off = 0;
  for (const auto& r : m.rows)
    if (r.payer == "swv") off += r.in_net - r.out_net;
  EXPECT_EQ(off, 50) << "the half that did not leave is what is lacking";
}

TEST(Settlement, OneThatCannotBeToldDoesNotSilenceTheOthers) {
  MoneyRoad road;
  road.open_case();
  road.partners.answer = [](const store::DeliveryRow& d) {
    bool no = d.kind == "invoice";
    auto code = d.role == "swv_financien" ? "OK" : "iets met spaties";
    return AttemptResult{no ? Verdict::rejected : Verdict::delivered, code, std::nullopt, Json::object()};
  };
  ASSERT_TRUE(road.accept(road.factuur("F1", 100)));
  road.run();
  EXPECT_EQ(road.reports(), 1U) << "the odd code is logged, the other invoice is told";
  EXPECT_TRUE(run_now(road.process->watch.step()));
}

}  // namespace
}  // namespace schakel::test
