// What may not come in though it is well formed: how it is to be paid, when, by whom, and elements that UBL has not.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>

#include "core/formats/ijw.hpp"
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
using CarriedRules = std::set<std::string>;

CarriedRules refused(const UblDocument& d, std::optional<Date> today = std::nullopt) {
  CarriedRules out;
  for (const auto& f : check_carried(d, today)) out.insert(f.rule);
  return out;
}
/// Rules, and codes of what has none, that `message check` tells.
CarriedRules told(std::string_view xml, std::optional<Date> today = std::nullopt) {
  CarriedRules out;
  for (const auto& f : check_message(xml, today).findings) out.insert(f.rule.empty() ? f.code : f.rule);
  return out;
}

TEST(UblCarried, OnlyWhatIsToBePaidByTransferToOneIbanIsPassedOn) {
  auto paid_by = [](const char* code, const char* iban) {
    auto d = invoice();
    d.payment_means = code, d.iban = iban;
    return refused(d);
  };
  const char* iban = "NL13TEST0123456789";
  for (const char* code : {"30", "57", "58"}) EXPECT_EQ(paid_by(code, iban), CarriedRules{}) << code;
  for (const char* code : {"59", "49", "48", "54", "55", "97", "10", "1"})
    EXPECT_EQ(paid_by(code, iban), CarriedRules{"SCH-PAYMENT"}) << code;
  EXPECT_EQ(paid_by("57", ""), CarriedRules{"SCH-PAYMENT"});
  EXPECT_EQ(paid_by("57", "123456"), CarriedRules{"SCH-PAYMENT"});
  EXPECT_EQ(paid_by("", ""), CarriedRules{});  // plain EN 16931 need not say
  auto xml = *render_ubl(invoice());
  auto second = [&](const char* code, const char* account) {
    return read_ubl(with_first(xml, "</cac:PaymentMeans>",
                               "</cac:PaymentMeans><cac:PaymentMeans><cbc:PaymentMeansCode>" + std::string(code) +
                                   "</cbc:PaymentMeansCode><cac:PayeeFinancialAccount><cbc:ID>" + account +
                                   "</cbc:ID></cac:PayeeFinancialAccount></cac:PaymentMeans>"));
  };
  EXPECT_EQ(refused(*second("58", iban).document), CarriedRules{});
  EXPECT_EQ(refused(*second("59", iban).document), CarriedRules{"SCH-PAYMENT"});
  EXPECT_EQ(refused(*second("58", "NL35TEST0001000004").document), CarriedRules{"SCH-PAYMENT"});
  // A credit note takes off, however it is settled.
  auto credit = credit_note();
  credit.payment_means = "97";
  EXPECT_EQ(refused(credit), CarriedRules{});
}

TEST(UblCarried, AnAccountThatLooksLikeAnIbanIsOneWhateverTheMeans) {
  auto d = invoice();
  d.iban = "NL13TEST0123456788";
  for (const char* code : {"30", "49", "57", "58"}) {
    d.payment_means = code;
    auto found = check_ubl(d);
    EXPECT_TRUE(std::ranges::any_of(found, [](const Finding& f) { return f.rule == "SCH-IBAN"; })) << code;
  }
  d.payment_means = "49", d.iban = "123456";
  EXPECT_TRUE(check_ubl(d).empty());
}

TEST(UblCarried, AnotherPayeeIsRefused) {
  auto xml = *render_ubl(invoice());
  auto paid_to = [&](const std::string& legal) {
    auto read = read_ubl(with_first(xml, "<cac:PaymentMeans>",
                                    "<cac:PayeeParty><cac:PartyName><cbc:Name>Factoring BV</cbc:Name></cac:PartyName>" +
                                        legal + "</cac:PayeeParty><cac:PaymentMeans>"));
    EXPECT_TRUE(read.accepted());
    return refused(*read.document);
  };
  auto legal = [](const char* scheme, const char* value) {
    return fmt::format("<cac:PartyLegalEntity><cbc:CompanyID schemeID=\"{}\">{}</cbc:CompanyID></cac:PartyLegalEntity>",
                       scheme, value);
  };
  EXPECT_EQ(paid_to(""), CarriedRules{"SCH-PAYEE"});
  EXPECT_EQ(paid_to(legal("0106", "99999902")), CarriedRules{"SCH-PAYEE"});
  EXPECT_EQ(paid_to(legal("0190", "00000001999999990000")), CarriedRules{});  // another name of the seller
}

