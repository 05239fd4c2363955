#include "core/formats/xml_plain.hpp"

#include <algorithm>
#include <array>
#include <cstring>

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
    : limits_(limits), at_(bytes.data()), end_(bytes.data() + bytes.size()) {
  document_.nodes_.reserve(std::min(bytes.size() / 40, limits.nodes) + 2);
  document_.arena_.reserve(bytes.size() / 4 + 1024);
  document_.nodes_.emplace_back();  // index 0 is "none"
  document_.names_.reserve(60);
  document_.attributes_.reserve(80);
  open_.reserve(16);
  uris_.push_back({});  // index 0 is no namespace
}

std::optional<XmlDocument> XmlPlainReader::run() {
  std::string_view all(at_, static_cast<std::size_t>(end_ - at_));
  for (std::string_view declaration :
       {R"(<?xml version="1.0" encoding="UTF-8"?>)", R"(<?xml version="1.0" encoding="utf-8"?>)"})
    if (all.starts_with(declaration)) at_ += declaration.size();
  blanks();
  if (!take('<') || !start()) return std::nullopt;
  while (!open_.empty())
    if (!content()) return std::nullopt;
  blanks();
  if (at_ != end_) return std::nullopt;
  if (all.size() > 1024 * 1024) {
    document_.nodes_.shrink_to_fit();
    document_.arena_.shrink_to_fit();
  }
  return std::move(document_);
}

bool XmlPlainReader::blanks() {
  const char *from = at_, *p = at_;
  for (; p < end_ && scan::is(*p, scan::kBlank); ++p) line_ += *p == '\n';
  at_ = p;
  return p != from;
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
    uris_.push_back(keep(uri));
  }
  scope_.push_back({prefix, id});
  ++bindings_;
  return true;
}

XmlPlainReader::Place XmlPlainReader::keep(std::string_view text) {
  Place p{static_cast<std::uint32_t>(document_.arena_.size()), static_cast<std::uint32_t>(text.size())};
  document_.arena_ += text;
  return p;
}

