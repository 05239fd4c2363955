#include "core/pipeline/settlement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "core/audit/leaf.hpp"
#include "core/base/calendar.hpp"
#include "core/base/log.hpp"
#include "core/formats/bounce.hpp"
#include "core/formats/values.hpp"
#include "core/outbox/generation.hpp"
#include "core/pipeline/after_restore.hpp"
#include "core/pipeline/invoice_index.hpp"
#include "core/store/row_json.hpp"

namespace schakel::pipeline {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kStatusNames{{{"accepted", "geaccepteerd"},
                                                                                     {"transported", "verzonden"},
                                                                                     {"received", "ontvangen"},
                                                                                     {"refused", "geweigerd"},
                                                                                     {"processed", "verwerkt"}}};

/// Working days before its last day at which the gemeente hears that an answer is still owed.
constexpr int kAnswerWarnDays = 2;

/// Row of `told`: the last report the watch made of a delivery.
constexpr std::string_view kTold = "invoice.told";

bool plain_code(std::string_view code) {
  return code.size() <= 160 && std::ranges::all_of(code, [](unsigned char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
                  c == '-' || c == ':' || c == ',';
         });
}

bool plain_number(std::string_view number) {
  return !number.empty() && number.size() <= 40 && !formats::holds_bsn(number) &&
         std::ranges::all_of(number, [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '/' || c == '-';
         });
}

}  // namespace

std::string_view status_dutch(std::string_view status) {
  for (const auto& [name, dutch] : kStatusNames)
    if (name == status) return dutch;
  return status;
}

std::string status_from_dutch(std::string_view status) {
  for (const auto& [name, dutch] : kStatusNames)
    if (dutch == status) return std::string(name);
  return {};
}

Task<Result<journal::Accepted>> report_invoice(journal::Journal& journal, InvoiceReport report,
                                               store::Transaction with) {
  if (report.status != "received" && report.status != "refused" && report.status != "processed" &&
      report.status != "stuck")
    co_return fail(ErrorKind::invalid, "INVOICE_STATUS", "an invoice is reported as received, refused or processed");
  if (!plain_code(report.code))
    co_return fail(ErrorKind::invalid, "INVOICE_CODE", "a code has letters, digits, dot, dash and underscore");
  if (!report.sent_as.empty() && (report.status == "refused" || !plain_number(report.sent_as)))
    co_return fail(ErrorKind::invalid, "INVOICE_NUMBER",
                   "an arrived invoice has a number of at most 40 letters, digits and . _ / -, and no BSN in it");
  auto key = co_await journal.store().row(std::string(outbox::kInvoiceOfDelivery), report.delivery);
  if (!key) co_return fail(std::move(key.error()));
  if (!*key) co_return fail(ErrorKind::not_found, "INVOICE_UNKNOWN", "there is no such invoice");
  auto row = co_await journal.store().row(std::string(outbox::kInvoicesOut), std::string(as_text((*key)->value)));
  if (!row) co_return fail(std::move(row.error()));
  if (!*row) co_return fail(ErrorKind::not_found, "INVOICE_UNKNOWN", "there is no such invoice");
  auto known = store::object_in(**row);
  if (!known) co_return fail(std::move(known.error()));
  const auto& invoice = *known;
  auto sent_again = co_await outbox::generation_of(journal.store(), report.delivery);
  if (!sent_again) co_return fail(std::move(sent_again.error()));
  // What has arrived by another way is not sent as well.
  std::optional<store::ChangeDelivery> settle;
  auto waits = co_await journal.store().delivery(report.delivery);
  if (!waits) co_return fail(std::move(waits.error()));
  // A mail that a person had sent again and that has not left yet: what its server or reader says is of the one before.
  if (report.of_mail && *sent_again > 0 && *waits && (*waits)->state != store::DeliveryState::delivered) {
    --*sent_again;
  } else if (report.status == "received" || report.status == "processed") {
    if (*waits && ((*waits)->state == store::DeliveryState::pending || (*waits)->state == store::DeliveryState::parked))
      settle = store::ChangeDelivery{report.delivery,       (*waits)->state,        store::DeliveryState::delivered,
                                     journal.clock().now(), std::string(kReported), std::nullopt};
  }
  Message m;
  m.source = "urn:schakel:facturen";
  m.id = fmt::format("{}/{}/{}", report.delivery, report.status, report.evidence);
  m.type = "factuur_status";
  m.subject = invoice.value("zaak", "");
  m.region = invoice.value("regio", "");
  m.party = "schakel";
  m.sender_role = "broker";
  m.payload = {{"delivery", report.delivery},
               {"number", invoice.value("nummer", "")},
               {"payer", invoice.value("betaler", "")},
               {"payee", invoice.value("ontvanger", "")},
               {"payee_party", invoice.value("ontvangerPartij", "")},
               {"status", report.status},
               {"code", report.code}};
  if (*sent_again > 0) m.payload["generation"] = *sent_again;
  if (!report.sent_as.empty()) m.payload["sent_as"] = report.sent_as;
  if (settle) with.ops.push_back(*settle);
  auto accepted = co_await journal.accept(std::move(m), std::move(with));
  if (accepted && accepted->duplicate && settle) {
    // Reported before while it was on its way, and it waits again: the repeat wrote nothing.
    store::Transaction late;
    late.ops.push_back(std::move(*settle));
    auto done = co_await journal.store().commit(std::move(late));
    if (!done) co_return fail(std::move(done.error()));
  }
  co_return accepted;
}

