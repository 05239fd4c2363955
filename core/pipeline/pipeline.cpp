#include "core/pipeline/pipeline.hpp"

#include "core/base/log.hpp"
#include "core/journal/members.hpp"
#include "core/model/invoice_types.hpp"
#include "core/outbox/delivery_row.hpp"
#include "core/pipeline/credited.hpp"
#include "core/pipeline/decide.hpp"
#include "core/pipeline/invoice_index.hpp"
#include "core/pipeline/redecide.hpp"
#include "core/pipeline/series.hpp"
#include "core/pipeline/timers.hpp"

namespace schakel::pipeline {
using journal::Recorded;

namespace {
/// A case that waits for nothing takes the rules of the day after this many quiet days; a region's setting goes before
/// it.
constexpr std::int64_t kSettledAfterDays = 90;
}  // namespace

Pipeline::Pipeline(journal::Journal& journal, std::vector<const Decider*> deciders, Profiles profiles,
                   std::shared_ptr<const Parties> parties, Directory& directory, PipelineOptions options)
    : journal_(journal),
      deciders_(in_order(std::move(deciders))),
      profiles_(std::move(profiles)),
      parties_(std::move(parties)),
      directory_(directory),
      options_(options),
      rules_(journal.store()) {}

Task<Result<Pipeline::Standing>> Pipeline::case_file(std::string case_id) {
  if (auto it = cache_.find(case_id); it != cache_.end()) {
    recent_.splice(recent_.begin(), recent_, it->second.place);
    co_return Standing{it->second.file, it->second.rules};
  }
  Standing out;
  out.file.id = case_id;
  if (case_id.empty()) co_return out;
  auto past = co_await journal_.history(case_id);
  if (!past) co_return fail(std::move(past.error()));
  for (const auto& r : *past) apply(out.file, r.message, r.draft);
  if (!past->empty()) out.rules = past->back().rules_version;
  co_return out;
}

Task<Result<std::shared_ptr<const Profile>>> Pipeline::rules_for(const CaseFile& file, const std::string& version,
                                                                 const Message& message) {
  auto it = profiles_.find(message.region);
  if (it == profiles_.end()) co_return std::shared_ptr<const Profile>{};
  auto current = it->second;
  // A version names its region; one of another region, or of a message nobody could decide, binds nothing.
  if (version == current->version() || !version.starts_with(message.region + "-")) co_return current;
  if (!replay::in_flight(file, message.time,
                         current->setting_int("settled_after_days", file.overrides, kSettledAfterDays)))
    co_return current;
  auto kept = co_await rules_.version(version);
  if (kept) co_return std::move(*kept);
  if (kept.error().kind != ErrorKind::not_found && kept.error().kind != ErrorKind::invalid)
    co_return fail(std::move(kept.error()));
  // Decided before rule data were kept, or by an interpreter that read them otherwise: there is only today's.
  log(LogLevel::warn, "pipeline.rules_gone", {{"version", version}, {"code", kept.error().code}});
  co_return current;
}

void Pipeline::remember(CaseFile file, std::string rules) {
  auto id = file.id;
  if (id.empty()) return;
  if (auto it = cache_.find(id); it != cache_.end()) {
    it->second.file = std::move(file);
    it->second.rules = std::move(rules);
    recent_.splice(recent_.begin(), recent_, it->second.place);
    return;
  }
  recent_.push_front(id);
  cache_.emplace(id, Cached{std::move(file), std::move(rules), recent_.begin()});
  if (cache_.size() > options_.cached_cases) {
    cache_.erase(recent_.back());
    recent_.pop_back();
  }
}

Task<Result<Facts>> Pipeline::facts(const CaseFile& file, const Message& message, const Profile& profile,
                                    Versions* versions) {
  Facts out;
  for (const auto& key : registers_read(deciders_, file, message, profile)) {
    auto found = co_await read_register(journal_.store(), key, file, message, *parties_);
    if (!found) co_return fail(std::move(found.error()));
    if (versions) (*versions)[key] = {found->key, found->version};
    if (found->value) out[key] = std::move(*found->value);
  }
  co_return out;
}

Draft Pipeline::judge(const CaseFile& file, const Message& message, const Profile* profile, const Facts& facts) {
  if (!profile) {
    Draft d;
    d.outcome = Outcome::quarantined;
    d.codes = {"REGION_UNKNOWN"};
    return d;
  }
  return decide(deciders_, file, message, *profile, facts);
}

Task<Result<Draft>> Pipeline::rehearse(Message message) {
  message.time = journal_.clock().now();
  auto file = co_await case_file(message.subject);
  if (!file) co_return fail(std::move(file.error()));
  auto profile = co_await rules_for(file->file, file->rules, message);
  if (!profile) co_return fail(std::move(profile.error()));
  if (!*profile) co_return fail(ErrorKind::invalid, "REGION_UNKNOWN", "this region is not configured");
  auto known = co_await facts(file->file, message, **profile);
  if (!known) co_return fail(std::move(known.error()));
  co_return judge(file->file, message, profile->get(), *known);
}

namespace {
/// Attachments of the messages that filings of this draft take their documents from.
std::map<std::string, std::vector<Attachment>> attachments_of(const std::vector<Recorded>& history,
                                                              const Draft& draft) {
  std::map<std::string, std::vector<Attachment>> out;
  for (const auto& f : draft.filings)
    for (const auto& r : history)
      if (r.message.id == f.delivery_message) out[f.delivery_message] = r.message.attachments;
  return out;
}
}  // namespace

Task<Result<void>> Pipeline::enqueue(const std::vector<outbox::Planned>& planned, const Message& message,
                                     std::string lane, Instant now, store::Transaction& tx) {
  const auto origin = outbox::origin_of(message, std::move(lane));
  for (const auto& p : planned) {
    // Who is sent something of a case has to do with it from then on.
    if (auto party = p.address.value("party", ""); !party.empty() && !message.subject.empty())
      tx.ops.push_back(journal::member(message.subject, party));
    auto queued = co_await outbox::enqueue(journal_.sealer(), p, origin, now, tx);
    if (!queued) co_return fail(std::move(queued.error()));
  }
  co_return Result<void>{};
}

void Pipeline::tell(const Message& message, Outcome outcome, bool enqueued, Instant now) {
  if (enqueued && enqueued_) enqueued_();
  if (decided_) decided_(message.region, outcome, now - message.time);
  if (auto it = waiting_.find(message.seq); it != waiting_.end()) {
    for (auto& bell : it->second) bell->ring();
    waiting_.erase(it);
  }
}

Task<Result<void>> Pipeline::decide_one(store::MessageRow row) {
  auto lane = row.lane;
  auto message = co_await journal_.read(std::move(row));
  if (!message) co_return fail(std::move(message.error()));
  auto standing = co_await case_file(message->subject);
  if (!standing) co_return fail(std::move(standing.error()));
  auto* file = &standing->file;
  if (file->region.empty()) file->region = message->region;
  Facts known;
  Versions versions;
  std::string version = message->region;
  auto profile = co_await rules_for(*file, standing->rules, *message);
  if (!profile) co_return fail(std::move(profile.error()));
  store::Transaction tx;
  if (*profile) {
    version = (*profile)->version();
    auto read = co_await facts(*file, *message, **profile, &versions);
    if (!read) co_return fail(std::move(read.error()));
    known = std::move(*read);
    // A decision and the rules it was made by are there together or not at all.
    auto kept = co_await rules_.keep(*profile);
    if (!kept) co_return fail(std::move(kept.error()));
    tx.ops = std::move(*kept);
  }
  auto draft = judge(*file, *message, profile->get(), known);

  auto contacts = co_await directory_.contacts(message->subject);
  if (!contacts) co_return fail(std::move(contacts.error()));
  std::map<std::string, std::vector<Attachment>> earlier;
  if (!draft.filings.empty()) {
    auto history = co_await journal_.history(message->subject);
    if (!history) co_return fail(std::move(history.error()));
    earlier = attachments_of(*history, draft);
  }

  // What was looked for and not there is a fact as well: null.
  Facts looked_at = known;
  for (const auto& [key, at] : versions) looked_at.try_emplace(key, nullptr);
  auto recorded = co_await journal_.record(*message, draft, version, tx, looked_at);
  if (!recorded) co_return fail(std::move(recorded.error()));
  auto extended = co_await directory_.extend(*message, draft, tx);
  if (!extended) co_return fail(std::move(extended.error()));
  auto now = journal_.clock().now();
  apply(*file, *message, draft);
  std::map<std::string, Json> released;
  if (std::ranges::any_of(draft.invoices, [&](const InvoiceOut& i) { return i.source_message != message->id; })) {
    auto history = co_await journal_.history(message->subject);
    if (!history) co_return fail(std::move(history.error()));
    for (const auto& i : draft.invoices)
      for (const auto& r : *history)
        if (r.message.id == i.source_message && is_invoice_type(r.message.type))
          released.emplace(i.source_message, r.message.payload);
  }
  auto members = co_await journal::members(journal_.store(), *parties_, message->subject);
  if (!members) co_return fail(std::move(members.error()));
  auto credited = co_await credited_between(journal_.store(), *file, *message, draft);
  if (!credited) co_return fail(std::move(credited.error()));
  auto planned =
      outbox::plan({*message, draft, *file, *parties_, *contacts, earlier, &released, std::move(*members), &*credited});
  auto queued = co_await enqueue(planned, *message, lane, now, tx);
  if (!queued) co_return fail(std::move(queued.error()));
  for (const auto& deadline : draft.deadlines) {
    auto set = co_await set_timer(journal_, *message, deadline, tx);
    if (!set) co_return fail(std::move(set.error()));
  }
  index_invoices(*message, draft, planned, tx);
  // Two cases with the same invoice at the same time: the second finds the register changed (CONFLICT) and decides
  // again.
  for (const auto& r : draft.registers) {
    auto read = versions.find(r.key);
    bool was_read = read != versions.end();
    tx.ops.push_back(store::PutRow{"register", was_read ? read->second.key : r.key, to_bytes(dump_json(r.value)),
                                   was_read ? std::optional(read->second.version) : std::nullopt});
  }
  auto committed = co_await journal_.store().commit(std::move(tx));
  if (!committed) co_return fail(std::move(committed.error()));

  remember(std::move(*file), version);
  tell(*message, draft.outcome, !planned.empty(), now);
  co_return Result<void>{};
}

Task<Result<std::vector<outbox::Planned>>> Pipeline::blokkade(const Message& message, const Draft& draft) {
  std::vector<outbox::Planned> planned;
  try {
    auto standing = co_await case_file(message.subject);
    if (!standing) co_return fail(std::move(standing.error()));
    auto contacts = co_await directory_.contacts(message.subject);
    if (!contacts) co_return fail(std::move(contacts.error()));
    auto members = co_await journal::members(journal_.store(), *parties_, message.subject);
    if (!members) co_return fail(std::move(members.error()));
    const std::map<std::string, std::vector<Attachment>> none{};
    planned = outbox::plan({message, draft, standing->file, *parties_, *contacts, none, nullptr, std::move(*members)});
  } catch (const std::exception&) {
    // It may be this that threw at first. The message is set aside all the same, and the operator sees it.
    log(LogLevel::error, "pipeline.sender_not_told", {{"seq", message.seq}});
    planned.clear();
  }
  co_return planned;
}

Task<Result<void>> Pipeline::quarantine(store::MessageRow row) {
  auto lane = row.lane;
  auto message = co_await journal_.read(std::move(row));
  if (!message) co_return fail(std::move(message.error()));
  Draft draft;
  draft.outcome = Outcome::quarantined;
  draft.codes = {"DECIDER_THREW"};
  store::Transaction tx;
  auto recorded = co_await journal_.record(*message, draft, message->region, tx);
  if (!recorded) co_return fail(std::move(recorded.error()));
  auto planned = co_await blokkade(*message, draft);
  if (!planned) co_return fail(std::move(planned.error()));
  auto now = journal_.clock().now();
  auto queued = co_await enqueue(*planned, *message, lane, now, tx);
  if (!queued) co_return fail(std::move(queued.error()));
  index_invoices(*message, draft, {}, tx);
  auto committed = co_await journal_.store().commit(std::move(tx));
  if (!committed) co_return fail(std::move(committed.error()));
  // The case has one message more than the remembered file knows.
  cache_.erase(message->subject);
  recent_.remove(message->subject);
  tell(*message, draft.outcome, !planned->empty(), now);
  co_return Result<void>{};
}

Task<> Pipeline::lane(std::vector<store::MessageRow> rows) {
  auto name = rows.front().lane;
  for (auto& row : rows) {
    auto seq = row.seq;
    auto kept = row;
    Result<void> done{};
    bool threw = false;
    try {
      done = co_await decide_one(std::move(row));
    } catch (const std::exception&) {
      // A bug met this message. It must not stop its lane for ever, nor take others along: a person looks at it.
      threw = true;
    }
    if (threw) {
      log(LogLevel::error, "pipeline.threw", {{"seq", seq}});
      try {
        done = co_await quarantine(std::move(kept));
      } catch (const std::exception&) {
        // Tried again as any failure is: a lane that ends here would stay busy for ever.
        done = fail(ErrorKind::internal, "QUARANTINE_THREW", "a message cannot be set aside");
      }
    }
    if (!done) {
      // The message stays undecided and its lane waits; a later round tries again. Other lanes go on.
      if (done.error().kind != ErrorKind::conflict) {
        log(LogLevel::error, "pipeline.failed", {{"seq", seq}, {"code", done.error().code}});
        co_await runtime::sleep_for(std::chrono::seconds(1));
      }
      cache_.erase(name.substr(name.find(':') + 1));
      recent_.remove(name.substr(name.find(':') + 1));
      break;
    }
  }
  busy_.erase(name);
  journal_.arrivals().ring();
}

namespace {
std::map<std::string, std::vector<store::MessageRow>> by_lane(std::vector<store::MessageRow> rows) {
  std::map<std::string, std::vector<store::MessageRow>> out;
  for (auto& r : rows) out[r.lane].push_back(std::move(r));
  return out;
}
}  // namespace

Task<Result<int>> Pipeline::step() {
  int decided = 0;
  for (;;) {
    auto rows = co_await journal_.store().undecided(256, {});
    if (!rows) co_return fail(std::move(rows.error()));
    if (rows->empty()) co_return decided;
    for (auto& row : *rows) {
      auto done = co_await decide_one(std::move(row));
      if (!done) co_return fail(std::move(done.error()));
      ++decided;
    }
  }
}

Task<> Pipeline::run(runtime::Scope& scope) {
  while (!scope.stopping()) {
    int started = 0;
    bool failed = false;
    auto room = options_.lanes_at_once - static_cast<int>(busy_.size());
    if (room > 0) {
      std::vector<std::string> busy(busy_.begin(), busy_.end());
      auto rows = co_await journal_.store().undecided(256, std::move(busy));
      if (!rows) {
        failed = true;
        log(LogLevel::error, "pipeline.read_failed", {{"code", rows.error().code}});
      } else {
        for (auto& [name, waiting] : by_lane(std::move(*rows))) {
          if (started >= room || busy_.contains(name)) continue;
          busy_.insert(name);
          scope.spawn(lane(std::move(waiting)), "pipeline.lane");
          ++started;
        }
      }
    }
    if (failed) {
      auto on = co_await scope.pause(std::chrono::seconds(1));
      if (!on) break;
    } else if (started == 0) {
      co_await journal_.arrivals().wait(options_.idle);
    }
  }
}

Task<Result<Recorded>> Pipeline::await_decision(store::MessageSeq seq, milliseconds limit) {
  auto bell = std::make_shared<runtime::Bell>();
  waiting_[seq].push_back(bell);
  // Looked at after the bell is in place: a decision in between rings it.
  auto first = co_await journal_.decision(seq);
  if (first && *first) {
    waiting_.erase(seq);
    co_return std::move(**first);
  }
  auto rang = co_await bell->wait(limit);
  if (auto it = waiting_.find(seq); it != waiting_.end()) {
    std::erase(it->second, bell);
    if (it->second.empty()) waiting_.erase(it);
  }
  auto found = co_await journal_.decision(seq);
  if (found && *found) co_return std::move(**found);
  if (!found) co_return fail(std::move(found.error()));
  (void)rang;
  co_return fail(ErrorKind::timeout, "DECISION_PENDING", "the message is accepted and not decided yet");
}

}  // namespace schakel::pipeline
