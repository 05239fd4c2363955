// Whom an e-invoice is made out to, and what finance hears of one that is not what it seems.
#include <algorithm>

#include "core/outbox/invoice_parties.hpp"
#include "tests/unit/pipeline/money_road.hpp"

namespace schakel::test {
namespace {

constexpr const char* kGemeente = "0106:90000001";
constexpr const char* kSwv = "0106:90000002";

/// With numbers of their own.
struct Addressed : MoneyRoad {
  explicit Addressed(const std::function<void(Json&)>& change = {}) {
    auto d = directory();
    d["parties"][0]["invoice"]["kvk"] = "90000001";
    d["parties"][1]["invoice"]["kvk"] = "90000002";
    if (change) change(d);
    parties = std::make_shared<Parties>(Parties::read(d).value());
    restart();
    open_case();
  }
  void post(const std::string& number, const char* buyer) {
    ASSERT_TRUE(accept(factuur(number, 30001, 0, {{"buyer_id", buyer}})));
    run();
  }
  std::map<std::string, std::string> codes() {
    std::map<std::string, std::string> out;
    for (const auto& d : invoices()) out[d.role] = d.code;
    return out;
  }
};
using Codes = std::map<std::string, std::string>;

/// A second gemeente with a number and a town of its own.
void two_gemeenten(Json& d) {
  auto other = d["parties"][0];
  other["id"] = "gem2", other["name"] = "gem2";
  other["invoice"]["kvk"] = "90000003";
  other["endpoints"][0]["adapter"] = "to_gem2";
  other["serves"] = {{"gemeenten", {"Elders"}}};
  d["parties"][0]["serves"] = {{"gemeenten", {"Zandoever"}}};
  d["parties"].push_back(other);
}

TEST(OtherBuyer, WhatIsForTheGemeenteOfTheCaseGoesToIt) {
  Addressed road;
  road.post("F1", kGemeente);
  EXPECT_EQ(road.partners.taken.size(), 2U);
}

TEST(OtherBuyer, WhatIsForTheSwvIsNotBilledToTheGemeente) {
  Addressed road;
  road.post("F1", kSwv);
  EXPECT_TRUE(road.partners.taken.empty()) << "neither the invoice nor what is made of it";
  EXPECT_EQ(road.codes(), (Codes{{"gemeente_financien", "BUYER_IS_ANOTHER"}, {"swv_financien", "BUYER_IS_ANOTHER"}}));
  std::set<std::string> told;
  for (const auto& s : road.partners.told) told.insert(s.value("number", "") + " " + s.value("reason", ""));
  EXPECT_TRUE(told.contains("F1 BUYER_IS_ANOTHER")) << "its sender";
  EXPECT_TRUE(told.contains("DB-F1 BUYER_IS_ANOTHER")) << "and finance";
  auto m = road.books();
  EXPECT_FALSE(m.closes());
  // A person who sends it all the same does not get it out.
  for (const auto& d : road.invoices()) {
    auto body = road.partners.body(d)["body"]["invoice"];
    EXPECT_EQ(outbox::name_parties(body, run_now(road.process->journal.load("Z-1")).value(), "KNH", *road.parties),
              "BUYER_IS_ANOTHER")
        << d.role;
  }
}

TEST(OtherBuyer, OfTwoGemeentenEachGetsItsOwn) {
  Addressed road(two_gemeenten);
  // The case is of Zandoever: hints say so.
  ASSERT_TRUE(road.accept(road.message("open2", "zaak_opening", {{"town", "Zandoever"}}, "school_ib", "gem")));
  road.run();
  road.post("F1", "0106:90000003");
  EXPECT_TRUE(road.partners.taken.empty());
  EXPECT_EQ(road.codes()["gemeente_financien"], "BUYER_IS_ANOTHER");
  road.post("F2", kGemeente);
  EXPECT_EQ(road.partners.taken.size(), 2U);
}

TEST(OtherBuyer, APartyOfWhichThatNumberIsNotKnownIsTakenAsItIs) {
  auto by_oin = [](Json& d) {
    d["parties"][0]["invoice"].erase("kvk");
    d["parties"][0]["invoice"]["oin"] = "00000099000100001000";
  };
  for (auto [buyer, goes] : {std::pair{"0106:90000001", true},
                             {"0106:90000077", true},
                             {kSwv, false},
                             {"0190:00000099000100001000", true},
                             {"0190:00000099000100002000", false}}) {
    Addressed road(by_oin);
    road.post("F1", buyer);
    EXPECT_EQ(road.partners.taken.size(), goes ? 2U : 0U) << buyer;
  }
}

TEST(OtherBuyer, ACreditOnAnOrderIsMadeOutToOneOfTheTwoWhoPaidItAlsoAfterTheCaseMoved) {
  Addressed road(two_gemeenten);
  ASSERT_TRUE(road.accept(road.message("moved", "zaak_opening", {{"town", "Elders"}}, "school_ib", "gem")));
  road.run();
  auto file = run_now(road.process->journal.load("Z-1")).value();
  for (const char* half : {"-O", "-J"}) {
    std::string payer = half[1] == 'O' ? "swv" : "gemeente", party = half[1] == 'O' ? "swv" : "gem";
    auto code = [&](const std::vector<std::string>& buyers, const char* made_out_to) {
      Json inv{{"number", std::string("C1") + half},
               {"source_number", "C1"},
               {"payee", "zorgaanbieder"},
               {"payee_party", "hoeve"},
               {"payer", payer},
               {"source_buyer", made_out_to}};
      outbox::put_credited(inv, {"hoeve", party, buyers});
      auto out = outbox::name_parties(inv, file, "KNH", *road.parties);
      if (out.empty()) EXPECT_EQ(inv["buyer_party"], party);
      return out;
    };
    EXPECT_EQ(code({"swv", "gem"}, kGemeente), "") << half;
    EXPECT_EQ(code({"swv", "gem"}, "0106:90000003"), "BUYER_IS_ANOTHER")
        << half << ": who has the case now paid nothing";
  }
}

std::vector<Json> of_code(const MoneyRoad& road, const char* code) {
  std::vector<Json> out;
  for (const auto& s : road.partners.told)
    if (s.value("code", "") == code) out.push_back(s);
  return out;
}

TEST(FinanceHears, OfTwoDocumentsUnderOneNumberOncePerMessage) {
  MoneyRoad road;
  road.open_case();
  ASSERT_TRUE(road.accept(road.factuur("F1", 30001)));
  road.run();
  auto other = road.factuur("F1", 900000);
  other.id = "msg-F1-other";
  ASSERT_TRUE(road.accept(other));
  road.run();
  road.restart();
  road.run();
  auto told = of_code(road, "INVOICE_CONFLICT");
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0]["number"], "F1");
  EXPECT_EQ(told[0]["creditor"], "hoeve");
  EXPECT_EQ(told[0]["rule"], "CORE-MONEY-06");
  // The same once more is no conflict, and another one is told of.
  auto same = road.factuur("F1", 30001);
  same.id = "msg-F1-same";
  ASSERT_TRUE(road.accept(same));
  ASSERT_TRUE(road.accept(road.creditnota("C1", "F1", 900000)));
  road.run();
  told = of_code(road, "INVOICE_CONFLICT");
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[1]["number"], "C1");
  EXPECT_EQ(told[1]["rule"], "CORE-MONEY-04");
}

