// The fold: what a decision did is what the case file has, and nothing of the person enters it.
#include "core/model/case_file.hpp"

#include <gtest/gtest.h>

namespace schakel {
namespace {

Message message(std::string type) {
  Message m;
  m.id = "m1";
  m.seq = 7;
  m.type = std::move(type);
  m.subject = "case-1";
  m.region = "KNH";
  m.time = parse_instant("2026-10-01T09:00:00+02:00").value();
  return m;
}

CaseFile opened() {
  CaseFile file;
  Draft d;
  d.outcome = Outcome::recorded;
  d.effects.push_back(
      {"open", "",
       Json::parse(R"({"pupil": {"birth_date": "2015-01-01", "name": "X", "bsn": "999990019", "school_type": "PO"},
    "case": {"question_kind": "zorg"}, "consents": [{"id": "c1", "giver": "ouder_1", "purpose": "documents", "valid_from": "2026-01-01T00:00:00+01:00", "valid_until": null}],
    "documents": [{"doc_type": "opp", "status": "concept"}], "meeting": {"kind": "OT", "at": "2026-12-01T10:00:00+01:00"}, "profile_overrides": {"child_consent_age": 16}})")});
  apply(file, message("zaak_opening"), d);
  return file;
}

TEST(CaseFile, OpeningKeepsNoNameAndNoBsn) {
  CaseFile file = opened();
  EXPECT_EQ(file.id, "case-1");
  EXPECT_EQ(file.facts["question_kind"], "zorg");
  EXPECT_TRUE(file.messages.empty());
  std::string text = to_json(file).dump();
  EXPECT_EQ(text.find("999990019"), std::string::npos);
  EXPECT_EQ(text.find("\"name\""), std::string::npos);
}

TEST(CaseFile, BlockedMessageChangesNothingButTheRecord) {
  CaseFile file = opened();
  Draft d;
  d.outcome = Outcome::blocked;
  d.effects.push_back({"fact", "question_kind", "onderwijs"});
  d.deadlines.push_back({"x", "2026-01-01", "", "R", "hard", "", "set"});
  apply(file, message("beschikking"), d);
  EXPECT_EQ(file.facts["question_kind"], "zorg");
  EXPECT_TRUE(file.deadlines.empty());
  ASSERT_EQ(file.messages.size(), 1u);
  EXPECT_EQ(file.messages[0].outcome, Outcome::blocked);
}

TEST(CaseFile, DeadlinesAreMergedByName) {
  CaseFile file = opened();
  Draft d;
  d.deadlines.push_back({"x", "2026-01-01", "", "R", "hard", "", "set"});
  apply(file, message("a"), d);
  d.deadlines[0].date = "2026-02-02";
  apply(file, message("a"), d);
  ASSERT_EQ(file.deadlines.size(), 1u);
  EXPECT_EQ(file.deadlines[0].date, "2026-02-02");
}

TEST(CaseFile, AnEarlierWithdrawalIsNotMovedLater) {
  CaseFile file = opened();
  Draft d;
  d.effects.push_back({"consent_withdrawn", "c1", "2026-03-01T00:00:00.000Z"});
  apply(file, message("toestemming_intrekking"), d);
  d.effects[0].value = "2026-04-01T00:00:00.000Z";
  apply(file, message("toestemming_intrekking"), d);
  EXPECT_EQ(format_instant(*file.consents[0].withdrawn_at), "2026-03-01T00:00:00.000Z");
}

TEST(CaseFile, DocumentCanBeTakenAway) {
  CaseFile file = opened();
  Draft d;
  d.effects.push_back({"document", "opp", nullptr});
  d.effects.push_back({"document", "gezinsplan", {{"status", "vastgesteld"}}});
  apply(file, message("beschikking"), d);
  ASSERT_EQ(file.documents.size(), 1u);
  EXPECT_EQ(file.documents[0].doc_type, "gezinsplan");
}

TEST(CaseFile, JsonGoesThereAndBack) {
  CaseFile file = opened();
  Draft d;
  d.recipients.push_back({"orthopedagoog", {"opp"}, "secure_link", {}, {"KNH-ROUTE-03"}});
  d.effects.push_back(
      {"escalation", "", {{"body", "escalatiegroep"}, {"started", "2026-10-01T07:00:00.000Z"}, {"members", {"a"}}}});
  Message m = message("documentlevering");
  m.payload = {{"documents", {"opp"}}, {"meeting", "MDO"}};
  apply(file, m, d);
  d.effects = {{"opened", "m1", "orthopedagoog"}};
  apply(file, message("link_geopend"), d);
  auto back = case_file_from(to_json(file));
  ASSERT_TRUE(back);
  EXPECT_EQ(to_json(*back), to_json(file));
  EXPECT_EQ(back->messages[0].opened_by, std::vector<std::string>{"orthopedagoog"});
  EXPECT_EQ(back->messages[0].meeting->kind, "MDO");
}

TEST(CaseFile, WhatIsNoCaseFileIsRefused) {
  for (const char* text : {"null", "{}", "[]", R"({"id": 5})"}) EXPECT_FALSE(case_file_from(Json::parse(text))) << text;
  Json j = to_json(opened());
  j["consents"][0]["valid_from"] = "gisteren";
  EXPECT_FALSE(case_file_from(j));
}

}  // namespace
}  // namespace schakel
