// Runs one coroutine to its end, like run_now(), on an io_context that lives as long as the thread. For tasks that
// another thread answers (a store): that thread may still be inside post() when the coroutine has ended, and post()
// must not meet an io_context that is gone.
#pragma once
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <optional>

#include "core/base/task.hpp"

namespace schakel::test {

template <class T>
T run_shared(Task<T> task, std::chrono::seconds limit = std::chrono::seconds(60)) {
  static thread_local boost::asio::io_context io{1};
  std::exception_ptr failure;
  std::optional<T> out;
  bool done = false;
  io.restart();
  boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr e, T value) {
    failure = e;
    if (!e) out.emplace(std::move(value));
    done = true;
  });
  io.run_for(limit);
  // What was not finished refers to this frame: there is no way on.
  if (!done) std::terminate();
  if (failure) std::rethrow_exception(failure);
  return std::move(*out);
}

}  // namespace schakel::test
