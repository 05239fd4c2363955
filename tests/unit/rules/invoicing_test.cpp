// KNH-T9, the gate of KNH-T10, credits, VAT and release: every row and every example of domain.md 9.
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

// --- KNH-T9, CORE-MONEY-02
// --------------------------------------------------------------------------------------------

TEST(KnhMoney, GreyIsHalvedAndTheOddCentStaysWithTheGemeente) {
  Case c(knh());
  auto d = c.invoice("A", {line("grijs", 10001)});
  EXPECT_EQ(d.outcome, Outcome::delivered);
  EXPECT_EQ(amounts(d), (Amounts{{"A", 10001}, {"DB-A", 5000}}));
  EXPECT_EQ(find(d, "DB-A").split, Json({{"swv_cents", 5000}, {"gemeente_cents", 5001}, {"total_cents", 10001}}));
  EXPECT_THAT(roles(d), ElementsAre("gemeente_financien", "swv_financien"));
  const auto& db = find(d, "DB-A");
  EXPECT_EQ(std::tie(db.kind, db.payer, db.payee, db.address, db.source_number),
            std::tuple("doorbelasting", "swv", "gemeente", "oza@swvkopvannoordholland.nl", "A"));
}

TEST(KnhMoney, SplitIsMadeOncePerInvoiceNotPerLine) {
  Case c(knh());
  auto d = c.invoice("A", {line("grijs", 1), line("grijs", 1), line("grijs", 1)});
  EXPECT_EQ(find(d, "DB-A").amount_cents, 1);
}

TEST(KnhMoney, OneCentOfGreyIsLoggedAndNotSent) {
  Case c(knh());
  auto d = c.invoice("A", {line("grijs", 1)});
  EXPECT_EQ(amounts(d), (Amounts{{"A", 1}}));
  EXPECT_THAT(signals(d), ElementsAre("ZERO_SHARE_NOT_SENT>gemeente_financien"));
  EXPECT_THAT(roles(d), ElementsAre("gemeente_financien"));
}

TEST(KnhMoney, AnInvoiceOfNothingIsBookedAndNobodyGetsADocument) {
  for (const auto& region : {knh(), hr()}) {
    Case c(region);
    auto d = c.invoice("ZB-0", {line("grijs", 0), line("zorg", 0)});
    EXPECT_EQ(d.outcome, Outcome::delivered);
    EXPECT_EQ(amounts(d), Amounts{});
    EXPECT_TRUE(d.recipients.empty());
    EXPECT_TRUE(d.codes.empty());
    EXPECT_TRUE(d.signals.empty());
    EXPECT_EQ(c.invoice("ZB-0", {line("grijs", 0), line("zorg", 0)}).outcome, Outcome::dropped_duplicate);
    // Nothing can be taken off it, and what is not nothing still goes.
    EXPECT_EQ(c.credit("ZBC-0", "ZB-0", {line("grijs", 1)}).outcome, Outcome::quarantined);
    EXPECT_FALSE(amounts(c.invoice("ZB-1", {line("grijs", 0), line("zorg", 1)})).empty());
  }
}

TEST(KnhMoney, OddCentGoesToTheSwvWhereTheRegionSaysSo) {
  Case c(knh({{"grey_split.odd_cent", "swv"}}));
  EXPECT_EQ(find(c.invoice("A", {line("grijs", 10001)}), "DB-A").amount_cents, 5001);
}

TEST(KnhMoney, OddCentAlternatesAcrossInvoicesAndCases) {
  Case c(knh({{"grey_split.odd_cent", "alternate"}}));
  EXPECT_EQ(find(c.invoice("A", {line("grijs", 3)}), "DB-A").amount_cents, 1);
  EXPECT_EQ(find(c.invoice("B", {line("grijs", 4)}), "DB-B").amount_cents, 2);  // even: nobody's turn is used
  EXPECT_EQ(find(c.invoice("C", {line("grijs", 3)}), "DB-C").amount_cents, 2);
  Case other(knh({{"grey_split.odd_cent", "alternate"}}));
  other.registers = c.registers;
  other.file.id = "case-2";
  EXPECT_EQ(find(other.invoice("D", {line("grijs", 3)}), "DB-D").amount_cents, 1);
}

