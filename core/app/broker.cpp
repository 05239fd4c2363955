#include "core/app/broker.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <fstream>
#include <random>

#include "core/api/routes.hpp"
#include "core/app/edges.hpp"
#include "core/app/openapi.hpp"
#include "core/app/portal_backend.hpp"
#include "core/audit/sequencer.hpp"
#include "core/audit/verify.hpp"
#include "core/base/log.hpp"
#include "core/delivery/host.hpp"
#include "core/journal/vault_sealer.hpp"
#include "core/net/http_client.hpp"
#include "core/pipeline/decide.hpp"
#include "core/pipeline/return_mail.hpp"
#include "core/pipeline/series.hpp"
#include "core/pipeline/settlement.hpp"
#include "core/pipeline/timers.hpp"
#include "core/portal/portal.hpp"
#include "core/runtime/hop.hpp"
#include "core/runtime/shards.hpp"
#include "core/store/sqlite/sqlite_store.hpp"

namespace schakel::app {
namespace asio = boost::asio;
namespace fs = std::filesystem;

Result<Secret> read_secret(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return fail(ErrorKind::invalid, "SECRET_FILE", "a secret cannot be read");
  Bytes bytes((std::istreambuf_iterator<char>(in)), {});
  while (!bytes.empty() && (bytes.back() == '\n' || bytes.back() == '\r')) bytes.pop_back();
  return Secret(std::move(bytes));
}

Result<std::vector<std::unique_ptr<Decider>>> load_deciders(plugin::Registry& registry) {
  std::vector<std::unique_ptr<Decider>> out;
  for (auto name : kDeciderOrder) {
    auto plugin = registry.load(plugin::Kind::decider, name);
    if (!plugin) return fail(std::move(plugin.error()));
    auto made = (*plugin)->make_decider(Json::object());
    if (!made) return fail(std::move(made.error()));
    out.push_back(std::move(*made));
  }
  return out;
}

namespace {

/// HTTP of the broker itself, for the SMS gateway: that one host, nothing else.
class OwnHttp final : public HttpAccess {
 public:
  explicit OwnHttp(std::shared_ptr<net::TlsClientContext> tls) : tls_(std::move(tls)) {}
  Task<Result<HttpReply>> request(HttpRequest request) override {
    net::ClientRequest out;
    out.method = std::move(request.method);
    out.url = std::move(request.url);
    for (auto& [name, value] : request.headers) out.headers.add(name, std::move(value));
    out.body = std::move(request.body);
    net::ClientOptions options;
    options.deadline = request.deadline;
    options.tls = tls_;
    options.allow_plain = out.url.starts_with("http://127.0.0.1") || out.url.starts_with("http://localhost");
    auto reply = co_await net::http_request(std::move(out), std::move(options));
    if (!reply) co_return fail(std::move(reply.error()));
    HttpReply in;
    in.status = reply->status;
    in.body = std::move(reply->body);
    co_return in;
  }

