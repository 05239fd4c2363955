// Strict decoding of a chunked body. Pure; fuzz target http_chunk_fuzz.
#pragma once
#include <cstdint>
#include <string_view>

namespace schakel::net {

/// RFC 9112 section 7.1 without what is only used to attack: chunk extensions and trailers are refused, line ends are
/// CRLF, a size has at most 8 digits. Own code because Beast 1.81 bounds neither extension nor trailer (trust.md F4, S
/// 15, S 18).
class ChunkDecoder {
 public:
  enum class Status { need_more, data, done, bad };
  struct Step {
    Status status = Status::need_more;
    std::size_t consumed = 0;  ///< bytes of the input that are used up, framing and data together
    std::string_view data;     ///< for `data`: a view into the input, not empty
  };
  /// Takes bytes from the front of `input`. Call again with the rest after `data`; after `done` or `bad` no more.
  [[nodiscard]] Step step(std::string_view input);

 private:
  enum class State { size, size_lf, data, data_cr, data_lf, end_cr, end_lf, done, bad };
  State state_ = State::size;
  int digits_ = 0;
  std::uint64_t left_ = 0;
};

}  // namespace schakel::net
