// The corners of the money rules: what a case may bring that no example shows.
#include <gmock/gmock.h>

#include "tests/unit/rules/invoicing_support.hpp"

namespace schakel::invoicing_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Json frl_case(Json shares, Json period = {"2026-01-01", "2026-12-31"}) {
  Json line = {{"activity", "dagbesteding"}, {"payer_bp", std::move(shares)}, {"period", std::move(period)}};
  return {{"funding_agreed", true}, {"contract_holder", "gemeente"}, {"funding", Json::array({line})}};
}
const Json kMarch = {{"period", "2026-03"}};

std::int64_t sum(const Amounts& a, const std::string& prefix) {
  std::int64_t total = 0;
  for (const auto& [number, cents] : a)
    if (number.starts_with(prefix)) total += cents;
  return total;
}

TEST(Edge, CreditsOfOneCentUntilNothingIsLeftGiveBackExactlyWhatWasAsked) {
  Case c(knh());
  auto invoice = c.invoice("A", {line("grijs", 7)});
  std::int64_t swv = find(invoice, "DB-A").amount_cents, gemeente = 7;
  for (int n = 1; n <= 7; ++n) {
    auto d = c.credit("C" + std::to_string(n), "A", {line("grijs", 1)});
    ASSERT_EQ(d.outcome, Outcome::delivered);
    swv += sum(amounts(d), "CN-");
    gemeente += find(d, "C" + std::to_string(n)).amount_cents;
  }
  EXPECT_EQ(swv, 0);
  EXPECT_EQ(gemeente, 0);
}

TEST(Edge, ACreditMayMoveTheRemainderToAnotherPayerAndStillAddsUp) {
  // Three equal thirds of 4 are 2, 1, 1; of 2 they are 1, 1, 0.
  Case c(frl(), frl_case({{"gemeente", 3334}, {"schoolbestuur", 3333}, {"swv", 3333}}));
  EXPECT_EQ(amounts(c.invoice("A", {line("gecombineerd", 4)}, 0, kMarch)),
            (Amounts{{"A", 4}, {"DB-A", 1}, {"DB-A-SB", 1}}));
  auto d = c.credit("C", "A", {line("gecombineerd", 2)});
  EXPECT_EQ(amounts(d), (Amounts{{"C", -2}, {"CN-C", -1}}));
  EXPECT_EQ(find(d, "CN-C").split,
            Json({{"gemeente_cents", -1}, {"schoolbestuur_cents", 0}, {"swv_cents", -1}, {"total_cents", -2}}));
  EXPECT_THAT(signals(d), ElementsAre("ZERO_SHARE_NOT_SENT>gemeente_financien"));
}

TEST(Edge, CreditToTheSchoolbestuurCarriesItsSuffixAndTheSplitWhereTheSwvGetsNothing) {
  Case c(frl(), frl_case({{"gemeente", 5000}, {"schoolbestuur", 5000}}));
  (void)c.invoice("A", {line("gecombineerd", 100)}, 0, kMarch);
  auto d = c.credit("C", "A", {line("gecombineerd", 10)});
  EXPECT_EQ(amounts(d), (Amounts{{"C", -10}, {"CN-C-SB", -5}}));
  EXPECT_EQ(find(d, "CN-C-SB").credits, "DB-A-SB");
  EXPECT_EQ(find(d, "CN-C-SB").split,
            Json({{"gemeente_cents", -5}, {"schoolbestuur_cents", -5}, {"total_cents", -10}}));
}

TEST(Edge, TiesGoToGemeenteThenSchoolbestuurThenSwv) {
  Case c(frl(), frl_case({{"gemeente", 5000}, {"swv", 5000}}));
  EXPECT_EQ(find(c.invoice("A", {line("gecombineerd", 1001)}, 0, kMarch), "DB-A").amount_cents, 500);
  Case three(frl(), frl_case({{"gemeente", 2000}, {"schoolbestuur", 4000}, {"swv", 4000}}));
  EXPECT_EQ(amounts(three.invoice("A", {line("gecombineerd", 1)}, 0, kMarch)), (Amounts{{"A", 1}, {"DB-A-SB", 1}}));
}

