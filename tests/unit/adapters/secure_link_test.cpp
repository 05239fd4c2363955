#include <gmock/gmock.h>

#include "tests/support/plugin_bench.hpp"

namespace schakel::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::unique_ptr<PluginBench> fresh() {
  auto b = std::make_unique<PluginBench>(
      "secure_link", Json{{"message_id_domain", "schakel.example"}, {"signature", "SWV De Verzonnen Kust"}});
  b->clock.set(*parse_instant("2026-09-17T09:00:00Z"));
  return b;
}

Delivery delivery(std::string kind = "documents") {
  Delivery d;
  d.id = "afl-1";
  d.kind = std::move(kind);
  d.message_id = "m-1";
  d.type = "documentlevering";
  d.case_id = "zaak-1";
  d.pseudonym = "OZA-7K3F-9Q2M";
  d.role = "orthopedagoog";
  d.endpoint = {{"mail", "sam@swv.example"}, {"second_factor", "sms:+31612345678"}, {"person", "p2"}};
  d.body = {{"type", "documentlevering"},
            {"meeting", {{"kind", "OT"}, {"at", "2026-10-15T08:00:00.000Z"}}},
            {"payload", {{"naam", "Pluk Testerman"}, {"toelichting", "diagnose"}}}};
  d.documents = {{"doc-1", "opp", "application/pdf", "opp.pdf", "", 1, 100}};
  return d;
}

std::string picture(PluginBench& b) {
  // Mails of one delivery count as one: the last secret is the only one that works.
  std::set<std::string> out;
  for (const auto& m : b.world.mails) out.insert(m.to + m.subject);
  return ::testing::PrintToString(out);
}

TEST(SecureLinkAdapter, MailHasTheLinkAndNoContentNoNameNoCode) {
  auto b = fresh();
  auto r = b->send(delivery());
  ASSERT_TRUE(r);
  EXPECT_EQ(r->verdict, Verdict::delivered) << r->code;
  ASSERT_EQ(b->world.mails.size(), 1u);
  const auto& m = b->world.mails[0];
  EXPECT_EQ(m.to, "sam@swv.example");
  EXPECT_THAT(m.text, HasSubstr("#"));
  EXPECT_THAT(m.text, HasSubstr("OZA-7K3F-9Q2M"));
  EXPECT_THAT(m.text, HasSubstr("15 oktober 2026"));
  EXPECT_THAT(m.text, HasSubstr("SWV De Verzonnen Kust"));
  EXPECT_TRUE(m.attachments.empty());
  for (auto word : {"Pluk", "Testerman", "diagnose", "opp.pdf", "doc-1", "31612345678", "zaak-1"}) {
    EXPECT_THAT(m.text, Not(HasSubstr(word)));
    EXPECT_THAT(m.subject, Not(HasSubstr(word)));
  }
  EXPECT_TRUE(b->leaks({"Testerman", "diagnose", "31612345678"}).empty());
  EXPECT_TRUE(b->world.undeclared.empty());
}

TEST(SecureLinkAdapter, RepeatOfASentDeliverySendsNothingMore) {
  auto b = fresh();
  ASSERT_EQ(b->send(delivery())->verdict, Verdict::delivered);
  ASSERT_TRUE(b->restart());
  EXPECT_EQ(b->send(delivery())->verdict, Verdict::delivered);
  EXPECT_EQ(b->world.mails.size(), 1u);
}

TEST(SecureLinkAdapter, WhatAPersonSendsAgainIsMailedOnceMoreWithALinkOfItsOwn) {
  auto b = fresh();
  ASSERT_EQ(b->send(delivery())->verdict, Verdict::delivered);
  auto again = delivery();
  again.generation = 1;
  for (int i = 0; i < 2; ++i) ASSERT_EQ(b->send(again)->verdict, Verdict::delivered);
  ASSERT_EQ(b->world.mails.size(), 2u) << "a retry of it sends nothing more";
  EXPECT_THAT(b->world.mails[0].text, HasSubstr("/l/afl-1#"));
  EXPECT_THAT(b->world.mails[1].text, HasSubstr("/l/afl-1-1#"));
  EXPECT_NE(b->world.mails[0].message_id, b->world.mails[1].message_id);
}

TEST(SecureLinkAdapter, CrashAtEveryAwaitEndsInOneDeliveredLink) {
  EXPECT_THAT(crash_everywhere(fresh, delivery(), picture), ::testing::IsEmpty());
}

TEST(SecureLinkAdapter, MailServerAnswersBecomeVerdicts) {
  for (auto& [error, verdict] : {std::pair{Error{ErrorKind::invalid, "MAIL_REFUSED", ""}, Verdict::rejected},
                                 {Error{ErrorKind::unavailable, "MAIL_LATER", ""}, Verdict::retry_later},
                                 {Error{ErrorKind::timeout, "MAIL_OUTCOME_UNKNOWN", ""}, Verdict::retry_later}}) {
    auto b = fresh();
    b->world.mail_server = [&](const Mail&) -> Result<std::string> { return fail(error); };
    auto r = b->send(delivery());
    ASSERT_TRUE(r);
    EXPECT_EQ(r->verdict, verdict) << error.code;
  }
}

TEST(SecureLinkAdapter, AddressThatCouldAddAHeaderIsRejected) {
  for (auto bad : {"", "geen adres", "a@b.example\r\nBcc: x@y.example", "a@b.example,c@d.example", "a@b@c",
                   "Sam <sam@swv.example>", "@x", "x@"}) {
    auto b = fresh();
    auto d = delivery();
    d.endpoint["mail"] = bad;
    auto r = b->send(d);
    ASSERT_TRUE(r);
    EXPECT_EQ(r->verdict, Verdict::rejected) << bad;
    EXPECT_TRUE(b->world.mails.empty());
  }
}

TEST(SecureLinkAdapter, RevocationSaysThatAccessEndedAndMakesNoLink) {
  auto b = fresh();
  auto r = b->send(delivery("revocation"));
  ASSERT_TRUE(r);
  EXPECT_EQ(r->verdict, Verdict::delivered);
  ASSERT_EQ(b->world.mails.size(), 1u);
  EXPECT_THAT(b->world.mails[0].subject, HasSubstr("beëindigd"));
  EXPECT_THAT(b->world.mails[0].text, Not(HasSubstr("http")));
}

TEST(SecureLinkAdapter, HostileTextsInEveryFieldNeverReachSubjectOrAddress) {
  const std::string evil = "x\r\nBcc: kwaad@example.org\r\n\r\n<script>";
  auto b = fresh();
  auto d = delivery();
  d.body["meeting"]["kind"] = evil;
  d.body["type"] = evil;
  d.role = evil;
  d.message_id = evil;
  d.documents[0].file_name = evil;
  auto r = b->send(d);
  ASSERT_TRUE(r);
  for (const auto& m : b->world.mails) {
    EXPECT_EQ(m.to, "sam@swv.example");
    EXPECT_THAT(m.subject, Not(HasSubstr("Bcc")));
    EXPECT_THAT(m.message_id, Not(HasSubstr("Bcc")));
    EXPECT_THAT(m.text, Not(HasSubstr("Bcc")));
  }
}

}  // namespace
}  // namespace schakel::test
