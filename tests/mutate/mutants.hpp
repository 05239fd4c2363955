// Every small change of a region file that a test must notice: rules deleted, conditions dropped and negated, outcomes
// changed.
#pragma once
#include <string>
#include <vector>

#include "core/base/json.hpp"

namespace schakel::mutate {

/// One change: the value at `at` becomes `value`. Applied to a copy of the file, never on disk.
struct Mutant {
  std::string rule;  ///< id of the rule, or settings, gates, roles
  std::string key;   ///< says what changes; the same as long as the rule is the same
  Json::json_pointer at;
  Json value;
  std::vector<std::string> on;  ///< message types that the rule looks at; empty: any
  bool deletion = false;        ///< a whole rule is gone
};

/// All changes of one file, in the order of the file. `code` is any code of the vocabulary: what a changed code
/// becomes.
[[nodiscard]] std::vector<Mutant> mutants_of(const Json& file);

}  // namespace schakel::mutate
