// What becomes of a declaration: decisions, the books of references and debits, the one JW325 and its end.
#include <fmt/format.h>

#include "core/base/calendar.hpp"
#include "desk.hpp"
#include "schakel/outcome.hpp"

namespace schakel::zorgaanbieder {
namespace {

/// The return code of a part that was not granted.
std::string state_retour(const Json& state, const Settings& settings) {
  auto own = sdk::text_at(state, "retour");
  return own.empty() ? settings.retour_of(sdk::text_at(state, "reason")) : own;
}

}  // namespace

formats::Date today_of(const Clock& clock) { return *formats::parse_date(local_date(clock.now()).str()); }

std::string debit_key(const std::string& agb, const formats::IjwPrestatie& p) {
  return fmt::format("debet/{}/{}/{}/{}/{}/{}", agb, p.toewijzing, p.categorie, p.product,
                     formats::format_date(p.periode.begin), formats::format_date(p.periode.eind));
}

void keep_answer(Json& record, std::string text, const Settings& settings, const Clock& clock, Changes& changes,
                 Json events) {
  record["answered"] = true;
  std::string id = record["answer_id"], drop = add_days(local_date(clock.now()), settings.keep_answer_days).str();
  Json answer{{"text", std::move(text)}, {"party", record["party"]}, {"sent", false}, {"events", std::move(events)}};
  if (record.contains("ggk")) answer["ggk"] = record["ggk"], answer["agb"] = record["agb"];
  changes.emplace_back("jw325/" + id, std::move(answer));
  changes.emplace_back("wacht/" + id, std::nullopt);
  changes.emplace_back("unsent/" + id, true);
  changes.emplace_back("drop/" + drop + "/" + id, true);
}

Task<bool> Desk::book(const formats::Jw323& d, const std::string& key, const std::map<Line, Granted>& granted,
                      const std::vector<Line>& given_up, Changes& changes) {
  for (const auto& [line, as] : granted) {
    const auto& p = d.clienten[line.first].prestaties[line.second];
    auto debit = debit_key(d.afzender, p);
    Json row{{"key", key}, {"number", as.number}, {"cents", p.bedrag.value()}, {"debet", debit}};
    if (!as.kind.empty()) row["kind"] = as.kind;
    changes.emplace_back(fmt::format("ref/{}/{}", d.afzender, p.referentie), std::move(row));
    if (!p.credit) continue;
    auto stands = co_await host_.progress().get(debit);
    if (!stands) co_return false;
    // The debit is taken back: another may come. One of this declaration may stand there already.
    if (*stands && sdk::text_at(**stands, "ref") == p.vorige_referentie) changes.emplace_back(debit, std::nullopt);
  }
  for (const auto& line : given_up) {
    const auto& p = d.clienten[line.first].prestaties[line.second];
    changes.emplace_back(fmt::format("ref/{}/{}", d.afzender, p.referentie), std::nullopt);
    std::string other = p.credit ? fmt::format("ref/{}/{}", d.afzender, p.vorige_referentie) : debit_key(d.afzender, p);
    auto there = co_await host_.progress().get(other);
    if (!there) co_return false;
    if (!*there) continue;
    if (!p.credit) {
      if (sdk::text_at(**there, "ref") != p.referentie) continue;
      Json before = sdk::object_at(**there, "before");
      bool taken_back = std::ranges::any_of(granted, [&](const auto& g) {
        const auto& by = d.clienten[g.first.first].prestaties[g.first.second];
        return by.credit && by.vorige_referentie == sdk::text_at(before, "ref");
      });
      // What it would have replaced stands again, unless its credit was granted.
      if (before.empty() || taken_back)
        changes.emplace_back(other, std::nullopt);
      else
        changes.emplace_back(other, std::move(before));
      continue;
    }
    Json open = **there;
    if (sdk::text_at(open, "credited_by") != key) continue;
    open.erase("credited_by");
    changes.emplace_back(other, std::move(open));
  }
  co_return true;
}

Task<AttemptResult> Desk::decided(std::string event_id, std::string outcome, std::string reason, std::string detail) {
  bool granted = outcome == "delivered" || outcome == "recorded";
  auto state = co_await host_.progress().get("part/" + event_id);
  if (!state) co_return AttemptResult{Verdict::retry_later, state.error().code, std::nullopt, Json::object()};
  if (!*state) {
    auto invoice = co_await host_.progress().get("ubl/" + event_id);
    if (!invoice) co_return AttemptResult{Verdict::retry_later, invoice.error().code, std::nullopt, Json::object()};
    if (!*invoice) co_return AttemptResult{Verdict::delivered, "NO_ANSWER_ASKED", std::nullopt, Json::object()};
    auto said =
        co_await decided_ubl(std::move(event_id), std::move(**invoice), std::move(outcome), in_words(reason, detail));
    co_return said;
  }
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
  auto later = [](std::string code) {
    return std::unexpected(AttemptResult{Verdict::retry_later, std::move(code), std::nullopt, Json::object()});
  };
  if (auto waits = undecided_.find(key); waits != undecided_.end()) {
    auto state = co_await host_.progress().get("part/" + waits->second);
    if (!state) co_return later(state.error().code);
    if (!*state || sdk::text_at(**state, "decision").empty()) co_return Done{};
  }
  // jw323/<agb>/...: what is booked here is what look_around reads.
  auto turn = co_await turns_.enter(key.substr(6, key.find('/', 6) - 6));
  if (!turn) co_return later("STORE_NOT_READY");
  auto found = co_await host_.progress().get(key);
  if (!found) co_return later(found.error().code);
  if (!*found) co_return Done{};
  Json record = std::move(**found);
  std::string id = record["answer_id"];
  if (!sdk::flag_at(record, "answered")) {
    std::map<Line, std::vector<std::string>> rejected;
    for (const auto& r : record["rejected"])
      rejected[{r["line"][0], r["line"][1]}] = r["codes"].get<std::vector<std::string>>();
    std::map<Line, Granted> granted;
    std::vector<Line> given_up;  // went on, and the broker refused it
    Changes changes;
    Json events = Json::array();
    for (const auto& part : record["parts"]) {
      std::string event = part["id"];
      auto state = co_await host_.progress().get("part/" + event);
      if (!state) co_return later(state.error().code);
      std::string decision = *state ? sdk::text_at(**state, "decision") : "";
      if (decision.empty()) {  // the others are still waited for
        undecided_[key] = event;
        co_return Done{};
      }
      const Json kinds = sdk::array_at(part, "kinds");
      for (std::size_t n = 0; n < part["lines"].size(); ++n) {
        const auto& line = part["lines"][n];
        Line at{line[0], line[1]};
        if (decision == "granted")
          granted[at] = {part["number"], n < kinds.size() ? kinds[n].get<std::string>() : std::string()};
        else
          rejected[at] = {state_retour(**state, settings_)}, given_up.push_back(at);
      }
      changes.emplace_back("event/" + event, std::nullopt);
      events.push_back(event);
    }
    std::string body_key = "body/" + key.substr(6);
    auto body = co_await host_.progress().get(body_key);
    if (!body) co_return later(body.error().code);
    if (!*body) co_return Done{};
    auto read = formats::read_jw323((**body)["xml"].get_ref<const std::string&>());
    if (!read.message)
      co_return std::unexpected(AttemptResult{Verdict::rejected, "JW323_STRUCTURE", std::nullopt, Json::object()});
    const auto& d = *read.message;
    std::vector<formats::IjwRejectedLine> lines;
    auto unknown = record["unknown"].get<std::vector<std::size_t>>();  // in order, as look_around found them
    for (const auto& [line, codes] : rejected)
      if (!std::ranges::binary_search(unknown, line.first)) lines.push_back({line.first, line.second, codes});
    auto verdict = lines.empty() && unknown.empty()
                       ? formats::grant_all(d, id, today_of(host_.clock()))
                       : formats::reject_lines(d, id, today_of(host_.clock()), lines, unknown);
    auto text = formats::write_jw325(verdict);
    if (!text)
      co_return std::unexpected(AttemptResult{Verdict::rejected, text.error().code, std::nullopt, Json::object()});
    bool booked = co_await book(d, key, granted, given_up, changes);
    if (!booked) co_return later("STORE_NOT_READY");
    changes.emplace_back(body_key, std::nullopt);  // with the BSNs
    changes.emplace_back("volgt/" + key.substr(6), std::nullopt);
    changes.emplace_back("due/" + sdk::text_at(record, "due") + "/" + key.substr(6), std::nullopt);
    // Of a declaration that is answered only what makes a repeat known stays.
    for (const char* done : {"parts", "rejected", "unknown", "due"}) record.erase(done);
    record["parts"] = Json::array();
    keep_answer(record, std::move(*text), settings_, host_.clock(), changes, std::move(events));
    changes.emplace_back(key, record);
    auto kept = co_await host_.progress().write(std::move(changes));
    if (!kept) co_return later("STORE_NOT_READY");
    undecided_.erase(key);
  }
  turn->leave();
  auto sent = co_await send_answer(std::move(id));
  co_return sent;
}

Task<Result<std::string>> Desk::answer(std::string id, std::string party) {
  auto absent = fail(ErrorKind::not_found, "NOT_FOUND", "no such answer");
  auto made = co_await host_.progress().get("jw325/" + id);
  if (!made) co_return fail(made.error());
  if (*made) {
    if (!settings_.may_post(party, sdk::text_at(**made, "party"))) co_return absent;
    co_return sdk::text_at(**made, "text");
  }
  // Not made yet, or its time is over: only its sender may know which.
  auto where = co_await host_.progress().get("wacht/" + id);
  if (!where) co_return fail(where.error());
  if (!*where || !settings_.may_post(party, sdk::text_at(**where, "party"))) co_return absent;
  co_return std::string();
}

Task<void> Desk::send_unsent() {
  int waiting = 0;
  std::string code, after;
  for (bool there = true; there;) {
    auto unsent = co_await host_.progress().keys("unsent/", after, 100);
    if (!unsent || unsent->empty()) break;
    for (const auto& key : *unsent) {
      after = key;
      auto sent = co_await send_answer(key.substr(7));
      if (sent) continue;
      ++waiting, code = sent.error().code;
      // A partner that is away is away for the next one as well; one that refuses this may take that.
      there = sent.error().verdict == Verdict::rejected;
      if (!there) break;
    }
  }
  if (waiting == 0) co_return;
  host_.metrics().count("zorgaanbieder_answers_unsent", {{"code", code}}, waiting);
  log(LogLevel::warn, "zorgaanbieder.answers_unsent", {{"answers", std::int64_t{waiting}}, {"code", code}});
}

Task<void> Desk::sweep() {
  auto today = local_date(host_.clock().now()).str();
  auto overdue = co_await host_.progress().keys("due/", "", 1000);
  if (overdue) {
    int late = 0;
    for (const auto& key : *overdue)
      if (key.substr(4, 10) < today) ++late;
    // OP090x4. What is held at the broker cannot be granted and not be refused either: a person has to lift or refuse
    // it.
    if (late > 0) {
      host_.metrics().count("zorgaanbieder_answers_overdue", {}, late);
      log(LogLevel::warn, "zorgaanbieder.answers_overdue", {{"declarations", std::int64_t{late}}});
    }
  }
  std::string after;
  for (;;) {
    auto drops = co_await host_.progress().keys("drop/", after, 1000);
    if (!drops || drops->empty() || drops->front().substr(5, 10) > today) co_return;
    after = drops->back();
    bool erased = co_await erase_answers(*drops, today);
    if (!erased) co_return;
  }
}

Task<bool> Desk::erase_answers(const std::vector<std::string>& drops, const std::string& today) {
  for (const auto& key : drops) {
    if (key.substr(5, 10) > today) break;
    auto id = key.substr(16);
    auto unsent = co_await host_.progress().get("unsent/" + id);
    if (!unsent) co_return false;
    // What nobody has yet is not erased: it can still be fetched, and is told of as long as it is here.
    if (*unsent) continue;
    Changes changes;
    changes.emplace_back("jw325/" + id, std::nullopt);
    changes.emplace_back(key, std::nullopt);
    auto done = co_await host_.progress().write(std::move(changes));
    if (!done) co_return false;
  }
  co_return true;
}

}  // namespace schakel::zorgaanbieder
