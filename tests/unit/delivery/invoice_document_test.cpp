// The document of an invoice is made once, before the first attempt, and every attempt, repeat and export has it.
#include "core/delivery/invoice_document.hpp"

#include "core/delivery/attempt.hpp"
#include "core/formats/ubl.hpp"
#include "core/journal/members.hpp"
#include "core/journal/vault_sealer.hpp"
#include "core/outbox/invoice_parties.hpp"
#include "core/outbox/invoice_rows.hpp"
#include "core/outbox/restored.hpp"
#include "core/pipeline/invoice_index.hpp"
#include "core/pipeline/settlement.hpp"
#include "tests/unit/adapters/invoice_delivery.hpp"
#include "tests/unit/pipeline/real_road.hpp"
#include "tests/unit/vault/support.hpp"

namespace schakel {
namespace {
using test::run_now;

constexpr const char* kInvoiceCase = "Z-22222222222222AA";

/// Keeps what it is given; ends as it is told.
struct Postman final : Adapter {
  store::Store& store;
  std::vector<Delivery> got;
  std::vector<bool> durable;  ///< whether the document was in the store when it came
  Verdict verdict = Verdict::delivered;
  explicit Postman(store::Store& s) : store(s) {}
  Task<Result<void>> start(Host&) override { co_return Result<void>{}; }
  Task<AttemptResult> send(const Delivery& d) override {
    auto row = co_await store.row(std::string(delivery::kInvoiceDocument), d.id);
    durable.push_back(row && *row);
    got.push_back(d);
    co_return AttemptResult{verdict, "X", std::nullopt, Json::object()};
  }
};

Json gemeente_party(const char* id, const char* town, const char* kvk) {
  return {{"id", id},
          {"name", id},
          {"domain", "care"},
          {"serves", {{"gemeenten", {town}}}},
          {"may_send", {{{"roles", {"gemeente"}}, {"types", {"*"}}, {"regions", {"KNH"}}}}},
          {"endpoints",
           {{{"roles", {"gemeente_financien"}},
             {"regions", {"KNH"}},
             {"adapter", "post"},
             {"address", {{"mail", std::string("crediteuren@") + id + ".example"}}}}}},
          {"invoice",
           {{"payer_role", "gemeente"},
            {"name", id},
            {"kvk", kvk},
            {"iban", "NL19TEST0001000001"},
            {"street", "Fictiestraat 1"},
            {"city", town},
            {"postcode", "1001 XX"}}}};
}

struct SealedInvoice : ::testing::Test, test::RealRoad {
  test::TempFolder folder;
  runtime::BlockingPool pool{1, 16};
  std::unique_ptr<vault::Vault> vault = std::move(*run_now(vault::Vault::open(*store, clock, test::master(1))));
  journal::VaultSealer vault_sealer{*vault};
  journal::Journal sealed_journal{*store, vault_sealer, clock, Secret("k")};
  vault::Documents documents{*vault, *store, clock, pool, std::move(*vault::Blobs::open(folder.path() / "blobs"))};
  std::shared_ptr<const Parties> towns = std::make_shared<Parties>(
      Parties::read(
          {{"parties",
            {gemeente_party("gem-a", "Zandoever", "90000007"), gemeente_party("gem-b", "Elders", "90000008")}}})
          .value());
  delivery::Delivering delivering{sealed_journal, *vault, documents, pipeline->profiles(), towns};
  Postman postman{*store};

