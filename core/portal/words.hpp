// Dutch for people: roles, document types, states and reason codes. Pure.
#pragma once
#include <string>
#include <string_view>

#include "core/base/clock.hpp"

namespace schakel::portal {

/// "jeugdhulpdeskundige" -> "Jeugdhulpdeskundige"; suffixes (zorgaanbieder:C, lokaal_team@Gouda) are put in words. A
/// code that is not known comes back with its first letter capital and '_' as space.
[[nodiscard]] std::string role_word(std::string_view role);
[[nodiscard]] std::string doc_word(std::string_view doc_type);
[[nodiscard]] std::string question_word(std::string_view kind);
[[nodiscard]] std::string meeting_word(std::string_view kind);
[[nodiscard]] std::string purpose_word(std::string_view purpose);
[[nodiscard]] std::string message_word(std::string_view type);
/// Of a delivery; `tone` of its badge: neutral, success, warning, danger.
struct StateWord {
  std::string text, tone;
};
[[nodiscard]] StateWord state_word(std::string_view state);

/// What a rule of Schakel's own (CORE-...) comes down to for a reader; empty when there is no word for it.
[[nodiscard]] std::string core_rule_word(std::string_view rule);

/// What a reason code means to a reader, and what can be done about it.
struct Explained {
  std::string title, help;
};
[[nodiscard]] Explained explain(std::string_view code);

/// "donderdag 15 oktober 2026", and with the time "donderdag 15 oktober 2026, 10:00 uur", in Amsterdam.
[[nodiscard]] std::string long_date(Instant t);
[[nodiscard]] std::string long_date_time(Instant t);
/// The same for a calendar date YYYY-MM-DD; the text itself when it is none.
[[nodiscard]] std::string long_date(std::string_view date);
/// "2,3 MB"
[[nodiscard]] std::string size_word(std::int64_t bytes);
/// The name under which a document is saved: from type, case name and version, ASCII only, never from outside (LNK-10).
[[nodiscard]] std::string file_name(std::string_view doc_type, std::string_view case_name, int version,
                                    std::string_view media_type);

}  // namespace schakel::portal
