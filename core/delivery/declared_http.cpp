#include "core/delivery/declared_http.hpp"

#include "core/net/http_client.hpp"
#include "core/plugin/registry.hpp"

namespace schakel::delivery {

Task<Result<HttpReply>> DeclaredHttp::request(HttpRequest request) {
  auto origin = plugin::origin_of(request.url);
  if (!origin) co_return fail(std::move(origin.error()));
  if (!origins_.contains(*origin))
    co_return fail(ErrorKind::forbidden, "HTTP_HOST_NOT_DECLARED", "this host was not declared");
  net::ClientRequest out;
  out.method = std::move(request.method);
  out.url = std::move(request.url);
  for (auto& [name, value] : request.headers) out.headers.add(name, std::move(value));
  out.body = std::move(request.body);
  net::ClientOptions options;
  options.deadline = request.deadline;
  options.max_response_bytes = request.max_response_bytes;
  options.tls = tls_;
  // A declared origin has TLS or is on loopback (plugin::safe_origin_of).
  options.allow_plain = origin->starts_with("http://");
  auto reply = co_await net::http_request(std::move(out), std::move(options));
  if (!reply) co_return fail(std::move(reply.error()));
  HttpReply in;
  in.status = reply->status;
  in.headers.assign(reply->headers.begin(), reply->headers.end());
  in.body = std::move(reply->body);
  co_return in;
}

}  // namespace schakel::delivery
