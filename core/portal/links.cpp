// Issuing, listing, ending. What visitors do is in link_access.cpp.
#include "core/portal/links.hpp"

#include "core/audit/leaf.hpp"
#include "core/base/calendar.hpp"
#include "core/portal/link_record.hpp"

namespace schakel::portal {

using store::PutRow;

std::string secret_of(std::string_view pasted) {
  while (!pasted.empty() &&
         (pasted.back() == ' ' || pasted.back() == '\n' || pasted.back() == '\r' || pasted.back() == '\t'))
    pasted.remove_suffix(1);
  while (!pasted.empty() && pasted.front() == ' ') pasted.remove_prefix(1);
  if (const auto hash = pasted.rfind('#'); hash != pasted.npos) pasted.remove_prefix(hash + 1);
  auto bytes = from_base64url(pasted);
  return bytes && bytes->size() == 32 ? std::string(pasted) : std::string();
}

LinkService::LinkService(store::Store& store, vault::Vault& vault, const Clock& clock, SmsSender* sms,
                         LinkSettings settings)
    : store_(store), vault_(vault), clock_(clock), sms_(sms), settings_(std::move(settings)) {}

Instant LinkService::now() {
  const auto t = clock_.now().time_since_epoch().count();
  auto seen = highest_.load();
  while (seen < t && !highest_.compare_exchange_weak(seen, t)) {
  }
  return Instant{milliseconds{std::max(seen, t)}};
}

Task<Result<void>> LinkService::start() {
  auto row = co_await store_.row(std::string(kClock), "highest");
  if (!row) co_return fail(row.error());
  if (*row)
    if (auto t = parse_instant(as_text((*row)->value)))
      highest_ = std::max(highest_.load(), static_cast<std::int64_t>(t->time_since_epoch().count()));
  co_return Result<void>{};
}

PutRow LinkService::clock_row() {
  return {std::string(kClock), "highest", to_bytes(format_instant(now())), std::nullopt};
}

PutRow LinkService::put(const Record& record) const {
  return {std::string(kLinks), record.id, to_bytes(dump_json(record.to_json())), record.version};
}

PutRow LinkService::revoked_row(std::string link, std::string_view reason) {
  return {std::string(kRevoked), std::move(link),
          to_bytes(dump_json(Json{{"at", format_instant(now())}, {"reason", reason}})), std::nullopt};
}

store::AppendLeaf LinkService::leaf(std::string_view kind, const LinkView& link, std::vector<std::string> codes,
                                    std::string document, std::int64_t bytes) {
  audit::LeafFields f;
  f.ids = {{"link", link.id}, {"delivery", link.delivery}, {"role", link.role}};
  if (!document.empty()) f.ids.emplace_back("document", document);
  f.codes = std::move(codes);
  if (bytes >= 0) f.counts.emplace_back("bytes", bytes);
  return audit::leaf(now(), "link." + std::string(kind), f);
}

void LinkService::tell(std::string kind, const LinkView& link, std::string code, std::string document,
                       std::int64_t bytes) {
  if (event_) event_({std::move(kind), link, std::move(code), std::move(document), bytes, now()});
}

Task<Result<std::optional<LinkService::Record>>> LinkService::read(std::string link) {
  auto row = co_await store_.row(std::string(kLinks), link);
  if (!row) co_return fail(row.error());
  if (!*row) co_return std::optional<Record>{};
  auto record = Record::parse(**row);
  if (!record) co_return fail(record.error());
  co_return std::optional<Record>(std::move(*record));
}

Task<Result<bool>> LinkService::known(std::string link) {
  auto row = co_await store_.row(std::string(kLinks), std::move(link));
  if (!row) co_return fail(row.error());
  co_return row->has_value();
}

Task<Result<bool>> LinkService::is_revoked(std::string link) {
  auto row = co_await store_.row(std::string(kRevoked), link);
  if (!row) co_return fail(row.error());
  co_return row->has_value();
}

Task<Result<Json>> LinkService::sealed_part(const Record& record) {
  auto sealed = from_base64(record.sealed);
  if (!sealed) co_return fail(sealed.error());
  auto plain = co_await vault_.open({record.case_id, "link", record.id}, std::move(*sealed));
  if (!plain) co_return fail(plain.error());
  auto json = parse_json(as_text(*plain));
  OPENSSL_cleanse(plain->data(), plain->size());
  co_return json;
}

Task<Result<LinkView>> LinkService::view(const Record& record) {
  auto inner = co_await sealed_part(record);
  if (!inner) co_return fail(inner.error());
  co_return LinkView{record.id,
                     record.delivery,
                     record.message_id,
                     record.case_id,
                     record.role,
                     inner->value("person", ""),
                     inner->value("documents", std::vector<std::string>{}),
                     record.workplace,
                     record.expires};
}

Task<Result<IssuedLink>> LinkService::issue(LinkOrder order) {
  const auto at = now();
  const bool sms = order.second_factor.starts_with("sms:"), totp = order.second_factor.starts_with("totp:");
  if (!sms && !totp)
    co_return fail(ErrorKind::invalid, "LINK_NO_FACTOR", "the recipient has no second channel for a code");
  if (totp) {
    auto seed = co_await vault_.secret(order.second_factor);
    if (!seed && seed.error().code == "SECRET_UNKNOWN")
      co_return fail(ErrorKind::invalid, "LINK_NO_FACTOR", "the authenticator app of the recipient was not enrolled");
    if (!seed) co_return fail(seed.error());
  }
  if (order.expires <= at) co_return fail(ErrorKind::invalid, "LINK_PAST", "the link would have ended before it began");
  if (order.delivery.empty()) co_return fail(ErrorKind::invalid, "LINK_DELIVERY", "a link belongs to a delivery");
  const Secret secret(random_bytes(32));
  const auto text = to_base64url(secret.reveal());
  const auto hash = sha256(std::string_view(text));
  const Json inner{
      {"person", order.person}, {"documents", order.documents}, {"mail", order.mail}, {"factor", order.second_factor}};
  for (int attempt = 0; attempt < 5; ++attempt) {
    auto known = co_await store_.row(std::string(kLinkOfDelivery), order.delivery);
    if (!known) co_return fail(known.error());
    Record record;
    std::optional<Record> before;  // the link of an earlier generation, which ends now
    if (*known) {
      record.id = std::string(as_text((*known)->value));
      auto revoked = co_await is_revoked(record.id);
      if (!revoked) co_return fail(revoked.error());
      if (*revoked) co_return fail(ErrorKind::forbidden, "LINK_REVOKED", "access to this delivery was ended");
      auto old = co_await read(record.id);
      if (!old) co_return fail(old.error());
      // Rounds, locks and downloads of the day stay: a link that a retry mails is no new set of guesses.
      if (*old && (*old)->generation >= order.generation)
        record = std::move(**old);
      else if (*old)
        before = std::move(**old);
    }
    if (!*known || before) record.id = to_base64url(random_bytes(16));
    record.generation = std::max(record.generation, order.generation);
    record.hash = to_hex(hash);
    record.delivery = order.delivery;
    record.message_id = order.message_id;
    record.case_id = order.case_id;
    record.role = order.role;
    record.workplace = order.workplace;
    record.sms = sms;
    if (record.version == 0) record.created = at;
    record.expires = std::min(order.expires, record.created + settings_.longest);
    record.session.clear();
    record.code_mac.clear();
    record.tries = 0;
    auto sealed = co_await vault_.seal({order.case_id, "link", record.id},
                                       to_bytes(inner.dump(-1, ' ', false, Json::error_handler_t::replace)));
    if (!sealed) co_return fail(sealed.error());
    record.sealed = to_base64(*sealed);
    const LinkView shown{record.id,    record.delivery, record.message_id, record.case_id, record.role,
                         order.person, order.documents, record.workplace,  record.expires};
    store::Transaction t;
    t.ops.push_back(put(record));
    if (!*known || before) {
      t.ops.push_back(
          PutRow{std::string(kLinkOfDelivery), order.delivery, to_bytes(record.id), *known ? (*known)->version : 0});
      t.ops.push_back(PutRow{std::string(kLinkOfCase), order.case_id + "/" + record.id, {}, 0});
    }
    LinkView ended;
    if (before) {
      ended = {before->id, before->delivery,  before->message_id, before->case_id, before->role, {},
               {},         before->workplace, before->expires};
      auto row = revoked_row(before->id, "LINK_REPLACED");
      row.expect_version = 0;  // ended by somebody meanwhile: then it stays so
      t.ops.push_back(std::move(row));
      t.ops.push_back(leaf("revoked", ended, {"LINK_REPLACED"}));
    }
    t.ops.push_back(leaf("issued", shown));
    auto done = co_await store_.commit(std::move(t));
    if (done) {
      if (before) tell("revoked", ended, "LINK_REPLACED");
      tell("issued", shown);
      co_return IssuedLink{record.id, settings_.public_url + "/l/" + record.id + "#" + text};
    }
    if (done.error().kind != ErrorKind::conflict) co_return fail(done.error());
  }
  co_return fail(ErrorKind::unavailable, "LINK_BUSY", "the link is being used; try again");
}

LinkStatus LinkService::status_of(const Record& r) const {
  LinkStatus s{r.id,     r.delivery,   r.message_id,   r.case_id, r.role, r.workplace, r.created, r.expires,
               r.opened, std::nullopt, r.locked_until, {},        0};
  for (const auto& [doc, n] : r.downloads) s.downloads += n;
  return s;
}

Task<Result<std::optional<LinkStatus>>> LinkService::status(std::string link) {
  auto record = co_await read(link);
  if (!record) co_return fail(record.error());
  if (!*record) co_return std::optional<LinkStatus>{};
  auto out = status_of(**record);
  auto revoked = co_await store_.row(std::string(kRevoked), link);
  if (!revoked) co_return fail(revoked.error());
  if (*revoked)
    if (auto j = parse_json(as_text((*revoked)->value)); j && j->is_object()) {
      out.revoked_because = j->value("reason", "");
      if (auto t = parse_instant(j->value("at", ""))) out.revoked = *t;
    }
  co_return std::optional<LinkStatus>(std::move(out));
}

Task<Result<std::optional<LinkStatus>>> LinkService::of_delivery(std::string delivery) {
  auto row = co_await store_.row(std::string(kLinkOfDelivery), delivery);
  if (!row) co_return fail(row.error());
  if (!*row) co_return std::optional<LinkStatus>{};
  auto out = co_await status(std::string(as_text((*row)->value)));
  co_return out;
}

Task<Result<std::vector<LinkStatus>>> LinkService::of_case(std::string case_id) {
  std::vector<LinkStatus> out;
  const auto prefix = case_id + "/";
  for (std::string after;;) {
    auto rows = co_await store_.rows(std::string(kLinkOfCase), prefix, after, 500);
    if (!rows) co_return fail(rows.error());
    for (const auto& r : *rows) {
      auto s = co_await status(r.key.substr(prefix.size()));
      if (!s) co_return fail(s.error());
      if (*s) out.push_back(std::move(**s));
      after = r.key;
    }
    if (rows->size() < 500) break;
  }
  std::ranges::sort(out, {}, [](const LinkStatus& s) { return std::pair(s.created, s.id); });
  co_return out;
}

Task<Result<bool>> LinkService::revoke(std::string link, std::string reason, std::optional<ByHand> by) {
  auto record = co_await read(link);
  if (!record) co_return fail(record.error());
  if (!*record) co_return false;
  auto revoked = co_await is_revoked(link);
  if (!revoked) co_return fail(revoked.error());
  if (*revoked) co_return true;
  const auto& r = **record;
  const LinkView shown{r.id, r.delivery, r.message_id, r.case_id, r.role, {}, {}, r.workplace, r.expires};
  store::Transaction t;
  t.ops.push_back(revoked_row(link, reason));
  audit::LeafFields f{.ids = {{"link", r.id}, {"delivery", r.delivery}, {"role", r.role}}, .codes = {reason}};
  if (by) {
    f.hashes.emplace_back("reason", sha256(by->why));
    f.counts.emplace_back("uid", by->uid);
  }
  t.ops.push_back(audit::leaf(now(), "link.revoked", f));
  auto done = co_await store_.commit(std::move(t));
  if (!done) co_return fail(done.error());
  tell("revoked", shown, reason);
  co_return true;
}

Task<Result<std::vector<store::Op>>> LinkService::revoke_ops(std::string case_id, std::string message_id,
                                                             std::string role, std::string reason) {
  std::vector<store::Op> ops;
  auto links = co_await of_case(case_id);
  if (!links) co_return fail(links.error());
  for (const auto& l : *links) {
    if (l.workplace || l.revoked || l.message_id != message_id || (!role.empty() && l.role != role)) continue;
    ops.push_back(revoked_row(l.id, reason));
    ops.push_back(
        leaf("revoked", {l.id, l.delivery, l.message_id, l.case_id, l.role, {}, {}, false, l.expires}, {reason}));
  }
  co_return ops;
}

Task<Result<std::vector<store::Op>>> LinkService::move_ops(std::string case_id, std::vector<std::string> messages,
                                                           int days) {
  std::vector<store::Op> ops;
  auto links = co_await of_case(std::move(case_id));
  if (!links) co_return fail(links.error());
  for (const auto& l : *links) {
    if (l.workplace || l.revoked || std::ranges::find(messages, l.message_id) == messages.end()) continue;
    auto record = co_await read(l.id);
    if (!record) co_return fail(record.error());
    if (!*record) continue;
    auto& r = **record;
    // Local days, so that the end of a day stays one across the change of the clock.
    auto day = local_date(r.expires);
    r.expires =
        std::min(start_of_day(add_days(day, days)) + (r.expires - start_of_day(day)), r.created + settings_.longest);
    ops.push_back(put(r));
    ops.push_back(leaf("moved", {r.id, r.delivery, r.message_id, r.case_id, r.role, {}, {}, r.workplace, r.expires}));
  }
  co_return ops;
}

Task<Result<int>> LinkService::sweep(std::chrono::hours age, int limit) {
  const auto before = now() - age;
  int removed = 0;
  std::string after;
  while (removed < limit) {
    auto rows = co_await store_.rows(std::string(kLinks), "", after, 200);
    if (!rows) co_return fail(rows.error());
    for (const auto& row : *rows) {
      after = row.key;
      auto r = Record::parse(row);
      if (!r || r->expires >= before || removed >= limit) continue;
      store::Transaction t;
      // The delivery may have another link by now.
      auto of = co_await store_.row(std::string(kLinkOfDelivery), r->delivery);
      if (!of) co_return fail(of.error());
      t.ops.push_back(store::EraseRow{std::string(kLinks), r->id, row.version});
      if (*of && as_text((*of)->value) == r->id)
        t.ops.push_back(store::EraseRow{std::string(kLinkOfDelivery), r->delivery, (*of)->version});
      t.ops.push_back(store::EraseRow{std::string(kLinkOfCase), r->case_id + "/" + r->id, std::nullopt});
      t.ops.push_back(store::EraseRow{std::string(kRevoked), r->id, std::nullopt});
      auto done = co_await store_.commit(std::move(t));
      if (!done && done.error().kind != ErrorKind::conflict) co_return fail(done.error());
      ++removed;
    }
    if (rows->size() < 200) break;
  }
  after.clear();
  while (true) {
    auto rows = co_await store_.rows(std::string(kSessions), "", after, 500);
    if (!rows) co_return fail(rows.error());
    store::Transaction t;
    for (const auto& row : *rows) {
      auto j = parse_json(as_text(row.value));
      auto began =
          j && j->is_object() ? parse_instant(j->value("began", "")) : Result<Instant>(fail(ErrorKind::io, "", ""));
      if (!began || *began + settings_.absolute < now())
        t.ops.push_back(store::EraseRow{std::string(kSessions), row.key, std::nullopt});
    }
    removed += static_cast<int>(t.ops.size());
    if (!t.ops.empty()) {
      auto done = co_await store_.commit(std::move(t));
      if (!done) co_return fail(done.error());
    }
    if (rows->size() < 500) break;
    after = rows->back().key;
  }
  co_return removed;
}

}  // namespace schakel::portal
