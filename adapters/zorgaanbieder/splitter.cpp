#include "splitter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "core/base/json_object.hpp"
#include "core/model/message.hpp"
#include "schakel/outcome.hpp"

namespace schakel::zorgaanbieder {
namespace {

std::map<std::string, std::string> table_of(const Json& config, const char* key) {
  std::map<std::string, std::string> out;
  Json table = sdk::object_at(config, key);
  for (const auto& [name, value] : table.items()) out[name] = value.get<std::string>();
  return out;
}

/// Minutes of lines that are all measured in time; nullopt otherwise.
std::optional<std::int64_t> minutes_of(const std::vector<const formats::IjwPrestatie*>& lines) {
  std::int64_t sum = 0;
  for (const auto* p : lines) {
    if (p->eenheid == "01")
      sum += p->volume;
    else if (p->eenheid == "04")
      sum += p->volume * 60;
    else
      return std::nullopt;
  }
  return sum;
}

}  // namespace

Json event_envelope(const std::string& id, std::string_view type, const std::string& case_id, const std::string& date,
                    const Settings& settings, Json data) {
  data["region"] = settings.region;
  data["sender"] = json_object("role", settings.sender_role);
  Json event =
      json_object("data", std::move(data), "datacontenttype", "application/json", "id", id, "source", settings.source,
                  "specversion", "1.0", "time", date + "T00:00:00Z", "type", event_type(type));
  if (!case_id.empty()) event["subject"] = case_id;
  return event;
}

std::string month_of(formats::Date date) { return formats::format_date(date).substr(0, 7); }

Settings::Settings(const Json& c)
    : region(c.at("region")),
      gemeente_code(c.at("gemeente_code")),
      source(c.at("source")),
      sender_role(c.value("sender_role", "zorgaanbieder_billing")),
      default_retour(c.value("default_retourcode", "9338")),
      answer_url(c.value("answer_url", "")),
      answer_folder(c.value("answer_folder", "")),
      in_folder(c.value("in_folder", "")),
      afzenders(table_of(c, "afzenders")),
      leveranciers(table_of(c, "leveranciers")),
      retourcodes(table_of(c, "retourcodes")),
      poll_seconds(c.value("poll_seconds", 60)),
      keep_answer_days(c.value("keep_answer_days", 30)),
      ggk_applicatie(c.value("ggk_applicatie", "Schakel")) {
  for (const auto& p : sdk::array_at(c, "producten"))
    producten.push_back({p.value("categorie", ""), p.value("code", ""), p.at("kind")});
  for (const auto& k : sdk::array_at(c, "knooppunten")) knooppunten.push_back(k.get<std::string>());
  for (const auto& a : sdk::array_at(c, "afnemers")) afnemers.push_back(a.get<std::string>());
  Json accounts = sdk::object_at(c, "rekeningen");
  for (const auto& [seller, ibans] : accounts.items()) rekeningen[seller] = ibans.get<std::vector<std::string>>();
}

std::expected<std::string, std::string_view> Settings::kind_of(const std::string& categorie,
                                                               const std::string& code) const {
  bool ubl = categorie.empty();
  if (!ubl && formats::of_another_category(code, categorie)) return std::unexpected("S329");  // TR381
  bool elsewhere = false;
  for (const auto& p : producten) {
    if (!p.code.empty() && p.code != code) continue;
    // A line of an e-invoice has no category: only a rule that names its item can be about it.
    if (ubl ? !p.code.empty() : p.categorie.empty() || p.categorie == categorie) return p.kind;
    elsewhere = elsewhere || !p.code.empty();
  }
  return std::unexpected(elsewhere ? "S329" : "9340");
}

bool Settings::may_post(const std::string& party, const std::string& owner) const {
  return party.empty() || party == owner || std::ranges::find(knooppunten, party) != knooppunten.end();
}

std::string Settings::retour_of(const std::string& reason) const {
  if (auto it = retourcodes.find(reason); it != retourcodes.end()) return it->second;
  // TR338: no assignment of this provider or number; TR340: of another product; the budget of the assignment is spent.
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kMeant{
      {{"PROVIDER_IS_ANOTHER", "9338"},
       {"ASSIGNMENT_IS_ANOTHER", "9338"},
       {"PRODUCT_IS_ANOTHER", "9340"},
       {"FUNDING_MAX_EXCEEDED", "9369"}}};
  auto meant = std::ranges::find(kMeant, reason, &std::pair<std::string_view, std::string_view>::first);
  return meant == kMeant.end() ? default_retour : std::string(meant->second);
}

std::vector<Part> split(const formats::Jw323& declaration, const Context& context, const Settings& settings,
                        const std::string& content_hash, std::size_t first_client, std::size_t last_client) {
  std::vector<Part> out;
  std::string dated = formats::format_date(declaration.dagtekening);
  auto id_of = [&](std::size_t client, const std::string& detail) {
    return sdk::stable_uuid(fmt::format("jw323|{}|{}|{}|{}|{}", declaration.afzender, declaration.identificatie,
                                        content_hash, client, detail));
  };
  for (bool credits : {true, false}) {
    for (std::size_t c = first_client; c < std::min(last_client, declaration.clienten.size()); ++c) {
      const auto& client = declaration.clienten[c];
      if (c >= context.cases.size() || !context.cases[c]) continue;
      // By the invoice that is credited or replaced; the other debit lines by month, as an agreement may end between
      // two: the declared month first.
      const std::string declared = month_of(declaration.periode.begin);
      std::map<std::pair<std::string, std::string>, std::vector<std::size_t>> groups;
      for (std::size_t i = 0; i < client.prestaties.size(); ++i) {
        if (client.prestaties[i].credit != credits || context.rejected.contains({c, i})) continue;
        auto credited = context.credited.find({c, i});
        if (credits && credited == context.credited.end()) continue;
        auto replaced = context.replaces.find({c, i});
        auto month = month_of(client.prestaties[i].periode.begin);
        if (credits)
          groups[{credited->second, ""}].push_back(i);
        else
          groups[{replaced == context.replaces.end() ? "" : context.credited.at(replaced->second),
                  month == declared ? "" : month}]
              .push_back(i);
      }
      int n = 0;
      for (const auto& [group, lines] : groups) {
        const auto& [original, month] = group;
        Part part;
        bool replaces = !credits && !original.empty();
        if (credits || replaces) ++n;
        // A DeclaratieNummer is unique per AGB, and one party may declare under several (TR333).
        part.number = fmt::format("{}-{}-{}", declaration.afzender, declaration.declaratienummer, c + 1);
        if (credits || replaces)
          part.number += fmt::format("{}{}", credits ? 'C' : 'V', n);
        else if (!month.empty())
          part.number += fmt::format("M{}{}", month.substr(2, 2), month.substr(5));
        part.id = id_of(c, (credits    ? "credit|" + original
                            : replaces ? "debet|" + original
                                       : std::string("debet")) +
                               (month.empty() ? "" : "|" + month));
        if (replaces) part.after = id_of(context.replaces.at({c, lines.front()}).first, "credit|" + original);
        Json data = json_object("lines", Json::array(), "number", part.number, "period",
                                month.empty() ? declared : month, "vat_cents", 0);
        if (credits) data["credits"] = original;
        formats::Date first = client.prestaties[lines.front()].periode.begin,
                      last = client.prestaties[lines.front()].periode.eind;
        std::vector<const formats::IjwPrestatie*> all;
        bool combined = true;
        Json& written = data["lines"];
        written.get_ref<Json::array_t&>().reserve(lines.size());
        all.reserve(lines.size()), part.lines.reserve(lines.size());
        for (std::size_t i : lines) {
          const auto& p = client.prestaties[i];
          auto known = context.kinds.find({c, i});
          std::string kind =
              known != context.kinds.end() ? known->second : settings.kind_of(p.categorie, p.product).value_or("");
          combined = combined && kind == "gecombineerd";
          Json::array_t period;
          period.reserve(2);
          period.emplace_back(formats::format_date(p.periode.begin));
          period.emplace_back(formats::format_date(p.periode.eind));
          written.push_back(json_object("cents", p.bedrag.value(), "kind", std::move(kind), "period", std::move(period),
                                        "product", p.product, "toewijzing", p.toewijzing));
          first = std::min(first, p.periode.begin);
          last = std::max(last, p.periode.eind);
          part.lines.emplace_back(c, i);
          all.push_back(&p);
        }
        data["service_period"] = Json::array({formats::format_date(first), formats::format_date(last)});
        if (auto minutes = minutes_of(all); minutes && combined && !credits) data["minutes"] = *minutes;
        part.event = event_envelope(part.id, credits ? "creditnota" : "factuur", *context.cases[c], dated, settings,
                                    std::move(data));
        out.push_back(std::move(part));
      }
    }
  }
  return out;
}

}  // namespace schakel::zorgaanbieder
