#include <sys/stat.h>

#include <thread>

#include "core/net/body_budget.hpp"
#include "tests/unit/net/net_fixture.hpp"

namespace schakel::net {
namespace {
using namespace testing_;

ClientOptions plain() { return {.allow_plain = true}; }

TEST(Server, AnswersAndKeepsTheConnection) {
  Running running;
  RawClient client(running.port());
  for (int i = 0; i < 3; ++i) {
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto answer = client.read("hello");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\nDate: ")) << answer;
    EXPECT_NE(answer.find("Content-Length: 5\r\n"), std::string::npos);
    EXPECT_EQ(answer.find("Connection: close"), std::string::npos);
  }
  EXPECT_EQ(running.server->stats().connections_total, 1);
  client.send("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const auto head = client.read();
  EXPECT_NE(head.find("Content-Length: 5\r\n"), std::string::npos);
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
  EXPECT_TRUE(client.closed());
}

TEST(Server, DeclaredBodyOverTheLimitIs413BeforeAByteIsRead) {
  Running running;
  RawClient client(running.port());
  client.send("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n");
  const auto answer = client.read();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 413")) << answer;
  EXPECT_EQ(answer.find("100 Continue"), std::string::npos);
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(running.server->stats().body_bytes_read, 0);
  EXPECT_EQ(running.handler.requests, 0);
}

TEST(Server, ClientThatSendsAllOfATooLargeBodyStillReadsThe413) {
  Running running;
  const auto reply = run_now(
      http_request({.method = "POST", .url = running.url("/echo"), .body = std::string(3'000'000, 'x')}, plain()));
  ASSERT_TRUE(reply) << reply.error().code;
  EXPECT_EQ(reply->status, 413);
  EXPECT_EQ(running.server->stats().body_bytes_read, 0);
}

TEST(Server, ChunkedBodyOverTheLimitIs413WhenItPassesIt) {
  Running running;
  RawClient client(running.port());
  client.send(
      "POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n12345678\r\n3\r\nabc\r\n0\r\n\r\n");
  EXPECT_TRUE(client.read().starts_with("HTTP/1.1 413"));
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(running.handler.requests, 0);
}

TEST(Server, HandlerRefusesOnTheHeadBeforeTheBodyIsInvited) {
  Running running;
  RawClient client(running.port());
  client.send("POST /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  const auto answer = client.read();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 403"));
  EXPECT_NE(answer.find("\"code\":\"NOT_YOURS\""), std::string::npos);
  EXPECT_EQ(running.server->stats().body_bytes_read, 0);
}

TEST(Server, ExpectationIsAnsweredAfterTheHeadWasAccepted) {
  Running running;
  RawClient client(running.port());
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(running.handler.heads, 1);
  EXPECT_EQ(running.handler.requests, 0);
  client.send("12345");
  EXPECT_TRUE(client.read("12345").starts_with("HTTP/1.1 200"));
}

TEST(Server, StreamedUploadArrivesWhole) {
  Running running;
  std::atomic<std::int64_t> sent = 0;
  for (const bool announced : {true, false}) {
    ClientRequest request{.method = "POST",
                          .url = running.url("/up"),
                          .stream = std::make_unique<Numbers>(3'000'000, ~0ULL, announced, &sent)};
    const auto reply = run_now(http_request(std::move(request), plain()));
    ASSERT_TRUE(reply) << reply.error().code;
    EXPECT_EQ(reply->body, "3000000 " + sha256_hex(letters(3'000'000)));
    EXPECT_EQ(sent, 3'000'000);
  }
}

TEST(Server, UploadThatBreaksOffIsSeenByTheHandlerAsAnError) {
  Running running;
  RawClient client(running.port());
  client.send("POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf");
  client.end_of_sending();
  const auto answer = client.read();
  EXPECT_NE(answer.find("BODY_BROKEN"), std::string::npos) << answer;
  EXPECT_TRUE(client.closed());
}

TEST(Server, UploadThatTheHandlerDoesNotReadEndsTheConnection) {
  Running running;
  RawClient client(running.port());
  client.send("POST /up-ignored HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  EXPECT_NE(client.read("unread").find("200"), std::string::npos);
}

TEST(Server, StreamedDownloadsArriveWhole) {
  Running running;
  auto reply =
      run_now(http_request({.url = running.url("/down")}, {.max_response_bytes = 6'000'000, .allow_plain = true}));
  ASSERT_TRUE(reply) << reply.error().code;
  EXPECT_EQ(reply->headers.get("Transfer-Encoding"), "chunked");
  EXPECT_EQ(sha256_hex(reply->body), sha256_hex(letters(5'000'000)));
  EXPECT_EQ(running.handler.download, 5'000'000);
  reply = run_now(http_request({.url = running.url("/down-sized")}, plain()));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->headers.get("Content-Length"), "300000");
  EXPECT_EQ(reply->body, letters(300'000));
}

TEST(Server, DownloadThatIsBrokenOffNeverLooksComplete) {
  Running running;
  for (const auto* path : {"/down-broken", "/down-broken?sized"}) {
    const auto reply =
        run_now(http_request({.url = running.url(path)}, {.max_response_bytes = 6'000'000, .allow_plain = true}));
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, "HTTP_MALFORMED");
    EXPECT_EQ(running.handler.download, -1 - 1'000'000) << "the producer knows how far it got";
  }
  EXPECT_EQ(settles_at(running.server->stats().responses_broken_off, 2), 2);
}

TEST(Server, ClientThatLeavesDuringADownloadEndsTheProducer) {
  Running running;
  {
    RawClient client(running.port());
    client.send("GET /down HTTP/1.1\r\nHost: a\r\n\r\n");
    client.read("abcdef");
  }
  EXPECT_TRUE(running.server->stop(5s));
  EXPECT_LT(running.handler.download, 0);
}

TEST(Server, ExceptionIsA500WithoutItsText) {
  Running running;
  const auto reply = running.get("/throw");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 500);
  EXPECT_EQ(reply->body.find("secret"), std::string::npos);
  EXPECT_EQ(running.get("/")->status, 200);
}

TEST(Server, HeaderThatWouldSplitTheResponseBecomesA500) {
  Running running;
  const auto reply = running.get("/bad-header");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 500);
  EXPECT_FALSE(reply->headers.has("Set-Cookie"));
}

TEST(Server, NoContentHasNoBodyAndNoLength) {
  Running running;
  const auto reply = running.get("/nothing");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 204);
  EXPECT_FALSE(reply->headers.has("Content-Length"));
}