TEST(UblCarried, DatesAreOnesThatCanBe) {
  auto d = invoice();  // of 12 May 2026
  auto day = [](const char* t) { return *parse_date(t); };
  EXPECT_EQ(refused(d, day("2026-05-12")), CarriedRules{});
  EXPECT_EQ(refused(d, day("2026-05-11")), CarriedRules{});  // tomorrow, east of here
  EXPECT_EQ(refused(d, day("2026-05-10")), CarriedRules{"SCH-DATE"});
  EXPECT_EQ(refused(d), CarriedRules{});
  d.due_date = d.issue_date;
  EXPECT_EQ(refused(d), CarriedRules{});
  d.due_date = day("2026-05-11");
  EXPECT_EQ(refused(d), CarriedRules{"SCH-DATE"});
  EXPECT_EQ(told(*render_ubl(d)), CarriedRules{"SCH-DATE"});
  auto credit = credit_note();
  credit.due_date = day("2000-01-01");
  EXPECT_EQ(refused(credit), CarriedRules{"SCH-DATE"});
}

TEST(UblCarried, NumbersAndLinesAreOnesThatOurDocumentsCanHave) {
  for (const char* number :
       {"F 2026 1", "F#1", "F(1)", "-1", "F\xC3\xA9", "F:1", "A23456789012345678901234567890123456789X1"}) {
    auto d = invoice();
    d.id = number;
    EXPECT_EQ(refused(d), CarriedRules{"SCH-NUMBER"}) << number;
    EXPECT_EQ(told(*render_ubl(d)), CarriedRules{"SCH-NUMBER"}) << number;
    auto credit = credit_note();
    credit.billing_references = {number};
    EXPECT_EQ(refused(credit), CarriedRules{"SCH-NUMBER"}) << number;
  }
  for (const char* number : {"1", "F2026/00-1_b.c", "A23456789012345678901234567890123456789X"}) {
    auto d = invoice();
    d.id = number;
    EXPECT_EQ(refused(d), CarriedRules{}) << number;
  }
  auto d = invoice();
  d.lines.resize(kMostLines, d.lines[0]);
  EXPECT_EQ(refused(d), CarriedRules{});
  d.lines.push_back(d.lines[0]);
  EXPECT_EQ(refused(d), CarriedRules{"SCH-LINES"});
}

/// Of many rates, each in a line and a breakdown of its own.
UblDocument many_rates(int n) {
  auto d = invoice();
  d.supplier.vat_number = "NL123456789B01";
  auto line = d.lines[0];
  auto tax = d.taxes[0];
  line.category = tax.category = "S";
  line.net = Cents(100), line.price = UblDecimal::of(Cents(100)), line.quantity = UblDecimal::of(1),
  line.adjustments = {};
  tax.taxable = Cents(100), tax.reason.clear(), tax.reason_code.clear();
  d.lines.clear(), d.taxes.clear();
  for (int i = 1; i <= n; ++i) {
    line.id = std::to_string(i);
    line.percent = UblDecimal{i, 3};
    tax.percent = UblDecimal{i * 10, 4};  // the same rate, written otherwise
    d.lines.push_back(line), d.taxes.push_back(tax);
  }
  d.tax_total = {};
  d.line_total = d.tax_exclusive = d.tax_inclusive = d.payable = Cents(100 * n);
  return d;
}

TEST(UblCarried, VatBreakdownsAreAsManyAsAnInvoiceHas) {
  EXPECT_EQ(refused(many_rates(100)), CarriedRules{});
  EXPECT_EQ(refused(many_rates(101)), CarriedRules{"SCH-RATES"});
  EXPECT_TRUE(check_ubl(many_rates(100)).empty()) << check_ubl(many_rates(100))[0].rule;
}

