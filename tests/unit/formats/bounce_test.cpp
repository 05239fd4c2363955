// Reports of mail servers and mailboxes (RFC 3464, RFC 8098), and mails that are none.
#include "core/formats/bounce.hpp"

#include <gtest/gtest.h>

namespace schakel::formats {
namespace {

std::string dsn(std::string action, std::string status, std::string id = "<factuur.1@schakel.example>",
                std::string more = "") {
  return "From: MAILER-DAEMON@mx.example\r\nContent-Type: multipart/report; report-type=delivery-status;\r\n "
         "boundary=\"=_b\"\r\n\r\n"
         "--=_b\r\nContent-Type: text/plain\r\n\r\nSorry. Message-ID: <ander@x>\r\n\r\n--=_b\r\nContent-Type: "
         "message/delivery-status\r\n\r\n"
         "Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; oza@swv.example\r\nAction: " +
         action + "\r\nStatus: " + status + " (x)\r\nDiagnostic-Code: smtp;\r\n 550 5.1.1 onbekend\r\n\r\n" + more +
         "--=_b\r\nContent-Type: message/rfc822\r\n\r\nSubject: Factuur\r\nMessage-ID:\r\n " + id +
         "\r\n\r\ntekst\r\n--=_b--\r\n";
}

TEST(Bounce, FailureNamesTheMailAndTheCode) {
  auto r = read_mail_report(dsn("failed", "5.1.1"));
  ASSERT_TRUE(r) << r.error().code;
  EXPECT_EQ(r->kind, MailReport::Kind::failed);
  EXPECT_EQ(r->status, "5.1.1");
  EXPECT_EQ(r->message_id, "factuur.1@schakel.example");
}

TEST(Bounce, EveryActionIsItsOwnKindWhateverTheCase) {
  EXPECT_EQ(read_mail_report(dsn("DELIVERED", "2.0.0"))->kind, MailReport::Kind::delivered);
  EXPECT_EQ(read_mail_report(dsn("delayed", "4.4.7"))->kind, MailReport::Kind::delayed);
  EXPECT_EQ(read_mail_report(dsn("relayed", "2.0.0"))->kind, MailReport::Kind::relayed);
}

TEST(Bounce, OfSeveralRecipientsTheWorstCounts) {
  auto r = read_mail_report(
      dsn("delivered", "2.0.0", "<a@b>", "Final-Recipient: rfc822; x@y\r\nAction: failed\r\nStatus: 5.2.2\r\n\r\n"));
  ASSERT_TRUE(r);
  EXPECT_EQ(r->kind, MailReport::Kind::failed);
  EXPECT_EQ(r->status, "5.2.2");
}

TEST(Bounce, DispositionNotificationIsReadByItsOriginalMessageId) {
  std::string mail =
      "Content-Type: multipart/report; report-type=disposition-notification; boundary=q\n\n--q\nContent-Type: "
      "text/plain\n\nok\n--q\n"
      "Content-Type: message/disposition-notification\n\nOriginal-Message-ID: <factuur.77@s.example>\nDisposition: "
      "automatic-action/MDN-sent-automatically; ";
  EXPECT_EQ(read_mail_report(mail + "displayed\n\n--q--\n")->kind, MailReport::Kind::delivered);
  EXPECT_EQ(read_mail_report(mail + "deleted/error\n\n--q--\n")->kind, MailReport::Kind::failed);
  EXPECT_EQ(read_mail_report(mail + "displayed\n\n--q--\n")->message_id, "factuur.77@s.example");
}

TEST(Bounce, OtherMailAndHostileMailAreRefused) {
  auto code = [](std::string mail) {
    auto r = read_mail_report(mail);
    return r ? "accepted" : r.error().code;
  };
  EXPECT_EQ(code(""), "BOUNCE_NOT_A_REPORT");
  EXPECT_EQ(code("Subject: Afwezig\n\nIk ben er niet.\n"), "BOUNCE_NOT_A_REPORT");
  EXPECT_EQ(code("Content-Type: multipart/report\n\nx"), "BOUNCE_NOT_A_REPORT");
  EXPECT_EQ(code("Content-Type: multipart/report; boundary=\"\"\n\nx"), "BOUNCE_NOT_A_REPORT");
  EXPECT_EQ(code("Content-Type: multipart/report; boundary=a\n\n--a\n--a\n--a\n--a--"), "BOUNCE_NOT_A_REPORT");
  EXPECT_EQ(code(dsn("exploded", "5.1.1")), "BOUNCE_NOT_A_REPORT");
  EXPECT_EQ(code(dsn("failed", "5.1.1", "<met spatie@x>")), "BOUNCE_NO_MESSAGE_ID");
  EXPECT_EQ(code(dsn("failed", "5.1.1", "<" + std::string(400, 'x') + ">")), "BOUNCE_NO_MESSAGE_ID");
  EXPECT_EQ(code(std::string(3 * 1024 * 1024, 'x')), "BOUNCE_TOO_LARGE");
  std::string deep = "Content-Type: multipart/report; boundary=a\n\n";
  for (int i = 0; i < 100'000; ++i) deep += "--a\n";
  EXPECT_EQ(code(deep), "BOUNCE_NOT_A_REPORT");
}

TEST(Bounce, AStatusThatIsNoneIsLeftOut) {
  EXPECT_EQ(read_mail_report(dsn("failed", "5.1.1.1"))->status, "");
  EXPECT_EQ(read_mail_report(dsn("failed", "oza@swv.example"))->status, "");
  EXPECT_EQ(read_mail_report(dsn("failed", "5.1.9999"))->status, "");
}

TEST(Bounce, WhatIsCutOffSaysWhatItHas) {
  auto whole = dsn("failed", "5.1.1");
  for (std::size_t n = 0; n < whole.size(); n += 7) {
    auto r = read_mail_report(std::string_view(whole).substr(0, n));
    if (r) {
      EXPECT_FALSE(r->message_id.empty());
    }
  }
}

}  // namespace
}  // namespace schakel::formats
