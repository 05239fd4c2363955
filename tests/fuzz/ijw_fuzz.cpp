// JW323 and JW325: no crash; an accepted declaration is written as the same declaration, and its answers fit it.
#include <cstdint>
#include <cstdlib>

#include "core/formats/ijw.hpp"

using namespace schakel::formats;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  XmlLimits limits{.bytes = 1024 * 1024, .nodes = 20'000, .refuse_bom = true};
  auto declaration = read_jw323(bytes, std::nullopt, limits);
  if (declaration.message) {
    auto text = write_jw323(*declaration.message);
    if (!text) std::abort();
    // A C of nothing is written as D (CS325), so only an accepted one comes back unchanged.
    if (declaration.accepted() && !read_jw323(*text).accepted()) std::abort();
    auto answer = answer_to(*declaration.message, declaration.rules, "G1", declaration.message->dagtekening);
    if (declaration.accepted()) {
      auto granted = granted_lines(*declaration.message, answer);
      if (!granted) std::abort();
    }
    auto reply = write_jw325(answer);
    if (!reply) std::abort();
  }
  auto answer = read_jw325(bytes, limits);
  if (answer.message && !write_jw325(*answer.message)) std::abort();
  return 0;
}
