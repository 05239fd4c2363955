// The care provider's side of the money: declarations and e-invoices in, answers out.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/system/system_error.hpp>
#include <exception>

#include "core/base/calendar.hpp"
#include "core/base/drop_folder.hpp"
#include "core/formats/ggk.hpp"
#include "core/formats/soap.hpp"
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
  Json body{
      {"type", "about:blank"}, {"title", r.code}, {"status", r.status}, {"code", r.code}, {"fouten", Json::array()}};
  for (const auto& f : r.findings) {
    if (body["fouten"].size() >= 100) break;
    body["fouten"].push_back({{"plaats", f.pointer}, {"code", f.code}, {"melding", f.message}, {"regel", f.rule}});
  }
  HttpReply out{r.status, {{"Content-Type", "application/problem+json"}}, dump_json(body)};
  if (r.status == 503) out.headers.emplace_back("Retry-After", "30");
  return out;
}

}  // namespace

namespace {

/// yyyyMMddHHmmss of the Netherlands.
std::string stuf_time(const Clock& clock) {
  std::string out;
  for (char c : format_amsterdam(clock.now()))
    if (c >= '0' && c <= '9' && out.size() < 14) out += c;
  return out;
}

/// The StUF layer's word on what came in: taken (Bv03) or refused (Fo03 in the call, Fo01 as a file).
formats::StufAnswer stuf_answer(const Received& r, const Settings& settings, const Clock& clock,
                                std::string_view refusal) {
  formats::StufAnswer a;
  a.berichtcode = r.status < 300 ? "Bv03" : std::string(refusal);
  a.zender = {settings.gemeente_code, settings.ggk_applicatie};
  a.ontvanger = {sdk::text_at(r.envelope, "organisatie"), sdk::text_at(r.envelope, "applicatie")};
  a.cross_ref = sdk::text_at(r.envelope, "referentie");
  a.referentienummer = sdk::stable_uuid(fmt::format("{}|{}|{}", a.berichtcode, a.cross_ref, r.code));
  a.tijdstip = stuf_time(clock);
  a.code = r.code == "JW323_STRUCTURE" ? "StUF055" : "StUF058";
  a.omschrijving = r.code;
  return a;
}

}  // namespace

Task<std::expected<void, AttemptResult>> Desk::send_answer(std::string id) {
  using Done = std::expected<void, AttemptResult>;
  auto later = [](std::string code) {
    return std::unexpected(AttemptResult{Verdict::retry_later, std::move(code), std::nullopt, Json::object()});
  };
  auto made = co_await host_.progress().get("jw325/" + id);
  if (!made) co_return later(made.error().code);
  if (!*made || sdk::flag_at(**made, "sent")) co_return Done{};
  Json answer = std::move(**made);
  std::string text = sdk::text_at(answer, "text");
  bool ggk = answer.contains("ggk");
  if (ggk) {
    // It goes back as it came: in an envelope that names the one it answers.
    formats::GgkEnvelope e;
    e.retour = true;
    e.zender = {settings_.gemeente_code, settings_.ggk_applicatie};
    e.ontvanger = {sdk::text_at(answer, "agb"), "GGk"};
    e.referentienummer = sdk::stable_uuid("du01|" + id);
    e.tijdstip = stuf_time(host_.clock());
    e.cross_ref = sdk::text_at(answer["ggk"], "referentie");
    e.functie = "JW325";
    e.bericht = std::move(text);
    auto wrapped = formats::write_ggk(e);
    if (!wrapped)
      co_return std::unexpected(AttemptResult{Verdict::rejected, wrapped.error().code, std::nullopt, Json::object()});
    text = std::move(*wrapped);
  }
  if (!settings_.answer_folder.empty()) {
    auto file = FileOut::open(settings_.answer_folder, id + ".xml");
    auto ok = file ? file->write(as_bytes(text)) : Result<void>(fail(file.error()));
    if (ok) ok = file->finish();
    if (!ok) co_return later(ok.error().code);
  }
  if (!settings_.answer_url.empty()) {
    HttpRequest request;
    request.method = "POST";
    request.url = settings_.answer_url;
    if (ggk) {
      request.headers.emplace_back("Content-Type", std::string(formats::kSoapContentType));
      request.headers.emplace_back("SOAPAction", "\"http://www.stufstandaarden.nl/koppelvlak/ggk0210/ggk_Du01\"");
      // The envelope is the document element of the body; its declaration stays out.
      auto root = text.find("<GGK:");
      text = fmt::format(
          "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soap:Envelope "
          "xmlns:soap=\"{}\"><soap:Body>{}</soap:Body></soap:Envelope>\n",
          formats::kSoapNs, std::string_view(text).substr(root));
    } else {
      request.headers.emplace_back("Content-Type", "application/xml");
    }
    request.headers.emplace_back("Idempotency-Key", sdk::stable_uuid("jw325|" + id));
    request.body = text;
    request.max_response_bytes = 64 * 1024;
    auto reply = co_await host_.http().request(std::move(request));
    if (!reply) co_return std::unexpected(sdk::outcome_of_error(reply.error()));
    auto out = sdk::outcome_of_status(*reply);
    // 409: it has this answer already (the provider's message ids are unique).
    if (out.verdict != Verdict::delivered && reply->status != 409) co_return std::unexpected(std::move(out));
  }
  Changes changes;
  for (const auto& event : sdk::array_at(answer, "events"))
    for (const char* prefix : {"part/", "handed/"})
      changes.emplace_back(prefix + event.get<std::string>(), std::nullopt);
  answer["sent"] = true;
  answer.erase("events");
  changes.emplace_back("jw325/" + id, std::move(answer));
  changes.emplace_back("unsent/" + id, std::nullopt);
  auto kept = co_await host_.progress().write(std::move(changes));
  if (!kept) co_return later("STORE_NOT_READY");
  co_return Done{};
}

