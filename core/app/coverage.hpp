// Which rules the played scenarios reached: counted from the explanations of their decisions.
#pragma once
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/base/json.hpp"
#include "core/model/profile.hpp"

namespace schakel::app {

/// In how many scenarios a rule fired, blocked (or took somebody out), and only nearly did.
struct RuleUse {
  std::string region;  ///< CORE for a rule of more than one region
  std::string rule, quote;
  int fired = 0, blocked = 0, nearly = 0;
  [[nodiscard]] bool exercised() const { return fired + blocked > 0; }
};

/// Thread: one.
class Coverage {
 public:
  explicit Coverage(const Profiles& profiles) : profiles_(profiles) {}
  /// The decisions of one scenario, whether it passed or not.
  void add(const std::string& region, std::span<const Draft> drafts);
  /// Rules of the regions that were played, those that nothing exercised first, then by id.
  [[nodiscard]] std::vector<RuleUse> rows() const;

 private:
  struct Count {
    int fired = 0, blocked = 0, nearly = 0;
  };
  const Profiles& profiles_;
  std::set<std::string> regions_;
  std::map<std::pair<std::string, std::string>, Count> counts_;  ///< region, rule
};

/// {rules, exercised, never: [ids], rows: [{region, rule, quote, fired, blocked, nearly}]}
[[nodiscard]] Json to_json(std::span<const RuleUse> rows);
/// The same as a table with a line of totals.
[[nodiscard]] std::string to_table(std::span<const RuleUse> rows);

}  // namespace schakel::app
