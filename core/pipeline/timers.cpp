#include "core/pipeline/timers.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/audit/leaf.hpp"
#include "core/base/calendar.hpp"
#include "core/base/log.hpp"

namespace schakel::pipeline {
namespace {

constexpr auto kOfficeOpens = std::chrono::hours(9), kOfficeCloses = std::chrono::hours(17);

/// Next moment this deadline has something to say after `now`; nullopt when it has nothing left.
std::optional<Instant> next_moment(const Deadline& d, std::string_view phase_done) {
  if (d.state != "set") return std::nullopt;
  if (phase_done.empty() && !d.warn_date.empty())
    if (auto day = Date::parse(d.warn_date)) return start_of_day(roll_forward(*day)) + kOfficeOpens;
  if (phase_done != "breach")
    if (auto day = Date::parse(d.date)) return start_of_day(roll_forward(add_days(*day, 1))) + kOfficeOpens;
  return std::nullopt;
}

/// What the day after a term says. A target that gave no warning before it ended is one (MH-T6: the first two of the
/// three terms of a plan); a term of kind `signal` (ratification_overdue) says its own name.
std::string code_of(std::string_view phase, const Json& record) {
  auto severity = record.value("severity", "");
  bool target = severity == "target" || severity == "warn";
  if (phase == "warn" || (target && record.value("warn_date", "").empty())) return "TIMER_WARN";
  if (severity != "signal") return "TIMER_BREACH";
  std::string code = record.value("name", "");
  for (char& c : code)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return code;
}

Json to_record(const Message& m, const Deadline& d, std::string_view done) {
  return {{"name", d.name},   {"date", d.date},         {"warn_date", d.warn_date},
          {"rule", d.rule},   {"severity", d.severity}, {"responsible", d.responsible},
          {"state", d.state}, {"region", m.region},     {"done", done}};
}

/// What to_record made. STORE_CORRUPT_ROW for anything else: one such row must not keep the others from firing.
Result<Json> timer_record(ByteView plain) {
  auto text = as_text(plain);
  auto record = Json::parse(text.begin(), text.end(), nullptr, false);
  bool whole =
      record.is_object() && std::all_of(record.begin(), record.end(), [](const Json& v) { return v.is_string(); });
  for (const char* name : {"name", "date", "warn_date"}) whole = whole && record.contains(name);
  if (!whole) return fail(ErrorKind::internal, "STORE_CORRUPT_ROW", "what a timer says cannot be read");
  return record;
}

Task<Result<void>> put(journal::Journal& journal, std::string case_id, Json record, Instant due, std::string state,
                       store::Transaction& with) {
  store::TimerRow row;
  row.case_id = case_id;
  row.name = record.at("name");
  row.id = case_id + "/" + row.name;
  row.due = due;
  row.state = std::move(state);
  auto sealed = co_await journal.sealer().seal(case_id, "timer", row.id, to_bytes(dump_json(record)), with);
  if (!sealed) co_return fail(std::move(sealed.error()));
  row.sealed = std::move(*sealed);
  with.ops.push_back(store::SetTimer{std::move(row)});
  co_return Result<void>{};
}

}  // namespace

bool office_is_open(Instant now) {
  auto today = local_date(now);
  return roll_forward(today) == today && now >= start_of_day(today) + kOfficeOpens &&
         now < start_of_day(today) + kOfficeCloses;
}

Task<Result<void>> set_timer(journal::Journal& journal, const Message& message, const Deadline& d,
                             store::Transaction& with) {
  auto record = to_record(message, d, "");
  auto due = next_moment(d, "");
  std::string state = d.state == "set" ? "set" : d.state;
  if (!due) {
    if (state == "set") state = "breached";
    auto day = Date::parse(d.date);
    due = day ? start_of_day(*day) : message.time;
  }
  auto done = co_await put(journal, message.subject, std::move(record), *due, std::move(state), with);
  co_return done;
}

Task<Result<void>> TimerLoop::fire(store::TimerRow row) {
  auto plain = co_await journal_.sealer().open(row.case_id, "timer", row.id, std::move(row.sealed));
  if (!plain && plain.error().kind == ErrorKind::not_found) {
    // The case was erased: its deadlines ended with it.
    row.state = "cancelled";
    row.sealed = {};
    auto ended = co_await journal_.store().commit({{store::SetTimer{std::move(row)}}});
    if (!ended) co_return fail(std::move(ended.error()));
    co_return Result<void>{};
  }
  if (!plain) co_return fail(std::move(plain.error()));
  auto read = timer_record(*plain);
  if (!read) co_return fail(std::move(read.error()));
  auto record = std::move(*read);
  Deadline d;
  d.name = record.at("name");
  d.date = record.at("date");
  d.warn_date = record.at("warn_date");
  d.state = "set";
  auto done = record.value("done", "");
  std::string phase = done.empty() && !d.warn_date.empty() ? "warn" : "breach";

  Message m;
  m.source = "urn:schakel:timers";
  m.id = fmt::format("{}/{}/{}/{}", row.case_id, d.name, d.date, phase);
  m.type = "termijnsignaal";
  m.subject = row.case_id;
  m.region = record.value("region", "");
  m.party = "schakel";
  m.sender_role = "broker";
  m.payload = {{"timer", d.name},
               {"date", d.date},
               {"severity", record.value("severity", "")},
               {"responsible", record.value("responsible", "")},
               {"rule", record.value("rule", "")},
               {"code", code_of(phase, record)}};
  record["done"] = phase;
  auto next = next_moment(d, phase);
  store::Transaction tx;
  auto kept = co_await put(journal_, row.case_id, record, next.value_or(row.due), next ? "set" : "breached", tx);
  if (!kept) co_return fail(std::move(kept.error()));
  auto accepted = co_await journal_.accept(std::move(m), std::move(tx));
  if (!accepted && accepted.error().code != "MESSAGE_CONFLICT") co_return fail(std::move(accepted.error()));
  if (!accepted || accepted->duplicate) {
    // Fired before, but the timer row was set again by a later decision with the same date: it has nothing new to say.
    store::Transaction only;
    auto again =
        co_await put(journal_, row.case_id, std::move(record), next.value_or(row.due), next ? "set" : "breached", only);
    if (!again) co_return fail(std::move(again.error()));
    auto committed = co_await journal_.store().commit(std::move(only));
    if (!committed) co_return fail(std::move(committed.error()));
  }
  co_return Result<void>{};
}

Task<Result<int>> TimerLoop::step() {
  int fired = 0;
  if (!office_is_open(journal_.clock().now())) co_return fired;
  bool failed = false;
  for (;;) {
    auto rows = co_await journal_.store().due_timers(journal_.clock().now(), 100);
    if (!rows) co_return fail(std::move(rows.error()));
    if (rows->empty()) co_return fired;
    for (auto& row : *rows) {
      auto id = row.id;
      auto done = co_await fire(std::move(row));
      if (done) {
        ++fired;
        continue;
      }
      // One that fails does not stop the others; the next round tries it again.
      log(LogLevel::error, "timer.failed", {{"code", done.error().code}});
      failed = true;
    }
    if (failed) co_return fired;
  }
}

Task<> TimerLoop::run(runtime::Scope& scope) {
  while (!scope.stopping()) {
    auto fired = co_await step();
    if (!fired) log(LogLevel::error, "timer.step_failed", {{"code", fired.error().code}});
    auto on = co_await scope.pause(std::chrono::seconds(10));
    if (!on) break;
  }
}

}  // namespace schakel::pipeline
