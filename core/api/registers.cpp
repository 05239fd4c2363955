// What registers are made of, case by case, for the operator: no names, no case ids, no payloads.
#include "core/pipeline/registers.hpp"

#include <charconv>

#include "core/api/routes.hpp"

namespace schakel::api {
namespace {

constexpr int kRegisterCases = 200;

/// The next cases in order of their opening; the caller asks on with `verder`. A case that was erased is counted, not
/// shown.
Task<net::Response> register_extracts(Call& call) {
  std::int64_t after = 0;
  if (auto text = call.query["na"]; !text.empty()) {
    auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), after);
    if (wrong != std::errc() || end != text.data() + text.size() || after < 0)
      co_return problem({ErrorKind::invalid, "QUERY_INVALID", "na is a number", {{"na", "TYPE", "a number", ""}}});
  }
  store::MessageFilter filter;
  filter.type = "zaak_opening";
  filter.after = after;
  filter.limit = kRegisterCases;
  auto openings = co_await call.services.store.messages(filter);
  if (!openings) co_return problem(openings.error());
  Json list = Json::array();
  int gone = 0;
  for (const auto& opening : *openings) {
    auto rows = co_await call.services.journal.recall(opening.case_id);
    if (!rows) co_return problem(rows.error());
    std::vector<journal::Recorded> history;
    for (auto& r : *rows)
      if (r.content) history.push_back(std::move(*r.content));
    if (history.empty()) {
      ++gone;
      continue;
    }
    // Of the vault, not of the case id: who knows that cannot find the case in a register.
    auto pseudonym = co_await call.services.vault.pseudonym(opening.case_id, "register");
    if (!pseudonym) co_return problem(pseudonym.error());
    const auto& profiles = call.services.pipeline.profiles();
    auto rules = profiles.find(history.front().message.region);
    list.push_back(
        pipeline::register_extract(*pseudonym, history, rules == profiles.end() ? nullptr : rules->second.get()));
  }
  Json verder = openings->size() < static_cast<std::size_t>(kRegisterCases) ? Json() : Json(openings->back().seq);
  co_return json(200, {{"zaken", list}, {"gewist", gone}, {"verder", verder}});
}

}  // namespace

std::vector<Route> register_routes() {
  return {{"GET", "/v1/beheer/registers", Who::operator_, 0, false, register_extracts}};
}

}  // namespace schakel::api
