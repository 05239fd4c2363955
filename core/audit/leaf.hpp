// One entry of the audit log, made so that personal data cannot get in.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/store/store.hpp"

namespace schakel::audit {

/// What an entry may say. Ids are ours or keyed pseudonyms; hashes are keyed where their input could be guessed
/// (AUD-5).
struct LeafFields {
  std::vector<std::pair<std::string_view, std::string>> ids{};
  std::vector<std::string> codes{};
  std::vector<std::pair<std::string_view, Digest>> hashes{};
  std::vector<std::pair<std::string_view, std::int64_t>> counts{};
};

/// The operation that writes the entry, for the same transaction as its effect (AUD-1). `kind` is a stable dotted name:
/// message.accepted, message.decided, delivery.settled, link.opened, payload.erased.
/// The body is canonical JSON (sorted keys, UTF-8, no white space):
/// {"at","codes","counts","hashes","ids","kind","v":1}; empty parts are left out. An id or code that could carry
/// personal data is written as "withheld" instead: anything but [A-Za-z0-9._:/|+-], longer than 200 bytes, or a word of
/// nine digits that is a valid BSN.
[[nodiscard]] store::AppendLeaf leaf(Instant at, std::string_view kind, const LeafFields& fields);

/// Whether leaf() would write the text as it is.
[[nodiscard]] bool leaf_text_allowed(std::string_view text);

}  // namespace schakel::audit
