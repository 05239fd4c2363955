// The command line: one function per command, each returns its exit code.
#pragma once
#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "core/base/error.hpp"
#include "core/base/json.hpp"

namespace schakel::app {

/// House rules of design.md: 0 ok, 1 finding, 2 usage, 3 not allowed, 4 target down, 5 conflict, 78 configuration.
enum Exit { kOk = 0, kFinding = 1, kUsage = 2, kNotAllowed = 3, kDown = 4, kConflict = 5, kConfig = 78 };
[[nodiscard]] int exit_code(const Error& error);

/// Options that every command has.
struct Common {
  bool json = false;
  std::string socket;  ///< of the running broker; empty: $SCHAKEL_SOCKET, then run/schakel.sock beside --config
  std::string config = "schakel.json";
  std::string lang;  ///< nl or en; empty: en
};

/// Prints an error with its findings to standard error (text or JSON) and gives the exit code for it.
int report(const Error& error, const Common& common);
void print_json(const Json& value);

/// One call to the running broker over its UNIX socket. BROKER_DOWN (unavailable) when nobody listens.
[[nodiscard]] Result<Json> call(const Common& common, std::string method, const std::string& path,
                                const Json& body = Json());
/// The same with a body of any kind; without a media type no body is sent.
[[nodiscard]] Result<Json> call_raw(const Common& common, std::string method, const std::string& path,
                                    std::string media_type, std::string body);

/// Each adds its commands; the action of a command stores its exit code in `exit`.
void add_serve(CLI::App& app, Common& common, int& exit);
void add_init(CLI::App& app, Common& common, int& exit);
void add_check(CLI::App& app, Common& common, int& exit);
void add_test(CLI::App& app, Common& common, int& exit);
void add_daily(CLI::App& app, Common& common, int& exit);
void add_audit(CLI::App& app, Common& common, int& exit);
/// After add_audit: adds to its `audit`.
void add_restore(CLI::App& app, Common& common, int& exit);
void add_explain(CLI::App& app, Common& common, int& exit);
void add_plan(CLI::App& app, Common& common, int& exit);
void add_capture(CLI::App& app, Common& common, int& exit);
void add_invoice(CLI::App& app, Common& common, int& exit);
void add_report(CLI::App& app, Common& common, int& exit);

}  // namespace schakel::app
