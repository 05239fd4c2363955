// The bytes of a document, for the party that a delivery with it went to: for nobody else, as long as its consents
// stand and its meeting is not over, and never without a leaf.
#include <gtest/gtest.h>

#include "tests/support/run_now.hpp"
#include "tests/unit/api/api_road.hpp"

namespace schakel::api {
namespace {
using store::DeliveryState;
using test::run_now;

Task<std::string> drained(net::BodyProducer& body) {
  std::string out;
  std::vector<std::uint8_t> piece(64 * 1024);
  for (;;) {
    auto n = co_await body.produce(piece);
    if (!n) throw std::runtime_error(n.error().code);
    if (*n == 0) co_return out;
    out.append(piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(*n));
  }
}

/// What a party is answered.
struct Fetched {
  int status = 0;
  std::string code, bytes, problem;
  net::Headers headers;
};

struct Fetch : ::testing::Test, test::ApiRoad {
  const std::string content = "%PDF-1.7 " + std::string(100'000, 'x');
  std::string document;

  /// A case in which the school sends one document to orthopedagoog and jeugdhulpdeskundige, for a meeting on 3
  /// December.
  void SetUp() override {
    open();
    vault::DocumentRecord record;
    record.case_id = zaak;
    record.doc_type = "opp";
    record.status = "compleet";
    record.media_type = "application/pdf";
    record.file_name = "opp-v1.pdf";
    record.party = "school";
    document = run_now(documents.store(record, to_bytes(content))).value().id;
    clock.set(parse_instant("2026-11-02T09:00:00Z").value());
    Message m;
    m.id = "levering";
    m.source = "urn:test";
    m.type = "documentlevering";
    m.subject = zaak;
    m.region = region;
    m.party = "school";
    m.sender_role = "school_ib";
    m.payload = test::road_delivery();
    Attachment opp;
    opp.document = document;
    opp.doc_type = "opp";
    opp.status = "compleet";
    m.attachments.push_back(opp);
    auto accepted = run_now(journal.accept(std::move(m)));
    ASSERT_TRUE(accepted) << accepted.error().code;
    ASSERT_TRUE(run_now(pipeline->step()));
    ASSERT_EQ(run_now(journal.decision(accepted->seq)).value()->draft.outcome, Outcome::delivered);
  }
  std::string sent_to(const std::string& role) {
    for (const auto& row : run_now(store->deliveries({})).value())
      if (row.kind == "documents" && row.role == role) return row.id;
    ADD_FAILURE() << "nothing went to " << role;
    return {};
  }
  void commit(store::Op op) {
    store::Transaction tx;
    tx.ops.push_back(std::move(op));
    auto done = run_now(store->commit(std::move(tx)));
    ASSERT_TRUE(done) << done.error().code;
  }
  void begin(const std::string& delivery) { commit(store::StartAttempt{delivery, 0, clock.now()}); }
  void arrive(const std::string& delivery) {
    begin(delivery);
    commit(store::Settle{delivery, 1, clock.now(), "delivered", "HTTP_202", DeliveryState::delivered, clock.now()});
  }

  template <class T>
  T go(Task<T> task) {
    std::optional<T> out;
    std::exception_ptr failure;
    boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr e, T value) {
      failure = e;
      if (!e) out.emplace(std::move(value));
    });
    auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!out && !failure && std::chrono::steady_clock::now() < end) {
      io.restart();
      io.run_for(std::chrono::milliseconds(20));
    }
    if (failure) std::rethrow_exception(failure);
    return std::move(out.value());
  }
  Fetched fetch(const char* party, const std::string& id, const char* method = "GET") {
    auto around = services();
    net::Request request;
    request.head.method = method;
    Fetched out;
    for (auto& route : document_routes()) {
      if (route.pattern != "/v1/documenten/{id}") continue;
      EXPECT_EQ(route.method, "GET");
      EXPECT_EQ(route.who, Who::party);
      Call call{
          .services = around, .request = request, .party = parties->find(party), .path = {{"id", id}}, .query = {}};
      auto response = go(route.run(call));
      out.status = response.status;
      out.headers = response.headers;
      if (response.stream) {
        EXPECT_EQ(response.stream->size(), content.size());
        out.bytes = go(drained(*response.stream));
      } else {
        out.problem = response.body;
        if (auto j = parse_json(response.body)) out.code = j->value("code", "");
      }
    }
    return out;
  }
  /// Who fetched what, by which delivery.
  std::vector<std::string> leaves() {
    commit(store::SequenceLeaves{});
    std::vector<std::string> out;
    for (const auto& row : run_now(store->leaves(0, 1000)).value())
      if (row.kind == "document.downloaded") {
        auto ids = Json::parse(row.body)["ids"];
        out.push_back(ids.value("party", "") + " " + ids.value("document", "") + " " + ids.value("delivery", ""));
      }
    return out;
  }
};

