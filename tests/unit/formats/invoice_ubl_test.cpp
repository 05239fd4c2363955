// From the broker's invoice to a document: what is on it, and in which order.
#include "core/formats/invoice_ubl.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/formats/pdf.hpp"
#include "tests/unit/formats/support.hpp"
#include "tests/unit/formats/ubl_sample.hpp"

namespace schakel::formats {
namespace {

Json party(const char* name, const char* scheme, const char* id) {
  return {{"name", name},
          {scheme, id},
          {"street", "Fictiestraat 1"},
          {"city", "Zandoever"},
          {"postcode", "1001 XX"},
          {"iban", "NL19TEST0001000001"},
          {"vat_category", "O"}};
}
Json broker_invoice(const std::vector<std::int64_t>& shares) {
  Json lines = Json::array();
  std::int64_t sum = 0;
  for (auto s : shares) {
    lines.push_back({{"kind", "grijs"}, {"cents", s * 2}, {"share_cents", s}, {"description", "Grijs gebied"}});
    sum += s;
  }
  return {{"number", "DB-ZB-1"},
          {"kind", "doorbelasting"},
          {"amount_cents", sum},
          {"vat_cents", 0},
          {"issued", "2026-10-05"},
          {"period_from", "2026-09-01"},
          {"period_to", "2026-09-30"},
          {"source_number", "ZB-1"},
          {"lines", lines},
          {"seller", party("Gemeente Zandoever", "oin", "00000099000100001000")},
          {"buyer", party("SWV", "kvk", "90000002")}};
}
UblDocument document(const Json& invoice, const char* reference = "ARR-7F3K") {
  auto d = to_ubl(invoice, reference, InvoiceSettings(Json::object()));
  if (!d) throw std::runtime_error(d.error().code + d.error().message);
  EXPECT_TRUE(check_ubl(*d).empty());
  return *d;
}
bool adds_up(const UblDocument& d) {
  double sum = 0;
  for (const auto& l : d.lines) sum += static_cast<double>(l.net.value()) / 100;
  return sum == static_cast<double>(d.payable.value()) / 100;
}

TEST(InvoiceUbl, LinesStandInAnOrderInWhichABinaryValidatorReachesTheTotal) {
  std::uint64_t state = 11;
  int merged = 0, turned = 0;
  constexpr int kRounds = 300;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::int64_t> shares;
    for (int i = 0; i < 14; ++i) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      shares.push_back(1 + static_cast<std::int64_t>((state >> 33) % 100'000));
    }
    auto d = document(broker_invoice(shares));
    EXPECT_TRUE(adds_up(d));
    std::vector<std::int64_t> on_it;
    for (const auto& l : d.lines) on_it.push_back(l.net.value());
    if (on_it.size() == 1) ++merged;
    if (on_it != shares) ++turned;
    std::ranges::sort(on_it);
    std::ranges::sort(shares);
    if (d.lines.size() > 1) EXPECT_EQ(on_it, shares) << "each line once";
  }
  EXPECT_EQ(merged, 0);
  EXPECT_GT(turned, 10) << "the test has cases that do not add up as they came";
  // Two lines add up either way or not at all.
  EXPECT_EQ(document(broker_invoice({16666, 20000})).lines.size(), 1U);
}

TEST(InvoiceUbl, TheSameInvoiceHasTheSameOrder) {
  std::vector<std::int64_t> shares;
  for (int i = 0; i < 40; ++i) shares.push_back(1001 + i * 37);
  EXPECT_EQ(document(broker_invoice(shares)), document(broker_invoice(shares)));
}

TEST(InvoiceUbl, VatIsChargedByAgreementOrCategoryAndNeverGuessed) {
  auto inv = broker_invoice({12100});
  inv["vat_cents"] = 2100;
  inv["seller"]["vat_number"] = "NL123456789B01";
  auto outside = document(inv);
  EXPECT_EQ(outside.tax_total, Cents{});
  EXPECT_EQ(outside.supplier.vat_number, "");
  // 0.40 with 0.04 is 9 % or 10 % or 11 %: nobody knows but its source.
  for (bool by_agreement : {true, false}) {
    auto taxed = inv;
    if (by_agreement)
      taxed["vat_treatment"] = "S";
    else
      taxed["seller"]["vat_category"] = "S";
    auto none = to_ubl(taxed, "A", InvoiceSettings(Json::object()));
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, "INVOICE_MALFORMED");
    taxed["vat_rates"] = Json::array({{{"percent", "21"}, {"net_cents", 10000}, {"vat_cents", 2100}}});
    auto d = document(taxed);
    EXPECT_EQ(d.tax_total, Cents{2100});
    EXPECT_EQ(d.taxes[0].category, "S");
  }
  auto exempt = inv;
  exempt["vat_treatment"] = "E";
  exempt["vat_rates"] = Json::array({{{"percent", "21"}, {"net_cents", 10000}, {"vat_cents", 2100}}});
  EXPECT_EQ(document(exempt).tax_total, Cents{}) << "the agreement goes before the rates of the source";
}

Json vat_row(const char* category, const char* percent, std::int64_t net, std::int64_t vat) {
  return {{"category", category}, {"percent", percent}, {"net_cents", net}, {"vat_cents", vat}};
}

TEST(InvoiceUbl, OneThatIsPassedOnSaysTheVatOfItsSourceWhateverWasAgreed) {
  for (const char* treatment : {"", "O", "E", "S"}) {
    auto inv = broker_invoice({12100, 10900, 500});
    inv["vat_treatment"] = treatment;
    inv["vat_cents"] = 3000;
    inv["vat_of_source"] = true;
    inv["seller"]["vat_number"] = "NL123456789B01";
    inv["vat_rates"] = {vat_row("S", "21", 10000, 2100), vat_row("S", "9", 10000, 900), vat_row("E", "0", 300, 0),
                        vat_row("Z", "0", 200, 0)};
    auto d = document(inv);
    EXPECT_EQ(d.supplier.vat_number, "NL123456789B01") << treatment;
    EXPECT_EQ(stated_amounts(d), Json::parse(R"({"bedragCent": 23500, "btw": [
        {"categorie": "S", "tarief": "21", "nettoCent": 10000, "btwCent": 2100},
        {"categorie": "S", "tarief": "9", "nettoCent": 10000, "btwCent": 900},
        {"categorie": "E", "tarief": "0", "nettoCent": 300, "btwCent": 0},
        {"categorie": "Z", "tarief": "0", "nettoCent": 200, "btwCent": 0}]})"));
  }
}

