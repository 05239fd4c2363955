// Reading a mailbox by IMAP over TLS: what came in since the last look, and a mark on what was dealt with.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/secret.hpp"
#include "core/runtime/blocking_pool.hpp"

namespace schakel::net {

/// TLS from the first byte only: a mailbox is never read in the clear.
struct ImapServer {
  std::string host;
  std::uint16_t port = 993;
  std::string user;
  Secret password{};
  std::string ca_file{};  ///< PEM; empty: the system's roots
  std::string mailbox = "INBOX";
  milliseconds deadline{60000};  ///< for one look or one mark
  milliseconds connect_time{10000};
};

struct ImapMail {
  std::uint32_t uid = 0;
  bool too_large = false;  ///< then content is empty
  std::string content;
};

struct ImapLook {
  std::uint32_t validity = 0;   ///< UIDVALIDITY: when it changed, uids begin anew
  std::vector<ImapMail> mails;  ///< by uid, ascending
  bool more = false;            ///< there are more than the limit
};

/// How far an earlier look came.
struct ImapMark {
  std::uint32_t validity = 0, uid = 0;
};

/// Thread: any executor; the work runs on the pool, with libcurl for connection and login. Lifetime: the pool outlives
/// this, this outlives its calls. Errors: IMAP_CONFIG (invalid); IMAP_CONNECT, IMAP_TLS, IMAP_LOGIN, IMAP_BROKEN,
/// IMAP_REFUSED (unavailable), IMAP_TIMEOUT (timeout), IMAP_PROTOCOL (io), IMAP_TOO_LARGE, POOL_FULL. No text of the
/// server is in them: it may quote a mail.
class ImapMailbox {
 public:
  ImapMailbox(runtime::BlockingPool& pool, ImapServer server);
  ~ImapMailbox();
  /// At most `limit` mails behind `after`, each at most `max_bytes`; changes nothing in the mailbox (BODY.PEEK). When
  /// the validity is another, from the first one on.
  [[nodiscard]] Task<Result<ImapLook>> look(ImapMark after, std::size_t limit, std::size_t max_bytes);
  /// Marks mails as read, or removes them. IMAP_VALIDITY (conflict) when the uids are no longer those of `validity`.
  enum class Mark { read, removed };
  [[nodiscard]] Task<Result<void>> mark(std::uint32_t validity, std::vector<std::uint32_t> uids, Mark how);

 private:
  runtime::BlockingPool& pool_;
  std::unique_ptr<const ImapServer> server_;
};

}  // namespace schakel::net
