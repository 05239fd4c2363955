#include "core/audit/restore.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <iostream>
#include <thread>

#include "core/app/cli.hpp"
#include "core/app/config.hpp"
#include "core/store/sqlite/sqlite_store.hpp"

namespace schakel::app {
namespace asio = boost::asio;
namespace {

int accept(const std::string& reason, bool yes, const Common& common) {
  auto config = read_config(common.config, installed_prefix());
  if (!config) return report(config.error(), common);
  if (!std::filesystem::exists(config->store_path))
    return report({ErrorKind::not_found, "FILE_MISSING", "there is no store where the configuration says", {}}, common);
  if (!yes) {
    std::cerr
        << "This says that the store was put back from a copy on purpose: what was accepted after the copy is lost "
           "and the log goes on from here. Repeat with --yes.\n";
    return kUsage;
  }
  SystemClock clock;
  // Fails with STORE_IN_USE while the broker runs.
  auto store = store::SqliteStore::open(config->store_path, clock);
  if (!store) return report(store.error(), common);
  asio::io_context io{1};
  auto future = asio::co_spawn(io,
                               audit::accept_restore(**store, config->data_dir / "audit-heads.jsonl",
                                                     fmt::format("uid-{}", ::getuid()), reason, clock.now()),
                               asio::use_future);
  // The store answers from a thread of its own: the loop stays until then.
  auto stay = asio::make_work_guard(io);
  std::jthread loop([&io] { io.run(); });
  auto done = future.get();
  stay.reset();
  (*store)->close();
  if (!done) return report(done.error(), common);
  if (common.json)
    print_json({{"bladen", done->here}, {"bladenBuiten", done->outside}, {"hoofdenBewaard", done->kept}});
  else
    std::cout << fmt::format(
        "The log goes on after {} leaves; the heads outside knew {}. They are kept in {}.\nStart the broker, then: "
        "schakel audit verify\n",
        done->here, done->outside, done->kept);
  return kOk;
}

}  // namespace

void add_restore(CLI::App& app, Common& common, int& exit) {
  static std::string reason;
  static bool yes = false;
  auto* c = app.get_subcommand("audit")->add_subcommand(
      "accept-restore", "A backup was put back on purpose: start on it (AUDIT_FORK); the broker must be stopped");
  c->add_option("--reason", reason, "why; its hash is audited")->required()->check([](const std::string& s) {
    return s.size() < 3 || s.size() > 200 ? std::string("3 to 200 characters") : std::string();
  });
  c->add_flag("--yes", yes, "do it");
  c->callback([&common, &exit] { exit = accept(reason, yes, common); });
}

}  // namespace schakel::app
