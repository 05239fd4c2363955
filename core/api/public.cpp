#include "core/api/routes.hpp"

namespace schakel::api {
namespace {

net::Response description(const std::string& text) {
  net::Response r;
  r.headers.set("Content-Type", "application/json");
  r.body = text;
  return r;
}

Task<net::Response> openapi(Call& call) {
  auto r = description(call.services.openapi);
  r.headers.set("Access-Control-Allow-Origin", "*");
  co_return r;
}

Task<net::Response> openapi_operator(Call& call) { co_return description(call.services.openapi_operator); }

Task<net::Response> alive(Call&) { co_return json(200, {{"status", "ok"}}); }

/// How the broker is doing is for who runs it: the health listener and the socket, never the one that partners reach.
bool for_partners(const Call& call) { return call.request.head.listener == "api"; }
net::Response nothing_here() { return problem({ErrorKind::not_found, "NOT_FOUND", "There is nothing here", {}}); }

Task<net::Response> ready(Call& call) {
  if (for_partners(call)) co_return nothing_here();
  auto health = call.services.health ? call.services.health() : Json{{"ready", true}};
  co_return json(health.value("ready", false) ? 200 : 503, health);
}

Task<net::Response> metrics(Call& call) {
  if (for_partners(call)) co_return nothing_here();
  net::Response r;
  r.headers.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  r.body = call.services.metrics ? call.services.metrics() : "";
  co_return r;
}

}  // namespace

std::vector<Route> public_routes() {
  return {{"GET", "/v1/openapi.json", Who::anyone, 0, false, openapi},
          {"GET", "/v1/beheer/openapi.json", Who::operator_, 0, false, openapi_operator},
          {"GET", "/healthz", Who::anyone, 0, false, alive},
          {"GET", "/readyz", Who::anyone, 0, false, ready},
          {"GET", "/metrics", Who::anyone, 0, false, metrics}};
}

std::vector<Route> all_routes() {
  std::vector<Route> out;
  for (auto part :
       {message_routes(), case_routes(), document_routes(), delivery_routes(), explain_routes(), rehearse_routes(),
        register_routes(), operator_routes(), audit_routes(), finance_routes(), public_routes()})
    out.insert(out.end(), part.begin(), part.end());
  return out;
}

}  // namespace schakel::api
