// The one coroutine type of the tree.
#pragma once
#include <boost/asio/awaitable.hpp>

namespace schakel {

/// A lazily started coroutine on an io_context. `co_await` stands alone in its statement. A Task is owned by whoever
/// awaits it; nothing is detached without an owner (core/runtime/scope.hpp).
template <class T = void>
using Task = boost::asio::awaitable<T>;

}  // namespace schakel
