// What is given back, rate by rate: the last credit leaves nothing of any payer, unless no document can say that.
#include <random>

#include "plugins/invoicing/fit.hpp"
#include "tests/unit/rules/invoicing_support.hpp"

namespace schakel::invoicing_test {
namespace {

using invoicing::FitRow;

Json rated(const char* kind, const char* percent, std::int64_t net, std::int64_t vat) {
  return {{"kind", kind}, {"cents", net + vat}, {"vat_cents", vat}, {"percent", percent}};
}

Draft credit_of(Case& c, const std::string& number, const Lines& lines) {
  std::int64_t vat = 0;
  for (const auto& l : lines) vat += l["vat_cents"].get<std::int64_t>();
  return c.credit(number, "W", lines, vat);
}

std::vector<Issued> issued_of(const Case& c) { return ledger_of(c.file.invoices).entries.at(0).issued; }

void expect_nothing_left(const Case& c) {
  for (const auto& issued : issued_of(c)) {
    EXPECT_EQ(issued.gross, Cents{}) << issued.role;
    EXPECT_EQ(issued.vat, Cents{}) << issued.role;
    for (const auto& r : issued.rates) EXPECT_TRUE(r["net_cents"] == 0 && r["vat_cents"] == 0) << issued.role << r;
  }
}
/// Of the swv: net of a rate, as the ledger has it.
std::int64_t left_of_swv(const Case& c, const char* percent) {
  for (const auto& issued : issued_of(c))
    if (issued.role == "swv")
      for (const auto& r : issued.rates)
        if (r["percent"] == percent) return r["net_cents"].get<std::int64_t>();
  return 0;
}

TEST(LastCredit, GivesBackWhatEachPayerHasLeftOfEachRate) {
  auto c = shared_case();
  c.file.overrides = {{"grey_split.odd_cent", "swv"}};
  (void)c.invoice("W", Lines{rated("onderwijs", "21", 3, 0), rated("grijs", "21", 14, 4), rated("grijs", "9", 13, 1)},
                  5);
  // Of the first credit the VAT may be laid so that nobody gets back more of a rate than it has.
  auto first = credit_of(c, "C", {rated("grijs", "21", 14, 3)});
  ASSERT_EQ(first.outcome, Outcome::delivered);
  for (const auto& issued : issued_of(c))
    for (const auto& r : issued.rates) EXPECT_TRUE(r["net_cents"] >= 0 && r["vat_cents"] >= 0) << issued.role << r;
  auto last = credit_of(c, "D", {rated("onderwijs", "21", 3, 1), rated("grijs", "9", 13, 1)});
  ASSERT_EQ(last.outcome, Outcome::delivered);
  expect_nothing_left(c);
}

TEST(LastCredit, SingleCentsOfTwoRatesInTurnAreGivenBackExactlyWhileThereIsSomethingOfBoth) {
  auto c = shared_case();
  (void)c.invoice("W", Lines{rated("grijs", "21", 6, 0), rated("grijs", "9", 6, 0)});
  for (int n = 0; n < 3; ++n) {
    // The swv has the lower half of what is left: the cent of an even total is its, of an odd one the gemeente's.
    EXPECT_EQ(
        amounts(credit_of(c, "A" + std::to_string(n), {rated("grijs", "21", 1, 0)})).count("CN-A" + std::to_string(n)),
        1U);
    (void)credit_of(c, "B" + std::to_string(n), {rated("grijs", "9", 1, 0)});
  }
  EXPECT_EQ(left_of_swv(c, "21"), 0);
  EXPECT_EQ(left_of_swv(c, "9"), 3);
  auto last = credit_of(c, "L", {rated("grijs", "21", 3, 0), rated("grijs", "9", 3, 0)});
  EXPECT_EQ(find(last, "CN-L").vat_rates, Json::parse(R"([{"net_cents": -3, "percent": "9", "vat_cents": 0}])"));
  expect_nothing_left(c);
}

/// The gross of each payer is fixed (CORE-MONEY-04) and a credit is of the rates that it names, so a cent of a rate may
/// have to come from who has none of it left, and no later document can put it right: it would ask for one rate what it
/// gives back of another. As often as the sender does it: no number of cents bounds it for all invoices.
TEST(LastCredit, IsCentsOffWhereCreditsBeforeItHadToTakeTooMuchOfARate) {
  auto c = shared_case();
  (void)c.invoice("W", Lines{rated("grijs", "21", 6, 0), rated("grijs", "9", 6, 0)});
  for (int n = 0; n < 6; ++n) {
    (void)credit_of(c, "A" + std::to_string(n), {rated("grijs", "21", 1, 0)});
    (void)credit_of(c, "B" + std::to_string(n), {rated("grijs", "9", 1, 0)});
    EXPECT_EQ(left_of_swv(c, "21"), 2 - n) << "every cent of it was its";
    EXPECT_EQ(left_of_swv(c, "9"), 3) << "and none of the other";
  }
  for (const auto& issued : issued_of(c)) {
    EXPECT_EQ(issued.gross, Cents{}) << issued.role;
    EXPECT_EQ(issued.vat, Cents{}) << issued.role;
  }
}

TEST(LastCredit, OfRatesThatAreNotThoseOfLinesGivesBackTheRatesOfEachPayer) {
  auto c = shared_case();
  auto rates = [](std::int64_t n21, std::int64_t v21, std::int64_t n9, std::int64_t v9) {
    return Json{{"vat_rates",
                 {{{"percent", "21"}, {"net_cents", n21}, {"vat_cents", v21}},
                  {{"percent", "9"}, {"net_cents", n9}, {"vat_cents", v9}}}}};
  };
  (void)c.invoice("W", Lines{line("zorg", 1307), line("onderwijs", 803)}, 310, rates(1000, 210, 800, 100));
  auto credit = [&](const char* number, const Lines& lines, std::int64_t vat, Json more) {
    Json payload{{"number", number}, {"credits", "W"}, {"lines", Json(lines)}, {"vat_cents", vat}};
    payload.update(more);
    return c.play("creditnota", "zorgaanbieder_billing", payload);
  };
  // In proportion the gemeente would get back more of 21 % than it has.
  ASSERT_EQ(credit("C", Lines{line("zorg", 800), line("onderwijs", 121)}, 156, rates(720, 151, 45, 5)).outcome,
            Outcome::delivered);
  for (const auto& issued : issued_of(c))
    for (const auto& r : issued.rates) EXPECT_TRUE(r["net_cents"] >= 0 && r["vat_cents"] >= 0) << issued.role << r;
  ASSERT_EQ(credit("D", Lines{line("zorg", 507), line("onderwijs", 682)}, 154, rates(280, 59, 755, 95)).outcome,
            Outcome::delivered);
  expect_nothing_left(c);
}

/// Who credits line by line and rounds the VAT of each may come to a cent more than was charged. What is sent on is
/// what the creditor made, to the cent, and nobody gets back more VAT than it was charged: so the last is not cut down
/// to what is left, it is refused (CORE-MONEY-04), and the creditor makes one of the exact rest.
TEST(LastCredit, LineByLineThatRoundsUpToMoreThanTheInvoiceIsRefusedAndTheExactRestIsTaken) {
  auto c = shared_case();
  // 0.06 at 21 % is 0.01 of VAT; 0.03 is 0.01 too.
  (void)c.invoice("W", Lines{rated("zorg", "21", 3, 0), rated("onderwijs", "21", 3, 1)}, 1);
  ASSERT_EQ(credit_of(c, "C", {rated("zorg", "21", 3, 1)}).outcome, Outcome::delivered);
  auto beyond = credit_of(c, "D", {rated("onderwijs", "21", 3, 1)});
  EXPECT_EQ(beyond.outcome, Outcome::quarantined);
  EXPECT_EQ(beyond.codes, Texts{"INVOICE_CONFLICT"});
  EXPECT_TRUE(beyond.invoices.empty());
  auto rest = credit_of(c, "E", {rated("onderwijs", "21", 3, 0)});
  ASSERT_EQ(rest.outcome, Outcome::delivered);
  expect_nothing_left(c);
}

struct Cost {
  std::int64_t beyond = 0, away = 0;
  auto operator<=>(const Cost&) const = default;
};
Cost cost_of(const std::vector<FitRow>& rows, const std::vector<std::vector<std::int64_t>>& parts) {
  Cost out;
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t j = 0; j < parts[i].size(); ++j) {
      out.beyond += std::max<std::int64_t>(parts[i][j] - rows[i].left[j], 0);
      out.away += std::abs(parts[i][j] - rows[i].wanted[j]);
    }
  return out;
}

/// Every way of laying these columns over the rows.
struct AllWays {
  const std::vector<FitRow>& rows;
  std::vector<std::int64_t> columns;
  std::size_t may_ask;
  std::vector<std::vector<std::int64_t>> parts{};
  std::optional<Cost> least{};

