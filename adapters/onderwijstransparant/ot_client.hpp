// REST over OAuth 2.0 client credentials, with the token kept until 30 s before its end.
#pragma once
#include <expected>

#include "schakel/adapter.hpp"
#include "schakel/outcome.hpp"

namespace schakel::onderwijstransparant {

template <class T>
using Step = std::expected<T, AttemptResult>;

[[nodiscard]] inline std::unexpected<AttemptResult> stop(Verdict verdict, std::string code) {
  return std::unexpected(AttemptResult{verdict, std::move(code), std::nullopt, Json::object()});
}

/// True when a text of `value` holds nine digits in a row that pass the 11-proof, or a key is named after such a
/// number.
[[nodiscard]] bool holds_pgn(const Json& value);

class Client {
 public:
  explicit Client(const Json& config);
  void use(Host& host) { host_ = &host; }
  /// SECRET_UNKNOWN when the client secret is not there.
  [[nodiscard]] Result<void> check() const;
  /// `path` is below base_url. A 401 fetches one new token. A reply below 500 other than 401, 408 and 429 is the value.
  Task<Step<HttpReply>> call(std::string method, std::string path, Json body,
                             std::vector<std::pair<std::string, std::string>> headers,
                             std::size_t max_bytes = 4 * 1024 * 1024);

 private:
  Task<Step<std::string>> token();
  std::string base_url_, token_url_, client_id_, secret_name_;
  std::string token_;
  Instant token_until_{};
  Host* host_ = nullptr;
};

}  // namespace schakel::onderwijstransparant
