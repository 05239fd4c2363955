#include "core/app/portal_backend.hpp"

#include "core/app/link_orders.hpp"
#include "core/audit/leaf.hpp"
#include "core/journal/members.hpp"
#include "core/outbox/delivery_row.hpp"
#include "core/portal/words.hpp"
#include "core/runtime/hop.hpp"

namespace schakel::app {
using portal::LinkView;

namespace {

std::string text_in(const Json& object, const char* name) {
  auto it = object.find(name);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

/// The message that says that a link is opened, or a document behind it fetched.
Message opening(const LinkView& link, const CaseFile& file, const std::string& document) {
  Message m;
  m.id = random_uuid();
  m.source = "urn:schakel:portal";
  m.type = "link_geopend";
  m.subject = link.case_id;
  m.region = file.region;
  m.party = "schakel";
  m.sender_role = link.role;
  m.sender_person = link.person;
  m.causation_id = link.message_id;
  m.payload = {{"delivery", link.message_id}};
  if (!document.empty()) m.payload["document"] = document;
  return m;
}

/// Whether a party may send anything in this role there.
bool speaks_as(const Party& party, std::string_view role, std::string_view region) {
  return std::ranges::any_of(party.may_send, [&](const Grant& g) {
    return std::ranges::any_of(g.types,
                               [&](const std::string& type) { return Parties::may_send(party, role, type, region); });
  });
}

class VaultDownload final : public portal::Download {
 public:
  explicit VaultDownload(std::unique_ptr<vault::DocumentContent> content)
      : content_(std::move(content)), info_(document_view(content_->record())) {}
  [[nodiscard]] const portal::DocumentView& info() const override { return info_; }
  Task<Result<Bytes>> read(std::int64_t offset, std::size_t length) override {
    auto bytes = co_await content_->read(offset, length);
    co_return bytes;
  }

 private:
  std::unique_ptr<vault::DocumentContent> content_;
  portal::DocumentView info_;
};

}  // namespace

portal::DocumentView document_view(const vault::DocumentRecord& r) {
  return {r.id, r.doc_type, r.status, r.media_type, r.version, r.size, r.stored_at};
}

Task<Result<const Party*>> BrokerPortalBackend::party_of(std::string case_id, std::string person) {
  auto known = co_await participants_.by_person(case_id, std::move(person));
  if (!known) co_return fail(std::move(known.error()));
  const Party* party = *known ? parties_->find((*known)->party) : nullptr;
  if (!party) co_return fail(ErrorKind::forbidden, "PARTY_UNKNOWN", "this person belongs to no known organisation");
  // Who named a deelnemer need not be who they work for: a gemeente that opened the case may name the school's staff,
  // and what it brought in is not the school's.
  auto first = co_await journal::opening(journal_.store(), std::move(case_id));
  if (!first) co_return fail(std::move(first.error()));
  const auto& role = (*known)->role;
  if (!role.starts_with("school") || !*first || !speaks_as(*party, role, (*first)->region))
    co_return fail(ErrorKind::forbidden, "ROLE_NOT_ALLOWED",
                   "a workplace is for staff of a school, named by an organisation that may speak in their role here");
  co_return party;
}

Task<Result<portal::OpenOutcome>> BrokerPortalBackend::open_request(LinkView link, std::string document) {
  auto file = co_await journal_.load(link.case_id);
  if (!file) co_return fail(std::move(file.error()));
  Message m = opening(link, *file, document);
  auto accepted = co_await journal_.accept(std::move(m));
  if (!accepted) co_return fail(std::move(accepted.error()));
  auto decided = co_await runtime::on(broker_, pipeline_.await_decision(accepted->seq, kDecision));
  if (!decided) co_return fail(std::move(decided.error()));
  co_return portal::OpenOutcome{decided->draft.outcome == Outcome::delivered, decided->draft.codes};
}

Task<Result<portal::DeliveryContent>> BrokerPortalBackend::content(LinkView link) {
  auto row = co_await journal_.store().delivery(link.delivery);
  if (!row) co_return fail(std::move(row.error()));
  if (!*row || (*row)->case_id != link.case_id)
    co_return fail(ErrorKind::not_found, "DELIVERY_UNKNOWN", "there is no such delivery");
  auto file = co_await journal_.load(link.case_id);
  if (!file) co_return fail(std::move(file.error()));
  // The page may be looked at again long after it was opened: what the rules say now counts (CORE-CONSENT-04). Nothing
  // happens in the case, so this is asked without an entry in the journal.
  auto now = co_await runtime::on(broker_, pipeline_.rehearse(opening(link, *file, "")));
  if (!now) co_return fail(std::move(now.error()));
  if (now->outcome != Outcome::delivered)
    co_return fail(ErrorKind::forbidden, now->codes.empty() ? "RULES" : now->codes.front(),
                   "the rules no longer allow this");
  auto created = (*row)->created_at;
  auto planned = co_await delivering_.open(std::move(**row));
  if (!planned) co_return fail(std::move(planned.error()));
  portal::DeliveryContent c;
  auto role = planned->body.value("sender_role", "");
  c.sender = role.empty() ? "Schakel" : portal::role_word(role);
  if (role.starts_with("school") && !file->pupil.school.empty()) c.sender += ", " + file->pupil.school;
  auto pseudonym = co_await vault_.pseudonym(link.case_id, "portal");
  if (!pseudonym) co_return fail(std::move(pseudonym.error()));
  c.case_name = *pseudonym;
  c.type = planned->type;
  c.sent_at = created;
  if (planned->body.contains("meeting"))
    if (auto at = parse_instant(planned->body["meeting"].value("at", "")))
      c.meeting = portal::MeetingView{planned->body["meeting"].value("kind", ""), *at};
  if (planned->body.contains("payload"))
    for (const char* name : {"note", "toelichting", "summary", "decision", "advice"})
      if (planned->body["payload"].contains(name) && planned->body["payload"][name].is_string())
        c.text.push_back(planned->body["payload"][name]);
  if (planned->body.contains("signal")) c.text.push_back("Signaal: " + planned->body["signal"].value("code", ""));
  for (const auto& id : planned->documents) {
    auto record = co_await documents_.info(id);
    if (record) c.documents.push_back(document_view(*record));
  }
  co_return c;
}

Task<Result<std::unique_ptr<portal::Download>>> BrokerPortalBackend::download(LinkView link, std::string document) {
  if (!link.workplace && std::ranges::find(link.documents, document) == link.documents.end())
    co_return fail(ErrorKind::not_found, "DOCUMENT_UNKNOWN", "there is no such document behind this link");
  auto content = co_await documents_.open(document);
  if (!content) co_return fail(std::move(content.error()));
  if (link.workplace) {
    auto party = co_await party_of(link.case_id, link.person);
    if (!party) co_return fail(std::move(party.error()));
    if ((*content)->record().party != (*party)->id)
      co_return fail(ErrorKind::not_found, "DOCUMENT_UNKNOWN", "there is no such document behind this link");
  }
  if ((*content)->record().case_id != link.case_id)
    co_return fail(ErrorKind::not_found, "DOCUMENT_UNKNOWN", "there is no such document behind this link");
  co_return std::make_unique<VaultDownload>(std::move(*content));
}

Task<Result<Json>> BrokerPortalBackend::links_for_operator(Json order) {
  auto what = text_in(order, "do");
  auto show = [](const portal::LinkStatus& l) {
    Json j{{"id", l.id},
           {"aflevering", l.delivery},
           {"zaak", l.case_id},
           {"rol", l.role},
           {"werkplek", l.workplace},
           {"gemaakt", format_instant(l.created)},
           {"geldigTot", format_instant(l.expires)},
           {"downloads", l.downloads}};
    j["geopend"] = l.opened ? Json(format_instant(*l.opened)) : Json();
    j["ingetrokken"] = l.revoked ? Json(format_instant(*l.revoked)) : Json();
    j["reden"] = l.revoked_because;
    return j;
  };
  if (what == "list") {
    auto all = co_await links_.of_case(text_in(order, "zaak"));
    if (!all) co_return fail(std::move(all.error()));
    Json out{{"links", Json::array()}};
    for (const auto& l : *all) out["links"].push_back(show(l));
    co_return out;
  }
  if (what == "revoke") {
    auto why = text_in(order, "reden");
    if (why.size() < 3 || why.size() > 200)
      co_return fail(ErrorKind::invalid, "REASON_REQUIRED", "say why, in 3 to 200 characters");
    auto done = co_await links_.revoke(text_in(order, "id"), "REVOKED_BY_OPERATOR",
                                       portal::LinkService::ByHand{order.value("uid", std::int64_t{0}), why});
    if (!done) co_return fail(std::move(done.error()));
    if (!*done) co_return fail(ErrorKind::not_found, "LINK_UNKNOWN", "there is no such link");
    co_return Json{{"id", text_in(order, "id")}, {"ingetrokken", true}};
  }
  if (what != "workplace") {
    portal::Authenticators apps(journal_.store(), vault_, journal_.clock());
    auto done = co_await authenticator_order(apps, std::move(order));
    co_return done;
  }
  auto zaak = text_in(order, "zaak"), person = text_in(order, "persoon");
  auto who = co_await participants_.by_person(zaak, person);
  if (!who) co_return fail(std::move(who.error()));
  if (!*who) co_return fail(ErrorKind::not_found, "PARTICIPANT_UNKNOWN", "there is no such deelnemer in this case");
  auto party = co_await party_of(zaak, person);
  if (!party) co_return fail(std::move(party.error()));
  // A delivery of its own, so that the mail with the link goes the same road as every other.
  auto now = journal_.clock().now();
  outbox::Planned p;
  p.id = "A-" + to_letters(random_bytes(16));
  p.kind = "workplace";
  p.target = "secure_link";
  p.role = (*who)->role;
  p.type = "werkplek";
  p.address = {{"mail", (*who)->mail}, {"second_factor", (*who)->second_factor}, {"person", person}};
  p.valid_until = now + std::chrono::hours(24 * 30);
  store::Transaction tx;
  auto queued =
      co_await outbox::enqueue(journal_.sealer(), p, {0, "", zaak, "", "case:" + zaak + "|workplace"}, now, tx);
  if (!queued) co_return fail(std::move(queued.error()));
  tx.ops.push_back(
      audit::leaf(now, "workplace.invited", {.ids = {{"delivery", p.id}, {"case", zaak}, {"role", p.role}}}));
  auto done = co_await journal_.store().commit(std::move(tx));
  if (!done) co_return fail(std::move(done.error()));
  if (rang_) rang_();
  co_return Json{{"aflevering", p.id}, {"rol", p.role}};
}

}  // namespace schakel::app
