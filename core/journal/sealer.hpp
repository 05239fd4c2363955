// What the road needs of the vault: bytes that may rest on disk, and back.
#pragma once
#include <functional>

#include "core/store/store.hpp"

namespace schakel::journal {

/// Opens what was sealed for one case, without waiting: for who opens thousands where blocking is allowed. Thread: any
/// number at a time. Lifetime: within that of the sealer. Holds the key of the case: not to be kept.
using Opener = std::function<Result<Bytes>(std::string_view kind, std::string_view id, ByteView sealed)>;

/// Thread: any coroutine. An empty case id means the system key.
class Sealer {
 public:
  virtual ~Sealer() = default;
  /// Adds the ops that make the key durable to `with` when the case has no key yet, so that no commit leaves bytes
  /// behind that nobody can open. `kind` and `id` are bound to the ciphertext: it opens only under the same three
  /// names.
  virtual Task<Result<Bytes>> seal(std::string case_id, std::string kind, std::string id, Bytes plain,
                                   store::Transaction& with) = 0;
  /// VAULT_ERASED (not_found) when the key was destroyed, VAULT_BROKEN (io) when the bytes are not what was sealed.
  virtual Task<Result<Bytes>> open(std::string case_id, std::string kind, std::string id, Bytes sealed) = 0;
  /// VAULT_ERASED as open(); every other error of a single value comes from the opener itself.
  virtual Task<Result<Opener>> opener(std::string case_id) = 0;
};

}  // namespace schakel::journal
