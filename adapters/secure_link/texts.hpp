// The mails of a secure link: no content, no name of a child, nothing that tells what it is about (trust.md LNK-16).
#pragma once
#include <string>

#include "schakel/adapter.hpp"

namespace schakel::secure_link {

struct Text {
  std::string subject, body;
};

/// For a link. `url` holds the secret; `pseudonym` is the case towards this recipient.
[[nodiscard]] Text invitation(const Delivery& delivery, const std::string& url, Instant expires, const std::string& organisation);
/// For access that ended.
[[nodiscard]] Text ended(const Delivery& delivery, const std::string& organisation);

}  // namespace schakel::secure_link
