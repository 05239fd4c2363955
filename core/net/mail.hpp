// Sending mail by SMTP, and knowing what became of it.
#pragma once
#include <memory>
#include <string>

#include "core/base/secret.hpp"
#include "core/net/mail_message.hpp"
#include "core/runtime/blocking_pool.hpp"

namespace schakel::net {

struct MailServer {
  enum class Security {
    starttls,      ///< the connection ends when the server does not offer it
    implicit_tls,  ///< TLS from the first byte, port 465
    none           ///< the caller allows it for loopback only; anything else is MAIL_CONFIG
  };
  std::string host;
  std::uint16_t port = 587;
  Security security = Security::starttls;
  std::string user{};
  Secret password{};
  std::string ca_file{};         ///< PEM; empty: the system's roots
  std::string helo{};            ///< our name in EHLO; empty: libcurl's choice
  milliseconds deadline{60000};  ///< for all of one message
  milliseconds connect_time{10000};
};

enum class MailVerdict {
  accepted,  ///< 250 after the content
  later,     ///< a 4xx, or it surely was not handed over: not reachable, TLS failed, broke off before the end of the
             ///< content
  refused,   ///< a 5xx: it will never take this
  unknown    ///< the whole content was sent and no answer came: it may have it
};

struct MailReceipt {
  MailVerdict verdict = MailVerdict::unknown;
  int smtp_code = 0;  ///< last reply of the server; 0 when it never spoke
  std::string
      code;  ///< stable: SMTP_250, SMTP_451, SMTP_550, MAIL_CONNECT, MAIL_TLS, MAIL_LOGIN, MAIL_BROKEN, MAIL_UNKNOWN
};

/// Thread: any executor; the work itself runs on the pool. The first one made has the process ignore SIGPIPE. Lifetime:
/// the pool outlives this, this outlives its calls.
class MailSender {
 public:
  MailSender(runtime::BlockingPool& pool, MailServer server);
  ~MailSender();
  /// The error is for what was not tried: those of write_mail(), MAIL_CONFIG (invalid), POOL_FULL (unavailable). All of
  /// the recipients or none: one refusal refuses the message. No delivery status notification is asked for:
  /// libcurl 7.88 writes the option malformed (curl#8232); the receipt is the proof.
  [[nodiscard]] Task<Result<MailReceipt>> send(MailMessage message);

 private:
  runtime::BlockingPool& pool_;
  std::unique_ptr<const MailServer> server_;
};

}  // namespace schakel::net
