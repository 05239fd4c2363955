// Consent at the moment of sending, over the real road: a delivery that waited is judged by the same check as the
// decision, for its own role, documents, custody and the pupil's age (CORE-CONSENT-04, CORE-CONSENT-05).
#include <map>
#include <optional>
#include <tuple>

#include "core/base/calendar.hpp"
#include "core/delivery/attempt.hpp"
#include "core/delivery/standing.hpp"
#include "core/outbox/dispatcher.hpp"
#include "tests/unit/delivery/delivery_road.hpp"

namespace schakel {
namespace {
using test::run_now;

/// Takes what it is given once its partner is up again.
struct Hook final : Adapter {
  bool up = false;
  std::vector<std::string> sent;                        ///< kind and role
  std::map<std::string, std::optional<Instant>> until;  ///< of the documents for a role
  Task<Result<void>> start(Host&) override { co_return Result<void>{}; }
  Task<AttemptResult> send(const Delivery& d) override {
    if (!up) co_return AttemptResult{Verdict::retry_later, "HTTP_503", std::nullopt, Json::object()};
    sent.push_back(d.kind + " " + d.role);
    if (d.kind == "documents") until[d.role] = d.valid_until;
    co_return AttemptResult{Verdict::delivered, "HTTP_200", std::nullopt, Json::object()};
  }
};

struct Sending : ::testing::Test, test::DeliveryRoad {
  Hook hook;

