#include "core/app/edges.hpp"

#include <fmt/format.h>

#include "core/audit/leaf.hpp"
#include "core/base/calendar.hpp"
#include "core/pipeline/settlement.hpp"
#include "core/store/every.hpp"

namespace schakel::app {

Task<Result<void>> VaultDocumentCheck::check(const Attachment& a, std::string_view party, std::string_view case_id) {
  std::string wanted_party(party), wanted_case(case_id);
  auto record = co_await documents_.info(a.document);
  auto unknown = [] {
    return fail(ErrorKind::invalid, "DOCUMENT_UNKNOWN", "there is no such document for this party and case",
                {{"/data/attachments", "DOCUMENT_UNKNOWN", "upload the document first", "claim check"}});
  };
  if (!record) {
    if (record.error().kind == ErrorKind::not_found || record.error().kind == ErrorKind::invalid) co_return unknown();
    co_return fail(std::move(record.error()));
  }
  if (record->case_id != wanted_case || record->party != wanted_party) co_return unknown();
  if (a.doc_type != record->doc_type || a.version != record->version ||
      (!a.status.empty() && a.status != record->status))
    co_return fail(
        ErrorKind::invalid, "DOCUMENT_OTHER", "the document was uploaded as another type, version or status",
        {{"/data/attachments", "DOCUMENT_OTHER", "type, version or status differs from the upload", "claim check"}});
  if (!a.sha256.empty() && a.sha256 != record->sha256)
    co_return fail(ErrorKind::invalid, "DOCUMENT_HASH", "the document is not the one the message names",
                   {{"/data/attachments", "DOCUMENT_HASH", "sha256 differs", "claim check"}});
  co_return Result<void>{};
}

Task<Result<bool>> EnrolledApps::answerable(std::string factor) {
  if (!factor.starts_with(portal::kTotp)) co_return true;
  auto known = co_await apps_.known(std::move(factor));
  co_return known;
}

Task<Result<std::vector<outbox::Contact>>> CaseDirectory::contacts(std::string case_id) {
  std::vector<outbox::Contact> out;
  if (case_id.empty()) co_return out;
  auto all = co_await participants_.all(std::move(case_id));
  if (!all) co_return fail(std::move(all.error()));
  for (auto& p : *all) out.push_back({p.person, p.role, p.mail, p.second_factor});
  co_return out;
}

Task<Result<void>> CaseDirectory::revoke(const Message& message, std::string message_id, std::string role,
                                         std::string reason, store::Transaction& with) {
  if (links_) {
    auto ops = co_await links_->revoke_ops(message.subject, message_id, role, reason);
    if (!ops) co_return fail(std::move(ops.error()));
    for (auto& op : *ops) with.ops.push_back(std::move(op));
  }
  store::DeliveryFilter filter;
  filter.case_id = message.subject;
  auto waiting = co_await store::every_delivery(store_, filter);
  if (!waiting) co_return fail(std::move(waiting.error()));
  for (const auto& d : *waiting) {
    bool waits = d.state == store::DeliveryState::pending || d.state == store::DeliveryState::parked ||
                 d.state == store::DeliveryState::dead;
    if (d.kind != "documents" || (!role.empty() && d.role != role) || !waits) continue;
    auto row = co_await store_.message(d.message);
    if (!row) co_return fail(std::move(row.error()));
    if (*row && (*row)->id == message_id)
      with.ops.push_back(store::ChangeDelivery{d.id, d.state, store::DeliveryState::cancelled, clock_.now(), reason,
                                               std::nullopt, false});
  }
  co_return Result<void>{};
}

Task<Result<void>> CaseDirectory::move(const Message& message, const Json& meeting, store::Transaction& with) {
  auto from = parse_instant(meeting.value("moved_from", ""));
  if (!from) co_return Result<void>{};
  const auto messages = meeting.value("messages", std::vector<std::string>{});
  auto to = parse_instant(meeting.value("at", Json()).is_string() ? meeting["at"].get<std::string>() : std::string());
  if (!to) {
    // Nobody needs the documents of a meeting that is not held: access ends with it, and what waits does not go.
    for (const auto& id : messages) {
      auto ended = co_await revoke(message, id, "", "MEETING_CANCELLED", with);
      if (!ended) co_return fail(std::move(ended.error()));
    }
    co_return Result<void>{};
  }
  if (!links_) co_return Result<void>{};
  auto days = local_date(*to).days() - local_date(*from).days();
  auto ops = co_await links_->move_ops(message.subject, messages, static_cast<int>(days));
  if (!ops) co_return fail(std::move(ops.error()));
  for (auto& op : *ops) with.ops.push_back(std::move(op));
  co_return Result<void>{};
}

Task<Result<void>> CaseDirectory::extend(const Message& message, const Draft& draft, store::Transaction& with) {
  if (message.type == "zaak_opening" && draft.outcome == Outcome::recorded &&
      message.payload.contains("participants")) {
    for (const auto& p : message.payload["participants"]) {
      vault::Participant one{message.subject,     p.value("person", ""), p.value("role", ""),
                             p.value("name", ""), p.value("mail", ""),   p.value("second_factor", ""),
                             message.party};
      auto op = co_await participants_.put(std::move(one));
      if (!op) {
        // A deelnemer that cannot be reached is seen later as RECIPIENT_UNKNOWN; the case opens all the same.
        if (op.error().kind == ErrorKind::invalid) continue;
        co_return fail(std::move(op.error()));
      }
      with.ops.push_back(std::move(*op));
    }
  }
  if (draft.outcome == Outcome::delivered)
    for (const auto& e : draft.effects)
      if (e.what == "meeting" && e.value.contains("moved_from")) {
        auto moved = co_await move(message, e.value, with);
        if (!moved) co_return fail(std::move(moved.error()));
      }
  for (const auto& link : draft.revoked_links) {
    auto slash = link.rfind('/');
    if (slash == std::string::npos) continue;
    auto done = co_await revoke(message, link.substr(0, slash), link.substr(slash + 1), "CONSENT_WITHDRAWN", with);
    if (!done) co_return fail(std::move(done.error()));
  }
  co_return Result<void>{};
}

Task<Result<bool>> AdapterInbox::accept(std::string party, Json event) {
  const auto* from = parties_->find(party);
  if (!from) co_return fail(ErrorKind::forbidden, "PARTY_UNKNOWN", "there is no such party");
  // What an adapter makes of a large document is larger than what partners may send as one event: an invoice of 10,000
  // lines is 1.3 MB.
  auto read =
      ingress::read_events("application/cloudevents+json", {}, dump_json(event), {.event_bytes = 4 * 1024 * 1024});
  if (!read) co_return fail(std::move(read.error()));
  auto receipt = co_await ingress_.receive_from_adapter(*from, std::move(read->front()), source_);
  if (!receipt) co_return fail(std::move(receipt.error()));
  co_return !receipt->duplicate;
}

Task<Result<void>> AdapterInbox::not_taken(NotTaken what) {
  auto done = co_await pipeline::report_not_taken(
      journal_, {std::move(what.party), std::move(what.case_id), std::move(what.number), std::move(what.rule),
                 std::move(what.evidence)});
  co_return done;
}

Task<Result<std::string>> AdapterInbox::store_document(std::string party, std::string case_id, DocumentInfo info,
                                                       Bytes content) {
  if (static_cast<std::int64_t>(content.size()) > limit_)
    co_return fail(ErrorKind::too_large, "DOCUMENT_TOO_LARGE", "the document is larger than the limit");
  vault::DocumentRecord record;
  record.case_id = std::move(case_id);
  record.doc_type = info.doc_type;
  record.status = "aanwezig";  // a partner says that it is there, not whether it is complete
  record.media_type = info.media_type;
  record.version = info.version;
  record.file_name =
      fmt::format("{}-v{}{}", info.doc_type, info.version, info.media_type == "application/pdf" ? ".pdf" : "");
  record.party = std::move(party);
  auto upload = co_await documents_.begin(std::move(record), limit_);
  if (!upload) co_return fail(std::move(upload.error()));
  auto written = co_await (*upload)->write(std::move(content));
  if (!written) co_return fail(std::move(written.error()));
  auto finished = co_await (*upload)->finish();
  if (!finished) co_return fail(std::move(finished.error()));
  store::Transaction tx{std::move(finished->ops)};
  const auto& r = finished->record;
  tx.ops.push_back(audit::leaf(
      journal_.clock().now(), "document.stored",
      {.ids = {{"document", r.id}, {"case", r.case_id}, {"party", r.party}, {"type", r.doc_type}, {"sha256", r.sha256}},
       .counts = {{"bytes", r.size}}}));
  auto done = co_await journal_.store().commit(std::move(tx));
  if (!done) co_return fail(std::move(done.error()));
  co_return r.id;
}

Task<Result<std::optional<std::string>>> AdapterInbox::case_of(std::string party, std::string foreign_id) {
  auto found = co_await journal_.case_of(std::move(party), std::move(foreign_id));
  if (!found) co_return fail(std::move(found.error()));
  co_return found->empty() ? std::nullopt : std::optional(*found);
}

Task<Result<std::optional<std::string>>> AdapterInbox::case_of_bsn(const Secret& bsn) {
  auto found = co_await bsn_.case_of(bsn);
  co_return found;
}

Task<Result<std::vector<std::optional<std::string>>>> AdapterInbox::cases_of_bsn(std::vector<Secret> bsns) {
  auto found = co_await bsn_.cases_of(std::move(bsns));
  co_return found;
}

std::string bare_id(std::string_view id) {
  if (id.starts_with('<') && id.ends_with('>')) id = id.substr(1, id.size() - 2);
  return std::string(id);
}

Task<Result<std::string>> ConfiguredMail::send(Mail mail) {
  net::MailMessage m;
  m.from = {from_, "Schakel"};
  m.to = {{mail.to}};
  m.date = clock_.now();
  m.subject = std::move(mail.subject);
  m.text = std::move(mail.text);
  m.message_id = bare_id(mail.message_id);
  for (auto& a : mail.attachments)
    m.attachments.push_back({std::move(a.name), std::move(a.media_type), std::move(a.content)});
  auto receipt = co_await sender_.send(std::move(m));
  if (!receipt) co_return fail(std::move(receipt.error()));
  switch (receipt->verdict) {
    case net::MailVerdict::accepted:
      co_return receipt->code;
    case net::MailVerdict::later:
      co_return fail(ErrorKind::unavailable, "MAIL_LATER", receipt->code);
    case net::MailVerdict::refused:
      co_return fail(ErrorKind::invalid, "MAIL_REFUSED", receipt->code);
    case net::MailVerdict::unknown:
      break;
  }
  co_return fail(ErrorKind::timeout, "MAIL_OUTCOME_UNKNOWN", receipt->code);
}

}  // namespace schakel::app
