// Registers from decisions as they were recorded: what counts, what does not, and that nobody is in them.
#include "core/pipeline/registers.hpp"

#include <gtest/gtest.h>

#include "core/model/ledger.hpp"
#include "core/model/region_files.hpp"

namespace schakel::pipeline {
namespace {

struct CaseStory {
  std::vector<journal::Recorded> history;
  explicit CaseStory(const std::string& region = "KNH", const std::string& school = "School A",
                     const std::string& type = "PO") {
    add("zaak_opening", "2026-08-20T08:00:00Z",
        {{{"open",
           "",
           {{"pupil", {{"birth_date", "2017-03-02"}, {"school", school}, {"school_type", type}}},
            {"case", Json::object()}}}}},
        Json::object(), region, Outcome::recorded);
  }
  CaseStory& add(const std::string& type, const char* at, std::vector<Effect> effects, Json payload = Json::object(),
                 std::string region = "", Outcome outcome = Outcome::delivered) {
    journal::Recorded r;
    r.message.seq = static_cast<std::int64_t>(history.size() + 1);
    r.message.id = std::to_string(history.size() + 1);
    r.message.type = type;
    r.message.subject = "Z-1";
    r.message.region = region.empty() ? history.front().message.region : region;
    r.message.time = parse_instant(at).value();
    r.message.payload = std::move(payload);
    r.draft.outcome = outcome;
    r.draft.effects = std::move(effects);
    r.decided_at = r.message.time;
    history.push_back(std::move(r));
    return *this;
  }
  CaseStory& meeting(const char* sent, const char* kind, const char* at, const char* moved_from = nullptr) {
    Json v{{"kind", kind}, {"at", at ? Json(at) : Json()}};
    if (moved_from) v["moved_from"] = moved_from;
    return add("uitnodiging", sent, {{"meeting", "", v}});
  }
  CaseStory& escalated(const char* at, const char* ground) {
    return add("escalatie", at,
               {{"escalation",
                 "",
                 {{"body", "escalatiegroep"},
                  {"members", Json::array()},
                  {"started", at},
                  {"outcome", "open"},
                  {"ground", ground},
                  {"more", Json::object()}}}});
  }
  CaseStory& decided(const char* started, const char* at, const char* ground) {
    return add("escalatie_besluit", at,
               {{"escalation",
                 "",
                 {{"body", "escalatiegroep"},
                  {"members", Json::array()},
                  {"started", started},
                  {"closed", at},
                  {"outcome", "definitief"},
                  {"ground", ground},
                  {"more", Json::object()}}}});
  }
  [[nodiscard]] Json extract(const std::string& pseudonym = "P-1") const {
    static const Profiles profiles = load_profiles(SCHAKEL_SOURCE_DIR "/config").value();
    return register_extract(pseudonym, history, profiles.at(history.front().message.region).get());
  }
};

RegisterQuery query(const char* kind) { return {kind, *Date::parse("2026-08-01"), *Date::parse("2027-07-31"), ""}; }

TEST(Registers, MeetingsOfASchoolPerYear) {
  CaseStory one, two, other("KNH", "School B");
  one.meeting("2026-09-01T08:00:00Z", "OT", "2026-10-01T08:00:00Z");
  // Moved before it was held: one meeting. The next one after that is a second.
  one.meeting("2026-09-02T08:00:00Z", "ot", "2026-10-08T08:00:00Z", "2026-10-01T08:00:00Z");
  one.meeting("2026-11-02T08:00:00Z", "ot", "2026-12-08T08:00:00Z");
  // Cancelled.
  one.meeting("2026-12-20T08:00:00Z", "ot", "2027-01-15T08:00:00Z")
      .meeting("2027-01-10T08:00:00Z", "ot", nullptr, "2027-01-15T08:00:00Z");
  // Two pupils at one table.
  two.meeting("2026-09-03T08:00:00Z", "OT", "2026-10-08T09:30:00Z")
      .meeting("2026-09-03T08:00:00Z", "mdo", "2026-10-09T09:30:00Z");
  other.meeting("2026-09-03T08:00:00Z", "OT", "2027-08-15T09:30:00Z");
  std::vector<Json> all{one.extract("Z-1"), two.extract("Z-2"), other.extract("Z-3")};
  auto rows = register_rows(query("overleggen"), all);
  ASSERT_TRUE(rows);
  EXPECT_EQ(
      *rows,
      Json::parse(R"([{"regio": "KNH", "school": "School A", "schooljaar": "2026/2027", "soort": "mdo", "aantal": 1},
    {"regio": "KNH", "school": "School A", "schooljaar": "2026/2027", "soort": "ot", "aantal": 2, "minimum": 5, "tekort": 3},
    {"regio": "KNH", "school": "School B", "schooljaar": "2026/2027", "soort": "ot", "aantal": 0, "minimum": 5, "tekort": 5}])"));
  auto b = query("overleggen");
  b.school = "School B";
  EXPECT_EQ(
      *register_rows(b, all),
      Json::parse(R"([{"regio": "KNH", "school": "School B", "schooljaar": "2026/2027", "soort": "ot", "aantal": 0,
              "minimum": 5, "tekort": 5}])"))
      << "its meeting is in the next school year";
}

/// KNH-ROLE-01 is about regular primary schools of that region: a school with cases and no OT lacks all five, in every
/// school year in which it had a case; no other school must hold any.
TEST(Registers, ASchoolWithoutMeetingsLacksThemAll) {
  CaseStory none, special("KNH", "School S", "SBO"), elsewhere("MH", "School M");
  none.add("evaluatie", "2027-09-01T08:00:00Z", {});
  special.meeting("2026-09-03T08:00:00Z", "OT", "2026-10-08T09:30:00Z");
  std::vector<Json> all{none.extract(), special.extract(), elsewhere.extract()};
  auto q = query("overleggen");
  q.to = *Date::parse("2999-12-31");
  EXPECT_EQ(*register_rows(q, all), Json::parse(R"([
    {"regio": "KNH", "school": "School A", "schooljaar": "2026/2027", "soort": "ot", "aantal": 0, "minimum": 5, "tekort": 5},
    {"regio": "KNH", "school": "School A", "schooljaar": "2027/2028", "soort": "ot", "aantal": 0, "minimum": 5, "tekort": 5},
    {"regio": "KNH", "school": "School S", "schooljaar": "2026/2027", "soort": "ot", "aantal": 1}])"));
}

/// CORE-RET-02: decision and amounts, without the free text of the decision.
TEST(Registers, ADecisionIsKeptWithItsAmounts) {
  CaseStory story("MVS");
  story.escalated("2026-10-05T08:00:00Z", "budgetdiscussie");
  LedgerEntry held;
  held.kind = "factuur";
  held.number = "F-1";
  held.creditor = "zorgaanbieder";
  held.lines = {{"zorg", Cents(10001)}};
  held.held = true;
  story.add("factuur", "2026-10-06T08:00:00Z", {invoice_effect(held)}, Json::object(), "", Outcome::held);
  story.decided("2026-10-05T08:00:00Z", "2026-10-19T08:00:00Z", "budgetdiscussie");
  auto& last = story.history.back();
  last.message.payload = {{"besluit", "toekennen"}, {"decision", "moeder van het kind belt morgen"}};
  for (auto [payer, cents] : {std::pair{"gemeente", 6001}, {"swv", 4000}}) {
    InvoiceOut v;
    v.payer = payer;
    v.amount_cents = cents;
    last.draft.invoices.push_back(v);
  }
  std::vector<Json> all{story.extract()};
  auto rows = *register_rows(query("escalaties"), all);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0]["besluit"], "toekennen");
  EXPECT_EQ(rows[0]["aangehouden"], 10001);
  EXPECT_EQ(rows[0]["verdeeld"], Json({{"gemeente", 6001}, {"swv", 4000}}));
  EXPECT_EQ(all[0].dump().find("moeder"), std::string::npos);
}

