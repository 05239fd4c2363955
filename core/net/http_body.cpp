#include "core/net/http_body.hpp"

#include <cstring>

#include "core/base/assert.hpp"

namespace schakel::net {

IncomingBody::IncomingBody(Connection& connection, const RequestHead& head, std::uint64_t limit)
    : connection_(connection),
      chunked_(head.chunked),
      limit_(limit),
      left_(head.content_length.value_or(0)),
      ended_(!head.has_body()) {}

Task<Result<std::size_t>> IncomingBody::read(std::span<std::uint8_t> into) {
  SCHAKEL_ASSERT(!into.empty());
  if (failed_) co_return fail(*failed_);
  if (ended_) co_return 0;
  auto n = co_await (chunked_ ? read_chunked(into) : read_plain(into));
  if (!n) failed_ = n.error();
  co_return n;
}

Task<Result<void>> IncomingBody::fill() {
  std::array<char, 16 * 1024> piece;
  const auto n = co_await connection_.receive(piece);
  if (!n) co_return fail(n.error());
  connection_.buffer_.append(piece.data(), *n);
  co_return Result<void>{};
}

Task<Result<std::size_t>> IncomingBody::read_plain(std::span<std::uint8_t> into) {
  if (connection_.buffer_.empty()) {
    const auto filled = co_await fill();
    if (!filled) co_return fail(filled.error());
  }
  auto& buffer = connection_.buffer_;
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>({buffer.size(), into.size(), left_}));
  std::memcpy(into.data(), buffer.data(), n);
  buffer.erase(0, n);
  left_ -= n;
  ended_ = left_ == 0;
  co_return n;
}

Task<Result<std::size_t>> IncomingBody::read_chunked(std::span<std::uint8_t> into) {
  for (;;) {
    auto& buffer = connection_.buffer_;
    // Only as much as fits, so that no decoded byte needs a place of its own.
    const auto step = decoder_.step(std::string_view(buffer).substr(0, into.size()));
    switch (step.status) {
      case ChunkDecoder::Status::bad:
        co_return fail(ErrorKind::invalid, "BODY_FRAMING", "the chunked body is malformed");
      case ChunkDecoder::Status::done:
        buffer.erase(0, step.consumed);
        ended_ = true;
        co_return 0;
      case ChunkDecoder::Status::data: {
        taken_ += step.data.size();
        if (taken_ > limit_)
          co_return fail(ErrorKind::too_large, "BODY_TOO_LARGE", "the body is larger than allowed here");
        const auto n = step.data.size();
        std::memcpy(into.data(), step.data.data(), n);
        buffer.erase(0, step.consumed);
        co_return n;
      }
      case ChunkDecoder::Status::need_more:
        break;
    }
    buffer.erase(0, step.consumed);
    if (!buffer.empty()) continue;
    const auto filled = co_await fill();
    if (!filled) co_return fail(filled.error());
  }
}

Task<Result<std::string>> read_whole(BodyReader& body, std::uint64_t limit, BodyBudget::Hold& hold) {
  std::string out;
  std::array<std::uint8_t, 16 * 1024> piece;
  for (;;) {
    const auto n = co_await body.read(piece);
    if (!n) co_return fail(n.error());
    if (*n == 0) co_return out;
    if (!hold.grow(*n)) co_return fail(ErrorKind::unavailable, "OVERLOADED", "no more bodies may be held now");
    if (out.size() + *n > limit)
      co_return fail(ErrorKind::too_large, "BODY_TOO_LARGE", "the body is larger than allowed here");
    out.append(reinterpret_cast<const char*>(piece.data()), *n);
  }
}

}  // namespace schakel::net