TEST(KnhMoney, EducationGoesToTheSwvOnlyWhereTheAgreementAllotsIt) {
  Case allotted(knh(), kKnhFunding);
  auto d = allotted.invoice("A", {line("zorg", 125000), line("grijs", 33333), line("onderwijs", 20000)}, 0,
                            {{"period", "2026-09"}});
  EXPECT_EQ(amounts(d), (Amounts{{"A", 178333}, {"DB-A", 36666}}));
  EXPECT_EQ(find(d, "DB-A").split, Json({{"swv_cents", 36666}, {"gemeente_cents", 141667}, {"total_cents", 178333}}));
  Case not_allotted(knh());
  EXPECT_EQ(find(not_allotted.invoice("A", {line("grijs", 302347), line("onderwijs", 425063)}), "DB-A").amount_cents,
            151173);
}

TEST(KnhMoney, SchoolbestuurDeclaresHalfAndInvoicesTheRestToTheGemeente) {
  Case c(knh(), {{"funding_agreed", true}}, "SO");
  auto d = c.declaratie("SB-77", 432105, 74993);
  EXPECT_EQ(amounts(d), (Amounts{{"DE-SB-77", 216052}, {"FG-SB-77", 216053}}));
  const auto& de = find(d, "DE-SB-77");
  EXPECT_EQ(std::tie(de.kind, de.payer, de.payee, de.vat_cents, de.net_cents),
            std::tuple("declaratie", "swv", "schoolbestuur", std::optional<std::int64_t>(37496),
                       std::optional<std::int64_t>(178556)));
  const auto& fg = find(d, "FG-SB-77");
  EXPECT_EQ(std::tie(fg.kind, fg.payer, fg.vat_cents, fg.net_cents),
            std::tuple("factuur", "gemeente", std::optional<std::int64_t>(37497), std::optional<std::int64_t>(178556)));
  EXPECT_EQ(de.split, Json({{"swv_cents", 216052}, {"gemeente_cents", 216053}, {"total_cents", 432105}}));
  EXPECT_TRUE(fg.split.is_null());
}

TEST(KnhMoney, DeclaratieOfOneCentTellsTheSchoolbestuur) {
  Case c(knh(), {{"funding_agreed", true}}, "SBO");
  auto d = c.declaratie("SB-1", 1);
  EXPECT_EQ(amounts(d), (Amounts{{"FG-SB-1", 1}}));
  EXPECT_THAT(signals(d), ElementsAre("ZERO_SHARE_NOT_SENT>schoolbestuur"));
  EXPECT_EQ(find(d, "FG-SB-1").split, Json({{"swv_cents", 0}, {"gemeente_cents", 1}, {"total_cents", 1}}));
}

TEST(KnhMoney, WithTheSchoolbestuurAsHolderTheProvidersInvoiceGoesThereAndIsReinvoiced) {
  Case c(knh(), {{"funding_agreed", true}, {"contract_holder", "schoolbestuur"}});
  auto d = c.invoice("A", {line("zorg", 1000), line("grijs", 101), line("onderwijs", 500)});
  EXPECT_EQ(amounts(d), (Amounts{{"A", 1601}, {"DE-A", 50}, {"FG-A", 1051}}));
  EXPECT_EQ(find(d, "A").payer, "schoolbestuur");
  EXPECT_EQ(find(d, "DE-A").split,
            Json({{"swv_cents", 50}, {"gemeente_cents", 1051}, {"schoolbestuur_cents", 500}, {"total_cents", 1601}}));
  EXPECT_EQ(amounts(c.invoice("B", {line("zorg", 1000)})), (Amounts{{"B", 1000}})) << "care alone is the gemeente's";
}

// --- CORE-MONEY-05
// ----------------------------------------------------------------------------------------------------

TEST(Vat, OfSeveralGroupsIsSharedInProportionAndAddsUp) {
  Case c(knh(), {{"funding_agreed", true}, {"funding", kKnhFunding["funding"]}});
  auto d = c.invoice("A", {line("grijs", 403602), line("onderwijs", 800001)}, 208889);
  const auto& db = find(d, "DB-A");
  EXPECT_EQ(db.amount_cents, 1001802);
  EXPECT_EQ(db.vat_cents, 173865);
  EXPECT_EQ(db.net_cents, 827937);
  EXPECT_EQ(find(d, "A").net_cents, 994714);
}

