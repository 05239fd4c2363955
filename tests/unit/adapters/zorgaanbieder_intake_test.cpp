// What comes in at the desk: who may send it, what it is, and what is refused at once.
#include "tests/unit/adapters/declaration_desk.hpp"

namespace schakel::test {
namespace {

TEST(Zorgaanbieder, UsedDeclarationNumberIsAnsweredAtOnceWith9333) {
  auto bench = fresh_desk();
  (void)declare(*bench, "A1", "D1", {{"999990019", {line("P1", 100)}}});
  EXPECT_EQ(declare(*bench, "A2", "D1", {{"999990019", {line("P9", 100)}}}).status, 202);
  EXPECT_EQ(bench->world.events.size(), 1U);
  auto answer = only_answer(*bench);
  ASSERT_TRUE(answer.antwoord);
  EXPECT_EQ(answer.antwoord->retour, (std::vector<std::string>{"9333"}));
  EXPECT_EQ(answer.antwoord->toegekend, Cents(0));
}

TEST(Zorgaanbieder, UnknownPupilsAloneAreAnsweredAtOnce) {
  auto bench = fresh_desk();
  (void)declare(*bench, "A1", "D1", {{"999990032", {line("P1", 100)}}});
  auto answer = only_answer(*bench);
  ASSERT_TRUE(answer.antwoord);
  ASSERT_EQ(answer.antwoord->clienten.size(), 1U);
  EXPECT_EQ(answer.antwoord->clienten[0].retour, (std::vector<std::string>{"8187"}));
  EXPECT_EQ(answer.antwoord->clienten[0].prestaties[0].retour, (std::vector<std::string>{"0233"}));
  EXPECT_TRUE(bench->world.events.empty());
}

TEST(Zorgaanbieder, BrokenRuleRejectsTheWholeMessageAtOnce) {
  auto bench = fresh_desk();
  Jw323 d = three_pupils();
  d.totaal += Cents(1);  // IV086
  auto reply = post(*bench, text(d));
  EXPECT_EQ(reply.status, 202);
  EXPECT_EQ(Json::parse(reply.body)["code"], "JW323_REJECTED");
  EXPECT_TRUE(bench->world.events.empty());
  auto answer = only_answer(*bench);
  EXPECT_EQ(answer.retour, (std::vector<std::string>{"0001"}));
  EXPECT_FALSE(answer.antwoord);
}

TEST(Zorgaanbieder, UnreadableAndForeignInputGetsNoJw325) {
  auto bench = fresh_desk();
  std::string good = text(three_pupils());
  std::string broken = good;
  broken.replace(broken.find("<jw323:Afzender>"), 16, "<jw323:Verzender>");
  EXPECT_EQ(post(*bench, broken).status, 400);  // not well-formed any more
  std::string missing = good;
  auto from = missing.find("<jw323:DeclaratieNummer>"), to = missing.find("</jw323:DeclaratieNummer>");
  missing.erase(from, to + 25 - from);
  auto reply = post(*bench, missing);
  EXPECT_EQ(reply.status, 400) << reply.body;
  EXPECT_FALSE(Json::parse(reply.body)["fouten"].empty());
  EXPECT_EQ(reply.body.find("999990019"), std::string::npos);
  EXPECT_EQ(post(*bench, "geen xml").status, 415);
  EXPECT_EQ(post(*bench, "<!DOCTYPE x [<!ENTITY a 'b'>]>" + good).status / 100, 4);
  EXPECT_EQ(post(*bench, good, "iemand-anders").status, 403);
  EXPECT_EQ(post(*bench, good, "").status, 401);
  EXPECT_EQ(post(*bench, good, "hoeve", "text/html").status, 415);
  Jw323 elsewhere = three_pupils();
  elsewhere.ontvanger = "0363";
  EXPECT_EQ(post(*bench, text(elsewhere)).status, 403);
  EXPECT_TRUE(bench->world.events.empty());
  EXPECT_TRUE(answers(*bench).empty());
}

TEST(Zorgaanbieder, CrashAnywhereWhileReceivingLosesAndDoublesNothing) {
  int awaits = 0;
  {
    auto bench = fresh_desk();
    bench->crash_at(0, CrashWhen::never);
    (void)post(*bench, text(three_pupils()));
    awaits = bench->awaits();
  }
  ASSERT_GT(awaits, 15);
  for (int n = 1; n <= awaits; ++n)
    for (CrashWhen when : {CrashWhen::before, CrashWhen::after}) {
      auto bench = fresh_desk();
      bench->crash_at(n, when);
      (void)post(*bench, text(three_pupils()));
      auto again = post(*bench, text(three_pupils()));
      EXPECT_EQ(again.status, 202) << n;
      ASSERT_EQ(bench->world.events.size(), 2U) << n;
      for (std::size_t i = 0; i < 2; ++i)
        EXPECT_EQ(bench->send(decision(bench->world.events[i]["id"], "delivered"))->verdict, Verdict::delivered);
      EXPECT_EQ(only_answer(*bench).antwoord->toegekend, Cents(158334)) << n;
    }
}

TEST(Zorgaanbieder, BusyBrokerMeansTryAgainAndRefusedPartsAreRejectedLines) {
  auto bench = fresh_desk();
  bench->world.inbox = [](const Json&) -> Result<bool> { return fail(ErrorKind::unavailable, "STORE_BUSY", "later"); };
  auto reply = post(*bench, text(three_pupils()));
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.header("Retry-After"), "30");
  bench->world.inbox = [](const Json& e) -> Result<bool> {
    if (e["subject"] == "zaak-2") return fail(ErrorKind::forbidden, "NOT_ALLOWED", "no");
    return true;
  };
  EXPECT_EQ(post(*bench, text(three_pupils())).status, 202);
  (void)bench->send(decision(bench->world.events[0]["id"], "delivered"));
  EXPECT_EQ(only_answer(*bench).antwoord->toegekend, Cents(138333));
}

TEST(Zorgaanbieder, UblInvoiceBecomesAFactuurInGrossCents) {
  auto bench = fresh_desk();
  bench->world.case_by_foreign["ARR-77"] = "zaak-1";
  EXPECT_EQ(post(*bench, ubl()).status, 202);
  ASSERT_EQ(bench->world.events.size(), 1U);
  const Json& e = bench->world.events[0];
  EXPECT_EQ(e["subject"], "zaak-1");
  EXPECT_EQ(e["data"]["number"], "ZB-2026-0917");
  EXPECT_EQ(e["data"]["lines"],
            Json::parse(R"([{"kind":"zorg","cents":105000,"vat_cents":0,"percent":"0","category":"O","product":"ZORG"},
                            {"kind":"grijs","cents":33333,"vat_cents":0,"percent":"0","category":"O","product":"GRIJS"}])"));
  EXPECT_EQ(e.dump().find("Testerman"), std::string::npos);
  EXPECT_EQ(post(*bench, ubl()).status, 202);
  EXPECT_EQ(bench->world.events.size(), 1U);
  EXPECT_EQ(post(*bench, ubl(), "iemand-anders").status, 403);
}

TEST(Zorgaanbieder, UblVatIsLaidOnTheLinesToTheCent) {
  auto bench = fresh_desk();
  EXPECT_EQ(post(*bench, ubl(false, 21)).status, 202);
  const Json& data = bench->world.events.at(0)["data"];
  EXPECT_EQ(data["vat_cents"], 29050);
  EXPECT_EQ(data["lines"][0]["cents"].get<int>() + data["lines"][1]["cents"].get<int>(), 138333 + 29050);
  EXPECT_EQ(data["reference"], "ARR-77");  // the broker finds the case, or parks it
}

TEST(Zorgaanbieder, UblCreditNoteNamesItsInvoice) {
  auto bench = fresh_desk();
  EXPECT_EQ(post(*bench, ubl(true)).status, 202);
  EXPECT_EQ(bench->world.events.at(0)["type"], "nl.schakel.creditnota.v1");
  EXPECT_EQ(bench->world.events.at(0)["data"]["credits"], "ZB-2026-0917");
}

TEST(Zorgaanbieder, FolderIsReadAndSorted) {
  auto bench = fresh_desk();
  std::ofstream(bench->folder() + "/in/1.xml") << text(three_pupils());
  std::ofstream(bench->folder() + "/in/2.xml") << ubl();
  std::ofstream(bench->folder() + "/in/3.xml") << "<kapot";
  ASSERT_TRUE(bench->poll());
  EXPECT_EQ(bench->world.events.size(), 3U);
  EXPECT_TRUE(fs::exists(bench->folder() + "/in/done/1.xml"));
  EXPECT_TRUE(fs::exists(bench->folder() + "/in/done/2.xml"));
  EXPECT_TRUE(fs::exists(bench->folder() + "/in/error/3.xml"));
  EXPECT_TRUE(fs::exists(bench->folder() + "/in/error/3.xml.reason"));
}

TEST(Zorgaanbieder, ARefusedEnvelopeIsAnsweredWithAFaultAndNothingGoesOn) {
  auto good = text(declaration("A1", "D1", {{"999990019", {line("P1", 100)}}}));
  Jw323 elsewhere = three_pupils();
  elsewhere.ontvanger = "0363";
  std::string not_ours = in_envelope(good), old = not_ours;
  not_ours.replace(not_ours.find(">0400<"), 6, ">0363<");
  old.replace(old.find("functieVersie>0003"), 18, "functieVersie>0002");
  for (const auto& [envelope, code] : {std::pair{in_envelope("<geen/>"), "GGK_CONTENT"},
                                       {in_envelope(good, "98765432", "WMO323"), "GGK_CONTENT"},
                                       {in_envelope(good, "11111111"), "ENVELOPE_SENDER_IS_ANOTHER"},
                                       {in_envelope(text(elsewhere)), "RECEIVER_IS_ANOTHER"},
                                       {not_ours, "ENVELOPE_RECEIVER_IS_ANOTHER"},
                                       {old, "GGK_VERSION"},
                                       {in_envelope(in_envelope(good)), "GGK_CONTENT"}}) {
    auto bench = fresh_desk();
    auto reply = post(*bench, in_soap(envelope), "hoeve", "text/xml");
    EXPECT_EQ(reply.status, 500);
    auto said = formats::read_soap(reply.body);
    ASSERT_TRUE(said && said->fault()) << code;
    EXPECT_EQ(said->fault()->text, code);
    EXPECT_TRUE(bench->world.events.empty());
    std::ofstream(bench->folder() + "/in/1.xml") << envelope;
    ASSERT_TRUE(bench->poll());
    EXPECT_TRUE(bench->world.events.empty());
    auto fault = answers(*bench);
    ASSERT_EQ(fault.size(), 1U) << code;
    EXPECT_NE(fault[0].find("Fo01"), std::string::npos);
  }
}

TEST(Zorgaanbieder, WhatIsTooLargeIsRefusedBeforeItIsRead) {
  auto bench = fresh_desk();
  std::string big = text(three_pupils());
  big.insert(big.find("?>") + 2, std::string(26 * 1024 * 1024, ' '));
  EXPECT_EQ(post(*bench, big).status, 413);
  std::ofstream(bench->folder() + "/in/1.xml") << big;
  ASSERT_TRUE(bench->poll());
  EXPECT_TRUE(fs::exists(bench->folder() + "/in/error/1.xml"));
  EXPECT_TRUE(bench->world.events.empty());
}

TEST(Zorgaanbieder, WithoutBuyersAndAccountsInTheSettingsAnybodyAndAnyAccountWillDo) {
  Json config = declaration_config();
  config.erase("afnemers"), config.erase("rekeningen");
  auto d = ubl_document();
  d.customer.legal_id = {"0106", "90000077"};
  d.iban = "NL19TEST0001000001";
  PluginBench open("zorgaanbieder", config);
  for (const char* folder : {"/antwoorden", "/in"}) fs::create_directories(open.folder() + folder);
  EXPECT_EQ(post(open, written(d)).status, 202);
  // The account is told by its hash alone.
  const Json& data = open.world.events.at(0)["data"];
  EXPECT_EQ(data["payment_account"], sha256_hex("NL19TEST0001000001"));
  EXPECT_EQ(data.dump().find("TEST0001"), std::string::npos);
}

TEST(Zorgaanbieder, APlainInvoiceIsForWhomItsEndpointNamesWhereItNamesNoEntity) {
  auto bench = fresh_desk();
  auto d = ubl_document();
  d.customization = formats::kEn16931;
  d.customer.endpoint = std::exchange(d.customer.legal_id, {});
  EXPECT_EQ(post(*bench, written(d)).status, 202);
  d.customer.endpoint = {"0106", "90000077"}, d.id = "ZB-2";
  auto reply = post(*bench, written(d));
  EXPECT_EQ(reply.status, 422);
  EXPECT_NE(reply.body.find("SCH-BUYER"), std::string::npos);
}

TEST(Zorgaanbieder, AsManyLinesOfAPupilAsAreCarriedGoOn) {
  auto bench = fresh_desk();
  std::vector<IjwPrestatie> lines;
  for (int i = 0; i < 600; ++i) lines.push_back(line(fmt::format("M{}", i).c_str(), 100)), lines.back().toewijzing = i;
  EXPECT_EQ(declare(*bench, "A1", "D1", {{"999990019", lines}}).status, 202);
  ASSERT_EQ(bench->world.events.size(), 1U);
  EXPECT_EQ(bench->world.events[0]["data"]["lines"].size(), 600U);
}

TEST(Zorgaanbieder, BadConfigurationIsRefused) {
  Json c = declaration_config();
  c["answer_folder"] = c["in_folder"] = "/tmp";
  for (const auto& w : bad_configs_refused("zorgaanbieder", c)) ADD_FAILURE() << w;
}

}  // namespace
}  // namespace schakel::test
