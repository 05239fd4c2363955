// What a declaration or an e-invoice asks, line by line, and what may not come in beside another.
#include "tests/unit/adapters/declaration_desk.hpp"

namespace schakel::test {
namespace {

using formats::UblDecimal;

formats::UblLine item(const char* name, std::int64_t cents, std::optional<int> percent = std::nullopt) {
  formats::UblLine l;
  l.net = Cents(cents);
  l.quantity = UblDecimal::of(cents < 0 ? -1 : 1);
  l.price = UblDecimal::of(Cents(cents < 0 ? -cents : cents));
  l.name = "Begeleiding";
  l.seller_item = name;
  if (percent) {
    l.category = *percent > 0 ? "S" : "E";
    l.percent = UblDecimal::of(*percent);
  }
  return l;
}

/// With lines of ours, allowances in the totals and VAT to the cent per rate.
formats::UblDocument invoice_of(std::vector<formats::UblLine> lines,
                                std::vector<formats::UblAllowance> allowances = {}) {
  auto d = ubl_document();
  bool taxed = std::ranges::any_of(lines, [](const auto& l) { return l.category != "O"; });
  if (taxed) d.supplier.vat_number = "NL123456789B01";
  d.lines = std::move(lines);
  formats::complete_totals(d, "Vrijgesteld");
  Cents less, more;
  for (const auto& a : allowances) {
    (a.charge ? more : less) += a.amount;
    for (auto& t : d.taxes)
      if (t.category == a.category && (t.category != "S" || t.percent->equals(*a.percent)))
        t.taxable += a.charge ? a.amount : -a.amount;
  }
  if (!allowances.empty()) {
    d.allowance_total = less, d.charge_total = more;
    d.tax_exclusive = d.line_total - less + more;
  }
  d.allowances = std::move(allowances);
  for (auto& t : d.taxes) {
    if (t.category == "S") t.tax = Cents((t.taxable.value() * t.percent->units + 50) / 100), t.reason.clear();
    d.tax_total += t.tax;
  }
  d.tax_inclusive = d.payable = d.tax_exclusive + d.tax_total;
  return d;
}

/// kind, cents and VAT of what goes on; empty when refused.
std::vector<std::tuple<std::string, int, int>> shared(const formats::UblDocument& d) {
  auto bench = fresh_desk();
  auto reply = post(*bench, written(d));
  EXPECT_EQ(reply.status, 202) << reply.body;
  if (bench->world.events.empty()) return {};
  std::vector<std::tuple<std::string, int, int>> out;
  const Json& data = bench->world.events[0]["data"];
  std::int64_t sum = 0, vat = 0;
  for (const auto& l : data["lines"]) {
    out.emplace_back(l["kind"], l["cents"], l.value("vat_cents", 0));
    sum += l["cents"].get<std::int64_t>(), vat += l.value("vat_cents", 0);
  }
  EXPECT_EQ(sum, d.payable.value());
  EXPECT_EQ(vat, d.tax_total.value());
  EXPECT_EQ(data["vat_cents"], d.tax_total.value());
  return out;
}
using Lines = std::vector<std::tuple<std::string, int, int>>;

/// The rules that refuse it; nothing goes on.
std::set<std::string> refused(const std::string& xml) {
  auto bench = fresh_desk();
  auto reply = post(*bench, xml);
  EXPECT_EQ(reply.status, 422) << reply.body;
  EXPECT_TRUE(bench->world.events.empty());
  std::set<std::string> rules;
  for (const auto& f : Json::parse(reply.body)["fouten"]) rules.insert(f["regel"]);
  return rules;
}
std::set<std::string> refused(const formats::UblDocument& d) { return refused(written(d)); }

TEST(ZorgaanbiederUbl, EachLineCarriesItsOwnVat) {
  EXPECT_EQ(shared(invoice_of({item("ZORG", 100000, 0), item("GRIJS", 10000, 21)})),
            (Lines{{"zorg", 100000, 0}, {"grijs", 12100, 2100}}));
  // Rounding stays within a rate: 0.33 + 0.33 + 0.34 at 21 % is 0.21 in all.
  EXPECT_EQ(shared(invoice_of({item("GRIJS", 33, 21), item("GRIJS", 33, 21), item("ZORG", 34, 21)})),
            (Lines{{"grijs", 39, 6}, {"grijs", 40, 7}, {"zorg", 42, 8}}));
}

TEST(ZorgaanbiederUbl, EachLineCarriesItsCategoryAndRateAndTheSellersVatNumberGoesAlong) {
  auto bench = fresh_desk();
  auto d = invoice_of({item("ZORG", 100000, 0), item("GRIJS", 10000, 9), item("GRIJS", 400, 21)});
  ASSERT_EQ(post(*bench, written(d)).status, 202);
  const Json& data = bench->world.events.at(0)["data"];
  EXPECT_EQ(data["seller_vat_number"], "NL123456789B01");
  std::vector<std::string> said;
  for (const auto& l : data["lines"])
    said.push_back(l["category"].get<std::string>() + l["percent"].get<std::string>() + " " + l["vat_cents"].dump());
  EXPECT_EQ(said, (std::vector<std::string>{"E0 0", "S9 900", "S21 84"}));
  EXPECT_EQ(data["vat_rates"].size(), 3U);
  auto untaxed = fresh_desk();
  ASSERT_EQ(post(*untaxed, written(invoice_of({item("ZORG", 500)}))).status, 202);
  const Json& plain = untaxed->world.events.at(0)["data"];
  EXPECT_FALSE(plain.contains("seller_vat_number"));
  EXPECT_EQ(plain["vat_rates"],
            Json::parse(R"([{"category": "O", "percent": "0", "net_cents": 500, "vat_cents": 0}])"));
}

TEST(ZorgaanbiederUbl, AnAllowanceIsSharedByTheLinesOfItsRate) {
  EXPECT_EQ(shared(invoice_of({item("ZORG", 10000), item("GRIJS", 10000)}, {{false, Cents(4000), "Korting", "O", {}}})),
            (Lines{{"zorg", 8000, 0}, {"grijs", 8000, 0}}));
  EXPECT_EQ(shared(invoice_of({item("ZORG", 10000, 0), item("GRIJS", 10000, 21)},
                              {{false, Cents(1000), "Korting", "S", UblDecimal::of(21)},
                               {true, Cents(500), "Toeslag", "E", UblDecimal::of(0)}})),
            (Lines{{"zorg", 10500, 0}, {"grijs", 10890, 1890}}));
  // Of a rate that no line has it belongs to nobody.
  auto lost = invoice_of({item("GRIJS", 10000, 21)});
  lost.allowances = {{true, Cents(100), "Toeslag", "S", UblDecimal::of(9)}};
  formats::UblTax nine;
  nine.category = "S", nine.percent = UblDecimal::of(9), nine.taxable = Cents(100), nine.tax = Cents(9);
  lost.taxes.push_back(nine);
  lost.charge_total = Cents(100), lost.tax_exclusive = Cents(10100), lost.tax_total = Cents(2109);
  lost.tax_inclusive = lost.payable = Cents(12209);
  EXPECT_EQ(refused(lost), std::set<std::string>{"SCH-ALLOWANCE"});
}

TEST(ZorgaanbiederUbl, ANegativeLineTakesOffItsOwnKindAndNoMoreThanItAsks) {
  EXPECT_EQ(shared(invoice_of({item("GRIJS", 10000), item("GRIJS", -2500), item("ZORG", 5000)})),
            (Lines{{"grijs", 7500, 0}, {"zorg", 5000, 0}}));
  EXPECT_EQ(shared(invoice_of({item("GRIJS", 3000), item("GRIJS", -1), item("GRIJS", 7000)})),
            (Lines{{"grijs", 2999, 0}, {"grijs", 7000, 0}}));
  EXPECT_EQ(refused(invoice_of({item("ZORG", 10000), item("GRIJS", -2500)})), std::set<std::string>{"SCH-NEGATIVE"});
}

TEST(ZorgaanbiederUbl, WhatCannotBeSharedToTheCentIsRefusedByItsRule) {
  auto prepaid = invoice_of({item("GRIJS", 20000)});
  prepaid.prepaid = Cents(10000), prepaid.payable = Cents(10000);
  EXPECT_EQ(refused(prepaid), std::set<std::string>{"SCH-PREPAID"});
  auto rounded = invoice_of({item("GRIJS", 19999)});
  rounded.rounding = Cents(1), rounded.payable = Cents(20000);
  EXPECT_EQ(refused(rounded), std::set<std::string>{"SCH-PREPAID"});
  auto corrective = ubl_document();
  corrective.type_code = "384", corrective.billing_references = {"ZB-2026-0916"};
  EXPECT_EQ(refused(corrective), std::set<std::string>{"SCH-TYPE"});
  auto credit = ubl_document(true);
  credit.billing_references = {"A-1", "A-2"};
  EXPECT_EQ(refused(credit), std::set<std::string>{"SCH-REFERENCE"});
  credit.billing_references = {"ZB-2026-0917", "ZB-2026-0917"};
  auto bench = fresh_desk();
  EXPECT_EQ(post(*bench, written(credit)).status, 202) << "the same one twice is one";
}

TEST(ZorgaanbiederUbl, AnItemThatNobodyConfiguredIsPaidByNobody) {
  auto d = ubl_document();
  d.lines[1].seller_item = "NIETBESTAAND";
  EXPECT_EQ(refused(d), std::set<std::string>{"SCH-PRODUCT"});
  d.lines[1].seller_item.clear();
  EXPECT_EQ(refused(d), std::set<std::string>{"SCH-PRODUCT"});
}

TEST(ZorgaanbiederUbl, ANumberThatCouldBeABsnStaysOut) {
  auto d = ubl_document();
  for (const char* number : {"999990019", "F-999990019", "2026/999990019-1"}) {
    d.id = number;
    EXPECT_EQ(refused(d), std::set<std::string>{"SCH-NUMBER"}) << number;
  }
  for (const char* number : {"999990018", "9999900190", "2026-0917"}) {
    d.id = number;
    auto bench = fresh_desk();
    EXPECT_EQ(post(*bench, written(d)).status, 202) << number;
  }
  auto bench = fresh_desk();
  auto reply = declare(*bench, "A1", "999990019", {{"999990020", {line("P1", 100)}}});
  EXPECT_EQ(reply.status, 422);
  EXPECT_EQ(Json::parse(reply.body)["code"], "NUMBER_HOLDS_BSN");
  EXPECT_EQ(reply.body.find("999990019"), std::string::npos);
  EXPECT_TRUE(bench->world.events.empty());
}

TEST(ZorgaanbiederUbl, DatesAndPaymentReferenceOfTheOriginalGoAlong) {
  auto bench = fresh_desk();
  auto d = ubl_document();
  d.payment_id = "RF18-2026-0917";
  d.lines[0].period = formats::UblPeriod{day("2026-09-01"), day("2026-09-15")};
  (void)post(*bench, written(d));
  const Json& data = bench->world.events.at(0)["data"];
  EXPECT_EQ(data["issue_date"], "2026-10-05");
  EXPECT_EQ(data["due_date"], "2026-11-04");
  EXPECT_EQ(data["payment_id"], "RF18-2026-0917");
  EXPECT_EQ(data["lines"][0]["period"], Json::parse(R"(["2026-09-01","2026-09-15"])"));
  EXPECT_FALSE(data["lines"][1].contains("period"));
  EXPECT_EQ(data["lines"][0]["product"], d.lines[0].seller_item);
  for (const char* free_text : {"t.n.v. Testerman", "999990019"}) {
    auto other = fresh_desk();
    d.payment_id = free_text;
    (void)post(*other, written(d));
    EXPECT_FALSE(other->world.events.at(0)["data"].contains("payment_id")) << free_text;
  }
}

TEST(ZorgaanbiederUbl, APlainEuropeanInvoiceIsTaken) {
  auto d = ubl_document();
  d.customization = formats::kEn16931;
  EXPECT_EQ(shared(d), (Lines{{"zorg", 105000, 0}, {"grijs", 33333, 0}}));
}

TEST(ZorgaanbiederProducts, UnknownAndMisplacedCodesAreRejectedLines) {
  auto bench = fresh_desk();
  auto unknown = line("P1", 100, "45Q99"), misplaced = line("P2", 200, "50A01"), own = line("P3", 300, "45A03");
  misplaced.categorie = "45";
  (void)declare(*bench, "A1", "D1", {{"999990019", {unknown, misplaced, own}}});
  ASSERT_EQ(bench->world.events.size(), 1U);
  EXPECT_EQ(bench->world.events[0]["data"]["lines"].size(), 1U);
  EXPECT_EQ(bench->world.events[0]["data"]["lines"][0]["cents"], 300);
  (void)bench->send(decision(bench->world.events[0]["id"], "delivered"));
  EXPECT_EQ(line_codes(*bench), (std::set<std::string>{"9340", "S329"}));
  EXPECT_EQ(only_answer(*bench).antwoord->toegekend, Cents(300));
}

TEST(ZorgaanbiederProducts, ACreditIsOfTheKindThatWasGrantedWhateverTheTableSaysNow) {
  auto bench = fresh_desk();
  (void)declare(*bench, "A1", "D1", {{"999990019", {line("P1", 33333)}}});
  (void)bench->send(decision(bench->world.events[0]["id"], "delivered"));
  Json other = declaration_config();
  other["producten"] = Json::array({{{"code", "ANDERS"}, {"kind", "zorg"}}});
  PluginBench later("zorgaanbieder", other);
  fs::create_directories(later.folder() + "/antwoorden");
  fs::create_directories(later.folder() + "/in");
  later.world = bench->world;
  (void)declare(later, "A2", "D2", {{"999990019", {line("P2", 33333, "45A03", "P1")}}});
  ASSERT_EQ(later.world.events.size(), 2U);
  EXPECT_EQ(later.world.events[1]["data"]["lines"][0]["kind"], "grijs");
}

TEST(ZorgaanbiederAtOnce, TwoDeclarationsOfOneLineArePaidOnce) {
  auto one = declaration("A1", "D1", {{"999990019", {line("P1", 2222)}}});
  auto two = declaration("A2", "D2", {{"999990019", {line("P1", 2222)}}});
  auto bench = fresh_desk();
  auto replies = bench->together({posted(text(one)), posted(text(two))}, "hoeve");
  for (const auto& r : replies) EXPECT_EQ(r.value().status, 202);
  ASSERT_EQ(bench->world.events.size(), 1U) << "the second finds the line taken";
  (void)bench->send(decision(bench->world.events[0]["id"], "delivered"));
  auto codes = line_codes(*bench);
  EXPECT_TRUE(codes.contains("8021")) << ::testing::PrintToString(codes);
  EXPECT_EQ(answers(*bench).size(), 2U);
}

TEST(ZorgaanbiederAtOnce, ManyAtOnceOfOneSenderAndTheSameFileTwiceHaveOneEffectEach) {
  auto bench = fresh_desk();
  std::vector<HttpRequest> all;
  for (int i = 0; i < 20; ++i) {
    auto xml = text(declaration(fmt::format("A{}", i).c_str(), fmt::format("D{}", i).c_str(),
                                {{"999990019", {line(fmt::format("P{}", i).c_str(), 100 + i)}}}));
    all.push_back(posted(xml));
    all.push_back(posted(xml));
  }
  for (const auto& r : bench->together(all, "hoeve")) EXPECT_EQ(r.value().status, 202);
  EXPECT_EQ(bench->world.events.size(), 20U);
}

TEST(ZorgaanbiederSenders, AHubPostsForOthersAndFetchesTheirAnswers) {
  Json config = declaration_config();
  config["knooppunten"] = {"knooppunt"};
  PluginBench bench("zorgaanbieder", config);
  fs::create_directories(bench.folder() + "/antwoorden");
  fs::create_directories(bench.folder() + "/in");
  bench.world.case_by_bsn = {{"999990019", "zaak-1"}};
  auto reply = post(bench, text(declaration("A1", "D1", {{"999990019", {line("P1", 100)}}})), "knooppunt");
  EXPECT_EQ(reply.status, 202) << reply.body;
  EXPECT_EQ(post(bench, ubl(), "knooppunt").status, 202);
  EXPECT_EQ(post(bench, ubl(), "een-ander").status, 403);
  HttpRequest get;
  get.url = "/in/zorgaanbieder/antwoorden/" + Json::parse(reply.body)["antwoord"].get<std::string>();
  for (const char* may : {"hoeve", "knooppunt"}) EXPECT_EQ(bench.request(get, may)->value().status, 202) << may;
  EXPECT_EQ(bench.request(get, "een-ander")->value().status, 404);
  (void)bench.send(decision(bench.world.events[0]["id"], "delivered"));
  for (const char* may : {"hoeve", "knooppunt"}) EXPECT_EQ(bench.request(get, may)->value().status, 200) << may;
  EXPECT_EQ(bench.request(get, "een-ander")->value().status, 404);
}

TEST(ZorgaanbiederSenders, TwoAgbCodesOfOnePartyDoNotShareNumbers) {
  Json config = declaration_config();
  config["afzenders"]["87654321"] = "hoeve";
  PluginBench bench("zorgaanbieder", config);
  fs::create_directories(bench.folder() + "/antwoorden");
  fs::create_directories(bench.folder() + "/in");
  bench.world.case_by_bsn = {{"999990019", "zaak-1"}};
  auto one = declaration("A1", "D1", {{"999990019", {line("P1", 100)}}}), two = one;
  two.afzender = "87654321";
  (void)post(bench, text(one));
  (void)post(bench, text(two));
  ASSERT_EQ(bench.world.events.size(), 2U);
  EXPECT_EQ(bench.world.events[0]["data"]["number"], "98765432-D1-1");
  EXPECT_EQ(bench.world.events[1]["data"]["number"], "87654321-D1-1");
}

TEST(ZorgaanbiederSenders, AnIdentificatieUsedAgainIsAnsweredAsAMessageOfItsOwn) {
  auto bench = fresh_desk();
  auto first = declare(*bench, "A1", "D1", {{"999990019", {line("P1", 100)}}});
  auto other = text(declaration("A1", "D2", {{"999990019", {line("P2", 200)}}}));
  auto second = post(*bench, other);
  EXPECT_EQ(second.status, 202);
  EXPECT_EQ(Json::parse(second.body)["code"], "JW323_REJECTED");
  EXPECT_NE(Json::parse(second.body)["antwoord"], Json::parse(first.body)["antwoord"]);
  EXPECT_EQ(bench->world.events.size(), 1U);
  auto answer = only_answer(*bench);
  EXPECT_EQ(answer.retour, (std::vector<std::string>{"9056"}));
  EXPECT_EQ(answer.declaratie_identificatie, "A1");
  EXPECT_FALSE(answer.antwoord);
  // Its repeat is the same answer; the first one goes its own way.
  EXPECT_EQ(Json::parse(post(*bench, other).body)["antwoord"], Json::parse(second.body)["antwoord"]);
  EXPECT_EQ(answers(*bench).size(), 1U);
  (void)bench->send(decision(bench->world.events[0]["id"], "delivered"));
  EXPECT_EQ(answers(*bench).size(), 2U);
}

TEST(ZorgaanbiederMonths, LinesOfAnEarlierMonthAreAnInvoiceOfTheirOwn) {
  auto bench = fresh_desk();
  auto august = line("P2", 200);
  august.periode = {day("2026-08-01"), day("2026-08-31")};
  (void)declare(*bench, "A1", "D1", {{"999990019", {august, line("P1", 100)}}});
  ASSERT_EQ(bench->world.events.size(), 2U);
  const Json &september = bench->world.events[0]["data"], &earlier = bench->world.events[1]["data"];
  EXPECT_EQ(september["number"], "98765432-D1-1");
  EXPECT_EQ(september["service_period"], Json::parse(R"(["2026-09-01","2026-09-30"])"));
  EXPECT_EQ(earlier["number"], "98765432-D1-1M2608");
  EXPECT_EQ(earlier["period"], "2026-08");
  EXPECT_EQ(earlier["service_period"], Json::parse(R"(["2026-08-01","2026-08-31"])"));
  (void)bench->send(decision(bench->world.events[0]["id"], "delivered"));
  EXPECT_TRUE(answers(*bench).empty()) << "one JW325 when both are decided";
  (void)bench->send(decision(bench->world.events[1]["id"], "blocked", {"FUNDING_NOT_AGREED"}));
  EXPECT_EQ(only_answer(*bench).antwoord->toegekend, Cents(100));
}

}  // namespace
}  // namespace schakel::test
