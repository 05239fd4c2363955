// What comes in: who sends it, what earlier declarations say of it, and its parts on their way to the broker.
#include <fmt/format.h>

#include <algorithm>

#include "core/base/calendar.hpp"
#include "core/formats/ggk.hpp"
#include "core/formats/sniff.hpp"
#include "desk.hpp"
#include "schakel/outcome.hpp"

namespace schakel::zorgaanbieder {
namespace {

Json line_json(Line line) { return Json::array({line.first, line.second}); }

/// functieVersie and functieSubversie of a JW323 of release 3.2 (facturatie.md 4).
constexpr std::string_view kFunctionVersion = "0003", kFunctionSubversion = "0002";
constexpr int kAnswerDays = 10;  ///< working days for a JW325 (OP090x4)
/// More parts than this are handed over after the 202: each is a commit of its own.
constexpr std::size_t kPartsInCall = 64;
constexpr std::size_t kGroupLines = 4000;  ///< of a large declaration that are messages at once

/// What a part is known by: every line of it is of one pupil.
Json part_row(const Part& part, const Context& context) {
  Json lines = Json::array(), kinds = Json::array();
  for (auto line : part.lines) {
    lines.push_back(line.second);
    auto kind = context.kinds.find(line);
    kinds.push_back(kind == context.kinds.end() ? std::string() : kind->second);
  }
  Json out{{"id", part.id},
           {"number", part.number},
           {"client", part.lines.front().first},
           {"lines", std::move(lines)},
           {"kinds", std::move(kinds)}};
  if (!part.after.empty()) out["after"] = part.after;
  return out;
}

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

Task<Received> Desk::receive(std::string_view bytes, std::string party, Inbox& inbox) {
  Received out{415, "FORMAT_UNKNOWN", "", {}};
  std::string inner;
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
    inner = std::move(read->bericht);
    bytes = inner;
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
    out = co_await receive_jw323(bytes, std::move(party), std::move(envelope), inbox);
  else if (kind == formats::MessageKind::ubl_invoice || kind == formats::MessageKind::ubl_credit_note)
    out = co_await receive_ubl(bytes, std::move(party), inbox);
  out.envelope = std::move(kept);
  host_.metrics().count("zorgaanbieder_received", {{"code", out.code}});
  co_return out;
}

Task<Received> Desk::receive_ubl(std::string_view bytes, std::string party, Inbox& inbox) {
  formats::UblRead read;
  auto done = co_await host_.aside([&] { read = formats::read_ubl(bytes); });
  if (!done) co_return Received{503, done.error().code, "", {}, Json::object()};
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

/// A declaration on its way in.
struct Desk::Incoming {
  const formats::Jw323& d;
  const std::vector<formats::IjwFinding>& rules;
  std::string_view bytes;
  std::string hash, id, key, reply, party;
  Json envelope;
  bool reused = false;  ///< its Identificatie was that of another message (TR056)
  Json record;
};

Task<Received> Desk::receive_jw323(std::string_view bytes, std::string party, Json envelope, Inbox& inbox) {
  formats::Jw323Read read;
  std::string hash;
  auto today = today_of(host_.clock());
  auto done = co_await host_.aside([&] {
    read = formats::read_jw323(bytes, today);
    if (read.message) hash = sha256_hex(bytes);
  });
  if (!done) co_return Received{503, done.error().code, "", {}, Json::object()};
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

  auto id = fmt::format("{}/{}", d.afzender, d.identificatie);
  Incoming in{d,
              read.rules,
              bytes,
              std::move(hash),
              id,
              "jw323/" + id,
              answer_id(d.afzender, d.identificatie),
              known->second,
              std::move(envelope),
              false,
              Json()};
  // Looking at what earlier declarations claimed and claiming is one step: two at once would both find it free.
  auto turn = co_await turns_.enter(d.afzender);
  if (!turn) co_return Received{503, "BROKER_NOT_READY", in.reply, {}, Json::object()};
  auto before = co_await host_.progress().get(in.key);
  if (!before) co_return Received{503, before.error().code, in.reply, {}, Json::object()};
  in.reused = *before && sdk::text_at(**before, "hash") != in.hash;
  if (in.reused) {
    // TR056: another message under this Identificatie. It is answered as a message of its own, and nothing of it is
    // looked at.
    in.key += '/' + in.hash.substr(0, 16);
    in.reply = answer_id(d.afzender, d.identificatie + '|' + in.hash);
    before = co_await host_.progress().get(in.key);
    if (!before) co_return Received{503, before.error().code, in.reply, {}, Json::object()};
  }
  if (*before) {
    in.record = std::move(**before);
  } else {
    auto kept = co_await keep_new(in, inbox);
    if (kept.status != 202) co_return kept;
  }
  turn->leave();
  Received out{202, sdk::flag_at(in.record, "whole") ? "JW323_REJECTED" : "JW323_ACCEPTED", in.reply,
               findings_of(read.rules), Json::object()};
  bool answered = sdk::flag_at(in.record, "answered");
  if (!answered && sdk::flag_at(in.record, "later")) {
    // It is durable: who sent it need not wait until every part of it has been taken in.
    bell_.ring();
    co_return out;
  }
  if (!answered) {
    auto handed = co_await hand_over(in.record, in.key, inbox);
    if (handed == Handed::not_now) co_return Received{503, "BROKER_NOT_READY", in.reply, {}, Json::object()};
  }
  // Nothing to wait for when everything was out at once.
  auto settled = co_await settle(in.key);
  if (!settled) log(LogLevel::info, "zorgaanbieder.answer_waits", {{"code", settled.error().code}});
  co_return out;
}

Task<Received> Desk::keep_new(Incoming& in, Inbox& inbox) {
  const auto& d = in.d;
  auto later = [&](std::string code) { return Received{503, std::move(code), in.reply, {}, Json::object()}; };
  auto today = today_of(host_.clock());
  formats::Jw325 verdict = in.reused ? formats::reject_message(d, in.reply, today, "9056")
                                     : formats::answer_to(d, in.rules, in.reply, today);
  bool whole = in.reused || (!in.rules.empty() && !verdict.antwoord);
  std::string number_key = fmt::format("nummer/{}/{}", d.afzender, d.declaratienummer);
  if (!whole) {
    auto number = co_await host_.progress().get(number_key);
    if (!number) co_return later(number.error().code);
    if (*number && sdk::text_at(**number, "key") != in.key) {
      verdict = formats::reject_declaration(d, in.reply, today, "9333");  // TR333
      whole = true;
    }
  }
  in.envelope.erase("ontvanger");
  in.record = {
      {"hash", in.hash}, {"party", in.party}, {"parts", Json::array()}, {"answer_id", in.reply}, {"whole", whole}};
  if (!in.envelope.empty()) in.record["ggk"] = in.envelope, in.record["agb"] = d.afzender;
  Changes changes;
  if (whole) {
    auto text = formats::write_jw325(verdict);
    if (!text) co_return Received{422, text.error().code, in.reply, findings_of(in.rules), Json::object()};
    keep_answer(in.record, std::move(*text), settings_, host_.clock(), changes);
  } else {
    bool kept = co_await keep_parts(in, inbox, changes);
    if (!kept) co_return later("BROKER_NOT_READY");
    changes.emplace_back("wacht/" + in.reply, Json{{"party", in.party}});
    changes.emplace_back(number_key, Json{{"key", in.key}});
  }
  if (in.record.contains("later")) {
    Json small{{"later", true}, {"whole", false}};
    changes.emplace_back(in.key, std::exchange(in.record, std::move(small)));
  } else {
    changes.emplace_back(in.key, in.record);
  }
  // One commit, before the first message is handed over: a repeat continues with the same parts.
  auto kept = co_await host_.progress().write(std::move(changes));
  if (!kept) co_return later("STORE_NOT_READY");
  co_return Received{};
}

Task<bool> Desk::keep_parts(Incoming& in, Inbox& inbox, Changes& changes) {
  const auto& d = in.d;
  Context context;
  for (const auto& f : in.rules) {
    if (f.client < 0) continue;
    auto c = static_cast<std::size_t>(f.client);
    for (std::size_t i = 0; i < d.clienten[c].prestaties.size(); ++i)
      if (f.prestatie < 0 || static_cast<std::size_t>(f.prestatie) == i)
        context.rejected[{c, i}].emplace_back(f.retour);
  }
  bool looked = co_await look_around(d, in.key, context, inbox);
  if (!looked) co_return false;
  auto& record = in.record;
  record["unknown"] = Json::array();
  record["rejected"] = Json::array();
  for (std::size_t c = 0; c < context.cases.size(); ++c)
    if (!context.cases[c]) record["unknown"].push_back(c);
  for (const auto& [line, codes] : context.rejected)
    record["rejected"].push_back({{"line", line_json(line)}, {"codes", codes}});
  auto due = add_working_days(local_date(host_.clock().now()), kAnswerDays).str();
  bool large = in.bytes.size() > kPieceBytes, waits = false;
  // What another try left that never was accepted: a file with other bytes has other pieces and parts.
  bool cleared = co_await clear_begun(in.id);
  if (!cleared) co_return false;
  Marks claims;
  Json credits = Json::array(), debits = Json::array(), ids = Json::array();
  for (std::size_t from = 0, to = 0; from < d.clienten.size(); from = to) {
    // The messages of so many lines are in memory at a time; a small declaration is one such group.
    for (std::size_t lines = 0; to < d.clienten.size() && (!large || lines < kGroupLines); ++to)
      lines += d.clienten[to].prestaties.size();
    std::vector<Part> parts;
    auto done = co_await host_.aside([&] {
      parts = split(d, context, settings_, in.hash, from, to);
      for (auto& part : parts) {
        // What the broker holds is an obligation with a date: the JW325 waits for it (OP090x4).
        part.event["data"]["answer_due"] = due;
        waits = waits || !part.after.empty();
        ids.push_back(part.id);
        const auto [c, i] = part.lines.front();
        (d.clienten[c].prestaties[i].credit ? credits : debits).push_back(part_row(part, context));
      }
      mark_lines(d, parts, claims);
    });
    if (!done) co_return false;
    if (!large) {
      for (auto& part : parts) changes.emplace_back("event/" + part.id, std::move(part.event));
      continue;
    }
    bool ahead = co_await keep_events(in.id, pieces_of(in.bytes).size(), ids, parts);
    if (!ahead) co_return false;
  }
  // Credits go first (OP366).
  record["parts"] = std::move(credits);
  for (auto& part : debits) record["parts"].push_back(std::move(part));
  if (large) {
    bool ahead = co_await keep_pieces(in.id, in.bytes);
    if (!ahead) co_return false;
    changes.emplace_back("begun/" + in.id, std::nullopt);
  } else {
    changes.emplace_back(piece_key(in.id, 0), Json{{"xml", in.bytes}});
  }
  record["due"] = due;
  record["pieces"] = pieces_of(in.bytes).size();
  if (large || ids.size() > kPartsInCall) record["later"] = true;
  if (waits || record.contains("later")) changes.emplace_back("volgt/" + in.id, true);
  changes.emplace_back("open/" + in.id, true);
  changes.emplace_back("claim/" + in.id, Json{{"marks", claims.packed()}});
  changes.emplace_back("due/" + due + "/" + in.id, true);
  co_return true;
}

}  // namespace schakel::zorgaanbieder
