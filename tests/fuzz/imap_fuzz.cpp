// What an IMAP server says: every response is taken or refused, and never more than the limits.
#include <cstdlib>

#include "core/net/imap_line.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace schakel::net;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const ImapLimits limits{4096, 1024, 4};
  for (int n = 0; n < 1000 && !rest.empty(); ++n) {
    const auto before = rest;
    auto line = take_imap_line(rest, limits);
    if (!line) return 0;
    if (!*line) {
      if (rest.size() != before.size()) std::abort();
      return 0;
    }
    if (rest.size() >= before.size() || (**line).text.size() > limits.line || (**line).literals.size() > 4)
      std::abort();
    for (const auto& literal : (**line).literals)
      if (literal.size() > limits.literal) std::abort();
    if (auto uids = read_imap_search((**line).text))
      for (std::size_t i = 1; i < uids->size(); ++i)
        if ((*uids)[i - 1] >= (*uids)[i]) std::abort();
    (void)read_imap_code((**line).text, "UIDVALIDITY");
    if (auto quoted = imap_quoted((**line).text); quoted && quoted->find_first_of("\r\n") != std::string::npos)
      std::abort();
  }
  return 0;
}