  bool may(std::size_t i, std::size_t j, std::int64_t x) const {
    if (rows[i].sum == 0) return x == 0;
    return rows[i].sum > 0 ? x >= 0 : x <= 0 && (x == 0 || j < may_ask);
  }
  void from(std::size_t i, std::size_t j) {
    if (j == columns.size()) {
      std::int64_t sum = 0;
      for (auto x : parts[i]) sum += x;
      if (sum == rows[i].sum) from(i + 1, 0);
      return;
    }
    if (i + 1 == rows.size()) {
      std::int64_t x = columns[j];
      for (std::size_t k = 0; k < i; ++k) x -= parts[k][j];
      if (!may(i, j, x)) return;
      parts[i][j] = x;
      if (j + 1 < columns.size()) return from(i, j + 1);
      auto cost = cost_of(rows, parts);
      if (!least || cost < *least) least = cost;
      return;
    }
    for (std::int64_t x = -2; x <= 6; ++x)
      if (may(i, j, x)) parts[i][j] = x, from(i, j + 1);
  }
};

TEST(FitParts, TakesTheLeastBeyondWhatIsLeftAndThenTheNearest) {
  std::mt19937_64 random(5);
  auto below = [&](std::int64_t n) { return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n)); };
  int beyond = 0, asked = 0;
  for (int round = 0; round < 3000; ++round) {
    std::vector<FitRow> rows(static_cast<std::size_t>(2 + below(2)));
    std::vector<std::int64_t> columns(static_cast<std::size_t>(2 + below(2)));
    std::int64_t sum = 0, owed = 0;
    for (auto& c : columns) sum += c = below(4);
    for (auto& row : rows) {
      for (std::size_t j = 0; j < columns.size(); ++j)
        row.wanted.push_back(below(5) - 1), row.left.push_back(below(4) - 1);
      row.sum = &row == &rows.back() ? sum - owed : below(4) - (below(4) == 0 ? 1 : 0);
      owed += row.sum;
    }
    bool any = std::ranges::any_of(rows, [](const FitRow& r) { return r.sum > 0; });
    if (rows.back().sum < -1 || rows.back().sum > 6 || (!any && sum > 0)) continue;
    AllWays all{rows, columns, 1 + static_cast<std::size_t>(below(std::ssize(columns)))};
    all.parts.assign(rows.size(), std::vector<std::int64_t>(columns.size()));
    all.from(0, 0);
    ASSERT_TRUE(all.least) << round;
    auto parts = invoicing::fit(rows, columns, all.may_ask);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::int64_t given = 0;
      for (std::size_t j = 0; j < columns.size(); ++j) {
        ASSERT_TRUE(all.may(i, j, parts[i][j])) << round;
        given += parts[i][j];
      }
      ASSERT_EQ(given, rows[i].sum) << round;
      if (rows[i].sum < 0) ++asked;
    }
    for (std::size_t j = 0; j < columns.size(); ++j) {
      std::int64_t given = 0;
      for (const auto& row : parts) given += row[j];
      ASSERT_EQ(given, columns[j]) << round;
    }
    ASSERT_TRUE(cost_of(rows, parts) == *all.least) << round;
    if (all.least->beyond > 0) ++beyond;
  }
  EXPECT_GT(beyond, 100);
  EXPECT_GT(asked, 100);
}

