#include "core/net/http_server.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>

#include "core/base/assert.hpp"
#include "core/base/log.hpp"
#include "core/net/http_connection.hpp"
#include "core/runtime/scope.hpp"

namespace schakel::net {
namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;
using Local = asio::local::stream_protocol;

struct HttpServer::Core : std::enable_shared_from_this<Core> {
  Core(runtime::Shards& s, HttpHandler& h, ServerOptions o)
      : shards(s), handler(h), options(std::move(o)), live(s.size()) {}

  struct Listener {
    const ListenerOptions* options = nullptr;
    std::variant<Tcp::acceptor, Local::acceptor> acceptor;
    std::uint16_t port = 0;
  };

  runtime::Shards& shards;
  HttpHandler& handler;
  ServerOptions options;
  ServerStats stats;
  Quota identities, addresses;
  BodyBudget bodies{options.limits.bodies, options.limits.bodies_per_peer};
  std::atomic<std::size_t> handshakes{0};
  std::atomic<bool> stopping{false};
  std::vector<std::unique_ptr<Listener>> listeners;
  std::vector<std::list<Connection*>> live;  ///< per shard, touched only there
  unsigned next_shard = 0;                   ///< shard 0 only

  std::mutex mutex;
  std::condition_variable changed;
  std::size_t running = 0;  ///< coroutines of ours: acceptors and connections

  void began() {
    const std::lock_guard lock(mutex);
    ++running;
  }
  void ended() {
    const std::lock_guard lock(mutex);
    --running;
    changed.notify_all();
  }
  /// Counts down even when the task is dropped unstarted by a shard that is stopping.
  struct Running {
    explicit Running(std::shared_ptr<Core> c) : core(std::move(c)) { core->began(); }
    ~Running() { core->ended(); }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    std::shared_ptr<Core> core;
  };
  using RunningPtr = std::shared_ptr<Running>;

