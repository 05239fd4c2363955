// What the service manager (systemd) is told of this process: the datagrams of sd_notify(3), without its library.
#pragma once
#include <optional>
#include <string_view>

#include "core/base/clock.hpp"

namespace schakel::runtime {

/// "READY=1", "STOPPING=1", "WATCHDOG=1". Does nothing, false, where no manager listens ($NOTIFY_SOCKET).
/// Thread: any.
bool tell_service_manager(std::string_view state);

/// How often the manager wants WATCHDOG=1: half of $WATCHDOG_USEC. nullopt: it does not ask.
[[nodiscard]] std::optional<milliseconds> watchdog_interval();

}  // namespace schakel::runtime
