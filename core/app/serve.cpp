#include <sys/mman.h>

#include <iostream>

#include "core/app/broker.hpp"
#include "core/app/cli.hpp"
#include "core/base/log.hpp"
#include "core/runtime/service_manager.hpp"
#include "core/runtime/stop_signal.hpp"

namespace schakel::app {
namespace {

LogLevel level_of(std::string_view name) {
  return name == "debug"   ? LogLevel::debug
         : name == "warn"  ? LogLevel::warn
         : name == "error" ? LogLevel::error
                           : LogLevel::info;
}

int serve(const Common& common) {
  runtime::StopSignal stop;
  auto config = read_config(common.config, installed_prefix());
  if (!config) return report(config.error(), common);
  log_to(config->log_file.string(), level_of(config->log_level));
  auto broker = Broker::start(std::move(*config));
  if (!broker) {
    auto code = report(broker.error(), common);
    return broker.error().kind == ErrorKind::invalid ? kConfig : code;
  }
  auto at = (*broker)->addresses();
  if (common.json)
    print_json(at);
  else
    std::cout << "Schakel listens.\n  API     " << at["api"] << "  (client certificate required)\n  Portaal "
              << at["portal"] << "\n  Health  " << at["health"] << "/healthz, /readyz, /metrics\n  Socket  "
              << at["socket"] << "\nStop with Ctrl-C.\n";
  std::cout.flush();
  stop.on_hangup([&broker] { (*broker)->reload(); });
  runtime::tell_service_manager("READY=1");
  auto signal = stop.wait();
  runtime::tell_service_manager("STOPPING=1");
  log(LogLevel::info, "broker.stopping", {{"signal", std::int64_t{signal}}});
  (*broker)->stop(std::chrono::seconds(10));
  return kOk;
}

}  // namespace

void add_serve(CLI::App& app, Common& common, int& exit) {
  static std::string role = "all";
  auto* c = app.add_subcommand("serve", "Run the broker");
  c->add_option("--role", role, "all: broker, portal and keys in one process (the only one in this version)")
      ->check(CLI::IsMember({"all"}));
  c->callback([&common, &exit] { exit = serve(common); });
}

}  // namespace schakel::app
