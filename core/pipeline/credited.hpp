// Between which parties an invoice went out: a credit on it is between the same, also where the pupil's case is another
// gemeente's or another swv's by now (CORE-MONEY-04: the same debtor and address).
//
// Which documents an invoice was sent as is known by the decision that sent it, not by a number alone: two gemeenten
// may both give out GA2026-000001 in one case, each of its own series.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/model/case_file.hpp"
#include "core/model/decision.hpp"
#include "core/model/message.hpp"
#include "core/outbox/plan.hpp"
#include "core/store/store.hpp"

namespace schakel::pipeline {

/// For each credit of `draft` whose invoice has gone out here, by delivery id: its parties. `file` is the case with the
/// decision applied. Not there: of that invoice nothing is recorded, or it waits for a person to say whose it is.
/// STORE_CORRUPT_ROW.
Task<Result<std::map<std::string, outbox::Between>>> credited_between(store::Store& store, const CaseFile& file,
                                                                      const Message& message, const Draft& draft);
/// The same of one credit that was planned before its invoice had parties: `invoice` is body.invoice of its delivery.
/// Nothing where it is no credit, knows them already, or does not say which of several it is.
Task<Result<std::optional<outbox::Between>>> credited_of(store::Store& store, const CaseFile& file,
                                                         const Json& invoice);

/// A credit that a decision may send.
struct CreditFrom {
  std::string by;      ///< party that sent it, empty where its sender is none
  std::string seller;  ///< party in whose name the documents were made that it credits; empty where none is recorded
};
/// The credits that a decision on `message` may send, and who `role` was in the documents that they credit: in that
/// name they are numbered (core/pipeline/series.hpp). An invoice releases nothing that is held: of it there is none but
/// a credit itself. STORE_CORRUPT_ROW.
Task<Result<std::vector<CreditFrom>>> sellers_credited(store::Store& store, const std::string& role,
                                                       const CaseFile& file, const Message& message);

}  // namespace schakel::pipeline
