// The version of how rules are read.
#pragma once

namespace schakel {

/// Goes up with every change of the interpreter or a decider by which the same rule data and facts may give another
/// decision. Every decision records it; one that was made under another number is not made again but reported as not
/// replayable.
inline constexpr int kSemanticsVersion = 6;

}  // namespace schakel
