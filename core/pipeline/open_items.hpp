// Names what keeps a month from closing, and what was given back to its sender (OpenItem::what). Part of reconcile.hpp.
//
// What is open is named whatever its month, as long as it is; what was given back in its own month alone. Errors are
// those of the store.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "core/model/ledger.hpp"
#include "core/pipeline/reconcile.hpp"
#include "core/pipeline/settlement.hpp"

namespace schakel::pipeline {

/// A source message of a case that its decision `r` did not share: QUARANTINED as long as nobody dealt with it and its
/// sender had the same number not accepted later, else SET_ASIDE; BLOCKED, DUPLICATE.
Task<Result<void>> name_unshared(journal::Journal& journal, Month& month, const journal::Recorded& r,
                                 const std::vector<journal::Recorded>& history);
/// NOT_GRANTED, where this decision is on a refusal of finance: what was held, and the held credits that went with it.
/// Their messages go into `not_granted`.
void name_not_granted(Month& month, const journal::Recorded& r, std::set<std::string>& not_granted);
/// A document that has not left: ON_ITS_WAY, REFUSED, or MISSING where its delivery is not there.
void name_document(Month& month, const std::string& case_id, const InvoiceOut& invoice, const std::string& delivery,
                   const Settled& state);
/// What the ledger of a case has at its end: HELD, with the day of its answer; CREDIT_REFUSED until a person has dealt
/// with it.
Task<Result<void>> name_waiting(journal::Journal& journal, Month& month, std::string case_id, const Ledger& ledger,
                                const std::set<std::string>& not_granted);
/// A source message that no case accounts for: UNDECIDED, about no case (as name_unshared), MISSING where its case does
/// not know of it. Of a case that was `erased` it is only counted.
Task<Result<void>> name_stray(journal::Journal& journal, Month& month, store::MessageRow row, bool erased);

}  // namespace schakel::pipeline
