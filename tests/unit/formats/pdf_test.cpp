#include "core/formats/pdf.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

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

TEST(PdfText, ADocumentFlowsOverPages) {
  PdfText d;
  d.title = "Ontwikkelingsperspectief (fictief)";
  d.subtitle = "Groeidocument voor het overleg van 12 mei 2026";
  d.date = *parse_date("2026-05-01");
  d.footer = "Fictief document";
  for (int i = 0; i < 40; ++i) {
    d.blocks.push_back({PdfBlock::Kind::heading, fmt::format("Onderdeel {}", i)});
    d.blocks.push_back({PdfBlock::Kind::paragraph,
                        "Çelik-Łoś leest graag. Een alinea die lang genoeg is om over meer dan één regel te lopen, "
                        "zodat het afbreken van regels wordt gezien."});
    d.blocks.push_back({PdfBlock::Kind::bullet, fmt::format("punt-{:02}", i)});
  }
  SCHAKEL_RENDER(pdf, render_text_pdf(d));
  EXPECT_EQ(pdf, *render_text_pdf(d));
  if (!have("pdftotext")) GTEST_SKIP() << "pdftotext is not installed";
  auto text = text_of(pdf);
  for (int i = 0; i < 40; ++i) EXPECT_NE(text.find(fmt::format("punt-{:02}", i)), std::string::npos);
  EXPECT_NE(text.find("Çelik-Łoś"), std::string::npos);
  d.blocks.push_back({PdfBlock::Kind::paragraph, "\xFF"});
  EXPECT_EQ(render_text_pdf(d).error().code, "PDF_TEXT");
}

}  // namespace
}  // namespace schakel::formats
