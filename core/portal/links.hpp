// Secure links: the one place where they come to be, are proven, end, and are listed (trust.md LNK-1..9, LNK-14,
// LNK-15).
//
// A link is https://host/l/<id>#<secret>. The id means nothing; of the secret only a SHA-256 is stored. Who opens it
// proves two things: the secret (came by mail) and a code over another channel (an authenticator app, or an SMS).
// Reading a page changes nothing, so a mail scanner cannot use a link up.
#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/portal/sms.hpp"
#include "core/store/store.hpp"
#include "core/vault/vault.hpp"
#include "schakel/host.hpp"

namespace schakel::portal {

struct LinkSettings {
  std::string public_url = "https://localhost";  ///< origin of the portal, without a slash at the end
  std::chrono::hours longest{60 * 24};           ///< no link lives longer, whatever was ordered
  int tries = 5;                                 ///< for one code
  int rounds = 3;                                ///< codes (or rounds of tries with an app) per link and day
  std::chrono::minutes code_life{10};
  std::chrono::minutes idle{15};
  std::chrono::hours absolute{8};
  int downloads = 25;  ///< of one document by one link
};

/// What a proven link gives access to.
struct LinkView {
  std::string id, delivery, message_id, case_id, role, person;
  std::vector<std::string> documents;
  bool workplace = false;
  Instant expires{};
};

/// One row of the list that owners and operators see. No personal data.
struct LinkStatus {
  std::string id, delivery, message_id, case_id, role;
  bool workplace = false;
  Instant created{}, expires{};
  std::optional<Instant> opened, revoked, locked_until;
  std::string revoked_because;
  std::int64_t downloads = 0;
};

/// What happened to a link, after it is durable. `kind`: issued, proven, code_sent, code_wrong, locked, opened,
/// refused, download_begun, downloaded, broken_off, revoked, ended.
struct LinkEvent {
  std::string kind;
  LinkView link;
  std::string code, document;
  std::int64_t bytes = 0;
  Instant at{};
};

// What a visitor has proven. A route says which of these it wants, and there is no other way to get one.
struct Anonymous {};
struct Session {
  LinkView link;
  std::string token_hash;  ///< hex
  std::string csrf;        ///< what unsafe requests of this session carry
  bool sms = false;
  bool code_waiting = false;  ///< an SMS code is out and valid
  std::string number_end;     ///< last two digits of the number
  std::string mask;           ///< codes of the last refusal by the rules, comma separated; empty when granted
  bool granted = false;
};
struct LinkProven {
  Session session;
};
struct Full {
  Session session;
};
using Visitor = std::variant<Anonymous, LinkProven, Full>;

/// Errors towards visitors say little on purpose: LINK_DEAD (not_found) for unknown, expired, revoked and wrong alike.
/// Others: CODE_WRONG, CODE_NONE (no code is out: ask one), CODE_LIMIT (no more today), SMS_FAILED, LINK_BUSY, and the
/// store's.
///
/// Thread: any. Lifetime: outlived by what its constructor names. All state is in the store, so nodes may share it.
class LinkService final : public Links {
 public:
  LinkService(store::Store& store, vault::Vault& vault, const Clock& clock, SmsSender* sms, LinkSettings settings);
  /// Reads the highest time that was ever acted on; a clock that was turned back does not revive a link (DUR-10).
  [[nodiscard]] Task<Result<void>> start();
  void on_event(std::function<void(const LinkEvent&)> call) { event_ = std::move(call); }
  /// Called when a link of a recipient is about to be locked: what it adds is durable together with the lock (LNK-5).
  using OnLock = std::function<Task<Result<void>>(LinkView, store::Transaction&)>;
  void on_lock(OnLock call) { on_lock_ = std::move(call); }

  /// LINK_NO_FACTOR (invalid: no second channel known, or an authenticator app that was not enrolled), LINK_REVOKED
  /// (forbidden: access to this delivery was ended; it stays so), LINK_PAST (invalid: expires before now).
  Task<Result<IssuedLink>> issue(LinkOrder order) override;

  /// Whether there is such a link, alive or not: asked before anything is written about it.
  [[nodiscard]] Task<Result<bool>> known(std::string link);
  /// What is known of a link; nullopt when there is none.
  [[nodiscard]] Task<Result<std::optional<LinkStatus>>> status(std::string link);
  [[nodiscard]] Task<Result<std::optional<LinkStatus>>> of_delivery(std::string delivery);
  [[nodiscard]] Task<Result<std::vector<LinkStatus>>> of_case(std::string case_id);

