// Money of the regions without a fixed half: MH-T4, FRL-T5, MVS-T4, HR-T3; and what every document and decision
// carries.
#include <gmock/gmock.h>

#include "tests/unit/rules/invoicing_support.hpp"

namespace schakel::invoicing_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Json kKnhFunding = {{"funding_agreed", true},
                          {"funding",
                           {{{"kind", "zorg"}, {"payer", "gemeente"}},
                            {{"kind", "grijs"}, {"payer", "50/50"}},
                            {{"kind", "onderwijs"}, {"payer", "swv"}}}},
                          {"funding_period", {"2026-09-01", "2027-07-31"}}};

// --- MH, FRL, MVS, HR
// -------------------------------------------------------------------------------------------------

TEST(MhMoney, BindingAdviceIsAppliedWhenBothHaveRatified) {
  Case c(mh());
  (void)c.play("escalatie", "school_ib", Json::object());
  EXPECT_THAT(c.invoice("A", {line("zorg", 100)}).codes, ElementsAre("DISPUTE_PENDING"));
  (void)c.play("bindend_advies", "oza_team", {{"shares", {{"gemeente", 6000}, {"swv", 4000}}}});
  EXPECT_THAT(c.invoice("RV-451", {line("gecombineerd", 123457)}).codes, ElementsAre("BEKRACHTIGING_MISSING"));
  EXPECT_THAT(c.play("bekrachtiging", "gemeente", Json::object()).invoices, IsEmpty());
  EXPECT_THAT(c.play("bekrachtiging", "gemeente", Json::object()).invoices, IsEmpty())
      << "twice by the same party is once";
  auto d = c.play("bekrachtiging", "swv", Json::object());
  EXPECT_EQ(amounts(d), (Amounts{{"A", 100}, {"DB-A", 40}, {"RV-451", 123457}, {"DB-RV-451", 49383}}));
  EXPECT_EQ(find(d, "DB-RV-451").split,
            Json({{"gemeente_cents", 74074}, {"swv_cents", 49383}, {"total_cents", 123457}}));
}

TEST(MhMoney, AnAdviceThatDoesNotAddUpIsNeverCarriedOut) {
  Case c(mh());
  (void)c.play("bindend_advies", "oza_team", {{"shares", {{"gemeente", 6000}, {"swv", 3000}}}});
  (void)c.play("bekrachtiging", "gemeente", Json::object());
  (void)c.play("bekrachtiging", "swv", Json::object());
  EXPECT_THAT(c.invoice("A", {line("zorg", 100)}).codes, ElementsAre("BEKRACHTIGING_MISSING"));
}

TEST(MhMoney, WithoutAdviceThereIsNoSplit) {
  Case c(mh());
  EXPECT_EQ(amounts(c.invoice("A", {line("gecombineerd", 800000)})), (Amounts{{"A", 800000}}));
}

TEST(MhMoney, EducationNeedsEnrolmentAndRegie) {
  Case c(mh());
  c.file.pupil.enrolled = false;
  auto d = c.invoice("A", {line("onderwijs", 1)});
  EXPECT_EQ(d.outcome, Outcome::blocked);
  EXPECT_THAT(d.codes, ElementsAre("NOT_ENROLLED_NO_EDU_FUNDING"));
  EXPECT_EQ(c.invoice("B", {line("gecombineerd", 1)}).outcome, Outcome::delivered);
  Case regie(mh(), {{"funding_agreed", false}, {"education_regie", false}});
  EXPECT_THAT(regie.invoice("A", {line("onderwijs", 1)}).codes, ElementsAre("FUNDING_NOT_AGREED", "EDU_REGIE_MISSING"));
  EXPECT_EQ(regie.invoice("B", {line("zorg", 1)}).outcome, Outcome::held) << "care uses no SWV money";
}

TEST(FrlMoney, ContractHolderReinvoicesTheOthersByLargestRemainder) {
  Case c(frl(), {{"funding_agreed", true},
                 {"contract_holder", "gemeente"},
                 {"funding",
                  {{{"payer_bp", {{"gemeente", 5000}, {"schoolbestuur", 2500}, {"swv", 2500}}},
                    {"period", {"2026-02-01", "2026-07-31"}}}}}});
  auto d = c.invoice("TW", {line("gecombineerd", 100003)}, 0, {{"service_period", {"2026-07-01", "2026-07-31"}}});
  EXPECT_EQ(amounts(d), (Amounts{{"TW", 100003}, {"DB-TW", 25001}, {"DB-TW-SB", 25001}}));
  EXPECT_EQ(
      find(d, "DB-TW").split,
      Json({{"gemeente_cents", 50001}, {"schoolbestuur_cents", 25001}, {"swv_cents", 25001}, {"total_cents", 100003}}));
  EXPECT_TRUE(find(d, "DB-TW-SB").split.is_null());
  auto one = c.invoice("ONE", {line("gecombineerd", 1)}, 0, {{"period", "2026-07"}});
  EXPECT_EQ(amounts(one), (Amounts{{"ONE", 1}}));
  EXPECT_THAT(signals(one),
              ElementsAre("ZERO_SHARE_NOT_SENT>gemeente_financien", "ZERO_SHARE_NOT_SENT>gemeente_financien"));
}

