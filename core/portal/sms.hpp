// The second channel for a code where there is no authenticator app.
#pragma once
#include <string>

#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "schakel/host.hpp"

namespace schakel::portal {

/// Thread: one io_context at a time per call. Lifetime: outlives the LinkService.
class SmsSender {
 public:
  virtual ~SmsSender() = default;
  /// SMS_FAILED (unavailable) when the gateway did not take it.
  virtual Task<Result<void>> send(std::string number, std::string text) = 0;
};

struct SmsGateway {
  std::string url;  ///< https, or http on loopback
  std::string sender = "Schakel";
  std::string authorization;  ///< value of the Authorization header; empty: none
};

/// POSTs {"from","to","text"} as JSON and takes any 2xx as taken over.
class HttpSmsSender final : public SmsSender {
 public:
  HttpSmsSender(HttpAccess& http, SmsGateway gateway) : http_(http), gateway_(std::move(gateway)) {}
  Task<Result<void>> send(std::string number, std::string text) override;

 private:
  HttpAccess& http_;
  SmsGateway gateway_;
};

}  // namespace schakel::portal