TEST(Vat, IsNotMentionedWhereTheSourceHasNone) {
  Case c(knh());
  auto d = c.invoice("A", {line("grijs", 100)});
  for (const auto& i : d.invoices) EXPECT_TRUE(!i.vat_cents && !i.net_cents);
}

// --- CORE-MONEY-04
// ----------------------------------------------------------------------------------------------------

TEST(Credit, IsTheDifferenceOfTheCumulativeHalves) {
  Case c(knh());
  (void)c.invoice("A", {line("zorg", 45000), line("grijs", 10001)});
  auto one = c.credit("C1", "A", {line("grijs", 1)});
  EXPECT_EQ(amounts(one), (Amounts{{"C1", -1}}));
  EXPECT_THAT(signals(one), ElementsAre("ZERO_SHARE_NOT_SENT>gemeente_financien"));
  auto two = c.credit("C2", "A", {line("grijs", 1)});
  EXPECT_EQ(amounts(two), (Amounts{{"C2", -1}, {"CN-C2", -1}}));
  EXPECT_EQ(find(two, "CN-C2").split, Json({{"swv_cents", -1}, {"gemeente_cents", 0}, {"total_cents", -1}}));
  EXPECT_EQ(find(two, "CN-C2").credits, "DB-A");
  EXPECT_EQ(find(two, "C2").credits, "A");
  EXPECT_THAT(two.signals, IsEmpty());
}

TEST(Credit, OfCareOnlyLeavesTheSwvAlone) {
  Case c(knh());
  (void)c.invoice("A", {line("zorg", 100), line("grijs", 100)});
  auto d = c.credit("C1", "A", {line("zorg", 34)});
  EXPECT_EQ(amounts(d), (Amounts{{"C1", -34}}));
  EXPECT_THAT(d.signals, IsEmpty());
}

TEST(Credit, LargerThanWhatIsLeftInTotalOrOfOneKindIsQuarantined) {
  Case c(knh());
  (void)c.invoice("A", {line("zorg", 100), line("grijs", 50)});
  EXPECT_THAT(c.credit("C1", "A", {line("grijs", 51)}).codes, ElementsAre("INVOICE_CONFLICT"));
  EXPECT_THAT(c.credit("C2", "A", {line("grijs", 25), line("grijs", 26)}).codes, ElementsAre("INVOICE_CONFLICT"));
  EXPECT_THAT(c.credit("C3", "A", {line("onderwijs", 1)}).codes, ElementsAre("INVOICE_CONFLICT"));
  EXPECT_EQ(c.credit("C4", "A", {line("grijs", 30)}).outcome, Outcome::delivered);
  EXPECT_EQ(c.credit("C5", "A", {line("grijs", 21)}).outcome, Outcome::quarantined) << "30 of 50 are gone";
  EXPECT_EQ(c.credit("C5", "A", {line("grijs", 20), line("zorg", 100)}).outcome, Outcome::delivered)
      << "a refused number is not remembered";
  EXPECT_EQ(c.credit("C6", "A", {line("zorg", 1)}).outcome, Outcome::quarantined) << "nothing is left";
}

TEST(Credit, OnAnUnknownInvoiceOrOneOfAnotherCreditorIsQuarantined) {
  Case c(knh());
  (void)c.invoice("A", {line("grijs", 100)});
  EXPECT_EQ(c.credit("C1", "B", {line("grijs", 1)}).outcome, Outcome::quarantined);
  EXPECT_EQ(c.credit("C2", "A", {line("grijs", 1)}, 0, "schoolbestuur").outcome, Outcome::quarantined);
}

