#include "core/formats/bounce.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <vector>

namespace schakel::formats {
namespace {

constexpr std::size_t kBounceBytes = 2 * 1024 * 1024, kBounceParts = 50;

bool same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::string_view trim(std::string_view s) {
  while (!s.empty() && std::isspace(static_cast<unsigned char>(s.front())) != 0) s.remove_prefix(1);
  while (!s.empty() && std::isspace(static_cast<unsigned char>(s.back())) != 0) s.remove_suffix(1);
  return s;
}

/// One line and what follows it; either line end.
std::string_view take_line(std::string_view& rest) {
  auto end = rest.find('\n');
  auto line = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

struct Fields {
  std::vector<std::pair<std::string, std::string>> list;
  /// First value of a field, unfolded; empty when absent.
  [[nodiscard]] std::string_view get(std::string_view name) const {
    for (const auto& [n, v] : list)
      if (same_word(n, name)) return v;
    return {};
  }
};

/// Reads fields up to an empty line; `rest` is what follows it.
Fields take_fields(std::string_view& rest) {
  Fields out;
  while (!rest.empty() && out.list.size() < 500) {
    auto line = take_line(rest);
    if (line.empty()) break;
    if ((line[0] == ' ' || line[0] == '\t') && !out.list.empty()) {
      auto& value = out.list.back().second;
      if (value.size() < 4096) value += ' ', value += trim(line);
      continue;
    }
    auto colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) continue;
    out.list.emplace_back(std::string(trim(line.substr(0, colon))), std::string(trim(line.substr(colon + 1))));
  }
  return out;
}

/// A parameter of a Content-Type, quoted or not.
std::string parameter(std::string_view value, std::string_view name) {
  for (auto at = value.find(';'); at != std::string_view::npos;) {
    auto rest = trim(value.substr(at + 1));
    auto equals = rest.find('=');
    if (equals == std::string_view::npos) return {};
    auto key = trim(rest.substr(0, equals));
    auto text = trim(rest.substr(equals + 1));
    std::string_view found;
    if (text.starts_with('"')) {
      auto close = text.find('"', 1);
      found = text.substr(1, close == std::string_view::npos ? std::string_view::npos : close - 1);
    } else {
      found = text.substr(0, text.find_first_of("; \t"));
    }
    if (same_word(key, name)) return std::string(found);
    auto used = static_cast<std::size_t>(text.data() - value.data()) + found.size();
    at = value.find(';', used);
  }
  return {};
}

std::string_view media_type(std::string_view content_type) {
  return trim(content_type.substr(0, content_type.find(';')));
}

std::string bare_message_id(std::string_view text) {
  auto open = text.find('<'), close = text.find('>', open == std::string_view::npos ? 0 : open);
  if (open != std::string_view::npos && close != std::string_view::npos) text = text.substr(open + 1, close - open - 1);
  text = trim(text);
  bool plain = !text.empty() && text.size() <= 300 &&
               std::ranges::all_of(text, [](unsigned char c) { return c > 0x20 && c < 0x7f; });
  return plain ? std::string(text) : std::string();
}

/// "5.1.1" and nothing else.
std::string status_code(std::string_view text) {
  text = text.substr(0, text.find_first_of(" \t("));
  auto digits = [](std::string_view s) {
    return !s.empty() && s.size() <= 3 && std::ranges::all_of(s, [](char c) { return c >= '0' && c <= '9'; });
  };
  auto a = text.find('.'), b = a == std::string_view::npos ? a : text.find('.', a + 1);
  if (b == std::string_view::npos || a != 1) return {};
  return digits(text.substr(0, a)) && digits(text.substr(a + 1, b - a - 1)) && digits(text.substr(b + 1))
             ? std::string(text)
             : std::string();
}

/// The worst that any recipient met: one of our mails has one recipient, but a list expands.
int badness(MailReport::Kind kind) {
  switch (kind) {
    case MailReport::Kind::failed:
      return 3;
    case MailReport::Kind::delayed:
      return 2;
    case MailReport::Kind::relayed:
      return 1;
    case MailReport::Kind::delivered:
      return 0;
  }
  return 3;
}

void read_delivery_status(std::string_view body, std::optional<MailReport>& out) {
  // The first group is about the message, each further one about a recipient.
  for (int group = 0; group < 200 && !body.empty(); ++group) {
    Fields fields = take_fields(body);
    auto action = fields.get("Action");
    if (action.empty()) continue;
    MailReport one;
    if (same_word(action, "failed"))
      one.kind = MailReport::Kind::failed;
    else if (same_word(action, "delayed"))
      one.kind = MailReport::Kind::delayed;
    else if (same_word(action, "delivered") || same_word(action, "expanded"))
      one.kind = MailReport::Kind::delivered;
    else if (same_word(action, "relayed"))
      one.kind = MailReport::Kind::relayed;
    else
      continue;
    one.status = status_code(fields.get("Status"));
    if (!out || badness(one.kind) > badness(out->kind)) {
      auto id = out ? out->message_id : std::string();
      out = std::move(one);
      out->message_id = std::move(id);
    }
  }
}

void read_disposition(std::string_view body, std::optional<MailReport>& out) {
  Fields fields = take_fields(body);
  auto disposition = fields.get("Disposition");
  if (disposition.empty()) return;
  auto type = trim(disposition.substr(disposition.find(';') == std::string_view::npos ? disposition.size()
                                                                                      : disposition.find(';') + 1));
  type = type.substr(0, type.find_first_of("/ \t"));
  MailReport one;
  one.kind = same_word(type, "displayed") || same_word(type, "processed") || same_word(type, "dispatched")
                 ? MailReport::Kind::delivered
                 : MailReport::Kind::failed;
  one.message_id = bare_message_id(fields.get("Original-Message-ID"));
  out = std::move(one);
}

}  // namespace

Result<MailReport> read_mail_report(std::string_view mail) {
  if (mail.size() > kBounceBytes)
    return fail(ErrorKind::too_large, "BOUNCE_TOO_LARGE", "the mail is larger than a report is");
  auto not_a_report = [] {
    return fail(ErrorKind::invalid, "BOUNCE_NOT_A_REPORT",
                "this mail is no delivery status or disposition notification");
  };
  // mbox files begin with an envelope line.
  if (mail.starts_with("From ")) (void)take_line(mail);
  std::string_view rest = mail;
  Fields head = take_fields(rest);
  auto content_type = head.get("Content-Type");
  if (!same_word(media_type(content_type), "multipart/report")) return not_a_report();
  std::string boundary = parameter(content_type, "boundary");
  if (boundary.empty() || boundary.size() > 200) return not_a_report();
  boundary.insert(0, "--");

  std::optional<MailReport> report;
  std::string original;
  std::size_t parts = 0;
  bool inside = false;
  std::string_view part_from = rest;
  auto judge = [&](std::string_view part) {
    Fields fields = take_fields(part);
    auto type = media_type(fields.get("Content-Type"));
    if (same_word(type, "message/delivery-status") || same_word(type, "message/global-delivery-status"))
      read_delivery_status(part, report);
    else if (same_word(type, "message/disposition-notification") ||
             same_word(type, "message/global-disposition-notification"))
      read_disposition(part, report);
    else if (same_word(type, "message/rfc822") || same_word(type, "text/rfc822-headers") ||
             same_word(type, "message/global") || same_word(type, "message/global-headers")) {
      if (original.empty()) original = bare_message_id(take_fields(part).get("Message-ID"));
    }
  };
  while (!rest.empty() && parts < kBounceParts) {
    auto at = rest.data();
    auto line = take_line(rest);
    if (!line.starts_with(boundary)) continue;
    auto tail = trim(line.substr(boundary.size()));
    if (!tail.empty() && tail != "--") continue;  // a longer boundary inside
    if (inside) judge(part_from.substr(0, static_cast<std::size_t>(at - part_from.data()))), ++parts;
    inside = tail.empty();
    part_from = rest;
    if (!inside) break;
  }
  if (inside && parts < kBounceParts) judge(part_from);  // cut off behind the last part
  if (!report) return not_a_report();
  if (report->message_id.empty()) report->message_id = original;
  report->own_id = bare_message_id(head.get("Message-ID"));
  if (report->message_id.empty())
    return fail(ErrorKind::invalid, "BOUNCE_NO_MESSAGE_ID", "the report does not say which mail it is about");
  return std::move(*report);
}

}  // namespace schakel::formats
