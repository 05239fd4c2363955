// What the sender of an e-invoice is told of it: an Invoice Response where a JW325 stands for a declaration. It rests
// under the same keys, is fetched below the same address and is sent the same way (desk.hpp).
#include <fmt/format.h>

#include "core/model/code_words.hpp"
#include "desk.hpp"

namespace schakel::zorgaanbieder {
namespace {

Json party_json(const formats::UblParty& p) {
  const auto& id = p.endpoint.value.empty() ? p.legal_id : p.endpoint;
  return {
      {"name", p.registration_name.empty() ? p.name : p.registration_name}, {"scheme", id.scheme}, {"id", id.value}};
}

formats::ResponseParty party_of(const Json& row, const char* who) {
  Json p = sdk::object_at(row, who);
  return {sdk::text_at(p, "name"), {sdk::text_at(p, "scheme"), sdk::text_at(p, "id")}};
}

}  // namespace

std::string in_words(const std::string& code, const std::string& detail) {
  if (code.empty()) return {};
  auto words = detail.starts_with(code + ":") ? code_words(detail, true, nullptr) : std::string();
  if (words.empty()) words = code_words(code, true, nullptr);
  return words.empty() ? code : fmt::format("{}: {}", code, words);
}

std::string ubl_answer_id(const std::string& event_id) { return answer_id("ubl", event_id); }

Task<std::optional<std::string>> Desk::expect_ubl(const formats::UblDocument& d, std::string first_id,
                                                  const std::string& party) {
  // Two posts at once after a refusal are one new attempt.
  auto turn = co_await turns_.enter("ubl/" + first_id);
  if (!turn) co_return std::nullopt;
  std::string round_key = "ublronde/" + first_id;
  auto counted = co_await host_.progress().get(round_key);
  if (!counted) co_return std::nullopt;
  std::int64_t round = *counted ? sdk::number_at(**counted, "round").value_or(0) : 0;
  auto id_of = [&] { return round == 0 ? first_id : sdk::stable_uuid(fmt::format("{}|{}", first_id, round)); };
  auto event_id = id_of();
  auto known = co_await host_.progress().get("ubl/" + event_id);
  if (!known) co_return std::nullopt;
  Changes changes;
  if (*known) {
    if (!sdk::flag_at(**known, "refused")) co_return event_id;
    // What it was refused for may be mended since: it is decided anew, and answered anew.
    ++round;
    event_id = id_of();
    changes.emplace_back(round_key, Json{{"round", round}});
  }
  auto reply = ubl_answer_id(event_id);
  Json row{{"party", party},
           {"answer_id", reply},
           {"number", d.id},
           {"type", d.type_code},
           {"answered", false},
           {"buyer", party_json(d.customer)},
           {"seller", party_json(d.supplier)}};
  changes.emplace_back("ubl/" + event_id, std::move(row));
  changes.emplace_back("wacht/" + reply, Json{{"party", party}});
  auto kept = co_await host_.progress().write(std::move(changes));
  if (!kept) co_return std::nullopt;
  co_return event_id;
}

Task<AttemptResult> Desk::answer_ubl(std::string key, Json row, formats::ResponseStatus status, std::string reason) {
  auto result = [](Verdict verdict, std::string code) {
    return AttemptResult{verdict, std::move(code), std::nullopt, Json::object()};
  };
  std::string reply = sdk::text_at(row, "answer_id");
  if (!sdk::flag_at(row, "answered")) {
    formats::InvoiceResponse r;
    r.id = reply;
    r.issued = today_of(host_.clock());
    r.sender = party_of(row, "buyer"), r.receiver = party_of(row, "seller");
    r.status = status;
    r.reason = std::move(reason);
    r.invoice = sdk::text_at(row, "number"), r.type_code = sdk::text_at(row, "type");
    auto text = formats::write_invoice_response(r);
    if (!text) co_return result(Verdict::rejected, text.error().code);
    Changes changes;
    keep_answer(row, std::move(*text), settings_, host_.clock(), changes);
    changes.emplace_back("ubl/" + key, std::move(row));
    auto kept = co_await host_.progress().write(std::move(changes));
    if (!kept) co_return result(Verdict::retry_later, "STORE_NOT_READY");
  }
  auto sent = co_await send_answer(std::move(reply));
  if (!sent) co_return std::move(sent.error());
  co_return result(Verdict::delivered, "DECISION_KEPT");
}

Task<AttemptResult> Desk::decided_ubl(std::string event_id, Json row, std::string outcome, std::string reason) {
  auto later = [](std::string code) {
    return AttemptResult{Verdict::retry_later, std::move(code), std::nullopt, Json::object()};
  };
  auto number = fmt::format("ublnr/{}/{}", sdk::text_at(row, "party"), sdk::text_at(row, "number"));
  bool granted = outcome == "delivered" || outcome == "recorded";
  if (granted) {
    // What is told of this number later is about this document.
    bool kept = co_await put(number, Json{{"event", event_id}});
    if (!kept) co_return later("STORE_NOT_READY");
  } else if (outcome == "dropped_duplicate") {
    // The same invoice in other bytes: it is passed on when the first is, and not refused.
    auto first = co_await host_.progress().get(number);
    if (!first) co_return later(first.error().code);
    if (!*first) co_return AttemptResult{Verdict::delivered, "STILL_HELD", std::nullopt, Json::object()};
    granted = true;
  }
  auto status = granted ? formats::ResponseStatus::in_process : formats::ResponseStatus::rejected;
  // Kept with the answer; what was answered already keeps what was said first.
  if (!granted && !sdk::flag_at(row, "answered")) row["refused"] = true;
  auto said = co_await answer_ubl(std::move(event_id), std::move(row), status, std::move(reason));
  co_return said;
}

Task<AttemptResult> Desk::told_later(std::string delivery, std::string party, Json signal) {
  auto result = [](Verdict verdict, std::string said) {
    return AttemptResult{verdict, std::move(said), std::nullopt, Json::object()};
  };
  auto event = co_await host_.progress().get(fmt::format("ublnr/{}/{}", party, sdk::text_at(signal, "number")));
  if (!event) co_return result(Verdict::retry_later, event.error().code);
  // Of a declaration there is no message for what happens after its JW325, and with nowhere to send to nobody would
  // read it: a person tells the provider.
  if (!*event || (settings_.answer_url.empty() && settings_.answer_folder.empty()))
    co_return result(Verdict::rejected, "NO_WAY_TO_TELL");
  auto event_id = sdk::text_at(**event, "event");
  auto row = co_await host_.progress().get("ubl/" + event_id);
  if (!row) co_return result(Verdict::retry_later, row.error().code);
  if (!*row) co_return result(Verdict::rejected, "NO_WAY_TO_TELL");
  // One answer per report, under a key of its own: a repeat of this delivery finds it.
  std::string key = fmt::format("{}/{}", event_id, delivery);
  auto before = co_await host_.progress().get("ubl/" + key);
  if (!before) co_return result(Verdict::retry_later, before.error().code);
  Json later = *before ? std::move(**before) : std::move(**row);
  if (!*before) {
    later["answered"] = false;
    later.erase("refused");
    later["answer_id"] = answer_id("ubl", key);
  }
  auto code = sdk::text_at(signal, "code");
  auto status = code == "INVOICE_REFUSED" ? formats::ResponseStatus::rejected : formats::ResponseStatus::under_query;
  std::string reason = in_words(code);
  for (const char* more : {"payer", "reason"})
    if (auto word = in_words(sdk::text_at(signal, more)); !word.empty()) reason += fmt::format(", {}", word);
  auto said = co_await answer_ubl(std::move(key), std::move(later), status, std::move(reason));
  co_return said;
}

}  // namespace schakel::zorgaanbieder
