// What finance departments and their systems ask and report: states of invoices, the books of a month, the files.
#include <fmt/format.h>

#include <algorithm>

#include "core/api/routes.hpp"
#include "core/audit/leaf.hpp"
#include "core/base/calendar.hpp"
#include "core/formats/invoice_ubl.hpp"
#include "core/formats/values.hpp"
#include "core/journal/members.hpp"
#include "core/outbox/restored.hpp"
#include "core/pipeline/after_restore.hpp"
#include "core/pipeline/invoice_index.hpp"
#include "core/pipeline/reconcile.hpp"
#include "core/pipeline/series.hpp"
#include "core/pipeline/settlement.hpp"
#include "core/runtime/hop.hpp"
#include "core/store/row_json.hpp"

namespace schakel::api {
namespace {

net::Response finance_problem(const char* code, std::string text, ErrorKind kind = ErrorKind::invalid) {
  return problem({kind, code, std::move(text), {}});
}

/// Row of an outgoing invoice by its delivery; nullopt when there is none.
Task<Result<std::optional<Json>>> invoice_row(Services& s, std::string delivery) {
  auto key = co_await s.store.row(std::string(outbox::kInvoiceOfDelivery), std::move(delivery));
  if (!key) co_return fail(std::move(key.error()));
  if (!*key) co_return std::optional<Json>{};
  auto row = co_await s.store.row(std::string(outbox::kInvoicesOut), std::string(as_text((*key)->value)));
  if (!row) co_return fail(std::move(row.error()));
  if (!*row) co_return std::optional<Json>{};
  auto known = store::object_in(**row);
  if (!known) co_return fail(std::move(known.error()));
  co_return std::optional<Json>(std::move(*known));
}

struct Told {
  std::string status, code, sent_as;
};
/// {"status": ontvangen|geweigerd|verwerkt, "code": ...}; a code is no free text.
Result<Told> told(const Json& body) {
  Told out{pipeline::status_from_dutch(text_of(body, "status")), text_of(body, "code"), ""};
  if (out.status != "received" && out.status != "refused" && out.status != "processed")
    return fail(ErrorKind::invalid, "INVOICE_STATUS", "status must be ontvangen, geweigerd or verwerkt");
  if (out.status == "refused" && out.code.empty())
    return fail(ErrorKind::invalid, "INVOICE_CODE", "a refusal has a code");
  return out;
}

/// Why a person does this; it may name somebody, so only its hash is kept.
Result<std::string> reason_of(const Json& body) {
  auto reason = text_of(body, "reden");
  if (reason.size() < 3 || reason.size() > 200)
    return fail(ErrorKind::invalid, "REASON_REQUIRED", "say why, in 3 to 200 characters");
  return reason;
}

Task<net::Response> report(Call& call, Told what, std::string evidence, store::Transaction with) {
  auto done = co_await pipeline::report_invoice(
      call.services.journal,
      {call.path["aflevering"], what.status, what.code, std::move(evidence), std::move(what.sent_as)}, std::move(with));
  // An attempt took it up at this moment: its outcome comes first.
  if (!done && done.error().code == "STORE_CONFLICT")
    co_return finance_problem("DELIVERY_BUSY", "it is being worked on: look again in a moment", ErrorKind::conflict);
  if (!done) co_return problem(done.error());
  co_return json(202, {{"aflevering", call.path["aflevering"]},
                       {"status", pipeline::status_dutch(what.status)},
                       {"bericht", done->seq},
                       {"alBekend", done->duplicate}});
}

/// By hand: who called finance and heard that they will not pay.
Task<net::Response> operator_status(Call& call) {
  auto body = object_of(call.request, 4096);
  if (!body) co_return problem(body.error());
  auto what = told(*body);
  if (!what) co_return problem(what.error());
  auto reason = reason_of(*body);
  if (!reason) co_return problem(reason.error());
  what->sent_as = text_of(*body, "verstuurdAls");
  auto now = call.services.clock.now();
  store::Transaction tx;
  // The reason may name somebody: its hash stands in the tree, the text does not leave the request.
  tx.ops.push_back(
      audit::leaf(now, "invoice.status",
                  {.ids = {{"delivery", call.path["aflevering"]}, {"status", what->status}},
                   .hashes = {{"reason", sha256(*reason)}},
                   .counts = {{"uid", static_cast<std::int64_t>(call.request.head.peer.uid.value_or(0))}}}));
  auto evidence = fmt::format("operator/{}/{}", what->code, format_instant(now));
  auto response = co_await report(call, std::move(*what), std::move(evidence), std::move(tx));
  co_return response;
}

/// By the receiver's own system (message factuur_status of domain.md's billing edge): who pays or is paid.
Task<net::Response> party_status(Call& call) {
  auto body = object_of(call.request, 4096);
  if (!body) co_return problem(body.error());
  auto what = told(*body);
  if (!what) co_return problem(what.error());
  auto row = co_await invoice_row(call.services, call.path["aflevering"]);
  if (!row) co_return problem(row.error());
  bool member = false;
  if (*row && is_invoice_party(*call.services.parties, *call.party, (**row).value("betaler", ""),
                               (**row).value("betalerPartij", ""), (**row).value("regio", ""))) {
    auto found = co_await journal::is_member(call.services.store, *call.party, (**row).value("zaak", ""));
    if (!found) co_return problem(found.error());
    member = *found;
  }
  // Who does not pay it learns nothing of it.
  if (!member)
    co_return finance_problem("INVOICE_UNKNOWN", "there is no such invoice for this party", ErrorKind::not_found);
  // The same refusal of what was sent again is another event.
  auto sent = co_await outbox::generation_of(call.services.store, call.path["aflevering"]);
  if (!sent) co_return problem(sent.error());
  auto evidence = fmt::format("{}/{}", call.party->id, what->code);
  if (*sent > 0) evidence += fmt::format("/{}", *sent);
  auto response = co_await report(call, std::move(*what), std::move(evidence), {});
  co_return response;
}

/// A mail from the return address, as it came.
Task<net::Response> bounce(Call& call) {
  auto done = co_await pipeline::report_bounce(call.services.journal, std::move(call.request.body));
  if (!done) co_return problem(done.error());
  co_return json(done->recorded ? 202 : 200, {{"aflevering", done->delivery},
                                              {"status", pipeline::status_dutch(done->status)},
                                              {"code", done->code},
                                              {"vastgelegd", done->recorded}});
}

Task<net::Response> month(Call& call) {
  auto books = co_await pipeline::reconcile(call.services.journal, call.query["maand"]);
  if (!books) co_return problem(books.error());
  co_return json(200, pipeline::month_view(*books));
}

/// Outgoing invoices of a month with their UBL, 50 at a time.
Task<net::Response> export_month(Call& call) {
  auto wanted = call.query["maand"];
  if (wanted.size() != 7 || !Date::parse(wanted + "-01"))
    co_return finance_problem("MONTH_FORMAT", "a month is written YYYY-MM");
  Json out = Json::array();
  std::string after = call.query["na"];
  bool more = true;
  while (out.size() < 50) {
    auto rows = co_await call.services.store.rows(std::string(outbox::kInvoicesOut), "", after, 100);
    if (!rows) co_return problem(rows.error());
    if (rows->empty()) {
      more = false;
      break;
    }
    for (const auto& row : *rows) {
      if (out.size() >= 50) break;
      after = row.key;
      auto known = store::object_in(row);
      if (!known) co_return problem(known.error());
      auto j = std::move(*known);
      auto made = parse_instant(j.value("gemaaktOp", ""));
      if (!made || !local_date(*made).str().starts_with(wanted)) continue;
      auto delivery = j.value("aflevering", "");
      auto state = co_await pipeline::settled(call.services.store, delivery);
      if (!state) co_return problem(state.error());
      j["status"] = pipeline::status_dutch(state->status);
      j["code"] = state->code;
      if (!state->sent_as.empty()) j["verstuurdAls"] = state->sent_as;
      auto d = co_await call.services.store.delivery(delivery);
      if (!d) co_return problem(d.error());
      if (!*d) {
        j["ublFout"] = "DELIVERY_MISSING";
      } else {
        auto files =
            co_await runtime::on(call.services.broker, call.services.delivering.invoice_document(std::move(**d)));
        if (files) {
          j["bestand"] = files->name;
          // Of the file itself: what was sealed, or would be sealed now.
          if (auto read = formats::read_ubl(files->xml); read.document) {
            j["gesteld"] = formats::stated_amounts(*read.document);
            j["factuurdatum"] = formats::format_date(read.document->issue_date);
            if (read.document->due_date) j["vervaldatum"] = formats::format_date(*read.document->due_date);
          }
          j["ubl"] = files->xml;
        } else {
          j["ublFout"] = formats::code_with_rules(files.error());
        }
      }
      out.push_back(std::move(j));
    }
  }
  co_return json(200, {{"facturen", out}, {"volgende", more ? Json(after) : Json()}});
}

/// A quarantined invoice, or a credit that was refused at its turn, that a person has dealt with: the books close
/// again.
Task<net::Response> set_aside(Call& call) {
  auto body = object_of(call.request, 4096);
  if (!body) co_return problem(body.error());
  auto reason = reason_of(*body);
  if (!reason) co_return problem(reason.error());
  auto key = text_of(*body, "zaak") + "/" + text_of(*body, "bericht");
  auto row = co_await call.services.store.row(std::string(pipeline::kInvoicesIn), key);
  if (!row) co_return problem(row.error());
  if (!*row) co_return finance_problem("INVOICE_UNKNOWN", "there is no such invoice", ErrorKind::not_found);
  auto known = store::object_in(**row);
  if (!known) co_return problem(known.error());
  auto status = known->value("status", "");
  if (status != "quarantined" && status != "refused")
    co_return finance_problem("INVOICE_NOT_OPEN", "only a quarantined invoice or a refused credit is set aside",
                              ErrorKind::conflict);
  auto now = call.services.clock.now();
  store::Transaction tx;
  tx.ops.push_back(
      store::PutRow{std::string(pipeline::kInvoiceAside), key, to_bytes(format_instant(now)), std::nullopt});
  tx.ops.push_back(
      audit::leaf(now, "invoice.set_aside",
                  {.ids = {{"case", text_of(*body, "zaak")}},
                   .hashes = {{"reason", sha256(*reason)}, {"message", sha256(text_of(*body, "bericht"))}},
                   .counts = {{"uid", static_cast<std::int64_t>(call.request.head.peer.uid.value_or(0))}}}));
  auto done = co_await call.services.store.commit(std::move(tx));
  if (!done) co_return problem(done.error());
  co_return json(200,
                 {{"zaak", text_of(*body, "zaak")}, {"bericht", text_of(*body, "bericht")}, {"afgehandeld", true}});
}

/// A held invoice that finance does not grant.
Task<net::Response> not_granted(Call& call) {
  auto body = object_of(call.request, 4096);
  if (!body) co_return problem(body.error());
  auto reason = reason_of(*body);
  if (!reason) co_return problem(reason.error());
  auto zaak = text_of(*body, "zaak"), bericht = text_of(*body, "bericht"), code = text_of(*body, "code");
  store::Transaction with;
  with.ops.push_back(
      audit::leaf(call.services.clock.now(), "invoice.not_granted",
                  {.ids = {{"case", zaak}},
                   .codes = {code},
                   .hashes = {{"reason", sha256(*reason)}, {"message", sha256(bericht)}},
                   .counts = {{"uid", static_cast<std::int64_t>(call.request.head.peer.uid.value_or(0))}}}));
  auto done = co_await pipeline::refuse_held(call.services.journal, zaak, bericht, code, std::move(with));
  if (!done) co_return problem(done.error());
  co_return json(200, {{"zaak", zaak}, {"bericht", bericht}, {"afgewezen", code}});
}

/// After a copy of the store that we did not make was put back: numbers go on in a new epoch.
Task<net::Response> new_series(Call& call) {
  if (auto none = nothing_of(call.request); !none) co_return problem(none.error());
  auto epoch = co_await pipeline::new_epoch(call.services.store, call.services.clock.now());
  if (!epoch) co_return problem(epoch.error());
  co_return json(200, {{"reeks", *epoch}});
}

/// A person looked at what left before the store was lost: invoices leave by themselves again.
Task<net::Response> after_restore(Call& call) {
  auto body = object_of(call.request, 4096);
  if (!body) co_return problem(body.error());
  auto reason = reason_of(*body);
  if (!reason) co_return problem(reason.error());
  auto since = co_await outbox::restored_since(call.services.store);
  if (!since) co_return problem(since.error());
  if (!*since) co_return finance_problem("NOT_RESTORED", "no invoice waits because of a restore", ErrorKind::conflict);
  constexpr std::size_t kNamed = 20;
  auto waiting = co_await pipeline::waiting_after_restore(call.services.store, kNamed + 1);
  if (!waiting) co_return problem(waiting.error());
  if (!waiting->empty()) {
    // Each would leave by itself, or stand in its lane for ever: somebody says of each whether it had left.
    std::string names;
    for (std::size_t n = 0; n < std::min(waiting->size(), kNamed); ++n) names += " " + (*waiting)[n];
    co_return finance_problem(
        "INVOICES_WAIT",
        fmt::format("{} still to be sent (dlq resend) or recorded (invoice status):{}{}",
                    waiting->size() > kNamed ? fmt::format("more than {}", kNamed) : std::to_string(waiting->size()),
                    names, waiting->size() > kNamed ? " ..." : ""),
        ErrorKind::conflict);
  }
  store::Transaction tx;
  tx.ops.push_back(outbox::end_after_restore());
  tx.ops.push_back(
      audit::leaf(call.services.clock.now(), "invoice.restore_ended",
                  {.hashes = {{"reason", sha256(*reason)}},
                   .counts = {{"uid", static_cast<std::int64_t>(call.request.head.peer.uid.value_or(0))}}}));
  auto done = co_await call.services.store.commit(std::move(tx));
  if (!done) co_return problem(done.error());
  co_return json(200, {{"wachttenSinds", format_instant(**since)}});
}

}  // namespace

std::vector<Route> finance_routes() {
  constexpr std::uint64_t kSmall = 4096, kMail = std::uint64_t{2} << 20;
  return {{"POST", "/v1/facturen/{aflevering}/status", Who::party, kSmall, false, party_status},
          {"POST", "/v1/beheer/facturen/{aflevering}/status", Who::operator_, kSmall, false, operator_status},
          {"POST", "/v1/beheer/retourmail", Who::operator_, kMail, false, bounce},
          {"POST", "/v1/beheer/facturen/afgehandeld", Who::operator_, kSmall, false, set_aside},
          {"POST", "/v1/beheer/facturen/afgewezen", Who::operator_, kSmall, false, not_granted},
          {"POST", "/v1/beheer/factuurreeks", Who::operator_, kSmall, false, new_series},
          {"POST", "/v1/beheer/factuurherstel", Who::operator_, kSmall, false, after_restore},
          {"GET", "/v1/beheer/facturen/aansluiting", Who::operator_, 0, false, month},
          {"GET", "/v1/beheer/facturen/uitvoer", Who::operator_, 0, false, export_month}};
}

}  // namespace schakel::api