Json rated_line(const char* kind, const char* category, const char* percent, std::int64_t cents, const char* text) {
  return {{"kind", kind},        {"category", category}, {"percent", percent},
          {"description", text}, {"cents", cents},       {"share_cents", cents}};
}

TEST(InvoiceUbl, APartOfARateSaysWhatItIsForAndAsksTheSame) {
  for (std::int64_t sign : {1, -1})
    for (bool of_source : {true, false}) {
      auto inv = broker_invoice({12100 * sign, 10900 * sign, 500 * sign});
      auto plain = inv;
      inv["lines"] = {rated_line("zorg", "S", "21.00", 6050 * sign, "Zorg, september 2026"),
                      rated_line("zorg", "S", "21.00", 6050 * sign, "Zorg, september 2026"),
                      rated_line("onderwijs", "S", "9", 5000 * sign, "Onderwijs, september 2026"),
                      rated_line("grijs", "S", "9", 5900 * sign, "Grijs gebied, september 2026"),
                      rated_line("zorg", "S", "9", 0, "Zorg van niets"),
                      rated_line("gecombineerd", "E", "0", 500 * sign, "Gecombineerd, september 2026")};
      plain["lines"] = Json::array();
      for (Json* i : {&inv, &plain}) {
        if (sign < 0) (*i)["credits"] = "DB-ZB-0";
        (*i)["vat_cents"] = 3000 * sign;
        (*i)["vat_treatment"] = "S";
        (*i)["vat_of_source"] = of_source;
        (*i)["seller"]["vat_number"] = "NL123456789B01";
        (*i)["vat_rates"] = {vat_row("S", "21", 10000 * sign, 2100 * sign), vat_row("S", "9", 10000 * sign, 900 * sign),
                             vat_row("E", "0", 500 * sign, 0)};
      }
      auto d = document(inv), without = document(plain);
      ASSERT_EQ(d.lines.size(), 3U);
      EXPECT_EQ(d.lines[0].name, "Zorg");
      EXPECT_EQ(d.lines[0].description, "Deel met 21 % btw: Zorg, september 2026");
      EXPECT_EQ(d.lines[1].name, "Onderwijszorgarrangement");
      EXPECT_EQ(d.lines[1].description, "Deel met 9 % btw: Onderwijs, september 2026; Grijs gebied, september 2026");
      EXPECT_EQ(d.lines[2].description, "Deel met 0 % btw: Gecombineerd, september 2026");
      // Of lines that do not say their rate nobody knows which part is for what.
      EXPECT_EQ(without.lines[0].description, "Deel met 21 % btw");
      for (std::size_t i = 0; i < d.lines.size(); ++i)
        d.lines[i].name = without.lines[i].name, d.lines[i].description = without.lines[i].description;
      EXPECT_EQ(d, without) << "no amount, rate or other field is another";
    }
}

