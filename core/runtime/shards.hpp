// One event loop per core; a connection or lane stays on the shard where it began.
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string_view>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/task.hpp"

namespace schakel::runtime {

/// N single-threaded io_contexts, each with its thread and its scope. Nothing is shared between shards but by message.
///
/// Thread: start() and stop() by one owner thread that is no shard; the rest by any.
/// Lifetime: outlives all that was spawned on it.
class Shards {
 public:
  /// `count` of at least 1. Threads run after start().
  explicit Shards(unsigned count);
  ~Shards();
  Shards(const Shards&) = delete;
  Shards& operator=(const Shards&) = delete;

  void start();
  [[nodiscard]] unsigned size() const;
  [[nodiscard]] boost::asio::any_io_executor executor(unsigned shard) const;

  /// Starts `task` on that shard, owned by the shard's scope; dropped unstarted once stop() has begun. `name` is
  /// static.
  void spawn(unsigned shard, Task<> task, std::string_view name);

  /// Waits on the shard of the caller; false at once when the shard is or gets stopping. `while (co_await
  /// shards.pause(...))` is how a background loop is written. Called on a shard.
  [[nodiscard]] Task<bool> pause(milliseconds time);

  /// Closes every scope (Scope::close), stops the loops, joins. True when every task ended by itself or by cancellation
  /// within the limits. Idempotent.
  bool stop(milliseconds soft, milliseconds hard);

 private:
  struct Shard;
  std::vector<std::unique_ptr<Shard>> shards_;
  bool running_ = false;
};

/// The number of cores this process may use (its CPU mask, not the machine).
[[nodiscard]] unsigned usable_cores();

}  // namespace schakel::runtime