  SealedInvoice() { configure({{"message_id_domain", "facturen.example"}}); }
  void configure(const Json& config) {
    delivery::Instance post;
    post.name = "post";
    post.plugin = "post";
    post.adapter = &postman;
    post.grants.fields = {"/pseudonym", "/endpoint/mail", "/body/invoice"};
    post.party = "ortho";
    post.config = config;
    delivering.add(std::move(post));
  }
  store::DeliveryRow row(const Json& invoice, const std::string& id = "A-1") {
    outbox::Planned p;
    p.id = id;
    p.kind = "invoice";
    p.target = "post";
    p.role = "swv_financien";
    p.type = "doorbelasting";
    p.address = {{"mail", "oza@swvkopvannoordholland.nl"}};
    p.body = {{"invoice", invoice}};
    auto body = p.to_json();
    body["message_id"] = "m-1";
    body["region"] = "KNH";
    store::Transaction tx;
    store::DeliveryRow d;
    d.id = p.id;
    d.case_id = kInvoiceCase;
    d.lane = "x|post";
    d.target = p.target;
    d.role = p.role;
    d.kind = p.kind;
    d.created_at = d.next_at = clock.now();
    d.sealed = run_now(vault_sealer.seal(kInvoiceCase, "delivery", p.id, to_bytes(dump_json(body)), tx)).value();
    return d;
  }
  AttemptResult attempt(const Json& invoice, const std::string& id = "A-1") {
    return run_now(delivering.attempt(row(invoice, id), 1));
  }
  static Json invoice() { return test::invoice_delivery().body["invoice"]; }
};

TEST_F(SealedInvoice, IsDurableBeforeTheAdapterHasItAndTheSameInEveryAttempt) {
  postman.verdict = Verdict::unknown;  // the process may end right there
  EXPECT_EQ(attempt(invoice()).verdict, Verdict::unknown);
  ASSERT_EQ(postman.durable, std::vector<bool>{true});
  configure({{"message_id_domain", "anders.example"}, {"payment_days", 14}, {"profile", "peppol"}});
  clock.advance(std::chrono::hours(24 * 40));
  postman.verdict = Verdict::delivered;
  auto changed = invoice();
  changed["seller"]["city"] = "Verhuisd";
  EXPECT_EQ(attempt(changed).verdict, Verdict::delivered);
  ASSERT_EQ(postman.got.size(), 2U);
  const auto &first = *postman.got[0].invoice, &second = *postman.got[1].invoice;
  EXPECT_EQ(first.xml, second.xml);
  EXPECT_EQ(first.pdf, second.pdf);
  EXPECT_EQ(first.name, "DB-ZB-2026-0917");
  EXPECT_EQ(first.message_id, second.message_id);
  EXPECT_TRUE(first.message_id.ends_with("@facturen.example")) << first.message_id;
  auto exported = run_now(delivering.invoice_document(row(changed)));
  ASSERT_TRUE(exported);
  EXPECT_EQ(exported->xml, first.xml) << "an export reads what was sent";
  EXPECT_TRUE(formats::read_ubl(first.xml).accepted());
  auto sealed = run_now(store->row(std::string(delivery::kInvoiceDocument), "A-1")).value().value();
  EXPECT_EQ(as_text(sealed.value).find("Zandoever"), std::string::npos) << "at rest nobody reads it";
}

TEST_F(SealedInvoice, WhatItAsksIsWrittenDownForTheBooksWhenItIsSealed) {
  ASSERT_TRUE(run_now(store->commit(
      {{store::PutRow{std::string(outbox::kInvoiceOfDelivery), "A-1", to_bytes("Z/DB-1/swv/A-1"), std::nullopt},
        store::PutRow{std::string(outbox::kInvoicesOut), "Z/DB-1/swv/A-1", to_bytes(R"({"nummer":"DB-1"})"),
                      std::nullopt}}})));
  postman.verdict = Verdict::unknown;
  (void)attempt(invoice());
  ASSERT_EQ(postman.got.size(), 1U);
  auto row = run_now(store->row(std::string(outbox::kInvoicesOut), "Z/DB-1/swv/A-1")).value().value();
  auto known = Json::parse(as_text(row.value));
  EXPECT_EQ(known["nummer"], "DB-1");
  auto read = formats::read_ubl(postman.got[0].invoice->xml);
  ASSERT_TRUE(read.document);
  auto stated = formats::stated_amounts(*read.document);
  stated["verkoperBtw"] = "O";  // the seller's setting, of which the books take what was to be asked
  EXPECT_EQ(known["gesteld"], stated);
  EXPECT_EQ(known["gesteld"]["bedragCent"], 36666);
}

TEST_F(SealedInvoice, APersonsResendIsCountedAndHasTheSameBytes) {
  ASSERT_EQ(attempt(invoice()).verdict, Verdict::delivered);
  for (int n = 1; n <= 2; ++n) {
    auto again = run_now(outbox::next_generation(*store, "A-1"));
    ASSERT_TRUE(again);
    auto twice = *again;
    ASSERT_TRUE(run_now(store->commit({{*again}})));
    EXPECT_EQ(run_now(store->commit({{twice}})).error().kind, ErrorKind::conflict) << "two people at once count once";
    ASSERT_EQ(attempt(invoice()).verdict, Verdict::delivered);
    EXPECT_EQ(postman.got.back().generation, n);
    EXPECT_EQ(postman.got.back().invoice->xml, postman.got[0].invoice->xml);
    EXPECT_EQ(postman.got.back().invoice->message_id, postman.got[0].invoice->message_id);
  }
  EXPECT_EQ(postman.got[0].generation, 0);
  EXPECT_EQ(run_now(outbox::generation_of(*store, "A-2")).value(), 0);
}

TEST_F(SealedInvoice, AfterARestoreOnlyWhatAPersonSendsAgainLeaves) {
  ASSERT_TRUE(run_now(store->commit({{outbox::wait_after_restore(clock.now())}})));
  auto waits = attempt(invoice());
  EXPECT_EQ(waits.verdict, Verdict::unknown);
  EXPECT_EQ(waits.code, outbox::kRestored);
  EXPECT_TRUE(postman.got.empty());
  ASSERT_TRUE(run_now(store->commit({{run_now(outbox::next_generation(*store, "A-1")).value()}})));
  EXPECT_EQ(attempt(invoice()).code, outbox::kRestored) << "a resend of before the copy may have left as well";
  ASSERT_TRUE(run_now(store->commit({{outbox::sent_by_person("A-1", clock.now())}})));
  EXPECT_EQ(attempt(invoice()).verdict, Verdict::delivered);
  EXPECT_EQ(attempt(invoice(), "A-2").code, outbox::kRestored);
  ASSERT_TRUE(run_now(store->commit({{outbox::end_after_restore()}})));
  EXPECT_EQ(attempt(invoice(), "A-2").verdict, Verdict::delivered);
  EXPECT_EQ(postman.got.size(), 2U);
}

TEST_F(SealedInvoice, WhatWasReportedAsArrivedIsNotSent) {
  for (const char* status : {"received", "processed"}) {
    ASSERT_TRUE(run_now(store->commit({{store::PutRow{std::string(pipeline::kInvoiceState), "A-1",
                                                      to_bytes(dump_json({{"status", status}})), std::nullopt}}})));
    auto done = attempt(invoice());
    EXPECT_EQ(done.verdict, Verdict::delivered) << status;
    EXPECT_EQ(done.code, pipeline::kReported);
  }
  EXPECT_TRUE(postman.got.empty());
  ASSERT_TRUE(run_now(store->commit({{run_now(outbox::next_generation(*store, "A-1")).value()}})));
  EXPECT_EQ(attempt(invoice()).verdict, Verdict::delivered);
  EXPECT_EQ(postman.got.size(), 1U) << "a person wants it sent all the same";
}

TEST_F(SealedInvoice, WhatBreaksARuleReachesNoAdapterAndIsNotSealed) {
  std::vector<std::pair<std::string, std::function<void(Json&)>>> cases{
      {"UBL_INVALID:SCH-IBAN", [](Json& i) { i["seller"]["iban"] = "NL20TEST0001000001"; }},
      {"UBL_INVALID", [](Json& i) { i["buyer"]["kvk"] = "1"; }},
      {"UBL_INVALID", [](Json& i) { i["seller"]["city"] = ""; }},
      {"INVOICE_PARTY_UNKNOWN", [](Json& i) { i["seller"] = nullptr, i["payee"] = "schoolbestuur"; }},
      {"INVOICE_MALFORMED", [](Json& i) { i["amount_cents"] = "12"; }},
      {"INVOICE_MALFORMED", [](Json& i) { i["issued"] = "gisteren"; }},
      {"UBL_INVALID", [](Json& i) { i["seller"]["vat_category"] = "E"; }}};
  for (std::size_t n = 0; n < cases.size(); ++n) {
    auto broken = invoice();
    cases[n].second(broken);
    auto result = attempt(broken, "A-" + std::to_string(n));
    EXPECT_EQ(result.verdict, Verdict::rejected) << n;
    EXPECT_TRUE(result.code.starts_with(cases[n].first)) << result.code << " for " << cases[n].first;
  }
  EXPECT_TRUE(postman.got.empty());
  EXPECT_TRUE(run_now(store->rows(std::string(delivery::kInvoiceDocument), "", "", 10)).value().empty());
}

TEST_F(SealedInvoice, GoesWithItsCaseAndADamagedOneIsNotSent) {
  ASSERT_EQ(attempt(invoice()).verdict, Verdict::delivered);
  auto kept = row(invoice());
  ASSERT_TRUE(run_now(store->commit(
      {{store::PutRow{std::string(delivery::kInvoiceDocument), "A-1", to_bytes("rommel"), std::nullopt}}})));
  auto result = run_now(delivering.attempt(kept, 2));
  EXPECT_EQ(result.verdict, Verdict::retry_later) << result.code;
  EXPECT_EQ(postman.got.size(), 1U) << "never another one in its place";
  ASSERT_EQ(attempt(invoice(), "A-2").verdict, Verdict::delivered);
  auto sent = row(invoice(), "A-2");
  ASSERT_TRUE(run_now(delivering.invoice_document(sent)));
  auto erased = run_now(vault->erase_case(kInvoiceCase));
  ASSERT_TRUE(erased);
  ASSERT_TRUE(run_now(store->commit({std::move(erased->ops)})));
  vault->forget(kInvoiceCase);
  EXPECT_EQ(run_now(delivering.invoice_document(sent)).error().code, "VAULT_ERASED");
}

TEST_F(SealedInvoice, OneThatWaitedForItsPayerIsSentToTheOneItsCaseMeans) {
  auto held = invoice();
  held["payer"] = "gemeente", held["payee"] = "zorgaanbieder", held["payee_party"] = "";
  held["buyer"] = nullptr;
  EXPECT_EQ(attempt(held).code, "PARTY_AMBIGUOUS") << "two gemeenten, and the case says nothing";
  EXPECT_TRUE(postman.got.empty());
  Json body{{"payer", "gemeente"}, {"payee", "swv"}};
  CaseFile file;
  EXPECT_EQ(outbox::name_parties(body, file, "KNH", *towns), "PARTY_AMBIGUOUS");
  EXPECT_TRUE(body["buyer"].is_null());
  file.pupil.woongemeente = "Elders";
  EXPECT_EQ(outbox::name_parties(body, file, "KNH", *towns), "");
  EXPECT_EQ(body["buyer_party"], "gem-b");
  EXPECT_EQ(body["buyer"]["kvk"], "90000008");
  file.facts["party_gemeente"] = "gem-a";
  EXPECT_EQ(outbox::name_parties(body, file, "KNH", *towns), "");
  EXPECT_EQ(body["buyer_party"], "gem-a") << "what the case names goes before what parties serve";
  file.facts["party_gemeente"] = "school";
  EXPECT_EQ(outbox::name_parties(body, file, "KNH", *towns), "PARTY_MISNAMED");
  EXPECT_FALSE(body.contains("buyer_party"));
  EXPECT_EQ(outbox::name_parties(body, CaseFile{}, "FRL", *towns), "") << "nobody there, and none of another region";
  EXPECT_TRUE(body["buyer"].is_null());
}

TEST_F(SealedInvoice, WhatItSaysAndWhereItGoesAreSettledTogetherAndItsPayerFindsItFromThenOn) {
  // The case says where the pupil lives, but the parties of that day did not say whom they serve.
  Message opening;
  opening.id = "open", opening.source = "urn:test", opening.type = "zaak_opening", opening.subject = kInvoiceCase;
  opening.region = "KNH", opening.party = "school", opening.sender_role = "school_ib";
  opening.seq = run_now(sealed_journal.accept(opening)).value().seq;
  Draft draft;
  draft.outcome = Outcome::recorded;
  draft.effects.push_back({"pupil", "woongemeente", "Elders"});
  store::Transaction tx;
  ASSERT_TRUE(run_now(sealed_journal.record(opening, draft, "KNH", tx)));
  Json listed{{"nummer", "DB-ZB-2026-0917"}, {"betalerPartij", ""}, {"ontvangerPartij", ""}};
  const std::string key = std::string(kInvoiceCase) + "/DB-ZB-2026-0917/gemeente/A-1";
  tx.ops.push_back(store::PutRow{std::string(outbox::kInvoicesOut), key, to_bytes(listed.dump()), std::nullopt});
  tx.ops.push_back(store::PutRow{std::string(outbox::kInvoiceOfDelivery), "A-1", to_bytes(key), std::nullopt});
  ASSERT_TRUE(run_now(sealed_journal.store().commit(std::move(tx))));

  auto held = invoice();
  held["payer"] = "gemeente", held["payee"] = "zorgaanbieder", held["payee_party"] = "gem-a";
  held["buyer"] = nullptr;
  auto waiting = [&] {
    auto d = row(held);
    d.role = "gemeente_financien";
    return d;
  };
  postman.verdict = Verdict::unknown;
  auto first = run_now(delivering.attempt(waiting(), 1));
  EXPECT_EQ(first.verdict, Verdict::unknown) << first.code;
  ASSERT_EQ(postman.got.size(), 1U);
  EXPECT_NE(postman.got[0].invoice->xml.find("90000008"), std::string::npos) << "gem-b";
  auto kept = run_now(store->row(std::string(outbox::kInvoicesOut), key)).value().value();
  EXPECT_EQ(Json::parse(as_text(kept.value))["betalerPartij"], "gem-b");
  EXPECT_TRUE(run_now(journal::is_member(*store, *towns->find("gem-b"), kInvoiceCase)).value());

  // Before it is tried again the parties are set right, or wrong: what was sealed for one does not go to the other.
  auto swapped = std::make_shared<Parties>(Parties::read({{"parties",
                                                           {gemeente_party("gem-a", "Elders", "90000007"),
                                                            gemeente_party("gem-b", "Zandoever", "90000008")}}})
                                               .value());
  delivery::Delivering restarted{sealed_journal, *vault, documents, pipeline->profiles(), swapped};
  delivery::Instance post = delivering.instances().at("post");
  restarted.add(post);
  postman.verdict = Verdict::delivered;
  EXPECT_EQ(run_now(restarted.attempt(waiting(), 2)).verdict, Verdict::delivered);
  ASSERT_EQ(postman.got.size(), 2U);
  EXPECT_EQ(postman.got[1].invoice->xml, postman.got[0].invoice->xml);
  EXPECT_EQ(postman.got[1].endpoint, postman.got[0].endpoint);
}

TEST(PackedDocument, ComesBackWholeAndNothingElseDoes) {
  auto made = delivery::make_document(test::invoice_delivery(), {{"message_id_domain", "x.example"}}).value();
  auto packed = delivery::pack_document({made, {{"mail", "facturen@swv.example"}}});
  auto whole = delivery::unpack_document(packed).value();
  EXPECT_EQ(whole.address["mail"], "facturen@swv.example");
  const auto& back = whole.document;
  EXPECT_EQ(back.xml, made.xml);
  EXPECT_EQ(back.pdf, made.pdf);
  EXPECT_EQ(back.message_id, made.message_id);
  EXPECT_EQ(back.supplier, made.supplier);
  auto text = std::string(as_text(packed));
  auto head = text.substr(0, text.find('\n'));
  auto lie = [&](const char* key, const Json& value) {
    auto j = Json::parse(head);
    j[key] = value;
    return j.dump() + text.substr(head.size());
  };
  for (const std::string& bad : {std::string(), std::string("\n"), std::string("{}\n"), std::string("[1]\nx"), head,
                                 text.substr(0, text.size() - 1), text + "x", lie("xml_bytes", -1),
                                 lie("xml_bytes", std::int64_t{1} << 62), lie("pdf_bytes", -5), lie("pdf_bytes", "9"),
                                 lie("xml_bytes", nullptr), lie("message_id", ""), lie("name", 5)}) {
    auto read = delivery::unpack_document(to_bytes(bad));
    ASSERT_FALSE(read) << bad.substr(0, 80);
    EXPECT_EQ(read.error().code, "DOCUMENT_BROKEN");
  }
}

}  // namespace
}  // namespace schakel
