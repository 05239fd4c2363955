// How the log lies in the store beside its leaves: rows in the space "audit".
#pragma once
#include <fmt/format.h>

#include <cstring>
#include <optional>

#include "core/audit/merkle.hpp"
#include "core/store/store.hpp"

namespace schakel::audit {

inline constexpr const char* kSpace = "audit";
/// The last signed head, and the tree it signs.
inline constexpr const char* kLatest = "latest";
inline constexpr const char* kTree = "tree";

/// Every signed head, by size.
[[nodiscard]] inline std::string head_key(std::uint64_t size) { return fmt::format("head/{:020}", size); }
/// Leaf hashes of signed leaves, 256 to a row, so that a leaf that changed later is found by its position and a proof
/// does not read the whole log.
inline constexpr std::uint64_t kTile = 256;
[[nodiscard]] inline std::string tile_key(std::uint64_t tile) { return fmt::format("tile/{:020}", tile); }

[[nodiscard]] inline std::vector<Digest> tile_hashes(const Bytes& value) {
  std::vector<Digest> out(value.size() / 32);
  for (std::size_t i = 0; i < out.size(); ++i) std::memcpy(out[i].data(), value.data() + 32 * i, 32);
  return out;
}

/// Reads hashes of signed leaves in order, tile by tile.
class TileReader {
 public:
  explicit TileReader(store::Store& store) : store_(store) {}
  /// The hash recorded for `position`, which never goes back; nullopt when it is not under a head yet.
  Task<Result<std::optional<Digest>>> at(std::uint64_t position) {
    auto wanted = position / kTile;
    if (!tile_ || *tile_ != wanted) {
      auto row = co_await store_.row(kSpace, tile_key(wanted));
      if (!row) co_return fail(std::move(row.error()));
      tile_ = wanted;
      hashes_ = *row ? tile_hashes((*row)->value) : std::vector<Digest>{};
    }
    auto i = position % kTile;
    if (i < hashes_.size()) co_return std::optional<Digest>(hashes_[i]);
    co_return std::optional<Digest>();
  }

 private:
  store::Store& store_;
  std::optional<std::uint64_t> tile_;
  std::vector<Digest> hashes_;
};

}  // namespace schakel::audit
