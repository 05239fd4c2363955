#include "core/net/http_chunk.hpp"

#include <algorithm>

#include "core/base/bytes.hpp"

namespace schakel::net {
ChunkDecoder::Step ChunkDecoder::step(std::string_view input) {
  std::size_t i = 0;
  while (i < input.size() && state_ != State::bad && state_ != State::done) {
    const char c = input[i];
    const auto expect = [&](char wanted, State next) {
      state_ = c == wanted ? next : State::bad;
      ++i;
    };
    switch (state_) {
      case State::size:
        if (const int digit = hex_digit(c); digit >= 0 && digits_ < 8) {
          left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
          ++digits_;
          ++i;
        } else {
          if (digits_ == 0)
            state_ = State::bad;
          else
            expect('\r', State::size_lf);
        }
        break;
      case State::size_lf:
        expect('\n', left_ == 0 ? State::end_cr : State::data);
        break;
      case State::data: {
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size() - i));
        left_ -= n;
        if (left_ == 0) state_ = State::data_cr;
        return {Status::data, i + n, input.substr(i, n)};
      }
      case State::data_cr:
        expect('\r', State::data_lf);
        break;
      case State::data_lf:
        expect('\n', State::size);
        digits_ = 0;
        left_ = 0;
        break;
      case State::end_cr:
        expect('\r', State::end_lf);
        break;
      case State::end_lf:
        expect('\n', State::done);
        break;
      case State::done:
      case State::bad:
        break;
    }
  }
  const Status status = state_ == State::bad ? Status::bad : state_ == State::done ? Status::done : Status::need_more;
  return {status, i, {}};
}

}  // namespace schakel::net