TEST(Edge, APayerOfZeroBasisPointsIsNoPayer) {
  Case c(frl(), frl_case({{"gemeente", 10000}, {"swv", 0}}));
  auto d = c.invoice("A", {line("gecombineerd", 5)}, 0, kMarch);
  EXPECT_EQ(amounts(d), (Amounts{{"A", 5}}));
  EXPECT_THAT(d.signals, IsEmpty());
}

TEST(Edge, TheSchoolbestuurAsHolderReinvoicesBothOthers) {
  Json facts = frl_case({{"gemeente", 5000}, {"schoolbestuur", 2500}, {"swv", 2500}});
  facts["contract_holder"] = "schoolbestuur";
  Case c(frl(), facts);
  auto d = c.invoice("A", {line("gecombineerd", 100)}, 0, kMarch);
  EXPECT_EQ(amounts(d), (Amounts{{"A", 100}, {"DE-A", 25}, {"FG-A", 50}}));
  EXPECT_EQ(find(d, "A").payer, "schoolbestuur");
}

TEST(Edge, AnInvoiceWithoutPeriodIsNotInsideAnAgreementThatHasOne) {
  Case c(frl(), frl_case({{"gemeente", 5000}, {"swv", 5000}}));
  EXPECT_THAT(c.invoice("A", {line("gecombineerd", 5)}).codes, ElementsAre("OUTSIDE_FUNDING_PERIOD"));
}

TEST(Edge, ALineWithoutPeriodTakesThatOfTheCaseAndWithoutOneCoversAllExceptWhereTheRegionAsksForIt) {
  Json line_only = {{"funding_agreed", true}, {"funding", Json::array({{{"kind", "zorg"}, {"payer", "gemeente"}}})}};
  EXPECT_EQ(Case(mh(), line_only).invoice("A", {line("zorg", 5)}, 0, kMarch).outcome, Outcome::delivered);
  EXPECT_THAT(Case(frl(), line_only).invoice("A", {line("zorg", 5)}, 0, kMarch).codes,
              ElementsAre("OUTSIDE_FUNDING_PERIOD"));
  line_only["funding_period"] = {"2026-03-01", "2026-03-31"};
  EXPECT_EQ(Case(frl(), line_only).invoice("A", {line("zorg", 5)}, 0, kMarch).outcome, Outcome::delivered);
  EXPECT_THAT(Case(mh(), line_only).invoice("A", {line("zorg", 5)}, 0, {{"period", "2026-04"}}).codes,
              ElementsAre("OUTSIDE_FUNDING_PERIOD"));
}

TEST(Edge, AMonthOfTheAgreementEndsOnItsLastDayAlsoInALeapYear) {
  Case c(frl(), frl_case({{"gemeente", 5000}, {"swv", 5000}}, {"2028-02-01", "2028-02-28"}));
  EXPECT_THAT(c.invoice("A", {line("gecombineerd", 5)}, 0, {{"period", "2028-02"}}).codes,
              ElementsAre("OUTSIDE_FUNDING_PERIOD"))
      << "29 February";
}

