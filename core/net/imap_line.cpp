#include "core/net/imap_line.hpp"

#include <algorithm>
#include <charconv>

namespace schakel::net {
namespace {

auto imap_bad(const char* why) { return fail(ErrorKind::io, "IMAP_PROTOCOL", why); }

/// All of `digits`, at least one.
std::optional<std::uint32_t> imap_number(std::string_view digits) {
  std::uint32_t out = 0;
  auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  if (ec != std::errc() || end != digits.data() + digits.size() || digits.empty()) return std::nullopt;
  return out;
}

}  // namespace

Result<std::optional<ImapLine>> take_imap_line(std::string_view& rest, const ImapLimits& limits) {
  ImapLine out;
  std::string_view left = rest;
  for (;;) {
    const auto end = left.find('\n');
    const auto length = end == std::string_view::npos ? left.size() : end;
    if (out.text.size() + length > limits.line)
      return fail(ErrorKind::too_large, "IMAP_TOO_LARGE", "a response of the mail server is too long");
    if (end == std::string_view::npos) return std::optional<ImapLine>{};
    auto line = left.substr(0, end);
    if (!line.ends_with('\r')) return imap_bad("a response ends in CR LF");
    line.remove_suffix(1);
    if (line.find_first_of(std::string_view("\0\r", 2)) != std::string_view::npos)
      return imap_bad("a response holds a control character");
    left.remove_prefix(end + 1);
    const auto open = line.ends_with('}') ? line.rfind('{') : std::string_view::npos;
    const auto size =
        open == std::string_view::npos ? std::nullopt : imap_number(line.substr(open + 1, line.size() - open - 2));
    if (!size) {
      out.text += line;
      rest = left;
      return std::optional<ImapLine>(std::move(out));
    }
    if (*size > limits.literal || out.literals.size() >= limits.literals)
      return fail(ErrorKind::too_large, "IMAP_TOO_LARGE", "the mail server sends more than was asked for");
    if (left.size() < *size) return std::optional<ImapLine>{};
    out.text += line.substr(0, open);
    out.text += "{}";
    out.literals.emplace_back(left.substr(0, *size));
    left.remove_prefix(*size);
  }
}

Result<std::vector<std::uint32_t>> read_imap_search(std::string_view text) {
  constexpr std::string_view kStart = "* SEARCH";
  std::vector<std::uint32_t> out;
  if (!text.starts_with(kStart)) return imap_bad("this is no answer to SEARCH");
  text.remove_prefix(kStart.size());
  while (!text.empty()) {
    if (text.front() != ' ') return imap_bad("numbers stand apart");
    text.remove_prefix(1);
    const auto word = text.substr(0, text.find(' '));
    if (word.empty()) continue;  // some servers end in a space
    const auto number = imap_number(word);
    if (!number || *number == 0) return imap_bad("SEARCH gives what is no number");
    out.push_back(*number);
    text.remove_prefix(word.size());
  }
  std::ranges::sort(out);
  out.erase(std::ranges::unique(out).begin(), out.end());
  return out;
}

std::optional<std::uint32_t> read_imap_code(std::string_view text, std::string_view name) {
  const auto open = text.find('[');
  if (open == std::string_view::npos) return std::nullopt;
  text.remove_prefix(open + 1);
  const auto close = text.find(']');
  if (close == std::string_view::npos || !text.starts_with(name)) return std::nullopt;
  text = text.substr(name.size(), close - name.size());
  if (!text.starts_with(' ')) return std::nullopt;
  return imap_number(text.substr(1));
}

std::optional<std::string> imap_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F) return std::nullopt;
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace schakel::net
