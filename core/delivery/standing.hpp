// What a delivery that waited goes by when it is sent at last: the case as it stands now, the rules of its decision.
#pragma once
#include <optional>

#include "core/model/case_file.hpp"
#include "core/outbox/plan.hpp"

namespace schakel::delivery {

/// Until when its documents may be fetched: the end of the day of the meeting that the message was sent for, as the
/// case has it now. A meeting that was moved takes along what waits for it. Where the case knows of no meeting, what
/// was planned. Pure.
[[nodiscard]] std::optional<Instant> valid_until_now(const outbox::Planned& planned, const CaseFile& file);

}  // namespace schakel::delivery
