// Routes of the REST interface: who may call, how large a body may be, and what runs.
#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "core/api/services.hpp"
#include "core/net/http_server.hpp"

namespace schakel::api {

/// Who is calling. Each route says whom it takes; everybody else is refused before a byte of the body is read.
enum class Who {
  anyone,    ///< health, the description of the interface
  party,     ///< an organisation, known by its certificate
  operator_  ///< the command line on this machine, through the UNIX socket
};

struct Call {
  Services& services;
  net::Request& request;
  const Party* party = nullptr;  ///< set for Who::party
  std::map<std::string, std::string> path;
  std::map<std::string, std::string> query;
  bool audited = false;  ///< the handler left its own leaf of a refusal
};

struct Route {
  std::string method;
  std::string pattern;  ///< /v1/zaken/{zaak}
  Who who = Who::party;
  std::uint64_t body_limit = 0;
  bool stream = false;
  std::function<Task<net::Response>(Call&)> run;
  /// Rights that the head alone can tell: asked before a byte of the body is read. None: whoever `who` takes.
  std::function<Result<void>(const Services&, const Party&, const net::RequestHead&)> admits{};
};

/// Thread: every shard. Lifetime: outlives the server.
class Router final : public net::HttpHandler {
 public:
  Router(Services services, std::vector<Route> routes);
  Task<net::HeadDecision> on_head(const net::RequestHead& head) override;
  Task<void> on_body_refused(const net::Request& request, std::string code) override;
  Task<net::Response> on_request(net::Request& request) override;
  [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }
  /// Serves `prefix` and everything below through a function of its own (adapters' inbound paths).
  void below(std::string prefix, std::uint64_t body_limit, std::function<Task<net::Response>(Call&)> run,
             std::function<Result<void>(const Services&, const Party&, const net::RequestHead&)> admits = {});

 private:
  struct Matched;
  Task<net::HeadDecision> decide(const net::RequestHead& head, const Party* party, std::shared_ptr<Matched> matched);
  /// Every refusal of a known party leaves a leaf with its code; overload and our own faults do not.
  void count(const Route* route, int status, milliseconds took) const;
  Task<void> note(const Party* party, const Route* route, int status, std::string code);
  /// False when the party used up its minute (rate_per_minute of parties.json).
  [[nodiscard]] bool within_rate(const Party& party);
  struct Window {
    std::int64_t minute = 0, count = 0;
  };
  std::mutex rate_mutex_;
  std::map<std::string, Window> rates_;
  Services services_;
  std::vector<Route> routes_;
  std::vector<Route> prefixes_;
};

/// Security headers and API-Version on every response (NL API Design Rules, transport/security-headers).
void decorate(const net::RequestHead* head, net::Response& response);

/// application/problem+json with `code` and all findings.
[[nodiscard]] net::Response problem(const Error& error);
[[nodiscard]] net::Response json(int status, const Json& body);
/// A text member; empty when it is absent or no text.
[[nodiscard]] std::string text_of(const Json& object, const char* name);
/// The body as a JSON object; JSON_* or BODY_NOT_OBJECT.
[[nodiscard]] Result<Json> object_of(const net::Request& request, std::size_t limit = 64 * 1024);
/// For what takes no parameters: the body must be {}. As object_of, and BODY_NOT_EMPTY.
[[nodiscard]] Result<void> nothing_of(const net::Request& request);

}  // namespace schakel::api
