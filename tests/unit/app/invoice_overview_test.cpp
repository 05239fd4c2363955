// The books of a month on paper (schakel invoice reconcile --pdf).
#include "core/app/invoice_overview.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/pipeline/reconcile.hpp"
#include "tests/unit/formats/support.hpp"

namespace schakel::app {
namespace {

/// Two payers a case, as the region of a 50/50 split makes them; every tenth case has 21 % VAT passed on.
Json month(int cases, bool open) {
  pipeline::Month m;
  m.month = "2026-10";
  for (int i = 0; i < cases; ++i) {
    auto zaak = fmt::format("Z-VERZONNENZK{:05}", i);
    bool vat = i % 10 == 9;
    for (const char* payer : {"gemeente", "swv"})
      m.rows.push_back({.payer = payer,
                        .party = fmt::format("{}-zandoever", payer),
                        .case_id = zaak,
                        .agreement = fmt::format("{}/1+3", 12 + i),
                        .category = vat ? "S" : "O",
                        .rate = vat ? "21" : "0",
                        .in_net = 123456,
                        .in_vat = vat ? 25926 : 0,
                        .out_net = 123456 - (open && i == 0 ? 1 : 0),
                        .out_vat = vat ? 25926 : 0});
  }
  m.sources = cases, m.documents = 2 * cases;
  for (const auto& r : m.rows)
    m.source_gross += r.in_net + r.in_vat, m.source_vat += r.in_vat, m.shared_gross += r.in_net + r.in_vat;
  m.shared_vat = m.source_vat;
  if (open) {
    m.open.push_back(
        {"HELD", "ZB-2026-0917", "Z-VERZONNENZK00001", "", "PROVIDER_IS_ANOTHER", "", 100001, "2026-11-16"});
    m.open.push_back(
        {"REFUSED", "DB-2026-0001", "Z-VERZONNENZK00002", "swv", "BOUNCE_5.1.1", "A-ABCDEFGHIJKLMNOP", 50000});
    m.refused.push_back({"BLOCKED", "ZB-2026-0918", "Z-VERZONNENZK00003", "", "NOT_ENROLLED_NO_EDU_FUNDING", "", 0});
    m.erased = 3;
  }
  return pipeline::month_view(m);
}

std::string text_of(const std::string& pdf) {
  schakel::test::TempFolder folder;
  return schakel::formats::test::run("pdftotext -layout " + folder.write("a.pdf", pdf).string() + " -").output;
}

TEST(InvoiceOverview, SaysWhatFinanceFiles) {
  auto made = formats::parse_date("2026-11-03");
  auto pdf = month_pdf(month(2, true), made);
  if (!pdf && pdf.error().code == "PDF_FONT") GTEST_SKIP() << "no fonts";
  ASSERT_TRUE(pdf) << pdf.error().message;
  EXPECT_EQ(*pdf, *month_pdf(month(2, true), made));
  EXPECT_NE(*pdf, *month_pdf(month(2, true), formats::parse_date("2026-11-04")));
  EXPECT_NE(pdf->find("/Lang (nl-NL)"), std::string::npos);
  if (schakel::formats::test::run("command -v pdftotext").status != 0) GTEST_SKIP() << "pdftotext is not installed";
  auto text = text_of(*pdf);
  for (auto what : {"Aansluiting facturen oktober 2026",
                    "Gemaakt op",
                    "3 november 2026",
                    "Betaler Gemeente",
                    "Betaler Samenwerkingsverband",
                    "12/1+3",
                    "In netto",
                    "Verschil",
                    "1.234,56",
                    "2.469,12",
                    "4.938,24",
                    "0,01",
                    "0,02",
                    "sluit niet",
                    "Open posten",
                    "vastgehouden",
                    "PROVIDER_IS_ANOTHER",
                    "een andere",
                    "1.000,01",
                    "2026-11-16",
                    "BOUNCE_5.1.1",
                    "1.500,01",
                    "Niet verdeeld",
                    "zonder inschrijving",
                    "3 bronberichten"})
    EXPECT_NE(text.find(what), std::string::npos) << what << "\n" << text;
}

TEST(InvoiceOverview, EveryPartyThatPaysHasItsOwnTable) {
  auto books = month(2, false);
  books["regels"][2]["betalerPartij"] = "gemeente-duinrijk";
  auto pdf = month_pdf(books, std::nullopt);
  if (!pdf && pdf.error().code == "PDF_FONT") GTEST_SKIP() << "no fonts";
  ASSERT_TRUE(pdf) << pdf.error().message;
  if (schakel::formats::test::run("command -v pdftotext").status != 0) GTEST_SKIP() << "pdftotext is not installed";
  auto text = text_of(*pdf);
  for (auto what : {"Betaler Gemeente (gemeente-zandoever), in euro", "Betaler Gemeente (gemeente-duinrijk), in euro",
                    "Betaler Samenwerkingsverband (swv-zandoever), in euro"})
    EXPECT_NE(text.find(what), std::string::npos) << what << "\n" << text;
}

TEST(InvoiceOverview, AMonthThatClosesHasNothingOpenAndNoDayUnlessGiven) {
  auto pdf = month_pdf(month(2, false), std::nullopt);
  if (!pdf && pdf.error().code == "PDF_FONT") GTEST_SKIP() << "no fonts";
  ASSERT_TRUE(pdf) << pdf.error().message;
  EXPECT_EQ(*pdf, *month_pdf(month(2, false), std::nullopt));
  if (schakel::formats::test::run("command -v pdftotext").status != 0) GTEST_SKIP() << "pdftotext is not installed";
  auto text = text_of(*pdf);
  EXPECT_NE(text.find("De maand sluit:"), std::string::npos);
  EXPECT_NE(text.find("Er staat niets open"), std::string::npos);
  for (auto what : {"Gemaakt op", "vastgehouden", "Niet verdeeld", "gewist zijn"})
    EXPECT_EQ(text.find(what), std::string::npos) << what;
  auto empty = month_pdf(month(0, false), std::nullopt);
  ASSERT_TRUE(empty);
  EXPECT_NE(text_of(*empty).find("Alle betalers"), std::string::npos);
}

TEST(InvoiceOverview, TwoHundredCasesAreATableOverPages) {
  auto pdf = month_pdf(month(200, true), formats::parse_date("2026-11-03"));
  if (!pdf && pdf.error().code == "PDF_FONT") GTEST_SKIP() << "no fonts";
  ASSERT_TRUE(pdf) << pdf.error().message;
  if (schakel::formats::test::run("command -v pdftotext").status != 0) GTEST_SKIP() << "pdftotext is not installed";
  auto text = text_of(*pdf);
  auto pages = std::ranges::count(text, '\f');
  EXPECT_GE(pages, 10);
  std::ptrdiff_t heads = 0;
  for (auto at = text.find("In netto"); at != std::string::npos; at = text.find("In netto", at + 1)) ++heads;
  EXPECT_GE(heads, pages - 1) << "the names of the columns stand on each page of a table";
  for (int i : {0, 57, 123, 199}) {
    auto zaak = fmt::format("Z-VERZONNENZK{:05}", i);
    auto first = text.find(zaak);
    ASSERT_NE(first, std::string::npos) << zaak;
    EXPECT_NE(text.find(zaak, first + 1), std::string::npos) << zaak << " of the other payer";
  }
  // 180 x 1.234,56 and 20 x 1.493,82 for each payer.
  for (auto what : {"222.220,80", "24.691,20", "5.185,20", "252.097,20"})
    EXPECT_NE(text.find(what), std::string::npos) << what;
  EXPECT_NE(text.find(fmt::format("pagina {0} van {0}", pages)), std::string::npos);
}

}  // namespace
}  // namespace schakel::app