/// Amounts near the largest, laid out as far as can be from what is wanted: steps of a cent would take minutes.
TEST(FitParts, EndsSoonAlsoWhereAmountsAreLarge) {
  constexpr std::array kKinds{"zorg", "grijs", "onderwijs"}, kPercents{"21", "9", "6"};
  using Table = std::array<std::array<std::int64_t, 6>, 3>;  // by kind: net of each rate, VAT of each rate
  constexpr Table kBilled{{{1645036760, 4049721104, 3, 9352886912, 1471450930, 620541390},
                           {5667484436, 9449921608, 4319961737, 5375586841, 1304395829, 1},
                           {0, 8255569657, 5345719658, 4809841571, 3, 7919014763}}};
  constexpr std::array<std::int64_t, 6> kRates{2, 1, 14678679771, 5668680889, 4719082883, 4114779423};
  constexpr std::array<std::int64_t, 3> kGross{783948894, 2067128423, 26330145652},
      kVat{783948894, 989737964, 12728856337};
  Case c(profile("MH", {}), {{"funding_agreed", true},
                             {"funding",
                              {{{"kind", "zorg"}, {"payer", "gemeente"}},
                               {{"kind", "grijs"}, {"payer", "schoolbestuur"}},
                               {{"kind", "onderwijs"}, {"payer", "swv"}}}}});
  Lines lines;
  std::int64_t vat = 0;
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      if (kBilled[i][j] + kBilled[i][3 + j] > 0) {
        lines.push_back(rated(kKinds[i], kPercents[j], kBilled[i][j], kBilled[i][3 + j]));
        vat += kBilled[i][3 + j];
      }
  ASSERT_EQ(c.invoice("W", lines, vat).outcome, Outcome::delivered);
  Json credit{
      {"number", "C"}, {"credits", "W"}, {"lines", Json::array()}, {"vat_rates", Json::array()}, {"vat_cents", 0}};
  std::int64_t gross = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    credit["lines"].push_back({{"kind", kKinds[i]}, {"cents", kGross[i]}, {"vat_cents", kVat[i]}});
    credit["vat_cents"] = credit["vat_cents"].get<std::int64_t>() + kVat[i], gross += kGross[i];
    credit["vat_rates"].push_back({{"percent", kPercents[i]}, {"net_cents", kRates[i]}, {"vat_cents", kRates[3 + i]}});
  }
  auto draft = c.play("creditnota", "zorgaanbieder_billing", credit);
  ASSERT_EQ(draft.outcome, Outcome::delivered) << ::testing::PrintToString(draft.codes);
  std::int64_t back = 0;
  for (const auto& doc : draft.invoices)
    if (doc.number == "C") back += doc.amount_cents;
  EXPECT_EQ(back, -gross);
}

}  // namespace
}  // namespace schakel::invoicing_test
