// The gemeente's zaaksysteem. One delivery is one filing (dossier.create, dossier.append) or one case message.
#include "dossier.hpp"
#include "schakel/plugin.hpp"

namespace schakel::gemeente {
namespace {

std::string value_text(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

}  // namespace

class GemeenteAdapter final : public Adapter {
 public:
  explicit GemeenteAdapter(const Json& config) : settings_(config) {}

  Task<Result<void>> start(Host& host) override {
    host_ = &host;
    auto secret = host.secret(settings_.secret_name);
    if (!secret) co_return fail(secret.error());
    co_return Result<void>{};
  }

  Task<AttemptResult> send(const Delivery& delivery) override {
    Dossier dossier(settings_, *host_, delivery);
    auto loaded = co_await dossier.load();
    if (!loaded) co_return std::move(loaded.error());
    Step<void> done;
    if (delivery.kind == "filing")
      done = co_await file(delivery, dossier);
    else if (delivery.kind == "message")
      done = co_await tell(delivery, dossier);
    else
      done = stop(Verdict::rejected, "ZGW_KIND_UNSUPPORTED");
    if (!done) co_return std::move(done.error());
    co_return AttemptResult{Verdict::delivered, "ZGW_FILED", std::nullopt, dossier.receipt()};
  }

 private:
  Task<Step<void>> file(const Delivery& delivery, Dossier& dossier) {
    Json filing = sdk::object_at(delivery.body, "filing");
    std::string operation = sdk::text_at(filing, "operation");
    if (operation != "dossier.create" && operation != "dossier.append")
      co_return stop(Verdict::rejected, "ZGW_OPERATION_UNKNOWN");
    auto step = co_await dossier.ensure_zaak(operation == "dossier.create" || settings_.create_on_append);
    if (!step) co_return step;
    step = co_await dossier.ensure_rol();
    if (!step) co_return step;
    Json eigenschappen = settings_.types.value("eigenschappen", Json::object());
    for (const auto& [name, type] : eigenschappen.items()) {
      std::string value = name == "regio" ? delivery.region : filing.contains(name) ? value_text(filing[name]) : "";
      if (value.empty()) continue;
      step = co_await dossier.ensure_eigenschap(type.get<std::string>(), value);
      if (!step) co_return step;
    }
    for (const auto& document : delivery.documents) {
      step = co_await dossier.ensure_document(document);
      if (!step) co_return step;
    }
    if (settings_.types.contains("statustype"))
      step = co_await dossier.ensure_status(settings_.types["statustype"].get<std::string>());
    co_return step;
  }

  Task<Step<void>> tell(const Delivery& delivery, Dossier& dossier) {
    if (!settings_.messages.contains(delivery.type)) co_return stop(Verdict::rejected, "ZGW_MESSAGE_NOT_CONFIGURED");
    Json rule = settings_.messages[delivery.type];
    auto step = co_await dossier.ensure_zaak(settings_.create_on_append);
    if (!step) co_return step;
    step = co_await dossier.ensure_rol();
    if (!step) co_return step;
    if (rule.contains("eigenschap") && rule.contains("field")) {
      Json payload = sdk::object_at(delivery.body, "payload");
      Json::json_pointer pointer(rule["field"].get<std::string>());
      if (!payload.contains(pointer)) co_return stop(Verdict::rejected, "ZGW_FIELD_ABSENT");
      step = co_await dossier.ensure_eigenschap(rule["eigenschap"].get<std::string>(), value_text(payload[pointer]));
      if (!step) co_return step;
    }
    if (rule.value("documents", false)) {
      for (const auto& document : delivery.documents) {
        step = co_await dossier.ensure_document(document);
        if (!step) co_return step;
      }
    }
    if (rule.contains("statustype")) step = co_await dossier.ensure_status(rule["statustype"].get<std::string>());
    co_return step;
  }

  Settings settings_;
  Host* host_ = nullptr;
};

}  // namespace schakel::gemeente

static const char* const kSchema =
#include "schema.inc"
    ;
SCHAKEL_ADAPTER(schakel::gemeente::GemeenteAdapter, kSchema)
