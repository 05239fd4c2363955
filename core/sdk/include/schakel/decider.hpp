// A decider is a pure function over a case: no clock, no I/O, no store, no randomness.
#pragma once
#include <string>
#include <vector>

#include "core/model/case_file.hpp"
#include "core/model/decision.hpp"
#include "core/model/message.hpp"
#include "core/model/profile.hpp"

namespace schakel {

/// Facts that reach across cases, read by the pipeline before it decides: key -> value, absent when never written.
using Facts = std::map<std::string, Json>;

/// Thread: any, several at once; implementations hold no mutable state. Lifetime: lives to the end of the process.
class Decider {
 public:
  virtual ~Decider() = default;
  /// Name of the stage, as configuration lists it: routing, consent, invoicing, deadlines.
  [[nodiscard]] virtual std::string_view stage() const = 0;
  /// Keys of cross-case registers that decide() will want to see for this message.
  [[nodiscard]] virtual std::vector<std::string> reads(const CaseFile& file, const Message& message,
                                                       const Profile& profile) const {
    (void)file, (void)message, (void)profile;
    return {};
  }
  /// Same arguments, same draft, for ever. `view` reads the case file, the message, the region's rules and the facts;
  /// it is at the instant the message was accepted and has what earlier deciders changed. `draft` is what these handed
  /// on.
  [[nodiscard]] virtual Draft decide(FactView& view, const Facts& facts, Draft draft) const = 0;
};

}  // namespace schakel
