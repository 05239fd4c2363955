// The client against scripted servers that lie, stall and break: the error says what may have happened.
#include <thread>

#include "tests/unit/net/net_fixture.hpp"

namespace schakel::net {
namespace {
using namespace testing_;
using namespace std::string_literals;

/// Accepts one connection, reads until the end of a request head (or does not), writes its script, and closes or holds.
class Scripted {
 public:
  enum class After { close, hold, reset };
  Scripted(std::string script, After after, bool read_first = true) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
    EXPECT_EQ(::listen(fd_, 1), 0);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
    port = ntohs(at.sin_port);
    thread_ = std::thread([this, script = std::move(script), after, read_first] { serve(script, after, read_first); });
  }
  ~Scripted() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  [[nodiscard]] std::string url(std::string_view path = "/") const {
    return fmt::format("http://127.0.0.1:{}{}", port, path);
  }
  std::uint16_t port = 0;
  std::string seen;

 private:
  void serve(const std::string& script, After after, bool read_first) {
    const int peer = ::accept(fd_, nullptr, nullptr);
    if (peer < 0) return;
    char piece[4096];
    while (read_first && seen.find("\r\n\r\n") == std::string::npos) {
      const auto n = ::recv(peer, piece, sizeof piece, 0);
      if (n <= 0) break;
      seen.append(piece, static_cast<std::size_t>(n));
    }
    ::send(peer, script.data(), script.size(), MSG_NOSIGNAL);
    if (after == After::hold) {
      while (::recv(peer, piece, sizeof piece, 0) > 0) {
      }
    }
    if (after == After::reset) {
      const linger now{1, 0};
      ::setsockopt(peer, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    ::close(peer);
  }
  int fd_;
  std::thread thread_;
};
using After = Scripted::After;

ClientOptions quick(milliseconds deadline = 5000ms) {
  return {.deadline = deadline, .max_response_bytes = 1000, .allow_plain = true};
}

Result<ClientReply> answer_to(std::string script, After after = After::close, std::string method = "GET") {
  const Scripted server(std::move(script), after);
  return run_now(
      http_request({.method = std::move(method), .url = server.url()}, quick(after == After::hold ? 200ms : 5000ms)));
}

std::string code_of(const Result<ClientReply>& r) { return r ? "status " + std::to_string(r->status) : r.error().code; }

TEST(Client, AnswersOfManyShapesAreRead) {
  EXPECT_EQ(answer_to("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")->body, "hello");
  EXPECT_EQ(answer_to("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", After::hold)->body, "hello")
      << "no waiting for the end of the connection";
  EXPECT_EQ(
      answer_to("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", After::hold)
          ->body,
      "hello!");
  EXPECT_EQ(answer_to("HTTP/1.0 200 OK\r\n\r\nuntil the end")->body, "until the end");
  EXPECT_EQ(answer_to("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n")
                ->headers.get("location"),
            "/x");
  EXPECT_EQ(answer_to("HTTP/1.1 204 No Content\r\n\r\n", After::hold)->status, 204);
  EXPECT_EQ(answer_to("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", After::hold, "HEAD")->status, 200);
  EXPECT_EQ(answer_to("HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\nno")->body, "no");
}

TEST(Client, RedirectIsAnAnswerAndIsNotFollowed) {
  Running running;
  const auto reply = answer_to("HTTP/1.1 302 Found\r\nLocation: " + running.url("/") + "\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 302);
  EXPECT_EQ(running.handler.heads, 0);
}

TEST(Client, WhatIsNoCompleteAnswerIsMalformed) {
  const std::string head = "HTTP/1.1 200 OK\r\n";
  for (const auto& script : std::vector<std::string>{
           "SSH-2.0-OpenSSH_9.2\r\n", "\x15\x03\x03\x00\x02\x02\x46"s, "HTTP/1.1\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n",
           "HTTP/9.9 200 OK\r\n\r\n", head, head + "Content-Le", head + "Content-Length: 5\r\n\r\nhel",
           head + "Content-Length: -5\r\n\r\nhello", head + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
           head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhel",
           head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
           head + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", head + "bad header\r\n\r\n",
           head + "A: " + std::string(40'000, 'b') + "\r\n\r\n", "HTTP/1.1 600 No\r\nContent-Length: 0\r\n\r\n"}) {
    SCOPED_TRACE(script.substr(0, 60));
    const auto reply = answer_to(script);
    EXPECT_EQ(code_of(reply), "HTTP_MALFORMED");
  }
  std::string interim;
  for (int i = 0; i < 10; ++i) interim += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_EQ(code_of(answer_to(interim)), "HTTP_MALFORMED");
}

TEST(Client, LargerAnswerThanAllowedIsCutOffHoweverItIsFramed) {
  EXPECT_EQ(code_of(answer_to("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", After::hold)), "HTTP_TOO_LARGE")
      << "before the body came";
  EXPECT_EQ(code_of(answer_to("HTTP/1.1 200 OK\r\n\r\n" + std::string(1001, 'x'))), "HTTP_TOO_LARGE");
  EXPECT_EQ(code_of(answer_to("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, 'x') +
                              "\r\n0\r\n\r\n")),
            "HTTP_TOO_LARGE");
  EXPECT_EQ(code_of(answer_to("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'x'))),
            "status 200");
}

TEST(Client, NobodyListensIsRefusedAndSafeToRepeat) {
  std::uint16_t port = 0;
  {
    port = Scripted("", After::close).port;
  }
  const auto reply = run_now(http_request({.url = fmt::format("http://127.0.0.1:{}/", port)}, quick()));
  EXPECT_EQ(code_of(reply), "HTTP_REFUSED");
  EXPECT_EQ(code_of(run_now(http_request({.url = "http://no-such-host.invalid/"}, quick(20s)))), "HTTP_REFUSED");
}

TEST(Client, SilenceAfterTheRequestIsAnUnknownOutcome) {
  const auto silent = answer_to("", After::hold);
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error().code, "HTTP_OUTCOME_UNKNOWN");
  EXPECT_EQ(silent.error().kind, ErrorKind::timeout);
  const auto half = answer_to("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", After::hold);
  EXPECT_EQ(code_of(half), "HTTP_OUTCOME_UNKNOWN");
  const auto gone = answer_to("", After::close);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, "HTTP_OUTCOME_UNKNOWN");
  EXPECT_EQ(gone.error().kind, ErrorKind::io);
  EXPECT_EQ(code_of(answer_to("", After::reset)), "HTTP_OUTCOME_UNKNOWN");
}

TEST(Client, TimeOutInTheHandshakeIsBeforeTheRequest) {
  const Scripted server("", After::hold, false);
  const auto folder = fresh_folder();
  const test::TestPki pki(folder);
  auto tls = TlsClientContext::load({.ca_file = pki.root()});
  ASSERT_TRUE(tls);
  const auto reply = run_now(
      http_request({.url = fmt::format("https://127.0.0.1:{}/", server.port)}, {.deadline = 200ms, .tls = *tls}));
  EXPECT_EQ(code_of(reply), "HTTP_TIMEOUT_BEFORE_SEND");
  EXPECT_EQ(reply.error().kind, ErrorKind::timeout);
  std::filesystem::remove_all(folder);
}

TEST(Client, PlainServerOnAnHttpsUrlIsATlsError) {
  const Scripted server("HTTP/1.1 400 Bad\r\n\r\n", After::close, false);
  const auto folder = fresh_folder();
  const test::TestPki pki(folder);
  auto tls = TlsClientContext::load({.ca_file = pki.root()});
  const auto reply = run_now(http_request({.url = fmt::format("https://127.0.0.1:{}/", server.port)}, {.tls = *tls}));
  EXPECT_EQ(code_of(reply), "HTTP_TLS");
  std::filesystem::remove_all(folder);
}

TEST(Client, UrlsThatAreNotPlainlyOnesAreRefusedUnsent) {
  for (const auto* url :
       {"", "nonsense", "/path", "ftp://a/", "file:///etc/passwd", "http://", "http://user:pw@127.0.0.1/",
        "http://127.0.0.1/#f", "http://127.0.0.1:0/", "http://127.0.0.1:99999/", "http://127.0.0.1:abc/",
        "http://127.0.0.1/a b", "http://127.0.0.1/\r\nX: y"})
    EXPECT_EQ(code_of(run_now(http_request({.url = url}, quick()))), "HTTP_URL") << url;
  EXPECT_EQ(code_of(run_now(http_request({.url = "http://127.0.0.1:1/"}, {}))), "HTTP_URL")
      << "plain only where it is allowed";
  EXPECT_EQ(code_of(run_now(http_request({.url = "https://127.0.0.1:1/"}, {}))), "HTTP_URL") << "TLS needs settings";
}

TEST(Client, HeaderThatWouldSplitTheRequestIsRefusedUnsent) {
  Running running;
  for (const auto& [name, value] :
       std::vector<Header>{{"X", "a\r\nB: c"}, {"X\r\nY", "a"}, {"", "a"}, {"X", "a\0b"s}, {"X:", "a"}}) {
    ClientRequest request{.url = running.url("/")};
    request.headers.add(name, value);
    EXPECT_EQ(code_of(run_now(http_request(std::move(request), quick()))), "HTTP_HEADER");
  }
  EXPECT_EQ(code_of(run_now(http_request({.method = "GET / HTTP/1.1\r\n", .url = running.url("/")}, quick()))),
            "HTTP_HEADER");
  EXPECT_EQ(running.handler.heads, 0);
}

TEST(Client, FramingHeadersOfTheCallerAreNotSent) {
  const Scripted server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", After::close);
  ClientRequest request{.method = "POST",
                        .url = server.url("/p?q=1"),
                        .headers = {{"Host", "evil"}, {"content-length", "99"}, {"X-Own", "1"}},
                        .body = ""};
  EXPECT_TRUE(run_now(http_request(std::move(request), quick())));
  EXPECT_TRUE(server.seen.starts_with("POST /p?q=1 HTTP/1.1\r\nHost: 127.0.0.1:"));
  EXPECT_EQ(server.seen.find("evil"), std::string::npos);
  EXPECT_EQ(server.seen.find(": 99"), std::string::npos);
  EXPECT_NE(server.seen.find("X-Own: 1\r\n"), std::string::npos);
  EXPECT_NE(server.seen.find("Content-Length: 0\r\n"), std::string::npos);
}

TEST(Client, EarlyRefusalOfAnUploadIsHeard) {
  Running running;
  ClientRequest request{
      .method = "POST", .url = running.url("/refuse"), .stream = std::make_unique<Numbers>(50'000'000, ~0ULL, true)};
  const auto reply = run_now(http_request(std::move(request), quick()));
  // The server throws away 256 KiB of what still comes and then closes; the answer may be lost to the reset.
  EXPECT_TRUE(code_of(reply) == "status 403" || code_of(reply) == "HTTP_OUTCOME_UNKNOWN") << code_of(reply);
  EXPECT_EQ(running.handler.requests, 0);
}

TEST(Client, ProducerThatFailsIsReportedAndTheServerSeesABrokenUpload) {
  Running running;
  std::atomic<std::int64_t> sent = 0;
  ClientRequest request{.method = "POST",
                        .url = running.url("/up"),
                        .stream = std::make_unique<Numbers>(1'000'000, 200'000, true, &sent)};
  EXPECT_EQ(code_of(run_now(http_request(std::move(request), quick()))), "REVOKED");
  EXPECT_EQ(sent, -1 - 200'000);
}

class Collect final : public BodySink {
 public:
  explicit Collect(std::size_t limit) : limit_(limit) {}
  Task<Result<void>> write(ByteView piece) override {
    if (body.size() + piece.size() > limit_) co_return fail(ErrorKind::io, "DISK_FULL", "no room");
    body += as_text(piece);
    co_return Result<void>{};
  }
  std::string body;

 private:
  std::size_t limit_;
};

TEST(Client, SinkGetsTheBodyInPiecesAndMayStopIt) {
  Running running;
  Collect all(10'000'000);
  auto reply = run_now(http_request({.url = running.url("/down")},
                                    {.max_response_bytes = 6'000'000, .allow_plain = true, .sink = &all}));
  ASSERT_TRUE(reply) << code_of(reply);
  EXPECT_EQ(reply->body, "");
  EXPECT_EQ(all.body, letters(5'000'000));
  Collect little(1000);
  EXPECT_EQ(code_of(run_now(http_request({.url = running.url("/down")},
                                         {.max_response_bytes = 6'000'000, .allow_plain = true, .sink = &little}))),
            "DISK_FULL");
  Collect error(1000);
  reply = run_now(http_request({.url = running.url("/refuse")}, {.allow_plain = true, .sink = &error}));
  ASSERT_TRUE(reply);
  EXPECT_EQ(error.body, "");
  EXPECT_NE(reply->body.find("NOT_YOURS"), std::string::npos) << "the text of an error is no content";
}

}  // namespace
}  // namespace schakel::net