TEST(InvoiceUbl, OfOneRateEveryLineIsSaidAlsoWithoutItsRateButNotWithoutEnd) {
  auto inv = broker_invoice({12100});
  inv["vat_cents"] = 2100;
  inv["vat_treatment"] = "S";
  inv["seller"]["vat_number"] = "NL123456789B01";
  inv["vat_rates"] = Json::array({vat_row("S", "21", 10000, 2100)});
  auto d = document(inv);
  EXPECT_EQ(d.lines.at(0).name, "Onderwijs-zorg (grijs gebied)");
  EXPECT_EQ(d.lines[0].description, "Grijs gebied");
  inv["lines"] = Json::array();
  for (int i = 0; i < 100; ++i) {
    auto text = fmt::format("Grijs gebied, dagdeel {}", i);
    inv["lines"].push_back(rated_line("grijs", "S", "21", 121, text.c_str()));
  }
  auto many = document(inv).lines.at(0).description;
  EXPECT_LT(many.size(), 320U);
  EXPECT_TRUE(many.starts_with("Grijs gebied, dagdeel 0; Grijs gebied, dagdeel 1; ")) << many;
  EXPECT_TRUE(many.ends_with(" (en nog 88)")) << many;
}

TEST(InvoiceUbl, OneOfASingleCategoryWithoutVatKeepsItsLines) {
  for (const char* category : {"O", "E", "Z"}) {
    auto inv = broker_invoice({12100, 10900});
    inv["vat_treatment"] = "S";
    inv["vat_of_source"] = true;
    inv["seller"]["vat_number"] = "NL123456789B01";
    inv["vat_rates"] = Json::array({vat_row(category, "0", 23000, 0)});
    auto d = document(inv);
    EXPECT_EQ(d.lines.size(), 2U);
    EXPECT_EQ(d.taxes.at(0).category, category);
    EXPECT_EQ(d.supplier.vat_number.empty(), category[0] == 'O');
  }
}

TEST(InvoiceUbl, ARateOfWhichTheVatRoundsToNothingIsSaidAsThatRate) {
  for (bool by_agreement : {true, false})
    for (std::int64_t sign : {1, -1}) {
      auto inv = broker_invoice({2 * sign});
      if (sign < 0) inv["credits"] = "DB-ZB-0";
      inv["seller"]["vat_number"] = "NL123456789B01";
      if (by_agreement)
        inv["vat_treatment"] = "S";
      else
        inv["seller"]["vat_category"] = "S";
      inv["vat_rates"] = Json::array({vat_row("S", "9", 2 * sign, 0)});
      EXPECT_EQ(stated_amounts(document(inv))["btw"],
                (Json::array({{{"categorie", "S"}, {"tarief", "9"}, {"nettoCent", 2 * sign}, {"btwCent", 0}}})));
      // Without a rate there is none to say; nor of what was never taxed.
      inv["vat_rates"] = Json::array();
      EXPECT_EQ(stated_amounts(document(inv))["btw"][0]["categorie"], "E");
      inv["vat_rates"] = Json::array({vat_row("Z", "0", 2 * sign, 0)});
      EXPECT_EQ(stated_amounts(document(inv))["btw"][0]["categorie"], "E");
    }
}

TEST(InvoiceUbl, WhatIsMadeOfItPassesRatesOnWithoutZ) {
  auto inv = broker_invoice({12100, 500});
  inv["vat_treatment"] = "S";
  inv["vat_cents"] = 2100;
  inv["seller"]["vat_number"] = "NL123456789B01";
  inv["vat_rates"] = {vat_row("S", "21", 10000, 2100), vat_row("Z", "0", 500, 0)};
  auto d = document(inv);
  ASSERT_EQ(d.taxes.size(), 2U);
  EXPECT_EQ(d.taxes[1].category, "E");
  // A cent of each is a document too; nobody leans on the euro of BR-S-09.
  inv["amount_cents"] = 4, inv["vat_cents"] = 0, inv["lines"] = Json::array();
  inv["vat_of_source"] = true;
  inv["vat_rates"] = {vat_row("S", "21", 1, 0), vat_row("S", "9", 2, 0), vat_row("E", "0", 1, 0)};
  EXPECT_EQ(document(inv).taxes.size(), 3U);
}

