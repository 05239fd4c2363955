#include "core/formats/ubl.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <set>

#include "tests/unit/formats/support.hpp"
#include "tests/unit/formats/ubl_sample.hpp"

namespace schakel::formats {
namespace {

using test::credit_note;
using test::exempt;
using test::invoice;
using test::peppol;
using test::taxed;
using test::with;
using test::with_first;
using test::with_pdf;
using Ids = std::set<std::string>;

Ids ids(const std::vector<Finding>& findings) {
  Ids out;
  for (const auto& f : findings) out.insert(f.rule.empty() ? f.code : f.rule);
  return out;
}
Ids ids(std::string_view xml) { return ids(read_ubl(xml).findings); }

/// Every kind of document that we write.
std::vector<std::pair<std::string, UblDocument>> written() {
  auto by_mail = invoice();
  by_mail.customer.endpoint = {"EM", "oza@swv-noordkust.example"};
  auto board = invoice();
  board.supplier.endpoint = board.supplier.legal_id = {"0106", "99999902"};
  auto minimal = invoice();
  minimal.notes.clear(), minimal.period.reset(), minimal.supplier.phone.clear(), minimal.supplier.contact.clear(),
      minimal.supplier.mail.clear();
  minimal.supplier.endpoint = minimal.customer.endpoint = {};
  for (auto& l : minimal.lines) l.description.clear(), l.seller_item.clear(), l.properties.clear(), l.period.reset();
  auto corrective = invoice({Cents{-2501}});
  corrective.type_code = "384", corrective.billing_references = {"DB-2026-00016"}, corrective.payment_means.clear(),
  corrective.payment_id.clear(), corrective.iban.clear();
  corrective.lines[0].quantity = UblDecimal::of(-1), corrective.lines[0].price = UblDecimal::of(Cents{2501});
  std::vector<Cents> many(12);  // the public checker is quadratic in lines
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = Cents{static_cast<std::int64_t>(i * i * 7 % 9973)};
  return {{"invoice", invoice()},     {"exempt", exempt()},   {"taxed", taxed()}, {"credit", credit_note()},
          {"pdf", with_pdf()},        {"mail", by_mail},      {"board", board},   {"minimal", minimal},
          {"corrective", corrective}, {"many", invoice(many)}};
}

TEST(Ubl, WhatIsWrittenReadsBackTheSameAndIsAccepted) {
  auto all = written();
  all.emplace_back("peppol", peppol());
  for (const auto& [name, d] : all) {
    auto xml = write_ubl(d);
    ASSERT_TRUE(xml) << name << ::testing::PrintToString(ids(xml.error().findings));
    auto r = read_ubl(*xml);
    ASSERT_TRUE(r.accepted()) << name << ::testing::PrintToString(ids(r.findings));
    EXPECT_EQ(*r.document, d) << name;
    EXPECT_TRUE(r.warnings.empty()) << name;
    EXPECT_EQ(*write_ubl(*r.document), *xml) << name;
  }
}

TEST(Ubl, SharesOfTheSplitAddUpOnTheInvoice) {
  std::array lines{Cents{28117}, Cents{1}};
  auto d = invoice(swv_half_of_lines(lines));
  EXPECT_EQ(d.payable, Cents{14059});
  EXPECT_EQ(split_50_50(Cents{28118}).swv, d.payable);
  EXPECT_TRUE(check_ubl(d).empty());
}

struct Breaks {
  const char* rule;
  std::function<void(UblDocument&)> change;
  bool theirs = true;  ///< the public rules name it as well
};
std::vector<Breaks> breaks() {
  return {
      {"PROFILE", [](auto& d) { d.customization = "urn:x"; }},
      {"BR-NL-7", [](auto& d) { d.type_code = "326"; }},
      {"BR-NL-8", [](auto& d) { d.type_code = "381"; }},
      {"BR-NL-9", [](auto& d) { d.type_code = "384"; }},
      {"BR-NL-2", [](auto& d) { d.buyer_reference.clear(); }},
      {"BR-NL-1", [](auto& d) { d.supplier.legal_id = {"9944", "NL123456789B01"}; }},
      {"BR-NL-10", [](auto& d) { d.customer.legal_id.value.clear(); }},
      {"BR-NL-3", [](auto& d) { d.supplier.zip.clear(); }},
      {"BR-NL-4", [](auto& d) { d.customer.street.clear(); }},
      {"BR-NL-11", [](auto& d) { d.payment_means.clear(), d.iban.clear(); }},
      {"BR-NL-12", [](auto& d) { d.payment_means = "1"; }},
      {"BR-61", [](auto& d) { d.iban.clear(); }},
      {"BR-CO-10", [](auto& d) { d.line_total += Cents{1}; }},
      {"BR-CO-13", [](auto& d) { d.tax_exclusive += Cents{1}; }},
      {"BR-CO-14", [](auto& d) { d.tax_total = Cents{1}; }},
      {"BR-CO-15", [](auto& d) { d.tax_inclusive += Cents{1}; }},
      {"BR-CO-16", [](auto& d) { d.payable -= Cents{1}; }},
      {"BR-CO-11", [](auto& d) { d.allowance_total = Cents{1}; }},
      {"BR-27", [](auto& d) { d.lines[0].price.units = -14058, d.lines[0].quantity = UblDecimal::of(-1); }},
      {"BR-29", [](auto& d) { d.period->end = *parse_date("2026-03-01"); }},
      {"BR-O-02", [](auto& d) { d.supplier.vat_number = "NL123456789B01"; }},
      {"BR-O-05", [](auto& d) { d.lines[0].percent = UblDecimal::of(0); }},
      {"BR-O-08", [](auto& d) { d.taxes[0].taxable += Cents{1}; }},
      {"BR-O-10", [](auto& d) { d.taxes[0].reason.clear(); }},
      {"BR-O-12", [](auto& d) { d.lines[0].category = "E", d.lines[0].percent = UblDecimal::of(0); }},
      {"BR-25", [](auto& d) { d.lines[1].name = " "; }},
      {"BR-CL-24", [](auto& d) { d = with_pdf(), d.attachments[0].mime = "application/xml"; }},
      {"BR-E-02", [](auto& d) { d = exempt(), d.supplier.vat_number.clear(); }},
      {"BR-E-05", [](auto& d) { d = exempt(), d.lines[0].percent = UblDecimal::of(21); }},
      {"BR-E-10", [](auto& d) { d = exempt(), d.taxes[0].reason.clear(); }},
      {"BR-S-09",
       [](auto& d) {
         d = taxed(), d.taxes[0].tax = d.tax_total = Cents{1900}, d.tax_inclusive = d.payable = Cents{11900};
       }},
      // What no public rule sees; BR-CO-25 left EN 16931 with 1.3.16 and is still in NLCIUS.
      {"BR-CO-25", [](auto& d) { d.due_date.reset(), d.payment_terms.clear(); }, false},
      {"SCH-IBAN", [](auto& d) { d.iban = "NL13TEST0123456788"; }, false},
      {"SCH-KVK", [](auto& d) { d.customer.legal_id.value = "9999990"; }, false},
      {"SCH-OIN", [](auto& d) { d.supplier.legal_id.value = "00000000000000000000"; }, false},
      {"SCH-LINE", [](auto& d) { d.lines[0].price.units += 3; }, false},
      {"SCH-CREDIT",
       [](auto& d) {
         d = credit_note();
         d.lines[0].net = Cents{-2501}, d.lines[0].quantity = UblDecimal::of(-1);
         complete_totals(d, "x");
       },
       false},
      {"NL-R-001", [](auto& d) { d = credit_note(), d.billing_references.clear(); }, false},
  };
}

std::string broken(const Breaks& b) {
  auto d = invoice();
  b.change(d);
  return *render_ubl(d);
}

TEST(Ubl, EveryBrokenRuleIsNamedAndNeverWritten) {
  for (const auto& b : breaks()) {
    auto d = invoice();
    b.change(d);
    auto written = write_ubl(d);
    ASSERT_FALSE(written) << b.rule;
    EXPECT_EQ(written.error().code, "UBL_INVALID");
    EXPECT_TRUE(ids(broken(b)).contains(b.rule)) << b.rule << ::testing::PrintToString(ids(broken(b)));
  }
}

TEST(Ubl, PeppolIsStricterOnThreePoints) {
  auto d = peppol();
  d.supplier.endpoint = {};
  d.profile.clear();
  d.type_code = "389";
  EXPECT_EQ(ids(check_ubl(d)), (Ids{"PEPPOL-EN16931-R020", "PEPPOL-EN16931-R001", "PEPPOL-EN16931-P0100"}));
}

TEST(UblInbound, AnyPrefixIsRead) {
  auto xml = *write_ubl(invoice());
  auto other = with(with(with(xml, "cac:", "aggregaat:"), "xmlns:cac", "xmlns:aggregaat"), "cbc:", "b:");
  other = with(with(with(with(other, "xmlns:cbc", "xmlns:b"), "<Invoice", "<u:Invoice"), "</Invoice", "</u:Invoice"),
               "xmlns=", "xmlns:u=");
  auto r = read_ubl(other);
  ASSERT_TRUE(r.accepted()) << ::testing::PrintToString(ids(r.findings));
  EXPECT_EQ(*r.document, invoice());
}

TEST(UblInbound, WhatWeDoNotReadIsPassedOverAndSaid) {
  auto xml = with_first(
      *write_ubl(invoice()), "<cac:PaymentMeans>",
      "<cac:Delivery><cbc:ActualDeliveryDate>2026-04-30</cbc:ActualDeliveryDate></cac:Delivery><cac:PaymentMeans>");
  auto r = read_ubl(xml);
  EXPECT_TRUE(r.accepted());
  ASSERT_EQ(r.warnings.size(), 1U);
  EXPECT_EQ(r.warnings[0].code, "UBL_NOT_READ");
}

TEST(UblInbound, AnEmptyElementIsRefusedAlsoWhereWeDoNotRead) {
  auto xml = *write_ubl(invoice());
  EXPECT_EQ(ids(with_first(xml, "<cac:PaymentMeans>",
                           "<cac:Delivery><cbc:ActualDeliveryDate/></cac:Delivery><cac:PaymentMeans>")),
            (Ids{"SI-UBL-2"}));
  EXPECT_EQ(ids(with_first(xml, "<cbc:BuyerReference>OZA-2026-0042<", "<cbc:BuyerReference> <")).size(), 1U);
}

TEST(UblInbound, AllowancesAndChargesStayInTheTotals) {
  auto d = taxed();
  d.allowances = {{false, Cents{1000}, "Korting", "S", UblDecimal::of(21)},
                  {true, Cents{500}, "Toeslag", "S", UblDecimal::of(21)}};
  d.allowance_total = Cents{1000}, d.charge_total = Cents{500};
  d.tax_exclusive = d.taxes[0].taxable = Cents{9500};
  d.taxes[0].tax = d.tax_total = Cents{1995};
  d.tax_inclusive = Cents{11495}, d.prepaid = Cents{495}, d.payable = Cents{11000};
  d.lines[0].quantity = *UblDecimal::parse("2.5"), d.lines[0].price = *UblDecimal::parse("41.2345"),
  d.lines[0].adjustments = Cents{-309};
  auto r = read_ubl(*write_ubl(d));
  ASSERT_TRUE(r.accepted()) << ::testing::PrintToString(ids(r.findings));
  EXPECT_EQ(*r.document, d);
}

TEST(UblHostile, WrongBytesOrderAndValuesAreRefusedWithTheirReason) {
  auto xml = *write_ubl(invoice());
  EXPECT_EQ(ids(with_first(xml, "?>", "?><!DOCTYPE Invoice [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>")),
            (Ids{"XML_DTD"}));
  EXPECT_EQ(ids(with(xml, "Invoice-2", "Order-2")), (Ids{"XML_ROOT"}));
  EXPECT_EQ(ids(with_first(xml, "xmlns:cbc=", "xmlns:cbd=")), (Ids{"XML_NAMESPACE"}));
  EXPECT_EQ(ids(with_first(xml, "<cbc:ID>DB-2026-00017</cbc:ID>", "")), (Ids{"BR-02"}));
  EXPECT_EQ(ids(with_first(xml, "<cbc:ID>DB-2026-00017</cbc:ID>", "<cbc:ID> </cbc:ID>")), (Ids{"BR-02"}));
  EXPECT_EQ(ids(with(xml, "currencyID=\"EUR\"", "")).contains("BR-12"), true);
  EXPECT_FALSE(read_ubl(with(xml, "EUR", "USD")).accepted());
  EXPECT_EQ(ids(with_first(xml, ">140.58<", ">140.580<")), (Ids{"BR-DEC-23", "BR-CO-10", "BR-O-08", "SCH-LINE"}));
  EXPECT_EQ(ids(with_first(xml, "<cbc:IssueDate>2026-05-12<", "<cbc:IssueDate>2026-02-30<")), (Ids{"BR-03"}));
  auto date = "<cbc:IssueDate>2026-05-12</cbc:IssueDate>";
  EXPECT_EQ(
      read_ubl(with_first(with_first(xml, date, ""), "<cac:InvoicePeriod>", std::string(date) + "<cac:InvoicePeriod>"))
          .findings.at(0)
          .code,
      "XML_ELEMENT_ORDER");
  EXPECT_EQ(read_ubl(with_first(xml, date, std::string(date) + date)).findings.at(0).code, "XML_ELEMENT_REPEATED");
  EXPECT_FALSE(read_ubl(with(xml, ">140.58<", ">9999999999999999.58<")).accepted());
  EXPECT_FALSE(read_ubl(with_first(*write_ubl(with_pdf()), "JVBERi", "JVB ERi*")).accepted());
  EXPECT_FALSE(read_ubl("").accepted());
  auto text = invoice();
  text.lines[0].name = "a\x01b";
  EXPECT_EQ(write_ubl(text).error().code, "XML_CHARACTER");
}

TEST(UblDecimal, KeepsWhatWasWritten) {
  for (auto t : {"1", "0.5", "-2.50", "1.0000", "41.2345", "999999999999999"})
    EXPECT_EQ(UblDecimal::parse(t)->text(), t);
  EXPECT_EQ(UblDecimal::parse(".5")->text(), "0.5");
  for (auto t : {"", ".", "-", "1e3", "1,5", "1234567890123456", "0.123456789", "--1", " 1"})
    EXPECT_FALSE(UblDecimal::parse(t)) << t;
  EXPECT_TRUE(UblDecimal::parse("21")->equals(*UblDecimal::parse("21.00")));
  EXPECT_FALSE(UblDecimal::parse("21")->equals(*UblDecimal::parse("21.01")));
}

TEST(UblShared, NativeOrderAndOfficialSchemaAgreeOnWhatWeWrite) {
  auto folder = test::shared() / "standards/ubl-2.1/xsd/maindoc";
  SCHAKEL_NEED(folder);
  auto xsd_invoice = XsdSchema::load((folder / "UBL-Invoice-2.1.xsd").string()),
       xsd_credit = XsdSchema::load((folder / "UBL-CreditNote-2.1.xsd").string());
  ASSERT_TRUE(xsd_invoice && xsd_credit);
  for (const auto& [name, d] : written()) {
    auto findings = (d.credit_note ? *xsd_credit : *xsd_invoice).check(*write_ubl(d));
    ASSERT_TRUE(findings) << name;
    EXPECT_TRUE(findings->empty()) << name << (findings->empty() ? "" : (*findings)[0].pointer);
  }
  // Each element moved to the end of its parent: wherever the schema objects, so do we.
  auto xml = *render_ubl(invoice({Cents{14058}}));
  std::vector<std::string> lines;
  std::istringstream in(xml);
  for (std::string l; std::getline(in, l);) lines.push_back(l);
  int compared = 0;
  for (std::size_t i = 2; i + 1 < lines.size(); ++i) {
    bool leaf = lines[i].find("</") != std::string::npos && lines[i].find('<') != lines[i].rfind("</");
    bool leaf_next = lines[i + 1].find("</") != std::string::npos && lines[i + 1].find('<') != lines[i + 1].rfind("</");
    if (!leaf || !leaf_next) continue;
    auto swapped = lines;
    std::swap(swapped[i], swapped[i + 1]);
    std::string text;
    for (const auto& l : swapped) text += l + "\n";
    auto theirs = xsd_invoice->check(text);
    ASSERT_TRUE(theirs);
    auto document = read_xml(text);
    EXPECT_EQ(theirs->empty(), check_table(document->root(), ubl_invoice_table()).empty()) << lines[i];
    ++compared;
  }
  EXPECT_GT(compared, 20);
}

/// The public Schematron rules take seconds a file, so they judge everything in the slow run (SCHAKEL_SLOW_TESTS=1) and
/// three documents in the ordinary one.
class UblPublicRules : public ::testing::Test {
 protected:
  static bool slow() { return std::getenv("SCHAKEL_SLOW_TESTS") != nullptr; }
  static test::Ran check(const std::filesystem::path& folder, const std::string& options = "") {
    return test::run(fmt::format("timeout {} {} {} {}/*.xml", slow() ? 1500 : 60,
                                 (test::shared() / "tools/check-invoice").string(), options, folder.string()));
  }
  /// 2 and the codes of `timeout` and `env` mean that nothing was judged.
  static bool judged(const test::Ran& ran) {
    return ran.status == 0 || (ran.status == 1 && ran.output.find(" passed, ") != std::string::npos);
  }
};

TEST_F(UblPublicRules, EveryDocumentWrittenPasses) {
  SCHAKEL_NEED(test::shared() / "tools/check-invoice");
  schakel::test::TempFolder folder;
  for (const auto& [name, d] : written())
    if (slow() || name == "invoice" || name == "credit" || name == "exempt") folder.write(name + ".xml", *write_ubl(d));
  auto ran = check(folder.path());
  if (!judged(ran)) GTEST_SKIP() << "check-invoice cannot run here: " << ran.status << ran.output.substr(0, 300);
  EXPECT_EQ(ran.status, 0) << ran.output;
  if (!slow()) return;
  schakel::test::TempFolder european;
  european.write("peppol.xml", *write_ubl(peppol()));
  EXPECT_EQ(check(european.path(), "--profile en16931").status, 0);
}

TEST_F(UblPublicRules, TheyNameTheSameRuleOnEveryBrokenDocument) {
  SCHAKEL_NEED(test::shared() / "tools/check-invoice");
  if (!slow()) GTEST_SKIP() << "takes minutes: set SCHAKEL_SLOW_TESTS=1";
  schakel::test::TempFolder folder;
  for (const auto& b : breaks())
    if (b.theirs) folder.write(fmt::format("{}.xml", b.rule), broken(b));
  auto ran = check(folder.path());
  if (!judged(ran)) GTEST_SKIP() << "check-invoice cannot run here: " << ran.status << ran.output.substr(0, 300);
  for (const auto& b : breaks())
    if (b.theirs)
      EXPECT_NE(ran.output.find(fmt::format("{0}.xml\t{0}", b.rule)), std::string::npos) << b.rule << "\n"
                                                                                         << ran.output;
}

TEST(UblShared, SamplesBehaveAsNamed) {
  auto folder = test::shared() / "standards/nlcius/samples";
  SCHAKEL_NEED(folder);
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    auto name = entry.path().stem().string();
    auto r = read_ubl(test::slurp(entry.path()));
    auto mark = name.find("__");
    if (mark == std::string::npos)
      EXPECT_TRUE(r.accepted()) << name << ::testing::PrintToString(ids(r.findings));
    else
      EXPECT_TRUE(ids(r.findings).contains(name.substr(mark + 2))) << name << ::testing::PrintToString(ids(r.findings));
  }
}

}  // namespace
}  // namespace schakel::formats
