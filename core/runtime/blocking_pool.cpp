#include "core/runtime/blocking_pool.hpp"

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
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
  // The caller may destroy its io_context right after it is resumed, so it waits the moment until the pool's thread has
  // let go of everything that refers to it.
  auto released = std::make_shared<std::atomic<bool>>(false);
  const bool queued = co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(bool)>(
      [this, executor, released](auto handler, std::function<void()> work_item) {
        // std::function wants a copyable callable; the handler is not.
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        std::function<void()> wrapped =
            [shared, target = asio::any_io_executor(asio::prefer(executor, asio::execution::outstanding_work.tracked)),
             released, item = std::move(work_item)]() mutable {
              item();
              {
                auto resume = std::move(*shared);
                shared.reset();
                const auto executor_once = std::move(target);
                asio::post(executor_once, [resume = std::move(resume)]() mutable { std::move(resume)(true); });
              }
              released->store(true);
              released->notify_one();
            };
        if (enqueue(wrapped)) return;
        auto resume = std::move(*shared);
        asio::post(executor, [resume = std::move(resume)]() mutable { std::move(resume)(false); });
      },
      asio::use_awaitable, std::move(job));
  if (queued) released->wait(false);
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
