// Errors of expected paths: a value with a stable code, never an exception.
#pragma once
#include <expected>
#include <string>
#include <utility>
#include <vector>

namespace schakel {

/// What kind of failure it is; decides the HTTP status at an edge and the exit code on the command line.
enum class ErrorKind {
  invalid,          ///< the caller sent something wrong: 400, exit 1
  unauthenticated,  ///< we do not know who it is: 401
  forbidden,        ///< we know, and it may not: 403, exit 3
  not_found,        ///< 404
  conflict,         ///< same key, other content: 409, exit 5
  too_large,        ///< 413
  unsupported,      ///< media type or method: 415
  unavailable,      ///< overloaded or a target is down: 503 with Retry-After, exit 4
  timeout,          ///< 504
  io,               ///< disk or network failed
  internal          ///< a bug: 500
};

/// One thing that is wrong with an input. `pointer` is a JSON pointer, an XPath-like path or a line; `rule` the rule id
/// where one exists. Texts never carry the offending value: it may be personal data.
struct Finding {
  std::string pointer;
  std::string code;
  std::string message;
  std::string rule;
  bool operator==(const Finding&) const = default;
};

/// `code` is stable, UPPER_SNAKE_CASE and documented in docs/errors.md; `message` is for people and holds no personal
/// data.
struct Error {
  ErrorKind kind = ErrorKind::internal;
  std::string code;
  std::string message;
  std::vector<Finding> findings{};
};

template <class T>
using Result = std::expected<T, Error>;

/// `return fail(ErrorKind::invalid, "JSON_DEPTH", "...")` from any function that returns Result.
[[nodiscard]] inline std::unexpected<Error> fail(ErrorKind kind, std::string code, std::string message,
                                                 std::vector<Finding> findings = {}) {
  return std::unexpected(Error{kind, std::move(code), std::move(message), std::move(findings)});
}
[[nodiscard]] inline std::unexpected<Error> fail(Error error) { return std::unexpected(std::move(error)); }

}  // namespace schakel
