// Structured log: one JSON object a line, fields named, never free text built from input.
#pragma once
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace schakel {

enum class LogLevel { debug, info, warn, error };

/// A named value. Values are ids, codes, counts and durations: never a name, BSN, mail address, token, body or file
/// name (trust.md PRV-1). Strings are JSON-escaped, so a value cannot forge a line (PRV-4).
struct LogField {
  std::string_view name;
  std::variant<std::string, std::int64_t, double, bool> value;
};

/// Thread: any. `event` is a stable dotted name: "ingress.refused".
void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

/// Where lines go: standard error (default) or a file that is appended to. Called once at start-up.
void log_to(std::string_view path, LogLevel lowest);

}  // namespace schakel
