// A limit on the time that a piece of work may take.
#pragma once
#include <optional>
#include <type_traits>

#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"

namespace schakel::runtime {

namespace detail {
/// Runs `work`; at `limit` cancels it and waits until it has ended. True when the limit struck first. An exception of
/// `work` is passed on, except the one that our own cancellation caused.
[[nodiscard]] Task<bool> race(Task<> work, milliseconds limit);

template <class T>
Task<> keep(Task<T> task, std::optional<T>& out) {
  auto value = co_await std::move(task);
  out.emplace(std::move(value));
}
template <class T>
struct IsResult : std::false_type {};
template <class T>
struct IsResult<Result<T>> : std::true_type {};

[[nodiscard]] Error timed_out();
}  // namespace detail

/// The value of `task`, or TIMEOUT (kind timeout) when it did not end in time. The task is cancelled at the limit and
/// has ended when this returns, so it may refer to the caller's frame; a task that ignores cancellation delays the
/// return. A value that was ready in spite of the limit is returned, not thrown away. Exceptions of the task pass
/// through.
template <class T>
  requires(!std::is_void_v<T> && !detail::IsResult<T>::value)
[[nodiscard]] Task<Result<T>> with_deadline(Task<T> task, milliseconds limit) {
  std::optional<T> out;
  const bool struck = co_await detail::race(detail::keep(std::move(task), out), limit);
  if (!out && struck) co_return fail(detail::timed_out());
  co_return std::move(*out);
}

/// As above; an error that the task returned after the limit struck becomes TIMEOUT.
template <class T>
[[nodiscard]] Task<Result<T>> with_deadline(Task<Result<T>> task, milliseconds limit) {
  std::optional<Result<T>> out;
  const bool struck = co_await detail::race(detail::keep(std::move(task), out), limit);
  if (struck && (!out || !out->has_value())) co_return fail(detail::timed_out());
  co_return std::move(*out);
}

[[nodiscard]] Task<Result<void>> with_deadline(Task<> task, milliseconds limit);

}  // namespace schakel::runtime
