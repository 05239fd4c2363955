// The answer to an e-invoice, beside the published schema where it is at hand.
#include "core/formats/invoice_response.hpp"

#include "core/formats/table.hpp"
#include "tests/unit/formats/support.hpp"

namespace schakel::formats {
namespace {

InvoiceResponse sample() {
  InvoiceResponse r;
  r.id = "R0123456789A";
  r.issued = *parse_date("2026-10-06");
  r.sender = {"Gemeente Zandoever", {"0190", "00000099000100001000"}};
  r.receiver = {"De Verzonnen Hoeve", {"0106", "90000004"}};
  r.status = ResponseStatus::rejected;
  r.reason = "FUNDING_NOT_AGREED: er is geen <afspraak> & geen beschikking";
  r.invoice = "ZB-2026-0917";
  r.type_code = "380";
  return r;
}

TEST(InvoiceResponse, FitsTheOfficialSchemaInEveryForm) {
  auto schema = test::shared() / "standards/ubl-2.1/xsd/maindoc/UBL-ApplicationResponse-2.1.xsd";
  SCHAKEL_NEED(schema);
  auto xsd = XsdSchema::load(schema.string());
  ASSERT_TRUE(xsd);
  for (auto status : {ResponseStatus::in_process, ResponseStatus::under_query, ResponseStatus::rejected})
    for (const char* reason : {"", "DUPLICATE"})
      for (const char* id : {"", "90000004"}) {
        auto r = sample();
        r.status = status, r.reason = reason, r.receiver.id.value = id;
        auto text = write_invoice_response(r);
        ASSERT_TRUE(text);
        auto findings = xsd->check(*text);
        ASSERT_TRUE(findings);
        EXPECT_TRUE(findings->empty()) << (*findings)[0].pointer << ' ' << (*findings)[0].message;
      }
}

TEST(InvoiceResponse, SaysWhatItIsGivenEscapedAndTheSameEachTime) {
  auto text = write_invoice_response(sample());
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, *write_invoice_response(sample()));
  for (const char* part :
       {"<cbc:ResponseCode listID=\"UNCL4343OpSubset\">RE</cbc:ResponseCode>", "&lt;afspraak&gt; &amp; geen",
        "<cbc:EndpointID schemeID=\"0106\">90000004</cbc:EndpointID>", "<cbc:ID>ZB-2026-0917</cbc:ID>",
        "<cbc:DocumentTypeCode listID=\"UNCL1001\">380</cbc:DocumentTypeCode>"})
    EXPECT_NE(text->find(part), std::string::npos) << part;
  auto query = sample();
  query.status = ResponseStatus::under_query;
  EXPECT_NE(write_invoice_response(query)->find(">UQ<"), std::string::npos);
}

TEST(InvoiceResponse, WhatIsIncompleteOrNoXmlIsRefused) {
  for (auto member : {&InvoiceResponse::id, &InvoiceResponse::invoice}) {
    auto r = sample();
    (r.*member).clear();
    EXPECT_EQ(write_invoice_response(r).error().code, "INVOICE_RESPONSE_INCOMPLETE");
  }
  for (auto member : {&InvoiceResponse::sender, &InvoiceResponse::receiver}) {
    auto r = sample();
    (r.*member).name.clear();
    EXPECT_EQ(write_invoice_response(r).error().code, "INVOICE_RESPONSE_INCOMPLETE");
  }
  auto r = sample();
  r.reason = std::string("a\x01") + "b";
  EXPECT_EQ(write_invoice_response(r).error().code, "XML_CHARACTER");
}

}  // namespace
}  // namespace schakel::formats
