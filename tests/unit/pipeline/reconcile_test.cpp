// The books of a month: every source message is booked, open or refused, and what is open is named.
#include "tests/unit/pipeline/money_road.hpp"

namespace schakel::test {
namespace {

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

}  // namespace
}  // namespace schakel::test
