// domain.md 4.1 and 6: gates in their order, recipients, filing, and that a blocked message leaves nothing behind.
#include "tests/unit/rules/rules_support.hpp"

namespace schakel::rules_test {
namespace {

const Json kDocs = {{"documents", {"groeidocument", "opp"}}, {"meeting", "OT"}};

TEST(Routing, DocumentRecipientsAreTheUnionOfTheRows) {
  struct Row {
    bool wijkteam, gi;
    std::string question;
    Texts roles;
  };
  for (const Row& row : std::vector<Row>{
           {false, false, "onderwijs_zorg", {"jeugdhulpdeskundige", "orthopedagoog"}},
           {true, false, "zorg", {"orthopedagoog", "procesregisseur"}},
           {false, true, "zorg", {"gezinsvoogd", "jeugdhulpdeskundige", "orthopedagoog"}},
           {true, true, "onderwijs_zorg", {"gezinsvoogd", "jeugdhulpdeskundige", "orthopedagoog", "procesregisseur"}},
           {false, true, "onderwijs", {"orthopedagoog"}},
           {true, false, "onderwijs", {"orthopedagoog", "procesregisseur"}}}) {
    Json g = given();
    g["case"]["wijkteam_involved"] = row.wijkteam;
    g["case"]["gi_involved"] = row.gi;
    g["case"]["question_kind"] = row.question;
    Case c("KNH", g);
    c.play("2026-10-02T09:00:00+02:00", "documentlevering", "school_ib", kDocs);
    EXPECT_EQ(c.roles(), row.roles) << row.wijkteam << row.gi << row.question;
  }
}

TEST(Routing, EducationOnlyGivesTheProcesregisseurANoticeWithoutDocuments) {
  Json g = given();
  g["case"]["question_kind"] = "onderwijs";
  g["case"]["wijkteam_involved"] = true;
  Case c("KNH", g);
  c.play("2026-10-02T09:00:00+02:00", "documentlevering", "school_ib", kDocs);
  auto it = std::ranges::find(c.last.recipients, "procesregisseur", &Recipient::role);
  ASSERT_NE(it, c.last.recipients.end());
  EXPECT_EQ(it->content, Texts{"notice"});
  EXPECT_EQ(it->channel, "broker");
  EXPECT_EQ(c.play("2026-10-03T09:00:00+02:00", "link_geopend", "procesregisseur", {{"delivery", "m1"}}).codes,
            Texts{"AUDIENCE_NOT_INVOLVED"});
}

TEST(Routing, CodesStandInTheOrderOfTheGateWithConsentFirst) {
  Json g = given();
  g["documents"] = Json::array();
  g["consents"] = Json::array();
  Case c("KNH", g);
  EXPECT_EQ(
      c.play("2026-10-02T09:00:00+02:00", "documentlevering", "school_ib", {{"documents", {"lvs"}}, {"meeting", "OT"}})
          .codes,
      (Texts{"CONSENT_MISSING", "GROEIDOCUMENT_MISSING"}));
  EXPECT_EQ(c.play("2026-10-02T09:00:00+02:00", "oza_vaststelling", "school_ib",
                   {{"minutes_leerkracht", 600}, {"minutes_assistent", 0}})
                .codes,
            (Texts{"GROEIDOCUMENT_MISSING", "OPP_MISSING", "CTO_ADVICE_REQUIRED", "ORTHO_AGREEMENT_MISSING",
                   "PR_SIGNATURE_MISSING", "FUNDING_NOT_AGREED"}));
}

TEST(Routing, CtoThresholdsAreSharp) {
  Json g = given();
  g["case"]["funding_agreed"] = true;
  g["case"]["wijkteam_involved"] = true;
  Case c("KNH", g);
  auto play = [&](int teacher, int assistant, std::int64_t cents) {
    return c
        .play("2026-10-02T09:00:00+02:00", "oza_vaststelling", "school_ib",
              {{"opp", "compleet"},
               {"orthopedagoog_akkoord", true},
               {"procesregisseur_handtekening", true},
               {"minutes_leerkracht", teacher},
               {"minutes_assistent", assistant},
               {"education_cents_per_year", cents}})
        .codes;
  };
  EXPECT_EQ(play(300, 299, 800000), Texts{});
  EXPECT_EQ(play(300, 300, 0), Texts{"CTO_ADVICE_REQUIRED"});
  EXPECT_EQ(play(0, 0, 800001), Texts{"CTO_ADVICE_REQUIRED"});
  c.play("2026-10-03T09:00:00+02:00", "cto_advies", "cto", {{"advice", "oza_op_school"}});
  EXPECT_EQ(play(300, 300, 0), Texts{});
}

TEST(Routing, WhatABlockedMessageStatesDoesNotCountLater) {
  Json g = given();
  g["documents"] = Json::array({{{"doc_type", "groeidocument"}, {"status", "compleet"}}});
  Case c("KNH", g);
  c.play("2026-10-02T09:00:00+02:00", "beschikking", "smw", {{"opp", "compleet"}});
  EXPECT_EQ(c.last.codes, Texts{"MANDATE_MISSING"});
  EXPECT_TRUE(c.last.effects.empty());
  EXPECT_EQ(c.play("2026-10-03T09:00:00+02:00", "beschikking", "procesregisseur").codes, Texts{"OPP_MISSING"});
}

TEST(Routing, FirstOpeningByTheFilingRoleMakesOneDossier) {
  Case c("KNH", given());
  c.play("2026-10-02T09:00:00+02:00", "documentlevering", "school_ib", kDocs);
  c.play("2026-10-02T10:00:00+02:00", "link_geopend", "orthopedagoog", {{"delivery", "m1"}});
  EXPECT_TRUE(c.last.filings.empty());
  c.play("2026-10-02T11:00:00+02:00", "link_geopend", "jeugdhulpdeskundige", {{"delivery", "m1"}});
  ASSERT_EQ(c.last.filings.size(), 2u);
  EXPECT_EQ(c.last.filings[0].operation, "dossier.create");
  EXPECT_EQ(c.last.filings[1].doc_types, (Texts{"groeidocument", "opp"}));
  c.play("2026-10-02T12:00:00+02:00", "link_geopend", "jeugdhulpdeskundige", {{"delivery", "m1"}});
  EXPECT_TRUE(c.last.filings.empty());
  c.play("2026-10-05T09:00:00+02:00", "documentlevering", "school_ib", kDocs);
  c.play("2026-10-05T10:00:00+02:00", "link_geopend", "jeugdhulpdeskundige", {{"delivery", "m5"}});
  ASSERT_EQ(c.last.filings.size(), 1u);
  EXPECT_EQ(c.last.filings[0].operation, "dossier.append");
}

TEST(Routing, LinkEndsFourteenDaysAfterTheMeeting) {
  Case c("KNH", given());
  c.play("2026-10-02T09:00:00+02:00", "documentlevering", "school_ib", kDocs);
  EXPECT_EQ(c.play("2026-12-17T23:59:00+01:00", "link_geopend", "orthopedagoog", {{"delivery", "m1"}}).outcome,
            Outcome::delivered);
  EXPECT_EQ(c.play("2026-12-18T00:00:00+01:00", "link_geopend", "orthopedagoog", {{"delivery", "m1"}}).codes,
            Texts{"LINK_EXPIRED"});
  EXPECT_EQ(c.last.for_role, "orthopedagoog");
}

TEST(Routing, ParentsMayNotBeLeftOutOfACto) {
  Case c("KNH", given());
  EXPECT_EQ(c.play("2026-10-02T09:00:00+02:00", "uitnodiging", "school_ib", {{"meeting", "cto"}},
                   {"cto_voorzitter", "jeugdhulpdeskundige"})
                .codes,
            Texts{"MANDATORY_INVITEE_MISSING"});
}

TEST(Routing, SmwIsClosedAfterTheHandOver) {
  Json g = given();
  for (const char* purpose : {"smw_contact", "aanmelding_zorg"})
    for (const char* giver : {"ouder_1", "ouder_2"})
      g["consents"].push_back(consent(std::string(giver) + purpose, giver, purpose));
  Case c("KNH", g);
  EXPECT_EQ(c.play("2026-10-02T09:00:00+02:00", "zorgsignaal_smw", "school_ib").outcome, Outcome::delivered);
  EXPECT_EQ(c.play("2026-10-03T09:00:00+02:00", "aanmelding_tjg", "smw").outcome, Outcome::delivered);
  EXPECT_EQ(c.play("2026-10-04T09:00:00+02:00", "zorgsignaal_smw", "school_ib").codes, Texts{"SMW_CLOSED"});
  c.play("2026-10-05T09:00:00+02:00", "intern_overleg", "procesregisseur", {{"date", "2026-10-05"}});
  c.play("2026-10-06T09:00:00+02:00", "besluit_zorgdeel", "procesregisseur");
  EXPECT_EQ(c.roles(), (Texts{"leerling", "ouders", "school_ib", "smw"}));
}

TEST(Routing, ProviderIsNamedOnceAZorgtoewijzingNamedIt) {
  Json g = given();
  for (const char* giver : {"ouder_1", "ouder_2"})
    g["consents"].push_back(consent(std::string(giver) + "z", giver, "aanmelding_zorg"));
  Case c("KNH", g);
  c.play("2026-10-02T09:00:00+02:00", "zorgtoewijzing", "smw", {{"provider", "C"}});
  EXPECT_EQ(c.roles(), Texts{"zorgaanbieder:C"});
  c.play("2026-10-03T09:00:00+02:00", "zorgtoewijzing_antwoord", "zorgaanbieder",
         {{"answer", "geweigerd"}, {"provider", "C"}});
  EXPECT_EQ(c.roles(), Texts{"smw"});
  c.play("2026-10-04T09:00:00+02:00", "evaluatie", "zorgaanbieder");
  EXPECT_EQ(c.roles(), (Texts{"jeugdhulpdeskundige", "leerling", "ouders", "school_ib"}));
}

TEST(Routing, ResponsibleGemeenteFollowsTheWoonplaatsbeginsel) {
  Json g = given();
  g["pupil"]["school_type"] = "VO";
  g["pupil"]["birth_date"] = "2010-05-05";
  g["case"] = {{"custody", {"ouder_1"}},
               {"jeugdhulpvraag", true},
               {"gezaghebbende_ouder_gemeente", "A"},
               {"brp_gemeente", "B"},
               {"brp_before_stay", "C"}};
  g["consents"] = {consent("e1", "ouder_1", "external_invite", "2020-01-01T09:00:00+01:00"),
                   consent("e2", "leerling", "external_invite", "2020-01-01T09:00:00+01:00")};
  auto invited = [&](std::string when, bool stay) {
    g["case"]["verblijf"] = stay;
    Case c("MH", g, when);
    c.play(when, "uitnodiging", "school_ib", Json::object(), {"ouders", "lokaal_team"});
    return c.roles().empty() ? std::string() : c.roles()[0];
  };
  EXPECT_EQ(invited("2021-12-31T23:59:00+01:00", true), "lokaal_team@A");
  EXPECT_EQ(invited("2022-01-01T00:00:00+01:00", false), "lokaal_team@B");
  EXPECT_EQ(invited("2022-01-01T00:00:00+01:00", true), "lokaal_team@C");
}

TEST(Routing, EveryDecisionNamesItsRulesWithQuoteAndFacts) {
  Case c("KNH", given());
  c.play("2026-10-02T09:00:00+02:00", "documentlevering", "school_ib", kDocs);
  bool found = false;
  for (const Explanation& e : c.last.explanation) {
    EXPECT_FALSE(e.rule.empty());
    EXPECT_FALSE(e.quote.empty()) << e.rule;
    EXPECT_FALSE(c.profile->source_title(e.source).empty()) << e.rule;
    if (e.rule == "KNH-ROUTE-05" && e.result == "fired") {
      found = true;
      EXPECT_EQ(e.facts["case.wijkteam_involved"], false);
      EXPECT_EQ(e.facts["case.question_kind"], "onderwijs_zorg");
    }
  }
  EXPECT_TRUE(found);
}

TEST(Routing, AlmostReachedThresholdIsExplained) {
  Case c("KNH", given());
  c.play("2026-10-02T09:00:00+02:00", "oza_vaststelling", "school_ib",
         {{"minutes_leerkracht", 599}, {"minutes_assistent", 0}});
  EXPECT_TRUE(std::ranges::any_of(c.last.explanation,
                                  [](const Explanation& e) { return e.rule == "KNH-CTO-01" && e.result == "near"; }));
}

}  // namespace
}  // namespace schakel::rules_test
