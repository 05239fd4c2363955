// What would have had to be different: the smallest change of facts under which the same rules decide otherwise.
#pragma once
#include <functional>

#include "core/pipeline/redecide.hpp"

namespace schakel::replay {

/// One fact with another value. `fact` is a name of the vocabulary (case.dispute, document.opp.status,
/// pupil.birth_date), or consent:<giver>:<purpose>, register:<key>, meeting.at, message.time.
struct Change {
  std::string fact;
  Json was, would_be;
  bool operator==(const Change&) const = default;
};

/// A set of changes, and what was really decided with them.
struct Alternative {
  std::vector<Change> changes;
  Outcome outcome{};
  std::vector<std::string> codes;
  std::vector<std::string> gained, lost;  ///< roles that get it with, or without, the changes only
};

struct Counterfactual {
  std::vector<Alternative> found;  ///< all of the same size, the most telling first
  std::size_t candidates = 0;      ///< single changes that there are
  std::size_t tried = 0;           ///< decisions made for it
  bool singles_complete = false;   ///< every single change was tried
  bool pairs_complete = false;     ///< and every two of them; always false where singles sufficed
};

struct SearchOptions {
  std::size_t budget = 8000;  ///< decisions
  std::size_t limit = 8;      ///< alternatives that are reported
  /// Facts that may be varied; empty = all. What the asker may not know is not varied, so that no answer tells it.
  std::function<bool(std::string_view fact)> may_vary;
};

/// `recorded` is the decision on `known` under `profile`. A blocked or held message asks what would have let it
/// through; any other asks what would have changed its outcome or who gets it. Single changes are all tried first, then
/// pairs, then, for a message with several reasons, one change per reason; every alternative reported was decided, none
/// is inferred.
[[nodiscard]] Counterfactual counterfactual(std::span<const Decider* const> deciders, const Known& known,
                                            const Profile& profile, const Draft& recorded,
                                            const SearchOptions& options = {});

}  // namespace schakel::replay