 private:
  std::shared_ptr<net::TlsClientContext> tls_;
};

net::ListenerOptions listener(std::string name, const ListenerConfig& c, std::shared_ptr<net::TlsServerContext> tls) {
  return {std::move(name), net::TcpEndpoint{c.address, c.port}, std::move(tls)};
}

Result<std::shared_ptr<net::TlsServerContext>> server_tls(const ListenerConfig& c) {
  if (c.certificate.empty()) return std::shared_ptr<net::TlsServerContext>{};
  net::TlsServerOptions o;
  o.certificate_file = c.certificate;
  o.key_file = c.key;
  if (!c.client_ca.empty()) {
    o.client = net::TlsServerOptions::ClientCertificate::required;
    o.client_ca_file = c.client_ca;
    o.crl_file = c.crl;
  }
  return net::TlsServerContext::load(std::move(o));
}

/// Random numbers for jitter: not a secret, so the fast generator will do.
double uniform() {
  thread_local std::minstd_rand generator(std::random_device{}());
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

constexpr std::string_view kAuditSeed = "audit.seed";

}  // namespace

struct Broker::Parts {
  Config config;
  SystemClock clock;
  runtime::MetricsRegistry metrics;
  runtime::BlockingPool pool{4, 1024};
  std::unique_ptr<runtime::Shards> shards;
  std::unique_ptr<store::SqliteStore> store;
  std::unique_ptr<vault::Vault> vault;
  std::unique_ptr<vault::Documents> documents;
  std::unique_ptr<vault::Participants> participants;
  std::unique_ptr<vault::Bsn> bsn;
  std::unique_ptr<journal::VaultSealer> sealer;
  std::unique_ptr<journal::Journal> journal;
  std::unique_ptr<audit::Sequencer> sequencer;
  std::shared_ptr<net::TlsClientContext> client_tls;
  std::unique_ptr<OwnHttp> own_http;
  std::unique_ptr<portal::HttpSmsSender> sms;
  std::unique_ptr<portal::LinkService> links;
  std::unique_ptr<plugin::Registry> registry;
  std::vector<std::unique_ptr<Decider>> deciders;
  std::unique_ptr<CaseDirectory> directory;
  std::unique_ptr<pipeline::Pipeline> pipeline;
  std::unique_ptr<pipeline::TimerLoop> timers;
  std::unique_ptr<pipeline::SettlementWatch> settlements;
  std::unique_ptr<net::ImapMailbox> return_mailbox;
  std::unique_ptr<pipeline::MailSource> return_source;
  std::unique_ptr<pipeline::ReturnMail> return_mail;
  std::unique_ptr<ingress::TypeCatalogue> catalogue;
  std::unique_ptr<VaultDocumentCheck> document_check;
  std::unique_ptr<ingress::Ingress> ingress;
  std::unique_ptr<net::MailSender> mail_sender;
  std::unique_ptr<ConfiguredMail> mail;
  std::unique_ptr<delivery::Delivering> delivering;
  std::unique_ptr<outbox::Dispatcher> dispatcher;
  std::unique_ptr<AdapterInbox> inbox;
  std::vector<std::unique_ptr<delivery::InstanceHost>> hosts;
  std::vector<std::unique_ptr<Adapter>> adapters;
  std::unique_ptr<BrokerPortalBackend> backend;
  std::unique_ptr<portal::RateLimiter> limiter;
  std::unique_ptr<portal::Portal> portal;
  std::unique_ptr<formats::XsdFolder> xsd;
  std::unique_ptr<api::Router> router;
  std::unique_ptr<net::HttpServer> api_server, portal_server;
  std::unique_ptr<runtime::Scope> scope, adapter_scope;
  std::string audit_key_text;
  std::atomic<std::int64_t> undecided{0};
  bool stopped = false;

  Task<Result<void>> set_up();
  Task<Result<void>> open_vault();
  Task<Result<void>> start_adapters();
  Result<void> open_return_mail();
  Task<void> start_loops();
  Task<void> watch();
  Task<void> sweep();
  Task<void> run_adapter(Adapter& adapter);
  Task<void> sequence();
  Task<Result<Json>> verify_audit();
  Result<void> listen();
  Json health() const;

