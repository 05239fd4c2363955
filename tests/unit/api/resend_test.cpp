// What a person sends again goes to whom the parties and deelnemers of today say, by the rules of the decision.
#include "core/outbox/delivery_row.hpp"
#include "core/outbox/generation.hpp"
#include "desk.hpp"

namespace schakel::test {
namespace {

struct Resend : Desk {
  std::string zaak;

  void SetUp() override {
    zaak = open_case();
    for (const char* name : {"hook", "post", "secure_link"}) {
      delivery::Instance one;
      one.name = name;
      delivering.add(std::move(one));
    }
  }
  /// As the decision leaves it where it finds nobody.
  static outbox::Planned unreached(std::string role, std::string kind = "documents") {
    outbox::Planned p;
    p.id = "A-1";
    p.kind = std::move(kind);
    p.role = std::move(role);
    p.type = "documentlevering";
    p.code = "RECIPIENT_UNKNOWN";
    return p;
  }
  void add(const outbox::Planned& p) {
    store::Transaction tx;
    ASSERT_TRUE(go(outbox::enqueue(journal.sealer(), p, {1, "m-1", zaak, "KNH", "case:" + zaak}, clock.now(), tx)));
    ASSERT_TRUE(go(store->commit(std::move(tx))));
  }
  Reply change(const std::string& action, const std::string& target = "") {
    Json body{{"actie", action}, {"reden", "omdat"}};
    if (!target.empty()) body["doel"] = target;
    return ask(operator_(), "POST", "/v1/beheer/afleveringen/A-1", dump_json(body));
  }
  Reply again(const std::string& target = "") { return change("opnieuw", target); }
  store::DeliveryRow row(const std::string& id = "A-1") { return go(store->delivery(id)).value().value(); }
  Json address(const std::string& id = "A-1") { return go(delivering.open(row(id))).value().address; }
  std::vector<store::DeliveryRow> deliveries() { return go(store->deliveries({.case_id = zaak})).value(); }
  bool member(const std::string& party) {
    return go(store->row("case-member", zaak + "/" + party)).value().has_value();
  }
  void person(const std::string& id, const std::string& role, const std::string& mail) {
    Json who{{"rol", role}, {"naam", "Fictieve Deelnemer"}, {"mail", mail}, {"tweedeFactor", "sms:+31600000002"}};
    ASSERT_EQ(ask(school, "PUT", "/v1/zaken/" + zaak + "/deelnemers/" + id, dump_json(who)).status, 204);
  }
};

TEST_F(Resend, APersonWhoBecameKnownSinceGetsIt) {
  add(unreached("ouder_1"));
  auto early = again();
  EXPECT_EQ(early.status, 409);
  EXPECT_EQ(early.code, "RECIPIENT_UNKNOWN");
  EXPECT_EQ(row().state, store::DeliveryState::parked);
  person("p-1", "ouder_1", "een@ouder.example");
  EXPECT_EQ(again().status, 200);
  EXPECT_EQ(row().state, store::DeliveryState::pending);
  EXPECT_EQ(row().target, "secure_link");
  EXPECT_EQ(address(), (Json{{"mail", "een@ouder.example"}, {"second_factor", "sms:+31600000002"}, {"person", "p-1"}}));
  EXPECT_EQ(go(outbox::generation_of(*store, "A-1")).value(), 1);
  auto plain = go(delivering.open(row())).value();
  EXPECT_EQ(plain.body["message_id"], "m-1") << "all else is as it was";
  EXPECT_EQ(plain.body["region"], "KNH");
}

TEST_F(Resend, ARoleOfTwoPeopleReachesBothAndARepeatNobodyElse) {
  add(unreached("ouder_1"));
  person("p-1", "ouder_1", "een@ouder.example");
  person("p-2", "ouder_1", "twee@ouder.example");
  EXPECT_EQ(again().status, 200);
  EXPECT_EQ(again().status, 200);
  auto all = deliveries();
  ASSERT_EQ(all.size(), 2U);
  std::set<std::string> mails, lanes;
  for (const auto& d : all) {
    EXPECT_EQ(d.target, "secure_link");
    EXPECT_EQ(d.state, store::DeliveryState::pending);
    EXPECT_EQ(d.message, 1);
    mails.insert(address(d.id).value("mail", ""));
    lanes.insert(d.lane);
  }
  EXPECT_EQ(mails, (std::set<std::string>{"een@ouder.example", "twee@ouder.example"}));
  EXPECT_EQ(lanes.size(), 2U) << "people do not wait for one another";
}

TEST_F(Resend, ContactDataThatWereMendedAreUsed) {
  auto p = unreached("ouder_1");
  p.target = "secure_link";
  p.address = {{"mail", ""}, {"second_factor", ""}, {"person", "p-1"}};
  add(p);
  ASSERT_TRUE(go(store->commit({{store::ChangeDelivery{"A-1", store::DeliveryState::pending, store::DeliveryState::dead,
                                                       clock.now(), "MAIL_NO_ADDRESS", std::nullopt, false}}})));
  person("p-1", "ouder_1", "een@ouder.example");
  person("p-2", "ouder_1", "twee@ouder.example");
  EXPECT_EQ(again().status, 200);
  EXPECT_EQ(address()["mail"], "een@ouder.example");
  EXPECT_EQ(address()["second_factor"], "sms:+31600000002");
  EXPECT_EQ(deliveries().size(), 1U) << "the other has a delivery of their own";
}

TEST_F(Resend, AnEndpointThatIsThereNowGetsItAndItsPartyHasToDoWithTheCase) {
  add(unreached("proefrol"));
  EXPECT_FALSE(member("gemeente"));
  EXPECT_EQ(again().status, 200);
  EXPECT_EQ(row().target, "hook");
  EXPECT_EQ(address(), (Json{{"party", "gemeente"}}));
  EXPECT_TRUE(member("gemeente"));
}

TEST_F(Resend, OfSeveralPartiesTheOperatorNamesOneByItsInstance) {
  add(unreached("dubbelrol"));
  auto several = again();
  EXPECT_EQ(several.status, 409);
  EXPECT_EQ(several.code, "PARTY_AMBIGUOUS");
  EXPECT_EQ(again("post").status, 200);
  EXPECT_EQ(row().target, "post");
  EXPECT_EQ(address()["party"], "stil");
  EXPECT_TRUE(member("stil"));
  EXPECT_FALSE(member("gemeente"));
}

TEST_F(Resend, AnInstanceThatIsNotConfiguredIsRefused) {
  add(unreached("proefrol"));
  auto unknown = again("bestaatniet");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.code, "TARGET_UNKNOWN");
  EXPECT_EQ(row().state, store::DeliveryState::parked);
}

TEST_F(Resend, WhereNobodyIsKnownItGoesAsItIsToTheInstanceThatWasNamed) {
  add(unreached("niemand"));
  EXPECT_EQ(again("hook").status, 200);
  EXPECT_EQ(row().target, "hook");
  EXPECT_TRUE(address().empty());
  EXPECT_FALSE(member("gemeente"));
  // Later the role is filled, and it is sent again without a word about the target.
  person("p-1", "niemand", "een@ouder.example");
  EXPECT_EQ(again().status, 200);
  EXPECT_EQ(row().target, "hook") << "what a person named stays";
  EXPECT_EQ(again("secure_link").status, 200);
  EXPECT_EQ(row().target, "secure_link");
  EXPECT_EQ(address()["person"], "p-1");
}

TEST_F(Resend, WhatIsOfOnePartyGoesToNoOther) {
  auto p = unreached("proefrol", "signal");
  p.desk = "elders";
  add(p);
  EXPECT_EQ(again().code, "RECIPIENT_UNKNOWN") << "the gemeente has this role, and is not meant";
  person("p-1", "proefrol", "een@school.example");
  EXPECT_EQ(again().status, 200);
  EXPECT_EQ(row().target, "secure_link");
}

TEST_F(Resend, WhomAnInvoiceIsForIsLeftToItsDocument) {
  auto p = unreached("gemeente_financien", "invoice");
  p.code = "PARTY_AMBIGUOUS";
  p.body = {{"invoice", {{"number", "F-1"}}}};
  add(p);
  EXPECT_EQ(again().code, "PARTY_AMBIGUOUS");
  EXPECT_EQ(again("post").status, 200);
  EXPECT_EQ(row().target, "post");
  EXPECT_TRUE(address().empty());
}

TEST_F(Resend, WhatIsBeingAttemptedIsLeftAlone) {
  auto p = unreached("proefrol");
  p.target = "hook";
  p.address = {{"party", "gemeente"}};
  add(p);
  ASSERT_TRUE(go(store->commit({{store::StartAttempt{"A-1", 0, clock.now()}}})));
  for (const char* action : {"opnieuw", "annuleer"}) {
    auto busy = change(action);
    EXPECT_EQ(busy.status, 409) << action;
    EXPECT_EQ(busy.code, "DELIVERY_BUSY") << action;
  }
  EXPECT_EQ(row().state, store::DeliveryState::attempting);
  ASSERT_TRUE(go(store->commit({{store::Settle{"A-1", 1, clock.now(), "retry_later", "HTTP_503",
                                               store::DeliveryState::pending, clock.now()}}})));
  EXPECT_EQ(change("annuleer").status, 200);
  EXPECT_EQ(row().state, store::DeliveryState::cancelled);
}

}  // namespace
}  // namespace schakel::test
