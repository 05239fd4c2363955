// One message, one decision: the deciders in their fixed order, and what a blocked message may not leave behind.
#pragma once
#include <span>

#include "schakel/decider.hpp"

namespace schakel {

/// Order of the stages; deciders with another stage come behind these in the order given.
inline constexpr std::array<std::string_view, 4> kDeciderOrder = {"routing", "consent", "invoicing", "deadlines"};

/// Deciders sorted as kDeciderOrder says. Call once at start.
[[nodiscard]] std::vector<const Decider*> in_order(std::vector<const Decider*> deciders);

/// Keys of every register that a decider wants to see for this message, without doubles.
[[nodiscard]] std::vector<std::string> registers_read(std::span<const Decider* const> deciders, const CaseFile& file,
                                                      const Message& message, const Profile& profile);

/// The decision. `deciders` are in order. Pure: same arguments, same draft. Codes stand in the order of the region's
/// gates, consent first (domain.md 4.1). A blocked message keeps its codes, its explanation and the signals that the
/// region lists for blocked messages, and nothing else (CORE-GATE-01, Q-57). Judged at message.time.
[[nodiscard]] Draft decide(std::span<const Decider* const> deciders, const CaseFile& file, const Message& message,
                           const Profile& profile, const Facts& facts);

}  // namespace schakel