TEST(Credit, GoesToTheSameDebtorsWhateverWasAgreedSince) {
  Case c(frl(), {{"funding_agreed", true},
                 {"contract_holder", "gemeente"},
                 {"funding",
                  {{{"payer_bp", {{"gemeente", 5000}, {"swv", 5000}}}, {"period", {"2026-01-01", "2026-12-31"}}}}}});
  (void)c.invoice("A", {line("gecombineerd", 1000)}, 0, {{"period", "2026-03"}});
  c.file.facts["funding"] =
      Json::array({{{"payer_bp", {{"gemeente", 2000}, {"swv", 8000}}}, {"period", {"2026-01-01", "2026-12-31"}}}});
  EXPECT_EQ(amounts(c.credit("C", "A", {line("gecombineerd", 1000)})), (Amounts{{"C", -1000}, {"CN-C", -500}}));
}

TEST(Credit, OfADeclaratieReachesBothDebtors) {
  Case c(knh(), {{"funding_agreed", true}}, "SO");
  (void)c.declaratie("SB-1", 10001);
  auto d = c.credit("C", "SB-1", {line("grijs", 10001)}, 0, "schoolbestuur");
  EXPECT_EQ(amounts(d), (Amounts{{"CN-C", -5000}, {"CN-C-G", -5001}}));
  EXPECT_EQ(find(d, "CN-C").credits, "DE-SB-1");
  EXPECT_EQ(find(d, "CN-C-G").credits, "FG-SB-1");
}

// --- KNH-T10, CORE-MONEY-06, CORE-MONEY-07
// ----------------------------------------------------------------------------

TEST(Gate, SameKeyAndContentIsDroppedSameKeyOtherContentQuarantined) {
  Case c(knh());
  (void)c.invoice("A", {line("zorg", 100)});
  auto again = c.invoice("A", {line("zorg", 100)});
  EXPECT_EQ(again.outcome, Outcome::dropped_duplicate);
  EXPECT_THAT(again.codes, ElementsAre("DUPLICATE_INVOICE"));
  EXPECT_THAT(again.invoices, IsEmpty());
  auto other = c.invoice("A", {line("zorg", 101)});
  EXPECT_EQ(other.outcome, Outcome::quarantined);
  EXPECT_THAT(other.codes, ElementsAre("INVOICE_CONFLICT"));
  EXPECT_EQ(c.declaratie("A", 100).outcome, Outcome::delivered) << "another kind is another key";
}

TEST(Gate, DuplicateOfAnotherCaseOfTheSamePartyIsFound) {
  Case first(knh());
  first.party = "party-1";
  (void)first.invoice("A", {line("zorg", 100)});
  Case second(knh());
  second.file.id = "case-2";
  second.party = "party-1";
  second.registers = first.registers;
  EXPECT_EQ(second.invoice("A", {line("zorg", 100)}).outcome, Outcome::dropped_duplicate);
  EXPECT_EQ(second.invoice("A", {line("zorg", 99)}).outcome, Outcome::quarantined);
  second.party = "party-2";
  EXPECT_EQ(second.invoice("A", {line("zorg", 100)}).outcome, Outcome::delivered) << "another creditor";
}

TEST(Gate, HeldInvoicesAreRememberedBlockedOnesNot) {
  Case held(knh(), {{"funding_agreed", false}});
  EXPECT_EQ(held.invoice("A", {line("zorg", 1)}).outcome, Outcome::held);
  EXPECT_EQ(held.invoice("A", {line("zorg", 1)}).outcome, Outcome::dropped_duplicate);
  EXPECT_EQ(held.invoice("A", {line("zorg", 2)}).outcome, Outcome::quarantined);
  Case blocked(mvs(), {{"funding_agreed", true}, {"content_fixed", false}});
  EXPECT_EQ(blocked.invoice("A", {line("zorg", 1)}).outcome, Outcome::blocked);
  EXPECT_EQ(blocked.invoice("A", {line("zorg", 1)}).outcome, Outcome::blocked);
  EXPECT_TRUE(blocked.registers.empty());
}

TEST(Gate, ARefusalByAnEarlierDeciderStandsBehindDuplicateOnly) {
  Case c(hr());
  Draft refused;
  refused.codes = {"HANDELINGSDEEL_UNSIGNED"};
  Json payload = {{"number", "A"}, {"minutes", 60}, {"lines", {line("gecombineerd", 100)}}, {"vat_cents", 0}};
  auto d = c.play("factuur", "zorgaanbieder_billing", payload, refused);
  EXPECT_THAT(d.codes, ElementsAre("HANDELINGSDEEL_UNSIGNED"));
  EXPECT_THAT(d.invoices, IsEmpty());
  EXPECT_EQ(c.play("factuur", "zorgaanbieder_billing", payload).outcome, Outcome::delivered);
  auto again = c.play("factuur", "zorgaanbieder_billing", payload, refused);
  EXPECT_EQ(again.outcome, Outcome::dropped_duplicate);
  EXPECT_THAT(again.codes, ElementsAre("DUPLICATE_INVOICE"));
}

