// The row of a planned delivery: the same whoever asked for it.
#include "core/outbox/delivery_row.hpp"

#include <gtest/gtest.h>

#include "core/journal/vault_sealer.hpp"
#include "tests/unit/vault/support.hpp"

namespace schakel::outbox {
namespace {
using test::run_now;

struct Rows : test::VaultTest {
  journal::VaultSealer sealer{*vault};
  const Instant now = parse_instant("2026-11-02T09:00:00Z").value();
  Planned planned() {
    Planned p;
    p.id = "A-1";
    p.kind = "documents";
    p.target = "secure_link";
    p.role = "orthopedagoog";
    p.type = "documentlevering";
    p.address = {{"mail", "o@swv.example"}, {"person", "o-1"}};
    p.body = {{"content", {"opp"}}};
    p.documents = {"D-1"};
    return p;
  }
  store::DeliveryRow made(const Planned& p, const Origin& from) {
    store::Transaction tx;
    EXPECT_TRUE(run_now(enqueue(sealer, p, from, now, tx)));
    for (auto& op : tx.ops)
      if (auto* e = std::get_if<store::Enqueue>(&op)) return e->delivery;
    ADD_FAILURE() << "no row";
    return {};
  }
};

TEST_F(Rows, CarriesMessageLaneAndSealedBody) {
  Message m;
  m.seq = 7;
  m.id = "m-7";
  m.subject = "Z-1";
  m.region = "KNH";
  auto row = made(planned(), origin_of(m, "case:Z-1"));
  EXPECT_EQ(row.id, "A-1");
  EXPECT_EQ(row.message, 7);
  EXPECT_EQ(row.case_id, "Z-1");
  EXPECT_EQ(row.lane, "case:Z-1|secure_link|o-1");
  EXPECT_EQ(row.state, store::DeliveryState::pending);
  EXPECT_EQ(row.created_at, now);
  EXPECT_EQ(row.next_at, now);
  EXPECT_EQ(std::string(as_text(row.sealed)).find("swv.example"), std::string::npos);
  auto body = Json::parse(*run_now(sealer.open("Z-1", "delivery", "A-1", row.sealed)));
  EXPECT_EQ(body["message_id"], "m-7");
  EXPECT_EQ(body["region"], "KNH");
  auto back = Planned::from_json(body);
  EXPECT_EQ(back.documents, planned().documents);
  EXPECT_EQ(back.address, planned().address);
}

TEST_F(Rows, WithoutATargetItIsParkedWithItsCode) {
  auto p = planned();
  p.target.clear();
  p.address = Json::object();
  p.code = "RECIPIENT_UNKNOWN";
  auto row = made(p, {0, "", "Z-1", "", "case:Z-1"});
  EXPECT_EQ(row.state, store::DeliveryState::parked);
  EXPECT_EQ(row.code, "RECIPIENT_UNKNOWN");
  EXPECT_EQ(row.lane, "case:Z-1||A-1") << "one that waits for a person holds up no other";
}

TEST_F(Rows, OfAnErasedCaseThereIsNone) {
  ASSERT_TRUE(run_now(vault->seal({"Z-1", "x", "y", 1}, to_bytes("x"))));
  commit(run_now(vault->erase_case("Z-1"))->ops);
  vault->forget("Z-1");
  store::Transaction tx;
  auto done = run_now(enqueue(sealer, planned(), {0, "", "Z-1", "", "case:Z-1"}, now, tx));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, "VAULT_ERASED");
  EXPECT_TRUE(tx.ops.empty());
}

}  // namespace
}  // namespace schakel::outbox
