// The conformance suite on both forms of the SQLite store.
#include "core/store/sqlite/sqlite_store.hpp"
#include "tests/conformance/store_conformance.hpp"
#include "tests/support/temp_folder.hpp"

namespace schakel::store::conformance {
namespace {

struct Base {
  ManualClock clock{at(0)};
  test::TempFolder folder;
  static SqliteOptions options() {
    SqliteOptions o;
    o.disk_use = [] { return Result<DiskUse>(DiskUse{1ULL << 40, 1ULL << 39}); };
    return o;
  }
  std::unique_ptr<Store> open_at(const std::string& path) {
    auto s = SqliteStore::open(path, clock, options());
    if (!s) throw std::runtime_error(s.error().code + ": " + s.error().message);
    return std::move(*s);
  }
  std::unique_ptr<Store> open_copy(const std::string& path) { return open_at(path); }
  std::string new_path(const std::string& name) { return folder.file(name); }
};

struct SqliteFile : Base {
  static constexpr bool durable = true;
  std::unique_ptr<Store> open() { return open_at(folder.file("schakel.db")); }
  std::unique_ptr<Store> reopen() { return open(); }
};

struct SqliteMemory : Base {
  static constexpr bool durable = false;
  std::unique_ptr<Store> open() { return open_at(":memory:"); }
  std::unique_ptr<Store> reopen() { return open(); }
};

INSTANTIATE_TYPED_TEST_SUITE_P(SqliteFile, StoreConformance, SqliteFile);
INSTANTIATE_TYPED_TEST_SUITE_P(SqliteMemory, StoreConformance, SqliteMemory);

}  // namespace
}  // namespace schakel::store::conformance
