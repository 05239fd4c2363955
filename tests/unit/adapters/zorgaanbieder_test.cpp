// What becomes of a declaration: decisions, credits, the JW325, and what rests.
#include "core/base/calendar.hpp"
#include "tests/unit/adapters/declaration_desk.hpp"

namespace schakel::test {
namespace {

TEST(Zorgaanbieder, DeclarationBecomesOneInvoicePerKnownPupilWithoutBsn) {
  auto bench = fresh_desk();
  auto reply = post(*bench, text(three_pupils()));
  EXPECT_EQ(reply.status, 202) << reply.body;
  EXPECT_EQ(Json::parse(reply.body)["code"], "JW323_ACCEPTED") << (answers(*bench).empty() ? "" : answers(*bench)[0]);
  ASSERT_EQ(bench->world.events.size(), 2U);
  const Json& e = bench->world.events[0];
  EXPECT_EQ(e["type"], "nl.schakel.factuur.v1");
  EXPECT_EQ(e["subject"], "zaak-1");
  EXPECT_EQ(e["data"]["number"], "98765432-D202609001-1");
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
  auto bench = fresh_desk();
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

/// TR338, TR340 and the budget have a return code of their own, unless the settings say another.
TEST(Zorgaanbieder, WhatIsOutsideTheAgreementHasItsReturnCode) {
  for (const auto& [reason, retour] :
       std::vector<std::pair<std::string, std::string>>{{"PROVIDER_IS_ANOTHER", "9338"},
                                                        {"ASSIGNMENT_IS_ANOTHER", "9338"},
                                                        {"PRODUCT_IS_ANOTHER", "9340"},
                                                        {"FUNDING_MAX_EXCEEDED", "9369"}}) {
    auto bench = fresh_desk();
    (void)declare(*bench, "A1", "D1", {{"999990019", {line("P1", 100)}}});
    const Json& sent = bench->world.events[0]["data"]["lines"][0];
    EXPECT_EQ(sent["toewijzing"], line("P1", 100).toewijzing);
    EXPECT_EQ(sent["product"], line("P1", 100).product);
    EXPECT_EQ(bench->send(decision(bench->world.events[0]["id"], "held", {reason}))->code, "STILL_HELD");
    EXPECT_TRUE(answers(*bench).empty());
    // Finance refuses it (invoice refuse).
    (void)bench->send(decision(bench->world.events[0]["id"], "blocked", {reason}));
    EXPECT_EQ(line_codes(*bench), (std::set<std::string>{retour})) << reason;
  }
}

TEST(Zorgaanbieder, EverythingGrantedAnswers8001) {
  auto bench = fresh_desk();
  (void)declare(*bench, "A1", "D1", {{"999990019", {line("P1", 100)}}});
  (void)bench->send(decision(bench->world.events[0]["id"], "delivered"));
  auto answer = only_answer(*bench);
  ASSERT_TRUE(answer.antwoord);
  EXPECT_EQ(answer.antwoord->retour, (std::vector<std::string>{"8001"}));
  EXPECT_EQ(answer.antwoord->toegekend, Cents(100));
}

TEST(Zorgaanbieder, RepeatOfTheSameDeclarationHasNoSecondEffect) {
  auto bench = fresh_desk();
  auto first = post(*bench, text(three_pupils()));
  auto again = post(*bench, text(three_pupils()));
  EXPECT_EQ(again.status, 202);
  EXPECT_EQ(Json::parse(again.body)["antwoord"], Json::parse(first.body)["antwoord"]);
  EXPECT_EQ(bench->world.events.size(), 2U);
  Jw323 other = three_pupils();
  other.declaratienummer = "D202609002";
  auto reused = post(*bench, text(other));  // TR056
  EXPECT_EQ(Json::parse(reused.body)["code"], "JW323_REJECTED");
  EXPECT_EQ(bench->world.events.size(), 2U);
}

TEST(Zorgaanbieder, CreditBecomesACreditNoteOnTheGrantedInvoiceOnce) {
  auto bench = fresh_desk();
  (void)declare(*bench, "A1", "D1", {{"999990019", {line("P1", 33333)}}});
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
  EXPECT_EQ(e["data"]["credits"], "98765432-D1-1");
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
  auto bench = fresh_desk();
  (void)declare(*bench, "A1", "D1", {{"999990019", {line("P1", 100)}}});
  (void)bench->send(decision(bench->world.events[0]["id"], "delivered"));
  (void)declare(*bench, "A2", "D2", {{"999990019", {line("P1", 100), line("P2", 200)}}});
  ASSERT_EQ(bench->world.events.size(), 2U);
  EXPECT_EQ(bench->world.events[1]["data"]["lines"].size(), 1U);
  EXPECT_EQ(bench->world.events[1]["data"]["lines"][0]["cents"], 200);
}

TEST(Zorgaanbieder, CrashAnywhereWhileDecidingGivesOneAnswer) {
  for (int n = 1; n <= 20; ++n)
    for (CrashWhen when : {CrashWhen::before, CrashWhen::after}) {
      auto bench = fresh_desk();
      (void)post(*bench, text(three_pupils()));
      (void)bench->send(decision(bench->world.events[0]["id"], "delivered"));
      bench->crash_at(n, when);
      (void)bench->send(decision(bench->world.events[1]["id"], "delivered"));
      bench->crash_at(0, CrashWhen::never);  // the first attempt may have ended before the n-th await
      EXPECT_EQ(bench->send(decision(bench->world.events[1]["id"], "delivered"))->verdict, Verdict::delivered);
      EXPECT_EQ(only_answer(*bench).antwoord->toegekend, Cents(158334)) << n;
    }
}

TEST(Zorgaanbieder, AnswerIsPostedAndTriedAgainUntilTaken) {
  Json c = declaration_config();
  c["answer_url"] = "https://hoeve.example/jw325";
  PluginBench bench("zorgaanbieder", c);
  fs::create_directories(bench.folder() + "/antwoorden");
  fs::create_directories(bench.folder() + "/in");
  bench.world.case_by_bsn = {{"999990019", "zaak-1"}};
  std::set<std::string> taken;
  bench.world.partner = [](const HttpRequest&) { return HttpReply{503, {{"Retry-After", "9"}}, {}}; };
  (void)declare(bench, "A1", "D1", {{"999990019", {line("P1", 100)}}});
  auto result = bench.send(decision(bench.world.events[0]["id"], "delivered"));
  EXPECT_EQ(result->verdict, Verdict::retry_later);
  EXPECT_EQ(result->retry_after, std::chrono::seconds(9));
  bench.world.partner = [&](const HttpRequest& r) { return taken.insert(r.body), HttpReply{202, {}, {}}; };
  EXPECT_EQ(bench.send(decision(bench.world.events[0]["id"], "delivered"))->verdict, Verdict::delivered);
  EXPECT_EQ(bench.send(decision(bench.world.events[0]["id"], "delivered"))->verdict, Verdict::delivered);
  EXPECT_EQ(taken.size(), 1U);
}

TEST(Zorgaanbieder, SecondDebitOfTheSameMonthNeedsTheCreditFirst) {
  auto bench = fresh_desk();
  auto debit = line("P1", 33333);
  (void)declare(*bench, "A1", "D1", {{"999990019", {debit}}});
  (void)bench->send(decision(bench->world.events[0]["id"], "delivered"));
  auto again = debit;
  again.referentie = "P2";
  (void)declare(*bench, "A2", "D2", {{"999990019", {again}}});
  EXPECT_EQ(bench->world.events.size(), 1U);
  EXPECT_TRUE(line_codes(*bench).contains("9389"));  // TR389
  // With the credit in the same declaration it goes: credits first (OP366).
  auto credit = line("P3", 33333, "45A03", "P1"), corrected = debit;
  corrected.referentie = "P4";
  corrected.bedrag = Cents(30000), corrected.volume = 30000;
  (void)declare(*bench, "A3", "D3", {{"999990019", {credit, corrected}}});
  ASSERT_EQ(bench->world.events.size(), 2U) << "the debit waits until the credit is granted";
  EXPECT_EQ(bench->world.events[1]["type"], "nl.schakel.creditnota.v1");
  ASSERT_TRUE(bench->poll());
  EXPECT_EQ(bench->world.events.size(), 2U);
  (void)bench->send(decision(bench->world.events[1]["id"], "delivered"));
  ASSERT_TRUE(bench->poll());
  ASSERT_EQ(bench->world.events.size(), 3U);
  EXPECT_EQ(bench->world.events[2]["data"]["lines"][0]["cents"], 30000);
  EXPECT_EQ(bench->world.events[2]["data"]["number"], "98765432-D3-1V1");
  (void)bench->send(decision(bench->world.events[2]["id"], "delivered"));
  EXPECT_EQ(answers(*bench).size(), 3U);
  for (const auto& [key, value] : bench->world.progress) EXPECT_FALSE(key.starts_with("volgt/")) << key;
}

/// A debit of the declaration that credits the one it replaces, and one beside it that replaces nothing.
struct Replacement {
  std::unique_ptr<PluginBench> bench = fresh_desk();
  IjwPrestatie debit = line("P1", 33333), corrected = debit;
  Replacement() {
    (void)declare(*bench, "A1", "D1", {{"999990019", {debit}}});
    (void)bench->send(decision(bench->world.events[0]["id"], "delivered"));
    corrected.referentie = "P4";
    corrected.bedrag = Cents(30000), corrected.volume = 30000;
    (void)post(
        *bench,
        text(declaration("A3", "D3", {{"999990019", {line("P3", 33333, "45A03", "P1"), corrected, line("P5", 500)}}})));
  }
  [[nodiscard]] std::string event(const char* number) const {
    for (const auto& e : bench->world.events)
      if (e["data"]["number"] == number) return e["id"];
    return "";
  }
};

TEST(Zorgaanbieder, ARefusedCreditTakesItsReplacementWithItAndTheFirstDebitStands) {
  Replacement r;
  ASSERT_EQ(r.bench->world.events.size(), 3U) << "credit and the other debit";
  (void)r.bench->send(decision(r.event("98765432-D3-1"), "delivered"));
  (void)r.bench->send(decision(r.event("98765432-D3-1C1"), "quarantined", {"INVOICE_CONFLICT"}));
  ASSERT_TRUE(r.bench->poll());
  EXPECT_EQ(r.bench->world.events.size(), 3U) << "never two debits for one toewijzing, product and period (TR389)";
  EXPECT_EQ(line_codes(*r.bench), (std::set<std::string>{"8021", "9389"}));
  // The first debit still stands: another is refused, and its credit may be asked again.
  auto second = r.debit;
  second.referentie = "P6";
  (void)post(*r.bench, text(declaration("A4", "D4", {{"999990019", {second}}})));
  EXPECT_EQ(r.bench->world.events.size(), 3U);
  (void)post(*r.bench, text(declaration("A5", "D5", {{"999990019", {line("P7", 33333, "45A03", "P1")}}})));
  EXPECT_EQ(r.bench->world.events.size(), 4U);
}

TEST(Zorgaanbieder, AReplacementThatIsRefusedLeavesItsPlaceFree) {
  Replacement r;
  (void)r.bench->send(decision(r.event("98765432-D3-1"), "delivered"));
  (void)r.bench->send(decision(r.event("98765432-D3-1C1"), "delivered"));
  ASSERT_TRUE(r.bench->poll());
  (void)r.bench->send(decision(r.event("98765432-D3-1V1"), "blocked", {"FUNDING_NOT_AGREED"}));
  auto next = r.debit;
  next.referentie = "P6";
  (void)post(*r.bench, text(declaration("A4", "D4", {{"999990019", {next}}})));
  EXPECT_EQ(r.bench->world.events.size(), 5U) << "the credit was granted, the replacement was not";
}

TEST(Zorgaanbieder, CrashAnywhereBetweenCreditAndReplacementLosesAndDoublesNothing) {
  for (int n = 1; n <= 24; ++n)
    for (CrashWhen when : {CrashWhen::before, CrashWhen::after}) {
      Replacement r;
      (void)r.bench->send(decision(r.event("98765432-D3-1"), "delivered"));
      (void)r.bench->send(decision(r.event("98765432-D3-1C1"), "delivered"));
      r.bench->crash_at(n, when);
      (void)r.bench->poll();
      r.bench->crash_at(0, CrashWhen::never);
      ASSERT_TRUE(r.bench->poll()) << n;
      ASSERT_EQ(r.bench->world.events.size(), 4U) << n;
      EXPECT_EQ(r.bench->send(decision(r.event("98765432-D3-1V1"), "delivered"))->verdict, Verdict::delivered);
      EXPECT_EQ(answers(*r.bench).size(), 2U) << n;
    }
}

TEST(Zorgaanbieder, APartSaysByWhenItsAnswerIsOwed) {
  auto bench = fresh_desk();
  (void)post(*bench, text(three_pupils()));
  auto due = add_working_days(local_date(bench->clock.now()), 10).str();
  for (const auto& e : bench->world.events) EXPECT_EQ(e["data"]["answer_due"], due);
}

TEST(Zorgaanbieder, ADebitThatIsUndecidedIsTakenTooAndOneThatWasRefusedIsFreeAgain) {
  auto bench = fresh_desk();
  auto debit = line("P1", 33333), same_reference = debit, same_month = debit;
  same_month.referentie = "P2";
  (void)declare(*bench, "A1", "D1", {{"999990019", {debit}}});
  (void)declare(*bench, "A2", "D2", {{"999990019", {same_reference}}});
  (void)declare(*bench, "A3", "D3", {{"999990019", {same_month}}});
  EXPECT_EQ(bench->world.events.size(), 1U) << "nothing goes on while the first is undecided";
  EXPECT_EQ(line_codes(*bench), (std::set<std::string>{"8021", "9389"}));
  (void)bench->send(decision(bench->world.events[0]["id"], "blocked", {"NOT_ENROLLED_NO_EDU_FUNDING"}));
  (void)declare(*bench, "A4", "D4", {{"999990019", {same_reference}}});
  EXPECT_EQ(bench->world.events.size(), 2U);
}

TEST(Zorgaanbieder, ACreditIsACopyOfItsDebit) {
  auto bench = fresh_desk();
  (void)declare(*bench, "A1", "D1", {{"999990019", {line("P1", 33333)}}});
  (void)bench->send(decision(bench->world.events[0]["id"], "delivered"));
  auto more = line("P2", 33334, "45A03", "P1");
  auto other = line("P3", 33333, "45A03", "P1");
  other.toewijzing = 7;
  (void)declare(*bench, "A2", "D2", {{"999990019", {more}}});
  (void)declare(*bench, "A3", "D3", {{"999990019", {other}}});
  EXPECT_EQ(bench->world.events.size(), 1U);
  EXPECT_EQ(line_codes(*bench), (std::set<std::string>{"8017"}));
}

TEST(Zorgaanbieder, NoBsnRestsAfterTheAnswerAndTheAnswerItselfGoesWhenItsTimeIsOver) {
  auto bench = fresh_desk();
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
  auto bench = fresh_desk();
  (void)declare(*bench, "A1", "D1", {{"999990019", {line("P1", 100)}}});
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

TEST(Zorgaanbieder, ADeclarationInAGgkEnvelopeIsAnsweredInOne) {
  auto bench = fresh_desk();
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

}  // namespace
}  // namespace schakel::test
