// The invoice ledger of one case: what came in, what is held, what was sent to whom (domain.md section 9).
//
// CaseFile::invoices holds it as JSON and changes only by effects: the invoicing decider writes them, the fold applies
// them with `apply_invoice_effect`. Reading and writing are pure; the same effects in the same order give the same
// ledger.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.hpp"
#include "core/base/money.hpp"
#include "core/model/decision.hpp"

namespace schakel {

struct LedgerLine {
  std::string kind;            ///< zorg, onderwijs, grijs, gecombineerd
  Cents cents;                 ///< positive, also on a credit note
  std::optional<Cents> vat{};  ///< VAT in it, where the creditor says so per line; then on every line of the entry
  std::string from{}, to{};    ///< its own period, YYYY-MM-DD, or both empty: that of the entry
  std::string percent{};       ///< VAT rate, where the creditor says so per line; then on every line, and `vat` too
  std::string category{};      ///< S, E, Z or O of UBL with that rate; empty where the source has no categories
  std::optional<std::int64_t> assignment{};  ///< ToewijzingNummer that it says it delivers on
  std::string product{};                     ///< product code, or the seller's item number; empty where it names none
  bool operator==(const LedgerLine&) const = default;
};

/// Recorded share of a payer: gemeente, schoolbestuur or swv.
struct PayerShare {
  std::string role;
  std::uint32_t basis_points = 0;
  bool operator==(const PayerShare&) const = default;
};

/// How the lines of some kinds are shared. Fixed when the invoice is sent, so that a credit reaches the same debtors
/// (CORE-MONEY-04) whatever was agreed since.
struct ShareGroup {
  enum class Method { whole, half, basis_points, minutes };
  Method method = Method::whole;
  std::vector<std::string> kinds;
  std::vector<PayerShare> payers;  ///< order of ties: gemeente, schoolbestuur, swv; for `minutes` education first
  OddCent odd = OddCent::gemeente;
  std::string vat{};  ///< what the agreement says of VAT of all its kinds: O, E or S; empty: nothing, or not one thing
  bool operator==(const ShareGroup&) const = default;
};

/// What a payer was asked for in all, credits taken off.
struct Issued {
  std::string role;
  Cents gross, vat;
  std::string number{};        ///< of the document this payer was sent; what a credit note refers to
  Json rates = Json::array();  ///< [{percent, category?, net_cents, vat_cents}] of it, credits taken off, or empty
  bool operator==(const Issued&) const = default;
};

/// One factuur, declaratie, doorbelasting or credit note that was accepted: held or forwarded. Blocked, dropped and
/// quarantined ones are not remembered (domain.md 4.1).
struct LedgerEntry {
  std::string kind;  ///< factuur, declaratie, doorbelasting, creditnota
  std::string number;
  std::string creditor;       ///< party, or case and role where the sender is no party
  std::string party;          ///< who sent it; empty where the sender is no party
  std::string creditor_role;  ///< zorgaanbieder, schoolbestuur ...
  std::string hash;           ///< of the content (CORE-MONEY-06)
  std::string message;        ///< id of the message that brought it
  std::int64_t seq = 0;
  std::string reinvoices;  ///< number of the invoice that a doorbelasting of the gemeente itself is about, may be empty
  std::string credits;     ///< number of the invoice that a credit note takes from
  std::vector<LedgerLine> lines;
  Cents vat;
  std::string vat_treatment;  ///< O, E, S by the agreement of all kinds, or empty; fixed when it is sent
  Json vat_rates =
      Json::array();  ///< [{percent, category?, net_cents, vat_cents}] as the creditor charged it, or empty
  std::optional<std::int64_t> minutes;
  std::string period_from, period_to;  ///< YYYY-MM-DD or both empty
  bool held = false;
  bool refused =
      false;  ///< a held credit that was larger than what was left when its turn came; its number is free again
  std::vector<std::string> codes;  ///< why it is held or refused
  std::int64_t released_by = 0;
  std::string holder;  ///< who gets it in full and re-invoices; empty where each payer is invoiced directly
  std::vector<ShareGroup> groups;
  std::vector<Issued> issued;
  bool operator==(const LedgerEntry&) const = default;

  [[nodiscard]] Cents total() const;
  [[nodiscard]] bool is_credit() const { return kind == "creditnota"; }
};

/// Binding advice on the shares (MH-ESC-04, MH-ESC-05): counts once every needed party has ratified it.
struct MoneyAdvice {
  std::vector<PayerShare> shares;  ///< empty: not about shares
  std::vector<std::string> ratified;
  bool operator==(const MoneyAdvice&) const = default;
};

struct Ledger {
  std::vector<LedgerEntry> entries;  ///< in order of arrival, which is the order of release (CORE-MONEY-07)
  std::optional<MoneyAdvice> advice;
  std::optional<bool> dispute;  ///< absent: what the case file states from the start

  /// Refused entries are not found.
  [[nodiscard]] const LedgerEntry* find(std::string_view kind, std::string_view creditor,
                                        std::string_view number) const;
  /// The invoice that a credit note of this creditor refers to; not one that was refused.
  [[nodiscard]] const LedgerEntry* credited(std::string_view creditor, std::string_view number) const;
  /// Credits on an invoice that were sent, in order of arrival. A held credit takes nothing yet.
  [[nodiscard]] std::vector<const LedgerEntry*> sent_credits(const LedgerEntry& invoice) const;
  /// Adds, or replaces the entry of the same key in its place.
  void put(LedgerEntry entry);
};

/// Empty ledger for null or {}. Throws nlohmann's exceptions on what these functions did not write.
[[nodiscard]] Ledger ledger_of(const Json& invoices);

/// Effects with `what` = invoice, invoice_advice or invoice_dispute.
[[nodiscard]] bool is_invoice_effect(const Effect& effect);
[[nodiscard]] Effect invoice_effect(const LedgerEntry& entry);
[[nodiscard]] Effect advice_effect(const MoneyAdvice& advice);
[[nodiscard]] Effect dispute_effect(bool open);
/// The fold's part: `invoices` is CaseFile::invoices. Does nothing for other effects.
void apply_invoice_effect(Json& invoices, const Effect& effect);

void to_json(Json& j, const LedgerEntry& v);
void from_json(const Json& j, LedgerEntry& v);

}  // namespace schakel