  Result<void> bind(const ListenerOptions& o, const asio::any_io_executor& executor);
  ConnectionContext context() { return {handler, options, stats, identities, bodies, handshakes, stopping}; }
};

namespace {

using Core = HttpServer::Core;

std::unexpected<Error> listen_failed(const ListenerOptions& o, const std::string& why) {
  return fail(ErrorKind::io, "LISTEN_FAILED", "listener '" + o.name + "': " + why);
}

/// Keeps the connection's place in the list of its shard.
struct Registration {
  Core& core;
  unsigned shard;
  std::list<Connection*>::iterator place;
  Registration(Core& c, unsigned s, Connection* connection)
      : core(c), shard(s), place(c.live[s].insert(c.live[s].end(), connection)) {}
  ~Registration() { core.live[shard].erase(place); }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;
};

/// Gives back what accept took, whatever becomes of the connection.
struct Ticket {
  std::shared_ptr<Core> core;
  std::string address;
  Ticket(std::shared_ptr<Core> c, std::string a) : core(std::move(c)), address(std::move(a)) {}
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;
  ~Ticket() {
    --core->stats.connections_open;
    if (!address.empty()) core->addresses.give(address);
  }
};

Task<> serve(Core::RunningPtr running, std::unique_ptr<Stream> stream, const ListenerOptions& listener,
             std::shared_ptr<Ticket> ticket, unsigned shard) {
  Core& core = *running->core;
  Connection connection(core.context(), std::move(stream), listener.name, ticket->address, listener.tls != nullptr);
  const Registration registration(core, shard, &connection);
  if (core.stopping) co_return;
  co_await connection.run();
}

std::string address_of(const Tcp::socket& socket) {
  error_code ec;
  const auto remote = socket.remote_endpoint(ec);
  if (ec) return "unknown";
  const auto address = remote.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  return address.to_string();
}
std::string address_of(const Local::socket&) { return {}; }

std::unique_ptr<Stream> stream_for(Tcp::socket socket, const ListenerOptions& listener) {
  error_code ignored;
  socket.set_option(Tcp::no_delay(true), ignored);
  if (listener.tls) return tls_server_stream(std::move(socket), listener.tls->current());
  return plain_stream(std::move(socket));
}
std::unique_ptr<Stream> stream_for(Local::socket socket, const ListenerOptions&) {
  return local_stream(std::move(socket));
}

template <class Acceptor>
Task<> accept_loop(Core::RunningPtr running, Acceptor& acceptor, const ListenerOptions& listener) {
  using Socket = typename Acceptor::protocol_type::socket;
  Core& core = *running->core;
  while (!core.stopping) {
    const unsigned shard = core.next_shard++ % core.shards.size();
    auto [ec, socket] =
        co_await acceptor.async_accept(core.shards.executor(shard), asio::as_tuple(asio::use_awaitable));
    if (core.stopping || ec == asio::error::operation_aborted) break;
    if (ec) {
      // Out of descriptors or memory: those that are open go on, and new ones wait in the backlog (trust.md OVL-9).
      log(LogLevel::warn, "http.accept_failed", {{"listener", listener.name}, {"errno", std::int64_t{ec.value()}}});
      co_await runtime::sleep_for(milliseconds{100});
      continue;
    }
    ++core.stats.connections_total;
    Socket moved(std::move(socket));
    const auto address = address_of(moved);
    const auto& limits = core.options.limits;
    const bool room = static_cast<std::size_t>(core.stats.connections_open.load()) < limits.connections;
    if (!room || (!address.empty() && !core.addresses.take(address, limits.connections_per_address))) {
      ++core.stats.connections_refused;
      error_code ignored;
      moved.close(ignored);
      continue;
    }
    ++core.stats.connections_open;
    auto ticket = std::make_shared<Ticket>(core.shared_from_this(), address);
    auto counted = std::make_shared<Core::Running>(core.shared_from_this());
    auto task = serve(std::move(counted), stream_for(std::move(moved), listener), listener, std::move(ticket), shard);
    core.shards.spawn(shard, std::move(task), "http.connection");
  }
  error_code ignored;
  acceptor.close(ignored);
}

/// A socket file that nobody listens on is left over from a process that was killed.
Result<void> clear_path(const UnixEndpoint& endpoint, const ListenerOptions& o) {
  struct stat found{};
  if (::lstat(endpoint.path.c_str(), &found) != 0) return {};
  if (!S_ISSOCK(found.st_mode)) return listen_failed(o, "the path exists and is no socket");
  asio::io_context io;
  Local::socket probe(io);
  error_code ec;
  probe.connect(Local::endpoint(endpoint.path), ec);
  if (!ec) return listen_failed(o, "another process listens on this path");
  ::unlink(endpoint.path.c_str());
  return {};
}

}  // namespace

Result<void> HttpServer::Core::bind(const ListenerOptions& o, const asio::any_io_executor& executor) {
  error_code ec;
  if (const auto* tcp = std::get_if<TcpEndpoint>(&o.endpoint)) {
    const auto address = asio::ip::make_address(tcp->address, ec);
    if (ec) return listen_failed(o, "not an IP address");
    const Tcp::endpoint endpoint(address, tcp->port);
    Tcp::acceptor acceptor(executor);
    acceptor.open(endpoint.protocol(), ec);
    if (!ec) acceptor.set_option(Tcp::acceptor::reuse_address(true), ec);
    if (!ec) acceptor.bind(endpoint, ec);
    if (!ec) acceptor.listen(1024, ec);
    if (ec) return listen_failed(o, ec.message());
    const auto port = acceptor.local_endpoint(ec).port();
    listeners.push_back(std::make_unique<Listener>(Listener{&o, std::move(acceptor), port}));
    return {};
  }
  const auto& local = std::get<UnixEndpoint>(o.endpoint);
  if (local.path.empty() || local.path.size() > 100) return listen_failed(o, "the socket path is empty or too long");
  if (auto cleared = clear_path(local, o); !cleared) return cleared;
  Local::acceptor acceptor(executor);
  acceptor.open(Local(), ec);
  // Born with no rights for others; the mode is set when the name is there.
  const auto mask = ::umask(0177);
  if (!ec) acceptor.bind(Local::endpoint(local.path), ec);
  ::umask(mask);
  if (!ec && ::chmod(local.path.c_str(), local.mode) != 0) ec.assign(errno, boost::system::system_category());
  if (!ec) acceptor.listen(1024, ec);
  if (ec) return listen_failed(o, ec.message());
  listeners.push_back(std::make_unique<Listener>(Listener{&o, std::move(acceptor), 0}));
  return {};
}

HttpServer::HttpServer(runtime::Shards& shards, HttpHandler& handler, ServerOptions options)
    : core_(std::make_shared<Core>(shards, handler, std::move(options))) {}

HttpServer::~HttpServer() { stop(milliseconds{0}); }

Result<void> HttpServer::start() {
  SCHAKEL_ASSERT(core_->listeners.empty());
  for (const auto& o : core_->options.listeners) {
    if (auto bound = core_->bind(o, core_->shards.executor(0)); !bound) {
      core_->listeners.clear();
      return bound;
    }
  }
  for (const auto& listener : core_->listeners) {
    auto running = std::make_shared<Core::Running>(core_);
    auto task =
        std::visit([&](auto& acceptor) { return accept_loop(std::move(running), acceptor, *listener->options); },
                   listener->acceptor);
    core_->shards.spawn(0, std::move(task), "http.accept");
  }
  return {};
}

std::uint16_t HttpServer::port(std::string_view name) const {
  for (const auto& listener : core_->listeners)
    if (listener->options->name == name) return listener->port;
  return 0;
}

const ServerStats& HttpServer::stats() const { return core_->stats; }

bool HttpServer::stop(milliseconds grace) {
  if (core_->stopping.exchange(true)) return true;
  auto& core = *core_;
  asio::post(core.shards.executor(0), [c = core_] {
    for (const auto& listener : c->listeners)
      std::visit(
          [](auto& acceptor) {
            error_code ignored;
            acceptor.close(ignored);
          },
          listener->acceptor);
  });
  const auto on_each_shard = [&](bool hard) {
    for (unsigned i = 0; i < core.shards.size(); ++i)
      asio::post(core.shards.executor(i), [c = core_, i, hard] {
        for (auto* connection : std::vector<Connection*>(c->live[i].begin(), c->live[i].end()))
          hard ? connection->close() : connection->stop_softly();
      });
  };
  on_each_shard(false);
  std::unique_lock lock(core.mutex);
  const auto idle = [&] { return core.running == 0; };
  const bool gentle = core.changed.wait_for(lock, grace, idle);
  if (!gentle) {
    lock.unlock();
    on_each_shard(true);
    lock.lock();
    // A handler that is deaf to its closed connection is cancelled by Shards::stop().
    core.changed.wait_for(lock, std::chrono::seconds(5), idle);
  }
  lock.unlock();
  for (const auto& o : core.options.listeners)
    if (const auto* local = std::get_if<UnixEndpoint>(&o.endpoint); local != nullptr && !core.listeners.empty())
      ::unlink(local->path.c_str());
  return gentle;
}

}  // namespace schakel::net
