// What comes in: who sends it, what earlier declarations say of it, and its parts on their way to the broker.
#include <fmt/format.h>

#include "core/base/calendar.hpp"
#include "core/formats/ggk.hpp"
#include "core/formats/sniff.hpp"
#include "desk.hpp"
#include "schakel/outcome.hpp"

namespace schakel::zorgaanbieder {
namespace {

bool not_now(const Error& error) {
  return error.kind == ErrorKind::unavailable || error.kind == ErrorKind::timeout || error.kind == ErrorKind::io ||
         error.kind == ErrorKind::internal;
}

Json line_json(Line line) { return Json::array({line.first, line.second}); }

/// functieVersie and functieSubversie of a JW323 of release 3.2 (facturatie.md 4).
constexpr std::string_view kFunctionVersion = "0003", kFunctionSubversion = "0002";
constexpr int kAnswerDays = 10;  ///< working days for a JW325 (OP090x4)

std::vector<Finding> findings_of(const std::vector<formats::IjwFinding>& rules) {
  std::vector<Finding> out;
  for (const auto& f : rules) out.push_back(f.finding);
  return out;
}

/// No message of ours has more lines, and no return code says so of a line.
std::vector<Finding> too_many_lines(const formats::Jw323& d) {
  std::vector<Finding> out;
  for (std::size_t c = 0; c < d.clienten.size(); ++c)
    if (d.clienten[c].prestaties.size() > formats::kMostLines)
      out.push_back({fmt::format("/Bericht/Declaratie/Clienten/Client[{}]", c + 1), "JW323_TOO_MANY_LINES",
                     "more than 10,000 lines of one pupil: declare them in more declarations", "SCH-LINES"});
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
  Json envelope = Json::object();
  if (kind == formats::MessageKind::ggk_envelope || kind == formats::MessageKind::soap) {
    auto read = formats::read_ggk(bytes);
    if (!read) {
      out = {400, read.error().code, "", read.error().findings, Json::object()};
      host_.metrics().count("zorgaanbieder_received", {{"code", out.code}});
      co_return out;
    }
    envelope = {{"referentie", read->referentienummer},
                {"organisatie", read->zender.organisatie},
                {"ontvanger", read->ontvanger.organisatie},
                {"applicatie", read->zender.applicatie},
                {"soap", kind == formats::MessageKind::soap}};
    bytes = std::move(read->bericht);
    kind = formats::sniff(bytes);
    if (read->functie_versie != kFunctionVersion || read->functie_subversie != kFunctionSubversion) {
      host_.metrics().count("zorgaanbieder_received", {{"code", "GGK_VERSION"}});
      co_return Received{403, "GGK_VERSION", "", {}, std::move(envelope)};
    }
    // An envelope is for one kind of message here.
    if (read->retour || read->functie != "JW323" || kind != formats::MessageKind::jw323) {
      host_.metrics().count("zorgaanbieder_received", {{"code", "GGK_CONTENT"}});
      co_return Received{400, "GGK_CONTENT", "", {}, std::move(envelope)};
    }
  }
  Json kept = envelope;
  if (kind == formats::MessageKind::jw323)
    out = co_await receive_jw323(std::move(bytes), std::move(party), std::move(envelope), inbox);
  else if (kind == formats::MessageKind::ubl_invoice || kind == formats::MessageKind::ubl_credit_note)
    out = co_await receive_ubl(std::move(bytes), std::move(party), inbox);
  out.envelope = std::move(kept);
  host_.metrics().count("zorgaanbieder_received", {{"code", out.code}});
  co_return out;
}

Task<Received> Desk::receive_ubl(std::string bytes, std::string party, Inbox& inbox) {
  auto read = formats::read_ubl(bytes);
  if (!read.accepted()) co_return Received{422, "UBL_INVALID", "", std::move(read.findings), Json::object()};
  const auto& d = *read.document;
  auto known = settings_.leveranciers.find(d.supplier.legal_id.scheme + ':' + d.supplier.legal_id.value);
  if (known == settings_.leveranciers.end() || !settings_.may_post(party, known->second))
    co_return Received{403, "SENDER_NOT_ALLOWED", "", {}, Json::object()};
  party = known->second;
  if (auto refused = refused_here(d, settings_, today_of(host_.clock())); !refused.empty()) {
    bool told = co_await tell_not_taken(d, refused, party, sha256_hex(bytes), inbox);
    if (!told) co_return Received{503, "STORE_NOT_READY", "", {}, Json::object()};
    co_return Received{422, "UBL_INVALID", "", std::move(refused), Json::object()};
  }
  std::string reference = d.buyer_reference.empty() ? d.order_reference : d.buyer_reference, subject;
  if (!reference.empty()) {
    auto found = co_await inbox.case_of(party, reference);
    if (!found) co_return Received{503, found.error().code, "", {}, Json::object()};
    if (*found) subject = **found;
  }
  auto event = event_of(d, subject, settings_, sha256_hex(bytes));
  if (!event) co_return Received{422, event.error().code, "", event.error().findings, Json::object()};
  // Before it is handed over: a decision may come at once.
  auto expected = co_await expect_ubl(d, sdk::text_at(*event, "id"), party);
  if (!expected) co_return Received{503, "STORE_NOT_READY", "", {}, Json::object()};
  std::string event_id = std::move(*expected);
  (*event)["id"] = event_id;
  auto accepted = co_await inbox.accept(party, std::move(*event));
  if (!accepted)
    co_return Received{not_now(accepted.error()) ? 503 : 422, accepted.error().code, "", accepted.error().findings};
  co_return Received{202, *accepted ? "UBL_ACCEPTED" : "UBL_KNOWN", ubl_answer_id(event_id), {}, Json::object()};
}

Task<Received> Desk::receive_jw323(std::string bytes, std::string party, Json envelope, Inbox& inbox) {
  auto read = formats::read_jw323(bytes, today_of(host_.clock()));
  // Level 1: there is no JW325 to what could not be read; the transport says so.
  if (!read.message) co_return Received{400, "JW323_STRUCTURE", "", std::move(read.structure), Json::object()};
  const auto& d = *read.message;
  auto known = settings_.afzenders.find(d.afzender);
  if (known == settings_.afzenders.end() || !settings_.may_post(party, known->second))
    co_return Received{403, "SENDER_NOT_ALLOWED", "", {}, Json::object()};
  if (envelope.contains("organisatie") && sdk::text_at(envelope, "organisatie") != d.afzender)
    co_return Received{403, "ENVELOPE_SENDER_IS_ANOTHER", "", {}, Json::object()};
  if (envelope.contains("ontvanger") && sdk::text_at(envelope, "ontvanger") != settings_.gemeente_code)
    co_return Received{403, "ENVELOPE_RECEIVER_IS_ANOTHER", "", {}, Json::object()};
  if (d.ontvanger != settings_.gemeente_code) co_return Received{403, "RECEIVER_IS_ANOTHER", "", {}, Json::object()};
  // It becomes part of the number of every invoice made of it, and so of subjects and file names.
  if (formats::holds_bsn(d.declaratienummer)) co_return Received{422, "NUMBER_HOLDS_BSN", "", {}, Json::object()};
  if (auto many = too_many_lines(d); !many.empty())
    co_return Received{422, "JW323_TOO_MANY_LINES", "", std::move(many), Json::object()};
  party = known->second;

  std::string id = fmt::format("{}/{}", d.afzender, d.identificatie), key = "jw323/" + id, hash = sha256_hex(bytes),
              reply = answer_id(d.afzender, d.identificatie);
  // Looking at what earlier declarations claimed and claiming is one step: two at once would both find it free.
  auto turn = co_await turns_.enter(d.afzender);
  if (!turn) co_return Received{503, "BROKER_NOT_READY", reply, {}, Json::object()};
  auto before = co_await host_.progress().get(key);
  if (!before) co_return Received{503, before.error().code, reply, {}, Json::object()};
  bool reused = *before && sdk::text_at(**before, "hash") != hash;
  if (reused) {
    // TR056: another message under this Identificatie. It is answered as a message of its own, and nothing of it is
    // looked at.
    key += '/' + hash.substr(0, 16);
    reply = answer_id(d.afzender, d.identificatie + '|' + hash);
    before = co_await host_.progress().get(key);
    if (!before) co_return Received{503, before.error().code, reply, {}, Json::object()};
  }
  Json record = *before ? **before : Json();
  if (!*before) {
    Context context;
    formats::Jw325 verdict = reused ? formats::reject_message(d, reply, today_of(host_.clock()), "9056")
                                    : formats::answer_to(d, read.rules, reply, today_of(host_.clock()));
    bool whole = reused || (!read.rules.empty() && !verdict.antwoord);
    std::string number_key = fmt::format("nummer/{}/{}", d.afzender, d.declaratienummer);
    if (!whole) {
      auto number = co_await host_.progress().get(number_key);
      if (!number) co_return Received{503, number.error().code, reply, {}, Json::object()};
      if (*number && sdk::text_at(**number, "key") != key) {
        verdict = formats::reject_declaration(d, reply, today_of(host_.clock()), "9333");  // TR333
        whole = true;
      }
    }
    envelope.erase("ontvanger");
    record = {{"hash", hash}, {"party", party}, {"parts", Json::array()}, {"answer_id", reply}, {"whole", whole}};
    if (!envelope.empty()) record["ggk"] = envelope, record["agb"] = d.afzender;
    Changes changes;
    if (whole) {
      auto text = formats::write_jw325(verdict);
      if (!text) co_return Received{422, text.error().code, reply, findings_of(read.rules), Json::object()};
      keep_answer(record, std::move(*text), settings_, host_.clock(), changes);
    } else {
      for (const auto& f : read.rules) {
        if (f.client < 0) continue;
        auto c = static_cast<std::size_t>(f.client);
        for (std::size_t i = 0; i < d.clienten[c].prestaties.size(); ++i)
          if (f.prestatie < 0 || static_cast<std::size_t>(f.prestatie) == i)
            context.rejected[{c, i}].emplace_back(f.retour);
      }
      bool looked = co_await look_around(d, key, context, inbox);
      if (!looked) co_return Received{503, "BROKER_NOT_READY", reply, {}, Json::object()};
      record["unknown"] = Json::array();
      record["rejected"] = Json::array();
      for (std::size_t c = 0; c < context.cases.size(); ++c)
        if (!context.cases[c]) record["unknown"].push_back(c);
      for (const auto& [line, codes] : context.rejected)
        record["rejected"].push_back({{"line", line_json(line)}, {"codes", codes}});
      auto due = add_working_days(local_date(host_.clock().now()), kAnswerDays).str();
      auto parts = split(d, context, settings_, hash);
      bool waits = false;
      for (auto& part : parts) {
        // What the broker holds is an obligation with a date: the JW325 waits for it (OP090x4).
        part.event["data"]["answer_due"] = due;
        Json lines = Json::array(), kinds = Json::array();
        for (auto line : part.lines) {
          lines.push_back(line_json(line));
          kinds.push_back(context.kinds[line]);
        }
        record["parts"].push_back({{"id", part.id}, {"number", part.number}, {"lines", lines}, {"kinds", kinds}});
        if (!part.after.empty()) record["parts"].back()["after"] = part.after, waits = true;
        changes.emplace_back("event/" + part.id, std::move(part.event));
      }
      bool claimed = co_await claim(d, key, parts, changes);
      if (!claimed) co_return Received{503, "STORE_NOT_READY", reply, {}, Json::object()};
      record["due"] = due;
      if (waits) changes.emplace_back("volgt/" + id, true);
      changes.emplace_back("body/" + id, Json{{"xml", std::move(bytes)}});
      changes.emplace_back("due/" + due + "/" + id, true);
      changes.emplace_back("wacht/" + reply, Json{{"party", party}});
      changes.emplace_back(number_key, Json{{"key", key}});
    }
    changes.emplace_back(key, record);
    // One commit, before the first message is handed over: a repeat continues with the same parts.
    auto kept = co_await host_.progress().write(std::move(changes));
    if (!kept) co_return Received{503, "STORE_NOT_READY", reply, {}, Json::object()};
  }
  turn->leave();
  bool handed = sdk::flag_at(record, "answered");
  if (!handed) handed = co_await hand_over(record, key, inbox);
  if (!handed) co_return Received{503, "BROKER_NOT_READY", reply, {}, Json::object()};
  // Nothing to wait for when everything was out at once.
  auto settled = co_await settle(key);
  if (!settled) log(LogLevel::info, "zorgaanbieder.answer_waits", {{"code", settled.error().code}});
  co_return Received{202, sdk::flag_at(record, "whole") ? "JW323_REJECTED" : "JW323_ACCEPTED", reply,
                     findings_of(read.rules), Json::object()};
}

Task<bool> Desk::look_around(const formats::Jw323& d, const std::string& key, Context& context, Inbox& inbox) {
  std::map<std::string, Line>
      credited_here;  // debits that this declaration itself takes back: credits go first (OP366)
  for (bool credits : {true, false})
    for (std::size_t c = 0; c < d.clienten.size(); ++c) {
      const auto& client = d.clienten[c];
      if (credits) {
        Secret bsn{std::string_view(client.bsn)};
        auto found = co_await inbox.case_of_bsn(bsn);
        if (!found) co_return false;
        context.cases.push_back(*found);
      }
      for (std::size_t i = 0; i < client.prestaties.size(); ++i) {
        const auto& p = client.prestaties[i];
        if (p.credit != credits) continue;
        auto reject = [&](std::string_view code) {
          auto& codes = context.rejected[{c, i}];
          if (std::ranges::find(codes, code) == codes.end()) codes.emplace_back(code);
        };
        auto seen = co_await host_.progress().get(fmt::format("ref/{}/{}", d.afzender, p.referentie));
        if (!seen) co_return false;
        if (*seen && sdk::text_at(**seen, "key") != key) reject("8021");  // TR314
        auto kind = settings_.kind_of(p.categorie, p.product);
        if (!p.credit) {
          if (!kind)
            reject(kind.error());  // 9340, S329: nobody configured who pays for it
          else
            context.kinds[{c, i}] = *kind;
          auto stands = co_await host_.progress().get(debit_key(d.afzender, p));
          if (!stands) co_return false;
          auto ref = *stands ? sdk::text_at(**stands, "ref") : std::string();
          auto credit = credited_here.find(ref);
          if (*stands && ref != p.referentie && credit == credited_here.end())
            reject("9389");  // TR389: credit the first one first
          else if (*stands && ref != p.referentie)
            context.replaces[{c, i}] = credit->second;
          continue;
        }
        auto original = co_await host_.progress().get(fmt::format("ref/{}/{}", d.afzender, p.vorige_referentie));
        if (!original) co_return false;
        auto by = *original ? sdk::text_at(**original, "credited_by") : std::string();
        // Only what a JW325 granted can be credited (IV085), by a copy of its line (IV091).
        bool granted = *original && !sdk::text_at(**original, "number").empty() &&
                       sdk::number_at(**original, "cents") == p.bedrag.value() &&
                       sdk::text_at(**original, "debet") == debit_key(d.afzender, p);
        if (!granted)
          reject("8017");
        else if (!by.empty() && by != key)
          reject("9390");  // TR390: one credit per debit
        else
          context.credited[{c, i}] = sdk::text_at(**original, "number");
        // What was granted as one kind is taken back as that kind, whatever the configuration says by now.
        auto was = *original ? sdk::text_at(**original, "kind") : std::string();
        if (was.empty() && kind) was = *kind;
        if (granted && was.empty()) reject(kind.error());
        context.kinds[{c, i}] = std::move(was);
        if (granted && !context.rejected.contains({c, i}) && context.cases[c])
          credited_here[p.vorige_referentie] = {c, i};
      }
    }
  co_return true;
}

Task<bool> Desk::claim(const formats::Jw323& d, const std::string& key, const std::vector<Part>& parts,
                       Changes& changes) {
  for (const auto& part : parts)
    for (auto [c, i] : part.lines) {
      const auto& p = d.clienten[c].prestaties[i];
      changes.emplace_back(fmt::format("ref/{}/{}", d.afzender, p.referentie), Json{{"key", key}});
      if (!p.credit) {
        Json stands{{"key", key}, {"ref", p.referentie}};
        auto before = co_await host_.progress().get(debit_key(d.afzender, p));
        if (!before) co_return false;
        // It takes the place of another, and gives it back when it is refused.
        if (*before) stands["before"] = {{"key", (**before)["key"]}, {"ref", (**before)["ref"]}};
        changes.emplace_back(debit_key(d.afzender, p), std::move(stands));
        continue;
      }
      std::string original_key = fmt::format("ref/{}/{}", d.afzender, p.vorige_referentie);
      auto original = co_await host_.progress().get(original_key);
      if (!original) co_return false;
      Json marked = *original ? **original : Json::object();
      marked["credited_by"] = key;
      changes.emplace_back(original_key, std::move(marked));
    }
  co_return true;
}

Task<bool> Desk::hand_over(const Json& record, const std::string& key, Inbox& inbox) {
  if (record["parts"].empty()) co_return true;
  for (const auto& part : record["parts"]) {
    std::string id = part["id"], part_key = "part/" + id, handed_key = "handed/" + id;
    auto handed = co_await host_.progress().get(handed_key);
    if (!handed) co_return false;
    if (*handed) continue;
    if (auto after = sdk::text_at(part, "after"); !after.empty()) {
      auto first = co_await host_.progress().get("part/" + after);
      if (!first) co_return false;
      auto decision = *first ? sdk::text_at(**first, "decision") : std::string();
      if (decision.empty()) continue;
      if (decision != "granted") {
        // The debit it would replace still stands: there may not be two (TR389).
        bool refused = co_await put(part_key, Json{{"key", key}, {"decision", "rejected"}, {"retour", "9389"}});
        if (refused) refused = co_await put(handed_key, true);
        if (!refused) co_return false;
        continue;
      }
    }
    // Known before it is handed over: a decision may come at once. The decision has this key to itself from here on.
    auto state = co_await host_.progress().get(part_key);
    if (!state) co_return false;
    bool kept = true;
    if (!*state) kept = co_await put(part_key, Json{{"key", key}});
    if (!kept) co_return false;
    auto event = co_await host_.progress().get("event/" + id);
    if (!event) co_return false;
    if (!*event) co_return true;  // answered meanwhile
    auto accepted = co_await inbox.accept(record["party"].get<std::string>(), std::move(**event));
    if (!accepted && not_now(accepted.error())) co_return false;
    // Refused by the broker's own checks: nobody else will decide on it.
    if (!accepted)
      kept = co_await put(part_key, Json{{"key", key}, {"decision", "rejected"}, {"reason", accepted.error().code}});
    if (!kept) co_return false;
    Changes done;
    done.emplace_back(handed_key, true);
    done.emplace_back("event/" + id, std::nullopt);
    auto written = co_await host_.progress().write(std::move(done));
    if (!written) co_return false;
  }
  co_return true;
}

Task<void> Desk::follow_up(Inbox& inbox) {
  std::string after;
  for (;;) {
    auto waiting = co_await host_.progress().keys("volgt/", after, 100);
    if (!waiting || waiting->empty()) co_return;
    after = waiting->back();
    for (const auto& row : *waiting) {
      std::string key = "jw323/" + row.substr(6);
      auto record = co_await host_.progress().get(key);
      if (!record || !*record) continue;
      bool handed = co_await hand_over(**record, key, inbox);
      if (!handed) co_return;
      auto settled = co_await settle(std::move(key));
      if (!settled) log(LogLevel::info, "zorgaanbieder.answer_waits", {{"code", settled.error().code}});
    }
  }
}

}  // namespace schakel::zorgaanbieder
