// Attributes that UBL has not where they stand, and amounts with more behind the point than cents.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>

#include "core/formats/sniff.hpp"
#include "core/formats/ubl.hpp"
#include "core/formats/ubl_codes.hpp"
#include "tests/unit/formats/support.hpp"
#include "tests/unit/formats/ubl_sample.hpp"

namespace schakel::formats {
namespace {

using test::credit_note;
using test::invoice;
using test::with_first;
using Rules = std::set<std::string>;

Rules said(std::string_view xml) {
  Rules out;
  for (const auto& f : check_message(xml, std::nullopt).findings) out.insert(f.rule.empty() ? f.code : f.rule);
  return out;
}

TEST(UblAttributes, WhatUblHasNotIsRefusedWhereverItStands) {
  for (const auto& xml : {*render_ubl(invoice()), *render_ubl(credit_note())}) {
    ASSERT_EQ(said(xml), Rules{});
    for (const char* element : {"<cbc:CustomizationID", "<cbc:ID", "<cbc:IssueDate", "<cac:AccountingSupplierParty",
                                "<cac:Party", "<cbc:CompanyID", "<cbc:TaxAmount", "<cac:LegalMonetaryTotal",
                                "<cbc:PayableAmount", "<cac:Item", "<cbc:Name", "<cac:Price"})
      for (const char* alien :
           {" x=\"1\"", " xml:lang=\"nl\"", " xmlns:q=\"urn:q\" q:schemeID=\"0106\"",
            " xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" i:nil=\"true\"", " mimeCode=\"a/b\""}) {
        auto bad = with_first(xml, element, std::string(element) + alien);
        EXPECT_EQ(said(bad), Rules{"XML_ATTRIBUTE_UNKNOWN"}) << element << alien;
        EXPECT_FALSE(read_ubl(bad).accepted()) << element << alien;
      }
  }
}

TEST(UblAttributes, TheRootHasNoneButWhereItsSchemaIs) {
  auto xml = *render_ubl(invoice());
  auto root = [&](const std::string& attribute) {
    return said(with_first(xml, "<Invoice ", "<Invoice " + attribute + " "));
  };
  EXPECT_EQ(root("version=\"2\""), Rules{"XML_ATTRIBUTE_UNKNOWN"});
  EXPECT_EQ(root("xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" i:schemaLocation=\"urn:a b.xsd\""), Rules{});
}

TEST(UblAttributes, WhatUblHasMayStand) {
  auto xml = *render_ubl(invoice());
  EXPECT_EQ(said(with_first(xml, "<cbc:Name>", "<cbc:Name languageID=\"nl\">")), Rules{});
  EXPECT_EQ(said(with_first(xml, "<cbc:InvoiceTypeCode>", "<cbc:InvoiceTypeCode listID=\"UNCL1001\">")), Rules{});
  EXPECT_EQ(said(with_first(xml, "<cbc:ID>", "<cbc:ID schemeAgencyName=\"x\">")), Rules{});
  // Extensions hold what their makers like.
  const std::string extension = "<e:UBLExtensions xmlns:e=\"" + std::string(kUblExtensions) +
                                "\"><e:UBLExtension><e:ExtensionContent><own xmlns=\"urn:x\" a=\"1\"/>"
                                "</e:ExtensionContent></e:UBLExtension></e:UBLExtensions>";
  EXPECT_FALSE(said(with_first(xml, "<cbc:CustomizationID>", extension + "<cbc:CustomizationID>"))
                   .contains("XML_ATTRIBUTE_UNKNOWN"));
}

TEST(UblAttributes, WhiteSpaceAfterTheDecimalsOfAnAmountIsADecimalTooMany) {
  auto xml = *render_ubl(invoice());
  for (const char* name : {"PayableAmount", "TaxAmount", "LineExtensionAmount", "TaxableAmount"}) {
    auto open = xml.find('<' + ("cbc:" + std::string(name))), begin = xml.find('>', open) + 1,
         end = xml.find('<', begin);
    auto with = [&](const std::string& before, const std::string& after) {
      auto out = xml;
      out.insert(end, after);
      out.insert(begin, before);
      return said(out);
    };
    EXPECT_EQ(with(" ", "\n"), Rules{"UBL-DT-01"}) << name;
    EXPECT_EQ(with("", "  "), Rules{"UBL-DT-01"}) << name;
    EXPECT_EQ(with("\n ", ""), Rules{}) << name;
  }
}

TEST(UblAttributes, AnIbanWithBlanksIsToldAsThat) {
  auto d = invoice();
  d.iban = "NL13 TEST 0123 4567 89";
  auto read = read_ubl(*render_ubl(d));
  ASSERT_EQ(read.findings.size(), 1U);
  EXPECT_EQ(read.findings[0].rule, "SCH-IBAN");
  EXPECT_NE(read.findings[0].message.find("without blanks"), std::string::npos);
}

/// Our terms give every basic component the attributes that the publisher's schema gives it.
TEST(UblShared, TheAttributesAreThoseOfTheSchema) {
  auto folder = test::shared() / "standards/ubl-2.1/xsd/common";
  SCHAKEL_NEED(folder);
  constexpr std::string_view kXs = "http://www.w3.org/2001/XMLSchema";
  std::map<std::string, std::pair<std::string, Rules>> types;  // base, and what is added
  Rules elements;
  std::function<void(const XmlElement&, std::pair<std::string, Rules>&)> look = [&](const XmlElement& e, auto& out) {
    for (XmlElement c : e.children()) {
      if (c.is(kXs, "extension") || c.is(kXs, "restriction")) {
        std::string base(c.attribute("base").value_or(""));
        out.first = base.substr(base.find(':') + 1);
        if (base.starts_with("xsd:")) out.first.clear();
      }
      if (c.is(kXs, "attribute")) out.second.insert(std::string(c.attribute("name").value_or("")));
      look(c, out);
    }
  };
  auto read = [&](const char* file, const std::string& space) {
    auto text = test::slurp(folder / file);
    auto schema = read_xml(text, {.bytes = 16 * 1024 * 1024, .nodes = 1'000'000});
    if (!schema) throw std::runtime_error(file);
    for (XmlElement e : schema->root().children()) {
      std::string name(e.attribute("name").value_or(""));
      if (e.is(kXs, "element") && space == "cbc/") elements.insert(name);
      if (e.is(kXs, "complexType")) look(e, types[space + name]);
    }
  };
  read("UBL-CommonBasicComponents-2.1.xsd", "cbc/");
  read("UBL-UnqualifiedDataTypes-2.1.xsd", "udt/");
  read("CCTS_CCT_SchemaModule-2.1.xsd", "cct/");
  ASSERT_GT(elements.size(), 800U);
  for (const auto& name : elements) {
    const auto& own = types.at("cbc/" + name + "Type");
    Rules wanted = own.second;
    // A qualified code has those of the unqualified one.
    auto udt = types.find("udt/" + own.first);
    if (udt == types.end()) udt = types.find("udt/CodeType");
    wanted.insert(udt->second.second.begin(), udt->second.second.end());
    if (auto cct = types.find("cct/" + udt->second.first); cct != types.end())
      wanted.insert(cct->second.second.begin(), cct->second.second.end());
    auto ours = ubl_attributes(kCbc, name);
    EXPECT_EQ(Rules(ours.begin(), ours.end()), wanted) << name;
  }
  EXPECT_TRUE(ubl_attributes(kCac, "ID").empty());
}

}  // namespace
}  // namespace schakel::formats
