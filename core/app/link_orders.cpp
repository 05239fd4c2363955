#include "core/app/link_orders.hpp"

#include "core/outbox/delivery_row.hpp"

namespace schakel::app {

Task<Result<Json>> authenticator_order(portal::Authenticators& apps, Json order) {
  auto text = [&](const char* field) {
    return order.contains(field) && order[field].is_string() ? order[field].get<std::string>() : std::string();
  };
  auto what = text("do"), name = text("naam");
  auto uid = order.value("uid", std::int64_t{0});
  if (what == "authenticators") {
    auto all = co_await apps.names();
    if (!all) co_return fail(std::move(all.error()));
    co_return Json{{"authenticators", *all}};
  }
  if (what == "authenticator_weg") {
    auto gone = co_await apps.remove(name, uid);
    if (!gone) co_return fail(std::move(gone.error()));
    co_return Json{{"naam", name}, {"verwijderd", true}};
  }
  if (what != "authenticator")
    co_return fail(ErrorKind::invalid, "VALUE",
                   "do must be list, revoke, workplace, authenticator, authenticator_weg or authenticators");
  bool replace = order.contains("vervang") && order["vervang"].is_boolean() && order["vervang"].get<bool>();
  auto uri = co_await apps.enrol(name, replace, uid);
  if (!uri) co_return fail(std::move(uri.error()));
  co_return Json{{"naam", name}, {"tweedeFactor", std::string(portal::kTotp) + name}, {"otpauth", *uri}};
}

Task<Result<void>> LockNotice::add(portal::LinkView link, store::Transaction& with) {
  auto delivery = co_await journal_.store().delivery(link.delivery);
  if (!delivery) co_return fail(std::move(delivery.error()));
  if (!*delivery) co_return Result<void>{};
  auto row = co_await journal_.store().message((*delivery)->message);
  if (!row) co_return fail(std::move(row.error()));
  if (!*row) co_return Result<void>{};
  auto lane = (*row)->lane;
  auto message = co_await journal_.read(std::move(**row));
  if (!message) co_return fail(std::move(message.error()));
  auto file = co_await journal_.load(link.case_id);
  if (!file) co_return fail(std::move(file.error()));
  auto people = co_await participants_.all(link.case_id);
  if (!people) co_return fail(std::move(people.error()));
  std::vector<outbox::Contact> contacts;
  for (const auto& p : *people) contacts.push_back({p.person, p.role, p.mail, p.second_factor});
  Draft draft;
  draft.outcome = Outcome::recorded;
  draft.signals = {{"LINK_LOCKED", message->sender_role, link.role, "", ""}};
  auto now = journal_.clock().now();
  for (auto& p : outbox::plan({*message, draft, *file, *parties_, contacts, {}})) {
    // Every lock is told, also the next one of the same link.
    p.id = "A-" + to_letters(random_bytes(16));
    auto queued = co_await outbox::enqueue(journal_.sealer(), p, outbox::origin_of(*message, lane), now, with);
    if (!queued) co_return fail(std::move(queued.error()));
  }
  co_return Result<void>{};
}

}  // namespace schakel::app
