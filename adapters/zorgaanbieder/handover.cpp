// A declaration on its way into the broker: kept in pieces before it is accepted, and its parts handed over after.
#include <fmt/format.h>

#include <algorithm>

#include "core/base/calendar.hpp"
#include "desk.hpp"
#include "schakel/outcome.hpp"

namespace schakel::zorgaanbieder {
namespace {

/// Of one commit: some 20 ms of the store, so that nobody else waits long for theirs.
constexpr std::size_t kEventLines = 5000, kEventRows = 500;
/// Handed over between two looks at the store.
constexpr std::size_t kHandedParts = 32, kHandedLines = 2000;

std::size_t lines_in(const Json& part) { return part["lines"].size(); }

}  // namespace

bool not_now(const Error& error) {
  return error.kind == ErrorKind::unavailable || error.kind == ErrorKind::timeout || error.kind == ErrorKind::io ||
         error.kind == ErrorKind::internal;
}

std::vector<std::string_view> pieces_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    auto size = std::min(text.size(), kPieceBytes);
    // A piece is text of its own: it ends between two characters.
    while (size < text.size() && size > 1 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
    out.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return out;
}

std::string piece_key(const std::string& id, std::size_t n) { return fmt::format("body/{}/{}", id, n); }

Task<bool> Desk::clear_begun(std::string id) {
  std::string key = "begun/" + id;
  auto row = co_await host_.progress().get(key);
  if (!row) co_return false;
  if (!*row) co_return true;
  std::vector<std::string> rows;
  for (std::int64_t n = 0; n < sdk::number_at(**row, "pieces").value_or(0); ++n)
    rows.push_back(piece_key(id, static_cast<std::size_t>(n)));
  // The bytes of what is erased are overwritten on disk: a few pieces at a time.
  std::size_t pieces = rows.size();
  for (const auto& part : sdk::array_at(**row, "parts")) rows.push_back("event/" + part.get<std::string>());
  for (std::size_t from = 0; from < rows.size();) {
    auto to = std::min(rows.size(), from + (from < pieces ? 2 : kEventRows));
    Changes changes;
    for (; from < to; ++from) changes.emplace_back(std::move(rows[from]), std::nullopt);
    auto done = co_await host_.progress().write(std::move(changes));
    if (!done) co_return false;
  }
  Changes last;
  last.emplace_back(std::move(key), std::nullopt);
  auto done = co_await host_.progress().write(std::move(last));
  co_return done.has_value();
}

Task<bool> Desk::keep_events(const std::string& id, std::size_t pieces, const Json& ids, std::vector<Part>& parts) {
  // What will be there is known before it is.
  bool kept =
      co_await put("begun/" + id, {{"pieces", pieces}, {"parts", ids}, {"at", local_date(host_.clock().now()).str()}});
  if (!kept) co_return false;
  Changes events;
  std::size_t lines = 0;
  for (auto& part : parts) {
    lines += part.lines.size();
    events.emplace_back("event/" + part.id, std::move(part.event));
    if (lines < kEventLines && events.size() < kEventRows && &part != &parts.back()) continue;
    auto written = co_await host_.progress().write(std::exchange(events, {}));
    if (!written) co_return false;
    lines = 0;
  }
  co_return true;
}

Task<bool> Desk::keep_pieces(const std::string& id, std::string_view bytes) {
  auto pieces = pieces_of(bytes);
  for (std::size_t n = 0; n < pieces.size(); ++n) {
    bool kept = co_await put(piece_key(id, n), Json{{"xml", pieces[n]}});
    if (!kept) co_return false;
  }
  co_return true;
}

Task<Result<std::string>> Desk::kept_text(const std::string& id, std::int64_t pieces) {
  std::string out;
  for (std::int64_t n = 0; n < pieces; ++n) {
    auto piece = co_await host_.progress().get(piece_key(id, static_cast<std::size_t>(n)));
    if (!piece) co_return fail(std::move(piece.error()));
    if (!*piece) co_return std::string();
    if (n == 0) out.reserve(static_cast<std::size_t>(pieces) * kPieceBytes);
    out += (**piece)["xml"].get_ref<const std::string&>();
  }
  co_return out;
}

/// One page of parts, and what is to be written of it.
struct Desk::Page {
  std::size_t from = 0, to = 0;
  bool waits = false;     ///< one of it for another
  bool answered = false;  ///< the declaration was, meanwhile
  Changes before, after;
  std::vector<std::pair<std::string, Json>> ready;
};

Task<bool> Desk::look_at(const Json& parts, const std::string& key, Page& page) {
  std::vector<std::string> keys;
  for (auto n = page.from; n < page.to; ++n) {
    std::string id = parts[n]["id"], after = sdk::text_at(parts[n], "after");
    keys.push_back("handed/" + id), keys.push_back("part/" + id), keys.push_back("event/" + id);
    keys.push_back("part/" + (after.empty() ? id : after));
  }
  auto rows = co_await host_.progress().get_all(std::move(keys));
  if (!rows) co_return false;
  for (auto n = page.from; n < page.to; ++n) {
    auto* row = &(*rows)[(n - page.from) * 4];
    const auto &handed = row[0], &state = row[1], &first = row[3];
    auto& event = row[2];
    if (handed) continue;
    std::string id = parts[n]["id"];
    if (parts[n].contains("after")) {
      auto decision = first ? sdk::text_at(*first, "decision") : std::string();
      if (decision.empty()) {
        page.waits = true;
        continue;
      }
      if (decision != "granted") {
        // The debit it would replace still stands: there may not be two (TR389).
        page.before.emplace_back("part/" + id, Json{{"key", key}, {"decision", "rejected"}, {"retour", "9389"}});
        page.before.emplace_back("handed/" + id, true);
        continue;
      }
    }
    if (!event) {
      page.answered = true;
      co_return true;
    }
    // Known before it is handed over: a decision may come at once. The decision has this key to itself from here on.
    if (!state) page.before.emplace_back("part/" + id, Json{{"key", key}});
    page.ready.emplace_back(std::move(id), std::move(*event));
  }
  co_return true;
}

Task<Desk::Handed> Desk::hand_over(const Json& record, const std::string& key, Inbox& inbox) {
  const Json& parts = record["parts"];
  const std::string party = sdk::text_at(record, "party");
  bool waits = false;
  for (std::size_t from = 0; from < parts.size();) {
    Page page;
    page.from = page.to = from;
    for (std::size_t lines = 0; page.to < parts.size() && page.to - from < kHandedParts && lines < kHandedLines;
         ++page.to)
      lines += lines_in(parts[page.to]);
    from = page.to;
    bool looked = co_await look_at(parts, key, page);
    if (!looked) co_return Handed::not_now;
    if (page.answered) {
      auto now = co_await host_.progress().get(key);
      if (!now) co_return Handed::not_now;
      if (!*now || sdk::flag_at(**now, "answered")) co_return Handed::all;
      // Its message is gone and nobody decided on it: that must not be, and a person has to look.
      log(LogLevel::error, "zorgaanbieder.part_lost", {{"code", "STORE_CORRUPT_ROW"}});
      co_return Handed::some;
    }
    waits = waits || page.waits;
    if (!page.before.empty()) {
      auto written = co_await host_.progress().write(std::move(page.before));
      if (!written) co_return Handed::not_now;
    }
    bool later = false;
    for (auto& [id, event] : page.ready) {
      auto accepted = co_await inbox.accept(party, std::move(event));
      if (!accepted && accepted.error().kind == ErrorKind::internal) {
        // Stays to be handed over, and keeps no other declaration waiting.
        log(LogLevel::error, "zorgaanbieder.part_not_taken", {{"code", accepted.error().code}});
        waits = true;
        continue;
      }
      later = !accepted && not_now(accepted.error());
      if (later) break;
      // Refused by the broker's own checks: nobody else will decide on it.
      if (!accepted)
        page.after.emplace_back("part/" + id,
                                Json{{"key", key}, {"decision", "rejected"}, {"reason", accepted.error().code}});
      page.after.emplace_back("handed/" + id, true);
      page.after.emplace_back("event/" + id, std::nullopt);
    }
    // A crash before this hands them over again: they are known then.
    if (!page.after.empty()) {
      auto written = co_await host_.progress().write(std::move(page.after));
      if (!written) co_return Handed::not_now;
    }
    if (later) co_return Handed::not_now;
  }
  co_return waits ? Handed::some : Handed::all;
}

Task<void> Desk::follow_up(Inbox& inbox) {
  // One at a time: what comes meanwhile is looked at by who is at it.
  again_ = true;
  if (following_) co_return;
  struct Following {
    bool& on;
    explicit Following(bool& b) : on(b) { on = true; }
    ~Following() { on = false; }
  } following(following_);
  while (std::exchange(again_, false)) {
    bool more = co_await follow_once(inbox);
    if (!more) co_return;
  }
}

Task<bool> Desk::follow_once(Inbox& inbox) {
  std::string after;
  for (;;) {
    auto waiting = co_await host_.progress().keys("volgt/", after, 100);
    if (!waiting) co_return false;
    if (waiting->empty()) co_return true;
    after = waiting->back();
    for (const auto& row : *waiting) {
      std::string key = "jw323/" + row.substr(6);
      auto record = co_await host_.progress().get(key);
      if (!record || !*record) continue;
      auto handed = co_await hand_over(**record, key, inbox);
      if (handed == Handed::not_now) co_return false;
      auto settled = co_await settle(std::move(key));
      if (!settled) log(LogLevel::info, "zorgaanbieder.answer_waits", {{"code", settled.error().code}});
      if (!settled || handed == Handed::some) continue;
      Changes done;
      done.emplace_back(row, std::nullopt);
      auto erased = co_await host_.progress().write(std::move(done));
      if (!erased) co_return false;
    }
  }
}

Task<void> Desk::hand_on(Inbox& inbox) {
  for (;;) {
    auto rung = co_await bell_.wait(milliseconds(60000));
    if (rung) co_await follow_up(inbox);
  }
}

}  // namespace schakel::zorgaanbieder
