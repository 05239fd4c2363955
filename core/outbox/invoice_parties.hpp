// Between which parties an invoice is: who asks and who pays, by what its case says of them. Pure.
//
// A case names roles: the gemeente pays, the swv pays its half of it. Which organisation that is says the case (a fact
// party_<role>, the woongemeente, the school) and the directory of its region, never the first of several. Who made the
// source is who it is owed to, whatever the region has besides; a credit is between whom its invoice was. Where nobody
// is certain, or the source was made out to somebody else, the side stays empty and the code says why: such an invoice
// waits for a person and never leaves.
#pragma once
#include <string>
#include <string_view>

#include "core/model/case_file.hpp"
#include "core/model/decision.hpp"
#include "core/model/party.hpp"
#include "core/outbox/plan.hpp"

namespace schakel::outbox {

/// What a case says about its party for a role: gemeente, swv or schoolbestuur.
[[nodiscard]] CaseHints hints_of(const CaseFile& file, std::string_view role);
/// What it says about whom it means by any other role.
[[nodiscard]] CaseHints hints_of(const Pupil& pupil);

/// Fills `seller` and `buyer` of an invoice, and their ids in `seller_party` and `buyer_party`, from what its case
/// says. The code why one of them stays null: PARTY_AMBIGUOUS, PARTY_MISNAMED; of one that says the VAT of its source
/// VAT_NUMBER_IS_ANOTHER, VAT_NUMBER_MISSING; BUYER_IS_ANOTHER (the source was made out to somebody else); empty when
/// both are known or there is nobody.
///
/// Reads of it: `payer` and `payee` (roles), `payee_party` (who made the source), `source_buyer` (whom that names), of
/// a credit `credited_seller` and `credited_buyer` (between whom its invoice was: those go before what the case says),
/// `number` and `source_number`, and for its VAT `vat_of_source`, `source_vat_number` and `vat_rates`.
[[nodiscard]] std::string name_parties(Json& invoice, const CaseFile& file, const std::string& region,
                                       const Parties& parties);

/// Says of a credit between whom its invoice was: `credited_seller`, `credited_buyer`, and `credited_buyers` of all
/// documents of that invoice, of whom its source names one.
void put_credited(Json& invoice, const Between& credited);

/// Whether it is the invoice of who made the source, in its name, and the source names its VAT rates: then it says
/// those and not what was agreed on what is made of it (docs/invoicing.md, VAT).
[[nodiscard]] bool says_vat_of_source(const InvoiceOut& invoice);

}  // namespace schakel::outbox
