// The road of an invoice on a store in memory: journal, invoicing decider, outbox and a partner that does as it is
// told. A process can end before or after any commit and start again.
#pragma once
#include <gtest/gtest.h>

#include "core/outbox/dispatcher.hpp"
#include "core/outbox/restored.hpp"
#include "core/pipeline/invoice_index.hpp"
#include "core/pipeline/pipeline.hpp"
#include "core/pipeline/reconcile.hpp"
#include "core/pipeline/series.hpp"
#include "core/pipeline/settlement.hpp"
#include "core/store/sqlite/sqlite_store.hpp"
#include "plugins/consent/consent.hpp"
#include "plugins/invoicing/decider.hpp"
#include "tests/support/run_now.hpp"
#include "tests/unit/pipeline/road_parts.hpp"

namespace schakel::test {

/// A store whose process dies at the nth commit, before or after it took effect; from then on nothing answers.
class MortalStore final : public store::Store {
 public:
  explicit MortalStore(store::Store& inner) : inner_(inner) {}
  int commits = 0, die_at = 0;
  bool die_after = false, dead = false;

  Task<Result<store::Committed>> commit(store::Transaction t) override {
    bool now = ++commits == die_at;
    if (now && !die_after) dead = true;
    if (dead) co_return fail(gone());
    auto done = co_await inner_.commit(std::move(t));
    if (now) dead = true;
    if (dead) co_return fail(gone());
    co_return done;
  }
  Task<Result<std::vector<store::MessageRow>>> undecided(int limit, std::vector<std::string> busy) override {
    return inner_.undecided(limit, std::move(busy));
  }
  Task<Result<std::optional<store::MessageRow>>> message(store::MessageSeq seq) override { return inner_.message(seq); }
  Task<Result<std::optional<store::MessageRow>>> find_message(std::string source, std::string id) override {
    return inner_.find_message(std::move(source), std::move(id));
  }
  Task<Result<std::vector<store::MessageRow>>> messages(store::MessageFilter f) override {
    return inner_.messages(std::move(f));
  }
  Task<Result<std::vector<store::DecisionRow>>> decisions(std::string c, store::MessageSeq after, int limit) override {
    return inner_.decisions(std::move(c), after, limit);
  }
  Task<Result<std::optional<store::DecisionRow>>> decision(store::MessageSeq seq) override {
    return inner_.decision(seq);
  }
  Task<Result<std::vector<store::DeliveryRow>>> due_deliveries(Instant now, int limit,
                                                               std::vector<std::string> busy) override {
    return inner_.due_deliveries(now, limit, std::move(busy));
  }
  Task<Result<std::optional<store::DeliveryRow>>> delivery(std::string id) override {
    return inner_.delivery(std::move(id));
  }
  Task<Result<std::vector<store::DeliveryRow>>> deliveries(store::DeliveryFilter f) override {
    return inner_.deliveries(std::move(f));
  }
  Task<Result<std::vector<store::AttemptRow>>> attempts(std::string id) override {
    return inner_.attempts(std::move(id));
  }
  Task<Result<std::optional<Instant>>> next_due() override { return inner_.next_due(); }
  Task<Result<std::vector<store::TimerRow>>> due_timers(Instant now, int limit) override {
    return inner_.due_timers(now, limit);
  }
  Task<Result<std::vector<store::TimerRow>>> timers(std::string c) override { return inner_.timers(std::move(c)); }
  Task<Result<std::optional<store::Row>>> row(std::string space, std::string key) override {
    return inner_.row(std::move(space), std::move(key));
  }
  Task<Result<std::vector<store::Row>>> rows(std::string space, std::string prefix, std::string after,
                                             int limit) override {
    return inner_.rows(std::move(space), std::move(prefix), std::move(after), limit);
  }
  Task<Result<std::vector<store::LeafRow>>> leaves(std::int64_t position, int limit) override {
    return inner_.leaves(position, limit);
  }
  Task<Result<store::Stats>> stats() override { return inner_.stats(); }
  Task<Result<void>> backup(std::string path) override { return inner_.backup(std::move(path)); }
  void close() override {}

