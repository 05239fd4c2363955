// The part of check_region that reasons about a compiled region; the other part looks at its texts.
#pragma once
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/model/rule_check.hpp"
#include "core/model/rule_reader.hpp"
#include "core/model/rule_solver.hpp"

namespace schakel {

/// Settings of `file` that nothing reads.
void check_settings(const Profile& profile, const NamedJson& file, const NamedJson& base,
                    std::vector<RuleFinding>& out);

/// Looks at every pair of rules that can meet. Lifetime: within that of what it is given.
class StageCheck {
 public:
  struct Input {
    const Profile& profile;
    const std::vector<RuleOrigin>& origins;
    const NamedJson& region;
    const NamedJson& base;
    const FactRanges& ranges;
    const std::set<std::string, std::less<>>& types;
  };
  StageCheck(const Input& in, std::vector<RuleFinding>& out);
  void run();

 private:
  /// One role that a rule can bring in, with everything that must hold for it.
  struct Entry {
    const Rule* rule;
    std::string role;
    Condition when;   ///< as far as it depends on the case
    Condition exact;  ///< also on who sends and whom the sender asks for
  };
  using Same = std::function<bool(const Rule&, const Rule&)>;

  void words();
  void reachable();
  void branches(const Rule& r, std::string_view type);
  void aliases();
  void gates(const std::string& type);
  void routing(const std::string& type);
  void dropped(const std::string& type, const std::vector<Entry>& entries);
  void gap(const std::string& type, const std::vector<Entry>& entries);
  void not_routed();
  void signals(const std::string& type);
  void sets(const std::string& type);
  void timers(const std::string& type);
  void consents(const std::string& type);
  void filings(const std::string& type);
  void escalations(const std::string& type);
  void audiences(const std::string& type);
  /// Rules of which the first that holds counts (or, `last`, the last): those behind it are shadowed or overlap.
  void first_counts(const std::vector<const Rule*>& rules, const std::vector<Condition>& when, const std::string& type,
                    const std::string& what, const Same& same);

  [[nodiscard]] std::vector<const Rule*> rules(Stage stage, const std::string& type) const;
  [[nodiscard]] std::vector<Entry> entries(const std::string& type) const;
  [[nodiscard]] std::vector<std::pair<std::string, Condition>> roles_of(const std::string& name) const;
  [[nodiscard]] std::vector<Condition> blocks(const std::string& type, std::vector<const Rule*>* rules) const;
  Sat solve(const Condition& c, std::string_view type, Json* example = nullptr, bool switches = false,
            bool own_words = false);
  void find(Severity severity, std::string code, const std::vector<const Rule*>& rules, const std::string& below,
            std::string message, Json example = {}, std::string accepted = "");
  [[nodiscard]] std::string place(const Rule& r, const std::string& below) const;
  [[nodiscard]] std::string accepted(const Rule& a, const Rule& b) const;
  [[nodiscard]] bool of_base(const Rule& r) const { return in_.origins[static_cast<std::size_t>(r.order)].base; }
  [[nodiscard]] const Json& source(const Rule& r) const;

  Input in_;
  std::vector<RuleFinding>& out_;
  RuleSolver solver_;
  std::set<std::string> all_types_;
  std::set<const Rule*> dead_;
  std::set<const Rule*> off_;  ///< of these: with other switches they would hold
  std::map<int, std::set<std::string>> words_;
  std::set<std::string> told_;
  bool undecided_ = false;
};

}  // namespace schakel
