// What a row of the stage `invoicing` can explain: the closed list that plugins/invoicing says and schakel check
// compares with.
#pragma once
#include <algorithm>
#include <array>
#include <string_view>

namespace schakel {

struct MoneyTopic {
  std::string_view name;
  std::string_view rule;  ///< the derived rule that stands behind it in every region; empty: only what the region says
};

/// Codes of G-MONEY first: for each there is also release:<code>, said of what was held for that code.
inline constexpr std::array<MoneyTopic, 12> kMoneyCodes{{{"FUNDING_NOT_AGREED", "CORE-MONEY-07"},
                                                         {"OUTSIDE_FUNDING_PERIOD", "CORE-MONEY-07"},
                                                         {"PROVIDER_IS_ANOTHER", "CORE-MONEY-07"},
                                                         {"ASSIGNMENT_IS_ANOTHER", "CORE-MONEY-07"},
                                                         {"PRODUCT_IS_ANOTHER", "CORE-MONEY-07"},
                                                         {"FUNDING_MAX_EXCEEDED", "CORE-MONEY-07"},
                                                         {"DISPUTE_PENDING", "CORE-MONEY-07"},
                                                         {"BEKRACHTIGING_MISSING", "CORE-MONEY-07"},
                                                         {"CONTENT_NOT_FIXED", ""},
                                                         {"NOT_ENROLLED_NO_EDU_FUNDING", ""},
                                                         {"EDU_REGIE_MISSING", ""},
                                                         {"AUDIENCE_NOT_INVOLVED", "CORE-AUD-02"}}};
inline constexpr std::array<MoneyTopic, 18> kMoneyTopics{{{"INVOICE_INVALID", "CORE-MONEY-01"},
                                                          {"DUPLICATE_INVOICE", "CORE-MONEY-06"},
                                                          {"INVOICE_CONFLICT", "CORE-MONEY-06"},
                                                          {"CREDIT_TOO_LARGE", "CORE-MONEY-04"},
                                                          {"AUDIENCE_FINANCE", "CORE-AUD-01"},
                                                          {"half", "CORE-MONEY-02"},
                                                          {"basis_points", "CORE-MONEY-03"},
                                                          {"minutes", "CORE-MONEY-08"},
                                                          {"whole", ""},
                                                          {"credit", "CORE-MONEY-04"},
                                                          {"vat", "CORE-MONEY-05"},
                                                          {"zero_share", "CORE-MONEY-09"},
                                                          {"offering_party", ""},
                                                          {"holder:gemeente", ""},
                                                          {"holder:swv", ""},
                                                          {"holder:schoolbestuur", ""},
                                                          {"pgb", ""},
                                                          {"release", "CORE-MONEY-07"}}};
/// Messages that the stage decides on.
inline constexpr std::array<std::string_view, 4> kMoneyTypes = {"factuur", "declaratie", "doorbelasting", "creditnota"};

/// nullptr for a topic that does not exist.
[[nodiscard]] inline const MoneyTopic* money_topic(std::string_view name) {
  static constexpr MoneyTopic released{"release:", ""};
  if (name.starts_with(released.name)) {
    auto code = std::ranges::find(kMoneyCodes, name.substr(released.name.size()), &MoneyTopic::name);
    return code == kMoneyCodes.end() ? nullptr : &released;
  }
  if (auto it = std::ranges::find(kMoneyCodes, name, &MoneyTopic::name); it != kMoneyCodes.end()) return &*it;
  auto it = std::ranges::find(kMoneyTopics, name, &MoneyTopic::name);
  return it == kMoneyTopics.end() ? nullptr : &*it;
}

}  // namespace schakel