TEST(Edge, ReleaseWithMixedCodesKeepsTheOrderOfArrivalOfWhatLeaves) {
  Json facts = {
      {"funding_agreed", false},
      {"funding", Json::array({{{"kind", "zorg"}, {"payer", "gemeente"}}, {{"kind", "grijs"}, {"payer", "50/50"}}})},
      {"funding_period", {"2026-03-01", "2026-04-30"}}};
  Case c(knh(), facts);
  auto in = [&](const char* n, const char* kind, const char* period) {
    return c.invoice(n, {line(kind, 10)}, 0, {{"period", period}}).codes;
  };
  EXPECT_THAT(in("1", "grijs", "2026-03"), ElementsAre("FUNDING_NOT_AGREED"));
  EXPECT_THAT(in("2", "grijs", "2026-05"), ElementsAre("FUNDING_NOT_AGREED", "OUTSIDE_FUNDING_PERIOD"));
  EXPECT_THAT(in("3", "onderwijs", "2026-03"), ElementsAre("FUNDING_NOT_AGREED"));
  EXPECT_THAT(c.credit("C2", "2", {line("grijs", 4)}).codes,
              ElementsAre("FUNDING_NOT_AGREED", "OUTSIDE_FUNDING_PERIOD"));
  EXPECT_THAT(in("4", "zorg", "2026-04"), ElementsAre("FUNDING_NOT_AGREED"));
  EXPECT_THAT(c.credit("C1", "1", {line("grijs", 4)}).codes, ElementsAre("FUNDING_NOT_AGREED"));
  Texts order;
  for (const auto& i : c.agree().invoices) order.push_back(i.number);
  EXPECT_THAT(order, ElementsAre("1", "DB-1", "4", "C1", "CN-C1"));
  order.clear();
  // A line for education in March and one for grey in May: what was left leaves, a credit still behind its invoice.
  for (const auto& i : c.agree({{{"kind", "onderwijs"}, {"payer", "swv"}},
                                {{"kind", "grijs"}, {"payer", "50/50"}, {"period", {"2026-05-01", "2026-05-31"}}}})
                           .invoices)
    order.push_back(i.number);
  EXPECT_THAT(order, ElementsAre("2", "DB-2", "3", "DB-3", "C2", "CN-C2"));
}

TEST(Edge, ACreditBesideAnInvoiceThatStaysHeldStaysWithIt) {
  Case c(knh(), {{"funding_agreed", true},
                 {"dispute", true},
                 {"funding", Json::array({{{"kind", "grijs"}, {"payer", "50/50"}}})},
                 {"funding_period", {"2026-03-01", "2026-03-31"}}});
  (void)c.invoice("A", {line("grijs", 10)}, 0, {{"period", "2026-04"}});
  EXPECT_THAT(c.credit("C", "A", {line("grijs", 1)}).codes, ElementsAre("OUTSIDE_FUNDING_PERIOD", "DISPUTE_PENDING"));
  EXPECT_THAT(c.play("escalatie_besluit", "escalatiegroep", Json::object()).invoices, IsEmpty());
  EXPECT_THAT(c.credit("D", "A", {line("grijs", 1)}).codes, ElementsAre("OUTSIDE_FUNDING_PERIOD"))
      << "the codes of the invoice as it stands now";
}

/// KNH-T10: the one takes the place of the other. A new dispute ends the advice that was not ratified: its ratification
/// counts for nothing from then on.
TEST(Edge, AnEscalationAfterTheAdviceTakesItsPlace) {
  Case c(mh());
  (void)c.play("escalatie", "school_ib", Json::object());
  (void)c.play("bindend_advies", "oza_team", {{"shares", {{"gemeente", 5000}, {"swv", 5000}}}});
  (void)c.play("bekrachtiging", "gemeente", Json::object());
  (void)c.play("escalatie", "lokaal_team", Json::object());
  EXPECT_THAT(c.invoice("A", {line("zorg", 9)}).codes, ElementsAre("DISPUTE_PENDING"));
  (void)c.play("bekrachtiging", "swv", Json::object());
  EXPECT_THAT(c.invoice("B", {line("zorg", 9)}).codes, ElementsAre("DISPUTE_PENDING"));
  (void)c.play("bindend_advies", "oza_team", {{"shares", {{"gemeente", 5000}, {"swv", 5000}}}});
  EXPECT_THAT(c.invoice("C", {line("zorg", 9)}).codes, ElementsAre("BEKRACHTIGING_MISSING"));
}

