// Deadlines in the store, and the messages they become when their day comes.
#pragma once
#include "core/journal/journal.hpp"
#include "core/model/decision.hpp"
#include "core/runtime/scope.hpp"

namespace schakel::pipeline {

/// Monday to Friday 09:00 to 17:00 in Amsterdam, no holidays: nobody is warned at another time, also where the broker
/// was down when the moment came.
[[nodiscard]] bool office_is_open(Instant now);

/// The timer row of a deadline as a decision left it: it warns at 09:00 Amsterdam time on warn_date and breaches at
/// 09:00 after `date`, each on that day or the next working day. Sealed under the case.
Task<Result<void>> set_timer(journal::Journal& journal, const Message& message, const Deadline& deadline,
                             store::Transaction& with);

/// Turns due timers into `termijnsignaal` messages of the broker itself, each exactly once: message and timer change
/// are one transaction, and the message id is derived from the timer, its phase and its date.
///
/// Thread: one io_context.
class TimerLoop {
 public:
  explicit TimerLoop(journal::Journal& journal) : journal_(journal) {}
  /// Fires everything due now, in working hours; how many.
  Task<Result<int>> step();
  Task<> run(runtime::Scope& scope);

 private:
  Task<Result<void>> fire(store::TimerRow row);
  journal::Journal& journal_;
};

}  // namespace schakel::pipeline
