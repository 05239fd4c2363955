// A scenario (oza-scenario/1) from a recorded case, with fictional names, numbers and texts for the real ones. Pure.
#pragma once
#include <map>
#include <set>

#include "core/pipeline/scenario.hpp"

namespace schakel::scenario {

/// One recorded decision, in order; the first is the opening of the case.
struct CapturedDecision {
  Message message;
  Draft draft;
  std::map<std::string, Json> registers{};  ///< that it was decided on; those about providers are used
};

struct Capture {
  Json scenario;
  int replaced = 0;              ///< different words that were replaced
  int dropped = 0;               ///< messages of the broker itself, which a scenario does not have
  bool birth_date_kept = false;  ///< no other date of birth gave the same decisions
};

/// `words` are the texts that may stay: every other text that is no date, and no role built from these, is replaced,
/// the same one by the same one everywhere. Dates stay, since working days, holidays and school years hang on them; the
/// date of birth is moved by some days. The result was played with `profile` and decided as the case was.
/// CAPTURE_NO_OPENING (invalid), CAPTURE_DIFFERS (conflict) with a finding for every difference.
[[nodiscard]] Result<Capture> capture(const std::vector<const Decider*>& deciders,
                                      std::shared_ptr<const Profile> profile,
                                      const std::vector<CapturedDecision>& decisions,
                                      const std::set<std::string, std::less<>>& words);

/// All texts and keys of a JSON value: rule data and schemas hold the words that are nobody's.
void collect_words(const Json& j, std::set<std::string, std::less<>>& words);

/// A number that passes the 11-proof and is nobody's: the test range 9999.
[[nodiscard]] std::string fictional_bsn(std::string_view seed);

}  // namespace schakel::scenario
