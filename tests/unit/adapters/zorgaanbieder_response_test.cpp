// What the sender of an e-invoice is told: an Invoice Response, once, whatever breaks off.
#include "core/formats/xml.hpp"
#include "tests/unit/adapters/declaration_desk.hpp"

namespace schakel::test {
namespace {

HttpReply fetch(PluginBench& bench, const std::string& id, const std::string& party = "hoeve") {
  HttpRequest r;
  r.method = "GET";
  r.url = "/in/zorgaanbieder/antwoorden/" + id;
  auto reply = bench.request(r, party);
  return reply ? reply->value() : HttpReply{0, {}, {}};
}

/// "RE|380 ZB-2026-0917|reason".
std::string said(const std::string& text) {
  auto read = formats::read_xml(text);
  if (!read) return "not XML";
  auto response = read->root().child(formats::kCac, "DocumentResponse");
  auto answer = response.child(formats::kCac, "Response"), about = response.child(formats::kCac, "DocumentReference");
  return fmt::format("{}|{} {}|{}", answer.child(formats::kCbc, "ResponseCode").text(),
                     about.child(formats::kCbc, "DocumentTypeCode").text(), about.child(formats::kCbc, "ID").text(),
                     answer.child(formats::kCac, "Status").child(formats::kCbc, "StatusReason").text());
}

std::string posted_ubl(PluginBench& bench) {
  auto reply = post(bench, ubl());
  EXPECT_EQ(reply.status, 202) << reply.body;
  return Json::parse(reply.body)["antwoord"];
}

/// What the POST names is the same each time.
std::string ubl_answer_of(PluginBench& bench) {
  for (int i = 0; i < 2; ++i)
    if (auto reply = post(bench, ubl()); reply.status == 202) return Json::parse(reply.body)["antwoord"];
  return "";
}

Delivery refusal(const std::string& code, const std::string& number, const std::string& party = "hoeve") {
  Delivery d;
  d.id = "afl-later-" + code;
  d.kind = "signal";
  d.type = "signaal";
  d.role = "zorgaanbieder_billing";
  d.endpoint = {{"party", party}};
  d.body = {{"signal", {{"code", code}, {"number", number}, {"payer", "swv"}, {"reason", "ONBEKEND_KENMERK"}}}};
  return d;
}

TEST(InvoiceResponse, RefusedEInvoiceIsAnsweredWithItsReasonAndOnlyToItsSender) {
  auto bench = fresh_desk();
  auto id = posted_ubl(*bench);
  EXPECT_EQ(fetch(*bench, id).status, 202);  // not decided yet
  EXPECT_EQ(fetch(*bench, id, "iemand-anders").status, 404);
  EXPECT_EQ(bench->send(decision(bench->world.events.at(0)["id"], "held"))->code, "STILL_HELD");
  EXPECT_TRUE(answers(*bench).empty());

  auto sent = bench->send(decision(bench->world.events.at(0)["id"], "blocked", {"FUNDING_NOT_AGREED"}));
  EXPECT_EQ(sent->verdict, Verdict::delivered);
  EXPECT_EQ(sent->code, "DECISION_KEPT");
  ASSERT_EQ(answers(*bench).size(), 1U);
  auto text = answers(*bench)[0];
  EXPECT_TRUE(said(text).starts_with("RE|380 ZB-2026-0917|FUNDING_NOT_AGREED: ")) << said(text);
  EXPECT_EQ(text.find("Testerman"), std::string::npos);
  EXPECT_EQ(fetch(*bench, id).body, text);
  EXPECT_EQ(fetch(*bench, id, "iemand-anders").status, 404);
  // The same decision again, and another one that comes too late: what was said stands.
  (void)bench->send(decision(bench->world.events.at(0)["id"], "delivered"));
  ASSERT_EQ(answers(*bench).size(), 1U);
  EXPECT_EQ(answers(*bench)[0], text);
}

TEST(InvoiceResponse, ACreditThatIsTooLargeIsNotToldAsANumberThatWasUsed) {
  auto told = [](const char* detail) {
    auto bench = fresh_desk();
    (void)posted_ubl(*bench);
    auto refused = decision(bench->world.events.at(0)["id"], "quarantined", {"INVOICE_CONFLICT"});
    refused.body["signal"]["detail"] = detail;
    (void)bench->send(refused);
    return answers(*bench).size() == 1 ? said(answers(*bench)[0]) : std::string("no answer");
  };
  EXPECT_EQ(told("INVOICE_CONFLICT:left_cents"),
            "RE|380 ZB-2026-0917|INVOICE_CONFLICT: de creditnota is hoger dan wat er van de factuur over is");
  EXPECT_EQ(told("INVOICE_CONFLICT:no_such_fact"),
            "RE|380 ZB-2026-0917|INVOICE_CONFLICT: zelfde nummer, andere inhoud");
  EXPECT_EQ(told("FUNDING_NOT_AGREED"), told("INVOICE_CONFLICT"));
}

TEST(InvoiceResponse, PassedOnIsInProcessAlsoWhenTheSameCameInOtherBytes) {
  for (const char* outcome : {"delivered", "recorded"}) {
    auto bench = fresh_desk();
    (void)posted_ubl(*bench);
    (void)bench->send(decision(bench->world.events.at(0)["id"], outcome));
    ASSERT_EQ(answers(*bench).size(), 1U) << outcome;
    EXPECT_EQ(said(answers(*bench)[0]), "IP|380 ZB-2026-0917|") << outcome;
    // The same invoice with a comment in it.
    auto other = ubl();
    other.insert(other.find("<cbc:ID>"), "<!-- nogmaals -->");
    (void)post(*bench, other);
    (void)bench->send(decision(bench->world.events.at(1)["id"], "dropped_duplicate"));
    ASSERT_EQ(answers(*bench).size(), 2U) << outcome;
    for (const auto& text : answers(*bench)) EXPECT_EQ(said(text), "IP|380 ZB-2026-0917|");
  }
}

TEST(InvoiceResponse, ARepeatOfWhatIsHeldIsNotCalledPassedOn) {
  auto bench = fresh_desk();
  (void)posted_ubl(*bench);
  EXPECT_EQ(bench->send(decision(bench->world.events.at(0)["id"], "dropped_duplicate"))->code, "STILL_HELD");
  EXPECT_TRUE(answers(*bench).empty());
}

TEST(InvoiceResponse, WhatHappensLaterIsOneMoreAnswer) {
  auto bench = fresh_desk();
  (void)posted_ubl(*bench);
  (void)bench->send(decision(bench->world.events.at(0)["id"], "delivered"));
  EXPECT_EQ(bench->send(refusal("INVOICE_REFUSED", "ZB-2026-0917"))->verdict, Verdict::delivered);
  EXPECT_EQ(bench->send(refusal("INVOICE_REFUSED", "ZB-2026-0917"))->verdict, Verdict::delivered);
  EXPECT_EQ(bench->send(refusal("INVOICE_UNDELIVERABLE", "ZB-2026-0917"))->verdict, Verdict::delivered);
  std::multiset<std::string> codes;
  for (const auto& text : answers(*bench)) codes.insert(said(text).substr(0, 2));
  EXPECT_EQ(codes, (std::multiset<std::string>{"IP", "RE", "UQ"}));

  // Another party's number, one that never came in here, a declaration's: a person has to tell.
  EXPECT_EQ(bench->send(refusal("INVOICE_REFUSED", "ZB-2026-0917", "ander"))->code, "NO_WAY_TO_TELL");
  EXPECT_EQ(bench->send(refusal("INVOICE_REFUSED", "98765432-D1-1"))->verdict, Verdict::rejected);
  EXPECT_EQ(answers(*bench).size(), 3U);
}

TEST(InvoiceResponse, CrashAnywhereLosesAndDoublesNothing) {
  int awaits = 0;
  {
    auto bench = fresh_desk();
    bench->crash_at(0, CrashWhen::never);
    (void)posted_ubl(*bench);
    (void)bench->send(decision(bench->world.events.at(0)["id"], "blocked", {"DUPLICATE"}));
    awaits = bench->awaits();
  }
  ASSERT_GT(awaits, 8);
  for (int n = 1; n <= awaits; ++n)
    for (CrashWhen when : {CrashWhen::before, CrashWhen::after}) {
      auto bench = fresh_desk();
      bench->crash_at(n, when);
      // The crash falls into the first post, or into what comes after it: then that is what is repeated.
      if (post(*bench, ubl()).status != 202) (void)post(*bench, ubl());
      auto id = ubl_answer_of(*bench);
      ASSERT_EQ(bench->world.events.size(), 1U) << n;
      auto decided = decision(bench->world.events.at(0)["id"], "blocked", {"DUPLICATE"});
      (void)bench->send(decided);
      auto again = bench->send(decided);
      ASSERT_TRUE(again) << n;
      EXPECT_EQ(again->verdict, Verdict::delivered) << n;
      ASSERT_EQ(answers(*bench).size(), 1U) << n;
      EXPECT_EQ(said(answers(*bench)[0]).substr(0, 2), "RE") << n;
      EXPECT_EQ(fetch(*bench, id).body, answers(*bench)[0]) << n;
    }
}

}  // namespace
}  // namespace schakel::test
