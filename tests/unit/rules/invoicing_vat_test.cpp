// VAT by agreement and per rate, number series of a creditor, and what receivers report of an invoice.
#include "core/base/calendar.hpp"
#include "tests/unit/rules/invoicing_support.hpp"

namespace schakel::invoicing_test {
namespace {

Json rate(const char* percent, std::int64_t net, std::int64_t vat) {
  return {{"percent", percent}, {"net_cents", net}, {"vat_cents", vat}};
}

TEST(VatPerRate, SharesAddUpToEveryRate) {
  Case c(knh());
  auto d = c.invoice("F1", {line("grijs", 30001), line("zorg", 12100)}, 5500,
                     {{"vat_rates", {rate("21", 20001, 4200), rate("9", 14444, 1300), rate("0", 2156, 0)}}});
  ASSERT_EQ(d.invoices.size(), 2U);
  const auto& whole = find(d, "F1");
  const auto& share = find(d, "DB-F1");
  EXPECT_EQ(whole.vat_rates.size(), 3U);
  std::int64_t net = 0, vat = 0;
  for (const auto& r : share.vat_rates)
    net += r["net_cents"].get<std::int64_t>(), vat += r["vat_cents"].get<std::int64_t>();
  EXPECT_EQ(net + vat, share.amount_cents);
  EXPECT_EQ(vat, share.vat_cents);
  auto ledger = ledger_of(c.file.invoices);
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> sum;
  for (const auto& issued : ledger.entries.at(0).issued)
    for (const auto& r : issued.rates)
      sum[r["percent"]].first += r["net_cents"].get<std::int64_t>(),
          sum[r["percent"]].second += r["vat_cents"].get<std::int64_t>();
  EXPECT_EQ(sum["21"], (std::pair<std::int64_t, std::int64_t>{20001, 4200}));
  EXPECT_EQ(sum["9"], (std::pair<std::int64_t, std::int64_t>{14444, 1300}));
  EXPECT_EQ(sum["0"], (std::pair<std::int64_t, std::int64_t>{2156, 0}));
}

TEST(VatPerRate, ACreditGivesBackByItsOwnRates) {
  Case c(knh());
  c.invoice("F1", {line("grijs", 24200)}, 4200, {{"vat_rates", {rate("21", 20000, 4200)}}});
  auto d = c.play("creditnota", "zorgaanbieder_billing",
                  {{"number", "C1"},
                   {"credits", "F1"},
                   {"lines", {line("grijs", 12101)}},
                   {"vat_cents", 2100},
                   {"vat_rates", {rate("21", 10001, 2100)}}});
  const auto& share = find(d, "CN-C1");
  ASSERT_EQ(share.vat_rates.size(), 1U);
  EXPECT_EQ(share.vat_rates[0]["net_cents"].get<std::int64_t>() + share.vat_rates[0]["vat_cents"].get<std::int64_t>(),
            share.amount_cents);
  EXPECT_LT(share.amount_cents, 0);
}

TEST(VatPerRate, RatesThatAreNotTheInvoiceAreRefused) {
  for (const Json& rates : {Json{rate("21", 20000, 4199)}, Json{rate("21", 10000, 2100), rate("21", 10000, 2100)},
                            Json{rate("0", 20000, 4200)}, Json{rate("x", 20000, 4200)}, Json{rate("21", -1, 24201)},
                            Json::array(), Json("21")}) {
    Case c(knh());
    auto d = c.invoice("F1", {line("grijs", 24200)}, 4200, {{"vat_rates", rates}});
    EXPECT_EQ(d.outcome, Outcome::quarantined) << rates.dump();
    EXPECT_TRUE(d.invoices.empty());
  }
}

TEST(VatTreatment, ComesFromTheAgreementAndStaysWithCredits) {
  Case c(knh(), Json::object());
  c.agree({{{"kind", "grijs"}, {"payer", "50/50"}, {"vat", "S"}}});
  auto d = c.invoice("F1", {line("grijs", 24200)}, 4200);
  EXPECT_EQ(find(d, "DB-F1").vat_treatment, "S");
  c.agree({{{"kind", "zorg"}, {"vat", "E"}}});
  auto credit = c.credit("C1", "F1", {line("grijs", 100)}, 17);
  EXPECT_EQ(find(credit, "CN-C1").vat_treatment, "S");
}

TEST(VatTreatment, IsOfWhatStandsOnTheDocument) {
  Case c(knh(), Json::object());
  c.agree({{{"kind", "zorg"}, {"payer", "gemeente"}, {"vat", "E"}},
           {{"kind", "grijs"}, {"payer", "50/50"}, {"vat", "S"}},
           {{"kind", "onderwijs"}, {"payer", "swv"}, {"vat", "O"}}});
  // What the gemeente has of care says nothing of what it asks of the swv.
  auto two = c.invoice("F1", {line("grijs", 24200), line("zorg", 100)}, 4200);
  EXPECT_EQ(find(two, "DB-F1").vat_treatment, "S");
  EXPECT_EQ(find(two, "F1").vat_treatment, "") << "the whole has both";
  auto credit = c.credit("C1", "F1", {line("grijs", 24200), line("zorg", 100)}, 4200);
  EXPECT_EQ(find(credit, "CN-C1").vat_treatment, "S");
  // Two on one document leave it to the creditor.
  auto mixed = c.invoice("F2", {line("grijs", 24200), line("onderwijs", 100)}, 0);
  EXPECT_EQ(find(mixed, "DB-F2").vat_treatment, "");
  EXPECT_EQ(find(c.credit("C2", "F2", {line("onderwijs", 100)}), "CN-C2").vat_treatment, "") << "as its invoice";
  // One that was sent before a treatment was kept by group has that of the whole.
  auto education = c.invoice("F3", {line("onderwijs", 100)});
  EXPECT_EQ(find(education, "DB-F3").vat_treatment, "O");
  for (auto& e : c.file.invoices["entries"])
    for (auto& g : e["value"]["groups"]) g.erase("vat");
  EXPECT_EQ(find(c.credit("C3", "F3", {line("onderwijs", 50)}), "CN-C3").vat_treatment, "O");
}

TEST(NumberSeries, CountsPerCreditorWithoutGapsAndCreditsNameTheNumberGiven) {
  auto p = knh({{"money.number_series", {{"gemeente", "GA"}}}});
  Case c(p);
  auto year = std::to_string(local_date(Instant{std::chrono::seconds{1'790'000'000}}).year());
  auto first = c.invoice("F1", {line("grijs", 1000)});
  EXPECT_EQ(amounts(first), (Amounts{{"F1", 1000}, {"GA" + year + "-000001", 500}}));
  auto held = c.play("escalatie", "ouders", Json::object());
  EXPECT_EQ(c.invoice("F2", {line("grijs", 2000)}).outcome, Outcome::held);
  auto third = c.play("escalatie_besluit", "cto", Json::object());
  EXPECT_EQ(amounts(third), (Amounts{{"F2", 2000}, {"GA" + year + "-000002", 1000}}));
  auto credit = c.credit("C1", "F1", {line("grijs", 100)});
  EXPECT_EQ(find(credit, "GA" + year + "-000003").credits, "GA" + year + "-000001");
  // A duplicate takes no number.
  EXPECT_EQ(c.invoice("F1", {line("grijs", 1000)}).outcome, Outcome::dropped_duplicate);
  EXPECT_EQ(amounts(c.invoice("F4", {line("grijs", 10)})).count("GA" + year + "-000004"), 1U);
  // A restored copy counts on in an epoch of its own.
  c.registers["series-epoch"] = 1;
  EXPECT_EQ(amounts(c.invoice("F5", {line("grijs", 10)})).count("GA" + year + "R1-000001"), 1U);
}

TEST(NumberSeries, TheSameNumberOfTwoProvidersDoesNotMakeOneNumberTwice) {
  Case c(knh());
  c.party = "hoeve";
  EXPECT_EQ(amounts(c.invoice("F1", {line("grijs", 1000)})).count("DB-F1"), 1U);
  c.party = "esdoorn";
  auto other = c.invoice("F1", {line("grijs", 3000)});
  EXPECT_EQ(amounts(other), (Amounts{{"F1", 3000}, {"DB-F1-2", 1500}}));
  EXPECT_EQ(find(c.credit("C1", "F1", {line("grijs", 100)}), "CN-C1").credits, "DB-F1-2");
}

Draft reported(Case& c, const char* status, const char* code = "X") {
  c.party = "schakel";
  auto d = c.play("factuur_status", "broker",
                  {{"delivery", "A-1"},
                   {"number", "DB-F1"},
                   {"payer", "swv"},
                   {"payee", "gemeente"},
                   {"status", status},
                   {"code", code}});
  c.party = "";
  return d;
}
std::string known(const Case& c) {
  return c.file.invoices.value("status", Json::object()).value("A-1", Json::object()).value("status", "");
}

TEST(InvoiceStatus, ARefusalIsKeptAndToldToWhoIsOwedTheMoney) {
  Case c(knh());
  EXPECT_TRUE(reported(c, "received").signals.empty());
  EXPECT_EQ(known(c), "received");
  EXPECT_EQ(signals(reported(c, "refused")), (Texts{"INVOICE_REFUSED>gemeente_financien"}));
  EXPECT_EQ(known(c), "refused");
  reported(c, "received");
  EXPECT_EQ(known(c), "refused") << "what is late does not undo a refusal";
  EXPECT_TRUE(reported(c, "processed").signals.empty());
  EXPECT_EQ(known(c), "processed");
  EXPECT_EQ(signals(reported(c, "refused")), (Texts{"INVOICE_REFUSED>gemeente_financien"}))
      << "also after it was booked";
}

TEST(InvoiceStatus, WhatIsStuckIsToldAndChangesNothing) {
  Case c(knh());
  EXPECT_EQ(signals(reported(c, "stuck")), (Texts{"INVOICE_UNDELIVERABLE>gemeente_financien"}));
  EXPECT_EQ(known(c), "");
}

TEST(InvoiceStatus, NobodyButTheBrokerReports) {
  Case c(knh());
  c.party = "hoeve";
  auto d = c.play("factuur_status", "zorgaanbieder_billing", {{"delivery", "A-1"}, {"status", "processed"}});
  EXPECT_EQ(d.outcome, Outcome::blocked);
  EXPECT_TRUE(d.effects.empty());
}

}  // namespace
}  // namespace schakel::invoicing_test
