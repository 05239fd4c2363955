// The scenario reader is strict, and the comparison exact but for the order inside lists.
#include "core/pipeline/scenario.hpp"

#include "tests/unit/rules/rules_support.hpp"

namespace schakel::rules_test {
namespace {

Json file() {
  return Json::parse(R"({"schema": "oza-scenario/1", "id": "T-1", "region": "KNH", "title": "t",
    "given": {"pupil": {"name": "N", "bsn": "999990019", "birth_date": "2018-01-30", "school_type": "PO"}, "case": {"custody": ["ouder_1"]}, "consents": [], "documents": [], "meeting": null, "profile_overrides": {}},
    "messages_in": [{"seq": 1, "at": "2026-10-01T09:00:00+02:00", "type": "betrokkenheidsmelding", "from": "procesregisseur", "payload": {}}],
    "expect": {"outcomes": [{"message_seq": 1, "outcome": "delivered"}], "recipients": [{"message_seq": 1, "to": ["school_ib"], "content": [], "channel": "broker"}], "not_recipients": [],
      "blocked_because": [], "signals": [], "filing": [], "deadlines": [], "invoices": [], "escalation": null}, "rules": []})");
}

TEST(ScenarioReader, OpeningHasNeitherNameNorBsn) {
  auto s = scenario::read(file().dump());
  ASSERT_TRUE(s);
  EXPECT_EQ(s->opening.payload.dump().find("999990019"), std::string::npos);
  EXPECT_EQ(s->messages[0].id, "T-1/1");
}

TEST(ScenarioReader, MistakesHaveTheirPlace) {
  auto finds = [](const std::function<void(Json&)>& change, const std::string& pointer) {
    Json j = file();
    change(j);
    auto s = scenario::read(j.dump());
    ASSERT_FALSE(s) << pointer;
    EXPECT_TRUE(std::ranges::any_of(s.error().findings, [&](const Finding& f) { return f.pointer == pointer; }))
        << pointer;
  };
  finds([](Json& j) { j["schema"] = "oza-scenario/2"; }, "/schema");
  finds([](Json& j) { j["extra"] = 1; }, "/extra");
  finds([](Json& j) { j["expect"].erase("filing"); }, "/expect/filing");
  finds([](Json& j) { j["messages_in"][0]["seq"] = 2; }, "/messages_in/0/seq");
  finds([](Json& j) { j["messages_in"][0]["at"] = "2026-10-01T09:00:00"; }, "/messages_in/0/at");
  finds([](Json& j) { j["messages_in"][0]["payload"] = {{"delivery_seq", 9}}; }, "/messages_in/0/payload/delivery_seq");
  finds([](Json& j) { j["given"]["timezone"] = "UTC"; }, "/given/timezone");
  EXPECT_FALSE(scenario::read("{"));
  EXPECT_FALSE(scenario::read("[]"));
}

TEST(ScenarioReader, WhatIsNotGivenIsEmptyAndTheOrderIsThatOfTheFile) {
  Json j = file();
  for (const char* key : {"case", "consents", "documents", "meeting", "profile_overrides"}) j["given"].erase(key);
  // The clocks of two senders differ: the second message says an earlier moment.
  Json again = j["messages_in"][0];
  again["seq"] = 2;
  again["at"] = "2026-09-30T09:00:00+02:00";
  j["messages_in"].push_back(again);
  j["expect"]["outcomes"].push_back({{"message_seq", 2}, {"outcome", "delivered"}});
  j["expect"]["recipients"].push_back(
      {{"message_seq", 2}, {"to", {"school_ib"}}, {"content", Json::array()}, {"channel", "broker"}});
  auto s = scenario::read(j.dump());
  ASSERT_TRUE(s);
  EXPECT_EQ(s->opening.time, s->messages[1].time);
  EXPECT_GT(s->messages[0].time, s->messages[1].time);
  scenario::PurePlayer player(scenario::test_deciders(), profiles().at("KNH"));
  auto played = scenario::run(*s, player);
  EXPECT_TRUE(played.passed()) << (played.differences.empty() ? "" : played.differences[0].text());
  EXPECT_TRUE(player.file().consents.empty());
  EXPECT_FALSE(player.file().meeting);
  // Absent is not null, and the pupil cannot be absent.
  for (const char* key : {"case", "consents", "documents", "profile_overrides"}) {
    Json wrong = file();
    wrong["given"][key] = nullptr;
    EXPECT_FALSE(scenario::read(wrong.dump())) << key;
  }
  j["given"].erase("pupil");
  EXPECT_FALSE(scenario::read(j.dump()));
}

TEST(ScenarioReader, AttachmentsHaveAKindAStatusAndAVersion) {
  Json j = file();
  j["messages_in"][0]["attachments"] =
      Json::array({{{"doc_type", "opp"}, {"status", "concept"}, {"version", 3}}, {{"doc_type", "lvs"}}});
  auto s = scenario::read(j.dump());
  ASSERT_TRUE(s);
  ASSERT_EQ(s->messages[0].attachments.size(), 2u);
  EXPECT_EQ(s->messages[0].attachments[0].status, "concept");
  EXPECT_EQ(s->messages[0].attachments[0].version, 3);
  EXPECT_EQ(s->messages[0].attachments[1].version, 1);
  for (const Json& bad :
       {Json("opp"), Json::array({"opp"}), Json::array({{{"status", "concept"}}}),
        Json::array({{{"doc_type", "opp"}, {"version", 0}}}), Json::array({{{"doc_type", "opp"}, {"version", "2"}}}),
        Json::array({{{"doc_type", "opp"}, {"status", 1}}}),
        Json::array({{{"doc_type", "opp"}, {"name", "Sanne.pdf"}}})}) {
    j["messages_in"][0]["attachments"] = bad;
    EXPECT_FALSE(scenario::read(j.dump())) << bad;
  }
}

TEST(ScenarioRun, PassesAndSaysWhatDiffers) {
  auto play = [](const Json& j) {
    auto s = scenario::read(j.dump());
    EXPECT_TRUE(s);
    scenario::PurePlayer player(scenario::test_deciders(), profiles().at("KNH"));
    return scenario::run(*s, player);
  };
  EXPECT_TRUE(play(file()).passed());
  Json wrong = file();
  wrong["expect"]["recipients"][0]["to"] = {"ouders"};
  wrong["expect"]["deadlines"].push_back({{"name", "x"}, {"date", "2026-01-01"}, {"rule", "R"}, {"severity", "hard"}});
  auto played = play(wrong);
  EXPECT_EQ(played.differences.size(), 3u);
  EXPECT_NE(played.differences[0].text().find("recipients of message 1"), std::string::npos);
}

TEST(ScenarioCompare, OrderCountsInCodesOnly) {
  Json a = {{"recipients", {{{"message_seq", 1}, {"to", {"a", "b"}}, {"content", {"x", "y"}}, {"channel", "broker"}}}},
            {"blocked_because", {{{"message_seq", 2}, {"codes", {"A", "B"}}}}}};
  Json b = a;
  b["recipients"][0]["to"] = {"b", "a"};
  b["recipients"][0]["content"] = {"y", "x"};
  EXPECT_TRUE(scenario::compare(a, b).empty());
  b["blocked_because"][0]["codes"] = {"B", "A"};
  EXPECT_EQ(scenario::compare(a, b).size(), 1u);
}

}  // namespace
}  // namespace schakel::rules_test
