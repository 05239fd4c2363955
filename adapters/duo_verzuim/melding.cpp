#include "melding.hpp"

#include "core/base/calendar.hpp"
#include "schakel/outcome.hpp"

namespace schakel::duo_verzuim {
namespace {

using sdk::array_at;
using sdk::number_at;
using sdk::object_at;
using sdk::text_at;

std::unexpected<Error> field(const char* name) {
  return fail(ErrorKind::invalid, std::string("DUO_FIELD:") + name, "a field is missing or has another form");
}

/// The school that a melding is from: by its vestiging, or by a BRIN that only one of them has. Never one of several,
/// nor another vestiging of the same BRIN: DUO takes the word of whoever reports, and answers that school.
const Json* school_of(const Json& config, const std::string& wanted) {
  const Json& schools = config.at("scholen");
  if (wanted.empty()) return schools.size() == 1 ? &schools[0] : nullptr;
  const Json* found = nullptr;
  for (const auto& s : schools) {
    if (text_at(s, "vestiging") == wanted) return &s;
    if (text_at(s, "brin") != wanted) continue;
    if (found) return nullptr;
    found = &s;
  }
  return found;
}

}  // namespace

Result<formats::DuoAanlevering> to_duo(const Delivery& delivery, const Json& config) {
  Json payload = object_at(delivery.body, "payload");
  const Json* school = school_of(config, text_at(payload, "school"));
  if (!school) return field("school");
  static const Json kKinds{{"ongeoorloofd", "V3"}, {"langdurig", "LRV"}, {"zorgwekkend", "O"}};
  Json kinds = config.contains("verzuimsoorten") ? config["verzuimsoorten"] : kKinds;
  std::string kind = text_at(payload, "kind"), code = text_at(kinds, kind.c_str());
  if (code.empty()) return field("kind");
  auto begin = formats::parse_date(text_at(payload, "from_date"));
  if (!begin) return field("from_date");

  formats::DuoAanlevering out;
  out.document_id = sdk::stable_uuid("duo-document|" + delivery.id);
  out.message_id = sdk::stable_uuid("duo-message|" + delivery.id);
  out.school_oin = text_at(*school, "oin");
  out.verzendende_instantie = text_at(*school, "brin");
  out.ontvangende_instantie =
      text_at(config, "ontvangende_instantie").empty() ? "DUO" : text_at(config, "ontvangende_instantie");
  out.tijd = delivery.first_attempt;
  auto& m = out.melding;
  m.brin = text_at(*school, "brin");
  m.vestiging = text_at(*school, "vestiging");
  m.soort_opleiding = text_at(*school, "soort_opleiding").empty() ? "PO" : text_at(*school, "soort_opleiding");
  if (auto grade = number_at(payload, "grade")) m.leerjaar = static_cast<int>(std::clamp<std::int64_t>(*grade, 0, 99));
  m.verzuimsoort = code;
  m.begin = *begin;
  if (auto until = text_at(payload, "until"); !until.empty()) {
    m.eind = formats::parse_date(until);
    if (!m.eind || *m.eind < m.begin) return field("until");
  } else if (code == "V3" || code == "V4" || code == "LRV" || code == "RMC") {
    // These kinds carry an end date: without one the melding covers the absence up to the day of reporting.
    m.eind = formats::parse_date(local_date(delivery.first_attempt).str());
    if (!m.eind || *m.eind < m.begin) return field("from_date");
  }
  // Langdurig relatief verzuim lasts longer than four weeks; until then it is reported as 16 hours in four weeks.
  if (code == "LRV" && std::chrono::sys_days(*m.eind) - std::chrono::sys_days(m.begin) < std::chrono::days(28))
    m.verzuimsoort = "V3";
  static const Json kReasons{{"ongeoorloofd", "Ongeoorloofd verzuim"},
                             {"langdurig", "Langdurig verzuim"},
                             {"zorgwekkend", "Zorgwekkend verzuim"}};
  m.reden = text_at(payload, "reason");
  if (m.reden.empty()) m.reden = text_at(object_at(config, "redenen"), kind.c_str());
  if (m.reden.empty()) m.reden = text_at(kReasons, kind.c_str());
  if (m.reden.empty()) m.reden = "Verzuim";
  m.toelichting = text_at(payload, "note");
  if (auto hours = number_at(payload, "hours"); hours && m.toelichting.empty())
    m.toelichting = "Gemiste uren: " + std::to_string(*hours);
  m.actie_gewenst = sdk::flag_at(payload, "action_wanted");
  m.ondernomen_actie = text_at(payload, "action_taken");
  for (const auto& d : array_at(payload, "days")) {
    formats::DuoVerzuimdag day;
    auto date = formats::parse_date(text_at(d, "date"));
    if (!date) return field("days");
    day.datum = *date;
    day.hele_dag = sdk::flag_at(d, "whole_day", true);
    for (const auto& p : array_at(d, "periods")) {
      if (!p.is_number_integer()) return field("days");
      day.lesuren.push_back(static_cast<int>(std::clamp<std::int64_t>(p.get<std::int64_t>(), 0, 99)));
    }
    m.dagen.push_back(std::move(day));
  }
  Json contact = object_at(*school, "contact");
  m.contact = {text_at(contact, "naam"), text_at(contact, "functie"), text_at(contact, "email"),
               text_at(contact, "telefoon")};
  return out;
}

}  // namespace schakel::duo_verzuim
