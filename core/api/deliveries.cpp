#include "core/api/routes.hpp"
#include "core/journal/members.hpp"
#include "core/pipeline/invoice_index.hpp"
#include "core/pipeline/settlement.hpp"
#include "core/runtime/hop.hpp"
#include "core/store/every.hpp"

namespace schakel::api {

Task<Result<Json>> invoice_view(Services& s, std::string case_id, const Party* party) {
  Json out{{"binnen", Json::array()}, {"uit", Json::array()}};
  auto prefix = case_id.empty() ? std::string() : case_id + "/";
  for (auto [space, list] : {std::pair{pipeline::kInvoicesIn, "binnen"}, std::pair{pipeline::kInvoicesOut, "uit"}}) {
    std::string after;
    for (;;) {
      auto rows = co_await s.store.rows(std::string(space), prefix, after, 500);
      if (!rows) co_return fail(std::move(rows.error()));
      if (rows->empty()) break;
      after = rows->back().key;
      for (const auto& row : *rows) {
        auto j = Json::parse(row.value.begin(), row.value.end());
        if (party) {
          // A party sees what it brought in, pays or is paid, in cases it has to do with.
          bool mine = j.value("partij", "") == party->id;
          if (std::string_view(list) == "uit") {
            auto is = [&](const std::string& role, const std::string& named) {
              if (role == "zorgaanbieder") return named == party->id;
              const auto* known = s.parties->invoice_party(role, j.value("regio", ""));
              return known && known->id == party->id;
            };
            mine = is(j.value("betaler", ""), "") || is(j.value("ontvanger", ""), j.value("ontvangerPartij", ""));
          }
          if (mine) {
            auto member = co_await journal::is_member(s.store, *party, j.value("zaak", ""));
            if (!member) co_return fail(std::move(member.error()));
            mine = *member;
          }
          if (!mine) continue;
        }
        if (std::string_view(list) == "binnen" && j.value("status", "") == "held") {
          auto owed = co_await s.store.row(std::string(pipeline::kInvoiceAnswer), row.key);
          if (!owed) co_return fail(std::move(owed.error()));
          if (*owed) j["antwoordUiterlijk"] = Json::parse((*owed)->value.begin(), (*owed)->value.end())["termijn"];
        }
        if (auto delivery = j.value("aflevering", ""); !delivery.empty()) {
          auto state = co_await pipeline::settled(s.store, delivery);
          if (!state) co_return fail(std::move(state.error()));
          j["status"] = pipeline::status_dutch(state->status);
          j["code"] = state->code;
          j["open"] = state->open;
        }
        out[list].push_back(std::move(j));
      }
    }
  }
  co_return out;
}

namespace {

Task<net::Response> get_deliveries(Call& call) {
  auto zaak = call.query["zaak"];
  auto member = co_await require_member(call.services, *call.party, zaak);
  if (!member) co_return problem(member.error());
  auto sent = co_await sent_by(call.services, *call.party, zaak);
  if (!sent) co_return problem(sent.error());
  store::DeliveryFilter filter;
  filter.case_id = zaak;
  auto rows = co_await store::every_delivery(call.services.store, filter);
  if (!rows) co_return problem(rows.error());
  Json out = Json::array();
  for (const auto& d : *rows)
    if (sent->contains(d.message)) out.push_back(delivery_view(d));
  co_return json(200, {{"afleveringen", out}});
}

Task<net::Response> get_invoices(Call& call) {
  if (!call.query["zaak"].empty()) {
    auto member = co_await require_member(call.services, *call.party, call.query["zaak"]);
    if (!member) co_return problem(member.error());
  }
  auto view = co_await invoice_view(call.services, call.query["zaak"], call.party);
  if (!view) co_return problem(view.error());
  co_return json(200, *view);
}

/// /in/{instance}/...
std::string instance_of(const net::RequestHead& head) {
  auto rest = head.path.substr(4);
  return rest.substr(0, rest.find('/'));
}

Task<net::Response> inbound(Call& call) {
  // /in/<instance>/...: the adapter's own interface, behind our certificate check.
  auto it = call.services.delivering.instances().find(instance_of(call.request.head));
  if (call.services.xsd && !call.request.body.empty()) {
    std::vector<Finding> findings;
    auto look = [&] {
      findings = call.services.xsd->check(formats::sniff(call.request.body), call.request.body);
      return true;
    };
    if (call.services.pool) {
      auto done = co_await call.services.pool->run(look);
      if (!done) co_return problem(done.error());
    } else {
      look();
    }
    if (!findings.empty())
      co_return problem(
          {ErrorKind::invalid, "XML_SCHEMA", "the document is not valid against its schema", std::move(findings)});
  }
  HttpRequest request;
  request.method = call.request.head.method;
  request.url = call.request.head.path;
  request.headers.assign(call.request.head.headers.begin(), call.request.head.headers.end());
  request.body = std::move(call.request.body);
  // An adapter lives on one io_context, whichever shard the connection is on.
  auto reply = co_await runtime::on(call.services.broker,
                                    it->second.adapter->on_request(request, call.party->id, *it->second.inbox));
  if (!reply) co_return problem(reply.error());
  net::Response r;
  r.status = reply->status;
  for (auto& [h, v] : reply->headers) r.headers.add(h, v);
  r.body = std::move(reply->body);
  co_return r;
}

}  // namespace

Result<void> inbound_admits(const Services& services, const Party& party, const net::RequestHead& head) {
  const auto& instances = services.delivering.instances();
  auto it = instances.find(instance_of(head));
  if (it == instances.end() || !it->second.adapter || !it->second.inbox ||
      (!it->second.party.empty() && it->second.party != party.id))
    return fail(ErrorKind::not_found, "NOT_FOUND", "There is nothing here");
  return {};
}

Task<net::Response> adapter_inbound(Call& call) {
  auto response = co_await inbound(call);
  co_return response;
}

std::vector<Route> delivery_routes() {
  return {{"GET", "/v1/afleveringen", Who::party, 0, false, get_deliveries},
          {"GET", "/v1/facturen", Who::party, 0, false, get_invoices}};
}

}  // namespace schakel::api
