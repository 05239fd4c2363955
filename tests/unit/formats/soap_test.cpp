#include "core/formats/soap.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/formats/duo.hpp"
#include "core/formats/oso.hpp"
#include "core/formats/sniff.hpp"
#include "tests/unit/formats/support.hpp"
#include "tests/unit/formats/ubl_sample.hpp"

namespace schakel::formats {
namespace {

using test::with;
using test::with_first;

constexpr const char* kDocument = "5f0c7a1e-0f0e-4f5e-9f0e-6c2f3f8b7a11";
constexpr const char* kMessage = "b59e3f77-3c6c-4fd6-a354-078403133f71";

DuoAanlevering request() {
  DuoAanlevering r;
  r.document_id = kDocument;
  r.message_id = kMessage;
  r.school_oin = "0000000700000YY00000";
  r.verzendende_instantie = "00YY";
  r.tijd = *parse_instant("2026-01-12T09:00:00Z");
  auto& m = r.melding;
  m.brin = "00YY", m.vestiging = "00YY00", m.bsn = "999900006", m.soort_opleiding = "PO", m.leerjaar = 6,
  m.verzuimsoort = "V3";
  m.begin = *parse_date("2025-12-08"), m.eind = *parse_date("2026-01-09"), m.reden = "Schoolweigering, angst",
  m.actie_gewenst = true;
  m.ondernomen_actie = "Gesprek met ouders & mentor op 15 december";
  m.dagen = {{*parse_date("2025-12-08"), true, {}}, {*parse_date("2025-12-09"), false, {1, 2}}};
  m.contact = {"A. Voorbeeld", "Intern begeleider", "ib@school.example", ""};
  return r;
}

std::string reply(std::string_view inside, std::string_view relates = kMessage, std::string_view document = kDocument) {
  return fmt::format(
      R"(<?xml version="1.0" encoding="UTF-8"?><S:Envelope xmlns:S="{}"><S:Header xmlns:w="{}"><w:MessageID>urn:uuid:x</w:MessageID><w:RelatesTo>{}</w:RelatesTo></S:Header>)"
      R"(<S:Body><d:aanleverenVerzuimmelding_response xmlns:d="{}"><d:identificatiecodeBedrijfsdocument>{}</d:identificatiecodeBedrijfsdocument>{}</d:aanleverenVerzuimmelding_response></S:Body></S:Envelope>)",
      kSoapNs, kWsaNs, relates, kDuoVerzuimNs, document, inside);
}
std::string fault(std::string_view code) {
  return fmt::format(
      R"(<E:Envelope xmlns:E="{0}"><E:Body><E:Fault><faultcode>E:{1}</faultcode><faultstring>op verzoek</faultstring></E:Fault></E:Body></E:Envelope>)",
      kSoapNs, code);
}

TEST(Soap, HeadersStandAsTheProfileAsks) {
  auto text = write_aanleveren(request());
  ASSERT_TRUE(text) << text.error().message;
  auto m = read_soap(*text);
  ASSERT_TRUE(m);
  EXPECT_EQ(m->header().to_oin, kDuoOin);
  EXPECT_EQ(m->header().from_oin, "0000000700000YY00000");
  EXPECT_EQ(m->header().action, aanleveren_action());
  EXPECT_EQ(m->header().message_id, kMessage);
  EXPECT_NE(text->find("http://www.w3.org/2005/08/addressing/anonymous?oin=00000001800866472000</wsa:To>"),
            std::string::npos);
  EXPECT_NE(text->find(fmt::format("<wsa:MessageID>urn:uuid:{}<", kMessage)), std::string::npos);
  EXPECT_EQ(m->body().local(), "aanleverenVerzuimmelding_request");
  EXPECT_EQ(m->body().child("melding").child("verzuimdag").next_sibling().child("lesuur").text(), "1");
}

TEST(Soap, RelatesToIsComparedWithAndWithoutItsPrefix) {
  for (auto relates : {std::string(kMessage), fmt::format("urn:uuid:{}", kMessage), with(kMessage, "b59e", "B59E")})
    EXPECT_TRUE(read_soap(reply("", relates))->answers(kMessage));
  EXPECT_FALSE(read_soap(reply("", "other"))->answers(kMessage));
}

TEST(SoapHostile, WhatIsNotOneEnvelopeWithOneBodyIsRefused) {
  auto code = [](std::string_view text) { return read_soap(text) ? "" : read_soap(text).error().code; };
  auto good = reply("");
  EXPECT_EQ(code(good), "");
  EXPECT_EQ(code(with(good, kSoapNs, "http://www.w3.org/2003/05/soap-envelope")), "SOAP_VERSION");
  EXPECT_EQ(code(with_first(good, "</S:Body>", "</S:Body><S:Body><x/></S:Body>")), "SOAP_BODY");
  EXPECT_EQ(code(with_first(good, "</S:Body>", "<x/></S:Body>")), "SOAP_BODY");
  EXPECT_EQ(code(with_first(good, "</S:Body>", "</S:Body><S:Header/>")), "SOAP_HEADER");
  EXPECT_EQ(code(with_first(good, "<w:MessageID>", "<w:MessageID>a</w:MessageID><w:MessageID>")), "SOAP_HEADER");
  EXPECT_EQ(code(with_first(good, "<w:MessageID>", "<x xmlns='urn:x' S:mustUnderstand='1'/><w:MessageID>")),
            "SOAP_HEADER");
  EXPECT_EQ(code(with_first(good, "?>", "?><!DOCTYPE x>")), "XML_DTD");
  EXPECT_EQ(code(fmt::format("<S:Envelope xmlns:S='{}'><S:Body/></S:Envelope>", kSoapNs)), "SOAP_BODY");
  SoapHeader h{std::string(kDuoOin), "0000000700000YY0000", "a", kMessage, ""};
  EXPECT_EQ(write_soap(h, "<x/>").error().code, "SOAP_HEADER");
}

TEST(SoapShared, ARealReplyOfDuosTestEnvironmentIsRead) {
  auto file = test::shared() / "standards/duo/rio/signed-response-create-relation.xml";
  SCHAKEL_NEED(file);
  auto m = read_soap(test::slurp(file));
  ASSERT_TRUE(m) << m.error().message;
  EXPECT_EQ(m->header().from_oin, kDuoOin);
  EXPECT_TRUE(m->answers("b59e3f77-3c6c-4fd6-a354-078403133f71"));
  EXPECT_FALSE(m->fault());
}

TEST(Duo, ARequestOutsideTheContractIsNotWritten) {
  auto codes = [](auto change) {
    auto r = request();
    change(r);
    auto text = write_aanleveren(r);
    std::set<std::string> out;
    if (!text) {
      out.insert(text.error().code);
      for (const auto& f : text.error().findings) out.insert(f.code);
    }
    return out;
  };
  using S = std::set<std::string>;
  EXPECT_EQ(codes([](auto&) {}), S{});
  EXPECT_EQ(codes([](auto& r) { r.melding.bsn = "999900007"; }), (S{"DUO_REQUEST_INVALID", "DUO_BSN"}));
  EXPECT_EQ(codes([](auto& r) { r.melding.onderwijsnummer = "100000009"; }), (S{"DUO_REQUEST_INVALID", "DUO_PGN"}));
  EXPECT_EQ(codes([](auto& r) { r.melding.bsn.clear(); }), (S{"DUO_REQUEST_INVALID", "DUO_PGN"}));
  EXPECT_EQ(codes([](auto& r) { r.melding.verzuimsoort = "V1"; }), (S{"DUO_REQUEST_INVALID", "XML_VALUE_CODE"}));
  EXPECT_EQ(codes([](auto& r) { r.melding.eind.reset(); }), (S{"DUO_REQUEST_INVALID", "DUO_END"}));
  EXPECT_EQ(codes([](auto& r) { r.melding.eind = *parse_date("2025-12-01"); }),
            (S{"DUO_REQUEST_INVALID", "DUO_PERIOD"}));
  EXPECT_EQ(codes([](auto& r) { r.melding.brin = "YY00"; }), (S{"DUO_REQUEST_INVALID", "XML_VALUE_PATTERN"}));
  EXPECT_EQ(codes([](auto& r) { r.melding.reden = std::string(201, 'x'); }),
            (S{"DUO_REQUEST_INVALID", "XML_VALUE_LENGTH"}));
  EXPECT_EQ(codes([](auto& r) { r.melding.contact.email.clear(); }), (S{"DUO_REQUEST_INVALID", "XML_ELEMENT_MISSING"}));
  EXPECT_EQ(codes([](auto& r) { r.melding.dagen.resize(101, r.melding.dagen[0]); }),
            (S{"DUO_REQUEST_INVALID", "XML_ELEMENT_REPEATED"}));
  EXPECT_EQ(codes([](auto& r) { r.melding.dagen[0].lesuren = {13}; }), (S{"DUO_REQUEST_INVALID", "XML_VALUE_RANGE"}));
  EXPECT_EQ(codes([](auto& r) { r.document_id = "1"; }), (S{"DUO_REQUEST_INVALID", "XML_VALUE_PATTERN"}));
  EXPECT_EQ(codes([](auto& r) { r.melding.begin = {}; }), (S{"DUO_REQUEST_INVALID"}));
  EXPECT_EQ(codes([](auto& r) { r.melding.reden = "\x02"; }), (S{"XML_CHARACTER"}));
}

TEST(Duo, EveryReplyBecomesOneVerdict) {
  auto verdict = [](int status, const std::string& text) { return read_aanleveren_answer(request(), status, text); };
  auto accepted = verdict(
      200, reply("<d:requestGoedgekeurd>true</d:requestGoedgekeurd><d:meldingsnummer>100000001</d:meldingsnummer>"));
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->verdict, DuoVerdict::accepted);
  EXPECT_EQ(accepted->meldingsnummer, "100000001");
  auto error = [](std::string_view code, std::string_view key = "") {
    return reply(
        fmt::format("<d:requestGoedgekeurd>false</d:requestGoedgekeurd><d:foutmelding><d:foutcode>{}</"
                    "d:foutcode><d:fouttekst>Jan Jansen</d:fouttekst>{}</d:foutmelding>",
                    code, key));
  };
  auto rejected = verdict(200, error("BSN_ONGELDIG"));
  EXPECT_EQ(rejected->verdict, DuoVerdict::rejected);
  EXPECT_EQ(rejected->codes, std::vector<std::string>{"BSN_ONGELDIG"});
  auto known = verdict(200, error("NIET_UNIEK",
                                  "<d:sleutelgegeven><d:sleutelnaam>meldingsnummer</"
                                  "d:sleutelnaam><d:sleutelwaarde>100000001</d:sleutelwaarde></d:sleutelgegeven>"));
  EXPECT_EQ(known->verdict, DuoVerdict::already_known);
  EXPECT_EQ(known->meldingsnummer, "100000001");
  for (auto code : {"Server.DK0050", "Server.DK0051", "Server"})
    EXPECT_EQ(verdict(500, fault(code))->verdict, DuoVerdict::retry) << code;
  for (auto code : {"Client.DK0002", "Client.DK0004", "Client.EK0031", "VersionMismatch.DK0001", "Client", ""})
    EXPECT_EQ(verdict(500, fault(code))->verdict, DuoVerdict::rejected) << code;
  EXPECT_EQ(verdict(503, "<html>busy</html>")->verdict, DuoVerdict::retry);
  EXPECT_EQ(verdict(502, "")->verdict, DuoVerdict::retry);
  EXPECT_EQ(verdict(403, "no")->verdict, DuoVerdict::rejected);
  // Said 2xx and not understood: nobody knows whether it was taken.
  for (const auto& text :
       {std::string("<html/>"), std::string(), reply("<d:requestGoedgekeurd>true</d:requestGoedgekeurd>"),
        reply("<d:requestGoedgekeurd>maybe</d:requestGoedgekeurd>"),
        reply("<d:requestGoedgekeurd>true</d:requestGoedgekeurd><d:meldingsnummer>1</d:meldingsnummer>", "other"),
        reply("<d:requestGoedgekeurd>true</d:requestGoedgekeurd><d:meldingsnummer>1</d:meldingsnummer>", kMessage,
              "other"),
        with(reply(""), kDuoVerzuimNs, "urn:x")})
    EXPECT_EQ(verdict(200, text).error().code, "DUO_REPLY") << text;
}

TEST(DuoShared, RequestsFitTheSchemaOfTheContract) {
  auto file = test::shared() / "standards/duo/verzuim-proposal-v1.xsd";
  SCHAKEL_NEED(file);
  auto xsd = XsdSchema::load(file.string());
  ASSERT_TRUE(xsd);
  auto text = *write_aanleveren(request());
  auto begin = text.find("<aanleveren"), end = text.find("</soap:Body>");
  auto findings = xsd->check(text.substr(begin, end - begin));
  ASSERT_TRUE(findings);
  EXPECT_TRUE(findings->empty());
  auto example = read_xml(test::slurp(test::shared() / "standards/duo/example-aanleverenVerzuimmelding_request.xml"));
  ASSERT_TRUE(example);
  EXPECT_TRUE(check_table(example->root(), duo_aanleveren_table()).empty());
}

TEST(OsoShared, DossiersOfTheProfileAreAcceptedAndABsnIsReported) {
  auto folder = test::shared() / "standards/oso";
  SCHAKEL_NEED(folder);
  for (auto name : {"Voorbeelddossier_PaO_POSWV_full.xml", "Voorbeelddossier_PaO_POSWV_opt_out.xml",
                    "Voorbeelddossier_PaO_VOSWV_opt_out.xml"}) {
    auto text = test::slurp(folder / name);
    auto r = read_oso(text);
    EXPECT_TRUE(r.accepted()) << name << (r.findings.empty() ? "" : r.findings[0].pointer + r.findings[0].code);
    auto bsn = read_oso(with_first(text, "<leerlingid>", "<bsn>999900006</bsn><leerlingid>"));
    ASSERT_EQ(bsn.findings.size(), 1U);
    EXPECT_EQ(bsn.findings[0].code, "OSO_BSN_FORBIDDEN");
    EXPECT_EQ(bsn.findings[0].message.find("999900006"), std::string::npos);
  }
  auto text = test::slurp(folder / "Voorbeelddossier_PaO_POSWV_full.xml");
  EXPECT_EQ(read_oso(with(text, "/2019/dossier", "/2024/dossier")).findings.at(0).code, "OSO_VERSION");
  EXPECT_EQ(read_oso(with_first(text, "<overstap>POSWV", "<overstap>PO")).findings.at(0).code, "OSO_PROFILE");
  EXPECT_EQ(read_oso(with_first(text, "<adresgeheim>false", "<adresgeheim>true")).findings.at(0).code,
            "OSO_SECRET_ADDRESS");
  EXPECT_EQ(
      read_oso(with_first(text, "<geboortedatum>2003-03-17</geboortedatum>", "<geboorteplaats>X</geboorteplaats>"))
          .findings.size(),
      2U);
}

TEST(Sniff, KindIsToldByContentNotByName) {
  EXPECT_EQ(sniff(*render_ubl(test::invoice())), MessageKind::ubl_invoice);
  EXPECT_EQ(sniff(*render_ubl(test::credit_note())), MessageKind::ubl_credit_note);
  EXPECT_EQ(sniff("<?xml version='1.0'?><!-- <Invoice> --><q:Bericht xmlns:ijw='x' "
                  "xmlns:q='http://www.istandaarden.nl/ijw/3_2/jw323/schema'/>"),
            MessageKind::jw323);
  EXPECT_EQ(sniff("<Bericht xmlns=\"http://www.istandaarden.nl/ijw/3_2/jw325/schema\"/>"), MessageKind::jw325);
  EXPECT_EQ(sniff(fault("Client")), MessageKind::soap);
  EXPECT_EQ(sniff("<dossier xmlns='http://www.edustandaard.nl/oso_gegevensset/2024/dossier'/>"),
            MessageKind::oso_dossier);
  EXPECT_EQ(sniff(R"({"specversion":"1.0","type":"t","source":"s","id":"1"})"), MessageKind::cloud_event);
  EXPECT_EQ(sniff(R"([{"specversion":"1.0","type":"t","source":"s","id":"1"}])"), MessageKind::cloud_event_batch);
  for (auto other : {"", " ", "{}", "[]", "{", "x", "<", "<a", "<a/>", "<Invoice/>",
                     "<Invoice xmlns=", "<Invoice xmlns='", "%PDF-1.5", "\xFF\xFE<\0"})
    EXPECT_EQ(sniff(other), MessageKind::unknown) << other;
}

TEST(Sniff, AReportNamesTheRule) {
  EXPECT_TRUE(check_message(*render_ubl(test::invoice())).findings.empty());
  auto d = test::invoice();
  d.payable += Cents{1};
  auto r = check_message(*render_ubl(d));
  ASSERT_FALSE(r.findings.empty());
  EXPECT_EQ(r.findings[0].rule, "BR-CO-16");
  EXPECT_EQ(check_message("hello").findings.at(0).code, "MESSAGE_UNKNOWN");
  EXPECT_EQ(check_message("<!DOCTYPE a><a/>").findings.at(0).code, "XML_DTD");
  EXPECT_EQ(check_message("<Bericht xmlns=\"http://www.istandaarden.nl/ijw/3_2/jw323/schema\"/>").kind,
            MessageKind::jw323);
  EXPECT_FALSE(check_message("<Bericht xmlns=\"http://www.istandaarden.nl/ijw/3_2/jw323/schema\"/>").findings.empty());
}

}  // namespace
}  // namespace schakel::formats
