// Which organisation a zorgtoewijzing or a funding agreement means by the name of a care provider.
//
// A decider knows no parties: it asks by a register `provider/<party>/<role>` (plugins/invoicing/state.hpp), and the
// answer is kept with the decision like any register, so that the decision can be made again.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/model/party.hpp"

namespace schakel::pipeline {

/// `role` is zorgaanbieder:<name>. The name is the id or the name of a party, or what messages to that role are sent to
/// by an endpoint that names the role; nullopt where that leaves nobody or several. Pure.
[[nodiscard]] std::optional<bool> is_provider(std::string_view party, std::string_view role, std::string_view region,
                                              const CaseHints& hints, std::span<const std::string> members,
                                              const Parties& parties);

struct ProviderKey {
  std::string_view party, role;
};
/// Of the register that says whether a party is the provider of this name.
[[nodiscard]] std::string provider_key(std::string_view party, std::string_view name);
/// nullopt for another register. Views into `key`.
[[nodiscard]] std::optional<ProviderKey> provider_key_of(std::string_view key);

}  // namespace schakel::pipeline
