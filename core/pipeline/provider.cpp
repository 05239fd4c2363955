#include "core/pipeline/provider.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace schakel::pipeline {
namespace {

constexpr std::string_view kRegister = "provider/", kRole = "zorgaanbieder";

}  // namespace

std::string provider_key(std::string_view party, std::string_view name) {
  return fmt::format("{}{}/{}:{}", kRegister, party, kRole, name);
}

std::optional<ProviderKey> provider_key_of(std::string_view key) {
  if (!key.starts_with(kRegister)) return {};
  key.remove_prefix(kRegister.size());
  // Ids of parties have no slash; the name of a provider may.
  auto slash = key.find('/');
  if (slash == std::string_view::npos) return {};
  return ProviderKey{key.substr(0, slash), key.substr(slash + 1)};
}

std::optional<bool> is_provider(std::string_view party, std::string_view role, std::string_view region,
                                const CaseHints& hints, std::span<const std::string> members, const Parties& parties) {
  auto colon = role.find(':');
  if (colon == std::string_view::npos) return {};
  auto name = role.substr(colon + 1);
  const Party* meant = nullptr;
  for (const auto& p : parties.all()) {
    bool so = p.id == name || p.name == name || (p.invoice && p.invoice->name == name);
    if (!so) continue;
    if (meant) return {};
    meant = &p;
  }
  if (meant) return meant->id == party;
  auto desk = parties.desk(role, region, "message", hints, members);
  if (!desk.party || !desk.endpoint) return {};
  // Who takes the mail of everybody is not who is meant.
  bool named = std::ranges::any_of(desk.endpoint->roles, [&](const std::string& r) { return r == role || r == kRole; });
  if (!named) return {};
  return desk.party->id == party;
}

}  // namespace schakel::pipeline