TEST(Server, SlowHeadIsCutOff) {
  ServerOptions options;
  options.limits.head_time = 100ms;
  Running running(std::move(options));
  RawClient client(running.port());
  client.send("GET / HTTP/1.1\r\nHost:");
  EXPECT_EQ(client.read(), "");
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(settles_at(running.server->stats().timeouts, 1), 1);
  EXPECT_EQ(running.get("/")->status, 200);
}

TEST(Server, IdleConnectionIsClosed) {
  ServerOptions options;
  options.limits.idle_time = 100ms;
  Running running(std::move(options));
  RawClient client(running.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(client.read().starts_with("HTTP/1.1 200"));
  EXPECT_TRUE(client.closed());
}

TEST(Server, BodySlowerThanTheMinimumRateIsCutOff) {
  ServerOptions options;
  options.limits.rate_grace = 100ms;
  Running running(std::move(options));
  RawClient client(running.port());
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nab");
  EXPECT_EQ(client.read(), "");
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(settles_at(running.server->stats().timeouts, 1), 1);
}

TEST(Server, ClientThatDoesNotReadIsCutOff) {
  ServerOptions options;
  options.limits.idle_time = 100ms;
  Running running(std::move(options));
  RawClient client(running.port());
  for (int i = 0; i < 4; ++i) client.send("GET /down HTTP/1.1\r\nHost: a\r\n\r\n");  // 20 MB fit in no socket buffer
  while (running.server->stats().timeouts == 0) std::this_thread::yield();
  EXPECT_EQ(running.get("/")->status, 200);
}

TEST(Server, WorkThatTakesTooLongIs504AndIsCancelled) {
  ServerOptions options;
  options.limits.request_time = 100ms;
  Running running(std::move(options));
  const auto reply = running.get("/hang");
  ASSERT_TRUE(reply) << reply.error().code;
  EXPECT_EQ(reply->status, 504);
}

TEST(Server, OverloadIs503WithRetryAfterBeforeTheHandlerIsAsked) {
  ServerOptions options;
  std::atomic<bool> full = true;
  options.overloaded = [&](const RequestHead&) { return full ? std::optional(std::chrono::seconds(7)) : std::nullopt; };
  Running running(std::move(options));
  const auto reply = running.get("/");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 503);
  EXPECT_EQ(retry_after(reply->headers), std::chrono::seconds(7));
  EXPECT_EQ(running.handler.heads, 0);
  full = false;
  EXPECT_EQ(running.get("/")->status, 200);
}

