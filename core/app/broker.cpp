#include "core/app/broker.hpp"

#include <fmt/format.h>

#include "core/api/routes.hpp"
#include "core/app/broker_parts.hpp"
#include "core/app/keys.hpp"
#include "core/app/openapi.hpp"
#include "core/base/calendar.hpp"
#include "core/base/log.hpp"
#include "core/runtime/hop.hpp"

namespace schakel::app {
namespace fs = std::filesystem;

namespace {

net::ListenerOptions listener(std::string name, const ListenerConfig& c, std::shared_ptr<net::TlsServerContext> tls) {
  return {std::move(name), net::TcpEndpoint{c.address, c.port}, std::move(tls)};
}

}  // namespace

Result<void> Broker::Parts::listen() {
  auto api_context = server_tls(config.api);
  if (!api_context) return fail(std::move(api_context.error()));
  api_tls = std::move(*api_context);
  auto health_context = server_tls(config.health);
  if (!health_context) return fail(std::move(health_context.error()));
  health_tls = std::move(*health_context);
  auto portal_context = server_tls(config.portal.listener);
  if (!portal_context) return fail(std::move(portal_context.error()));
  portal_tls = std::move(*portal_context);
  auto openapi = openapi_text();
  if (!config.xsd_dir.empty()) {
    auto opened_xsd = formats::XsdFolder::open(config.xsd_dir.string());
    if (!opened_xsd) return fail(std::move(opened_xsd.error()));
    xsd = std::make_unique<formats::XsdFolder>(std::move(*opened_xsd));
  }

  api::Services services{shards->executor(0),
                         *store,
                         *journal,
                         *ingress,
                         *pipeline,
                         *dispatcher,
                         *delivering,
                         *vault,
                         *documents,
                         *participants,
                         *bsn,
                         config.parties,
                         clock,
                         config.document_limit,
                         openapi,
                         [this] { return metrics.text(); },
                         [this] { return health(); },
                         [this]() -> Task<Result<Json>> { return runtime::on(shards->executor(0), verify_audit()); },
                         [this](Json order) -> Task<Result<Json>> {
                           return runtime::on(shards->executor(0), backend->links_for_operator(std::move(order)));
                         },
                         &pool,
                         config.schemas_dir.string(),
                         [this](const std::string& route, int status, milliseconds took) {
                           metrics.count("schakel_http_responses_total",
                                         {{"route", route}, {"status", std::to_string(status)}});
                           if (!route.empty())
                             metrics.observe("schakel_http_response_seconds", {{"route", route}},
                                             std::chrono::duration<double>(took).count());
                         }};
  services.xsd = xsd.get();
  services.openapi_operator = openapi_operator_text();
  router = std::make_unique<api::Router>(std::move(services), api::all_routes());
  router->below("/in/", std::uint64_t{32} << 20, api::adapter_inbound, api::inbound_admits);
  net::ServerOptions o;
  o.listeners.push_back(listener("api", config.api, api_tls));
  o.listeners.push_back(listener("health", config.health, health_tls));
  fs::create_directories(config.socket.parent_path());
  o.listeners.push_back({"socket", net::UnixEndpoint{config.socket.string(), 0600}, nullptr});
  o.decorate = api::decorate;
  // Intake waits while decisions are far behind: an honest 503 instead of an unbounded queue.
  o.overloaded = [this](const net::RequestHead& head) -> std::optional<std::chrono::seconds> {
    if (head.method == "POST" && head.listener == "api" && backlog()) return std::chrono::seconds(5);
    return std::nullopt;
  };
  api_server = std::make_unique<net::HttpServer>(*shards, *router, std::move(o));
  if (auto started = api_server->start(); !started) return started;

  limiter = std::make_unique<portal::RateLimiter>(*store, *vault, clock);
  portal::PortalOptions pages;
  pages.share = config.assets_dir;
  pages.public_url = config.portal.base_url;
  pages.organisation = config.portal.organisation;
  pages.contact = config.portal.contact;
  auto opened = portal::Portal::open(*backend, *links, *limiter, std::move(pages));
  if (!opened) return fail(std::move(opened.error()));
  portal = std::move(*opened);
  net::ServerOptions p;
  p.listeners.push_back(listener("portal", config.portal.listener, portal_tls));
  portal_server = std::make_unique<net::HttpServer>(*shards, *portal, std::move(p));
  return portal_server->start();
}

Broker::Broker(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Broker::~Broker() { stop(std::chrono::seconds(1)); }

Result<std::unique_ptr<Broker>> Broker::start(Config config) {
  auto parts = std::make_unique<Parts>();
  parts->config = std::move(config);
  auto& p = *parts;
  try {
    load_time_zone();
  } catch (const std::runtime_error&) {
    return fail(ErrorKind::unavailable, "TIME_ZONE_MISSING", "this system has no tz database (package tzdata)");
  }
  std::error_code ec;
  fs::create_directories(p.config.data_dir, ec);
  fs::permissions(p.config.data_dir, fs::perms::owner_all, ec);
  p.shards = std::make_unique<runtime::Shards>(p.config.shards ? p.config.shards : runtime::usable_cores());
  store::SqliteOptions options;
  options.ballast_bytes = p.config.ballast_bytes;
  options.on_fatal = [](const Error& e) {
    // What reached the disk is unknown now; only opening the store anew can tell (trust.md F5, DUR-5).
    log(LogLevel::error, "store.fatal", {{"code", e.code}});
    std::_Exit(70);
  };
  auto store = store::SqliteStore::open(p.config.store_path, p.clock, std::move(options));
  if (!store) return fail(std::move(store.error()));
  p.store = std::move(*store);
  p.shards->start();
  auto broker = std::unique_ptr<Broker>(new Broker(std::move(parts)));
  if (auto ready = p.here(p.set_up()); !ready) return fail(std::move(ready.error()));
  if (auto listening = p.listen(); !listening) return fail(std::move(listening.error()));
  auto loops = boost::asio::co_spawn(p.shards->executor(0), p.start_loops(), boost::asio::use_future);
  loops.get();
  log(LogLevel::info, "broker.started", {{"shards", std::int64_t{p.shards->size()}}});
  return broker;
}

std::map<std::string, std::string> Broker::addresses() const {
  const auto& p = *parts_;
  auto at = [](const ListenerConfig& c, std::uint16_t port) {
    return fmt::format("{}://{}:{}", c.certificate.empty() ? "http" : "https", c.address, port);
  };
  return {{"api", at(p.config.api, p.api_server->port("api"))},
          {"portal", at(p.config.portal.listener, p.portal_server->port("portal"))},
          {"health", at(p.config.health, p.api_server->port("health"))},
          {"socket", p.config.socket.string()}};
}

void Broker::reload() {
  auto& p = *parts_;
  auto again = [](std::string_view use, const auto& context) {
    if (!context) return;
    auto done = context->reload();
    if (done)
      log(LogLevel::info, "certificates.reloaded", {{"use", std::string(use)}});
    else
      log(LogLevel::error, "certificates.not_reloaded", {{"use", std::string(use)}, {"code", done.error().code}});
  };
  again("api", p.api_tls);
  again("health", p.health_tls);
  again("portal", p.portal_tls);
  again("http", p.client_tls);
  p.look_at_certificates(true);
}

void Broker::stop(milliseconds grace) {
  auto& p = *parts_;
  if (p.stopped.exchange(true)) return;
  if (p.portal_server) p.portal_server->stop(grace);
  if (p.portal) {
    auto written = p.here(p.portal->flush());
    if (!written) log(LogLevel::warn, "portal.flush_failed", {{"code", written.error().code}});
  }
  if (p.api_server) p.api_server->stop(grace);
  if (p.scope) {
    // Polling adapters know no end of their own; what they brought in is durable or will be fetched again.
    p.here(p.adapter_scope->close(milliseconds(0), std::chrono::seconds(5)));
    p.here(p.scope->close(grace, std::chrono::seconds(5)));
    auto flushed = p.here(p.sequencer->flush());
    if (!flushed) log(LogLevel::warn, "audit.last_head_failed", {{"code", flushed.error().code}});
  }
  p.shards->stop(grace, std::chrono::seconds(2));
  p.pool.stop();
  p.drawing.stop();
  p.store->close();
  log(LogLevel::info, "broker.stopped");
}

}  // namespace schakel::app
