// The form parser says the same however its input is cut, and never more data than it was given.
#include <cstdlib>

#include "core/portal/file_kind.hpp"
#include "core/portal/multipart.hpp"

namespace {

using schakel::portal::MultipartParser;
using schakel::portal::PartEvent;

std::string said(schakel::ByteView input, std::size_t step, std::size_t& data) {
  MultipartParser p("b");
  std::string out;
  data = 0;
  for (std::size_t i = 0; i < input.size(); i += step) {
    auto events = p.feed(input.subspan(i, std::min(step, input.size() - i)));
    if (!events) return "!";
    for (auto& e : *events) {
      out += e.kind == PartEvent::Kind::head  ? "[" + e.head.name + e.head.extension + "]"
             : e.kind == PartEvent::Kind::end ? "|"
                                              : std::string(schakel::as_text(e.data));
      data += e.data.size();
    }
  }
  return p.finish() ? out : "!";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const schakel::ByteView input(bytes, size);
  std::size_t one = 0, other = 0;
  const auto a = said(input, size + 1, one), b = said(input, 3, other);
  if (a != b || one > size || other > size) std::abort();
  (void)schakel::portal::multipart_boundary(schakel::as_text(input));
  for (auto ext : {"pdf", "odt", "docx", "png", "jpg", "txt"}) (void)schakel::portal::file_kind(ext, input);
  return 0;
}
