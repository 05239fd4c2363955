#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/formats/duo.hpp"
#include "tests/support/plugin_bench.hpp"

namespace schakel::test {
namespace {

Json config() {
  return {{"url", "https://duo.example/verzuim"},
          {"scholen", Json::array({{{"brin", "00YY"},
                                    {"vestiging", "00YY00"},
                                    {"oin", "0000000700000YY00000"},
                                    {"contact", {{"naam", "A. Verzonnen"}, {"email", "ib@school.example"}}}},
                                   {{"brin", "11ZZ"},
                                    {"oin", "0000000700000ZZ00000"},
                                    {"soort_opleiding", "VO"},
                                    {"contact", {{"naam", "B. Verzonnen"}, {"email", "zc@school.example"}}}}})}};
}

std::string between(const std::string& text, const std::string& from, const std::string& to) {
  auto a = text.find(from);
  if (a == std::string::npos) return {};
  a += from.size();
  return text.substr(a, text.find(to, a) - a);
}

/// DUO as the proposal has it: one melding per document id.
struct Duo {
  std::map<std::string, std::string> numbers;  ///< document id to meldingsnummer
  std::map<std::string, std::string> bodies;
  std::string reject;  ///< foutcode
  Result<HttpReply> operator()(const HttpRequest& r) {
    std::string id = between(r.body, "identificatiecodeBedrijfsdocument>", "<");
    std::string mid = between(r.body, "MessageID>", "<");
    std::string inner;
    if (!reject.empty()) {
      inner = "<requestGoedgekeurd>false</requestGoedgekeurd><foutmelding><foutcode>" + reject +
              "</foutcode><fouttekst>Jansen 999990019</fouttekst></foutmelding>";
    } else if (numbers.contains(id)) {
      inner =
          "<requestGoedgekeurd>false</requestGoedgekeurd><foutmelding><foutcode>NIET_UNIEK</foutcode><fouttekst>x</"
          "fouttekst><sleutelgegeven><sleutelnaam>meldingsnummer</sleutelnaam>"
          "<sleutelwaarde>" +
          numbers[id] + "</sleutelwaarde></sleutelgegeven></foutmelding>";
    } else {
      numbers[id] = std::to_string(7000 + numbers.size());
      bodies[id] = r.body;
      inner = "<requestGoedgekeurd>true</requestGoedgekeurd><meldingsnummer>" + numbers[id] + "</meldingsnummer>";
    }
    return HttpReply{
        200,
        {{"Content-Type", "text/xml"}},
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "
        "xmlns:w=\"http://www.w3.org/2005/08/addressing\"><s:Header><w:RelatesTo>" +
            mid +
            "</w:RelatesTo></s:Header><s:Body><aanleverenVerzuimmelding_response "
            "xmlns=\"urn:oza:proposal:duo-verzuim:v1\"><identificatiecodeBedrijfsdocument>" +
            id +
            "</identificatiecodeBedrijfsdocument><verzendendeInstantie>DUO</"
            "verzendendeInstantie><ontvangendeInstantie>00YY</ontvangendeInstantie>"
            "<datumTijdBedrijfsdocument>2026-11-02T09:00:00.000Z</datumTijdBedrijfsdocument>" +
            inner + "</aanleverenVerzuimmelding_response></s:Body></s:Envelope>"};
  }
};

HttpReply fault(const char* code) {
  return {500,
          {{"Content-Type", "text/xml"}},
          fmt::format("<s:Envelope "
                      "xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault><faultcode>s:{}</"
                      "faultcode><faultstring>Jansen 999990019</faultstring></s:Fault></s:Body></s:Envelope>",
                      code)};
}

struct Fresh {
  std::map<PluginBench*, std::shared_ptr<Duo>> partners;
  std::unique_ptr<PluginBench> operator()() {
    auto bench = std::make_unique<PluginBench>("duo_verzuim", config());
    bench->world.bsns["zaak-1"] = "999990019";
    auto duo = std::make_shared<Duo>();
    partners[bench.get()] = duo;
    bench->world.partner = [duo](const HttpRequest& r) { return (*duo)(r); };
    return bench;
  }
};

Delivery delivery() {
  Delivery d;
  d.id = "afl-5";
  d.kind = "message";
  d.type = "verzuimmelding";
  d.message_id = "m-5";
  d.case_id = "zaak-1";
  d.pseudonym = "ps-5";
  d.role = "duo_verzuimregister";
  d.body = {{"payload", {{"school", "00YY00"}, {"kind", "langdurig"}, {"from_date", "2026-09-20"}, {"hours", 80}}}};
  d.first_attempt = *parse_instant("2026-11-02T09:00:00Z");
  return d;
}

TEST(DuoVerzuim, MeldingIsAcceptedAndTheBsnIsInTheBodyOnly) {
  Fresh fresh;
  auto bench = fresh();
  auto result = bench->send(delivery());
  ASSERT_EQ(result->verdict, Verdict::delivered) << result->code;
  EXPECT_EQ(result->receipt["meldingsnummer"], "7000");
  const auto& r = bench->world.requests.at(0);
  EXPECT_NE(r.body.find("<burgerservicenummer>999990019<"), std::string::npos) << r.body;
  EXPECT_NE(r.body.find("<verzuimsoort>LRV<"), std::string::npos);
  EXPECT_EQ((HttpReply{0, r.headers, {}}.header("SOAPAction")),
            "\"urn:oza:proposal:contract:duo-verzuim:v1/aanleverenVerzuimmelding\"");
  EXPECT_TRUE(bench->leaks({"Verzonnen", "ib@school"}).empty());
  EXPECT_EQ(bench->world.bsn_asked.size(), 1U);
}

TEST(DuoVerzuim, CrashAtAnyAwaitMakesOneMelding) {
  auto fresh = std::make_shared<Fresh>();
  auto effects = [fresh](PluginBench& b) { return ::testing::PrintToString(fresh->partners[&b]->bodies); };
  for (const auto& w : crash_everywhere([fresh] { return (*fresh)(); }, delivery(), effects)) ADD_FAILURE() << w;
  for (const auto& w : fault_everywhere([fresh] { return (*fresh)(); }, delivery(), effects)) ADD_FAILURE() << w;
}

TEST(DuoVerzuim, FaultsAreMappedByTheirCode) {
  for (const auto& [code, verdict] :
       {std::pair{"Server.DK0050", Verdict::retry_later}, std::pair{"Server.DK0051", Verdict::retry_later},
        std::pair{"Client.DK0002", Verdict::rejected}, std::pair{"Client.DK0004", Verdict::rejected},
        std::pair{"Client.EK0031", Verdict::rejected}}) {
    Fresh fresh;
    auto bench = fresh();
    bench->world.partner = [reply = fault(code)](const HttpRequest&) { return reply; };
    auto result = bench->send(delivery());
    EXPECT_EQ(result->verdict, verdict) << code;
    EXPECT_EQ(result->code, std::string("DUO_") + code);
    EXPECT_TRUE(bench->leaks({"Jansen"}).empty());
  }
}

TEST(DuoVerzuim, BusinessRefusalKeepsTheCodeAndNotTheText) {
  Fresh fresh;
  auto bench = fresh();
  fresh.partners[bench.get()]->reject = "LEERLING_ONBEKEND";
  auto result = bench->send(delivery());
  EXPECT_EQ(result->verdict, Verdict::rejected);
  EXPECT_EQ(result->code, "DUO_LEERLING_ONBEKEND");
  EXPECT_TRUE(bench->leaks({"Jansen"}).empty());
}

TEST(DuoVerzuim, AnswerToAnotherMessageIsUnknown) {
  Fresh fresh;
  auto bench = fresh();
  auto real = bench->world.partner;
  bench->world.partner = [real](const HttpRequest& r) {
    HttpRequest other = r;
    auto at = other.body.find("identificatiecodeBedrijfsdocument>") + 34;
    other.body.replace(at, 36, "11111111-2222-4333-8444-555555555555");
    return real(other);
  };
  auto result = bench->send(delivery());
  EXPECT_EQ(result->verdict, Verdict::unknown);
  EXPECT_EQ(result->code, "DUO_REPLY");
}

TEST(DuoVerzuim, WhatCannotBeSentReleasesNoBsn) {
  for (auto change : std::vector<std::function<void(Delivery&)>>{
           [](Delivery& d) { d.body["payload"]["kind"] = "anders"; },
           [](Delivery& d) { d.body["payload"].erase("from_date"); },
           [](Delivery& d) { d.body["payload"]["until"] = "2026-09-01"; },
           [](Delivery& d) { d.body["payload"]["school"] = "99XX00"; }, [](Delivery& d) { d.type = "factuur"; }}) {
    Fresh fresh;
    auto bench = fresh();
    Delivery d = delivery();
    change(d);
    EXPECT_EQ(bench->send(d)->verdict, Verdict::rejected);
    EXPECT_TRUE(bench->world.bsn_asked.empty());
    EXPECT_TRUE(bench->world.requests.empty());
  }
}

TEST(DuoVerzuim, AMeldingIsInTheNameOfItsOwnSchoolOrOfNone) {
  auto second = config()["scholen"][0];
  second["vestiging"] = "00YY01";
  second["oin"] = "0000000700000YY01000";
  auto three = config();
  three["scholen"].push_back(second);
  auto one = config();
  one["scholen"].erase(1);
  const Json none(nullptr);
  // What the message says, and the contact of the school it is then from; none: it is not sent.
  for (const auto& [schools, said, contact] :
       {std::tuple{config(), Json("00YY00"), "A. Verzonnen"}, std::tuple{config(), Json("00YY"), "A. Verzonnen"},
        std::tuple{config(), Json("11ZZ"), "B. Verzonnen"}, std::tuple{config(), none, ""},
        std::tuple{config(), Json("00YY09"), ""}, std::tuple{config(), Json("11ZZ00"), ""},
        std::tuple{config(), Json("00"), ""}, std::tuple{config(), Json("00YY000"), ""},
        std::tuple{three, Json("00YY"), ""}, std::tuple{three, Json("00YY01"), "A. Verzonnen"},
        std::tuple{one, none, "A. Verzonnen"}, std::tuple{one, Json("11ZZ"), ""}}) {
    PluginBench bench("duo_verzuim", schools);
    bench.world.bsns["zaak-1"] = "999990019";
    auto duo = std::make_shared<Duo>();
    bench.world.partner = [duo](const HttpRequest& r) { return (*duo)(r); };
    Delivery d = delivery();
    d.body["payload"].erase("school");
    if (said.is_string()) d.body["payload"]["school"] = said;
    auto result = bench.send(d);
    if (*contact == '\0') {
      EXPECT_EQ(result->verdict, Verdict::rejected) << said.dump();
      EXPECT_EQ(result->code, "DUO_FIELD:school") << said.dump();
      EXPECT_TRUE(bench.world.bsn_asked.empty()) << said.dump();
      EXPECT_TRUE(bench.world.requests.empty()) << said.dump();
      continue;
    }
    ASSERT_EQ(result->verdict, Verdict::delivered) << said.dump() << result->code;
    const auto& body = bench.world.requests.at(0).body;
    EXPECT_NE(body.find(contact), std::string::npos) << said.dump();
    EXPECT_EQ(body.find("<vestiging>00YY01<") != std::string::npos, said == "00YY01") << said.dump();
  }
}

TEST(DuoVerzuim, LongAbsenceIsReportedAsSuchFromFourWeeksOn) {
  for (const auto& [from, code] : {std::pair{"2026-10-05", "LRV"}, std::pair{"2026-10-06", "V3"}}) {
    Fresh fresh;
    auto bench = fresh();
    Delivery d = delivery();
    d.body["payload"]["from_date"] = from;
    ASSERT_EQ(bench->send(d)->verdict, Verdict::delivered);
    EXPECT_NE(bench->world.requests[0].body.find(std::string("<verzuimsoort>") + code + "<"), std::string::npos)
        << from;
    EXPECT_NE(bench->world.requests[0].body.find("<datumEindVerzuim>2026-11-02<"), std::string::npos);
  }
}

TEST(DuoVerzuim, RefusedOrUnknownBsnIsRejected) {
  Fresh fresh;
  auto bench = fresh();
  bench->world.bsns.clear();
  EXPECT_EQ(bench->send(delivery())->code, "BSN_UNKNOWN");
  EXPECT_TRUE(bench->world.requests.empty());
}

TEST(DuoVerzuim, BadConfigurationIsRefused) {
  for (const auto& w : bad_configs_refused("duo_verzuim", config())) ADD_FAILURE() << w;
}

}  // namespace
}  // namespace schakel::test
