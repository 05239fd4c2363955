// Bodies of what sdk headers declare; they live in the shared object that executable and plugins have in common.
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "schakel/adapter.hpp"
#include "schakel/outcome.hpp"

namespace schakel {

std::string HttpReply::header(std::string_view name) const {
  auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
  };
  for (const auto& [key, value] : headers)
    if (std::ranges::equal(key, name, same)) return value;
  return {};
}

Task<void> Host::pause(milliseconds time) {
  auto executor = co_await boost::asio::this_coro::executor;
  boost::asio::steady_timer timer(executor, time);
  co_await timer.async_wait(boost::asio::use_awaitable);
}

Task<Result<void>> Host::aside(std::function<void()> work) {
  work();
  co_return Result<void>{};
}

Task<Result<std::vector<std::optional<Json>>>> Progress::get_all(std::vector<std::string> keys) {
  std::vector<std::optional<Json>> out;
  for (auto& key : keys) {
    auto one = co_await get(std::move(key));
    if (!one) co_return fail(std::move(one.error()));
    out.push_back(std::move(*one));
  }
  co_return out;
}

Task<Result<std::vector<std::optional<std::string>>>> Inbox::cases_of_bsn(std::vector<Secret> bsns) {
  std::vector<std::optional<std::string>> out;
  for (const auto& bsn : bsns) {
    auto one = co_await case_of_bsn(bsn);
    if (!one) co_return fail(std::move(one.error()));
    out.push_back(std::move(*one));
  }
  co_return out;
}

Task<void> Adapter::run(Inbox&) { co_return; }

Task<Result<HttpReply>> Adapter::on_request(const HttpRequest&, std::string, Inbox&) {
  co_return HttpReply{404, {}, {}};
}

Task<Result<void>> Inbox::not_taken(NotTaken) { co_return Result<void>{}; }

namespace sdk {

std::optional<std::chrono::seconds> retry_after(const HttpReply& reply) {
  std::string text = reply.header("Retry-After");
  if (text.empty() || text.size() > 6 ||
      !std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; }))
    return std::nullopt;
  return std::min(std::chrono::seconds(std::stoll(text)), std::chrono::seconds(86400));
}

AttemptResult outcome_of_error(const Error& error) {
  AttemptResult out{Verdict::retry_later, error.code, std::nullopt, Json::object()};
  static const std::set<std::string_view> may_have_arrived{"HTTP_OUTCOME_UNKNOWN", "HTTP_TOO_LARGE", "HTTP_MALFORMED",
                                                           "MAIL_OUTCOME_UNKNOWN"};
  static const std::set<std::string_view> never{"HTTP_HOST_NOT_DECLARED", "MAIL_REFUSED",    "MAIL_HEADER",
                                                "SECRET_UNKNOWN",         "BSN_NOT_ALLOWED", "BSN_UNKNOWN"};
  if (may_have_arrived.contains(error.code)) out.verdict = Verdict::unknown;
  if (never.contains(error.code)) out.verdict = Verdict::rejected;
  return out;
}

AttemptResult outcome_of_status(const HttpReply& reply) {
  AttemptResult out{Verdict::rejected, "HTTP_" + std::to_string(reply.status), std::nullopt, Json::object()};
  switch (reply.status) {
    case 429:
    case 500:
    case 503:
      out.verdict = Verdict::retry_later;
      break;
    case 408:
    case 502:
    case 504:
      out.verdict = Verdict::unknown;
      break;
    default: {
      if (reply.status >= 200 && reply.status < 300)
        out.verdict = Verdict::delivered;
      else if (reply.status >= 505)
        out.verdict = Verdict::retry_later;
    }
  }
  if (out.verdict == Verdict::retry_later || out.verdict == Verdict::unknown) out.retry_after = retry_after(reply);
  return out;
}

std::string stable_uuid(std::string_view text) {
  Digest digest = sha256(text);
  digest[6] = static_cast<std::uint8_t>((digest[6] & 0x0F) | 0x80);  // RFC 9562 version 8
  digest[8] = static_cast<std::uint8_t>((digest[8] & 0x3F) | 0x80);
  std::string hex = to_hex(ByteView(digest).first(16));
  return hex.substr(0, 8) + '-' + hex.substr(8, 4) + '-' + hex.substr(12, 4) + '-' + hex.substr(16, 4) + '-' +
         hex.substr(20);
}

std::string url_segment(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (unsigned char c : text) {
    if (std::isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += static_cast<char>(c);
    } else {
      out += '%';
      out += kHex[c >> 4];
      out += kHex[c & 15];
    }
  }
  return out;
}

namespace {
const Json* member(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  auto it = object.find(key);
  return it == object.end() ? nullptr : &*it;
}
}  // namespace

std::string text_at(const Json& object, const char* key) {
  const Json* at = member(object, key);
  return at && at->is_string() ? at->get<std::string>() : std::string{};
}

bool flag_at(const Json& object, const char* key, bool otherwise) {
  const Json* at = member(object, key);
  return at && at->is_boolean() ? at->get<bool>() : otherwise;
}

std::optional<std::int64_t> number_at(const Json& object, const char* key) {
  const Json* at = member(object, key);
  if (!at || !at->is_number_integer()) return std::nullopt;
  return at->get<std::int64_t>();
}

Json object_at(const Json& object, const char* key) {
  const Json* at = member(object, key);
  return at && at->is_object() ? *at : Json::object();
}

Json array_at(const Json& object, const char* key) {
  const Json* at = member(object, key);
  return at && at->is_array() ? *at : Json::array();
}

}  // namespace sdk
}  // namespace schakel
