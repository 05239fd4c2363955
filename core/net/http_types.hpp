// What an HTTP message is to the rest of the tree. No Beast here.
#pragma once
#include <any>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"

namespace schakel::net {

using Header = std::pair<std::string, std::string>;

/// Header fields in the order they came; names compare case-insensitively.
class Headers : public std::vector<Header> {
 public:
  using std::vector<Header>::vector;
  /// First value; empty when absent.
  [[nodiscard]] std::string_view get(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const { return count(name) > 0; }
  [[nodiscard]] std::size_t count(std::string_view name) const;
  /// Replaces every field of that name by one.
  void set(std::string_view name, std::string value);
  void add(std::string_view name, std::string value) { emplace_back(std::string(name), std::move(value)); }
  void remove(std::string_view name);
};

/// Whom TLS or the socket proved. Never taken from a header or from the text of a common name (trust.md IAM-1).
struct PeerIdentity {
  enum class Kind {
    anonymous,   ///< no client certificate
    local,       ///< came over our UNIX socket; `uid` is who
    certificate  ///< a certificate that was verified against the listener's roots
  };
  Kind kind = Kind::anonymous;
  std::string oin;             ///< subject serialNumber (OID 2.5.4.5) when it has the form of an OIN; else empty
  std::string subject_serial;  ///< the same attribute as it stands; empty when absent or more than one
  std::string issuer;          ///< RFC 2253
  std::string spki_sha256;     ///< hex, of the public key
  std::vector<std::string> san_dns, san_uri;
  std::vector<std::string> chain_spki_sha256;  ///< of the verified chain, leaf first
  Instant not_after{};                         ///< for the 60/30/7 days warning
  std::optional<unsigned> uid;
  /// Stable and free of personal data, for limits: "spki:<hex>", "uid:<n>" or "" when anonymous.
  [[nodiscard]] std::string key() const;
};

/// What is known before a byte of the body is read.
struct RequestHead {
  std::string method;
  std::string path;  ///< as sent; passed the gate: starts with '/', no dot segments, no encoded slash, backslash or NUL
  std::string query;  ///< as sent, without '?'
  Headers headers{};
  PeerIdentity peer;
  std::string address;   ///< remote IP; empty on the UNIX socket
  std::string listener;  ///< name of the listener it came in on
  bool tls = false;
  std::optional<std::uint64_t> content_length;  ///< absent when there is no body or it is chunked
  bool chunked = false;
  bool keep_alive = true;
  bool http10 = false;
  [[nodiscard]] bool has_body() const { return chunked || content_length.value_or(0) > 0; }
};

/// A request body as it arrives. Valid until the handler returns.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  /// Fills up to `into.size()` (at least 1) bytes; 0 at the end of the body. Errors: BODY_TOO_LARGE (too_large),
  /// BODY_SLOW (timeout), BODY_FRAMING (invalid), BODY_BROKEN (io: the peer went away). After an error every call
  /// returns it again.
  [[nodiscard]] virtual Task<Result<std::size_t>> read(std::span<std::uint8_t> into) = 0;
};

/// A body that is made while it is sent: a response of the server, or a request of the client.
class BodyProducer {
 public:
  virtual ~BodyProducer() = default;
  /// Fills up to `into.size()` bytes; 0 at the end. Asked for each piece anew, so a revocation breaks a running
  /// download off: on an error the connection is closed without a proper end, and the other side sees a truncated
  /// message.
  [[nodiscard]] virtual Task<Result<std::size_t>> produce(std::span<std::uint8_t> into) = 0;
  /// When known it is announced as Content-Length; producing another number of bytes breaks the message off.
  [[nodiscard]] virtual std::optional<std::uint64_t> size() const { return std::nullopt; }
  /// Called once, last, before the object goes: bytes handed to the socket, and whether the message was completed.
  virtual void finished(std::uint64_t sent, bool complete) { (void)sent, (void)complete; }
};

/// Tells the producer how it ended, also when the coroutine that sends it is cancelled.
struct ProducerEnd {
  BodyProducer* producer;
  std::uint64_t sent = 0;
  bool complete = false;
  explicit ProducerEnd(BodyProducer* p) : producer(p) {}
  ProducerEnd(const ProducerEnd&) = delete;
  ProducerEnd& operator=(const ProducerEnd&) = delete;
  ~ProducerEnd() {
    if (producer != nullptr) producer->finished(sent, complete);
  }
};

struct Response {
  int status = 200;
  Headers headers{};  ///< Content-Length, Transfer-Encoding, Connection and Date are the server's to set
  std::string body{};
  std::unique_ptr<BodyProducer> stream{};  ///< when set, `body` is not used
};

/// application/problem+json (RFC 9457) with the member `code`. `title` holds no personal data.
[[nodiscard]] Response problem(int status, std::string_view code, std::string_view title);
/// The status that error.hpp gives for a kind.
[[nodiscard]] int status_of(ErrorKind kind);
[[nodiscard]] std::string_view reason_phrase(int status);

/// Undoes %XX. URL_ENCODING (invalid) for a broken escape, an encoded NUL or control character, or invalid UTF-8.
[[nodiscard]] Result<std::string> percent_decode(std::string_view text, bool plus_is_space = false);
/// Query or application/x-www-form-urlencoded body, in order, at most `limit` pairs. URL_ENCODING, or QUERY_TOO_MANY.
[[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view text,
                                                                                   std::size_t limit = 100);

/// Retry-After in its form of seconds, at most a day; nullopt when absent or a date.
[[nodiscard]] std::optional<std::chrono::seconds> retry_after(const Headers& headers);

/// No overlong form, no surrogate, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view text);
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b);
/// A name is an RFC 9110 token; a value has no control character but TAB and no leading or trailing space.
[[nodiscard]] bool valid_header(std::string_view name, std::string_view value);

}  // namespace schakel::net
