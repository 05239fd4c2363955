// What becomes of invoices: states, refusals, the books of a month, number series over a restore, and a crash at every
// commit.
#include <algorithm>

#include "core/outbox/generation.hpp"
#include "tests/unit/pipeline/money_road.hpp"

namespace schakel::test {
namespace {

using pipeline::OpenItem;

std::set<std::string> what_is_open(const pipeline::Month& m) {
  std::set<std::string> out;
  for (const auto& o : m.open) out.insert(o.what + " " + o.number + (o.payer.empty() ? "" : ">" + o.payer));
  return out;
}

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
    if (s["code"] == "BLOKKADE" && s["codes"] == Json{"INVOICE_CONFLICT"} && s["outcome"] == "blocked") ++conflicts;
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

TEST(Reconcile, HeldAndQuarantinedAreNamedUntilTheyAreNot) {
  MoneyRoad road;
  road.open_case(false);
  ASSERT_TRUE(road.accept(road.factuur("F1", 100)));
  ASSERT_TRUE(road.accept(road.creditnota("C9", "BESTAAT-NIET", 5)));
  road.run();
  EXPECT_EQ(what_is_open(road.books()), (std::set<std::string>{"HELD F1", "QUARANTINED C9"}));
  ASSERT_TRUE(road.accept(road.message("fa", "financieringsafspraak", Json::object(), "swv", "swv")));
  road.run();
  auto m = road.books();
  EXPECT_EQ(what_is_open(m), (std::set<std::string>{"QUARANTINED C9"}));
  EXPECT_EQ(m.rows.size(), 2U);
  EXPECT_NE(m.rows[0].agreement, "opening");
}

TEST(Reconcile, EverySourceMessageIsBookedOpenOrRefused) {
  MoneyRoad road;
  road.open_case(false);
  ASSERT_TRUE(road.accept(road.creditnota("C9", "BESTAAT-NIET", 5)));
  road.run();
  // In a later month it is still open, until the number comes right or a person has dealt with it.
  EXPECT_EQ(what_is_open(road.books("2026-12")), (std::set<std::string>{"QUARANTINED C9"}));
  ASSERT_TRUE(run_now(road.disk->commit(
      {{store::PutRow{std::string(pipeline::kInvoiceAside), "Z-1/msg-C9", to_bytes("x"), std::nullopt}}})));
  EXPECT_TRUE(road.books("2026-12").open.empty());
  ASSERT_EQ(road.books().refused.size(), 1U);
  EXPECT_EQ(road.books().refused[0].what, "SET_ASIDE");

  ASSERT_TRUE(road.accept(road.message("fa", "financieringsafspraak", Json::object(), "swv", "swv")));
  ASSERT_TRUE(road.accept(road.factuur("F1", 100)));
  ASSERT_TRUE(road.accept(road.message("strange", "factuur", {{"number", "F3"}})));
  EXPECT_TRUE(what_is_open(road.books()).contains("UNDECIDED F1")) << "accepted, and nobody has decided it";
  road.run();
  auto m = road.books();
  EXPECT_EQ(what_is_open(m), (std::set<std::string>{"QUARANTINED F3"}));
  // The same number, now as it should be: the first is no longer open.
  ASSERT_TRUE(road.accept(road.factuur("F3", 200)));
  auto repeat = road.factuur("F1", 100);
  repeat.id = "msg-F1-again";
  ASSERT_TRUE(road.accept(repeat));
  road.run();
  m = road.books();
  EXPECT_TRUE(m.closes()) << month_view(m).dump(1);
  std::multiset<std::string> refused;
  for (const auto& r : m.refused) refused.insert(r.what + " " + r.number + " " + r.code);
  EXPECT_EQ(refused, (std::multiset<std::string>{"DUPLICATE F1 DUPLICATE_INVOICE", "SET_ASIDE C9 INVOICE_CONFLICT",
                                                 "SET_ASIDE F3 INVOICE_INVALID"}));
  EXPECT_EQ(month_view(m)["geweigerd"].size(), 3U);
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

TEST(Reconcile, CreditsAndVatRatesAddUp) {
  MoneyRoad road;
  road.open_case();
  ASSERT_TRUE(road.accept(road.factuur("F1", 35101, 5500,
                                       {{"seller_vat_number", "NL123456789B01"},
                                        {"vat_rates",
                                         {{{"percent", "21"}, {"net_cents", 20001}, {"vat_cents", 4200}},
                                          {{"percent", "9"}, {"net_cents", 9600}, {"vat_cents", 1300}}}}})));
  ASSERT_TRUE(road.accept(road.factuur("F2", 333)));
  ASSERT_TRUE(road.accept(road.creditnota("C1", "F2", 111)));
  ASSERT_TRUE(road.accept(road.creditnota("C2", "F2", 222)));
  road.run();
  auto m = road.books();
  EXPECT_TRUE(m.closes()) << month_view(m).dump(1);
  EXPECT_EQ(m.source_gross, 35101);
  std::set<std::string> rates;
  for (const auto& r : m.rows) rates.insert(r.rate);
  EXPECT_TRUE(rates.contains("21") && rates.contains("9"));
}

TEST(Reconcile, ADeliveryThatIsNotThereIsAMissingHalf) {
  MoneyRoad road;
  road.open_case();
  ASSERT_TRUE(road.accept(road.factuur("F1", 100)));
  ASSERT_TRUE(run_now(road.process->pipeline.step()));
  EXPECT_EQ(what_is_open(road.books()), (std::set<std::string>{"ON_ITS_WAY F1>gemeente", "ON_ITS_WAY DB-F1>swv"}));
  EXPECT_EQ(pipeline::settled(nullptr, Json(), 0).code, "DELIVERY_MISSING");
  EXPECT_TRUE(pipeline::settled(nullptr, Json(), 0).open);
}

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

TEST(RefuseHeld, ItsSenderIsToldItsNumberIsFreeAndTheBooksClose) {
  MoneyRoad road;
  (void)road.open_case(false);
  (void)road.accept(road.factuur("F1", 30001));
  (void)road.accept(road.creditnota("C1", "F1", 10001));
  (void)road.accept(road.factuur("F2", 500));
  road.run();
  EXPECT_EQ(what_is_open(road.books()).size(), 3U);
  auto refuse = [&](const char* message, const char* code) {
    return run_now(pipeline::refuse_held(road.process->journal, "Z-1", message, code, {}));
  };
  EXPECT_EQ(refuse("msg-X", "FUNDING_NOT_AGREED").error().code, "INVOICE_UNKNOWN");
  EXPECT_EQ(refuse("msg-F1", "vrije tekst").error().code, "INVOICE_CODE");
  EXPECT_EQ(refuse("msg-F1", "").error().code, "INVOICE_CODE");
  road.partners.told.clear();
  ASSERT_TRUE(refuse("msg-F1", "FUNDING_NOT_AGREED"));
  road.run();
  // The invoice, and the credit on it that has nothing to take from any more.
  std::vector<std::string> told;
  for (const auto& s : road.partners.told)
    if (s.value("code", "") == "BLOKKADE") told.push_back(s["codes"][0]);
  EXPECT_EQ(told, (std::vector<std::string>{"FUNDING_NOT_AGREED", "FUNDING_NOT_AGREED"}));
  EXPECT_EQ(refuse("msg-F1", "FUNDING_NOT_AGREED").error().code, "INVOICE_NOT_OPEN");
  EXPECT_TRUE(road.invoices().empty());
  auto open = what_is_open(road.books());
  EXPECT_EQ(open.size(), 2U) << "F2, and the credit that somebody has to look at";

  // A credit on what was refused has nothing to take from.
  (void)road.accept(road.creditnota("C2", "F1", 10001));
  road.run();
  auto c2 = run_now(road.disk->row(std::string(pipeline::kInvoicesIn), "Z-1/msg-C2")).value();
  ASSERT_TRUE(c2);
  EXPECT_NE(as_text(c2->value).find("INVOICE_CONFLICT"), std::string_view::npos);

  // Its number is free: the corrected one is accepted and, once agreed, paid.
  auto again = road.factuur("F1", 20000);
  again.id = "msg-F1-2";
  (void)road.accept(again);
  (void)road.accept(road.message("afspraak", "financieringsafspraak", Json::object(), "gemeente_financien", "gem"));
  road.run();
  std::set<std::string> left;
  for (const auto& [id, what] : road.partners.taken) left.insert(what);
  EXPECT_EQ(left.size(), 4U) << "two halves of F1 and of F2";
  auto month = road.books();
  EXPECT_EQ(month.source_gross, 20000 + 500);
}

TEST(RefuseHeld, WhatWasReleasedMeanwhileStaysReleased) {
  MoneyRoad road;
  (void)road.open_case(false);
  (void)road.accept(road.factuur("F1", 30001));
  road.run();
  // Agreed and refused at the same time: the order of the case decides.
  (void)road.accept(road.message("afspraak", "financieringsafspraak", Json::object(), "gemeente_financien", "gem"));
  ASSERT_TRUE(run_now(pipeline::refuse_held(road.process->journal, "Z-1", "msg-F1", "FUNDING_NOT_AGREED", {})));
  road.run();
  EXPECT_EQ(road.partners.taken.size(), 2U);
  EXPECT_TRUE(what_is_open(road.books()).empty());
  EXPECT_EQ(road.books().source_gross, 30001);
}

}  // namespace
}  // namespace schakel::test
