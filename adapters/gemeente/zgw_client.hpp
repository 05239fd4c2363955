// Calls to the ZGW APIs of one gemeente. Source: interfaces report on ZGW sections 1.2 and 1.3.
#pragma once
#include <expected>

#include "schakel/adapter.hpp"
#include "schakel/outcome.hpp"

namespace schakel::gemeente {

/// A step's value, or the result with which the whole attempt ends.
template <class T>
using Step = std::expected<T, AttemptResult>;

[[nodiscard]] inline std::unexpected<AttemptResult> stop(Verdict verdict, std::string code) {
  return std::unexpected(AttemptResult{verdict, std::move(code), std::nullopt, Json::object()});
}

struct Settings {
  explicit Settings(const Json& config);
  std::string zaken_url, documenten_url, client_id, secret_name, user_id, user_representation, bronorganisatie,
      verantwoordelijke, prefix, omschrijving, auteur, vertrouwelijkheid;
  bool create_on_append;
  std::int64_t small_bytes, max_part_bytes;
  Json types, messages;
};

/// The token of one call: HS256, claims in the order of the reference implementation.
[[nodiscard]] std::string sign_jwt(const Settings& settings, const Secret& secret, Instant now);

/// "ZGW_<code>" from problem+json (code, or that of the first invalidParam); HTTP_<status> when it has none. Never its
/// texts.
[[nodiscard]] std::string problem_code(const HttpReply& reply);

/// The UUID at the end of a resource URL, nullopt when there is none. Calls are built from our own base and this, so
/// that an answer cannot send our token elsewhere, and a gateway in between may have other names.
[[nodiscard]] std::optional<std::string> uuid_of(const Json& resource);

class Client {
 public:
  Client(const Settings& settings, Host& host) : settings_(settings), host_(host) {}

  /// One call with a fresh token. A reply below 500 and other than 429 and 408 is the value; anything else ends the
  /// attempt.
  Task<Step<HttpReply>> call(std::string method, std::string url, Json body);
  /// PUT of one bestandsdeel as multipart/form-data.
  Task<Step<HttpReply>> put_part(std::string url, Bytes content, std::string lock);
  /// GET of a list, paged or plain; at most 20 pages of it. The items.
  Task<Step<Json>> list(std::string url);
  /// POST that must answer 201 with an object; the object.
  Task<Step<Json>> create(std::string url, Json body);

 private:
  Task<Step<HttpReply>> request(HttpRequest request);
  const Settings& settings_;
  Host& host_;
};

}  // namespace schakel::gemeente
