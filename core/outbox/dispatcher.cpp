#include "core/outbox/dispatcher.hpp"

#include "core/audit/leaf.hpp"
#include "core/base/log.hpp"
#include "core/outbox/restored.hpp"

namespace schakel::outbox {
using store::DeliveryRow;
using store::DeliveryState;

namespace {

/// Code of an attempt that was running when our own process ended.
constexpr std::string_view kProcessEnded = "PROCESS_ENDED";

std::string_view verdict_name(Verdict v) {
  switch (v) {
    case Verdict::delivered:
      return "delivered";
    case Verdict::retry_later:
      return "retry_later";
    case Verdict::rejected:
      return "rejected";
    case Verdict::unknown:
      return "unknown";
  }
  return "unknown";
}

struct Next {
  DeliveryState state;
  Instant at;
};

/// What becomes of a delivery after an attempt. Pure.
Next after(const RetryPolicy& policy, const AttemptResult& result, bool repeatable, int number, Instant created,
           Instant now, double random) {
  if (result.code == kRestored) return {DeliveryState::parked, now};
  switch (result.verdict) {
    case Verdict::delivered:
      return {DeliveryState::delivered, now};
    case Verdict::rejected:
      return {DeliveryState::dead, now};
    case Verdict::unknown:
      if (!repeatable) return {DeliveryState::parked, now};
      [[fallthrough]];
    case Verdict::retry_later:
      if (used_up(policy, number, created, now)) return {DeliveryState::dead, now};
      return {DeliveryState::pending, now + delay_after(policy, number, random, result.retry_after)};
  }
  return {DeliveryState::parked, now};
}

}  // namespace

Dispatcher::Dispatcher(store::Store& store, Attempter& attempter, const Clock& clock, DispatcherOptions options)
    : store_(store), attempter_(attempter), clock_(clock), options_(std::move(options)) {}

Task<Result<int>> Dispatcher::recover() {
  int found = 0;
  store::DeliveryFilter filter;
  filter.state = DeliveryState::attempting;
  for (;;) {
    auto rows = co_await store_.deliveries(filter);
    if (!rows) co_return fail(std::move(rows.error()));
    if (rows->empty()) break;
    for (const auto& row : *rows) {
      filter.after_id = row.id;
      bool again = attempter_.repeatable(row.target);
      auto state = again ? DeliveryState::pending : DeliveryState::parked;
      auto now = clock_.now();
      store::Transaction tx;
      tx.ops.push_back(store::Settle{row.id, row.attempts, now, "unknown", std::string(kProcessEnded), state, now});
      tx.ops.push_back(audit::leaf(now, "delivery.interrupted",
                                   {.ids = {{"delivery", row.id}, {"target", row.target}, {"case", row.case_id}},
                                    .counts = {{"attempt", row.attempts}}}));
      auto done = co_await store_.commit(std::move(tx));
      if (!done) co_return fail(std::move(done.error()));
      ++found;
    }
  }
  auto paused = co_await refresh_paused();
  if (!paused) co_return fail(std::move(paused.error()));
  co_return found;
}

Task<Result<void>> Dispatcher::refresh_paused() {
  auto rows = co_await store_.rows("target-paused", "", "", 1000);
  if (!rows) co_return fail(std::move(rows.error()));
  paused_.clear();
  for (const auto& r : *rows) paused_.insert(r.key);
  co_return Result<void>{};
}

Task<Result<void>> Dispatcher::pause(std::string target, bool paused) {
  auto now = clock_.now();
  store::Transaction tx;
  if (paused)
    tx.ops.push_back(store::PutRow{"target-paused", target, to_bytes(format_instant(now)), std::nullopt});
  else
    tx.ops.push_back(store::EraseRow{"target-paused", target, std::nullopt});
  tx.ops.push_back(audit::leaf(now, paused ? "target.paused" : "target.resumed", {.ids = {{"target", target}}}));
  auto done = co_await store_.commit(std::move(tx));
  if (!done) co_return fail(std::move(done.error()));
  if (paused)
    paused_.insert(target);
  else
    paused_.erase(target);
  bell_.ring();
  co_return Result<void>{};
}

std::map<std::string, std::string> Dispatcher::breakers() const {
  std::map<std::string, std::string> out;
  for (const auto& [target, b] : breakers_)
    out[target] = b.state() == Breaker::State::closed ? "closed"
                  : b.state() == Breaker::State::open ? "open"
                                                      : "probing";
  return out;
}

std::vector<std::string> Dispatcher::closed_targets() {
  std::vector<std::string> out(paused_.begin(), paused_.end());
  auto now = clock_.now();
  for (auto& [target, b] : breakers_)
    if (b.state() == Breaker::State::probing || (b.state() == Breaker::State::open && now < b.retry_at()))
      out.push_back(target);
  for (const auto& [target, n] : running_)
    if (n >= options_.per_target) out.push_back(target);
  return out;
}

void Dispatcher::store_works(bool now, std::string_view code) {
  if (now == store_works_) return;
  store_works_ = now;
  // Once for each change: a disk that is full is not filled further by saying so.
  log(now ? LogLevel::info : LogLevel::error, now ? "outbox.store_works_again" : "outbox.store_refuses",
      {{"code", std::string(code)}});
}

/// False: not ours any more, or the store takes nothing now; the delivery stays due.
Task<bool> Dispatcher::start(const DeliveryRow& row) {
  auto now = clock_.now();
  auto started = co_await store_.commit({{store::StartAttempt{row.id, row.attempts, now}}});
  if (started) {
    store_works(true);
    co_return true;
  }
  breakers_[row.target].give_back(now);
  // A conflict means that somebody cancelled it or another worker has it.
  if (started.error().kind == ErrorKind::conflict) co_return false;
  store_works(false, started.error().code);
  // The delivery stays due, so that the next round would try again at once.
  co_await runtime::sleep_for(options_.store_pause);
  co_return false;
}

/// How often the target failed before the attempt that is being settled. An attempt that our own end cut off says
/// nothing about the target: a broker that was restarted often would otherwise wait hours after the first failure.
Task<int> Dispatcher::failures_so_far(const DeliveryRow& row) {
  if (row.attempts == 0) co_return 0;
  auto tried = co_await store_.attempts(row.id);
  if (!tried) co_return row.attempts;
  co_return static_cast<int>(std::ranges::count_if(
      *tried, [&](const store::AttemptRow& a) { return a.number <= row.attempts && a.code != kProcessEnded; }));
}

Task<> Dispatcher::settle(const DeliveryRow& row, AttemptResult result) {
  int number = row.attempts + 1;
  auto now = clock_.now();
  auto& breaker = breakers_[row.target];
  if (result.verdict == Verdict::delivered || result.verdict == Verdict::rejected)
    breaker.succeeded();
  else if (result.code == kRestored)
    breaker.give_back(now);
  else
    breaker.failed(now);
  auto failures = co_await failures_so_far(row);
  auto next = after(options_.retry, result, attempter_.repeatable(row.target), failures + 1, row.created_at, now,
                    options_.random ? options_.random() : 0.5);
  // Nothing new starts towards a target whose breaker is open; what failed waits at least until the probe.
  if (next.state == DeliveryState::pending && breaker.state() == Breaker::State::open)
    next.at = std::max(next.at, breaker.retry_at());
  // What came of the attempt must be written down, or the lane stands still until the next start: a store that is busy
  // or full is asked again for as long as it takes. The wait ends, by exception, with the scope.
  bool ours = true;
  for (auto wait = std::min(milliseconds{200}, options_.store_pause);;
       wait = std::min(wait * 2, options_.store_pause)) {
    store::Transaction tx;
    std::optional<Error> refused;
    if (ours) {
      auto extra = co_await attempter_.settlement(row, result);
      if (extra)
        tx = std::move(*extra);
      else if (extra.error().kind == ErrorKind::unavailable)
        refused = extra.error();
      else
        log(LogLevel::error, "outbox.settlement_failed", {{"delivery", row.id}, {"code", extra.error().code}});
      tx.ops.push_back(store::Settle{row.id, number, now, std::string(verdict_name(result.verdict)), result.code,
                                     next.state, next.at});
    }
    if (!refused) {
      std::vector<std::string> codes{result.code};
      if (!ours) codes.emplace_back("NOT_SETTLED");
      tx.ops.push_back(audit::leaf(now, "delivery.attempted",
                                   {.ids = {{"delivery", row.id},
                                            {"target", row.target},
                                            {"role", row.role},
                                            {"kind", row.kind},
                                            {"case", row.case_id},
                                            {"verdict", std::string(verdict_name(result.verdict))}},
                                    .codes = std::move(codes),
                                    .counts = {{"attempt", number}}}));
      auto settled = co_await store_.commit(std::move(tx));
      if (!settled) refused = settled.error();
    }
    if (!refused) {
      store_works(true);
      break;
    }
    if (refused->kind == ErrorKind::conflict && ours) {
      // The row went on without us. What was attempted may have arrived: that stands in the log in any case.
      ours = false;
      log(LogLevel::error, "outbox.not_settled", {{"delivery", row.id}, {"code", result.code}});
      continue;
    }
    if (refused->kind != ErrorKind::unavailable || refused->code == "STORE_CLOSED") {
      log(LogLevel::error, "outbox.settle_failed", {{"delivery", row.id}, {"code", refused->code}});
      break;
    }
    store_works(false, refused->code);
    co_await runtime::sleep_for(wait);
  }
  if (ours && (next.state == DeliveryState::dead || next.state == DeliveryState::parked))
    log(LogLevel::warn, "outbox.dead_letter",
        {{"delivery", row.id}, {"target", row.target}, {"code", result.code}, {"attempts", std::int64_t{number}}});
}

Task<> Dispatcher::one(DeliveryRow row) {
  auto started = co_await start(row);
  if (started) {
    AttemptResult result;
    const auto began = std::chrono::steady_clock::now();
    try {
      result = co_await attempter_.attempt(row, row.attempts + 1);
    } catch (const std::exception&) {
      // The text of a foreign exception may quote what it was working on.
      result = {Verdict::unknown, "ADAPTER_THREW", std::nullopt, Json::object()};
    }
    if (options_.attempted)
      options_.attempted(row.target, verdict_name(result.verdict),
                         std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began));
    co_await settle(row, std::move(result));
  }
  in_flight_.erase(row.id);
  --running_[row.target];
  bell_.ring();
}