TEST(Edge, ANewAdviceNeedsNewRatification) {
  Case c(mh());
  (void)c.play("bindend_advies", "oza_team", {{"shares", {{"gemeente", 5000}, {"swv", 5000}}}});
  (void)c.play("bekrachtiging", "swv_eindverantwoordelijke", Json::object());
  (void)c.play("bekrachtiging", "gemeente_eindverantwoordelijke", Json::object());
  EXPECT_EQ(find(c.invoice("A", {line("zorg", 10)}), "DB-A").amount_cents, 5);
  (void)c.play("bindend_advies", "oza_team", {{"shares", {{"gemeente", 2000}, {"swv", 8000}}}});
  EXPECT_THAT(c.invoice("B", {line("zorg", 10)}).codes, ElementsAre("BEKRACHTIGING_MISSING"));
  (void)c.play("bekrachtiging", "swv", Json::object());
  EXPECT_EQ(amounts(c.play("bekrachtiging", "gemeente", Json::object())), (Amounts{{"B", 10}, {"DB-B", 8}}));
  EXPECT_EQ(amounts(c.credit("C", "A", {line("zorg", 10)})), (Amounts{{"C", -10}, {"CN-C", -5}}))
      << "the shares of then";
}

TEST(Edge, RatificationBeforeAnyAdviceCountsForNothing) {
  Case c(mh());
  (void)c.play("bekrachtiging", "swv", Json::object());
  (void)c.play("bindend_advies", "oza_team", {{"shares", {{"gemeente", 5000}, {"swv", 5000}}}});
  (void)c.play("bekrachtiging", "gemeente", Json::object());
  EXPECT_THAT(c.invoice("A", {line("zorg", 10)}).codes, ElementsAre("BEKRACHTIGING_MISSING"));
}

TEST(Edge, AnAdviceWithoutSharesIsRatifiedWithoutASplit) {
  Case c(mh());
  (void)c.play("bindend_advies", "oza_team", Json::object());
  (void)c.invoice("A", {line("zorg", 10)});
  (void)c.play("bekrachtiging", "swv", Json::object());
  EXPECT_EQ(amounts(c.play("bekrachtiging", "gemeente", Json::object())), (Amounts{{"A", 10}}));
}

TEST(Edge, RegieThatEducationDoesNotKeepStopsASwvShareOfCareToo) {
  Case c(mh(), {{"funding_agreed", true},
                {"education_regie", false},
                {"funding", Json::array({{{"kind", "zorg"}, {"payer_bp", {{"gemeente", 5000}, {"swv", 5000}}}}})}});
  auto d = c.invoice("A", {line("zorg", 10)});
  EXPECT_EQ(d.outcome, Outcome::blocked);
  EXPECT_THAT(d.codes, ElementsAre("EDU_REGIE_MISSING"));
}

TEST(Edge, VatOfThreeGroupsIsRoundedDownPerGroupAndTheRestStaysWithTheHolder) {
  Json facts = {{"funding_agreed", true},
                {"funding", Json::array({{{"kind", "onderwijs"}, {"payer", "swv"}},
                                         {{"kind", "zorg"}, {"payer", "gemeente"}},
                                         {{"kind", "grijs"}, {"payer", "50/50"}}})}};
  Case c(knh(), facts);
  auto d = c.invoice("A", {line("zorg", 100), line("grijs", 101), line("onderwijs", 99)}, 50);
  // grey: floor(50*101/300) = 16, half 8; education: floor(50*99/300) = 16.
  EXPECT_EQ(find(d, "DB-A").amount_cents, 149);
  EXPECT_EQ(find(d, "DB-A").vat_cents, 24);
  EXPECT_EQ(find(d, "DB-A").net_cents, 125);
  EXPECT_EQ(find(d, "A").vat_cents, 50);
}

