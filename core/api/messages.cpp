#include <charconv>

#include "core/api/explain.hpp"
#include "core/api/routes.hpp"

namespace schakel::api {
namespace {

Json receipt_view(const ingress::Receipt& r) {
  Json j{{"id", r.id}, {"zaak", r.case_id}, {"volgnummer", r.seq}, {"dubbel", r.duplicate}};
  if (!r.outcome.empty()) j["uitkomst"] = r.outcome;
  return j;
}

Task<net::Response> post_messages(Call& call) {
  const auto& head = call.request.head;
  ingress::HeaderPairs headers(head.headers.begin(), head.headers.end());
  auto type = std::string(head.headers.get("Content-Type"));
  auto receipts =
      co_await call.services.ingress.receive(*call.party, type, std::move(headers), std::move(call.request.body));
  if (!receipts) {
    call.audited = true;
    co_return problem(receipts.error());
  }
  Json list = Json::array();
  for (const auto& r : *receipts) list.push_back(receipt_view(r));
  // 202: on disk, not yet decided (CloudEvents webhook 2.1.3).
  auto response = json(202, {{"berichten", list}});
  if (receipts->size() == 1) response.headers.set("Location", "/v1/berichten/" + std::to_string(receipts->front().seq));
  co_return response;
}

Result<void> may_post(const Services& services, const Party& party, const net::RequestHead& head) {
  return services.ingress.head_allows(party, {head.headers.begin(), head.headers.end()});
}

Task<net::Response> get_message(Call& call) {
  auto text = call.path["bericht"];
  std::int64_t seq = 0;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), seq);
  if (ec != std::errc() || end != text.data() + text.size())
    co_return problem({ErrorKind::not_found, "MESSAGE_UNKNOWN", "there is no such message", {}});
  auto row = co_await call.services.store.message(seq);
  if (!row) co_return problem(row.error());
  // Only its sender asks what became of a message.
  if (!*row || (*row)->party != call.party->id)
    co_return problem({ErrorKind::not_found, "MESSAGE_UNKNOWN", "there is no such message", {}});
  auto decided = co_await call.services.journal.decision(seq);
  if (!decided) co_return problem(decided.error());
  Json j{{"volgnummer", seq},
         {"id", (*row)->id},
         {"type", (*row)->type},
         {"zaak", (*row)->case_id},
         {"aanvaardOp", format_instant((*row)->accepted_at)},
         {"uitkomst", nullptr}};
  if (*decided) j.update(message_view(**decided, false));
  if (*decided && call.query["uitleg"] == "true") {
    auto added = co_await add_explanation(call.services, (*row)->case_id, j, *call.party);
    if (!added) co_return problem(added.error());
  }
  co_return json(200, j);
}

}  // namespace

Json message_view(const journal::Recorded& r, bool explain) {
  Json j{{"volgnummer", r.message.seq},
         {"id", r.message.id},
         {"type", r.message.type},
         {"van", r.message.sender_role},
         {"aanvaardOp", format_instant(r.message.time)},
         {"besloten", format_instant(r.decided_at)},
         {"uitkomst", to_string(r.draft.outcome)},
         {"codes", r.draft.codes},
         {"regelversie", r.rules_version}};
  j["ontvangers"] = Json::array();
  for (const auto& v : r.draft.recipients)
    j["ontvangers"].push_back(
        {{"rol", v.role}, {"inhoud", v.content}, {"kanaal", v.channel}, {"zonder", v.without}, {"regels", v.rules}});
  j["nietNaar"] = Json::array();
  for (const auto& v : r.draft.suppressed)
    j["nietNaar"].push_back({{"rol", v.role}, {"code", v.code}, {"regel", v.rule}});
  j["signalen"] = Json::array();
  for (const auto& v : r.draft.signals)
    j["signalen"].push_back({{"code", v.code}, {"aan", v.to}, {"over", v.role}, {"termijn", v.timer}});
  if (explain) {
    j["uitleg"] = Json::array();
    for (const auto& e : r.draft.explanation)
      j["uitleg"].push_back({{"regel", e.rule},
                             {"stap", e.stage},
                             {"resultaat", e.result},
                             {"code", e.code},
                             {"citaat", e.quote},
                             {"bron", e.source},
                             {"feiten", e.facts}});
  }
  return j;
}

std::vector<Route> message_routes() {
  return {{"POST", "/v1/berichten", Who::party, 10 * 1024 * 1024, false, post_messages, may_post},
          {"GET", "/v1/berichten/{bericht}", Who::party, 0, false, get_message}};
}

}  // namespace schakel::api
