#include "core/formats/xml_plain.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "core/formats/xml_scan.hpp"

namespace schakel::formats {
namespace {

constexpr std::size_t kLongestName = 100, kLongestText = 1024 * 1024;

/// A namespace that libxml2 takes as a URI without a word: urn:a:b-c or http://host/path#.
bool plain_uri(std::string_view uri) {
  if (uri.starts_with("http://www.w3.org/XML/") || uri.starts_with("http://www.w3.org/2000/xmlns")) return false;
  bool urn = uri.starts_with("urn:"), http = uri.starts_with("http://");
  if (!urn && !http) return false;
  uri.remove_prefix(urn ? 4 : 7);
  if (!uri.empty() && uri.back() == '#') uri.remove_suffix(1);
  return !uri.empty() && scan::is(uri.front(), scan::kNameStart) && std::ranges::all_of(uri, [&](char c) {
    return scan::is(c, scan::kUri) || (urn && c == ':') || (http && c == '/');
  });
}

}  // namespace

XmlPlainReader::XmlPlainReader(std::string_view bytes, const XmlLimits& limits)
    : limits_(limits), begin_(bytes.data()), at_(begin_), end_(begin_ + bytes.size()) {
  document_.nodes_.reserve(std::min(bytes.size() / 40, limits.nodes) + 2);
  document_.nodes_.emplace_back();  // index 0 is "none"
  document_.names_.reserve(60);
  document_.attributes_.reserve(80);
  open_.reserve(16);
  uris_.push_back({});  // index 0 is no namespace
}

bool XmlPlainReader::blanks() {
  const char* from = std::exchange(at_, scan::behind_blanks(at_, end_, line_));
  return at_ != from;
}

bool XmlPlainReader::take(char c) {
  if (at_ == end_ || *at_ != c) return false;
  ++at_;
  return true;
}

/// name or prefix:name, both plain.
bool XmlPlainReader::qualified(Qualified& out) {
  const char* from = at_;
  out.prefix = {};
  while (true) {
    const char *part = at_, *p = at_;
    if (p == end_ || !scan::is(*p, scan::kNameStart)) return false;
    while (p < end_ && scan::is(*p, scan::kNameRest)) ++p;
    at_ = p;
    auto size = static_cast<std::size_t>(at_ - part);
    if (size > kLongestName || at_ == end_) return false;
    if (*at_ == ':' && part == from) {
      out.prefix = {part, size};
      ++at_;
      continue;
    }
    out.local = {part, size};
    std::uint64_t head = 0, tail = 0;
    std::memcpy(&head, part, std::min<std::size_t>(size, 8));
    if (size > 8) std::memcpy(&tail, part + size - 8, 8);
    auto mixed = (head ^ (tail + size) * 0x9E3779B97F4A7C15ULL) * 0xD6E8FEB86659FD93ULL;
    out.hash = static_cast<std::uint32_t>(mixed >> 32);
    out.whole = {from, static_cast<std::size_t>(at_ - from)};
    return *at_ != ':';
  }
}

/// The namespace of a prefix here; nullopt when it is not declared. The default namespace need not be.
std::optional<std::uint32_t> XmlPlainReader::bound(std::string_view prefix) const {
  for (std::size_t i = scope_.size(); i-- > 0;)
    if (scope_[i].prefix == prefix) return scope_[i].uri;
  return prefix.empty() ? std::optional<std::uint32_t>(0) : std::nullopt;
}

bool XmlPlainReader::declare(std::string_view prefix, std::string_view uri, std::size_t scope_before) {
  if (prefix.starts_with("xml") || !plain_uri(uri)) return false;
  for (std::size_t i = scope_before; i < scope_.size(); ++i)
    if (scope_[i].prefix == prefix) return false;
  std::uint32_t id = 1;
  while (id < uris_.size() && document_.view(uris_[id].at, uris_[id].size) != uri) ++id;
  if (id == uris_.size()) {
    // No program writes so many; each would be looked for among all before it.
    if (id == kMostUris) return false;
    uris_.push_back(place(uri));
  }
  scope_.push_back({prefix, id});
  ++bindings_;
  return true;
}

XmlPlainReader::Place XmlPlainReader::place(std::string_view part) const {
  return {static_cast<std::uint32_t>(part.data() - begin_), static_cast<std::uint32_t>(part.size())};
}

bool XmlPlainReader::intern(const Qualified& name, std::uint32_t uri, std::uint32_t& out) {
  auto& names = document_.names_;
  for (std::size_t slot = (name.hash ^ uri * 40503U) % slots_.size();; slot = (slot + 1) % slots_.size()) {
    if (slots_[slot] == 0) {
      if (names.size() == kMostNames) return false;
      auto local = place(name.local);
      names.push_back({uris_[uri].at, uris_[uri].size, local.at, local.size});
      slots_[slot] = static_cast<std::uint16_t>(names.size());
      out = static_cast<std::uint32_t>(names.size() - 1);
      return true;
    }
    const auto& known = names[slots_[slot] - 1U];
    if (known.ns == uris_[uri].at && known.ns_size == uris_[uri].size &&
        document_.view(known.local, known.local_size) == name.local) {
      out = slots_[slot] - 1U;
      return true;
    }
  }
}

/// Where it is kept what follows an element of this name into this depth. A guess: depths share a place.
XmlPlainReader::Usual* XmlPlainReader::usual() {
  return last_name_ < kMostUsual ? &usual_[last_name_][open_.size() % usual_[0].size()] : nullptr;
}

/// What followed the element before this one last time nearly always follows it again, with the attribute that it had
/// then: such a tag is taken whole, with the blanks before it. False, and nothing is read, when it is another.
bool XmlPlainReader::usual_tag(Tag& tag) {
  const Usual* known = usual();
  if (!known || known->bindings != bindings_) return false;
  const Usual& next = *known;
  const auto left = static_cast<std::size_t>(end_ - at_), size = std::size_t{next.size};
  if (left < size || !scan::same(at_, begin_ + next.at, size)) return false;
  const char* p = at_ + size;
  if (next.has_attribute) {
    const char* from = p;
    while (p < end_ && scan::is(*p, scan::kValue)) ++p;
    if (end_ - p < 2 || p[0] != '"' || p[1] != '>') return false;
    auto value = place({from, static_cast<std::size_t>(p - from)});
    if (value.size > kLongestText) return false;
    document_.attributes_.push_back({next.attribute, value.at, value.size});
    p += 2;
  }
  tag = {{begin_ + next.at + next.name_at, next.name_size}, next.name, next.has_attribute ? 1U : 0U};
  at_ = p;
  line_ += next.lines;
  return true;
}

void XmlPlainReader::leave(std::size_t scope) {
  if (scope_.size() == scope) return;
  scope_.resize(scope);
  ++bindings_;
}

/// The element whose start tag ends here.
bool XmlPlainReader::begin(const Tag& tag, std::size_t scope_before) {
  auto& nodes = document_.nodes_;
  const auto index = nodes.size(), attributes = document_.attributes_.size();
  if (index + attributes > limits_.nodes || open_.size() >= static_cast<std::size_t>(limits_.depth)) return false;
  const auto own = static_cast<std::uint32_t>(index);
  auto& node = nodes.emplace_back();
  if (!open_.empty()) {
    // Elements are in the order of the document: the one before is the parent, or the sibling that was closed last.
    node.parent = open_.back().node;
    if (closed_ == 0)
      nodes[node.parent].has_child = 1;
    else
      nodes[closed_].next = own;
  }
  node.name = last_name_ = tag.name;
  node.attributes = tag.attributes;
  node.attribute = static_cast<std::uint32_t>(attributes) - tag.attributes;
  node.line = line_;
  if (tag.empty) {
    closed_ = own;
    leave(scope_before);
  } else if (scope_.size() == scope_before && leaf(tag.whole)) {
    closed_ = own;
  } else {
    closed_ = 0;
    open_.push_back({tag.whole, own, static_cast<std::uint32_t>(scope_before)});
  }
  return true;
}

/// A start tag, behind its '<'. The blanks before it begin at `from`, on line `line`.
bool XmlPlainReader::start(const char* from, std::int32_t line) {
  Tag tag;
  Qualified name;
  if (!qualified(name)) return false;
  auto& attributes = attributes_;
  std::size_t count = 0, all = 0, scope_before = scope_.size();
  const char* value_from = nullptr;
  while (true) {
    bool apart = blanks();
    if (at_ == end_) return false;
    if (take('>')) break;
    if (take('/')) {
      if (!take('>')) return false;
      tag.empty = true;
      break;
    }
    Qualified a;
    if (!apart || ++all > std::min(kMostAttributes, static_cast<std::size_t>(limits_.attributes_per_element)) ||
        !qualified(a) || !take('=') || at_ == end_)
      return false;
    char quote = *at_++;
    if (quote != '"' && quote != '\'') return false;
    value_from = at_;
    const char other = quote == '"' ? '\'' : '"', *p = at_;
    while (p < end_ && (scan::is(*p, scan::kValue) || *p == other)) ++p;
    at_ = p;
    std::string_view value(value_from, static_cast<std::size_t>(at_ - value_from));
    if (!take(quote) || value.size() > kLongestText) return false;
    if (a.prefix == "xmlns" || (a.prefix.empty() && a.local == "xmlns")) {
      if (!declare(a.prefix.empty() ? std::string_view{} : a.local, value, scope_before)) return false;
      continue;
    }
    for (std::size_t i = 0; i < count; ++i)
      if (attributes[i].name.local == a.local) return false;
    attributes[count++] = {a, value};
  }
  auto uri = bound(name.prefix);
  if (!uri || !intern(name, *uri, tag.name)) return false;
  tag.whole = name.whole;
  tag.attributes = static_cast<std::uint32_t>(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto& a = attributes[i];
    // An attribute without prefix has no namespace, whatever the default is.
    auto ns = a.name.prefix.empty() ? std::optional<std::uint32_t>(0) : bound(a.name.prefix);
    XmlDocument::Attr attr;
    if (!ns || !intern(a.name, *ns, attr.name)) return false;
    auto value = place(a.value);
    attr.value = value.at, attr.value_size = value.size;
    document_.attributes_.push_back(attr);
  }
  // Remembered when it has no more than one attribute, in double quotes and right before its end.
  const char* behind = all == 0 ? at_ : value_from;
  bool short_one = behind - from <= static_cast<std::ptrdiff_t>(kLongestUsual);
  if (!tag.empty && all == count && count < 2 && short_one && (count == 0 || (behind[-1] == '"' && at_[-2] == '"')))
    if (Usual* next = usual())
      *next = {static_cast<std::uint32_t>(from - begin_),
               bindings_,
               static_cast<std::uint16_t>(tag.name),
               static_cast<std::uint16_t>(count == 0 ? 0 : document_.attributes_.back().name),
               static_cast<std::uint8_t>(behind - from),
               static_cast<std::uint8_t>(line_ - line),
               static_cast<std::uint8_t>(name.whole.data() - from),
               static_cast<std::uint8_t>(name.whole.size()),
               count == 1};
  return begin(tag, scope_before);
}

/// An end tag, at its '/'.
bool XmlPlainReader::end() {
  ++at_;
  const auto& element = open_.back();
  const auto size = element.name.size();
  if (static_cast<std::size_t>(end_ - at_) < size || !scan::same(at_, element.name.data(), size)) return false;
  at_ += size;
  if (!take('>') && (!blanks() || !take('>'))) return false;
  leave(element.scope);
  closed_ = element.node;
  open_.pop_back();
  return true;
}

/// Writes what a text stands for over it in the arena, as that is never longer.
bool XmlPlainReader::unescape(std::string_view text, Place& kept) {
  static constexpr std::array<std::pair<std::string_view, char>, 5> kEntities{
      {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}}};
  char *const first = document_.arena_.data() + kept.at, *to = first;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r') continue;
    if (text[i] != '&') {
      *to++ = text[i];
      continue;
    }
    auto known = std::ranges::find_if(kEntities, [&](const auto& e) { return text.substr(i).starts_with(e.first); });
    if (known == kEntities.end()) return false;
    *to++ = known->second;
    i += known->first.size() - 1;
  }
  kept.size = static_cast<std::uint32_t>(to - first);
  return true;
}

