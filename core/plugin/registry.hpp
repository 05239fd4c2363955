// Loads plugins and adapters and makes instances of them (design.md, Plugins and adapters).
#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/base/schema_check.hpp"
#include "schakel/plugin.hpp"

namespace schakel::plugin {

enum class Kind { decider, adapter };
[[nodiscard]] std::string_view folder_of(Kind kind);  ///< plugins, adapters

/// One attempt of an adapter that carries no documents, and of one that does: a dossier of 10 documents of 25 MB over a
/// line of 1 MB/s, in base64, is under way for six minutes. What is cut goes on at the next attempt, so a longer limit
/// costs one of the places of its target, no more.
inline constexpr std::chrono::seconds kAttemptLimit{120}, kAttemptLimitWithDocuments{1800};
/// What attempt_seconds and x-attempt-seconds may be.
inline constexpr std::int64_t kAttemptSecondsLeast = 5, kAttemptSecondsMost = 3600;

/// What a plugin declares beside its code, read from its schema.
struct Declared {
  std::vector<std::string> hosts;   ///< x-hosts: JSON pointers to URLs in its configuration
  std::vector<std::string> fields;  ///< x-fields: JSON pointers into a delivery, see restrict()
  std::set<std::string> access;     ///< x-access: http, mail, progress, documents, links, bsn, inbox
  std::vector<std::string> kinds;   ///< x-kinds: delivery kinds that it can send
  std::string title;
  /// x-attempt-seconds: the longest one attempt of such an instance may take unless its configuration says otherwise.
  std::int64_t attempt_seconds = kAttemptLimit.count();
};

/// Reads them; PLUGIN_SCHEMA for what no host knows or no instance can have. Pure.
[[nodiscard]] Result<Declared> declared_in(const Json& schema);

/// What one instance gets, from its declaration and its configuration. The Host of the instance gives nothing else.
struct Grants {
  std::set<std::string> hosts;    ///< "https://zaken.example.nl:443": scheme, host in lower case, port always
  std::set<std::string> secrets;  ///< names; a writeOnly property holds a name, never a secret
  std::vector<std::string> fields;
  std::set<std::string> access;
};

/// scheme://host:port of an absolute http or https URL, as Grants has it. URL_FORMAT otherwise.
[[nodiscard]] Result<std::string> origin_of(std::string_view url);
/// The same where what is sent is safe: https, or http on a loopback address. URL_NOT_TLS otherwise.
[[nodiscard]] Result<std::string> safe_origin_of(std::string_view url);

/// The delivery with only the fields that were declared: pointers into {case_id, pseudonym, endpoint, body, documents},
/// a pointer to an object meaning all below it. What identifies the delivery (id, kind, message_id, type, region, role,
/// attempt and times) is always there.
[[nodiscard]] Delivery restrict(Delivery delivery, const std::vector<std::string>& fields);

/// One loaded shared object. Lifetime: to the end of the process, as is everything it made.
class Plugin {
 public:
  const std::string name;
  const Kind kind;
  const std::filesystem::path path;
  const Json schema;
  const Declared declared;

  /// CONFIG_INVALID with all findings (pointers into `config`). A writeOnly value must be the name of a secret
  /// ([a-z0-9_.-]{1,64}); an x-hosts value must be an absolute https URL, or http for a loopback address.
  [[nodiscard]] Result<Grants> check(const Json& config) const;
  /// Checks, then constructs. PLUGIN_KIND when this is no adapter, PLUGIN_CREATE when its constructor threw.
  [[nodiscard]] Result<std::unique_ptr<Adapter>> make_adapter(const Json& config) const;
  /// PLUGIN_STAGE when its stage is none of routing, consent, invoicing, deadlines.
  [[nodiscard]] Result<std::unique_ptr<Decider>> make_decider(const Json& config) const;

 private:
  friend class Registry;
  using Create = void* (*)(const char*);
  Plugin(std::string name, Kind kind, std::filesystem::path path, Json schema, Declared declared, SchemaCheck checker,
         Create create);
  Result<void*> create(const Json& config) const;
  SchemaCheck checker_;
  Create create_;
};

/// Thread: the main thread at start-up for load(); reading afterwards from any.
class Registry {
 public:
  /// `folder` holds plugins/NAME.so and adapters/NAME.so; nobody but its owner (root or the user we run as) may be able
  /// to write to it. `stamp` is the stamp that is accepted; a parameter for tests only.
  explicit Registry(std::filesystem::path folder, std::string stamp = sdk::build_stamp());

  /// Loads once; a second call returns the same object. No C++ code of the plugin beside its static initialisers runs
  /// before the stamp is compared. Codes: PLUGIN_NAME, PLUGIN_NOT_FOUND, PLUGIN_WRITABLE, PLUGIN_LOAD, PLUGIN_SYMBOL,
  /// PLUGIN_STAMP, PLUGIN_SCHEMA.
  [[nodiscard]] Result<const Plugin*> load(Kind kind, std::string_view name);

 private:
  std::filesystem::path folder_;
  std::string stamp_;
  std::vector<std::unique_ptr<Plugin>> plugins_;
};

}  // namespace schakel::plugin
