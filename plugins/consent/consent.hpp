// The second decider: consent and audience. It only ever removes.
#pragma once
#include "schakel/decider.hpp"

namespace schakel::consent {

/// Interprets the stages consent and audience of a region, keeps the consent store of the case, and finds out whether
/// anybody is left. Afterwards `recipients` is a subset of what it was, `suppressed` says why the others are not, and
/// the codes of a consent that lacks are among `codes`. Thread: any. Holds nothing.
class ConsentDecider final : public Decider {
 public:
  [[nodiscard]] std::string_view stage() const override { return "consent"; }
  [[nodiscard]] Draft decide(FactView& view, const Facts& facts, Draft draft) const override;
};

}  // namespace schakel::consent