Task<Result<void>> report_not_taken(journal::Journal& journal, NotTakenReport report) {
  if (report.rule.empty() || !plain_code(report.rule))
    co_return fail(ErrorKind::invalid, "INVOICE_CODE", "a code has letters, digits, dot, dash and underscore");
  audit::LeafFields fields{.ids = {{"party", report.party}},
                           .codes = {report.rule},
                           .hashes = {{"id", sha256(report.party + '\n' + report.evidence)}}};
  if (!report.case_id.empty()) fields.ids.emplace_back("case", report.case_id);
  auto written = co_await journal.store().commit({{audit::leaf(journal.clock().now(), "message.refused", fields)}});
  if (!written) co_return fail(std::move(written.error()));
  if (report.case_id.empty()) co_return Result<void>{};
  auto opened = co_await journal.load(report.case_id);
  // The case was erased: its number is still known, and there is nobody to tell.
  if (!opened && opened.error().kind == ErrorKind::not_found) co_return Result<void>{};
  if (!opened) co_return fail(std::move(opened.error()));
  Message m;
  m.source = "urn:schakel:facturen";
  m.id = fmt::format("{}/not_taken/{}", sha256_hex(report.party + '\n' + report.evidence).substr(0, 32), report.rule);
  m.type = "factuur_status";
  m.subject = std::move(report.case_id);
  m.region = opened->region;
  m.party = "schakel";
  m.sender_role = "broker";
  m.payload = {{"delivery", ""},
               {"number", std::move(report.number)},
               {"payer", "gemeente"},
               {"payee", "zorgaanbieder"},
               {"payee_party", std::move(report.party)},
               {"status", "not_taken"},
               {"code", std::move(report.rule)}};
  auto accepted = co_await journal.accept(std::move(m), {});
  if (!accepted && accepted.error().kind != ErrorKind::not_found) co_return fail(std::move(accepted.error()));
  co_return Result<void>{};
}

Task<Result<void>> refuse_held(journal::Journal& journal, std::string case_id, std::string message, std::string code,
                               store::Transaction with) {
  if (code.empty() || !plain_code(code))
    co_return fail(ErrorKind::invalid, "INVOICE_CODE", "a code has letters, digits, dot, dash and underscore");
  auto key = case_id + "/" + message;
  auto row = co_await journal.store().row(std::string(kInvoicesIn), key);
  if (!row) co_return fail(std::move(row.error()));
  if (!*row) co_return fail(ErrorKind::not_found, "INVOICE_UNKNOWN", "there is no such invoice");
  auto known = store::object_in(**row);
  if (!known) co_return fail(std::move(known.error()));
  if (known->value("status", "") != "held")
    co_return fail(ErrorKind::conflict, "INVOICE_NOT_OPEN", "only an invoice that is held is refused");
  auto opened = co_await journal.load(case_id);
  if (!opened) co_return fail(std::move(opened.error()));
  Message m;
  m.source = "urn:schakel:facturen";
  m.id = fmt::format("{}/not_granted/{}", message, (*row)->version);
  m.type = "factuur_status";
  m.subject = case_id;
  m.region = opened->region;
  m.party = "schakel";
  m.sender_role = "broker";
  m.payload = {{"status", "not_granted"}, {"source", message}, {"number", known->value("nummer", "")}, {"code", code}};
  // A person has dealt with it: it is no open item, whichever code it bears.
  with.ops.push_back(store::PutRow{std::string(kInvoiceAside), std::move(key),
                                   to_bytes(format_instant(journal.clock().now())), std::nullopt});
  auto accepted = co_await journal.accept(std::move(m), std::move(with));
  if (!accepted) co_return fail(std::move(accepted.error()));
  co_return Result<void>{};
}

