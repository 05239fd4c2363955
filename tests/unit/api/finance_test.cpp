// Lists of invoices page by page, each party its own; what is sent again by a person; what was dealt with.
#include "core/pipeline/invoice_index.hpp"
#include "tests/unit/api/desk.hpp"

namespace schakel::test {
namespace {

struct FinanceDesk : Desk {
  std::string zaak = open_case();

  void put(std::string_view space, const std::string& key, const Json& value) {
    ASSERT_TRUE(
        go(store->commit({{store::PutRow{std::string(space), key, to_bytes(dump_json(value)), std::nullopt}}})));
  }
  void in(const std::string& id, const std::string& party, const std::string& status = "delivered") {
    put(pipeline::kInvoicesIn, zaak + "/" + id,
        {{"zaak", zaak}, {"nummer", "N" + id}, {"bericht", id}, {"status", status}, {"partij", party}});
  }
  void out(const std::string& number, const std::string& payer_party) {
    auto key = zaak + "/" + number + "/gemeente", delivery = "A-" + number;
    put(outbox::kInvoicesOut, key,
        {{"zaak", zaak},
         {"nummer", number},
         {"aflevering", delivery},
         {"betaler", "gemeente"},
         {"betalerPartij", payer_party},
         {"ontvanger", "zorgaanbieder"},
         {"ontvangerPartij", "hoeve"},
         {"regio", "KNH"}});
    ASSERT_TRUE(go(store->commit(
        {{store::PutRow{std::string(outbox::kInvoiceOfDelivery), delivery, to_bytes(key), std::nullopt}}})));
    store::DeliveryRow d;
    d.id = delivery;
    d.case_id = zaak;
    d.lane = "l|" + number;
    d.target = "post";
    d.role = "gemeente_financien";
    d.kind = "invoice";
    d.state = store::DeliveryState::delivered;
    d.created_at = d.next_at = clock.now();
    ASSERT_TRUE(go(store->commit({{store::Enqueue{d}}})));
  }
  /// Numbers on all pages, in order; each page holds at most `limit`.
  std::vector<std::string> walk(const net::PeerIdentity& who, const std::string& path, std::size_t limit) {
    std::vector<std::string> all;
    std::string after;
    for (int page = 0; page < 40; ++page) {
      auto reply = ask(who, "GET", path + "limit=" + std::to_string(limit) + after);
      EXPECT_EQ(reply.status, 200) << reply.body.dump();
      EXPECT_LE(reply.body["binnen"].size() + reply.body["uit"].size(), limit);
      for (const char* list : {"binnen", "uit"})
        for (const auto& i : reply.body[list]) all.push_back(i["nummer"]);
      if (!reply.body.contains("verder")) return all;
      after = "&na=" + reply.body["verder"].get<std::string>();
    }
    ADD_FAILURE() << "the pages never end";
    return all;
  }
};

TEST_F(FinanceDesk, InvoicesComePageByPageAndEachPartySeesItsOwn) {
  std::vector<std::string> all, own;
  for (int n = 0; n < 5; ++n) {
    in("m" + std::to_string(n), n % 2 ? "school" : "hoeve");
    all.push_back("Nm" + std::to_string(n));
    if (n % 2) own.push_back(all.back());
  }
  for (int n = 0; n < 7; ++n) {
    out("F" + std::to_string(n), n % 3 ? "gemeente" : "school");
    all.push_back("F" + std::to_string(n));
    if (n % 3 == 0) own.push_back(all.back());
  }
  for (std::size_t limit : {1U, 3U, 5U, 6U, 12U, 500U}) {
    EXPECT_EQ(walk(operator_(), "/v1/beheer/facturen?", limit), all) << limit;
    EXPECT_EQ(walk(operator_(), "/v1/beheer/facturen?zaak=" + zaak + "&", limit), all) << limit;
    EXPECT_EQ(walk(school, "/v1/facturen?", limit), own) << limit;
  }
  EXPECT_TRUE(walk(operator_(), "/v1/beheer/facturen?zaak=Z-ANDERS&", 3).empty());
  for (const char* bad : {"limit=0", "limit=501", "limit=-1", "limit=x", "limit=5x", "na=x", "na=/", "na=uit"}) {
    EXPECT_EQ(ask(operator_(), "GET", std::string("/v1/beheer/facturen?") + bad).code, "VALUE") << bad;
    EXPECT_EQ(ask(school, "GET", std::string("/v1/facturen?") + bad).code, "VALUE") << bad;
  }
}

TEST_F(FinanceDesk, ASecondRefusalAfterAResendIsANewEvent) {
  out("F1", "school");
  auto refuse = [&] {
    return ask(school, "POST", "/v1/facturen/A-F1/status", R"({"status":"geweigerd","code":"ONBEKEND_KENMERK"})").body;
  };
  EXPECT_EQ(refuse()["alBekend"], false);
  EXPECT_EQ(refuse()["alBekend"], true) << "said twice";
  auto resend = [&] {
    return ask(operator_(), "POST", "/v1/beheer/afleveringen/A-F1", R"({"actie":"opnieuw","reden":"hersteld"})").status;
  };
  // As the decision on the report writes it.
  put(pipeline::kInvoiceState, "A-F1", {{"status", "refused"}, {"code", "ONBEKEND_KENMERK"}});
  EXPECT_EQ(resend(), 200);
  EXPECT_EQ(go(outbox::generation_of(*store, "A-F1")).value(), 1);
  EXPECT_EQ(resend(), 200);
  EXPECT_EQ(go(outbox::generation_of(*store, "A-F1")).value(), 1) << "it is on its way: only hastened";
  EXPECT_EQ(refuse()["alBekend"], false) << "another sending, another refusal";
  EXPECT_EQ(refuse()["alBekend"], true);
  EXPECT_EQ(ask(gemeente, "POST", "/v1/facturen/A-F1/status", R"({"status":"verwerkt"})").code, "INVOICE_UNKNOWN")
      << "who does not pay it learns nothing";
}

TEST_F(FinanceDesk, WhatHasArrivedIsSentOnceMoreOnlyOnPurpose) {
  out("F1", "school");
  auto resend = [&](const char* more) {
    return ask(operator_(), "POST", "/v1/beheer/afleveringen/A-F1",
               std::string(R"({"actie":"opnieuw","reden":"wil hem nog eens")") + more + "}");
  };
  EXPECT_EQ(resend("").code, "ALREADY_DELIVERED") << "transported";
  for (const char* status : {"received", "processed"}) {
    put(pipeline::kInvoiceState, "A-F1", {{"status", status}});
    EXPECT_EQ(resend("").code, "ALREADY_DELIVERED") << status;
  }
  EXPECT_EQ(resend(R"(,"nogmaals":"ja")").code, "ALREADY_DELIVERED") << "only true is true";
  EXPECT_EQ(go(outbox::generation_of(*store, "A-F1")).value(), 0);
  EXPECT_EQ(resend(R"(,"nogmaals":true)").status, 200);
  EXPECT_EQ(go(outbox::generation_of(*store, "A-F1")).value(), 1);
}

TEST_F(FinanceDesk, OnlyWhatWaitsForAPersonIsSetAside) {
  in("m1", "school");
  in("m2", "school", "quarantined");
  auto aside = [&](const std::string& id, const char* reason = "afzender gebeld") {
    return ask(operator_(), "POST", "/v1/beheer/facturen/afgehandeld",
               Json{{"zaak", zaak}, {"bericht", id}, {"reden", reason}}.dump());
  };
  EXPECT_EQ(aside("m1").code, "INVOICE_NOT_OPEN");
  EXPECT_EQ(aside("m3").code, "INVOICE_UNKNOWN");
  EXPECT_EQ(aside("m2", "x").code, "REASON_REQUIRED");
  EXPECT_FALSE(go(store->row(std::string(pipeline::kInvoiceAside), zaak + "/m2")).value());
  EXPECT_EQ(aside("m2").status, 200);
  EXPECT_TRUE(go(store->row(std::string(pipeline::kInvoiceAside), zaak + "/m2")).value());
  EXPECT_EQ(ask(school, "POST", "/v1/beheer/facturen/afgehandeld", "{}").status, 404) << "for the operator alone";
}

}  // namespace
}  // namespace schakel::test
