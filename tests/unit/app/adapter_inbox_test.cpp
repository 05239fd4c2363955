// What an adapter brings in, through the real parts: the adapter's .so, the inbox, ingress with its claim check,
// journal and vault. Only the partner is played.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/app/edges.hpp"
#include "core/delivery/host.hpp"
#include "core/journal/members.hpp"
#include "core/journal/vault_sealer.hpp"
#include "core/plugin/registry.hpp"
#include "tests/unit/vault/support.hpp"

namespace schakel::app {
namespace {

const std::string kOtBase = "https://ot.example/ot/v1";
const std::string kOpp = "%PDF-1.7 verzonnen opp";

/// OnderwijsTransparant with a list of changes; a cursor is a place in it.
struct OtPartner final : HttpAccess {
  std::map<std::string, Json> hulpvragen;
  std::vector<std::string> changes;
  std::map<std::string, std::string> files;
  int lists = 0;

  std::string file(const std::string& question, bool with_document) {
    Json h{{"id", question},
           {"versie", 1},
           {"swvCode", "PO2701"},
           {"school", {{"brin", "00YY"}, {"vestiging", "00"}, {"naam", "De Verzonnen Vuurtoren"}}},
           {"leerling", {{"leerlingkenmerk", "L-77"}, {"geboortedatum", "2017-03-02"}}},
           {"soortAanvraag", "onderwijs_zorgarrangement"},
           {"hulpvraag", {{"omschrijving", "Begeleiding in de klas"}, {"zorgBetrokken", true}}},
           {"ouders", {{"geinformeerd", true}, {"toestemming", "ja"}}},
           {"ingediendOp", "2026-02-01T10:00:00Z"},
           {"status", "ingediend"}};
    if (with_document) {
      auto id = random_uuid();
      files[id] = kOpp;
      h["documenten"] = {{{"id", id},
                          {"soort", "opp"},
                          {"bestandsnaam", "opp.pdf"},
                          {"mediaType", "application/pdf"},
                          {"omvang", kOpp.size()},
                          {"sha256", sha256_hex(kOpp)}}};
    }
    hulpvragen[question] = std::move(h);
    changes.push_back(question);
    return question;
  }
  Task<Result<HttpReply>> request(HttpRequest r) override {
    auto answer = [](const Json& j) { return HttpReply{200, {{"ETag", "\"1\""}}, j.dump()}; };
    if (r.url.ends_with("/oauth/token")) co_return answer({{"access_token", "t"}, {"expires_in", 300}});
    auto path = r.url.substr(kOtBase.size());
    if (path.starts_with("/hulpvragen?")) {
      ++lists;
      auto at = path.find("sinds=c");
      std::size_t from = at == path.npos ? 0 : std::stoul(path.substr(at + 7));
      Json items = Json::array();
      for (auto i = from; i < changes.size(); ++i)
        items.push_back({{"id", changes[i]}, {"soort", "aangemaakt"}, {"versie", 1}});
      co_return answer({{"items", items}, {"volgende", fmt::format("c{}", changes.size())}, {"meer", false}});
    }
    if (auto at = path.find("/documenten/"); at != path.npos) co_return HttpReply{200, {}, files[path.substr(at + 12)]};
    co_return answer(hulpvragen[path.substr(12)]);
  }
};

struct Enough {};

/// The host of the instance as the broker makes it; only what leaves it is played, and a pause ends the round.
struct PollHost final : Host {
  delivery::InstanceHost real;
  OtPartner& partner;
  PollHost(delivery::HostServices services, OtPartner& ot, plugin::Grants grants)
      : real(std::move(services), "ot", "ot", std::move(grants)), partner(ot) {}
  HttpAccess& http() override { return partner; }
  MailAccess& mail() override { return real.mail(); }
  Progress& progress() override { return real.progress(); }
  Documents& documents() override { return real.documents(); }
  Links& links() override { return real.links(); }
  Metrics& metrics() override { return real.metrics(); }
  const Clock& clock() override { return real.clock(); }
  Task<void> pause(milliseconds) override {
    throw Enough{};
    co_return;
  }
  Result<Secret> secret(std::string_view) override { return Secret("geheim"); }
  Task<Result<Secret>> bsn(std::string case_id, std::string reason) override {
    auto out = co_await real.bsn(std::move(case_id), std::move(reason));
    co_return out;
  }
};

struct Intake : test::VaultTest {
  test::TempFolder folder;
  runtime::BlockingPool pool{1, 16};
  vault::Documents documents{*vault, *store, clock, pool, std::move(*vault::Blobs::open(folder.path() / "blobs"))};
  vault::Bsn bsn{*vault, *store};
  journal::VaultSealer sealer{*vault};
  journal::Journal journal{*store, sealer, clock, Secret("k")};
  std::shared_ptr<const Parties> parties = std::make_shared<Parties>(
      Parties::read(
          {{"parties",
            {{{"id", "ot"},
              {"name", "OnderwijsTransparant"},
              {"domain", "education"},
              {"certificates", {{{"oin", "00000099000100092000"}}}},
              {"oin", "00000099000100092000"},
              {"may_send", {{{"roles", {"school_ib"}}, {"types", {"hulpvraagmelding"}}, {"regions", {"KNH"}}}}}},
             {{"id", "school"},
              {"name", "Basisschool Het Papieren Schip"},
              {"domain", "education"},
              {"oin", "0000000700000YY00000"},
              {"certificates", {{{"oin", "0000000700000YY00000"}}}},
              {"may_send", {{{"roles", {"school_ib"}}, {"types", {"*"}}, {"regions", {"KNH"}}}}}}}}})
          .value());
  ingress::TypeCatalogue catalogue =
      ingress::TypeCatalogue::load(SCHAKEL_SOURCE_DIR "/config/schemas/messages").value();
  VaultDocumentCheck check{documents};
  ingress::Ingress ingress{journal, parties, catalogue, check, {"KNH"}};
  AdapterInbox inbox{ingress, journal, documents, bsn, parties, 1 << 20};
  runtime::MetricsRegistry metrics;
  plugin::Registry registry{SCHAKEL_BINARY_DIR "/lib/schakel"};
  OtPartner partner;
  std::unique_ptr<PollHost> host;
  std::unique_ptr<Adapter> adapter;

