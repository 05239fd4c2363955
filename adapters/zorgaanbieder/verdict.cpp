// What becomes of a declaration: decisions, the books of references and debits, the one JW325 and its end.
#include <fmt/format.h>

#include <algorithm>

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

/// What became of the parts of a declaration.
struct Desk::Verdicts {
  std::vector<Granted> granted;
  std::map<Line, std::vector<std::string>> rejected;  ///< here, and by what the broker decided
  Json events = Json::array();
};

Task<Result<bool>> Desk::gather(const Json& record, const std::string& key, Verdicts& verdicts) {
  constexpr std::size_t kPage = 500;
  for (const auto& r : record["rejected"])
    verdicts.rejected[{r["line"][0], r["line"][1]}] = r["codes"].get<std::vector<std::string>>();
  const Json& parts = record["parts"];
  // From the end: what was handed over last is decided last, and the one that is waited for then is looked at rarely.
  for (std::size_t to = parts.size(), from = 0; to > 0; to = from) {
    from = to > kPage ? to - kPage : 0;
    std::vector<std::string> keys;
    for (auto n = from; n < to; ++n) keys.push_back("part/" + parts[n]["id"].get_ref<const std::string&>());
    auto states = co_await host_.progress().get_all(std::move(keys));
    if (!states) co_return fail(std::move(states.error()));
    for (auto n = to; n-- > from;) {
      const Json& part = parts[n];
      const auto& state = (*states)[n - from];
      std::string event = part["id"], decision = state ? sdk::text_at(*state, "decision") : "";
      if (decision.empty()) {  // the others are still waited for
        undecided_[key] = event;
        co_return false;
      }
      for (std::size_t l = 0; l < part["lines"].size(); ++l) {
        Line at{part["client"], part["lines"][l]};
        if (decision == "granted")
          verdicts.granted.push_back(
              {at, part["number"].get_ptr<const std::string*>(), part["kinds"][l].get_ptr<const std::string*>()});
        else
          verdicts.rejected[at] = {state_retour(*state, settings_)};
      }
      verdicts.events.push_back(std::move(event));
    }
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
    Verdicts verdicts;
    if (!record.contains("pieces"))
      co_return std::unexpected(AttemptResult{Verdict::rejected, "STORE_CORRUPT_ROW", std::nullopt, Json::object()});
    auto all = co_await gather(record, key, verdicts);
    if (!all) co_return later(all.error().code);
    if (!*all) co_return Done{};
    const std::string own = key.substr(6);
    const auto pieces = sdk::number_at(record, "pieces").value_or(0);
    auto body = co_await kept_text(own, pieces);
    if (!body) co_return later(body.error().code);
    if (body->empty()) co_return Done{};
    formats::Jw323Read read;
    Result<std::string> text = std::string();
    auto today = today_of(host_.clock());
    auto made = co_await host_.aside([&] {
      read = formats::read_jw323(*body);
      body->clear(), body->shrink_to_fit();
      if (!read.message) return;
      auto unknown = record["unknown"].get<std::vector<std::size_t>>();  // in order, as look_around found them
      std::vector<formats::IjwRejectedLine> lines;
      for (const auto& [line, codes] : verdicts.rejected)
        if (!std::ranges::binary_search(unknown, line.first)) lines.push_back({line.first, line.second, codes});
      text = formats::write_jw325(lines.empty() && unknown.empty()
                                      ? formats::grant_all(*read.message, id, today)
                                      : formats::reject_lines(*read.message, id, today, lines, unknown));
    });
    if (!made) co_return later(made.error().code);
    if (!read.message || !text)
      co_return std::unexpected(AttemptResult{Verdict::rejected, read.message ? text.error().code : "JW323_STRUCTURE",
                                              std::nullopt, Json::object()});
    bool booked = co_await book(*read.message, key, std::move(verdicts.granted));
    if (!booked) co_return later("STORE_NOT_READY");
    Changes changes;
    // With the BSNs. Many pieces are erased one after another: begun/ knows of them until they are.
    if (pieces > 1)
      changes.emplace_back("begun/" + own, Json{{"pieces", pieces}});
    else
      changes.emplace_back(piece_key(own, 0), std::nullopt);
    for (const auto& event : verdicts.events)
      changes.emplace_back("event/" + event.get_ref<const std::string&>(), std::nullopt);
    for (const char* done : {"volgt/", "open/", "claim/"}) changes.emplace_back(done + own, std::nullopt);
    changes.emplace_back("due/" + sdk::text_at(record, "due") + "/" + own, std::nullopt);
    // Of a declaration that is answered only what makes a repeat known stays.
    for (const char* done : {"parts", "rejected", "unknown", "due", "pieces", "later"}) record.erase(done);
    record["parts"] = Json::array();
    keep_answer(record, std::move(*text), settings_, host_.clock(), changes, std::move(verdicts.events));
    changes.emplace_back(key, record);
    auto kept = co_await host_.progress().write(std::move(changes));
    if (!kept) co_return later("STORE_NOT_READY");
    undecided_.erase(key);
    if (pieces > 1) {
      bool cleared = co_await clear_begun(own);
      if (!cleared) log(LogLevel::warn, "zorgaanbieder.pieces_left", {{"code", "STORE_NOT_READY"}});
    }
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
  co_await clear_left_over();
  std::string after;
  for (;;) {
    auto drops = co_await host_.progress().keys("drop/", after, 1000);
    if (!drops || drops->empty() || drops->front().substr(5, 10) > today) co_return;
    after = drops->back();
    bool erased = co_await erase_answers(*drops, today);
    if (!erased) co_return;
  }
}

Task<void> Desk::clear_left_over() {
  // Of a declaration that was answered the pieces go now; of one whose sender never came back, when a day has passed.
  auto yesterday = add_days(local_date(host_.clock().now()), -1).str();
  std::string after;
  for (;;) {
    auto begun = co_await host_.progress().keys("begun/", after, 100);
    if (!begun || begun->empty()) co_return;
    after = begun->back();
    for (const auto& row : *begun) {
      auto id = row.substr(6);
      // Its sender may be posting it again at this moment, into the same rows.
      auto turn = co_await turns_.enter(id.substr(0, id.find('/')));
      if (!turn) continue;
      auto what = co_await host_.progress().get(row);
      auto record = co_await host_.progress().get("jw323/" + id);
      if (!what || !record) co_return;
      bool over = *record ? sdk::flag_at(**record, "answered") : *what && sdk::text_at(**what, "at") < yesterday;
      if (!over) continue;
      bool cleared = co_await clear_begun(std::move(id));
      if (!cleared) co_return;
    }
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