TEST(Edge, VatOfTwoCreditsGivesBackWhatTheInvoiceAsked) {
  Case c(knh());
  std::int64_t vat = find(c.invoice("A", {line("grijs", 1001)}, 174), "DB-A").vat_cents.value_or(0);
  EXPECT_EQ(vat, 87);
  auto one = c.credit("C1", "A", {line("grijs", 333)}, 58);
  vat += find(one, "CN-C1").vat_cents.value_or(0);
  auto two = c.credit("C2", "A", {line("grijs", 668)}, 116);
  vat += find(two, "CN-C2").vat_cents.value_or(0);
  EXPECT_EQ(vat, 0);
}

TEST(Edge, ACreditWithoutVatOnAnInvoiceWithVatShowsNone) {
  Case c(knh());
  (void)c.invoice("A", {line("grijs", 1000)}, 174);
  auto d = c.credit("C", "A", {line("grijs", 2)});
  for (const auto& i : d.invoices) EXPECT_FALSE(i.vat_cents || i.net_cents) << i.number;
}

TEST(Edge, MoreVatThanLeftOnALastCreditStaysWithTheHolder) {
  Case c(knh());
  (void)c.invoice("A", {line("grijs", 200)}, 35);
  (void)c.credit("C1", "A", {line("grijs", 100)}, 18);
  auto d = c.credit("C2", "A", {line("grijs", 100)}, 18);
  EXPECT_EQ(d.outcome, Outcome::delivered) << "36 credited on 35: the provider rounds up twice";
  EXPECT_EQ(find(d, "C2").vat_cents, -18);
}

TEST(Edge, HrCreditIsSharedByTheMinutesOfItsInvoice) {
  Case c(hr(), {{"funding_agreed", true}, {"education_payer", "schoolbestuur"}});
  (void)c.invoice("A", {line("gecombineerd", 60208)}, 0, {{"minutes", 425}});
  auto d = c.credit("C", "A", {line("gecombineerd", 60208)});
  EXPECT_EQ(amounts(d), (Amounts{{"C-O", -30033}, {"C-J", -30175}}));
  EXPECT_EQ(find(d, "C-O").credits, "A-O");
  EXPECT_EQ(find(d, "C-J").split,
            Json({{"education_cents", -30033}, {"gemeente_cents", -30175}, {"total_cents", -60208}}));
}

TEST(Edge, HrInvoiceOfOneSideGoesToThatSideUnderItsOwnNumber) {
  Case c(hr(), {{"funding_agreed", true}, {"education_payer", "schoolbestuur"}});
  auto care = c.invoice("A", {line("zorg", 10)});
  EXPECT_EQ(amounts(care), (Amounts{{"A", 10}}));
  EXPECT_EQ(find(care, "A").payer, "gemeente");
  EXPECT_EQ(find(c.invoice("B", {line("onderwijs", 10)}), "B").payer, "schoolbestuur");
}

TEST(Edge, HrWithoutMinutesHalvesTheMoney) {
  Case c(hr(), {{"funding_agreed", true}, {"education_payer", "swv"}});
  EXPECT_EQ(amounts(c.invoice("A", {line("gecombineerd", 101)})), (Amounts{{"A-O", 50}, {"A-J", 51}}));
}

TEST(Edge, HoldGreyOnlyLetsCareThroughDuringADispute) {
  Case c(knh({{"hold_grey_only", true}}), {{"funding_agreed", true}, {"dispute", true}});
  EXPECT_EQ(c.invoice("A", {line("zorg", 5)}).outcome, Outcome::delivered);
  EXPECT_THAT(c.invoice("B", {line("zorg", 5), line("grijs", 5)}).codes, ElementsAre("DISPUTE_PENDING"));
}

TEST(Edge, OverridesOfTheTenantGoBeforeTheRegion) {
  Case c(knh());
  c.file.overrides = {{"grey_split", {{"odd_cent", "swv"}}},
                      {"invoice_addresses", {{"gemeente", "elders@gemeente.example"}}}};
  auto d = c.invoice("A", {line("grijs", 3)});
  EXPECT_EQ(find(d, "DB-A").amount_cents, 2);
  EXPECT_EQ(find(d, "A").address, "elders@gemeente.example");
  c.file.overrides = {{"grey_split.swv_bp", 2500}};
  EXPECT_EQ(find(c.invoice("B", {line("grijs", 100)}), "DB-B").amount_cents, 25);
}

