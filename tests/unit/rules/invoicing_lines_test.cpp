// What a line says of itself: its VAT, its period; and numbers that may not come in.
#include "core/formats/invoice_ubl.hpp"
#include "plugins/invoicing/shares.hpp"
#include "tests/unit/rules/invoicing_support.hpp"

namespace schakel::invoicing_test {
namespace {

Json taxed(const std::string& kind, std::int64_t cents, std::int64_t vat) {
  return {{"kind", kind}, {"cents", cents}, {"vat_cents", vat}};
}
Json in_period(const std::string& kind, std::int64_t cents, const char* from, const char* to) {
  return {{"kind", kind}, {"cents", cents}, {"period", {from, to}}};
}

TEST(InvoiceLineVat, GoesWithTheLineThatIsTaxed) {
  // Care of 1000.00 without VAT and grey 100.00 with 21 %: half of the grey is 60.50, of which 10.50 is VAT.
  Case c(knh(), {{"funding_agreed", true},
                 {"funding",
                  {{{"kind", "zorg"}, {"payer", "gemeente"}, {"vat", "S"}},
                   {{"kind", "grijs"}, {"payer", "50/50"}, {"vat", "S"}}}}});
  Json rates = Json::array({{{"percent", "0"}, {"net_cents", 100000}, {"vat_cents", 0}},
                            {{"percent", "21"}, {"net_cents", 10000}, {"vat_cents", 2100}}});
  auto d =
      c.invoice("ZB-1", Lines{taxed("zorg", 100000, 0), taxed("grijs", 12100, 2100)}, 2100, {{"vat_rates", rates}});
  const auto& half = find(d, "DB-ZB-1");
  EXPECT_EQ(half.amount_cents, 6050);
  EXPECT_EQ(half.vat_cents, 1050);
  EXPECT_EQ(half.vat_rates, Json::parse(R"([{"percent":"21","net_cents":5000,"vat_cents":1050}])"));
  // A credit of half the grey goes back the same way.
  Json back = Json::array({{{"percent", "21"}, {"net_cents", 5000}, {"vat_cents", 1050}}});
  auto credit = c.play("creditnota", "zorgaanbieder_billing",
                       {{"number", "ZC-1"},
                        {"credits", "ZB-1"},
                        {"lines", Json::array({taxed("grijs", 6050, 1050)})},
                        {"vat_cents", 1050},
                        {"vat_rates", back}});
  EXPECT_EQ(find(credit, "CN-ZC-1").amount_cents, -3025);
  EXPECT_EQ(find(credit, "CN-ZC-1").vat_cents, -525);
}

TEST(InvoiceLineVat, IsAllOfTheVatOrTheInvoiceIsNone) {
  for (const Lines& lines : {Lines{taxed("grijs", 12100, 2100), taxed("zorg", 1000, 1)},
                             Lines{taxed("grijs", 12100, 2100), line("zorg", 1000)},
                             Lines{taxed("grijs", 12100, 12101)}, Lines{taxed("grijs", 12100, -1)}}) {
    Case c(knh());
    auto d = c.invoice("ZB-1", lines, 2100);
    EXPECT_TRUE(d.invoices.empty());
    EXPECT_NE(d.outcome, Outcome::delivered);
  }
}

TEST(InvoiceLinePeriod, EachLineIsJudgedByItsOwn) {
  Json funding = Json::array({{{"kind", "grijs"}, {"payer", "50/50"}, {"period", {"2026-01-01", "2026-09-30"}}},
                              {{"kind", "grijs"}, {"payer", "50/50"}, {"period", {"2026-10-01", "2026-12-31"}}}});
  Json whole{{"service_period", {"2026-09-01", "2026-10-31"}}};
  Lines both{in_period("grijs", 1000, "2026-09-01", "2026-09-30"), in_period("grijs", 500, "2026-10-01", "2026-10-31")};
  Case c(knh(), {{"funding_agreed", true}, {"funding", funding}});
  auto d = c.invoice("ZB-1", both, 0, whole);
  EXPECT_EQ(d.outcome, Outcome::delivered) << ::testing::PrintToString(d.codes);
  EXPECT_EQ(find(d, "DB-ZB-1").amount_cents, 750);
  // Its credit is of the same periods.
  EXPECT_EQ(c.credit("ZC-1", "ZB-1", Lines{line("grijs", 500)}).outcome, Outcome::delivered);

  // One line outside everything holds the invoice; so do two agreements that share differently.
  Case outside(knh(), {{"funding_agreed", true}, {"funding", funding}});
  auto later = both;
  later[1]["period"] = {"2027-01-01", "2027-01-31"};
  EXPECT_EQ(outside.invoice("ZB-1", later, 0, whole).codes, (Texts{"OUTSIDE_FUNDING_PERIOD"}));
  auto uneven = funding;
  uneven[1]["payer"] = "swv";
  Case differs(knh(), {{"funding_agreed", true}, {"funding", uneven}});
  EXPECT_EQ(differs.invoice("ZB-1", both, 0, whole).codes, (Texts{"OUTSIDE_FUNDING_PERIOD"}));
  Case bad(knh());
  EXPECT_TRUE(bad.invoice("ZB-1", Lines{in_period("grijs", 1, "2026-10-02", "2026-10-01")}).invoices.empty());
}

TEST(InvoiceNumber, OneThatCouldBeABsnIsNoNumber) {
  for (const char* number : {"999990019", "F-999990019"}) {
    Case c(knh());
    auto d = c.invoice(number, Lines{line("grijs", 1000)});
    EXPECT_TRUE(d.invoices.empty()) << number;
    EXPECT_NE(d.outcome, Outcome::delivered);
  }
  Case c(knh());
  EXPECT_EQ(c.invoice("999990018", Lines{line("grijs", 1000)}).outcome, Outcome::delivered);
}

TEST(InvoiceNumber, TheSameInvoiceWithAnotherDateIsTheSame) {
  Case c(knh());
  (void)c.invoice("ZB-1", Lines{line("grijs", 1000)}, 0, {{"issue_date", "2026-10-05"}, {"payment_id", "A"}});
  EXPECT_EQ(c.invoice("ZB-1", Lines{line("grijs", 1000)}, 0, {{"issue_date", "2026-10-06"}, {"due_date", "2026-11-06"}})
                .outcome,
            Outcome::dropped_duplicate);
}

TEST(RateShares, PayersOfDifferentlyTaxedLinesGetTheirOwnRates) {
  // As any sums of two rates: the rows are the payers', the columns the rates', and each part is at its rate.
  std::uint64_t state = 7;
  auto next = [&state](std::int64_t below) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::int64_t>((state >> 33) % static_cast<std::uint64_t>(below));
  };
  int solved = 0;
  for (int round = 0; round < 3000; ++round) {
    std::int64_t low = next(2) == 0 ? 0 : 9;
    std::int64_t net[2][2];
    std::int64_t vat[2][2];
    for (int p = 0; p < 2; ++p)
      for (int r = 0; r < 2; ++r) {
        net[p][r] = next(500'000);
        vat[p][r] = net[p][r] * (r == 0 ? low : 21) / 100;
      }
    std::vector<invoicing::PayerAmount> payers;
    for (int p = 0; p < 2; ++p)
      payers.push_back({p == 0 ? "gemeente" : "swv", Cents(net[p][0] + net[p][1] + vat[p][0] + vat[p][1]),
                        Cents(vat[p][0] + vat[p][1])});
    Json rates = Json::array();
    for (int r = 0; r < 2; ++r)
      rates.push_back({{"percent", r == 0 ? std::to_string(low) : "21"},
                       {"net_cents", net[0][r] + net[1][r]},
                       {"vat_cents", vat[0][r] + vat[1][r]}});
    auto shared = invoicing::share_rates(payers, rates);
    ASSERT_TRUE(shared);
    std::int64_t columns[2][2] = {{0, 0}, {0, 0}};
    for (std::size_t p = 0; p < 2; ++p) {
      std::int64_t n = 0, v = 0;
      for (const auto& part : (*shared)[p]) {
        auto pn = part["net_cents"].get<std::int64_t>(), pv = part["vat_cents"].get<std::int64_t>();
        ASSERT_GE(pn, 0);
        ASSERT_GE(pv, 0);
        n += pn, v += pv;
        auto r = part["percent"] == "21" ? 1 : 0;
        columns[r][0] += pn, columns[r][1] += pv;
        // What a validator says of it (BR-S-09): less than a euro off.
        ASSERT_LT(std::abs(pv * 100 - pn * (r == 1 ? 21 : low)), 10'000) << round;
      }
      ASSERT_EQ(n + v, payers[p].gross.value());
      ASSERT_EQ(v, payers[p].vat.value());
      ++solved;
    }
    for (std::size_t r = 0; r < 2; ++r) {
      ASSERT_EQ(columns[r][0], rates[r]["net_cents"].get<std::int64_t>());
      ASSERT_EQ(columns[r][1], rates[r]["vat_cents"].get<std::int64_t>());
    }
  }
  EXPECT_EQ(solved, 6000);
}

}  // namespace
}  // namespace schakel::invoicing_test