bool XmlPlainReader::intern(const Qualified& name, std::uint32_t uri, std::uint32_t& out) {
  auto& names = document_.names_;
  for (std::size_t slot = (name.hash ^ uri * 40503U) % slots_.size();; slot = (slot + 1) % slots_.size()) {
    if (slots_[slot] == 0) {
      if (names.size() == kMostNames) return false;
      auto local = keep(name.local);
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

/// What followed an element of this name into this depth: a guess, so that a slot may be shared.
XmlPlainReader::Followed& XmlPlainReader::guess() {
  return followed_[(last_name_ + open_.size() * 37) % followed_.size()];
}

/// What followed the element before this one last time nearly always follows it again, with the attribute that it had
/// then: such a tag is taken whole. False, and nothing is read, when it is another.
bool XmlPlainReader::usual_tag(XmlDocument::Node& node, std::string_view& name) {
  const Followed& next = guess();
  auto left = static_cast<std::size_t>(end_ - at_), size = next.whole.size();
  if (size == 0 || next.bindings != bindings_ || left <= size || !scan::same(at_, next.whole.data(), size))
    return false;
  const char* p = at_ + size;
  std::string_view value;
  std::uint32_t attribute = 0;
  bool has = *p != '>';
  if (has) {
    if (next.name >= kMostGuessed) return false;
    const Led& led = led_[next.name];
    auto lead = led.whole.size();
    if (lead == 0 || led.bindings != bindings_ || left - size <= lead || !scan::same(p, led.whole.data(), lead))
      return false;
    const char* from = p += lead;
    while (p < end_ && scan::is(*p, scan::kValue)) ++p;
    if (end_ - p < 2 || p[0] != '"' || p[1] != '>') return false;
    value = {from, static_cast<std::size_t>(p - from)};
    if (value.size() > kLongestText || limits_.attributes_per_element < 1) return false;
    attribute = led.name;
    ++p;
  }
  node.name = next.name;
  node.attribute = static_cast<std::uint32_t>(document_.attributes_.size());
  if (has) {
    node.attributes = 1;
    auto kept = keep(value);
    document_.attributes_.push_back({attribute, kept.at, kept.size});
  }
  name = next.whole;
  at_ = p + 1;
  return true;
}

/// A start tag, behind its '<'.
bool XmlPlainReader::start() {
  if (open_.size() >= static_cast<std::size_t>(limits_.depth)) return false;
  XmlDocument::Node node;
  node.line = line_;
  Qualified name;
  if (usual_tag(node, name.whole)) return begin(node, name.whole, scope_.size(), false);
  if (!qualified(name)) return false;
  auto& attributes = attributes_;
  std::size_t count = 0, all = 0, scope_before = scope_.size();
  bool empty = false;
  const char *led_from = at_, *led_to = at_;
  while (true) {
    bool apart = blanks();
    if (at_ == end_) return false;
    if (take('>')) break;
    if (take('/')) {
      if (!take('>')) return false;
      empty = true;
      break;
    }
    Qualified a;
    if (!apart || ++all > std::min(kMostAttributes, static_cast<std::size_t>(limits_.attributes_per_element)) ||
        !qualified(a) || !take('=') || at_ == end_)
      return false;
    char quote = *at_++;
    if (quote != '"' && quote != '\'') return false;
    const char* from = at_;
    if (all == 1) led_to = from;
    const char other = quote == '"' ? '\'' : '"', *p = from;
    while (p < end_ && (scan::is(*p, scan::kValue) || *p == other)) ++p;
    at_ = p;
    std::string_view value(from, static_cast<std::size_t>(at_ - from));
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
  if (!uri || !intern(name, *uri, node.name)) return false;
  guess() = {name.whole, node.name, bindings_};
  node.line = line_;
  node.attribute = static_cast<std::uint32_t>(document_.attributes_.size());
  node.attributes = static_cast<std::uint32_t>(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto& a = attributes[i];
    // An attribute without prefix has no namespace, whatever the default is.
    auto ns = a.name.prefix.empty() ? std::optional<std::uint32_t>(0) : bound(a.name.prefix);
    XmlDocument::Attr attr;
    if (!ns || !intern(a.name, *ns, attr.name)) return false;
    auto value = keep(a.value);
    attr.value = value.at, attr.value_size = value.size;
    document_.attributes_.push_back(attr);
    // Behind one blank, with double quotes and no declaration beside it.
    if (count == 1 && all == 1 && led_to[-1] == '"' && node.name < kMostGuessed && *led_from == ' ' &&
        scan::is(led_from[1], scan::kNameStart))
      led_[node.name] = {{led_from, static_cast<std::size_t>(led_to - led_from)}, attr.name, bindings_};
  }
  return begin(node, name.whole, scope_before, empty);
}

bool XmlPlainReader::begin(XmlDocument::Node node, std::string_view name, std::size_t scope_before, bool empty) {
  if (document_.nodes_.size() + document_.attributes_.size() > limits_.nodes) return false;
  auto index = static_cast<std::uint32_t>(document_.nodes_.size());
  last_name_ = node.name;
  if (!open_.empty()) {
    auto& parent = open_.back();
    node.parent = parent.node;
    (parent.last_child ? document_.nodes_[parent.last_child].next : document_.nodes_[parent.node].child) = index;
    parent.last_child = index;
  }
  document_.nodes_.push_back(node);
  if (empty)
    leave(scope_before);
  else
    open_.push_back({name, index, 0, scope_before});
  return true;
}

void XmlPlainReader::leave(std::size_t scope) {
  if (scope_.size() == scope) return;
  scope_.resize(scope);
  ++bindings_;
}

/// Text up to the next tag, and that tag.
bool XmlPlainReader::content() {
  const char *from = at_, *p = at_;
  bool as_is = true;
  // White space first: between elements there is nothing else. A reader makes one line feed of \r\n; a bare carriage
  // return is not plain.
  for (; p < end_ && scan::is(*p, scan::kBlank); ++p) {
    if (*p == '\n') {
      ++line_;
      p = scan::behind_blanks(p + 1, end_) - 1;
      continue;
    }
    if (*p != '\r') continue;
    if (p + 1 == end_ || p[1] != '\n') return false;
    as_is = false;
  }
  bool blank = p == end_ || *p == '<';
  for (; p < end_ && *p != '<'; ++p) {
    if (scan::is(*p, scan::kOrdinary)) {
      if (p - from >= scan::kBlock) p = scan::behind_ordinary(p, end_) - 1;
      continue;
    }
    if (*p == '\n') {
      ++line_;
    } else if (*p == '\r') {
      if (p + 1 == end_ || p[1] != '\n') return false;
      as_is = false;
    } else if (*p == '&') {
      as_is = false;
    } else if (end_ - p > 2 && p[1] == ']' && p[2] == '>') {
      return false;
    }
  }
  at_ = p;
  std::string_view text(from, static_cast<std::size_t>(at_ - from));
  if (end_ - at_ < 2 || text.size() > kLongestText) return false;
  ++at_;
  auto& element = open_.back();
  if (*at_ != '/') return blank && start();
  ++at_;
  if (element.last_child == 0) {
    if (!text.empty() && !store(document_.nodes_[element.node], text, as_is)) return false;
  } else if (!blank) {
    return false;
  }
  if (static_cast<std::size_t>(end_ - at_) < element.name.size() ||
      !scan::same(at_, element.name.data(), element.name.size()))
    return false;
  at_ += element.name.size();
  if (!take('>') && (!blanks() || !take('>'))) return false;
  if (scope_.size() != element.scope) leave(element.scope);
  open_.pop_back();
  return true;
}

bool XmlPlainReader::store(XmlDocument::Node& node, std::string_view text, bool as_is) {
  auto& arena = document_.arena_;
  node.text = static_cast<std::uint32_t>(arena.size());
  if (as_is) {
    arena += text;
  } else {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\r') continue;
      if (text[i] != '&') {
        arena += text[i];
        continue;
      }
      static constexpr std::array<std::pair<std::string_view, char>, 5> kEntities{
          {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}}};
      auto known = std::ranges::find_if(kEntities, [&](const auto& e) { return text.substr(i).starts_with(e.first); });
      if (known == kEntities.end()) return false;
      arena += known->second;
      i += known->first.size() - 1;
    }
  }
  node.text_size = static_cast<std::uint32_t>(arena.size() - node.text);
  return true;
}

}  // namespace schakel::formats