TEST(Edge, MessagesOfTheSameInstantAreJudgedInTheirOrder) {
  // The support clock gives every message its own instant; order is what counts (CORE-MSG-02).
  Case c(knh());
  (void)c.play("escalatie", "procesregisseur", Json::object());
  EXPECT_EQ(c.invoice("A", {line("grijs", 2)}).outcome, Outcome::held);
  EXPECT_EQ(amounts(c.play("escalatie_besluit", "escalatiegroep", Json::object())), (Amounts{{"A", 2}, {"DB-A", 1}}));
  EXPECT_EQ(c.invoice("B", {line("grijs", 2)}).outcome, Outcome::delivered);
}

TEST(Edge, TheLargestInvoiceThatIsAcceptedIsSharedWithoutOverflow) {
  Case c(frl(), frl_case({{"gemeente", 3333}, {"schoolbestuur", 3333}, {"swv", 3334}}));
  auto d = c.invoice("A", {line("gecombineerd", 10'000'000'000'000)}, 1'735'537'190'082, kMarch);
  EXPECT_EQ(d.outcome, Outcome::delivered);
  EXPECT_EQ(find(d, "DB-A").split["total_cents"], 10'000'000'000'000);
}

TEST(Edge, AReleasedInvoiceNamesThePartyThatSentIt) {
  Case c(knh(), {{"funding_agreed", false}});
  c.party = "zorgaanbieder-1";
  (void)c.invoice("A", {line("grijs", 2)});
  c.party = "swv-1";
  auto d = c.agree();
  EXPECT_EQ(find(d, "A").payee_party, "zorgaanbieder-1");
  EXPECT_EQ(find(d, "DB-A").payee_party, "") << "the gemeente claims that, not the sender";
  EXPECT_EQ(find(d, "A").source_message, "m1");
}

TEST(Edge, DeclaratieOfTheSchoolbestuurInOtherRegionsFollowsTheRecordedShares) {
  Case c(mh(),
         {{"funding_agreed", true}, {"funding", Json::array({{{"payer_bp", {{"gemeente", 6000}, {"swv", 4000}}}}})}});
  EXPECT_EQ(amounts(c.declaratie("SB", 10)), (Amounts{{"DE-SB", 4}, {"FG-SB", 6}}));
}

TEST(Edge, ADoorbelastingOfTheGemeenteItselfGoesToTheSwvUnlessTheBrokerSentIt) {
  Case c(knh());
  auto d = c.play("doorbelasting", "gemeente_financien",
                  {{"number", "GEM-1"}, {"source_invoice", "ZB-9"}, {"share_cents", 5000}});
  EXPECT_EQ(d.outcome, Outcome::delivered);
  EXPECT_THAT(roles(d), ElementsAre("swv_financien"));
  const auto& out = find(d, "GEM-1");
  EXPECT_EQ(std::tie(out.kind, out.payer, out.payee, out.amount_cents, out.address),
            std::tuple("doorbelasting", "swv", "gemeente", 5000, "oza@swvkopvannoordholland.nl"));
  EXPECT_EQ(amounts(c.credit("GC", "GEM-1", {line("gecombineerd", 1000)}, 0, "gemeente_financien")),
            (Amounts{{"GC", -1000}}));
  (void)c.invoice("ZB-1", {line("grijs", 10)});
  EXPECT_EQ(c.play("doorbelasting", "gemeente_financien",
                   {{"number", "GEM-2"}, {"source_invoice", "ZB-1"}, {"share_cents", 5}})
                .outcome,
            Outcome::quarantined);
  EXPECT_EQ(c.play("doorbelasting", "gemeente_financien", {{"number", "DB-ZB-1"}, {"share_cents", 5}}).outcome,
            Outcome::quarantined);
}

}  // namespace
}  // namespace schakel::invoicing_test
