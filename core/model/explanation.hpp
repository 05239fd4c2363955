// What a decision says of one rule. Made for every rule that fires, for every message, and mostly recorded unread: so
// text of the rule is shared instead of copied, and the facts become JSON only where somebody asks for it.
#pragma once
#include <fmt/format.h>

#include <atomic>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <compare>
#include <memory>
#include <new>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/json.hpp"

namespace schakel {

/// Immutable text that copies share: the id, the quote and the source of a rule. Reads as a std::string. Thread: any.
class SharedText {
 public:
  SharedText() = default;
  SharedText(std::string text) : kept_(text.empty() ? nullptr : new Kept(std::move(text))) {}
  SharedText(const char* text) : SharedText(std::string(text)) {}

  [[nodiscard]] const std::string& str() const {
    static const std::string none;
    return kept_ ? kept_->text : none;
  }
  operator const std::string&() const { return str(); }
  operator std::string_view() const { return str(); }
  [[nodiscard]] bool empty() const { return !kept_; }
  friend bool operator==(const SharedText& a, const SharedText& b) { return a.kept_ == b.kept_ || a.str() == b.str(); }
  friend bool operator==(const SharedText& a, std::string_view b) { return a.str() == b; }
  friend bool operator==(const SharedText& a, const std::string& b) { return a.str() == b; }
  friend bool operator==(const SharedText& a, const char* b) { return a.str() == b; }
  friend auto operator<=>(const SharedText& a, const SharedText& b) { return a.str() <=> b.str(); }
  friend auto operator<=>(const SharedText& a, const std::string& b) { return a.str() <=> b; }
  friend std::ostream& operator<<(std::ostream& out, const SharedText& t) { return out << t.str(); }
  friend void to_json(Json& j, const SharedText& t) { j = t.str(); }
  friend void from_json(const Json& j, SharedText& t) { t = SharedText(j.get<std::string>()); }

 private:
  struct Kept : boost::intrusive_ref_counter<Kept, boost::thread_safe_counter> {
    explicit Kept(std::string t) : text(std::move(t)) {}
    std::string text;
  };
  boost::intrusive_ptr<const Kept> kept_;  ///< null for the empty text. Half of a shared_ptr: see Explanation.
};

/// One of the few words that deciders write in their code: "routing", "fired". Thread: any.
class Word {
 public:
  constexpr Word() = default;
  consteval Word(const char* literal) : text_(literal) {}
  /// The word that reads so; what no word of today reads as is kept until the end of the process. Throws
  /// std::length_error beyond a thousand of those: then they are no words.
  [[nodiscard]] static Word of(std::string_view text);

  [[nodiscard]] std::string_view view() const { return text_; }
  [[nodiscard]] std::string str() const { return text_; }
  operator std::string_view() const { return text_; }
  friend bool operator==(Word a, Word b) { return a.text_ == b.text_ || a.view() == b.view(); }
  friend bool operator==(Word a, std::string_view b) { return a.view() == b; }
  friend bool operator==(Word a, const std::string& b) { return a.view() == b; }
  friend bool operator==(Word a, const char* b) { return a.view() == b; }
  friend std::ostream& operator<<(std::ostream& out, Word w) { return out << w.view(); }
  friend void to_json(Json& j, Word w) { j = w.str(); }
  friend void from_json(const Json& j, Word& w) { w = of(j.get_ref<const std::string&>()); }

 private:
  const char* text_ = "";
};

/// Facts with the values that a rule saw. Reads as a JSON object, which is made when it is first asked for.
/// Thread: any number may read, as with every value; one may write.
class SeenFacts {
 public:
  SeenFacts() = default;
  explicit SeenFacts(Json object);
  /// For names that `owner` keeps alive; without owner the names are literals. Room for `size` facts is taken at once.
  explicit SeenFacts(std::shared_ptr<const void> owner, std::size_t size)
      : kept_(size == 0 ? nullptr : Kept::with_room(std::move(owner), size)) {}
  SeenFacts(const SeenFacts& o);
  SeenFacts(SeenFacts&& o) noexcept : kept_(std::exchange(o.kept_, nullptr)) {}
  SeenFacts& operator=(SeenFacts o) noexcept {
    std::swap(kept_, o.kept_);
    return *this;
  }
  ~SeenFacts() {
    if (kept_) Kept::drop(kept_);
  }

