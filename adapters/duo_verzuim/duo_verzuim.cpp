// DUO's absence register: one delivery of a verzuimmelding is one aanleverenVerzuimmelding.
#include "melding.hpp"
#include "schakel/outcome.hpp"
#include "schakel/plugin.hpp"

namespace schakel::duo_verzuim {
namespace {

AttemptResult end(Verdict verdict, std::string code) {
  return {verdict, std::move(code), std::nullopt, Json::object()};
}

/// "DUO_Client.DK0004": letters, digits, dot, dash and underscore only, since it goes to logs and pages.
std::string code_of(const std::vector<std::string>& codes, std::string_view otherwise) {
  std::string out = "DUO_";
  for (unsigned char c : codes.empty() ? std::string(otherwise) : codes.front().substr(0, 60))
    if (std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_') out += static_cast<char>(c);
  return out;
}

}  // namespace

class DuoVerzuimAdapter final : public Adapter {
 public:
  explicit DuoVerzuimAdapter(const Json& config) : config_(config), url_(config.at("url")) {}

  Task<Result<void>> start(Host& host) override {
    host_ = &host;
    co_return Result<void>{};
  }

  Task<AttemptResult> send(const Delivery& delivery) override {
    if (delivery.kind != "message" || delivery.type != "verzuimmelding")
      co_return end(Verdict::rejected, "DUO_TYPE_UNSUPPORTED");
    auto request = to_duo(delivery, config_);
    if (!request) co_return end(Verdict::rejected, request.error().code);
    // Asked last, so that a melding that cannot be sent releases no BSN.
    auto bsn = co_await host_->bsn(delivery.case_id, "duo-verzuim");
    if (!bsn) co_return sdk::outcome_of_error(bsn.error());
    request->melding.bsn = std::string(bsn->reveal_text());
    auto text = formats::write_aanleveren(*request);
    if (!text) {
      for (const auto& f : text.error().findings)
        log(LogLevel::warn, "duo_verzuim.invalid", {{"code", f.code}, {"at", f.pointer}});
      co_return end(Verdict::rejected, text.error().code);
    }
    HttpRequest http;
    http.method = "POST";
    http.url = url_;
    http.deadline = milliseconds{60000};
    http.max_response_bytes = 1024 * 1024;
    http.headers.emplace_back("Content-Type", std::string(formats::kSoapContentType));
    http.headers.emplace_back("SOAPAction", '"' + formats::aanleveren_action() + '"');
    http.body = std::move(*text);
    auto reply = co_await host_->http().request(std::move(http));
    if (!reply) co_return sdk::outcome_of_error(reply.error());
    co_return judge(*request, *reply);
  }

 private:
  static AttemptResult judge(const formats::DuoAanlevering& request, const HttpReply& reply) {
    auto by_status = sdk::outcome_of_status(reply);
    // What never came to DUO's application: redirects, too many requests.
    if (reply.status == 429 || reply.status == 408 || (reply.status >= 300 && reply.status < 400)) return by_status;
    auto answer = formats::read_aanleveren_answer(request, reply.status, reply.body);
    if (!answer) return end(Verdict::unknown, answer.error().code);
    AttemptResult out;
    switch (answer->verdict) {
      case formats::DuoVerdict::accepted:
        out.verdict = Verdict::delivered;
        out.code = "DUO_ACCEPTED";
        break;
      case formats::DuoVerdict::already_known:
        out.verdict = Verdict::delivered;  // an earlier attempt of this delivery arrived: the document id is ours alone
        out.code = "DUO_ALREADY_KNOWN";
        break;
      case formats::DuoVerdict::rejected:
        out.verdict = Verdict::rejected;
        out.code = code_of(answer->codes, "REJECTED");
        break;
      case formats::DuoVerdict::retry:
        // A gateway's 502 or 504 may hide that it arrived; a fault of DUO itself does not.
        out.verdict = by_status.verdict == Verdict::unknown && !answer->codes.empty() &&
                              answer->codes.front().starts_with("HTTP_")
                          ? Verdict::unknown
                          : Verdict::retry_later;
        out.code = code_of(answer->codes, "HTTP_" + std::to_string(reply.status));
        out.retry_after = by_status.retry_after;
        break;
    }
    if (!answer->meldingsnummer.empty()) out.receipt = {{"meldingsnummer", answer->meldingsnummer}};
    return out;
  }

  Json config_;
  std::string url_;
  Host* host_ = nullptr;
};

}  // namespace schakel::duo_verzuim

static const char* const kSchema =
#include "schema.inc"
    ;
SCHAKEL_ADAPTER(schakel::duo_verzuim::DuoVerzuimAdapter, kSchema)
