// OnderwijsTransparant. Source: interfaces report on education, section 8; the interface is our proposal.
#include "incoming.hpp"
#include "schakel/plugin.hpp"

namespace schakel::onderwijstransparant {

class OnderwijsTransparantAdapter final : public Adapter {
 public:
  explicit OnderwijsTransparantAdapter(const Json& c)
      : client_(c),
        incoming_(c),
        swv_code_(c.at("swv_code")),
        poll_(c.value("poll_seconds", 60)),
        statuses_(c.value("statussen", Json::object())) {
    for (const auto& type : c.value("meldingen", Json::array({"hulpvraagmelding", "oza_melding_swv"})))
      posted_.insert(type.get<std::string>());
  }

  Task<Result<void>> start(Host& host) override {
    host_ = &host;
    client_.use(host);
    co_return client_.check();
  }

  Task<AttemptResult> send(const Delivery& delivery) override {
    Step<Json> done = stop(Verdict::rejected, "OT_TYPE_NOT_CONFIGURED");
    if (holds_pgn(delivery.body))
      done = stop(Verdict::rejected, "OT_PGN");
    else if (statuses_.contains(delivery.type))
      done = co_await put_status(delivery, statuses_[delivery.type].get<std::string>());
    else if (posted_.contains(delivery.type))
      done = co_await post(delivery);
    if (!done) co_return std::move(done.error());
    co_return AttemptResult{Verdict::delivered, "OT_ACCEPTED", std::nullopt, std::move(*done)};
  }

  Task<void> run(Inbox& inbox) override {
    Incoming incoming(incoming_, client_, *host_);
    for (;;) {
      co_await incoming.poll(inbox);
      co_await host_->pause(milliseconds(poll_ * 1000));
    }
  }

 private:
  Task<Step<Json>> post(const Delivery& delivery) {
    Json body{{"dossierkenmerk", delivery.pseudonym.substr(0, 60)},
              {"soort", delivery.type},
              {"swvCode", swv_code_},
              {"berichtId", delivery.message_id},
              {"tijdstip", format_instant(delivery.first_attempt)},
              {"gegevens", sdk::object_at(delivery.body, "payload")}};
    auto reply = co_await client_.call("POST", "/hulpvragen", std::move(body),
                                       {{"Idempotency-Key", sdk::stable_uuid("ot|" + delivery.id)}});
    if (!reply) co_return std::unexpected(std::move(reply.error()));
    if (reply->status < 200 || reply->status > 299)
      co_return stop(Verdict::rejected, "HTTP_" + std::to_string(reply->status));
    auto answer = parse_json(reply->body);
    co_return Json{{"id", answer ? sdk::text_at(*answer, "id") : ""}};
  }

  Task<Step<Json>> put_status(const Delivery& delivery, std::string status) {
    std::string id = sdk::text_at(delivery.body, "foreign_id");
    if (id.empty()) {
      auto known = co_await host_->progress().get("case/" + delivery.case_id);
      if (!known) co_return stop(Verdict::retry_later, known.error().code);
      if (*known) id = sdk::text_at(**known, "id");
    }
    if (id.empty()) co_return stop(Verdict::rejected, "OT_HULPVRAAG_UNKNOWN");
    std::string path = "/hulpvragen/" + sdk::url_segment(id);
    Json body{{"status", status},
              {"tijdstip", format_instant(delivery.first_attempt)},
              {"zaakkenmerk", delivery.pseudonym.substr(0, 60)}};
    Json meeting = sdk::object_at(delivery.body, "meeting");
    if (auto at = sdk::text_at(meeting, "at"); at.size() >= 10) body["overleg"] = {{"datum", at.substr(0, 10)}};
    for (int round = 1; round <= 2; ++round) {
      auto current = co_await client_.call("GET", path, nullptr, {});
      if (!current) co_return std::unexpected(std::move(current.error()));
      std::string etag = current->header("ETag");
      if (current->status != 200 || etag.empty())
        co_return stop(Verdict::rejected,
                       current->status == 200 ? "OT_NO_ETAG" : "HTTP_" + std::to_string(current->status));
      auto reply =
          co_await client_.call("PUT", path + "/status", body,
                                {{"Idempotency-Key", sdk::stable_uuid("ot|" + delivery.id)}, {"If-Match", etag}});
      if (!reply) co_return std::unexpected(std::move(reply.error()));
      if (reply->status >= 200 && reply->status <= 299) co_return Json{{"id", id}};
      if (reply->status != 412) co_return stop(Verdict::rejected, "HTTP_" + std::to_string(reply->status));
    }
    co_return stop(Verdict::retry_later, "HTTP_412");  // somebody else is writing; try later
  }

  Client client_;
  IncomingSettings incoming_;
  std::string swv_code_;
  int poll_;
  Json statuses_;
  std::set<std::string> posted_;
  Host* host_ = nullptr;
};

}  // namespace schakel::onderwijstransparant

static const char* const kSchema =
#include "schema.inc"
    ;
SCHAKEL_ADAPTER(schakel::onderwijstransparant::OnderwijsTransparantAdapter, kSchema)
