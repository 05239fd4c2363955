// The configuration of one broker: schakel.json and the files it names, read and checked as a whole.
#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/model/party.hpp"
#include "core/model/profile.hpp"

namespace schakel::app {

struct ListenerConfig {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
  std::filesystem::path certificate, key, client_ca, crl;  ///< empty certificate: plain, on loopback only
};

struct AdapterConfig {
  std::string plugin;
  std::string party;  ///< whose profile decides what may be released to it
  Json config = Json::object();
  /// How long one attempt may take; absent: as its adapter declares.
  std::optional<std::int64_t> attempt_seconds = std::nullopt;
};

struct MailConfig {
  std::string host = "127.0.0.1";
  std::uint16_t port = 25;
  std::string security = "starttls";  ///< starttls, tls, none (loopback only)
  std::string from, user, password_secret;
  std::filesystem::path ca;
};

/// Where bounces come in: a maildir or a mailbox by IMAP; neither: they are not fetched.
struct ReturnsConfig {
  std::filesystem::path maildir, ca;
  std::string host, user, password_secret, mailbox = "INBOX";
  std::uint16_t port = 993;
  bool remove = false;  ///< a report that was recorded; otherwise it is marked as read
  std::int64_t every_seconds = 60;
};

struct PortalConfig {
  ListenerConfig listener;
  std::string base_url;
  Json sms = Json();  ///< {url, secret}; null: TOTP only
  /// On every page: whose pages they are, and whom to call when one does not work.
  std::string organisation = "Schakel", contact;
};

/// Whether a key came by $CREDENTIALS_DIRECTORY, from a service manager.
[[nodiscard]] bool handed_over(const std::filesystem::path& file);

/// Every path is absolute once read. Settings: docs/configuring.md.
struct Config {
  std::filesystem::path file, folder, data_dir, store_path, master_key, regions_dir, schemas_dir, own_regions_dir,
      plugins_dir, assets_dir, socket, log_file;
  std::string log_level = "info";
  unsigned shards = 0;  ///< 0 = one per core
  ListenerConfig api, health;
  PortalConfig portal;
  MailConfig mail;
  ReturnsConfig returns;
  std::filesystem::path http_ca, http_certificate, http_key;  ///< of our own outgoing calls
  std::map<std::string, AdapterConfig> adapters;
  std::map<std::string, std::filesystem::path> secrets;
  std::shared_ptr<const Parties> parties;
  Json parties_source;  ///< as it was read, for what is kept of who was who
  Profiles profiles;
  std::int64_t document_limit = std::int64_t{2} << 30;
  std::filesystem::path xsd_dir;
  std::uint64_t ballast_bytes = 0;
};

/// Reads `file` and everything it names. All findings at once under CONFIG_INVALID, pointers as <file>#<json pointer>.
/// Nothing is opened for writing and no network is used. `installed` is where plugins, schemas and pages are when the
/// file does not say.
[[nodiscard]] Result<Config> read_config(const std::filesystem::path& file, const std::filesystem::path& installed);

/// Where this executable's own files are: <prefix>/lib/schakel, <prefix>/share/schakel.
[[nodiscard]] std::filesystem::path installed_prefix();

}  // namespace schakel::app
