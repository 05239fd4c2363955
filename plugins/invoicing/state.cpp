#include "plugins/invoicing/state.hpp"

#include <algorithm>
#include <array>

namespace schakel::invoicing {
namespace {

constexpr std::array<std::string_view, 3> kPayers{"gemeente", "schoolbestuur", "swv"};
constexpr std::string_view kProviderKey = "provider/";

/// A fact of the case, also one that the vocabulary does not name.
Json fact(const FactView& facts, const std::string& name) {
  if (auto v = facts.get("case." + name); v.there()) return v.to_json();
  const Json& all = facts.file().facts;
  auto it = all.find(name);
  return it == all.end() ? Json() : *it;
}

std::optional<bool> flag(const FactView& facts, const std::string& name) {
  Json v = fact(facts, name);
  return v.is_boolean() ? std::optional(v.get<bool>()) : std::nullopt;
}

std::string text(const FactView& facts, const std::string& name) {
  Json v = fact(facts, name);
  return v.is_string() ? v.get<std::string>() : std::string();
}

/// A setting that a region may write dotted or as an object.
const Json& nested(const Profile& profile, const Json& overrides, const std::string& group, const std::string& name) {
  static const Json none;
  if (const Json& v = profile.setting(group + "." + name, overrides); !v.is_null()) return v;
  const Json& object = profile.setting(group, overrides);
  auto it = object.is_object() ? object.find(name) : object.end();
  return it == object.end() ? none : *it;
}

std::optional<Period> read_period(const Json& v) {
  if (!v.is_array() || v.size() != 2 || !v[0].is_string() || !v[1].is_string()) return {};
  auto from = Date::parse(v[0].get_ref<const std::string&>()), to = Date::parse(v[1].get_ref<const std::string&>());
  if (!from || !to || *to < *from) return {};
  return Period{*from, *to};
}

/// aanbieder, toewijzing, product and max_cents of a funding line; false when one of them is not what it should be.
bool narrowed(const Json& v, FundingLine& line) {
  auto name = [&](const char* key, std::string& into) {
    auto it = v.find(key);
    if (it == v.end() || it->is_null()) return true;
    if (!it->is_string()) return false;
    into = it->get<std::string>();
    return !into.empty();
  };
  auto number = [&](const char* key, std::optional<std::int64_t>& into) {
    auto it = v.find(key);
    if (it == v.end() || it->is_null()) return true;
    if (!it->is_number_integer() || *it < 0 || *it > Cents::kLimit) return false;
    into = it->get<std::int64_t>();
    return true;
  };
  std::optional<std::int64_t> max;
  if (!name("aanbieder", line.provider) || !name("product", line.product) || !number("toewijzing", line.assignment) ||
      !number("max_cents", max))
    return false;
  if (max) line.max = Cents{*max};
  return true;
}

std::optional<FundingLine> read_line(const Json& v) {
  if (!v.is_object()) return {};
  FundingLine line;
  if (auto it = v.find("kind"); it != v.end() && it->is_string()) line.kind = it->get<std::string>();
  if (auto it = v.find("payer_bp"); it != v.end() && !it->is_null()) {
    auto shares = read_shares(*it);
    if (!shares) return {};
    line.shares = std::move(*shares);
  } else if (auto payer = v.find("payer"); payer != v.end() && !payer->is_null()) {
    if (*payer == "50/50") {
      line.shares = {{"gemeente", 5000}, {"swv", 5000}};
    } else {
      auto shares =
          payer->is_string()
              ? read_shares(
                    {{payer->get<std::string>() == "school" ? "schoolbestuur" : payer->get<std::string>(), 10000}})
              : std::nullopt;
      if (!shares) return {};
      line.shares = std::move(*shares);
    }
  }
  if (auto it = v.find("vat"); it != v.end() && !it->is_null()) {
    if (*it != "O" && *it != "E" && *it != "S") return {};
    line.vat = it->get<std::string>();
  }
  if (auto it = v.find("period"); it != v.end() && !it->is_null()) {
    line.period = read_period(*it);
    if (!line.period) return {};
  }
  return narrowed(v, line) ? std::optional(std::move(line)) : std::nullopt;
}

/// HR-MONEY-02: the education side is configured in the order; else whoever of school and SWV gave it last, which the
/// rules of the region say (HR-GATE-01).
std::string education_side(const FactView& facts) {
  auto stated = text(facts, "education_payer");
  if (stated.empty()) stated = text(facts, "order_education_payer");
  return stated.starts_with("school") ? "schoolbestuur" : "swv";
}

}  // namespace

bool is_stated(const FactView& facts, const std::string& name) { return flag(facts, name).value_or(false); }

std::optional<std::vector<PayerShare>> read_shares(const Json& basis_points) {
  if (!basis_points.is_object()) return {};
  std::vector<PayerShare> out;
  std::uint64_t sum = 0;
  for (std::string_view role : kPayers) {
    auto it = basis_points.find(std::string(role));
    if (it == basis_points.end()) continue;
    if (!it->is_number_integer() || it->get<std::int64_t>() < 0 || it->get<std::int64_t>() > 10000) return {};
    auto bp = it->get<std::uint32_t>();
    sum += bp;
    if (bp > 0) out.push_back({std::string(role), bp});
  }
  for (const auto& [role, bp] : basis_points.items())
    if (std::ranges::find(kPayers, role) == kPayers.end()) return {};
  return sum == 10000 ? std::optional(std::move(out)) : std::nullopt;
}

Switches read_switches(const Profile& profile, const Json& overrides) {
  Switches s;
  auto flow = profile.setting_text("money.flow", overrides, "contract_holder");
  s.flow = flow == "offering_party"     ? Flow::offering_party
           : flow == "ordering_parties" ? Flow::ordering_parties
                                        : Flow::contract_holder;
  const Json& grey = nested(profile, overrides, "grey_split", "enabled");
  s.grey_split = grey.is_boolean() && grey.get<bool>();
  const Json& swv_bp = nested(profile, overrides, "grey_split", "swv_bp");
  if (swv_bp.is_number_integer())
    s.grey_swv_bp = static_cast<std::uint32_t>(std::clamp<std::int64_t>(swv_bp.get<std::int64_t>(), 0, 10000));
  const Json& odd = nested(profile, overrides, "grey_split", "odd_cent");
  if (odd.is_string()) s.odd_cent = odd.get<std::string>();
  auto texts = [&](const std::string& name, std::map<std::string, std::string>& into) {
    auto dot = name.find('.');
    const Json& v = dot == std::string::npos ? profile.setting(name, overrides)
                                             : nested(profile, overrides, name.substr(0, dot), name.substr(dot + 1));
    if (!v.is_object()) return;
    for (const auto& [key, value] : v.items())
      if (value.is_string()) into[key] = value.get<std::string>();
  };
  texts("grey_contract_holder", s.grey_holder);
  texts("money.holder_elsewhere", s.holder_elsewhere);
  texts("invoice_addresses", s.addresses);
  texts("money.number_series", s.number_series);
  // The one address that a source names stands for itself (KNH-MONEY-05).
  if (auto named = profile.setting_text("swv_invoice_address", overrides); !named.empty()) s.addresses["swv"] = named;
  s.hidden_from = {"ouders", "leerling"};  // CORE-AUD-01, Q-52: any region by default
  if (profile.setting("finance_hidden_from", overrides).is_array())
    s.hidden_from = profile.setting_list("finance_hidden_from", overrides);
  if (const Json& parties = nested(profile, overrides, "escalation", "needs_ratification"); parties.is_array())
    for (const auto& party : parties)
      if (party.is_string()) s.ratified_by.push_back(party.get<std::string>());
  const Json& binding = nested(profile, overrides, "escalation", "binding");
  s.escalation_suspends = !binding.is_boolean() || binding.get<bool>();
  s.hold_grey_only = profile.setting_flag("hold_grey_only", overrides, false);
  s.content_first = profile.setting_flag("money.content_first", overrides, false);
  s.lines_need_period = profile.setting_flag("funding_lines_need_period", overrides, false);
  s.education_needs_enrolment = profile.setting_flag("money.education_needs_enrolment", overrides, false);
  s.education_needs_regie = profile.setting_flag("money.education_needs_regie", overrides, false);
  s.pgb_pays_care = profile.setting_flag("money.pgb_pays_care", overrides, false);
  s.combined_education_bp = static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(profile.setting_int("combined_split_bp", overrides, 5000), 0, 10000));
  return s;
}

