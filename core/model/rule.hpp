// A rule as data: where it stands in the road of a message, when it holds, what follows. Compiled once per region file.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/model/decision.hpp"
#include "core/model/rule_facts.hpp"

namespace schakel {

/// The right side of a comparison, or the value of a set: a value of the file, a setting of the region, or another
/// fact.
struct Operand {
  Json value;
  std::string setting;  ///< not empty: the value of that setting
  int slot = -1;        ///< >= 0: the value of that fact
  bool append = false;  ///< in a set: the elements of that fact are put behind the list that the case has
  const Json* region_value = nullptr;  ///< of the setting, as the region has it; null: it is looked up
  /// What it is in a case without settings of its own, where it is no fact; made when the profile is complete.
  std::optional<FactValue> fixed{};

  [[nodiscard]] FactValue get(const FactView& facts) const;
};

/// A typed condition. `all`, `any`, `none` have children; the others compare the fact in `slot`.
struct Condition {
  enum class Op : std::uint8_t {
    always,
    equal,
    not_equal,
    in,
    not_in,
    at_least,
    more_than,
    less_than,
    exists,
    contains,
    count_less_than,
    count_not,
    all,
    any,
    none
  };
  Op op = Op::always;
  int slot = -1;
  std::string setting;  ///< instead of a fact: the setting that is compared
  bool flag = true;     ///< for exists: whether it must be there
  std::vector<Operand> operands;
  std::vector<Condition> children;
  const Json* region_value = nullptr;  ///< of the setting, as the region has it; null: it is looked up

  [[nodiscard]] bool holds(const FactView& facts) const;
  /// Of a condition that does not hold: whether one more fact, or a tenth of a number, would have made it hold.
  [[nodiscard]] bool nearly(const FactView& facts) const;
  /// Both at once: what is asked of most rules.
  enum class Fit : std::uint8_t { holds, nearly, not_at_all };
  [[nodiscard]] Fit fit(const FactView& facts) const;
  void collect(std::vector<int>& slots) const;
};

/// Stages, in the order in which the deciders come to them.
enum class Stage : std::uint8_t {
  facts,
  gate,
  routing,
  audience,
  consent,
  signal,
  filing,
  escalation,
  timer,
  invoicing
};
inline constexpr int kStages = 10;
[[nodiscard]] std::string_view to_string(Stage stage);

/// then.recipient: one or more roles that get the message.
struct RecipientOutcome {
  std::vector<std::string> roles;
  std::string content;  ///< none, documents, notice, gezinsplan or message_type
  std::string channel = "broker";
  std::string of_gemeente;           ///< name of a fact whose value is put behind the role as @<gemeente>; empty = none
  bool if_addressed = false;         ///< only where the sender asks for it
  bool if_consent_names = false;     ///< only where a consent for it names the role
  bool unless_sender = false;        ///< not to who sent the message
  bool mandatory = false;            ///< an address list without it is refused: MANDATORY_INVITEE_MISSING
  bool list_only = false;            ///< where the sender gives an address list, only if that names it
  std::string function;              ///< recipients that a table cannot list: assignment_sender, meeting_participants
  std::vector<std::string> without;  ///< plan sections that are taken out
};

/// then.consent: which consent the message needs, and what happens where it lacks.
struct ConsentOutcome {
  std::string purpose;
  std::vector<std::string> roles;  ///< whose receiving is covered; empty = every candidate
  std::vector<std::string> except;
  bool blocks = false;  ///< the whole message instead of the recipient
  std::string code;     ///< reported instead of the consent codes; empty = these
};

/// then.timer: a deadline that follows from a date in the case.
struct TimerOutcome {
  std::string name, severity, responsible;
  int from = -1;  ///< slot of a date
  int days = 0, months = 0, years = 0, working_days = 0;
  std::string days_setting;                          ///< setting that gives the days, negative for before
  std::string months_setting, working_days_setting;  ///< the same for months and for working days
  bool backwards = false;
  std::string ends;                ///< "school_year": 31 July of the school year of `from`
  bool rolls = false;              ///< CORE-TIME-04
  bool announces_holiday = false;  ///< FALLS_ON_HOLIDAY
  int warn_days = 0, warn_months = 0,
      warn_working_days = 0;          ///< relative to the due date; a negative number is before it
  int warn_from_days = 0;             ///< relative to `from`
  int warn_from_months = 0;           ///< relative to `from`; a negative number is before it
  std::vector<std::string> met_by;    ///< message types; of a term of one role (name:<role>) only where it reaches that
  bool tells_late = true;             ///< TIMER_BREACH to who meets it too late
  std::optional<Condition> met;       ///< holds: met, whatever message said so
  std::optional<Condition> replaced;  ///< holds: severity becomes <severity>_replaced
};

struct SignalOutcome {
  std::string code, to, role;
  bool to_sender = false;
  bool also_blocked = false;
  std::string with_code;  ///< only where the message is blocked with this code
};

struct SetOutcome {
  int slot = -1;
  Operand value;
};

struct FilingOutcome {
  std::string by, system, create_unless;  ///< create_unless: fact that says a dossier exists
};

struct EscalationOutcome {
  std::string action;  ///< open, or close
  std::string body;    ///< $name: what that setting says
  std::string outcome;
  std::vector<std::string> members;
  std::vector<std::string> facts;  ///< facts whose values are kept with it: case.rmc_region, message.ground
  std::string register_as;         ///< name of the flag that appears when it is closed
};

struct Then {
  std::optional<RecipientOutcome> recipient;
  std::optional<ConsentOutcome> consent;
  std::optional<TimerOutcome> timer;
  std::optional<SignalOutcome> signal;
  std::optional<FilingOutcome> file;
  std::optional<EscalationOutcome> escalation;
  std::vector<SetOutcome> set;
  std::vector<std::string> drop;   ///< roles that never get it, with `code`; $name is the list of a setting
  std::vector<std::string> allow;  ///< roles that may be addressed without becoming recipients by it
  std::string block;               ///< code
  std::string code;                ///< of drop
  bool always = false;             ///< of drop: reported also where nobody asked for the role
  bool alone = false;              ///< a block that is reported without any other code
  bool if_consented = false;       ///< a block that is asked only where no consent lacks
  Json more = Json::object();      ///< outcomes of the invoicing stage, read by its interpreter
};

struct Rule {
  std::string id;
  SharedText source, quote;
  SharedText cited;  ///< the id, for explanations
  Stage stage = Stage::gate;
  std::vector<std::string> on;  ///< message types; "*" = every
  Condition when;
  Then then;
  std::vector<int> facts;  ///< slots the condition looks at
  int order = 0;
};

/// A role that depends on the case, written $name in a rule: the first row whose condition holds.
struct RoleAlias {
  Condition when;
  std::string role;
  std::string rule;  ///< id of the rule that says so
};

/// The explanation of one rule with the facts it looked at.
[[nodiscard]] Explanation explain(const Rule& rule, const FactView& facts, Word stage, Word result,
                                  std::string_view code);
/// The same with facts that a named function looked at instead.
[[nodiscard]] Explanation explain(const Rule& rule, Word stage, Word result, std::string_view code, SeenFacts seen);

}  // namespace schakel
