// The body of a request while it arrives. For the .cpp files of this folder only.
#pragma once
#include <array>

#include "core/net/http_chunk.hpp"
#include "core/net/http_connection.hpp"

namespace schakel::net {

/// Takes what the connection has buffered, then reads; leaves what belongs to the next request in the buffer.
class IncomingBody final : public BodyReader {
 public:
  IncomingBody(Connection& connection, const RequestHead& head, std::uint64_t limit);
  [[nodiscard]] Task<Result<std::size_t>> read(std::span<std::uint8_t> into) override;
  /// True when the whole body was taken, so that the connection can go on.
  [[nodiscard]] bool ended() const { return ended_; }

 private:
  [[nodiscard]] Task<Result<std::size_t>> read_plain(std::span<std::uint8_t> into);
  [[nodiscard]] Task<Result<std::size_t>> read_chunked(std::span<std::uint8_t> into);
  [[nodiscard]] Task<Result<void>> fill();

  Connection& connection_;
  bool chunked_;
  std::uint64_t limit_;
  std::uint64_t left_ = 0;   ///< of a body with Content-Length
  std::uint64_t taken_ = 0;  ///< of a chunked body
  ChunkDecoder decoder_;
  bool ended_ = false;
  std::optional<Error> failed_;
};

/// The whole body, at most `limit` bytes, counted in `hold` as it comes. Errors as BodyReader::read(), and OVERLOADED
/// (unavailable) when no more bodies may be held now.
[[nodiscard]] Task<Result<std::string>> read_whole(BodyReader& body, std::uint64_t limit, BodyBudget::Hold& hold);

}  // namespace schakel::net
