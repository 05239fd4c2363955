// The case file: a fold over recorded effects, rebuilt at any time, never a re-decision (design.md, Store and scale).
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/model/decision.hpp"
#include "core/model/message.hpp"

namespace schakel {

/// What the rules know of the pupil. No name, no BSN: those stay in the vault.
struct Pupil {
  std::string birth_date;  ///< YYYY-MM-DD
  std::string school, school_type, woongemeente;
  bool enrolled = true;
};

/// domain.md 5.2. Runs from valid_from (included) to valid_until and withdrawn_at (excluded).
struct Consent {
  std::string id, giver, purpose;
  std::vector<std::string> doc_types, roles;  ///< "*" = all
  Instant valid_from{};
  std::optional<Instant> valid_until, withdrawn_at;
};

struct DocumentState {
  std::string doc_type, status;
  int version = 1;
};

struct Meeting {
  std::string kind;  ///< OT, MDO, CTO, OZO, overleg, zorgoverleg ...
  Instant at{};
};

/// A message of this case that was decided before.
struct PastMessage {
  std::int64_t seq = 0;
  std::string id, type, sender_role;
  Outcome outcome{};
  Instant at{};
  std::vector<Recipient> recipients;
  std::vector<std::string> opened_by;  ///< roles that opened its link
  std::vector<std::string> told_after_download;
  std::vector<std::string> documents;  ///< doc types it carried
  std::optional<Meeting> meeting;      ///< the meeting it was sent for
};

struct EscalationState {
  std::string body, rmc_region, ground, outcome = "open";
  std::vector<std::string> members;
  Instant started{};
  std::optional<Instant> closed;
  Json more = Json::object();
};

struct CaseFile {
  std::string id, region;
  Pupil pupil;
  Json facts = Json::object();  ///< names of the `case.` vocabulary (config/schemas/facts.json)
  std::vector<Consent> consents;
  std::vector<DocumentState> documents;
  std::optional<Meeting> meeting;
  std::vector<PastMessage> messages;
  std::vector<Deadline> deadlines;
  Json invoices = Json::object();  ///< invoicing's own ledger: source invoices, shares, credits, held ones in order
  std::optional<EscalationState> escalation;
  Json overrides = Json::object();  ///< profile_overrides of the tenant
};

/// The fold. `draft` is the recorded decision on `message`; pure. It appends a PastMessage, merges the deadlines by
/// name and applies the effects, of which a blocked message has none. Kinds of effects (`what`), with their key
/// and value:
///   open                 -                 the start of the case, made from a zaak_opening
///   fact                 name              file.facts[name] = value (null is a value: no absence)
///   pupil                field             birth_date, school, school_type, woongemeente or enrolled
///   document             doc_type          {status, version}
///   consent              id                a Consent as JSON
///   consent_withdrawn    id                instant from which consents with this id no longer count
///   meeting              -                 {kind, at}
///   opened, told         message id        role that opened the link / was told after its download
///   invoice              name              file.invoices[name] = value; null removes it. Written by the invoicing
///   decider only. escalation           -                 an EscalationState as JSON, or null
/// `financieringsafspraak` (funding_agreed = true, its lines appended to `funding`) and every other fact that a message
/// states come from the routing decider as effects of kind fact; later deciders read them from the draft.
void apply(CaseFile& file, const Message& message, const Draft& draft);

/// The whole case file and back, for as-of, the API and snapshots. CASE_FILE_INVALID when it is not that.
[[nodiscard]] Json to_json(const CaseFile& file);
[[nodiscard]] Result<CaseFile> case_file_from(const Json& j);

}  // namespace schakel
