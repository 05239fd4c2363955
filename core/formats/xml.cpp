#include "core/formats/xml.hpp"

#include <fmt/format.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <unordered_map>

#include "core/base/assert.hpp"
#include "core/formats/xml_plain.hpp"

namespace schakel::formats {

// --- handles
// -----------------------------------------------------------------------------------------------------------

XmlElement XmlElement::child(std::string_view ns, std::string_view local) const {
  if (!document_) return {};
  for (auto i = document_->child_of(index_); i != XmlDocument::kNone; i = document_->node(i).next) {
    const auto& name = document_->name(document_->node(i).name);
    // Sizes first: they tell nearly all names apart.
    if (name.local_size == local.size() && name.ns_size == ns.size() &&
        document_->view(name.local, name.local_size) == local && document_->view(name.ns, name.ns_size) == ns)
      return {document_, i};
  }
  return {};
}

std::vector<XmlElement::Attribute> XmlElement::attributes() const {
  std::vector<Attribute> out;
  for (std::size_t i = 0; i < attribute_count(); ++i) out.push_back(attribute_at(i));
  return out;
}
std::optional<std::string_view> XmlElement::attribute(std::string_view local, std::string_view ns) const {
  if (!document_) return std::nullopt;
  const auto& n = document_->node(index_);
  for (auto i = n.attribute; i < n.attribute + n.attributes; ++i) {
    const auto& a = document_->attribute(i);
    const auto& name = document_->name(a.name);
    if (document_->view(name.local, name.local_size) == local && document_->view(name.ns, name.ns_size) == ns)
      return document_->view(a.value, a.value_size);
  }
  return std::nullopt;
}
std::string XmlElement::path() const {
  std::string out;
  for (auto e = *this; e; e = e.parent()) {
    int before = 0, all = 0;
    for (auto s = e.parent().first_child(); s; s = s.next_sibling()) {
      if (!s.is(e.ns(), e.local())) continue;
      if (s == e) before = all;
      ++all;
    }
    out.insert(0, all > 1 ? fmt::format("/{}[{}]", e.local(), before + 1) : fmt::format("/{}", e.local()));
  }
  return fmt::format("{}:{}", out, line());
}

// --- building
// ----------------------------------------------------------------------------------------------------------

namespace {
bool blank(std::string_view s) { return s.find_first_not_of(" \t\r\n") == std::string_view::npos; }
std::string_view view_of(const xmlChar* s) {
  return s ? std::string_view(reinterpret_cast<const char*>(s)) : std::string_view{};
}
}  // namespace

/// Receives libxml2's SAX2 events. Names are interned by pointer, since libxml2 keeps them in its dictionary while it
/// parses.
class XmlBuilder {
 public:
  explicit XmlBuilder(const XmlLimits& limits, std::size_t bytes) : limits_(limits) {
    document_.nodes_.reserve(bytes / 64 + 2);
    document_.arena_.reserve(bytes / 8);
    document_.nodes_.emplace_back();  // index 0 is "none"
    texts_.resize(static_cast<std::size_t>(limits.depth) + 1);
  }

  Result<XmlDocument> run(std::string_view bytes) {
    xmlInitParser();
    std::unique_ptr<xmlParserCtxt, decltype(&xmlFreeParserCtxt)> context(
        xmlCreateMemoryParserCtxt(bytes.data(), static_cast<int>(bytes.size())), &xmlFreeParserCtxt);
    if (!context) return fail(ErrorKind::invalid, "XML_SYNTAX", "there is no document");
    context_ = context.get();
    // NOENT, since libxml2 otherwise leaves &amp; in attributes as &#38;. No other entity can exist: screen_xml let no
    // declaration through, internalSubset stops on one, and getEntity knows the predefined five only.
    xmlCtxtUseOptions(context_, XML_PARSE_NONET | XML_PARSE_NOENT);
    xmlSAXHandler sax{};
    sax.initialized = XML_SAX2_MAGIC;
    sax.startElementNs = &start;
    sax.endElementNs = &end;
    sax.characters = &characters;
    sax.cdataBlock = &characters;
    sax.ignorableWhitespace = &characters;
    sax.getEntity = [](void*, const xmlChar* name) { return xmlGetPredefinedEntity(name); };
    sax.internalSubset = [](void* self, const xmlChar*, const xmlChar*, const xmlChar*) {
      static_cast<XmlBuilder*>(self)->stop("XML_DTD", "a document type declaration is not allowed");
    };
    sax.serror = &on_error;
    auto* original = context_->sax;
    context_->sax = &sax;
    context_->userData = this;
    xmlParseDocument(context_);
    context_->sax = original;
    if (!error_.code.empty()) return fail(std::move(error_));
    if (!context_->wellFormed || open_ != 0 || document_.nodes_.size() < 2)
      return fail(ErrorKind::invalid, "XML_SYNTAX", "not a well-formed document");
    if (!context_->nsWellFormed) return fail(ErrorKind::invalid, "XML_NAMESPACE", "a prefix is not declared");
    if (bytes.size() > 1024 * 1024) {
      document_.nodes_.shrink_to_fit();
      document_.arena_.shrink_to_fit();
    }
    return std::move(document_);
  }

