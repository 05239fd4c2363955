#include <cstdlib>
#include <fstream>
#include <random>

#include "core/app/broker_parts.hpp"
#include "core/app/keys.hpp"
#include "core/base/log.hpp"
#include "core/pipeline/decide.hpp"
#include "core/pipeline/series.hpp"
#include "schakel/outcome.hpp"

namespace schakel::app {
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

/// Random numbers for jitter: not a secret, so the fast generator will do.
double uniform() {
  thread_local std::minstd_rand generator(std::random_device{}());
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

constexpr std::string_view kAuditSeed = "audit.seed";

}  // namespace

Task<Result<void>> Broker::Parts::open_vault() {
  auto master = master_key(config);
  if (!master) co_return fail(std::move(master.error()));
  auto opened = co_await vault::Vault::open(*store, clock, std::move(*master));
  if (!opened) co_return fail(std::move(opened.error()));
  vault = std::move(*opened);
  auto blobs = vault::Blobs::open(config.data_dir / "blobs");
  if (!blobs) co_return fail(std::move(blobs.error()));
  documents = std::make_unique<vault::Documents>(*vault, *store, clock, pool, std::move(*blobs));
  participants = std::make_unique<vault::Participants>(*vault, *store);
  bsn = std::make_unique<vault::Bsn>(*vault, *store);
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
    auto origin = plugin::safe_origin_of(gateway.url);
    if (!origin) co_return fail(std::move(origin.error()));
    own_http = std::make_unique<delivery::DeclaredHttp>(std::set<std::string>{*origin}, client_tls);
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
  school_years = std::make_unique<pipeline::SchoolYearWatch>(*journal, pipeline->profiles());
  settlements = std::make_unique<pipeline::SettlementWatch>(*journal);
  if (auto opened_returns = open_return_mail(); !opened_returns) co_return opened_returns;
  auto restored = co_await pipeline::continue_series(*store, clock.now());
  if (!restored) co_return fail(std::move(restored.error()));
  if (*restored) log(LogLevel::warn, "invoices.new_series_epoch");

  auto types = ingress::TypeCatalogue::load(config.schemas_dir);
  if (!types) co_return fail(std::move(types.error()));
  catalogue = std::make_unique<ingress::TypeCatalogue>(std::move(*types));
  document_check = std::make_unique<VaultDocumentCheck>(*documents);
  enrolled_apps = std::make_unique<EnrolledApps>(*store, *vault, clock);
  std::vector<std::string> regions;
  for (const auto& [code, profile] : config.profiles) regions.push_back(code);
  ingress = std::make_unique<ingress::Ingress>(*journal, config.parties, *catalogue, *document_check,
                                               std::move(regions), enrolled_apps.get());

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

  delivering =
      std::make_unique<delivery::Delivering>(*journal, *vault, *documents, config.profiles, config.parties, &drawing);
  outbox::DispatcherOptions options;
  options.random = uniform;
  options.attempted = [this](const std::string& target, std::string_view verdict, milliseconds took) {
    metrics.count("schakel_delivery_attempts_total", {{"target", target}, {"verdict", std::string(verdict)}});
    metrics.observe("schakel_delivery_attempt_seconds", {{"target", target}},
                    std::chrono::duration<double>(took).count());
  };
  dispatcher = std::make_unique<outbox::Dispatcher>(*store, *delivering, clock, std::move(options));
  pipeline->on_decided([this](const std::string& region, Outcome outcome, milliseconds waited) {
    metrics.count("schakel_decisions_total", {{"region", region}, {"outcome", std::string(to_string(outcome))}});
    metrics.observe("schakel_decision_seconds", {}, std::chrono::duration<double>(waited).count());
  });
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
  lock_notice = std::make_unique<LockNotice>(*journal, *participants, config.parties);
  links->on_lock(
      [this](portal::LinkView link, store::Transaction& with) { return lock_notice->add(std::move(link), with); });
  links->on_event([this](const portal::LinkEvent& e) {
    if (e.kind == "locked") dispatcher->arrivals().ring();
  });
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
                                  },
                                  &pool};
  for (const auto& [name, a] : config.adapters) {
    delivery::Instance instance;
    instance.name = name;
    instance.plugin = a.plugin;
    instance.party = a.party;
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
    // The source that its configuration names is the operator's choice; what a partner's content says is not.
    inboxes.push_back(std::make_unique<AdapterInbox>(*ingress, *journal, *documents, *bsn, config.parties,
                                                     config.document_limit, sdk::text_at(a.config, "source")));
    instance.inbox = inboxes.back().get();
    instance.repeatable = (*plugin)->schema.value("x-repeatable", true);
    instance.deadline = std::chrono::seconds(a.attempt_seconds.value_or((*plugin)->declared.attempt_seconds));
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

}  // namespace schakel::app
