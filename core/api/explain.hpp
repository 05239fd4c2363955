// What explain, as-of, plan and capture answer; the routes of parties and of the operator share it.
#pragma once
#include "core/api/routes.hpp"
#include "core/pipeline/explain.hpp"

namespace schakel::api {

/// The explanations of the decisions of a case, or of one message of it (`seq`), as far as `party` may see them;
/// nullptr is the operator. CASE_UNKNOWN or MESSAGE_UNKNOWN, also for what the party has nothing to do with. Without
/// `search` nothing is said of what would have altered the outcome.
Task<Result<Json>> explanations(Services& services, std::string case_id, store::MessageSeq seq, const Party* party,
                                pipeline::Lang lang, bool search = true);
/// Puts under `uitleg` of a message_view what this party may know of its rules and facts.
Task<Result<void>> add_explanation(Services& services, std::string case_id, Json& view, const Party& party);

/// The case as it was at an instant, and each decision until then made again.
Task<Result<Json>> case_as_of(Services& services, std::string case_id, Instant at);

}  // namespace schakel::api
