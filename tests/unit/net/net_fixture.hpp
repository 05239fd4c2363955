// A running server with one handler of many routes, and a raw socket to be rude with.
#pragma once
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "core/base/hash.hpp"
#include "core/base/json.hpp"
#include "core/net/http_client.hpp"
#include "core/net/http_server.hpp"
#include "core/runtime/scope.hpp"
#include "tests/support/run_now.hpp"
#include "tests/support/test_pki.hpp"

namespace schakel::net::testing_ {

using test::run_now;
using namespace std::chrono_literals;

inline std::filesystem::path fresh_folder() {
  static std::atomic<int> number = 0;
  auto path = std::filesystem::temp_directory_path() /
              ("schakel-net-" + std::to_string(::getpid()) + "-" + std::to_string(++number));
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(path);
  return path;
}

/// Produces `total` bytes; fails after `break_at` when that is smaller. Announces its size when asked to.
class Numbers final : public BodyProducer {
 public:
  Numbers(std::uint64_t total, std::uint64_t break_at, bool announced, std::atomic<std::int64_t>* report = nullptr)
      : total_(total), break_at_(break_at), announced_(announced), report_(report) {}
  Task<Result<std::size_t>> produce(std::span<std::uint8_t> into) override {
    if (made_ >= break_at_) co_return fail(ErrorKind::forbidden, "REVOKED", "the consent was withdrawn");
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(std::min(total_, break_at_) - made_, into.size()));
    for (std::size_t i = 0; i < n; ++i) into[i] = static_cast<std::uint8_t>('a' + (made_ + i) % 26);
    made_ += n;
    co_return n;
  }
  std::optional<std::uint64_t> size() const override { return announced_ ? std::optional(total_) : std::nullopt; }
  void finished(std::uint64_t sent, bool complete) override {
    if (report_ != nullptr)
      *report_ = complete ? static_cast<std::int64_t>(sent) : -1 - static_cast<std::int64_t>(sent);
  }

 private:
  std::uint64_t total_, break_at_, made_ = 0;
  bool announced_;
  std::atomic<std::int64_t>* report_;
};

inline std::string letters(std::size_t n) {
  std::string out(n, 'a');
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<char>('a' + i % 26);
  return out;
}

class Routes final : public HttpHandler {
 public:
  std::atomic<int> heads{0}, requests{0};
  std::atomic<std::int64_t> download{0};

  Task<HeadDecision> on_head(const RequestHead& head) override {
    ++heads;
    if (head.path == "/refuse") co_return problem(403, "NOT_YOURS", "no");
    if (head.path == "/echo") co_return Accept{.body_limit = 1024 * 1024, .context = std::string("route:echo")};
    if (head.path == "/small") co_return Accept{.body_limit = 10};
    if (head.path == "/up") co_return Accept{.body_limit = 64 * 1024 * 1024, .stream = true};
    co_return Accept{};
  }

  Task<Response> on_request(Request& request) override {
    ++requests;
    Response r;
    const auto& path = request.head.path;
    if (path == "/echo") {
      if (std::any_cast<std::string>(request.context) != "route:echo") r.status = 500;
      r.headers.add("Content-Type", "application/octet-stream");
      r.body = request.body;
    } else if (path == "/up") {
      Sha256 hash;
      std::uint64_t total = 0;
      std::vector<std::uint8_t> piece(10000);
      for (;;) {
        const auto n = co_await request.stream->read(piece);
        if (!n) co_return problem(status_of(n.error().kind), n.error().code, "upload failed");
        if (*n == 0) break;
        hash.update(ByteView(piece).first(*n));
        total += *n;
      }
      r.body = std::to_string(total) + " " + to_hex(hash.finish());
    } else if (path == "/up-ignored") {
      r.body = "unread";
    } else if (path == "/down") {
      r.stream = std::make_unique<Numbers>(5'000'000, ~0ULL, false, &download);
    } else if (path == "/down-sized") {
      r.stream = std::make_unique<Numbers>(300'000, ~0ULL, true, &download);
    } else if (path == "/down-broken") {
      r.stream = std::make_unique<Numbers>(5'000'000, 1'000'000, request.head.query == "sized", &download);
    } else if (path == "/whoami") {
      const auto& p = request.head.peer;
      r.body = Json{{"kind", static_cast<int>(p.kind)},
                    {"oin", p.oin},
                    {"serial", p.subject_serial},
                    {"dns", p.san_dns},
                    {"uri", p.san_uri},
                    {"spki", p.spki_sha256},
                    {"issuer", p.issuer},
                    {"chain", p.chain_spki_sha256.size()},
                    {"key", p.key()},
                    {"address", request.head.address}}
                   .dump();
    } else if (path == "/throw") {
      throw std::runtime_error("secret text");
    } else if (path == "/hang") {
      co_await runtime::sleep_for(1h);
    } else if (path == "/slow") {
      co_await runtime::sleep_for(100ms);
      r.body = "done";
    } else if (path == "/bad-header") {
      r.headers.add("X-Evil", "a\r\nSet-Cookie: b");
    } else if (path == "/nothing") {
      r.status = 204;
    } else {
      r.body = "hello";
    }
    co_return r;
  }
};

/// A client may see its connection end before the server's coroutine has counted it.
inline std::int64_t settles_at(const std::atomic<std::int64_t>& counter, std::int64_t wanted) {
  const auto limit = std::chrono::steady_clock::now() + 10s;
  while (counter != wanted && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
  return counter;
}

class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
    patience(10);
  }
  ~RawClient() { ::close(fd_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  void patience(int seconds) {
    const timeval t{seconds, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
  }
  bool send(std::string_view text) {
    while (!text.empty()) {
      const auto n = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  void end_of_sending() { ::shutdown(fd_, SHUT_WR); }
  /// Reads until the end, or until `stop` has been seen. `closed()` tells which.
  std::string read(std::string_view stop = {}) {
    std::string out;
    char piece[4096];
    for (;;) {
      if (!stop.empty() && out.find(stop) != std::string::npos) return out;
      const auto n = ::recv(fd_, piece, sizeof piece, 0);
      if (n <= 0) {
        closed_ = n == 0 || errno == ECONNRESET;
        return out;
      }
      out.append(piece, static_cast<std::size_t>(n));
    }
  }
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] bool connected() const { return connected_; }

 private:
  int fd_;
  bool connected_ = false, closed_ = false;
};

/// A server with the given options on two shards; a plain listener "plain" is added when none is given.
class Running {
 public:
  explicit Running(ServerOptions options = {}) {
    if (options.listeners.empty())
      options.listeners.push_back({.name = "plain", .endpoint = TcpEndpoint{}, .tls = nullptr});
    shards.start();
    server = std::make_unique<HttpServer>(shards, handler, std::move(options));
    started = server->start();
  }
  ~Running() {
    server->stop(2s);
    server.reset();
    shards.stop(1s, 1s);
  }
  [[nodiscard]] std::uint16_t port(std::string_view name = "plain") const { return server->port(name); }
  [[nodiscard]] std::string url(std::string_view path, std::string_view name = "plain",
                                std::string_view scheme = "http", std::string_view host = "127.0.0.1") const {
    return fmt::format("{}://{}:{}{}", scheme, host, port(name), path);
  }
  Result<ClientReply> get(std::string_view path) {
    return run_now(http_request({.url = url(path)}, {.allow_plain = true}));
  }

  runtime::Shards shards{2};
  Routes handler;
  std::unique_ptr<HttpServer> server;
  Result<void> started;
};

}  // namespace schakel::net::testing_
