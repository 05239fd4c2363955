// Recorded decisions, walked in order with the case as it stood before each: for explain, as-of, plan and capture.
#pragma once
#include <functional>

#include "core/journal/journal.hpp"
#include "core/pipeline/redecide.hpp"

namespace schakel::pipeline {

/// Why a decision is not made again. Never a guess: whoever asks is told this code.
///   ERASED              its content was erased
///   UNREADABLE          its content cannot be opened
///   CASE_INCOMPLETE     an earlier decision of the case is one of these two: the facts before it are not known
///   SEMANTICS_CHANGED   another version of the interpreter made it
///   RULES_UNKNOWN       the rule data of its version were not kept
///   REGISTERS_NOT_KEPT  it depends on cross-case registers whose values were not kept with it
///   UNDECIDABLE         a decider failed on it, or its region was not configured
///   REGION_ABSENT       (plan) the new configuration has no such region
using Reason = std::string;

struct Step {
  const journal::Recalled* row = nullptr;
  replay::Known known;  ///< valid where `reason` is empty, SEMANTICS_CHANGED or UNDECIDABLE
  Reason reason;
};

/// The fold over the decisions of a case, one after the other: nothing but the case file is kept between two.
class Walk {
 public:
  /// Calls `each` for the next row; `known.file` is the case as the rows before it left it.
  void step(const journal::Recalled& row, const std::function<void(const Step&)>& each);
  /// The case with every row until now; nullptr where one of them was not readable.
  [[nodiscard]] const CaseFile* file() const { return whole_ && any_ ? &file_ : nullptr; }

 private:
  CaseFile file_;
  bool whole_ = true, any_ = false;
};

/// Calls `each` for every row, in order.
void walk(const std::vector<journal::Recalled>& rows, const std::function<void(const Step&)>& each);

/// REGISTERS_NOT_KEPT where this profile reads a register that the record does not have; else empty.
[[nodiscard]] Reason registers_missing(std::span<const Decider* const> deciders, const Step& step,
                                       const Profile& profile);

/// Flipped decisions, counted by rule, school and target. Bounded: beyond kGroups kinds of difference they are only
/// counted.
class Rehearsal {
 public:
  static constexpr std::size_t kGroups = 5000, kExamples = 3;
  /// Decides the step again under `profiles`; counts what became of it.
  void add(std::span<const Decider* const> deciders, const Step& step, const Profiles& profiles);
  void skip(const Reason& reason) { ++not_replayable_[reason]; }
  /// Adds what another counted after this one.
  void add(const Rehearsal& later);
  [[nodiscard]] std::int64_t decisions() const { return decisions_; }
  [[nodiscard]] Json to_json() const;

 private:
  struct Group {
    std::int64_t count = 0;
    std::string before, after;  ///< of the first example
    std::vector<std::string> examples;
  };
  using Key = std::array<std::string, 4>;
  Group* group(const Key& key, std::string before, std::string after);
  std::map<Key, Group> groups_;  ///< kind, rule, school, target
  std::map<Reason, std::int64_t> not_replayable_;
  std::int64_t decisions_ = 0, same_ = 0, flipped_ = 0, uncounted_ = 0;
};

}  // namespace schakel::pipeline
