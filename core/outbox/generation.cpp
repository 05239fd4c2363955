#include "core/outbox/generation.hpp"

#include "core/base/json.hpp"

namespace schakel::outbox {

Task<Result<int>> generation_of(store::Store& store, std::string delivery) {
  auto row = co_await store.row(std::string(kGeneration), std::move(delivery));
  if (!row) co_return fail(std::move(row.error()));
  if (!*row) co_return 0;
  auto count = parse_json(as_text((*row)->value));
  if (!count || !count->is_number_integer())
    co_return fail(ErrorKind::internal, "STORE_CORRUPT_ROW", "the count of a delivery is no number");
  co_return count->get<int>();
}

Task<Result<store::PutRow>> next_generation(store::Store& store, std::string delivery) {
  auto row = co_await store.row(std::string(kGeneration), delivery);
  if (!row) co_return fail(std::move(row.error()));
  auto count = co_await generation_of(store, delivery);
  if (!count) co_return fail(std::move(count.error()));
  co_return store::PutRow{std::string(kGeneration), std::move(delivery), to_bytes(std::to_string(*count + 1)),
                          *row ? (*row)->version : 0};
}

}  // namespace schakel::outbox