TEST(Server, BodiesHeldInMemoryHaveACeilingForEachPeerAndTheirPlaceComesBack) {
  ServerOptions options;
  options.limits.bodies_per_peer = 1000;
  Running running(std::move(options));
  const auto whole = letters(800);
  {
    RawClient slow(running.port());
    slow.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 800\r\nExpect: 100-continue\r\n\r\n");
    slow.read("100 Continue\r\n\r\n");
    slow.send(whole.substr(0, 700));
    settles_at(running.server->stats().body_bytes_read, 700);
    RawClient declared(running.port());
    declared.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 800\r\nExpect: 100-continue\r\n\r\n");
    const auto refused = declared.read();
    EXPECT_TRUE(refused.starts_with("HTTP/1.1 503")) << "before the body is invited";
    EXPECT_NE(refused.find("OVERLOADED"), std::string::npos);
    EXPECT_NE(refused.find("Retry-After: 5\r\n"), std::string::npos);
    RawClient chunked(running.port());
    chunked.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n320\r\n" + whole +
                 "\r\n0\r\n\r\n");
    EXPECT_TRUE(chunked.read().starts_with("HTTP/1.1 503")) << "a body without a length counts as it comes";
    slow.send(whole.substr(700));
    EXPECT_NE(slow.read(whole).find("HTTP/1.1 200"), std::string::npos) << "what was there first goes on";
  }
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(run_now(http_request({.method = "POST", .url = running.url("/echo"), .body = whole}, plain()))->status,
              200)
        << "no place is lost";
}

TEST(Server, BodiesHeldInMemoryHaveACeilingOverAll) {
  BodyBudget budget(100, 80);
  BodyBudget::Hold a(budget, "a"), b(budget, "b");
  EXPECT_FALSE(a.grow(81));
  EXPECT_TRUE(a.grow(70));
  EXPECT_TRUE(b.fits(30));
  EXPECT_FALSE(b.grow(31));
  EXPECT_FALSE(b.fits(~0ULL));
  EXPECT_TRUE(b.grow(30));
  EXPECT_EQ(budget.held(), 100u);
}

TEST(Server, DecorateReachesRefusalsToo) {
  ServerOptions options;
  options.decorate = [](const RequestHead* head, Response& r) {
    r.headers.set("X-Frame-Options", head == nullptr ? "none" : "DENY");
  };
  Running running(std::move(options));
  EXPECT_EQ(running.get("/")->headers.get("x-frame-options"), "DENY");
  RawClient client(running.port());
  client.send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_NE(client.read().find("X-Frame-Options: none\r\n"), std::string::npos);
}

TEST(Server, ConnectionsOverTheLimitAreClosedAndPlaceComesBack) {
  ServerOptions options;
  options.limits.connections_per_address = 2;
  Running running(std::move(options));
  {
    RawClient a(running.port());
    RawClient b(running.port());
    a.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    a.read("hello");
    b.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    b.read("hello");
    RawClient c(running.port());
    c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(c.read(), "");
    EXPECT_EQ(running.server->stats().connections_refused, 1);
  }
  while (running.server->stats().connections_open > 0) std::this_thread::yield();
  EXPECT_EQ(running.get("/")->status, 200);
}

