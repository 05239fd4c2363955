// StUF-GGk envelopes: no crash, and what was read is written as the same envelope.
#include <cstdint>
#include <cstdlib>

#include "core/formats/ggk.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace schakel::formats;
  auto read = read_ggk({reinterpret_cast<const char*>(data), size}, {.bytes = 1024 * 1024, .nodes = 20'000});
  if (!read) return 0;
  auto text = write_ggk(*read);
  if (!text) std::abort();
  auto again = read_ggk(*text);
  if (!again || again->bericht != read->bericht || again->referentienummer != read->referentienummer ||
      again->retour != read->retour)
    std::abort();
  return 0;
}
