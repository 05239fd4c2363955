// After a restore nobody knows which invoices left between the copy and the loss: a copy of the store does not say.
//
// From the start on a copy until a person says that the mailbox and the payers were looked at, no invoice leaves by
// itself: its first attempt parks it with kRestored and finance is told. What a person has sent again leaves. Numbers
// go on in a new epoch (core/pipeline/series.hpp).
#pragma once
#include <optional>
#include <string_view>

#include "core/store/store.hpp"

namespace schakel::outbox {

/// Code of an attempt that was not made for this reason: nothing is known against the target, and no retry will help.
inline constexpr std::string_view kRestored = "RESTORED";

/// Since when invoices wait; nullopt: they do not. STORE_CORRUPT_ROW.
[[nodiscard]] Task<Result<std::optional<Instant>>> restored_since(store::Store& store);
/// From now on they wait; a wait that is there already goes on.
[[nodiscard]] store::PutRow wait_after_restore(Instant now);
/// A person had this one sent during the wait that began then: it leaves. To be committed with what sends it.
[[nodiscard]] store::PutRow sent_by_person(const std::string& delivery, Instant since);
/// Whether a person did. What was sent again before the copy was made says nothing of what left after it.
[[nodiscard]] Task<Result<bool>> was_sent_by_person(store::Store& store, std::string delivery, Instant since);
/// They leave by themselves again; those that were parked stay so until they are sent.
[[nodiscard]] store::EraseRow end_after_restore();

}  // namespace schakel::outbox
