// What an adapter may reach. It gets nothing that its schema.json did not declare.
//
// Thread: all of it is used from the io_context the adapter's coroutines run on. Lifetime: the Host outlives the
// adapter.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/base/log.hpp"
#include "core/base/secret.hpp"
#include "core/base/task.hpp"

namespace schakel {

struct HttpRequest {
  std::string method = "GET";
  std::string url;  ///< host must be among the declared hosts; never a BSN, name or token in it
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  milliseconds deadline{30000};
  std::size_t max_response_bytes = 4 * 1024 * 1024;
};
struct HttpReply {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  /// First value of a header, case-insensitive; empty when absent.
  [[nodiscard]] std::string header(std::string_view name) const;
};
/// Redirects are never followed. Error codes: HTTP_REFUSED, HTTP_TLS, HTTP_TIMEOUT_BEFORE_SEND (safe to retry),
/// HTTP_OUTCOME_UNKNOWN (sent, no answer), HTTP_TOO_LARGE, HTTP_MALFORMED, HTTP_HOST_NOT_DECLARED.
class HttpAccess {
 public:
  virtual ~HttpAccess() = default;
  virtual Task<Result<HttpReply>> request(HttpRequest request) = 0;
};

struct MailAttachment {
  std::string name, media_type;
  Bytes content;
};
struct Mail {
  std::string to;
  std::string subject;     ///< no personal data
  std::string text;        ///< no personal data
  std::string message_id;  ///< fixed per content, so that a repeat is recognisable
  std::vector<MailAttachment> attachments;
};
/// Value: the server's final reply. Error codes: MAIL_REFUSED (5xx, kind invalid), MAIL_LATER (4xx or not reachable,
/// kind unavailable), MAIL_OUTCOME_UNKNOWN (kind timeout: connection broke after the content was sent), MAIL_HEADER
/// (kind invalid).
class MailAccess {
 public:
  virtual ~MailAccess() = default;
  virtual Task<Result<std::string>> send(Mail mail) = 0;
};

/// The adapter's own namespace in the store: what a resumable send needs to remember. Sealed at rest.
class Progress {
 public:
  virtual ~Progress() = default;
  virtual Task<Result<std::optional<Json>>> get(std::string key) = 0;
  /// What stands at each of `keys`, in their order: one visit of the store where get() is one each. At most a few
  /// thousand at a time. The default asks one by one.
  virtual Task<Result<std::vector<std::optional<Json>>>> get_all(std::vector<std::string> keys);
  virtual Task<Result<void>> put(std::string key, Json value) = 0;
  /// All of it or nothing, in one commit; nullopt erases, and then the bytes are overwritten on disk, not only
  /// unlinked.
  virtual Task<Result<void>> write(std::vector<std::pair<std::string, std::optional<Json>>> changes) = 0;
  /// Keys that start with `prefix` and are greater than `after`, in order, at most `limit`.
  virtual Task<Result<std::vector<std::string>>> keys(std::string prefix, std::string after, int limit) = 0;
};

struct DocumentInfo {
  std::string id, doc_type, media_type, file_name, sha256;
  int version = 1;
  std::int64_t size = 0;
};
class Documents {
 public:
  virtual ~Documents() = default;
  virtual Task<Result<DocumentInfo>> info(std::string id) = 0;
  /// Decrypted content from `offset`, at most `length` bytes, for documents of the delivery being sent only.
  virtual Task<Result<Bytes>> read(std::string id, std::int64_t offset, std::size_t length) = 0;
};

/// The one place where links come to be (trust.md LNK-15). Used by the secure_link adapter only.
struct LinkOrder {
  std::string delivery;  ///< delivery id: one link each
  std::string message_id, case_id, role, person;
  std::vector<std::string> documents;
  Instant expires{};
  std::string mail;           ///< where the link goes
  std::string second_factor;  ///< "totp:<secret name>" or "sms:<number>"
  bool workplace = false;     ///< a workplace of school staff instead of a delivery
  int generation = 0;         ///< of the delivery: how often a person had it sent again
};
struct IssuedLink {
  std::string id;
  std::string url;  ///< with the secret in the fragment; goes into the mail and nowhere else
};
class Links {
 public:
  virtual ~Links() = default;
  /// Repeats for the same delivery return the same id and a new secret; the old one ends. A later generation gets a
  /// link of its own, with a life and a count of its own, and the link before it ends: no delivery has two.
  virtual Task<Result<IssuedLink>> issue(LinkOrder order) = 0;
};

class Metrics {
 public:
  virtual ~Metrics() = default;
  /// `labels` hold codes and instance names only.
  virtual void count(std::string_view name, std::map<std::string, std::string> labels, double by = 1) = 0;
};

class Host {
 public:
  virtual ~Host() = default;
  virtual HttpAccess& http() = 0;
  virtual MailAccess& mail() = 0;
  virtual Progress& progress() = 0;
  virtual Documents& documents() = 0;
  virtual Links& links() = 0;
  virtual Metrics& metrics() = 0;
  virtual const Clock& clock() = 0;
  /// Waits between two polls; ends by exception when the adapter is cancelled. A bench turns its clock instead of
  /// waiting.
  virtual Task<void> pause(milliseconds time);
  /// Runs pure work of more than a few milliseconds on another thread, so that nobody else of this io_context waits for
  /// it, and resumes here. `work` may refer to the caller's frame and must reach nothing of the Host. An exception of
  /// `work` is rethrown; POOL_FULL (unavailable): it never ran. The default runs it here.
  virtual Task<Result<void>> aside(std::function<void()> work);
  /// A secret that the schema marks writeOnly and the configuration names. SECRET_UNKNOWN otherwise.
  virtual Result<Secret> secret(std::string_view name) = 0;
  /// The pupil's BSN, released at the border when the receiving party's profile allows it; audited. Codes:
  /// BSN_NOT_ALLOWED (forbidden), BSN_UNKNOWN (not_found).
  virtual Task<Result<Secret>> bsn(std::string case_id, std::string reason) = 0;
};

}  // namespace schakel
