// What most adapters need to turn an answer into a verdict.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/hash.hpp"
#include "schakel/adapter.hpp"

namespace schakel::sdk {

/// Retry-After in seconds, at most a day; nullopt when absent or a date.
[[nodiscard]] std::optional<std::chrono::seconds> retry_after(const HttpReply& reply);

/// An error of HttpAccess, MailAccess, secret() or bsn() as the verdict of the attempt. `code` is the error's own.
[[nodiscard]] AttemptResult outcome_of_error(const Error& error);

/// A status as the verdict of one call: 2xx delivered; 429, 500, 503 retry_later; 408, 502, 504 unknown (a gateway in
/// between may have passed it on); all else rejected, redirects too. `code` is HTTP_<status>.
[[nodiscard]] AttemptResult outcome_of_status(const HttpReply& reply);

/// The same UUID (version 8) for the same text, for partners that want a UUID as idempotency key.
[[nodiscard]] std::string stable_uuid(std::string_view text);

/// Percent-encoded for one path segment or query value.
[[nodiscard]] std::string url_segment(std::string_view text);

/// What a partner's JSON says at `key` of an object, when it is there and of that type; never throws on what came from
/// outside.
[[nodiscard]] std::string text_at(const Json& object, const char* key);
[[nodiscard]] bool flag_at(const Json& object, const char* key, bool otherwise = false);
[[nodiscard]] std::optional<std::int64_t> number_at(const Json& object, const char* key);
/// The object or array there; an empty object or array when there is none.
[[nodiscard]] Json object_at(const Json& object, const char* key);
[[nodiscard]] Json array_at(const Json& object, const char* key);

}  // namespace schakel::sdk
