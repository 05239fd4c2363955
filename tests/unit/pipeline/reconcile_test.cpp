// The books of a month: every source message is booked, open or refused, and what is open is named.
#include "core/pipeline/credited.hpp"
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

/// Sums of what was shared (in) and what left (out), by role and party.
using Payers = std::map<std::string, std::pair<std::int64_t, std::int64_t>>;
Payers payers(const pipeline::Month& m) {
  Payers out;
  for (const auto& r : m.rows) {
    auto& [in, left] = out[r.payer + " " + r.party];
    in += r.in_net + r.in_vat, left += r.out_net + r.out_vat;
  }
  return out;
}

/// Two gemeenten, each of its own town, and two swvs that the case names.
struct TwoTowns : MoneyRoad {
  TwoTowns() {
    auto d = directory();
    for (std::size_t i : {0U, 1U}) {
      auto other = d["parties"][i];
      other["id"] = other["name"] = other["invoice"]["name"] = other["id"].get<std::string>() + "-2";
      other["endpoints"][0]["adapter"] = "to_" + other["id"].get<std::string>();
      d["parties"].push_back(std::move(other));
    }
    d["parties"][0]["serves"] = {{"gemeenten", {"Duinrijk"}}};
    d["parties"][3]["serves"] = {{"gemeenten", {"Polderwijk"}}};
    parties = std::make_shared<Parties>(Parties::read(d).value());
    restart();
  }
  void lives_in(const std::string& town, const std::string& swv) {
    auto m =
        message("open-" + town, "zaak_opening", {{"agreed", true}, {"town", town}, {"swv", swv}}, "school_ib", "gem");
    ASSERT_TRUE(accept(m));
    run();
  }
};

TEST(Reconcile, APartyThatPaysAfterAnotherHasItsOwnRows) {
  TwoTowns road;
  road.lives_in("Duinrijk", "swv");
  ASSERT_TRUE(road.accept(road.factuur("F1", 1000)));
  road.run();
  road.lives_in("Polderwijk", "swv-2");
  ASSERT_TRUE(road.accept(road.factuur("F2", 333)));
  road.run();
  auto m = road.books();
  EXPECT_TRUE(m.closes()) << month_view(m).dump(1);
  EXPECT_EQ(payers(m), (Payers{{"gemeente gem", {500, 500}},
                               {"gemeente gem-2", {167, 167}},
                               {"swv swv", {500, 500}},
                               {"swv swv-2", {166, 166}}}));
  auto view = month_view(m);
  EXPECT_EQ(view["betalers"],
            Json::parse(R"({"gemeente":{"inCent":667,"uitCent":667},"swv":{"inCent":666,"uitCent":666}})"));
  EXPECT_EQ(view["regels"].back()["betalerPartij"], "swv-2");
}

TEST(Reconcile, WhoseRowItIsIsKnownBeforeItLeavesAndNotWhereNobodyIsCertain) {
  TwoTowns road;
  road.lives_in("Duinrijk", "swv");
  ASSERT_TRUE(road.accept(road.factuur("F1", 1000)));
  ASSERT_TRUE(run_now(road.process->pipeline.step()));
  EXPECT_EQ(payers(road.books()), (Payers{{"gemeente gem", {500, 0}}, {"swv swv", {500, 0}}}));
  // A town that nobody serves.
  road.run();
  road.lives_in("Elders", "");
  ASSERT_TRUE(road.accept(road.factuur("F2", 200)));
  road.run();
  auto m = road.books();
  EXPECT_FALSE(m.closes());
  EXPECT_EQ(
      payers(m),
      (Payers{{"gemeente ", {100, 0}}, {"gemeente gem", {500, 500}}, {"swv ", {100, 0}}, {"swv swv", {500, 500}}}));
}

/// Where the documents of credits went, or why they wait.
std::set<std::string> credits_of(TwoTowns& road) {
  std::set<std::string> out;
  for (const auto& d : road.invoices()) {
    auto invoice = road.partners.body(d)["body"]["invoice"];
    if (invoice["credits"] == "") continue;
    auto to = d.state == store::DeliveryState::delivered ? d.target : d.code;
    out.insert(
        fmt::format("{} {} {}", invoice["seller_party"].get<std::string>(), invoice.value("buyer_party", "?"), to));
  }
  return out;
}

TEST(Reconcile, ACreditIsBetweenWhomItsInvoiceWasAlsoAfterTheCaseMoved) {
  TwoTowns road;
  road.lives_in("Duinrijk", "swv");
  ASSERT_TRUE(road.accept(road.factuur("F1", 1000)));
  road.run();
  road.lives_in("Polderwijk", "swv-2");
  ASSERT_TRUE(road.accept(road.creditnota("C1", "F1", 400)));
  road.run();
  EXPECT_EQ(credits_of(road), (std::set<std::string>{"hoeve gem to_gem", "gem swv to_swv"}));
  auto m = road.books();
  EXPECT_TRUE(m.closes()) << month_view(m).dump(1);
  EXPECT_EQ(payers(m), (Payers{{"gemeente gem", {300, 300}}, {"swv swv", {300, 300}}}));
}

TEST(Reconcile, AHeldCreditThatIsReleasedAfterTheCaseMovedAsWell) {
  TwoTowns road;
  road.lives_in("Duinrijk", "swv");
  ASSERT_TRUE(road.accept(road.factuur("F1", 1000)));
  road.run();
  ASSERT_TRUE(road.accept(road.message(
      "moved", "zaak_opening", {{"agreed", false}, {"town", "Polderwijk"}, {"swv", "swv-2"}}, "school_ib", "gem")));
  ASSERT_TRUE(road.accept(road.creditnota("C1", "F1", 1000)));
  road.run();
  EXPECT_EQ(credits_of(road), std::set<std::string>{}) << "held";
  ASSERT_TRUE(
      road.accept(road.message("agreed", "financieringsafspraak", Json::object(), "gemeente_regisseur", "gem")));
  road.run();
  EXPECT_EQ(credits_of(road), (std::set<std::string>{"hoeve gem to_gem", "gem swv to_swv"}));
  EXPECT_EQ(payers(road.books()), (Payers{{"gemeente gem", {0, 0}}, {"swv swv", {0, 0}}}));
}

