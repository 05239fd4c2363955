#include "core/formats/pdf.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>

#include "tests/unit/formats/support.hpp"
#include "tests/unit/formats/ubl_sample.hpp"

/// fontconfig keeps its caches until the process ends; the leak checker of the asan preset reads this.
extern "C" const char* __lsan_default_suppressions() { return "leak:libfontconfig\nleak:libpango"; }

namespace schakel::formats {
namespace {

std::string text_of(const std::string& pdf) {
  schakel::test::TempFolder folder;
  auto file = folder.write("a.pdf", pdf);
  return test::run("pdftotext -layout " + file.string() + " -").output;
}
std::string info_of(const std::string& pdf) {
  schakel::test::TempFolder folder;
  return test::run("pdfinfo " + folder.write("a.pdf", pdf).string()).output;
}
bool have(const char* program) { return test::run(fmt::format("command -v {}", program)).status == 0; }

#define SCHAKEL_RENDER(name, expression)                                                      \
  auto name##_result = expression;                                                            \
  if (!name##_result && name##_result.error().code == "PDF_FONT") GTEST_SKIP() << "no fonts"; \
  ASSERT_TRUE(name##_result) << name##_result.error().message;                                \
  const std::string& name = *name##_result

TEST(Pdf, TheSameInvoiceGivesTheSameBytes) {
  SCHAKEL_RENDER(once, render_invoice_pdf(test::invoice()));
  std::string other;
  std::thread([&] { other = *render_invoice_pdf(test::invoice()); }).join();
  EXPECT_EQ(once, other);
  EXPECT_NE(once, *render_invoice_pdf(test::credit_note()));
}

TEST(Pdf, AccessibleMetadataIsThereAndTheFileIsSound) {
  SCHAKEL_RENDER(pdf, render_invoice_pdf(test::invoice()));
  EXPECT_TRUE(pdf.starts_with("%PDF-1."));
  EXPECT_NE(pdf.find("/Lang (nl-NL)"), std::string::npos);
  if (!have("pdfinfo")) GTEST_SKIP() << "pdfinfo is not installed";
  auto info = info_of(pdf);
  EXPECT_EQ(info.find("rror"), std::string::npos) << info;
  EXPECT_NE(info.find("Title:           Factuur DB-2026-00017"), std::string::npos) << info;
  EXPECT_NE(info.find("Tagged:          yes"), std::string::npos) << info;
  EXPECT_NE(info.find("A4"), std::string::npos) << info;
  EXPECT_NE(info.find("2026"), std::string::npos) << info;
}

TEST(Pdf, EveryAmountAndPartyOfTheUblIsReadable) {
  SCHAKEL_RENDER(pdf, render_invoice_pdf(test::invoice()));
  if (!have("pdftotext")) GTEST_SKIP() << "pdftotext is not installed";
  auto text = text_of(pdf);
  for (auto what :
       {"Factuur", "DB-2026-00017", "12 mei 2026", "11 juni 2026", "OZA-2026-0042", "Gemeente Duinrand",
        "Stichting Samenwerkingsverband Noordkust", "140,58", "0,01", "140,59", "NL13 TEST 0123 4567 89",
        "Niet onderworpen aan btw", "00000001999999990000", "99999901", "Te betalen", "meer <ok> €", "pagina 1 van 1"})
    EXPECT_NE(text.find(what), std::string::npos) << what << "\n" << text;
}

TEST(Pdf, ALongInvoiceHasItsHeadingOnEveryPageAndEveryLineOnce) {
  std::vector<Cents> shares(120);
  for (std::size_t i = 0; i < shares.size(); ++i) shares[i] = Cents{static_cast<std::int64_t>(1'000'000 + i)};
  auto d = test::invoice(shares);
  for (std::size_t i = 0; i < d.lines.size(); ++i) d.lines[i].name = fmt::format("Regelnaam-{:03}-einde", i);
  SCHAKEL_RENDER(pdf, render_invoice_pdf(d));
  if (!have("pdftotext")) GTEST_SKIP() << "pdftotext is not installed";
  auto text = text_of(pdf);
  for (std::size_t i = 0; i < d.lines.size(); ++i) {
    auto first = text.find(d.lines[i].name);
    EXPECT_NE(first, std::string::npos) << i;
    EXPECT_EQ(text.find(d.lines[i].name, first + 1), std::string::npos) << i;
  }
  auto count = [&](std::string_view what) {
    int n = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
    return n;
  };
  auto pages = count("\f");
  EXPECT_GT(pages, 5);
  EXPECT_GE(count("Omschrijving"), pages - 1);
  EXPECT_NE(text.find(fmt::format("pagina {0} van {0}", pages)), std::string::npos);
}

TEST(PdfHostile, TextThatIsNotUtf8OrVeryLongIsRefusedOrBounded) {
  auto d = test::invoice();
  d.lines[0].name = "\xC3\x28";
  EXPECT_EQ(render_invoice_pdf(d).error().code, "PDF_TEXT");
  d.lines[0].name = std::string(20'000, 'W');
  d.lines[0].description = std::string(5'000, '\n') + "x";
  SCHAKEL_RENDER(pdf, render_invoice_pdf(d));
  EXPECT_LT(pdf.size(), 500'000U);
  d.issue_date = {};
  EXPECT_EQ(render_invoice_pdf(d).error().code, "PDF_TEXT");
}

/// Two tables, of which the first is as long as asked.
PdfReport report(int rows) {
  PdfReport d;
  d.title = "Aansluiting facturen oktober 2026";
  d.author = "Schakel";
  d.date = *parse_date("2026-11-03");
  d.footer = "Fictief document";
  d.facts = {{"Maand", "oktober 2026"}, {"Gemaakt op", "3 november 2026"}};
  d.remarks = {"De maand sluit."};
  PdfTable t{"Betaler Çelik-Łoś", {{"Zaak", 2}, {"Bedrag", 1, true}}, {}, {{"Totaal", "1.234,56"}}};
  for (int i = 0; i < rows; ++i) t.rows.push_back({fmt::format("Z-{:04}", i), fmt::format("{},00", i)});
  d.tables = {t, {"Open posten", {{"Wat", 1}, {"Factuur", 1}}, {{"vastgehouden", "F-1"}}, {}}};
  return d;
}

TEST(PdfReport, TheSameReportGivesTheSameBytesWithTitleAndLanguage) {
  SCHAKEL_RENDER(pdf, render_report_pdf(report(3)));
  EXPECT_EQ(pdf, *render_report_pdf(report(3)));
  EXPECT_NE(pdf, *render_report_pdf(report(4)));
  EXPECT_NE(pdf.find("/Lang (nl-NL)"), std::string::npos);
  if (!have("pdfinfo")) GTEST_SKIP() << "pdfinfo is not installed";
  auto info = info_of(pdf);
  EXPECT_EQ(info.find("rror"), std::string::npos) << info;
  EXPECT_NE(info.find("Title:           Aansluiting facturen oktober 2026"), std::string::npos) << info;
  EXPECT_NE(info.find("Tagged:          yes"), std::string::npos) << info;
  EXPECT_NE(info.find("841.89 x 595.28"), std::string::npos) << info;
}

TEST(PdfReport, ATableGoesOnOverPagesWithItsHeadsOnEach) {
  SCHAKEL_RENDER(pdf, render_report_pdf(report(200)));
  if (!have("pdftotext")) GTEST_SKIP() << "pdftotext is not installed";
  auto text = text_of(pdf);
  auto pages = std::ranges::count(text, '\f');
  ASSERT_GE(pages, 5);
  std::string_view rest = text;
  for (auto end = rest.find('\f'); end != std::string_view::npos; end = rest.find('\f')) {
    auto page = rest.substr(0, end);
    EXPECT_EQ(page.find("Z-0") != std::string_view::npos, page.find("Bedrag") != std::string_view::npos) << page;
    rest.remove_prefix(end + 1);
  }
  for (int i = 0; i < 200; ++i) {
    EXPECT_NE(text.find(fmt::format("Z-{:04}", i)), std::string::npos) << i;
    EXPECT_NE(text.find(fmt::format(" {},00\n", i)), std::string::npos) << i;
  }
  for (auto what : {"Çelik-Łoś", "Totaal", "1.234,56", "3 november 2026", "vastgehouden"})
    EXPECT_NE(text.find(what), std::string::npos) << what;
  for (int page = 1; page <= pages; ++page)
    EXPECT_NE(text.find(fmt::format("pagina {} van {}\n", page, pages)), std::string::npos) << page;
}

TEST(PdfReport, AmountsOfAColumnEndAtOneEdge) {
  SCHAKEL_RENDER(pdf, render_report_pdf(report(150)));
  if (!have("pdftotext")) GTEST_SKIP() << "pdftotext is not installed";
  schakel::test::TempFolder folder;
  auto words = test::run("pdftotext -bbox " + folder.write("a.pdf", pdf).string() + " -").output;
  std::set<std::string> edges;
  for (auto at = words.find(",00</word>"); at != std::string::npos; at = words.find(",00</word>", at + 1)) {
    auto x = words.rfind("xMax=\"", at) + 6;
    edges.insert(words.substr(x, words.find('.', x) - x));
  }
  EXPECT_EQ(edges.size(), 1U) << fmt::format("{}", fmt::join(edges, " "));
}

TEST(PdfReport, HostileTextIsRefusedOrBounded) {
  auto d = report(1);
  d.tables[0].rows[0][0] = "\xFF";
  EXPECT_EQ(render_report_pdf(d).error().code, "PDF_TEXT");
  d.tables[0].rows[0] = {"een"};
  EXPECT_EQ(render_report_pdf(d).error().code, "PDF_TEXT") << "a row without a cell for every column";
  d = report(1);
  d.tables[0].rows[0][0] = std::string(20'000, 'W');
  SCHAKEL_RENDER(pdf, render_report_pdf(d));
  EXPECT_LT(pdf.size(), 500'000U);
  d.tables.clear();
  EXPECT_TRUE(render_report_pdf(d));
  d.date = {};
  EXPECT_EQ(render_report_pdf(d).error().code, "PDF_TEXT");
}

}  // namespace
}  // namespace schakel::formats
