#include "incoming.hpp"

#include <fmt/format.h>

#include "core/formats/values.hpp"
#include "core/model/message.hpp"

namespace schakel::onderwijstransparant {
namespace {

/// Progress rows of what waits: `wacht/<id>`. The operator's status counts rows with this prefix.
constexpr std::string_view kWaits = "wacht/";
/// OnderwijsTransparant does not say whether a document is a concept: it is there, no more (domain.md section 4). The
/// claim check compares this with what AdapterInbox stored.
constexpr const char* kStatus = "aanwezig";
constexpr std::int64_t kMostWaiting = 5000;
constexpr int kTriesPerRound = 500;
constexpr std::int64_t kLongestPause = 3600;

std::string waits_key(const std::string& id) { return std::string(kWaits) + id; }

}  // namespace

IncomingSettings::IncomingSettings(const Json& c)
    : party(c.at("party")),
      source(c.at("source")),
      region(c.at("region")),
      swv_code(c.at("swv_code")),
      sender_role(c.value("sender_role", "school_ib")),
      page_size(c.value("page_size", 50)),
      max_document_bytes(c.value("max_document_bytes", 26214400)),
      wait_days(c.value("wait_days", 90)),
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
    // What this case has already is not fetched again, neither for a next version of the melding nor after a failure.
    std::string key = "document/" + case_id + "/" + document, type = sdk::text_at(item, "soort");
    auto known = co_await host_.progress().get(key);
    if (!known) co_return stop(Verdict::retry_later, known.error().code);
    Json stored = *known ? **known : Json::object();
    if (sdk::text_at(stored, "sha256") != sha || sdk::text_at(stored, "soort") != type) {
      auto version = sdk::number_at(stored, "versie").value_or(0) + 1;
      auto reply = co_await client_.call("GET", "/hulpvragen/" + id + "/documenten/" + document, nullptr, {},
                                         static_cast<std::size_t>(size) + 1);
      if (!reply) co_return std::unexpected(std::move(reply.error()));
      if (reply->status != 200) co_return stop(Verdict::rejected, "HTTP_" + std::to_string(reply->status));
      if (static_cast<std::int64_t>(reply->body.size()) != size || sha256_hex(reply->body) != sha)
        co_return stop(Verdict::rejected, "OT_DOCUMENT_HASH");
      DocumentInfo info{"",
                        type,
                        sdk::text_at(item, "mediaType"),
                        sdk::text_at(item, "bestandsnaam"),
                        sha,
                        static_cast<int>(version),
                        size};
      auto made = co_await inbox.store_document(settings_.party, case_id, std::move(info), to_bytes(reply->body));
      if (!made)
        co_return stop(made.error().kind == ErrorKind::invalid || made.error().kind == ErrorKind::too_large
                           ? Verdict::rejected
                           : Verdict::retry_later,
                       made.error().code);
      stored = {{"document", *made}, {"soort", type}, {"versie", version}, {"sha256", sha}};
      auto saved = co_await host_.progress().put(key, stored);
      if (!saved) co_return stop(Verdict::retry_later, saved.error().code);
    }
    out.push_back({{"document", stored["document"]},
                   {"doc_type", type},
                   {"version", stored["versie"]},
                   {"status", kStatus},
                   {"sha256", sha}});
  }
  co_return out;
}

Task<Taken> Incoming::take(Inbox& inbox, std::string id, std::int64_t version) {
  constexpr auto kLater = Taken::What::later, kHalt = Taken::What::halt;
  std::string key = "melding/" + id;
  auto known = co_await host_.progress().get(key);
  if (!known) co_return Taken{kHalt, {}};
  Json state = *known ? **known : Json::object();
  if (sdk::number_at(state, "versie").value_or(0) >= version) co_return Taken{};  // not newer than what is known
  // Without a case there is nobody to tell, and then a pupil's data are not fetched either. The school opens the case
  // and gives it this number, before or after the hulpvraag is filed.
  auto case_id = co_await inbox.case_of(settings_.party, id);
  if (!case_id) co_return Taken{kHalt, {}};
  if (!*case_id) co_return Taken{kLater, "CASE_UNKNOWN"};
  auto refuse = [this](const std::string& code) {
    refused(code);
    return Taken{};
  };
  auto reply = co_await client_.call("GET", "/hulpvragen/" + id, nullptr, {});
  if (!reply) co_return Taken{kLater, reply.error().code};
  if (reply->status == 404) co_return refuse("OT_GONE");
  if (reply->status != 200) co_return Taken{kLater, "HTTP_" + std::to_string(reply->status)};
  auto melding = parse_json(reply->body, {.bytes = 512 * 1024});
  std::optional<std::string> code = melding ? refusal(*melding, settings_) : std::optional<std::string>("OT_MALFORMED");
  if (!code && sdk::text_at(*melding, "id") != id) code = "OT_MALFORMED";
  if (code) co_return refuse(*code);
  Json documents = Json::array();
  if (settings_.documents) {
    auto fetched = co_await attachments(inbox, *melding, **case_id);
    if (!fetched && fetched.error().verdict == Verdict::rejected) co_return refuse(fetched.error().code);
    if (!fetched) co_return Taken{kLater, fetched.error().code};
    documents = std::move(*fetched);
  }
  auto accepted = co_await inbox.accept(
      settings_.party, event_of(*melding, settings_, sdk::text_at(*melding, "ingediendOp"), std::move(documents)));
  if (!accepted) {
    auto kind = accepted.error().kind;
    bool passes = kind == ErrorKind::unavailable || kind == ErrorKind::timeout || kind == ErrorKind::io ||
                  kind == ErrorKind::internal;
    if (passes) co_return Taken{kLater, accepted.error().code};
    co_return refuse(accepted.error().code);
  }
  state["versie"] = sdk::number_at(*melding, "versie").value_or(version);
  // With the hulpvraag of the case, for the way back.
  auto saved = co_await host_.progress().write({{key, std::move(state)}, {"case/" + **case_id, Json{{"id", id}}}});
  co_return Taken{saved ? Taken::What::done : kHalt, {}};
}