Task<Result<BounceResult>> report_bounce(journal::Journal& journal, std::string mail) {
  auto report = formats::read_mail_report(mail);
  if (!report) co_return fail(std::move(report.error()));
  auto row = co_await journal.store().row(std::string(outbox::kInvoiceOfMail), report->message_id);
  if (!row) co_return fail(std::move(row.error()));
  if (!*row) co_return fail(ErrorKind::not_found, "BOUNCE_UNKNOWN", "the report is about no invoice of ours");
  using Kind = formats::MailReport::Kind;
  BounceResult out;
  out.delivery = as_text((*row)->value);
  out.status = report->kind == Kind::failed ? "refused" : report->kind == Kind::delivered ? "received" : "transported";
  out.code = report->kind == Kind::failed ? "BOUNCE_" + report->status : report->status;
  if (out.code.ends_with('_')) out.code.pop_back();
  if (out.status == "transported") co_return out;
  // A copy that came by another way has other Received lines, and is the same report.
  auto evidence = sha256_hex(report->own_id.empty() ? mail : "message-id " + report->own_id).substr(0, 32);
  auto done = co_await report_invoice(journal, {out.delivery, out.status, out.code, std::move(evidence), {}, true});
  if (!done) co_return fail(std::move(done.error()));
  out.recorded = true;
  out.known = done->duplicate;
  co_return out;
}

Settled settled(const store::DeliveryRow* d, const Json& reported, int generation) {
  using store::DeliveryState;
  if (!d) return {"accepted", "DELIVERY_MISSING", true};
  bool running = d->state == DeliveryState::pending || d->state == DeliveryState::attempting;
  if (reported.is_object() && reported.contains("status")) {
    auto status = reported.value("status", ""), code = reported.value("code", "");
    if (status != "refused") return {status, code, false};
    // Sent again after the refusal: it is on its way, or there, once more. The moments say nothing: a bounce may be
    // here before the attempt that caused it is settled.
    bool again = generation > reported.value("generation", 0) && (running || d->state == DeliveryState::delivered);
    if (!again) return {"refused", code, true};
  }
  switch (d->state) {
    case DeliveryState::delivered:
      return {"transported", d->code, false};
    case DeliveryState::dead:
      return {"refused", d->code, true};
    case DeliveryState::cancelled:
      return {"refused", d->code.empty() ? "CANCELLED" : d->code, true};
    case DeliveryState::pending:
    case DeliveryState::attempting:
    case DeliveryState::parked:
      break;
  }
  return {"accepted", d->code, true};
}

Task<Result<Settled>> settled(store::Store& store, std::string delivery) {
  auto row = co_await store.delivery(delivery);
  if (!row) co_return fail(std::move(row.error()));
  auto state = co_await store.row(std::string(kInvoiceState), delivery);
  if (!state) co_return fail(std::move(state.error()));
  Json reported;
  if (*state) {
    auto known = store::object_in(**state);
    if (!known) co_return fail(std::move(known.error()));
    reported = std::move(*known);
  }
  auto sent_again = co_await outbox::generation_of(store, delivery);
  if (!sent_again) co_return fail(std::move(sent_again.error()));
  auto out = settled(*row ? &**row : nullptr, reported, *sent_again);
  if (reported.is_object()) out.sent_as = reported.value("sent_as", "");
  co_return out;
}

Task<Result<bool>> has_arrived(store::Store& store, std::string delivery) {
  auto row = co_await store.row(std::string(kInvoiceState), delivery);
  if (!row) co_return fail(std::move(row.error()));
  if (!*row) co_return false;
  auto known = store::object_in(**row);
  if (!known) co_return fail(std::move(known.error()));
  auto sent_again = co_await outbox::generation_of(store, std::move(delivery));
  if (!sent_again) co_return fail(std::move(sent_again.error()));
  auto status = known->value("status", "");
  co_return (status == "received" || status == "processed") && *sent_again <= known->value("generation", 0);
}

Task<Result<int>> SettlementWatch::step() {
  auto parked = co_await park_after_restore(journal_.store(), journal_.clock().now());
  if (!parked) co_return fail(std::move(parked.error()));
  auto first = co_await deliveries();
  if (!first) co_return fail(std::move(first.error()));
  auto second = co_await answers();
  if (!second) co_return fail(std::move(second.error()));
  co_return *first + *second;
}

