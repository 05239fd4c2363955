// SOAP envelopes, DUO replies, OSO dossiers and the sniffer before them: no crash, always a verdict.
#include <cstdint>
#include <cstdlib>

#include "core/formats/duo.hpp"
#include "core/formats/oso.hpp"
#include "core/formats/sniff.hpp"

using namespace schakel::formats;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  DuoAanlevering request;
  request.document_id = "5f0c7a1e-0f0e-4f5e-9f0e-6c2f3f8b7a11";
  request.message_id = "b59e3f77-3c6c-4fd6-a354-078403133f71";
  for (int status : {200, 500}) {
    auto answer = read_aanleveren_answer(request, status, bytes);
    if (answer && answer->verdict == DuoVerdict::accepted && answer->meldingsnummer.empty()) std::abort();
  }
  static_cast<void>(read_oso(bytes, {.bytes = 1024 * 1024, .nodes = 20'000}));
  auto report = check_message(bytes);
  if (report.kind == MessageKind::unknown && report.findings.empty()) std::abort();
  return 0;
}
