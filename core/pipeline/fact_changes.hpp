// The single changes of facts that a counterfactual may be made of.
#pragma once
#include "core/pipeline/counterfactual.hpp"

namespace schakel::replay {

struct Candidate {
  Change change;
  std::function<void(Known&)> apply;
};

/// Over the facts that the explanation names and that rules for this type of message look at: the finite values that
/// their conditions can tell apart. In the order: named in the explanation first.
[[nodiscard]] std::vector<Candidate> candidates(const Known& known, const Profile& profile, const Draft& recorded,
                                                const std::function<bool(std::string_view)>& may_vary);

/// The facts that a derived one is computed from (derived.age_years from pupil.birth_date); empty for the others.
[[nodiscard]] std::span<const std::string_view> inputs_of(std::string_view derived);

}  // namespace schakel::replay
