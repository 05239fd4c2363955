// One connection of the server, from handshake to close. For the .cpp files of this folder only.
#pragma once
#include <list>
#include <map>
#include <mutex>
#include <unordered_map>

#include "core/net/body_budget.hpp"
#include "core/net/http_server.hpp"
#include "core/net/stream.hpp"

namespace schakel::net {

/// Counts per key with a ceiling. Thread: any.
class Quota {
 public:
  /// False, and nothing counted, when `key` is at `limit` already.
  [[nodiscard]] bool take(const std::string& key, std::size_t limit);
  void give(const std::string& key);

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::size_t> counts_;
};

/// What all connections share.
struct ConnectionContext {
  HttpHandler& handler;
  const ServerOptions& options;
  ServerStats& stats;
  Quota& identities;
  BodyBudget& bodies;
  std::atomic<std::size_t>& handshakes;
  const std::atomic<bool>& stopping;
};

/// Thread: its shard.
class Connection {
 public:
  Connection(ConnectionContext context, std::unique_ptr<Stream> stream, std::string listener, std::string address,
             bool tls);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Ends when the connection is closed. Throws only when cancelled.
  [[nodiscard]] Task<> run();
  /// Closes when no request is under way; otherwise the one under way is the last.
  void stop_softly();
  void close() { stream_->close(); }

 private:
  friend class IncomingBody;
  enum class Next { again, finish, close };

  [[nodiscard]] Task<bool> shake_hands();
  [[nodiscard]] Task<Next> serve_one();
  [[nodiscard]] Task<std::variant<RequestHead, Refusal, Next>> read_head();
  [[nodiscard]] Task<Next> answer(const RequestHead* head, Response response, bool keep);
  [[nodiscard]] Task<Result<void>> send(std::string_view bytes);
  [[nodiscard]] Task<Result<bool>> send_stream(BodyProducer& body, bool chunked, std::uint64_t& sent);
  [[nodiscard]] Task<Response> handle(Request& request);
  /// Reads into `into` under the rate rule of a body; accounts the time.
  [[nodiscard]] Task<Result<std::size_t>> receive(std::span<char> into);
  [[nodiscard]] TimePoint rate_limit(std::chrono::steady_clock::duration waited, std::uint64_t bytes) const;
  [[nodiscard]] Response refuse(const Refusal& refusal);
  [[nodiscard]] Response too_busy();

  ConnectionContext context_;
  std::unique_ptr<Stream> stream_;
  std::string listener_, address_;
  bool tls_;
  PeerIdentity peer_;
  std::string quota_key_;
  bool over_quota_ = false;
  std::string buffer_;  ///< received and not used yet
  bool busy_ = false;
  TimePoint request_limit_ = TimePoint::max();
  // Of the message that is being received or sent: how long we waited for the peer, for how many bytes.
  std::chrono::steady_clock::duration waited_in_{}, waited_out_{};
  std::uint64_t received_ = 0, sent_ = 0;
};

}  // namespace schakel::net
