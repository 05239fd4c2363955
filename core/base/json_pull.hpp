// JSON read in one pass, straight into what it is for, without a tree of it in between.
#pragma once
#include <stdexcept>
#include <string>
#include <string_view>

#include "core/base/json.hpp"

namespace schakel {

/// For texts that Schakel wrote itself and got back whole: sealed records, a million of them in a replay. Bytes from
/// outside go through parse_json, which also refuses double keys and what is not UTF-8. Throws std::runtime_error
/// where the text is no JSON or another value stands there; its text quotes nothing. Pure, but for its place in the
/// text. Lifetime: within that of the text.
class JsonPull {
 public:
  explicit JsonPull(std::string_view text) : text_(text) {}

  /// Reads an object: `each(key)` is called for every member and reads its value, by exactly one call of what is here.
  /// The key is valid until then.
  template <class Each>
  void object(Each&& each) {
    enter('{');
    if (take('}')) return leave();
    do {
      std::string_view key = text();
      expect(':');
      each(key);
    } while (take(','));
    expect('}');
    leave();
  }
  /// Reads a list: `each()` is called for every element and reads it.
  template <class Each>
  void array(Each&& each) {
    enter('[');
    if (take(']')) return leave();
    do each();
    while (take(','));
    expect(']');
    leave();
  }
  /// A text; valid until the next one is read.
  [[nodiscard]] std::string_view text();
  [[nodiscard]] std::int64_t integer();
  [[nodiscard]] Json value();
  /// The text of the value that stands here, which is only looked at for its brackets and quotes.
  std::string_view skip();
  /// Nothing is behind the value that was read.
  void end();

 private:
  static constexpr int kDeepest = 256;
  [[noreturn]] static void bad();
  std::string_view unescaped(std::size_t from);
  unsigned hex4();
  std::string_view number(bool& whole);
  void word(std::string_view text);
  void space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t'))
      ++at_;
  }
  [[nodiscard]] char peek() {
    space();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char c) {
    if (peek() != c || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) bad();
  }
  void enter(char c) {
    expect(c);
    if (++depth_ > kDeepest) bad();
  }
  void leave() { --depth_; }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::string room_;  ///< of a text with escapes
};

}  // namespace schakel
