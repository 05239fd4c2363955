// What a decision says of one rule. Made for every rule that fires, for every message, and mostly recorded unread: so
// text of the rule is shared instead of copied, and the facts become JSON only where somebody asks for it.
#pragma once
#include <fmt/format.h>

#include <atomic>
#include <compare>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/json.hpp"

namespace schakel {

/// Immutable text that copies share: the quote and the source of a rule. Reads as a std::string. Thread: any.
class SharedText {
 public:
  SharedText() = default;
  SharedText(std::string text) : text_(text.empty() ? nullptr : std::make_shared<const std::string>(std::move(text))) {}
  SharedText(const char* text) : SharedText(std::string(text)) {}

  [[nodiscard]] const std::string& str() const {
    static const std::string none;
    return text_ ? *text_ : none;
  }
  operator const std::string&() const { return str(); }
  operator std::string_view() const { return str(); }
  [[nodiscard]] bool empty() const { return !text_; }
  friend bool operator==(const SharedText& a, const SharedText& b) { return a.text_ == b.text_ || a.str() == b.str(); }
  friend bool operator==(const SharedText& a, std::string_view b) { return a.str() == b; }
  friend bool operator==(const SharedText& a, const std::string& b) { return a.str() == b; }
  friend bool operator==(const SharedText& a, const char* b) { return a.str() == b; }
  friend auto operator<=>(const SharedText& a, const SharedText& b) { return a.str() <=> b.str(); }
  friend auto operator<=>(const SharedText& a, const std::string& b) { return a.str() <=> b; }
  friend std::ostream& operator<<(std::ostream& out, const SharedText& t) { return out << t.str(); }
  friend void to_json(Json& j, const SharedText& t) { j = t.str(); }
  friend void from_json(const Json& j, SharedText& t) { t = SharedText(j.get<std::string>()); }

 private:
  std::shared_ptr<const std::string> text_;  ///< null for the empty text
};

/// Facts with the values that a rule saw. Reads as a JSON object, which is made when it is first asked for.
/// Thread: any number may read, as with every value; one may write.
class SeenFacts {
 public:
  SeenFacts() = default;
  explicit SeenFacts(Json object) : json_(new Json(std::move(object))) {}
  /// For names that `owner` keeps alive; without owner the names are literals.
  explicit SeenFacts(std::shared_ptr<const void> owner, std::size_t size) : owner_(std::move(owner)) {
    list_.reserve(size);
  }
  SeenFacts(const SeenFacts& o) : list_(o.list_), owner_(o.owner_), json_(o.list_.empty() ? o.copy() : nullptr) {}
  SeenFacts(SeenFacts&& o) noexcept
      : list_(std::move(o.list_)), owner_(std::move(o.owner_)), json_(o.json_.exchange(nullptr)) {
    o.list_.clear();
  }
  SeenFacts& operator=(SeenFacts o) noexcept {
    list_.swap(o.list_);
    owner_.swap(o.owner_);
    json_ = o.json_.exchange(json_.load());
    return *this;
  }
  ~SeenFacts() { delete json_.load(std::memory_order_acquire); }

  /// Before anybody read it; each name once.
  using Value = std::variant<Json, std::string, std::vector<std::string>>;
  void add(std::string_view name, Value value) { list_.emplace_back(name, std::move(value)); }

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
  [[nodiscard]] Json made() const;
  [[nodiscard]] const Json* copy() const {
    const Json* j = json_.load(std::memory_order_acquire);
    return j ? new Json(*j) : nullptr;
  }
  std::vector<std::pair<std::string_view, Value>> list_;
  std::shared_ptr<const void> owner_;
  mutable std::atomic<const Json*> json_{nullptr};  ///< made of the list, or all there is where the list is empty
};

/// One rule that fired, blocked or nearly did. `facts` holds the facts the rule looked at with the values it saw.
struct Explanation {
  std::string rule;
  std::string stage;   ///< routing, gate, consent, audience, invoicing, deadlines
  std::string result;  ///< fired, blocked, suppressed, near
  std::string code;    ///< reason code or role it led to
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
