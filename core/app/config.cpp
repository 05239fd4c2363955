#include "core/app/config.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <boost/url/parse.hpp>
#include <cstdlib>
#include <fstream>
#include <set>

#include "core/app/invoice_identities.hpp"
#include "core/app/keys.hpp"
#include "core/formats/xsd_folder.hpp"
#include "core/model/region_files.hpp"
#include "core/net/mail_message.hpp"
#include "core/pipeline/decide.hpp"
#include "core/plugin/registry.hpp"

namespace schakel::app {
namespace fs = std::filesystem;
namespace {

/// Reads known fields and remembers everything that is wrong.
class Reader {
 public:
  Reader(std::string file, fs::path folder, std::vector<Finding>& findings)
      : file_(std::move(file)), folder_(std::move(folder)), findings_(findings) {}

  void bad(const std::string& at, std::string code, std::string what, std::string rule = "") {
    findings_.push_back({file_ + "#" + at, std::move(code), std::move(what), std::move(rule)});
  }
  void known(const Json& j, const std::string& at, const std::set<std::string_view>& names) {
    if (!j.is_object()) return bad(at, "TYPE", "must be an object");
    for (const auto& [name, v] : j.items())
      if (!names.contains(name) && name != "$schema" && name != "why")
        bad(at + "/" + name, "UNKNOWN_FIELD", "this setting is not known");
  }
  std::string text(const Json& j, const std::string& at, const char* name, std::string otherwise = "") {
    if (!j.is_object() || !j.contains(name)) return otherwise;
    if (!j[name].is_string()) {
      bad(at + "/" + name, "TYPE", "must be text");
      return otherwise;
    }
    return j[name];
  }
  std::int64_t number(const Json& j, const std::string& at, const char* name, std::int64_t otherwise, std::int64_t low,
                      std::int64_t high) {
    if (!j.is_object() || !j.contains(name)) return otherwise;
    if (!j[name].is_number_integer() || j[name].get<std::int64_t>() < low || j[name].get<std::int64_t>() > high) {
      bad(at + "/" + name, "RANGE", fmt::format("must be a whole number from {} to {}", low, high));
      return otherwise;
    }
    return j[name];
  }
  /// Absolute path; relative ones count from the folder of the file.
  fs::path path(const Json& j, const std::string& at, const char* name, bool must_exist, fs::path otherwise = {}) {
    auto t = text(j, at, name);
    auto p = t.empty() ? std::move(otherwise) : fs::path(t);
    if (p.empty()) return p;
    if (p.is_relative()) p = folder_ / p;
    if (must_exist && !fs::exists(p)) bad(at + "/" + name, "FILE_MISSING", "this file or folder is not there");
    return p.lexically_normal();
  }
  /// A key or secret. A service manager hands such files over in $CREDENTIALS_DIRECTORY, by their file name: one that
  /// is there goes first, so that the same configuration serves by hand and as a service.
  fs::path secret(const Json& j, const std::string& at, const char* name, fs::path otherwise = {}) {
    auto given = path(j, at, name, false, std::move(otherwise));
    if (given.empty()) return given;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets it
    if (const char* handed = std::getenv("CREDENTIALS_DIRECTORY"); handed && *handed)
      if (auto p = fs::path(handed) / given.filename(); fs::exists(p)) return p.lexically_normal();
    std::error_code ec;
    if (!fs::exists(given, ec)) bad(at + "/" + name, "FILE_MISSING", "this file is not there, or may not be seen");
    return given;
  }
  const Json& part(const Json& j, const char* name) {
    static const Json kNone = Json::object();
    return j.is_object() && j.contains(name) ? j[name] : kNone;
  }

