// What the money rules look at: the switches of the region and the facts of the case, read once per decision.
#pragma once
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/calendar.hpp"
#include "core/model/ledger.hpp"
#include "core/model/profile.hpp"

namespace schakel::invoicing {

/// Who is invoiced first (domain.md 9.1, 9.2).
enum class Flow {
  contract_holder,   ///< one party gets the whole invoice and re-invoices the others (KNH, MH, FRL)
  offering_party,    ///< who offers the arrangement pays (MVS-MONEY-02)
  ordering_parties,  ///< each ordering party is invoiced for its half (HR-MONEY-01, Q-40)
};

/// The switches of a region; every one is a setting of its file and can be overridden per tenant.
struct Switches {
  Flow flow = Flow::contract_holder;                    ///< money.flow
  bool grey_split = false;                              ///< grey_split.enabled
  std::uint32_t grey_swv_bp = 5000;                     ///< grey_split.swv_bp
  std::string odd_cent = "gemeente";                    ///< grey_split.odd_cent: gemeente, swv, alternate
  std::map<std::string, std::string> grey_holder;       ///< grey_contract_holder: school type -> party
  std::map<std::string, std::string> holder_elsewhere;  ///< money.holder_elsewhere: the same, of a pupil elsewhere
  std::map<std::string, std::string> addresses;         ///< invoice_addresses: payer -> address
  std::vector<std::string> hidden_from;                 ///< finance_hidden_from (CORE-AUD-01)
  std::vector<std::string> ratified_by;                 ///< escalation.needs_ratification
  bool escalation_suspends = true;                      ///< escalation.binding: a consult never holds money
  bool hold_grey_only = false;                          ///< hold_grey_only (Q-26)
  bool content_first = false;                           ///< money.content_first (MVS-MONEY-01)
  bool lines_need_period = false;                       ///< funding_lines_need_period (FRL-MONEY-02)
  bool education_needs_enrolment = false;               ///< money.education_needs_enrolment (MH-MONEY-02)
  bool education_needs_regie = false;                   ///< money.education_needs_regie (MH-MONEY-01)
  bool pgb_pays_care = false;                           ///< money.pgb_pays_care (HR-MONEY-03)
  std::map<std::string, std::string> number_series;     ///< money.number_series: creditor -> prefix of its own series
  std::uint32_t combined_education_bp = 5000;           ///< combined_split_bp (HR-MONEY-01)
};
[[nodiscard]] Switches read_switches(const Profile& profile, const Json& overrides);

struct Period {
  Date from, to;
  [[nodiscard]] bool contains(const Period& other) const { return from <= other.from && other.to <= to; }
};

/// One line of the recorded funding agreement. A line that cannot be read (shares that are not 10000 basis points, a
/// period that is none) answers for nothing: money that nobody agreed on clearly is held.
struct FundingLine {
  std::string kind;                ///< empty: every kind
  std::vector<PayerShare> shares;  ///< empty: no payer stated
  std::optional<Period> period;
  std::string vat{};  ///< O, E or S: how VAT is handled under this agreement; empty: as the creditor does
  // What it may be narrowed to (docs/invoicing.md); nothing: any.
  std::string provider{};  ///< as a zorgtoewijzing names one
  std::optional<std::int64_t> assignment{};
  std::string product{};
  std::optional<Cents> max{};  ///< of all that is granted on this line, VAT included
  Cents spent{};               ///< of it, by what was sent less what was credited
};

/// Whether the party of a key `provider/<party>/<role>` is who a zorgtoewijzing or an agreement calls by that role; the
/// pipeline answers (core/pipeline/provider.hpp). A key that is absent: nobody can say.
using KnownProviders = std::map<std::string, bool, std::less<>>;
[[nodiscard]] std::string provider_key(std::string_view party, std::string_view role);
/// Roles zorgaanbieder:<provider> that delivered zorgtoewijzingen of the case went to.
[[nodiscard]] std::vector<std::string> assigned_providers(const CaseFile& file);
/// Keys that a decision on `message` may look at, of the senders of `sources` and of what was sent before.
[[nodiscard]] std::vector<std::string> provider_keys(const CaseFile& file, const Message& message,
                                                     std::span<const LedgerEntry> sources);

struct MoneyState {
  bool agreed = false;
  bool any_line = false;  ///< the agreement has lines, readable or not
  std::vector<FundingLine> funding;
  std::optional<Period> funding_period;
  bool dispute = false, enrolled = true, education_regie = true, content_fixed = false, pgb = false;
  std::string contract_holder, situation, school_type, education_payer, offered_by;
  std::optional<MoneyAdvice> advice;
  bool advice_ratified = false;
  std::vector<std::string> assigned;  ///< assigned_providers
  KnownProviders providers;
};
/// `ledger` says how the dispute and the advice stand and what was spent, `registers` who is which provider; `facts`
/// the rest.
[[nodiscard]] MoneyState read_state(const FactView& facts, const Ledger& ledger, const Switches& switches,
                                    const std::map<std::string, Json>& registers);
/// Lays what the ledger has sent on the funding lines with a maximum (`spent`); again after each that is sent.
void spend(MoneyState& state, const Ledger& ledger, const Switches& switches);
/// Zorgtoewijzingen name providers, and the sender of this invoice is surely none of them. Not about credits, nor about
/// education alone, which the gemeente assigns to nobody.
[[nodiscard]] bool is_of_another_provider(const LedgerEntry& entry, const MoneyState& state);

/// A fact of the case that is true, also one that the vocabulary does not name.
[[nodiscard]] bool is_stated(const FactView& facts, const std::string& name);

/// Shares in the order of ties (gemeente, schoolbestuur, swv) without those of 0; nullopt when a payer is unknown or
/// they do not add up to 10000.
[[nodiscard]] std::optional<std::vector<PayerShare>> read_shares(const Json& basis_points);

/// The funding line that counts for a line of an invoice: the first that covers it (CORE-MONEY-07).
struct Answer {
  bool any = false;                     ///< some line answers for the kind
  const FundingLine* covers = nullptr;  ///< and covers the period, and what else it names
  std::string_view code{};              ///< why none covers it, of the one that came nearest; empty where none answers
};
[[nodiscard]] std::optional<Period> period_of(const LedgerEntry& entry);
/// Of a line: its own, or that of its entry.
[[nodiscard]] std::optional<Period> period_of(const LedgerLine& line, const LedgerEntry& entry);
/// What counts for the lines of one kind of an entry, each by its own period. Covered when each is, and all by the same
/// shares and VAT: they are shared as one (CORE-MONEY-02). A credit is judged by kind and period alone: what was
/// granted may always be given back.
[[nodiscard]] Answer answer_for(const MoneyState& state, const Switches& switches, const LedgerEntry& entry,
                                std::string_view kind);

}  // namespace schakel::invoicing
