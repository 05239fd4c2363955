// Who gets a delivery: the one choice of an endpoint or a person, made at the decision and again when a person sends
// it once more. Pure.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/outbox/plan.hpp"

namespace schakel::outbox {

/// The adapter instance that reaches people: a link by mail.
inline constexpr std::string_view kSecureLink = "secure_link";

/// One place where a delivery can go: an endpoint (`address` names its party), or a deelnemer (`person`). Each person
/// gets a delivery of their own.
struct Place {
  std::string target;
  Json address = Json::object();
  std::string person;
};

/// Where there is no place `code` says why: RECIPIENT_UNKNOWN, PARTY_AMBIGUOUS or PARTY_MISNAMED.
struct Reach {
  std::vector<Place> places;
  std::string code;
};

struct ReachInput {
  const std::string& role;
  const std::string& kind;
  const std::string& region;
  const CaseFile& file;  ///< the case as it is now
  const Parties& parties;
  const std::vector<Contact>& contacts;
  /// Parties that have to do with the case, where that can matter (Parties::members_matter).
  std::span<const std::string> members;
  const Party* party = nullptr;  ///< whose desk it is, where that is known
};

/// Address by kind: the endpoint of `party` where it is known whose desk it is, else that of the party which the case
/// means by the role; a deelnemer of the case through the secure link next. Where several could be meant it waits for a
/// person: one of another party gets nothing.
[[nodiscard]] Reach reach(const ReachInput& in);
/// The same through one adapter instance that a person named: the party that the case means where it is reached there,
/// else the only one that is; the deelnemers through the secure link.
[[nodiscard]] Reach reach_through(const ReachInput& in, std::string_view target);

}  // namespace schakel::outbox
