// Registers that the documents ask for, from recorded decisions: OT meetings per school (KNH-ROLE-01), escalated cases
// for the yearly evaluation (KNH-TIMER-09, MVS-ESC-05, CORE-RET-02), and where the process stagnates. No names, no case
// ids.
#pragma once
#include <span>
#include <string>

#include "core/base/calendar.hpp"
#include "core/journal/journal.hpp"

namespace schakel::pipeline {

/// What one case adds to the registers: {zaak (pseudonym), regio, school, schoolsoort, overleggen: [{soort, datum}],
/// escalaties:
/// [{orgaan, grond, gestart, gesloten, uitkomst}], signalen: [{code, wat, datum}]}. Pure.
[[nodiscard]] Json register_extract(const std::string& case_id, std::span<const journal::Recorded> history);

struct RegisterQuery {
  std::string kind;  ///< overleggen, escalaties or stagnatie
  Date from, to;     ///< both included
  std::string school;
  int minimum = 5;  ///< OT meetings per school year (KNH-ROLE-01)
};
/// Rows of a register over extracts. REGISTER_UNKNOWN for another kind. Pure.
///   overleggen: {school, regio, schooljaar, soort, aantal, minimum, tekort}; several cases on one day at one school
///   are one meeting escalaties: {zaak, regio, orgaan, grond, gestart, gesloten, dagen, uitkomst} stagnatie:  {regio,
///   soort, grond, aantal, open}
[[nodiscard]] Result<Json> register_rows(const RegisterQuery& query, std::span<const Json> extracts);

}  // namespace schakel::pipeline
