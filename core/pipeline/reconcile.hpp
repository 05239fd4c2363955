// Proves from the journal that what was shared is what left: per payer, its party, funding agreement and VAT rate
// (CORE-MONEY-01..09).
#pragma once
#include "core/journal/journal.hpp"

namespace schakel::pipeline {

/// The books of one month. Amounts are cents; credits count negative.
///
/// `in` of a payer is what the source messages ask by their payloads, less what the decision has it ask of others, in
/// the VAT that the decision gives it. `out` is what the documents ask that were sealed and left: those to it minus
/// those it sends on. Both must be equal on every row, and per invoice what was recorded as shared must be what the
/// source asks and what its documents ask. A month closes when that holds and nothing is open.
///
/// Which party a payer is say the documents, as they were sealed (outbox/invoice_rows.hpp): a case that goes to another
/// gemeente has two rows for that role.
struct MonthRow {
  std::string payer;  ///< role
  std::string party;  ///< id; of a creditor that pays itself who sent the source; empty: not known (yet)
  std::string case_id;
  std::string agreement;  ///< seq of the financieringsafspraak, or "opening", and its lines: 12/1, 12/1+3
  std::string category;   ///< S, E, Z or O; "?" where nobody said it
  std::string rate;       ///< 21, 9, 0, or "?"
  std::int64_t in_net = 0, in_vat = 0, out_net = 0, out_vat = 0;
};
struct OpenItem {
  /// UNDECIDED, HELD, QUARANTINED, CREDIT_REFUSED, ON_ITS_WAY, REFUSED, MISSING, NOT_CONSERVED; of what was refused to
  /// its sender: BLOCKED, DUPLICATE, SET_ASIDE, NOT_GRANTED
  std::string what;
  std::string number, case_id, payer, code, delivery;
  std::int64_t cents = 0;
  std::string due{};  ///< of HELD: the last day for the answer to its sender (JW325), where one is owed
};
struct Month {
  std::string month;
  std::vector<MonthRow> rows;
  std::vector<OpenItem> open;
  std::vector<OpenItem> refused;  ///< came in this month and went back to its sender, with its code; closes the month
  std::int64_t erased = 0;        ///< source messages of cases that were erased since: nothing can be said of them
  std::int64_t sources = 0, documents = 0;  ///< source invoices shared in this month, documents made of them
  std::int64_t source_gross = 0, source_vat = 0, shared_gross = 0, shared_vat = 0;
  [[nodiscard]] bool closes() const;
  /// Whether that was in this month.
  [[nodiscard]] bool has(Instant at) const;
};

/// `month` is YYYY-MM in Amsterdam time, the month in which an invoice was shared. Every source message is booked, open
/// or refused. What is open is named whatever its month, as long as it is; a quarantined one until the same number was
/// accepted from its sender or a person set it aside. MONTH_FORMAT when it is no month.
Task<Result<Month>> reconcile(journal::Journal& journal, std::string month);
/// In the words of the interface.
[[nodiscard]] Json month_view(const Month& month);

}  // namespace schakel::pipeline