TEST(Gate, EachCodeOfTheTableInItsOrder) {
  Case c(knh(), {{"funding_agreed", false},
                 {"dispute", true},
                 {"funding", {{{"kind", "grijs"}, {"payer", "50/50"}}}},
                 {"funding_period", {"2026-09-01", "2026-10-31"}}});
  EXPECT_THAT(c.invoice("A", {line("grijs", 1)}, 0, {{"period", "2026-11"}}).codes,
              ElementsAre("FUNDING_NOT_AGREED", "OUTSIDE_FUNDING_PERIOD", "DISPUTE_PENDING"));
  EXPECT_THAT(c.invoice("B", {line("grijs", 1)}, 0, {{"period", "2026-10"}}).codes,
              ElementsAre("FUNDING_NOT_AGREED", "DISPUTE_PENDING"));
}

TEST(Gate, AKindThatNoLineAnswersForIsNotAgreedAndHasNoPeriod) {
  Case c(knh(), {{"funding_agreed", true},
                 {"funding", {{{"kind", "grijs"}, {"payer", "50/50"}}}},
                 {"funding_period", {"2026-09-01", "2026-10-31"}}});
  EXPECT_THAT(c.invoice("A", {line("onderwijs", 1)}, 0, {{"period", "2026-12"}}).codes,
              ElementsAre("FUNDING_NOT_AGREED"));
  EXPECT_THAT(c.invoice("B", {line("onderwijs", 1), line("grijs", 1)}, 0, {{"period", "2026-12"}}).codes,
              ElementsAre("FUNDING_NOT_AGREED", "OUTSIDE_FUNDING_PERIOD"));
  EXPECT_EQ(c.invoice("C", {line("gecombineerd", 1)}, 0, {{"period", "2026-10"}}).outcome, Outcome::delivered)
      << "every line answers for gecombineerd";
}

TEST(Gate, PeriodIsInclusiveOnBothEndsAndOneDayOutsideIsEnough) {
  Json facts = {
      {"funding_agreed", true},
      {"funding", {{{"payer_bp", {{"gemeente", 5000}, {"swv", 5000}}}, {"period", {"2026-02-01", "2026-04-30"}}}}}};
  Case c(frl(), facts);
  auto with = [&](const char* n, const char* from, const char* to) {
    return c.invoice(n, {line("gecombineerd", 10)}, 0, {{"service_period", {from, to}}}).codes;
  };
  EXPECT_THAT(with("A", "2026-02-01", "2026-04-30"), IsEmpty());
  EXPECT_THAT(with("B", "2026-01-31", "2026-04-30"), ElementsAre("OUTSIDE_FUNDING_PERIOD"));
  EXPECT_THAT(with("C", "2026-02-01", "2026-05-01"), ElementsAre("OUTSIDE_FUNDING_PERIOD"));
}

TEST(Gate, OfSeveralLinesTheFirstThatCoversThePeriodCounts) {
  Json facts = {{"funding_agreed", true},
                {"funding",
                 {{{"payer_bp", {{"gemeente", 10000}}}, {"period", {"2026-01-01", "2026-01-31"}}},
                  {{"payer_bp", {{"gemeente", 2500}, {"swv", 7500}}}, {"period", {"2026-02-01", "2026-12-31"}}},
                  {{"payer_bp", {{"gemeente", 5000}, {"swv", 5000}}}, {"period", {"2026-01-01", "2026-12-31"}}}}}};
  Case c(frl(), facts);
  EXPECT_EQ(amounts(c.invoice("A", {line("gecombineerd", 100)}, 0, {{"period", "2026-01"}})), (Amounts{{"A", 100}}));
  EXPECT_EQ(find(c.invoice("B", {line("gecombineerd", 100)}, 0, {{"period", "2026-03"}}), "DB-B").amount_cents, 75);
  EXPECT_EQ(
      find(c.invoice("C", {line("gecombineerd", 100)}, 0, {{"service_period", {"2026-01-15", "2026-02-15"}}}), "DB-C")
          .amount_cents,
      50);
}

