// Region files, facts and scenarios from anybody: refused with findings, or checked to the end. First byte: which of
// the three.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "core/model/region_files.hpp"
#include "core/model/rule_check.hpp"
#include "core/pipeline/scenario.hpp"

namespace {

const schakel::Json& vocabulary() {
  static const auto facts = schakel::Json::parse(R"({"facts": [
    {"name": "envelope.sender", "type": "text", "meaning": "m", "values": ["school", "ouders"]},
    {"name": "envelope.addressed_to", "type": "list", "meaning": "m"},
    {"name": "case.flag", "type": "boolean", "meaning": "m", "default": false},
    {"name": "case.colour", "type": "text", "meaning": "m", "values": ["red", "blue"]},
    {"name": "case.minutes", "type": "integer", "meaning": "m"},
    {"name": "case.day", "type": "date", "meaning": "m"},
    {"name": "case.names", "type": "list", "meaning": "m"},
    {"name": "message.kind", "type": "text", "meaning": "m"},
    {"name": "document.opp.complete", "type": "boolean", "meaning": "m"}]})");
  return facts;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace schakel;
  if (size < 1) return 0;
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 3 == 2) {
    (void)scenario::read(text);
    return 0;
  }
  auto json = parse_json(text, {.bytes = 64 * 1024, .depth = 32, .string_bytes = 4096});
  if (!json) return 0;
  Json none = Json::object();
  if (data[0] % 3 == 1) {
    // The vocabulary itself, under a region that uses it.
    static const Json region = Json::parse(R"({"region": "X", "name": "n", "sources": {"s": "t"}, "codes": ["C"],
      "rules": [{"id": "1", "source": "s", "quote": "q", "stage": "gate", "on": "a", "when": {"case.flag": true}, "then": {"block": "C"}}]})");
    (void)check_region({"x", region}, {"", none}, *json, {});
    return 0;
  }
  auto findings = check_region({"x", *json}, {"", none}, vocabulary(), {"a", "b"});
  // What is refused is said; what is accepted has a version.
  auto facts = Vocabulary::parse(vocabulary());
  auto profile = Profile::parse(*json, *facts);
  if (!profile && findings.empty()) std::abort();
  if (profile && (*profile)->version().empty()) std::abort();
  for (const auto& f : findings)
    if (f.code.empty() || f.pointer.empty()) std::abort();
  return 0;
}
