// What a decision changes outside the outbox: links and waiting deliveries of a meeting that moves or is cancelled.
#include "core/app/edges.hpp"

#include "tests/unit/portal/support.hpp"

namespace schakel::app {
namespace {
using test::code_of;
using test::run_now;
using test::secret_of_url;
using namespace std::chrono_literals;

struct Edges : test::LinkTest {
  vault::Participants participants{*vault, *store};
  CaseDirectory directory{*store, participants, &links, clock};
  int sent = 0;

  /// A delivery of documents that waits.
  std::string waiting(const std::string& message_id, const std::string& role) {
    store::MessageRow m;
    m.source = "s";
    m.id = message_id;
    m.type = "documentlevering";
    m.case_id = "case-1";
    m.lane = "case:case-1";
    m.accepted_at = clock.now();
    auto found = run_now(store->find_message("s", message_id)).value();
    store::MessageSeq seq = found ? found->seq : 0;
    if (!found) {
      auto done = run_now(store->commit({{store::Accept{m}}}));
      EXPECT_TRUE(done);
      seq = done->seq;
    }
    store::DeliveryRow d;
    d.id = "waits-" + std::to_string(++sent);
    d.message = seq;
    d.case_id = "case-1";
    d.lane = "l" + std::to_string(sent);
    d.target = "mail";
    d.role = role;
    d.kind = "documents";
    commit({store::Enqueue{d}});
    return d.id;
  }
  void meeting(Json value) {
    Message m;
    m.subject = "case-1";
    m.type = "uitnodiging";
    m.time = clock.now();
    Draft draft;
    draft.outcome = Outcome::delivered;
    draft.effects.push_back({"meeting", "", std::move(value)});
    store::Transaction t;
    auto done = run_now(directory.extend(m, draft, t));
    ASSERT_TRUE(done) << done.error().code;
    commit(std::move(t.ops));
  }
  store::DeliveryRow delivery(const std::string& id) { return *run_now(store->delivery(id)).value(); }
  portal::LinkStatus status(const IssuedLink& l) { return run_now(links.status(l.id))->value(); }
};

TEST_F(Edges, LinksMoveWithTheMeeting) {
  auto link = issue(order());
  const auto before = status(link).expires;
  auto waits = waiting("m1", "orthopedagoog");
  meeting(
      {{"kind", "OT"}, {"at", "2026-03-12T10:00:00Z"}, {"moved_from", "2026-03-10T10:00:00Z"}, {"messages", {"m1"}}});
  EXPECT_EQ(status(link).expires, before + 48h);
  EXPECT_FALSE(status(link).revoked);
  EXPECT_EQ(delivery(waits).state, store::DeliveryState::pending);
}

TEST_F(Edges, ACancelledMeetingEndsItsLinksAtOnceAndWhatWaitsDoesNotGo) {
  auto link = issue(order());
  auto second = issue([&] {
    auto o = order("d2");
    o.role = "jeugdhulpdeskundige";
    return o;
  }());
  auto of_other = issue([&] {
    auto o = order("d3");
    o.message_id = "m2";
    return o;
  }());
  auto cookie = enter(link);
  auto waits = waiting("m1", "procesregisseur"), stays = waiting("m2", "procesregisseur");
  meeting({{"kind", "OT"}, {"at", nullptr}, {"moved_from", "2026-03-10T10:00:00Z"}, {"messages", {"m1"}}});
  EXPECT_TRUE(std::holds_alternative<portal::Anonymous>(visitor(link.id, cookie))) << "who was in is out";
  for (const auto& l : {link, second}) {
    EXPECT_TRUE(status(l).revoked);
    EXPECT_EQ(status(l).revoked_because, "MEETING_CANCELLED");
    EXPECT_EQ(code_of(run_now(links.prove(l.id, Secret(std::string_view(secret_of_url(l.url)))))), "LINK_DEAD");
  }
  EXPECT_FALSE(status(of_other).revoked);
  EXPECT_EQ(leaves("link.revoked"), 2);
  EXPECT_EQ(delivery(waits).state, store::DeliveryState::cancelled);
  EXPECT_EQ(delivery(waits).code, "MEETING_CANCELLED");
  EXPECT_EQ(delivery(stays).state, store::DeliveryState::pending);
}

TEST_F(Edges, AMeetingThatWasNotThereMovesNothing) {
  auto link = issue(order());
  const auto before = status(link).expires;
  meeting({{"kind", "OT"}, {"at", "2026-03-12T10:00:00Z"}});
  EXPECT_EQ(status(link).expires, before);
  meeting({{"kind", "OT"}, {"at", "2026-03-12T10:00:00Z"}, {"moved_from", "gisteren"}, {"messages", {"m1"}}});
  EXPECT_EQ(status(link).expires, before);
}

}  // namespace
}  // namespace schakel::app
