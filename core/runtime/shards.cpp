#include "core/runtime/shards.hpp"

#include <sched.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <future>
#include <thread>

#include "core/base/assert.hpp"
#include "core/base/log.hpp"
#include "core/runtime/scope.hpp"

namespace schakel::runtime {
namespace asio = boost::asio;

struct Shards::Shard {
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(io);
  Scope scope{io.get_executor()};
  std::thread thread;
};

namespace {
Task<> close_scope(Scope& scope, milliseconds soft, milliseconds hard, std::promise<bool>& done) {
  const bool ended = co_await scope.close(soft, hard);
  if (!ended) log(LogLevel::error, "runtime.tasks_left", {{"count", static_cast<std::int64_t>(scope.size())}});
  done.set_value(ended);
}
}  // namespace

Shards::Shards(unsigned count) {
  for (unsigned i = 0; i < std::max(1U, count); ++i) shards_.push_back(std::make_unique<Shard>());
}

Shards::~Shards() { stop(milliseconds{0}, milliseconds{2000}); }

void Shards::start() {
  SCHAKEL_ASSERT(!running_);
  running_ = true;
  for (auto& shard : shards_) shard->thread = std::thread([io = &shard->io] { io->run(); });
}

unsigned Shards::size() const { return static_cast<unsigned>(shards_.size()); }

asio::any_io_executor Shards::executor(unsigned shard) const { return shards_.at(shard)->io.get_executor(); }

void Shards::spawn(unsigned shard, Task<> task, std::string_view name) {
  auto& target = *shards_.at(shard);
  asio::post(target.io,
             [scope = &target.scope, work = std::move(task), name]() mutable { scope->spawn(std::move(work), name); });
}

Task<bool> Shards::pause(milliseconds time) {
  const asio::any_io_executor mine = co_await asio::this_coro::executor;
  for (auto& shard : shards_) {
    if (asio::any_io_executor(shard->io.get_executor()) == mine) {
      const bool whole = co_await shard->scope.pause(time);
      co_return whole;
    }
  }
  SCHAKEL_ASSERT(!"pause() is called on a shard");
  co_return false;
}

bool Shards::stop(milliseconds soft, milliseconds hard) {
  if (!running_) return true;
  running_ = false;
  std::vector<std::promise<bool>> done(shards_.size());
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    auto closing = close_scope(shards_[i]->scope, soft, hard, done[i]);
    asio::co_spawn(shards_[i]->io, std::move(closing), [](std::exception_ptr failure) { SCHAKEL_ASSERT(!failure); });
  }
  bool all = true;
  for (auto& promise : done) all = promise.get_future().get() && all;
  for (auto& shard : shards_) {
    shard->work.reset();
    shard->io.stop();
    shard->thread.join();
  }
  return all;
}

unsigned usable_cores() {
  cpu_set_t mask;
  if (sched_getaffinity(0, sizeof mask, &mask) != 0) return 1;
  return std::max(1U, static_cast<unsigned>(CPU_COUNT(&mask)));
}

}  // namespace schakel::runtime
