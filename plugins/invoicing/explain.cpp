#include "plugins/invoicing/explain.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace schakel::invoicing {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 18> kDerived{{
    {"INVOICE_INVALID", "CORE-MONEY-01"},
    {"half", "CORE-MONEY-02"},
    {"basis_points", "CORE-MONEY-03"},
    {"credit", "CORE-MONEY-04"},
    {"CREDIT_TOO_LARGE", "CORE-MONEY-04"},
    {"vat", "CORE-MONEY-05"},
    {"DUPLICATE_INVOICE", "CORE-MONEY-06"},
    {"INVOICE_CONFLICT", "CORE-MONEY-06"},
    {"FUNDING_NOT_AGREED", "CORE-MONEY-07"},
    {"OUTSIDE_FUNDING_PERIOD", "CORE-MONEY-07"},
    {"DISPUTE_PENDING", "CORE-MONEY-07"},
    {"BEKRACHTIGING_MISSING", "CORE-MONEY-07"},
    {"release", "CORE-MONEY-07"},
    {"minutes", "CORE-MONEY-08"},
    {"zero_share", "CORE-MONEY-09"},
    {"audience", "CORE-AUD-01"},
    {"AUDIENCE_FINANCE", "CORE-AUD-01"},
    {"AUDIENCE_NOT_INVOLVED", "CORE-AUD-02"},
}};

}  // namespace

void explain(Draft& draft, const FactView& facts, std::string_view type, std::string_view topic,
             std::string_view result, std::string_view code, const Json& seen) {
  const Profile& profile = facts.profile();
  for (const Rule* rule : profile.rules(Stage::invoicing, type)) {
    auto topics = rule->then.more.find("explains");
    if (topics == rule->then.more.end() || !topics->is_array() ||
        std::ranges::find(*topics, Json(topic)) == topics->end())
      continue;
    if (rule->when.holds(facts))
      draft.explanation.push_back(profile.explain(rule->id, "invoicing", result, code, seen));
  }
  for (const auto& [name, id] : kDerived)
    if (name == topic) draft.explanation.push_back(profile.explain(id, "invoicing", result, code, seen));
}

}  // namespace schakel::invoicing