TEST(UblCarried, AnyNumberOfRatesIsHeldAgainstItsBreakdowns) {
  auto rules = [](const UblDocument& d) {
    CarriedRules out;
    for (const auto& f : check_ubl(d)) out.insert(f.rule);
    return out;
  };
  auto d = many_rates(20'000);
  EXPECT_EQ(rules(d), CarriedRules{});
  d.taxes[12'345].taxable += Cents(1);
  EXPECT_EQ(rules(d), CarriedRules{"BR-S-08"});
  d.taxes[12'345].taxable -= Cents(1);
  d.taxes[7].percent = d.taxes[8].percent;  // one rate twice, one not at all
  EXPECT_EQ(rules(d), CarriedRules{"BR-S-01"});
}

TEST(UblCarried, FindingsOfABrokenDocumentAreBounded) {
  auto many = [](std::string_view before, std::string_view what) {
    std::string all;
    for (int i = 0; i < 2000; ++i) all += what;
    return with_first(*render_ubl(invoice()), before, all + std::string(before));
  };
  auto total = many("<cac:LegalMonetaryTotal>",
                    "<cac:AllowanceCharge><cbc:ChargeIndicator>false</cbc:ChargeIndicator><cbc:Amount "
                    "currencyID=\"EUR\">1.005</cbc:Amount><cac:TaxCategory><cbc:ID>O</cbc:ID><cac:TaxScheme><cbc:ID>VAT"
                    "</cbc:ID></cac:TaxScheme></cac:TaxCategory></cac:AllowanceCharge>");
  auto read = read_ubl(total);
  EXPECT_FALSE(read.accepted());
  EXPECT_LE(read.findings.size(), 500U);
  auto d = credit_note();
  d.billing_references.assign(5000, "F 1");
  auto found = check_carried(d);
  EXPECT_EQ(found.size(), 200U);
  EXPECT_EQ(found.back().rule, "SCH-NUMBER");
}

TEST(UblNames, WhatUblHasNotIsRefusedWhereverItStands) {
  auto xml = *render_ubl(invoice());
  for (const char* before :
       {"<cbc:ID>", "<cac:AccountingSupplierParty>", "<cbc:StreetName>", "<cbc:PaymentMeansCode>", "<cbc:TaxableAmount",
        "<cbc:PayableAmount", "<cac:InvoiceLine>", "<cbc:InvoicedQuantity", "<cac:Item>", "<cbc:PriceAmount"})
    for (const char* alien : {"<cbc:Foo>1</cbc:Foo>", "<cac:Bar><cbc:ID>1</cbc:ID></cac:Bar>",
                              "<x xmlns=\"urn:x\">1</x>", "<cbc:WinningPartyID>1</cbc:WinningPartyID>"})
      EXPECT_EQ(read_ubl(with_first(xml, before, alien + std::string(before))).findings.at(0).code,
                "XML_ELEMENT_UNKNOWN")
          << alien << " before " << before;
  auto deep = [&](const std::string& inside) {
    return told(with_first(xml, "<cac:PaymentMeans>",
                           "<cac:Delivery><cac:Shipment><cbc:ID>1</cbc:ID>" + inside +
                               "</cac:Shipment></cac:Delivery><cac:PaymentMeans>"));
  };
  EXPECT_EQ(deep("<cac:GoodsItem><cbc:Description>x</cbc:Description></cac:GoodsItem>"), CarriedRules{});
  EXPECT_EQ(deep("<cac:GoodsItem><cbc:Foo>x</cbc:Foo></cac:GoodsItem>"), CarriedRules{"XML_ELEMENT_UNKNOWN"});
  // The name of an aggregate as a basic component, and a basic component that holds something.
  EXPECT_EQ(deep("<cbc:GoodsItem>x</cbc:GoodsItem>"), CarriedRules{"XML_ELEMENT_UNKNOWN"});
  EXPECT_TRUE(deep("<cbc:HandlingCode><cbc:ID>1</cbc:ID></cbc:HandlingCode>").contains("XML_ELEMENT_UNKNOWN"));
  // Extensions hold what their makers like, at the root alone.
  const std::string extension =
      "<e:UBLExtensions xmlns:e=\"" + std::string(kUblExtensions) +
      "\"><e:UBLExtension><e:ExtensionContent><own xmlns=\"urn:x\">1</own></e:ExtensionContent></e:UBLExtension>"
      "</e:UBLExtensions>";
  EXPECT_EQ(told(with_first(xml, "<cbc:CustomizationID>", extension + "<cbc:CustomizationID>")), CarriedRules{});
  EXPECT_EQ(told(with_first(xml, "<cac:Item>", extension + "<cac:Item>")), CarriedRules{"XML_ELEMENT_UNKNOWN"});
}

/// Our table says of every element of an Invoice and a CreditNote what the publisher's schema says.
TEST(UblShared, TheNamesAreThoseOfTheSchema) {
  auto folder = test::shared() / "standards/ubl-2.1/xsd";
  SCHAKEL_NEED(folder);
  constexpr std::string_view kXs = "http://www.w3.org/2001/XMLSchema";
  std::map<std::string, std::string> type_of;
  std::map<std::string, std::set<std::string>> content_of;
  std::function<void(const XmlElement&, std::set<std::string>&)> refs = [&](const XmlElement& e, auto& out) {
    for (XmlElement c : e.children()) {
      if (c.is(kXs, "element")) out.insert(std::string(c.attribute("ref").value_or("")));
      refs(c, out);
    }
  };
  for (const char* file : {"common/UBL-CommonAggregateComponents-2.1.xsd", "maindoc/UBL-Invoice-2.1.xsd",
                           "maindoc/UBL-CreditNote-2.1.xsd"}) {
    auto text = test::slurp(folder / file);
    auto schema = read_xml(text, {.bytes = 16 * 1024 * 1024, .nodes = 1'000'000});
    ASSERT_TRUE(schema) << file << schema.error().code;
    for (XmlElement e : schema->root().children()) {
      std::string name(e.attribute("name").value_or(""));
      if (e.is(kXs, "element")) type_of[name] = e.attribute("type").value_or("");
      if (e.is(kXs, "complexType")) refs(e, content_of[name]);
    }
  }
  std::set<std::string> seen{"Invoice", "CreditNote"};
  std::vector<std::string> todo(seen.begin(), seen.end());
  std::set<std::string> everything;
  for (const auto& [type, content] : content_of) everything.insert(content.begin(), content.end());
  std::size_t asked = 0;
  while (!todo.empty()) {
    std::string name = todo.back();
    todo.pop_back();
    const auto& content = content_of.at(type_of.at(name));
    std::string xml = fmt::format(
        "<{0}{1} xmlns=\"urn:oasis:names:specification:ubl:schema:xsd:{1}-2\" xmlns:cac=\"{2}\" xmlns:cbc=\"{3}\" "
        "xmlns:ext=\"{4}\">",
        name == "Invoice" || name == "CreditNote" ? "" : "cac:", name, kCac, kCbc, kUblExtensions);
    for (const auto& ref : everything) xml += "<" + ref + "/>";
    xml += fmt::format("</{}{}>", name == "Invoice" || name == "CreditNote" ? "" : "cac:", name);
    auto document = read_xml(xml);
    ASSERT_TRUE(document) << document.error().message;
    auto ref = everything.begin();
    for (XmlElement c : document->root().children()) {
      EXPECT_EQ(in_ubl(document->root(), c), content.contains(*ref)) << name << ' ' << *ref;
      if (content.contains(*ref) && ref->starts_with("cac:") && seen.insert(ref->substr(4)).second)
        todo.push_back(ref->substr(4));
      ++ref, ++asked;
    }
  }
  EXPECT_GT(seen.size(), 300U);
  EXPECT_GT(asked, 200'000U);
}

std::string utf16(std::string_view text, bool little, bool mark = true) {
  std::string out = !mark ? "" : little ? "\xFF\xFE" : "\xFE\xFF";
  for (char c : text) out += little ? std::string{c, '\0'} : std::string{'\0', c};
  return out;
}

TEST(Sniff, Utf16IsToldAsWhatItIs) {
  const std::string jw323 =
      "<?xml version=\"1.0\" encoding=\"UTF-16\"?><Bericht xmlns=\"" + std::string(kJw323Ns) + "\"/>";
  for (bool little : {true, false})
    for (bool mark : {true, false}) {
      EXPECT_EQ(check_message(utf16(jw323, little, mark)).kind, MessageKind::jw323);
      EXPECT_EQ(told(utf16(jw323, little, mark)), CarriedRules{"OP192"});
      EXPECT_EQ(told(utf16(*render_ubl(invoice()), little, mark)), CarriedRules{"XML_ENCODING"});
      EXPECT_TRUE(told(utf16("<a/>", little, mark)).contains("MESSAGE_UNKNOWN"));
    }
  for (std::string_view start : {std::string_view("<\0", 2), std::string_view("\0<", 2), std::string_view("\0", 1)})
    EXPECT_EQ(check_message(start).kind, MessageKind::unknown);
}

}  // namespace
}  // namespace schakel::formats
