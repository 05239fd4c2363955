// Gives leaves their place in the tree and signs its heads.
#pragma once
#include <functional>
#include <optional>
#include <string>

#include "core/audit/checkpoint.hpp"
#include "core/audit/merkle.hpp"
#include "core/store/store.hpp"

namespace schakel::audit {

struct SequencerOptions {
  std::string heads_path;  ///< file outside the database that heads are appended to; empty: none (tests, rehearsal)
  int batch = 1000;        ///< leaves per tick
  std::uint64_t every_leaves = 1000;
  milliseconds every{60'000};  ///< the window in which a rewrite of the log could go unseen (AUD-2)
  std::function<void(const std::string& note)>
      on_head;  ///< called after a head is durable; for outsiders and answers (AUD-3)
};

/// One per log. Thread: one coroutine at a time. Lifetime: store and clock outlive it.
///
/// Once it met something that must not be signed over it is halted: every later call returns that error, and nothing is
/// signed until a person looked (the lesson of Yeti 2022: one flipped bit in a signed tree ends a log). Codes:
/// AUDIT_FORK (the store is older than the heads outside, or tells another history: a restored backup, AUD-6),
/// AUDIT_TREE (the stored tree is not the one that was signed), AUDIT_GAP (leaf positions are not continuous),
/// AUDIT_REHASH (a leaf read back is not the leaf that was read first), AUDIT_CONFLICT (another sequencer signs the
/// same log), AUDIT_HEAD_SIGNATURE, AUDIT_HEADS_FILE. Errors of the store are passed on and do not halt.
class Sequencer {
 public:
  Sequencer(store::Store& store, const Clock& clock, Signer signer, SequencerOptions options);

  struct Tick {
    int sequenced = 0;
    bool more = false;                ///< the batch was full: tick again soon
    std::optional<std::string> head;  ///< the note, when one was signed
  };

  /// Before the first tick: loads the last head and holds it against the file outside.
  [[nodiscard]] Task<Result<void>> start();
  /// Sequences one batch, and signs when enough leaves or time have gone by since the last head.
  [[nodiscard]] Task<Result<Tick>> tick();
  /// Sequences and signs everything there is now: before a stop, an export, a backup.
  [[nodiscard]] Task<Result<Tick>> flush();

  /// The last signed head; empty before the first. Valid until the next call of tick() or flush().
  [[nodiscard]] const std::string& latest() const { return latest_; }
  [[nodiscard]] const Verifier& verifier() const { return signer_.verifier(); }

 private:
  [[nodiscard]] Task<Result<Tick>> step(bool sign_now);
  [[nodiscard]] Task<Result<void>> read_new_leaves(Tick& tick);
  [[nodiscard]] Task<Result<std::string>> sign();
  [[nodiscard]] Result<void> append_heads();
  [[nodiscard]] std::unexpected<Error> halt(std::string code, std::string message);

  store::Store& store_;
  const Clock& clock_;
  Signer signer_;
  SequencerOptions options_;

  bool started_ = false;
  std::optional<Error> halted_;
  Tree tree_;         // everything sequenced
  Tree signed_tree_;  // what the last head covers
  Instant signed_at_{};
  std::int64_t latest_version_ = 0;
  std::string latest_;
  std::vector<Digest> pending_;         // hashes of leaves after the last head
  std::vector<Digest> open_tile_;       // hashes of the last tile, when it is not full
  std::vector<std::string> unwritten_;  // heads that the file outside does not have yet
};

}  // namespace schakel::audit
