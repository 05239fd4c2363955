#include "core/outbox/delivery_row.hpp"

namespace schakel::outbox {

Origin origin_of(const Message& message, std::string lane) {
  return {message.seq, message.id, message.subject, message.region, std::move(lane)};
}

Task<Result<void>> enqueue(journal::Sealer& sealer, const Planned& planned, const Origin& from, Instant now,
                           store::Transaction& with) {
  store::DeliveryRow d;
  d.id = planned.id;
  d.message = from.message;
  d.case_id = from.case_id;
  d.lane = from.lane + "|" + planned.target;
  if (auto person = planned.address.value("person", ""); !person.empty()) d.lane += "|" + person;
  // What waits for a person holds up nothing else that does.
  if (planned.target.empty()) d.lane += "|" + planned.id;
  d.target = planned.target;
  d.role = planned.role;
  d.kind = planned.kind;
  d.code = planned.code;
  d.state = planned.target.empty() ? store::DeliveryState::parked : store::DeliveryState::pending;
  d.created_at = now;
  d.next_at = now;
  auto body = planned.to_json();
  body["message_id"] = from.message_id;
  body["region"] = from.region;
  auto sealed = co_await sealer.seal(from.case_id, "delivery", planned.id, to_bytes(dump_json(body)), with);
  if (!sealed) co_return fail(std::move(sealed.error()));
  d.sealed = std::move(*sealed);
  with.ops.push_back(store::Enqueue{std::move(d)});
  co_return Result<void>{};
}

}  // namespace schakel::outbox
