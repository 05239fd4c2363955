#include "core/model/decision.hpp"

#include <algorithm>
#include <array>
#include <concepts>

#include "core/model/fields.hpp"
#include "core/model/pull.hpp"

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

/// Only of these values, written to or not.
template <class V, class T>
concept Is = std::same_as<std::remove_const_t<V>, T>;

template <Is<Recipient> V>
void fields(V& v, auto&& f) {
  f("role", v.role), f("content", v.content), f("channel", v.channel), f("without", v.without), f("rules", v.rules);
}
template <Is<Suppressed> V>
void fields(V& v, auto&& f) {
  f("role", v.role), f("code", v.code), f("rule", v.rule);
}
template <Is<Signal> V>
void fields(V& v, auto&& f) {
  f("code", v.code), f("to", v.to), f("role", v.role), f("timer", v.timer), f("rule", v.rule);
}
template <Is<Deadline> V>
void fields(V& v, auto&& f) {
  f("name", v.name), f("date", v.date), f("warn_date", v.warn_date), f("rule", v.rule), f("severity", v.severity);
  f("responsible", v.responsible), f("state", v.state);
}
template <Is<Filing> V>
void fields(V& v, auto&& f) {
  f("operation", v.operation), f("by", v.by), f("system", v.system), f("doc_types", v.doc_types);
  f("delivery_message", v.delivery_message);
}
template <Is<Effect> V>
void fields(V& v, auto&& f) {
  f("what", v.what), f("key", v.key), f("value", v.value);
}
template <Is<RegisterWrite> V>
void fields(V& v, auto&& f) {
  f("key", v.key), f("value", v.value);
}

#define SCHAKEL_JSON_OF(Type)                                     \
  void to_json(Json& j, const Type& v) { j = field::written(v); } \
  void from_json(const Json& j, Type& v) { field::read(j, v); }
SCHAKEL_JSON_OF(Suppressed)
SCHAKEL_JSON_OF(Signal)
SCHAKEL_JSON_OF(Deadline)
SCHAKEL_JSON_OF(Filing)
SCHAKEL_JSON_OF(Effect)
SCHAKEL_JSON_OF(RegisterWrite)
#undef SCHAKEL_JSON_OF
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(InvoiceOut, number, kind, payer, payee, address, amount_cents,
                                                vat_cents, net_cents, minutes, status, released_by, source_number,
                                                source_message, payee_party, credits, vat_treatment, vat_rates,
                                                period_from, period_to, split, lines)

void to_json(Json& j, const Recipient& v) { j = field::written(v); }
void from_json(const Json& j, Recipient& v) {
  (void)j.at("role");
  field::read(j, v);
}

void to_json(Json& j, const Draft& v) {
  j = {{"outcome", to_string(v.outcome)},  {"codes", v.codes},           {"for_role", v.for_role},
       {"recipients", v.recipients},       {"suppressed", v.suppressed}, {"signals", v.signals},
       {"deadlines", v.deadlines},         {"filings", v.filings},       {"invoices", v.invoices},
       {"revoked_links", v.revoked_links}, {"effects", v.effects},       {"registers", v.registers},
       {"explanation", v.explanation}};
}

void from_json(const Json& j, Draft& v) {
  const std::string text = dump_json(j);
  JsonPull from(text);
  read(from, v, nullptr);
}

void read(JsonPull& from, Draft& v, std::string* explanation) {
  constexpr std::array<std::string_view, 12> kAlways = {"codes",     "deadlines",     "effects", "explanation",
                                                        "filings",   "invoices",      "outcome", "recipients",
                                                        "registers", "revoked_links", "signals", "suppressed"};
  unsigned seen = 0;
  from.object([&](std::string_view key) {
    auto it = std::ranges::find(kAlways, key);
    if (it != kAlways.end()) seen |= 1u << (it - kAlways.begin());
    if (key == "outcome")
      v.outcome = outcome_from(from.text()).value();
    else if (key == "codes")
      field::pull(from, v.codes);
    else if (key == "for_role")
      field::pull(from, v.for_role);
    else if (key == "recipients")
      field::pull(from, v.recipients);
    else if (key == "suppressed")
      field::pull(from, v.suppressed);
    else if (key == "signals")
      field::pull(from, v.signals);
    else if (key == "deadlines")
      field::pull(from, v.deadlines);
    else if (key == "filings")
      field::pull(from, v.filings);
    else if (key == "invoices")
      from.value().get_to(v.invoices);
    else if (key == "revoked_links")
      field::pull(from, v.revoked_links);
    else if (key == "effects")
      field::pull(from, v.effects);
    else if (key == "registers")
      field::pull(from, v.registers);
    else if (key != "explanation")
      from.skip();
    else if (explanation)
      *explanation = from.skip();
    else
      from.value().get_to(v.explanation);
  });
  if (seen != (1u << kAlways.size()) - 1) throw std::invalid_argument("a decision has more members");
}

}  // namespace schakel
