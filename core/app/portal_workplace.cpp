// The half of the portal's questions that the work place of a school asks.
#include <fmt/format.h>

#include "core/app/portal_backend.hpp"
#include "core/audit/leaf.hpp"
#include "core/runtime/hop.hpp"

namespace schakel::app {
using portal::LinkView;

namespace {

/// Who does not get it although a reader may expect it: a role whose rule nearly applied, and a deelnemer who is
/// refused when asked for. Only told; what is sent is decided without it.
void add_left_out(Draft& draft, const Draft& asked, std::string_view sender) {
  auto known = [&](std::string_view role) {
    return role == sender ||
           std::ranges::any_of(draft.recipients, [&](const Recipient& r) { return r.role == role; }) ||
           std::ranges::any_of(draft.suppressed, [&](const Suppressed& s) { return s.role == role; });
  };
  for (const auto& e : draft.explanation)
    if (e.stage == "routing" && e.result == "near" && !e.code.empty() && !known(e.code))
      draft.suppressed.push_back({e.code, "AUDIENCE_NOT_INVOLVED", e.rule});
  for (const auto& s : asked.suppressed) {
    if (known(s.role) || std::ranges::any_of(asked.recipients, [&](const Recipient& r) { return r.role == s.role; }))
      continue;
    draft.suppressed.push_back(s);
  }
}

class VaultUpload final : public portal::Upload {
 public:
  VaultUpload(std::unique_ptr<vault::DocumentUpload> upload, journal::Journal& journal, std::string party)
      : upload_(std::move(upload)), journal_(journal), party_(std::move(party)) {}
  Task<Result<void>> write(Bytes piece) override {
    auto done = co_await upload_->write(std::move(piece));
    co_return done;
  }
  Task<Result<portal::DocumentView>> finish() override {
    auto finished = co_await upload_->finish();
    if (!finished) co_return fail(std::move(finished.error()));
    store::Transaction tx{std::move(finished->ops)};
    const auto& r = finished->record;
    tx.ops.push_back(audit::leaf(
        journal_.clock().now(), "document.stored",
        {.ids =
             {{"document", r.id}, {"case", r.case_id}, {"party", party_}, {"type", r.doc_type}, {"sha256", r.sha256}},
         .counts = {{"bytes", r.size}}}));
    auto committed = co_await journal_.store().commit(std::move(tx));
    if (!committed) co_return fail(std::move(committed.error()));
    co_return document_view(r);
  }

