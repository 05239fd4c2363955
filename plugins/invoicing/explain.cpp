#include "plugins/invoicing/explain.hpp"

#include <algorithm>

#include "core/model/money_topics.hpp"

namespace schakel::invoicing {

void explain(Draft& draft, const FactView& facts, std::string_view type, std::string_view topic, Word result,
             std::string_view code, const Json& seen) {
  const Profile& profile = facts.profile();
  for (const Rule* rule : profile.rules(Stage::invoicing, type)) {
    auto topics = rule->then.more.find("explains");
    if (topics == rule->then.more.end() || !topics->is_array() || std::ranges::none_of(*topics, [&](const Json& t) {
          return t.is_string() && t.get_ref<const std::string&>() == topic;
        }))
      continue;
    if (rule->when.holds(facts))
      draft.explanation.push_back(profile.explain(rule->id, "invoicing", result, code, seen));
  }
  if (const MoneyTopic* known = money_topic(topic); known && !known->rule.empty())
    draft.explanation.push_back(profile.explain(known->rule, "invoicing", result, code, seen));
}

}  // namespace schakel::invoicing