TEST(FrlMoney, SplitStandsOnTheLastReinvoiceWhereTheSwvPaysNothing) {
  Case c(frl(),
         {{"funding_agreed", true},
          {"funding",
           {{{"payer_bp", {{"gemeente", 5000}, {"schoolbestuur", 5000}}}, {"period", {"2026-02-01", "2026-07-31"}}}}}});
  auto d = c.invoice("A", {line("gecombineerd", 5)}, 0, {{"period", "2026-07"}});
  EXPECT_EQ(find(d, "DB-A-SB").split, Json({{"gemeente_cents", 3}, {"schoolbestuur_cents", 2}, {"total_cents", 5}}));
}

TEST(MvsMoney, ContentComesFirstAndTheOfferingPartyPays) {
  Case c(mvs(), {{"funding_agreed", false}, {"content_fixed", false}, {"offered_by", "swv"}});
  EXPECT_THAT(c.invoice("A", {line("zorg", 1)}).codes, ElementsAre("CONTENT_NOT_FIXED"));
  c.file.facts["content_fixed"] = true;
  EXPECT_THAT(c.invoice("A", {line("zorg", 1)}).codes, ElementsAre("FUNDING_NOT_AGREED"));
  auto d = c.agree();
  EXPECT_EQ(find(d, "A").payer, "swv");
  c.file.facts["offered_by"] = "wijkteam";
  EXPECT_EQ(find(c.invoice("B", {line("zorg", 5)}), "B").payer, "gemeente");
}

TEST(HrMoney, CombinedInvoiceIsSharedByMinutesAndEachSideIsInvoicedDirectly) {
  Case c(hr(), {{"funding_agreed", true}, {"education_payer", "swv"}});
  auto d = c.invoice("DR-88", {line("gecombineerd", 60208)}, 0, {{"minutes", 425}});
  EXPECT_EQ(amounts(d), (Amounts{{"DR-88-O", 30033}, {"DR-88-J", 30175}}));
  EXPECT_EQ(find(d, "DR-88-O").minutes, 212);
  EXPECT_EQ(find(d, "DR-88-J").minutes, 213);
  EXPECT_EQ(find(d, "DR-88-J").split,
            Json({{"education_cents", 30033}, {"gemeente_cents", 30175}, {"total_cents", 60208}}));
  EXPECT_TRUE(find(d, "DR-88-O").split.is_null());
  auto one = c.invoice("ONE", {line("gecombineerd", 100)}, 0, {{"minutes", 1}});
  EXPECT_EQ(amounts(one), (Amounts{{"ONE-O", 0}, {"ONE-J", 100}})) << "both halves of an order are sent";
  EXPECT_THAT(one.signals, IsEmpty());
}

TEST(HrMoney, AConsultOfTheExpertgroepHoldsNothing) {
  Case c(hr(), {{"funding_agreed", true}, {"education_payer", "schoolbestuur"}});
  (void)c.play("escalatie", "medewerker_toegang", Json::object());
  EXPECT_EQ(c.invoice("A", {line("gecombineerd", 2)}, 0, {{"minutes", 2}}).outcome, Outcome::delivered);
}

// --- audience, lines, explanation
// -------------------------------------------------------------------------------------

TEST(Audience, ParentsNeverGetMoneyAndOthersOnlyWhenTheyPay) {
  Case c(knh());
  auto d = c.play("factuur", "zorgaanbieder_billing", {{"number", "A"}, {"lines", {line("zorg", 5)}}}, {},
                  {"gemeente_financien", "ouders", "leerling", "smw", "swv_financien"});
  EXPECT_THAT(roles(d), ElementsAre("gemeente_financien"));
  Texts rows;
  for (const auto& s : d.suppressed) rows.push_back(s.role + ":" + s.code);
  EXPECT_THAT(rows, ElementsAre("ouders:AUDIENCE_FINANCE", "leerling:AUDIENCE_FINANCE", "smw:AUDIENCE_NOT_INVOLVED"));
}

