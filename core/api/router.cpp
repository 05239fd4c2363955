#include "core/api/router.hpp"

#include "core/audit/leaf.hpp"
#include "core/base/log.hpp"

namespace schakel::api {

struct Router::Matched {
  const Route* route = nullptr;
  const Party* party = nullptr;
  std::map<std::string, std::string> path, query;
};

namespace {

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> out;
  std::size_t at = 1;
  while (at <= path.size()) {
    auto end = std::min(path.find('/', at), path.size());
    out.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

/// Values of {names} when the path fits the pattern.
std::optional<std::map<std::string, std::string>> fit(std::string_view pattern, std::string_view path) {
  auto want = split(pattern), have = split(path);
  if (want.size() != have.size()) return std::nullopt;
  std::map<std::string, std::string> values;
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (want[i].starts_with("{")) {
      auto value = net::percent_decode(have[i]);
      if (!value || value->empty()) return std::nullopt;
      values[std::string(want[i].substr(1, want[i].size() - 2))] = *value;
    } else if (want[i] != have[i]) {
      return std::nullopt;
    }
  }
  return values;
}

net::Response plain_problem(int status, std::string code, std::string title) {
  Json j{{"status", status}, {"title", title}, {"detail", title}, {"code", std::move(code)}};
  net::Response r;
  r.status = status;
  r.headers.set("Content-Type", "application/problem+json");
  r.body = dump_json(j);
  return r;
}

/// The stable code of a problem; of an answer without one, its status.
std::string code_of(const net::Response& r) {
  if (r.status < 400) return {};
  if (r.headers.get("Content-Type") == "application/problem+json")
    if (auto j = parse_json(r.body, {1 << 20, 16, 64 * 1024}); j && j->is_object())
      if (auto code = text_of(*j, "code"); !code.empty()) return code;
  return "HTTP_" + std::to_string(r.status);
}

}  // namespace

net::Response json(int status, const Json& body) {
  net::Response r;
  r.status = status;
  r.headers.set("Content-Type", "application/json");
  r.body = dump_json(body);
  return r;
}

net::Response problem(const Error& error) {
  auto status = net::status_of(error.kind);
  auto r = plain_problem(status, error.code, error.message);
  if (!error.findings.empty()) {
    auto j = Json::parse(r.body);
    j["fouten"] = Json::array();
    for (const auto& f : error.findings)
      j["fouten"].push_back({{"plaats", f.pointer}, {"code", f.code}, {"melding", f.message}, {"regel", f.rule}});
    r.body = dump_json(j);
  }
  if (error.kind == ErrorKind::unavailable) r.headers.set("Retry-After", "5");
  return r;
}

std::string text_of(const Json& object, const char* name) {
  auto it = object.find(name);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

Result<Json> object_of(const net::Request& request, std::size_t limit) {
  auto json = parse_json(request.body, {limit, 32, limit});
  if (!json) return fail(std::move(json.error()));
  if (!json->is_object()) return fail(ErrorKind::invalid, "BODY_NOT_OBJECT", "the body must be a JSON object");
  return json;
}

Result<void> nothing_of(const net::Request& request) {
  auto body = object_of(request, 1024);
  if (!body) return fail(std::move(body.error()));
  if (!body->empty())
    return fail(ErrorKind::invalid, "BODY_NOT_EMPTY", "this takes no parameters: the body must be {}");
  return {};
}

void decorate(const net::RequestHead*, net::Response& r) {
  auto once = [&](const char* name, const char* value) {
    if (!r.headers.has(name)) r.headers.set(name, value);
  };
  once("API-Version", "1.0.0");
  once("Cache-Control", "no-store");
  once("Content-Security-Policy", "frame-ancestors 'none'");
  once("Strict-Transport-Security", "max-age=31536000");
  once("X-Content-Type-Options", "nosniff");
  once("X-Frame-Options", "DENY");
  once("Referrer-Policy", "no-referrer");
}

Router::Router(Services services, std::vector<Route> routes)
    : services_(std::move(services)), routes_(std::move(routes)) {}

void Router::below(std::string prefix, std::uint64_t body_limit, std::function<Task<net::Response>(Call&)> run,
                   std::function<Result<void>(const Services&, const Party&, const net::RequestHead&)> admits) {
  prefixes_.push_back({"*", std::move(prefix), Who::party, body_limit, false, std::move(run), std::move(admits)});
}

bool Router::within_rate(const Party& party) {
  auto minute = services_.clock.now().time_since_epoch().count() / 60000;
  std::lock_guard lock(rate_mutex_);
  auto& w = rates_[party.id];
  if (w.minute != minute) w = {minute, 0};
  return ++w.count <= party.rate_per_minute;
}

void Router::count(const Route* route, int status, milliseconds took) const {
  if (services_.answered) services_.answered(route ? route->method + " " + route->pattern : "", status, took);
}

Task<void> Router::note(const Party* party, const Route* route, int status, std::string code) {
  if (!party || status < 400 || status >= 500) co_return;
  std::string where;
  if (route)
    for (char c : route->method + ":" + route->pattern)
      if (c != '{' && c != '}' && c != '*') where += c;
  auto done = co_await services_.store.commit({{audit::leaf(
      services_.clock.now(), "request.refused",
      {.ids = {{"party", party->id}, {"route", where.empty() ? "none" : where}}, .codes = {std::move(code)}})}});
  if (!done) log(LogLevel::error, "api.audit_failed", {{"code", done.error().code}});
}

Task<net::HeadDecision> Router::on_head(const net::RequestHead& head) {
  const Party* party = nullptr;
  if (head.peer.kind == net::PeerIdentity::Kind::certificate) {
    CertificateFacts facts{head.peer.oin, head.peer.san_dns, head.peer.spki_sha256};
    facts.sans.insert(facts.sans.end(), head.peer.san_uri.begin(), head.peer.san_uri.end());
    party = services_.parties->identify(facts);
  }
  auto matched = std::make_shared<Matched>();
  auto decision = co_await decide(head, party, matched);
  if (const auto* refusal = std::get_if<net::Response>(&decision)) {
    count(matched->route, refusal->status, {});
    co_await note(party, matched->route, refusal->status, code_of(*refusal));
  }
  co_return decision;
}

Task<net::HeadDecision> Router::decide(const net::RequestHead& head, const Party* party,
                                       std::shared_ptr<Matched> matched) {
  bool local = head.peer.kind == net::PeerIdentity::Kind::local;
  bool path_known = false;
  for (const auto& route : routes_) {
    auto values = fit(route.pattern, head.path);
    if (!values) continue;
    path_known = true;
    if (route.method != head.method && !(head.method == "HEAD" && route.method == "GET")) continue;
    matched->route = &route;
    matched->path = std::move(*values);
    break;
  }
  if (!matched->route)
    for (const auto& route : prefixes_)
      if (head.path.starts_with(route.pattern)) matched->route = &route;
  auto who = matched->route ? matched->route->who : Who::party;
  if (who == Who::party && !party && !local) {
    log(LogLevel::info, "api.unknown_party", {{"listener", head.listener}});
    co_return plain_problem(403, "PARTY_UNKNOWN", "This certificate does not belong to a known party");
  }
  if (who == Who::operator_ && !local) co_return plain_problem(404, "NOT_FOUND", "There is nothing here");
  // A local caller may not pose as a party: routes of parties need one.
  if (matched->route && who == Who::party && !party)
    co_return plain_problem(403, "PARTY_UNKNOWN", "This route is for parties");
  if (!matched->route) {
    if (path_known) co_return plain_problem(405, "METHOD_NOT_ALLOWED", "This method does not exist here");
    co_return plain_problem(404, "NOT_FOUND", "There is nothing here");
  }
  if (party && !within_rate(*party)) {
    auto r = plain_problem(503, "RATE_LIMIT", "This party sends more in a minute than was agreed");
    r.headers.set("Retry-After", "30");
    co_return r;
  }
  auto query = net::parse_query(head.query);
  if (!query) co_return problem(query.error());
  for (auto& [name, value] : *query)
    if (!matched->query.emplace(name, value).second)
      co_return plain_problem(400, "QUERY_REPEATED", "A query parameter is there twice");
  if (party && matched->route->admits)
    if (auto ok = matched->route->admits(services_, *party, head); !ok) co_return problem(ok.error());
  matched->party = party;
  net::Accept accept;
  accept.body_limit = matched->route->body_limit;
  accept.stream = matched->route->stream;
  accept.context = std::shared_ptr<const Matched>(std::move(matched));
  co_return accept;
}

Task<void> Router::on_body_refused(const net::Request& request, std::string code) {
  auto matched = std::any_cast<std::shared_ptr<const Matched>>(request.context);
  count(matched->route, 413, {});
  co_await note(matched->party, matched->route, 413, std::move(code));
}

Task<net::Response> Router::on_request(net::Request& request) {
  auto matched = std::any_cast<std::shared_ptr<const Matched>>(request.context);
  Call call{services_, request, matched->party, matched->path, matched->query};
  const auto began = std::chrono::steady_clock::now();
  auto response = co_await matched->route->run(call);
  count(matched->route, response.status,
        std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began));
  if (!call.audited) co_await note(matched->party, matched->route, response.status, code_of(response));
  co_return response;
}

}  // namespace schakel::api