TEST(Reconcile, ACreditThatWaitedWithItsInvoiceKnowsLaterBetweenWhomThatWas) {
  TwoTowns road;
  road.lives_in("Elders", "");
  ASSERT_TRUE(road.accept(road.factuur("F1", 1000)));
  ASSERT_TRUE(road.accept(road.creditnota("C1", "F1", 400)));
  road.run();
  auto file = run_now(road.process->journal.load("Z-1")).value();
  auto known = [&] {
    std::set<std::string> out;
    for (const auto& d : road.invoices()) {
      auto sides = run_now(pipeline::credited_of(*road.disk, file, road.partners.body(d)["body"]["invoice"])).value();
      if (sides) out.insert(sides->seller + " " + sides->buyer);
    }
    return out;
  };
  EXPECT_EQ(known(), std::set<std::string>{}) << "nobody knows whose the invoice is";
  for (const auto& d : road.invoices()) {
    auto invoice = road.partners.body(d)["body"]["invoice"];
    if (invoice["credits"] != "") continue;
    bool to_swv = invoice["payer"] == "swv";
    store::Transaction tx;
    ASSERT_TRUE(run_now(outbox::made_invoice(
        *road.disk, d.id, {Json::object(), true, to_swv ? "swv" : "gem", to_swv ? "gem" : "hoeve"}, tx)));
    ASSERT_TRUE(run_now(road.disk->commit(std::move(tx))));
  }
  EXPECT_EQ(known(), (std::set<std::string>{"hoeve gem", "gem swv"}));
}

TEST(Reconcile, ACreditForAPartyThatIsNoneAnyMoreWaits) {
  TwoTowns road;
  road.lives_in("Duinrijk", "swv");
  ASSERT_TRUE(road.accept(road.factuur("F1", 1000)));
  road.run();
  road.lives_in("Polderwijk", "swv-2");
  auto d = MoneyRoad::directory();
  d["parties"][1]["id"] = "swv-2";
  d["parties"][1]["endpoints"][0]["adapter"] = "to_swv-2";
  d["parties"][0]["id"] = "gem-2";
  d["parties"][0]["endpoints"][0]["adapter"] = "to_gem-2";
  road.parties = std::make_shared<Parties>(Parties::read(d).value());
  road.restart();
  ASSERT_TRUE(road.accept(road.creditnota("C1", "F1", 400)));
  road.run();
  for (const auto& c : road.invoices())
    if (road.partners.body(c)["body"]["invoice"]["credits"] != "") {
      EXPECT_EQ(c.state, store::DeliveryState::parked);
      EXPECT_EQ(c.code, "PARTY_MISNAMED");
    }
  EXPECT_FALSE(road.books().closes());
}

TEST(Reconcile, TheAgreementLineThatIsNarrowedToALineIsNamed) {
  MoneyRoad road;
  road.open_case();
  auto narrowed = [](Json more) {
    Json line{{"kind", "zorg"}, {"payer", "gemeente"}};
    line.update(more);
    return line;
  };
  std::vector<Json> lines{narrowed({{"toewijzing", 1}}),
                          narrowed({{"toewijzing", 2}, {"product", "A"}}),
                          narrowed({{"toewijzing", 2}, {"product", "B"}}),
                          narrowed({{"toewijzing", 3}, {"aanbieder", "gem"}}),
                          narrowed({{"toewijzing", 3}, {"aanbieder", "hoeve"}}),
                          narrowed({{"toewijzing", 4}, {"period", {"2026-01-01", "2026-06-30"}}}),
                          narrowed({{"toewijzing", 4}, {"period", {"2026-07-01", "2026-12-31"}}})};
  ASSERT_TRUE(road.accept(road.message("fa", "financieringsafspraak", {{"lines", lines}}, "swv", "swv")));
  auto bill = [&](const std::string& number, int assignment, const char* product, const char* credits = "") {
    Json line{{"kind", "zorg"}, {"cents", 100}, {"toewijzing", assignment}, {"product", product}};
    Json payload{{"number", number}, {"lines", Json::array({line})}, {"vat_cents", 0}, {"period", "2026-09"}};
    if (*credits != '\0') payload["credits"] = credits;
    ASSERT_TRUE(road.accept(road.message("msg-" + number, *credits != '\0' ? "creditnota" : "factuur", payload)));
    road.run();
    auto m = road.books();
    EXPECT_TRUE(m.closes()) << number << month_view(m).dump(1);
  };
  auto named = [&] {
    std::map<std::string, std::int64_t> out;
    for (const auto& r : road.books().rows) out[r.agreement] += r.out_net;
    return out;
  };
  using Named = std::map<std::string, std::int64_t>;
  bill("F1", 1, "X"), bill("F2", 2, "B"), bill("F3", 3, "X"), bill("F4", 4, "X");
  EXPECT_EQ(named(), (Named{{"2/1", 100}, {"2/3", 100}, {"2/5", 100}, {"2/7", 100}}));
  bill("C2", 2, "B", "F2");
  EXPECT_EQ(named(), (Named{{"2/1", 100}, {"2/5", 100}, {"2/7", 100}})) << "a credit is booked where its invoice is";
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
