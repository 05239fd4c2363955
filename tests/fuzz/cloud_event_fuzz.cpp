#include "core/ingress/cloud_event.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const char* type : {"application/cloudevents+json", "application/cloudevents-batch+json"})
    if (auto events = schakel::ingress::read_events(type, {}, text))
      for (const auto& e : *events) (void)schakel::ingress::to_message(e);
  (void)schakel::ingress::read_events(
      "application/json",
      {{"ce-id", std::string(text.substr(0, 200))}, {"ce-source", "s"}, {"ce-type", "t"}, {"ce-specversion", "1.0"}},
      text);
  return 0;
}
