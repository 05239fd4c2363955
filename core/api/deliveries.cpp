#include <charconv>
#include <utility>

#include "core/api/routes.hpp"
#include "core/journal/members.hpp"
#include "core/pipeline/invoice_index.hpp"
#include "core/pipeline/settlement.hpp"
#include "core/runtime/hop.hpp"
#include "core/store/every.hpp"
#include "core/store/row_json.hpp"

namespace schakel::api {

bool is_invoice_party(const Parties& parties, const Party& party, const std::string& role, const std::string& named,
                      const std::string& region) {
  if (!named.empty() || role == "zorgaanbieder") return named == party.id;
  // Decided before rows said it, or held because the case does not say it: only where there is no choice.
  auto all = parties.invoice_parties(role, region);
  return all.size() == 1 && all.front()->id == party.id;
}

namespace {

constexpr int kInvoicePage = 500;

/// Whether a party may see this row: it brought the invoice in, pays it or is paid, in a case it has to do with.
Task<Result<bool>> sees_invoice(Services& s, const Party& party, const Json& j, bool out) {
  bool mine = j.value("partij", "") == party.id;
  if (out) {
    // Rows from before the payer stood in them mean something else by the receiver's party.
    bool says = j.contains("betalerPartij");
    auto is = [&](const char* side, const char* named) {
      auto role = j.value(side, "");
      return is_invoice_party(*s.parties, party, role, says || role == "zorgaanbieder" ? j.value(named, "") : "",
                              j.value("regio", ""));
    };
    mine = is("betaler", "betalerPartij") || is("ontvanger", "ontvangerPartij");
  }
  if (!mine) co_return false;
  auto member = co_await journal::is_member(s.store, party, j.value("zaak", ""));
  co_return member;
}

/// What became of it since.
Task<Result<void>> tell_state(Services& s, const std::string& key, Json& j, bool out) {
  if (!out && j.value("status", "") == "held") {
    auto owed = co_await s.store.row(std::string(pipeline::kInvoiceAnswer), key);
    if (!owed) co_return fail(std::move(owed.error()));
    if (*owed) {
      auto answer = store::object_in(**owed);
      if (!answer) co_return fail(std::move(answer.error()));
      j["antwoordUiterlijk"] = answer->value("termijn", "");
    }
  }
  if (auto delivery = j.value("aflevering", ""); !delivery.empty()) {
    auto state = co_await pipeline::settled(s.store, delivery);
    if (!state) co_return fail(std::move(state.error()));
    j["status"] = pipeline::status_dutch(state->status);
    j["code"] = state->code;
    j["open"] = state->open;
    if (!state->sent_as.empty()) j["verstuurdAls"] = state->sent_as;
  }
  co_return Result<void>{};
}

}  // namespace

Task<Result<Json>> invoice_view(Services& s, std::map<std::string, std::string> query, const Party* party) {
  auto wrong = [](const char* text) { return fail(ErrorKind::invalid, "VALUE", text); };
  int limit = kInvoicePage;
  if (const auto& asked = query["limit"]; !asked.empty()) {
    auto [end, error] = std::from_chars(asked.data(), asked.data() + asked.size(), limit);
    if (error != std::errc{} || end != asked.data() + asked.size() || limit < 1 || limit > kInvoicePage)
      co_return wrong("limit must be 1 to 500");
  }
  // Where the page before ended: the list and the last key of it.
  std::string after = query["na"];
  bool out = after.starts_with("uit/");
  if (!after.empty() && !out && !after.starts_with("binnen/"))
    co_return wrong("na must be the verder of the page before");
  if (!after.empty()) after.erase(0, after.find('/') + 1);
  auto prefix = query["zaak"].empty() ? std::string() : query["zaak"] + "/";
  Json view{{"binnen", Json::array()}, {"uit", Json::array()}};
  // Rows of others count as looked at: a page takes no longer for a party that sees little.
  for (int left = limit, looked = 0;;) {
    if (left == 0 || looked >= 4 * kInvoicePage) {
      view["verder"] = (out ? "uit/" : "binnen/") + after;
      co_return view;
    }
    int take = party ? kInvoicePage : left;
    auto rows =
        co_await s.store.rows(std::string(out ? outbox::kInvoicesOut : pipeline::kInvoicesIn), prefix, after, take);
    if (!rows) co_return fail(std::move(rows.error()));
    for (const auto& row : *rows) {
      if (left == 0) break;
      after = row.key;
      ++looked;
      auto known = store::object_in(row);
      if (!known) co_return fail(std::move(known.error()));
      auto j = std::move(*known);
      if (party) {
        auto sees = co_await sees_invoice(s, *party, j, out);
        if (!sees) co_return fail(std::move(sees.error()));
        if (!*sees) continue;
      }
      auto told = co_await tell_state(s, row.key, j, out);
      if (!told) co_return fail(std::move(told.error()));
      view[out ? "uit" : "binnen"].push_back(std::move(j));
      --left;
    }
    if (std::cmp_equal(rows->size(), take)) continue;  // there may be more of this list
    if (left == 0 && !rows->empty() && rows->back().key != after) continue;
    if (out) co_return view;
    out = true;
    after.clear();
  }
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
  auto view = co_await invoice_view(call.services, call.query, call.party);
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