class ZorgaanbiederAdapter final : public Adapter {
 public:
  explicit ZorgaanbiederAdapter(const Json& config) : settings_(config) {}

  Task<Result<void>> start(Host& host) override {
    desk_.emplace(settings_, host);
    host_ = &host;
    for (const auto& folder : {settings_.answer_folder, settings_.in_folder})
      if (!folder.empty() && !folder_there(folder))
        co_return fail(ErrorKind::unavailable, "FOLDER_MISSING", "a folder is not there or not writable");
    co_return Result<void>{};
  }

  /// A decision on one of the messages that came in here: body.message is its id, body.signal.outcome what was decided.
  Task<AttemptResult> send(const Delivery& delivery) override {
    std::string event = sdk::text_at(delivery.body, "message");
    Json signal = sdk::object_at(delivery.body, "signal");
    std::string outcome = sdk::text_at(signal, "outcome");
    if (outcome.empty() && !sdk::text_at(signal, "number").empty()) {
      auto told = co_await desk_->told_later(delivery.id, sdk::text_at(delivery.endpoint, "party"), std::move(signal));
      co_return told;
    }
    if (event.empty() || outcome.empty())
      co_return AttemptResult{Verdict::delivered, "NOT_ABOUT_A_DECLARATION", std::nullopt, Json::object()};
    if (outcome == "held") co_return AttemptResult{Verdict::delivered, "STILL_HELD", std::nullopt, Json::object()};
    Json codes = sdk::array_at(signal, "codes");
    std::string reason = !codes.empty() && codes[0].is_string() ? codes[0].get<std::string>() : "";
    auto result = co_await desk_->decided(event, std::move(outcome), std::move(reason), sdk::text_at(signal, "detail"));
    co_return result;
  }

  Task<Result<HttpReply>> on_request(const HttpRequest& request, std::string party, Inbox& inbox) override {
    if (party.empty()) co_return reply_of({401, "PARTY_UNKNOWN", "", {}});
    if (request.method == "GET") {
      std::string path = request.url.substr(0, request.url.find('?'));
      auto at = path.rfind("/antwoorden/");
      if (at == std::string::npos) co_return reply_of({404, "NOT_FOUND", "", {}});
      auto text = co_await desk_->answer(path.substr(at + 12, 12), party);
      if (!text) co_return reply_of({text.error().kind == ErrorKind::not_found ? 404 : 503, text.error().code, "", {}});
      if (text->empty()) co_return HttpReply{202, {{"Retry-After", "3600"}}, {}};
      co_return HttpReply{200, {{"Content-Type", "application/xml"}}, *text};
    }
    if (request.method != "POST") {
      auto refusal = reply_of({405, "METHOD_NOT_ALLOWED", "", {}});
      refusal.headers.emplace_back("Allow", "GET, POST");
      co_return refusal;
    }
    std::string type = HttpReply{0, request.headers, {}}.header("Content-Type");
    if (!type.starts_with("application/xml") && !type.starts_with("text/xml"))
      co_return reply_of({415, "MEDIA_TYPE", "", {}});
    if (request.body.size() > kDeclarationBytes) co_return reply_of({413, "DECLARATION_TOO_LARGE", "", {}});
    auto received = co_await desk_->receive(request.body, std::move(party), inbox);
    if (!sdk::flag_at(received.envelope, "soap") || received.status == 503) co_return reply_of(received);
    auto said = formats::write_stuf_soap(stuf_answer(received, settings_, host_->clock(), "Fo03"));
    if (!said) co_return reply_of(received);
    co_return HttpReply{received.status < 300 ? 200 : 500,
                        {{"Content-Type", std::string(formats::kSoapContentType)}},
                        std::move(*said)};
  }

