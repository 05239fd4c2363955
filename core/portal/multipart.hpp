// multipart/form-data (RFC 7578) as it streams in. Pure: bytes in, events out, every size bounded.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/error.hpp"

namespace schakel::portal {

/// The boundary of a Content-Type header; MULTIPART_TYPE when it is not multipart/form-data or has no usable boundary.
[[nodiscard]] Result<std::string> multipart_boundary(std::string_view content_type);

struct PartHead {
  std::string name;
  bool is_file = false;
  std::string
      extension;  ///< of the sender's file name, lower case, at most 8 letters or digits; the name itself is not kept
};

/// What the parser says, in order: head, any number of data, end, and again.
struct PartEvent {
  enum class Kind { head, data, end } kind = Kind::data;
  PartHead head;
  Bytes data;
};

struct MultipartLimits {
  std::size_t parts = 32;
  std::size_t head_bytes = 4096;  ///< of one part
  std::size_t name_bytes = 64;
};

/// Thread: one at a time. After an error every call gives it again.
class MultipartParser {
 public:
  explicit MultipartParser(std::string boundary, MultipartLimits limits = {});
  /// Events that this piece completes. MULTIPART_FORMAT, MULTIPART_LIMIT.
  [[nodiscard]] Result<std::vector<PartEvent>> feed(ByteView piece);
  /// MULTIPART_CUT when the closing boundary did not come.
  [[nodiscard]] Result<void> finish() const;

 private:
  enum class State { before_first, after_boundary, head, body, closed, failed };
  [[nodiscard]] Result<void> step(std::vector<PartEvent>& out, bool& progress);
  [[nodiscard]] Result<PartHead> read_head(std::string_view block) const;
  std::string delimiter_;  ///< CRLF -- boundary
  MultipartLimits limits_;
  State state_ = State::before_first;
  Bytes buffer_;  ///< at most one head, or a delimiter's length of body
  std::size_t parts_ = 0;
};

}  // namespace schakel::portal
