// The pipeline: every accepted message gets one decision, in order per lane, and what follows from it in one
// transaction.
#pragma once
#include <list>
#include <map>
#include <set>
#include <span>

#include "core/journal/journal.hpp"
#include "core/model/party.hpp"
#include "core/outbox/plan.hpp"
#include "core/pipeline/rule_store.hpp"
#include "core/runtime/scope.hpp"
#include "schakel/decider.hpp"

namespace schakel::pipeline {

/// What the pipeline needs to know of people and blobs; the vault and the tests implement it.
class Directory {
 public:
  virtual ~Directory() = default;
  virtual Task<Result<std::vector<outbox::Contact>>> contacts(std::string case_id) = 0;
  /// Ops that a decision brings along beside the outbox: deelnemers of a new case, revoked links, keys.
  virtual Task<Result<void>> extend(const Message& message, const Draft& draft, store::Transaction& with) = 0;
};

struct PipelineOptions {
  int lanes_at_once = 64;
  std::size_t cached_cases = 4096;
  milliseconds idle{std::chrono::seconds(5)};
};

/// Thread: one io_context. Lifetime: needs everything it was given to outlive it.
class Pipeline {
 public:
  Pipeline(journal::Journal& journal, std::vector<const Decider*> deciders, Profiles profiles,
           std::shared_ptr<const Parties> parties, Directory& directory, PipelineOptions options = {});

  /// Decides what is waiting, lane by lane; how many. For tests and the scenario runner.
  Task<Result<int>> step();
  /// Runs until the scope stops.
  Task<> run(runtime::Scope& scope);

  /// What would be decided now; nothing is stored. The message need not be in the journal.
  Task<Result<Draft>> rehearse(Message message);
  /// The decision on an accepted message, waited for at most `limit`: TIMEOUT after it.
  Task<Result<journal::Recorded>> await_decision(store::MessageSeq seq, milliseconds limit);

  /// Rings when a decision put something in the outbox.
  void on_enqueued(std::function<void()> call) { enqueued_ = std::move(call); }
  /// Called after each decision was stored: region, outcome, time since the message was accepted. For metrics.
  void on_decided(std::function<void(const std::string& region, Outcome outcome, milliseconds waited)> call) {
    decided_ = std::move(call);
  }
  [[nodiscard]] const Profiles& profiles() const { return profiles_; }
  [[nodiscard]] const std::vector<const Decider*>& deciders() const { return deciders_; }
  RuleStore& rules() { return rules_; }

 private:
  struct Cached {
    CaseFile file;
    std::string rules;  ///< version that made the last decision of the case
    std::list<std::string>::iterator place;
  };
  Task<> lane(std::vector<store::MessageRow> rows);
  Task<Result<void>> decide_one(store::MessageRow row);
  /// Records that a decider threw on this message. Its sender is told; nothing else follows from it.
  Task<Result<void>> quarantine(store::MessageRow row);
  /// What goes to the sender of a message that was set aside; nothing where finding that out throws as well.
  Task<Result<std::vector<outbox::Planned>>> blokkade(const Message& message, const Draft& draft);
  /// Puts it in the outbox, with this decision.
  Task<Result<void>> enqueue(const std::vector<outbox::Planned>& planned, const Message& message, std::string lane,
                             Instant now, store::Transaction& tx);
  /// Tells whoever waits that a decision is stored.
  void tell(const Message& message, Outcome outcome, bool enqueued, Instant now);
  /// A case as its decisions left it, and the version of the rules that made the last one.
  struct Standing {
    CaseFile file;
    std::string rules;
  };
  /// From the cache, else from the journal. Only a decision puts a case in the cache: what somebody else read may be
  /// older than a decision that was stored meanwhile.
  Task<Result<Standing>> case_file(std::string case_id);
  /// Versions by key of registers read, 0 for absent: another case must not change them before the decision is stored.
  struct Read {
    std::string key;  ///< where it is written: a series is one per creditor where a region has several
    std::int64_t version = 0;
  };
  using Versions = std::map<std::string, Read>;
  Task<Result<Facts>> facts(const CaseFile& file, const Message& message, const Profile& profile,
                            Versions* versions = nullptr);
  /// The rules for the next message of this case: those of its last decision while it is in flight, else the configured
  /// ones. nullptr when the region is not configured.
  Task<Result<std::shared_ptr<const Profile>>> rules_for(const CaseFile& file, const std::string& version,
                                                         const Message& message);
  Draft judge(const CaseFile& file, const Message& message, const Profile* profile, const Facts& facts);
  void remember(CaseFile file, std::string rules);
  journal::Journal& journal_;
  std::vector<const Decider*> deciders_;
  Profiles profiles_;
  std::shared_ptr<const Parties> parties_;
  Directory& directory_;
  PipelineOptions options_;
  RuleStore rules_;
  std::map<std::string, Cached> cache_;
  std::list<std::string> recent_;
  std::set<std::string> busy_;
  std::map<store::MessageSeq, std::vector<std::shared_ptr<runtime::Bell>>> waiting_;
  std::function<void()> enqueued_;
  std::function<void(const std::string&, Outcome, milliseconds)> decided_;
};

}  // namespace schakel::pipeline
