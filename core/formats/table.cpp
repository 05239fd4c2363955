#include "core/formats/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/formats/values.hpp"

namespace schakel::formats {
namespace {

constexpr std::string_view kXsi = "http://www.w3.org/2001/XMLSchema-instance";

class Checker {
 public:
  Checker(std::size_t limit, std::size_t names) : limit_(limit), known_(names) {}

  void element(const XmlElement& e, const ElementRule& rule) {
    attributes(e, rule);
    if (!rule.children.empty())
      children(e, rule);
    else if (!rule.type && rule.knows)
      unread(e, rule);
    else
      value(e, rule);
  }

  std::vector<Finding> take() && { return std::move(findings_); }

 private:
  [[nodiscard]] bool full() const { return findings_.size() > limit_; }

  /// Apart, so that nothing of it stands in the way of an element that keeps its rules.
  template <class... Args>
  [[gnu::cold, gnu::noinline]] void add(const XmlElement& e, std::string_view code, std::string_view rule,
                                        fmt::format_string<Args...> text, Args... args) {
    if (findings_.size() < limit_)
      findings_.push_back(
          {e.path(), std::string(code), fmt::vformat(text, fmt::make_format_args(args...)), std::string(rule)});
    else if (findings_.size() == limit_)
      findings_.push_back({"", "FINDINGS_TRUNCATED", fmt::format("only the first {} findings are listed", limit_), ""});
  }

  void attributes(const XmlElement& e, const ElementRule& rule) {
    const auto count = e.attribute_count();
    if (count == 0 && rule.attributes.empty()) return;
    std::uint64_t seen = 0;  // no rule of ours has so many
    for (std::size_t i = 0; i < count; ++i) {
      auto a = e.attribute_at(i);
      if (a.ns == kXsi && (a.local == "schemaLocation" || a.local == "noNamespaceSchemaLocation")) continue;
      auto known = std::ranges::find_if(rule.attributes,
                                        [&](const AttributeRule& r) { return a.ns.empty() && r.name == a.local; });
      if (known == rule.attributes.end()) {
        if (!rule.open) add(e, "XML_ATTRIBUTE_UNKNOWN", rule.rule, "an attribute that this element does not have");
        continue;
      }
      seen |= std::uint64_t{1} << (known - rule.attributes.begin());
      if (!known->codes.empty() && std::ranges::find(known->codes, a.value) == known->codes.end())
        add(e, "XML_VALUE_CODE", rule.rule, "attribute {} is not in its code list", known->name);
    }
    for (std::size_t i = 0; i < rule.attributes.size(); ++i)
      if (rule.attributes[i].required && (seen >> i & 1) == 0)
        add(e, "XML_ATTRIBUTE_MISSING", rule.rule, "attribute {} is required", rule.attributes[i].name);
  }

  void children(const XmlElement& e, const ElementRule& rule) {
    if (!e.text().empty()) add(e, "XML_TEXT_UNEXPECTED", rule.rule, "text between elements");
    auto rules = rule.children;
    std::array<unsigned, 64> few{};
    std::vector<unsigned> many(rules.size() > few.size() ? rules.size() : 0);
    std::span<unsigned> seen = many.empty() ? std::span(few).first(rules.size()) : std::span(many);
    std::size_t at = 0;
    for (XmlElement c : e.children()) {
      if (full()) return;
      const auto found = rule_of(c, rules, at);
      if (found == rules.size()) {
        if (!rule.open || (rule.knows && !rule.knows(e, c)))
          // With `knows` no rule of the model is about it.
          add(c, "XML_ELEMENT_UNKNOWN", rule.knows ? std::string_view{} : rule.rule, "an element that {} does not have",
              rule.name);
        else if (rule.knows)
          unread(c, rule);
        continue;
      }
      const auto& r = rules[found];
      if (found < at)
        add(c, "XML_ELEMENT_ORDER", r.rule, "{} stands after {}", r.name, rules[at].name);
      else
        at = found;
      if (seen[found]++ == r.max) add(c, "XML_ELEMENT_REPEATED", r.rule, "{} may occur {} time(s)", r.name, r.max);
      element(c, r);
    }
    for (std::size_t i = 0; i < rules.size(); ++i)
      if (seen[i] < rules[i].min) add(e, "XML_ELEMENT_MISSING", rules[i].rule, "{} is required", rules[i].name);
  }