Task<Result<int>> SettlementWatch::answers() {
  int told = 0;
  auto today = local_date(journal_.clock().now());
  std::string after;
  for (;;) {
    auto rows = co_await journal_.store().rows(std::string(kInvoiceAnswer), "", after, 500);
    if (!rows) co_return fail(std::move(rows.error()));
    if (rows->empty()) break;
    after = rows->back().key;
    for (const auto& row : *rows) {
      auto owed = store::object_in(row);
      if (!owed) {
        // One row that other hands changed keeps nobody else waiting.
        log(LogLevel::error, "invoice.answer_unread", {{"code", owed.error().code}});
        continue;
      }
      const auto& j = *owed;
      auto due = Date::parse(j.value("termijn", ""));
      if (!due || add_working_days(today, kAnswerWarnDays) < *due) continue;
      std::string status = *due < today ? "answer_overdue" : "answer_due";
      std::string told_key = "answer/" + row.key;
      auto known = co_await journal_.store().row(std::string(kTold), told_key);
      if (!known) co_return fail(std::move(known.error()));
      if (*known && as_text((*known)->value) == status) continue;
      Message m;
      m.source = "urn:schakel:facturen";
      m.id = fmt::format("{}/{}", j.value("bericht", ""), status);
      m.type = "factuur_status";
      m.subject = j.value("zaak", "");
      m.region = j.value("regio", "");
      m.party = "schakel";
      m.sender_role = "broker";
      m.payload = {{"delivery", ""},      {"number", j.value("nummer", "")},
                   {"payer", "gemeente"}, {"payee", "zorgaanbieder"},
                   {"status", status},    {"code", due->str()}};
      store::Transaction tx;
      tx.ops.push_back(store::PutRow{std::string(kTold), std::move(told_key), to_bytes(status), std::nullopt});
      auto done = co_await journal_.accept(std::move(m), std::move(tx));
      if (!done) co_return fail(std::move(done.error()));
      if (!done->duplicate) ++told;
    }
  }
  co_return told;
}

Task<Result<int>> SettlementWatch::deliveries() {
  int told = 0;
  for (auto state : {store::DeliveryState::dead, store::DeliveryState::parked}) {
    store::DeliveryFilter filter;
    filter.state = state;
    filter.limit = 500;
    for (;;) {
      auto rows = co_await journal_.store().deliveries(filter);
      if (!rows) co_return fail(std::move(rows.error()));
      if (rows->empty()) break;
      filter.after_id = rows->back().id;
      for (const auto& d : *rows) {
        if (d.kind != "invoice") continue;
        bool dead = state == store::DeliveryState::dead;
        auto evidence = fmt::format("{}-{}", d.attempts, d.settled_at ? format_instant(*d.settled_at) : "");
        auto mark = fmt::format("{}/{}", dead ? "dead" : "parked", evidence);
        auto known = co_await journal_.store().row(std::string(kTold), d.id);
        if (!known) co_return fail(std::move(known.error()));
        if (*known && as_text((*known)->value) == mark) continue;
        store::Transaction tx;
        tx.ops.push_back(store::PutRow{std::string(kTold), d.id, to_bytes(mark), std::nullopt});
        auto done = co_await report_invoice(
            journal_, {d.id, dead ? "refused" : "stuck", d.code.empty() ? "UNDELIVERABLE" : d.code, evidence},
            std::move(tx));
        if (!done && done.error().kind == ErrorKind::not_found)
          continue;  // the case was erased, and its invoices with it
        if (!done && done.error().kind == ErrorKind::invalid) {
          // One invoice that cannot be told of must not silence the others; said once, not at every round.
          if (untold_.insert(d.id + "/" + mark).second)
            log(LogLevel::error, "settlement.not_told", {{"delivery", d.id}, {"code", done.error().code}});
          continue;
        }
        if (!done) co_return fail(std::move(done.error()));
        if (!done->duplicate) ++told;
      }
    }
  }
  co_return told;
}

Task<> SettlementWatch::run(runtime::Scope& scope) {
  while (!scope.stopping()) {
    auto told = co_await step();
    if (!told) log(LogLevel::error, "settlement.step_failed", {{"code", told.error().code}});
    auto on = co_await scope.pause(std::chrono::seconds(10));
    if (!on) break;
  }
}

}  // namespace schakel::pipeline
