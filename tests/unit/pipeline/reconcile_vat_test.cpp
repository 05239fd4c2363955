// The books of a month against the documents that were sealed, per VAT category and rate.
#include "core/formats/invoice_ubl.hpp"
#include "core/outbox/invoice_rows.hpp"
#include "tests/unit/pipeline/money_road.hpp"

namespace schakel::test {
namespace {

Json vat_line(const char* kind, const char* category, const char* percent, std::int64_t net, std::int64_t vat) {
  return {{"kind", kind}, {"cents", net + vat}, {"vat_cents", vat}, {"percent", percent}, {"category", category}};
}

struct VatBooks {
  MoneyRoad road;
  explicit VatBooks(const char* treatment) {
    road.open_case();
    Json lines{{{"kind", "zorg"}, {"payer", "gemeente"}},
               {{"kind", "grijs"}, {"payer", "50/50"}},
               {{"kind", "onderwijs"}, {"payer", "swv"}}};
    if (*treatment)
      for (auto& line : lines) line["vat"] = treatment;
    (void)road.accept(road.message("fa", "financieringsafspraak", {{"lines", std::move(lines)}}, "swv", "swv"));
  }
  void factuur(const std::string& number = "F1", const std::string& vat_number = "NL123456789B01") {
    Json payload{{"number", number},
                 {"vat_cents", 1884},
                 {"seller_vat_number", vat_number},
                 {"lines",
                  {vat_line("zorg", "E", "0", 10000, 0), vat_line("grijs", "S", "9", 20001, 1800),
                   vat_line("onderwijs", "S", "21", 400, 84)}}};
    ASSERT_TRUE(road.accept(road.message("msg-" + number, "factuur", payload)));
  }
  void credit() {
    ASSERT_TRUE(road.accept(
        road.message("msg-C1", "creditnota",
                     {{"number", "C1"},
                      {"credits", "F1"},
                      {"vat_cents", 42},
                      {"seller_vat_number", "NL123456789B01"},
                      {"lines", {vat_line("onderwijs", "S", "21", 200, 42), vat_line("grijs", "S", "9", 3, 0)}}})));
  }
  Json document_of(const store::DeliveryRow& d) {
    Json invoice = road.partners.body(d)["body"]["invoice"];
    auto ubl = formats::to_ubl(invoice, "OZA-1", formats::InvoiceSettings(Json::object()));
    EXPECT_TRUE(ubl) << d.role;
    if (!ubl) return {};
    Json stated = formats::stated_amounts(*ubl);
    stated["verkoperBtw"] = invoice["seller"]["vat_category"];
    return stated;
  }
  /// What sealing writes (core/delivery/attempt.cpp), with what a test does to it.
  void seal(const std::function<void(Json& stated, const std::string& role)>& change = {}) {
    for (const auto& d : road.invoices()) {
      Json stated = document_of(d);
      if (change) change(stated, d.role);
      store::Transaction tx;
      ASSERT_TRUE(run_now(outbox::made_invoice(*road.disk, d.id, {std::move(stated), false, {}, {}}, tx)));
      ASSERT_EQ(tx.ops.size(), 1U);
      ASSERT_TRUE(run_now(road.disk->commit(std::move(tx))));
    }
  }
  std::set<std::string> differences() {
    std::set<std::string> out;
    for (const auto& r : road.books().rows)
      if (r.in_net != r.out_net || r.in_vat != r.out_vat) out.insert(r.payer + " " + r.category + " " + r.rate);
    return out;
  }
};

TEST(ReconcileVat, AMonthClosesOnWhatTheDocumentsSay) {
  for (const char* treatment : {"S", "O", "E"}) {
    VatBooks b(treatment);
    b.factuur();
    b.road.run();
    b.credit();
    b.road.run();
    b.seal();
    auto m = b.road.books();
    EXPECT_TRUE(m.closes()) << treatment << month_view(m).dump(1);
    EXPECT_EQ(m.sources, 2);
    EXPECT_EQ(m.documents, 4);
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> swv;
    std::set<std::string> agreements;
    for (const auto& r : m.rows) {
      agreements.insert(r.agreement);
      if (r.payer == "swv") swv[r.category + r.rate].first += r.out_net, swv[r.category + r.rate].second += r.out_vat;
    }
    // Half of 218.01 less 0.03, and 4.84 less 2.42.
    using Rows = std::map<std::string, std::pair<std::int64_t, std::int64_t>>;
    if (treatment[0] == 'S')
      EXPECT_EQ(swv, (Rows{{"S9", {9999, 900}}, {"S21", {200, 42}}}));
    else
      EXPECT_EQ(swv, (Rows{{treatment + std::string("0"), {9999 + 900 + 242, 0}}}));
    EXPECT_EQ(agreements, (std::set<std::string>{"2/1+2+3", "2/2+3"})) << "seq of the agreement and its lines";
  }
}

TEST(ReconcileVat, ACentOnADocumentThatWasNotDecidedKeepsTheMonthOpen) {
  using Change = std::function<void(Json&, const std::string&)>;
  std::vector<std::pair<const char*, Change>> planted{
      {"a cent of VAT less",
       [](Json& s, const std::string& role) {
         if (role == "swv_financien")
           s["btw"][0]["btwCent"] = s["btw"][0]["btwCent"].get<int>() - 1,
           s["bedragCent"] = s["bedragCent"].get<int>() - 1;
       }},
      {"a cent from one rate to the other",
       [](Json& s, const std::string& role) {
         if (role != "swv_financien") return;
         s["btw"][0]["nettoCent"] = s["btw"][0]["nettoCent"].get<int>() - 1;
         s["btw"][1]["nettoCent"] = s["btw"][1]["nettoCent"].get<int>() + 1;
       }},
      {"another category",
       [](Json& s, const std::string& role) {
         if (role == "swv_financien") s["btw"][0]["categorie"] = "E";
       }},
      {"the whole invoice without its VAT", [](Json& s, const std::string& role) {
         if (role == "gemeente_financien")
           s["btw"] =
               Json::array({{{"categorie", "O"}, {"tarief", "0"}, {"nettoCent", s["bedragCent"]}, {"btwCent", 0}}});
       }}};
  for (const auto& [what, change] : planted) {
    VatBooks b("S");
    b.factuur();
    b.road.run();
    b.seal(change);
    auto m = b.road.books();
    EXPECT_FALSE(m.closes()) << what;
    EXPECT_FALSE(b.differences().empty()) << what;
    EXPECT_TRUE(std::ranges::any_of(m.open, [](const auto& o) {
      return o.what == "NOT_CONSERVED" && o.code == "DOCUMENT";
    })) << what;
    b.seal();
    EXPECT_TRUE(b.road.books().closes()) << "as decided it closes";
  }
}

TEST(ReconcileVat, ARateOfWhichTheVatRoundsToNothingKeepsItsRateInTheBooks) {
  for (bool by_agreement : {true, false}) {
    VatBooks b(by_agreement ? "S" : "");
    auto directory = MoneyRoad::directory();
    for (auto& p : directory["parties"])
      if (p.contains("invoice") && !by_agreement)
        p["invoice"]["vat_category"] = "S", p["invoice"]["vat_number"] = "NL123456789B01";
    b.road.parties = std::make_shared<Parties>(Parties::read(directory).value());
    b.road.restart();
    b.factuur();
    b.road.run();
    ASSERT_TRUE(b.road.accept(
        b.road.message("msg-C1", "creditnota",
                       {{"number", "C1"},
                        {"credits", "F1"},
                        {"vat_cents", 0},
                        {"seller_vat_number", "NL123456789B01"},
                        {"lines", {vat_line("grijs", "S", "9", 2, 0), vat_line("onderwijs", "S", "21", 2, 0)}}})));
    b.road.run();
    b.seal();
    auto m = b.road.books();
    EXPECT_TRUE(m.closes()) << by_agreement << month_view(m).dump(1);
    for (const auto& r : m.rows) EXPECT_FALSE(r.payer == "swv" && r.category != "S") << r.category << r.rate;
    // A document that calls them exempt is named, whoever said that VAT is passed on.
    b.seal([](Json& s, const std::string& role) {
      if (role == "swv_financien" && s["bedragCent"] < 0)
        s["btw"] = Json::array({{{"categorie", "E"}, {"tarief", "0"}, {"nettoCent", s["bedragCent"]}, {"btwCent", 0}}});
    });
    EXPECT_FALSE(b.road.books().closes()) << by_agreement;
  }
}

TEST(ReconcileVat, TheVatNumberOfTheSourceIsThatOfItsSellerOrNothingLeaves) {
  VatBooks b("S");
  b.factuur("F1", "");
  b.road.run();
  EXPECT_TRUE(b.road.partners.taken.empty()) << "neither the invoice nor what is made of it";
  std::map<std::string, std::string> parked;
  for (const auto& d : b.road.invoices()) parked[d.role] = d.code;
  EXPECT_EQ(parked, (std::map<std::string, std::string>{{"gemeente_financien", "VAT_NUMBER_MISSING"},
                                                        {"swv_financien", "VAT_NUMBER_MISSING"}}));
  auto directory = MoneyRoad::directory();
  directory["parties"][2]["invoice"]["vat_number"] = "NL987654321B01";
  directory["parties"][2]["invoice"]["vat_category"] = "S";
  VatBooks other("S");
  other.road.parties = std::make_shared<Parties>(Parties::read(directory).value());
  other.road.restart();
  other.factuur();
  other.road.run();
  EXPECT_TRUE(other.road.partners.taken.empty());
  for (const auto& d : other.road.invoices()) EXPECT_EQ(d.code, "VAT_NUMBER_IS_ANOTHER") << d.role;
  other.factuur("F2", "NL987654321B01");
  other.road.run();
  EXPECT_EQ(other.road.partners.taken.size(), 2U);
}

}  // namespace
}  // namespace schakel::test
