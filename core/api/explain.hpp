// What explain, as-of, plan and capture answer; the routes of parties and of the operator share it.
#pragma once
#include "core/api/routes.hpp"
#include "core/pipeline/explain.hpp"

namespace schakel::api {

/// The explanations of the decisions of a case, or of one message of it (`seq`), as far as `party` may see them;
/// nullptr is the operator. CASE_UNKNOWN or MESSAGE_UNKNOWN, also for what the party has nothing to do with. Without
/// `search` nothing is said of what would have altered the outcome; `masked` as in pipeline::Asker. Of a case at most
/// `limit` at once, those behind message `after`; then `verder` is the number to ask on with, else null.
inline constexpr std::size_t kExplainMessages = 500;
Task<Result<Json>> explanations(Services& services, std::string case_id, store::MessageSeq seq, const Party* party,
                                pipeline::Lang lang, bool search = true, store::MessageSeq after = 0,
                                std::size_t limit = kExplainMessages, bool masked = false);
/// Puts under `uitleg` of a message_view what this party may know of its rules and facts.
Task<Result<void>> add_explanation(Services& services, std::string case_id, Json& view, const Party& party);

/// A leaf that the content of a case was shown to the operator, as `what`: explain, as_of or scenario (trust.md AUD-1).
/// Before the answer: what cannot be recorded is not shown. `reason`: why what is stated about the child was in it,
/// as the hash that the operator's program made of it.
Task<Result<void>> note_shown(Services& services, std::string what, std::string case_id,
                              std::optional<Digest> reason = std::nullopt);

/// The case as it was at an instant, and each decision until then made again.
Task<Result<Json>> case_as_of(Services& services, std::string case_id, Instant at, bool masked);

}  // namespace schakel::api
