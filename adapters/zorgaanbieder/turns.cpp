#include "turns.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace schakel::zorgaanbieder {
namespace {
constexpr std::size_t kMostWaiting = 64;
}

void Turns::Turn::leave() {
  if (!lines_) return;
  auto lines = std::exchange(lines_, nullptr);
  auto line = lines->find(key_);
  if (line == lines->end()) return;
  if (line->second.empty()) {
    lines->erase(line);
    return;
  }
  // The turn goes on to the next without becoming free between.
  Waiter* next = line->second.front();
  line->second.pop_front();
  next->called = true;
  next->timer.cancel();
}

Task<std::optional<Turns::Turn>> Turns::enter(std::string key, milliseconds most) {
  auto lines = lines_;  // outlives the desk when the process ends while somebody waits
  auto [line, free] = lines->try_emplace(key);
  if (free) co_return Turn(std::move(lines), std::move(key));
  if (line->second.size() >= kMostWaiting) co_return std::nullopt;
  auto executor = co_await boost::asio::this_coro::executor;
  Waiter waiter(boost::asio::steady_timer(executor, most));
  // Also when the coroutine is thrown away while it waits.
  struct Place {
    std::shared_ptr<Lines> lines;
    const std::string& key;
    Waiter* waiter;
    bool taken = false;
    ~Place() {
      if (taken) return;
      // A turn that was given to who is no longer there goes on to the next.
      if (waiter->called) Turn(lines, key).leave();
      auto at = lines->find(key);
      if (at != lines->end()) std::erase(at->second, waiter);
    }
  } place{lines, key, &waiter};
  line->second.push_back(&waiter);
  auto ended = co_await waiter.timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  (void)ended;
  if (!waiter.called) co_return std::nullopt;
  place.taken = true;
  co_return Turn(lines, key);
}

Task<bool> Bell::wait(milliseconds most) {
  if (std::exchange(rung_, false)) co_return true;
  auto executor = co_await boost::asio::this_coro::executor;
  boost::asio::steady_timer timer(executor, most);
  struct Here {
    boost::asio::steady_timer*& place;
    Here(boost::asio::steady_timer*& p, boost::asio::steady_timer* t) : place(p) { place = t; }
    ~Here() { place = nullptr; }
  } here(timer_, &timer);
  auto ended = co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  (void)ended;
  co_return std::exchange(rung_, false);
}

}  // namespace schakel::zorgaanbieder
