// Rule data by version, kept with the decisions they made: for as-of, for explanations, and for cases that are in
// flight.
#pragma once
#include <list>
#include <optional>
#include <set>

#include "core/model/profile.hpp"
#include "core/store/store.hpp"

namespace schakel::pipeline {

inline constexpr std::string_view kRuleSpace = "rules";        ///< version -> Profile::source()
inline constexpr std::string_view kPartySpace = "parties";     ///< sha-256 -> parties.json
inline constexpr std::string_view kInForceSpace = "in_force";  ///< instant -> {regions: {code: version}, parties}

/// What was configured at an instant.
struct InForce {
  Instant since{};
  std::map<std::string, std::string> regions;  ///< code -> version
  std::string parties;                         ///< sha-256 of the content, empty where none was given
};

/// Thread: one io_context. Lifetime: needs the store to outlive it.
class RuleStore {
 public:
  explicit RuleStore(store::Store& store) : store_(store) {}

  /// Writes the rule data of this version once; nothing to write is an empty list.
  Task<Result<std::vector<store::Op>>> keep(std::shared_ptr<const Profile> profile);
  /// RULES_UNKNOWN when this version was never kept.
  Task<Result<std::shared_ptr<const Profile>>> version(std::string version);

  /// At start: every region, the parties, and since when, where that is news. `parties` may be null.
  Task<Result<void>> in_force_now(const Profiles& profiles, const Json& parties, Instant now);
  /// nullopt before the first start that kept it.
  Task<Result<std::optional<InForce>>> in_force_at(Instant at);
  /// nullopt when it was never kept.
  Task<Result<std::optional<Json>>> parties(std::string hash);

 private:
  static constexpr std::size_t kCached = 16;
  store::Store& store_;
  std::set<std::string, std::less<>> kept_;
  std::list<std::shared_ptr<const Profile>> cache_;
};

}  // namespace schakel::pipeline
