// Where the database lies: who may open it, on what kind of file system, and how full that is.
#pragma once
#include <cstdint>
#include <string>

#include "core/base/error.hpp"

namespace schakel::store {

struct DiskUse {
  std::uint64_t total = 0;      ///< bytes a process without privileges could ever use
  std::uint64_t available = 0;  ///< of them, still free
};

/// Of the file system that holds the folder. STORE_IO when it cannot be asked.
[[nodiscard]] Result<DiskUse> disk_use(const std::string& folder);

/// Write-ahead logging shares memory between processes and trusts locks and fsync, which network file systems do not
/// keep (trust.md section 5, pitfall 9). STORE_NETWORK_FS (invalid) on NFS, SMB, 9p, AFS, Ceph or Coda.
[[nodiscard]] Result<void> check_file_system(const std::string& folder);

/// Makes the database file before SQLite opens it, so that it never exists with wider permissions than 0600; SQLite
/// gives its side files the same mode. An existing file is narrowed to 0600. Never called while a connection is open:
/// closing a descriptor of the file would drop SQLite's locks (pitfall 8).
[[nodiscard]] Result<void> make_private_file(const std::string& path);

/// Flushes a finished file and its directory entry.
[[nodiscard]] Result<void> flush_file(const std::string& path);

/// Flushes what was created and removed in a folder.
[[nodiscard]] Result<void> flush_folder(const std::string& folder);

/// One process per database: an advisory lock on `<path>.lock` that the kernel drops when the process ends.
class FileLock {
 public:
  FileLock() = default;
  ~FileLock();
  FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept;
  /// STORE_IN_USE (conflict) when another process, or another store of this one, holds it.
  [[nodiscard]] static Result<FileLock> take(const std::string& path);

 private:
  int descriptor_ = -1;
};

/// Space set aside in `<path>.ballast`: on a full disk SQLite refuses even deletes (finding F6), and deleting this
/// file, by hand and while the store runs, gives the room to work in. Does nothing when `bytes` is 0 or the file is
/// there; leaves it out, without an error, when it would take more than half of what is free.
[[nodiscard]] Result<void> lay_ballast(const std::string& path, std::uint64_t bytes);

[[nodiscard]] std::string folder_of(const std::string& path);

}  // namespace schakel::store