TEST(Registers, EscalatedCasesWithoutTheirIdentity) {
  CaseStory story;
  story.escalated("2026-10-05T08:00:00Z", "budgetdiscussie")
      .decided("2026-10-05T08:00:00Z", "2026-10-19T08:00:00Z", "budgetdiscussie")
      .escalated("2027-01-11T08:00:00Z", "");
  std::vector<Json> all{story.extract("P-7F3A")};
  auto rows = *register_rows(query("escalaties"), all);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]["dagen"], 14);
  EXPECT_EQ(rows[0]["uitkomst"], "definitief");
  EXPECT_TRUE(rows[1]["dagen"].is_null());
  EXPECT_EQ(rows[1]["uitkomst"], "open");
  EXPECT_EQ(rows[0]["zaak"], "P-7F3A");
  EXPECT_EQ(rows[1]["zaak"], "P-7F3A");
  EXPECT_EQ(all[0].dump().find("Z-1"), std::string::npos);
  EXPECT_EQ(all[0].dump().find("2017-03-02"), std::string::npos);
}

TEST(Registers, StagnationCountsByGroundAndTerm) {
  CaseStory a("MVS"), b("MVS");
  a.escalated("2026-10-05T08:00:00Z", "wachtlijst")
      .add("termijnsignaal", "2026-10-06T08:00:00Z", {}, {{"code", "TIMER_BREACH"}, {"timer", "besluit_due"}});
  b.escalated("2026-10-07T08:00:00Z", "wachtlijst")
      .decided("2026-10-07T08:00:00Z", "2026-10-09T08:00:00Z", "wachtlijst");
  b.add("termijnsignaal", "2026-10-06T08:00:00Z", {}, {{"code", "TIMER_WARN"}, {"timer", "besluit_due"}});
  b.add("escalatie", "2026-10-20T08:00:00Z", {}, Json::object(), "", Outcome::blocked);
  std::vector<Json> all{a.extract("Z-1"), b.extract("Z-2")};
  EXPECT_EQ(*register_rows(query("stagnatie"), all),
            Json::parse(R"([{"regio": "MVS", "soort": "escalatie", "grond": "wachtlijst", "aantal": 2, "open": 1},
    {"regio": "MVS", "soort": "termijn", "grond": "besluit_due", "aantal": 1, "open": 0}])"));
}

TEST(Registers, UnknownRegisterAndStrangeExtracts) {
  EXPECT_EQ(register_rows(query("geld"), {}).error().code, "REGISTER_UNKNOWN");
  std::vector<Json> odd{Json::object(),
                        {{"overleggen", {{{"datum", "2026-99-99"}}}}},
                        {{"escalaties", {Json::object()}}, {"signalen", {Json::object()}}}};
  for (const char* kind : {"overleggen", "escalaties", "stagnatie"})
    EXPECT_TRUE(register_rows(query(kind), odd)->empty()) << kind;
}

}  // namespace
}  // namespace schakel::pipeline
