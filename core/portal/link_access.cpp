// What a visitor can do with a link: prove the secret, ask for a code, try it, come back with a cookie.
#include <fmt/format.h>

#include "core/base/calendar.hpp"
#include "core/portal/link_record.hpp"
#include "core/portal/totp.hpp"

namespace schakel::portal {
namespace {

using store::PutRow;

std::unexpected<Error> dead() { return fail(ErrorKind::not_found, "LINK_DEAD", "this link does not work (any more)"); }
std::unexpected<Error> limit() { return fail(ErrorKind::forbidden, "CODE_LIMIT", "no more codes for this link today"); }
std::unexpected<Error> wrong() {
  return fail(ErrorKind::unauthenticated, "CODE_WRONG", "the code is wrong or was used");
}
std::unexpected<Error> downloads_used() {
  return fail(ErrorKind::forbidden, "DOWNLOAD_LIMIT", "this document was downloaded as often as the link allows");
}
std::unexpected<Error> busy() { return fail(ErrorKind::unavailable, "LINK_BUSY", "the link is being used; try again"); }

/// Parallel visitors of one link meet in its row; with this many turns each gets its own.
constexpr int kTurns = 2000;

/// Eight digits without bias: bytes beyond the last whole multiple are thrown away.
std::string eight_digits() {
  while (true) {
    const auto b = random_bytes(4);
    const std::uint32_t v = static_cast<std::uint32_t>(b[0]) << 24 | static_cast<std::uint32_t>(b[1]) << 16 |
                            static_cast<std::uint32_t>(b[2]) << 8 | b[3];
    if (v < 4'200'000'000u) return fmt::format("{:08}", v % 100'000'000u);
  }
}

std::string csrf_of(const vault::Vault& vault, std::string_view token_hash) {
  return to_base64url(vault.mac("portal csrf", as_bytes(token_hash)));
}

}  // namespace

std::string LinkService::code_mac(const Record& record, std::string_view code) const {
  return to_hex(vault_.mac("link code", vault::bind({record.id, record.code_salt, code})));
}

PutRow LinkService::session_row(const Record& record, std::string_view token_hash, bool full, Instant at) const {
  const Json j{{"link", record.id}, {"full", full}, {"began", format_instant(at)}, {"seen", format_instant(at)},
               {"granted", false},  {"codes", ""},  {"secret", record.hash}};
  return {std::string(kSessions), std::string(token_hash), to_bytes(dump_json(j)), std::nullopt};
}

Task<Result<Secret>> LinkService::prove(std::string link, Secret secret) {
  const auto at = now();
  auto record = co_await read(link);
  if (!record) co_return fail(record.error());
  auto revoked = co_await is_revoked(link);
  if (!revoked) co_return fail(revoked.error());
  // The same work whether or not there is such a link (LNK-7).
  const auto given = to_hex(sha256(secret.reveal()));
  const std::string stored = *record ? (*record)->hash : std::string(64, '0');
  const bool same = equal_constant_time(as_bytes(given), as_bytes(stored));
  if (!*record || !same || *revoked || (*record)->expires <= at) {
    if (*record && same) {
      const auto& r = **record;
      const LinkView shown{r.id, r.delivery, r.message_id, r.case_id, r.role, {}, {}, r.workplace, r.expires};
      const std::string why = *revoked ? "revoked" : "expired";
      store::Transaction t;
      t.ops.push_back(leaf("refused", shown, {why}));
      t.ops.push_back(clock_row());
      auto done = co_await store_.commit(std::move(t));
      if (!done) co_return fail(done.error());
      tell("refused", shown, why);
    }
    co_return dead();
  }
  auto shown = co_await view(**record);
  if (!shown && shown.error().code == "VAULT_ERASED") co_return dead();
  if (!shown) co_return fail(shown.error());
  Secret cookie(std::string_view(to_base64url(random_bytes(32))));
  store::Transaction t;
  t.ops.push_back(session_row(**record, to_hex(sha256(cookie.reveal())), false, at));
  t.ops.push_back(leaf("proven", *shown));
  t.ops.push_back(clock_row());
  auto done = co_await store_.commit(std::move(t));
  if (!done) co_return fail(done.error());
  tell("proven", *shown);
  co_return cookie;
}

Task<Result<Visitor>> LinkService::visitor(std::string link, Secret cookie) {
  if (cookie.empty() || cookie.reveal().size() > 100) co_return Visitor(Anonymous{});
  const auto at = now();
  const auto hash = to_hex(sha256(cookie.reveal()));
  auto row = co_await store_.row(std::string(kSessions), hash);
  if (!row) co_return fail(row.error());
  if (!*row) co_return Visitor(Anonymous{});
  auto j = parse_json(as_text((*row)->value));
  if (!j || !j->is_object() || j->value("link", "") != link) co_return Visitor(Anonymous{});
  auto began = parse_instant(j->value("began", "")), seen = parse_instant(j->value("seen", ""));
  if (!began || !seen || at - *began >= settings_.absolute || at - *seen >= settings_.idle)
    co_return Visitor(Anonymous{});
  auto record = co_await read(link);
  if (!record) co_return fail(record.error());
  auto revoked = co_await is_revoked(link);
  if (!revoked) co_return fail(revoked.error());
  if (!*record || *revoked || (*record)->expires <= at || (*record)->hash != j->value("secret", ""))
    co_return Visitor(Anonymous{});
  const bool full = j->value("full", false);
  if (full && (*record)->session != hash) co_return Visitor(Anonymous{});
  auto inner = co_await sealed_part(**record);
  if (!inner) co_return Visitor(Anonymous{});
  Session s;
  const auto& r = **record;
  s.link = {r.id,
            r.delivery,
            r.message_id,
            r.case_id,
            r.role,
            inner->value("person", ""),
            inner->value("documents", std::vector<std::string>{}),
            r.workplace,
            r.expires};
  s.token_hash = hash;
  s.csrf = csrf_of(vault_, hash);
  s.sms = r.sms;
  s.code_waiting = r.sms && !r.code_mac.empty() && r.code_until > at && r.tries > 0;
  const auto factor = inner->value("factor", "");
  if (r.sms && factor.size() > 6) s.number_end = factor.substr(factor.size() - 2);
  s.granted = j->value("granted", false);
  s.mask = j->value("codes", "");
  if (at - *seen >= std::chrono::minutes(1)) {
    (*j)["seen"] = format_instant(at);
    store::Transaction t;
    t.ops.push_back(PutRow{std::string(kSessions), hash, to_bytes(dump_json(*j)), (*row)->version});
    auto done = co_await store_.commit(std::move(t));
    if (!done && done.error().kind != ErrorKind::conflict) co_return fail(done.error());
  }
  if (full) co_return Visitor(Full{std::move(s)});
  co_return Visitor(LinkProven{std::move(s)});
}

Task<Result<void>> LinkService::begin_round(Session session) {
  const auto link = session.link.id;
  for (int turn = 0; turn < kTurns; ++turn) {
    const auto at = now();
    auto record = co_await read(link);
    if (!record) co_return fail(record.error());
    if (!*record || (*record)->expires <= at) co_return dead();
    auto& r = **record;
    if (r.locked_until && *r.locked_until > at) co_return limit();
    const auto today = local_date(at).str();
    if (r.day != today) {
      r.day = today;
      r.rounds = 0;
    }
    store::Transaction t;
    const bool locks = r.rounds >= settings_.rounds;
    std::string code;
    if (locks) {
      // A code that is still out stays good: asking too often costs new codes, not the one already sent.
      r.locked_until = start_of_day(add_days(local_date(at), 1));
      t.ops.push_back(leaf("locked", session.link));
      if (on_lock_ && !r.workplace) {
        // Not telling the sender means not locking: no code is given either way.
        auto told = co_await on_lock_(session.link, t);
        if (!told) co_return fail(told.error());
      }
    } else {
      ++r.rounds;
      r.tries = settings_.tries;
      if (r.sms) {
        code = eight_digits();
        r.code_salt = to_hex(random_bytes(8));
        r.code_mac = code_mac(r, code);
        r.code_until = at + settings_.code_life;
      }
      t.ops.push_back(leaf("code_sent", session.link, {r.sms ? "sms" : "app"}));
    }
    t.ops.push_back(put(r));
    auto done = co_await store_.commit(std::move(t));
    if (!done && done.error().kind == ErrorKind::conflict) continue;
    if (!done) co_return fail(done.error());
    if (locks) {
      tell("locked", session.link);
      co_return limit();
    }
    tell("code_sent", session.link);
    if (!r.sms) co_return Result<void>{};
    auto inner = co_await sealed_part(r);
    if (!inner) co_return dead();
    if (sms_ == nullptr) co_return fail(ErrorKind::unavailable, "SMS_FAILED", "no SMS gateway is configured");
    const auto number = inner->value("factor", "").substr(4);
    auto sent = co_await sms_->send(
        number, fmt::format("Uw code voor Schakel is {}. De code is {} minuten geldig. Geef hem aan niemand.", code,
                            settings_.code_life.count()));
    OPENSSL_cleanse(code.data(), code.size());
    if (!sent) co_return fail(ErrorKind::unavailable, "SMS_FAILED", "the SMS gateway did not take the message");
    co_return Result<void>{};
  }
  co_return busy();
}

Task<Result<Secret>> LinkService::try_code(Session session, Secret code) {
  const auto link = session.link.id;
  std::optional<Record> mine;
  // First the try is spent, and only who spent one compares: at most `tries` comparisons, however many come at once
  // (LNK-5).
  for (int turn = 0; turn < kTurns && !mine; ++turn) {
    const auto at = now();
    auto record = co_await read(link);
    if (!record) co_return fail(record.error());
    if (!*record || (*record)->expires <= at) co_return dead();
    auto& r = **record;
    if (r.tries <= 0 || (r.sms && (r.code_mac.empty() || r.code_until <= at))) {
      if (r.locked_until && *r.locked_until > at) co_return limit();
      co_return fail(ErrorKind::unauthenticated, "CODE_NONE", "there is no code that can be tried");
    }
    --r.tries;
    store::Transaction t;
    t.ops.push_back(put(r));
    auto done = co_await store_.commit(std::move(t));
    if (!done && done.error().kind == ErrorKind::conflict) continue;
    if (!done) co_return fail(done.error());
    ++r.version;
    mine = std::move(r);
  }
  if (!mine) co_return busy();
  std::optional<std::int64_t> step;
  bool right = false;
  if (mine->sms) {
    right = equal_constant_time(as_bytes(code_mac(*mine, code.reveal_text())), as_bytes(mine->code_mac));
  } else {
    auto inner = co_await sealed_part(*mine);
    if (!inner) co_return dead();
    auto seed = co_await vault_.secret(inner->value("factor", ""));
    if (!seed && seed.error().code == "SECRET_UNKNOWN") co_return dead();  // the app was removed
    if (!seed) co_return fail(seed.error());
    step = totp_match(seed->reveal(), code.reveal_text(), now(), mine->totp_step);
    right = step.has_value();
  }
  if (!right) {
    store::Transaction t;
    t.ops.push_back(leaf("code_wrong", session.link));
    auto done = co_await store_.commit(std::move(t));
    if (!done) co_return fail(done.error());
    tell("code_wrong", session.link);
    co_return wrong();
  }
  // The code counts once: who clears it first has it.
  const auto salt = mine->code_salt;
  for (int turn = 0; turn < kTurns; ++turn) {
    const auto at = now();
    auto record = co_await read(link);
    if (!record) co_return fail(record.error());
    auto revoked = co_await is_revoked(link);
    if (!revoked) co_return fail(revoked.error());
    if (!*record || *revoked || (*record)->expires <= at) co_return dead();
    auto& r = **record;
    if (r.sms ? (r.code_mac.empty() || r.code_salt != salt) : r.totp_step >= *step) co_return wrong();
    Secret cookie(std::string_view(to_base64url(random_bytes(32))));
    const auto hash = to_hex(sha256(cookie.reveal()));
    store::Transaction t;
    if (!r.session.empty()) t.ops.push_back(store::EraseRow{std::string(kSessions), r.session, std::nullopt});
    t.ops.push_back(store::EraseRow{std::string(kSessions), session.token_hash, std::nullopt});
    r.session = hash;
    r.code_mac.clear();
    r.code_salt.clear();
    r.tries = 0;
    if (step) r.totp_step = *step;
    t.ops.push_back(put(r));
    t.ops.push_back(session_row(r, hash, true, at));
    t.ops.push_back(leaf("code_right", session.link));
    t.ops.push_back(clock_row());
    auto done = co_await store_.commit(std::move(t));
    if (done) co_return cookie;
    if (done.error().kind != ErrorKind::conflict) co_return fail(done.error());
  }
  co_return busy();
}

Task<Result<void>> LinkService::record_outcome(Session session, bool granted, std::vector<std::string> codes) {
  for (int turn = 0; turn < 20; ++turn) {
    auto row = co_await store_.row(std::string(kSessions), session.token_hash);
    if (!row) co_return fail(row.error());
    auto record = co_await read(session.link.id);
    if (!record) co_return fail(record.error());
    if (!*row || !*record) co_return dead();
    auto j = parse_json(as_text((*row)->value));
    if (!j) co_return dead();
    (*j)["granted"] = granted;
    std::string list;
    for (const auto& c : codes) list += (list.empty() ? "" : ",") + c;
    (*j)["codes"] = list;
    store::Transaction t;
    t.ops.push_back(PutRow{std::string(kSessions), session.token_hash, to_bytes(dump_json(*j)), (*row)->version});
    if (granted && !(*record)->opened) {
      (*record)->opened = now();
      t.ops.push_back(put(**record));
    }
    t.ops.push_back(leaf(granted ? "opened" : "refused", session.link, codes));
    auto done = co_await store_.commit(std::move(t));
    if (done) {
      tell(granted ? "opened" : "refused", session.link, list);
      co_return Result<void>{};
    }
    if (done.error().kind != ErrorKind::conflict) co_return fail(done.error());
  }
  co_return busy();
}

Task<Result<void>> LinkService::may_download(Session session, std::string document) {
  auto record = co_await read(session.link.id);
  if (!record) co_return fail(record.error());
  if (!*record) co_return dead();
  const auto& counts = (*record)->downloads;
  const auto it = counts.find(document);
  if (it != counts.end() && it->second >= settings_.downloads) co_return downloads_used();
  co_return Result<void>{};
}

Task<Result<void>> LinkService::count_download(Session session, std::string document) {
  for (int turn = 0; turn < 50; ++turn) {
    auto record = co_await read(session.link.id);
    if (!record) co_return fail(record.error());
    if (!*record) co_return dead();
    auto& n = (*record)->downloads[document];
    if (n >= settings_.downloads) co_return downloads_used();
    ++n;
    store::Transaction t;
    t.ops.push_back(put(**record));
    // How it ends is known later, and perhaps never: that it began is in the log before the first byte leaves.
    t.ops.push_back(leaf("download_begun", session.link, {}, document));
    auto done = co_await store_.commit(std::move(t));
    if (done) co_return Result<void>{};
    if (done.error().kind != ErrorKind::conflict) co_return fail(done.error());
  }
  co_return busy();
}

Task<Result<void>> LinkService::still_valid(std::string link, std::string token_hash) {
  auto revoked = co_await is_revoked(link);
  if (!revoked) co_return fail(revoked.error());
  auto record = co_await read(link);
  if (!record) co_return fail(record.error());
  if (*revoked || !*record || (*record)->expires <= now() || (*record)->session != token_hash) co_return dead();
  co_return Result<void>{};
}

Task<Result<void>> LinkService::log_out(Session session) {
  store::Transaction t;
  t.ops.push_back(store::EraseRow{std::string(kSessions), session.token_hash, std::nullopt});
  t.ops.push_back(leaf("ended", session.link));
  auto done = co_await store_.commit(std::move(t));
  if (!done) co_return fail(done.error());
  tell("ended", session.link);
  co_return Result<void>{};
}

Task<Result<void>> LinkService::record_download(LinkView link, std::string document, std::int64_t bytes,
                                                bool complete) {
  const auto* kind = complete ? "downloaded" : "broken_off";
  store::Transaction t;
  t.ops.push_back(leaf(kind, link, {}, document, bytes));
  auto done = co_await store_.commit(std::move(t));
  if (!done) co_return fail(done.error());
  tell(kind, link, {}, document, bytes);
  co_return Result<void>{};
}

}  // namespace schakel::portal
