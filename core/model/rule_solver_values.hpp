// What the solver tries: of each fact and setting of a formula, one value of every kind that its comparisons tell
// apart. For the .cpp files of the solver only.
#pragma once
#include "core/model/rule_solver.hpp"

namespace schakel {

/// A fact or a setting, with the values worth trying.
struct SolverVariable {
  int slot = -1;
  std::string setting;
  std::vector<Json> words;  ///< what it is compared with
  std::int64_t count = 0;   ///< largest number that its elements are counted against
  bool ordered = false;
  std::size_t group = 0;  ///< variables that are compared with each other share one
  std::vector<Json> domain;
  const Json* value = nullptr;  ///< while the search tries it
};

/// Thread: one. Lifetime: within that of all it was made of.
struct SolverVariables {
  const Profile& profile;
  const FactRanges& ranges;
  const RuleSolver::Options& options;
  std::map<std::string, std::size_t> index{};
  std::vector<SolverVariable> vars{};
  bool too_wide = false;  ///< a list has more elements to combine than can be tried

  /// Place in `vars` of a fact, or of a setting where `slot` is -1; the three views of a document are one.
  [[nodiscard]] std::size_t at(int slot, const std::string& setting) const;
  /// Takes up the facts and settings of a formula.
  void collect(const Condition& c);
  /// Fills the domain of each; after all was collected.
  void domains();

 private:
  [[nodiscard]] std::string key(int slot, const std::string& setting) const;
  std::size_t variable(int slot, const std::string& setting);
  void setting_domain(SolverVariable& v) const;
  void fact_domain(SolverVariable& v, int near);
  void lists(SolverVariable& v, const FactDef& d, const FactRange& range);
};

}  // namespace schakel