  /// Before anybody read it; each name once, and no more than there is room for.
  using Value = std::variant<Json, std::string, std::vector<std::string>>;
  template <class V>
  void add(std::string_view name, V&& value) {
    if (!kept_ || kept_->size == kept_->room) throw std::logic_error("SeenFacts: no room for this fact");
    new (kept_->facts() + kept_->size) Seen{name, Value(std::forward<V>(value))};
    ++kept_->size;
  }

  [[nodiscard]] const Json& json() const;
  operator const Json&() const { return json(); }
  [[nodiscard]] bool empty() const { return json().empty(); }
  [[nodiscard]] auto items() const { return json().items(); }
  [[nodiscard]] auto find(std::string_view name) const { return json().find(name); }
  [[nodiscard]] auto end() const { return json().end(); }
  [[nodiscard]] bool contains(std::string_view name) const { return json().contains(name); }
  /// Null where there is no such fact.
  [[nodiscard]] const Json& operator[](std::string_view name) const;
  [[nodiscard]] std::string dump(int indent = -1) const { return json().dump(indent); }
  friend bool operator==(const SeenFacts& a, const SeenFacts& b) { return a.json() == b.json(); }
  friend void to_json(Json& j, const SeenFacts& f);
  friend void from_json(const Json& j, SeenFacts& f) { f = SeenFacts(j); }

 private:
  struct Seen {
    std::string_view name;
    Value value;
  };
  /// One piece of memory with the facts behind it: a decision makes a dozen of these, and most rules look at a few
  /// facts.
  struct Kept {
    std::shared_ptr<const void> owner;
    mutable std::atomic<const Json*> json{nullptr};  ///< made of the facts, or all there is where there are none
    std::uint32_t size = 0, room = 0;
    [[nodiscard]] Seen* facts() { return reinterpret_cast<Seen*>(this + 1); }
    [[nodiscard]] const Seen* facts() const { return reinterpret_cast<const Seen*>(this + 1); }
    [[nodiscard]] Json made() const;
    [[nodiscard]] static Kept* with_room(std::shared_ptr<const void> owner, std::size_t size);
    static void drop(Kept* kept) noexcept;
  };
  static_assert(alignof(Seen) <= alignof(Kept) && sizeof(Kept) % alignof(Seen) == 0);
  Kept* kept_ = nullptr;  ///< null: no facts
};

/// One rule that fired, blocked or nearly did. `facts` holds the facts the rule looked at with the values it saw.
/// Small: those of one decision are in one piece of memory, and malloc is quick only with pieces below a kilobyte.
struct Explanation {
  SharedText rule;
  Word stage;        ///< routing, gate, consent, audience, invoicing, deadlines
  Word result;       ///< fired, blocked, suppressed, near
  std::string code;  ///< reason code or role it led to
  SharedText quote;
  SharedText source;
  SeenFacts facts;
  bool operator==(const Explanation&) const = default;
};

void to_json(Json& j, const Explanation& v);
void from_json(const Json& j, Explanation& v);

}  // namespace schakel

template <>
struct fmt::formatter<schakel::SharedText> : fmt::formatter<std::string_view> {
  auto format(const schakel::SharedText& t, fmt::format_context& context) const {
    return fmt::formatter<std::string_view>::format(t.str(), context);
  }
};

template <>
struct fmt::formatter<schakel::Word> : fmt::formatter<std::string_view> {
  auto format(schakel::Word w, fmt::format_context& context) const {
    return fmt::formatter<std::string_view>::format(w.view(), context);
  }
};