  /// Who ended access by hand, and why: the text stands in the audit as a hash, for it may name somebody.
  struct ByHand {
    std::int64_t uid = 0;
    std::string why;
  };
  /// Ends access now, also for a download under way. False when there is no such link. `reason` is a code.
  [[nodiscard]] Task<Result<bool>> revoke(std::string link, std::string reason,
                                          std::optional<ByHand> by = std::nullopt);
  /// The same for a caller's own transaction (a decision that withdraws consent): ops for the links of `message_id` to
  /// `role` (empty: every role). They never conflict with a visitor.
  [[nodiscard]] Task<Result<std::vector<store::Op>>> revoke_ops(std::string case_id, std::string message_id,
                                                                std::string role, std::string reason);
  /// The meeting moved: ops for a caller's own transaction, for every link of these messages: by so many days, not
  /// beyond the longest life. A revoked or locked link stays so. They conflict with a visitor who acts at the same
  /// moment: the transaction is then done again.
  [[nodiscard]] Task<Result<std::vector<store::Op>>> move_ops(std::string case_id, std::vector<std::string> messages,
                                                              int days);
  /// Removes links and sessions whose end is `age` ago; how many.
  [[nodiscard]] Task<Result<int>> sweep(std::chrono::hours age, int limit);

  // ---- for the portal's routes ------------------------------------------------------------------------------------
  /// Proves the secret. Value: the cookie of a session that is link-proven.
  [[nodiscard]] Task<Result<Secret>> prove(std::string link, Secret secret);
  /// Who this is, for a request about `link` with that cookie; renews the idle time.
  [[nodiscard]] Task<Result<Visitor>> visitor(std::string link, Secret cookie);
  /// Begins a round: sends a code by SMS, or allows the next tries with the app.
  [[nodiscard]] Task<Result<void>> begin_round(Session session);
  /// Tries a code. The count goes down, durably, before anything is compared, so parallel guesses win nothing. Value:
  /// the cookie of a new, full session; the old one ended, and so did any full session that the link had.
  [[nodiscard]] Task<Result<Secret>> try_code(Session session, Secret code);
  /// Records what the rules said about access.
  [[nodiscard]] Task<Result<void>> record_outcome(Session session, bool granted, std::vector<std::string> codes);
  /// Whether another download of it is left, before anything is done for one: DOWNLOAD_LIMIT (forbidden).
  [[nodiscard]] Task<Result<void>> may_download(Session session, std::string document);
  /// Counts a download before its first byte, with the leaf that says so: DOWNLOAD_LIMIT (forbidden).
  [[nodiscard]] Task<Result<void>> count_download(Session session, std::string document);
  /// Whether a full session may go on; asked for each piece of a running download.
  [[nodiscard]] Task<Result<void>> still_valid(std::string link, std::string token_hash);
  [[nodiscard]] Task<Result<void>> log_out(Session session);
  /// A download ended: bytes that left, and whether it was whole.
  [[nodiscard]] Task<Result<void>> record_download(LinkView link, std::string document, std::int64_t bytes,
                                                   bool complete);

  [[nodiscard]] const LinkSettings& settings() const { return settings_; }
  [[nodiscard]] Instant now();

 private:
  struct Record;
  [[nodiscard]] Task<Result<std::optional<Record>>> read(std::string link);
  [[nodiscard]] Task<Result<bool>> is_revoked(std::string link);
  [[nodiscard]] Task<Result<LinkView>> view(const Record& record);
  [[nodiscard]] Task<Result<Json>> sealed_part(const Record& record);
  [[nodiscard]] LinkStatus status_of(const Record& record) const;
  [[nodiscard]] store::PutRow put(const Record& record) const;
  [[nodiscard]] std::string code_mac(const Record& record, std::string_view code) const;
  [[nodiscard]] store::PutRow session_row(const Record& record, std::string_view token_hash, bool full,
                                          Instant at) const;
  [[nodiscard]] store::AppendLeaf leaf(std::string_view kind, const LinkView& link, std::vector<std::string> codes = {},
                                       std::string document = {}, std::int64_t bytes = -1);
  [[nodiscard]] store::PutRow clock_row();
  [[nodiscard]] store::PutRow revoked_row(std::string link, std::string_view reason);
  void tell(std::string kind, const LinkView& link, std::string code = {}, std::string document = {},
            std::int64_t bytes = 0);

  store::Store& store_;
  vault::Vault& vault_;
  const Clock& clock_;
  SmsSender* sms_;
  LinkSettings settings_;
  std::function<void(const LinkEvent&)> event_;
  OnLock on_lock_;
  std::atomic<std::int64_t> highest_{0};
};

/// base64url of 32 bytes, or what stands behind the '#' of a whole link that somebody pasted; empty when it is neither.
/// Pure.
[[nodiscard]] std::string secret_of(std::string_view pasted);

}  // namespace schakel::portal