  void SetUp() override {
    Json config{{"base_url", kOtBase},    {"token_url", "https://ot.example/oauth/token"},
                {"client_id", "schakel"}, {"client_secret", "ot"},
                {"party", "ot"},          {"source", "urn:nld:oin:00000099000100092000:systeem:hulpvragen"},
                {"region", "KNH"},        {"swv_code", "PO2701"}};
    auto plugin = registry.load(plugin::Kind::adapter, "onderwijstransparant");
    ASSERT_TRUE(plugin) << plugin.error().code;
    auto grants = (*plugin)->check(config);
    ASSERT_TRUE(grants) << grants.error().code;
    host = std::make_unique<PollHost>(
        delivery::HostServices{*store, sealer, documents, bsn, clock, metrics, nullptr, nullptr, nullptr, {}, {}},
        partner, *grants);
    adapter = std::move(*(*plugin)->make_adapter(config));
    ASSERT_TRUE(test::run_now(adapter->start(*host)));
  }
  void poll() { EXPECT_THROW(test::run_now(adapter->run(inbox)), Enough); }

  /// A case of the school.
  std::string open(const std::string& reference = "", const std::string& event = random_uuid()) {
    auto r = test::run_now(inbox.accept("school", opening(event, reference)));
    EXPECT_TRUE(r) << r.error().code;
    auto rows = test::run_now(store->messages({.case_id = "",
                                               .party = "school",
                                               .type = "zaak_opening",
                                               .outcome = "",
                                               .after = 0,
                                               .limit = 100,
                                               .with_sealed = false}));
    return rows->back().case_id;
  }
  static Json opening(const std::string& event, const std::string& reference) {
    Json data{{"region", "KNH"},
              {"sender", {{"role", "school_ib"}}},
              {"pupil", {{"birth_date", "2017-03-02"}, {"school", "S"}, {"school_type", "PO"}, {"enrolled", true}}},
              {"case", {{"question_kind", "onderwijs_zorg"}, {"custody", {"ouder_1"}}}}};
    if (!reference.empty()) data["reference"] = reference;
    return {{"specversion", "1.0"},
            {"id", event},
            {"source", "urn:nld:oin:0000000700000YY00000:systeem:las"},
            {"type", "nl.schakel.zaak_opening.v1"},
            {"datacontenttype", "application/json"},
            {"data", data}};
  }
  /// As PUT kenmerken does.
  void name(const std::string& case_id, const std::string& hulpvraag) {
    commit({journal.correlate("ot", hulpvraag, case_id), journal::member(case_id, "ot")});
  }
  std::vector<Message> arrived() {
    auto rows = test::run_now(store->messages(
        {.case_id = "", .party = "ot", .type = "", .outcome = "", .after = 0, .limit = 100, .with_sealed = true}));
    std::vector<Message> out;
    for (auto& row : *rows) out.push_back(test::run_now(journal.read(std::move(row))).value());
    return out;
  }
  std::vector<std::string> leaves(std::string_view kind) {
    commit({store::SequenceLeaves{}});
    std::vector<std::string> out;
    for (auto& l : *test::run_now(store->leaves(0, 1000)))
      if (l.kind == kind) out.push_back(l.body);
    return out;
  }
};

TEST_F(Intake, AHulpvraagWithADocumentPassesTheClaimCheckAndStandsInTheCase) {
  auto zaak = open();
  auto id = partner.file("11111111-2222-4333-8444-555555555551", true);
  name(zaak, id);
  poll();
  auto in = arrived();
  ASSERT_EQ(in.size(), 1U) << "refused: " << leaves("message.refused").size();
  EXPECT_EQ(in[0].subject, zaak);
  ASSERT_EQ(in[0].attachments.size(), 1U);
  auto record = test::run_now(documents.info(in[0].attachments[0].document));
  ASSERT_TRUE(record);
  EXPECT_EQ(record->sha256, sha256_hex(kOpp));
  EXPECT_EQ(record->status, in[0].attachments[0].status);
  EXPECT_EQ(as_text(*test::run_now(documents.read(record->id, 0, 100))), kOpp);
  EXPECT_EQ(leaves("document.stored").size(), 1U);
  EXPECT_TRUE(leaves("message.refused").empty());
  poll();
  EXPECT_EQ(arrived().size(), 1U);
}

TEST_F(Intake, AHulpvraagOfAnUnknownCaseStopsNobodyAndComesInWithItsCase) {
  auto waits = partner.file("11111111-2222-4333-8444-555555555552", true);
  auto known = partner.file("11111111-2222-4333-8444-555555555553", false);
  auto first = open(), second = open();
  name(second, known);
  for (int i = 0; i < 5; ++i) poll();
  ASSERT_EQ(arrived().size(), 1U);
  EXPECT_EQ(arrived()[0].subject, second);
  EXPECT_TRUE(leaves("message.refused").empty()) << "waiting is no refusal";
  auto rows = test::run_now(store->rows("progress.ot", "wacht/", "", 10));
  EXPECT_EQ(rows->size(), 1U) << "what schakel status counts";
  name(first, waits);
  poll();
  ASSERT_EQ(arrived().size(), 2U);
  EXPECT_EQ(arrived()[1].subject, first);
  EXPECT_EQ(arrived()[1].attachments.size(), 1U);
  EXPECT_TRUE(test::run_now(store->rows("progress.ot", "wacht/", "", 10))->empty());
}

TEST_F(Intake, AnInvoiceOfAsManyLinesAsAreCarriedIsTakenAndOneMoreIsNot) {
  auto event = opening(random_uuid(), "");
  ASSERT_TRUE(test::run_now(inbox.accept("school", event)));
  event["subject"] = open();
  event["type"] = "nl.schakel.factuur.v1";
  Json line{
      {"kind", "gecombineerd"}, {"cents", 99999999}, {"vat_cents", 17355371}, {"period", {"2026-09-01", "2026-09-30"}}};
  event["data"] = {{"region", "KNH"}, {"sender", {{"role", "school_ib"}}}, {"number", "F-1"}, {"lines", Json::array()}};
  for (int i = 0; i < 10'000; ++i) event["data"]["lines"].push_back(line);
  event["id"] = random_uuid();
  auto taken = test::run_now(inbox.accept("school", event));
  EXPECT_TRUE(taken) << taken.error().code;
  event["id"] = random_uuid();
  event["data"]["lines"].push_back(line);
  auto refused = test::run_now(inbox.accept("school", event));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "SCHEMA_VIOLATION");
}

TEST_F(Intake, WhatAPartnerWroteDoesNotChooseAnothersSourceNorThatOfTheBroker) {
  for (const char* source :
       {"urn:nld:oin:00000099000100092000:systeem:hulpvragen", "urn:schakel:timers", "urn:schakel:facturen", "las"}) {
    auto event = opening(random_uuid(), "");
    event["source"] = source;
    auto r = test::run_now(inbox.accept("school", event));
    ASSERT_FALSE(r) << source;
    EXPECT_EQ(r.error().code, "SOURCE_NOT_YOURS") << source;
    EXPECT_EQ(r.error().kind, ErrorKind::forbidden) << source;
  }
  EXPECT_EQ(leaves("message.refused").size(), 4U);
  EXPECT_TRUE(test::run_now(inbox.accept("school", opening(random_uuid(), ""))).value()) << "its own";
}

TEST_F(Intake, TheSourceThatAnInstanceIsConfiguredWithIsTakenAndNeverThatOfTheBroker) {
  const std::string named = "urn:nld:oin:00000099000100094000:systeem:declaraties";
  AdapterInbox desk{ingress, journal, documents, bsn, parties, 1 << 20, named};
  auto event = opening(random_uuid(), "");
  event["source"] = named;
  EXPECT_FALSE(test::run_now(inbox.accept("school", event))) << "another instance has it";
  EXPECT_TRUE(test::run_now(desk.accept("school", event)).value());
  EXPECT_TRUE(test::run_now(desk.accept("school", opening(random_uuid(), ""))).value()) << "and those of its party";
  AdapterInbox bold{ingress, journal, documents, bsn, parties, 1 << 20, "urn:schakel:timers"};
  event["source"] = "urn:schakel:timers";
  auto r = test::run_now(bold.accept("school", event));
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, "SOURCE_NOT_YOURS");
}

}  // namespace
}  // namespace schakel::app