TEST(Lines, OfEveryDocumentAddUpToItsAmount) {
  Case c(knh(), {{"funding_agreed", true}, {"funding", kKnhFunding["funding"]}});
  auto d = c.invoice("A", {line("grijs", 3), line("zorg", 10), line("grijs", 4), line("onderwijs", 7)}, 0,
                     {{"period", "2026-10"}});
  for (const auto& i : d.invoices) {
    std::int64_t sum = 0;
    for (const auto& l : i.lines) {
      EXPECT_GE(l["share_cents"].get<std::int64_t>(), 0);
      sum += l["share_cents"].get<std::int64_t>();
    }
    EXPECT_EQ(sum, i.amount_cents) << i.number;
  }
  const auto& db = find(d, "DB-A");
  ASSERT_EQ(db.lines.size(), 3u);
  EXPECT_EQ(db.lines[0]["description"],
            "Grijs gebied van onderwijs en zorg, oktober 2026: aandeel samenwerkingsverband, factuur A");
  EXPECT_EQ(db.period_from, "2026-10-01");
  EXPECT_EQ(db.period_to, "2026-10-31");
  EXPECT_EQ(db.source_message, "m1");
}

TEST(Lines, CarryNoTextOfTheSource) {
  Case c(knh());
  auto d = c.play(
      "factuur", "zorgaanbieder_billing",
      {{"number", "A"}, {"lines", {{{"kind", "zorg"}, {"cents", 5}, {"description", "Fictief Guus, maandag"}}}}});
  EXPECT_EQ(Json(find(d, "A").lines).dump().find("Guus"), std::string::npos);
}

TEST(Explanation, NamesTheRulesOfTheRegionWithTheirQuotes) {
  Json file = {{"region", "KNH"},
               {"name", "KNH"},
               {"sources", {{"mis-k-2022", "MIS-K"}}},
               {"settings", {{"grey_split.enabled", {{"value", true}, {"why", "KNH-MONEY-01"}}}}},
               {"rules",
                {{{"id", "KNH-MONEY-01"},
                  {"source", "mis-k-2022"},
                  {"quote", "bekostiging van 50%/50%"},
                  {"stage", "invoicing"},
                  {"on", {"factuur"}},
                  {"then", {{"explains", {"half"}}}}},
                 {{"id", "KNH-MONEY-13"},
                  {"source", "mis-k-2022"},
                  {"quote", "vastgelegd in het OZA-document"},
                  {"stage", "invoicing"},
                  {"on", {"factuur"}},
                  {"then", {{"explains", {"FUNDING_NOT_AGREED"}}}}}}}};
  auto made = Profile::parse(file, *Vocabulary::parse({{"facts", Json::array()}}));
  ASSERT_TRUE(made);
  Case c(*made);
  auto d = c.invoice("A", {line("grijs", 10)});
  auto it = std::ranges::find(d.explanation, "KNH-MONEY-01", &Explanation::rule);
  ASSERT_NE(it, d.explanation.end());
  EXPECT_EQ(it->quote, "bekostiging van 50%/50%");
  EXPECT_EQ(it->facts["swv_cents"], 5);
  c.file.facts["funding_agreed"] = false;
  auto held = c.invoice("B", {line("grijs", 10)});
  EXPECT_NE(std::ranges::find(held.explanation, "KNH-MONEY-13", &Explanation::rule), held.explanation.end());
  EXPECT_NE(std::ranges::find(held.explanation, "CORE-MONEY-07", &Explanation::rule), held.explanation.end());
}

TEST(Ledger, IsTheSameAfterAReplayOfTheEffects) {
  Case c(knh());
  std::vector<Draft> drafts;
  drafts.push_back(c.invoice("A", {line("grijs", 11), line("zorg", 4)}, 3));
  drafts.push_back(c.credit("C", "A", {line("grijs", 2)}, 1));
  Json again = Json::object();
  for (const auto& d : drafts)
    for (const auto& e : d.effects) apply_invoice_effect(again, e);
  EXPECT_EQ(again, c.file.invoices);
  auto ledger = ledger_of(again);
  ASSERT_EQ(ledger.entries.size(), 2u);
  Json round;
  for (const auto& e : ledger.entries) apply_invoice_effect(round, invoice_effect(e));
  EXPECT_EQ(round, again);
}

}  // namespace
}  // namespace schakel::invoicing_test
