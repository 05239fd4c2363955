#include "splitter.hpp"

#include <fmt/format.h>

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

std::string month_of(formats::Date date) { return formats::format_date(date).substr(0, 7); }

Json envelope(const std::string& id, std::string_view type, const std::string& case_id, const std::string& date,
              const Settings& settings, Json data) {
  data["region"] = settings.region;
  data["sender"] = {{"role", settings.sender_role}};
  Json event{{"specversion", "1.0"},        {"id", id},
             {"source", settings.source},   {"type", event_type(type)},
             {"time", date + "T00:00:00Z"}, {"datacontenttype", "application/json"},
             {"data", std::move(data)}};
  if (!case_id.empty()) event["subject"] = case_id;
  return event;
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

Settings::Settings(const Json& c)
    : region(c.at("region")),
      gemeente_code(c.at("gemeente_code")),
      source(c.at("source")),
      sender_role(c.value("sender_role", "zorgaanbieder_billing")),
      default_kind(c.value("default_kind", "zorg")),
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
}

std::string Settings::kind_of(const std::string& categorie, const std::string& code) const {
  for (const auto& p : producten)
    if ((p.categorie.empty() || p.categorie == categorie) && (p.code.empty() || p.code == code)) return p.kind;
  return default_kind;
}

std::string Settings::retour_of(const std::string& reason) const {
  auto it = retourcodes.find(reason);
  return it == retourcodes.end() ? default_retour : it->second;
}

std::vector<Part> split(const formats::Jw323& declaration, const Context& context, const Settings& settings,
                        const std::string& content_hash) {
  std::vector<Part> out;
  std::string dated = formats::format_date(declaration.dagtekening);
  auto id_of = [&](std::size_t client, const std::string& detail) {
    return sdk::stable_uuid(fmt::format("jw323|{}|{}|{}|{}|{}", declaration.afzender, declaration.identificatie,
                                        content_hash, client, detail));
  };
  for (bool credits : {true, false}) {
    for (std::size_t c = 0; c < declaration.clienten.size(); ++c) {
      const auto& client = declaration.clienten[c];
      if (c >= context.cases.size() || !context.cases[c]) continue;
      // By the invoice that is credited or replaced; the other debit lines are one group.
      std::map<std::string, std::vector<std::size_t>> groups;
      for (std::size_t i = 0; i < client.prestaties.size(); ++i) {
        if (client.prestaties[i].credit != credits || context.rejected.contains({c, i})) continue;
        auto credited = context.credited.find({c, i});
        if (credits && credited == context.credited.end()) continue;
        auto replaced = context.replaces.find({c, i});
        if (credits)
          groups[credited->second].push_back(i);
        else
          groups[replaced == context.replaces.end() ? "" : context.credited.at(replaced->second)].push_back(i);
      }
      int n = 0;
      for (const auto& [original, lines] : groups) {
        Part part;
        bool replaces = !credits && !original.empty();
        if (credits || replaces) ++n;
        part.number = fmt::format("{}-{}", declaration.declaratienummer, c + 1);
        if (credits || replaces) part.number += fmt::format("{}{}", credits ? 'C' : 'V', n);
        part.id = id_of(c, credits ? "credit|" + original : replaces ? "debet|" + original : "debet");
        if (replaces) part.after = id_of(context.replaces.at({c, lines.front()}).first, "credit|" + original);
        Json data{{"number", part.number},
                  {"period", month_of(declaration.periode.begin)},
                  {"lines", Json::array()},
                  {"vat_cents", 0}};
        if (credits) data["credits"] = original;
        formats::Date first = client.prestaties[lines.front()].periode.begin,
                      last = client.prestaties[lines.front()].periode.eind;
        std::vector<const formats::IjwPrestatie*> all;
        bool combined = true;
        Json& written = data["lines"];
        for (std::size_t i : lines) {
          const auto& p = client.prestaties[i];
          std::string kind = settings.kind_of(p.categorie, p.product);
          combined = combined && kind == "gecombineerd";
          Json period = Json::array();
          period.push_back(formats::format_date(p.periode.begin));
          period.push_back(formats::format_date(p.periode.eind));
          written.push_back(
              json_object("cents", p.bedrag.value(), "kind", std::move(kind), "period", std::move(period)));
          first = std::min(first, p.periode.begin);
          last = std::max(last, p.periode.eind);
          part.lines.emplace_back(c, i);
          all.push_back(&p);
        }
        data["service_period"] = Json::array({formats::format_date(first), formats::format_date(last)});
        if (auto minutes = minutes_of(all); minutes && combined && !credits) data["minutes"] = *minutes;
        part.event =
            envelope(part.id, credits ? "creditnota" : "factuur", *context.cases[c], dated, settings, std::move(data));
        out.push_back(std::move(part));
      }
    }
  }
  return out;
}

Json event_of(const formats::UblDocument& d, const std::string& case_id, const Settings& settings,
              const std::string& content_hash) {
  Json data{{"number", d.id}, {"lines", Json::array()}, {"vat_cents", d.tax_total.value()}};
  std::string reference = d.buyer_reference.empty() ? d.order_reference : d.buyer_reference;
  if (!reference.empty()) data["reference"] = reference;
  if (d.credit_note && !d.billing_references.empty()) data["credits"] = d.billing_references.front();
  if (d.period && d.period->start) data["period"] = month_of(*d.period->start);
  if (d.period && d.period->start && d.period->end)
    data["service_period"] =
        Json::array({formats::format_date(*d.period->start), formats::format_date(*d.period->end)});
  // VAT per rate, when it is all of the invoice; a prepaid or rounded one has none that adds up.
  Cents rated;
  Json rates = Json::array();
  for (const auto& tax : d.taxes) {
    rated += tax.taxable + tax.tax;
    rates.push_back({{"percent", tax.percent ? tax.percent->text() : "0"},
                     {"net_cents", tax.taxable.value()},
                     {"vat_cents", tax.tax.value()}});
  }
  if (d.tax_total > Cents{} && rated == d.payable) data["vat_rates"] = std::move(rates);
  // The split is made on gross amounts (CORE-MONEY-05): the difference between payable and the lines is laid on them by
  // cumulative rounding, so that they add up to what is to be paid.
  Cents net;
  for (const auto& l : d.lines) net += l.net;
  Cents extra = d.payable - net, before, given;
  for (std::size_t i = 0; i < d.lines.size(); ++i) {
    const auto& l = d.lines[i];
    before += l.net;
    Cents now = extra;
    if (i + 1 < d.lines.size()) {
      auto part = extra.value() >= 0 ? proportion_floor(extra, before.value(), net.value()) : Result<Cents>(Cents(0));
      now = part ? *part : Cents(0);
    }
    data["lines"].push_back(
        {{"kind", settings.kind_of("", l.seller_item)}, {"cents", (l.net + (now - given)).value()}});
    given = now;
  }
  return envelope(sdk::stable_uuid(fmt::format("ubl|{}|{}|{}|{}", d.supplier.legal_id.scheme, d.supplier.legal_id.value,
                                               d.id, content_hash)),
                  d.credit_note ? "creditnota" : "factuur", case_id, formats::format_date(d.issue_date), settings,
                  std::move(data));
}

}  // namespace schakel::zorgaanbieder