  Sending() { connect(delivering); }
  void connect(delivery::Delivering& to) {
    to.add({.name = "hook",
            .plugin = "hook",
            .adapter = &hook,
            .degraded = "",
            .grants = {},
            .repeatable = true,
            .party = "ortho",
            .inbox = nullptr});
  }
  /// Delivers while the partner is down.
  void deliver(const Json& given) {
    open(given);
    auto recorded = say("2026-11-02T09:00:00Z", "documentlevering", "school_ib", test::road_delivery());
    ASSERT_EQ(recorded.draft.outcome, Outcome::delivered);
    ASSERT_TRUE(run_now(dispatcher.step()));
    ASSERT_TRUE(hook.sent.empty());
  }
  /// Later the partner is there; what became of the documents of this role.
  std::string later(const char* when, const std::string& role) {
    clock.set(parse_instant(when).value());
    hook.up = true;
    for (bool more = true; more;) {
      auto done = run_now(dispatcher.step());
      EXPECT_TRUE(done);
      more = done && *done > 0;
    }
    for (const auto& row : run_now(store->deliveries({})).value())
      if (row.kind == "documents" && row.role == role)
        return row.state == store::DeliveryState::delivered ? "sent" : row.code;
    return "no delivery";
  }
};

Json with(const Json& consents, const char* born = "2018-01-30") {
  Json g = rules_test::given();
  g["consents"] = consents;
  g["case"]["custody"] = Json::array({"ouder_1"});
  g["pupil"]["birth_date"] = born;
  return g;
}

Json for_role(Json consent, const char* role) {
  consent["roles"] = Json::array({role});
  return consent;
}

TEST_F(Sending, WhatIsStillConsentedToIsSent) {
  deliver(with({rules_test::consent("c1", "ouder_1", "documents"), rules_test::consent("x", "ouder_2", "documents")}));
  EXPECT_EQ(later("2026-11-03T09:00:00Z", "orthopedagoog"), "sent");
}

/// Each role is judged on its own consent: what ended for one role ends nothing for another, and the other way round.
TEST_F(Sending, AConsentThatEndedForOneRoleStopsThatRoleAlone) {
  Json ortho = for_role(rules_test::consent("o", "ouder_1", "documents"), "orthopedagoog");
  ortho["valid_until"] = "2026-11-02T12:00:00Z";
  deliver(with({ortho, for_role(rules_test::consent("j", "ouder_1", "documents"), "jeugdhulpdeskundige")}));
  EXPECT_EQ(later("2026-11-03T09:00:00Z", "orthopedagoog"), "CONSENT_EXPIRED");
  EXPECT_EQ(later("2026-11-03T09:00:00Z", "jeugdhulpdeskundige"), "sent");
}

TEST_F(Sending, AConsentForOtherDocumentsDoesNotKeepItAlive) {
  Json all = rules_test::consent("a", "ouder_1", "documents"), lvs = rules_test::consent("l", "ouder_1", "documents");
  all["valid_until"] = "2026-11-02T12:00:00Z";
  lvs["doc_types"] = Json::array({"lvs"});
  deliver(with({all, lvs}));
  EXPECT_EQ(later("2026-11-03T09:00:00Z", "orthopedagoog"), "CONSENT_EXPIRED");
}

/// A parent without custody whose consent ended stops nothing (CORE-CONSENT-02).
TEST_F(Sending, AConsentOfWhoHasNoCustodyStopsNothing) {
  Json other = rules_test::consent("o", "ouder_2", "documents");
  other["valid_until"] = "2026-11-02T12:00:00Z";
  deliver(with({rules_test::consent("c1", "ouder_1", "documents"), other}));
  EXPECT_EQ(later("2026-11-03T09:00:00Z", "orthopedagoog"), "sent");
}

/// Documents that wait go along with a meeting that is moved, as links that are out already do.
TEST_F(Sending, AMeetingThatIsMovedTakesWhatWaitsAlong) {
  deliver(with({rules_test::consent("c1", "ouder_1", "documents"), rules_test::consent("x", "ouder_2", "documents")}));
  say("2026-11-02T10:00:00Z", "uitnodiging", "school_ib", {{"meeting", "OT"}, {"at", "2026-12-17T10:00:00+01:00"}});
  EXPECT_EQ(later("2026-11-03T09:00:00Z", "orthopedagoog"), "sent");
  EXPECT_EQ(hook.until.at("orthopedagoog"), end_of_day(Date::parse("2026-12-17").value()));
}

TEST_F(Sending, AMeetingThatStaysGivesTheEndThatWasPlanned) {
  deliver(with({rules_test::consent("c1", "ouder_1", "documents"), rules_test::consent("x", "ouder_2", "documents")}));
  EXPECT_EQ(later("2026-11-03T09:00:00Z", "orthopedagoog"), "sent");
  EXPECT_EQ(hook.until.at("orthopedagoog"), end_of_day(Date::parse("2026-12-03").value()));
}

TEST(ValidUntilNow, OnlyOfDocumentsOfAMessageThatHadAMeeting) {
  CaseFile file;
  PastMessage sent;
  sent.id = "m-1";
  sent.meeting = Meeting{"OT", rules_test::at("2026-12-17T10:00:00+01:00")};
  file.messages = {sent};
  outbox::Planned p;
  p.kind = "documents";
  p.valid_until = rules_test::at("2026-12-03T23:59:59+01:00");
  p.body = {{"message_id", "m-1"}};
  EXPECT_EQ(delivery::valid_until_now(p, file), end_of_day(Date::parse("2026-12-17").value()));
  p.body["message_id"] = "m-2";
  EXPECT_EQ(delivery::valid_until_now(p, file), p.valid_until);
  p.body.erase("message_id");
  EXPECT_EQ(delivery::valid_until_now(p, file), p.valid_until);
  p.body["message_id"] = "m-1";
  p.kind = "message";
  EXPECT_EQ(delivery::valid_until_now(p, file), p.valid_until);
  p.kind = "documents";
  file.messages[0].meeting.reset();
  p.valid_until.reset();
  EXPECT_FALSE(delivery::valid_until_now(p, file));
}

/// A case in flight keeps its rules, also at the moment of sending: a tenant that now asks the child's consent from
/// another age asks it in new cases.
TEST_F(Sending, TheRulesOfTheDecisionAreThoseOfTheSending) {
  auto from = [](int age) {
    Profiles all = rules_test::profiles();
    all["KNH"] = test::changed(
        all["KNH"], [&](Json& region) { region["settings"]["child_consent_age"] = {{"value", age}, {"why", "test"}}; });
    return all;
  };
  // Eleven: asked by a region that says ten, not by one that says twelve.
  const Json eleven = with(Json::array({rules_test::consent("c1", "ouder_1", "documents")}), "2015-06-01");
  for (auto [then, now, outcome] :
       {std::tuple{16, 10, "sent"}, std::tuple{12, 12, "sent"}, std::tuple{10, 16, "no delivery"}}) {
    zaak = "Z-2222222222222" + std::to_string(then) + "A";
    start(from(then));
    open(eleven);
    clock.set(parse_instant("2026-11-02T09:00:00Z").value());
    auto decided = say("2026-11-02T09:00:00Z", "documentlevering", "school_ib", test::road_delivery());
    EXPECT_EQ(decided.draft.outcome == Outcome::delivered, outcome == std::string_view("sent"))
        << then << (decided.draft.codes.empty() ? "" : decided.draft.codes[0]);
    hook.up = true;
    delivery::Delivering today(journal, *vault, documents, from(now));
    connect(today);
    outbox::Dispatcher later(*store, today, clock, outbox::DispatcherOptions{});
    for (bool more = true; more;) more = run_now(later.step()).value() > 0;
    std::string became = "no delivery";
    store::DeliveryFilter of_case;
    of_case.case_id = zaak;
    for (const auto& row : run_now(store->deliveries(of_case)).value())
      if (row.kind == "documents" && row.role == "orthopedagoog")
        became = row.state == store::DeliveryState::delivered ? "sent" : row.code;
    EXPECT_EQ(became, outcome) << then << ' ' << now;
  }
}

TEST_F(Sending, UnderVoogdijTheVoogdIsAskedAtOnce) {
  deliver(with({rules_test::consent("c1", "ouder_1", "documents"), rules_test::consent("x", "ouder_2", "documents")}));
  say("2026-11-02T10:00:00Z", "ots_melding", "gezinsvoogd", {{"measure", "voogdij"}});
  EXPECT_EQ(later("2026-11-03T09:00:00Z", "orthopedagoog"), "CONSENT_MISSING");
}

/// CORE-CONSENT-03: at the instant of sending.
TEST_F(Sending, APupilWhoTurnsTwelveWhileItWaitsIsAsked) {
  deliver(with({rules_test::consent("c1", "ouder_1", "documents"), rules_test::consent("x", "ouder_2", "documents")},
               "2014-11-03"));
  EXPECT_EQ(later("2026-11-03T09:00:00Z", "orthopedagoog"), "CHILD_CONSENT_MISSING");
}

/// CORE-CONSENT-05: filing after the withdrawal is blocked, of what the role that files was sent.
TEST(RefusedNow, AFilingIsJudgedOnTheDeliveryThatIsFiled) {
  rules_test::Case c("KNH", with({rules_test::consent("c1", "ouder_1", "documents"),
                                  rules_test::consent("x", "ouder_2", "documents")}));
  c.play("2026-11-02T09:00:00+01:00", "documentlevering", "school_ib", test::road_delivery());
  outbox::Planned p;
  p.kind = "filing";
  p.type = "dossier.append";
  p.role = "gemeente_registratie";
  p.body = {{"filing", {{"by", "jeugdhulpdeskundige"}}}, {"filed_from", c.message.id}};
  Instant now = rules_test::at("2026-11-03T12:00:00+01:00");
  EXPECT_EQ(delivery::refused_now(p, c.file, *c.profile, now), "");
  p.body["filed_from"] = "another";
  EXPECT_EQ(delivery::refused_now(p, c.file, *c.profile, now), "CONSENT_MISSING") << "no delivery, no consent";
  p.body.erase("filed_from");
  EXPECT_EQ(delivery::refused_now(p, c.file, *c.profile, now), "") << "planned before it was kept";
  c.play("2026-11-03T09:00:00+01:00", "toestemming_intrekking", "ouder_1", {{"consent", "c1"}});
  EXPECT_EQ(delivery::refused_now(p, c.file, *c.profile, now), "CONSENT_WITHDRAWN");
  EXPECT_EQ(delivery::refused_now(p, c.file, *c.profile, rules_test::at("2026-11-03T08:59:59+01:00")), "");
}

}  // namespace
}  // namespace schakel