  Task<void> run(Inbox& inbox) override {
    using namespace boost::asio::experimental::awaitable_operators;
    std::exception_ptr failed;
    try {
      co_await (poll(inbox) && hand_on(inbox, failed));
    } catch (const boost::asio::multiple_exceptions& both) {
      // The first is that of poll, which was cancelled for the other.
      std::rethrow_exception(failed ? failed : both.first_exception());
    }
  }

 private:
  /// Ends quietly with the other, whose word it is why both end. Of its own end it leaves the cause in `failed`.
  Task<void> hand_on(Inbox& inbox, std::exception_ptr& failed) {
    try {
      co_await desk_->hand_on(inbox);
    } catch (const boost::system::system_error& e) {
      if (e.code() == boost::asio::error::operation_aborted) co_return;
      failed = std::current_exception();
    } catch (...) {
      failed = std::current_exception();
    }
    log(LogLevel::error, "zorgaanbieder.hand_over_failed", {});
    std::rethrow_exception(failed);
  }

  Task<void> poll(Inbox& inbox) {
    for (;;) {
      if (!settings_.in_folder.empty()) co_await read_folder(inbox);
      co_await desk_->follow_up(inbox);
      // Every quarter of an hour is soon enough for a partner that refuses, and long before a term of ten days.
      if (auto now = host_->clock().now(); now >= next_send_) {
        co_await desk_->send_unsent();
        next_send_ = host_->clock().now() + std::chrono::minutes(15);
      }
      if (auto now = host_->clock().now(); now >= next_sweep_) {
        next_sweep_ = now + std::chrono::hours(1);
        co_await desk_->sweep();
      }
      co_await host_->pause(milliseconds(settings_.poll_seconds * 1000));
    }
  }

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
      if (text) received = co_await desk_->receive(*text, "", inbox);
      if (received.status == 503) co_return;  // stays, and is tried again
      bool good = received.status < 300;
      if (auto moved = move_to(settings_.in_folder, name, good ? "done" : "error"); !moved)
        log(LogLevel::warn, "zorgaanbieder.move", {{"code", moved.error().code}});
      if (good) continue;
      log(LogLevel::warn, "zorgaanbieder.refused", {{"code", received.code}});
      auto reason = FileOut::open(settings_.in_folder + "/error", name + ".reason");
      if (!reason) continue;
      if (auto ok = reason->write(as_bytes(reply_of(received).body + "\n")); ok) (void)reason->finish();
      if (!received.envelope.empty() && !settings_.answer_folder.empty()) refuse_by_file(received);
    }
  }

  /// A refused envelope of the folder is answered by a Fo01, as there is no call to answer in.
  void refuse_by_file(const Received& received) {
    auto a = stuf_answer(received, settings_, host_->clock(), "Fo01");
    auto text = formats::write_stuf_answer(a);
    if (!text) return;
    auto file = FileOut::open(settings_.answer_folder, a.referentienummer + ".xml");
    if (!file) return;
    if (auto ok = file->write(as_bytes(*text)); ok) (void)file->finish();
  }

  Settings settings_;
  Instant next_sweep_{}, next_send_{};
  std::optional<Desk> desk_;
  Host* host_ = nullptr;
};

}  // namespace schakel::zorgaanbieder

static const char* const kSchema =
#include "schema.inc"
    ;
SCHAKEL_ADAPTER(schakel::zorgaanbieder::ZorgaanbiederAdapter, kSchema)
