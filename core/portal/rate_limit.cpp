#include "core/portal/rate_limit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <charconv>

namespace schakel::portal {
namespace {

constexpr std::string_view kSpace = "portal.limit";
constexpr std::size_t kMaxBlocks = 50000;

struct Counter {
  std::int64_t until = 0, window = 0, used = 0;
};

Counter parse(std::string_view text) {
  Counter c;
  const char* p = text.data();
  const char* end = p + text.size();
  for (auto* field : {&c.until, &c.window, &c.used}) {
    auto [next, ec] = std::from_chars(p, end, *field);
    if (ec != std::errc{}) return {};
    p = next < end ? next + 1 : end;
  }
  return c;
}

}  // namespace

Task<Result<bool>> RateLimiter::allow(const Limit& limit, std::string who) {
  const auto now = std::chrono::floor<std::chrono::seconds>(clock_.now()).time_since_epoch().count();
  const auto window = now / limit.window.count();
  const auto key =
      fmt::format("{}/{}", limit.name, to_hex(ByteView(vault_.mac("portal limit", as_bytes(who))).first(16)));
  {
    const std::lock_guard lock(mutex_);
    if (auto it = blocks_.find(key); it != blocks_.end() && it->second.window == window && it->second.left > 0) {
      --it->second.left;
      co_return true;
    }
  }
  for (int attempt = 0; attempt < 50; ++attempt) {
    auto row = co_await store_.row(std::string(kSpace), key);
    if (!row) co_return fail(row.error());
    auto counter = *row ? parse(as_text((*row)->value)) : Counter{};
    if (counter.window != window) counter = {0, window, 0};
    if (counter.used >= limit.count) co_return false;
    const auto taken = std::min<std::int64_t>(limit.block, limit.count - counter.used);
    store::Transaction t;
    t.ops.push_back(store::PutRow{
        std::string(kSpace), key,
        to_bytes(fmt::format("{} {} {}", (window + 1) * limit.window.count(), window, counter.used + taken)),
        *row ? (*row)->version : 0});
    auto done = co_await store_.commit(std::move(t));
    if (done) {
      if (taken > 1) {
        const std::lock_guard lock(mutex_);
        if (blocks_.size() >= kMaxBlocks) blocks_.clear();
        blocks_[key] = {window, static_cast<int>(taken) - 1};
      }
      co_return true;
    }
    if (done.error().kind != ErrorKind::conflict) co_return fail(done.error());
  }
  co_return false;
}

bool RateLimiter::allow_unkept(const Limit& limit, std::string_view who) {
  const auto now = std::chrono::floor<std::chrono::seconds>(clock_.now()).time_since_epoch().count();
  auto key = fmt::format("{}/{}", limit.name, who);
  const std::lock_guard lock(mutex_);
  auto it = passing_.find(key);
  if (it == passing_.end()) {
    if (passing_.size() >= kMaxBlocks && passing_swept_ != now) {
      passing_swept_ = now;  // at most once a second: it looks at all of them
      std::erase_if(passing_, [&](const auto& p) { return p.second.until <= now; });
    }
    if (passing_.size() >= kMaxBlocks) return false;
    it = passing_.emplace(std::move(key), Passing{}).first;
  }
  auto& counter = it->second;
  if (counter.until <= now) counter = {(now / limit.window.count() + 1) * limit.window.count(), 0};
  if (counter.used >= limit.count) return false;
  ++counter.used;
  return true;
}

std::string limited_address(std::string_view address) {
  boost::system::error_code ec;
  const auto parsed = boost::asio::ip::make_address(std::string(address), ec);
  if (ec || !parsed.is_v6()) return std::string(address);
  auto bytes = parsed.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  return boost::asio::ip::address_v6(bytes).to_string() + "/64";
}

Task<Result<int>> RateLimiter::sweep(int limit) {
  const auto now = std::chrono::floor<std::chrono::seconds>(clock_.now()).time_since_epoch().count();
  int removed = 0;
  std::string after;
  while (removed < limit) {
    auto page = co_await store_.rows(std::string(kSpace), "", after, 500);
    if (!page) co_return fail(page.error());
    store::Transaction t;
    for (auto& r : *page)
      if (parse(as_text(r.value)).until < now && removed + static_cast<int>(t.ops.size()) < limit)
        t.ops.push_back(store::EraseRow{std::string(kSpace), r.key, std::nullopt});
    removed += static_cast<int>(t.ops.size());
    if (!t.ops.empty()) {
      auto done = co_await store_.commit(std::move(t));
      if (!done) co_return fail(done.error());
    }
    if (page->size() < 500) break;
    after = page->back().key;
  }
  co_return removed;
}

}  // namespace schakel::portal
