#include "core/runtime/blocking_pool.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace schakel::runtime {
namespace asio = boost::asio;

BlockingPool::BlockingPool(unsigned threads, std::size_t queue_limit) : limit_(queue_limit) {
  for (unsigned i = 0; i < std::max(1U, threads); ++i) threads_.emplace_back([this] { work(); });
}

BlockingPool::~BlockingPool() { stop(); }

bool BlockingPool::enqueue(std::function<void()>& job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size() >= limit_) return false;
    queue_.push_back(std::move(job));
  }
  changed_.notify_one();
  return true;
}

Task<bool> BlockingPool::submit(std::function<void()> job) {
  const auto executor = co_await asio::this_coro::executor;
  const bool queued = co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(bool)>(
      [this, executor](auto handler, std::function<void()> work_item) {
        // std::function wants a copyable callable; the handler is not.
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        auto guard = asio::make_work_guard(executor);
        std::function<void()> wrapped = [shared, guard, executor, item = std::move(work_item)]() mutable {
          item();
          asio::post(executor, [resume = std::move(*shared)]() mutable { std::move(resume)(true); });
          guard.reset();
        };
        if (!enqueue(wrapped)) asio::post(executor, [resume = std::move(*shared)]() mutable { std::move(resume)(false); });
      },
      asio::use_awaitable, std::move(job));
  co_return queued;
}

void BlockingPool::work() {
  for (;;) {
    std::function<void()> job;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      job = std::move(queue_.front());
      queue_.pop_front();
    }
    job();
  }
}

std::size_t BlockingPool::queued() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

void BlockingPool::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (auto& thread : threads_)
    if (thread.joinable()) thread.join();
}

}  // namespace schakel::runtime
