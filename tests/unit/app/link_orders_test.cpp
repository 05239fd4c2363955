// A locked link is told to who sent it: through the real link service, journal, vault and outbox plan.
#include "core/app/link_orders.hpp"

#include <gtest/gtest.h>

#include "core/journal/vault_sealer.hpp"
#include "core/outbox/plan.hpp"
#include "tests/unit/vault/support.hpp"

namespace schakel::app {
namespace {

struct Locks : test::VaultTest {
  vault::Participants participants{*vault, *store};
  journal::VaultSealer sealer{*vault};
  journal::Journal journal{*store, sealer, clock, Secret("k")};
  std::shared_ptr<const Parties> parties = std::make_shared<Parties>(
      Parties::read(
          {{"parties",
            {{{"id", "school"},
              {"name", "Basisschool Het Papieren Schip"},
              {"domain", "education"},
              {"oin", "0000000700000YY00000"},
              {"certificates", {{{"oin", "0000000700000YY00000"}}}},
              {"may_send", {{{"roles", {"school_ib"}}, {"types", {"*"}}, {"regions", {"KNH"}}}}},
              {"endpoints",
               {{{"roles", {"school_ib"}}, {"regions", {"KNH"}}, {"kinds", {"signal"}}, {"adapter", "hook"}}}}}}}})
          .value());
  portal::LinkService links{*store, *vault, clock, nullptr, {.public_url = "https://portaal.example"}};
  portal::Authenticators apps{*store, *vault, clock};
  LockNotice notice{journal, participants, parties};
  const std::string zaak = "Z-22222222222222AA";

  void SetUp() override {
    links.on_lock(
        [this](portal::LinkView link, store::Transaction& with) { return notice.add(std::move(link), with); });
    ASSERT_TRUE(test::run_now(apps.enrol("ortho-1", false, 0)));
  }
  /// A documentlevering of the school with its delivery, and the link that went out; a session that proved its secret.
  portal::Session sent(bool workplace = false) {
    Message m;
    m.id = "levering-1";
    m.source = "urn:test";
    m.type = "documentlevering";
    m.subject = zaak;
    m.region = "KNH";
    m.party = "school";
    m.sender_role = "school_ib";
    auto accepted = test::run_now(journal.accept(std::move(m)));
    store::DeliveryRow d;
    d.id = "A-1";
    d.message = workplace ? 0 : accepted->seq;
    d.case_id = zaak;
    d.lane = "case:" + zaak;
    d.target = "secure_link";
    d.role = "orthopedagoog";
    d.kind = workplace ? "workplace" : "documents";
    d.created_at = d.next_at = clock.now();
    commit({store::Enqueue{std::move(d)}});
    LinkOrder o;
    o.delivery = "A-1";
    o.message_id = workplace ? "" : "levering-1";
    o.case_id = zaak;
    o.role = "orthopedagoog";
    o.person = "ortho-1";
    o.expires = clock.now() + std::chrono::hours(24 * 20);
    o.mail = "sam@swv.example";
    o.second_factor = "totp:ortho-1";
    o.workplace = workplace;
    auto issued = test::run_now(links.issue(o)).value();
    auto cookie =
        test::run_now(links.prove(issued.id, Secret(std::string_view(issued.url).substr(issued.url.find('#') + 1))));
    auto visitor = test::run_now(links.visitor(issued.id, cookie->clone()));
    return std::get<portal::LinkProven>(*visitor).session;
  }
  void lock(const portal::Session& s) {
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(test::run_now(links.begin_round(s)));
    auto fourth = test::run_now(links.begin_round(s));
    ASSERT_FALSE(fourth);
    EXPECT_EQ(fourth.error().code, "CODE_LIMIT");
  }
  std::vector<store::DeliveryRow> signals() {
    auto rows = test::run_now(store->deliveries({.case_id = zaak}));
    std::erase_if(*rows, [](const auto& r) { return r.kind != "signal"; });
    return std::move(*rows);
  }
};

TEST_F(Locks, TheSenderGetsOneSignalForEachLock) {
  auto s = sent();
  lock(s);
  ASSERT_EQ(signals().size(), 1U);
  auto row = signals()[0];
  EXPECT_EQ(row.target, "hook");
  EXPECT_EQ(row.role, "school_ib");
  EXPECT_EQ(row.state, store::DeliveryState::pending);
  auto whole = test::run_now(store->delivery(row.id)).value();
  auto plain = test::run_now(sealer.open(zaak, "delivery", row.id, std::move(whole->sealed)));
  ASSERT_TRUE(plain);
  auto body = Json::parse(plain->begin(), plain->end());
  EXPECT_EQ(body["body"]["signal"]["code"], "LINK_LOCKED");
  EXPECT_EQ(body["body"]["signal"]["role"], "orthopedagoog");
  EXPECT_EQ(body["message_id"], "levering-1");
  EXPECT_FALSE(test::run_now(links.begin_round(s)));
  EXPECT_EQ(signals().size(), 1U);
}

TEST_F(Locks, TheWorkplaceHasNoSender) {
  lock(sent(true));
  EXPECT_TRUE(signals().empty());
}

TEST_F(Locks, OrdersOfTheOperatorAnswerAndRefuse) {
  auto order = [&](Json j) { return test::run_now(authenticator_order(apps, std::move(j))); };
  auto made = order({{"do", "authenticator"}, {"naam", "jhd-1"}, {"uid", 1000}});
  ASSERT_TRUE(made);
  EXPECT_EQ((*made)["tweedeFactor"], "totp:jhd-1");
  EXPECT_EQ(order({{"do", "authenticator"}, {"naam", "jhd-1"}}).error().code, "AUTHENTICATOR_EXISTS");
  EXPECT_TRUE(order({{"do", "authenticator"}, {"naam", "jhd-1"}, {"vervang", true}}));
  EXPECT_EQ((*order({{"do", "authenticators"}}))["authenticators"], Json({"jhd-1", "ortho-1"}));
  EXPECT_TRUE(order({{"do", "authenticator_weg"}, {"naam", "jhd-1"}}));
  EXPECT_EQ(order({{"do", "authenticator_weg"}, {"naam", "jhd-1"}}).error().code, "AUTHENTICATOR_UNKNOWN");
  for (Json bad : {Json{{"do", "iets"}}, Json{{"do", 7}}, Json::object()}) EXPECT_EQ(order(bad).error().code, "VALUE");
  EXPECT_EQ(order({{"do", "authenticator"}, {"naam", 7}}).error().code, "AUTHENTICATOR_NAME");
}

}  // namespace
}  // namespace schakel::app
