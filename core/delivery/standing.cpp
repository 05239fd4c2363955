#include "core/delivery/standing.hpp"

#include <algorithm>

#include "core/base/calendar.hpp"
#include "core/delivery/attempt.hpp"

namespace schakel::delivery {

std::optional<Instant> valid_until_now(const outbox::Planned& planned, const CaseFile& file) {
  auto id = planned.body.value("message_id", "");
  auto sent = std::ranges::find(file.messages, id, &PastMessage::id);
  if (planned.kind != "documents" || id.empty() || sent == file.messages.end() || !sent->meeting)
    return planned.valid_until;
  return end_of_day(local_date(sent->meeting->at));
}

Task<Result<std::shared_ptr<const Profile>>> Delivering::rules_of(store::MessageSeq decided, std::string region) {
  auto today = profiles_.find(region);
  if (today == profiles_.end()) co_return fail(ErrorKind::unavailable, "REGION_UNKNOWN", "no rules of this region");
  auto decision = co_await journal_.decision(decided);
  if (!decision) co_return fail(std::move(decision.error()));
  if (!*decision) co_return today->second;
  auto version = (*decision)->rules_version;
  // A version names its region.
  if (version == today->second->version() || !version.starts_with(region + "-")) co_return today->second;
  auto kept = co_await rules_.version(std::move(version));
  if (kept) co_return std::move(*kept);
  // Rules that were never kept, or that are read otherwise now: there is only today's, as for the decisions of the
  // case.
  if (kept.error().kind == ErrorKind::not_found || kept.error().kind == ErrorKind::invalid) co_return today->second;
  co_return fail(std::move(kept.error()));
}

}  // namespace schakel::delivery
