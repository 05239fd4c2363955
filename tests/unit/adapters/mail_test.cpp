#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/formats/ubl.hpp"
#include "tests/support/plugin_bench.hpp"
#include "tests/unit/adapters/invoice_delivery.hpp"

namespace schakel::test {
namespace {

Json config() { return {{"message_id_domain", "facturen.schakel.example"}}; }

std::unique_ptr<PluginBench> fresh(Json c = config()) { return std::make_unique<PluginBench>("mail", std::move(c)); }

formats::UblDocument ubl_of(const Mail& mail) {
  auto read = formats::read_ubl(as_text(mail.attachments.at(0).content));
  for (const auto& f : read.findings) ADD_FAILURE() << f.rule << ' ' << f.message << ' ' << f.pointer;
  return read.document.value();
}

std::string picture(PluginBench& b) {
  std::set<std::string> out;
  for (const auto& m : b.world.mails) {
    std::string all = m.to + m.subject + m.message_id + m.text;
    for (const auto& a : m.attachments) all += a.name + std::string(as_text(a.content));
    out.insert(m.message_id + fmt::format(" {}", std::hash<std::string>{}(all)));
  }
  return ::testing::PrintToString(out);
}

TEST(MailInvoice, ShareIsOneMailWithUblAndPdfToTheCent) {
  auto bench = fresh();
  auto result = bench->send(invoice_delivery());
  ASSERT_EQ(result->verdict, Verdict::delivered) << result->code;
  ASSERT_EQ(bench->world.mails.size(), 1U);
  const auto& mail = bench->world.mails[0];
  EXPECT_EQ(mail.to, "oza@swvkopvannoordholland.nl");
  EXPECT_EQ(mail.subject, "Factuur DB-ZB-2026-0917 - Gemeente Zandoever - arrangement ps-4711");
  ASSERT_EQ(mail.attachments.size(), 2U);
  EXPECT_EQ(mail.attachments[0].name, "DB-ZB-2026-0917.xml");
  EXPECT_EQ(mail.attachments[0].media_type, "application/xml");
  EXPECT_EQ(mail.attachments[1].name, "DB-ZB-2026-0917.pdf");
  EXPECT_EQ(as_text(mail.attachments[1].content).substr(0, 5), "%PDF-");
  auto ubl = ubl_of(mail);
  EXPECT_EQ(ubl.payable, Cents(36666));
  ASSERT_EQ(ubl.lines.size(), 1U);
  EXPECT_EQ(ubl.lines[0].net, Cents(36666)) << "166.66 and 200.00 do not add up in binary, so they are one line";
  EXPECT_EQ(ubl.supplier.legal_id.scheme, "0190");
  EXPECT_EQ(ubl.customer.legal_id.value, "90000002");
  EXPECT_EQ(ubl.buyer_reference, "ps-4711");
  EXPECT_EQ(ubl.iban, "NL19TEST0001000001");
  ASSERT_EQ(ubl.attachments.size(), 1U);
  EXPECT_EQ(ubl.attachments[0].content, mail.attachments[1].content);
  EXPECT_TRUE(bench->leaks({"Testerman", "zaak-1"}).empty());
  EXPECT_EQ(as_text(mail.attachments[0].content).find("Testerman"), std::string::npos);
}

TEST(MailInvoice, CrashAtAnyAwaitGivesTheSameMailAgainOrNone) {
  for (const auto& w : crash_everywhere([] { return fresh(); }, invoice_delivery(), picture)) ADD_FAILURE() << w;
}

TEST(MailInvoice, AMailThatWasTakenIsNotSentAgain) {
  auto bench = fresh();
  (void)bench->send(invoice_delivery());
  (void)bench->restart();
  EXPECT_EQ(bench->send(invoice_delivery())->verdict, Verdict::delivered);
  EXPECT_EQ(bench->world.mails.size(), 1U);
}

TEST(MailInvoice, ServerRepliesBecomeVerdicts) {
  struct Row {
    Error error;
    Verdict verdict;
  };
  for (const auto& [error, verdict] : {Row{{ErrorKind::invalid, "MAIL_REFUSED", "550", {}}, Verdict::rejected},
                                       Row{{ErrorKind::unavailable, "MAIL_LATER", "451", {}}, Verdict::retry_later},
                                       Row{{ErrorKind::timeout, "MAIL_OUTCOME_UNKNOWN", "", {}}, Verdict::unknown},
                                       Row{{ErrorKind::invalid, "MAIL_HEADER", "", {}}, Verdict::rejected}}) {
    auto bench = fresh();
    bench->world.mail_server = [&error](const Mail&) -> Result<std::string> { return fail(error); };
    auto result = bench->send(invoice_delivery());
    EXPECT_EQ(result->verdict, verdict) << error.code;
    EXPECT_EQ(result->code, error.code);
  }
}

TEST(MailInvoice, CreditNoteIsPositiveAndNamesTheInvoice) {
  auto bench = fresh();
  Delivery d = invoice_delivery();
  auto& inv = d.body["invoice"];
  inv["number"] = "CN-ZBC-2026-0031";
  inv["kind"] = "creditnota";
  inv["amount_cents"] = -1666;
  inv["net_cents"] = -1666;
  inv["credits"] = "DB-ZB-2026-0917";
  inv["lines"] =
      Json::array({{{"kind", "grijs"}, {"cents", -3333}, {"share_cents", -1666}, {"description", "grijs gebied"}}});
  auto result = bench->send(with_document(d));
  ASSERT_EQ(result->verdict, Verdict::delivered) << result->code;
  auto ubl = ubl_of(bench->world.mails[0]);
  EXPECT_TRUE(ubl.credit_note);
  EXPECT_EQ(ubl.payable, Cents(1666));
  EXPECT_EQ(ubl.billing_references, (std::vector<std::string>{"DB-ZB-2026-0917"}));
  EXPECT_TRUE(bench->world.mails[0].subject.starts_with("Creditnota "));
}

TEST(MailInvoice, VatOfTheProviderIsPassedThroughNotComputed) {
  auto bench = fresh();
  Delivery d = invoice_delivery();
  auto& inv = d.body["invoice"];
  inv["amount_cents"] = 216052;
  inv["vat_cents"] = 37496;
  inv["net_cents"] = 178556;
  inv["lines"] = Json::array();
  ASSERT_EQ(bench->send(with_document(d))->verdict, Verdict::delivered);
  auto ubl = ubl_of(bench->world.mails[0]);
  EXPECT_EQ(ubl.payable, Cents(216052));
  EXPECT_EQ(ubl.tax_total, Cents(0));
  ASSERT_FALSE(ubl.notes.empty());
  EXPECT_NE(ubl.notes.back().find("374,96"), std::string::npos);

  // A VAT number alone makes nobody charge VAT: the category decides (CORE-MONEY-05).
  inv["seller"]["vat_number"] = "NL123456789B01";
  inv["buyer"]["vat_number"] = "NL987654321B01";
  inv["number"] = "DE-SB-76";
  ASSERT_EQ(bench->send(with_document(d))->verdict, Verdict::delivered);
  EXPECT_EQ(ubl_of(bench->world.mails[1]).tax_total, Cents(0));
  EXPECT_EQ(ubl_of(bench->world.mails[1]).taxes.at(0).category, "O");
  // And no rate is guessed: 374.96 on 1785.56 looks like 21 %, and the source does not say so.
  inv["seller"]["vat_category"] = "S";
  inv["number"] = "DE-SB-77";
  auto unsound = delivery::make_document(d, Json::object());
  ASSERT_FALSE(unsound);
  EXPECT_EQ(unsound.error().code, "INVOICE_MALFORMED");
  inv["vat_rates"] = Json::array({{{"percent", "21"}, {"net_cents", 178556}, {"vat_cents", 37496}}});
  ASSERT_EQ(bench->send(with_document(d))->verdict, Verdict::delivered);
  auto with = ubl_of(bench->world.mails[2]);
  EXPECT_EQ(with.tax_total, Cents(37496));
  EXPECT_EQ(with.tax_exclusive, Cents(178556));
  EXPECT_EQ(with.payable, Cents(216052));
}

TEST(MailInvoice, WithoutADocumentNothingIsMailed) {
  auto bench = fresh();
  Delivery d = invoice_delivery();
  d.invoice.reset();
  auto result = bench->send(d);
  EXPECT_EQ(result->verdict, Verdict::rejected);
  EXPECT_EQ(result->code, "INVOICE_NO_DOCUMENT");
  EXPECT_TRUE(bench->world.mails.empty());
}

TEST(MailInvoice, APersonSendsTheSameMailOnceMoreARetryDoesNot) {
  auto bench = fresh();
  Delivery d = invoice_delivery();
  ASSERT_EQ(bench->send(d)->verdict, Verdict::delivered);
  for (int generation : {1, 2}) {
    d.generation = generation;
    for (int attempt = 0; attempt < 2; ++attempt) {
      ASSERT_TRUE(bench->restart());
      EXPECT_EQ(bench->send(d)->verdict, Verdict::delivered);
    }
  }
  ASSERT_EQ(bench->world.mails.size(), 3U) << "the first, and one for each time a person asked";
  for (const auto& mail : bench->world.mails) {
    EXPECT_EQ(mail.message_id, bench->world.mails[0].message_id);
    ASSERT_EQ(mail.attachments.size(), 2U);
    for (std::size_t i = 0; i < 2; ++i)
      EXPECT_EQ(mail.attachments[i].content, bench->world.mails[0].attachments[i].content);
  }
  d.generation = 3;
  for (const auto& w : crash_everywhere([] { return fresh(); }, d, picture)) ADD_FAILURE() << w;
}

TEST(MailInvoice, AnotherConfigurationChangesNothingOfADocumentThatWasMade) {
  Delivery d = with_document(invoice_delivery(), config());
  auto before = fresh(), after = fresh({{"message_id_domain", "anders.example"}, {"payment_days", 14}});
  ASSERT_EQ(before->send(d)->verdict, Verdict::delivered);
  ASSERT_EQ(after->send(d)->verdict, Verdict::delivered);
  EXPECT_EQ(before->world.mails[0].message_id, after->world.mails[0].message_id);
  EXPECT_EQ(before->world.mails[0].attachments[0].content, after->world.mails[0].attachments[0].content);
  EXPECT_TRUE(before->world.mails[0].message_id.ends_with("@facturen.schakel.example>"));
}

TEST(MailInvoice, ReceiverMayWantOneAttachment) {
  for (const auto& [wanted, name] :
       {std::pair{"xml", "DB-ZB-2026-0917.xml"}, std::pair{"pdf", "DB-ZB-2026-0917.pdf"}}) {
    auto bench = fresh();
    Delivery d = invoice_delivery();
    d.endpoint["attachments"] = wanted;
    ASSERT_EQ(bench->send(d)->verdict, Verdict::delivered);
    ASSERT_EQ(bench->world.mails[0].attachments.size(), 1U);
    EXPECT_EQ(bench->world.mails[0].attachments[0].name, name);
  }
}

TEST(MailInvoice, PeppolDocumentPassesItsOwnRules) {
  Json c = config();
  c["profile"] = "peppol";
  auto bench = fresh(c);
  auto result = bench->send(with_document(invoice_delivery(), c));
  EXPECT_EQ(result->verdict, Verdict::delivered) << result->code;
}

TEST(MailInvoice, HostileNumberIsNoPathAndNoHeader) {
  auto bench = fresh();
  Delivery d = invoice_delivery();
  d.body["invoice"]["number"] = "../../etc/passwd\r\nBcc: x@y";
  auto made = delivery::make_document(d, config());
  EXPECT_TRUE(!made || (made->name.find('/') == std::string::npos && !made->name.starts_with('.')));
  if (made) d.invoice = *made;
  auto result = bench->send(d);
  for (const auto& m : bench->world.mails)
    for (const auto& a : m.attachments) {
      EXPECT_EQ(a.name.find('/'), std::string::npos);
      EXPECT_FALSE(a.name.starts_with('.'));
    }
  (void)result;
}

TEST(MailInvoice, BadConfigurationIsRefused) {
  for (const auto& w : bad_configs_refused("mail", config())) ADD_FAILURE() << w;
  auto bench = fresh();
  Delivery d = invoice_delivery();
  d.kind = "notice";
  EXPECT_EQ(bench->send(d)->code, "MAIL_KIND_UNSUPPORTED");
}

}  // namespace
}  // namespace schakel::test
