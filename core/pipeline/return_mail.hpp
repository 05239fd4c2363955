// The mailbox of the return address: bounces of invoices are fetched from it and recorded, and finance is told.
//
// A look takes mails in the order they came and records each report (report_bounce) before the mailbox is touched; a
// kill in between reads it again and finds it known. What is no report, is too large or is about no invoice stays for
// people, unread. Of a mail only codes and counts are logged.
#pragma once
#include <filesystem>
#include <memory>

#include "core/net/imap.hpp"
#include "core/pipeline/settlement.hpp"
#include "core/runtime/metrics.hpp"

namespace schakel::pipeline {

struct ReturnedMail {
  std::string id;  ///< of the source
  bool too_large = false;
  std::string content;
};

/// A mailbox, seen as mails that nobody dealt with yet.
class MailSource {
 public:
  virtual ~MailSource() = default;
  /// The next ones in order, at most `limit` of at most `max_bytes` each.
  virtual Task<Result<std::vector<ReturnedMail>>> look(std::size_t limit, std::size_t max_bytes) = 0;
  struct Done {
    std::string id;
    bool report = false;  ///< recorded; otherwise a person has to look
  };
  /// They are not looked at again.
  virtual Task<Result<void>> done(std::vector<Done> mails) = 0;
};

/// A maildir: out of new/ into cur/, reports marked as seen. RETURN_FOLDER (unavailable) when it cannot be read.
[[nodiscard]] std::unique_ptr<MailSource> maildir_source(runtime::BlockingPool& pool, std::filesystem::path folder);

/// A mailbox by IMAP. How far a look came is a row of the store, so that people may read along. Reports are marked as
/// read, or removed.
[[nodiscard]] std::unique_ptr<MailSource> imap_source(net::ImapMailbox& mailbox, store::Store& store, bool remove);

/// Thread: the broker's shard. Lifetime: everything given outlives this.
class ReturnMail {
 public:
  ReturnMail(journal::Journal& journal, MailSource& source, runtime::MetricsRegistry& metrics, milliseconds every)
      : journal_(journal), source_(source), metrics_(metrics), every_(every) {}
  struct Step {
    int recorded = 0;  ///< reports that are new
    int known = 0;     ///< reports that were recorded before, and delays
    int people = 0;    ///< left for people
  };
  /// One look; an error when the mailbox or the store cannot be used now, after which the next look goes on.
  Task<Result<Step>> step();
  Task<> run(runtime::Scope& scope);

 private:
  journal::Journal& journal_;
  MailSource& source_;
  runtime::MetricsRegistry& metrics_;
  milliseconds every_;
};

}  // namespace schakel::pipeline
