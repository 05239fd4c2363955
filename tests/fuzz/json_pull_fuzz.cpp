// Any bytes: what is read in one pass is what the tree has, and what the tree refuses is refused.
#include <algorithm>
#include <cstdlib>

#include "core/base/json_pull.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using schakel::Json;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const Json tree = Json::parse(text, nullptr, false);
  bool read = false;
  try {
    schakel::JsonPull from(text);
    const Json value = from.value();
    from.end();
    read = true;
    if (!tree.is_discarded() && value != tree) std::abort();
  } catch (const std::runtime_error&) {
  }
  // The tree goes as deep as it likes, takes nothing that is not UTF-8, and a zero byte for the end of the text.
  const bool ascii = std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  const auto deep = std::ranges::count_if(text, [](char c) { return c == '[' || c == '{'; });
  if (read && tree.is_discarded() && ascii) std::abort();
  if (!read && !tree.is_discarded() && deep < 256 && !text.contains('\0')) std::abort();
  try {
    schakel::JsonPull from(text);
    const auto skipped = from.skip();
    if (skipped.empty() || text.find(skipped) == std::string_view::npos) std::abort();
    from.end();
  } catch (const std::runtime_error&) {
    if (read) std::abort();
  }
  return 0;
}