TEST(Gate, SharesThatDoNotAddUpAreNoAgreement) {
  Case c(frl(), {{"funding_agreed", true},
                 {"funding",
                  {{{"payer_bp", {{"gemeente", 5000}, {"swv", 4999}}}, {"period", {"2026-01-01", "2026-12-31"}}}}}});
  EXPECT_THAT(c.invoice("A", {line("gecombineerd", 10)}, 0, {{"period", "2026-03"}}).codes,
              ElementsAre("FUNDING_NOT_AGREED"));
}

TEST(Gate, WhatIsNoInvoiceIsQuarantinedWithTheFieldsThatAreWrong) {
  Case c(knh());
  const Json bad[] = {Json::object(),
                      {{"number", "A"}},
                      {{"number", ""}, {"lines", {line("zorg", 1)}}},
                      {{"number", 7}, {"lines", {line("zorg", 1)}}},
                      {{"number", "A"}, {"lines", Json::array()}},
                      {{"number", "A"}, {"lines", {line("thuis", 1)}}},
                      {{"number", "A"}, {"lines", {line("zorg", -1)}}},
                      {{"number", "A"}, {"lines", {{{"kind", "zorg"}, {"cents", 1.5}}}}},
                      {{"number", "A"}, {"lines", {{{"kind", "zorg"}, {"cents", 18'000'000'000'000'000'000u}}}}},
                      {{"number", "A"}, {"lines", {line("zorg", 10'000'000'000'000), line("zorg", 1)}}},
                      {{"number", "A"}, {"lines", {line("zorg", 1)}}, {"vat_cents", 2}},
                      {{"number", "A"}, {"lines", {line("zorg", 1)}}, {"period", "2026-13"}},
                      {{"number", "A"}, {"lines", {line("zorg", 1)}}, {"service_period", {"2026-02-02", "2026-02-01"}}},
                      {{"number", "A\n"}, {"lines", {line("zorg", 1)}}},
                      {{"number", std::string(101, 'x')}, {"lines", {line("zorg", 1)}}},
                      Json::array()};
  for (const auto& payload : bad) {
    auto d = c.play("factuur", "zorgaanbieder_billing", payload);
    EXPECT_EQ(d.outcome, Outcome::quarantined) << payload;
    EXPECT_THAT(d.codes, ElementsAre("INVOICE_INVALID"));
    EXPECT_THAT(d.effects, IsEmpty());
  }
  EXPECT_THAT(
      c.play("creditnota", "zorgaanbieder_billing", {{"number", "C"}, {"credits", "A"}, {"lines", {line("zorg", 0)}}})
          .codes,
      ElementsAre("INVOICE_INVALID"));
}

// --- release
// ----------------------------------------------------------------------------------------------------------

TEST(Release, IsInOrderOfArrivalWithCreditsInTheirPlace) {
  Case c(knh(), {{"funding_agreed", false}});
  (void)c.invoice("A", {line("grijs", 403602)});
  (void)c.invoice("B", {line("grijs", 374477)});
  (void)c.credit("C", "A", {line("grijs", 1)});
  EXPECT_EQ(c.credit("X", "B", {line("grijs", 374478)}).outcome, Outcome::quarantined);
  auto d = c.agree({{{"kind", "grijs"}, {"payer", "50/50"}}});
  Texts order;
  for (const auto& i : d.invoices) order.push_back(i.number);
  EXPECT_THAT(order, ElementsAre("A", "DB-A", "B", "DB-B", "C", "CN-C"));
  for (const auto& i : d.invoices) EXPECT_EQ(i.released_by, 5);
  EXPECT_EQ(find(d, "CN-C").split, Json({{"swv_cents", -1}, {"gemeente_cents", 0}, {"total_cents", -1}}));
  EXPECT_THAT(d.recipients, IsEmpty()) << "released invoices are no recipients of the releasing message";
  EXPECT_THAT(c.play("escalatie_besluit", "escalatiegroep", Json::object()).invoices, IsEmpty())
      << "nothing is released twice";
}

