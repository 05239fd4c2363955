// Bytes of request bodies that are held in memory, and who holds them (trust.md OVL-3).
#pragma once
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace schakel::net {

/// A ceiling over all buffered bodies and one per peer. A streamed body is not counted: it is never held whole.
///
/// Thread: any. Lifetime: outlives its holds.
class BodyBudget {
 public:
  /// Bytes.
  BodyBudget(std::uint64_t total, std::uint64_t per_peer) : total_limit_(total), peer_limit_(per_peer) {}
  BodyBudget(const BodyBudget&) = delete;
  BodyBudget& operator=(const BodyBudget&) = delete;

  /// What one request holds; given back when it ends.
  class Hold {
   public:
    Hold(BodyBudget& budget, std::string peer) : budget_(budget), peer_(std::move(peer)) {}
    ~Hold() { budget_.give(peer_, held_); }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    /// False, and nothing taken, when `bytes` more would pass one of the ceilings.
    [[nodiscard]] bool grow(std::uint64_t bytes) {
      if (!budget_.take(peer_, bytes)) return false;
      held_ += bytes;
      return true;
    }
    /// Whether `bytes` would fit now; takes nothing.
    [[nodiscard]] bool fits(std::uint64_t bytes) const { return budget_.fits(peer_, bytes); }

   private:
    BodyBudget& budget_;
    std::string peer_;
    std::uint64_t held_ = 0;
  };

  [[nodiscard]] std::uint64_t held() const {
    std::lock_guard lock(mutex_);
    return total_;
  }

 private:
  [[nodiscard]] bool room(const std::string& peer, std::uint64_t bytes) const {
    auto it = peers_.find(peer);
    auto own = it == peers_.end() ? 0 : it->second;
    return bytes <= total_limit_ - total_ && bytes <= peer_limit_ - own;
  }
  bool take(const std::string& peer, std::uint64_t bytes) {
    if (bytes == 0) return true;
    std::lock_guard lock(mutex_);
    if (!room(peer, bytes)) return false;
    total_ += bytes;
    peers_[peer] += bytes;
    return true;
  }
  bool fits(const std::string& peer, std::uint64_t bytes) const {
    std::lock_guard lock(mutex_);
    return room(peer, bytes);
  }
  void give(const std::string& peer, std::uint64_t bytes) {
    if (bytes == 0) return;
    std::lock_guard lock(mutex_);
    total_ -= bytes;
    auto it = peers_.find(peer);
    if (it->second == bytes)
      peers_.erase(it);
    else
      it->second -= bytes;
  }

  const std::uint64_t total_limit_, peer_limit_;
  mutable std::mutex mutex_;
  std::uint64_t total_ = 0;
  std::unordered_map<std::string, std::uint64_t> peers_;
};

}  // namespace schakel::net
