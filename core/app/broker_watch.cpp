#include <fmt/format.h>
#include <unistd.h>

#include <fstream>

#include "core/app/broker_parts.hpp"
#include "core/audit/verify.hpp"
#include "core/base/log.hpp"
#include "core/runtime/service_manager.hpp"
#include "core/store/sqlite/place.hpp"

namespace schakel::app {

namespace {

constexpr milliseconds kMeasure{2000};
constexpr std::int64_t kLongWalBytes = std::int64_t{64} << 20;

struct ProcessUse {
  double resident_bytes = 0, open_files = 0;
};

/// As /proc has it; zeros where it has not.
ProcessUse process_use() {
  ProcessUse out;
  std::ifstream statm("/proc/self/statm");
  double pages = 0, resident = 0;
  if (statm >> pages >> resident) out.resident_bytes = resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
  std::error_code ec;
  for (std::filesystem::directory_iterator it("/proc/self/fd", ec), end; !ec && it != end; it.increment(ec))
    ++out.open_files;
  return out;
}

/// Name of the loop by which an adapter instance brings in what its partner has.
std::string adapter_loop(const std::string& instance) { return "adapter/" + instance; }

}  // namespace

Task<void> Broker::Parts::sequence() {
  while (!scope->stopping()) {
    auto tick = co_await sequencer->tick();
    // What the sequencer met itself halts it (core/audit/sequencer.hpp); an error of the store passes.
    signing = tick || tick.error().kind != ErrorKind::internal || !tick.error().code.starts_with("AUDIT_");
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

Task<void> Broker::Parts::measure() {
  auto stats = co_await store->stats();
  if (stats) {
    undecided = stats->undecided;
    auto now = clock.now();
    auto age = [&](const std::optional<Instant>& since) {
      return since && *since < now ? std::chrono::duration<double>(now - *since).count() : 0.0;
    };
    auto gauge = [&](std::string_view name, std::int64_t value) { metrics.set(name, {}, static_cast<double>(value)); };
    gauge("schakel_messages", stats->messages);
    gauge("schakel_messages_undecided", stats->undecided);
    gauge("schakel_deliveries_pending", stats->pending);
    gauge("schakel_deliveries_dead", stats->dead);
    gauge("schakel_deliveries_parked", stats->parked);
    gauge("schakel_audit_leaves", stats->leaves);
    gauge("schakel_audit_unsequenced", stats->unsequenced);
    gauge("schakel_store_bytes", stats->bytes);
    metrics.set("schakel_undecided_oldest_seconds", {}, age(stats->oldest_undecided));
    metrics.set("schakel_pending_oldest_seconds", {}, age(stats->oldest_pending));
  }
  measure_store();
  if (api_server) measure_http("api", api_server->stats());
  if (portal_server) measure_http("portal", portal_server->stats());
  auto breakers = dispatcher->breakers();
  for (const auto& [name, instance] : delivering->instances()) {
    auto it = breakers.find(name);
    metrics.set("schakel_adapter_up", {{"instance", name}}, adapter_up(instance) ? 1 : 0);
    metrics.set("schakel_breaker_open", {{"instance", name}}, it != breakers.end() && it->second != "closed" ? 1 : 0);
    metrics.set("schakel_target_paused", {{"instance", name}}, dispatcher->paused().contains(name) ? 1 : 0);
  }
  auto process = process_use();
  metrics.set("process_resident_memory_bytes", {}, process.resident_bytes);
  metrics.set("process_open_fds", {}, process.open_files);
  metrics.set("schakel_ready", {}, health().value("ready", false) ? 1 : 0);
}

void Broker::Parts::measure_store() {
  auto now = clock.now();
  auto state = store->health();
  metrics.set("schakel_store_queued", {}, static_cast<double>(state.queued));
  metrics.set("schakel_store_wal_bytes", {}, static_cast<double>(state.wal_bytes));
  metrics.total("schakel_store_commits_total", {}, static_cast<double>(state.batches));
  metrics.total("schakel_store_transactions_total", {}, static_cast<double>(state.transactions));
  metrics.total("schakel_store_corrupt_rows_total", {}, static_cast<double>(state.corrupt_rows));
  if (auto use = store::disk_use(store::folder_of(config.store_path))) {
    metrics.set("schakel_disk_free_bytes", {}, static_cast<double>(use->available));
    metrics.set("schakel_disk_bytes", {}, static_cast<double>(use->total));
  }
  // DUR-15: a reader that stays keeps the log from being moved over; somebody must know before the disk is full.
  if (state.wal_bytes <= kLongWalBytes) {
    wal_long_since = {};
  } else if (wal_long_since == Instant{}) {
    wal_long_since = now;
  } else if (now - wal_long_since > std::chrono::minutes(1)) {
    log(LogLevel::error, "store.wal_long", {{"bytes", state.wal_bytes}});
    metrics.count("schakel_store_wal_alarms_total");
    wal_long_since = now;
  }
}

void Broker::Parts::measure_http(const std::string& server, const net::ServerStats& stats) {
  metrics.set("schakel_http_connections", {{"server", server}}, static_cast<double>(stats.connections_open.load()));
  auto total = [&](std::string_view what, const std::atomic<std::int64_t>& value) {
    metrics.total(fmt::format("schakel_http_{}_total", what), {{"server", server}}, static_cast<double>(value.load()));
  };
  total("connections", stats.connections_total);
  total("connections_refused", stats.connections_refused);
  total("handshakes_failed", stats.handshakes_failed);
  total("requests", stats.requests);
  total("heads_refused", stats.heads_refused);
  total("bodies_too_large", stats.bodies_too_large);
  total("timeouts", stats.timeouts);
  total("overloaded", stats.overloaded);
  total("responses_broken_off", stats.responses_broken_off);
  total("body_bytes_read", stats.body_bytes_read);
}

void Broker::Parts::look_at_certificates(bool say) {
  const std::pair<const char*, const std::filesystem::path*> ours[] = {{"api", &config.api.certificate},
                                                                       {"health", &config.health.certificate},
                                                                       {"portal", &config.portal.listener.certificate},
                                                                       {"http", &config.http_certificate}};
  for (const auto& [use, file] : ours) {
    if (file->empty()) continue;
    auto end = net::certificate_end(*file);
    if (!end) {
      log(LogLevel::error, "certificate.unreadable", {{"use", std::string(use)}, {"code", end.error().code}});
      continue;
    }
    metrics.set("schakel_certificate_end_time_seconds", {{"use", use}},
                std::chrono::duration<double>(end->time_since_epoch()).count());
    auto days = std::chrono::floor<std::chrono::days>(*end - clock.now()).count();
    // KEY-8: at 30, 7 and 1 days.
    if (say && days < 30)
      log(days < 7 ? LogLevel::error : LogLevel::warn, "certificate.ends",
          {{"use", std::string(use)}, {"days", std::int64_t{days}}});
  }
}

Task<void> Broker::Parts::watch() {
  look_at_certificates(false);
  auto next_sweep = clock.now() + std::chrono::minutes(5), next_day = clock.now();
  while (!scope->stopping()) {
    co_await measure();
    if (clock.now() >= next_sweep) {
      next_sweep = clock.now() + std::chrono::hours(1);
      co_await sweep();
    }
    if (clock.now() >= next_day) {
      next_day = clock.now() + std::chrono::hours(24);
      look_at_certificates(true);
    }
    auto on = co_await scope->pause(kMeasure);
    if (!on) break;
  }
}

/// Runs on the shard that decides and delivers: when that hangs, systemd hears nothing and starts anew.
Task<void> Broker::Parts::beat(milliseconds interval) {
  while (!scope->stopping()) {
    runtime::tell_service_manager("WATCHDOG=1");
    auto on = co_await scope->pause(interval);
    if (!on) break;
  }
}

Task<void> Broker::Parts::start_loops() {
  scope = std::make_unique<runtime::Scope>(shards->executor(0));
  adapter_scope = std::make_unique<runtime::Scope>(shards->executor(0));
  metrics.set("process_start_time_seconds", {}, std::chrono::duration<double>(clock.now().time_since_epoch()).count());
  // What only failures count is there before the first.
  for (const char* name : {"schakel_audit_failures_total", "schakel_store_wal_alarms_total"})
    metrics.count(name, {}, 0);
  auto keep = [this](const char* name, runtime::Keeper::Loop loop) { keeper.keep(*scope, name, std::move(loop)); };
  keep("pipeline", [this] { return pipeline->run(*scope); });
  keep("outbox", [this] { return dispatcher->run(*scope); });
  keep("timers", [this] { return timers->run(*scope); });
  keep("school-years", [this] { return school_years->run(*scope); });
  keep("settlements", [this] { return settlements->run(*scope); });
  if (return_mail) keep("return-mail", [this] { return return_mail->run(*scope); });
  keep("audit", [this] { return sequence(); });
  keep("watch", [this] { return watch(); });
  if (auto interval = runtime::watchdog_interval()) scope->spawn(beat(*interval), "watchdog");
  for (const auto& [name, instance] : delivering->instances())
    if (instance.adapter)
      adapter_keeper.keep(*adapter_scope, adapter_loop(name),
                          [adapter = instance.adapter, in = instance.inbox] { return adapter->run(*in); });
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

bool Broker::Parts::adapter_up(const delivery::Instance& instance) const {
  return instance.adapter != nullptr && adapter_keeper.runs(adapter_loop(instance.name));
}

Json Broker::Parts::health() const {
  bool works = !store->health().failed, room = store->room_for_intake(), keeps_up = !backlog();
  bool runs = keeper.whole(), signs = signing.load();
  Json parts{{"store", works}, {"disk", room}, {"backlog", keeps_up}, {"loops", runs}, {"audit", signs}};
  // A channel that is down keeps nothing from being accepted: what is for it waits.
  for (const auto& [name, i] : delivering->instances()) parts["adapters"][name] = adapter_up(i);
  return {{"ready", works && room && keeps_up && runs && signs && !stopped}, {"parts", parts}};
}

}  // namespace schakel::app
