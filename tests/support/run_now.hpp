// Runs one coroutine to its end on the calling thread: the way tests call Task functions.
#pragma once
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>

#include "core/base/task.hpp"

namespace schakel::test {

/// The value of `task`, run on a private io_context. Its exceptions pass through; std::runtime_error when it has not
/// ended within `limit` (a hang becomes a failed test, not a stuck one).
template <class T>
T run_now(Task<T> task, std::chrono::seconds limit = std::chrono::seconds(30)) {
  boost::asio::io_context io{1};
  std::exception_ptr failure;
  bool done = false;
  if constexpr (std::is_void_v<T>) {
    boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr e) {
      failure = e;
      done = true;
      io.stop();
    });
    io.run_for(limit);
    if (!done) throw std::runtime_error("run_now: the task did not end in time");
    if (failure) std::rethrow_exception(failure);
  } else {
    std::optional<T> out;
    boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr e, T value) {
      failure = e;
      if (!e) out.emplace(std::move(value));
      done = true;
      io.stop();
    });
    io.run_for(limit);
    if (!done) throw std::runtime_error("run_now: the task did not end in time");
    if (failure) std::rethrow_exception(failure);
    return std::move(*out);
  }
}

}  // namespace schakel::test
