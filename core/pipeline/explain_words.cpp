// The words of an explanation, Dutch and English.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/pipeline/explain.hpp"

namespace schakel::pipeline {
namespace {

struct EwCode {
  std::string_view code, nl, en;
};
constexpr std::array<EwCode, 42> kEwCodes = {{
    {"CONSENT_WITHDRAWN", "de toestemming is ingetrokken", "the consent was withdrawn"},
    {"CONSENT_EXPIRED", "de toestemming is verlopen", "the consent has expired"},
    {"CONSENT_PARTIAL", "niet iedereen met gezag gaf toestemming", "not everybody with custody consented"},
    {"CONSENT_MISSING", "er is geen toestemming", "there is no consent"},
    {"CHILD_CONSENT_MISSING", "de leerling zelf gaf geen toestemming", "the pupil did not consent"},
    {"AUDIENCE_FINANCE", "financiële stukken gaan niet naar deze rol", "financial matters do not go to this role"},
    {"AUDIENCE_NOT_INVOLVED", "deze rol is niet betrokken", "this role is not involved"},
    {"MANDATORY_INVITEE_MISSING", "een verplichte genodigde ontbreekt", "a mandatory invitee is missing"},
    {"MANDATE_MISSING", "de afzender mag dit niet besluiten", "the sender has no mandate for this"},
    {"LINK_EXPIRED", "de link is verlopen", "the link has expired"},
    {"SMW_CLOSED", "het schoolmaatschappelijk werk heeft afgesloten", "the school social work has closed"},
    {"NO_DISAGREEMENT_STATED", "het verschil van mening is niet genoemd", "no point of disagreement is stated"},
    {"GROUND_UNKNOWN", "deze grond voor opschalen is niet bekend", "this ground for escalation is not known"},
    {"PLAN_MISSING", "het plan ontbreekt", "the plan is missing"},
    {"PLAN_SECTION_MISSING", "een deel van het plan ontbreekt", "a section of the plan is missing"},
    {"CONTENT_NOT_FIXED", "de inhoud is nog niet vastgesteld", "the content is not fixed yet"},
    {"HOORRECHT_MISSING", "de leerling is niet gehoord", "the pupil was not heard"},
    {"LEAD_TIME_SHORT", "de termijn vóór het overleg is kort", "the time before the meeting is short"},
    {"LEAD_TIME_VIOLATION", "te laat vóór het overleg", "too late before the meeting"},
    {"OPP_MISSING", "het OPP ontbreekt", "the OPP is missing"},
    {"CTO_REQUIRED", "advies van de CTO is nodig", "advice of the CTO is needed"},
    {"CTO_THRESHOLD_NEAR", "de grens voor de CTO is dichtbij", "the CTO threshold is near"},
    {"FUNDING_NOT_AGREED", "de bekostiging is niet afgesproken", "the funding is not agreed"},
    {"OUTSIDE_FUNDING_PERIOD", "buiten de afgesproken periode", "outside the agreed period"},
    {"DISPUTE_PENDING", "er loopt een verschil over de kosten", "a dispute on the costs is pending"},
    {"NOT_ENROLLED_NO_EDU_FUNDING", "zonder inschrijving betaalt onderwijs niet",
     "without enrolment education does not pay"},
    {"EDU_REGIE_MISSING", "onderwijs heeft de regie niet", "education does not have the regie"},
    {"BEKRACHTIGING_MISSING", "het bindend advies is niet bekrachtigd", "the binding advice is not ratified"},
    {"DUPLICATE_INVOICE", "deze factuur is er al", "this invoice is there already"},
    {"INVOICE_CONFLICT", "zelfde nummer, andere inhoud", "same number, other content"},
    {"INVOICE_INVALID", "de factuur klopt niet", "the invoice is not valid"},
    {"ESCALATION_SAME_PERSON", "dezelfde persoon zit op twee plaatsen", "the same person holds two places"},
    {"RATIFICATION_OVERDUE", "de bekrachtiging is te laat", "the ratification is overdue"},
    {"CONSENT_WITHDRAWN_AFTER_DOWNLOAD", "ingetrokken nadat het was opgehaald", "withdrawn after it was downloaded"},
    {"CONSENT_UNKNOWN", "deze toestemming is er niet", "there is no such consent"},
    {"FALLS_ON_HOLIDAY", "de datum valt op een feestdag", "the date falls on a holiday"},
    {"OT_COUNT_LOW", "er zijn weinig OT-overleggen", "there are few OT meetings"},
    {"TIMER_WARN", "een termijn nadert", "a deadline is near"},
    {"TIMER_BREACH", "een termijn is verstreken", "a deadline has passed"},
    {"PAYLOAD_INVALID", "de inhoud is geen object", "the content is no object"},
    {"REGION_UNKNOWN", "de regio is niet ingericht", "the region is not configured"},
    {"DECIDER_THREW", "een beslisser liep vast", "a decider failed"},
}};

std::string ew_value(const Json& v, Lang lang) {
  const bool nl = lang == Lang::nl;
  if (v.is_null()) return nl ? "niets" : "nothing";
  if (v.is_boolean()) return v.get<bool>() ? (nl ? "waar" : "true") : (nl ? "niet waar" : "false");
  if (v.is_string()) return v.get<std::string>();
  if (v.is_array()) {
    std::string out;
    for (const Json& e : v) out += (out.empty() ? "" : ", ") + ew_value(e, lang);
    return out.empty() ? (nl ? "niemand" : "nobody") : out;
  }
  return v.dump();
}

}  // namespace

Lang language_of(std::string_view text) {
  // Accept-Language without the weights' arithmetic: the first of our two languages that is named without q=0.
  while (!text.empty()) {
    auto comma = text.find(',');
    auto one = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    while (one.starts_with(' ')) one.remove_prefix(1);
    if (one.find(";q=0") != std::string_view::npos && one.find(";q=0.") == std::string_view::npos) continue;
    auto is = [&](std::string_view tag) {
      return one.size() >= 2 && (one[0] | 0x20) == tag[0] && (one[1] | 0x20) == tag[1] &&
             (one.size() == 2 || one[2] == '-' || one[2] == '_' || one[2] == ';' || one[2] == '.');
    };
    if (is("en")) return Lang::en;
    if (is("nl")) return Lang::nl;
  }
  return Lang::nl;
}

std::string_view to_string(Lang lang) { return lang == Lang::nl ? "nl" : "en"; }

std::string code_words(std::string_view code, Lang lang) {
  auto it = std::ranges::find(kEwCodes, code, &EwCode::code);
  return it == kEwCodes.end() ? std::string() : std::string(lang == Lang::nl ? it->nl : it->en);
}

std::string change_words(const replay::Change& c, Lang lang) {
  const bool nl = lang == Lang::nl;
  if (c.fact.starts_with("consent:")) {
    auto rest = c.fact.substr(8);
    auto giver = rest.substr(0, rest.find(':')), purpose = rest.substr(rest.find(':') + 1);
    if (c.would_be == Json("withdrawn"))
      return fmt::format(
          fmt::runtime(nl ? "{} de toestemming voor {} had ingetrokken" : "{} had withdrawn consent for {}"), giver,
          purpose);
    if (c.would_be == Json("given_for_all"))
      return fmt::format(fmt::runtime(nl ? "{} toestemming voor {} had gegeven zonder beperking"
                                         : "{} had consented to {} without restriction"),
                         giver, purpose);
    return fmt::format(fmt::runtime(nl ? "{} toestemming voor {} had gegeven" : "{} had consented to {}"), giver,
                       purpose);
  }
  if (c.fact.starts_with("register:"))
    return fmt::format(fmt::runtime(nl ? "{} niet eerder was gezien" : "{} had not been seen before"),
                       c.fact.substr(9));
  if (c.fact == "message.time")
    return fmt::format(fmt::runtime(nl ? "het bericht op {} was gekomen" : "the message had come on {}"),
                       ew_value(c.would_be, lang).substr(0, 10));
  if (c.fact == "meeting.at")
    return fmt::format(fmt::runtime(nl ? "het overleg op {} was" : "the meeting were on {}"),
                       ew_value(c.would_be, lang).substr(0, 10));
  if (c.fact.starts_with("past.")) {
    if (c.would_be == Json(true))
      return fmt::format(fmt::runtime(nl ? "er al een {} was bezorgd" : "a {} had been delivered before"),
                         c.fact.substr(5));
    return fmt::format(fmt::runtime(nl ? "er nog geen {} was bezorgd" : "no {} had been delivered before"),
                       c.fact.substr(5));
  }
  return fmt::format(fmt::runtime(nl ? "{} {} was (nu {})" : "{} were {} (now {})"), c.fact, ew_value(c.would_be, lang),
                     ew_value(c.was, lang));
}

}  // namespace schakel::pipeline
