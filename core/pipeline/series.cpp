#include "core/pipeline/series.hpp"

#include "core/audit/leaf.hpp"
#include "core/base/json.hpp"

namespace schakel::pipeline {
namespace {
constexpr std::string_view kMarkSpace = "copy-mark", kMarkKey = "copy", kEpochKey = "series-epoch";
}

Task<Result<void>> mark_copy(store::Store& store, bool marked) {
  store::Transaction tx;
  if (marked)
    tx.ops.push_back(store::PutRow{std::string(kMarkSpace), std::string(kMarkKey), to_bytes("1"), std::nullopt});
  else
    tx.ops.push_back(store::EraseRow{std::string(kMarkSpace), std::string(kMarkKey), std::nullopt});
  auto done = co_await store.commit(std::move(tx));
  if (!done) co_return fail(std::move(done.error()));
  co_return Result<void>{};
}

Task<Result<std::int64_t>> new_epoch(store::Store& store, Instant now) {
  auto row = co_await store.row("register", std::string(kEpochKey));
  if (!row) co_return fail(std::move(row.error()));
  std::int64_t epoch = 1;
  if (*row) {
    auto known = Json::parse((*row)->value.begin(), (*row)->value.end());
    if (known.is_number_integer()) epoch = known.get<std::int64_t>() + 1;
  }
  store::Transaction tx;
  tx.ops.push_back(
      store::PutRow{"register", std::string(kEpochKey), to_bytes(std::to_string(epoch)), *row ? (*row)->version : 0});
  tx.ops.push_back(store::EraseRow{std::string(kMarkSpace), std::string(kMarkKey), std::nullopt});
  tx.ops.push_back(audit::leaf(now, "invoice.new_epoch", {.counts = {{"epoch", epoch}}}));
  auto done = co_await store.commit(std::move(tx));
  if (!done) co_return fail(std::move(done.error()));
  co_return epoch;
}

Task<Result<bool>> continue_series(store::Store& store, Instant now) {
  auto mark = co_await store.row(std::string(kMarkSpace), std::string(kMarkKey));
  if (!mark) co_return fail(std::move(mark.error()));
  if (!*mark) co_return false;
  auto epoch = co_await new_epoch(store, now);
  if (!epoch) co_return fail(std::move(epoch.error()));
  co_return true;
}

}  // namespace schakel::pipeline
