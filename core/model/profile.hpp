// A region as a file: settings, rules and tables, read, checked and compiled (design.md, "Rules are data").
#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/model/rule.hpp"

namespace schakel {

/// One region, immutable after parse. Thread: any. Lifetime: shared; a decision holds it until it is recorded.
class Profile {
 public:
  struct Gate {
    std::string name;
    std::vector<std::string> on;
    std::vector<std::string> codes;  ///< in the order in which they are reported
  };

  /// Checks and compiles a region file. PROFILE_INVALID with a finding (JSON pointer, code) for every unknown fact,
  /// outcome, stage, key or source, every rule without quote, and every wrong type. `base` is the file named by
  /// "extends": its settings, sources, rules and gates come first, and are replaced where the region has the same
  /// setting.
  [[nodiscard]] static Result<std::shared_ptr<const Profile>> parse(const Json& region,
                                                                    std::shared_ptr<const Vocabulary> vocabulary,
                                                                    const Json& base = Json::object());

  [[nodiscard]] const std::string& region() const { return region_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  /// Region and the first 16 hex digits of the SHA-256 over file, base and vocabulary: what a decision records.
  [[nodiscard]] const std::string& version() const { return version_; }
  /// All it was made of, {file, region, base, vocabulary}: kept in the store by version, so that an old decision can be
  /// made again.
  [[nodiscard]] const Json& source() const { return source_; }
  /// parse(), of a file with this name.
  [[nodiscard]] static Result<std::shared_ptr<const Profile>> parse_file(std::string_view file, const Json& region,
                                                                         std::shared_ptr<const Vocabulary> vocabulary,
                                                                         const Json& base);
  /// From what source() gave. PROFILE_INVALID or VOCABULARY_INVALID.
  [[nodiscard]] static Result<std::shared_ptr<const Profile>> from_source(const Json& source);
  /// Name of the file that has this rule with this quote; empty for a rule that is in none.
  [[nodiscard]] std::string rule_file(std::string_view id, std::string_view quote) const;
  [[nodiscard]] const Vocabulary& vocabulary() const { return *vocabulary_; }
  /// Keeps its names alive where a decision outlives the profile.
  [[nodiscard]] std::shared_ptr<const Vocabulary> vocabulary_owner() const { return vocabulary_; }

  /// A setting by dotted name (cto.minutes_per_week); `overrides` are the profile_overrides of the case, in nested or
  /// dotted form. Null when neither has it.
  [[nodiscard]] const Json& setting(std::string_view name, const Json& overrides) const;
  [[nodiscard]] std::int64_t setting_int(std::string_view name, const Json& overrides, std::int64_t otherwise) const;
  [[nodiscard]] std::string setting_text(std::string_view name, const Json& overrides,
                                         std::string_view otherwise = {}) const;
  /// As setting_text, without a copy: as long as profile and overrides live.
  [[nodiscard]] std::string_view setting_view(std::string_view name, const Json& overrides) const;
  [[nodiscard]] bool setting_flag(std::string_view name, const Json& overrides, bool otherwise) const;
  [[nodiscard]] std::vector<std::string> setting_list(std::string_view name, const Json& overrides) const;

  /// What is wrong with the profile_overrides of a case: a switch that would change nothing must not look as if it did.
  struct OverrideFault {
    std::string name;      ///< dotted
    bool unknown = false;  ///< the region has no such setting; else the value is none that it may have
  };
  [[nodiscard]] std::optional<OverrideFault> override_fault(const Json& overrides) const;

  /// Rules of a stage that look at this message type, in the order of the file. Empty for unknown types.
  [[nodiscard]] std::span<const Rule* const> rules(Stage stage, std::string_view type) const {
    return rules(type)[static_cast<std::size_t>(stage)];
  }
  /// The same for every stage, in their order.
  [[nodiscard]] std::span<const std::vector<const Rule*>> rules(std::string_view type) const;
  [[nodiscard]] std::span<const Rule> all_rules() const { return rules_; }
  /// First rule with this id; nullptr when there is none. Its quote and source are what an explanation cites.
  [[nodiscard]] const Rule* rule(std::string_view id) const;
  [[nodiscard]] std::string quote(std::string_view id) const;
  [[nodiscard]] std::string source_title(std::string_view source) const;
  /// Explanation of a named function that applied a rule of the file: quote and source are filled in from it.
  [[nodiscard]] Explanation explain(std::string_view id, Word stage, Word result, std::string_view code,
                                    Json facts) const;

  /// The role that `$name` stands for in this case; empty when no row holds. A name without $ stands for itself.
  [[nodiscard]] std::string_view role(std::string_view name, const FactView& facts) const;

  [[nodiscard]] std::span<const Gate> gates() const { return gates_; }
  /// Place of a code when several are reported for this type: consent codes, audience codes, the codes of the gate,
  /// the rest, MANDATE_MISSING last where the gate does not name it (domain.md 4.1, 14).
  [[nodiscard]] int code_rank(std::string_view type, std::string_view code) const;
  /// Settings with the reasons for them, for `schakel check` and the console.
  [[nodiscard]] const std::map<std::string, Json, std::less<>>& settings() const { return settings_; }
  [[nodiscard]] const std::map<std::string, std::string, std::less<>>& settings_why() const { return why_; }
  /// Of a list whose elements have names (operational_days: target, warn, due): these names, in order. Each element is
  /// a setting as well (operational_days.warn).
  [[nodiscard]] const std::map<std::string, std::vector<std::string>, std::less<>>& settings_parts() const {
    return parts_;
  }
  /// Settings that nothing is decided by, with the reason: they only say what holds.
  [[nodiscard]] const std::map<std::string, std::string, std::less<>>& settings_describe() const { return describes_; }
  [[nodiscard]] const std::map<std::string, std::string, std::less<>>& sources() const { return sources_; }

 private:
  friend class RuleReader;
  /// When all rules are read: by id, by type and stage, and each setting's place for the conditions that name it.
  void index();
  [[nodiscard]] bool may_be(std::string_view name, const Json& value) const;
  void place_settings(Condition& condition);
  void place_setting(Operand& operand);
  std::string region_, name_, version_;
  Json source_;
  std::shared_ptr<const Vocabulary> vocabulary_;
  std::map<std::string, std::string, std::less<>> sources_;
  std::map<std::string, Json, std::less<>> settings_;
  std::map<std::string, std::string, std::less<>> why_, describes_;
  std::map<std::string, std::vector<std::string>, std::less<>> parts_;
  std::map<std::string, Json, std::less<>> options_;
  std::vector<Rule> rules_;
  std::vector<Gate> gates_;
  std::map<std::string, std::vector<RoleAlias>, std::less<>> aliases_;
  std::unordered_map<std::string_view, const Rule*, NameHash> by_id_;
  std::unordered_map<std::string_view, const Json*, NameHash> by_name_;  ///< settings
  using ByStage = std::array<std::vector<const Rule*>, kStages>;
  std::unordered_map<std::string, ByStage, NameHash, std::equal_to<>> by_type_;  ///< every type that a rule names
  ByStage every_type_;                                                           ///< rules for "*", for the other types
};

/// Profiles by region code. Thread: any once filled.
using Profiles = std::map<std::string, std::shared_ptr<const Profile>>;

/// Reads schemas/facts.json and every regions/*.json below `config_dir` (files whose region is CORE are bases only).
/// CONFIG_UNREADABLE, VOCABULARY_INVALID or PROFILE_INVALID; findings carry <file>#<pointer>.
[[nodiscard]] Result<Profiles> load_profiles(const std::filesystem::path& config_dir);

}  // namespace schakel
