// The audit log over the operator's socket: is it sound, what is in it, and what outsiders are handed.
#include <charconv>

#include "core/api/routes.hpp"
#include "core/audit/verify.hpp"

namespace schakel::api {

std::optional<std::int64_t> whole(const std::string& text) {
  std::int64_t value = 0;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (!text.empty() && (ec != std::errc() || end != text.data() + text.size() || value < 0)) return std::nullopt;
  return value;
}

namespace {

Task<net::Response> audit_state(Call& call) {
  if (auto none = nothing_of(call.request); !none) co_return problem(none.error());
  auto report = co_await call.services.audit_verify();
  if (!report) co_return problem(report.error());
  co_return json(200, *report);
}

/// Leaves in the order of the log from `na` on; of one party or code when asked. They hold no names or numbers of
/// people.
Task<net::Response> audit_leaves(Call& call) {
  auto from = whole(call.query["na"]);
  if (!from) co_return problem({ErrorKind::invalid, "VALUE", "na must be a place in the log", {}});
  constexpr int kPage = 500;
  Json out = Json::array();
  auto next = *from;
  bool more = true;
  while (more && std::ssize(out) < kPage) {
    auto rows = co_await call.services.store.leaves(next, kPage);
    if (!rows) co_return problem(rows.error());
    more = std::ssize(*rows) == kPage;
    for (const auto& row : *rows) {
      next = row.position + 1;
      auto body = Json::parse(row.body);
      auto codes = body.value("codes", Json::array());
      if (auto code = call.query["code"]; !code.empty() && std::ranges::find(codes, Json(code)) == codes.end())
        continue;
      if (auto party = call.query["partij"];
          !party.empty() && body.value("ids", Json::object()).value("party", "") != party)
        continue;
      body["plaats"] = row.position;
      out.push_back(std::move(body));
      if (std::ssize(out) == kPage) {
        more = true;
        break;
      }
    }
  }
  Json j{{"bladen", std::move(out)}};
  if (more) j["verder"] = next;
  co_return json(200, j);
}

/// A page of the export (core/audit/verify.hpp): lines, and from where the next page goes.
Task<net::Response> audit_export(Call& call) {
  auto from = whole(call.query["na"]);
  if (!from) co_return problem({ErrorKind::invalid, "VALUE", "na must be a place in the log", {}});
  auto page = co_await audit::export_page(call.services.store, static_cast<std::uint64_t>(*from));
  if (!page) co_return problem(page.error());
  Json j{{"regels", std::move(page->lines)}};
  if (page->next) j["verder"] = *page->next;
  co_return json(200, j);
}

Task<net::Response> audit_proof(Call& call) {
  auto place = whole(call.query["plaats"]);
  if (!place || call.query["plaats"].empty())
    co_return problem({ErrorKind::invalid, "VALUE", "plaats must be a place in the log", {}});
  auto proof = co_await audit::prove(call.services.store, static_cast<std::uint64_t>(*place));
  if (!proof) co_return problem(proof.error());
  co_return json(200, audit::proof_json(*proof));
}

}  // namespace

std::vector<Route> audit_routes() {
  return {{"POST", "/v1/beheer/audit", Who::operator_, 4096, false, audit_state},
          {"GET", "/v1/beheer/audit", Who::operator_, 0, false, audit_leaves},
          {"GET", "/v1/beheer/audit/uitvoer", Who::operator_, 0, false, audit_export},
          {"GET", "/v1/beheer/audit/bewijs", Who::operator_, 0, false, audit_proof}};
}

}  // namespace schakel::api
