// The text of a recorded decision, and reading it without its explanation.
#include "core/journal/record.hpp"

#include <fmt/format.h>

#include "core/pipeline/replay.hpp"
#include "tests/unit/pipeline/real_road.hpp"

namespace schakel::journal {
namespace {
using test::RealRoad;
using test::road_delivery;
using test::run_now;

/// A record with what a decision must have, and what is said of it besides.
std::string record_with(std::string_view explanation, std::string_view behind = "") {
  return fmt::format(
      R"({{"draft":{{"outcome":"delivered","codes":[],"recipients":[],"suppressed":[],"signals":[],"deadlines":[],)"
      R"("filings":[],"invoices":[],"revoked_links":[],"effects":[],"registers":[],"explanation":{}}},)"
      R"("message":{{"id":"a","source":"urn:x","type":"overleg","time":"2026-11-20T08:00:00Z"}}{}}})",
      explanation, behind);
}

TEST(Record, TheExplanationIsLeftAsItStands) {
  for (const char* text :
       {"[]", "[ ]", R"(["]\\\"",{"k":"}"}])", "[[],[{}]]", R"([1,-1.5e3,true,null,"\"draft\":{"])"}) {
    auto read = read_record(4, record_with(text), Explained::unread);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(read->unread, text);
    EXPECT_TRUE(read->draft.explanation.empty());
    EXPECT_EQ(read->message.seq, 4);
  }
}

TEST(Record, WhatItDoesNotKnowIsPassedOver) {
  auto read = read_record(
      1, record_with("[]", R"(,"later":{"draft":[{"x":"}"}]},"semantics":7,"registers":{"k":null,"l":[1]})"),
      Explained::read);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->semantics, 7);
  ASSERT_TRUE(read->registers);
  EXPECT_EQ(*read->registers, (std::map<std::string, Json>{{"k", nullptr}, {"l", {1}}}));
  EXPECT_FALSE(read_record(1, record_with("[]"), Explained::read)->registers);
}

TEST(Record, WhatIsNoRecordIsRefused) {
  std::string no_outcome = record_with("[]"), other_time = no_outcome, twice = no_outcome + no_outcome;
  no_outcome.replace(no_outcome.find("outcome"), 7, "outcoma");
  other_time.replace(other_time.find("2026-11"), 7, "2026-13");
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"), std::string("null"), std::string(R"({"draft":{}})"),
        std::string(R"({"message":{},"draft":{"outcome":"odd"}})"), std::string(R"({"draft" "explanation":[]})"),
        record_with("{}"), record_with("[1,2"), record_with(R"(["open)"), record_with("[]]"), no_outcome, other_time,
        twice, record_with("[]", R"(,"semantics":"one")"), record_with("[]", R"(,"registers":[])")})
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
