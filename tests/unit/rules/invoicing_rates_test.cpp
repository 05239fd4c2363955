// Rates of lines: each payer has the VAT of exactly the lines that it pays.
#include "tests/unit/rules/invoicing_support.hpp"

namespace schakel::invoicing_test {
namespace {

Json rated(const char* kind, const char* percent, std::int64_t net, std::int64_t vat, const char* category = nullptr) {
  Json line{{"kind", kind}, {"cents", net + vat}, {"vat_cents", vat}, {"percent", percent}};
  if (category) line["category"] = category;
  return line;
}
Json rate_of(const char* percent, std::int64_t net, std::int64_t vat, const char* category = nullptr) {
  Json row{{"percent", percent}, {"net_cents", net}, {"vat_cents", vat}};
  if (category) row["category"] = category;
  return row;
}
using RateList = std::vector<Json>;

TEST(InvoiceLineRate, WhoPaysOneLineHasItsRateOnly) {
  auto c = shared_case();
  auto d = c.invoice("X", Lines{rated("zorg", "9", 900, 81), rated("onderwijs", "21", 400, 84)}, 165);
  const auto& share = find(d, "DB-X");
  EXPECT_EQ(share.amount_cents, 484);
  EXPECT_EQ(share.vat_cents, 84);
  EXPECT_EQ(share.vat_rates, Json(RateList{rate_of("21", 400, 84)}));
  EXPECT_EQ(find(d, "X").vat_rates, Json(RateList{rate_of("9", 900, 81), rate_of("21", 400, 84)}));
  // By its rate a line says which part of the document is for it.
  ASSERT_EQ(share.lines.size(), 1U);
  EXPECT_EQ(share.lines[0]["percent"], "21");
  EXPECT_FALSE(share.lines[0].contains("category"));
  EXPECT_EQ(find(d, "X").lines[0]["percent"], "9");
}

TEST(InvoiceLineRate, ThreeRatesAndACreditOfEach) {
  auto c = shared_case();
  auto lines = Lines{rated("zorg", "0", 100000, 0, "E"), rated("grijs", "9", 50001, 4500, "S"),
                     rated("onderwijs", "21", 30000, 6300, "S")};
  auto d = c.invoice("W", lines, 10800);
  // Half of 545.01 is 272.50, of which half of 45.00 is VAT.
  const auto& share = find(d, "DB-W");
  EXPECT_EQ(share.amount_cents, 27250 + 36300);
  EXPECT_EQ(share.vat_rates, Json(RateList{rate_of("9", 25000, 2250, "S"), rate_of("21", 30000, 6300, "S")}));
  for (const auto& l : share.lines) EXPECT_EQ(l["category"], "S");
  auto credit = c.play("creditnota", "zorgaanbieder_billing",
                       {{"number", "C"},
                        {"credits", "W"},
                        {"lines", {rated("onderwijs", "21", 10000, 2100, "S"), rated("grijs", "9", 1, 0, "S")}},
                        {"vat_cents", 2100}});
  const auto& back = find(credit, "CN-C");
  EXPECT_EQ(back.amount_cents, -12100) << "the cent of the grey area was the gemeente's";
  EXPECT_EQ(back.vat_rates, Json(RateList{rate_of("21", -10000, -2100, "S")}));
  auto ledger = ledger_of(c.file.invoices);
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> left;
  for (const auto& issued : ledger.entries.at(0).issued)
    for (const auto& r : issued.rates)
      left[r["percent"]].first += r["net_cents"].get<std::int64_t>(),
          left[r["percent"]].second += r["vat_cents"].get<std::int64_t>();
  EXPECT_EQ(left["0"], (std::pair<std::int64_t, std::int64_t>{100000, 0}));
  EXPECT_EQ(left["9"], (std::pair<std::int64_t, std::int64_t>{50000, 4500}));
  EXPECT_EQ(left["21"], (std::pair<std::int64_t, std::int64_t>{20000, 4200}));
}

Draft credit_of(Case& c, const char* number, const char* of, const Lines& lines) {
  std::int64_t vat = 0;
  for (const auto& l : lines) vat += l["vat_cents"].get<std::int64_t>();
  return c.play("creditnota", "zorgaanbieder_billing",
                {{"number", number}, {"credits", of}, {"lines", Json(lines)}, {"vat_cents", vat}});
}

TEST(InvoiceLineRate, ACreditTakesNoMoreOfARateThanIsLeft) {
  auto c = shared_case();
  (void)c.invoice("W", Lines{rated("zorg", "0", 1000, 0), rated("zorg", "21", 1000, 210)}, 210);
  auto net = credit_of(c, "C0", "W", {rated("zorg", "21", 1001, 0)});
  EXPECT_EQ(net.outcome, Outcome::quarantined) << "less than the 12.10 of this rate, but more than its 10.00 of net";
  EXPECT_EQ(credit_of(c, "C", "W", {rated("zorg", "21", 900, 189)}).outcome, Outcome::delivered);
  auto again = credit_of(c, "D", "W", {rated("zorg", "21", 101, 20)});
  EXPECT_EQ(again.outcome, Outcome::quarantined) << "1.00 of this rate is left, whatever is left of the kind";
  auto vat = credit_of(c, "D2", "W", {rated("zorg", "21", 99, 22)});
  EXPECT_EQ(vat.outcome, Outcome::quarantined) << "0.21 of its VAT is left";
  auto other = credit_of(c, "E", "W", {rated("zorg", "9", 100, 9)});
  EXPECT_EQ(other.outcome, Outcome::quarantined) << "a rate that was never charged";
  EXPECT_EQ(credit_of(c, "F", "W", {rated("zorg", "21", 100, 21), rated("zorg", "0", 1000, 0)}).outcome,
            Outcome::delivered);
  for (const auto& issued : ledger_of(c.file.invoices).entries.at(0).issued) {
    EXPECT_EQ(issued.gross, Cents{}) << issued.role;
    for (const auto& r : issued.rates) EXPECT_TRUE(r["net_cents"] == 0 && r["vat_cents"] == 0) << issued.role << r;
  }
}

TEST(InvoiceLineRate, TheCentThatWasLaidOnAnotherLineOfTheRateIsCredited) {
  auto c = shared_case();
  // 31.50 of VAT on 150.02, laid over the lines by cumulative rounding; of its own the first has 21.00.
  auto d = c.invoice("W", Lines{rated("zorg", "21", 10001, 2099, "S"), rated("grijs", "21", 5001, 1051, "S")}, 3150);
  EXPECT_EQ(find(d, "DB-W").amount_cents, 3026);
  auto credit = credit_of(c, "C", "W", {rated("zorg", "21", 10001, 2100, "S")});
  ASSERT_EQ(credit.outcome, Outcome::delivered);
  // The cent is the grey area's: of 60.51 the odd one stays with the gemeente.
  EXPECT_EQ(amounts(credit), (Amounts{{"C", -12101}, {"CN-C", -1}}));
  auto rest = credit_of(c, "D", "W", {rated("grijs", "21", 5001, 1050, "S")});
  ASSERT_EQ(rest.outcome, Outcome::delivered);
  EXPECT_EQ(amounts(rest), (Amounts{{"D", -6051}, {"CN-D", -3025}}));
  for (const auto& issued : ledger_of(c.file.invoices).entries.at(0).issued) {
    EXPECT_EQ(issued.gross, Cents{}) << issued.role;
    EXPECT_EQ(issued.vat, Cents{}) << issued.role;
    for (const auto& r : issued.rates) EXPECT_TRUE(r["net_cents"] == 0 && r["vat_cents"] == 0) << issued.role << r;
  }
}

TEST(InvoiceLineRate, WhoPaysAnotherLineOfTheRateGetsItsCentBackWithAWord) {
  auto c = shared_case();
  (void)c.invoice("W", Lines{rated("zorg", "21", 10001, 2099, "S"), rated("onderwijs", "21", 5001, 1051, "S")}, 3150);
  auto credit = credit_of(c, "C", "W", {rated("zorg", "21", 10001, 2100, "S")});
  ASSERT_EQ(credit.outcome, Outcome::delivered);
  const auto& cent = find(credit, "CN-C");
  EXPECT_EQ(cent.amount_cents, -1);
  ASSERT_EQ(cent.lines.size(), 1U);
  EXPECT_EQ(cent.lines[0]["share_cents"], -1);
  EXPECT_EQ(cent.lines[0]["kind"], "onderwijs");
  EXPECT_EQ(cent.vat_rates, Json(RateList{rate_of("21", 0, -1, "S")}));
}

TEST(InvoiceLineRate, VatThatIsNoRoundingStaysWithItsLines) {
  auto c = shared_case();
  (void)c.invoice("W", Lines{rated("zorg", "21", 10001, 2099, "S"), rated("onderwijs", "21", 5001, 1051, "S")}, 3150);
  auto credit = credit_of(c, "C", "W", {rated("zorg", "21", 10001, 2110, "S")});
  EXPECT_EQ(credit.outcome, Outcome::quarantined) << "of one rate, but eleven cents of another payer";
}

TEST(InvoiceLineRate, RatesThatAreNotThoseOfTheLinesAreRefused) {
  auto plain = rated("zorg", "9", 900, 81);
  auto without = plain;
  without.erase("percent");
  auto no_vat = plain;
  no_vat.erase("vat_cents");
  for (const Lines& lines :
       {Lines{plain, without}, Lines{no_vat}, Lines{rated("zorg", "0", 900, 81)}, Lines{rated("zorg", "", 900, 81)},
        Lines{rated("zorg", "negen", 900, 81)}, Lines{rated("zorg", "9", 900, 81, "O")},
        Lines{rated("zorg", "9", 900, 81, "AE")}, Lines{rated("zorg", "0", 900, 0, "S")}}) {
    Case c(knh());
    auto vat = lines[0].value("vat_cents", std::int64_t{0});
    EXPECT_EQ(c.invoice("X", lines, vat).outcome, Outcome::quarantined) << Json(lines).dump();
  }
  auto number = plain;
  number["percent"] = 9;
  auto list = plain;
  list["category"] = Json::array();
  for (const auto& line : {number, list}) {
    Case c(knh());
    EXPECT_EQ(c.invoice("X", Lines{line}, 81).outcome, Outcome::quarantined) << line.dump();
  }
  for (const RateList& rates :
       {RateList{rate_of("9", 899, 82)}, RateList{rate_of("21", 900, 81)},
        RateList{rate_of("9", 450, 40), rate_of("21", 450, 41)}, RateList{rate_of("9", 900, 81, "S")}}) {
    Case c(knh());
    EXPECT_EQ(c.invoice("X", Lines{plain}, 81, {{"vat_rates", rates}}).outcome, Outcome::quarantined)
        << Json(rates).dump();
  }
  Case c(knh());
  EXPECT_EQ(
      c.invoice("X", Lines{plain}, 81, {{"vat_rates", RateList{rate_of("9", 900, 81), rate_of("21", 0, 0)}}}).outcome,
      Outcome::delivered);
}

}  // namespace
}  // namespace schakel::invoicing_test
