// Several coroutines of one caller at the same time.
#pragma once
#include <vector>

#include "core/base/task.hpp"

namespace schakel::runtime {

/// Runs all of `tasks` on the executor of the caller, who goes on when the last one has ended, also where one fails:
/// then with the first exception. Cancelling the caller cancels them. What they refer to may be the caller's own.
Task<> together(std::vector<Task<>> tasks);

}  // namespace schakel::runtime
