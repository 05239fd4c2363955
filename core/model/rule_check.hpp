// What is wrong with the rules of a region beyond their form: rules that never act, that clash, and cases that nobody
// gets.
#pragma once
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/profile.hpp"

namespace schakel {

/// error: the region does not do what its file says. warning: look at it. note: as it should be, and good to know.
enum class Severity : std::uint8_t { note, warning, error };
[[nodiscard]] std::string_view to_string(Severity severity);

struct RuleFinding {
  Severity severity = Severity::error;
  std::string code;
  std::string pointer;             ///< <file>#<JSON pointer>
  std::string message;             ///< one sentence for who wrote the rule
  std::vector<std::string> rules;  ///< ids; the first is the rule at the pointer
  Json example;                    ///< facts that show it; null where there is nothing to show
  std::string accepted;            ///< why the file says that it is meant so; empty: it does not
};
[[nodiscard]] Json to_json(const RuleFinding& finding);

/// A file with the name that findings carry.
struct NamedJson {
  std::string name;
  const Json& content;
};

/// Everything that is wrong with a region: what Profile::parse refuses (then only that), and the codes
///   UNREACHABLE, SWITCHED_OFF, DEAD_BRANCH, SHADOWED, CONTRADICTION, OVERLAP, GAP, ROLE_GAP, NOT_ROUTED,
///   NO_RESPONSIBLE, NO_EFFECT, ID_TWICE, RULE_TWICE, VALUE_UNKNOWN, VALUE_UNLISTED, UNKNOWN_ROLE,
///   UNKNOWN_MESSAGE_TYPE, UNUSED_SOURCE, UNUSED_SETTING, SPLIT_SUM, SWITCH_VALUE, SWITCH_WITHOUT_REASON,
///   TOO_MANY_RULES, UNDECIDED, UNKNOWN_OUTCOME, UNKNOWN_TOPIC, CODE_WITHOUT_WORDS.
/// Findings about rules of the base alone are given where the base itself is checked: as `region` with an empty base.
/// `facts` is facts.json; `types` are the message types that exist (empty: not checked). Pure; bounded in time by the
/// number of rules.
[[nodiscard]] std::vector<RuleFinding> check_region(const NamedJson& region, const NamedJson& base, const Json& facts,
                                                    const std::set<std::string, std::less<>>& types);

/// Settings that deciders and named functions read by their name.
[[nodiscard]] std::span<const std::string_view> settings_read_by_code();

/// Facts of the case (UNUSED_FACT) that nothing looks at, in none of these region files: to be told where all regions
/// are checked together, since each looks at its own.
[[nodiscard]] std::vector<RuleFinding> unused_facts(const Json& facts, std::span<const Json* const> regions);
/// Facts of the case, without prefix, that deciders and named functions read and no rule of the product does.
[[nodiscard]] std::span<const std::string_view> facts_read_by_code();

}  // namespace schakel
