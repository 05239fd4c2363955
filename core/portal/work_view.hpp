// What the pages of the work place share: a case as their templates take it. For the .cpp files of this folder only.
#pragma once
#include "core/portal/call.hpp"

namespace schakel::portal {

using FormFields = std::vector<std::pair<std::string, std::string>>;

/// What every page of the work place shows: case, school, region, link and form token.
[[nodiscard]] Json work_json(const Session& s, const CaseView& v, std::string title);
[[nodiscard]] Json meeting_json(const MeetingView& m);
/// Documents of the case; chosen are those that the filled form names.
[[nodiscard]] Json documents_json(const CaseView& v, const FormFields& filled);

}  // namespace schakel::portal
