// Number series over a restored backup (plugins/invoicing/documents.hpp, Numbering).
//
// A store that comes from a copy does not know which numbers were given out after the copy. So every copy carries a
// mark, and a store that starts with one counts on in a new epoch, which is part of the number: GA2026R1-000001 after
// GA2026-000123.
#pragma once
#include "core/model/case_file.hpp"
#include "core/model/party.hpp"
#include "core/store/store.hpp"

namespace schakel::pipeline {

/// Puts the mark there, or takes it away again in the store that was copied. A kill in between starts an epoch,
/// and invoices wait for a person: nothing is lost.
Task<Result<void>> mark_copy(store::Store& store, bool marked);
/// Starts a new epoch, with its audit leaf (invoice.new_epoch) in the same transaction, and keeps invoices here until a
/// person has looked (core/outbox/restored.hpp); for copies that were made outside `schakel backup`. The epoch.
Task<Result<std::int64_t>> new_epoch(store::Store& store, Instant now);
/// At start-up: a new epoch when this store is a copy. True when one was started.
Task<Result<bool>> continue_series(store::Store& store, Instant now);

/// A register as a decision reads it, and the key under which it is stored.
struct RegisterRow {
  std::string key;
  std::int64_t version = 0;  ///< 0: not there
  std::optional<Json> value{};
};
/// A series (`series/<region>/<role>`) is one per creditor: where the region has several parties of the role it is
/// stored per party, and goes on from the region's own, so that no number is used a second time. Once a party has its
/// own, that one stays. When the case does not say which party it is, the value is {"ambiguous": true}: no number may
/// be taken. `provider/...` is no register that is stored but a question about parties (core/pipeline/provider.hpp).
Task<Result<RegisterRow>> read_register(store::Store& store, std::string key, const CaseFile& file,
                                        const Message& message, const Parties& parties);

}  // namespace schakel::pipeline
