// What is due by school year and not by case: OT meetings per school (KNH-ROLE-01; domain.md, ot_min_per_jaar).
#pragma once
#include "core/base/calendar.hpp"
#include "core/journal/journal.hpp"

namespace schakel::pipeline {

/// On 1 May a regular primary school of Kop van Noord-Holland that has held fewer than five OT meetings in the school
/// year is told so (TIMER_WARN), on 31 July that it fell short (OT_COUNT_LOW): each once, in working hours, or on the
/// next working day. Meetings are counted over the cases of the school, as `schakel report overleggen` does; a school
/// without a case in that year is not known here. The message is a `termijnsignaal` in the school's last case, to its
/// school_ib.
///
/// Thread: one io_context.
class SchoolYearWatch {
 public:
  static constexpr int kMinimum = 5;
  explicit SchoolYearWatch(journal::Journal& journal) : journal_(journal) {}
  /// How many schools were told.
  Task<Result<int>> step();

 private:
  Task<Result<int>> tell(SchoolYear year, bool ended);
  journal::Journal& journal_;
  std::string looked_;  ///< the day on which there was nothing left to do
};

}  // namespace schakel::pipeline