  /// The place among `rules` of the one with this name. Nearly always it is the last one or the next, so the search
  /// starts there; a name that was found to be the same once is not compared again.
  std::size_t rule_of(const XmlElement& c, std::span<const ElementRule> rules, std::size_t from) {
    const ElementRule*& known = known_[c.name_id()];
    for (std::size_t k = 0, i = from; k < rules.size(); ++k, i = i + 1 == rules.size() ? 0 : i + 1) {
      const auto& r = rules[i];
      if (known && known->name.data() == r.name.data() && known->ns.data() == r.ns.data()) return i;
      if (known && known->name.size() != r.name.size()) continue;
      if (!c.is(r.ns, r.name)) continue;
      known = &r;
      return i;
    }
    return rules.size();
  }

  /// What is passed over is at least of the format.
  void unread(const XmlElement& e, const ElementRule& rule) {
    for (XmlElement c : e.children()) {
      if (full()) return;
      if (rule.knows(e, c))
        unread(c, rule);
      else
        add(c, "XML_ELEMENT_UNKNOWN", "", "an element that {} does not have", e.local());
    }
  }

  void value(const XmlElement& e, const ElementRule& rule) {
    if (!rule.type) return;
    const auto& t = *rule.type;
    auto id = rule.rule;
    if (e.first_child()) return add(e, "XML_ELEMENT_UNKNOWN", id, "{} holds text only", rule.name);
    auto text = t.kind == ValueKind::text ? e.text() : collapse(e.text());
    if (text.empty() || (text.front() <= ' ' && collapse(text).empty()))
      return add(e, "XML_ELEMENT_EMPTY", id, "{} is empty", rule.name);
    switch (t.kind) {
      case ValueKind::text: {
        // No text has more characters than bytes, or fewer than a quarter of them.
        if (text.size() <= t.max_length && (text.size() + 3) / 4 >= t.min_length) break;
        auto n = characters(text);
        if (n < t.min_length || n > t.max_length)
          return add(e, "XML_VALUE_LENGTH", id, "{} has the wrong length ({})", rule.name, t.name);
        break;
      }
      case ValueKind::integer: {
        auto digits = text.starts_with('+') ? text.substr(1) : text;
        std::int64_t v = 0;
        auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), v);
        if (error == std::errc::result_out_of_range)
          return add(e, "XML_VALUE_RANGE", id, "{} is out of range ({})", rule.name, t.name);
        if (error != std::errc{} || end != digits.data() + digits.size() || digits.starts_with("+"))
          return add(e, "XML_VALUE_TYPE", id, "{} is not a whole number", rule.name);
        if (v < t.min || v > t.max) return add(e, "XML_VALUE_RANGE", id, "{} is out of range ({})", rule.name, t.name);
        break;
      }
      case ValueKind::decimal: {
        auto digits = text.starts_with('-') || text.starts_with('+') ? text.substr(1) : text;
        auto dots = std::ranges::count(digits, '.');
        if (dots > 1 || digits.size() == static_cast<std::size_t>(dots) ||
            !std::ranges::all_of(digits, [](char c) { return c == '.' || (c >= '0' && c <= '9'); }))
          return add(e, "XML_VALUE_TYPE", id, "{} is not a decimal number", rule.name);
        break;
      }
      case ValueKind::date:
        if (!parse_date(text)) return add(e, "XML_VALUE_TYPE", id, "{} is not a date without time zone", rule.name);
        break;
      case ValueKind::date_time:
        if (!parse_instant_like(text)) return add(e, "XML_VALUE_TYPE", id, "{} is not a date and time", rule.name);
        break;
      case ValueKind::boolean:
        if (text != "true" && text != "false" && text != "0" && text != "1")
          return add(e, "XML_VALUE_TYPE", id, "{} is not true or false", rule.name);
        break;
    }
    if (!t.codes.empty() && std::ranges::find(t.codes, text) == t.codes.end())
      return add(e, "XML_VALUE_CODE", id, "{} is not in its code list ({})", rule.name, t.name);
    if (t.matches && !t.matches(text))
      add(e, "XML_VALUE_PATTERN", id, "{} does not have the form of {}", rule.name, t.name);
  }

  static bool parse_instant_like(std::string_view t) {
    return t.size() >= 19 && parse_date(t.substr(0, 10)) && t[10] == 'T' && all_digits(t.substr(11, 2)) &&
           t[13] == ':' && all_digits(t.substr(14, 2)) && t[16] == ':' && all_digits(t.substr(17, 2));
  }

  std::size_t limit_;
  std::vector<const ElementRule*> known_;  ///< by name_id: a rule of this name
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> check_table(const XmlElement& element, const ElementRule& rule, std::size_t max_findings) {
  Checker checker(max_findings, element.name_count());
  checker.element(element, rule);
  return std::move(checker).take();
}

}  // namespace schakel::formats
