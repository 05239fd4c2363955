// CloudEvents 1.0 over HTTP to a subscriber. Source: interfaces report on CloudEvents section 2, item 6 (http-webhook).
#include "core/model/message.hpp"
#include "schakel/outcome.hpp"
#include "schakel/plugin.hpp"

namespace schakel::webhook {
namespace {

constexpr std::size_t kEventBytes = 64 * 1024;           ///< what intermediaries must be able to forward
constexpr std::size_t kInvoiceBytes = 10 * 1024 * 1024;  ///< what bookkeeping systems take (facturatie.md 2.6)

AttemptResult end(Verdict verdict, std::string code) {
  return {verdict, std::move(code), std::nullopt, Json::object()};
}

}  // namespace

/// The event of a delivery: same delivery, same bytes, so that (source, id) is the subscriber's idempotency key.
Json event_of(const Delivery& delivery, const std::string& source) {
  Json data{{"kind", delivery.kind}, {"role", delivery.role}, {"region", delivery.region}};
  for (const auto& [key, value] : delivery.body.items()) data[key] = value;
  if (!delivery.documents.empty()) {
    data["documents"] = Json::array();
    for (const auto& d : delivery.documents)
      data["documents"].push_back({{"document", d.id},
                                   {"doc_type", d.doc_type},
                                   {"media_type", d.media_type},
                                   {"version", d.version},
                                   {"size", d.size},
                                   {"sha256", d.sha256}});
  }
  Json event{{"specversion", "1.0"},
             {"id", delivery.id},
             {"source", source},
             {"type", event_type(delivery.type)},
             {"time", format_instant(delivery.first_attempt)},
             {"datacontenttype", "application/json"},
             {"data", std::move(data)}};
  if (!delivery.pseudonym.empty()) event["subject"] = delivery.pseudonym;
  if (!delivery.message_id.empty()) event["causationid"] = delivery.message_id;
  return event;
}

class WebhookAdapter final : public Adapter {
 public:
  explicit WebhookAdapter(const Json& c)
      : url_(c.at("url")),
        source_(c.at("source")),
        origin_(c.value("origin", "schakel")),
        handshake_(c.value("handshake", "if_supported")),
        bearer_(c.value("bearer_secret", "")),
        signature_(c.value("signature_secret", "")),
        timeout_(c.value("timeout_seconds", 30) * 1000) {}

  Task<Result<void>> start(Host& host) override {
    host_ = &host;
    for (const auto& name : {bearer_, signature_}) {
      if (name.empty()) continue;
      if (auto secret = host.secret(name); !secret) co_return fail(secret.error());
    }
    // A target that is down now is asked again before the first event; one that says no stays off.
    auto asked = co_await shake_hands();
    if (!asked && asked.error().verdict == Verdict::rejected)
      co_return fail(ErrorKind::forbidden, asked.error().code, "the target does not accept our events");
    co_return Result<void>{};
  }

  Task<AttemptResult> send(const Delivery& delivery) override {
    auto asked = co_await shake_hands();
    if (!asked) co_return std::move(asked.error());
    HttpRequest request;
    request.method = "POST";
    request.url = url_;
    request.deadline = milliseconds(timeout_);
    request.max_response_bytes = 64 * 1024;  // an answer's body is not used
    if (delivery.kind == "invoice") {
      if (!delivery.invoice) co_return end(Verdict::rejected, "INVOICE_NO_DOCUMENT");
      write_invoice(delivery, request);
    } else {
      request.body = dump_json(event_of(delivery, source_));
      request.headers.emplace_back("Content-Type", "application/cloudevents+json; charset=UTF-8");
    }
    if (request.body.size() > (delivery.kind == "invoice" ? kInvoiceBytes : kEventBytes))
      co_return end(Verdict::rejected, "EVENT_TOO_LARGE");
    request.headers.emplace_back("Idempotency-Key", delivery.id);
    if (!bearer_.empty()) {
      auto token = host_->secret(bearer_);
      if (!token) co_return sdk::outcome_of_error(token.error());
      request.headers.emplace_back("Authorization", "Bearer " + std::string(token->reveal_text()));
    }
    if (!signature_.empty()) {
      auto key = host_->secret(signature_);
      if (!key) co_return sdk::outcome_of_error(key.error());
      std::string at = std::to_string(
          std::chrono::duration_cast<std::chrono::seconds>(host_->clock().now().time_since_epoch()).count());
      Digest mac = hmac_sha256(key->reveal(), as_bytes(at + '.' + request.body));
      request.headers.emplace_back("X-Timestamp", at);
      request.headers.emplace_back("X-Signature", "sha256=" + to_hex(mac));
    }
    auto reply = co_await host_->http().request(std::move(request));
    if (!reply) co_return sdk::outcome_of_error(reply.error());
    auto out = sdk::outcome_of_status(*reply);
    if (reply->status == 410) out.code = "WEBHOOK_GONE";
    co_return out;
  }