/// The text of the last element.
bool XmlPlainReader::store(std::string_view text) {
  if (text.size() > kLongestText) return false;
  auto kept = place(text);
  const bool as_is = (!references_ || text.find('&') == std::string_view::npos) &&
                     (!returns_ || text.find('\r') == std::string_view::npos);
  if (!as_is && !unescape(text, kept)) return false;
  auto& node = document_.nodes_.back();
  node.text = kept.at, node.text_size = kept.size;
  for (auto at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) ++line_;
  return true;
}

/// The text of the last element and its end tag, when nothing else stands there. False, and nothing is read, otherwise.
bool XmlPlainReader::leaf(std::string_view name) {
  const char* tag = scan::next(at_, end_, '<');
  std::string_view text(at_, static_cast<std::size_t>(tag - at_));
  if (static_cast<std::size_t>(end_ - tag) < name.size() + 3 || tag[1] != '/' ||
      !scan::same(tag + 2, name.data(), name.size()) || tag[2 + name.size()] != '>' || !store(text))
    return false;
  at_ = tag + 3 + name.size();
  return true;
}

/// Text up to the next tag, and that tag. Between elements stands white space only, and it is no text.
bool XmlPlainReader::content() {
  Tag next;
  if (usual_tag(next)) return begin(next, scope_.size());
  const char *from = at_, *tag = scan::next(from, end_, '<');
  std::string_view text(from, static_cast<std::size_t>(tag - from));
  if (end_ - tag < 2) return false;
  at_ = tag + 1;
  const bool ends = *at_ == '/';
  const auto line = line_;
  if (ends && closed_ == 0) {
    if (!store(text)) return false;
  } else if (!scan::blank(from, tag, line_)) {
    return false;
  }
  return ends ? end() : start(from, line);
}

