// Registers that the documents ask for, from recorded decisions: OT meetings per school (KNH-ROLE-01), escalated cases
// for the yearly evaluation (KNH-TIMER-09, MVS-ESC-05, CORE-RET-02), and where the process stagnates. No names, no case
// ids.
#pragma once
#include <span>
#include <string>

#include "core/base/calendar.hpp"
#include "core/journal/journal.hpp"
#include "core/model/profile.hpp"

namespace schakel::pipeline {

/// What one case adds to the registers: {zaak, regio, school, van, tot, minimum: {soort: aantal}, overleggen: [{soort,
/// datum}], escalaties: [{orgaan, grond, gestart, gesloten, uitkomst, besluit, aangehouden, verdeeld: {payer: cents}}],
/// signalen: [{code, wat, datum}]}. `pseudonym` stands for the case and must not be derivable from it. `rules` are
/// those of its region, which say how many meetings a school of this kind must hold; null asks none. Free text of a
/// decision stays out: it may name people. Pure.
[[nodiscard]] Json register_extract(const std::string& pseudonym, std::span<const journal::Recorded> history,
                                    const Profile* rules);

struct RegisterQuery {
  std::string kind;  ///< overleggen, escalaties or stagnatie
  Date from, to;     ///< both included
  std::string school;
};
/// Rows of a register over extracts. REGISTER_UNKNOWN for another kind. Pure.
///   overleggen: {school, regio, schooljaar, soort, aantal, minimum, tekort}; several cases on one day at one school
///   are one meeting, and a school that must hold some (KNH-ROLE-01) has a row for every school year in which it had a
///   case, also with none
///   escalaties: {zaak, regio, orgaan, grond, gestart, gesloten, dagen, uitkomst, besluit, aangehouden, verdeeld};
///   amounts in cents: what waited for it, and what each payer was sent by it (CORE-RET-02)
///   stagnatie: {regio, soort, grond, aantal, open}
[[nodiscard]] Result<Json> register_rows(const RegisterQuery& query, std::span<const Json> extracts);

}  // namespace schakel::pipeline
