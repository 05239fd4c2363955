// All rows that a filter names, page by page: for what belongs to one case, which is bounded by its life.
#pragma once
#include <algorithm>
#include <iterator>
#include <utility>

#include "core/store/store.hpp"

namespace schakel::store {

/// Ordered by id. `filter.after_id` and `filter.limit` are set here.
inline Task<Result<std::vector<DeliveryRow>>> every_delivery(Store& store, DeliveryFilter filter) {
  std::vector<DeliveryRow> out;
  filter.limit = 500;
  for (;;) {
    auto page = co_await store.deliveries(filter);
    if (!page) co_return fail(std::move(page.error()));
    bool last = std::cmp_less(page->size(), filter.limit);
    if (!page->empty()) filter.after_id = page->back().id;
    std::ranges::move(*page, std::back_inserter(out));
    if (last) co_return out;
  }
}

}  // namespace schakel::store
