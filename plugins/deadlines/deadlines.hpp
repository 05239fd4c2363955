// The last decider: deadlines as they stand after the message, lead times, and the signals of the region.
#pragma once
#include "schakel/decider.hpp"

namespace schakel::deadlines {

/// Interprets the stages timer and signal of a region. A deadline follows from the state of the case, so what this
/// decider writes is the difference between what the case file has and what follows from it after this message: set,
/// moved, met, breached, replaced or cancelled. Thread: any. Holds nothing.
class DeadlinesDecider final : public Decider {
 public:
  [[nodiscard]] std::string_view stage() const override { return "deadlines"; }
  [[nodiscard]] Draft decide(FactView& view, const Facts& facts, Draft draft) const override;
};

}  // namespace schakel::deadlines