TEST(Server, StopLetsTheRequestUnderWayEndAndClosesIdleOnes) {
  Running running;
  RawClient idle(running.port());
  idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  idle.read("hello");
  RawClient busy(running.port());
  busy.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  while (running.handler.requests < 2) std::this_thread::yield();
  const auto port = running.port();
  EXPECT_TRUE(running.server->stop(10s));
  const auto answer = busy.read();
  EXPECT_NE(answer.find("done"), std::string::npos);
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
  EXPECT_EQ(idle.read(), "");
  EXPECT_TRUE(idle.closed());
  RawClient late(port);
  EXPECT_FALSE(late.connected());
}

TEST(Server, StopCutsWhatDoesNotEnd) {
  Running running;
  RawClient client(running.port());
  client.send("POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf");
  while (running.handler.requests == 0) std::this_thread::yield();
  EXPECT_FALSE(running.server->stop(50ms));
  client.read();
  EXPECT_TRUE(client.closed());
}

TEST(Server, UnixSocketIsPrivateKnowsItsPeerAndLeavesNoFile) {
  const auto folder = fresh_folder();
  const auto path = (folder / "control.sock").string();
  {
    ServerOptions options;
    options.listeners.push_back({.name = "local", .endpoint = UnixEndpoint{.path = path}});
    Running running(std::move(options));
    ASSERT_TRUE(running.started) << running.started.error().message;
    struct stat st{};
    ASSERT_EQ(::stat(path.c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 0777U, 0600U);
    const auto reply = run_now(http_request({.url = "http://localhost/whoami"}, {.unix_path = path}));
    ASSERT_TRUE(reply) << reply.error().code;
    EXPECT_EQ(Json::parse(reply->body).at("kind"), static_cast<int>(PeerIdentity::Kind::local));
    EXPECT_EQ(Json::parse(reply->body).at("key"), "uid:" + std::to_string(::getuid()));

    ServerOptions second;
    second.listeners.push_back({.name = "local", .endpoint = UnixEndpoint{.path = path}});
    HttpServer rival(running.shards, running.handler, std::move(second));
    const auto taken = rival.start();
    ASSERT_FALSE(taken) << "a live socket is not taken over";
    EXPECT_EQ(taken.error().code, "LISTEN_FAILED");
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  const auto refused = run_now(http_request({.url = "http://localhost/"}, {.unix_path = path}));
  EXPECT_EQ(refused.error().code, "HTTP_REFUSED");
  std::filesystem::remove_all(folder);
}

TEST(Server, UnixSocketLeftByADeadProcessIsReplacedAndAFileIsNot) {
  const auto folder = fresh_folder();
  const auto path = (folder / "s").string();
  {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    path.copy(name.sun_path, sizeof name.sun_path - 1);
    ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
    ::close(fd);
  }
  ServerOptions options;
  options.listeners.push_back({.name = "local", .endpoint = UnixEndpoint{.path = path}});
  {
    Running running(options);
    EXPECT_TRUE(running.started);
  }
  std::fclose(std::fopen(path.c_str(), "w"));
  Running running(options);
  ASSERT_FALSE(running.started);
  EXPECT_TRUE(std::filesystem::is_regular_file(path));
  std::filesystem::remove_all(folder);
}

TEST(Server, PortInUseIsAnErrorThatNamesTheListener) {
  Running first;
  ServerOptions options;
  options.listeners.push_back({.name = "partners", .endpoint = TcpEndpoint{.port = first.port()}});
  Running second(std::move(options));
  ASSERT_FALSE(second.started);
  EXPECT_EQ(second.started.error().code, "LISTEN_FAILED");
  EXPECT_NE(second.started.error().message.find("partners"), std::string::npos);
}

TEST(Server, ManyConnectionsAtOnceAreAllAnswered) {
  Running running;
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) {
        const auto reply =
            run_now(http_request({.method = "POST", .url = running.url("/echo"), .body = std::to_string(i)}, plain()));
        if (reply && reply->body == std::to_string(i)) ++good;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 200);
}

}  // namespace
}  // namespace schakel::net
