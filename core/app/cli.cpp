#include "core/app/cli.hpp"

#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "core/net/http_client.hpp"

namespace schakel::app {

int exit_code(const Error& e) {
  if (e.code == "CONFIG_INVALID") return kConfig;
  switch (e.kind) {
    case ErrorKind::forbidden:
    case ErrorKind::unauthenticated:
      return kNotAllowed;
    case ErrorKind::unavailable:
    case ErrorKind::timeout:
      return kDown;
    case ErrorKind::conflict:
      return kConflict;
    default:
      return kFinding;
  }
}

void print_json(const Json& value) { std::cout << value.dump(2) << "\n"; }

int report(const Error& e, const Common& common) {
  if (common.json) {
    Json j{{"code", e.code}, {"message", e.message}, {"findings", Json::array()}};
    for (const auto& f : e.findings)
      j["findings"].push_back({{"pointer", f.pointer}, {"code", f.code}, {"message", f.message}, {"rule", f.rule}});
    std::cerr << j.dump(2) << "\n";
  } else {
    std::cerr << "schakel: " << e.code << ": " << e.message << "\n";
    for (const auto& f : e.findings)
      std::cerr << "  " << f.pointer << "  " << f.code << ": " << f.message
                << (f.rule.empty() ? "" : "  [" + f.rule + "]") << "\n";
  }
  return exit_code(e);
}

namespace {

std::string socket_path(const Common& c) {
  if (!c.socket.empty()) return c.socket;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): before any thread
  if (const char* env = std::getenv("SCHAKEL_SOCKET"); env && *env) return env;
  return (std::filesystem::absolute(c.config).parent_path() / "run/schakel.sock").string();
}

}  // namespace

Result<Json> call(const Common& common, std::string method, const std::string& path, const Json& body) {
  return body.is_null() ? call_raw(common, std::move(method), path, {}, {})
                        : call_raw(common, std::move(method), path, "application/json", dump_json(body));
}

Result<Json> call_raw(const Common& common, std::string method, const std::string& path, std::string media_type,
                      std::string body) {
  boost::asio::io_context io;
  net::ClientRequest request;
  request.method = std::move(method);
  request.url = "http://localhost" + path;
  if (!media_type.empty()) {
    request.headers.add("Content-Type", std::move(media_type));
    request.body = std::move(body);
  }
  net::ClientOptions options;
  auto options_path = socket_path(common);
  options.unix_path = options_path;
  options.allow_plain = true;
  options.deadline = std::chrono::minutes(10);
  options.max_response_bytes = std::size_t{256} << 20;
  auto future =
      boost::asio::co_spawn(io, net::http_request(std::move(request), std::move(options)), boost::asio::use_future);
  io.run();
  auto reply = future.get();
  if (!reply) {
    if (reply.error().code == "HTTP_REFUSED" && ::access(options_path.c_str(), W_OK) != 0 && errno == EACCES)
      return fail(ErrorKind::forbidden, "SOCKET_NOT_YOURS",
                  "this user may not use the broker's socket; run it as the broker's user");
    if (reply.error().code == "HTTP_REFUSED")
      return fail(ErrorKind::unavailable, "BROKER_DOWN",
                  "no broker listens on this socket; start it with: schakel serve --config FILE, or name its socket "
                  "with --socket");
    return fail(std::move(reply.error()));
  }
  auto json = parse_json(reply->body, {std::size_t{256} << 20, 64, std::size_t{16} << 20});
  if (!json) return fail(ErrorKind::internal, "BROKER_ANSWER", "the broker answered something that is not JSON");
  if (reply->status < 300) return json;
  Error e;
  e.kind = reply->status == 403   ? ErrorKind::forbidden
           : reply->status == 404 ? ErrorKind::not_found
           : reply->status == 409 ? ErrorKind::conflict
           : reply->status >= 500 ? ErrorKind::unavailable
                                  : ErrorKind::invalid;
  e.code = json->value("code", "HTTP_" + std::to_string(reply->status));
  e.message = json->value("title", "");
  for (const Json& f : json->value("fouten", Json::array()))
    if (f.is_object())
      e.findings.push_back({f.value("plaats", ""), f.value("code", ""), f.value("melding", ""), f.value("regel", "")});
  return fail(std::move(e));
}

}  // namespace schakel::app
