// Envelope encryption over the store's rows: master key -> case key -> key of each payload (trust.md KEY-1..6).
#pragma once
#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/secret.hpp"
#include "core/base/task.hpp"
#include "core/store/store.hpp"
#include "core/vault/aead.hpp"
#include "core/vault/master_key.hpp"

namespace schakel::vault {

/// Where a sealed value belongs. All of it is authenticated, so a value that was moved to another case, kind, id or
/// version does not open. An empty case_id is what is about no case: sealed under the system key, which no erasure
/// reaches.
struct Place {
  std::string case_id;
  std::string kind;
  std::string id;
  int version = 1;
};

/// The key of a case for reading: see Vault::opener. Copies share it.
class CaseOpener {
 public:
  [[nodiscard]] Result<Bytes> open(std::string_view kind, std::string_view id, int version, ByteView sealed) const;

 private:
  friend class Vault;
  CaseOpener(std::string case_id, Secret key)
      : case_id_(std::move(case_id)), key_(std::make_shared<const Secret>(std::move(key))) {}
  std::string case_id_;
  std::shared_ptr<const Secret> key_;
};

struct Rotation {
  int rewrapped = 0;
  bool done = false;
};

/// What erases a case: `ops` go into one transaction with the caller's audit leaf; then Vault::forget and
/// Blobs::remove(files).
struct Erasure {
  std::vector<store::Op> ops;
  std::vector<std::string> files;
};

struct VaultSettings {
  std::size_t cached_keys = 4096;
  /// How long an unwrapped key is used before the store is asked again: the longest that another node can still read a
  /// case that was erased here.
  milliseconds cache_time{10000};
};

/// Errors of every function that needs a case key: VAULT_ERASED (not_found: the case was erased, for good),
/// VAULT_TAMPERED (io), VAULT_MASTER_UNKNOWN (unavailable: wrapped by a master key that was not given), VAULT_ID
/// (invalid: empty or with a '/'), and those of the store.
///
/// Thread: any, from any io_context. Lifetime: outlived by store and clock. Unwrapped keys live in a bounded cache and
/// are zeroed when they leave it.
class Vault {
 public:
  /// Reads or makes the system key. `old_masters` are keys from before a rotation that is not finished.
  [[nodiscard]] static Task<Result<std::unique_ptr<Vault>>> open(store::Store& store, const Clock& clock,
                                                                 MasterKey master,
                                                                 std::vector<MasterKey> old_masters = {},
                                                                 VaultSettings settings = {});

  /// Makes the case's key durable first when there is none; a case that was erased never gets another.
  [[nodiscard]] Task<Result<Bytes>> seal(Place place, Bytes plain);
  [[nodiscard]] Task<Result<Bytes>> open(Place place, Bytes sealed);
  /// For who opens much of one case at once, on any thread and without waiting. VAULT_NO_KEY (not_found) where nothing
  /// was ever sealed for it. What was erased meanwhile can be read as long as this is kept: no longer than one request.
  [[nodiscard]] Task<Result<CaseOpener>> opener(std::string case_id);

  /// Afterwards the key is durable.
  [[nodiscard]] Task<Result<void>> ensure_case_key(std::string case_id);

  /// Short name of a case towards one party or domain: `OZA-7K3F-9Q2M`. The same for ever for (case, domain), another
  /// in each domain, unique in its domain; its derivation is lost when the case is erased.
  [[nodiscard]] Task<Result<std::string>> pseudonym(std::string case_id, std::string domain);
  [[nodiscard]] Task<Result<std::optional<std::string>>> case_of_pseudonym(std::string domain, std::string pseudonym);

  /// Keyed hash under a system key of its own per purpose: for indexes and buckets over personal data.
  [[nodiscard]] Digest mac(std::string_view purpose, ByteView bytes) const;

  /// A named secret of a person or system (a TOTP seed), sealed in a row.
  [[nodiscard]] Task<Result<store::PutRow>> put_secret(std::string name, Secret value);
  /// SECRET_UNKNOWN (not_found).
  [[nodiscard]] Task<Result<Secret>> secret(std::string name);

  /// Destroys the case key (a tombstone stays) with the participants, BSN, pseudonyms and documents of the case.
  [[nodiscard]] Task<Result<Erasure>> erase_case(std::string case_id);
  /// Drops the unwrapped key from memory; called after the erasure was committed.
  void forget(const std::string& case_id);

  /// Wraps at most `limit` more case keys (and first the system key) under the current master. Call until `done`; after
  /// a kill call again. Keys that another node changes meanwhile are done in the next call.
  [[nodiscard]] Task<Result<Rotation>> rewrap(int limit);
  /// Ids of all master keys that some row is still wrapped by.
  [[nodiscard]] Task<Result<std::vector<std::string>>> masters_in_use();

  [[nodiscard]] const std::string& master_id() const { return master_.id(); }
  /// Times a case key was used to wrap in this process (KEY-3); see wrap_key for why no limit is near.
  [[nodiscard]] std::uint64_t key_uses() const { return uses_; }

 private:
  friend class Documents;
  friend class Bsn;
  Vault(store::Store& store, const Clock& clock, MasterKey master, std::vector<MasterKey> old_masters,
        VaultSettings settings);

  struct Cached {
    std::string case_id;
    Secret key;
    Instant loaded;
  };
  enum class IfMissing { fail, make };

  [[nodiscard]] Task<Result<Secret>> key_of(std::string case_id, IfMissing missing);
  /// nullopt when the case has no key yet.
  [[nodiscard]] Task<Result<std::optional<Secret>>> load(std::string case_id);
  [[nodiscard]] const MasterKey* master(std::string_view id) const;
  [[nodiscard]] Bytes wrap_row(std::string_view name, const Secret& key) const;
  [[nodiscard]] Result<Secret> unwrap_row(std::string_view name, ByteView value) const;
  [[nodiscard]] std::optional<Secret> cached(const std::string& case_id);
  void remember(const std::string& case_id, const Secret& key);
  [[nodiscard]] Task<Result<void>> read_system_key();

  store::Store& store_;
  const Clock& clock_;
  MasterKey master_;
  std::vector<MasterKey> old_;
  VaultSettings settings_;
  Secret system_;
  std::atomic<std::uint64_t> uses_{0};
  std::mutex mutex_;
  std::list<Cached> recent_;  ///< front = used last
  std::unordered_map<std::string, std::list<Cached>::iterator> by_case_;
};

/// Names of the vault's own row spaces.
inline constexpr std::string_view kCaseKeys = "vault.case", kSystem = "vault.system", kParticipants = "participant",
                                  kBsn = "bsn", kBsnIndex = "bsn.index", kDocuments = "document",
                                  kDocumentsOfCase = "document.case", kPseudonyms = "pseudonym",
                                  kPseudonymsOfCase = "pseudonym.case", kSecrets = "vault.secret";

/// VAULT_ID when empty, too long or with a character that row keys use as separator.
[[nodiscard]] Result<void> check_id(std::string_view id);
[[nodiscard]] Bytes place_aad(const Place& place);

}  // namespace schakel::vault
