// The citizen service number: checked, sealed under the case key, found by a keyed hash, released only at the border.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/vault/vault.hpp"

namespace schakel::vault {

/// The eleven test on nine digits (an eight digit number counts with a zero before it). Pure.
[[nodiscard]] bool is_bsn(std::string_view digits);

/// Thread: any. Lifetime: outlived by vault and store.
class Bsn {
 public:
  Bsn(Vault& vault, store::Store& store) : vault_(vault), store_(store) {}

  /// Ops that give the case its number, to be committed by the caller. BSN_INVALID (eleven test), BSN_OTHER_CASE
  /// (conflict: the number belongs to another case), BSN_CHANGED (conflict: the case has another number). A repeat of
  /// the same gives no ops.
  [[nodiscard]] Task<Result<std::vector<store::Op>>> put(std::string case_id, const Secret& bsn);
  /// nullopt when no case has it, or when it is no BSN at all.
  [[nodiscard]] Task<Result<std::optional<std::string>>> case_of(const Secret& bsn);
  /// The same for many, in their order.
  [[nodiscard]] Task<Result<std::vector<std::optional<std::string>>>> cases_of(std::vector<Secret> bsns);
  /// The number of a case. The caller writes that it was released before it uses it. `allowed`: the receiving party's
  /// profile allows it; the caller judged that. BSN_NOT_ALLOWED (forbidden),
  /// BSN_UNKNOWN (not_found), BSN_REASON (invalid: a reason is 3 to 64 of a-z, 0-9, '_').
  [[nodiscard]] Task<Result<Secret>> release(std::string case_id, std::string reason, bool allowed);

 private:
  [[nodiscard]] std::string index_key(const Secret& bsn) const;
  Vault& vault_;
  store::Store& store_;
};

}  // namespace schakel::vault