  /// Runs a coroutine on the broker's shard and waits for it here, on main.
  template <class T>
  T here(Task<T> task) {
    auto future = asio::co_spawn(shards->executor(0), std::move(task), asio::use_future);
    return future.get();
  }
};

Task<Result<void>> Broker::Parts::open_vault() {
  auto master = vault::MasterKey::from_file(config.master_key);
  if (!master) co_return fail(std::move(master.error()));
  auto opened = co_await vault::Vault::open(*store, clock, std::move(*master));
  if (!opened) co_return fail(std::move(opened.error()));
  vault = std::move(*opened);
  auto blobs = vault::Blobs::open(config.data_dir / "blobs");
  if (!blobs) co_return fail(std::move(blobs.error()));
  documents = std::make_unique<vault::Documents>(*vault, *store, clock, pool, std::move(*blobs));
  participants = std::make_unique<vault::Participants>(*vault, *store);
  bsn = std::make_unique<vault::Bsn>(*vault, *store, clock);
  sealer = std::make_unique<journal::VaultSealer>(*vault);
  auto hash_key = vault->mac("journal", {});
  journal = std::make_unique<journal::Journal>(*store, *sealer, clock, Secret(Bytes(hash_key.begin(), hash_key.end())));

  // The key that signs the log is made once and lives in the vault.
  auto seed = co_await vault->secret(std::string(kAuditSeed));
  if (!seed && seed.error().code == "SECRET_UNKNOWN") {
    auto row = co_await vault->put_secret(std::string(kAuditSeed), Secret(random_bytes(32)));
    if (!row) co_return fail(std::move(row.error()));
    auto done = co_await store->commit({{std::move(*row)}});
    if (!done) co_return fail(std::move(done.error()));
    seed = co_await vault->secret(std::string(kAuditSeed));
  }
  if (!seed) co_return fail(std::move(seed.error()));
  auto signer = audit::Signer::from_seed("schakel/log", std::move(*seed));
  if (!signer) co_return fail(std::move(signer.error()));
  audit_key_text = signer->public_text();
  audit::SequencerOptions options;
  options.heads_path = config.data_dir / "audit-heads.jsonl";
  sequencer = std::make_unique<audit::Sequencer>(*store, clock, std::move(*signer), std::move(options));
  auto started = co_await sequencer->start();
  co_return started;
}

Task<Result<void>> Broker::Parts::set_up() {
  auto opened = co_await open_vault();
  if (!opened) co_return fail(std::move(opened.error()));

  if (!config.http_ca.empty() || !config.http_certificate.empty()) {
    auto tls = net::TlsClientContext::load({config.http_ca, config.http_certificate, config.http_key, {}});
    if (!tls) co_return fail(std::move(tls.error()));
    client_tls = std::move(*tls);
  } else {
    auto tls = net::TlsClientContext::load({});
    if (!tls) co_return fail(std::move(tls.error()));
    client_tls = std::move(*tls);
  }
  own_http = std::make_unique<OwnHttp>(client_tls);
  if (config.portal.sms.is_object()) {
    portal::SmsGateway gateway;
    gateway.url = config.portal.sms.value("url", "");
    if (auto name = config.portal.sms.value("secret", ""); !name.empty()) {
      auto it = config.secrets.find(name);
      auto secret = it == config.secrets.end()
                        ? Result<Secret>(fail(ErrorKind::invalid, "SECRET_UNKNOWN", "the SMS secret is not configured"))
                        : read_secret(it->second);
      if (!secret) co_return fail(std::move(secret.error()));
      gateway.authorization = "Bearer " + std::string(secret->reveal_text());
    }
    sms = std::make_unique<portal::HttpSmsSender>(*own_http, std::move(gateway));
  }
  portal::LinkSettings link_settings;
  link_settings.public_url = config.portal.base_url;
  links = std::make_unique<portal::LinkService>(*store, *vault, clock, sms.get(), link_settings);
  auto links_started = co_await links->start();
  if (!links_started) co_return fail(std::move(links_started.error()));

  registry = std::make_unique<plugin::Registry>(config.plugins_dir);
  auto loaded = load_deciders(*registry);
  if (!loaded) co_return fail(std::move(loaded.error()));
  deciders = std::move(*loaded);
  std::vector<const Decider*> in_line;
  for (const auto& d : deciders) in_line.push_back(d.get());
  directory = std::make_unique<CaseDirectory>(*store, *participants, links.get(), clock);
  pipeline = std::make_unique<pipeline::Pipeline>(*journal, in_line, config.profiles, config.parties, *directory);
  // Who was who and which rules held, by version: as-of asks for it years later.
  auto kept = co_await pipeline->rules().in_force_now(config.profiles, config.parties_source, clock.now());
  if (!kept) co_return fail(std::move(kept.error()));
  timers = std::make_unique<pipeline::TimerLoop>(*journal);
  settlements = std::make_unique<pipeline::SettlementWatch>(*journal);
  if (auto opened_returns = open_return_mail(); !opened_returns) co_return opened_returns;
  auto restored = co_await pipeline::continue_series(*store, clock.now());
  if (!restored) co_return fail(std::move(restored.error()));
  if (*restored) log(LogLevel::warn, "invoices.new_series_epoch");

  auto types = ingress::TypeCatalogue::load(config.schemas_dir);
  if (!types) co_return fail(std::move(types.error()));
  catalogue = std::make_unique<ingress::TypeCatalogue>(std::move(*types));
  document_check = std::make_unique<VaultDocumentCheck>(*documents);
  std::vector<std::string> regions;
  for (const auto& [code, profile] : config.profiles) regions.push_back(code);
  ingress =
      std::make_unique<ingress::Ingress>(*journal, config.parties, *catalogue, *document_check, std::move(regions));
  inbox = std::make_unique<AdapterInbox>(*ingress, *journal, *documents, *bsn, config.parties, config.document_limit);

  if (!config.mail.from.empty()) {
    net::MailServer server;
    server.host = config.mail.host;
    server.port = config.mail.port;
    server.security = config.mail.security == "tls"    ? net::MailServer::Security::implicit_tls
                      : config.mail.security == "none" ? net::MailServer::Security::none
                                                       : net::MailServer::Security::starttls;
    server.user = config.mail.user;
    server.ca_file = config.mail.ca;
    if (!config.mail.password_secret.empty()) {
      auto it = config.secrets.find(config.mail.password_secret);
      auto secret =
          it == config.secrets.end()
              ? Result<Secret>(fail(ErrorKind::invalid, "SECRET_UNKNOWN", "the mail secret is not configured"))
              : read_secret(it->second);
      if (!secret) co_return fail(std::move(secret.error()));
      server.password = std::move(*secret);
    }
    mail_sender = std::make_unique<net::MailSender>(pool, std::move(server));
    mail = std::make_unique<ConfiguredMail>(*mail_sender, clock, config.mail.from);
  }

  delivering = std::make_unique<delivery::Delivering>(*journal, *vault, *documents);
  outbox::DispatcherOptions options;
  options.random = uniform;
  dispatcher = std::make_unique<outbox::Dispatcher>(*store, *delivering, clock, std::move(options));
  pipeline->on_enqueued([this] { dispatcher->arrivals().ring(); });
  auto adapters_started = co_await start_adapters();
  if (!adapters_started) co_return fail(std::move(adapters_started.error()));
  auto recovered = co_await dispatcher->recover();
  if (!recovered) co_return fail(std::move(recovered.error()));
  if (*recovered > 0) log(LogLevel::warn, "outbox.recovered", {{"deliveries", std::int64_t{*recovered}}});
  backend =
      std::make_unique<BrokerPortalBackend>(shards->executor(0), *journal, *pipeline, *ingress, *delivering, *documents,
                                            *participants, *vault, *links, config.parties, config.document_limit);
  backend->on_enqueued([this] { dispatcher->arrivals().ring(); });
  co_return Result<void>{};
}

Result<void> Broker::Parts::open_return_mail() {
  const auto& r = config.returns;
  if (!r.maildir.empty()) {
    return_source = pipeline::maildir_source(pool, r.maildir);
  } else if (!r.host.empty()) {
    auto it = config.secrets.find(r.password_secret);
    auto secret =
        it == config.secrets.end()
            ? Result<Secret>(fail(ErrorKind::invalid, "SECRET_UNKNOWN", "the secret of the mailbox is not configured"))
            : read_secret(it->second);
    if (!secret) return fail(std::move(secret.error()));
    net::ImapServer server;
    server.host = r.host;
    server.port = r.port;
    server.user = r.user;
    server.password = std::move(*secret);
    server.ca_file = r.ca;
    server.mailbox = r.mailbox;
    return_mailbox = std::make_unique<net::ImapMailbox>(pool, std::move(server));
    return_source = pipeline::imap_source(*return_mailbox, *store, r.remove);
  } else {
    return {};
  }
  return_mail =
      std::make_unique<pipeline::ReturnMail>(*journal, *return_source, metrics, milliseconds(r.every_seconds * 1000));
  return {};
}

Task<Result<void>> Broker::Parts::start_adapters() {
  delivery::HostServices services{*store,
                                  *sealer,
                                  *documents,
                                  *bsn,
                                  clock,
                                  metrics,
                                  mail.get(),
                                  links.get(),
                                  client_tls,
                                  [this](std::string_view name) -> Result<Secret> {
                                    auto it = config.secrets.find(std::string(name));
                                    if (it == config.secrets.end())
                                      return fail(ErrorKind::not_found, "SECRET_UNKNOWN",
                                                  "this secret is not configured");
                                    return read_secret(it->second);
                                  },
                                  [this](std::string_view party) {
                                    const auto* p = config.parties->find(party);
                                    return p && p->may_receive_bsn;
                                  }};
  for (const auto& [name, a] : config.adapters) {
    delivery::Instance instance;
    instance.name = name;
    instance.plugin = a.plugin;
    instance.party = a.party;
    instance.inbox = inbox.get();
    instance.config = a.config;
    auto degraded = [&](const Error& e) {
      instance.degraded = e.code;
      log(LogLevel::error, "adapter.degraded", {{"instance", name}, {"code", e.code}});
    };
    auto plugin = registry->load(plugin::Kind::adapter, a.plugin);
    if (!plugin) co_return fail(std::move(plugin.error()));
    auto grants = (*plugin)->check(a.config);
    if (!grants) co_return fail(std::move(grants.error()));
    instance.grants = *grants;
    instance.repeatable = (*plugin)->schema.value("x-repeatable", true);
    auto made = (*plugin)->make_adapter(a.config);
    if (!made) {
      degraded(made.error());
    } else {
      hosts.push_back(std::make_unique<delivery::InstanceHost>(services, name, a.party, *grants));
      adapters.push_back(std::move(*made));
      auto started = co_await adapters.back()->start(*hosts.back());
      if (started)
        instance.adapter = adapters.back().get();
      else
        degraded(started.error());
    }
    delivering->add(std::move(instance));
  }
  co_return Result<void>{};
}

Task<void> Broker::Parts::run_adapter(Adapter& adapter) { co_await adapter.run(*inbox); }

Task<void> Broker::Parts::sequence() {
  while (!scope->stopping()) {
    auto tick = co_await sequencer->tick();
    if (!tick) {
      log(LogLevel::error, "audit.failed", {{"code", tick.error().code}});
      metrics.count("schakel_audit_failures_total");
    }
    if (tick && tick->more) continue;
    auto on = co_await scope->pause(std::chrono::seconds(1));
    if (!on) break;
  }
}

Task<void> Broker::Parts::sweep() {
  auto removed = co_await links->sweep(std::chrono::hours(24 * 30), 1000);
  if (!removed) log(LogLevel::warn, "links.sweep_failed", {{"code", removed.error().code}});
  auto limits = co_await limiter->sweep(10000);
  if (!limits) log(LogLevel::warn, "limits.sweep_failed", {{"code", limits.error().code}});
  auto files = co_await documents->sweep(std::chrono::hours(24));
  if (!files) log(LogLevel::warn, "documents.sweep_failed", {{"code", files.error().code}});
}

Task<void> Broker::Parts::watch() {
  auto next_sweep = clock.now() + std::chrono::minutes(5);
  while (!scope->stopping()) {
    auto stats = co_await store->stats();
    if (stats) {
      undecided = stats->undecided;
      metrics.set("schakel_messages", {}, static_cast<double>(stats->messages));
      metrics.set("schakel_messages_undecided", {}, static_cast<double>(stats->undecided));
      metrics.set("schakel_deliveries_pending", {}, static_cast<double>(stats->pending));
      metrics.set("schakel_deliveries_dead", {}, static_cast<double>(stats->dead));
      metrics.set("schakel_deliveries_parked", {}, static_cast<double>(stats->parked));
      metrics.set("schakel_audit_leaves", {}, static_cast<double>(stats->leaves));
      metrics.set("schakel_store_bytes", {}, static_cast<double>(stats->bytes));
    }
    if (api_server) {
      metrics.set("schakel_http_connections", {}, static_cast<double>(api_server->stats().connections_open.load()));
      metrics.set("schakel_http_requests", {}, static_cast<double>(api_server->stats().requests.load()));
      metrics.set("schakel_http_body_bytes_read", {}, static_cast<double>(api_server->stats().body_bytes_read.load()));
    }
    if (clock.now() >= next_sweep) {
      next_sweep = clock.now() + std::chrono::hours(1);
      co_await sweep();
    }
    auto on = co_await scope->pause(std::chrono::seconds(2));
    if (!on) break;
  }
}

Task<void> Broker::Parts::start_loops() {
  scope = std::make_unique<runtime::Scope>(shards->executor(0));
  adapter_scope = std::make_unique<runtime::Scope>(shards->executor(0));
  scope->spawn(pipeline->run(*scope), "pipeline");
  scope->spawn(dispatcher->run(*scope), "outbox");
  scope->spawn(timers->run(*scope), "timers");
  scope->spawn(settlements->run(*scope), "settlements");
  if (return_mail) scope->spawn(return_mail->run(*scope), "return mail");
  scope->spawn(sequence(), "audit");
  scope->spawn(watch(), "watch");
  for (const auto& [name, instance] : delivering->instances())
    if (instance.adapter) adapter_scope->spawn(run_adapter(*instance.adapter), "adapter");
  co_return;
}

Task<Result<Json>> Broker::Parts::verify_audit() {
  auto flushed = co_await sequencer->flush();
  if (!flushed) co_return fail(std::move(flushed.error()));
  std::ifstream in(config.data_dir / "audit-heads.jsonl", std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  auto outside = audit::parse_heads(text);
  if (!outside) co_return fail(std::move(outside.error()));
  auto report = co_await audit::verify_store(*store, *outside, sequencer->verifier());
  if (!report) co_return fail(std::move(report.error()));
  Json out{{"ok", report->ok()},           {"leaves", report->leaves}, {"heads", report->heads_checked},
           {"anchored", report->anchored}, {"key", audit_key_text},    {"problems", Json::array()}};
  for (const auto& b : report->breaks) out["problems"].push_back({{"code", b.code}, {"from", b.from}, {"to", b.to}});
  co_return out;
}

Json Broker::Parts::health() const {
  Json parts{{"store", !store->health().failed}};
  for (const auto& [name, i] : delivering->instances()) parts["adapters"][name] = i.adapter != nullptr;
  return {{"ready", !store->health().failed && !stopped}, {"parts", parts}};
}

Result<void> Broker::Parts::listen() {
  auto api_tls = server_tls(config.api);
  if (!api_tls) return fail(std::move(api_tls.error()));
  auto portal_tls = server_tls(config.portal.listener);
  if (!portal_tls) return fail(std::move(portal_tls.error()));
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
                         config.schemas_dir.string()};
  services.xsd = xsd.get();
  router = std::make_unique<api::Router>(std::move(services), api::all_routes());
  router->below("/in/", std::uint64_t{32} << 20, api::adapter_inbound);
  net::ServerOptions o;
  o.listeners.push_back(listener("api", config.api, std::move(*api_tls)));
  o.listeners.push_back(listener("health", config.health, nullptr));
  fs::create_directories(config.socket.parent_path());
  o.listeners.push_back({"socket", net::UnixEndpoint{config.socket.string(), 0600}, nullptr});
  o.decorate = api::decorate;
  // Intake waits while decisions are far behind: an honest 503 instead of an unbounded queue.
  o.overloaded = [this](const net::RequestHead& head) -> std::optional<std::chrono::seconds> {
    if (head.method == "POST" && head.listener == "api" && undecided.load() > 20000) return std::chrono::seconds(5);
    return std::nullopt;
  };
  api_server = std::make_unique<net::HttpServer>(*shards, *router, std::move(o));
  if (auto started = api_server->start(); !started) return started;

  limiter = std::make_unique<portal::RateLimiter>(*store, *vault, clock);
  portal::PortalOptions pages;
  pages.share = config.assets_dir;
  pages.public_url = config.portal.base_url;
  auto opened = portal::Portal::open(*backend, *links, *limiter, std::move(pages));
  if (!opened) return fail(std::move(opened.error()));
  portal = std::move(*opened);
  net::ServerOptions p;
  p.listeners.push_back(listener("portal", config.portal.listener, std::move(*portal_tls)));
  portal_server = std::make_unique<net::HttpServer>(*shards, *portal, std::move(p));
  return portal_server->start();
}

Broker::Broker(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Broker::~Broker() { stop(std::chrono::seconds(1)); }

Result<std::unique_ptr<Broker>> Broker::start(Config config) {
  auto parts = std::make_unique<Parts>();
  parts->config = std::move(config);
  auto& p = *parts;
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
  auto loops = asio::co_spawn(p.shards->executor(0), p.start_loops(), asio::use_future);
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

void Broker::stop(milliseconds grace) {
  auto& p = *parts_;
  if (p.stopped) return;
  p.stopped = true;
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
  p.store->close();
  log(LogLevel::info, "broker.stopped");
}

}  // namespace schakel::app
