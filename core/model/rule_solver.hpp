// Can this condition hold? Exact over the finite vocabulary: what a fact is compared with divides its values into a few
// kinds, and one value of each kind is tried.
#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/profile.hpp"

namespace schakel {

/// What facts.json says about the values of a fact. `open`: other values occur as well.
struct FactRange {
  std::vector<std::string> values;
  bool open = true;
};
using FactRanges = std::vector<FactRange>;
/// One range per slot of the vocabulary that was made of the same `facts`.
[[nodiscard]] FactRanges fact_ranges(const Vocabulary& vocabulary, const Json& facts);

enum class Sat { no, yes, undecided };

/// Conditions as a formula.
[[nodiscard]] Condition all_of(std::vector<Condition> parts);
[[nodiscard]] Condition any_of(std::vector<Condition> parts);
[[nodiscard]] Condition none_of(std::vector<Condition> parts);
[[nodiscard]] Condition compared(int slot, Condition::Op op, Json value);
[[nodiscard]] Condition exists(int slot, bool there);

/// Searches facts under which a condition holds. Assumed: a fact with a default is never absent; document.<x>.present,
/// .complete and .status are three views of one status; functions (derived.) take any value of their type. Where
/// functions depend on each other more is thought possible than is, never less: "no" is always right.
///
/// Thread: one. Lifetime: within that of the profile and the ranges.
class RuleSolver {
 public:
  RuleSolver(const Profile& profile, const FactRanges& ranges) : profile_(&profile), ranges_(&ranges) {}

  struct Options {
    std::string_view type;  ///< of the message; "*": any
    bool switches = false;  ///< settings that a condition looks at may have another value than the file gives
    /// What this region speaks of: such a fact has one of these values.
    const std::map<int, std::set<std::string>>* words = nullptr;
  };
  /// `example`: the facts that make it hold, by name; only those that matter.
  Sat solve(const Condition& what, const Options& options, Json& example);
  /// Whether the last search was given up: too many combinations.
  [[nodiscard]] std::int64_t steps() const { return steps_; }

 private:
  struct Search;
  const Profile* profile_;
  const FactRanges* ranges_;
  std::int64_t steps_ = 0;
};

}  // namespace schakel
