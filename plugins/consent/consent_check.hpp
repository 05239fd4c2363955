// Whether consents cover what is sent (domain.md 5.2). The quorum is what a table cannot say.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/case_file.hpp"

namespace schakel::consent {

/// What is asked of the consents of a case: may `role` have `doc_types` (none: the message itself) for `purpose` at
/// `at`?
struct Question {
  std::string_view purpose, role;
  std::span<const std::string> doc_types;
  Instant at{};
  std::span<const std::string> custody;  ///< who must all consent (CORE-CONSENT-02)
  bool child_needed = false;             ///< whether the pupil's own is needed as well (CORE-CONSENT-03)
};

/// `code` is empty when everybody with custody consents; of several problems it is the strictest (domain.md 14).
struct Answer {
  std::string_view code;
  bool child_missing = false;
  std::vector<std::string> used;  ///< ids of the consents that counted
  [[nodiscard]] bool covered() const { return code.empty() && !child_missing; }
};

/// Pure. A consent counts from valid_from (included) to valid_until and withdrawn_at (excluded), so that a withdrawal
/// wins at its own instant (CORE-CONSENT-04, Q-53).
[[nodiscard]] Answer check(std::span<const Consent> consents, const Question& question);

/// 0 for CONSENT_WITHDRAWN, the strictest, to 3 for CONSENT_MISSING; 4 for none.
[[nodiscard]] int strictness(std::string_view code);

}  // namespace schakel::consent
