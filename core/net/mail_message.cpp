#include "core/net/mail_message.hpp"

#include <date/date.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/base/hash.hpp"
#include "core/net/http_types.hpp"

namespace schakel::net {
namespace {

bool has_control(std::string_view s) {
  return std::any_of(s.begin(), s.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}
bool ascii(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// RFC 2047: words of at most 75 characters, cut between characters, one a line.
std::string encoded_words(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::size_t n = std::min<std::size_t>(text.size(), 42);
    while (n < text.size() && (static_cast<unsigned char>(text[n]) & 0xC0U) == 0x80) --n;
    if (!out.empty()) out += "\r\n ";
    out += "=?UTF-8?B?" + to_base64(as_bytes(text.substr(0, n))) + "?=";
    text.remove_prefix(n);
  }
  return out;
}

std::string unstructured(std::string_view text) {
  return ascii(text) && text.size() <= 60 && text.find("=?") == std::string_view::npos ? std::string(text)
                                                                                       : encoded_words(text);
}

std::string mailbox(const MailAddress& a) {
  if (a.name.empty()) return a.address;
  if (!ascii(a.name) || a.name.size() > 60 || a.name.find("=?") != std::string::npos)
    return encoded_words(a.name) + "\r\n <" + a.address + ">";
  std::string quoted;
  for (const char c : a.name) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return "\"" + quoted + "\" <" + a.address + ">";
}

/// RFC 2045 section 6.7 over text whose line ends have been made LF.
std::string quoted_printable(std::string_view text) {
  std::string out;
  std::size_t column = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') {
      out += "\r\n";
      column = 0;
      continue;
    }
    const bool line_end = i + 1 == text.size() || text[i + 1] == '\n';
    const bool plain = (c >= 33 && c <= 126 && c != '=') || ((c == ' ' || c == '\t') && !line_end);
    const std::size_t width = plain ? 1 : 3;
    if (column + width > 75) {
      out += "=\r\n";
      column = 0;
    }
    if (plain)
      out += c;
    else
      out += fmt::format("={:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    column += width;
  }
  return out;
}

std::string lf_only(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r') {
      out += '\n';
      if (i + 1 < text.size() && text[i + 1] == '\n') ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string base64_lines(ByteView bytes) {
  std::string out;
  out.reserve(bytes.size() / 57 * 78 + 78);
  for (std::size_t at = 0; at < bytes.size(); at += 57)
    out += to_base64(bytes.subspan(at, std::min<std::size_t>(57, bytes.size() - at))) + "\r\n";
  return out;
}

/// RFC 6266 and 2231: a plain name for old readers, and the real one.
std::string file_name_parameters(const std::string& name) {
  std::string plain;
  std::string encoded;
  for (const char c : name) {
    const auto u = static_cast<unsigned char>(c);
    const bool safe =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '_';
    plain += safe || c == ' ' ? c : '_';
    encoded += safe ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned>(u));
  }
  std::string out = "\r\n filename=\"" + plain + "\"";
  if (plain != name) out += ";\r\n filename*=UTF-8''" + encoded;
  return out;
}

bool media_type(std::string_view text) {
  const auto slash = text.find('/');
  return text.size() <= 127 && slash != std::string_view::npos && valid_header(text.substr(0, slash), "") &&
         valid_header(text.substr(slash + 1), "");
}

constexpr std::string_view kOurs[] = {"From",
                                      "To",
                                      "Cc",
                                      "Bcc",
                                      "Sender",
                                      "Subject",
                                      "Date",
                                      "Message-ID",
                                      "MIME-Version",
                                      "Content-Type",
                                      "Content-Transfer-Encoding",
                                      "Content-Disposition",
                                      "Return-Path",
                                      "Received"};

}  // namespace

bool is_mail_address(std::string_view text) {
  const auto at = text.find('@');
  if (text.size() > 254 || at == std::string_view::npos || at == 0 || at > 64) return false;
  const auto dots = [](std::string_view s) {
    return s.empty() || s.front() == '.' || s.back() == '.' || s.find("..") != std::string_view::npos;
  };
  const auto local = text.substr(0, at);
  const auto domain = text.substr(at + 1);
  if (dots(local) || dots(domain)) return false;
  const auto alnum = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
  if (!std::all_of(local.begin(), local.end(), [&](char c) {
        return alnum(c) || std::string_view("!#$%&'*+-/=?^_`{|}~.").find(c) != std::string_view::npos;
      }))
    return false;
  for (std::size_t start = 0; start <= domain.size();) {
    const auto end = std::min(domain.find('.', start), domain.size());
    const auto label = domain.substr(start, end - start);
    if (label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
    if (!std::all_of(label.begin(), label.end(), [&](char c) { return alnum(c) || c == '-'; })) return false;
    start = end + 1;
  }
  return true;
}

Result<std::string> write_mail(const MailMessage& m) {
  const auto header = [](std::string what) {
    return fail(ErrorKind::invalid, "MAIL_HEADER", "not allowed in a mail header: " + what);
  };
  const auto address = [] { return fail(ErrorKind::invalid, "MAIL_ADDRESS", "not a mail address that can be used"); };
  if (has_control(m.subject)) return header("the subject");
  if (m.message_id.empty() || has_control(m.message_id) || !ascii(m.message_id) ||
      m.message_id.find_first_of("<> ") != std::string::npos || m.message_id.find('@') == std::string::npos ||
      m.message_id.size() > 200)
    return header("the message id");
  if (m.to.empty() || m.to.size() > 20) return address();
  if (has_control(m.from.address) || has_control(m.from.name)) return header("the sender");
  if (!is_mail_address(m.from.address)) return address();
  if (!is_utf8(m.from.name)) return fail(ErrorKind::invalid, "MAIL_TEXT", "the sender's name is not UTF-8");
  for (const auto& a : m.to) {
    if (has_control(a.address) || has_control(a.name)) return header("a recipient");
    if (!is_mail_address(a.address)) return address();
    if (!is_utf8(a.name)) return fail(ErrorKind::invalid, "MAIL_TEXT", "a recipient's name is not UTF-8");
  }
  if (!is_utf8(m.subject) || !is_utf8(m.text) || m.text.find('\0') != std::string::npos)
    return fail(ErrorKind::invalid, "MAIL_TEXT", "subject or text is not UTF-8");

  const auto days = date::floor<date::days>(m.date);
  const date::year_month_day ymd(days);
  const date::hh_mm_ss<std::chrono::seconds> time(date::floor<std::chrono::seconds>(m.date - days));
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

  std::string out = "From: " + mailbox(m.from) + "\r\nTo: ";
  for (std::size_t i = 0; i < m.to.size(); ++i) out += (i == 0 ? "" : ",\r\n ") + mailbox(m.to[i]);
  out += "\r\nSubject: " + unstructured(m.subject) + "\r\n";
  out +=
      fmt::format("Date: {}, {:02} {} {} {:02}:{:02}:{:02} +0000\r\n", kDays[date::weekday(days).c_encoding()],
                  static_cast<unsigned>(ymd.day()), kMonths[static_cast<unsigned>(ymd.month()) - 1],
                  static_cast<int>(ymd.year()), time.hours().count(), time.minutes().count(), time.seconds().count());
  out += "Message-ID: <" + m.message_id + ">\r\nMIME-Version: 1.0\r\n";
  for (const auto& [name, value] : m.headers) {
    if (!valid_header(name, value) || !ascii(value) || value.size() > 900) return header("an additional header");
    for (const auto ours : kOurs)
      if (equal_ignoring_case(name, ours)) return header("a second " + std::string(ours));
    out += name + ": " + value + "\r\n";
  }

  const std::string text =
      "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
      quoted_printable(lf_only(m.text)) + "\r\n";
  if (m.attachments.empty()) return out + text;

  // Neither base64 nor quoted-printable can hold "=_", so the boundary cannot occur in a part.
  const std::string boundary = "=_" + sha256_hex(m.message_id).substr(0, 32);
  out += "Content-Type: multipart/mixed; boundary=\"" + boundary + "\"\r\n\r\n--" + boundary + "\r\n" + text;
  for (const auto& part : m.attachments) {
    if (has_control(part.name) || part.name.empty() || part.name.size() > 200) return header("a file name");
    if (!is_utf8(part.name)) return fail(ErrorKind::invalid, "MAIL_TEXT", "a file name is not UTF-8");
    if (!media_type(part.media_type)) return header("a media type");
    out += "--" + boundary + "\r\nContent-Type: " + part.media_type +
           "\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment;" +
           file_name_parameters(part.name) + "\r\n\r\n" + base64_lines(part.content);
  }
  return out + "--" + boundary + "--\r\n";
}

}  // namespace schakel::net