Task<Result<int>> Dispatcher::step() {
  auto rows = co_await store_.due_deliveries(clock_.now(), options_.in_flight, closed_targets());
  if (!rows) co_return fail(std::move(rows.error()));
  int done = 0;
  for (auto& row : *rows) {
    if (!breakers_[row.target].allow(clock_.now())) continue;
    in_flight_.insert(row.id);
    ++running_[row.target];
    co_await one(std::move(row));
    ++done;
  }
  co_return done;
}

Task<> Dispatcher::run(runtime::Scope& scope) {
  while (!scope.stopping()) {
    int started = 0;
    auto room = options_.in_flight - static_cast<int>(in_flight_.size());
    if (room > 0) {
      auto rows = co_await store_.due_deliveries(clock_.now(), room, closed_targets());
      if (!rows) {
        store_works(false, rows.error().code);
        auto on = co_await scope.pause(options_.store_pause);
        if (!on) break;
      } else {
        for (auto& row : *rows) {
          if (in_flight_.contains(row.id) || running_[row.target] >= options_.per_target ||
              !breakers_[row.target].allow(clock_.now()))
            continue;
          in_flight_.insert(row.id);
          ++running_[row.target];
          scope.spawn(one(std::move(row)), "outbox.attempt");
          ++started;
        }
      }
    }
    if (started == 0) {
      auto limit = options_.idle;
      auto due = co_await store_.next_due();
      if (due && *due) {
        // What is due and still did not start waits for a pause, a breaker or a place; a bell or a quarter of a second
        // will do.
        auto left = std::chrono::duration_cast<milliseconds>(**due - clock_.now());
        limit = left > milliseconds(0) ? std::clamp(left, milliseconds(20), options_.idle) : milliseconds(250);
      }
      co_await bell_.wait(limit);
    }
  }
}

}  // namespace schakel::outbox
