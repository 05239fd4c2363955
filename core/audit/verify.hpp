// Is the log what was signed, and if not, where does it break (AUD-4)? Works on the store or, offline, on an export.
#pragma once
#include <istream>
#include <optional>
#include <string>
#include <vector>

#include "core/audit/checkpoint.hpp"
#include "core/audit/merkle.hpp"
#include "core/base/json.hpp"
#include "core/store/store.hpp"

namespace schakel::audit {

/// One place where the log is not what it should be; positions from..to, both included.
/// AUDIT_LEAF_ALTERED     the entry is not the one that was hashed into the tree
/// AUDIT_LEAF_FORM        time or kind beside the entry differ from those inside it, or it is not an entry
/// AUDIT_GAP              entries are missing here
/// AUDIT_ORDER            entries stand in another order, or one stands twice
/// AUDIT_ROOT             a signed head says otherwise about these: changed, swapped, inserted, deleted or written anew
/// AUDIT_TRUNCATED        a signed head covers these entries and they are not there: cut off, or an old copy put back
/// AUDIT_FORKED_HEADS     two heads of one size were signed: two histories were told
/// AUDIT_HEAD_SIGNATURE   a head is not signed by the key of this log
/// AUDIT_ROW_DAMAGED      the store itself finds the stored bytes damaged
/// AUDIT_EXPORT_FORMAT    a line of the export is not one; from is the line
struct Break {
  std::string code;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
};

struct Report {
  std::uint64_t leaves = 0;
  std::uint64_t anchored =
      0;  ///< entries under a head from outside, proven unchanged; without such heads nothing is proven
  std::uint64_t heads_checked = 0;
  std::vector<Break> breaks;  ///< the first ones, at most 100
  [[nodiscard]] bool ok() const { return breaks.empty(); }
};

/// Takes heads first, then entries in order, then finish(). Pure.
class LogCheck {
 public:
  /// `outside`: notes that were kept by others; `key`: of the log.
  LogCheck(const Verifier& key, const std::vector<std::string>& outside);
  /// A head that came with the log itself: checked, but it anchors nothing.
  void add_own_head(std::string_view note);
  void add_leaf(const store::LeafRow& leaf, const std::optional<Digest>& recorded_hash);
  void add_break(std::string code, std::uint64_t from, std::uint64_t to);
  [[nodiscard]] Report finish();

 private:
  struct Head {
    Checkpoint head;
    bool outside = false;
  };
  void add_head(std::string_view note, bool outside);
  void compare_heads();

  const Verifier& key_;
  std::vector<Head> heads_;
  bool sorted_ = false;
  std::size_t next_head_ = 0;
  std::uint64_t good_ = 0;  // size of the last head whose root fitted
  bool root_broken_ = false;
  std::int64_t expected_ = 0;
  Tree tree_;
  Report report_;
};

/// The log as lines of JSON: {"schakel-audit-export":1}, {"head":"<note>"}...,
/// {"p":0,"h":"<hash>","at":..,"kind":..,"body":".."}... One page: the lines from this entry on, with the first line
/// and the heads before entry 0, and where the next page starts unless this was the last. STORE_* errors.
struct ExportPage {
  std::string lines;
  std::optional<std::uint64_t> next;
};
[[nodiscard]] Task<Result<ExportPage>> export_page(store::Store& store, std::uint64_t from);

/// Offline: an export, heads from outside and the public key are enough.
[[nodiscard]] Report verify_export(std::istream& in, const std::vector<std::string>& outside, const Verifier& key);
/// The store while it runs.
[[nodiscard]] Task<Result<Report>> verify_store(store::Store& store, const std::vector<std::string>& outside,
                                                const Verifier& key);

/// What an outsider needs to see that one entry is in the log.
struct Proof {
  std::string head;  ///< the note
  std::uint64_t position = 0;
  std::string body;  ///< of the entry, the bytes that were hashed
  std::vector<Digest> path;
};
/// NOT_FOUND when there is no such entry, or it is not under a signed head yet.
[[nodiscard]] Task<Result<Proof>> prove(store::Store& store, std::uint64_t position);
/// Offline, for outside bytes: {"plaats", "blad", "pad":["<hash>"...], "hoofd":"<note>"}. AUDIT_PROOF_FORMAT.
[[nodiscard]] Json proof_json(const Proof& proof);
[[nodiscard]] Result<Proof> read_proof(std::string_view text);
/// The head that the entry is proven to be under. AUDIT_HEAD_FORMAT and AUDIT_HEAD_SIGNATURE of the head, AUDIT_PROOF
/// (invalid) when the path does not lead from this entry to its root. Pure.
[[nodiscard]] Result<Checkpoint> check_proof(const Proof& proof, const Verifier& key);

}  // namespace schakel::audit
