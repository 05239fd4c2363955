#include "core/vault/vault.hpp"

#include <fmt/format.h>

#include "core/base/json.hpp"

namespace schakel::vault {
namespace {

using store::PutRow;

std::string case_name(std::string_view case_id) { return "case/" + std::string(case_id); }

bool erased(ByteView value) { return as_text(value).starts_with("{\"erased\""); }

std::unexpected<Error> gone() {
  return fail(ErrorKind::not_found, "VAULT_ERASED", "the case was erased; its key was destroyed");
}

}  // namespace

Result<void> check_id(std::string_view id) {
  if (id.empty() || id.size() > 200 || id.find('/') != id.npos || id.find('\0') != id.npos)
    return fail(ErrorKind::invalid, "VAULT_ID", "an id is 1 to 200 characters without '/'");
  return {};
}

Bytes place_aad(const Place& place) {
  return bind({"schakel.1", place.kind, place.id, place.case_id, fmt::to_string(place.version)});
}

Vault::Vault(store::Store& store, const Clock& clock, MasterKey master, std::vector<MasterKey> old_masters,
             VaultSettings settings)
    : store_(store), clock_(clock), master_(std::move(master)), old_(std::move(old_masters)), settings_(settings) {}

Task<Result<std::unique_ptr<Vault>>> Vault::open(store::Store& store, const Clock& clock, MasterKey master,
                                                 std::vector<MasterKey> old_masters, VaultSettings settings) {
  std::unique_ptr<Vault> vault(new Vault(store, clock, std::move(master), std::move(old_masters), settings));
  auto ready = co_await vault->read_system_key();
  if (!ready) co_return fail(ready.error());
  co_return vault;
}

Task<Result<void>> Vault::read_system_key() {
  for (int attempt = 0; attempt < 3; ++attempt) {
    auto row = co_await store_.row(std::string(kSystem), "root");
    if (!row) co_return fail(row.error());
    if (*row) {
      auto key = unwrap_row("system/root", (*row)->value);
      if (!key) co_return fail(key.error());
      system_ = std::move(*key);
      co_return Result<void>{};
    }
    auto fresh = random_key();
    store::Transaction t;
    t.ops.push_back(PutRow{std::string(kSystem), "root", wrap_row("system/root", fresh), 0});
    auto done = co_await store_.commit(std::move(t));
    if (!done && done.error().kind != ErrorKind::conflict) co_return fail(done.error());
  }
  co_return fail(ErrorKind::unavailable, "STORE_BUSY", "the system key could not be made");
}

const MasterKey* Vault::master(std::string_view id) const {
  if (master_.id() == id) return &master_;
  for (const auto& m : old_)
    if (m.id() == id) return &m;
  return nullptr;
}

Bytes Vault::wrap_row(std::string_view name, const Secret& key) const {
  const auto wrapped = wrap_key(master_.key().reveal(), bind({"schakel.key.1", name}), key);
  return to_bytes(dump_json(Json{{"key", to_base64(wrapped)}, {"master", master_.id()}}));
}

Result<Secret> Vault::unwrap_row(std::string_view name, ByteView value) const {
  auto json = parse_json(as_text(value));
  if (!json || !json->is_object() || !json->contains("key") || !json->contains("master") ||
      !(*json)["key"].is_string() || !(*json)["master"].is_string())
    return fail(ErrorKind::io, "VAULT_TAMPERED", "a key row is damaged");
  const auto* m = master((*json)["master"].get<std::string>());
  if (m == nullptr)
    return fail(ErrorKind::unavailable, "VAULT_MASTER_UNKNOWN",
                "a key is wrapped by a master key that is not configured");
  auto wrapped = from_base64((*json)["key"].get<std::string>());
  if (!wrapped) return fail(ErrorKind::io, "VAULT_TAMPERED", "a key row is damaged");
  return unwrap_key(m->key().reveal(), bind({"schakel.key.1", name}), *wrapped);
}

std::optional<Secret> Vault::cached(const std::string& case_id) {
  const auto now = clock_.now();
  const std::lock_guard lock(mutex_);
  auto it = by_case_.find(case_id);
  if (it == by_case_.end()) return std::nullopt;
  const auto age = now - it->second->loaded;
  if (age >= settings_.cache_time || age < milliseconds{0}) {
    recent_.erase(it->second);
    by_case_.erase(it);
    return std::nullopt;
  }
  recent_.splice(recent_.begin(), recent_, it->second);
  return it->second->key.clone();
}

void Vault::remember(const std::string& case_id, const Secret& key) {
  const auto now = clock_.now();
  const std::lock_guard lock(mutex_);
  if (auto it = by_case_.find(case_id); it != by_case_.end()) {
    recent_.erase(it->second);
    by_case_.erase(it);
  }
  recent_.push_front({case_id, key.clone(), now});
  by_case_[case_id] = recent_.begin();
  while (recent_.size() > settings_.cached_keys) {
    by_case_.erase(recent_.back().case_id);
    recent_.pop_back();
  }
}

void Vault::forget(const std::string& case_id) {
  const std::lock_guard lock(mutex_);
  if (auto it = by_case_.find(case_id); it != by_case_.end()) {
    recent_.erase(it->second);
    by_case_.erase(it);
  }
}

Task<Result<std::optional<Secret>>> Vault::load(std::string case_id) {
  auto row = co_await store_.row(std::string(kCaseKeys), case_id);
  if (!row) co_return fail(row.error());
  if (!*row) co_return std::optional<Secret>{};
  if (erased((*row)->value)) co_return gone();
  auto key = unwrap_row(case_name(case_id), (*row)->value);
  if (!key) co_return fail(key.error());
  remember(case_id, *key);
  co_return std::optional<Secret>(std::move(*key));
}

Task<Result<Secret>> Vault::key_of(std::string case_id, IfMissing missing) {
  if (case_id.empty()) co_return system_.clone();
  if (auto valid = check_id(case_id); !valid) co_return fail(valid.error());
  if (auto hit = cached(case_id)) co_return std::move(*hit);
  for (int attempt = 0; attempt < 3; ++attempt) {
    auto found = co_await load(case_id);
    if (!found) co_return fail(found.error());
    if (*found) co_return std::move(**found);
    if (missing == IfMissing::fail)
      co_return fail(ErrorKind::not_found, "VAULT_NO_KEY", "nothing was ever sealed for this case");
    // Only what was read back from the store is used, so a key that lost the race or the power never seals anything.
    auto fresh = random_key();
    store::Transaction t;
    t.ops.push_back(PutRow{std::string(kCaseKeys), case_id, wrap_row(case_name(case_id), fresh), 0});
    auto done = co_await store_.commit(std::move(t));
    if (!done && done.error().kind != ErrorKind::conflict) co_return fail(done.error());
  }
  co_return fail(ErrorKind::unavailable, "STORE_BUSY", "the case key could not be made");
}

Task<Result<Bytes>> Vault::seal(Place place, Bytes plain) {
  auto key = co_await key_of(place.case_id, IfMissing::make);
  if (!key) co_return fail(key.error());
  ++uses_;
  co_return seal_envelope(key->reveal(), place_aad(place), plain);
}

Task<Result<Bytes>> Vault::open(Place place, Bytes sealed) {
  auto key = co_await key_of(place.case_id, IfMissing::fail);
  if (!key) co_return fail(key.error());
  co_return open_envelope(key->reveal(), place_aad(place), sealed);
}

Result<Bytes> CaseOpener::open(std::string_view kind, std::string_view id, int version, ByteView sealed) const {
  return open_envelope(key_->reveal(), place_aad({case_id_, std::string(kind), std::string(id), version}), sealed);
}

Task<Result<CaseOpener>> Vault::opener(std::string case_id) {
  auto key = co_await key_of(case_id, IfMissing::fail);
  if (!key) co_return fail(key.error());
  co_return CaseOpener(std::move(case_id), std::move(*key));
}

Task<Result<void>> Vault::ensure_case_key(std::string case_id) {
  auto key = co_await key_of(case_id, IfMissing::make);
  if (!key) co_return fail(key.error());
  co_return Result<void>{};
}

Digest Vault::mac(std::string_view purpose, ByteView bytes) const {
  const auto key = derive_key(system_.reveal(), "schakel mac 1", as_bytes(purpose));
  return hmac_sha256(key.reveal(), bytes);
}

Task<Result<PutRow>> Vault::put_secret(std::string name, Secret value) {
  auto sealed = co_await seal({"", "secret", name}, Bytes(value.reveal().begin(), value.reveal().end()));
  if (!sealed) co_return fail(sealed.error());
  co_return PutRow{std::string(kSecrets), name, std::move(*sealed), std::nullopt};
}

Task<Result<Secret>> Vault::secret(std::string name) {
  auto row = co_await store_.row(std::string(kSecrets), name);
  if (!row) co_return fail(row.error());
  if (!*row) co_return fail(ErrorKind::not_found, "SECRET_UNKNOWN", "no secret of that name");
  auto plain = co_await open({"", "secret", name}, std::move((*row)->value));
  if (!plain) co_return fail(plain.error());
  co_return Secret(std::move(*plain));
}

}  // namespace schakel::vault
