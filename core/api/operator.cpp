#include <atomic>

#include "core/api/resend.hpp"
#include "core/api/routes.hpp"
#include "core/audit/leaf.hpp"
#include "core/journal/members.hpp"
#include "core/outbox/restored.hpp"
#include "core/pipeline/series.hpp"
#include "core/pipeline/settlement.hpp"
#include "core/runtime/hop.hpp"

namespace schakel::api {
namespace {

std::optional<store::DeliveryState> state_from(std::string_view name) {
  static const std::map<std::string_view, store::DeliveryState> kNames = {
      {"wacht", store::DeliveryState::pending},        {"onderweg", store::DeliveryState::attempting},
      {"afgeleverd", store::DeliveryState::delivered}, {"mislukt", store::DeliveryState::dead},
      {"geparkeerd", store::DeliveryState::parked},    {"ingetrokken", store::DeliveryState::cancelled}};
  auto it = kNames.find(name);
  return it == kNames.end() ? std::nullopt : std::optional(it->second);
}

Task<net::Response> status(Call& call) {
  auto stats = co_await call.services.store.stats();
  if (!stats) co_return problem(stats.error());
  auto breakers =
      co_await runtime::on(call.services.broker, [](outbox::Dispatcher* d) -> Task<std::map<std::string, std::string>> {
        co_return d->breakers();
      }(&call.services.dispatcher));
  Json j{{"berichten", stats->messages},
         {"onbeslist", stats->undecided},
         {"wachtend", stats->pending},
         {"mislukt", stats->dead},
         {"geparkeerd", stats->parked},
         {"auditbladen", stats->leaves},
         {"auditNietGeordend", stats->unsequenced},
         {"bytes", stats->bytes}};
  auto restored = co_await outbox::restored_since(call.services.store);
  if (!restored) co_return problem(restored.error());
  if (*restored) j["facturenWachtenSinds"] = format_instant(**restored);
  if (stats->oldest_undecided) j["oudsteOnbeslist"] = format_instant(*stats->oldest_undecided);
  if (stats->oldest_pending) j["oudsteWachtend"] = format_instant(*stats->oldest_pending);
  j["doelen"] = Json::array();
  for (const auto& [name, i] : call.services.delivering.instances()) {
    // What a polling adapter fetched and cannot bring in yet: its progress rows below this prefix.
    auto waits = co_await call.services.store.rows("progress." + name, "wacht/", "", 5000);
    if (!waits) co_return problem(waits.error());
    // Answers of an adapter to who sent it something (JW325, Invoice Response) that could not be sent yet.
    auto unsent = co_await call.services.store.rows("progress." + name, "unsent/", "", 5000);
    if (!unsent) co_return problem(unsent.error());
    j["doelen"].push_back({{"naam", name},
                           {"adapter", i.plugin},
                           {"werkt", i.adapter != nullptr},
                           {"reden", i.degraded},
                           {"zekering", breakers.contains(name) ? breakers[name] : "closed"},
                           {"pogingSeconden", std::chrono::duration_cast<std::chrono::seconds>(i.deadline).count()},
                           {"wachtOpInname", std::ssize(*waits)},
                           {"antwoordenOnverzonden", std::ssize(*unsent)}});
  }
  if (call.services.health) j["gezondheid"] = call.services.health();
  co_return json(200, j);
}

Task<net::Response> show_case(Call& call) {
  auto view = co_await case_view(call.services, call.path["zaak"]);
  if (!view) co_return problem(view.error());
  co_return json(200, *view);
}

Task<net::Response> list_cases(Call& call) {
  constexpr int kPage = 1000;
  auto after = whole(call.query["na"]);
  if (!after) co_return problem({ErrorKind::invalid, "VALUE", "na must be the verder of the page before", {}});
  auto rows = co_await call.services.store.messages({.case_id = "",
                                                     .party = "",
                                                     .type = "zaak_opening",
                                                     .outcome = "",
                                                     .after = *after,
                                                     .limit = kPage,
                                                     .with_sealed = false});
  if (!rows) co_return problem(rows.error());
  Json out = Json::array();
  for (const auto& r : *rows)
    out.push_back(
        {{"id", r.case_id}, {"regio", r.region}, {"party", r.party}, {"geopendOp", format_instant(r.accepted_at)}});
  Json j{{"zaken", std::move(out)}};
  if (std::ssize(*rows) == kPage) j["verder"] = rows->back().seq;
  co_return json(200, j);
}

Task<net::Response> list_deliveries(Call& call) {
  store::DeliveryFilter f;
  if (auto s = call.query["status"]; !s.empty()) {
    f.state = state_from(s);
    if (!f.state)
      co_return problem({ErrorKind::invalid,
                         "VALUE",
                         "status must be wacht, onderweg, afgeleverd, mislukt, geparkeerd or ingetrokken",
                         {}});
  }
  f.case_id = call.query["zaak"];
  f.target = call.query["doel"];
  f.code = call.query["code"];
  f.after_id = call.query["na"];
  f.limit = 500;
  auto rows = co_await call.services.store.deliveries(f);
  if (!rows) co_return problem(rows.error());
  Json out = Json::array();
  for (const auto& d : *rows) out.push_back(delivery_view(d));
  Json j{{"afleveringen", std::move(out)}};
  if (std::ssize(*rows) == f.limit) j["verder"] = rows->back().id;
  co_return json(200, j);
}

Task<net::Response> show_delivery(Call& call) {
  auto row = co_await call.services.store.delivery(call.path["id"]);
  if (!row) co_return problem(row.error());
  if (!*row) co_return problem({ErrorKind::not_found, "DELIVERY_UNKNOWN", "there is no such delivery", {}});
  auto attempts = co_await call.services.store.attempts(call.path["id"]);
  if (!attempts) co_return problem(attempts.error());
  auto j = delivery_view(**row);
  j["verloop"] = Json::array();
  for (const auto& a : *attempts)
    j["verloop"].push_back(
        {{"poging", a.number}, {"begonnen", format_instant(a.started_at)}, {"oordeel", a.verdict}, {"code", a.code}});
  co_return json(200, j);
}

net::Response busy() {
  return problem({ErrorKind::conflict, "DELIVERY_BUSY", "it is being worked on: look again in a moment", {}});
}
net::Response no_target() {
  return problem({ErrorKind::not_found, "TARGET_UNKNOWN", "there is no such target (adapter instance)", {}});
}

/// Resend or give up, by hand: always audited, and possible unless an attempt is under way, which settles it first
/// (users.md 10).
Task<net::Response> change_delivery(Call& call) {
  auto body = object_of(call.request, 4096);
  if (!body) co_return problem(body.error());
  auto action = text_of(*body, "actie"), reason = text_of(*body, "reden"), target = text_of(*body, "doel");
  if (reason.size() < 3 || reason.size() > 200)
    co_return problem({ErrorKind::invalid, "REASON_REQUIRED", "say why, in 3 to 200 characters", {}});
  if (action != "opnieuw" && action != "annuleer")
    co_return problem({ErrorKind::invalid, "VALUE", "actie must be opnieuw or annuleer", {}});
  const bool again = action == "opnieuw";
  auto found = co_await call.services.store.delivery(call.path["id"]);
  if (!found) co_return problem(found.error());
  if (!*found) co_return problem({ErrorKind::not_found, "DELIVERY_UNKNOWN", "there is no such delivery", {}});
  const auto& row = **found;
  // An attempt has it in hand: its outcome would find the row changed, and whether it arrived would be lost.
  if (row.state == store::DeliveryState::attempting) co_return busy();
  if (row.state == store::DeliveryState::delivered && !again)
    co_return problem({ErrorKind::conflict, "ALREADY_DELIVERED", "it was delivered", {}});
  if (row.kind == "invoice" && again) {
    // A second invoice in a mailbox is paid twice sooner than it is noticed.
    auto arrived = co_await pipeline::settled(call.services.store, row.id);
    if (!arrived) co_return problem(arrived.error());
    if (!arrived->open && body->value("nogmaals", Json()) != Json(true))
      co_return problem({ErrorKind::conflict,
                         "ALREADY_DELIVERED",
                         "it has arrived: to send it once more all the same, say so (nogmaals)",
                         {}});
  }
  auto now = call.services.clock.now();
  store::ChangeDelivery change{row.id,
                               row.state,
                               again ? store::DeliveryState::pending : store::DeliveryState::cancelled,
                               now,
                               again ? "RESENT" : "CANCELLED_BY_OPERATOR",
                               std::nullopt,
                               true};
  store::Transaction tx;
  if (again) {
    if (!target.empty()) {
      const auto& instances = call.services.delivering.instances();
      auto named = instances.find(target);
      if (named == instances.end()) co_return no_target();
      change.target = target;
      // Who is sent something of a case has to do with it from then on.
      if (const auto& party = named->second.party; !party.empty() && !row.case_id.empty())
        tx.ops.push_back(journal::member(row.case_id, party));
    }
    auto addressed = co_await readdress(call.services, row, target, change, tx);
    if (!addressed) co_return problem(addressed.error());
    if (row.kind == "invoice") {
      auto restored = co_await outbox::restored_since(call.services.store);
      if (!restored) co_return problem(restored.error());
      if (*restored) tx.ops.push_back(outbox::sent_by_person(row.id, **restored));
    }
    // What was settled goes out once more, also where the partner has it; what waits is only hastened.
    if (row.state != store::DeliveryState::pending) {
      auto next = co_await outbox::next_generation(call.services.store, row.id);
      if (!next) co_return problem(next.error());
      tx.ops.push_back(std::move(*next));
    }
  }
  // The reason may name somebody: its hash stands in the tree, the text does not leave the request.
  tx.ops.push_back(
      audit::leaf(now, "delivery.changed",
                  {.ids = {{"delivery", row.id}, {"action", action}, {"target", change.target.value_or(row.target)}},
                   .hashes = {{"reason", sha256(reason)}},
                   .counts = {{"uid", static_cast<std::int64_t>(call.request.head.peer.uid.value_or(0))}}}));
  tx.ops.push_back(std::move(change));
  auto done = co_await call.services.store.commit(std::move(tx));
  if (!done && done.error().kind == ErrorKind::conflict) co_return busy();
  if (!done) co_return problem(done.error());
  call.services.dispatcher.arrivals().ring();
  co_return json(200, {{"id", row.id}, {"actie", action}});
}

Task<net::Response> pause_target(Call& call) {
  auto body = object_of(call.request, 4096);
  if (!body) co_return problem(body.error());
  if (!body->contains("gepauzeerd") || !(*body)["gepauzeerd"].is_boolean())
    co_return problem({ErrorKind::invalid, "VALUE", "send {\"gepauzeerd\": true|false}", {}});
  // What was paused and is no longer configured can still be resumed.
  if ((*body)["gepauzeerd"].get<bool>() && !call.services.delivering.instances().contains(call.path["doel"]))
    co_return no_target();
  auto done = co_await runtime::on(
      call.services.broker, call.services.dispatcher.pause(call.path["doel"], (*body)["gepauzeerd"].get<bool>()));
  if (!done) co_return problem(done.error());
  co_return json(200, {{"doel", call.path["doel"]}, {"gepauzeerd", (*body)["gepauzeerd"]}});
}

Task<net::Response> invoices(Call& call) {
  auto view = co_await invoice_view(call.services, call.query, nullptr);
  if (!view) co_return problem(view.error());
  co_return json(200, *view);
}

Task<net::Response> links(Call& call) {
  auto body = object_of(call.request, 4096);
  if (!body) co_return problem(body.error());
  if (!call.services.links) co_return problem({ErrorKind::unavailable, "PORTAL_OFF", "this process has no portal", {}});
  // Who asks is what the socket says, never what the body says.
  (*body)["uid"] = static_cast<std::int64_t>(call.request.head.peer.uid.value_or(0));
  auto done = co_await call.services.links(std::move(*body));
  if (!done) co_return problem(done.error());
  co_return json(200, *done);
}

Task<net::Response> backup(Call& call) {
  auto body = object_of(call.request, 4096);
  if (!body) co_return problem(body.error());
  auto path = text_of(*body, "pad");
  if (path.empty() || path[0] != '/')
    co_return problem({ErrorKind::invalid, "VALUE", "pad must be an absolute path", {}});
  // One at a time: the mark of a copy must not be taken away while another copy is being written.
  static std::atomic_flag running;
  if (running.test_and_set())
    co_return problem({ErrorKind::conflict, "BACKUP_RUNNING", "another backup is being written", {}});
  struct Ended {
    ~Ended() { running.clear(); }
  } const ended;
  auto& store = call.services.store;
  // The copy knows that it is one (core/pipeline/series.hpp) and holds the leaf of its own making; how it ended is a
  // second leaf, which only the store that goes on has.
  auto marked = co_await pipeline::mark_copy(store, true);
  if (!marked) co_return problem(marked.error());
  auto began = co_await store.commit({{audit::leaf(call.services.clock.now(), "store.backup", {})}});
  auto done = began ? Result<void>{} : Result<void>(fail(began.error()));
  if (done) done = co_await store.backup(path);
  auto cleared = co_await pipeline::mark_copy(store, false);
  std::vector<std::string> codes;
  if (!done) codes.push_back(done.error().code);
  auto leaf = co_await store.commit({{audit::leaf(call.services.clock.now(), "store.backup_ended", {.codes = codes})}});
  if (!done) co_return problem(done.error());
  if (!cleared) co_return problem(cleared.error());
  if (!leaf) co_return problem(leaf.error());
  co_return json(200, {{"pad", path}});
}

}  // namespace

std::vector<Route> operator_routes() {
  constexpr std::uint64_t kSmall = 4096;
  return {{"GET", "/v1/beheer/status", Who::operator_, 0, false, status},
          {"GET", "/v1/beheer/zaken", Who::operator_, 0, false, list_cases},
          {"GET", "/v1/beheer/zaken/{zaak}", Who::operator_, 0, false, show_case},
          {"GET", "/v1/beheer/afleveringen", Who::operator_, 0, false, list_deliveries},
          {"GET", "/v1/beheer/afleveringen/{id}", Who::operator_, 0, false, show_delivery},
          {"POST", "/v1/beheer/afleveringen/{id}", Who::operator_, kSmall, false, change_delivery},
          {"POST", "/v1/beheer/doelen/{doel}", Who::operator_, kSmall, false, pause_target},
          {"GET", "/v1/beheer/facturen", Who::operator_, 0, false, invoices},
          {"POST", "/v1/beheer/links", Who::operator_, kSmall, false, links},
          {"POST", "/v1/beheer/reservekopie", Who::operator_, kSmall, false, backup}};
}

}  // namespace schakel::api
