// Limits that live in the store: a restart does not reset them, and without the store nobody gets through (trust.md
// IAM-12).
#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "core/base/clock.hpp"
#include "core/store/store.hpp"
#include "core/vault/vault.hpp"

namespace schakel::portal {

/// `count` times in `window`. `block` permits are taken from the store at once, so that cheap reads cost one write in
/// `block`; what is left of a block at a restart is lost, which errs on the safe side.
struct Limit {
  std::string_view name;
  int count = 60;
  std::chrono::seconds window{60};
  int block = 1;
};

/// Thread: any. Lifetime: outlived by store, clock and vault.
class RateLimiter {
 public:
  RateLimiter(store::Store& store, vault::Vault& vault, const Clock& clock)
      : store_(store), vault_(vault), clock_(clock) {}

  /// Takes one permit of `who` (an address, a link id; only its keyed hash is stored). False when there is none left.
  /// An error of the store means: refuse.
  [[nodiscard]] Task<Result<bool>> allow(const Limit& limit, std::string who);
  /// The same counted by this process alone, for what must leave no trace in the store: a link id that somebody made
  /// up. Also false while more are counted than are kept in mind; no visitor of ours is among them.
  [[nodiscard]] bool allow_unkept(const Limit& limit, std::string_view who);
  /// Removes counters whose window is long over; at most `limit` of them.
  [[nodiscard]] Task<Result<int>> sweep(int limit);

 private:
  store::Store& store_;
  vault::Vault& vault_;
  const Clock& clock_;
  std::mutex mutex_;
  struct Block {
    std::int64_t window = 0;
    int left = 0;
  };
  std::map<std::string, Block> blocks_;
  struct Passing {
    std::int64_t until = 0;  ///< end of its window
    int used = 0;
  };
  std::map<std::string, Passing, std::less<>> passing_;
  std::int64_t passing_swept_ = 0;
};

/// Whom a limit of addresses counts as one: an IPv4 address, or the /64 that an IPv6 visitor has as a whole. Pure.
[[nodiscard]] std::string limited_address(std::string_view address);

}  // namespace schakel::portal
