// A decision made again from what was recorded of it. Pure: the same facts and rule data give the same draft, for ever.
#pragma once
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/model/semantics.hpp"
#include "core/pipeline/decide.hpp"

namespace schakel::replay {

/// All that a decision was made of, but for the rules.
struct Known {
  CaseFile file;  ///< as it stood before the message
  Message message;
  Facts registers;  ///< the cross-case registers that were read; a key that is absent was never written
};

/// What the pipeline decided, or would have decided under `profile`.
[[nodiscard]] Draft redecide(std::span<const Decider* const> deciders, const Known& known, const Profile& profile);

/// Bit for bit: the stored form of both is the same text.
[[nodiscard]] bool identical(const Draft& a, const Draft& b);

/// One thing in which two decisions on the same message differ for those concerned. `target` is the role that gets more
/// or less (suppressed: is left out; filing: files; link: loses a link), the body of an escalation, the name of a fact
/// (case.dispute, document.opp.status), empty where it is about the message itself; `rule` is the rule that makes the
/// difference.
struct Flip {
  enum class Kind { outcome, reason, recipient, invoice, deadline, signal, suppressed, fact, filing, escalation, link };
  Kind kind{};
  std::string rule, target;
  std::string before, after;  ///< in words of the vocabulary: blocked MANDATE_MISSING, documents, 2027-01-15 ...
  bool operator==(const Flip&) const = default;
};
[[nodiscard]] std::string_view to_string(Flip::Kind kind);
[[nodiscard]] std::vector<Flip> flips(const Draft& before, const Draft& after);

/// A case waits for something (a deadline that is set and not `quiet_days` past, an open escalation, a held invoice, a
/// dispute, a ratification), or had a message less than `quiet_days` before `at`: it keeps the rules it was opened
/// under. A case without messages is in flight too.
[[nodiscard]] bool in_flight(const CaseFile& file, Instant at, std::int64_t quiet_days);

}  // namespace schakel::replay
