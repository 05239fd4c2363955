#pragma once
#include <gtest/gtest.h>

#include <atomic>
#include <memory>

#include "core/store/sqlite/sqlite_store.hpp"
#include "core/vault/vault.hpp"
#include "tests/support/run_now.hpp"
#include "tests/support/temp_folder.hpp"

namespace schakel::test {

inline vault::MasterKey master(std::uint8_t fill) {
  return std::move(*vault::MasterKey::from_bytes(Secret(Bytes(32, fill))));
}

/// A store in memory with a vault on it.
struct VaultTest : ::testing::Test {
  ManualClock clock{std::chrono::sys_days{std::chrono::year{2026} / 3 / 2} + std::chrono::hours{9}};
  std::atomic<bool> disk_full{false};  ///< the store takes nothing while it is set
  std::unique_ptr<store::SqliteStore> store = std::move(*store::SqliteStore::open(":memory:", clock, on_a_disk()));
  std::unique_ptr<vault::Vault> vault = std::move(*run_now(vault::Vault::open(*store, clock, master(1))));

  store::SqliteOptions on_a_disk() {
    store::SqliteOptions options;
    options.disk_use = [this] {
      return Result<store::DiskUse>(store::DiskUse{1ULL << 40, disk_full ? 0ULL : 1ULL << 39});
    };
    return options;
  }
  void commit(std::vector<store::Op> ops) {
    store::Transaction t;
    t.ops = std::move(ops);
    auto done = run_now(store->commit(std::move(t)));
    ASSERT_TRUE(done) << done.error().code;
  }
  std::vector<store::Row> rows(std::string_view space) {
    return std::move(*run_now(store->rows(std::string(space), "", "", 1000)));
  }
};

}  // namespace schakel::test
