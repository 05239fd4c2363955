// Which rules the decisions of a scenario cite. Our own scenarios name exactly these in `rules`, so that a rule that stops or
// begins to decide shows, also where the outcome happens to stay the same.
#pragma once
#include <set>
#include <string>

#include "core/pipeline/scenario.hpp"

namespace schakel::scenario {

/// Rules that fired, blocked or suppressed; not those that nearly did.
[[nodiscard]] inline std::set<std::string> cited(const Played& played) {
  std::set<std::string> out;
  for (const Draft& d : played.drafts)
    for (const Explanation& e : d.explanation)
      if (e.result != "near") out.insert(e.rule);
  return out;
}

[[nodiscard]] inline std::set<std::string> named(const Scenario& s) { return {s.rules.begin(), s.rules.end()}; }

}  // namespace schakel::scenario
