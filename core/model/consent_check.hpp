// Whether consents cover what is sent (domain.md 5.2): asked by the decision, by every opening of a link and by every
// attempt to send. The quorum is what a table cannot say.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/case_file.hpp"
#include "core/model/profile.hpp"

namespace schakel::consent {

/// What is asked of the consents of a case: may `role` have `doc_types` (none: the message itself) for `purpose` at
/// `at`?
struct Question {
  std::string_view purpose, role;
  std::span<const std::string> doc_types;
  Instant at{};
  std::span<const std::string> custody;  ///< who must all consent (CORE-CONSENT-02)
  bool child_needed = false;             ///< whether the pupil's own is needed as well (CORE-CONSENT-03)
  bool one_suffices = false;             ///< consent_quorum "one": one of them is enough (Q-06)
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

/// Who must consent now (CORE-CONSENT-02): under voogdij the voogd instead of the parents, until it ends; under OTS the
/// parents still. From child_only_age, where the region sets it, the pupil alone.
[[nodiscard]] std::vector<std::string> custody(const FactView& view);
/// Whether the pupil's own consent is needed at the instant of the view, on its local date (CORE-CONSENT-03).
[[nodiscard]] bool child_needed(const FactView& view);
/// Whether the consent of one of them is enough (setting consent_quorum, Q-06).
[[nodiscard]] bool one_suffices(const FactView& view);

/// The purpose in a rule that asks whatever was asked for the delivery that is opened.
inline constexpr std::string_view kOfDelivery = "$delivery";
/// What the rules ask before a message of `type` goes to `role` by secured link: what it needed when it was sent it
/// needs as long as it can be fetched (CORE-CONSENT-04). Their conditions are not looked at, so that nothing is asked
/// less than then; where no rule asks anything it is `documents` (CORE-CONSENT-01). Valid as long as the profile.
[[nodiscard]] std::vector<std::string_view> purposes_of_delivery(const Profile& profile, std::string_view type,
                                                                 std::string_view role);
/// The message that went to `role` by secured link and what it carried; null when there is none.
[[nodiscard]] const Recipient* link_of(const PastMessage& message, std::string_view role);
/// Whether `consents` still cover what `sent`, of a message of `type`, carried; the first answer that does not, with
/// its code CHILD_CONSENT_MISSING where only that lacks. The moment, the custody and the age are those of the view.
[[nodiscard]] Answer check_delivery(const FactView& view, std::span<const Consent> consents, std::string_view type,
                                    std::string_view role, std::span<const std::string> documents);

/// 0 for CONSENT_WITHDRAWN, the strictest, to 3 for CONSENT_MISSING; 4 for none.
[[nodiscard]] int strictness(std::string_view code);

}  // namespace schakel::consent
