// A bench for one adapter: its real .so, a turned clock, a Host in memory, a scripted partner, and crashes at every
// await.
#pragma once
#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/plugin/registry.hpp"
#include "tests/support/temp_folder.hpp"

namespace schakel::test {

/// Leaves the adapter as a crash would: no handler of the adapter may catch it by type.
struct Crash {};

/// What survives a crash, and what the world outside remembers.
struct World {
  std::map<std::string, Json> progress;
  std::map<std::string, Bytes> documents;  ///< by id
  std::map<std::string, DocumentInfo> infos;
  std::map<std::string, std::string> secrets, bsns;  ///< by name; by case
  std::vector<HttpRequest> requests;                 ///< that reached the partner
  std::vector<Mail> mails;                           ///< that the mail server took
  std::vector<std::pair<std::string, std::string>> bsn_asked;
  std::vector<Json> events;  ///< accepted by the inbox, first time only
  std::set<std::string> event_keys;
  std::map<std::string, std::string> case_by_foreign, case_by_bsn;
  std::map<std::string, Bytes> stored_documents;
  std::map<std::string, double> metrics;
  std::vector<std::string> undeclared;  ///< access that the schema does not declare
  /// Answers a request. Default: 404.
  std::function<Result<HttpReply>(const HttpRequest&)> partner;
  std::function<Result<std::string>(const Mail&)> mail_server;  ///< default: takes everything
  std::vector<std::string> not_taken;              ///< "party case number rule" of documents that the adapter refused
  std::function<Result<bool>(const Json&)> inbox;  ///< an error instead of accepting; default none
};

enum class CrashWhen { never, before, after };

class PluginBench {
 public:
  /// Loads adapters/NAME.so from the build. Fails the test (throws) when that is not possible.
  PluginBench(std::string adapter, Json config);
  ~PluginBench();

  World world;
  ManualClock clock;

  /// Crashes at the n-th await of a Host or Inbox function, before or after its effect. 0 awaits: never.
  void crash_at(int n, CrashWhen when);
  [[nodiscard]] int awaits() const { return awaits_; }

  /// A new instance, as after a restart: no memory, same world. Calls start().
  Result<void> restart();
  /// One attempt, restricted to the fields that were declared. nullopt: it crashed. Starts an instance when there is
  /// none.
  std::optional<AttemptResult> send(Delivery delivery);
  /// run() until its n-th pause (which ends it, as a cancellation does). False: it crashed.
  bool poll(int pauses = 1);
  std::optional<Result<HttpReply>> request(HttpRequest request, std::string party);
  /// Several at once: at each look into Progress and each write the others go on. Replies in order.
  std::vector<Result<HttpReply>> together(std::vector<HttpRequest> requests, const std::string& party);

  /// Text of the log since construction.
  [[nodiscard]] std::string log_text() const;
  /// Where one of the world's secrets, BSNs or the given words appears outside bodies: URL, log, metrics, mail subject
  /// or text, attachment name, event attribute. Empty when nowhere.
  [[nodiscard]] std::vector<std::string> leaks(std::vector<std::string> words = {}) const;

  [[nodiscard]] const plugin::Plugin& plugin() const { return *plugin_; }
  [[nodiscard]] const Json& config() const { return config_; }
  [[nodiscard]] const std::string& folder() const { return folder_; }  ///< of this bench alone, removed with it

 private:
  class FakeHost;
  class FakeInbox;
  friend class FakeHost;
  friend class FakeInbox;
  void step(CrashWhen when);
  template <class T>
  std::optional<T> drive(Task<T> task);
  TempFolder temp_;
  std::string folder_ = temp_.path().string();
  Json config_;
  const plugin::Plugin* plugin_ = nullptr;
  plugin::Grants grants_;
  std::unique_ptr<FakeHost> host_;
  std::unique_ptr<FakeInbox> inbox_;
  std::unique_ptr<Adapter> adapter_;
  int awaits_ = 0, crash_n_ = 0, pauses_left_ = 0;
  bool others_go_on_ = false;
  CrashWhen crash_when_ = CrashWhen::never;
};

/// The adapters of this build.
plugin::Registry& bench_registry();

/// One of the answers a partner can give to any call, and the verdict that must follow.
struct Fault {
  std::string name;
  Result<HttpReply> reply;
  std::vector<Verdict> allowed;
};
/// 4xx, 5xx, time-outs before and after sending, rubbish, huge, refused, TLS.
std::vector<Fault> http_faults();

/// For each await n of a clean attempt, before and after its effect: crash there, restart, send again. The attempt
/// after the crash must be delivered and `effects` (a picture of the partner) must equal that of the clean attempt.
/// `fresh` makes a bench with its partner set up. Returns what went wrong, empty when nothing.
std::vector<std::string> crash_everywhere(const std::function<std::unique_ptr<PluginBench>()>& fresh,
                                          const Delivery& delivery,
                                          const std::function<std::string(PluginBench&)>& effects);

/// Each fault at each call of a clean attempt: the verdict must be one of the allowed, nothing may throw, and a later
/// attempt without the fault must be delivered with the same effects (where the verdict was not rejected).
std::vector<std::string> fault_everywhere(const std::function<std::unique_ptr<PluginBench>()>& fresh,
                                          const Delivery& delivery,
                                          const std::function<std::string(PluginBench&)>& effects);

/// Configurations that must be refused by check() or by start(), none of which may crash.
std::vector<std::string> bad_configs_refused(const std::string& adapter, const Json& good);

}  // namespace schakel::test
