// The Merkle tree of RFC 6962 section 2.1 with SHA-256. Pure.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"

namespace schakel::audit {

[[nodiscard]] Digest leaf_hash(std::string_view entry);
[[nodiscard]] Digest node_hash(const Digest& left, const Digest& right);

/// A tree that only grows, kept as the roots of its full subtrees: 32 bytes per binary digit of its size.
class Tree {
 public:
  void append(const Digest& leaf);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// SHA-256 of nothing when empty.
  [[nodiscard]] Digest root() const;
  /// {"size":n,"peaks":[hex...]}
  [[nodiscard]] std::string to_text() const;
  /// AUDIT_TREE_FORMAT when it is not what to_text() writes.
  [[nodiscard]] static Result<Tree> from_text(std::string_view text);

 private:
  std::uint64_t size_ = 0;
  std::vector<Digest> peaks_;  // the largest first
};

[[nodiscard]] Digest root_of(std::span<const Digest> leaves);
/// That leaf `index` is in the tree of these leaves; index < leaves.size().
[[nodiscard]] std::vector<Digest> inclusion_proof(std::span<const Digest> leaves, std::uint64_t index);
/// RFC 9162 section 2.1.3.2. False for any proof that is not exactly right.
[[nodiscard]] bool verify_inclusion(std::uint64_t index, std::uint64_t size, const Digest& leaf,
                                    std::span<const Digest> proof, const Digest& root);
}  // namespace schakel::audit
