// After a backup was put back: the store is older than the heads outside, and a person says that this is known.
#pragma once
#include <filesystem>

#include "core/base/clock.hpp"
#include "core/store/store.hpp"

namespace schakel::audit {

struct Accepted {
  std::uint64_t here = 0;     ///< leaves under the last head in the store
  std::uint64_t outside = 0;  ///< leaves under the last head of the file
  std::string kept;           ///< where the file of heads went: it proves what was lost
};

/// Leaves a leaf "store.restored" (who, hash of the reason, both sizes, hash of the last head outside) and sets the
/// file of heads aside under another name, so that the sequencer starts on the log as it is. Verification with a copy
/// of the old file goes on saying AUDIT_FORK, as it must. The broker does not run meanwhile (the store is opened for
/// this). A crash in between is mended by doing it again: it leaves a second leaf.
///
/// Errors: AUDIT_NO_FORK (conflict: the log knows every head outside, there is nothing to accept), AUDIT_HEADS_FORMAT,
/// AUDIT_HEAD_FORMAT, AUDIT_HEADS_FILE (io), errors of the store. Source: trust.md AUD-6.
[[nodiscard]] Task<Result<Accepted>> accept_restore(store::Store& store, std::filesystem::path heads_file,
                                                    std::string by, std::string reason, Instant now);

}  // namespace schakel::audit