std::optional<XmlDocument> XmlPlainReader::run() {
  std::string_view all(begin_, static_cast<std::size_t>(end_ - begin_));
  // Looked for once in all of it, so that no text is searched for what nearly no document has.
  if (all.find("]]>") != std::string_view::npos) return std::nullopt;
  references_ = all.find('&') != std::string_view::npos;
  // A reader makes one line feed of \r\n; a bare carriage return is not plain.
  for (auto at = all.find('\r'); at != std::string_view::npos; at = all.find('\r', at + 1)) {
    if (!all.substr(at).starts_with("\r\n")) return std::nullopt;
    returns_ = true;
  }
  document_.arena_ = all;
  for (std::string_view declaration :
       {R"(<?xml version="1.0" encoding="UTF-8"?>)", R"(<?xml version="1.0" encoding="utf-8"?>)"})
    if (all.starts_with(declaration)) at_ += declaration.size();
  blanks();
  if (!take('<') || !start(at_ - 1, line_)) return std::nullopt;
  while (!open_.empty())
    if (!content()) return std::nullopt;
  blanks();
  if (at_ != end_) return std::nullopt;
  if (all.size() > 1024 * 1024) document_.nodes_.shrink_to_fit();
  return std::move(document_);
}

}  // namespace schakel::formats
