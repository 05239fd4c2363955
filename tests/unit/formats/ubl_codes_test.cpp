// Code lists, VAT rules per category, and which rules hold for which CustomizationID.
#include "core/formats/ubl_codes.hpp"

#include <gtest/gtest.h>

#include <set>

#include "core/formats/ubl.hpp"
#include "tests/unit/formats/support.hpp"
#include "tests/unit/formats/ubl_sample.hpp"

namespace schakel::formats {
namespace {

using test::credit_note;
using test::invoice;
using test::with;
using test::with_first;
using Rules = std::set<std::string>;

Rules rules_of(std::string_view xml) {
  Rules out;
  for (const auto& f : read_ubl(xml).findings) out.insert(f.rule.empty() ? f.code : f.rule);
  return out;
}
Rules rules_of(const UblDocument& d) { return rules_of(*render_ubl(d)); }

/// Two lines of 25.01 and 120.00 in these categories, a breakdown each as given.
struct Vat {
  std::string category;
  std::optional<int> percent;
};
UblDocument two(Vat a, Vat b, std::vector<UblTax> taxes) {
  auto d = invoice({Cents{2501}, Cents{12000}});
  d.supplier.vat_number = "NL123456789B01";
  for (auto [i, v] : {std::pair{0U, a}, {1U, b}}) {
    d.lines[i].category = v.category;
    d.lines[i].percent = v.percent ? std::optional(UblDecimal::of(*v.percent)) : std::nullopt;
  }
  complete_totals(d, "x");
  d.taxes = std::move(taxes);
  d.tax_total = {};
  for (const auto& t : d.taxes) d.tax_total += t.tax;
  d.tax_inclusive = d.payable = d.tax_exclusive + d.tax_total;
  return d;
}
UblTax tax(std::string category, std::optional<int> percent, std::int64_t taxable, std::int64_t vat,
           std::string reason = "") {
  UblTax t;
  t.category = std::move(category);
  if (percent) t.percent = UblDecimal::of(*percent);
  t.taxable = Cents{taxable}, t.tax = Cents{vat};
  t.reason = std::move(reason);
  return t;
}

TEST(UblVat, SoundBreakdownsOfEveryCarriedCategoryAreTaken) {
  EXPECT_EQ(rules_of(two({"S", 21}, {"S", 9}, {tax("S", 21, 2501, 525), tax("S", 9, 12000, 1080)})), Rules{});
  EXPECT_EQ(rules_of(two({"Z", 0}, {"S", 9}, {tax("Z", 0, 2501, 0), tax("S", 9, 12000, 1080)})), Rules{});
  EXPECT_EQ(rules_of(two({"E", 0}, {"S", 9}, {tax("E", 0, 2501, 0, "vrij"), tax("S", 9, 12000, 1080)})), Rules{});
}

TEST(UblVat, EachCategoryAndRateHasOneBreakdown) {
  EXPECT_EQ(rules_of(two({"S", 21}, {"S", 9}, {tax("S", 21, 2501, 525)})), Rules{"BR-S-01"});
  EXPECT_TRUE(
      rules_of(two({"S", 21}, {"S", 21}, {tax("S", 21, 14501, 3045), tax("S", 21, 14501, 3045)})).contains("BR-S-01"));
  EXPECT_EQ(rules_of(two({"E", 0}, {"E", 0}, {tax("E", 0, 14501, 0, "a"), tax("E", 0, 14501, 0, "b")})),
            Rules{"BR-E-01"});
  EXPECT_EQ(rules_of(two({"Z", 0}, {"S", 9}, {tax("S", 9, 12000, 1080)})), Rules{"BR-Z-01"});
  auto o = invoice();
  o.taxes.push_back(o.taxes[0]);
  EXPECT_EQ(rules_of(o), Rules{"BR-O-01"});
}

TEST(UblVat, WhatACategoryForbidsIsNamed) {
  EXPECT_EQ(rules_of(two({"Z", 0}, {"Z", 0}, {tax("Z", 0, 14501, 9900)})), Rules{"BR-Z-09"});
  EXPECT_EQ(rules_of(two({"Z", 0}, {"S", 9}, {tax("Z", 0, 100, 0), tax("S", 9, 12000, 1080)})), Rules{"BR-Z-08"});
  EXPECT_EQ(rules_of(two({"Z", 0}, {"Z", 0}, {tax("Z", 0, 14501, 0, "nul")})), Rules{"BR-Z-10"});
  EXPECT_EQ(rules_of(two({"Z", 9}, {"Z", 0}, {tax("Z", 0, 14501, 0)})), Rules{"BR-Z-05"});
  EXPECT_EQ(rules_of(two({"E", 0}, {"E", 0}, {tax("E", 9, 14501, 0, "vrij")})), Rules{"BR-CO-17"});
  EXPECT_EQ(rules_of(two({"S", 21}, {"S", 21}, {tax("S", 21, 14501, 3045, "waarom")})), Rules{"BR-S-10"});
  EXPECT_EQ(rules_of(two({"S", 21}, {"S", 21}, {tax("S", 21, 14501, -3045)})), Rules{"BR-S-09"});
  auto nobody = two({"Z", 0}, {"Z", 0}, {tax("Z", 0, 14501, 0)});
  nobody.supplier.vat_number.clear();
  EXPECT_EQ(rules_of(nobody), Rules{"BR-Z-02"});
  auto reduced = two({"S", 21}, {"S", 21}, {tax("S", 21, 14401, 3024)});
  reduced.allowances = {{false, Cents{100}, "Korting", "S", UblDecimal::of(0)}};
  reduced.allowance_total = Cents{100}, reduced.tax_exclusive = Cents{14401};
  reduced.tax_inclusive = reduced.payable = Cents{17425};
  EXPECT_TRUE(rules_of(reduced).contains("BR-S-06"));
  reduced.allowances[0].percent = UblDecimal::of(21);
  EXPECT_EQ(rules_of(reduced), Rules{});
}

TEST(UblVat, CategoriesThatAreNotCarriedAreRefusedByARuleOfOurs) {
  for (const char* category : {"AE", "G", "K", "L", "M", "B"})
    EXPECT_EQ(rules_of(two({category, 0}, {category, 0}, {tax(category, 0, 14501, 0, "verlegd")})),
              Rules{"SCH-CATEGORY"})
        << category;
  EXPECT_TRUE(rules_of(two({"Q", 0}, {"S", 9}, {tax("S", 9, 12000, 1080)})).contains("BR-CL-18"));
  EXPECT_TRUE(rules_of(two({"S", 9}, {"S", 9}, {tax("Q", 9, 14501, 1305)})).contains("BR-CL-17"));
}

TEST(UblCodes, EachListKnowsItsOwnAndNothingElse) {
  const std::pair<CodeList, std::pair<std::vector<const char*>, std::vector<const char*>>> all[] = {
      {CodeList::country, {{"NL", "BE", "1A", "ZW"}, {"XX", "nl", "N", "NLD", "NL BE", ""}}},
      {CodeList::currency, {{"EUR", "USD", "AED", "ZWG"}, {"EURO", "QQQ", "eur", ""}}},
      {CodeList::unit, {{"C62", "HUR", "MIN", "DAY", "MON", "10", "XZZ"}, {"QQQ", "UUR", "c62", "1", "10 11", ""}}},
      {CodeList::endpoint, {{"0106", "0190", "EM", "9944"}, {"0001", "106", ""}}},
      {CodeList::payment_means, {{"1", "30", "58", "ZZZ"}, {"0", "100", ""}}},
      {CodeList::exemption, {{"VATEX-EU-O", "VATEX-EU-132"}, {"VATEX", "VATEX-EU-O-", ""}}},
      {CodeList::vat_category, {{"O", "E", "AE", "B"}, {"Q", "OE", "o", ""}}},
  };
  for (const auto& [list, codes] : all) {
    for (const char* in : codes.first) EXPECT_TRUE(in_code_list(list, in)) << in;
    for (const char* out : codes.second) EXPECT_FALSE(in_code_list(list, out)) << out;
  }
  EXPECT_FALSE(in_code_list(CodeList::unit, std::string(5000, 'A')));
}

TEST(UblCodes, ACodeInNoListIsNamedOnceWithItsPlace) {
  auto xml = *write_ubl(invoice());
  EXPECT_EQ(rules_of(with_first(xml, "unitCode=\"C62\"", "unitCode=\"QQQ\"")), Rules{"BR-CL-23"});
  auto country = read_ubl(with_first(xml, "IdentificationCode>NL<", "IdentificationCode>XX<"));
  ASSERT_EQ(country.findings.size(), 1U);
  EXPECT_EQ(country.findings[0].rule, "BR-CL-14");
  EXPECT_NE(country.findings[0].pointer.find("AccountingSupplierParty"), std::string::npos);
  EXPECT_EQ(rules_of(with_first(xml, "schemeID=\"0190\"", "schemeID=\"0001\"")), Rules{"BR-CL-25"});
  EXPECT_TRUE(rules_of(with_first(xml, "PaymentMeansCode>30<", "PaymentMeansCode>999<")).contains("BR-CL-16"));
  EXPECT_EQ(rules_of(with_first(xml, "<cbc:TaxExemptionReason>",
                                "<cbc:TaxExemptionReasonCode>QQ</cbc:TaxExemptionReasonCode><cbc:TaxExemptionReason>")),
            Rules{"BR-CL-22"});
  EXPECT_EQ(rules_of(with_first(xml, "<cbc:Note>", "<cbc:Note>#QQQ#")), Rules{"BR-CL-08"});
  EXPECT_EQ(rules_of(with_first(xml, "<cbc:Note>", "<cbc:Note>#AAI#")), Rules{});
}

TEST(UblCodes, GroupsThatAreNotReadAreHeldToTheirRules) {
  auto xml = *write_ubl(invoice());
  auto before_means = [&](const char* group) {
    return rules_of(with_first(xml, "<cac:PaymentMeans>", std::string(group) + "<cac:PaymentMeans>"));
  };
  EXPECT_EQ(before_means("<cac:PayeeParty><cac:PartyLegalEntity><cbc:CompanyID>1</cbc:CompanyID>"
                         "</cac:PartyLegalEntity></cac:PayeeParty>"),
            Rules{"BR-17"});
  EXPECT_EQ(before_means("<cac:PayeeParty><cac:PartyName><cbc:Name>Factor BV</cbc:Name></cac:PartyName>"
                         "</cac:PayeeParty>"),
            Rules{});
  EXPECT_EQ(before_means("<cac:TaxRepresentativeParty><cac:PartyName><cbc:Name>X</cbc:Name></cac:PartyName>"
                         "</cac:TaxRepresentativeParty>"),
            (Rules{"BR-19", "BR-20", "BR-56", "BR-NL-5", "BR-O-02"}));
  EXPECT_EQ(before_means("<cac:Delivery><cac:DeliveryLocation><cac:Address><cbc:CityName>X</cbc:CityName>"
                         "</cac:Address></cac:DeliveryLocation></cac:Delivery>"),
            Rules{"BR-57"});
  // A second means of payment is not read, and still may not lie.
  EXPECT_EQ(rules_of(with_first(xml, "</cac:PaymentMeans>",
                                "</cac:PaymentMeans><cac:PaymentMeans><cbc:PaymentMeansCode>58</cbc:PaymentMeansCode>"
                                "</cac:PaymentMeans>")),
            Rules{"BR-61"});
  EXPECT_EQ(rules_of(with_first(xml, "<cac:LegalMonetaryTotal>",
                                "<cac:TaxTotal><cbc:TaxAmount currencyID=\"EUR\">0.00</cbc:TaxAmount></cac:TaxTotal>"
                                "<cac:LegalMonetaryTotal>")),
            Rules{"BR-CO-15"});
}

TEST(UblPlain, EuropeanInvoicesAreTakenAndTheDutchRulesAreNotTheirs) {
  auto d = invoice();
  d.customization = kEn16931;
  d.buyer_reference.clear(), d.profile.clear(), d.due_date.reset(), d.payment_terms.clear();
  d.supplier.zip.clear(), d.customer.street.clear(), d.customer.legal_id = {};
  EXPECT_EQ(rules_of(d), Rules{});
  auto written = write_ubl(d);
  ASSERT_TRUE(written);
  EXPECT_EQ(read_ubl(*written).document->customization, kEn16931);
  // The same as NLCIUS breaks them.
  d.customization = kNlcius;
  EXPECT_EQ(rules_of(d), (Rules{"BR-NL-2", "BR-NL-3", "BR-NL-4", "BR-NL-10", "BR-CO-25"}));
  // What is European holds for both.
  d.customization = kEn16931;
  d.line_total += Cents{1};
  EXPECT_TRUE(rules_of(d).contains("BR-CO-10"));
  auto credit = credit_note();
  credit.customization = kEn16931;
  EXPECT_EQ(rules_of(credit), Rules{});
  credit.billing_references.clear();
  EXPECT_EQ(rules_of(credit), Rules{"SCH-REFERENCE"});
  auto partial = invoice();
  partial.customization = kEn16931, partial.type_code = "326";
  EXPECT_EQ(rules_of(partial), Rules{"SCH-TYPE"});
  partial.customization = "urn:cen.eu:en16931:2017#conformant#urn:else";
  EXPECT_TRUE(rules_of(partial).contains("PROFILE"));
}

TEST(UblLine, QuantityTimesPriceIsJudgedInWholeNumbers) {
  auto judged = [](const char* quantity, const char* price, const char* base, std::int64_t net) {
    auto d = invoice({Cents{net}});
    d.lines[0].quantity = *UblDecimal::parse(quantity), d.lines[0].price = *UblDecimal::parse(price);
    if (*base != '\0') d.lines[0].base_quantity = *UblDecimal::parse(base);
    return rules_of(d);
  };
  EXPECT_EQ(judged("3", "33.33", "", 10001), Rules{});  // two cents off
  EXPECT_EQ(judged("3", "33.33", "", 10002), Rules{"SCH-LINE"});
  EXPECT_EQ(judged("3", "33.33", "", 9997), Rules{});
  EXPECT_EQ(judged("3", "33.33", "", 9996), Rules{"SCH-LINE"});
  EXPECT_EQ(judged("1", "100.00", "1000.00", 10), Rules{});
  EXPECT_EQ(judged("12.5", "8.00000000", "0.5", 20000), Rules{});
  // More than 128 bits hold: refused, not wrapped round.
  EXPECT_EQ(judged("9999999.99999999", "9999999.99999999", "9999999.99999999", 10), Rules{"SCH-LINE"});
}

}  // namespace
}  // namespace schakel::formats
