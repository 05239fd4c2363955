// The UBL reader: no crash, and an accepted document is written as one that is accepted and equal.
#include <cstdint>
#include <cstdlib>

#include "core/formats/ubl.hpp"

using namespace schakel::formats;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto read = read_ubl({reinterpret_cast<const char*>(data), size}, {.bytes = 1024 * 1024, .nodes = 20'000});
  if (!read.accepted()) return 0;
  auto xml = render_ubl(*read.document);
  if (!xml) std::abort();
  auto again = read_ubl(*xml);
  if (!again.document || again.document->payable != read.document->payable ||
      again.document->lines.size() != read.document->lines.size())
    std::abort();
  // Written and read back it gets the same verdict, by whichever way.
  if (check_ubl(*read.document).empty() && write_checked_ubl(*read.document).has_value() != again.accepted())
    std::abort();
  return 0;
}
