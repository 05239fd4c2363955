#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/formats/ggk.hpp"
#include "core/formats/ijw.hpp"
#include "core/formats/soap.hpp"
#include "core/formats/ubl.hpp"
#include "tests/support/plugin_bench.hpp"

namespace schakel::test {
namespace fs = std::filesystem;
using formats::IjwClient;
using formats::IjwPrestatie;
using formats::Jw323;
namespace {

Json config() {
  return {{"region", "KNH"},
          {"gemeente_code", "0400"},
          {"source", "urn:nld:oin:00000099000100001000:systeem:jw323"},
          {"afzenders", {{"98765432", "hoeve"}}},
          {"leveranciers", {{"0106:90000004", "hoeve"}}},
          {"producten", Json::array({{{"categorie", "45"}, {"code", "45A03"}, {"kind", "grijs"}},
                                     {{"code", "GRIJS"}, {"kind", "grijs"}}})},
          {"retourcodes", {{"FUNDING_NOT_AGREED", "9338"}, {"INVOICE_CONFLICT", "8021"}}},
          {"answer_folder", "$FOLDER/antwoorden"},
          {"in_folder", "$FOLDER/in"}};
}

formats::Date day(const char* text) { return *formats::parse_date(text); }

IjwPrestatie line(const char* ref, std::int64_t cents, const char* product = "45A03", const char* credits = "") {
  IjwPrestatie p;
  p.referentie = ref;
  p.vorige_referentie = credits;
  p.credit = *credits != '\0';
  p.toewijzing = 10000 + static_cast<std::int64_t>(std::hash<std::string>{}(p.credit ? credits : ref) %
                                                   100000);  // TR416: one debit a toewijzing and period
  p.categorie = std::string(product).substr(0, 2);
  p.product = product;
  p.periode = {day("2026-09-01"), day("2026-09-30")};
  p.volume = cents;
  p.eenheid = "83";
  p.bedrag = Cents(cents);
  return p;
}

Jw323 declaration(const char* id, const char* number, std::vector<IjwClient> clients) {
  Jw323 d;
  d.afzender = "98765432";
  d.ontvanger = "0400";
  d.identificatie = id;
  d.dagtekening = d.declaratie_dagtekening = day("2026-10-05");
  d.declaratienummer = number;
  d.periode = {day("2026-09-01"), day("2026-09-30")};
  for (const auto& c : clients)
    for (const auto& p : c.prestaties) d.totaal += p.signed_bedrag();
  d.clienten = std::move(clients);
  return d;
}

std::string text(const Jw323& d) { return formats::write_jw323(d).value(); }

Jw323 three_pupils() {
  return declaration("A26100500001", "D202609001",
                     {{"999990019", {line("P1", 105000, "50A01"), line("P2", 33333)}},
                      {"999990020", {line("P3", 20001)}},
                      {"999990032", {line("P4", 500)}}});
}

std::unique_ptr<PluginBench> fresh() {
  auto bench = std::make_unique<PluginBench>("zorgaanbieder", config());
  fs::create_directories(bench->folder() + "/antwoorden");
  fs::create_directories(bench->folder() + "/in");
  bench->world.case_by_bsn = {{"999990019", "zaak-1"}, {"999990020", "zaak-2"}};
  return bench;
}

HttpReply post(PluginBench& bench, const std::string& body, const std::string& party = "hoeve",
               const std::string& type = "application/xml") {
  HttpRequest r;
  r.method = "POST";
  r.url = "/in/zorgaanbieder/declaraties";
  r.headers = {{"Content-Type", type}};
  r.body = body;
  auto reply = bench.request(r, party);
  return reply ? reply->value() : HttpReply{0, {}, {}};
}

Delivery decision(const std::string& event, const std::string& outcome, std::vector<std::string> codes = {}) {
  Delivery d;
  d.id = "afl-" + event;
  d.kind = "signal";
  d.type = outcome == "delivered" ? "verwerkt" : "blokkade";
  d.role = "zorgaanbieder_billing";
  d.body = {{"message", event}, {"signal", {{"code", "X"}, {"outcome", outcome}, {"codes", codes}}}};
  return d;
}

std::vector<std::string> answers(PluginBench& bench) {
  std::vector<std::string> out;
  for (const auto& e : fs::directory_iterator(bench.folder() + "/antwoorden")) {
    std::ifstream in(e.path());
    std::stringstream s;
    s << in.rdbuf();
    out.push_back(s.str());
  }
  return out;
}

formats::Jw325 only_answer(PluginBench& bench) {
  auto all = answers(bench);
  if (all.size() != 1) throw std::runtime_error(fmt::format("{} answers", all.size()));
  auto read = formats::read_jw325(all[0]);
  for (const auto& f : read.structure) ADD_FAILURE() << f.code << ' ' << f.pointer;
  for (const auto& f : read.rules) ADD_FAILURE() << f.finding.code << ' ' << f.finding.pointer;
  return read.message.value();
}

TEST(Zorgaanbieder, DeclarationBecomesOneInvoicePerKnownPupilWithoutBsn) {
  auto bench = fresh();
  auto reply = post(*bench, text(three_pupils()));
  EXPECT_EQ(reply.status, 202) << reply.body;
  EXPECT_EQ(Json::parse(reply.body)["code"], "JW323_ACCEPTED") << (answers(*bench).empty() ? "" : answers(*bench)[0]);
  ASSERT_EQ(bench->world.events.size(), 2U);
  const Json& e = bench->world.events[0];
  EXPECT_EQ(e["type"], "nl.schakel.factuur.v1");
  EXPECT_EQ(e["subject"], "zaak-1");
  EXPECT_EQ(e["data"]["number"], "D202609001-1");
  EXPECT_EQ(e["data"]["period"], "2026-09");
  EXPECT_EQ(e["data"]["lines"][0]["kind"], "zorg");
  EXPECT_EQ(e["data"]["lines"][1]["kind"], "grijs");
  EXPECT_EQ(e["data"]["lines"][1]["cents"], 33333);
  for (const auto& event : bench->world.events)
    for (const char* bsn : {"999990019", "999990020", "999990032"})
      EXPECT_EQ(event.dump().find(bsn), std::string::npos);
  EXPECT_TRUE(bench->leaks({"999990032"}).empty());
  EXPECT_TRUE(answers(*bench).empty());
}

TEST(Zorgaanbieder, OneAnswerWhenAllPartsAreDecided) {
  auto bench = fresh();
  auto reply = post(*bench, text(three_pupils()));
  std::string id = Json::parse(reply.body)["antwoord"];
  EXPECT_EQ(bench->send(decision(bench->world.events[0]["id"], "delivered"))->verdict, Verdict::delivered);
  EXPECT_TRUE(answers(*bench).empty());
  EXPECT_EQ(bench->send(decision(bench->world.events[1]["id"], "held", {"FUNDING_NOT_AGREED"}))->code, "STILL_HELD");
  EXPECT_TRUE(answers(*bench).empty());
  EXPECT_EQ(bench->send(decision(bench->world.events[1]["id"], "blocked", {"FUNDING_NOT_AGREED"}))->verdict,
            Verdict::delivered);
  auto answer = only_answer(*bench);
  EXPECT_EQ(answer.identificatie, id);
  EXPECT_EQ(answer.declaratie_identificatie, "A26100500001");
  ASSERT_TRUE(answer.antwoord);
  EXPECT_EQ(answer.antwoord->ingediend, Cents(158834));
  EXPECT_EQ(answer.antwoord->toegekend, Cents(138333));  // all but 200.01 and 5.00
  auto granted = formats::granted_lines(three_pupils(), answer);
  ASSERT_TRUE(granted) << granted.error().code;
  EXPECT_EQ(granted->size(), 2U);
  // and it can be fetched, by its sender only
  HttpRequest get;
  get.url = "/in/zorgaanbieder/antwoorden/" + id;
  auto fetched = bench->request(get, "hoeve");
  EXPECT_EQ(fetched->value().status, 200);
  EXPECT_EQ(fetched->value().body, answers(*bench)[0]);
  EXPECT_EQ(bench->request(get, "iemand-anders")->value().status, 404);
}

TEST(Zorgaanbieder, EverythingGrantedAnswers8001) {
  auto bench = fresh();
  (void)post(*bench, text(declaration("A1", "D1", {{"999990019", {line("P1", 100)}}})));
  (void)bench->send(decision(bench->world.events[0]["id"], "delivered"));
  auto answer = only_answer(*bench);
  ASSERT_TRUE(answer.antwoord);
  EXPECT_EQ(answer.antwoord->retour, (std::vector<std::string>{"8001"}));
  EXPECT_EQ(answer.antwoord->toegekend, Cents(100));
}

TEST(Zorgaanbieder, RepeatOfTheSameDeclarationHasNoSecondEffect) {
  auto bench = fresh();
  auto first = post(*bench, text(three_pupils()));
  auto again = post(*bench, text(three_pupils()));
  EXPECT_EQ(again.status, 202);
  EXPECT_EQ(Json::parse(again.body)["antwoord"], Json::parse(first.body)["antwoord"]);
  EXPECT_EQ(bench->world.events.size(), 2U);
  Jw323 other = three_pupils();
  other.declaratienummer = "D202609002";
  EXPECT_EQ(post(*bench, text(other)).status, 409);  // TR056
  EXPECT_EQ(bench->world.events.size(), 2U);
}

TEST(Zorgaanbieder, UsedDeclarationNumberIsAnsweredAtOnceWith9333) {
  auto bench = fresh();
  (void)post(*bench, text(declaration("A1", "D1", {{"999990019", {line("P1", 100)}}})));
  EXPECT_EQ(post(*bench, text(declaration("A2", "D1", {{"999990019", {line("P9", 100)}}}))).status, 202);
  EXPECT_EQ(bench->world.events.size(), 1U);
  auto answer = only_answer(*bench);
  ASSERT_TRUE(answer.antwoord);
  EXPECT_EQ(answer.antwoord->retour, (std::vector<std::string>{"9333"}));
  EXPECT_EQ(answer.antwoord->toegekend, Cents(0));
}

TEST(Zorgaanbieder, UnknownPupilsAloneAreAnsweredAtOnce) {
  auto bench = fresh();
  (void)post(*bench, text(declaration("A1", "D1", {{"999990032", {line("P1", 100)}}})));
  auto answer = only_answer(*bench);
  ASSERT_TRUE(answer.antwoord);
  ASSERT_EQ(answer.antwoord->clienten.size(), 1U);
  EXPECT_EQ(answer.antwoord->clienten[0].retour, (std::vector<std::string>{"8187"}));
  EXPECT_EQ(answer.antwoord->clienten[0].prestaties[0].retour, (std::vector<std::string>{"0233"}));
  EXPECT_TRUE(bench->world.events.empty());
}

TEST(Zorgaanbieder, CreditBecomesACreditNoteOnTheGrantedInvoiceOnce) {
  auto bench = fresh();
  (void)post(*bench, text(declaration("A1", "D1", {{"999990019", {line("P1", 33333)}}})));
  auto credit = [](const char* id, const char* number, const char* ref) {
    return text(declaration(id, number, {{"999990019", {line(ref, 33333, "45A03", "P1")}}}));
  };
  // not granted yet: 8017
  (void)post(*bench, credit("A2", "D2", "P2"));
  EXPECT_EQ(bench->world.events.size(), 1U);
  (void)bench->send(decision(bench->world.events[0]["id"], "delivered"));
  (void)post(*bench, credit("A3", "D3", "P3"));
  ASSERT_EQ(bench->world.events.size(), 2U);
  const Json& e = bench->world.events[1];
  EXPECT_EQ(e["type"], "nl.schakel.creditnota.v1");
  EXPECT_EQ(e["data"]["credits"], "D1-1");
  EXPECT_EQ(e["data"]["lines"][0]["cents"], 33333);
  (void)bench->send(decision(e["id"], "delivered"));
  // a second credit of the same line: 9390
  (void)post(*bench, credit("A4", "D4", "P4"));
  EXPECT_EQ(bench->world.events.size(), 2U);
  std::set<std::string> codes;
  for (const auto& a : answers(*bench)) {
    auto read = formats::read_jw325(a);
    ASSERT_TRUE(read.message && read.message->antwoord);
    for (const auto& c : read.message->antwoord->clienten)
      for (const auto& p : c.prestaties) codes.insert(p.retour.begin(), p.retour.end());
  }
  EXPECT_TRUE(codes.contains("8017"));
  EXPECT_TRUE(codes.contains("9390"));
}

TEST(Zorgaanbieder, UsedReferenceIsRejectedWith8021AndTheRestGoesOn) {
  auto bench = fresh();
  (void)post(*bench, text(declaration("A1", "D1", {{"999990019", {line("P1", 100)}}})));
  (void)bench->send(decision(bench->world.events[0]["id"], "delivered"));
  (void)post(*bench, text(declaration("A2", "D2", {{"999990019", {line("P1", 100), line("P2", 200)}}})));
  ASSERT_EQ(bench->world.events.size(), 2U);
  EXPECT_EQ(bench->world.events[1]["data"]["lines"].size(), 1U);
  EXPECT_EQ(bench->world.events[1]["data"]["lines"][0]["cents"], 200);
}

TEST(Zorgaanbieder, BrokenRuleRejectsTheWholeMessageAtOnce) {
  auto bench = fresh();
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
  auto bench = fresh();
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
    auto bench = fresh();
    bench->crash_at(0, CrashWhen::never);
    (void)post(*bench, text(three_pupils()));
    awaits = bench->awaits();
  }
  ASSERT_GT(awaits, 15);
  for (int n = 1; n <= awaits; ++n)
    for (CrashWhen when : {CrashWhen::before, CrashWhen::after}) {
      auto bench = fresh();
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

TEST(Zorgaanbieder, CrashAnywhereWhileDecidingGivesOneAnswer) {
  for (int n = 1; n <= 20; ++n)
    for (CrashWhen when : {CrashWhen::before, CrashWhen::after}) {
      auto bench = fresh();
      (void)post(*bench, text(three_pupils()));
      (void)bench->send(decision(bench->world.events[0]["id"], "delivered"));
      bench->crash_at(n, when);
      (void)bench->send(decision(bench->world.events[1]["id"], "delivered"));
      bench->crash_at(0, CrashWhen::never);  // the first attempt may have ended before the n-th await
      EXPECT_EQ(bench->send(decision(bench->world.events[1]["id"], "delivered"))->verdict, Verdict::delivered);
      EXPECT_EQ(only_answer(*bench).antwoord->toegekend, Cents(158334)) << n;
    }
}

TEST(Zorgaanbieder, BusyBrokerMeansTryAgainAndRefusedPartsAreRejectedLines) {
  auto bench = fresh();
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

TEST(Zorgaanbieder, AnswerIsPostedAndTriedAgainUntilTaken) {
  Json c = config();
  c["answer_url"] = "https://hoeve.example/jw325";
  PluginBench bench("zorgaanbieder", c);
  fs::create_directories(bench.folder() + "/antwoorden");
  fs::create_directories(bench.folder() + "/in");
  bench.world.case_by_bsn = {{"999990019", "zaak-1"}};
  std::set<std::string> taken;
  bench.world.partner = [](const HttpRequest&) { return HttpReply{503, {{"Retry-After", "9"}}, {}}; };
  (void)post(bench, text(declaration("A1", "D1", {{"999990019", {line("P1", 100)}}})));
  auto result = bench.send(decision(bench.world.events[0]["id"], "delivered"));
  EXPECT_EQ(result->verdict, Verdict::retry_later);
  EXPECT_EQ(result->retry_after, std::chrono::seconds(9));
  bench.world.partner = [&](const HttpRequest& r) { return taken.insert(r.body), HttpReply{202, {}, {}}; };
  EXPECT_EQ(bench.send(decision(bench.world.events[0]["id"], "delivered"))->verdict, Verdict::delivered);
  EXPECT_EQ(bench.send(decision(bench.world.events[0]["id"], "delivered"))->verdict, Verdict::delivered);
  EXPECT_EQ(taken.size(), 1U);
}

std::string ubl(bool credit = false, std::int64_t percent = 0) {
  formats::UblDocument d;
  d.credit_note = credit;
  d.type_code = credit ? "381" : "380";
  d.id = credit ? "ZBC-2026-0031" : "ZB-2026-0917";
  d.issue_date = day("2026-10-05");
  d.due_date = day("2026-11-04");
  d.buyer_reference = "ARR-77";
  d.period = formats::UblPeriod{day("2026-09-01"), day("2026-09-30")};
  if (credit) d.billing_references = {"ZB-2026-0917"};
  d.supplier = {{},
                "De Verzonnen Hoeve",
                "Fictiestraat 4",
                "",
                "Zandoever",
                "1004 XX",
                "NL",
                "De Verzonnen Hoeve",
                {"0106", "90000004"},
                percent ? "NL123456789B01" : "",
                "",
                "",
                ""};
  d.customer = {{},
                "Gemeente Zandoever",
                "Fictiestraat 1",
                "",
                "Zandoever",
                "1001 XX",
                "NL",
                "Gemeente Zandoever",
                {"0190", "00000099000100001000"},
                "",
                "",
                "",
                ""};
  d.iban = "NL35TEST0001000004";
  for (auto [item, cents] : {std::pair<const char*, std::int64_t>{"ZORG", 105000}, {"GRIJS", 33333}}) {
    formats::UblLine l;
    l.net = Cents(cents);
    l.price = formats::UblDecimal::of(Cents(cents));
    l.name = "Begeleiding Pluk Testerman";
    l.seller_item = item;
    if (percent) {
      l.category = "S";
      l.percent = formats::UblDecimal::of(percent);
    }
    d.lines.push_back(l);
  }
  formats::complete_totals(d, percent ? "" : "Buiten het toepassingsgebied");
  if (percent) {
    Cents vat(29050);  // 21% of 1383.33
    d.taxes[0].tax = d.tax_total = vat;
    d.taxes[0].reason.clear();
    d.tax_inclusive = d.payable = d.payable + vat;
  }
  auto out = formats::write_ubl(d);
  if (!out) {
    std::string all;
    for (const auto& f : out.error().findings) all += f.rule + ' ';
    throw std::runtime_error(all);
  }
  return *out;
}

TEST(Zorgaanbieder, UblInvoiceBecomesAFactuurInGrossCents) {
  auto bench = fresh();
  bench->world.case_by_foreign["ARR-77"] = "zaak-1";
  EXPECT_EQ(post(*bench, ubl()).status, 202);
  ASSERT_EQ(bench->world.events.size(), 1U);
  const Json& e = bench->world.events[0];
  EXPECT_EQ(e["subject"], "zaak-1");
  EXPECT_EQ(e["data"]["number"], "ZB-2026-0917");
  EXPECT_EQ(e["data"]["lines"], Json::parse(R"([{"kind":"zorg","cents":105000},{"kind":"grijs","cents":33333}])"));
  EXPECT_EQ(e.dump().find("Testerman"), std::string::npos);
  EXPECT_EQ(post(*bench, ubl()).status, 202);
  EXPECT_EQ(bench->world.events.size(), 1U);
  EXPECT_EQ(post(*bench, ubl(), "iemand-anders").status, 403);
  // a decision on it needs no answer
  EXPECT_EQ(bench->send(decision(e["id"], "delivered"))->code, "NO_ANSWER_ASKED");
}

TEST(Zorgaanbieder, UblVatIsLaidOnTheLinesToTheCent) {
  auto bench = fresh();
  EXPECT_EQ(post(*bench, ubl(false, 21)).status, 202);
  const Json& data = bench->world.events.at(0)["data"];
  EXPECT_EQ(data["vat_cents"], 29050);
  EXPECT_EQ(data["lines"][0]["cents"].get<int>() + data["lines"][1]["cents"].get<int>(), 138333 + 29050);
  EXPECT_EQ(data["reference"], "ARR-77");  // the broker finds the case, or parks it
}

TEST(Zorgaanbieder, UblCreditNoteNamesItsInvoice) {
  auto bench = fresh();
  EXPECT_EQ(post(*bench, ubl(true)).status, 202);
  EXPECT_EQ(bench->world.events.at(0)["type"], "nl.schakel.creditnota.v1");
  EXPECT_EQ(bench->world.events.at(0)["data"]["credits"], "ZB-2026-0917");
}

TEST(Zorgaanbieder, FolderIsReadAndSorted) {
  auto bench = fresh();
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

/// Codes that all answers of the bench give to lines.
std::set<std::string> line_codes(PluginBench& bench) {
  std::set<std::string> codes;
  for (const auto& a : answers(bench)) {
    auto read = formats::read_jw325(a);
    if (!read.message || !read.message->antwoord) continue;
    for (const auto& c : read.message->antwoord->clienten)
      for (const auto& p : c.prestaties) codes.insert(p.retour.begin(), p.retour.end());
  }
  return codes;
}

TEST(Zorgaanbieder, SecondDebitOfTheSameMonthNeedsTheCreditFirst) {
  auto bench = fresh();
  auto debit = line("P1", 33333);
  (void)post(*bench, text(declaration("A1", "D1", {{"999990019", {debit}}})));
  (void)bench->send(decision(bench->world.events[0]["id"], "delivered"));
  auto again = debit;
  again.referentie = "P2";
  (void)post(*bench, text(declaration("A2", "D2", {{"999990019", {again}}})));
  EXPECT_EQ(bench->world.events.size(), 1U);
  EXPECT_TRUE(line_codes(*bench).contains("9389"));  // TR389
  // With the credit in the same declaration it goes: credits first (OP366).
  auto credit = line("P3", 33333, "45A03", "P1"), corrected = debit;
  corrected.referentie = "P4";
  corrected.bedrag = Cents(30000), corrected.volume = 30000;
  (void)post(*bench, text(declaration("A3", "D3", {{"999990019", {credit, corrected}}})));
  ASSERT_EQ(bench->world.events.size(), 3U);
  EXPECT_EQ(bench->world.events[1]["type"], "nl.schakel.creditnota.v1");
  EXPECT_EQ(bench->world.events[2]["data"]["lines"][0]["cents"], 30000);
}

TEST(Zorgaanbieder, ADebitThatIsUndecidedIsTakenTooAndOneThatWasRefusedIsFreeAgain) {
  auto bench = fresh();
  auto debit = line("P1", 33333), same_reference = debit, same_month = debit;
  same_month.referentie = "P2";
  (void)post(*bench, text(declaration("A1", "D1", {{"999990019", {debit}}})));
  (void)post(*bench, text(declaration("A2", "D2", {{"999990019", {same_reference}}})));
  (void)post(*bench, text(declaration("A3", "D3", {{"999990019", {same_month}}})));
  EXPECT_EQ(bench->world.events.size(), 1U) << "nothing goes on while the first is undecided";
  EXPECT_EQ(line_codes(*bench), (std::set<std::string>{"8021", "9389"}));
  (void)bench->send(decision(bench->world.events[0]["id"], "blocked", {"NOT_ENROLLED_NO_EDU_FUNDING"}));
  (void)post(*bench, text(declaration("A4", "D4", {{"999990019", {same_reference}}})));
  EXPECT_EQ(bench->world.events.size(), 2U);
}

TEST(Zorgaanbieder, ACreditIsACopyOfItsDebit) {
  auto bench = fresh();
  (void)post(*bench, text(declaration("A1", "D1", {{"999990019", {line("P1", 33333)}}})));
  (void)bench->send(decision(bench->world.events[0]["id"], "delivered"));
  auto more = line("P2", 33334, "45A03", "P1");
  auto other = line("P3", 33333, "45A03", "P1");
  other.toewijzing = 7;
  (void)post(*bench, text(declaration("A2", "D2", {{"999990019", {more}}})));
  (void)post(*bench, text(declaration("A3", "D3", {{"999990019", {other}}})));
  EXPECT_EQ(bench->world.events.size(), 1U);
  EXPECT_EQ(line_codes(*bench), (std::set<std::string>{"8017"}));
}

TEST(Zorgaanbieder, NoBsnRestsAfterTheAnswerAndTheAnswerItselfGoesWhenItsTimeIsOver) {
  auto bench = fresh();
  auto reply = post(*bench, text(three_pupils()));
  std::string id = Json::parse(reply.body)["antwoord"];
  auto resting = [&](const char* what) {
    std::size_t n = 0;
    for (const auto& [key, value] : bench->world.progress)
      if ((key + value.dump()).find(what) != std::string::npos) ++n;
    return n;
  };
  EXPECT_EQ(resting("999990019"), 1U) << "one row, while it is undecided";
  for (std::size_t i = 0; i < 2; ++i) (void)bench->send(decision(bench->world.events[i]["id"], "delivered"));
  EXPECT_EQ(resting("999990019"), 0U) << "of a granted pupil nothing";
  EXPECT_EQ(resting("999990032"), 1U) << "of a rejected one the JW325";
  for (const auto& [key, value] : bench->world.progress)
    for (const char* gone : {"body/", "part/", "handed/", "due/", "wacht/"}) EXPECT_FALSE(key.starts_with(gone)) << key;
  bench->clock.advance(std::chrono::hours(24 * 31));
  ASSERT_TRUE(bench->poll());
  EXPECT_EQ(resting("999990032"), 0U);
  HttpRequest get;
  get.url = "/in/zorgaanbieder/antwoorden/" + id;
  EXPECT_EQ(bench->request(get, "hoeve")->value().status, 404);
  // Known it stays: the same declaration has no second effect, its number and references neither.
  EXPECT_EQ(post(*bench, text(three_pupils())).status, 202);
  EXPECT_EQ(bench->world.events.size(), 2U);
}

TEST(Zorgaanbieder, AnOverdueAnswerIsSeen) {
  auto bench = fresh();
  (void)post(*bench, text(declaration("A1", "D1", {{"999990019", {line("P1", 100)}}})));
  bench->clock.advance(std::chrono::hours(24 * 10));
  ASSERT_TRUE(bench->poll());
  auto counted = [&] {
    return std::ranges::count_if(bench->world.metrics,
                                 [](const auto& m) { return m.first.starts_with("zorgaanbieder_answers_overdue"); });
  };
  EXPECT_EQ(counted(), 0);
  bench->clock.advance(std::chrono::hours(24 * 7));
  ASSERT_TRUE(bench->poll());
  EXPECT_EQ(counted(), 1);
}

std::string in_envelope(const std::string& bericht, const char* sender = "98765432", const char* function = "JW323") {
  formats::GgkEnvelope e;
  e.zender = {sender, "Zorgsysteem"};
  e.ontvanger = {"0400", "GGk"};
  e.referentienummer = "9c0f7b90-5c69-41e5-a837-0800200c9a66";
  e.tijdstip = "20261005132514";
  e.functie = function;
  e.bericht = bericht;
  return formats::write_ggk(e).value();
}
std::string in_soap(const std::string& envelope) {
  return "<s:Envelope xmlns:s=\"" + std::string(formats::kSoapNs) + "\"><s:Body>" +
         envelope.substr(envelope.find("<GGK")) + "</s:Body></s:Envelope>";
}

TEST(Zorgaanbieder, ADeclarationInAGgkEnvelopeIsAnsweredInOne) {
  auto bench = fresh();
  auto reply = post(*bench, in_soap(in_envelope(text(declaration("A1", "D1", {{"999990019", {line("P1", 100)}}})))),
                    "hoeve", "text/xml");
  EXPECT_EQ(reply.status, 200) << reply.body;
  auto said = formats::read_soap(reply.body);
  ASSERT_TRUE(said);
  EXPECT_EQ(said->body().local(), "Bv03Bericht");
  ASSERT_EQ(bench->world.events.size(), 1U);
  (void)bench->send(decision(bench->world.events[0]["id"], "delivered"));
  auto all = answers(*bench);
  ASSERT_EQ(all.size(), 1U);
  auto retour = formats::read_ggk(all[0]);
  ASSERT_TRUE(retour) << retour.error().code;
  EXPECT_TRUE(retour->retour);
  EXPECT_EQ(retour->cross_ref, "9c0f7b90-5c69-41e5-a837-0800200c9a66");
  EXPECT_EQ(retour->functie, "JW325");
  EXPECT_EQ(retour->ontvanger.organisatie, "98765432");
  auto answer = formats::read_jw325(retour->bericht);
  ASSERT_TRUE(answer.accepted());
  EXPECT_EQ(answer.message->antwoord->toegekend, Cents(100));
}

TEST(Zorgaanbieder, ARefusedEnvelopeIsAnsweredWithAFaultAndNothingGoesOn) {
  auto good = text(declaration("A1", "D1", {{"999990019", {line("P1", 100)}}}));
  Jw323 elsewhere = three_pupils();
  elsewhere.ontvanger = "0363";
  for (const auto& [envelope, code] : {std::pair{in_envelope("<geen/>"), "GGK_CONTENT"},
                                       {in_envelope(good, "98765432", "WMO323"), "GGK_CONTENT"},
                                       {in_envelope(good, "11111111"), "ENVELOPE_SENDER_IS_ANOTHER"},
                                       {in_envelope(text(elsewhere)), "RECEIVER_IS_ANOTHER"},
                                       {in_envelope(in_envelope(good)), "GGK_CONTENT"}}) {
    auto bench = fresh();
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

/// The hostile and faulty set of invoices: each is refused with its rule, by an answer, and nothing goes on.
TEST(Zorgaanbieder, EveryFaultyInvoiceIsRefusedWithItsRule) {
  auto change = [](std::string from, std::string to) {
    auto t = ubl();
    auto at = t.find(from);
    if (at == std::string::npos) throw std::runtime_error("nothing to replace: " + from);
    return t.replace(at, from.size(), to);
  };
  std::string bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>";
  auto after_declaration = [&](const std::string& what) {
    auto t = ubl();
    return t.insert(t.find("?>") + 2, what);
  };
  const std::vector<std::pair<std::string, std::string>> set = {
      {change("<cbc:LineExtensionAmount currencyID=\"EUR\">1383.33",
              "<cbc:LineExtensionAmount currencyID=\"EUR\">1383.34"),
       "BR-CO-10"},
      {change("<cbc:PayableAmount currencyID=\"EUR\">1383.33", "<cbc:PayableAmount currencyID=\"EUR\">1383.32"),
       "BR-CO-16"},
      {change("<cbc:PriceAmount currencyID=\"EUR\">1050.00", "<cbc:PriceAmount currencyID=\"EUR\">-1050.00"), "BR-27"},
      {change("<cbc:DocumentCurrencyCode>EUR", "<cbc:DocumentCurrencyCode>USD"), "SCH-EUR"},
      {change("NL35TEST0001000004", "NL36TEST0001000004"), "SCH-IBAN"},
      {change("<cbc:CompanyID schemeID=\"0106\">90000004", "<cbc:CompanyID schemeID=\"0106\">9000000"), "SCH-KVK"},
      {change("<cbc:CompanyID schemeID=\"0190\">00000099000100001000",
              "<cbc:CompanyID schemeID=\"0190\">00000000000000000000"),
       "SCH-OIN"},
      {change("<cbc:StartDate>2026-09-01", "<cbc:StartDate>2026-10-01"), "BR-29"},
      {change("<cbc:BuyerReference>ARR-77</cbc:BuyerReference>", ""), "BR-NL-2"},
      {after_declaration("<!DOCTYPE Invoice SYSTEM \"http://evil.example/x.dtd\">"), "XML_DTD"},
      {after_declaration("<!DOCTYPE Invoice [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>"), "XML_DTD"},
      {after_declaration(bomb), "XML_DTD"},
      {change("UTF-8", "ISO-8859-1"), "XML_ENCODING"},
      {change("De Verzonnen", "De \xff\xfe Verzonnen"), "XML_UTF8"},
  };
  for (const auto& [file, rule] : set) {
    auto bench = fresh();
    bench->world.case_by_foreign["ARR-77"] = "zaak-1";
    auto reply = post(*bench, file);
    EXPECT_GE(reply.status, 400) << rule;
    EXPECT_LT(reply.status, 500) << rule;
    EXPECT_NE(reply.body.find('"' + rule + '"'), std::string::npos) << rule << '\n' << reply.body.substr(0, 600);
    EXPECT_TRUE(bench->world.events.empty()) << rule;
    EXPECT_EQ(reply.body.find("Testerman"), std::string::npos);
  }
}

TEST(Zorgaanbieder, EveryFaultyDeclarationIsRefusedAndAnswered) {
  struct Fault {
    const char* name;
    std::function<void(Jw323&)> change;
    const char* code;    ///< return code in the JW325, or of the refusal where there is none
    int cents = 105000;  ///< of the line that may not go on
  };
  auto first = [](Jw323& d) -> IjwPrestatie& { return d.clienten[0].prestaties[0]; };
  const std::vector<Fault> set = {
      {"wrong total", [](Jw323& d) { d.totaal += Cents(1); }, "0001"},
      {"BSN fails the 11-proof", [](Jw323& d) { d.clienten[0].bsn = "999990018"; }, "0001"},
      {"amount is not volume times tariff",
       [&](Jw323& d) { first(d).eenheid = "16", first(d).tarief = Cents(3), first(d).volume = 2; }, "9346"},
      {"same reference twice", [&](Jw323& d) { d.clienten[1].prestaties[0].referentie = first(d).referentie; }, "8021",
       20001},
      {"period after the declared month", [&](Jw323& d) { first(d).periode = {day("2026-10-01"), day("2026-10-31")}; },
       "9319"},
      {"dated in the future", [](Jw323& d) { d.dagtekening = d.declaratie_dagtekening = day("2031-01-01"); }, "8848"},
      {"another gemeente", [](Jw323& d) { d.ontvanger = "0363"; }, "RECEIVER_IS_ANOTHER"},
      {"unknown product category", [&](Jw323& d) { first(d).categorie = "99"; }, "JW323_STRUCTURE"},
      {"unknown unit", [&](Jw323& d) { first(d).eenheid = "99"; }, "JW323_STRUCTURE"},
  };
  for (const auto& fault : set) {
    auto bench = fresh();
    Jw323 d = three_pupils();
    fault.change(d);
    auto written = formats::write_jw323(d);
    ASSERT_TRUE(written) << fault.name;
    auto reply = post(*bench, *written);
    std::string seen = reply.body;
    for (const auto& a : answers(*bench)) seen += a;
    for (const auto& e : bench->world.events) (void)bench->send(decision(e["id"], "delivered"));
    for (const auto& a : answers(*bench)) seen += a;
    EXPECT_NE(seen.find(fault.code), std::string::npos) << fault.name << '\n' << seen.substr(0, 400);
    // No line with the fault went on: its cents are in no event.
    for (const auto& e : bench->world.events)
      for (const auto& l : e["data"]["lines"]) EXPECT_NE(l["cents"], fault.cents) << fault.name;
    EXPECT_EQ(reply.body.find("99999"), std::string::npos) << fault.name << ": no BSN in an answer of the transport";
  }
}

TEST(Zorgaanbieder, WhatIsTooLargeIsRefusedBeforeItIsRead) {
  auto bench = fresh();
  std::string big = text(three_pupils());
  big.insert(big.find("?>") + 2, std::string(26 * 1024 * 1024, ' '));
  EXPECT_EQ(post(*bench, big).status, 413);
  std::ofstream(bench->folder() + "/in/1.xml") << big;
  ASSERT_TRUE(bench->poll());
  EXPECT_TRUE(fs::exists(bench->folder() + "/in/error/1.xml"));
  EXPECT_TRUE(bench->world.events.empty());
}

TEST(Zorgaanbieder, BadConfigurationIsRefused) {
  Json c = config();
  c["answer_folder"] = c["in_folder"] = "/tmp";
  for (const auto& w : bad_configs_refused("zorgaanbieder", c)) ADD_FAILURE() << w;
}

}  // namespace
}  // namespace schakel::test
