// One running broker: everything built, wired and started in order, and stopped in the other.
#pragma once
#include <memory>

#include "core/app/config.hpp"
#include "core/base/clock.hpp"
#include "core/base/secret.hpp"
#include "core/plugin/registry.hpp"

namespace schakel::app {

/// Thread: main. Lifetime: one per process.
class Broker {
 public:
  /// Opens the store (after it everything found on disk is durable), recovers what was under way, starts adapters and
  /// listeners. Any error here ends the start; an adapter that does not start degrades its channel only.
  static Result<std::unique_ptr<Broker>> start(Config config);
  ~Broker();

  /// Where it listens: api, portal, health, socket.
  [[nodiscard]] std::map<std::string, std::string> addresses() const;
  /// Reads certificates, keys, roots and revocation lists again; open connections keep what they began with. What
  /// cannot be read is logged and the old one stays (KEY-8). Thread: main.
  void reload();
  /// Takes no more, finishes what is under way within `grace`, signs the audit log, closes the store.
  void stop(milliseconds grace);

  struct Parts;

 private:
  explicit Broker(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

/// Readers for files that hold one secret; the trailing newline does not count. SECRET_FILE.
[[nodiscard]] Result<Secret> read_secret(const std::filesystem::path& file);

/// The deciders of an installation, in order: loaded from `plugins_dir`.
[[nodiscard]] Result<std::vector<std::unique_ptr<Decider>>> load_deciders(plugin::Registry& registry);

}  // namespace schakel::app
