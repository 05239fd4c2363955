// A plain HTTP client that blocks, sends what it is told and shows every byte: for tests of the portal over a real
// server.
#pragma once
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <map>

#include "core/portal/portal.hpp"
#include "tests/support/fake_portal_backend.hpp"
#include "tests/unit/portal/support.hpp"

namespace schakel::test {

struct Answer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  [[nodiscard]] std::string header(std::string_view name) const {
    for (const auto& [k, v] : headers)
      if (net::equal_ignoring_case(k, name)) return v;
    return {};
  }
};

class Wire {
 public:
  explicit Wire(std::uint16_t port) : socket_(io_) { socket_.connect({boost::asio::ip::address_v4::loopback(), port}); }
  void send(const std::string& bytes) { boost::asio::write(socket_, boost::asio::buffer(bytes)); }
  /// At most n bytes; empty when the other side closed or broke off.
  std::string some(std::size_t n) {
    std::string out(n, '\0');
    boost::system::error_code ec;
    out.resize(socket_.read_some(boost::asio::buffer(out), ec));
    return out;
  }
  Answer answer() {
    std::string raw;
    while (raw.find("\r\n\r\n") == raw.npos) {
      auto more = some(4096);
      if (more.empty()) return {};
      raw += more;
    }
    Answer a;
    const auto end = raw.find("\r\n\r\n");
    a.status = std::stoi(raw.substr(9, 3));
    std::size_t at = raw.find("\r\n") + 2;
    while (at < end) {
      const auto stop = raw.find("\r\n", at), colon = raw.find(": ", at);
      a.headers.emplace_back(raw.substr(at, colon - at), raw.substr(colon + 2, stop - colon - 2));
      at = stop + 2;
    }
    a.body = raw.substr(end + 4);
    const auto length = a.header("content-length");
    const std::size_t size = length.empty() ? 0 : std::stoul(length);
    while (a.body.size() < size) {
      auto more = some(65536);
      if (more.empty()) break;
      a.body += more;
    }
    return a;
  }

 private:
  boost::asio::io_context io_;
  boost::asio::ip::tcp::socket socket_;
};

/// A browser with one cookie jar, towards the portal.
struct Browser {
  std::uint16_t port;
  std::string origin;
  std::map<std::string, std::string> cookies;
  std::vector<std::pair<std::string, std::string>> extra;

  Answer request(const std::string& method, const std::string& path, const std::string& body = "",
                 const std::string& type = "application/x-www-form-urlencoded", bool own_origin = true) {
    std::string head = method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n";
    std::string jar;
    for (const auto& [k, v] : cookies) jar += (jar.empty() ? "" : "; ") + k + "=" + v;
    if (!jar.empty()) head += "Cookie: " + jar + "\r\n";
    for (const auto& [k, v] : extra) head += k + ": " + v + "\r\n";
    if (method == "POST") {
      head += "Content-Type: " + type + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
      if (own_origin) head += "Origin: " + origin + "\r\n";
    }
    Wire wire(port);
    wire.send(head + "\r\n" + body);
    auto a = wire.answer();
    for (const auto& [k, v] : a.headers)
      if (net::equal_ignoring_case(k, "set-cookie")) {
        const auto eq = v.find('=');
        cookies[v.substr(0, eq)] = v.substr(eq + 1, v.find(';') - eq - 1);
      }
    return a;
  }
  Answer get(const std::string& path) { return request("GET", path); }
  Answer post(const std::string& path, const std::string& body) { return request("POST", path, body); }
  /// The token that a page of this session carries.
  std::string csrf(const std::string& path) {
    const auto body = get(path).body;
    const auto at = body.find("name=\"csrf\" value=\"");
    return at == body.npos ? "" : body.substr(at + 19, 43);
  }
};

/// Portal, server and pretended broker on one shard.
struct PortalTest : LinkTest {
  FakePortalBackend backend{clock};
  portal::RateLimiter limiter{*store, *vault, clock};
  std::unique_ptr<portal::Portal> portal;
  runtime::Shards shards{1};
  std::unique_ptr<net::HttpServer> server;
  std::string doc1, doc2;
  milliseconds refusal_time{0};

  void SetUp() override {
    LinkTest::SetUp();
    doc1 = backend.add("opp", to_bytes("%PDF-1.7 inhoud van het OPP"));
    doc2 = backend.add("groeidocument", to_bytes("%PDF-1.7 groei"));
    backend.links = &links;
    start();
  }
  void TearDown() override {
    if (server) server->stop(milliseconds{200});
    shards.stop(milliseconds{200}, milliseconds{200});
  }
  void start() {
    portal::PortalOptions o;
    o.share = SCHAKEL_BINARY_DIR "/share/schakel/portal";
    o.public_url = "https://portaal.example";
    o.refusal_time = refusal_time;
    o.upload_bytes = 1'000'000;
    auto made = portal::Portal::open(backend, links, limiter, o);
    ASSERT_TRUE(made) << made.error().message;
    portal = std::move(*made);
    shards.start();
    net::ServerOptions s;
    s.listeners = {{"portal", net::TcpEndpoint{}, nullptr}};
    server = std::make_unique<net::HttpServer>(shards, *portal, s);
    ASSERT_TRUE(server->start());
  }
  Browser browser() { return {server->port("portal"), "https://portaal.example", {}, {}}; }
  IssuedLink recipient_link(std::string delivery = "d1") {
    auto o = order(std::move(delivery));
    o.documents = {doc1};
    return issue(o);
  }
  IssuedLink workplace_link() {
    auto o = order("w1");
    o.role = "school_ib", o.workplace = true, o.documents = {};
    return issue(o);
  }
  /// A browser that went through link and code.
  Browser entered(const IssuedLink& link) {
    auto b = browser();
    EXPECT_EQ(b.post("/l/" + link.id + "/openen", "sleutel=" + secret_of_url(link.url)).status, 303);
    const auto token = b.csrf("/l/" + link.id + "/code");
    EXPECT_EQ(b.post("/l/" + link.id + "/code/nieuw", "csrf=" + token).status, 303);
    EXPECT_EQ(b.post("/l/" + link.id + "/code", "csrf=" + token + "&code=" + sms.code()).status, 303);
    return b;
  }
};

}  // namespace schakel::test
