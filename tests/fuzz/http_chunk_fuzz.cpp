// The chunk decoder: cutting the input anywhere changes nothing, and what is decoded is framed as it says.
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/net/http_chunk.hpp"

namespace {

struct Whole {
  std::string data;
  schakel::net::ChunkDecoder::Status status = schakel::net::ChunkDecoder::Status::need_more;
  std::size_t consumed = 0;
};

Whole decode(std::string_view input, std::size_t piece) {
  using Status = schakel::net::ChunkDecoder::Status;
  schakel::net::ChunkDecoder decoder;
  Whole out;
  std::size_t end = 0;
  while (end < input.size()) {
    end = std::min(input.size(), end + piece);
    while (out.consumed < end) {
      const auto step = decoder.step(input.substr(out.consumed, end - out.consumed));
      if (step.consumed > end - out.consumed) std::abort();
      out.consumed += step.consumed;
      out.data += step.data;
      out.status = step.status == Status::data ? Status::need_more : step.status;
      if (step.status == Status::done || step.status == Status::bad) return out;
      if (step.consumed == 0) std::abort();
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const Whole once = decode(input, size == 0 ? 1 : size);
  const Whole bytewise = decode(input, 1);
  if (once.status != bytewise.status || once.data != bytewise.data || once.consumed != bytewise.consumed) std::abort();
  if (once.data.size() > input.size()) std::abort();
  if (once.status == schakel::net::ChunkDecoder::Status::done && !input.substr(0, once.consumed).ends_with("0\r\n\r\n"))
    std::abort();
  return 0;
}