TEST(InvoiceUbl, AnInvoicePassedOnKeepsItsDatesAndPaymentReference) {
  auto inv = broker_invoice({100});
  auto own = document(inv);
  EXPECT_EQ(format_date(own.issue_date), "2026-10-05");
  EXPECT_EQ(format_date(*own.due_date), "2026-11-04");
  EXPECT_EQ(own.payment_id, "DB-ZB-1");
  inv["issue_date"] = "2026-09-28", inv["due_date"] = "2026-10-12", inv["payment_id"] = "RF18-1";
  auto passed = document(inv);
  EXPECT_EQ(format_date(passed.issue_date), "2026-09-28");
  EXPECT_EQ(format_date(*passed.due_date), "2026-10-12");
  EXPECT_EQ(passed.payment_id, "RF18-1");
  EXPECT_EQ(passed.payment_terms, "") << "30 days are not what its maker asked";
}

TEST(InvoiceUbl, TheArrangementIsOnItAlsoBesideAReferenceOfTheBuyer) {
  auto inv = broker_invoice({100, 250});
  EXPECT_EQ(document(inv).buyer_reference, "ARR-7F3K");
  inv["buyer"]["buyer_reference"] = "INKOOP-9";
  inv["lines"][1]["period"] = {"2026-09-01", "2026-09-15"};
  auto d = document(inv);
  EXPECT_EQ(d.buyer_reference, "INKOOP-9");
  EXPECT_EQ(d.order_reference, "ARR-7F3K");
  for (const auto& l : d.lines) {
    ASSERT_EQ(l.properties.size(), 2U);
    EXPECT_EQ(l.properties[0], (std::pair<std::string, std::string>{"Arrangement", "ARR-7F3K"}));
    EXPECT_EQ(l.properties[1].first, "Aandeel");
  }
  EXPECT_EQ(d.lines[0].properties[1].second, "1,00 van 2,00 euro");
  EXPECT_EQ(format_date(*d.lines[0].period->end), "2026-09-30");
  EXPECT_EQ(format_date(*d.lines[1].period->end), "2026-09-15");
}

TEST(InvoiceUbl, ANumberThatCouldBeABsnIsNotWritten) {
  for (const char* field : {"number", "source_number", "credits"}) {
    auto inv = broker_invoice({100});
    inv[field] = "DB-999990019";
    auto made = to_ubl(inv, "A", InvoiceSettings(Json::object()));
    ASSERT_FALSE(made) << field;
    EXPECT_EQ(made.error().message.find("99999"), std::string::npos);
  }
}

TEST(Values, NineDigitsThatCouldBeABsn) {
  for (const char* yes : {"999990019", "F-999990019", "a999990019b", "1 999990019"}) EXPECT_TRUE(holds_bsn(yes)) << yes;
  for (const char* no : {"", "999990018", "9999900190", "99999001", "2026-0917", "000000000"})
    EXPECT_FALSE(holds_bsn(no)) << no;
}

TEST(PdfInvoice, NoWordOfALineIsLeftOut) {
  auto d = test::invoice();
  std::string words;
  for (int i = 0; i < 1500; ++i) words += fmt::format("w{:04} ", i);
  d.lines[0].description = words + "slot";
  d.lines[1].name = "Tweede regel";
  auto pdf = render_invoice_pdf(d);
  if (!pdf && pdf.error().code == "PDF_FONT") GTEST_SKIP() << "no fonts";
  ASSERT_TRUE(pdf);
  if (test::run("command -v pdftotext").status != 0) GTEST_SKIP() << "pdftotext is not installed";
  schakel::test::TempFolder folder;
  auto text = test::run("pdftotext -raw " + folder.write("a.pdf", *pdf).string() + " -").output;
  for (int i = 0; i < 1500; ++i) {
    auto word = fmt::format("w{:04}", i);
    auto at = text.find(word);
    ASSERT_NE(at, std::string::npos) << word;
    ASSERT_EQ(text.find(word, at + 1), std::string::npos) << word << " twice";
  }
  EXPECT_NE(text.find("slot"), std::string::npos);
  EXPECT_NE(text.find("Tweede regel"), std::string::npos);
  EXPECT_EQ(text.find("…"), std::string::npos);
}

}  // namespace
}  // namespace schakel::formats
