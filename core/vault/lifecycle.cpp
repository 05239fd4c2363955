// What happens to keys over the years: pseudonyms that die with them, erasure, rotation of the master.
#include <fmt/format.h>

#include <set>

#include "core/base/json.hpp"
#include "core/vault/vault.hpp"

namespace schakel::vault {
namespace {

using store::EraseRow;
using store::PutRow;

/// Crockford's alphabet: no I, L, O, U, so that it can be read out on the telephone.
std::string eight_letters(const Digest& d) {
  static constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  std::uint64_t bits = 0;
  for (int i = 0; i < 5; ++i) bits = bits << 8 | d[static_cast<std::size_t>(i)];
  std::string out = "OZA-";
  for (int i = 7; i >= 0; --i) {
    out += kAlphabet[bits >> (5 * i) & 31];
    if (i == 4) out += '-';
  }
  return out;
}

}  // namespace

Task<Result<std::string>> Vault::pseudonym(std::string case_id, std::string domain) {
  if (auto valid = check_id(domain); !valid) co_return fail(valid.error());
  auto key = co_await key_of(case_id, IfMissing::make);
  if (!key) co_return fail(key.error());
  if (case_id.empty()) co_return fail(ErrorKind::invalid, "VAULT_ID", "a pseudonym is of a case");
  const auto own_key = case_id + "/" + domain;
  auto own = co_await store_.row(std::string(kPseudonymsOfCase), own_key);
  if (!own) co_return fail(own.error());
  if (*own) co_return std::string(as_text((*own)->value));
  const auto base = derive_key(key->reveal(), "schakel pseudonym 1", as_bytes(domain));
  // 40 bits meet now and then among many cases; the claim of the name decides, and the next number makes another name.
  for (int n = 0; n < 16; ++n) {
    auto name = eight_letters(hmac_sha256(base.reveal(), as_bytes(fmt::to_string(n))));
    auto sealed = co_await seal({"", "pseudonym", domain + "/" + name}, to_bytes(case_id));
    if (!sealed) co_return fail(sealed.error());
    store::Transaction t;
    t.ops.push_back(PutRow{std::string(kPseudonyms), domain + "/" + name, std::move(*sealed), 0});
    t.ops.push_back(PutRow{std::string(kPseudonymsOfCase), own_key, to_bytes(name), 0});
    auto done = co_await store_.commit(std::move(t));
    if (done) co_return name;
    if (done.error().kind != ErrorKind::conflict) co_return fail(done.error());
    own = co_await store_.row(std::string(kPseudonymsOfCase), own_key);
    if (!own) co_return fail(own.error());
    if (*own) co_return std::string(as_text((*own)->value));
  }
  co_return fail(ErrorKind::unavailable, "PSEUDONYM_TAKEN", "no free pseudonym was found");
}

Task<Result<std::optional<std::string>>> Vault::case_of_pseudonym(std::string domain, std::string pseudonym) {
  if (!check_id(domain) || !check_id(pseudonym)) co_return std::optional<std::string>{};
  auto row = co_await store_.row(std::string(kPseudonyms), domain + "/" + pseudonym);
  if (!row) co_return fail(row.error());
  if (!*row) co_return std::optional<std::string>{};
  auto plain = co_await open({"", "pseudonym", domain + "/" + pseudonym}, std::move((*row)->value));
  if (!plain) co_return fail(plain.error());
  co_return std::optional<std::string>(as_text(*plain));
}

Task<Result<Erasure>> Vault::erase_case(std::string case_id) {
  if (auto valid = check_id(case_id); !valid) co_return fail(valid.error());
  Erasure out;
  auto row = co_await store_.row(std::string(kCaseKeys), case_id);
  if (!row) co_return fail(row.error());
  // A case without a key gets the tombstone as well: what arrives late must not bring it back to life.
  out.ops.push_back(PutRow{std::string(kCaseKeys), case_id,
                           to_bytes(dump_json(Json{{"erased", format_instant(clock_.now())}})),
                           *row ? (*row)->version : 0});
  auto bsn = co_await store_.row(std::string(kBsn), case_id);
  if (!bsn) co_return fail(bsn.error());
  if (*bsn) {
    out.ops.push_back(EraseRow{std::string(kBsn), case_id, std::nullopt});
    if (auto json = parse_json(as_text((*bsn)->value)); json && json->contains("index") && (*json)["index"].is_string())
      out.ops.push_back(EraseRow{std::string(kBsnIndex), (*json)["index"].get<std::string>(), std::nullopt});
  }
  const auto prefix = case_id + "/";
  for (auto space : {kParticipants, kPseudonymsOfCase, kDocumentsOfCase}) {
    std::string after;
    while (true) {
      auto page = co_await store_.rows(std::string(space), prefix, after, 500);
      if (!page) co_return fail(page.error());
      for (auto& r : *page) {
        out.ops.push_back(EraseRow{std::string(space), r.key, std::nullopt});
        if (space == kPseudonymsOfCase)
          out.ops.push_back(EraseRow{std::string(kPseudonyms),
                                     r.key.substr(prefix.size()) + "/" + std::string(as_text(r.value)), std::nullopt});
        if (space == kDocumentsOfCase) {
          out.ops.push_back(EraseRow{std::string(kDocuments), r.key.substr(prefix.size()), std::nullopt});
          out.files.emplace_back(as_text(r.value));
        }
      }
      if (page->size() < 500) break;
      after = page->back().key;
    }
  }
  co_return out;
}

Task<Result<Rotation>> Vault::rewrap(int limit) {
  Rotation out;
  auto root = co_await store_.row(std::string(kSystem), "root");
  if (!root) co_return fail(root.error());
  const auto wrapped_by_current = "\"master\":\"" + master_.id() + "\"";
  if (*root && as_text((*root)->value).find(wrapped_by_current) == std::string_view::npos) {
    store::Transaction t;
    t.ops.push_back(PutRow{std::string(kSystem), "root", wrap_row("system/root", system_), (*root)->version});
    auto done = co_await store_.commit(std::move(t));
    if (!done && done.error().kind != ErrorKind::conflict) co_return fail(done.error());
  }
  std::string after;
  while (out.rewrapped < limit) {
    auto page = co_await store_.rows(std::string(kCaseKeys), "", after, 200);
    if (!page) co_return fail(page.error());
    for (auto& r : *page) {
      after = r.key;
      const auto text = as_text(r.value);
      if (text.starts_with("{\"erased\"") || text.find(wrapped_by_current) != text.npos) continue;
      auto key = unwrap_row("case/" + r.key, r.value);
      if (!key) co_return fail(key.error());
      // One transaction each: an erasure that comes between wins, and a kill leaves every row under one key or the
      // other.
      store::Transaction t;
      t.ops.push_back(PutRow{std::string(kCaseKeys), r.key, wrap_row("case/" + r.key, *key), r.version});
      auto done = co_await store_.commit(std::move(t));
      if (!done && done.error().kind != ErrorKind::conflict) co_return fail(done.error());
      if (++out.rewrapped == limit) co_return out;
    }
    if (page->size() < 200) break;
  }
  auto left = co_await masters_in_use();
  if (!left) co_return fail(left.error());
  out.done = left->size() == 1 && left->front() == master_.id();
  co_return out;
}

Task<Result<std::vector<std::string>>> Vault::masters_in_use() {
  std::set<std::string> ids;
  for (auto space : {kSystem, kCaseKeys}) {
    std::string after;
    while (true) {
      auto page = co_await store_.rows(std::string(space), "", after, 500);
      if (!page) co_return fail(page.error());
      for (auto& r : *page)
        if (auto json = parse_json(as_text(r.value)); json && json->contains("master"))
          ids.insert((*json)["master"].get<std::string>());
      if (page->size() < 500) break;
      after = page->back().key;
    }
  }
  co_return std::vector<std::string>(ids.begin(), ids.end());
}

}  // namespace schakel::vault
