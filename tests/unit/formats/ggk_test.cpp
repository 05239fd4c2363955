// StUF-GGk envelopes: as the published examples, in SOAP, and broken ones.
#include "core/formats/ggk.hpp"

#include <gtest/gtest.h>

#include "core/base/bytes.hpp"
#include "core/formats/sniff.hpp"
#include "core/formats/soap.hpp"
#include "tests/unit/formats/support.hpp"

namespace schakel::formats {
namespace {

GgkEnvelope sample() {
  GgkEnvelope e;
  e.zender = {"98765432", "Zorgsysteem"};
  e.ontvanger = {"0400", "GGk"};
  e.referentienummer = "9c0f7b90-5c69-41e5-a837-0800200c9a66";
  e.tijdstip = "20261005132514";
  e.functie = "JW323";
  e.bericht = "<a>é</a>";
  return e;
}

TEST(Ggk, WhatIsWrittenIsRead) {
  auto text = write_ggk(sample());
  ASSERT_TRUE(text) << text.error().code;
  EXPECT_EQ(sniff(*text), MessageKind::ggk_envelope);
  auto again = read_ggk(*text);
  ASSERT_TRUE(again) << again.error().code;
  EXPECT_EQ(again->bericht, "<a>é</a>");
  EXPECT_EQ(again->zender.organisatie, "98765432");
  EXPECT_EQ(again->functie_versie, "0003");
  GgkEnvelope retour = sample();
  retour.retour = true;
  EXPECT_FALSE(write_ggk(retour)) << "a return message names what it answers";
  retour.cross_ref = sample().referentienummer;
  EXPECT_TRUE(read_ggk(*write_ggk(retour))->retour);
}

TEST(Ggk, IsReadFromSoapToo) {
  auto text = *write_ggk(sample());
  auto soap = "<s:Envelope xmlns:s=\"" + std::string(kSoapNs) + "\"><s:Body>" + text.substr(text.find("<GGK")) +
              "</s:Body></s:Envelope>";
  auto read = read_ggk(soap);
  ASSERT_TRUE(read) << read.error().code;
  EXPECT_EQ(read->bericht, sample().bericht);
}

TEST(Ggk, PublishedExamplesBehaveAsTheirNamesSay) {
  auto folder = test::shared() / "standards/ggk/voorbeeldberichten";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "../shared is not here";
  auto heen = read_ggk(test::slurp(folder / "envelopHeenbericht-ggk_Di01_v21-xml.xml"));
  ASSERT_TRUE(heen) << heen.error().code;
  EXPECT_FALSE(heen->retour);
  auto retour = read_ggk(test::slurp(folder / "envelopRetourbericht-ggk_Du01-v21.xml"));
  ASSERT_TRUE(retour) << retour.error().code;
  EXPECT_EQ(retour->cross_ref, heen->referentienummer);
  EXPECT_EQ(read_ggk(test::slurp(folder / "envelopHeenbericht-ggk_Di01_v21-tekst.xml")).error().code, "GGK_CONTENT");
  EXPECT_EQ(read_ggk(test::slurp(folder / "Fo01.xml")).error().code, "GGK_UNKNOWN");
}

TEST(Ggk, BrokenEnvelopesAreRefusedWithTheField) {
  auto good = *write_ggk(sample());
  auto without = [&](std::string what, std::string instead) {
    auto text = good;
    auto at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    text.replace(at, what.size(), instead);
    auto r = read_ggk(text);
    return r ? "accepted" : r.error().code + (r.error().findings.empty() ? "" : " " + r.error().findings[0].pointer);
  };
  EXPECT_EQ(without("9c0f7b90-5c69-41e5-a837-0800200c9a66", "1"), "GGK_FIELD /stuurgegevens/referentienummer");
  EXPECT_EQ(without("20261005132514", "gisteren"), "GGK_FIELD /stuurgegevens/tijdstipBericht");
  EXPECT_EQ(without("Di01</StUF", "Du01</StUF"), "GGK_FIELD /stuurgegevens/berichtcode");
  EXPECT_EQ(without("0003</GGK", "3</GGK"), "GGK_FIELD /parameters");
  EXPECT_EQ(without("98765432", ""), "GGK_FIELD /stuurgegevens/zender/organisatie");
  EXPECT_EQ(without(to_base64(as_bytes(sample().bericht)), "%%%%"), "GGK_CONTENT");
  EXPECT_EQ(without(to_base64(as_bytes(sample().bericht)), ""), "GGK_CONTENT");
  EXPECT_EQ(without("<GGK:envelop", "<!DOCTYPE x [<!ENTITY a \"b\">]><GGK:envelop"), "XML_DTD");
  EXPECT_EQ(read_ggk("<x/>").error().code, "GGK_UNKNOWN");
}

TEST(Ggk, AnEnvelopeIsJudgedWithWhatIsInIt) {
  auto e = sample();
  e.bericht = "<Bericht/>";
  EXPECT_FALSE(check_message(*write_ggk(e)).findings.empty());
  e.bericht = *write_ggk(sample());
  auto nested = check_message(*write_ggk(e));
  ASSERT_EQ(nested.findings.size(), 1U);
  EXPECT_EQ(nested.findings[0].code, "GGK_CONTENT");
}

TEST(Ggk, InSoapItIsJudgedTheSame) {
  auto in_soap = [](const std::string& envelope) {
    return "<s:Envelope xmlns:s=\"" + std::string(kSoapNs) + "\"><s:Body>" + envelope.substr(envelope.find("<GGK")) +
           "</s:Body></s:Envelope>";
  };
  auto e = sample();
  for (const char* bericht : {"<Bericht/>", "<Bericht xmlns=\"http://www.istandaarden.nl/ijw/3_2/jw323/schema\"/>"}) {
    e.bericht = bericht;
    auto bare = check_message(*write_ggk(e)), soap = check_message(in_soap(*write_ggk(e)));
    EXPECT_EQ(soap.kind, MessageKind::ggk_envelope);
    ASSERT_FALSE(soap.findings.empty());
    ASSERT_EQ(soap.findings.size(), bare.findings.size());
    EXPECT_EQ(soap.findings[0].code, bare.findings[0].code);
  }
  e.bericht = in_soap(*write_ggk(sample()));
  EXPECT_EQ(check_message(*write_ggk(e)).findings.at(0).code, "GGK_CONTENT");
  EXPECT_EQ(check_message(in_soap("<GGK:anders xmlns:GGK=\"" + std::string(kGgkNs) + "\"/>")).findings.at(0).code,
            "GGK_UNKNOWN");
}

TEST(Ggk, AnswersOfTheStufLayer) {
  StufAnswer a{"Bv03",
               {"0400", "Schakel"},
               {"98765432", "Z"},
               "9c0f7b90-5c69-41e5-a837-0800200c9a66",
               "20261005132514",
               "9c0f7b90-5c69-41e5-a837-0800200c9a67",
               "",
               ""};
  auto taken = write_stuf_soap(a);
  ASSERT_TRUE(taken);
  auto read = read_soap(*taken);
  ASSERT_TRUE(read) << read.error().code;
  EXPECT_EQ(read->body().local(), "Bv03Bericht");
  a.berichtcode = "Fo03", a.code = "StUF055", a.omschrijving = "JW323_STRUCTURE";
  auto refused = read_soap(*write_stuf_soap(a));
  ASSERT_TRUE(refused && refused->fault());
  EXPECT_EQ(refused->fault()->text, "JW323_STRUCTURE");
}

}  // namespace
}  // namespace schakel::formats
