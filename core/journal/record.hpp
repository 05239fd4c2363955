// The text of a recorded decision: {"draft", "message", "registers", "semantics"}, as it was sealed.
#pragma once
#include "core/journal/journal.hpp"

namespace schakel::journal {

/// Whether the explanation is read along. It is most of a record and tells nothing that a decision is made of: who only
/// makes it again leaves it as text in Recorded::unread.
enum class Explained { read, unread };

[[nodiscard]] std::string record_text(const Message& message, const Draft& draft,
                                      const std::map<std::string, Json>& registers);

/// RECORD_INVALID (io) for what is no record. Pure.
[[nodiscard]] Result<Recorded> read_record(store::MessageSeq seq, std::string_view text, Explained explained);

/// The row with its content, or why there is none. Pure.
[[nodiscard]] Recalled recalled(store::DecisionRow row, const Opener& opener, Explained explained);

/// What was left unread.
[[nodiscard]] std::vector<Explanation> read_explanation(const Recorded& recorded);

}  // namespace schakel::journal
