// The vault as the sealer of the road.
#pragma once
#include "core/journal/sealer.hpp"
#include "core/vault/vault.hpp"

namespace schakel::journal {

/// Thread: any. Lifetime: needs the vault to outlive it. A case gets its key, durably, with the first thing sealed for
/// it; a key without data is what a kill in between leaves, which harms nobody.
class VaultSealer final : public Sealer {
 public:
  explicit VaultSealer(vault::Vault& vault) : vault_(vault) {}
  Task<Result<Bytes>> seal(std::string case_id, std::string kind, std::string id, Bytes plain,
                           store::Transaction& with) override {
    (void)with;
    return vault_.seal({std::move(case_id), std::move(kind), std::move(id), 1}, std::move(plain));
  }
  Task<Result<Bytes>> open(std::string case_id, std::string kind, std::string id, Bytes sealed) override {
    return vault_.open({std::move(case_id), std::move(kind), std::move(id), 1}, std::move(sealed));
  }
  Task<Result<Opener>> opener(std::string case_id) override {
    auto key = co_await vault_.opener(std::move(case_id));
    if (!key) co_return fail(std::move(key.error()));
    co_return Opener([key = std::move(*key)](std::string_view kind, std::string_view id, ByteView sealed) {
      return key.open(kind, id, 1, sealed);
    });
  }

 private:
  vault::Vault& vault_;
};

}  // namespace schakel::journal
