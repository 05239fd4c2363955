// Between which parties an invoice went out: a credit on it is between the same, also where the pupil's case is another
// gemeente's or another swv's by now (CORE-MONEY-04: the same debtor and address).
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/case_file.hpp"
#include "core/model/decision.hpp"
#include "core/model/message.hpp"
#include "core/outbox/plan.hpp"
#include "core/store/store.hpp"

namespace schakel::pipeline {

/// For each credit of `draft` whose invoice has gone out here, by delivery id: its parties. Not there: of that invoice
/// nothing is recorded, or it waits for a person to say whose it is. STORE_CORRUPT_ROW.
Task<Result<std::map<std::string, outbox::Between>>> credited_between(store::Store& store, const Message& message,
                                                                      const Draft& draft);

/// A credit that a decision may send.
struct CreditFrom {
  std::string by;      ///< party that sent it, empty where its sender is none
  std::string seller;  ///< party in whose name the documents were made that it credits; empty where none is recorded
};
/// The credits that a decision on `message` may send, and who `role` was in the documents that they credit: in that
/// name they are numbered (core/pipeline/series.hpp). STORE_CORRUPT_ROW.
Task<Result<std::vector<CreditFrom>>> sellers_credited(store::Store& store, const std::string& role,
                                                       const CaseFile& file, const Message& message);

}  // namespace schakel::pipeline
