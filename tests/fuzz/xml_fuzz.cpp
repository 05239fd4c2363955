// The hardened XML reader: whatever comes in, no crash, no unbounded work, and what it accepts can be written and read
// again.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "core/formats/xml_plain.hpp"

using namespace schakel::formats;

namespace {
void copy(const XmlElement& e, XmlWriter& w) {
  // Names may hold any letters; only the shape is compared.
  w.open("e");
  if (e.first_child())
    for (XmlElement c : e.children()) copy(c, w);
  else if (!e.text().empty())
    w.text(e.text());
  w.close();
}
bool same(const XmlElement& a, const XmlElement& b) {
  if (!a.first_child() && a.text() != b.text()) return false;
  auto x = a.first_child(), y = b.first_child();
  for (; x && y; x = x.next_sibling(), y = y.next_sibling())
    if (!same(x, y)) return false;
  return !x && !y;
}
bool identical(const XmlElement& a, const XmlElement& b) {
  if (!a.is(b.ns(), b.local()) || a.text() != b.text() || a.line() != b.line()) return false;
  auto p = a.attributes(), q = b.attributes();
  if (!std::ranges::equal(
          p, q, [](const auto& i, const auto& j) { return i.ns == j.ns && i.local == j.local && i.value == j.value; }))
    return false;
  auto x = a.first_child(), y = b.first_child();
  for (; x && y; x = x.next_sibling(), y = y.next_sibling())
    if (!identical(x, y)) return false;
  return !x && !y;
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const XmlLimits limits{.bytes = 1024 * 1024, .nodes = 20'000};
  auto document = read_xml(bytes, limits), judged = read_xml_with_libxml(bytes, limits);
  // Whichever reader took it: libxml2 reads the same.
  if (document.has_value() != judged.has_value()) std::abort();
  if (!document) return 0;
  if (!identical(document->root(), judged->root())) std::abort();
  XmlWriter w({.indent = false});
  copy(document->root(), w);
  auto text = std::move(w).finish();
  if (!text) std::abort();
  auto again = read_xml(*text, {.bytes = 8 * 1024 * 1024, .nodes = 40'000});
  if (!again || !same(document->root(), again->root())) std::abort();
  static_cast<void>(document->root().first_child().path());
  return 0;
}
