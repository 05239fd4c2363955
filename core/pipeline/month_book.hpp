// Books one decision: what the sources that it shared ask, against what its documents ask (reconcile.hpp). Pure.
//
// A source is booked in for each payer as its documents share it, the last document of the creditor for what the
// others leave; a document that left is booked out for who got it, and off for who sent it on. Per invoice all of the
// decision goes together, with its credits: the ledger knows where that began and where it ended. Whatever does not
// agree is named NOT_CONSERVED, or MISSING where the journal does not know the source.
#pragma once
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/model/ledger.hpp"
#include "core/pipeline/books.hpp"
#include "core/pipeline/reconcile.hpp"

namespace schakel::pipeline {

/// The month with its rows by key. `month` outlives it.
struct MonthBook {
  Month& month;
  std::map<std::tuple<std::string, std::string, std::string, std::string, std::string, std::string>, MonthRow> rows{};

  MonthRow& row(const std::string& payer, const std::string& party, const std::string& case_id,
                const std::string& agreement, const std::pair<std::string, std::string>& tax);
  /// Puts those that are not nothing into the month. The book is empty afterwards.
  void close();
};

/// A document that a decision made: whether it left, whom it names, and what the one that was sealed asks.
struct MadeDocument {
  const InvoiceOut* invoice = nullptr;
  std::string delivery;
  bool left = false;
  std::string payer_party{}, payee_party{};  ///< ids; empty where nobody was named (yet)
  std::optional<DocumentAmounts> says{};
};

/// Where the books of one case stand when a decision is booked.
struct CaseBook {
  std::string case_id, agreement;  ///< seq of the last financieringsafspraak, or "opening"
  Json funding;
};

/// A decision about money, with the ledger of its case on both sides of it. Refers to what the caller holds.
struct MoneyDecision {
  const journal::Recorded& decision;
  const std::vector<journal::Recorded>& history;  ///< of the case
  const Ledger &before, &after;
  std::vector<std::string> shared;  ///< source messages that it shared, also those of which no document was made
  std::vector<MadeDocument> documents;
};

void book_decision(MonthBook& book, const CaseBook& at, const MoneyDecision& decided);

}  // namespace schakel::pipeline
