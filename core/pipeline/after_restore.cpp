#include "core/pipeline/after_restore.hpp"

#include "core/outbox/restored.hpp"

namespace schakel::pipeline {
namespace {

constexpr int kPage = 500;

/// Invoices in this state that no person has sent since, from the page after `after`, which is moved on; empty `after`
/// at the end: there are no more.
Task<Result<std::vector<std::string>>> page_of(store::Store& store, store::DeliveryFilter filter, Instant since,
                                               std::string& after) {
  filter.after_id = after;
  filter.limit = kPage;
  auto rows = co_await store.deliveries(std::move(filter));
  if (!rows) co_return fail(std::move(rows.error()));
  after = rows->size() < static_cast<std::size_t>(kPage) ? "" : rows->back().id;
  std::vector<std::string> out;
  for (const auto& row : *rows) {
    if (row.kind != "invoice") continue;
    auto meant = co_await outbox::was_sent_by_person(store, row.id, since);
    if (!meant) co_return fail(std::move(meant.error()));
    if (!*meant) out.push_back(row.id);
  }
  co_return out;
}

}  // namespace

Task<Result<std::vector<std::string>>> waiting_after_restore(store::Store& store, std::size_t limit) {
  std::vector<std::string> out;
  auto since = co_await outbox::restored_since(store);
  if (!since) co_return fail(std::move(since.error()));
  if (!*since) co_return out;
  for (auto state : {store::DeliveryState::pending, store::DeliveryState::parked}) {
    store::DeliveryFilter filter;
    filter.state = state;
    if (state == store::DeliveryState::parked) filter.code = outbox::kRestored;
    std::string after;
    do {
      auto page = co_await page_of(store, filter, **since, after);
      if (!page) co_return fail(std::move(page.error()));
      for (auto& id : *page)
        if (out.size() < limit) out.push_back(std::move(id));
    } while (!after.empty() && out.size() < limit);
  }
  co_return out;
}

Task<Result<int>> park_after_restore(store::Store& store, Instant now) {
  auto since = co_await outbox::restored_since(store);
  if (!since) co_return fail(std::move(since.error()));
  if (!*since) co_return 0;
  int parked = 0;
  store::DeliveryFilter filter;
  filter.state = store::DeliveryState::pending;
  std::string after;
  do {
    auto page = co_await page_of(store, filter, **since, after);
    if (!page) co_return fail(std::move(page.error()));
    for (auto& id : *page) {
      store::Transaction tx;
      tx.ops.push_back(store::ChangeDelivery{std::move(id), store::DeliveryState::pending, store::DeliveryState::parked,
                                             now, std::string(outbox::kRestored), std::nullopt});
      auto done = co_await store.commit(std::move(tx));
      if (!done && done.error().kind != ErrorKind::conflict) co_return fail(std::move(done.error()));
      if (done) ++parked;
    }
  } while (!after.empty());
  co_return parked;
}

}  // namespace schakel::pipeline
