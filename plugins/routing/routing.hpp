// The first decider: what a message states, the gates it must pass, who would get it, what is filed and escalated.
#pragma once
#include "schakel/decider.hpp"

namespace schakel::routing {

/// Interprets the stages facts, gate, routing, filing and escalation of a region (design.md, "Rules are data").
/// Afterwards the draft holds the effects of what the message states, the codes of the gates (outcome blocked when
/// there are any), the candidates in `recipients`, the filing of an opened link and the state of the escalation.
/// Thread: any. Holds nothing.
class RoutingDecider final : public Decider {
 public:
  [[nodiscard]] std::string_view stage() const override { return "routing"; }
  [[nodiscard]] Draft decide(FactView& view, const Facts& facts, Draft draft) const override;
};

}  // namespace schakel::routing
