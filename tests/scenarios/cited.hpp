// Which rules the decisions of a scenario cite. Our own scenarios name exactly these in `rules`, so that a rule that
// stops or begins to decide shows, also where the outcome happens to stay the same.
#pragma once
#include <set>
#include <string>

#include "core/pipeline/scenario.hpp"

namespace schakel::scenario {

/// Rules that fired, blocked or suppressed; not those that nearly did. Of money the message type is told too
/// (KNH-MONEY-01@factuur): there a rule does nothing but stand behind the decision on it.
[[nodiscard]] inline std::set<std::string> cited(const Scenario& s, const Played& played) {
  std::set<std::string> out;
  for (std::size_t i = 0; i < played.drafts.size(); ++i)
    for (const Explanation& e : played.drafts[i].explanation)
      if (e.result != "near")
        out.insert(e.stage == "invoicing" ? e.rule.str() + "@" + s.messages[i].type : e.rule.str());
  return out;
}

[[nodiscard]] inline std::set<std::string> named(const Scenario& s) { return {s.rules.begin(), s.rules.end()}; }

}  // namespace schakel::scenario
