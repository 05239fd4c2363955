// What is due by school year and not by case: OT meetings per school (KNH-ROLE-01; domain.md, ot_min_per_jaar).
#pragma once
#include "core/base/calendar.hpp"
#include "core/journal/journal.hpp"
#include "core/model/profile.hpp"
#include "core/runtime/scope.hpp"

namespace schakel::pipeline {

/// On 1 May a school that has held fewer OT meetings in the school year than its region asks of it
/// (registers.meetings_minimum, for registers.meetings_school_types) is told so (TIMER_WARN), on 31 July that it fell
/// short (OT_COUNT_LOW): each once, in working hours, or on the next working day. Meetings are counted over the cases
/// of the school, as `schakel report overleggen` does; a school without a case in that year is not known here. The
/// message is a `termijnsignaal` in the school's last case, to its school_ib.
///
/// Thread: one io_context. Lifetime: journal and profiles outlive it.
class SchoolYearWatch {
 public:
  SchoolYearWatch(journal::Journal& journal, const Profiles& profiles) : journal_(journal), profiles_(profiles) {}
  /// How many schools were told.
  Task<Result<int>> step();
  /// Until the scope stops.
  Task<> run(runtime::Scope& scope);

 private:
  Task<Result<int>> tell(SchoolYear year, bool ended);
  journal::Journal& journal_;
  const Profiles& profiles_;
  std::string looked_;  ///< the day on which there was nothing left to do
};

}  // namespace schakel::pipeline
