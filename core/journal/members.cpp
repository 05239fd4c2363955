#include "core/journal/members.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace schakel::journal {

store::PutRow member(std::string_view case_id, std::string_view party) {
  return {"case-member", fmt::format("{}/{}", case_id, party), {}, std::nullopt};
}

Task<Result<std::optional<store::MessageRow>>> opening(store::Store& store, std::string case_id) {
  if (case_id.empty()) co_return std::optional<store::MessageRow>{};
  store::MessageFilter filter;
  filter.case_id = std::move(case_id);
  filter.type = "zaak_opening";
  filter.limit = 1;
  auto rows = co_await store.messages(std::move(filter));
  if (!rows) co_return fail(std::move(rows.error()));
  if (rows->empty()) co_return std::optional<store::MessageRow>{};
  co_return std::optional<store::MessageRow>(std::move(rows->front()));
}

Task<Result<std::vector<std::string>>> members(store::Store& store, const Parties& parties, std::string case_id) {
  std::vector<std::string> out;
  if (case_id.empty() || !parties.members_matter()) co_return out;
  auto rows = co_await store.rows("case-member", case_id + "/", "", 1000);
  if (!rows) co_return fail(std::move(rows.error()));
  for (const auto& row : *rows) out.push_back(row.key.substr(case_id.size() + 1));
  co_return out;
}

namespace {
bool works_for(const Party& party, std::string_view region) {
  return std::ranges::any_of(party.may_send, [&](const Grant& g) {
    return std::ranges::any_of(g.regions, [&](const auto& r) { return r == "*" || r == region; });
  });
}
}  // namespace

Task<Result<bool>> is_member(store::Store& store, const Party& party, std::string case_id) {
  if (case_id.empty()) co_return false;
  if (party.scope == "region") {
    auto first = co_await opening(store, case_id);
    if (!first) co_return fail(std::move(first.error()));
    if (*first && works_for(party, (*first)->region)) co_return true;
  }
  auto row = co_await store.row("case-member", fmt::format("{}/{}", case_id, party.id));
  if (!row) co_return fail(std::move(row.error()));
  co_return row->has_value();
}

}  // namespace schakel::journal
