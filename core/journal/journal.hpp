// The journal: accepted means on disk. Messages go in here once and are read back from here by everything later.
#pragma once
#include <map>
#include <optional>

#include "core/base/hash.hpp"
#include "core/base/secret.hpp"
#include "core/journal/sealer.hpp"
#include "core/model/case_file.hpp"
#include "core/model/message.hpp"
#include "core/runtime/wake.hpp"
#include "core/store/store.hpp"

namespace schakel::journal {

struct Accepted {
  store::MessageSeq seq = 0;
  std::string case_id;
  bool duplicate = false;
  std::string outcome;  ///< of the first one, when it was decided already
};

/// A decision as it was recorded.
struct Recorded {
  Message message;
  Draft draft;
  Instant decided_at{};
  std::string rules_version;
  int semantics = 0;  ///< kSemanticsVersion that decided it; 0 where an older version of Schakel did not say
  std::optional<std::map<std::string, Json>>
      registers;       ///< cross-case registers it read, null where absent; nullopt: not kept
  std::string unread;  ///< text of the explanation where that was left unread (record.hpp); then draft has none
};

/// A decision that may no longer be readable: its row always, its content unless `gone` says why not (VAULT_ERASED
/// ...).
struct Recalled {
  store::MessageSeq seq = 0;
  Instant decided_at{};
  std::string rules_version, outcome;
  std::optional<Recorded> content;
  std::string gone;
};

/// Thread: any coroutine. Lifetime: outlives ingress, pipeline and api; needs store and sealer to outlive it.
class Journal {
 public:
  Journal(store::Store& store, Sealer& sealer, const Clock& clock, Secret hash_key);

  /// One transaction: message, idempotency key, audit leaf, and `with` (correlation rows, documents taken into use).
  /// The value comes after it is durable. A repeat of (source, id) with the same content is a value with `duplicate`;
  /// with other content MESSAGE_CONFLICT. `message.time` and `seq` are set here.
  Task<Result<Accepted>> accept(Message message, store::Transaction with = {});

  /// Rings whenever a message was accepted.
  runtime::Bell& arrivals() { return arrivals_; }

  Task<Result<Message>> read(store::MessageRow row);
  /// The case as it stands after every decision up to and including message `until` (0 = now). An unknown case is an
  /// empty file with that id.
  Task<Result<CaseFile>> load(std::string case_id, store::MessageSeq until = 0);
  /// All decisions of a case in order.
  Task<Result<std::vector<Recorded>>> history(std::string case_id);
  Task<Result<std::optional<Recorded>>> decision(store::MessageSeq seq);
  /// history(), but one that cannot be read does not take the others along.
  Task<Result<std::vector<Recalled>>> recall(std::string case_id);
  /// Decisions of a case after message `after`, at most `limit`, still sealed, with what opens them where blocking is
  /// allowed (record.hpp): for who goes through thousands of cases.
  struct Stretch {
    std::vector<store::DecisionRow> rows;
    Opener opener;
  };
  Task<Result<Stretch>> stretch(std::string case_id, store::MessageSeq after, int limit);
  /// Adds the sealed decision record to a transaction. `registers` are the cross-case facts it was decided on.
  Task<Result<void>> record(const Message& message, const Draft& draft, std::string rules_version,
                            store::Transaction& with, const std::map<std::string, Json>& registers = {});

  /// Case for a partner's own number; empty when unknown.
  Task<Result<std::string>> case_of(std::string party, std::string foreign_id);
  [[nodiscard]] store::PutRow correlate(std::string_view party, std::string_view foreign_id,
                                        std::string_view case_id) const;

  store::Store& store() { return store_; }
  Sealer& sealer() { return sealer_; }
  const Clock& clock() const { return clock_; }

 private:
  [[nodiscard]] std::string correlation_key(std::string_view party, std::string_view foreign_id) const;
  Task<Result<Recorded>> recorded(store::DecisionRow row);
  store::Store& store_;
  Sealer& sealer_;
  const Clock& clock_;
  Secret hash_key_;
  runtime::Bell arrivals_;
};

/// Lane of a message: its case, or its party when it has none.
[[nodiscard]] std::string lane_of(const Message& message);
/// A case id: Z- and 16 characters without look-alikes, from the CSPRNG.
[[nodiscard]] std::string new_case_id();

}  // namespace schakel::journal