 private:
  static Error gone() { return {ErrorKind::io, "STORE_IO", "the process is gone", {}}; }
  store::Store& inner_;
};

/// Opens a case of a region with a fixed 50/50 split and what the tests say it has agreed.
class Opening final : public Decider {
 public:
  [[nodiscard]] std::string_view stage() const override { return "routing"; }
  [[nodiscard]] Draft decide(FactView& view, const Facts&, Draft d) const override {
    const Message& m = view.message();
    if (m.type == "zaak_opening") {
      d.outcome = Outcome::recorded;
      d.effects.push_back({"pupil", "school_type", "PO"});
      d.effects.push_back({"fact", "funding_agreed", m.payload.value("agreed", true)});
      if (m.payload.contains("town")) d.effects.push_back({"pupil", "woongemeente", m.payload["town"]});
      if (m.payload.contains("swv")) d.effects.push_back({"fact", "party_swv", m.payload["swv"]});
    }
    if (m.type == "financieringsafspraak") {
      d.effects.push_back({"fact", "funding_agreed", true});
      if (m.payload.contains("lines")) d.effects.push_back({"fact", "funding", m.payload["lines"]});
      Recipient finance;
      finance.role = "gemeente_financien";
      d.recipients.push_back(std::move(finance));
    }
    return d;
  }
};

/// All partners at once. Remembers by idempotency key what it was handed, as a mailbox with stable Message-IDs would.
class Partners final : public outbox::Attempter {
 public:
  std::map<std::string, std::string> taken;  ///< invoice deliveries that arrived: id to "number>role"
  std::map<std::string, int> arrivals;       ///< how often each of them did
  std::vector<Json> told;                    ///< signals that arrived
  std::function<AttemptResult(const store::DeliveryRow&)> answer;
  std::function<Json(const store::DeliveryRow&)> body;
  std::function<Task<bool>()> waits;

  Task<AttemptResult> attempt(store::DeliveryRow row, int) override {
    AttemptResult r{Verdict::delivered, "MAIL_SENT", std::nullopt, {{"message_id", "m." + row.id}}};
    if (answer) r = answer(row);
    if (row.kind == "invoice") {
      bool stays = co_await waits();
      if (stays) r = {Verdict::unknown, std::string(outbox::kRestored), std::nullopt, Json::object()};
    }
    if (r.verdict == Verdict::delivered) {
      Json b = body(row);
      if (row.kind == "invoice") ++arrivals[row.id];
      if (row.kind == "invoice") taken[row.id] = b["body"]["invoice"].value("number", "") + ">" + row.role;
      if (row.kind == "signal") told.push_back(b["body"]["signal"]);
    }
    co_return r;
  }
  Task<Result<store::Transaction>> settlement(const store::DeliveryRow& row, const AttemptResult& r) override {
    store::Transaction tx;
    if (r.verdict == Verdict::delivered && row.kind == "invoice")
      tx.ops.push_back(
          store::PutRow{std::string(outbox::kInvoiceOfMail), "m." + row.id, to_bytes(row.id), std::nullopt});
    co_return tx;
  }
  [[nodiscard]] bool repeatable(std::string_view) const override { return true; }
};

/// A delivery report on the mail of a delivery; `own_id` is the Message-ID of the report itself.
inline std::string bounce_of(const std::string& delivery, const char* action = "failed", const char* status = "5.1.1",
                             const std::string& own_id = "") {
  return (own_id.empty() ? "" : "Message-ID: <" + own_id + ">\n") +
         std::string(
             "Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: "
             "message/delivery-status\n\nReporting-MTA: dns; x\n\nAction: ") +
         action + "\nStatus: " + status + "\n\n--b\nContent-Type: message/rfc822\n\nMessage-ID: <m." + delivery +
         ">\n\n--b--\n";
}

struct MoneyRoad {
  ManualClock clock{parse_instant("2026-10-20T09:00:00Z").value()};
  std::unique_ptr<store::SqliteStore> disk = store::SqliteStore::open(":memory:", clock).value();
  OpenSealer sealer;
  Partners partners;
  Opening opening;
  consent::ConsentDecider consent;
  invoicing::InvoicingDecider invoicing;
  NoPeople people;
  std::shared_ptr<const Parties> parties = std::make_shared<Parties>(Parties::read(directory()).value());
  Profiles profiles = regions();

  /// Read once: a sweep makes hundreds of worlds.
  static const Profiles& regions() {
    static const Profiles read = load_profiles(std::string(SCHAKEL_SOURCE_DIR) + "/config").value();
    return read;
  }

  /// What a process holds; a restart makes it anew.
  struct Process {
    MortalStore store;
    journal::Journal journal;
    pipeline::Pipeline pipeline;
    outbox::Dispatcher dispatcher;
    /// A store that is gone stays so: nobody waits for it.
    static outbox::DispatcherOptions options() {
      outbox::DispatcherOptions o;
      o.store_pause = milliseconds(1);
      return o;
    }
    pipeline::SettlementWatch watch;
    Process(MoneyRoad& r)
        : store(*r.disk),
          journal(store, r.sealer, r.clock, Secret("k")),
          pipeline(journal, {&r.opening, &r.consent, &r.invoicing}, r.profiles, r.parties, r.people),
          dispatcher(store, r.partners, r.clock, options()),
          watch(journal) {}
  };
  std::unique_ptr<Process> process;

