// The text of a recorded decision, and reading it without its explanation.
#include "core/journal/record.hpp"

#include "core/pipeline/replay.hpp"
#include "tests/unit/pipeline/real_road.hpp"

namespace schakel::journal {
namespace {
using test::RealRoad;
using test::road_delivery;
using test::run_now;

std::string cut(std::string_view text) {
  auto found = explanation_in(text);
  return found ? std::string(text.substr(found->first, found->second)) : "nothing";
}

TEST(Record, TheExplanationIsFoundWhateverTheTextsSay) {
  EXPECT_EQ(cut(R"({"draft":{"codes":[],"explanation":[1,2],"x":3},"message":{}})"), "[1,2]");
  EXPECT_EQ(cut(R"( { "draft" : { "explanation" : [ ] } } )"), "[ ]");
  EXPECT_EQ(cut(R"({"a":"\"draft\":{\"explanation\":[9]","draft":{"b":"]}\\","explanation":["]\\\"",{"k":"}"}]}})"),
            R"(["]\\\"",{"k":"}"}])");
  EXPECT_EQ(cut(R"({"message":{"draft":{"explanation":[8]}},"draft":{"explanation":[7]}})"), "[7]");
  EXPECT_EQ(cut(R"({"n":-1.5e3,"t":true,"draft":{"x":null,"explanation":[[],[{}]]}})"), "[[],[{}]]");
}

TEST(Record, WhatIsNoRecordHasNone) {
  for (const char* text : {"", "{", "[]", "null", "{}", R"({"draft":[]})", R"({"draft":{"explanation":{}}})",
                           R"({"draft":{"explanation":[1,2)", R"({"draft":{"explanation":["open)", R"({"draft)",
                           R"({"draft":{"codes":]},"explanation":[]})", R"({"draft" "explanation":[]})"})
    EXPECT_EQ(cut(text), "nothing") << text;
  for (const char* text : {"", "{", "[]", R"({"draft":{}})", R"({"message":{},"draft":{"outcome":"odd"}})"})
    for (auto how : {Explained::read, Explained::unread}) {
      auto read = read_record(1, text, how);
      ASSERT_FALSE(read) << text;
      EXPECT_EQ(read.error().code, "RECORD_INVALID");
    }
}

TEST(Record, UnreadIsTheSameDecisionAndItsExplanationIsThereWhenAsked) {
  RealRoad road;
  road.open();
  auto sent = road.say("2026-11-20T08:00:00Z", "documentlevering", "school_ib", road_delivery());
  auto part = run_now(road.journal.stretch(road.zaak, 0, 100)).value();
  ASSERT_EQ(part.rows.size(), 2u);
  auto whole = recalled(part.rows[1], part.opener, Explained::read);
  auto lean = recalled(part.rows[1], part.opener, Explained::unread);
  ASSERT_TRUE(whole.content && lean.content);
  EXPECT_EQ(whole.content->message, sent.message);
  EXPECT_EQ(lean.content->message, sent.message);
  EXPECT_EQ(whole.content->draft, sent.draft);
  EXPECT_TRUE(whole.content->unread.empty());
  ASSERT_FALSE(sent.draft.explanation.empty());
  EXPECT_TRUE(lean.content->draft.explanation.empty());
  EXPECT_EQ(read_explanation(*lean.content), sent.draft.explanation);
  EXPECT_EQ(read_explanation(*whole.content), sent.draft.explanation);
  lean.content->draft.explanation = sent.draft.explanation;
  EXPECT_TRUE(replay::identical(lean.content->draft, sent.draft));
  EXPECT_EQ(lean.content->semantics, sent.semantics);
  EXPECT_EQ(lean.content->registers, sent.registers);
  EXPECT_EQ(lean.rules_version, sent.rules_version);
}

TEST(Record, AStretchIsAPageOfTheCaseAndWhatWasErasedSaysSo) {
  RealRoad road;
  auto opened = road.open();
  for (int i = 0; i < 3; ++i) road.say("2026-11-20T08:00:00Z", "documentlevering", "school_ib", road_delivery());
  auto first = run_now(road.journal.stretch(road.zaak, 0, 3)).value();
  ASSERT_EQ(first.rows.size(), 3u);
  EXPECT_EQ(first.rows[0].message, opened.message.seq);
  auto second = run_now(road.journal.stretch(road.zaak, first.rows.back().message, 3)).value();
  EXPECT_EQ(second.rows.size(), 1u);
  EXPECT_TRUE(run_now(road.journal.stretch(road.zaak, second.rows.back().message, 3)).value().rows.empty());
  EXPECT_TRUE(run_now(road.journal.stretch("Z-nobody", 0, 3)).value().rows.empty());
  road.erase(opened.message.seq);
  auto gone = recalled(first.rows[0], first.opener, Explained::unread);
  EXPECT_FALSE(gone.content);
  EXPECT_EQ(gone.gone, "VAULT_ERASED");
  EXPECT_EQ(gone.rules_version, first.rows[0].rules_version);
}

}  // namespace
}  // namespace schakel::journal
