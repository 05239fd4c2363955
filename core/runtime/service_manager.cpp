#include "core/runtime/service_manager.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>

namespace schakel::runtime {

bool tell_service_manager(std::string_view state) {
  const char* where = ::secure_getenv("NOTIFY_SOCKET");
  if (where == nullptr) return false;
  const std::string_view path(where);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // "@" stands for the abstract namespace.
  if (path.size() < 2 || path.size() >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@')) return false;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path[0] == '@') address.sun_path[0] = '\0';
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  const auto sent = ::sendto(fd, state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                             reinterpret_cast<const sockaddr*>(&address), length);
  ::close(fd);
  return sent == static_cast<ssize_t>(state.size());
}

std::optional<milliseconds> watchdog_interval() {
  const char* text = ::secure_getenv("WATCHDOG_USEC");
  if (text == nullptr) return std::nullopt;
  const std::string_view digits(text);
  std::int64_t microseconds = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), microseconds);
  if (error != std::errc() || end != digits.data() + digits.size() || microseconds < 2000) return std::nullopt;
  return milliseconds(microseconds / 2000);
}

}  // namespace schakel::runtime
