#include "core/portal/multipart.hpp"

#include <algorithm>

namespace schakel::portal {
namespace {

std::unexpected<Error> format() {
  return fail(ErrorKind::invalid, "MULTIPART_FORMAT", "the form is not well-formed multipart/form-data");
}
std::unexpected<Error> too_much() {
  return fail(ErrorKind::too_large, "MULTIPART_LIMIT", "the form has more or larger parts than allowed");
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

/// ; name="value" or name=value, quotes with backslash escapes. Calls `each`; false when malformed.
template <class Each>
bool parameters(std::string_view text, Each each) {
  while (true) {
    text = trim(text);
    if (text.empty()) return true;
    if (text.front() != ';') return false;
    text = trim(text.substr(1));
    const auto eq = text.find('=');
    if (eq == text.npos || eq == 0) return false;
    const auto name = trim(text.substr(0, eq));
    text = trim(text.substr(eq + 1));
    std::string value;
    if (!text.empty() && text.front() == '"') {
      std::size_t i = 1;
      for (; i < text.size() && text[i] != '"'; ++i) {
        if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\')) ++i;
        value += text[i];
      }
      if (i >= text.size()) return false;
      text = text.substr(i + 1);
    } else {
      const auto end = std::min(text.find(';'), text.size());
      value = trim(text.substr(0, end));
      text = text.substr(end);
    }
    each(name, std::move(value));
  }
}

}  // namespace

Result<std::string> multipart_boundary(std::string_view content_type) {
  auto bad = [] {
    return fail(ErrorKind::unsupported, "MULTIPART_TYPE", "multipart/form-data with a boundary is expected");
  };
  const auto semicolon = content_type.find(';');
  if (semicolon == content_type.npos || !same_word(trim(content_type.substr(0, semicolon)), "multipart/form-data"))
    return bad();
  std::string boundary;
  int found = 0;
  if (!parameters(content_type.substr(semicolon), [&](std::string_view name, std::string value) {
        if (same_word(name, "boundary")) {
          boundary = std::move(value);
          ++found;
        }
      }))
    return bad();
  static constexpr std::string_view kExtra = "'()+_,-./:=?";
  const bool usable = std::ranges::all_of(boundary, [](char c) {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || kExtra.find(c) != kExtra.npos;
  });
  if (found != 1 || boundary.empty() || boundary.size() > 70 || !usable) return bad();
  return boundary;
}

MultipartParser::MultipartParser(std::string boundary, MultipartLimits limits)
    : delimiter_("\r\n--" + std::move(boundary)), limits_(limits) {
  // The first boundary has no line break before it; giving it one makes all boundaries alike.
  buffer_ = {'\r', '\n'};
}

Result<PartHead> MultipartParser::read_head(std::string_view block) const {
  PartHead head;
  bool disposition = false, named = false;
  while (!block.empty()) {
    const auto end = block.find("\r\n");
    const auto line = block.substr(0, end);
    block = end == block.npos ? std::string_view() : block.substr(end + 2);
    if (std::ranges::any_of(line,
                            [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }))
      return format();
    const auto colon = line.find(':');
    if (colon == line.npos || colon == 0) return format();
    if (!same_word(line.substr(0, colon), "content-disposition")) continue;
    if (disposition) return format();
    disposition = true;
    const auto value = trim(line.substr(colon + 1));
    const auto semicolon = std::min(value.find(';'), value.size());
    if (!same_word(trim(value.substr(0, semicolon)), "form-data")) return format();
    bool twice = false;
    if (!parameters(value.substr(semicolon), [&](std::string_view name, std::string text) {
          if (same_word(name, "name")) {
            twice = twice || named;
            named = true;
            head.name = std::move(text);
          } else if (same_word(name, "filename") || same_word(name, "filename*")) {
            head.is_file = true;
            const auto dot = text.rfind('.');
            if (dot != text.npos && text.size() - dot <= 9 && text.size() - dot > 1) {
              std::string ext;
              for (char c : text.substr(dot + 1)) ext += lower(c);
              if (std::ranges::all_of(ext, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }))
                head.extension = std::move(ext);
            }
          }
        }))
      return format();
    if (twice) return format();
  }
  if (!disposition || !named || head.name.empty()) return format();
  if (head.name.size() > limits_.name_bytes) return too_much();
  return head;
}

Result<void> MultipartParser::step(std::vector<PartEvent>& out, bool& progress) {
  const auto text = as_text(buffer_);
  switch (state_) {
    case State::before_first: {
      if (text.size() < delimiter_.size())
        return text == std::string_view(delimiter_).substr(0, text.size()) ? Result<void>{} : format();
      if (!text.starts_with(delimiter_)) return format();
      buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(delimiter_.size()));
      state_ = State::after_boundary;
      progress = true;
      return {};
    }
    case State::after_boundary: {
      if (text.size() < 2) return {};
      if (text.starts_with("--")) {
        state_ = State::closed;
        buffer_.clear();
        return {};
      }
      if (!text.starts_with("\r\n")) return format();
      if (++parts_ > limits_.parts) return too_much();
      buffer_.erase(buffer_.begin(), buffer_.begin() + 2);
      state_ = State::head;
      progress = true;
      return {};
    }
    case State::head: {
      if (text.starts_with("\r\n")) return format();  // no field at all
      const auto end = text.find("\r\n\r\n");
      if (end == text.npos ? text.size() > limits_.head_bytes : end > limits_.head_bytes) return too_much();
      if (end == text.npos) return {};
      auto head = read_head(text.substr(0, end));
      if (!head) return fail(head.error());
      out.push_back({PartEvent::Kind::head, std::move(*head), {}});
      buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(end + 4));
      state_ = State::body;
      progress = true;
      return {};
    }
    case State::body: {
      const auto at = text.find(delimiter_);
      // What could be the beginning of a delimiter stays for the next piece.
      const auto safe = at != text.npos ? at : text.size() - std::min(text.size(), delimiter_.size() - 1);
      if (safe > 0)
        out.push_back(
            {PartEvent::Kind::data, {}, Bytes(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(safe))});
      buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(safe));
      if (at == text.npos) return {};
      buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(delimiter_.size()));
      out.push_back({PartEvent::Kind::end, {}, {}});
      state_ = State::after_boundary;
      progress = true;
      return {};
    }
    case State::closed:
      buffer_.clear();  // an epilogue means nothing
      return {};
    case State::failed:
      return format();
  }
  return format();
}

Result<std::vector<PartEvent>> MultipartParser::feed(ByteView piece) {
  std::vector<PartEvent> out;
  while (true) {
    // In pieces, so that the buffer stays small whatever is fed at once.
    const auto n = std::min<std::size_t>(piece.size(), 16384);
    buffer_.insert(buffer_.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(n));
    piece = piece.subspan(n);
    for (bool progress = true; progress;) {
      progress = false;
      if (auto r = step(out, progress); !r) {
        state_ = State::failed;
        buffer_.clear();
        return fail(r.error());
      }
    }
    if (piece.empty()) return out;
  }
}

Result<void> MultipartParser::finish() const {
  if (state_ == State::closed) return {};
  return fail(ErrorKind::invalid, "MULTIPART_CUT", "the form ended before its closing boundary");
}

}  // namespace schakel::portal