 private:
  std::unique_ptr<vault::DocumentUpload> upload_;
  journal::Journal& journal_;
  std::string party_;
};

}  // namespace

Task<Result<portal::DeliveryView>> BrokerPortalBackend::delivery_view(store::DeliveryRow row) {
  portal::DeliveryView v;
  v.id = row.id;
  v.role = row.role;
  v.content = row.kind;
  // Of what went well the code is for machines ("delivered how"), no reason to tell a reader.
  if (row.state != store::DeliveryState::delivered) v.code = row.code;
  v.at = row.settled_at.value_or(row.created_at);
  switch (row.state) {
    case store::DeliveryState::pending:
    case store::DeliveryState::attempting:
      v.state = "wordt_verzonden";
      break;
    case store::DeliveryState::delivered:
      v.state = "verzonden";
      break;
    case store::DeliveryState::cancelled:
      v.state = "ingetrokken";
      break;
    default:
      v.state = "mislukt";
  }
  if (auto message = co_await journal_.store().message(row.message); message && *message) v.message_id = (*message)->id;
  if (auto link = co_await links_.of_delivery(row.id); link && *link) {
    auto& l = **link;
    if (l.revoked) {
      v.state = "ingetrokken";
      v.at = *l.revoked;
      v.code = l.revoked_because;
    } else if (l.downloads > 0) {
      v.state = "gedownload";
    } else if (l.opened) {
      v.state = "geopend";
      v.at = *l.opened;
    } else if (l.expires < journal_.clock().now()) {
      v.state = "verlopen";
    }
    v.can_withdraw = !l.revoked && l.expires > journal_.clock().now();
  }
  auto planned = co_await delivering_.open(std::move(row));
  if (planned) {
    v.content = planned->kind;
    for (const auto& id : planned->documents) {
      auto record = co_await documents_.info(id);
      if (record) v.documents.push_back(record->doc_type);
    }
  }
  co_return v;
}

Task<Result<portal::CaseView>> BrokerPortalBackend::case_view(LinkView link) {
  auto history = co_await journal_.history(link.case_id);
  if (!history) co_return fail(std::move(history.error()));
  CaseFile file;
  file.id = link.case_id;
  for (const auto& r : *history) apply(file, r.message, r.draft);
  portal::CaseView v;
  auto name = co_await vault_.pseudonym(link.case_id, "portal");
  if (!name) co_return fail(std::move(name.error()));
  v.case_name = *name;
  v.school = file.pupil.school;
  const auto& profiles = pipeline_.profiles();
  if (auto it = profiles.find(file.region); it != profiles.end()) v.region_name = it->second->name();
  if (file.meeting) v.meeting = portal::MeetingView{file.meeting->kind, file.meeting->at};
  v.question_kind = file.facts.value("question_kind", "");
  v.doc_types = {"groeidocument", "opp", "handelingsplan", "evaluatie", "lvs", "oza_werkdocument", "onderwijszorgplan"};
  auto party = co_await party_of(link.case_id, link.person);
  if (!party) co_return fail(std::move(party.error()));
  auto records = co_await documents_.of_case(link.case_id);
  if (!records) co_return fail(std::move(records.error()));
  for (const auto& r : *records)
    if (r.party == (*party)->id) v.documents.push_back(document_view(r));
  store::DeliveryFilter filter;
  filter.case_id = link.case_id;
  filter.limit = 500;
  auto rows = co_await journal_.store().deliveries(filter);
  if (!rows) co_return fail(std::move(rows.error()));
  for (auto& row : *rows) {
    if (row.kind != "documents" && row.kind != "notice") continue;
    row.sealed = {};
    auto whole = co_await journal_.store().delivery(row.id);
    if (!whole || !*whole) continue;
    auto one = co_await delivery_view(std::move(**whole));
    if (one) v.deliveries.push_back(std::move(*one));
  }
  // What was refused never became a delivery; the school must see it all the same.
  for (const auto& r : *history) {
    if (r.message.type != "documentlevering") continue;
    if (r.draft.outcome == Outcome::blocked)
      v.deliveries.push_back({r.message.id,
                              r.message.id,
                              "",
                              "documents",
                              "geblokkeerd",
                              {},
                              r.draft.codes.empty() ? "" : r.draft.codes.front(),
                              r.decided_at,
                              false});
    for (const auto& s : r.draft.suppressed)
      v.deliveries.push_back({r.message.id + "/" + s.role,
                              r.message.id,
                              s.role,
                              "documents",
                              "geblokkeerd",
                              {},
                              s.code,
                              r.decided_at,
                              false});
  }
  std::ranges::sort(v.deliveries, {}, [](const auto& d) { return d.at; });
  for (const auto& c : file.consents)
    v.consents.push_back({c.giver, c.purpose, "", c.valid_from, c.valid_until, c.withdrawn_at});
  v.deadlines = file.deadlines;
  co_return v;
}

Task<Result<std::unique_ptr<portal::Upload>>> BrokerPortalBackend::begin_upload(LinkView link,
                                                                                portal::UploadInfo info) {
  auto party = co_await party_of(link.case_id, link.person);
  if (!party) co_return fail(std::move(party.error()));
  auto existing = co_await documents_.of_case(link.case_id);
  if (!existing) co_return fail(std::move(existing.error()));
  vault::DocumentRecord record;
  record.case_id = link.case_id;
  record.doc_type = info.doc_type;
  record.status = info.status;
  record.media_type = info.media_type;
  for (const auto& d : *existing)
    if (d.doc_type == info.doc_type) record.version = std::max(record.version, d.version + 1);
  record.party = (*party)->id;
  record.file_name =
      fmt::format("{}-v{}{}", info.doc_type, record.version, info.media_type == "application/pdf" ? ".pdf" : "");
  auto upload = co_await documents_.begin(std::move(record), limit_);
  if (!upload) co_return fail(std::move(upload.error()));
  co_return std::make_unique<VaultUpload>(std::move(*upload), journal_, (*party)->id);
}

Task<Result<Message>> BrokerPortalBackend::message_of(LinkView link, portal::SendForm form, std::string id) {
  auto file = co_await journal_.load(link.case_id);
  if (!file) co_return fail(std::move(file.error()));
  auto party = co_await party_of(link.case_id, link.person);
  if (!party) co_return fail(std::move(party.error()));
  if (!Parties::may_send(**party, link.role, "documentlevering", file->region))
    co_return fail(ErrorKind::forbidden, "PARTY_NOT_ALLOWED", "this organisation may not send this");
  Message m;
  m.id = std::move(id);
  m.source = "urn:schakel:portal";
  m.type = "documentlevering";
  m.subject = link.case_id;
  m.region = file->region;
  m.party = (*party)->id;
  m.sender_role = link.role;
  m.sender_person = link.person;
  m.addressed_to = form.addressed_to;
  m.payload = {{"question_kind", form.question_kind}, {"meeting", form.meeting.kind}, {"documents", Json::array()}};
  if (form.meeting.at != Instant{}) m.payload["at"] = format_instant(form.meeting.at);
  if (!form.note.empty()) m.payload["note"] = form.note;
  for (const auto& d : form.documents) {
    auto record = co_await documents_.info(d);
    if (!record || record->case_id != link.case_id || record->party != (*party)->id)
      co_return fail(ErrorKind::invalid, "DOCUMENT_UNKNOWN", "a chosen document is not of this case");
    m.attachments.push_back({record->id, record->doc_type, record->version, record->status, record->sha256});
    m.payload["documents"].push_back(record->doc_type);
  }
  co_return m;
}

Task<Result<Draft>> BrokerPortalBackend::preview(LinkView link, portal::SendForm form) {
  auto people = co_await participants_.all(link.case_id);
  if (!people) co_return fail(std::move(people.error()));
  auto m = co_await message_of(std::move(link), std::move(form), "voorbeeld");
  if (!m) co_return fail(std::move(m.error()));
  const auto sender = m->sender_role, region = m->region;
  Message wider = *m;
  for (const auto& p : *people)
    if (p.role != sender) wider.addressed_to.push_back(p.role);
  auto draft = co_await runtime::on(broker_, pipeline_.rehearse(std::move(*m)));
  if (!draft) co_return fail(std::move(draft.error()));
  auto asked = co_await runtime::on(broker_, pipeline_.rehearse(std::move(wider)));
  if (!asked) co_return fail(std::move(asked.error()));
  if (draft->outcome == Outcome::delivered) add_left_out(*draft, *asked, sender);
  const auto& profiles = pipeline_.profiles();
  if (auto it = profiles.find(region); it != profiles.end())
    for (auto& e : draft->explanation) e.source = it->second->source_title(e.source);
  co_return draft;
}

Task<Result<portal::Submitted>> BrokerPortalBackend::submit(LinkView link, portal::SendForm form, std::string key) {
  auto m = co_await message_of(link, std::move(form), std::move(key));
  if (!m) co_return fail(std::move(m.error()));
  const auto* party = parties_->find(m->party);
  auto id = m->id;
  auto receipt = co_await ingress_.admit(*party, std::move(*m));
  if (!receipt) co_return fail(std::move(receipt.error()));
  auto decided = co_await runtime::on(broker_, pipeline_.await_decision(receipt->seq, kDecision));
  if (!decided) co_return fail(std::move(decided.error()));
  co_return portal::Submitted{id, std::move(decided->draft)};
}

Task<Result<void>> BrokerPortalBackend::withdraw(LinkView link, std::string delivery) {
  auto row = co_await journal_.store().delivery(delivery);
  if (!row) co_return fail(std::move(row.error()));
  if (!*row || (*row)->case_id != link.case_id)
    co_return fail(ErrorKind::not_found, "DELIVERY_UNKNOWN", "there is no such delivery");
  auto party = co_await party_of(link.case_id, link.person);
  if (!party) co_return fail(std::move(party.error()));
  auto message = co_await journal_.store().message((*row)->message);
  if (!message) co_return fail(std::move(message.error()));
  bool ours =
      *message && (*message)->party == (*party)->id && ((*row)->kind == "documents" || (*row)->kind == "notice");
  if (!ours) co_return fail(ErrorKind::not_found, "DELIVERY_UNKNOWN", "there is no such delivery");
  auto now = journal_.clock().now();
  if ((*row)->state == store::DeliveryState::pending) {
    store::Transaction tx;
    tx.ops.push_back(store::ChangeDelivery{delivery, store::DeliveryState::pending, store::DeliveryState::cancelled,
                                           now, "WITHDRAWN_BY_SENDER", std::nullopt, false});
    tx.ops.push_back(audit::leaf(now, "delivery.withdrawn",
                                 {.ids = {{"delivery", delivery}, {"case", link.case_id}, {"role", link.role}}}));
    auto done = co_await journal_.store().commit(std::move(tx));
    if (!done && done.error().kind != ErrorKind::conflict) co_return fail(std::move(done.error()));
  }
  auto status = co_await links_.of_delivery(delivery);
  if (!status) co_return fail(std::move(status.error()));
  if (*status) {
    auto revoked = co_await links_.revoke((*status)->id, "WITHDRAWN_BY_SENDER");
    if (!revoked) co_return fail(std::move(revoked.error()));
  }
  co_return Result<void>{};
}

}  // namespace schakel::app
