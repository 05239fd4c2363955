#include "core/portal/sms.hpp"

#include "core/base/json.hpp"

namespace schakel::portal {

Task<Result<void>> HttpSmsSender::send(std::string number, std::string text) {
  HttpRequest request;
  request.method = "POST";
  request.url = gateway_.url;
  request.headers = {{"Content-Type", "application/json"}};
  if (!gateway_.authorization.empty()) request.headers.emplace_back("Authorization", gateway_.authorization);
  request.body = dump_json(Json{{"from", gateway_.sender}, {"to", number}, {"text", text}});
  request.deadline = milliseconds{10000};
  auto reply = co_await http_.request(std::move(request));
  if (!reply || reply->status < 200 || reply->status > 299)
    co_return fail(ErrorKind::unavailable, "SMS_FAILED", "the SMS gateway did not take the message");
  co_return Result<void>{};
}

}  // namespace schakel::portal