TEST(FinanceHears, OfWhatWasRefusedAtTheDoorOncePerDocumentAndRule) {
  MoneyRoad road;
  road.open_case();
  road.run();
  auto refuse = [&](const char* rule, const char* evidence, const char* of = "Z-1") {
    return run_now(pipeline::report_not_taken(road.process->journal, {"hoeve", of, "F1", rule, evidence}));
  };
  ASSERT_TRUE(refuse("SCH-IBAN-OTHER", "h1"));
  ASSERT_TRUE(refuse("SCH-IBAN-OTHER", "h1"));
  road.run();
  auto told = of_code(road, "INVOICE_NOT_TAKEN");
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0]["number"], "F1");
  EXPECT_EQ(told[0]["creditor"], "hoeve");
  EXPECT_EQ(told[0]["rule"], "SCH-IBAN-OTHER");
  ASSERT_TRUE(refuse("SCH-BUYER", "h1"));
  ASSERT_TRUE(refuse("SCH-IBAN-OTHER", "h2"));
  ASSERT_TRUE(refuse("SCH-IBAN-OTHER", "h3", "")) << "of no case: the audit log has it";
  road.run();
  EXPECT_EQ(of_code(road, "INVOICE_NOT_TAKEN").size(), 3U);
  ASSERT_TRUE(run_now(road.disk->commit({{store::SequenceLeaves{}}})));
  auto leaves = run_now(road.disk->leaves(0, 1000)).value();
  auto refusals = std::ranges::count(leaves, "message.refused", &store::LeafRow::kind);
  EXPECT_EQ(refusals, 5) << "every refusal";
  EXPECT_EQ(run_now(pipeline::report_not_taken(road.process->journal, {"hoeve", "Z-1", "F1", "", "h"})).error().code,
            "INVOICE_CODE");
  EXPECT_EQ(refuse("SCH BUYER\n", "h").error().code, "INVOICE_CODE");
  EXPECT_TRUE(road.books().closes()) << "it is no invoice of ours";
  road.sealer.erased.insert("Z-1|decision|1");
  EXPECT_EQ(run_now(road.process->journal.load("Z-1")).error().kind, ErrorKind::not_found);
  EXPECT_TRUE(refuse("SCH-IBAN-OTHER", "h4")) << "an erased case has nobody to tell, and is no reason to ask again";
}

}  // namespace
}  // namespace schakel::test
