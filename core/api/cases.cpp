#include <fmt/format.h>

#include "core/api/explain.hpp"
#include "core/api/routes.hpp"
#include "core/audit/leaf.hpp"
#include "core/journal/members.hpp"
#include "core/portal/authenticators.hpp"
#include "core/runtime/hop.hpp"
#include "core/store/every.hpp"

namespace schakel::api {

Task<Result<void>> require_member(Services& s, const Party& party, std::string case_id) {
  auto yes = co_await journal::is_member(s.store, party, std::move(case_id));
  if (!yes) co_return fail(std::move(yes.error()));
  if (!*yes) co_return fail(ErrorKind::not_found, "CASE_UNKNOWN", "there is no such case for this party");
  co_return Result<void>{};
}

Task<Result<std::set<store::MessageSeq>>> sent_by(Services& s, const Party& party, std::string case_id) {
  std::set<store::MessageSeq> out;
  store::MessageFilter filter;
  filter.case_id = std::move(case_id);
  filter.party = party.id;
  filter.limit = 1000;
  for (;;) {
    auto rows = co_await s.store.messages(filter);
    if (!rows) co_return fail(std::move(rows.error()));
    for (const auto& row : *rows) out.insert(row.seq);
    if (std::cmp_less(rows->size(), filter.limit)) co_return out;
    filter.after = rows->back().seq;
  }
}

Json delivery_view(const store::DeliveryRow& d) {
  static constexpr std::array<const char*, 6> kStates = {"wacht",   "onderweg",   "afgeleverd",
                                                         "mislukt", "geparkeerd", "ingetrokken"};
  Json j{{"id", d.id},
         {"bericht", d.message},
         {"zaak", d.case_id},
         {"doel", d.target},
         {"rol", d.role},
         {"soort", d.kind},
         {"status", kStates[static_cast<std::size_t>(d.state)]},
         {"pogingen", d.attempts},
         {"gemaaktOp", format_instant(d.created_at)},
         {"code", d.code}};
  if (d.state == store::DeliveryState::pending) j["volgendePoging"] = format_instant(d.next_at);
  if (d.settled_at) j["afgehandeldOp"] = format_instant(*d.settled_at);
  return j;
}

Task<Result<Json>> case_view(Services& s, std::string case_id) {
  auto history = co_await s.journal.history(case_id);
  if (!history) co_return fail(std::move(history.error()));
  if (history->empty()) co_return fail(ErrorKind::not_found, "CASE_UNKNOWN", "there is no such case");
  CaseFile file;
  file.id = case_id;
  Json messages = Json::array();
  for (const auto& r : *history) {
    apply(file, r.message, r.draft);
    messages.push_back(message_view(r, false));
  }
  store::DeliveryFilter filter;
  filter.case_id = case_id;
  auto deliveries = co_await store::every_delivery(s.store, filter);
  if (!deliveries) co_return fail(std::move(deliveries.error()));
  Json out{{"id", case_id}, {"regio", file.region}, {"berichten", messages}};
  out["afleveringen"] = Json::array();
  for (const auto& d : *deliveries) out["afleveringen"].push_back(delivery_view(d));
  out["termijnen"] = Json::array();
  for (const auto& d : file.deadlines)
    out["termijnen"].push_back(
        {{"naam", d.name}, {"datum", d.date}, {"regel", d.rule}, {"zwaarte", d.severity}, {"status", d.state}});
  if (file.meeting) out["overleg"] = {{"soort", file.meeting->kind}, {"moment", format_instant(file.meeting->at)}};
  out["documenten"] = Json::array();
  for (const auto& d : file.documents)
    out["documenten"].push_back({{"soort", d.doc_type}, {"status", d.status}, {"versie", d.version}});
  co_return out;
}

namespace {

Task<net::Response> open_case(Call& call) {
  auto body = object_of(call.request, 256 * 1024);
  if (!body) co_return problem(body.error());
  ingress::Event event;
  auto id = call.request.head.headers.get("Idempotency-Key");
  if (id.empty())
    co_return problem(
        {ErrorKind::invalid, "IDEMPOTENCY_KEY", "send an Idempotency-Key, so that a repeat opens no second case", {}});
  event.attributes = {{"specversion", "1.0"},
                      {"id", std::string(id)},
                      {"source", fmt::format("urn:nld:oin:{}:systeem:zaken", call.party->oin)},
                      {"type", event_type("zaak_opening")}};
  event.data = std::move(*body);
  auto receipt = co_await call.services.ingress.receive_event(*call.party, std::move(event));
  if (!receipt) {
    call.audited = true;
    co_return problem(receipt.error());
  }
  auto decided = co_await runtime::on(call.services.broker,
                                      call.services.pipeline.await_decision(receipt->seq, std::chrono::seconds(10)));
  if (!decided && decided.error().kind != ErrorKind::timeout) co_return problem(decided.error());
  auto response =
      json(receipt->duplicate ? 200 : 201, {{"id", receipt->case_id},
                                            {"bericht", receipt->seq},
                                            {"uitkomst", decided ? Json(to_string(decided->draft.outcome)) : Json()}});
  response.headers.set("Location", "/v1/zaken/" + receipt->case_id);
  co_return response;
}

Task<net::Response> get_case(Call& call) {
  auto member = co_await require_member(call.services, *call.party, call.path["zaak"]);
  if (!member) co_return problem(member.error());
  auto view = co_await case_view(call.services, call.path["zaak"]);
  if (!view) co_return problem(view.error());
  // Where it went in detail is for who sent it and for the operator; another party sees its own messages.
  Json own = Json::array();
  auto sent = co_await sent_by(call.services, *call.party, call.path["zaak"]);
  if (!sent) co_return problem(sent.error());
  for (const auto& m : (*view)["berichten"])
    if (sent->contains(m["volgnummer"].get<store::MessageSeq>())) own.push_back(m);
  Json deliveries = Json::array();
  for (const auto& d : (*view)["afleveringen"])
    if (sent->contains(d["bericht"].get<store::MessageSeq>())) deliveries.push_back(d);
  (*view)["berichten"] = own;
  (*view)["afleveringen"] = deliveries;
  co_return json(200, *view);
}

Task<net::Response> explain_case(Call& call) {
  auto member = co_await require_member(call.services, *call.party, call.path["zaak"]);
  if (!member) co_return problem(member.error());
  auto history = co_await call.services.journal.history(call.path["zaak"]);
  if (!history) co_return problem(history.error());
  // Who sent it sees the rules and those facts that are its own or were sent to it.
  auto rows = co_await explanations(call.services, call.path["zaak"], 0, call.party, pipeline::Lang::nl, false);
  if (!rows) co_return problem(rows.error());
  Json out = Json::array();
  for (const auto& r : *history) {
    if (r.message.party != call.party->id) continue;
    auto view = message_view(r, false);
    view["uitleg"] = Json::array();
    for (const auto& row : (*rows)["besluiten"])
      if (row["volgnummer"] == r.message.seq) view["uitleg"] = row["regels"];
    out.push_back(std::move(view));
  }
  co_return json(200, {{"besluiten", out}});
}

Result<void> may_open(const Services&, const Party& party, const net::RequestHead&) {
  if (Parties::may_send_type(party, "zaak_opening")) return {};
  return fail(ErrorKind::forbidden, "PARTY_NOT_ALLOWED", "this party may not open cases");
}

Result<void> may_supply_bsn(const Services&, const Party& party, const net::RequestHead&) {
  if (party.may_supply_bsn) return {};
  return fail(ErrorKind::forbidden, "BSN_NOT_YOURS", "this party may not supply a BSN");
}

/// A separate vault call: the number goes in once and never comes back (design.md, Identity).
Task<net::Response> put_bsn(Call& call) {
  auto zaak = call.path["zaak"];
  auto member = co_await require_member(call.services, *call.party, zaak);
  if (!member) co_return problem(member.error());
  auto body = object_of(call.request, 1024);
  if (!body) co_return problem(body.error());
  if (body->size() != 1 || !body->contains("bsn") || !(*body)["bsn"].is_string())
    co_return problem({ErrorKind::invalid,
                       "BODY_INVALID",
                       "send {\"bsn\": \"...\"}",
                       {{"/bsn", "REQUIRED", "is required, as text", ""}}});
  Secret bsn(std::string_view((*body)["bsn"].get_ref<const std::string&>()));
  auto ops = co_await call.services.bsn.put(zaak, bsn);
  if (!ops) co_return problem(ops.error());
  store::Transaction tx{std::move(*ops)};
  tx.ops.push_back(
      audit::leaf(call.services.clock.now(), "bsn.supplied", {.ids = {{"case", zaak}, {"party", call.party->id}}}));
  auto done = co_await call.services.store.commit(std::move(tx));
  if (!done) co_return problem(done.error());
  net::Response r;
  r.status = 204;
  co_return r;
}

Task<net::Response> put_participant(Call& call) {
  auto zaak = call.path["zaak"];
  auto member = co_await require_member(call.services, *call.party, zaak);
  if (!member) co_return problem(member.error());
  auto body = object_of(call.request, 16 * 1024);
  if (!body) co_return problem(body.error());
  std::vector<Finding> findings;
  for (const auto& [name, v] : body->items())
    if (!std::set<std::string>{"rol", "naam", "mail", "tweedeFactor"}.contains(name) || !v.is_string())
      findings.push_back(
          {"", "UNKNOWN_FIELD", "has a field that is not rol, naam, mail or tweedeFactor, or is not text", ""});
  if (!findings.empty())
    co_return problem({ErrorKind::invalid, "BODY_INVALID", "the deelnemer is not valid", findings});
  // Whoever fills a role gets its documents: only the opener of the case, or who may speak for that role itself, names
  // people, and nobody replaces a person whom another organisation named.
  auto first = co_await journal::opening(call.services.store, zaak);
  if (!first) co_return problem(first.error());
  bool opener = *first && (*first)->party == call.party->id;
  if (!opener && !(*first && Parties::may_send(*call.party, body->value("rol", ""), "*", (*first)->region)))
    co_return problem({ErrorKind::forbidden, "ROLE_NOT_YOURS", "this party may not name people for this role", {}});
  auto before = co_await call.services.participants.by_person(zaak, call.path["persoon"]);
  if (!before) co_return problem(before.error());
  if (*before && (*before)->party != call.party->id)
    co_return problem({ErrorKind::conflict, "PERSON_OF_ANOTHER", "another organisation named this person", {}});
  // A factor that nobody can answer would only show when the link is opened.
  if (auto factor = body->value("tweedeFactor", ""); factor.starts_with(portal::kTotp)) {
    portal::Authenticators apps(call.services.store, call.services.vault, call.services.clock);
    auto known = co_await apps.known(factor);
    if (!known) co_return problem(known.error());
    if (!*known)
      co_return problem({ErrorKind::invalid,
                         "AUTHENTICATOR_UNKNOWN",
                         "this authenticator app was not enrolled at the broker",
                         {{"/tweedeFactor", "AUTHENTICATOR_UNKNOWN", "no app of this name was enrolled", ""}}});
  }
  vault::Participant p{zaak,
                       call.path["persoon"],
                       body->value("rol", ""),
                       body->value("naam", ""),
                       body->value("mail", ""),
                       body->value("tweedeFactor", ""),
                       call.party->id};
  auto op = co_await call.services.participants.put(std::move(p));
  if (!op) co_return problem(op.error());
  store::Transaction tx;
  tx.ops.push_back(std::move(*op));
  tx.ops.push_back(audit::leaf(call.services.clock.now(), "participant.put",
                               {.ids = {{"case", zaak},
                                        {"party", call.party->id},
                                        {"role", body->value("rol", "")},
                                        {"person", call.path["persoon"]}}}));
  auto done = co_await call.services.store.commit(std::move(tx));
  if (!done) co_return problem(done.error());
  net::Response r;
  r.status = 204;
  co_return r;
}

/// A partner's own number for this case, so that its messages find it (design.md: partners do not know ours).
Task<net::Response> put_reference(Call& call) {
  auto zaak = call.path["zaak"];
  auto member = co_await require_member(call.services, *call.party, zaak);
  if (!member) co_return problem(member.error());
  auto body = object_of(call.request, 4096);
  if (!body) co_return problem(body.error());
  auto reference = body->size() == 1 ? text_of(*body, "kenmerk") : "";
  const auto* partner = call.services.parties->find(call.path["partij"]);
  if (reference.empty() || reference.size() > 200 || !partner)
    co_return problem({ErrorKind::invalid,
                       "BODY_INVALID",
                       "send {\"kenmerk\": \"...\"} for a known party",
                       {{"/kenmerk", "REQUIRED", "is required, as text of at most 200 bytes", ""}}});
  auto first = co_await journal::opening(call.services.store, zaak);
  if (!first) co_return problem(first.error());
  if (partner->id != call.party->id && !(*first && (*first)->party == call.party->id))
    co_return problem(
        {ErrorKind::forbidden, "CASE_NOT_YOURS", "only who opened the case, or the partner itself, may do this", {}});
  auto taken = co_await call.services.journal.case_of(partner->id, reference);
  if (!taken) co_return problem(taken.error());
  if (!taken->empty() && *taken != zaak)
    co_return problem({ErrorKind::conflict, "REFERENCE_TAKEN", "this number belongs to another case", {}});
  store::Transaction tx;
  auto number = call.services.journal.correlate(partner->id, reference, zaak);
  if (taken->empty()) number.expect_version = 0;
  tx.ops.push_back(std::move(number));
  tx.ops.push_back(journal::member(zaak, partner->id));
  tx.ops.push_back(audit::leaf(call.services.clock.now(), "case.correlated",
                               {.ids = {{"case", zaak}, {"party", call.party->id}, {"partner", partner->id}}}));
  auto done = co_await call.services.store.commit(std::move(tx));
  if (!done && done.error().kind == ErrorKind::conflict)
    co_return problem({ErrorKind::conflict, "REFERENCE_TAKEN", "this number belongs to another case", {}});
  if (!done) co_return problem(done.error());
  net::Response r;
  r.status = 204;
  co_return r;
}

Task<net::Response> get_consents(Call& call) {
  auto zaak = call.query["zaak"];
  auto member = co_await require_member(call.services, *call.party, zaak);
  if (!member) co_return problem(member.error());
  auto file = co_await call.services.journal.load(zaak);
  if (!file) co_return problem(file.error());
  Json out = Json::array();
  for (const auto& c : file->consents) {
    Json j{{"id", c.id},        {"gever", c.giver},
           {"doel", c.purpose}, {"documenten", c.doc_types},
           {"rollen", c.roles}, {"vanaf", format_instant(c.valid_from)},
           {"tot", nullptr},    {"ingetrokkenOp", nullptr}};
    if (c.valid_until) j["tot"] = format_instant(*c.valid_until);
    if (c.withdrawn_at) j["ingetrokkenOp"] = format_instant(*c.withdrawn_at);
    out.push_back(j);
  }
  co_return json(200, {{"toestemmingen", out}});
}

}  // namespace

std::vector<Route> case_routes() {
  return {{"POST", "/v1/zaken", Who::party, 256 * 1024, false, open_case, may_open},
          {"GET", "/v1/zaken/{zaak}", Who::party, 0, false, get_case},
          {"GET", "/v1/zaken/{zaak}/besluiten", Who::party, 0, false, explain_case},
          {"PUT", "/v1/zaken/{zaak}/bsn", Who::party, 1024, false, put_bsn, may_supply_bsn},
          {"PUT", "/v1/zaken/{zaak}/deelnemers/{persoon}", Who::party, 16 * 1024, false, put_participant},
          {"PUT", "/v1/zaken/{zaak}/kenmerken/{partij}", Who::party, 4096, false, put_reference},
          {"GET", "/v1/toestemmingen", Who::party, 0, false, get_consents}};
}

}  // namespace schakel::api