Task<bool> Incoming::wait(std::string id, std::int64_t version, std::string code) {
  auto key = waits_key(id);
  auto known = co_await host_.progress().get(key);
  if (!known) co_return false;
  auto now = host_.clock().now();
  if (!*known && waiting_ >= kMostWaiting) {
    // It comes again with its next version.
    refused("OT_WAITING_FULL");
    co_return true;
  }
  Json row = *known ? **known : Json{{"sinds", format_instant(now)}, {"pogingen", 0}, {"versie", 0}};
  auto tries = sdk::number_at(row, "pogingen").value_or(0);
  // Asking whether there is a case is one look into our own store: every round. Asking the partner is not.
  auto pause =
      code == "CASE_UNKNOWN" ? 0 : std::min(kLongestPause, std::int64_t{30} << std::min(tries, std::int64_t{7}));
  Json next{{"sinds", row["sinds"]},
            {"versie", std::max(version, sdk::number_at(row, "versie").value_or(0))},
            {"code", code},
            {"pogingen", pause == 0 ? std::int64_t{0} : tries + 1},
            {"volgende", format_instant(now + std::chrono::seconds(pause))}};
  bool same = *known && pause == 0 && row.value("code", "") == code && row["versie"] == next["versie"];
  if (!same) {
    auto saved = co_await host_.progress().put(key, std::move(next));
    if (!saved) co_return false;
  }
  if (*known) co_return true;
  ++waiting_;
  host_.metrics().count("ot_waits", {{"code", code}});
  log(LogLevel::info, "onderwijstransparant.waits", {{"code", code}});
  co_return true;
}

Task<bool> Incoming::forget(std::string id) {
  auto key = waits_key(id);
  auto known = co_await host_.progress().get(key);
  if (!known) co_return false;
  if (!*known) co_return true;
  auto gone = co_await host_.progress().write({{key, std::nullopt}});
  if (gone) --waiting_;
  co_return gone.has_value();
}

Task<bool> Incoming::try_again(Inbox& inbox, std::string key) {
  auto row = co_await host_.progress().get(key);
  if (!row) co_return false;
  if (!*row) co_return true;
  auto now = host_.clock().now();
  auto next = parse_instant(sdk::text_at(**row, "volgende")), since = parse_instant(sdk::text_at(**row, "sinds"));
  if (next && *next > now) co_return true;
  auto id = key.substr(kWaits.size());
  auto taken = co_await take(inbox, id, sdk::number_at(**row, "versie").value_or(1));
  if (taken.what == Taken::What::halt) co_return false;
  if (taken.what == Taken::What::later && since && now - *since < std::chrono::hours(24 * settings_.wait_days)) {
    auto kept = co_await wait(id, 0, taken.code);
    co_return kept;
  }
  if (taken.what == Taken::What::later) refused(taken.code);
  auto gone = co_await forget(id);
  co_return gone;
}

Task<bool> Incoming::retry(Inbox& inbox) {
  if (waiting_ < 0) {
    auto all = co_await host_.progress().keys(std::string(kWaits), "", static_cast<int>(kMostWaiting));
    if (!all) co_return false;
    waiting_ = std::ssize(*all);
  }
  if (waiting_ == 0) co_return true;
  auto keys = co_await host_.progress().keys(std::string(kWaits), retried_, kTriesPerRound);
  if (!keys) co_return false;
  for (auto& key : *keys) {
    auto on = co_await try_again(inbox, key);
    if (!on) co_return false;
    retried_ = key;
  }
  if (std::ssize(*keys) < kTriesPerRound) retried_.clear();
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
      auto gone = co_await forget(id);
      if (!gone) co_return false;
      continue;
    }
    auto taken = co_await take(inbox, id, *version);
    // The cursor stays before this page; what was taken is known by its version.
    if (taken.what == Taken::What::halt) co_return false;
    if (taken.what == Taken::What::done) continue;
    auto kept = co_await wait(id, *version, taken.code);
    if (!kept) co_return false;
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
  auto tried = co_await retry(inbox);
  if (!tried) co_return;
  for (int pages = 0; pages < 1000; ++pages) {
    bool more = co_await page(inbox, at);
    if (!more) co_return;
  }
}

}  // namespace schakel::onderwijstransparant
