#include "ot_client.hpp"

#include "core/formats/values.hpp"

namespace schakel::onderwijstransparant {

bool holds_pgn(const Json& value) {
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    for (std::size_t at = 0; at < text.size();) {
      std::size_t end = at;
      while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
      if (end - at == 9 && formats::valid_bsn(std::string_view(text).substr(at, 9))) return true;
      at = end == at ? at + 1 : end;
    }
    return false;
  }
  if (value.is_number_integer()) {
    auto text = std::to_string(value.get<std::int64_t>());
    return text.size() == 9 && formats::valid_bsn(text);
  }
  if (value.is_object()) {
    for (const auto& [key, item] : value.items()) {
      std::string name;
      for (unsigned char c : key)
        if (std::isalpha(c) != 0) name += static_cast<char>(std::tolower(c));
      if (name == "bsn" || name == "burgerservicenummer" || name == "onderwijsnummer" || name == "pgn") return true;
      if (holds_pgn(item)) return true;
    }
  }
  if (value.is_array())
    for (const auto& item : value)
      if (holds_pgn(item)) return true;
  return false;
}

Client::Client(const Json& c)
    : base_url_(c.at("base_url")),
      token_url_(c.at("token_url")),
      client_id_(c.at("client_id")),
      secret_name_(c.at("client_secret")) {}

Result<void> Client::check() const {
  if (auto secret = host_->secret(secret_name_); !secret) return fail(secret.error());
  return {};
}

Task<Step<std::string>> Client::token() {
  Instant now = host_->clock().now();
  if (!token_.empty() && now < token_until_) co_return token_;
  auto secret = host_->secret(secret_name_);
  if (!secret) co_return std::unexpected(sdk::outcome_of_error(secret.error()));
  HttpRequest request;
  request.method = "POST";
  request.url = token_url_;
  request.max_response_bytes = 64 * 1024;
  request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
  // RFC 6749 section 2.3.1: both halves are form-encoded before they are joined.
  std::string pair = sdk::url_segment(client_id_) + ':' + sdk::url_segment(secret->reveal_text());
  request.headers.emplace_back("Authorization", "Basic " + to_base64(as_bytes(pair)));
  request.body = "grant_type=client_credentials&scope=hulpvraag.read%20hulpvraag.status%20hulpvraag.dossier";
  auto reply = co_await host_->http().request(std::move(request));
  if (!reply) {
    auto out = sdk::outcome_of_error(reply.error());
    if (out.verdict == Verdict::unknown) out.verdict = Verdict::retry_later;
    co_return std::unexpected(std::move(out));
  }
  if (reply->status != 200) {
    auto out = sdk::outcome_of_status(*reply);
    // A refused client is a matter of set-up: the message waits, it is not lost.
    out.verdict = Verdict::retry_later;
    out.code = "OT_TOKEN_" + std::to_string(reply->status);
    co_return std::unexpected(std::move(out));
  }
  auto body = parse_json(reply->body);
  std::string text = body ? sdk::text_at(*body, "access_token") : "";
  bool plain = !text.empty() && text.size() <= 8192 &&
               std::ranges::all_of(text, [](unsigned char c) { return c > 0x20 && c < 0x7F; });
  if (!plain) co_return stop(Verdict::retry_later, "OT_TOKEN_MALFORMED");
  token_ = text;
  auto seconds = std::clamp<std::int64_t>(sdk::number_at(*body, "expires_in").value_or(60), 0, 86400);
  token_until_ = now + std::chrono::seconds(seconds - 30);
  co_return token_;
}

Task<Step<HttpReply>> Client::call(std::string method, std::string path, Json body,
                                   std::vector<std::pair<std::string, std::string>> headers, std::size_t max_bytes) {
  for (int round = 1;; ++round) {
    auto bearer = co_await token();
    if (!bearer) co_return std::unexpected(std::move(bearer.error()));
    HttpRequest request;
    request.method = method;
    request.url = base_url_ + path;
    request.max_response_bytes = max_bytes;
    request.headers = headers;
    request.headers.emplace_back("Authorization", "Bearer " + *bearer);
    if (!body.is_null()) {
      request.headers.emplace_back("Content-Type", "application/json");
      request.body = dump_json(body);
    }
    auto reply = co_await host_->http().request(std::move(request));
    if (!reply) {
      auto out = sdk::outcome_of_error(reply.error());
      if (method == "GET" && out.verdict == Verdict::unknown) out.verdict = Verdict::retry_later;
      co_return std::unexpected(std::move(out));
    }
    if (reply->status == 401) {
      token_.clear();
      if (round == 1) continue;
      co_return stop(Verdict::retry_later, "HTTP_401");
    }
    auto out = sdk::outcome_of_status(*reply);
    if (out.verdict == Verdict::retry_later || out.verdict == Verdict::unknown) {
      if (method == "GET") out.verdict = Verdict::retry_later;
      co_return std::unexpected(std::move(out));
    }
    co_return std::move(*reply);
  }
}

}  // namespace schakel::onderwijstransparant