MoneyState read_state(const FactView& facts, const Ledger& ledger, const Switches& switches,
                      const std::map<std::string, Json>& registers) {
  MoneyState s;
  if (Json lines = fact(facts, "funding"); lines.is_array())
    for (const auto& v : lines) {
      s.any_line = true;
      if (auto line = read_line(v)) s.funding.push_back(std::move(*line));
    }
  s.agreed = flag(facts, "funding_agreed").value_or(s.any_line);
  s.funding_period = read_period(fact(facts, "funding_period"));
  // A given dispute holds money everywhere; an escalation that is only a consult is not in the ledger (domain.md 4.1).
  s.dispute = ledger.dispute.value_or(flag(facts, "dispute").value_or(false));
  s.enrolled = facts.file().pupil.enrolled;
  s.education_regie = flag(facts, "education_regie").value_or(true);
  s.content_fixed = flag(facts, "content_fixed").value_or(false);
  s.pgb = flag(facts, "pgb").value_or(false);
  s.contract_holder = text(facts, "contract_holder");
  s.situation = text(facts, "situation");
  s.school_type = facts.file().pupil.school_type;
  s.education_payer = education_side(facts);
  s.offered_by = text(facts, "offered_by");
  s.advice = ledger.advice;
  bool readable =
      s.advice && std::ranges::none_of(s.advice->shares, [](const PayerShare& p) { return p.role.empty(); });
  s.advice_ratified = readable && std::ranges::all_of(switches.ratified_by, [&](const std::string& party) {
                        return std::ranges::find(s.advice->ratified, party) != s.advice->ratified.end();
                      });
  s.assigned = assigned_providers(facts.file());
  for (auto it = registers.lower_bound(std::string(kProviderKey));
       it != registers.end() && it->first.starts_with(kProviderKey); ++it)
    if (it->second.is_boolean()) s.providers.emplace(it->first, it->second.get<bool>());
  spend(s, ledger, switches);
  return s;
}

std::optional<Period> period_of(const LedgerEntry& entry) {
  auto from = Date::parse(entry.period_from), to = Date::parse(entry.period_to);
  return from && to ? std::optional(Period{*from, *to}) : std::nullopt;
}

std::optional<Period> period_of(const LedgerLine& line, const LedgerEntry& entry) {
  auto from = Date::parse(line.from), to = Date::parse(line.to);
  return from && to ? std::optional(Period{*from, *to}) : period_of(entry);
}

}  // namespace schakel::invoicing
