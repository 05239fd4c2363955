// Authenticator apps that were enrolled: the seeds behind second factors `totp:<name>`.
#pragma once
#include <string>
#include <vector>

#include "core/store/store.hpp"
#include "core/vault/vault.hpp"

namespace schakel::portal {

/// A seed lies in the vault under the whole factor, prefix and all: no factor can name another secret of the broker.
inline constexpr std::string_view kTotp = "totp:";

/// Names are 1 to 64 of a-z, 0-9, '.', '_' and '-': AUTHENTICATOR_NAME (invalid). Every change has an audit leaf with
/// the name and the operator's uid.
///
/// Thread: any. Lifetime: outlived by what its constructor names.
class Authenticators {
 public:
  Authenticators(store::Store& store, vault::Vault& vault, const Clock& clock)
      : store_(store), vault_(vault), clock_(clock) {}

  /// Makes a new seed. Value: its otpauth:// address, which nothing gives again. AUTHENTICATOR_EXISTS (conflict) when
  /// there is one and `replace` is not set; the codes of a replaced one no longer count.
  [[nodiscard]] Task<Result<std::string>> enrol(std::string name, bool replace, std::int64_t uid);
  /// Links to whom has it stay and open no more. AUTHENTICATOR_UNKNOWN (not_found).
  [[nodiscard]] Task<Result<void>> remove(std::string name, std::int64_t uid);
  /// Whether `factor` ("totp:<name>") was enrolled; false for every other text.
  [[nodiscard]] Task<Result<bool>> known(std::string factor);
  [[nodiscard]] Task<Result<std::vector<std::string>>> names();

 private:
  store::Store& store_;
  vault::Vault& vault_;
  const Clock& clock_;
};

}  // namespace schakel::portal
