// What one broker is made of. For the broker*.cpp files only: broker.cpp starts and stops, broker_setup.cpp builds,
// broker_watch.cpp keeps it going and says how it is.
#pragma once
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include "core/api/router.hpp"
#include "core/app/broker.hpp"
#include "core/app/edges.hpp"
#include "core/app/link_orders.hpp"
#include "core/app/portal_backend.hpp"
#include "core/audit/sequencer.hpp"
#include "core/delivery/declared_http.hpp"
#include "core/delivery/host.hpp"
#include "core/journal/vault_sealer.hpp"
#include "core/pipeline/return_mail.hpp"
#include "core/pipeline/school_year.hpp"
#include "core/pipeline/settlement.hpp"
#include "core/pipeline/timers.hpp"
#include "core/portal/portal.hpp"
#include "core/runtime/keeper.hpp"
#include "core/runtime/shards.hpp"
#include "core/store/sqlite/sqlite_store.hpp"

namespace schakel::app {

/// Above it intake answers 503 until the decisions have caught up.
inline constexpr std::int64_t kMostUndecided = 20'000;

struct Broker::Parts {
  Config config;
  SystemClock clock;
  runtime::MetricsRegistry metrics;
  /// Apart: an adapter whose loop stands still says nothing about the broker. Before the shards, whose coroutines refer
  /// to them.
  runtime::Keeper keeper{metrics}, adapter_keeper{metrics};
  runtime::BlockingPool pool{4, 1024};
  /// Apart, so that a thousand invoices at once keep neither a core nor who needs the pool for a moment from others.
  runtime::BlockingPool drawing{std::max(1U, runtime::usable_cores() / 2), 1024};
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
  std::shared_ptr<net::TlsServerContext> api_tls, health_tls, portal_tls;
  std::unique_ptr<delivery::DeclaredHttp> own_http;  ///< to the SMS gateway and nowhere else
  std::unique_ptr<portal::HttpSmsSender> sms;
  std::unique_ptr<portal::LinkService> links;
  std::unique_ptr<plugin::Registry> registry;
  std::vector<std::unique_ptr<Decider>> deciders;
  std::unique_ptr<CaseDirectory> directory;
  std::unique_ptr<pipeline::Pipeline> pipeline;
  std::unique_ptr<pipeline::TimerLoop> timers;
  std::unique_ptr<pipeline::SchoolYearWatch> school_years;
  std::unique_ptr<pipeline::SettlementWatch> settlements;
  std::unique_ptr<net::ImapMailbox> return_mailbox;
  std::unique_ptr<pipeline::MailSource> return_source;
  std::unique_ptr<pipeline::ReturnMail> return_mail;
  std::unique_ptr<ingress::TypeCatalogue> catalogue;
  std::unique_ptr<VaultDocumentCheck> document_check;
  std::unique_ptr<EnrolledApps> enrolled_apps;
  std::unique_ptr<ingress::Ingress> ingress;
  std::unique_ptr<net::MailSender> mail_sender;
  std::unique_ptr<ConfiguredMail> mail;
  std::unique_ptr<delivery::Delivering> delivering;
  std::unique_ptr<outbox::Dispatcher> dispatcher;
  std::vector<std::unique_ptr<AdapterInbox>> inboxes;  ///< one of each adapter instance
  std::vector<std::unique_ptr<delivery::InstanceHost>> hosts;
  std::vector<std::unique_ptr<Adapter>> adapters;
  std::unique_ptr<BrokerPortalBackend> backend;
  std::unique_ptr<LockNotice> lock_notice;
  std::unique_ptr<portal::RateLimiter> limiter;
  std::unique_ptr<portal::Portal> portal;
  std::unique_ptr<formats::XsdFolder> xsd;
  std::unique_ptr<api::Router> router;
  std::unique_ptr<net::HttpServer> api_server, portal_server;
  std::unique_ptr<runtime::Scope> scope, adapter_scope;
  std::string audit_key_text;
  std::atomic<std::int64_t> undecided{0};
  std::atomic<bool> stopped{false};
  std::atomic<bool> signing{true};  ///< false from when the sequencer halted: nothing is signed until a person looked
  Instant wal_long_since{};         ///< since when the write-ahead log is longer than it should be; only watch() looks

  Task<Result<void>> set_up();
  Task<Result<void>> open_vault();
  Task<Result<void>> start_adapters();
  Result<void> open_return_mail();
  Task<void> start_loops();
  Task<void> watch();
  Task<void> beat(milliseconds interval);
  Task<void> measure();
  void measure_http(const std::string& server, const net::ServerStats& stats);
  void measure_store();
  /// When each of our own certificates ends: as a metric, and in the log from 30 days before.
  void look_at_certificates(bool say);
  /// Too far behind to take in more.
  [[nodiscard]] bool backlog() const { return undecided.load() > kMostUndecided; }
  Task<void> sweep();
  Task<void> sequence();
  Task<Result<Json>> verify_audit();
  Result<void> listen();
  /// Started, and bringing in what its partner has.
  [[nodiscard]] bool adapter_up(const delivery::Instance& instance) const;
  Json health() const;

  /// Runs a coroutine on the broker's shard and waits for it here, on main.
  template <class T>
  T here(Task<T> task) {
    auto future = boost::asio::co_spawn(shards->executor(0), std::move(task), boost::asio::use_future);
    return future.get();
  }
};

}  // namespace schakel::app
