#include "core/store/sqlite/place.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

namespace schakel::store {
namespace {

std::unexpected<Error> io(std::string_view what, int error) {
  return fail(ErrorKind::io, "STORE_IO", fmt::format("{}: errno {}", what, error));
}

/// Owns a descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

}  // namespace

std::string folder_of(const std::string& path) {
  auto folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

Result<DiskUse> disk_use(const std::string& folder) {
  struct statvfs s{};
  if (::statvfs(folder.c_str(), &s) != 0) return io("statvfs", errno);
  // As df counts: what is reserved for root is neither used nor available to us.
  std::uint64_t used = (s.f_blocks - s.f_bfree) * s.f_frsize;
  std::uint64_t available = s.f_bavail * s.f_frsize;
  return DiskUse{used + available, available};
}

Result<void> check_file_system(const std::string& folder) {
  struct statfs s{};
  if (::statfs(folder.c_str(), &s) != 0) return io("statfs", errno);
  // statfs(2)
  static constexpr std::array<std::uint32_t, 8> kNetwork{0x6969,     0x517b,     0xff534d42, 0xfe534d42,
                                                         0x01021997, 0x5346414f, 0x00c36400, 0x73757245};
  for (auto type : kNetwork)
    if (static_cast<std::uint32_t>(s.f_type) == type)
      return fail(ErrorKind::invalid, "STORE_NETWORK_FS", "the database must lie on a local file system");
  return {};
}

Result<void> make_private_file(const std::string& path) {
  Descriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (fd.get() < 0) return io("open", errno);
  if (::fchmod(fd.get(), 0600) != 0) return io("fchmod", errno);
  return {};
}

Result<void> flush_file(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0 || ::fsync(file.get()) != 0) return io("fsync", errno);
  return flush_folder(folder_of(path));
}

Result<void> flush_folder(const std::string& folder) {
  Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || ::fsync(fd.get()) != 0) return io("fsync of the folder", errno);
  return {};
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  if (this != &other) {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = std::exchange(other.descriptor_, -1);
  }
  return *this;
}

Result<FileLock> FileLock::take(const std::string& path) {
  Descriptor fd(::open((path + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (fd.get() < 0) return io("open of the lock file", errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return fail(ErrorKind::conflict, "STORE_IN_USE", "another process has this store open");
    return io("flock", errno);
  }
  FileLock lock;
  lock.descriptor_ = fd.release();
  return lock;
}

Result<void> lay_ballast(const std::string& path, std::uint64_t bytes) {
  if (bytes == 0) return {};
  auto name = path + ".ballast";
  struct stat there{};
  if (::stat(name.c_str(), &there) == 0 && static_cast<std::uint64_t>(there.st_size) == bytes) return {};
  auto use = disk_use(folder_of(path));
  if (!use) return fail(std::move(use.error()));
  if (bytes > use->available / 2) return {};
  Descriptor fd(::open(name.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (fd.get() < 0) return io("open of the ballast", errno);
  int rc = ::posix_fallocate(fd.get(), 0, static_cast<off_t>(bytes));
  if (rc != 0) {
    ::unlink(name.c_str());
    if (rc == ENOSPC) return {};
    return io("fallocate of the ballast", rc);
  }
  return {};
}

}  // namespace schakel::store