  MoneyRoad() {
    partners.waits = [this]() -> Task<bool> {
      // As Delivering does.
      auto since = co_await outbox::restored_since(*disk);
      co_return !since || since->has_value();
    };
    partners.body = [this](const store::DeliveryRow& row) {
      auto plain = run_now(sealer.open(row.case_id, "delivery", row.id, row.sealed)).value();
      return Json::parse(plain.begin(), plain.end());
    };
    restart();
  }
  void restart() { process = std::make_unique<Process>(*this); }

  static Json directory() {
    auto party = [](const char* id, const char* domain, Json roles, const char* payer) {
      return Json{{"id", id},
                  {"name", id},
                  {"domain", domain},
                  {"endpoints", {{{"roles", roles}, {"regions", {"KNH"}}, {"adapter", std::string("to_") + id}}}},
                  {"may_send", {{{"roles", {"*"}}, {"types", {"*"}}, {"regions", {"KNH"}}}}},
                  {"invoice", {{"payer_role", payer}, {"name", id}, {"kvk", "90000004"}}}};
    };
    return {
        {"parties",
         {party("gem", "care", {"gemeente_financien"}, "gemeente"), party("swv", "education", {"swv_financien"}, "swv"),
          party("hoeve", "care", {"zorgaanbieder_billing"}, "zorgaanbieder")}}};
  }

  Message message(std::string id, std::string type, Json payload, std::string role = "zorgaanbieder_billing",
                  std::string party = "hoeve") const {
    Message m;
    m.id = std::move(id);
    m.source = "s";
    m.type = std::move(type);
    m.subject = "Z-1";
    m.region = "KNH";
    m.party = std::move(party);
    m.sender_role = std::move(role);
    m.payload = std::move(payload);
    return m;
  }
  Result<journal::Accepted> accept(Message m) { return run_now(process->journal.accept(std::move(m))); }
  bool open_case(bool agreed = true) {
    return accept(message("open", "zaak_opening", {{"agreed", agreed}}, "school_ib", "gem")).has_value();
  }
  Message factuur(std::string number, std::int64_t grey, std::int64_t vat = 0, Json more = Json::object()) const {
    Json payload{{"number", number}, {"lines", {{{"kind", "grijs"}, {"cents", grey}}}}, {"vat_cents", vat}};
    payload.update(more);
    return message("msg-" + number, "factuur", payload);
  }
  Message creditnota(std::string number, std::string of, std::int64_t grey) const {
    return message(
        "msg-" + number, "creditnota",
        {{"number", number}, {"credits", of}, {"lines", {{{"kind", "grijs"}, {"cents", grey}}}}, {"vat_cents", 0}});
  }
  /// Everything until nothing moves; stops where the process died.
  void run() {
    for (int round = 0; round < 60; ++round) {
      auto decided = run_now(process->pipeline.step());
      if (!decided) return;
      int sent = 0;
      for (int n = 1; n > 0 && !process->store.dead;) {
        auto step = run_now(process->dispatcher.step());
        if (!step) return;
        n = *step;
        sent += n;
      }
      auto told = run_now(process->watch.step());
      if (!told || process->store.dead) return;
      if (*decided == 0 && sent == 0 && *told == 0) {
        // Retries wait; time goes on for them.
        auto due = run_now(disk->next_due()).value();
        if (!due || *due > clock.now() + std::chrono::hours(24 * 20)) return;
        if (*due > clock.now())
          clock.set(*due);
        else if (round > 40)
          return;
      }
    }
  }
  pipeline::Month books(const std::string& month = "2026-10") {
    return run_now(pipeline::reconcile(process->journal, month)).value();
  }
  std::vector<store::DeliveryRow> invoices() {
    std::vector<store::DeliveryRow> out;
    store::DeliveryFilter all;
    all.limit = 1000;
    for (auto& d : run_now(disk->deliveries(all)).value())
      if (d.kind == "invoice") out.push_back(d);
    return out;
  }
  std::string id_of(const std::string& role) {
    for (const auto& d : invoices())
      if (d.role == role) return d.id;
    return "";
  }
  /// Reports on invoices in the journal.
  std::size_t reports() {
    store::MessageFilter filter;
    filter.type = "factuur_status";
    filter.limit = 1000;
    return run_now(disk->messages(filter)).value().size();
  }
  std::string status(const std::string& delivery) { return run_now(pipeline::settled(*disk, delivery)).value().status; }
};

/// What a month names as open, one text each.
inline std::set<std::string> what_is_open(const pipeline::Month& m) {
  std::set<std::string> out;
  for (const auto& o : m.open) out.insert(o.what + " " + o.number + (o.payer.empty() ? "" : ">" + o.payer));
  return out;
}

}  // namespace schakel::test
