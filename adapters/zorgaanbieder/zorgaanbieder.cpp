// The care provider's side of the money: declarations and e-invoices in, answers out.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/drop_folder.hpp"
#include "desk.hpp"
#include "schakel/outcome.hpp"
#include "schakel/plugin.hpp"

namespace schakel::zorgaanbieder {
namespace {

constexpr std::size_t kDeclarationBytes = 25 * 1024 * 1024;  ///< OP179

bool folder_there(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && ::access(path.c_str(), W_OK | X_OK) == 0;
}

HttpReply reply_of(const Received& r) {
  if (r.status < 300) {
    Json body{{"code", r.code}};
    if (!r.answer.empty()) body["antwoord"] = r.answer;
    return {r.status, {{"Content-Type", "application/json"}}, dump_json(body)};
  }
  Json body{{"type", "about:blank"}, {"title", r.code}, {"status", r.status}, {"code", r.code}, {"findings", Json::array()}};
  for (const auto& f : r.findings) {
    if (body["findings"].size() >= 100) break;
    body["findings"].push_back({{"pointer", f.pointer}, {"code", f.code}, {"rule", f.rule}, {"message", f.message}});
  }
  HttpReply out{r.status, {{"Content-Type", "application/problem+json"}}, dump_json(body)};
  if (r.status == 503) out.headers.emplace_back("Retry-After", "30");
  return out;
}

}  // namespace

Task<std::expected<void, AttemptResult>> Desk::send_answer(std::string key, Json record) {
  using Done = std::expected<void, AttemptResult>;
  std::string id = sdk::text_at(record, "answer_id"), text = sdk::text_at(record, "answer");
  if (!settings_.answer_folder.empty()) {
    auto file = FileOut::open(settings_.answer_folder, id + ".xml");
    auto ok = file ? file->write(as_bytes(text)) : Result<void>(fail(file.error()));
    if (ok) ok = file->finish();
    if (!ok) co_return std::unexpected(AttemptResult{Verdict::retry_later, ok.error().code, std::nullopt, Json::object()});
  }
  if (!settings_.answer_url.empty()) {
    HttpRequest request;
    request.method = "POST";
    request.url = settings_.answer_url;
    request.headers.emplace_back("Content-Type", "application/xml");
    request.headers.emplace_back("Idempotency-Key", sdk::stable_uuid("jw325|" + id));
    request.body = text;
    request.max_response_bytes = 64 * 1024;
    auto reply = co_await host_.http().request(std::move(request));
    if (!reply) co_return std::unexpected(sdk::outcome_of_error(reply.error()));
    auto out = sdk::outcome_of_status(*reply);
    // 409: it has this answer already (the provider's message ids are unique).
    if (out.verdict != Verdict::delivered && reply->status != 409) co_return std::unexpected(std::move(out));
  }
  record["sent"] = true;
  bool kept = co_await put(std::move(key), std::move(record));
  if (!kept) co_return std::unexpected(AttemptResult{Verdict::retry_later, "STORE_NOT_READY", std::nullopt, Json::object()});
  co_return Done{};
}

class ZorgaanbiederAdapter final : public Adapter {
 public:
  explicit ZorgaanbiederAdapter(const Json& config) : settings_(config) {}

  Task<Result<void>> start(Host& host) override {
    desk_.emplace(settings_, host);
    host_ = &host;
    for (const auto& folder : {settings_.answer_folder, settings_.in_folder})
      if (!folder.empty() && !folder_there(folder)) co_return fail(ErrorKind::unavailable, "FOLDER_MISSING", "a folder is not there or not writable");
    co_return Result<void>{};
  }

  /// A decision on one of the messages that came in here: body.message is its id, body.signal.outcome what was decided.
  Task<AttemptResult> send(const Delivery& delivery) override {
    std::string event = sdk::text_at(delivery.body, "message");
    Json signal = sdk::object_at(delivery.body, "signal");
    std::string outcome = sdk::text_at(signal, "outcome");
    if (event.empty() || outcome.empty()) co_return AttemptResult{Verdict::delivered, "NOT_ABOUT_A_DECLARATION", std::nullopt, Json::object()};
    if (outcome == "held") co_return AttemptResult{Verdict::delivered, "STILL_HELD", std::nullopt, Json::object()};
    Json codes = sdk::array_at(signal, "codes");
    std::string reason = !codes.empty() && codes[0].is_string() ? codes[0].get<std::string>() : "";
    auto result = co_await desk_->decided(event, outcome == "delivered" || outcome == "recorded", reason);
    co_return result;
  }

  Task<Result<HttpReply>> on_request(const HttpRequest& request, std::string party, Inbox& inbox) override {
    if (party.empty()) co_return HttpReply{401, {}, {}};
    if (request.method == "GET") {
      std::string path = request.url.substr(0, request.url.find('?'));
      auto at = path.rfind("/antwoorden/");
      if (at == std::string::npos) co_return HttpReply{404, {}, {}};
      auto text = co_await desk_->answer(path.substr(at + 12, 12), party);
      if (!text) co_return HttpReply{text.error().kind == ErrorKind::not_found ? 404 : 503, {}, {}};
      if (text->empty()) co_return HttpReply{202, {{"Retry-After", "3600"}}, {}};
      co_return HttpReply{200, {{"Content-Type", "application/xml"}}, *text};
    }
    if (request.method != "POST") co_return HttpReply{405, {{"Allow", "GET, POST"}}, {}};
    std::string type = HttpReply{0, request.headers, {}}.header("Content-Type");
    if (!type.starts_with("application/xml") && !type.starts_with("text/xml")) co_return HttpReply{415, {}, {}};
    if (request.body.size() > kDeclarationBytes) co_return HttpReply{413, {}, {}};
    auto received = co_await desk_->receive(request.body, std::move(party), inbox);
    co_return reply_of(received);
  }

  Task<void> run(Inbox& inbox) override {
    if (settings_.in_folder.empty()) co_return;
    for (;;) {
      co_await read_folder(inbox);
      co_await host_->pause(milliseconds(settings_.poll_seconds * 1000));
    }
  }

 private:
  Task<void> read_folder(Inbox& inbox) {
    auto names = names_in(settings_.in_folder, ".xml", 100);
    if (!names) {
      log(LogLevel::warn, "zorgaanbieder.folder", {{"code", names.error().code}});
      co_return;
    }
    for (const auto& name : *names) {
      auto text = read_file(settings_.in_folder + '/' + name, kDeclarationBytes);
      if (!text && text.error().kind != ErrorKind::too_large) continue;
      Received received{413, "FILE_TOO_LARGE", "", {}};
      if (text) received = co_await desk_->receive(std::move(*text), "", inbox);
      if (received.status == 503) co_return;  // stays, and is tried again
      bool good = received.status < 300;
      if (auto moved = move_to(settings_.in_folder, name, good ? "done" : "error"); !moved) log(LogLevel::warn, "zorgaanbieder.move", {{"code", moved.error().code}});
      if (good) continue;
      log(LogLevel::warn, "zorgaanbieder.refused", {{"code", received.code}});
      auto reason = FileOut::open(settings_.in_folder + "/error", name + ".reason");
      if (!reason) continue;
      if (auto ok = reason->write(as_bytes(reply_of(received).body + "\n")); ok) (void)reason->finish();
    }
  }

  Settings settings_;
  std::optional<Desk> desk_;
  Host* host_ = nullptr;
};

}  // namespace schakel::zorgaanbieder

static const char* const kSchema =
#include "schema.inc"
    ;
SCHAKEL_ADAPTER(schakel::zorgaanbieder::ZorgaanbiederAdapter, kSchema)
