#include "core/journal/record.hpp"

#include <utility>

#include "core/model/semantics.hpp"

namespace schakel::journal {
namespace {

/// Walks over JSON without reading it. What is not JSON ends the walk.
class JsonWalk {
 public:
  explicit JsonWalk(std::string_view text) : text_(text) {}
  [[nodiscard]] std::size_t at() const { return at_; }

  /// Stands on an object; goes to the value of `key` in it.
  bool member(std::string_view key) {
    if (!take('{')) return false;
    while (!take('}')) {
      space();
      auto from = at_ + 1;
      if (!skip_string()) return false;
      bool found = text_.substr(from, at_ - from - 1) == key;
      if (!take(':')) return false;
      space();
      if (found) return true;
      if (!skip()) return false;
      take(',');
    }
    return false;
  }
  /// Goes behind the value it stands on.
  bool skip() {
    space();
    int depth = 0;
    while (at_ < text_.size()) {
      char c = text_[at_];
      if (c == '"') {
        if (!skip_string()) return false;
      } else if (c == '{' || c == '[') {
        ++depth;
        ++at_;
        continue;
      } else if (c == '}' || c == ']') {
        if (--depth < 0) return false;
        ++at_;
      } else if (depth > 0) {
        ++at_;
        continue;
      } else {
        at_ = std::min(text_.find_first_of(",}] \n\r\t", at_), text_.size());
        return true;
      }
      if (depth == 0) return true;
    }
    return false;
  }

 private:
  void space() { at_ = std::min(text_.find_first_not_of(" \n\r\t", at_), text_.size()); }
  bool take(char c) {
    space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool skip_string() {
    if (at_ >= text_.size() || text_[at_] != '"') return false;
    for (++at_;;) {
      auto quote = text_.find('"', at_);
      if (quote == std::string_view::npos) return false;
      std::size_t escapes = 0;
      while (quote - escapes > at_ && text_[quote - escapes - 1] == '\\') ++escapes;
      at_ = quote + 1;
      if (escapes % 2 == 0) return true;
    }
  }
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<std::pair<std::size_t, std::size_t>> explanation_in(std::string_view record) {
  JsonWalk walk(record);
  if (!walk.member("draft") || !walk.member("explanation")) return std::nullopt;
  auto from = walk.at();
  if (from >= record.size() || record[from] != '[' || !walk.skip()) return std::nullopt;
  return std::pair(from, walk.at() - from);
}

std::string record_text(const Message& message, const Draft& draft, const std::map<std::string, Json>& registers) {
  return dump_json(
      {{"message", message}, {"draft", draft}, {"semantics", kSemanticsVersion}, {"registers", registers}});
}

Result<Recorded> read_record(store::MessageSeq seq, std::string_view text, Explained explained) {
  try {
    Recorded out;
    std::string rest;
    if (explained == Explained::unread)
      if (auto found = explanation_in(text)) {
        out.unread = text.substr(found->first, found->second);
        rest.reserve(text.size() - found->second + 2);
        rest.append(text.substr(0, found->first)).append("[]").append(text.substr(found->first + found->second));
        text = rest;
      }
    auto j = Json::parse(text.begin(), text.end());
    // Moved, not copied: the payload is the largest part.
    auto& message = j.at("message");
    Json payload = message.contains("payload") ? std::exchange(message["payload"], Json()) : Json::object();
    out.message = message.get<Message>();
    out.message.payload = std::move(payload);
    out.message.seq = seq;
    out.draft = j.at("draft").get<Draft>();
    out.semantics = j.value("semantics", 0);
    if (auto it = j.find("registers"); it != j.end()) out.registers = it->get<std::map<std::string, Json>>();
    return out;
  } catch (const std::exception&) {
    // The text of the exception may quote the content.
    return fail(ErrorKind::io, "RECORD_INVALID", "this is not the record of a decision");
  }
}

Recalled recalled(store::DecisionRow row, const Opener& opener, Explained explained) {
  Recalled out{row.message, row.decided_at, std::move(row.rules_version), std::move(row.outcome), std::nullopt, ""};
  auto plain = opener("decision", std::to_string(row.message), row.sealed);
  if (!plain) {
    out.gone = plain.error().code;
    return out;
  }
  auto read = read_record(row.message, as_text(*plain), explained);
  if (!read) {
    out.gone = read.error().code;
    return out;
  }
  read->decided_at = out.decided_at;
  read->rules_version = out.rules_version;
  out.content = std::move(*read);
  return out;
}

std::vector<Explanation> read_explanation(const Recorded& recorded) {
  if (recorded.unread.empty()) return recorded.draft.explanation;
  return Json::parse(recorded.unread).get<std::vector<Explanation>>();
}

}  // namespace schakel::journal