TEST(Release, AHeldCreditTakesNothingUntilItsTurnAndIsRefusedWhenTooLittleIsLeftThen) {
  Case c(knh(), {{"funding_agreed", false}});
  (void)c.invoice("A", {line("grijs", 100)});
  EXPECT_EQ(c.credit("C1", "A", {line("grijs", 1)}).outcome, Outcome::held);
  EXPECT_EQ(c.credit("C2", "A", {line("grijs", 100)}).outcome, Outcome::held);
  auto d = c.agree();
  EXPECT_EQ(amounts(d), (Amounts{{"A", 100}, {"DB-A", 50}, {"C1", -1}, {"CN-C1", -1}}));
  EXPECT_NE(std::ranges::find(d.explanation, "INVOICE_CONFLICT", &Explanation::code), d.explanation.end())
      << "it is refused in the open";
  EXPECT_TRUE(ledger_of(c.file.invoices).entries[2].refused);
  EXPECT_EQ(amounts(c.credit("C2", "A", {line("grijs", 99)})), (Amounts{{"C2", -99}, {"CN-C2", -49}}))
      << "its number is free again";
}

TEST(Release, OnlyWhatNothingElseHolds) {
  Case c(knh(), {{"funding_agreed", false},
                 {"funding", {{{"kind", "grijs"}, {"payer", "50/50"}}}},
                 {"funding_period", {"2026-07-01", "2026-08-31"}}});
  (void)c.play("escalatie", "procesregisseur", Json::object());
  EXPECT_THAT(c.invoice("A", {line("grijs", 10)}, 0, {{"period", "2026-09"}}).codes,
              ElementsAre("FUNDING_NOT_AGREED", "OUTSIDE_FUNDING_PERIOD", "DISPUTE_PENDING"));
  EXPECT_THAT(c.invoice("B", {line("grijs", 10)}, 0, {{"period", "2026-08"}}).codes,
              ElementsAre("FUNDING_NOT_AGREED", "DISPUTE_PENDING"));
  EXPECT_THAT(c.play("escalatie_besluit", "escalatiegroep", Json::object()).invoices, IsEmpty());
  EXPECT_EQ(amounts(c.agree()), (Amounts{{"B", 10}, {"DB-B", 5}}));
  auto ledger = ledger_of(c.file.invoices);
  EXPECT_THAT(ledger.entries[0].codes, ElementsAre("OUTSIDE_FUNDING_PERIOD"))
      << "the codes of what stays are those of now";
}

TEST(Release, ZeroSharesAreSignalledByTheReleasingMessage) {
  Case c(knh(), {{"funding_agreed", false}});
  (void)c.invoice("A", {line("grijs", 1)});
  EXPECT_THAT(signals(c.agree()), ElementsAre("ZERO_SHARE_NOT_SENT>gemeente_financien"));
}

TEST(Release, ARefusedMessageReleasesNothing) {
  Case c(knh(), {{"funding_agreed", true}, {"dispute", true}});
  (void)c.invoice("A", {line("grijs", 10)});
  Draft refused;
  refused.codes = {"AUDIENCE_FINANCE"};
  EXPECT_THAT(c.play("escalatie_besluit", "escalatiegroep", Json::object(), refused).invoices, IsEmpty());
  EXPECT_EQ(amounts(c.play("escalatie_besluit", "escalatiegroep", Json::object())), (Amounts{{"A", 10}, {"DB-A", 5}}));
}

TEST(Release, ACreditOnASentInvoiceWaitsForTheDisputeToo) {
  Case c(knh());
  (void)c.invoice("A", {line("grijs", 10)});
  (void)c.play("escalatie", "school_directeur", Json::object());
  EXPECT_THAT(c.credit("C", "A", {line("grijs", 4)}).codes, ElementsAre("DISPUTE_PENDING"));
  EXPECT_EQ(amounts(c.play("escalatie_besluit", "escalatiegroep", Json::object())), (Amounts{{"C", -4}, {"CN-C", -2}}));
}

}  // namespace
}  // namespace schakel::invoicing_test
