// An RFC 5322 message as a pure function: the same input gives the same bytes.
#pragma once
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"

namespace schakel::net {

struct MailAddress {
  std::string address;  ///< local@domain in ASCII; a domain with other letters is given in its xn-- form
  std::string name{};   ///< display name, UTF-8; may be empty
};

struct MailPart {
  std::string name;        ///< file name, UTF-8
  std::string media_type;  ///< type/subtype, sent without parameters
  Bytes content;
};

struct MailMessage {
  MailAddress from;
  std::vector<MailAddress> to;  ///< 1 to 20; prefer one, so that one refusal concerns one
  std::string subject;          ///< UTF-8
  std::string text;             ///< UTF-8, any line ends
  std::string message_id;       ///< "id@domain", fixed per content, so that a repeat is recognisable
  Instant date{};
  std::vector<std::pair<std::string, std::string>> headers{};  ///< further ones, ASCII: Auto-Submitted, Reply-To, ...
  std::vector<MailPart> attachments{};
};

/// ASCII local@domain without quoting, comments or route; at most 254 characters. Everything else is not sent to.
[[nodiscard]] bool is_mail_address(std::string_view text);

/// The message with CRLF line ends, ready for DATA (dot-stuffing is the transport's). MAIL_HEADER (invalid) when a CR,
/// LF or other control character stands in anything that becomes a header, or a header is one of ours; MAIL_ADDRESS
/// (invalid); MAIL_TEXT (invalid) for a subject or text that is no UTF-8.
[[nodiscard]] Result<std::string> write_mail(const MailMessage& message);

}  // namespace schakel::net
