// Who may bill a case: the provider that a zorgtoewijzing names, and what a line of the agreement is narrowed to.
#include <set>

#include "plugins/invoicing/gate.hpp"
#include "tests/unit/rules/invoicing_support.hpp"

namespace schakel::invoicing_test {
namespace {

/// The pipeline's answers (core/pipeline/provider.hpp): `party` is who is called `name`, the others are not.
void called(Case& c, const std::string& name, const std::string& party) {
  for (const char* p : {"hoeve", "terp"}) c.registers[invoicing::provider_key(p, "zorgaanbieder:" + name)] = party == p;
}

/// A zorgtoewijzing as the earlier deciders leave it: to the provider that it names.
Draft assign(Case& c, const std::string& name, Outcome outcome = Outcome::delivered) {
  Draft before;
  before.outcome = outcome;
  if (outcome == Outcome::blocked) before.codes = {"MANDATE_MISSING"};
  before.recipients.push_back({"zorgaanbieder:" + name, {}, "broker", {}, {}});
  return c.play("zorgtoewijzing", "procesregisseur", {{"provider", name}}, std::move(before));
}

Json of(const std::string& kind, std::int64_t cents, std::optional<std::int64_t> assignment, const char* product) {
  Json l = line(kind, cents);
  if (assignment) l["toewijzing"] = *assignment;
  if (product) l["product"] = product;
  return l;
}

Json narrowed(Json more) {
  Json l{{"kind", "grijs"}, {"payer", "50/50"}};
  l.update(more);
  return {{"funding_agreed", true}, {"funding", Json::array({l})}};
}

TEST(InvoiceAuthority, OnlyWhoAZorgtoewijzingNamesBills) {
  Case c(knh());
  called(c, "Terp", "terp"), called(c, "Hoeve", "hoeve");
  c.party = "hoeve";
  EXPECT_EQ(c.invoice("H-0", Lines{line("grijs", 100)}).outcome, Outcome::delivered) << "nobody was named yet";
  (void)assign(c, "Terp");
  auto held = c.invoice("H-1", Lines{line("grijs", 1001)});
  EXPECT_EQ(held.outcome, Outcome::held);
  EXPECT_EQ(held.codes, (Texts{"PROVIDER_IS_ANOTHER"}));
  EXPECT_TRUE(held.invoices.empty());
  c.party = "terp";
  EXPECT_EQ(c.invoice("T-1", Lines{line("grijs", 1001)}).outcome, Outcome::delivered);
  // A change of provider: the second one's invoice goes on, and the first one bills its own period still.
  c.party = "";
  auto released = assign(c, "Hoeve");
  EXPECT_EQ(find(released, "DB-H-1").released_by, released.invoices[0].released_by);
  EXPECT_GT(find(released, "DB-H-1").released_by, 0);
  c.party = "terp";
  EXPECT_EQ(c.invoice("T-2", Lines{line("grijs", 1001)}).outcome, Outcome::delivered);
}

TEST(InvoiceAuthority, ACreditAndEducationAloneAreNotAsked) {
  Case c(knh());
  called(c, "Terp", "terp");
  c.party = "hoeve";
  (void)c.invoice("H-1", Lines{line("grijs", 1001)});
  (void)assign(c, "Terp");
  EXPECT_EQ(c.credit("HC-1", "H-1", Lines{line("grijs", 1)}).outcome, Outcome::delivered);
  EXPECT_EQ(c.invoice("H-2", Lines{line("onderwijs", 100)}).outcome, Outcome::delivered);
  EXPECT_EQ(c.invoice("H-3", Lines{line("onderwijs", 100), line("zorg", 1)}).codes, (Texts{"PROVIDER_IS_ANOTHER"}));
  EXPECT_EQ(c.declaratie("D-1", 100).outcome, Outcome::delivered) << "the schoolbestuur is assigned nothing";
  // A credit on what is held waits with it, for the same reason.
  EXPECT_EQ(c.credit("HC-3", "H-3", Lines{line("zorg", 1)}).codes, (Texts{"PROVIDER_IS_ANOTHER"}));
}

TEST(InvoiceAuthority, OnlyADeliveredZorgtoewijzingNames) {
  Case c(knh());
  called(c, "Terp", "terp");
  c.party = "hoeve";
  (void)assign(c, "Terp", Outcome::blocked);
  EXPECT_EQ(c.invoice("H-1", Lines{line("zorg", 100)}).outcome, Outcome::delivered);
  // PGB: it goes to the medewerker toegang, and names nobody (HR).
  Draft pgb;
  pgb.recipients.push_back({"medewerker_toegang@Duinrijk", {}, "broker", {}, {}});
  (void)c.play("zorgtoewijzing", "ouders", {{"form", "pgb"}}, std::move(pgb));
  EXPECT_EQ(c.invoice("H-2", Lines{line("zorg", 100)}).outcome, Outcome::delivered);
  // Another message to a named provider is no zorgtoewijzing.
  Draft told;
  told.recipients.push_back({"zorgaanbieder:Terp", {}, "broker", {}, {}});
  (void)c.play("evaluatie", "school_ib", Json::object(), std::move(told));
  EXPECT_EQ(c.invoice("H-3", Lines{line("zorg", 100)}).outcome, Outcome::delivered);
}

TEST(InvoiceAuthority, ANameThatNobodyKnowsHoldsNothing) {
  Case c(knh());
  c.party = "hoeve";
  (void)assign(c, "Onbekend");
  EXPECT_EQ(c.invoice("H-1", Lines{line("zorg", 100)}).outcome, Outcome::delivered);
  // Of two names one may be the sender.
  called(c, "Terp", "terp");
  (void)assign(c, "Terp");
  EXPECT_EQ(c.invoice("H-2", Lines{line("zorg", 100)}).outcome, Outcome::delivered);
}

TEST(InvoiceNarrowed, EachThingThatALineNamesHasItsCode) {
  struct Row {
    Json funding;
    Json line;
    Texts codes;
  };
  for (const auto& [funding, invoiced, codes] : std::vector<Row>{
           {{{"aanbieder", "Hoeve"}}, line("grijs", 100), {}},
           {{{"aanbieder", "Terp"}}, line("grijs", 100), {"PROVIDER_IS_ANOTHER"}},
           {{{"aanbieder", "Onbekend"}}, line("grijs", 100), {"PROVIDER_IS_ANOTHER"}},
           {{{"toewijzing", 11}}, of("grijs", 100, 11, nullptr), {}},
           {{{"toewijzing", 11}}, of("grijs", 100, 12, nullptr), {"ASSIGNMENT_IS_ANOTHER"}},
           {{{"toewijzing", 0}}, line("grijs", 100), {"ASSIGNMENT_IS_ANOTHER"}},
           {{{"toewijzing", 0}}, of("grijs", 100, 0, nullptr), {}},
           {{{"product", "45A01"}}, of("grijs", 100, 12, "45A01"), {}},
           {{{"product", "45A01"}}, of("grijs", 100, 12, "45A02"), {"PRODUCT_IS_ANOTHER"}},
           {{{"product", "45A01"}}, line("grijs", 100), {"PRODUCT_IS_ANOTHER"}},
           {{{"max_cents", 100}}, line("grijs", 100), {}},
           {{{"max_cents", 100}}, line("grijs", 101), {"FUNDING_MAX_EXCEEDED"}},
           {{{"max_cents", 0}}, line("grijs", 1), {"FUNDING_MAX_EXCEEDED"}},
           // The first reason in the order of the gate.
           {{{"aanbieder", "Terp"}, {"toewijzing", 1}, {"product", "x"}, {"max_cents", 0}},
            line("grijs", 100),
            {"PROVIDER_IS_ANOTHER"}},
           // What cannot be read answers for nothing.
           {{{"max_cents", -1}}, line("grijs", 1), {"FUNDING_NOT_AGREED"}},
           {{{"max_cents", "veel"}}, line("grijs", 1), {"FUNDING_NOT_AGREED"}},
           {{{"toewijzing", "11"}}, line("grijs", 1), {"FUNDING_NOT_AGREED"}},
           {{{"aanbieder", ""}}, line("grijs", 1), {"FUNDING_NOT_AGREED"}},
           {{{"product", 45}}, line("grijs", 1), {"FUNDING_NOT_AGREED"}},
           // Nothing named, also as null: any.
           {{{"aanbieder", nullptr}, {"toewijzing", nullptr}, {"product", nullptr}, {"max_cents", nullptr}},
            line("grijs", 1),
            {}}}) {
    Case c(knh(), narrowed(funding));
    called(c, "Hoeve", "hoeve"), called(c, "Terp", "terp");
    c.party = "hoeve";
    auto d = c.invoice("H-1", Lines{invoiced});
    EXPECT_EQ(d.codes, codes) << funding.dump();
    EXPECT_EQ(d.outcome, codes.empty() ? Outcome::delivered : Outcome::held) << funding.dump();
  }
}

TEST(InvoiceNarrowed, TheMaximumIsOfAllThatIsGranted) {
  Case c(knh(), narrowed({{"max_cents", 1000}}));
  EXPECT_EQ(c.invoice("A-1", Lines{line("grijs", 600)}).outcome, Outcome::delivered);
  EXPECT_EQ(c.invoice("A-2", Lines{line("grijs", 300), line("grijs", 101)}).codes, (Texts{"FUNDING_MAX_EXCEEDED"}));
  EXPECT_EQ(c.invoice("A-3", Lines{line("grijs", 300), line("grijs", 100)}).outcome, Outcome::delivered);
  EXPECT_EQ(c.invoice("A-4", Lines{line("grijs", 1)}).codes, (Texts{"FUNDING_MAX_EXCEEDED"}))
      << "what is held is not spent";
  // A credit gives room; what waits goes at the next message that decides on it.
  EXPECT_EQ(c.credit("C-1", "A-1", Lines{line("grijs", 401)}).outcome, Outcome::delivered);
  Draft next = c.play("evaluatie", "school_ib", Json::object());
  ASSERT_EQ(next.invoices.size(), 2U) << "the first that waits, 401: the second finds nothing left";
  EXPECT_EQ(next.invoices[0].source_number, "A-2");
  // A line of its own beside it.
  Draft more = c.agree(Lines{{{"kind", "grijs"}, {"payer", "50/50"}, {"max_cents", 1}}});
  ASSERT_FALSE(more.invoices.empty());
  EXPECT_EQ(more.invoices[0].source_number, "A-4");
  EXPECT_EQ(c.invoice("A-5", Lines{line("grijs", 1)}).codes, (Texts{"FUNDING_MAX_EXCEEDED"}));
}

TEST(InvoiceNarrowed, OneMaximumForAllKinds) {
  Json any{{"payer", "gemeente"}, {"max_cents", 1000}};
  Case c(knh(), {{"funding_agreed", true}, {"funding", Json::array({any})}});
  EXPECT_EQ(c.invoice("A-1", Lines{line("grijs", 600), line("zorg", 401)}).codes, (Texts{"FUNDING_MAX_EXCEEDED"}));
  EXPECT_EQ(c.invoice("A-2", Lines{line("grijs", 600), line("zorg", 400)}).outcome, Outcome::delivered);
}

TEST(InvoiceNarrowed, EveryLineFindsItsOwnAgreement) {
  Json funding = Json::array({{{"kind", "zorg"}, {"payer", "gemeente"}, {"toewijzing", 1}, {"max_cents", 500}},
                              {{"kind", "zorg"}, {"payer", "gemeente"}, {"toewijzing", 2}}});
  Case c(knh(), {{"funding_agreed", true}, {"funding", funding}});
  EXPECT_EQ(c.invoice("A-1", Lines{of("zorg", 500, 1, nullptr), of("zorg", 9000, 2, nullptr)}).outcome,
            Outcome::delivered);
  EXPECT_EQ(c.invoice("A-2", Lines{of("zorg", 1, 1, nullptr), of("zorg", 9000, 2, nullptr)}).codes,
            (Texts{"FUNDING_MAX_EXCEEDED"}));
  EXPECT_EQ(c.invoice("A-3", Lines{of("zorg", 1, 3, nullptr)}).codes, (Texts{"ASSIGNMENT_IS_ANOTHER"}));
  // A credit gives back on the toewijzing that it is of.
  EXPECT_EQ(c.credit("C-1", "A-1", Lines{of("zorg", 1, 2, nullptr)}).outcome, Outcome::delivered);
  EXPECT_EQ(c.invoice("A-4", Lines{of("zorg", 1, 1, nullptr)}).codes, (Texts{"FUNDING_MAX_EXCEEDED"}));
  EXPECT_EQ(c.credit("C-2", "A-1", Lines{of("zorg", 1, 1, nullptr)}).outcome, Outcome::delivered);
  EXPECT_EQ(c.invoice("A-5", Lines{of("zorg", 1, 1, nullptr)}).outcome, Outcome::delivered);
}

TEST(InvoiceNarrowed, CreditsInAnotherOrderThanTheLinesGiveBackOnTheirOwn) {
  auto narrowed_to = [](const char* product, int max) {
    return Json{{"kind", "zorg"}, {"payer", "gemeente"}, {"product", product}, {"max_cents", max}};
  };
  Case c(knh(), {{"funding_agreed", true}, {"funding", Json::array({narrowed_to("A", 500), narrowed_to("B", 1000)})}});
  Lines lines, back;
  for (int i = 0; i < 50; ++i) lines.push_back(of("zorg", 10, i, "A")), lines.push_back(of("zorg", 20, i, "B"));
  // From the last to the first: A of every odd toewijzing, B of every even one.
  for (int i = 49; i >= 0; --i) back.push_back(i % 2 != 0 ? of("zorg", 10, i, "A") : of("zorg", 20, i, "B"));
  EXPECT_EQ(c.invoice("A-1", lines).outcome, Outcome::delivered);
  EXPECT_EQ(c.invoice("A-2", Lines{of("zorg", 1, 1, "A")}).codes, (Texts{"FUNDING_MAX_EXCEEDED"}));
  EXPECT_EQ(c.credit("C-1", "A-1", back).outcome, Outcome::delivered);
  // One that is like none gives back on the first lines of which something is left: A of 0, then B of 1.
  EXPECT_EQ(c.credit("C-2", "A-1", Lines{of("zorg", 15, 99, nullptr)}).outcome, Outcome::delivered);
  (void)c.play("evaluatie", "school_ib", Json::object());  // A-2 goes: 1 of A
  EXPECT_EQ(c.invoice("A-3", Lines{of("zorg", 260, 1, "A")}).codes, (Texts{"FUNDING_MAX_EXCEEDED"}));
  EXPECT_EQ(c.invoice("A-4", Lines{of("zorg", 259, 1, "A")}).outcome, Outcome::delivered);
  EXPECT_EQ(c.invoice("B-1", Lines{of("zorg", 506, 1, "B")}).codes, (Texts{"FUNDING_MAX_EXCEEDED"}));
  EXPECT_EQ(c.invoice("B-2", Lines{of("zorg", 505, 1, "B")}).outcome, Outcome::delivered);
  // What one line has left is no more than it took: the rest of a credit goes on to the next of its kind.
  EXPECT_EQ(c.credit("C-3", "A-1", Lines{of("zorg", 25, 49, "B")}).outcome, Outcome::delivered);
  EXPECT_EQ(c.invoice("B-3", Lines{of("zorg", 26, 1, "B")}).codes, (Texts{"FUNDING_MAX_EXCEEDED"}));
  EXPECT_EQ(c.invoice("B-4", Lines{of("zorg", 25, 1, "B")}).outcome, Outcome::delivered);
}

TEST(InvoiceNarrowed, HostileFieldsOfALineAreNoInvoice) {
  for (const Json& wrong : {Json{{"toewijzing", -1}}, Json{{"toewijzing", 1'000'000'000}}, Json{{"toewijzing", "1"}},
                            Json{{"toewijzing", 1.5}}, Json{{"product", 1}}, Json{{"product", std::string(61, 'x')}}}) {
    Case c(knh());
    Json l = line("grijs", 100);
    l.update(wrong);
    EXPECT_EQ(c.invoice("A-1", Lines{l}).codes, (Texts{"INVOICE_INVALID"})) << wrong.dump();
  }
}

TEST(InvoiceNarrowed, TheLedgerKeepsWhatALineNamed) {
  Case c(knh());
  (void)c.invoice("A-1", Lines{of("zorg", 500, 7, "45A01"), line("grijs", 100)});
  auto ledger = ledger_of(c.file.invoices);
  ASSERT_EQ(ledger.entries.size(), 1U);
  EXPECT_EQ(ledger.entries[0].lines[0].assignment, 7);
  EXPECT_EQ(ledger.entries[0].lines[0].product, "45A01");
  EXPECT_FALSE(ledger.entries[0].lines[1].assignment);
}

}  // namespace
}  // namespace schakel::invoicing_test
