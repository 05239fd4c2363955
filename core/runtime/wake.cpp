#include "core/runtime/wake.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace schakel::runtime {
namespace asio = boost::asio;

struct Bell::State {
  std::mutex mutex;
  bool rung = false;
  std::vector<std::weak_ptr<asio::steady_timer>> waiting;
};

Bell::Bell() : state_(std::make_shared<State>()) {}
Bell::~Bell() = default;

void Bell::ring() {
  std::lock_guard lock(state_->mutex);
  bool woke = false;
  for (auto& weak : state_->waiting) {
    if (auto timer = weak.lock()) {
      // A timer belongs to its executor's thread: it is cancelled there, not here.
      asio::post(timer->get_executor(), [timer] { timer->cancel(); });
      woke = true;
    }
  }
  state_->waiting.clear();
  if (!woke) state_->rung = true;
}

Task<bool> Bell::wait(milliseconds limit) {
  auto state = state_;
  auto executor = co_await asio::this_coro::executor;
  auto timer = std::make_shared<asio::steady_timer>(executor, limit);
  {
    std::lock_guard lock(state->mutex);
    if (std::exchange(state->rung, false)) co_return true;
    std::erase_if(state->waiting, [](const auto& w) { return w.expired(); });
    state->waiting.push_back(timer);
  }
  boost::system::error_code ec;
  co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, ec));
  co_return ec == asio::error::operation_aborted;
}

}  // namespace schakel::runtime
