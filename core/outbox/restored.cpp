#include "core/outbox/restored.hpp"

namespace schakel::outbox {
namespace {
constexpr std::string_view kSpace = "restored", kKey = "invoices";
}

Task<Result<std::optional<Instant>>> restored_since(store::Store& store) {
  auto row = co_await store.row(std::string(kSpace), std::string(kKey));
  if (!row) co_return fail(std::move(row.error()));
  if (!*row) co_return std::optional<Instant>{};
  auto since = parse_instant(as_text((*row)->value));
  // A wait that cannot be read is a wait: the error keeps every invoice here.
  if (!since) co_return fail(ErrorKind::internal, "STORE_CORRUPT_ROW", "since when invoices wait cannot be read");
  co_return std::optional<Instant>(*since);
}

store::PutRow wait_after_restore(Instant now) {
  return {std::string(kSpace), std::string(kKey), to_bytes(format_instant(now)), std::nullopt};
}

store::PutRow sent_by_person(const std::string& delivery, Instant since) {
  return {std::string(kSpace), "sent/" + delivery, to_bytes(format_instant(since)), std::nullopt};
}

Task<Result<bool>> was_sent_by_person(store::Store& store, std::string delivery, Instant since) {
  auto row = co_await store.row(std::string(kSpace), "sent/" + delivery);
  if (!row) co_return fail(std::move(row.error()));
  // Of an earlier wait it says nothing of this one.
  co_return *row&& as_text((*row)->value) == format_instant(since);
}

store::EraseRow end_after_restore() { return {std::string(kSpace), std::string(kKey), std::nullopt}; }

}  // namespace schakel::outbox
