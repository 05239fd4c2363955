// HTTP for whoever says beforehand where it goes: adapters by their schema, the broker itself by its configuration.
#pragma once
#include <memory>
#include <set>
#include <string>

#include "core/net/tls.hpp"
#include "schakel/host.hpp"

namespace schakel::delivery {

/// Thread: one io_context at a time per call. Lifetime: outlives its requests.
class DeclaredHttp final : public HttpAccess {
 public:
  /// `origins` as plugin::safe_origin_of gives them; any other is HTTP_HOST_NOT_DECLARED before anything is sent.
  DeclaredHttp(std::set<std::string> origins, std::shared_ptr<net::TlsClientContext> tls)
      : origins_(std::move(origins)), tls_(std::move(tls)) {}
  Task<Result<HttpReply>> request(HttpRequest request) override;

 private:
  std::set<std::string> origins_;
  std::shared_ptr<net::TlsClientContext> tls_;
};

}  // namespace schakel::delivery
