// domain.md 5.2: who must consent, when a consent counts, and which one code is told.
#include "core/model/consent_check.hpp"
#include "tests/unit/rules/rules_support.hpp"

namespace schakel::rules_test {
namespace {

using consent::Answer;
using consent::check;

schakel::Consent given_by(std::string giver, std::string from, std::optional<std::string> until = {},
                          std::optional<std::string> withdrawn = {}) {
  schakel::Consent c;
  c.id = giver + from;
  c.giver = std::move(giver);
  c.purpose = "documents";
  c.doc_types = {"*"};
  c.roles = {"*"};
  c.valid_from = at(from);
  if (until) c.valid_until = at(*until);
  if (withdrawn) c.withdrawn_at = at(*withdrawn);
  return c;
}

Answer ask(const std::vector<schakel::Consent>& consents, std::string_view when, Texts custody = {"ouder_1", "ouder_2"},
           bool child = false, Texts docs = {"opp"}) {
  return check(consents, {"documents", "orthopedagoog", docs, at(when), custody, child});
}

constexpr auto kEarly = "2026-01-01T09:00:00+01:00", kNoon = "2026-06-01T12:00:00+02:00",
               kBefore = "2026-06-01T11:59:59.999+02:00";

TEST(ConsentCheck, EverybodyWithCustodyMustConsent) {
  EXPECT_EQ(ask({given_by("ouder_1", kEarly)}, kNoon).code, "CONSENT_PARTIAL");
  EXPECT_EQ(ask({}, kNoon).code, "CONSENT_MISSING");
  EXPECT_TRUE(ask({given_by("ouder_1", kEarly), given_by("ouder_2", kEarly)}, kNoon).covered());
}

TEST(ConsentCheck, NobodyWithCustodyKnownIsADenial) {
  EXPECT_EQ(ask({given_by("ouder_1", kEarly)}, kNoon, {}).code, "CONSENT_MISSING");
}

TEST(ConsentCheck, WithdrawalWinsAtItsOwnInstant) {
  std::vector<schakel::Consent> c = {given_by("ouder_1", kEarly, {}, kNoon)};
  EXPECT_TRUE(ask(c, kBefore, {"ouder_1"}).covered());
  EXPECT_EQ(ask(c, kNoon, {"ouder_1"}).code, "CONSENT_WITHDRAWN");
}

TEST(ConsentCheck, BeginIsIncludedAndEndIsNot) {
  std::vector<schakel::Consent> c = {given_by("ouder_1", kNoon, "2026-07-01T00:00:00+02:00")};
  EXPECT_EQ(ask(c, kBefore, {"ouder_1"}).code, "CONSENT_MISSING");
  EXPECT_TRUE(ask(c, kNoon, {"ouder_1"}).covered());
  EXPECT_TRUE(ask(c, "2026-06-30T23:59:59.999+02:00", {"ouder_1"}).covered());
  EXPECT_EQ(ask(c, "2026-07-01T00:00:00+02:00", {"ouder_1"}).code, "CONSENT_EXPIRED");
}

TEST(ConsentCheck, OfSeveralProblemsTheStrictestIsTold) {
  std::vector<schakel::Consent> c = {given_by("ouder_1", kEarly, {}, kNoon), given_by("ouder_2", kEarly, kNoon)};
  EXPECT_EQ(ask(c, kNoon).code, "CONSENT_WITHDRAWN");
  EXPECT_EQ(ask({given_by("ouder_2", kEarly, kNoon)}, kNoon).code, "CONSENT_EXPIRED");
}

TEST(ConsentCheck, ANewConsentAfterAWithdrawalCounts) {
  EXPECT_TRUE(ask({given_by("ouder_1", kEarly, {}, kNoon), given_by("ouder_1", kNoon)}, kNoon, {"ouder_1"}).covered());
}

TEST(ConsentCheck, EveryDocumentMustBeCovered) {
  schakel::Consent only_lvs = given_by("ouder_1", kEarly);
  only_lvs.doc_types = {"lvs"};
  EXPECT_TRUE(ask({only_lvs}, kNoon, {"ouder_1"}, false, {"lvs"}).covered());
  EXPECT_EQ(ask({only_lvs}, kNoon, {"ouder_1"}, false, {"lvs", "opp"}).code, "CONSENT_MISSING");
}

TEST(ConsentCheck, OneForAPartOfTheDocumentsSaysNothingOfTheWhole) {
  schakel::Consent lvs = given_by("ouder_1", kEarly, {}, kNoon), ended = given_by("ouder_1", kEarly, kNoon);
  lvs.doc_types = {"lvs"};
  EXPECT_EQ(ask({lvs}, kNoon, {"ouder_1"}, false, {"lvs"}).code, "CONSENT_WITHDRAWN");
  EXPECT_EQ(ask({lvs}, kNoon, {"ouder_1"}, false, {"lvs", "opp"}).code, "CONSENT_MISSING");
  EXPECT_EQ(ask({lvs, given_by("ouder_2", kEarly)}, kNoon, {"ouder_1", "ouder_2"}, false, {"lvs", "opp"}).code,
            "CONSENT_PARTIAL");
  EXPECT_EQ(ask({lvs, ended}, kNoon, {"ouder_1"}, false, {"lvs", "opp"}).code, "CONSENT_EXPIRED");
}

TEST(ConsentCheck, SeveralMayCoverTheDocumentsBetweenThem) {
  schakel::Consent lvs = given_by("ouder_1", kEarly), opp = given_by("ouder_1", kNoon);
  lvs.doc_types = {"lvs"};
  opp.doc_types = {"opp"};
  EXPECT_TRUE(ask({lvs, opp}, kNoon, {"ouder_1"}, false, {"lvs", "opp"}).covered());
  // What became of one of them is why they do no longer.
  opp.withdrawn_at = at(kNoon);
  EXPECT_EQ(ask({lvs, opp}, kNoon, {"ouder_1"}, false, {"lvs", "opp"}).code, "CONSENT_WITHDRAWN");
}

TEST(ConsentCheck, ThePupilIsReportedBesideTheParents) {
  Answer a = ask({}, kNoon, {"ouder_1"}, true);
  EXPECT_EQ(a.code, "CONSENT_MISSING");
  EXPECT_TRUE(a.child_missing);
  EXPECT_FALSE(
      ask({given_by("ouder_1", kEarly), given_by("leerling", kEarly)}, kNoon, {"ouder_1"}, true).child_missing);
}

TEST(ConsentStage, PupilIsAskedFromMidnightOfTheTwelfthBirthday) {
  Json g = given();
  g["pupil"]["birth_date"] = "2014-11-10";
  Case c("KNH", g);
  Json docs = {{"documents", {"groeidocument"}}, {"meeting", "OT"}};
  EXPECT_EQ(c.play("2026-11-09T23:59:59+01:00", "documentlevering", "school_ib", docs).outcome, Outcome::delivered);
  EXPECT_EQ(c.play("2026-11-10T00:00:00+01:00", "documentlevering", "school_ib", docs).codes,
            Texts{"CHILD_CONSENT_MISSING"});
}

TEST(ConsentStage, UnderVoogdijTheVoogdConsentsInsteadOfTheParents) {
  Case c("KNH", given());
  Json docs = {{"documents", {"groeidocument"}}, {"meeting", "OT"}};
  c.play("2026-10-02T09:00:00+02:00", "ots_melding", "gezinsvoogd", {{"measure", "ots"}});
  EXPECT_EQ(c.play("2026-10-03T09:00:00+02:00", "documentlevering", "school_ib", docs).outcome, Outcome::delivered);
  c.play("2026-10-04T09:00:00+02:00", "ots_melding", "gezinsvoogd", {{"measure", "voogdij"}});
  EXPECT_EQ(c.play("2026-10-05T09:00:00+02:00", "documentlevering", "school_ib", docs).codes, Texts{"CONSENT_MISSING"});
  c.play("2026-10-06T09:00:00+02:00", "toestemming", "voogd", {{"purpose", "documents"}});
  EXPECT_EQ(c.play("2026-10-06T09:00:00+02:00", "documentlevering", "school_ib", docs).outcome, Outcome::delivered);
}

TEST(ConsentStage, GeneralConsentNeverCoversTheGezinsplan) {
  Json g = given();
  g["case"]["hoorrecht_vervuld"] = true;
  Case c("MH", g);
  EXPECT_EQ(c.play("2026-10-02T09:00:00+02:00", "gezinsplan_bijlage", "lokaal_team", {{"version", 1}}).codes,
            Texts{"CONSENT_MISSING"});
}

TEST(ConsentStage, HoorrechtIsAskedOnlyWhereTheParentsConsent) {
  Json g = given();
  g["consents"] =
      Json::array({consent("p1", "ouder_1", "gezinsplan_to_school")});  // a braced list of one would be a copy
  g["case"]["custody"] = Json::array({"ouder_1"});
  Case c("MH", g);
  EXPECT_EQ(c.play("2026-10-02T09:00:00+02:00", "gezinsplan_bijlage", "lokaal_team", {{"version", 1}}).codes,
            Texts{"HOORRECHT_MISSING"});
  c.play("2026-10-03T09:00:00+02:00", "toestemming_intrekking", "ouder_1", {{"consent", "p1"}});
  EXPECT_EQ(c.play("2026-10-03T09:00:00+02:00", "gezinsplan_bijlage", "lokaal_team", {{"version", 1}}).codes,
            Texts{"CONSENT_WITHDRAWN"});
}

TEST(ConsentStage, AfterAWithdrawalOpenedLinksAreToldOnceAndUnopenedOnesEnd) {
  Case c("KNH", given());
  c.play("2026-11-02T09:00:00+01:00", "documentlevering", "school_ib",
         {{"documents", {"groeidocument"}}, {"meeting", "OT"}});
  std::string delivery = c.message.id;
  EXPECT_EQ(c.play("2026-11-02T10:00:00+01:00", "link_geopend", "orthopedagoog", {{"delivery", delivery}}).outcome,
            Outcome::delivered);
  c.play("2026-11-03T09:00:00+01:00", "toestemming_intrekking", "ouder_1", {{"consent", "c1"}});
  EXPECT_TRUE(c.signalled("CONSENT_WITHDRAWN_AFTER_DOWNLOAD", "orthopedagoog"));
  EXPECT_EQ(c.last.revoked_links, Texts{delivery + "/jeugdhulpdeskundige"});
  c.play("2026-11-04T09:00:00+01:00", "toestemming_intrekking", "ouder_2", {{"consent", "c2"}});
  EXPECT_TRUE(c.last.signals.empty());
  EXPECT_EQ(c.play("2026-11-04T10:00:00+01:00", "link_geopend", "jeugdhulpdeskundige", {{"delivery", delivery}}).codes,
            Texts{"CONSENT_WITHDRAWN"});
  EXPECT_TRUE(c.last.filings.empty());
}

/// What went along without being named in the list is part of the delivery: of its opening, and of its filing.
TEST(ConsentStage, AnOpeningIsJudgedOnEverythingThatWentAlong) {
  Json g = given(), all = consent("c1", "ouder_1", "documents"), one = consent("c2", "ouder_1", "documents");
  all["valid_until"] = "2026-11-03T12:00:00+01:00";
  one["doc_types"] = Json::array({"groeidocument"});
  g["consents"] = {all, one};
  g["case"]["custody"] = Json::array({"ouder_1"});
  Case c("KNH", g);
  Message m;
  m.seq = ++c.seq;
  m.id = "levering";
  m.subject = "case-1";
  m.region = "KNH";
  m.type = "documentlevering";
  m.sender_role = "school_ib";
  m.time = at("2026-11-02T09:00:00+01:00");
  m.payload = {{"documents", {"groeidocument"}}, {"meeting", "OT"}};
  Attachment opp;
  opp.doc_type = "opp";
  m.attachments = {opp};
  c.last = decide(c.deciders, c.file, m, *c.profile, {});
  ASSERT_EQ(c.last.outcome, Outcome::delivered);
  apply(c.file, m, c.last);
  c.play("2026-11-03T09:00:00+01:00", "link_geopend", "jeugdhulpdeskundige", {{"delivery", "levering"}});
  ASSERT_FALSE(c.last.filings.empty());
  EXPECT_EQ(c.last.filings.back().doc_types, (Texts{"groeidocument", "opp"}));
  EXPECT_EQ(c.play("2026-11-03T12:00:00+01:00", "link_geopend", "orthopedagoog", {{"delivery", "levering"}}).codes,
            Texts{"CONSENT_EXPIRED"});
}

/// Whatever the conditions of the rules say now, an opening asks what the delivery asked, and documents where nothing
/// did.
TEST(ConsentCheck, ADeliveryKeepsWhatItNeeded) {
  const Profile& mh = *profiles().at("MH");
  using Names = std::vector<std::string_view>;
  EXPECT_EQ(consent::purposes_of_delivery(mh, "gezinsplan_bijlage", "school_ib"), Names{"gezinsplan_to_school"});
  EXPECT_EQ(consent::purposes_of_delivery(mh, "documentlevering", "orthopedagoog"), Names{"documents"});
  EXPECT_EQ(consent::purposes_of_delivery(mh, "gezinsplan_bijlage", "leerkracht"), Names{"documents"});
}

TEST(Audience, FinanceNeverReachesParentsOrPupilInAnyRegion) {
  for (const auto& [region, profile] : profiles()) {
    Json g = given();
    g["case"]["content_fixed"] = true;
    Case c(region, g);
    c.play("2026-10-02T09:00:00+02:00", "financieringsafspraak", "swv",
           {{"lines", {{{"kind", "zorg"}, {"payer", "gemeente"}, {"cents", 100}}}}},
           {"gemeente_financien", "ouders", "leerling"});
    EXPECT_EQ(c.roles(), Texts{"gemeente_financien"}) << region;
    c.play("2026-10-03T09:00:00+02:00", "financieringsafspraak", "swv", {{"lines", Json::array()}}, {"ouders"});
    EXPECT_EQ(c.last.codes, Texts{"AUDIENCE_FINANCE"}) << region;
  }
}

TEST(Audience, ARoleThatNoRuleImpliesIsDroppedAndNamed) {
  Case c("KNH", given());
  c.play("2026-10-02T09:00:00+02:00", "documentlevering", "school_ib",
         {{"documents", {"groeidocument"}}, {"meeting", "OT"}}, {"orthopedagoog", "smw"});
  ASSERT_EQ(c.last.suppressed.size(), 1u);
  EXPECT_EQ(c.last.suppressed[0].role, "smw");
  EXPECT_EQ(c.last.suppressed[0].code, "AUDIENCE_NOT_INVOLVED");
}

}  // namespace
}  // namespace schakel::rules_test
