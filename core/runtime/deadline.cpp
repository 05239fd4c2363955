#include "core/runtime/deadline.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace schakel::runtime {
namespace asio = boost::asio;

namespace detail {

namespace {
bool is_cancellation(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& e) {
    return e.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}
}  // namespace

Error timed_out() { return Error{ErrorKind::timeout, "TIMEOUT", "the time limit of the operation passed"}; }

Task<bool> race(Task<> work, milliseconds limit) {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, limit);
  auto group = asio::experimental::make_parallel_group(asio::co_spawn(executor, std::move(work), asio::deferred),
                                                       timer.async_wait(asio::deferred));
  const auto [order, failure, ec] = co_await group.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  // When the caller itself is cancelled the timer may come first too, but then with an error.
  const bool struck = order[0] == 1 && !ec;
  if (failure && !(struck && is_cancellation(failure))) std::rethrow_exception(failure);
  co_return struck;
}

}  // namespace detail

namespace {
Task<> mark(Task<> task, bool& done) {
  co_await std::move(task);
  done = true;
}
}  // namespace

Task<Result<void>> with_deadline(Task<> task, milliseconds limit) {
  bool done = false;
  const bool struck = co_await detail::race(mark(std::move(task), done), limit);
  if (struck && !done) co_return fail(detail::timed_out());
  co_return Result<void>{};
}

}  // namespace schakel::runtime
