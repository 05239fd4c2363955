// The portal on a real HTTP server with a pretended broker behind it: what the browser tests play against when there is
// no broker.
//
// Prints one line of JSON: {"portal": "...", "control": "..."}. The control port answers in JSON:
//   GET /mails (role and link of every mail), GET /sms (last code), GET /totp (code of the app), POST /refuse?CODE,
//   POST /allow, GET /workplace (a link to the work place).
#include <csignal>
#include <iostream>
#include <thread>

#include "core/portal/portal.hpp"
#include "core/portal/totp.hpp"
#include "core/store/sqlite/sqlite_store.hpp"
#include "tests/support/fake_portal_backend.hpp"
#include "tests/support/run_now.hpp"

namespace {

using namespace schakel;

struct ShownSms final : portal::SmsSender {
  std::mutex mutex;
  std::string last;
  Task<Result<void>> send(std::string, std::string text) override {
    const std::lock_guard lock(mutex);
    last = text.substr(text.find_first_of("0123456789"), 8);
    co_return Result<void>{};
  }
};

struct Control final : net::HttpHandler {
  test::FakePortalBackend& backend;
  portal::LinkService& links;
  ShownSms& sms;
  const Clock& clock;
  Bytes seed;
  std::mutex mutex;
  Json mails = Json::array();
  int workplaces = 0;

  Control(test::FakePortalBackend& b, portal::LinkService& l, ShownSms& s, const Clock& c)
      : backend(b), links(l), sms(s), clock(c) {}

  Task<net::HeadDecision> on_head(const net::RequestHead&) override { co_return net::Accept{}; }
  Task<net::Response> on_request(net::Request& request) override {
    Json answer{{"ok", true}};
    const auto& path = request.head.path;
    if (path == "/mails") {
      const std::lock_guard lock(mutex);
      answer = mails;
    } else if (path == "/sms") {
      const std::lock_guard lock(sms.mutex);
      answer["code"] = sms.last;
    } else if (path == "/totp") {
      answer["code"] =
          portal::hotp(seed, static_cast<std::uint64_t>(portal::totp_step(clock.now())), portal::totp_profile(seed));
    } else if (path == "/refuse") {
      backend.refuse = {request.head.query};
    } else if (path == "/allow") {
      backend.refuse.clear();
    } else if (path == "/workplace") {
      LinkOrder o;
      o.delivery = "workplace-" + std::to_string(++workplaces);
      o.case_id = "case-1", o.role = "school_ib", o.person = "noor", o.workplace = true;
      o.expires = clock.now() + std::chrono::hours(24 * 30);
      o.second_factor = "sms:+31600000012";
      auto issued = co_await links.issue(std::move(o));
      answer["url"] = issued ? issued->url : "";
    }
    net::Response r;
    r.headers = {{"Content-Type", "application/json"}};
    r.body = dump_json(answer);
    co_return r;
  }
};

}  // namespace

int main(int argc, char** argv) {
  const std::string share = argc > 1 ? argv[1] : SCHAKEL_BINARY_DIR "/share/schakel/portal";
  SystemClock clock;
  auto store = std::move(*store::SqliteStore::open(":memory:", clock));
  auto vault = std::move(*test::run_now(
      vault::Vault::open(*store, clock, std::move(*vault::MasterKey::from_bytes(Secret(random_bytes(32)))))));
  const auto seed = to_bytes("12345678901234567890");
  store::Transaction t;
  t.ops.push_back(*test::run_now(vault->put_secret("totp:app-1", Secret(Bytes(seed)))));
  if (!test::run_now(store->commit(std::move(t)))) return 1;

  runtime::Shards shards(1);
  ShownSms sms;
  test::FakePortalBackend backend(clock);
  // The port is known only when the server listens, and the address is part of every link: one port is chosen first.
  std::uint16_t port = static_cast<std::uint16_t>(argc > 2 ? std::stoi(argv[2]) : 18443);
  const auto url = "http://127.0.0.1:" + std::to_string(port);
  portal::LinkService links(*store, *vault, clock, &sms, {.public_url = url});
  portal::RateLimiter limiter(*store, *vault, clock);
  backend.links = &links;
  Control control(backend, links, sms, clock);
  control.seed = seed;
  backend.on_mail = [&](const std::string& role, const std::string& link) {
    const std::lock_guard lock(control.mutex);
    control.mails.push_back({{"role", role}, {"url", link}});
  };
  links.on_event([&](const portal::LinkEvent& e) {
    if (e.kind == "opened") backend.mark(e.link.id, "geopend");
    if (e.kind == "downloaded") backend.mark(e.link.id, "gedownload");
  });
  portal::PortalOptions options;
  options.share = share;
  options.public_url = url;
  options.organisation = "Schakel";
  options.contact = "Bel de intern begeleider van uw school.";
  auto portal = portal::Portal::open(backend, links, limiter, options);
  if (!portal) {
    std::cerr << portal.error().message << "\n";
    return 1;
  }
  shards.start();
  net::ServerOptions web;
  web.listeners = {{"portal", net::TcpEndpoint{"127.0.0.1", port}, nullptr}};
  net::HttpServer server(shards, **portal, web);
  net::ServerOptions side;
  side.listeners = {{"control", net::TcpEndpoint{"127.0.0.1", 0}, nullptr}};
  net::HttpServer steering(shards, control, side);
  if (auto r = server.start(); !r) {
    std::cerr << r.error().message << "\n";
    return 1;
  }
  if (auto r = steering.start(); !r) return 1;
  std::cout << dump_json(
                   Json{{"portal", url}, {"control", "http://127.0.0.1:" + std::to_string(steering.port("control"))}})
            << std::endl;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  int got = 0;
  sigwait(&set, &got);
  server.stop(milliseconds{500});
  steering.stop(milliseconds{500});
  shards.stop(milliseconds{500}, milliseconds{500});
  return 0;
}
