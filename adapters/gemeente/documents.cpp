// Step 5: a document of a zaak, in one call or in bestandsdelen.
#include <fmt/format.h>

#include "core/base/calendar.hpp"
#include "dossier.hpp"

namespace schakel::gemeente {
Task<Step<void>> Dossier::ensure_document(DocumentInfo document) {
  std::string id = document.id, title = document.doc_type;
  if (state_["documents"].value(id, Json::object()).value("linked", false)) co_return Step<void>{};
  auto url = co_await document_url(std::move(document));
  if (!url) co_return std::unexpected(std::move(url.error()));
  auto linked = co_await link(*url, title);
  if (!linked) co_return std::unexpected(std::move(linked.error()));
  state_["documents"][id]["url"] = *url;
  state_["documents"][id]["linked"] = true;
  auto saved = co_await save();
  co_return saved;
}

/// The URL of the complete information object. Our identificatie is derived from document and version, so a repeat
/// finds it.
Task<Step<std::string>> Dossier::document_url(DocumentInfo document) {
  Json& state = state_["documents"][document.id];
  if (state.is_null()) state = Json::object();
  const Json& types =
      settings_.types.contains("informatieobjecttypen") ? settings_.types["informatieobjecttypen"] : Json::object();
  std::string type = types.value(document.doc_type, types.value("*", ""));
  if (type.empty()) co_return stop(Verdict::rejected, "ZGW_DOCTYPE_NOT_CONFIGURED");

  for (int round = state.value("round", 1); round <= 5; ++round) {
    std::string key = settings_.prefix + to_letters(ByteView(sha256(fmt::format("eio|{}|{}|{}|{}", delivery_.case_id,
                                                                                document.id, document.version, round)))
                                                        .first(12));
    auto there =
        co_await client_.list(settings_.documenten_url + "/enkelvoudiginformatieobjecten?identificatie=" + key +
                              "&bronorganisatie=" + settings_.bronorganisatie);
    if (!there) co_return std::unexpected(std::move(there.error()));
    auto found =
        std::ranges::find_if(*there, [&](const Json& item) { return sdk::text_at(item, "identificatie") == key; });
    if (found != there->end()) {
      std::string url = sdk::text_at(*found, "url");
      bool open = sdk::flag_at(*found, "locked") || !sdk::array_at(*found, "bestandsdelen").empty();
      if (!open) co_return url;
      if (sdk::text_at(state, "url") == url && !sdk::text_at(state, "lock").empty()) {
        auto done = co_await upload_parts(document, key);
        if (!done) co_return std::unexpected(std::move(done.error()));
        co_return url;
      }
      // It was made, but the lock was lost with the process: only the gemeente can free it. It has no content and
      // belongs to no zaak; we start anew under the next key.
      host_.metrics().count("gemeente_orphan_uploads", {});
      log(LogLevel::warn, "gemeente.orphan_upload", {{"delivery", delivery_.id}});
      state["round"] = round + 1;
      auto saved = co_await save();
      if (!saved) co_return std::unexpected(std::move(saved.error()));
      continue;
    }
    Json body{{"identificatie", key},
              {"bronorganisatie", settings_.bronorganisatie},
              {"creatiedatum", local_date(delivery_.first_attempt).str()},
              {"titel", document.doc_type},
              {"auteur", settings_.auteur},
              {"taal", "dut"},
              {"bestandsnaam", document.file_name},
              {"formaat", document.media_type},
              {"bestandsomvang", document.size},
              {"informatieobjecttype", type},
              {"vertrouwelijkheidaanduiding", settings_.vertrouwelijkheid},
              {"indicatieGebruiksrecht", false},
              {"status", "definitief"}};
    if (!document.sha256.empty())
      body["integriteit"] = {
          {"algoritme", "sha_256"}, {"waarde", document.sha256}, {"datum", local_date(delivery_.first_attempt).str()}};
    if (document.size <= settings_.small_bytes) {
      auto made = co_await make_small(std::move(document), std::move(body));
      co_return made;
    }
    auto made = co_await make_large(std::move(document), std::move(body), key);
    co_return made;
  }
  co_return stop(Verdict::rejected, "ZGW_UPLOAD_NEVER_COMPLETE");
}

Task<Step<std::string>> Dossier::make_small(DocumentInfo document, Json body) {
  auto content = co_await host_.documents().read(document.id, 0, static_cast<std::size_t>(document.size));
  if (!content) co_return stop(Verdict::retry_later, content.error().code);
  if (static_cast<std::int64_t>(content->size()) != document.size)
    co_return stop(Verdict::retry_later, "DOCUMENT_SHORT");
  body["inhoud"] = to_base64(*content);
  auto made = co_await client_.create(settings_.documenten_url + "/enkelvoudiginformatieobjecten", std::move(body));
  if (!made) co_return std::unexpected(std::move(made.error()));
  co_return sdk::text_at(*made, "url");
}

Task<Step<std::string>> Dossier::make_large(DocumentInfo document, Json body, std::string key) {
  body["inhoud"] = nullptr;
  auto made = co_await client_.create(settings_.documenten_url + "/enkelvoudiginformatieobjecten", std::move(body));
  if (!made) co_return std::unexpected(std::move(made.error()));
  std::string url = sdk::text_at(*made, "url"), lock = sdk::text_at(*made, "lock");
  if (lock.empty()) co_return stop(Verdict::unknown, "ZGW_MALFORMED");
  state_["documents"][document.id]["url"] = url;
  state_["documents"][document.id]["lock"] = lock;
  auto saved = co_await save();
  if (!saved) co_return std::unexpected(std::move(saved.error()));
  auto done = co_await upload_parts(std::move(document), key);
  if (!done) co_return std::unexpected(std::move(done.error()));
  co_return url;
}

/// Sends every part that is not there yet, exactly as large as the gemeente asks, then unlocks.
Task<Step<void>> Dossier::upload_parts(DocumentInfo document, std::string key) {
  std::string lock = sdk::text_at(state_["documents"][document.id], "lock");
  auto uuid = uuid_of(state_["documents"][document.id]);
  if (!uuid) co_return stop(Verdict::rejected, "ZGW_MALFORMED");
  std::string base = settings_.documenten_url + "/enkelvoudiginformatieobjecten/" + *uuid;
  auto reply = co_await client_.call("GET", base, nullptr);
  if (!reply) co_return std::unexpected(std::move(reply.error()));
  if (reply->status != 200) co_return stop(Verdict::rejected, problem_code(*reply));
  auto object = parse_json(reply->body, {.bytes = 4 * 1024 * 1024});
  if (!object || !object->is_object() || sdk::text_at(*object, "identificatie") != key)
    co_return stop(Verdict::retry_later, "ZGW_MALFORMED");
  auto parts = sdk::array_at(*object, "bestandsdelen").get<std::vector<Json>>();
  std::ranges::sort(parts, {}, [](const Json& p) { return sdk::number_at(p, "volgnummer").value_or(0); });
  std::int64_t offset = 0;
  for (const auto& part : parts) {
    std::int64_t size = sdk::number_at(part, "omvang").value_or(0);
    auto part_uuid = uuid_of(part);
    if (size <= 0 || size > document.size - offset || !part_uuid)
      co_return stop(Verdict::rejected, "ZGW_PARTS_DO_NOT_FIT");
    if (size > settings_.max_part_bytes) co_return stop(Verdict::rejected, "ZGW_PART_TOO_LARGE");
    if (!sdk::flag_at(part, "voltooid")) {
      auto content = co_await host_.documents().read(document.id, offset, static_cast<std::size_t>(size));
      if (!content) co_return stop(Verdict::retry_later, content.error().code);
      if (static_cast<std::int64_t>(content->size()) != size) co_return stop(Verdict::retry_later, "DOCUMENT_SHORT");
      auto put = co_await client_.put_part(settings_.documenten_url + "/bestandsdelen/" + *part_uuid,
                                           std::move(*content), lock);
      if (!put) co_return std::unexpected(std::move(put.error()));
      if (put->status != 200) co_return stop(Verdict::rejected, problem_code(*put));
    }
    offset += size;
  }
  if (!parts.empty() && offset != document.size) co_return stop(Verdict::rejected, "ZGW_PARTS_DO_NOT_FIT");
  if (!sdk::flag_at(*object, "locked", true)) co_return Step<void>{};
  auto unlocked = co_await client_.call("POST", base + "/unlock", Json{{"lock", lock}});
  if (!unlocked) co_return std::unexpected(std::move(unlocked.error()));
  if (unlocked->status != 204) co_return stop(Verdict::rejected, problem_code(*unlocked));
  co_return Step<void>{};
}

}  // namespace schakel::gemeente