 private:
  /// An invoice is a CloudEvent in binary mode: its attributes are headers, the body is the UBL with its PDF inside.
  void write_invoice(const Delivery& delivery, HttpRequest& request) const {
    request.body = delivery.invoice->xml;
    auto& headers = request.headers;
    headers.emplace_back("Content-Type", "application/xml; charset=UTF-8");
    headers.emplace_back("Content-Disposition", "attachment; filename=\"" + delivery.invoice->name + ".xml\"");
    headers.emplace_back("ce-specversion", "1.0");
    headers.emplace_back("ce-id", delivery.id);
    headers.emplace_back("ce-source", source_);
    headers.emplace_back("ce-type", event_type(delivery.type));
    headers.emplace_back("ce-time", format_instant(delivery.first_attempt));
    if (!delivery.pseudonym.empty()) headers.emplace_back("ce-subject", delivery.pseudonym);
    if (!delivery.message_id.empty()) headers.emplace_back("ce-causationid", delivery.message_id);
    // The key stays: who has booked it must not book it twice. That a person sent it again is said beside it.
    if (delivery.generation > 0) headers.emplace_back("ce-resent", std::to_string(delivery.generation));
  }

  Task<std::expected<void, AttemptResult>> shake_hands() {
    using Asked = std::expected<void, AttemptResult>;
    if (handshake_ == "off" || allowed_) co_return Asked{};
    HttpRequest request;
    request.method = "OPTIONS";
    request.url = url_;
    request.deadline = milliseconds(timeout_);
    request.max_response_bytes = 64 * 1024;
    request.headers.emplace_back("WebHook-Request-Origin", origin_);
    auto reply = co_await host_->http().request(std::move(request));
    if (!reply) {
      auto out = sdk::outcome_of_error(reply.error());
      if (out.verdict == Verdict::unknown) out.verdict = Verdict::retry_later;  // no event was sent yet
      co_return std::unexpected(std::move(out));
    }
    auto out = sdk::outcome_of_status(*reply);
    if (out.verdict == Verdict::delivered) {
      std::string allowed = reply->header("WebHook-Allowed-Origin");
      allowed_ = allowed == "*" || allowed == origin_ || (allowed.empty() && handshake_ == "if_supported");
      if (!allowed_) co_return std::unexpected(end(Verdict::rejected, "WEBHOOK_NOT_ALLOWED"));
      co_return Asked{};
    }
    bool unsupported = reply->status == 404 || reply->status == 405 || reply->status == 501;
    if (unsupported && handshake_ == "if_supported") {
      allowed_ = true;
      co_return Asked{};
    }
    if (out.verdict == Verdict::unknown) out.verdict = Verdict::retry_later;
    if (out.verdict == Verdict::rejected) out.code = "WEBHOOK_NOT_ALLOWED";
    co_return std::unexpected(std::move(out));
  }

  std::string url_, source_, origin_, handshake_, bearer_, signature_;
  int timeout_;
  bool allowed_ = false;
  Host* host_ = nullptr;
};

}  // namespace schakel::webhook

static const char* const kSchema =
#include "schema.inc"
    ;
SCHAKEL_ADAPTER(schakel::webhook::WebhookAdapter, kSchema)
