#include "core/audit/merkle.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/base/assert.hpp"
#include "core/base/json.hpp"

namespace schakel::audit {
namespace {

/// The largest power of two below n; n > 1.
std::uint64_t split(std::uint64_t n) { return std::bit_floor(n - 1); }

void inclusion(std::span<const Digest> leaves, std::uint64_t index, std::vector<Digest>& out) {
  if (leaves.size() <= 1) return;
  auto k = split(leaves.size());
  if (index < k) {
    inclusion(leaves.first(k), index, out);
    out.push_back(root_of(leaves.subspan(k)));
  } else {
    inclusion(leaves.subspan(k), index - k, out);
    out.push_back(root_of(leaves.first(k)));
  }
}

}  // namespace

Digest leaf_hash(std::string_view entry) {
  std::string prefixed;
  prefixed.reserve(entry.size() + 1);
  prefixed.push_back('\0');
  prefixed.append(entry);
  return sha256(prefixed);
}

Digest node_hash(const Digest& left, const Digest& right) {
  std::array<std::uint8_t, 65> both;
  both[0] = 1;
  std::memcpy(both.data() + 1, left.data(), 32);
  std::memcpy(both.data() + 33, right.data(), 32);
  return sha256(ByteView(both));
}

void Tree::append(const Digest& leaf) {
  Digest top = leaf;
  for (auto bits = size_; bits & 1; bits >>= 1) {
    top = node_hash(peaks_.back(), top);
    peaks_.pop_back();
  }
  peaks_.push_back(top);
  ++size_;
}

Digest Tree::root() const {
  if (peaks_.empty()) return sha256(ByteView{});
  Digest top = peaks_.back();
  for (auto i = peaks_.size() - 1; i-- > 0;) top = node_hash(peaks_[i], top);
  return top;
}

std::string Tree::to_text() const {
  Json peaks = Json::array();
  for (const auto& p : peaks_) peaks.push_back(to_hex(p));
  return dump_json({{"size", size_}, {"peaks", peaks}});
}

Result<Tree> Tree::from_text(std::string_view text) {
  auto bad = [] { return fail(ErrorKind::invalid, "AUDIT_TREE_FORMAT", "not a stored tree"); };
  auto json = parse_json(text);
  if (!json || !json->is_object() || !json->contains("size") || !(*json)["size"].is_number_integer() ||
      !json->contains("peaks") || !(*json)["peaks"].is_array())
    return bad();
  auto size = (*json)["size"].get<std::int64_t>();
  if (size < 0 || static_cast<int>((*json)["peaks"].size()) != std::popcount(static_cast<std::uint64_t>(size)))
    return bad();
  Tree tree;
  tree.size_ = static_cast<std::uint64_t>(size);
  for (const auto& p : (*json)["peaks"]) {
    auto bytes = from_hex(p.is_string() ? p.get<std::string>() : std::string());
    if (!bytes || bytes->size() != 32) return bad();
    std::memcpy(tree.peaks_.emplace_back().data(), bytes->data(), 32);
  }
  return tree;
}

Digest root_of(std::span<const Digest> leaves) {
  Tree tree;
  for (const auto& leaf : leaves) tree.append(leaf);
  return tree.root();
}

std::vector<Digest> inclusion_proof(std::span<const Digest> leaves, std::uint64_t index) {
  SCHAKEL_ASSERT(index < leaves.size());
  std::vector<Digest> out;
  inclusion(leaves, index, out);
  return out;
}

bool verify_inclusion(std::uint64_t index, std::uint64_t size, const Digest& leaf, std::span<const Digest> proof,
                      const Digest& root) {
  if (index >= size) return false;
  auto fn = index, sn = size - 1;
  Digest r = leaf;
  for (const auto& p : proof) {
    if (sn == 0) return false;
    if ((fn & 1) || fn == sn) {
      r = node_hash(p, r);
      while (!(fn & 1) && fn != 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      r = node_hash(r, p);
    }
    fn >>= 1;
    sn >>= 1;
  }
  return sn == 0 && r == root;
}

}  // namespace schakel::audit