 private:
  static void start(void* self, const xmlChar* local, const xmlChar*, const xmlChar* uri, int, const xmlChar**,
                    int attributes, int, const xmlChar** values) noexcept {
    static_cast<XmlBuilder*>(self)->on_start(local, uri, attributes, values);
  }
  static void end(void* self, const xmlChar*, const xmlChar*, const xmlChar*) noexcept {
    static_cast<XmlBuilder*>(self)->on_end();
  }
  static void characters(void* self, const xmlChar* text, int size) noexcept {
    auto* b = static_cast<XmlBuilder*>(self);
    if (b->open_ > 0)
      b->texts_[static_cast<std::size_t>(b->open_)].append(reinterpret_cast<const char*>(text),
                                                           static_cast<std::size_t>(size));
  }
  static void on_error(void* self, xmlErrorPtr e) {
    auto* b = static_cast<XmlBuilder*>(self);
    if (e->level < XML_ERR_ERROR || !b->error_.code.empty()) return;
    // libxml2's own text quotes the input, so only its number and place are passed on.
    if (e->domain == XML_FROM_NAMESPACE)
      b->stop("XML_NAMESPACE", fmt::format("line {}: a namespace prefix is not declared or not allowed", e->line));
    else
      b->stop("XML_SYNTAX", fmt::format("line {}, column {}: not well-formed (libxml2 {})", e->line, e->int2, e->code));
  }

  void stop(std::string code, std::string message) {
    if (error_.code.empty()) error_ = Error{ErrorKind::invalid, std::move(code), std::move(message)};
    xmlStopParser(context_);
  }

  std::uint32_t name(const xmlChar* uri, const xmlChar* local) {
    auto [at, fresh] = interned_.try_emplace({uri, local}, static_cast<std::uint32_t>(document_.names_.size()));
    if (fresh) {
      auto ns = view_of(uri), own = view_of(local);
      auto place = static_cast<std::uint32_t>(document_.arena_.size()), size = static_cast<std::uint32_t>(ns.size());
      document_.names_.push_back({place, size, place + size, static_cast<std::uint32_t>(own.size())});
      document_.arena_.append(ns).append(own);
    }
    return at->second;
  }

  void on_start(const xmlChar* local, const xmlChar* uri, int attributes, const xmlChar** values) {
    if (!error_.code.empty()) return;
    if (open_ >= limits_.depth)
      return stop("XML_DEPTH", fmt::format("elements are nested deeper than {}", limits_.depth));
    if (document_.nodes_.size() + document_.attributes_.size() + static_cast<std::size_t>(attributes) > limits_.nodes)
      return stop("XML_NODES", "the document has too many elements");
    auto index = static_cast<std::uint32_t>(document_.nodes_.size());
    auto& node = document_.nodes_.emplace_back();
    node.name = name(uri, local);
    node.parent = current_;
    node.line = xmlSAX2GetLineNumber(context_);
    node.attribute = static_cast<std::uint32_t>(document_.attributes_.size());
    node.attributes = static_cast<std::uint32_t>(attributes);
    for (int i = 0; i < attributes; ++i) {
      const auto** a = values + static_cast<std::ptrdiff_t>(i) * 5;
      auto size = static_cast<std::size_t>(a[4] - a[3]);
      document_.attributes_.push_back(
          {name(a[2], a[0]), static_cast<std::uint32_t>(document_.arena_.size()), static_cast<std::uint32_t>(size)});
      document_.arena_.append(reinterpret_cast<const char*>(a[3]), size);
    }
    if (open_ > 0) {
      auto& sibling = last_child_[static_cast<std::size_t>(open_)];
      if (sibling)
        document_.nodes_[sibling].next = index;
      else
        document_.nodes_[current_].has_child = 1;
      sibling = index;
    }
    current_ = index;
    ++open_;
    last_child_.resize(std::max<std::size_t>(last_child_.size(), static_cast<std::size_t>(open_) + 1));
    last_child_[static_cast<std::size_t>(open_)] = 0;
    texts_[static_cast<std::size_t>(open_)].clear();
  }

  void on_end() {
    if (!error_.code.empty() || open_ == 0) return;
    auto& node = document_.nodes_[current_];
    auto& text = texts_[static_cast<std::size_t>(open_)];
    if (!text.empty() && !(node.has_child && blank(text))) {
      node.text = static_cast<std::uint32_t>(document_.arena_.size());
      node.text_size = static_cast<std::uint32_t>(text.size());
      document_.arena_ += text;
    }
    current_ = node.parent;
    --open_;
  }

  struct PairHash {
    std::size_t operator()(const std::pair<const xmlChar*, const xmlChar*>& p) const {
      return std::hash<const void*>{}(p.first) * 31 + std::hash<const void*>{}(p.second);
    }
  };
  const XmlLimits& limits_;
  XmlDocument document_;
  Error error_{};
  xmlParserCtxtPtr context_ = nullptr;
  std::unordered_map<std::pair<const xmlChar*, const xmlChar*>, std::uint32_t, PairHash> interned_;
  std::vector<std::string> texts_;
  std::vector<std::uint32_t> last_child_{0};
  std::uint32_t current_ = XmlDocument::kNone;
  int open_ = 0;
};

Result<XmlDocument> read_xml(std::string_view bytes, const XmlLimits& limits) {
  // Most of what comes in is as programs write it; what is not, or breaks a limit, is judged the long way.
  if (bytes.size() <= limits.bytes && valid_xml_text(bytes))
    if (auto plain = XmlPlainReader(bytes, limits).run()) return std::move(*plain);
  return read_xml_with_libxml(bytes, limits);
}

Result<XmlDocument> read_xml_with_libxml(std::string_view bytes, const XmlLimits& limits) {
  if (auto ok = screen_xml(bytes, limits); !ok) return fail(ok.error());
  return XmlBuilder(limits, bytes.size()).run(bytes);
}

}  // namespace schakel::formats
