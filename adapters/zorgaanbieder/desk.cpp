#include "desk.hpp"

#include <fmt/format.h>

#include "core/base/calendar.hpp"
#include "core/formats/sniff.hpp"
#include "schakel/outcome.hpp"

namespace schakel::zorgaanbieder {
namespace {

formats::Date today_of(const Clock& clock) { return *formats::parse_date(local_date(clock.now()).str()); }

bool not_now(const Error& error) {
  return error.kind == ErrorKind::unavailable || error.kind == ErrorKind::timeout || error.kind == ErrorKind::io || error.kind == ErrorKind::internal;
}

Json line_json(Line line) { return Json::array({line.first, line.second}); }

std::vector<Finding> findings_of(const std::vector<formats::IjwFinding>& rules) {
  std::vector<Finding> out;
  for (const auto& f : rules) out.push_back(f.finding);
  return out;
}

}  // namespace

std::string answer_id(const std::string& agb, const std::string& identificatie) {
  std::string hex = sha256_hex("jw325|" + agb + '|' + identificatie).substr(0, 11);
  for (char& c : hex) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return "R" + hex;
}

Task<bool> Desk::put(std::string key, Json value) {
  auto ok = co_await host_.progress().put(std::move(key), std::move(value));
  co_return ok.has_value();
}

Task<Received> Desk::receive(std::string bytes, std::string party, Inbox& inbox) {
  Received out{415, "FORMAT_UNKNOWN", "", {}};
  auto kind = formats::sniff(bytes);
  if (kind == formats::MessageKind::jw323)
    out = co_await receive_jw323(std::move(bytes), std::move(party), inbox);
  else if (kind == formats::MessageKind::ubl_invoice || kind == formats::MessageKind::ubl_credit_note)
    out = co_await receive_ubl(std::move(bytes), std::move(party), inbox);
  host_.metrics().count("zorgaanbieder_received", {{"code", out.code}});
  co_return out;
}

Task<Received> Desk::receive_ubl(std::string bytes, std::string party, Inbox& inbox) {
  auto read = formats::read_ubl(bytes);
  if (!read.accepted()) co_return Received{422, "UBL_INVALID", "", std::move(read.findings)};
  const auto& d = *read.document;
  auto known = settings_.leveranciers.find(d.supplier.legal_id.scheme + ':' + d.supplier.legal_id.value);
  if (known == settings_.leveranciers.end() || (!party.empty() && known->second != party)) co_return Received{403, "SENDER_NOT_ALLOWED", "", {}};
  party = known->second;
  std::string reference = d.buyer_reference.empty() ? d.order_reference : d.buyer_reference, subject;
  if (!reference.empty()) {
    auto found = co_await inbox.case_of(party, reference);
    if (!found) co_return Received{503, found.error().code, "", {}};
    if (*found) subject = **found;
  }
  auto accepted = co_await inbox.accept(party, event_of(d, subject, settings_, sha256_hex(bytes)));
  if (!accepted) co_return Received{not_now(accepted.error()) ? 503 : 422, accepted.error().code, "", accepted.error().findings};
  co_return Received{202, *accepted ? "UBL_ACCEPTED" : "UBL_KNOWN", "", {}};
}

Task<Received> Desk::receive_jw323(std::string bytes, std::string party, Inbox& inbox) {
  auto read = formats::read_jw323(bytes, today_of(host_.clock()));
  // Level 1: there is no JW325 to what could not be read; the transport says so.
  if (!read.message) co_return Received{400, "JW323_STRUCTURE", "", std::move(read.structure)};
  const auto& d = *read.message;
  auto known = settings_.afzenders.find(d.afzender);
  if (known == settings_.afzenders.end() || (!party.empty() && known->second != party)) co_return Received{403, "SENDER_NOT_ALLOWED", "", {}};
  if (d.ontvanger != settings_.gemeente_code) co_return Received{403, "RECEIVER_IS_ANOTHER", "", {}};
  party = known->second;

  std::string key = fmt::format("jw323/{}/{}", d.afzender, d.identificatie), hash = sha256_hex(bytes), reply = answer_id(d.afzender, d.identificatie);
  auto before = co_await host_.progress().get(key);
  if (!before) co_return Received{503, before.error().code, reply, {}};
  Json record = *before ? **before : Json();
  if (*before && sdk::text_at(record, "hash") != hash) co_return Received{409, "JW323_IDENTIFICATIE_NOT_UNIQUE", reply, {}};  // TR056
  if (!*before) {
    Context context;
    bool whole = false;
    formats::Jw325 verdict = formats::answer_to(d, read.rules, reply, today_of(host_.clock()));
    whole = !read.rules.empty() && !verdict.antwoord;
    std::string number_key = fmt::format("nummer/{}/{}", d.afzender, d.declaratienummer);
    if (!whole) {
      auto number = co_await host_.progress().get(number_key);
      if (!number) co_return Received{503, number.error().code, reply, {}};
      if (*number && sdk::text_at(**number, "key") != key) {
        verdict = formats::reject_declaration(d, reply, today_of(host_.clock()), "9333");  // TR333
        whole = true;
      }
    }
    record = {{"hash", hash}, {"party", party}, {"parts", Json::array()}, {"answer_id", reply}};
    if (whole) {
      auto text = formats::write_jw325(verdict);
      if (!text) co_return Received{422, text.error().code, reply, findings_of(read.rules)};
      record["answer"] = *text;
    } else {
      for (const auto& f : read.rules) {
        if (f.client < 0) continue;
        auto c = static_cast<std::size_t>(f.client);
        for (std::size_t i = 0; i < d.clienten[c].prestaties.size(); ++i)
          if (f.prestatie < 0 || static_cast<std::size_t>(f.prestatie) == i) context.rejected[{c, i}].emplace_back(f.retour);
      }
      bool looked = co_await look_around(d, key, context, inbox);
      if (!looked) co_return Received{503, "BROKER_NOT_READY", reply, {}};
      record["xml"] = bytes;
      record["unknown"] = Json::array();
      record["rejected"] = Json::array();
      for (std::size_t c = 0; c < context.cases.size(); ++c)
        if (!context.cases[c]) record["unknown"].push_back(c);
      for (const auto& [line, codes] : context.rejected) record["rejected"].push_back({{"line", line_json(line)}, {"codes", codes}});
      for (const auto& part : split(d, context, settings_, hash)) {
        Json lines = Json::array();
        for (auto line : part.lines) lines.push_back(line_json(line));
        record["parts"].push_back({{"id", part.id}, {"number", part.number}, {"lines", lines}, {"event", part.event}});
      }
    }
    // Everything is remembered before the first message is handed over: a repeat continues with the same parts.
    bool kept = co_await put(key, record);
    if (kept) kept = co_await put("answer/" + reply, Json{{"key", key}});
    if (kept && !whole) kept = co_await put(number_key, Json{{"key", key}});
    if (!kept) co_return Received{503, "STORE_NOT_READY", reply, {}};
  } else {
    // After a crash between the puts above.
    bool kept = co_await put("answer/" + reply, Json{{"key", key}});
    if (kept && record.contains("xml")) kept = co_await put(fmt::format("nummer/{}/{}", d.afzender, d.declaratienummer), Json{{"key", key}});
    if (!kept) co_return Received{503, "STORE_NOT_READY", reply, {}};
  }
  bool handed = co_await hand_over(record, key, inbox);
  if (!handed) co_return Received{503, "BROKER_NOT_READY", reply, {}};
  // Nothing to wait for when everything was out at once.
  auto settled = co_await settle(key);
  if (!settled) log(LogLevel::info, "zorgaanbieder.answer_waits", {{"code", settled.error().code}});
  bool whole = record.contains("answer") && record["parts"].empty() && !record.contains("xml");
  co_return Received{202, whole ? "JW323_REJECTED" : "JW323_ACCEPTED", reply, findings_of(read.rules)};
}

Task<bool> Desk::look_around(const formats::Jw323& d, const std::string& key, Context& context, Inbox& inbox) {
  for (std::size_t c = 0; c < d.clienten.size(); ++c) {
    const auto& client = d.clienten[c];
    Secret bsn{std::string_view(client.bsn)};
    auto found = co_await inbox.case_of_bsn(bsn);
    if (!found) co_return false;
    context.cases.push_back(*found);
    for (std::size_t i = 0; i < client.prestaties.size(); ++i) {
      const auto& p = client.prestaties[i];
      auto seen = co_await host_.progress().get(fmt::format("ref/{}/{}", d.afzender, p.referentie));
      if (!seen) co_return false;
      if (*seen && sdk::text_at(**seen, "key") != key) context.rejected[{c, i}].emplace_back("8021");  // TR314
      if (!p.credit) continue;
      auto original = co_await host_.progress().get(fmt::format("ref/{}/{}", d.afzender, p.vorige_referentie));
      if (!original) co_return false;
      if (!*original)
        context.rejected[{c, i}].emplace_back("8017");
      else if (auto by = sdk::text_at(**original, "credited_by"); !by.empty() && by != key)
        context.rejected[{c, i}].emplace_back("9390");  // TR390: one credit per debit
      else
        context.credited[{c, i}] = sdk::text_at(**original, "number");
    }
  }
  co_return true;
}

Task<bool> Desk::hand_over(Json& record, const std::string& key, Inbox& inbox) {
  for (const auto& part : record["parts"]) {
    std::string id = part["id"], part_key = "part/" + id, handed_key = "handed/" + id;
    auto handed = co_await host_.progress().get(handed_key);
    if (!handed) co_return false;
    if (*handed) continue;
    // Known before it is handed over: a decision may come at once. The decision has this key to itself from here on.
    auto state = co_await host_.progress().get(part_key);
    if (!state) co_return false;
    bool kept = true;
    if (!*state) kept = co_await put(part_key, Json{{"key", key}});
    if (!kept) co_return false;
    auto accepted = co_await inbox.accept(record["party"].get<std::string>(), part["event"]);
    if (!accepted && not_now(accepted.error())) co_return false;
    // Refused by the broker's own checks: nobody else will decide on it.
    if (!accepted) kept = co_await put(part_key, Json{{"key", key}, {"decision", "rejected"}, {"reason", accepted.error().code}});
    if (kept) kept = co_await put(handed_key, true);
    if (!kept) co_return false;
  }
  co_return true;
}

Task<AttemptResult> Desk::decided(std::string event_id, bool granted, std::string reason) {
  auto state = co_await host_.progress().get("part/" + event_id);
  if (!state) co_return AttemptResult{Verdict::retry_later, state.error().code, std::nullopt, Json::object()};
  // A UBL invoice has no answer message: its sender sees the payment.
  if (!*state) co_return AttemptResult{Verdict::delivered, "NO_ANSWER_ASKED", std::nullopt, Json::object()};
  Json part = std::move(**state);
  if (sdk::text_at(part, "decision").empty()) {
    part["decision"] = granted ? "granted" : "rejected";
    part["reason"] = reason;
    bool kept = co_await put("part/" + event_id, part);
    if (!kept) co_return AttemptResult{Verdict::retry_later, "STORE_NOT_READY", std::nullopt, Json::object()};
  }
  auto settled = co_await settle(sdk::text_at(part, "key"));
  if (!settled) co_return std::move(settled.error());
  co_return AttemptResult{Verdict::delivered, "DECISION_KEPT", std::nullopt, Json::object()};
}

Task<std::expected<void, AttemptResult>> Desk::settle(std::string key) {
  using Done = std::expected<void, AttemptResult>;
  auto later = [](std::string code) { return std::unexpected(AttemptResult{Verdict::retry_later, std::move(code), std::nullopt, Json::object()}); };
  auto found = co_await host_.progress().get(key);
  if (!found) co_return later(found.error().code);
  if (!*found) co_return Done{};
  Json record = std::move(**found);
  if (sdk::flag_at(record, "sent")) co_return Done{};
  if (!record.contains("answer")) {
    std::map<Line, std::vector<std::string>> rejected;
    for (const auto& r : record["rejected"]) rejected[{r["line"][0], r["line"][1]}] = r["codes"].get<std::vector<std::string>>();
    std::map<Line, std::string> granted;  // to its invoice
    for (const auto& part : record["parts"]) {
      auto state = co_await host_.progress().get("part/" + part["id"].get<std::string>());
      if (!state) co_return later(state.error().code);
      std::string decision = *state ? sdk::text_at(**state, "decision") : "";
      if (decision.empty()) co_return Done{};  // the others are still waited for
      for (const auto& line : part["lines"]) {
        Line at{line[0], line[1]};
        if (decision == "granted")
          granted[at] = part["number"];
        else
          rejected[at] = {settings_.retour_of(sdk::text_at(**state, "reason"))};
      }
    }
    auto read = formats::read_jw323(record["xml"].get_ref<const std::string&>());
    if (!read.message) co_return std::unexpected(AttemptResult{Verdict::rejected, "JW323_STRUCTURE", std::nullopt, Json::object()});
    const auto& d = *read.message;
    std::vector<formats::IjwRejectedLine> lines;
    auto unknown = record["unknown"].get<std::vector<std::size_t>>();
    for (const auto& [line, codes] : rejected)
      if (std::ranges::find(unknown, line.first) == unknown.end()) lines.push_back({line.first, line.second, codes});
    std::string id = record["answer_id"];
    auto verdict = lines.empty() && unknown.empty() ? formats::grant_all(d, id, today_of(host_.clock())) : formats::reject_lines(d, id, today_of(host_.clock()), lines, unknown);
    auto text = formats::write_jw325(verdict);
    if (!text) co_return std::unexpected(AttemptResult{Verdict::rejected, text.error().code, std::nullopt, Json::object()});
    for (const auto& [line, number] : granted) {
      const auto& p = d.clienten[line.first].prestaties[line.second];
      std::string ref = fmt::format("ref/{}/{}", d.afzender, p.referentie), original = fmt::format("ref/{}/{}", d.afzender, p.vorige_referentie);
      bool kept = co_await put(ref, Json{{"key", key}, {"number", number}});
      if (!kept) co_return later("STORE_NOT_READY");
      if (!p.credit) continue;
      auto debit = co_await host_.progress().get(original);
      if (!debit) co_return later(debit.error().code);
      if (!*debit) continue;
      Json marked = **debit;
      marked["credited_by"] = key;
      kept = co_await put(original, std::move(marked));
      if (!kept) co_return later("STORE_NOT_READY");
    }
    record["answer"] = *text;
    record.erase("xml");  // the BSNs of granted pupils are not needed any more
    for (auto& part : record["parts"]) part.erase("event");
    bool kept = co_await put(key, record);
    if (!kept) co_return later("STORE_NOT_READY");
  }
  auto sent = co_await send_answer(std::move(key), std::move(record));
  co_return sent;
}

Task<Result<std::string>> Desk::answer(std::string id, std::string party) {
  auto absent = fail(ErrorKind::not_found, "NOT_FOUND", "no such answer");
  auto where = co_await host_.progress().get("answer/" + id);
  if (!where) co_return fail(where.error());
  if (!*where) co_return absent;
  auto record = co_await host_.progress().get(sdk::text_at(**where, "key"));
  if (!record) co_return fail(record.error());
  if (!*record || sdk::text_at(**record, "party") != party) co_return absent;
  co_return sdk::text_at(**record, "answer");
}

}  // namespace schakel::zorgaanbieder