 private:
  std::string file_;
  fs::path folder_;
  std::vector<Finding>& findings_;
};

bool loopback(std::string_view address) {
  return address.starts_with("127.") || address == "::1" || address == "localhost";
}

ListenerConfig read_listener(Reader& r, const Json& j, const std::string& at, bool mutual) {
  r.known(j, at,
          {"address", "port", "certificate", "key", "client_ca", "crl", "base_url", "sms", "organisation", "contact"});
  ListenerConfig l;
  l.address = r.text(j, at, "address", "127.0.0.1");
  if (in6_addr any{};
      ::inet_pton(AF_INET, l.address.c_str(), &any) != 1 && ::inet_pton(AF_INET6, l.address.c_str(), &any) != 1)
    r.bad(at + "/address", "VALUE", "must be an IP address; 0.0.0.0 or :: for all");
  l.port = static_cast<std::uint16_t>(r.number(j, at, "port", 0, 0, 65535));
  l.certificate = r.path(j, at, "certificate", true);
  l.key = r.secret(j, at, "key");
  l.client_ca = r.path(j, at, "client_ca", true);
  l.crl = r.path(j, at, "crl", true);
  if (l.certificate.empty() && !loopback(l.address))
    r.bad(at + "/certificate", "TLS_REQUIRED", "without a certificate only a loopback address may be used");
  if (mutual && (l.certificate.empty() || l.client_ca.empty()))
    r.bad(at, "TLS_REQUIRED", "certificate, key and client_ca are required: parties are known by their certificate");
  if (!l.key.empty()) {
    struct stat s{};
    // What a service manager hands over may have a group: its folder is closed to others.
    auto others = handed_over(l.key) ? 037 : 077;
    if (::stat(l.key.c_str(), &s) == 0 && (s.st_mode & others))
      r.bad(at + "/key", "KEY_MODE", "a private key may be readable by its owner only");
  }
  return l;
}

ReturnsConfig read_returns(Reader& r, const Json& j) {
  const std::string at = "/mail/returns";
  ReturnsConfig out;
  if (j.empty()) return out;
  r.known(j, at, {"maildir", "imap", "every_seconds"});
  out.maildir = r.path(j, at, "maildir", true);
  out.every_seconds = r.number(j, at, "every_seconds", 60, 1, 86400);
  if (j.contains("maildir") == j.contains("imap")) r.bad(at, "VALUE", "has either maildir or imap");
  const auto& imap = r.part(j, "imap");
  r.known(imap, at + "/imap", {"host", "port", "user", "password_secret", "ca", "mailbox", "done"});
  out.host = r.text(imap, at + "/imap", "host");
  out.port = static_cast<std::uint16_t>(r.number(imap, at + "/imap", "port", 993, 1, 65535));
  out.user = r.text(imap, at + "/imap", "user");
  out.password_secret = r.text(imap, at + "/imap", "password_secret");
  out.ca = r.path(imap, at + "/imap", "ca", true);
  out.mailbox = r.text(imap, at + "/imap", "mailbox", "INBOX");
  if (auto done = r.text(imap, at + "/imap", "done", "read"); done == "remove")
    out.remove = true;
  else if (done != "read")
    r.bad(at + "/imap/done", "VALUE", "must be read or remove");
  if (j.contains("imap") && (out.host.empty() || out.user.empty() || out.password_secret.empty()))
    r.bad(at + "/imap", "REQUIRED", "host, user and password_secret");
  return out;
}

Result<Json> read_json(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return fail(ErrorKind::invalid, "FILE_MISSING", "this file cannot be read");
  std::string text((std::istreambuf_iterator<char>(in)), {});
  return parse_json(text, {16 * 1024 * 1024, 64, 1024 * 1024});
}

}  // namespace

bool handed_over(const fs::path& file) {
  const char* handed = std::getenv("CREDENTIALS_DIRECTORY");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return handed && *handed && file.parent_path() == fs::path(handed).lexically_normal();
}

fs::path installed_prefix() { return fs::read_symlink("/proc/self/exe").parent_path().parent_path(); }

Result<Config> read_config(const fs::path& given, const fs::path& installed) {
  Config c;
  std::vector<Finding> findings;
  c.file = fs::absolute(given).lexically_normal();
  c.folder = c.file.parent_path();
  auto name = c.file.filename().string();
  auto json = read_json(c.file);
  if (!json)
    return fail(ErrorKind::invalid, "CONFIG_INVALID", "the configuration cannot be read",
                {{name + "#", json.error().code, json.error().message, ""}});
  Reader r(name, c.folder, findings);
  const auto& j = *json;
  r.known(j, "", {"data_dir",   "store",    "vault",   "regions_dir", "own_regions_dir", "schemas_dir", "plugins_dir",
                  "assets_dir", "parties",  "listen",  "portal",      "socket",          "log",         "mail",
                  "http",       "adapters", "secrets", "limits",      "formats",         "shards"});
  c.data_dir = r.path(j, "", "data_dir", false, "data");
  const auto& store = r.part(j, "store");
  r.known(store, "/store", {"kind", "path", "ballast_bytes"});
  if (auto kind = r.text(store, "/store", "kind", "sqlite"); kind != "sqlite")
    r.bad("/store/kind", "VALUE", "sqlite is what this version knows");
  c.store_path = r.path(store, "/store", "path", false, c.data_dir / "schakel.db");
  c.ballast_bytes = static_cast<std::uint64_t>(r.number(store, "/store", "ballast_bytes", 0, 0, std::int64_t{1} << 40));
  const auto& vault = r.part(j, "vault");
  r.known(vault, "/vault", {"master_key_file"});
  c.master_key = r.secret(vault, "/vault", "master_key_file", "secrets/master.key");
  if (c.master_key.string().starts_with(c.data_dir.string() + "/"))
    r.bad("/vault/master_key_file", "KEY_PLACE",
          "the master key must not lie in the data folder: a copy of the data would hold its key", "KEY-6");
  c.regions_dir = r.path(j, "", "regions_dir", true, installed / "share/schakel/config");
  c.own_regions_dir = r.path(j, "", "own_regions_dir", true);
  c.schemas_dir = r.path(j, "", "schemas_dir", true, installed / "share/schakel/config/schemas/messages");
  c.plugins_dir = r.path(j, "", "plugins_dir", true, installed / "lib/schakel");
  c.assets_dir = r.path(j, "", "assets_dir", true, installed / "share/schakel/portal");
  c.socket = r.path(j, "", "socket", false, "run/schakel.sock");
  c.shards = static_cast<unsigned>(r.number(j, "", "shards", 0, 0, 256));
  const auto& log = r.part(j, "log");
  r.known(log, "/log", {"file", "level"});
  c.log_file = r.path(log, "/log", "file", false);
  c.log_level = r.text(log, "/log", "level", "info");
  if (!std::set<std::string>{"debug", "info", "warn", "error"}.contains(c.log_level))
    r.bad("/log/level", "VALUE", "must be debug, info, warn or error");
  const auto& listen = r.part(j, "listen");
  r.known(listen, "/listen", {"api", "health"});
  c.api = read_listener(r, r.part(listen, "api"), "/listen/api", true);
  c.health = read_listener(r, r.part(listen, "health"), "/listen/health", false);
  const auto& portal = r.part(j, "portal");
  c.portal.listener = read_listener(r, portal, "/portal", false);
  c.portal.base_url = r.text(portal, "/portal", "base_url");
  if (c.portal.base_url.empty())
    r.bad("/portal/base_url", "REQUIRED", "links in mails start with this address");
  else if (auto url = boost::urls::parse_uri(c.portal.base_url);
           !url || (url->scheme() != "https" && url->scheme() != "http") || url->host().empty() ||
           url->has_userinfo() || !url->encoded_path().empty() || url->has_query() || url->has_fragment())
    r.bad("/portal/base_url", "VALUE", "must be https://host without anything after it, also no slash");
  else if (url->scheme() != "https" && !loopback(url->host()) && url->host() != "[::1]")
    r.bad("/portal/base_url", "TLS_REQUIRED", "links in mails must be https");
  c.portal.organisation = r.text(portal, "/portal", "organisation", c.portal.organisation);
  c.portal.contact = r.text(portal, "/portal", "contact");
  if (c.portal.organisation.empty() || c.portal.organisation.size() > 100)
    r.bad("/portal/organisation", "VALUE", "must be 1 to 100 bytes");
  if (c.portal.contact.size() > 200) r.bad("/portal/contact", "VALUE", "must be at most 200 bytes");
  std::string sms_secret;
  if (portal.contains("sms")) {
    c.portal.sms = portal["sms"];
    r.known(c.portal.sms, "/portal/sms", {"url", "secret"});
    sms_secret = r.text(c.portal.sms, "/portal/sms", "secret");
    if (auto url = r.text(c.portal.sms, "/portal/sms", "url"); url.empty())
      r.bad("/portal/sms/url", "REQUIRED", "the address of the gateway");
    else if (auto origin = plugin::safe_origin_of(url); !origin)
      r.bad("/portal/sms/url", origin.error().code, origin.error().message);
  }
  const auto& mail = r.part(j, "mail");
  r.known(mail, "/mail", {"host", "port", "security", "from", "user", "password_secret", "ca", "returns"});
  c.mail.host = r.text(mail, "/mail", "host", "127.0.0.1");
  c.mail.port = static_cast<std::uint16_t>(r.number(mail, "/mail", "port", 25, 1, 65535));
  c.mail.security = r.text(mail, "/mail", "security", "starttls");
  if (c.mail.security != "starttls" && c.mail.security != "tls" && c.mail.security != "none")
    r.bad("/mail/security", "VALUE", "must be starttls, tls or none");
  if (c.mail.security == "none" && !loopback(c.mail.host))
    r.bad("/mail/security", "TLS_REQUIRED", "mail without TLS goes to a loopback address only");
  c.mail.from = r.text(mail, "/mail", "from");
  if (!c.mail.from.empty() && !net::is_mail_address(c.mail.from))
    r.bad("/mail/from", "VALUE", "must be a mail address");
  c.mail.user = r.text(mail, "/mail", "user");
  c.mail.password_secret = r.text(mail, "/mail", "password_secret");
  c.mail.ca = r.path(mail, "/mail", "ca", true);
  c.returns = read_returns(r, r.part(mail, "returns"));
  const auto& http = r.part(j, "http");
  r.known(http, "/http", {"ca", "certificate", "key"});
  c.http_ca = r.path(http, "/http", "ca", true);
  c.http_certificate = r.path(http, "/http", "certificate", true);
  c.http_key = r.secret(http, "/http", "key");
  const auto& limits = r.part(j, "limits");
  r.known(limits, "/limits", {"document_bytes"});
  c.document_limit = r.number(limits, "/limits", "document_bytes", c.document_limit, 1024, std::int64_t{1} << 40);
  const auto& formats = r.part(j, "formats");
  r.known(formats, "/formats", {"xsd_dir"});
  c.xsd_dir = r.path(formats, "/formats", "xsd_dir", true);
  if (fs::exists(c.xsd_dir))
    if (auto opened = formats::XsdFolder::open(c.xsd_dir.string()); !opened)
      r.bad("/formats/xsd_dir", opened.error().code, opened.error().message);

  const auto& secrets = r.part(j, "secrets");
  if (!secrets.is_object())
    r.bad("/secrets", "TYPE", "must be an object");
  else
    for (const auto& [secret, where] : secrets.items()) {
      r.known(where, "/secrets/" + secret, {"file"});
      c.secrets[secret] = r.secret(where, "/secrets/" + secret, "file");
    }

  for (const auto& [at, secret] : {std::pair{"/mail/password_secret", &c.mail.password_secret},
                                   {"/mail/returns/imap/password_secret", &c.returns.password_secret},
                                   {"/portal/sms/secret", &sms_secret}})
    if (!secret->empty() && !c.secrets.contains(*secret))
      r.bad(at, "SECRET_UNKNOWN", "names a secret that is not configured");

  if (auto file = r.path(j, "", "parties", true, "parties.json"); fs::exists(file)) {
    auto parties = read_json(file);
    if (!parties) {
      findings.push_back({file.filename().string() + "#", parties.error().code, parties.error().message, ""});
    } else if (auto read = Parties::read(*parties); read) {
      for (auto& f : check_invoice_identities(*read)) findings.push_back(std::move(f));
      c.parties = std::make_shared<const Parties>(std::move(*read));
      c.parties_source = std::move(*parties);
    } else {
      for (auto f : read.error().findings) {
        f.pointer = file.filename().string() + "#" + f.pointer;
        findings.push_back(std::move(f));
      }
    }
  }
  if (!c.regions_dir.empty() && fs::exists(c.regions_dir)) {
    std::vector<fs::path> own;
    if (!c.own_regions_dir.empty()) own.push_back(c.own_regions_dir);
    auto profiles = load_profiles(c.regions_dir, own);
    if (profiles)
      c.profiles = std::move(*profiles);
    else {
      if (profiles.error().findings.empty())
        findings.push_back({"regions", profiles.error().code, profiles.error().message, ""});
      for (auto& f : profiles.error().findings) findings.push_back(std::move(f));
    }
  }

  const auto& adapters = r.part(j, "adapters");
  if (!adapters.is_object())
    r.bad("/adapters", "TYPE", "must be an object");
  else
    for (const auto& [instance, a] : adapters.items()) {
      auto at = "/adapters/" + instance;
      r.known(a, at, {"plugin", "party", "config", "attempt_seconds"});
      AdapterConfig one{r.text(a, at, "plugin"), r.text(a, at, "party"),
                        a.is_object() ? a.value("config", Json::object()) : Json::object()};
      if (a.is_object() && a.contains("attempt_seconds"))
        one.attempt_seconds = r.number(a, at, "attempt_seconds", plugin::kAttemptLimit.count(),
                                       plugin::kAttemptSecondsLeast, plugin::kAttemptSecondsMost);
      if (one.plugin.empty()) r.bad(at + "/plugin", "REQUIRED", "names the adapter");
      if (!one.party.empty() && c.parties && !c.parties->find(one.party))
        r.bad(at + "/party", "PARTY_UNKNOWN", "there is no such party");
      c.adapters[instance] = std::move(one);
    }
  if (c.parties)
    for (const auto& p : c.parties->all())
      for (const auto& e : p.endpoints)
        if (!c.adapters.contains(e.adapter))
          findings.push_back({fmt::format("parties.json#{}", p.id), "ADAPTER_UNKNOWN",
                              "an endpoint names an adapter instance that is not configured", ""});

  // What a start would stumble over is said here: the unit checks before it starts.
  if (findings.empty()) {
    for (auto [at, listener] :
         {std::pair{"/listen/api", &c.api}, {"/listen/health", &c.health}, {"/portal", &c.portal.listener}})
      if (auto tls = server_tls(*listener); !tls) r.bad(at, tls.error().code, tls.error().message);
    if (auto key = master_key(c); !key) r.bad("/vault/master_key_file", key.error().code, key.error().message);
    if (auto tls = net::TlsClientContext::load({c.http_ca, c.http_certificate, c.http_key, {}}); !tls)
      r.bad("/http", tls.error().code, tls.error().message);
  }
  if (findings.empty() && fs::exists(c.plugins_dir)) {
    plugin::Registry registry(c.plugins_dir);
    for (auto decider : kDeciderOrder)
      if (auto plugin = registry.load(plugin::Kind::decider, decider); !plugin)
        r.bad("/plugins_dir", plugin.error().code, fmt::format("{}: {}", decider, plugin.error().message));
    for (const auto& [instance, a] : c.adapters) {
      auto plugin = registry.load(plugin::Kind::adapter, a.plugin);
      if (!plugin) {
        r.bad("/adapters/" + instance + "/plugin", plugin.error().code, plugin.error().message);
        continue;
      }
      auto grants = (*plugin)->check(a.config);
      if (!grants)
        for (const auto& f : grants.error().findings)
          r.bad("/adapters/" + instance + "/config" + f.pointer, f.code, f.message, f.rule);
      else
        for (const auto& secret : grants->secrets)
          if (!c.secrets.contains(secret))
            r.bad("/adapters/" + instance + "/config", "SECRET_UNKNOWN", "names a secret that is not configured");
    }
  }
  if (!findings.empty()) {
    auto count = fmt::format("{} findings", findings.size());
    return fail(ErrorKind::invalid, "CONFIG_INVALID", std::move(count), std::move(findings));
  }
  return c;
}

}  // namespace schakel::app
