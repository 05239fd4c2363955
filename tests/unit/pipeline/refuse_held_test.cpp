// A person refuses an invoice that is held.
#include "tests/unit/pipeline/money_road.hpp"

namespace schakel::test {
namespace {

TEST(RefuseHeld, ItsSenderIsToldItsNumberIsFreeAndTheBooksClose) {
  MoneyRoad road;
  (void)road.open_case(false);
  (void)road.accept(road.factuur("F1", 30001));
  (void)road.accept(road.creditnota("C1", "F1", 10001));
  (void)road.accept(road.factuur("F2", 500));
  road.run();
  EXPECT_EQ(what_is_open(road.books()).size(), 3U);
  auto refuse = [&](const char* message, const char* code) {
    return run_now(pipeline::refuse_held(road.process->journal, "Z-1", message, code, {}));
  };
  EXPECT_EQ(refuse("msg-X", "FUNDING_NOT_AGREED").error().code, "INVOICE_UNKNOWN");
  EXPECT_EQ(refuse("msg-F1", "vrije tekst").error().code, "INVOICE_CODE");
  EXPECT_EQ(refuse("msg-F1", "").error().code, "INVOICE_CODE");
  road.partners.told.clear();
  ASSERT_TRUE(refuse("msg-F1", "FUNDING_NOT_AGREED"));
  road.run();
  // The invoice, and the credit on it that has nothing to take from any more.
  std::vector<std::string> told;
  for (const auto& s : road.partners.told)
    if (s.value("code", "") == "BLOKKADE") told.push_back(s["codes"][0]);
  EXPECT_EQ(told, (std::vector<std::string>{"FUNDING_NOT_AGREED", "FUNDING_NOT_AGREED"}));
  EXPECT_EQ(refuse("msg-F1", "FUNDING_NOT_AGREED").error().code, "INVOICE_NOT_OPEN");
  EXPECT_TRUE(road.invoices().empty());
  auto open = what_is_open(road.books());
  EXPECT_EQ(open, std::set<std::string>{"HELD F2"}) << "the credit went with its invoice";
  std::map<std::string, std::int64_t> not_granted;
  for (const auto& r : road.books().refused)
    if (r.what == "NOT_GRANTED") not_granted[r.number + " " + r.code] = r.cents;
  EXPECT_EQ(not_granted,
            (std::map<std::string, std::int64_t>{{"F1 FUNDING_NOT_AGREED", 30001}, {"C1 FUNDING_NOT_AGREED", -10001}}));
  EXPECT_TRUE(road.books("2026-12").refused.empty()) << "in the month of the refusal only";

  // A credit on what was refused has nothing to take from.
  (void)road.accept(road.creditnota("C2", "F1", 10001));
  road.run();
  auto c2 = run_now(road.disk->row(std::string(pipeline::kInvoicesIn), "Z-1/msg-C2")).value();
  ASSERT_TRUE(c2);
  EXPECT_NE(as_text(c2->value).find("INVOICE_CONFLICT"), std::string_view::npos);

  // Its number is free: the corrected one is accepted and, once agreed, paid.
  auto again = road.factuur("F1", 20000);
  again.id = "msg-F1-2";
  (void)road.accept(again);
  (void)road.accept(road.message("afspraak", "financieringsafspraak", Json::object(), "gemeente_financien", "gem"));
  road.run();
  std::set<std::string> left;
  for (const auto& [id, what] : road.partners.taken) left.insert(what);
  EXPECT_EQ(left.size(), 4U) << "two halves of F1 and of F2";
  auto month = road.books();
  EXPECT_EQ(month.source_gross, 20000 + 500);
}

TEST(RefuseHeld, WhatWasReleasedMeanwhileStaysReleased) {
  MoneyRoad road;
  (void)road.open_case(false);
  (void)road.accept(road.factuur("F1", 30001));
  road.run();
  // Agreed and refused at the same time: the order of the case decides.
  (void)road.accept(road.message("afspraak", "financieringsafspraak", Json::object(), "gemeente_financien", "gem"));
  ASSERT_TRUE(run_now(pipeline::refuse_held(road.process->journal, "Z-1", "msg-F1", "FUNDING_NOT_AGREED", {})));
  road.run();
  EXPECT_EQ(road.partners.taken.size(), 2U);
  EXPECT_TRUE(what_is_open(road.books()).empty());
  EXPECT_EQ(road.books().source_gross, 30001);
}

}  // namespace
}  // namespace schakel::test
