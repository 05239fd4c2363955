#include "core/base/log.hpp"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <mutex>

#include "core/base/clock.hpp"
#include "core/base/json.hpp"

namespace schakel {
namespace {

std::shared_ptr<spdlog::logger>& sink() {
  static auto logger = [] {
    auto made = std::make_shared<spdlog::logger>("schakel", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    return made;
  }();
  return logger;
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

}  // namespace

void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  auto& logger = sink();
  if (!logger->should_log(to_spdlog(level))) return;
  static constexpr const char* kNames[] = {"debug", "info", "warn", "error"};
  Json line{{"at", format_instant(SystemClock{}.now())}, {"level", kNames[static_cast<int>(level)]}, {"event", event}};
  for (const auto& f : fields) std::visit([&](const auto& v) { line[std::string(f.name)] = v; }, f.value);
  logger->log(to_spdlog(level), dump_json(line));
}

void log_to(std::string_view path, LogLevel lowest) {
  if (!path.empty()) {
    auto made = std::make_shared<spdlog::logger>(
        "schakel", std::make_shared<spdlog::sinks::basic_file_sink_mt>(std::string(path)));
    made->set_pattern("%v");
    made->flush_on(spdlog::level::info);
    sink() = made;
  }
  sink()->set_level(to_spdlog(lowest));
}

}  // namespace schakel
