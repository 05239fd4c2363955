// Which deadlines follow from the state of a case: dates, no words. What becomes of them is deadlines.cpp's.
#pragma once
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/calendar.hpp"
#include "schakel/decider.hpp"

namespace schakel::deadlines {

/// A deadline as it follows from the facts, not yet in words: of most that follow nothing is new.
struct Due {
  const Rule* rule;
  Date date;
  std::optional<Date> warn;
  std::string_view responsible;
  bool replaced = false;
  std::optional<Date> reached{};  ///< of a term of one role: the day on which that role had what it is about

  [[nodiscard]] const TimerOutcome& timer() const { return *rule->then.timer; }
  [[nodiscard]] const std::string& name() const { return timer().name; }
  [[nodiscard]] Deadline deadline(std::string_view state) const {
    Deadline d;
    d.name = name();
    d.date = date.str();
    if (warn) d.warn_date = warn->str();
    d.rule = rule->id;
    d.severity = timer().severity;
    if (replaced) d.severity += "_replaced";
    d.responsible = responsible;
    d.state = state;
    return d;
  }
  /// Whether the case file has it exactly so.
  [[nodiscard]] bool is(const Deadline& old, std::string_view day, std::string_view state) const {
    std::string_view severity(old.severity);
    if (old.state != state || old.date != day || old.rule != rule->id || old.responsible != responsible ||
        !severity.starts_with(timer().severity) ||
        severity.substr(timer().severity.size()) != (replaced ? "_replaced" : ""))
      return false;
    return warn ? old.warn_date == warn->str() : old.warn_date.empty();
  }
};

/// Every deadline that follows from the facts of this view.
[[nodiscard]] std::vector<Due> all_due(const FactView& view);

/// The role of a term that is of one role (documents_due:<role>), empty of any other.
[[nodiscard]] std::string_view role_of(std::string_view timer);

/// Day on which a message that meets the term reached this role, for the meeting as it stands: what was sent for a
/// meeting that was moved since goes along with it.
[[nodiscard]] std::optional<Date> reached_on(const FactView& view, const TimerOutcome& t, std::string_view role,
                                             const Draft& draft);

/// The terms of the meetings that stand (case.meetings), the first meeting first. With more than one each has its own
/// terms under the same names: what counts is that of the first meeting that still asks it, documents until it was held
/// and a decision until it was taken.
class Terms {
 public:
  /// `moved`: this message says when a meeting is.
  Terms(const FactView& view, const Draft& draft, const CaseFile& before, bool moved);

  [[nodiscard]] const std::vector<Due>& due() const { return due_; }
  /// What the message is about: the meeting it names, else the last that was stated.
  [[nodiscard]] std::pair<const FactView*, const std::vector<Due>*> of_message() const;

 private:
  struct Seat {
    explicit Seat(CaseFile f) : file(std::move(f)) {}
    CaseFile file;
    std::unique_ptr<FactView> view;
    std::vector<Due> due;
  };

  Due choose(const std::string& name, const Draft& draft, const CaseFile& before, bool moved);

  const FactView& view_;
  std::vector<std::unique_ptr<Seat>> seats_;
  std::vector<Due> due_;
};

}  // namespace schakel::deadlines
