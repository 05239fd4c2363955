// How commands show what the broker answered.
#pragma once
#include "core/app/cli.hpp"

namespace schakel::app {

/// Rows with aligned columns; an empty table says so.
void table(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows);
/// A member as text: lists with commas, nothing for null.
[[nodiscard]] std::string text(const Json& j, const char* name);
/// Cents as 12.34; nothing for what is no whole number.
[[nodiscard]] std::string euros(const Json& cents);
/// What may stand in a URL as it is.
[[nodiscard]] CLI::Validator plain_word();
/// Gives a command that changes something its --yes.
void add_yes(CLI::App* command, bool& yes);
/// Without `yes`: says what would be done ("would ..."), and false.
[[nodiscard]] bool go_on(const Common& common, bool yes, std::string_view what);
/// Runs a call and shows its answer: as JSON, or through `show`.
int shown(const Common& common, Result<Json> answer, const std::function<void(const Json&)>& show);

}  // namespace schakel::app
