// What a mail server or mailbox says about a mail that was sent: RFC 3464 delivery status notifications and RFC 8098
// disposition notifications. Pure. Only codes and the Message-ID leave here: the text of a bounce quotes addresses and
// content.
#pragma once
#include <string>
#include <string_view>

#include "core/base/error.hpp"

namespace schakel::formats {

struct MailReport {
  enum class Kind {
    failed,     ///< it will not arrive (Action: failed), or the mailbox deleted it unread
    delayed,    ///< still tried by the other side
    delivered,  ///< in the mailbox (Action: delivered), or shown to its owner
    relayed     ///< handed on to a system that reports nothing more
  };
  Kind kind = Kind::failed;
  std::string status;      ///< 5.1.1; empty when it gives none
  std::string message_id;  ///< of the mail it is about, without < >
  std::string own_id;      ///< Message-ID of the report itself, by which a second copy is known; may be empty
};

/// BOUNCE_NOT_A_REPORT for any other mail (an answer of a person, an absence note), BOUNCE_NO_MESSAGE_ID when it does
/// not say which mail it is about, BOUNCE_TOO_LARGE above 2 MB.
[[nodiscard]] Result<MailReport> read_mail_report(std::string_view mail);

}  // namespace schakel::formats
