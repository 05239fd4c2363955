#include "zgw_client.hpp"

namespace schakel::gemeente {
namespace {

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < 36; ++i) {
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) return false;
  }
  return true;
}

Result<Json> json_of(const HttpReply& reply) { return parse_json(reply.body, {.bytes = 4 * 1024 * 1024}); }

}  // namespace

Settings::Settings(const Json& c)
    : zaken_url(c.at("zaken_url")),
      documenten_url(c.at("documenten_url")),
      client_id(c.at("client_id")),
      secret_name(c.at("client_secret")),
      user_id(c.value("user_id", "schakel")),
      user_representation(c.value("user_representation", "Schakel")),
      bronorganisatie(c.at("bronorganisatie")),
      verantwoordelijke(c.value("verantwoordelijke_organisatie", bronorganisatie)),
      prefix(c.value("identificatie_prefix", "OZA-")),
      omschrijving(c.value("omschrijving", "Onderwijszorgarrangement")),
      auteur(c.value("auteur", "Schakel")),
      vertrouwelijkheid(c.value("vertrouwelijkheidaanduiding", "zaakvertrouwelijk")),
      create_on_append(c.value("create_on_append", true)),
      small_bytes(c.value("small_document_bytes", 1048576)),
      max_part_bytes(c.value("max_part_bytes", 268435456)),
      types(c.at("types")),
      messages(c.value("messages", Json::object())) {}

std::string sign_jwt(const Settings& s, const Secret& secret, Instant now) {
  using Ordered = nlohmann::ordered_json;
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  Ordered claims{{"iss", s.client_id},
                 {"iat", seconds},
                 {"client_id", s.client_id},
                 {"user_id", s.user_id},
                 {"user_representation", s.user_representation}};
  std::string text =
      to_base64url(as_bytes(R"({"typ":"JWT","alg":"HS256"})")) + '.' + to_base64url(as_bytes(claims.dump()));
  Digest mac = hmac_sha256(secret.reveal(), as_bytes(text));
  return text + '.' + to_base64url(mac);
}

std::string problem_code(const HttpReply& reply) {
  std::string code;
  if (auto body = json_of(reply); body && body->is_object()) {
    code = sdk::text_at(*body, "code");
    for (const char* key : {"invalidParams", "invalid-params"})
      if (body->contains(key) && (*body)[key].is_array() && !(*body)[key].empty())
        if (auto inner = sdk::text_at((*body)[key][0], "code"); !inner.empty()) code = inner;
  }
  bool plain = !code.empty() && code.size() <= 50 &&
               std::ranges::all_of(code, [](unsigned char c) { return std::islower(c) || c == '-' || c == '_'; });
  return plain ? "ZGW_" + code : "HTTP_" + std::to_string(reply.status);
}

std::optional<std::string> uuid_of(const Json& resource) {
  if (auto uuid = sdk::text_at(resource, "uuid"); is_uuid(uuid)) return uuid;
  std::string url = resource.is_string() ? resource.get<std::string>() : sdk::text_at(resource, "url");
  auto at = url.rfind('/');
  if (at == std::string::npos || !is_uuid(std::string_view(url).substr(at + 1))) return std::nullopt;
  return url.substr(at + 1);
}

Task<Step<HttpReply>> Client::request(HttpRequest request) {
  auto secret = host_.secret(settings_.secret_name);
  if (!secret) co_return std::unexpected(sdk::outcome_of_error(secret.error()));
  request.headers.emplace_back("Authorization", "Bearer " + sign_jwt(settings_, *secret, host_.clock().now()));
  request.headers.emplace_back("Accept", "application/json");
  request.headers.emplace_back("Accept-Crs", "EPSG:4326");
  request.headers.emplace_back("Content-Crs", "EPSG:4326");
  bool reading = request.method == "GET";
  auto reply = co_await host_.http().request(std::move(request));
  if (!reply) {
    auto out = sdk::outcome_of_error(reply.error());
    if (reading && out.verdict == Verdict::unknown) out.verdict = Verdict::retry_later;  // a read had no effect
    co_return std::unexpected(std::move(out));
  }
  auto out = sdk::outcome_of_status(*reply);
  if (out.verdict == Verdict::retry_later || out.verdict == Verdict::unknown) {
    if (reading) out.verdict = Verdict::retry_later;
    host_.metrics().count("gemeente_calls_failed", {{"code", out.code}});
    co_return std::unexpected(std::move(out));
  }
  co_return std::move(*reply);
}

Task<Step<HttpReply>> Client::call(std::string method, std::string url, Json body) {
  HttpRequest out;
  out.method = std::move(method);
  out.url = std::move(url);
  if (!body.is_discarded() && !body.is_null()) {
    out.headers.emplace_back("Content-Type", "application/json");
    out.body = dump_json(body);
  }
  auto reply = co_await request(std::move(out));
  co_return reply;
}

Task<Step<HttpReply>> Client::put_part(std::string url, Bytes content, std::string lock) {
  // A boundary that is in neither part: from the content itself, so that the call is the same on a repeat.
  std::string boundary = "schakel-" + to_hex(sha256(ByteView(content))).substr(0, 40);
  HttpRequest out;
  out.method = "PUT";
  out.url = std::move(url);
  out.deadline = milliseconds{600000};
  out.headers.emplace_back("Content-Type", "multipart/form-data; boundary=" + boundary);
  out.body.reserve(content.size() + 512);
  out.body = "--" + boundary + "\r\nContent-Disposition: form-data; name=\"lock\"\r\n\r\n" + lock + "\r\n--" +
             boundary +
             "\r\nContent-Disposition: form-data; name=\"inhoud\"; filename=\"deel\"\r\nContent-Type: "
             "application/octet-stream\r\n\r\n";
  out.body.append(as_text(content));
  out.body += "\r\n--" + boundary + "--\r\n";
  auto reply = co_await request(std::move(out));
  co_return reply;
}

Task<Step<Json>> Client::list(std::string url) {
  Json items = Json::array();
  for (int page = 1; page <= 20; ++page) {
    std::string at = page == 1 ? url : url + "&page=" + std::to_string(page);
    auto reply = co_await call("GET", std::move(at), nullptr);
    if (!reply) co_return std::unexpected(std::move(reply.error()));
    if (reply->status != 200) co_return stop(Verdict::rejected, problem_code(*reply));
    auto body = json_of(*reply);
    if (!body) co_return stop(Verdict::retry_later, "ZGW_MALFORMED");
    if (body->is_array()) co_return std::move(*body);
    if (!body->is_object() || !body->contains("results") || !(*body)["results"].is_array())
      co_return stop(Verdict::retry_later, "ZGW_MALFORMED");
    for (auto& item : (*body)["results"]) items.push_back(std::move(item));
    if (!body->contains("next") || !(*body)["next"].is_string()) break;
  }
  co_return items;
}

Task<Step<Json>> Client::create(std::string url, Json body) {
  auto reply = co_await call("POST", std::move(url), std::move(body));
  if (!reply) co_return std::unexpected(std::move(reply.error()));
  if (reply->status != 201 && reply->status != 200) co_return stop(Verdict::rejected, problem_code(*reply));
  auto made = json_of(*reply);
  // It was made, but we do not know where: the next attempt finds it by its natural key.
  if (!made || !made->is_object() || sdk::text_at(*made, "url").empty())
    co_return stop(Verdict::unknown, "ZGW_MALFORMED");
  co_return std::move(*made);
}

}  // namespace schakel::gemeente
