#include "core/journal/members.hpp"

#include <fmt/format.h>

namespace schakel::journal {

store::PutRow member(std::string_view case_id, std::string_view party) { return {"case-member", fmt::format("{}/{}", case_id, party), {}, std::nullopt}; }

Task<Result<bool>> is_member(store::Store& store, const Party& party, std::string case_id) {
  if (party.scope == "region") {
    auto past = co_await store.decisions(case_id, 0, 1);
    if (!past) co_return fail(std::move(past.error()));
    co_return !past->empty();
  }
  auto row = co_await store.row("case-member", fmt::format("{}/{}", case_id, party.id));
  if (!row) co_return fail(std::move(row.error()));
  co_return row->has_value();
}

}  // namespace schakel::journal
