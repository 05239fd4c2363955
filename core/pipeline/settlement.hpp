// What becomes of an invoice after it left the outbox (facturatie.md 2.6): accepted, transported, received, refused,
// processed.
//
//   accepted     decided and in the outbox; no partner has it yet
//   transported  the mail server, folder or webhook took it
//   received     the mailbox or the receiver's system confirmed it
//   refused      it bounced, was refused by the server, or the receiver refused it later; finance is told
//   processed    booked or paid, as the receiver reports
//
// Everything after `transported` is a message of type factuur_status in the journal of the case, so that a state can be
// proven and is decided in the order of the case like everything else.
#pragma once
#include <set>

#include "core/journal/journal.hpp"
#include "core/runtime/scope.hpp"

namespace schakel::pipeline {

struct InvoiceReport {
  std::string delivery;  ///< A-...
  std::string status;    ///< received, refused, processed, or stuck: it waits for a person
  std::string code;      ///< SMTP_5.1.1, a code of the receiver; no free text
  std::string evidence;  ///< what makes a repeat the same report: hash of the bounce, id of the request
  /// The number under which its receiver has it, where the copy of a restored store gave it another one: credits refer
  /// to that from then on. Empty: the number it has here.
  std::string sent_as{};
  bool of_mail = false;  ///< said by a mail server or reader of a mail that left, and of no later one
};

/// Durable when it returns. INVOICE_UNKNOWN (not_found), INVOICE_STATUS, INVOICE_CODE and INVOICE_NUMBER (invalid). A
/// repeat is a duplicate. One that is reported as received or processed while it still waits is not sent any more: its
/// delivery is settled with kReported in the same commit.
Task<Result<journal::Accepted>> report_invoice(journal::Journal& journal, InvoiceReport report,
                                               store::Transaction with = {});

/// A document that an adapter refused before it was a message (schakel::NotTaken), for a reason that who pays has to
/// know: a leaf message.refused, as of every refusal, and where the case is known a report from which
/// gemeente_financien is told, once per document and rule. Durable when it returns. INVOICE_CODE (invalid).
struct NotTakenReport {
  std::string party, case_id, number, rule, evidence;
};
Task<Result<void>> report_not_taken(journal::Journal& journal, NotTakenReport report);

/// Finance does not grant a held invoice: its sender is told `code` (a JW325, an Invoice Response, a signal), and its
/// number is free again. Durable when it returns; decided in the order of the case, so that one that was released
/// meanwhile stays released. INVOICE_UNKNOWN (not_found), INVOICE_NOT_OPEN (conflict: it is not held), INVOICE_CODE
/// (invalid).
Task<Result<void>> refuse_held(journal::Journal& journal, std::string case_id, std::string message, std::string code,
                               store::Transaction with);

/// The invoice that a mail server reports on: found by Message-ID; a repeat of the report by the report's own.
/// BOUNCE_UNKNOWN (not_found), and the errors of
/// read_mail_report. A delay is not recorded: `recorded` is false.
struct BounceResult {
  std::string delivery, status, code;
  bool recorded = false;
  bool known = false;  ///< it was recorded before
};
Task<Result<BounceResult>> report_bounce(journal::Journal& journal, std::string mail);

/// State of an invoice from its delivery and what was reported of it (both may be absent). A refusal holds until a
/// person sent it again after that: `generation` is how often (core/outbox/generation.hpp). Pure.
struct Settled {
  std::string status, code;
  bool open = false;      ///< a person or a retry still has to do something
  std::string sent_as{};  ///< the number under which its receiver has it, where that is another one
};
[[nodiscard]] Settled settled(const store::DeliveryRow* delivery, const Json& reported, int generation);
Task<Result<Settled>> settled(store::Store& store, std::string delivery);
/// "geweigerd" and so on, as the interface says it; and back, empty when it is none.
[[nodiscard]] std::string_view status_dutch(std::string_view status);
[[nodiscard]] std::string status_from_dutch(std::string_view status);

/// Code of a delivery that was not attempted, as its invoice has arrived by another way.
inline constexpr std::string_view kReported = "REPORTED";
/// Whether this invoice was reported as received or processed since a person had it sent last.
Task<Result<bool>> has_arrived(store::Store& store, std::string delivery);

/// Reports every invoice whose delivery was given up or parked, once per time that happens; and every held one whose
/// sender is owed an answer (JW325, OP090x4): once when two working days are left, once when the day has passed. While
/// invoices wait after a restore it parks each of them, so that none stands unseen behind another one in its lane.
class SettlementWatch {
 public:
  explicit SettlementWatch(journal::Journal& journal) : journal_(journal) {}
  Task<Result<int>> step();
  Task<> run(runtime::Scope& scope);

 private:
  Task<Result<int>> deliveries();
  Task<Result<int>> answers();
  journal::Journal& journal_;
  std::set<std::string> untold_;  ///< what could not be told and was logged
};

}  // namespace schakel::pipeline
