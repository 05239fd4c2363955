#include "core/ingress/cloud_event.hpp"

#include <gtest/gtest.h>

namespace schakel::ingress {
namespace {

Json event(Json data = {{"region", "KNH"}, {"sender", {{"role", "school_ib"}}}}) {
  return {{"specversion", "1.0"},
          {"id", "1"},
          {"source", "urn:nld:oin:00000099000010001000:systeem:las"},
          {"type", "nl.schakel.documentlevering.v1"},
          {"data", std::move(data)}};
}
constexpr auto kStructured = "application/cloudevents+json; charset=utf-8";
constexpr auto kBatch = "Application/CloudEvents-Batch+JSON";

std::string code_of(const Result<std::vector<Event>>& r) { return r ? "" : r.error().code; }
std::set<std::string> codes(const Error& e) {
  std::set<std::string> out;
  for (const auto& f : e.findings) out.insert(f.code);
  return out;
}

TEST(CloudEvent, ModeFollowsContentTypeAndBatchIsTestedFirst) {
  EXPECT_EQ(mode_of(kBatch, false).value(), Mode::batched);
  EXPECT_EQ(mode_of("APPLICATION/CLOUDEVENTS+JSON", false).value(), Mode::structured);
  EXPECT_EQ(mode_of("application/json", true).value(), Mode::binary);
  EXPECT_EQ(mode_of("application/vnd.x+json", true).value(), Mode::binary);
  for (const char* t : {"application/json", "text/plain", "", "application/cloudevents+avro",
                        "application/cloudevents-batch+xml", "application/xml"})
    EXPECT_FALSE(mode_of(t, false)) << t;
  EXPECT_FALSE(mode_of("text/plain", true));
}

TEST(CloudEvent, StructuredEventBecomesAMessageWithoutTheEnvelopeInItsPayload) {
  auto e = event({{"region", "KNH"},
                  {"sender", {{"role", "school_ib"}, {"person", "p1"}}},
                  {"addressed_to", {"smw"}},
                  {"reference", "VT-1"},
                  {"meeting", "OT"},
                  {"attachments", {{{"document", "D1"}, {"doc_type", "opp"}, {"version", 2}}}}});
  auto events = read_events(kStructured, {}, e.dump());
  ASSERT_TRUE(events);
  auto m = to_message(events->front());
  ASSERT_TRUE(m);
  EXPECT_EQ(m->type, "documentlevering");
  EXPECT_EQ(m->sender_person, "p1");
  EXPECT_EQ(m->reference, "VT-1");
  EXPECT_EQ(m->attachments.at(0).version, 2);
  EXPECT_EQ(m->payload, Json({{"meeting", "OT"}}));
}

TEST(CloudEvent, BinaryHeadersAreUnquotedAndDecodedOnce) {
  EXPECT_EQ(decode_header("Euro%20%E2%82%AC%20%F0%9F%98%80").value(), "Euro \xE2\x82\xAC \xF0\x9F\x98\x80");
  EXPECT_EQ(decode_header("\"a\\\"b\"").value(), "a\"b");
  EXPECT_EQ(decode_header("%2541").value(), "%41");
  for (const char* bad : {"%", "%4", "%zz", "%C0%AF", "%0A", "%ED%A0%80", "%FF"})
    EXPECT_FALSE(decode_header(bad)) << bad;
  auto events = read_events(
      "application/json",
      {{"CE-SpecVersion", "1.0"}, {"ce-id", "a%20b"}, {"ce-source", "s"}, {"ce-type", "nl.schakel.toestemming.v1"}},
      R"({"region":"KNH","sender":{"role":"ouder_1"}})");
  ASSERT_TRUE(events);
  EXPECT_EQ(events->front().attributes.at("id"), "a b");
}

TEST(CloudEvent, EveryFindingIsReportedAtOnceWithItsPlaceInTheBatch) {
  auto one = event(), two = event();
  one.erase("id");
  two["specversion"] = "0.3";
  two["time"] = "yesterday";
  auto r = read_events(kBatch, {}, Json::array({one, event(), two}).dump());
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, "CE_INVALID");
  ASSERT_EQ(r.error().findings.size(), 3u);
  EXPECT_EQ(r.error().findings[0].pointer, "/0/id");
  EXPECT_EQ(r.error().findings[1].pointer, "/2/specversion");
}

TEST(CloudEvent, HostileBodiesGetTheirOwnCode) {
  EXPECT_EQ(code_of(read_events(kStructured, {}, "")), "JSON_SYNTAX");
  EXPECT_EQ(code_of(read_events(kStructured, {}, "{\"id\":1,\"id\":2}")), "JSON_DUPLICATE_KEY");
  EXPECT_EQ(code_of(read_events(kStructured, {}, std::string(100000, '['))), "CE_TOO_LARGE");
  EXPECT_EQ(code_of(read_events(kStructured, {}, std::string(5000, '['))), "JSON_DEPTH");
  EXPECT_EQ(code_of(read_events(kStructured, {}, "{\"id\":\"\xC0\xAF\"}")), "JSON_UTF8");
  EXPECT_EQ(code_of(read_events(kStructured, {}, "{\"n\":123456789012345678901234567890}")), "JSON_NUMBER");
  EXPECT_EQ(code_of(read_events(kStructured, {}, std::string(70000, ' '))), "CE_TOO_LARGE");
  EXPECT_EQ(code_of(read_events(kBatch, {}, "{}")), "CE_INVALID");
  Json many = Json::array();
  for (int i = 0; i < 1001; ++i) many.push_back(1);
  EXPECT_EQ(code_of(read_events(kBatch, {}, many.dump())), "CE_BATCH_TOO_LONG");
  auto fat = event();
  fat["data"]["x"] = std::string(40000, 'a');
  fat["data"]["y"] = std::string(40000, 'a');
  EXPECT_EQ(code_of(read_events(kBatch, {}, Json::array({fat}).dump())), "CE_TOO_LARGE");
  auto base64 = event();
  base64["data_base64"] = "AA==";
  EXPECT_EQ(code_of(read_events(kStructured, {}, base64.dump())), "CE_INVALID");
  auto control = event();
  control["subject"] = "a\nb";
  EXPECT_EQ(code_of(read_events(kStructured, {}, control.dump())), "CE_INVALID");
}

TEST(CloudEvent, EnvelopeFieldsOfTheWrongTypeAreAllNamed) {
  auto e = event({{"region", 1},
                  {"addressed_to", "smw"},
                  {"sender", {{"role", "x"}, {"bsn", "1"}}},
                  {"attachments", {{{"doc_type", "opp"}}, 5}}});
  e["type"] = "com.example.other";
  auto m = to_message(read_events(kStructured, {}, e.dump()).value().front());
  ASSERT_FALSE(m);
  EXPECT_EQ(codes(m.error()), (std::set<std::string>{"MESSAGE_TYPE_UNKNOWN", "CE_DATA", "CE_REQUIRED"}));
  EXPECT_GE(m.error().findings.size(), 6u);
}

}  // namespace
}  // namespace schakel::ingress
