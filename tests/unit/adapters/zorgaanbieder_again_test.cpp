// The same e-invoice again after it was refused, whom it is made out to, and refusals that who pays has to know of.
#include "tests/unit/adapters/declaration_desk.hpp"

namespace schakel::test {
namespace {

std::string code_of(const HttpReply& reply) { return Json::parse(reply.body).value("code", ""); }
std::string answer_of(const HttpReply& reply) { return Json::parse(reply.body).value("antwoord", ""); }
std::string event_at(PluginBench& bench, std::size_t n) { return bench.world.events.at(n)["id"]; }

TEST(ZorgaanbiederAgain, AfterARefusalTheSameBytesAreANewAttempt) {
  for (const char* outcome : {"blocked", "quarantined"}) {
    auto bench = fresh_desk();
    auto first = post(*bench, ubl());
    EXPECT_EQ(code_of(first), "UBL_ACCEPTED");
    EXPECT_EQ(code_of(post(*bench, ubl())), "UBL_KNOWN") << "not decided yet";
    (void)bench->send(decision(event_at(*bench, 0), "held"));
    EXPECT_EQ(code_of(post(*bench, ubl())), "UBL_KNOWN") << "held";
    (void)bench->send(decision(event_at(*bench, 0), outcome, {"FUNDING_NOT_AGREED"}));
    auto second = post(*bench, ubl());
    EXPECT_EQ(code_of(second), "UBL_ACCEPTED");
    EXPECT_NE(answer_of(second), answer_of(first));
    ASSERT_EQ(bench->world.events.size(), 2U);
    EXPECT_NE(event_at(*bench, 1), event_at(*bench, 0));
    EXPECT_EQ(bench->world.events[1]["data"], bench->world.events[0]["data"]);
    EXPECT_EQ(code_of(post(*bench, ubl())), "UBL_KNOWN") << "of the new attempt";
    // The decision on the first one once more changes nothing of the second.
    (void)bench->send(decision(event_at(*bench, 0), outcome, {"FUNDING_NOT_AGREED"}));
    EXPECT_EQ(code_of(post(*bench, ubl())), "UBL_KNOWN");
    (void)bench->send(decision(event_at(*bench, 1), "delivered"));
    ASSERT_EQ(answers(*bench).size(), 2U);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(code_of(post(*bench, ubl())), "UBL_KNOWN") << "granted";
    EXPECT_EQ(bench->world.events.size(), 2U);
  }
}

TEST(ZorgaanbiederAgain, ARefusalOfTheRepeatIsOneMore) {
  auto bench = fresh_desk();
  for (std::size_t n = 0; n < 3; ++n) {
    EXPECT_EQ(code_of(post(*bench, ubl(true))), "UBL_ACCEPTED") << n;
    (void)bench->send(decision(event_at(*bench, n), "quarantined", {"INVOICE_CONFLICT"}));
  }
  EXPECT_EQ(bench->world.events.size(), 3U);
  EXPECT_EQ(answers(*bench).size(), 3U);
  bench->restart().value();
  EXPECT_EQ(code_of(post(*bench, ubl(true))), "UBL_ACCEPTED") << "also after a restart";
  EXPECT_EQ(bench->world.events.size(), 4U);
}

TEST(ZorgaanbiederAgain, TwoAtOnceAreOneNewAttempt) {
  auto bench = fresh_desk();
  (void)post(*bench, ubl());
  (void)bench->send(decision(event_at(*bench, 0), "blocked", {"FUNDING_NOT_AGREED"}));
  std::multiset<std::string> codes, ids;
  for (const auto& r : bench->together({posted(ubl()), posted(ubl()), posted(ubl())}, "hoeve"))
    codes.insert(code_of(r.value())), ids.insert(answer_of(r.value()));
  EXPECT_EQ(codes, (std::multiset<std::string>{"UBL_ACCEPTED", "UBL_KNOWN", "UBL_KNOWN"}));
  EXPECT_EQ(ids.count(*ids.begin()), 3U);
  EXPECT_EQ(bench->world.events.size(), 2U);
}

TEST(ZorgaanbiederAgain, ACrashAnywhereGivesOneNewAttempt) {
  auto refused = [] {
    auto bench = fresh_desk();
    (void)post(*bench, ubl());
    (void)bench->send(decision(event_at(*bench, 0), "blocked", {"FUNDING_NOT_AGREED"}));
    return bench;
  };
  auto clean = refused();
  clean->crash_at(0, CrashWhen::never);
  (void)post(*clean, ubl());
  ASSERT_GT(clean->awaits(), 4);
  for (int n = 1; n <= clean->awaits(); ++n)
    for (CrashWhen when : {CrashWhen::before, CrashWhen::after}) {
      auto bench = refused();
      bench->crash_at(n, when);
      (void)post(*bench, ubl());
      EXPECT_EQ(post(*bench, ubl()).status, 202) << n;
      ASSERT_EQ(bench->world.events.size(), 2U) << n;
      (void)bench->send(decision(event_at(*bench, 1), "delivered"));
      EXPECT_EQ(answers(*bench).size(), 2U) << n;
    }
}

TEST(ZorgaanbiederBuyer, WhoTheInvoiceIsMadeOutToGoesAlong) {
  auto buyer = [](formats::UblId legal, formats::UblId endpoint = {}) {
    auto config = declaration_config();
    config.erase("afnemers");
    PluginBench bench("zorgaanbieder", config);
    fs::create_directories(bench.folder() + "/antwoorden");
    fs::create_directories(bench.folder() + "/in");
    auto d = ubl_document();
    d.customization = formats::kEn16931;  // NLCIUS wants a KvK number or OIN
    d.customer.legal_id = std::move(legal);
    d.customer.endpoint = std::move(endpoint);
    auto reply = post(bench, written(d));
    EXPECT_EQ(reply.status, 202) << reply.body;
    return bench.world.events.empty() ? "?" : bench.world.events[0]["data"].value("buyer_id", "");
  };
  EXPECT_EQ(buyer({"0190", "00000099000100001000"}), "0190:00000099000100001000");
  EXPECT_EQ(buyer({"0106", "90000002"}), "0106:90000002");
  EXPECT_EQ(buyer({"0106", "90000002"}, {"0190", "00000099000100001000"}), "0106:90000002") << "who has to pay";
  EXPECT_EQ(buyer({}, {"0106", "90000002"}), "0106:90000002");
  EXPECT_EQ(buyer({"0088", "8719333027005"}), "") << "no number of organisations here";
}

TEST(ZorgaanbiederNotTaken, AForgedOrMisdirectedInvoiceIsToldOf) {
  auto bench = fresh_desk();
  bench->world.case_by_foreign = {{"ARR-77", "zaak-1"}};
  auto forged = ubl_document();
  forged.iban = "NL19TEST0001000001";
  EXPECT_EQ(post(*bench, written(forged)).status, 422);
  EXPECT_EQ(bench->world.not_taken, (std::vector<std::string>{"hoeve zaak-1 ZB-2026-0917 SCH-IBAN-OTHER"}));
  EXPECT_EQ(bench->world.metrics.size(), 2U) << "what was received, and by rule what was not taken";

  auto other = forged;
  other.customer.legal_id = {"0106", "90000009"};
  other.buyer_reference = "onbekend";
  EXPECT_EQ(post(*bench, written(other)).status, 422);
  EXPECT_EQ(bench->world.not_taken.size(), 3U);
  EXPECT_EQ(bench->world.not_taken[1], "hoeve  ZB-2026-0917 SCH-BUYER") << "of no case";
  EXPECT_EQ(bench->world.not_taken[2], "hoeve  ZB-2026-0917 SCH-IBAN-OTHER");
  EXPECT_TRUE(bench->world.events.empty());
  auto log = bench->log_text();
  EXPECT_NE(log.find("SCH-IBAN-OTHER"), std::string::npos);
  EXPECT_EQ(log.find("TEST0001"), std::string::npos);
  EXPECT_EQ(log.find("Hoeve"), std::string::npos);
  EXPECT_EQ(bench->leaks({"NL19TEST0001000001", "Testerman"}), std::vector<std::string>{});
}

TEST(ZorgaanbiederNotTaken, AMistakeOfTheSenderOrAStrangerIsNot) {
  auto bench = fresh_desk();
  auto late = ubl_document();
  late.issue_date = day("2036-01-01"), late.due_date = day("2036-02-01");
  EXPECT_EQ(post(*bench, written(late)).status, 422);
  auto forged = ubl_document();
  forged.iban = "NL19TEST0001000001";
  EXPECT_EQ(post(*bench, written(forged), "iemand-anders").status, 403);
  EXPECT_TRUE(bench->world.not_taken.empty());
  // A number that is none of ours does not get into a mail.
  forged.id = "F 2026: 'x'";
  EXPECT_EQ(post(*bench, written(forged)).status, 422);
  EXPECT_EQ(bench->world.not_taken, (std::vector<std::string>{"hoeve  - SCH-IBAN-OTHER"}));
}

TEST(MailSignal, FinanceIsToldOfAForgedInvoiceAndOfTwoUnderOneNumber) {
  PluginBench bench("mail", {{"message_id_domain", "facturen.schakel.example"}});
  auto tell = [&](const char* code, const char* rule) {
    Delivery d;
    d.id = std::string("afl-") + code + rule;
    d.kind = "signal";
    d.type = "signaal";
    d.role = "gemeente_financien";
    d.endpoint = {{"mail", "financien@gemeente-zandoever.example"}};
    d.body = {{"signal", {{"code", code}, {"rule", rule}, {"number", "F1"}, {"creditor", "hoeve"}, {"reason", rule}}}};
    return bench.send(d)->verdict;
  };
  EXPECT_EQ(tell("INVOICE_NOT_TAKEN", "SCH-IBAN-OTHER"), Verdict::delivered);
  EXPECT_EQ(tell("INVOICE_CONFLICT", "CORE-MONEY-06"), Verdict::delivered);
  ASSERT_EQ(bench.world.mails.size(), 2U);
  EXPECT_EQ(bench.world.mails[0].subject, "Factuur F1: is bij binnenkomst geweigerd");
  EXPECT_NE(bench.world.mails[0].text.find("Factuur F1 van hoeve"), std::string::npos);
  EXPECT_NE(bench.world.mails[0].text.find("rekening die niet van deze afzender bekend is"), std::string::npos);
  EXPECT_NE(bench.world.mails[0].text.find("uit uw eigen administratie"), std::string::npos);
  EXPECT_NE(bench.world.mails[1].text.find("CORE-MONEY-06"), std::string::npos);
}

}  // namespace
}  // namespace schakel::test
