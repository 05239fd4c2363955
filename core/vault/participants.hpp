// Who is who in a case: the encrypted deelnemer records (design.md, "The message on the wire").
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/vault/vault.hpp"

namespace schakel::vault {

/// `second_factor`: "totp:<secret name>" or "sms:<+31612345678>"; empty when none is known, and then no link can be
/// issued.
struct Participant {
  std::string case_id;
  std::string person;  ///< id, no personal data in it
  std::string role;
  std::string name, mail, second_factor;
  std::string party;  ///< organisation of parties.json; empty for parents and pupil
  bool operator==(const Participant&) const = default;
};

/// PARTICIPANT_MAIL, PARTICIPANT_FACTOR, PARTICIPANT_ROLE or VAULT_ID: a control character or another shape. Pure.
[[nodiscard]] Result<void> check_participant(const Participant& p);

/// Thread: any. Lifetime: outlived by vault and store.
class Participants {
 public:
  Participants(Vault& vault, store::Store& store) : vault_(vault), store_(store) {}

  /// One op, to be committed by the caller; a person has one record per case, the last one counts.
  [[nodiscard]] Task<Result<store::PutRow>> put(Participant p);
  /// Ordered by person id. Everything below gives VAULT_ERASED only where a record is left, which erasure prevents.
  [[nodiscard]] Task<Result<std::vector<Participant>>> all(std::string case_id);
  [[nodiscard]] Task<Result<std::optional<Participant>>> by_person(std::string case_id, std::string person);

 private:
  [[nodiscard]] Task<Result<Participant>> read(std::string case_id, std::string person, Bytes sealed);
  Vault& vault_;
  store::Store& store_;
};

}  // namespace schakel::vault
