#include "core/model/decision.hpp"

#include <array>

namespace schakel {
namespace {
constexpr std::array<std::string_view, 6> kOutcomes = {"delivered", "recorded",          "blocked",
                                                       "held",      "dropped_duplicate", "quarantined"};
}

std::string_view to_string(Outcome outcome) { return kOutcomes[static_cast<std::size_t>(outcome)]; }

std::optional<Outcome> outcome_from(std::string_view text) {
  for (std::size_t i = 0; i < kOutcomes.size(); ++i)
    if (kOutcomes[i] == text) return static_cast<Outcome>(i);
  return std::nullopt;
}

void to_json(Json& j, const Recipient& v) {
  j = {{"role", v.role}, {"content", v.content}, {"channel", v.channel}, {"without", v.without}, {"rules", v.rules}};
}
void from_json(const Json& j, Recipient& v) {
  v.role = j.at("role");
  v.content = j.value("content", std::vector<std::string>{});
  v.channel = j.value("channel", "broker");
  v.without = j.value("without", std::vector<std::string>{});
  v.rules = j.value("rules", std::vector<std::string>{});
}

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Suppressed, role, code, rule)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Signal, code, to, role, timer, rule)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Deadline, name, date, warn_date, rule, severity, responsible, state)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Filing, operation, by, system, doc_types, delivery_message)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(InvoiceOut, number, kind, payer, payee, address, amount_cents,
                                                vat_cents, net_cents, minutes, status, released_by, source_number,
                                                source_message, payee_party, credits, vat_treatment, vat_rates,
                                                period_from, period_to, split, lines)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Effect, what, key, value)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(RegisterWrite, key, value)

void to_json(Json& j, const Draft& v) {
  j = {{"outcome", to_string(v.outcome)},  {"codes", v.codes},           {"for_role", v.for_role},
       {"recipients", v.recipients},       {"suppressed", v.suppressed}, {"signals", v.signals},
       {"deadlines", v.deadlines},         {"filings", v.filings},       {"invoices", v.invoices},
       {"revoked_links", v.revoked_links}, {"effects", v.effects},       {"registers", v.registers},
       {"explanation", v.explanation}};
}

void from_json(const Json& j, Draft& v) {
  v.outcome = outcome_from(j.at("outcome").get<std::string>()).value();
  j.at("codes").get_to(v.codes);
  v.for_role = j.value("for_role", "");
  j.at("recipients").get_to(v.recipients);
  j.at("suppressed").get_to(v.suppressed);
  j.at("signals").get_to(v.signals);
  j.at("deadlines").get_to(v.deadlines);
  j.at("filings").get_to(v.filings);
  j.at("invoices").get_to(v.invoices);
  j.at("revoked_links").get_to(v.revoked_links);
  j.at("effects").get_to(v.effects);
  j.at("registers").get_to(v.registers);
  j.at("explanation").get_to(v.explanation);
}

}  // namespace schakel
