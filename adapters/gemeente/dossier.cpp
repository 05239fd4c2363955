#include "dossier.hpp"

#include "core/base/calendar.hpp"

namespace schakel::gemeente {

using sdk::url_segment;

std::string Dossier::natural_key() const {
  // An existing dossier of the gemeente, when the correlation table knows it, leads.
  if (auto known = sdk::text_at(sdk::object_at(delivery_.body, "filing"), "dossier"); !known.empty())
    return known.substr(0, 40);
  return settings_.prefix +
         to_letters(ByteView(sha256("zaak|" + (delivery_.pseudonym.empty() ? delivery_.case_id : delivery_.pseudonym)))
                        .first(12));
}

Task<Step<void>> Dossier::load() {
  auto found = co_await host_.progress().get("send/" + delivery_.id);
  if (!found) co_return std::unexpected(sdk::outcome_of_error(found.error()));
  if (*found && (*found)->is_object()) state_ = std::move(**found);
  zaak_ = state_.value("zaak", "");
  uuid_ = state_.value("uuid", "");
  if (!state_.contains("documents")) state_["documents"] = Json::object();
  co_return Step<void>{};
}

Task<Step<void>> Dossier::save() {
  auto ok = co_await host_.progress().put("send/" + delivery_.id, state_);
  if (!ok) co_return stop(Verdict::retry_later, ok.error().code);
  co_return Step<void>{};
}

Task<Step<std::string>> Dossier::find_zaak(std::string identificatie) {
  auto found = co_await client_.list(settings_.zaken_url + "/zaken?identificatie=" + url_segment(identificatie) +
                                     "&bronorganisatie=" + settings_.bronorganisatie);
  if (!found) co_return std::unexpected(std::move(found.error()));
  for (const auto& zaak : *found) {
    if (sdk::text_at(zaak, "identificatie") != identificatie) continue;  // a provider may ignore a filter
    auto uuid = uuid_of(zaak);
    if (!uuid || sdk::text_at(zaak, "url").empty()) co_return stop(Verdict::retry_later, "ZGW_MALFORMED");
    uuid_ = *uuid;
    co_return sdk::text_at(zaak, "url");
  }
  co_return std::string{};
}

Task<Step<void>> Dossier::ensure_zaak(bool may_create) {
  if (!zaak_.empty() && !uuid_.empty()) co_return Step<void>{};
  std::string key = natural_key();
  auto found = co_await find_zaak(key);
  if (!found) co_return std::unexpected(std::move(found.error()));
  if (found->empty()) {
    if (!may_create) co_return stop(Verdict::retry_later, "ZGW_DOSSIER_UNKNOWN");
    std::string today = local_date(delivery_.first_attempt).str();
    Json body{{"identificatie", key},
              {"bronorganisatie", settings_.bronorganisatie},
              {"verantwoordelijkeOrganisatie", settings_.verantwoordelijke},
              {"zaaktype", settings_.types["zaaktype"]},
              {"startdatum", today},
              {"registratiedatum", today},
              {"omschrijving", settings_.omschrijving},
              {"vertrouwelijkheidaanduiding", settings_.vertrouwelijkheid},
              {"kenmerken", Json::array({{{"kenmerk", delivery_.message_id.substr(0, 40)}, {"bron", "Schakel"}}})}};
    auto made = co_await client_.create(settings_.zaken_url + "/zaken", std::move(body));
    if (made) {
      auto uuid = uuid_of(*made);
      if (!uuid) co_return stop(Verdict::unknown, "ZGW_MALFORMED");
      uuid_ = *uuid;
      found = made->at("url").get<std::string>();
    } else if (made.error().code == "ZGW_identificatie-niet-uniek") {
      // zrc-002: somebody made it between our look and our call.
      auto again = co_await find_zaak(key);
      if (!again) co_return std::unexpected(std::move(again.error()));
      if (again->empty())
        co_return stop(Verdict::rejected, "ZGW_identificatie-niet-uniek");  // there, but not ours to see
      found = std::move(*again);
    } else {
      co_return std::unexpected(std::move(made.error()));
    }
  }
  zaak_ = *found;
  state_["zaak"] = zaak_;
  state_["uuid"] = uuid_;
  auto saved = co_await save();
  co_return saved;
}

Task<Step<void>> Dossier::ensure_rol() {
  std::string type = settings_.types.value("roltype", "");
  if (type.empty() || state_.value("rol", false)) co_return Step<void>{};
  auto roles = co_await client_.list(settings_.zaken_url + "/rollen?zaak=" + url_segment(zaak_) +
                                     "&roltype=" + url_segment(type));
  if (!roles) co_return std::unexpected(std::move(roles.error()));
  bool there = std::ranges::any_of(
      *roles, [&](const Json& r) { return sdk::text_at(r, "roltype") == type && sdk::text_at(r, "zaak") == zaak_; });
  if (!there) {
    auto bsn = co_await host_.bsn(delivery_.case_id, "zgw-rol");
    if (!bsn) co_return std::unexpected(sdk::outcome_of_error(bsn.error()));
    Json body{{"zaak", zaak_},
              {"roltype", type},
              {"betrokkeneType", "natuurlijk_persoon"},
              {"roltoelichting", "jeugdige"},
              {"betrokkeneIdentificatie", {{"inpBsn", bsn->reveal_text()}}}};
    auto made = co_await client_.create(settings_.zaken_url + "/rollen", std::move(body));
    if (!made) co_return std::unexpected(std::move(made.error()));
  }
  state_["rol"] = true;
  auto saved = co_await save();
  co_return saved;
}

Task<Step<void>> Dossier::ensure_eigenschap(std::string type_url, std::string value) {
  std::string base = settings_.zaken_url + "/zaken/" + uuid_ + "/zaakeigenschappen";
  auto there = co_await client_.list(base);
  if (!there) co_return std::unexpected(std::move(there.error()));
  for (const auto& item : *there) {
    if (sdk::text_at(item, "eigenschap") != type_url) continue;
    if (sdk::text_at(item, "waarde") == value) co_return Step<void>{};
    auto uuid = uuid_of(item);
    if (!uuid) co_return stop(Verdict::retry_later, "ZGW_MALFORMED");
    // PATCH of our own field only: there is no optimistic locking in Zaken.
    auto changed = co_await client_.call("PATCH", base + '/' + *uuid,
                                         Json{{"zaak", zaak_}, {"eigenschap", type_url}, {"waarde", value}});
    if (!changed) co_return std::unexpected(std::move(changed.error()));
    if (changed->status != 200) co_return stop(Verdict::rejected, problem_code(*changed));
    co_return Step<void>{};
  }
  auto made = co_await client_.create(base, Json{{"zaak", zaak_}, {"eigenschap", type_url}, {"waarde", value}});
  if (!made) co_return std::unexpected(std::move(made.error()));
  co_return Step<void>{};
}

Task<Step<void>> Dossier::ensure_status(std::string type_url) {
  // One instant per delivery: (zaak, datumStatusGezet) is unique, so that a repeat cannot become a second status.
  std::string at = format_instant(delivery_.first_attempt);
  auto there = co_await client_.list(settings_.zaken_url + "/statussen?zaak=" + url_segment(zaak_));
  if (!there) co_return std::unexpected(std::move(there.error()));
  auto same_instant = [&](const Json& status) {
    auto set = parse_instant(sdk::text_at(status, "datumStatusGezet"));
    return set && *set == delivery_.first_attempt;
  };
  bool first =
      delivery_.kind == "filing";  // the first status is set once in the life of a zaak, whatever delivery was first
  for (const auto& status : *there)
    if (sdk::text_at(status, "zaak") == zaak_ && sdk::text_at(status, "statustype") == type_url &&
        (first || same_instant(status)))
      co_return Step<void>{};
  if (first && !there->empty()) co_return Step<void>{};
  auto made = co_await client_.create(settings_.zaken_url + "/statussen",
                                      Json{{"zaak", zaak_}, {"statustype", type_url}, {"datumStatusGezet", at}});
  if (!made) co_return std::unexpected(std::move(made.error()));
  co_return Step<void>{};
}

Task<Step<void>> Dossier::link(std::string information_object, std::string title) {
  auto there = co_await client_.list(settings_.zaken_url + "/zaakinformatieobjecten?zaak=" + url_segment(zaak_) +
                                     "&informatieobject=" + url_segment(information_object));
  if (!there) co_return std::unexpected(std::move(there.error()));
  for (const auto& item : *there)
    if (sdk::text_at(item, "informatieobject") == information_object && sdk::text_at(item, "zaak") == zaak_)
      co_return Step<void>{};
  auto made =
      co_await client_.create(settings_.zaken_url + "/zaakinformatieobjecten",
                              Json{{"zaak", zaak_}, {"informatieobject", information_object}, {"titel", title}});
  if (!made) co_return std::unexpected(std::move(made.error()));
  co_return Step<void>{};
}

Json Dossier::receipt() const {
  Json documents = Json::array();
  for (const auto& [id, state] : state_["documents"].items())
    if (state.contains("url")) documents.push_back({{"document", id}, {"url", state["url"]}});
  return {{"zaak", zaak_}, {"documents", std::move(documents)}};
}

}  // namespace schakel::gemeente
