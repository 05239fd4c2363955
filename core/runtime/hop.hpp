// Going over to another shard for one piece of work, and coming back with its value.
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/base/task.hpp"

namespace schakel::runtime {

/// Runs `task` on `executor`; the caller goes on, on its own executor, with the value. The task is owned by the caller:
/// what it refers to must live until this returns.
template <class T>
Task<T> on(boost::asio::any_io_executor executor, Task<T> task) {
  if constexpr (std::is_void_v<T>) {
    co_await boost::asio::co_spawn(executor, std::move(task), boost::asio::use_awaitable);
  } else {
    auto value = co_await boost::asio::co_spawn(executor, std::move(task), boost::asio::use_awaitable);
    co_return value;
  }
}

}  // namespace schakel::runtime
