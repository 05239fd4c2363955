// A mail from outside that may be a report: it is read or refused, and what comes out holds codes only.
#include <cstdlib>

#include "core/formats/bounce.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  auto report = schakel::formats::read_mail_report({reinterpret_cast<const char*>(data), size});
  if (!report) return 0;
  if (report->message_id.empty() || report->message_id.size() > 300 || report->status.size() > 11) std::abort();
  for (unsigned char c : report->message_id)
    if (c <= 0x20 || c >= 0x7f) std::abort();
  return 0;
}