TEST_F(Fetch, TheBytesAreForThePartyThatWasSentThem) {
  auto delivery = sent_to("orthopedagoog");
  EXPECT_EQ(fetch("ortho", document).code, "DOCUMENT_UNKNOWN") << "not before it went";
  arrive(delivery);
  EXPECT_TRUE(leaves().empty());
  auto got = fetch("ortho", document);
  ASSERT_EQ(got.status, 200) << got.problem;
  EXPECT_EQ(got.bytes, content);
  EXPECT_EQ(got.headers.get("Content-Type"), "application/pdf");
  EXPECT_EQ(got.headers.get("Content-Disposition"), "attachment; filename=\"opp-v1.pdf\"");
  EXPECT_EQ(got.headers.get("Cache-Control"), "no-store");
  EXPECT_EQ(leaves(), std::vector<std::string>{"ortho " + document + " " + delivery});
  EXPECT_EQ(fetch("ortho", document, "HEAD").status, 200);
  EXPECT_EQ(leaves().size(), 1U) << "a head is no download";
}

TEST_F(Fetch, ForAnotherItIsAsIfThereWereNone) {
  arrive(sent_to("orthopedagoog"));
  auto none = fetch("ortho", "bestaat-niet");
  EXPECT_EQ(none.status, 404);
  EXPECT_EQ(none.code, "DOCUMENT_UNKNOWN");
  for (const char* other : {"jhd", "vreemd", "school"}) {
    auto got = fetch(other, document);
    EXPECT_EQ(got.status, 404) << other;
    EXPECT_EQ(got.problem, none.problem) << other;
  }
  EXPECT_TRUE(leaves().empty());
}

TEST_F(Fetch, WhoIsSentItMayFetchItBeforeItAnswers) {
  begin(sent_to("jeugdhulpdeskundige"));
  EXPECT_EQ(fetch("jhd", document).bytes, content);
}

TEST_F(Fetch, AfterAWithdrawalNobodyHasIt) {
  arrive(sent_to("orthopedagoog"));
  say("2026-11-03T09:00:00Z", "toestemming_intrekking", "ouder_2", {{"consent", "c2"}});
  auto got = fetch("ortho", document);
  EXPECT_EQ(got.status, 403);
  EXPECT_EQ(got.code, "CONSENT_WITHDRAWN");
  EXPECT_TRUE(leaves().empty());
}

TEST_F(Fetch, ItCanBeFetchedUntilTheDayOfTheMeetingHasEnded) {
  arrive(sent_to("orthopedagoog"));
  clock.set(parse_instant("2026-12-03T23:59:00+01:00").value());
  EXPECT_EQ(fetch("ortho", document).status, 200);
  clock.set(parse_instant("2026-12-04T00:01:00+01:00").value());
  auto late = fetch("ortho", document);
  EXPECT_EQ(late.status, 403);
  EXPECT_EQ(late.code, "DOCUMENT_EXPIRED");
}

TEST_F(Fetch, WhatAPersonSentAnotherWayIsOfThePartyOfThatInstance) {
  delivery::Instance elsewhere;
  elsewhere.name = "elders";
  elsewhere.party = "vreemd";
  delivering.add(std::move(elsewhere));
  auto delivery = sent_to("orthopedagoog");
  commit(store::ChangeDelivery{delivery, DeliveryState::pending, DeliveryState::pending, clock.now(), "", "elders",
                               false});
  arrive(delivery);
  EXPECT_EQ(fetch("vreemd", document).bytes, content);
  EXPECT_EQ(fetch("ortho", document).status, 404);
}

}  // namespace
}  // namespace schakel::api
