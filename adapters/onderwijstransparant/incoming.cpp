#include "incoming.hpp"

#include <fmt/format.h>

#include "core/formats/values.hpp"
#include "core/model/message.hpp"

namespace schakel::onderwijstransparant {

IncomingSettings::IncomingSettings(const Json& c)
    : party(c.at("party")),
      source(c.at("source")),
      region(c.at("region")),
      swv_code(c.at("swv_code")),
      sender_role(c.value("sender_role", "school_ib")),
      page_size(c.value("page_size", 50)),
      max_document_bytes(c.value("max_document_bytes", 26214400)),
      documents(c.value("documents", true)) {}

std::optional<std::string> refusal(const Json& melding, const IncomingSettings& settings) {
  if (holds_pgn(melding)) return "OT_PGN";
  if (!formats::valid_uuid(sdk::text_at(melding, "id")) || !sdk::number_at(melding, "versie") ||
      sdk::text_at(sdk::object_at(melding, "hulpvraag"), "omschrijving").empty() ||
      !parse_instant(sdk::text_at(melding, "ingediendOp")))
    return "OT_MALFORMED";
  if (sdk::text_at(melding, "swvCode") != settings.swv_code) return "OT_SWV";
  Json pupil = sdk::object_at(melding, "leerling");
  if (sdk::flag_at(pupil, "adresGeheim") && (pupil.contains("adres") || pupil.contains("postcode")))
    return "OT_SECRET_ADDRESS";
  return std::nullopt;
}

Json event_of(const Json& melding, const IncomingSettings& settings, const std::string& at, Json attachments) {
  std::string id = sdk::text_at(melding, "id");
  auto version = sdk::number_at(melding, "versie").value_or(0);
  Json question = sdk::object_at(melding, "hulpvraag"), parents = sdk::object_at(melding, "ouders"),
       school = sdk::object_at(melding, "school"), pupil = sdk::object_at(melding, "leerling");
  Json data{{"region", settings.region},
            {"sender", {{"role", settings.sender_role}}},
            {"reference", id},
            {"version", version},
            {"request_kind", sdk::text_at(melding, "soortAanvraag")},
            {"question", sdk::text_at(question, "omschrijving")},
            {"care_involved", sdk::flag_at(question, "zorgBetrokken")},
            {"parents",
             {{"informed", sdk::flag_at(parents, "geinformeerd")}, {"consent", sdk::text_at(parents, "toestemming")}}},
            {"school", {{"brin", sdk::text_at(school, "brin")}, {"vestiging", sdk::text_at(school, "vestiging")}}},
            {"pupil",
             {{"leerlingkenmerk", sdk::text_at(pupil, "leerlingkenmerk")},
              {"birth_date", sdk::text_at(pupil, "geboortedatum")}}},
            {"status", sdk::text_at(melding, "status")}};
  auto optional = [](Json& into, const char* as, const std::string& text) {
    if (!text.empty()) into[as] = text;
  };
  optional(data, "analysis", sdk::text_at(question, "onderwijsbehoeften"));
  optional(data, "urgency", sdk::text_at(question, "urgentie"));
  optional(data, "requested_support", sdk::text_at(question, "gewensteOndersteuning"));
  optional(data["parents"], "consent_date", sdk::text_at(parents, "toestemmingDatum"));
  optional(data["pupil"], "woongemeente", sdk::text_at(pupil, "woongemeente"));
  if (!attachments.empty()) data["attachments"] = std::move(attachments);
  return {{"specversion", "1.0"},
          {"id", fmt::format("{}-v{}", id, version)},
          {"source", settings.source},
          {"type", event_type("hulpvraagmelding")},
          {"time", at},
          {"datacontenttype", "application/json"},
          {"data", std::move(data)}};
}

void Incoming::refused(const std::string& code) {
  host_.metrics().count("ot_refused", {{"code", code}});
  log(LogLevel::warn, "onderwijstransparant.refused", {{"code", code}});
}

Task<Step<Json>> Incoming::attachments(Inbox& inbox, const Json& melding, std::string case_id) {
  Json out = Json::array();
  std::string id = sdk::text_at(melding, "id");
  Json list = sdk::array_at(melding, "documenten");
  if (list.size() > 100) co_return stop(Verdict::rejected, "OT_TOO_MANY_DOCUMENTS");
  for (const auto& item : list) {
    std::string document = sdk::text_at(item, "id"), sha = sdk::text_at(item, "sha256");
    auto size = sdk::number_at(item, "omvang").value_or(-1);
    if (!formats::valid_uuid(document) || size < 0 || size > settings_.max_document_bytes)
      co_return stop(Verdict::rejected, "OT_DOCUMENT");
    auto reply = co_await client_.call("GET", "/hulpvragen/" + id + "/documenten/" + document, nullptr, {},
                                       static_cast<std::size_t>(size) + 1);
    if (!reply) co_return std::unexpected(std::move(reply.error()));
    if (reply->status != 200) co_return stop(Verdict::rejected, "HTTP_" + std::to_string(reply->status));
    if (static_cast<std::int64_t>(reply->body.size()) != size || sha256_hex(reply->body) != sha)
      co_return stop(Verdict::rejected, "OT_DOCUMENT_HASH");
    DocumentInfo info{
        "",  sdk::text_at(item, "soort"), sdk::text_at(item, "mediaType"), sdk::text_at(item, "bestandsnaam"), sha, 1,
        size};
    std::string type = info.doc_type;
    auto stored = co_await inbox.store_document(settings_.party, case_id, std::move(info), to_bytes(reply->body));
    if (!stored)
      co_return stop(stored.error().kind == ErrorKind::invalid ? Verdict::rejected : Verdict::retry_later,
                     stored.error().code);
    out.push_back({{"document", *stored}, {"doc_type", type}, {"version", 1}, {"status", "compleet"}, {"sha256", sha}});
  }
  co_return out;
}

/// True when this change is dealt with for good: accepted, known, or refused.
Task<bool> Incoming::take(Inbox& inbox, std::string id, std::int64_t version) {
  std::string key = "melding/" + id;
  auto known = co_await host_.progress().get(key);
  if (!known) co_return false;
  Json state = *known ? **known : Json::object();
  if (sdk::number_at(state, "versie").value_or(0) >= version) co_return true;  // a lower version than known is old news
  auto reply = co_await client_.call("GET", "/hulpvragen/" + id, nullptr, {});
  if (!reply) co_return false;
  if (reply->status == 404) {
    refused("OT_GONE");
    co_return true;
  }
  if (reply->status != 200) co_return false;
  auto melding = parse_json(reply->body, {.bytes = 512 * 1024});
  std::optional<std::string> code = melding ? refusal(*melding, settings_) : std::optional<std::string>("OT_MALFORMED");
  if (!code && sdk::text_at(*melding, "id") != id) code = "OT_MALFORMED";
  if (code) {
    refused(*code);
    co_return true;
  }
  auto case_id = co_await inbox.case_of(settings_.party, id);
  if (!case_id) co_return false;
  Json documents = Json::array();
  if (settings_.documents && *case_id) {
    auto fetched = co_await attachments(inbox, *melding, **case_id);
    if (!fetched && fetched.error().verdict != Verdict::rejected) co_return false;
    if (!fetched) {
      refused(fetched.error().code);
      co_return true;
    }
    documents = std::move(*fetched);
  }
  auto accepted = co_await inbox.accept(
      settings_.party, event_of(*melding, settings_, sdk::text_at(*melding, "ingediendOp"), std::move(documents)));
  if (!accepted) {
    bool never = accepted.error().kind == ErrorKind::invalid || accepted.error().kind == ErrorKind::forbidden ||
                 accepted.error().kind == ErrorKind::conflict || accepted.error().kind == ErrorKind::too_large;
    if (!never) co_return false;
    refused(accepted.error().code);
    co_return true;
  }
  state["versie"] = sdk::number_at(*melding, "versie").value_or(version);
  auto saved = co_await host_.progress().put(key, std::move(state));
  if (!saved) co_return false;
  // For the way back: the hulpvraag of a case.
  auto now_known = co_await inbox.case_of(settings_.party, id);
  if (now_known && *now_known) {
    auto linked = co_await host_.progress().put("case/" + **now_known, Json{{"id", id}});
    if (!linked) co_return false;
  }
  co_return true;
}

/// True when there is another page to ask for.
Task<bool> Incoming::page(Inbox& inbox, Json& state) {
  std::string cursor = sdk::text_at(state, "cursor");
  std::string path = "/hulpvragen?limit=" + std::to_string(settings_.page_size) +
                     (cursor.empty() ? "" : "&sinds=" + sdk::url_segment(cursor));
  auto reply = co_await client_.call("GET", path, nullptr, {});
  if (!reply) {
    log(LogLevel::info, "onderwijstransparant.poll", {{"code", reply.error().code}});
    co_return false;
  }
  if (reply->status == 410 && !cursor.empty()) {
    // The cursor is gone: all of it again; what is known is passed over by version.
    state["cursor"] = "";
    auto saved = co_await host_.progress().put("cursor", state);
    co_return saved.has_value();
  }
  auto body = reply->status == 200
                  ? parse_json(reply->body, {.bytes = 4 * 1024 * 1024})
                  : Result<Json>(fail(ErrorKind::invalid, "HTTP_" + std::to_string(reply->status), ""));
  if (!body || sdk::text_at(*body, "volgende").empty()) {
    log(LogLevel::warn, "onderwijstransparant.poll", {{"code", body ? "OT_MALFORMED" : body.error().code}});
    co_return false;
  }
  for (const auto& change : sdk::array_at(*body, "items")) {
    std::string id = sdk::text_at(change, "id");
    auto version = sdk::number_at(change, "versie");
    if (!formats::valid_uuid(id) || !version) {
      refused("OT_MALFORMED");
      continue;
    }
    if (sdk::text_at(change, "soort") == "ingetrokken") {
      host_.metrics().count("ot_withdrawn", {});
      continue;
    }
    bool done = co_await take(inbox, id, *version);
    if (!done) co_return false;  // the cursor stays before this page; what was taken is known by its version
  }
  std::string next = sdk::text_at(*body, "volgende");
  bool moved = next != cursor;
  state["cursor"] = next;
  auto saved = co_await host_.progress().put("cursor", state);
  co_return saved&& moved&& sdk::flag_at(*body, "meer");
}

Task<void> Incoming::poll(Inbox& inbox) {
  auto state = co_await host_.progress().get("cursor");
  if (!state) co_return;
  Json at = *state ? **state : Json::object();
  for (int pages = 0; pages < 1000; ++pages) {
    bool more = co_await page(inbox, at);
    if (!more) co_return;
  }
}

}  // namespace schakel::onderwijstransparant
