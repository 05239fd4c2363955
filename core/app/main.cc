// schakel: the broker and its command line.
#ifdef SCHAKEL_MIMALLOC
#include <mimalloc.h>
#endif
#include <sys/prctl.h>

#include <iostream>

#include "core/app/cli.hpp"

int main(int argc, char** argv) {
  // No core dump holds a key or a pupil (trust.md KEY-7).
  prctl(PR_SET_DUMPABLE, 0);
#ifdef SCHAKEL_MIMALLOC
  // What a document of 25 MB needs for a moment goes back to the system at once (docs/performance.md).
  mi_option_set(mi_option_decommit_delay, 0);
#endif
  CLI::App app{"Schakel: integration broker for onderwijs-zorgarrangementen"};
  app.set_version_flag("--version", "schakel 0.1.0");
  app.require_subcommand(1);
  app.fallthrough();
  schakel::app::Common common;
  int exit = schakel::app::kOk;
  app.add_flag("--json", common.json, "machine-readable output");
  app.add_option("--socket", common.socket,
                 "UNIX socket of the running broker (default: run/schakel.sock beside the configuration)");
  app.add_option("--config", common.config, "configuration file (default: schakel.json)");
  app.add_option("--lang", common.lang, "language of explanations: nl or en (default: en)")
      ->check(CLI::IsMember({"nl", "en"}));
  schakel::app::add_init(app, common, exit);
  schakel::app::add_serve(app, common, exit);
  schakel::app::add_check(app, common, exit);
  schakel::app::add_test(app, common, exit);
  schakel::app::add_daily(app, common, exit);
  schakel::app::add_audit(app, common, exit);
  schakel::app::add_restore(app, common, exit);
  schakel::app::add_explain(app, common, exit);
  schakel::app::add_plan(app, common, exit);
  schakel::app::add_capture(app, common, exit);
  schakel::app::add_invoice(app, common, exit);
  schakel::app::add_report(app, common, exit);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    auto code = app.exit(e);
    return code == 0 ? 0 : schakel::app::kUsage;
  } catch (const std::exception& e) {
    // Start-up only: what goes wrong later is a value. The text is ours.
    std::cerr << "schakel: " << e.what() << "\n";
    return schakel::app::kConfig;
  }
  return exit;
}
