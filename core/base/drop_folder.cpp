#include "core/base/drop_folder.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace schakel {
namespace {

std::unexpected<Error> io(const char* code) {
  return fail(ErrorKind::io, code, fmt::format("{} (errno {})", code, errno));
}

Result<void> sync_folder(const std::string& folder) {
  int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return io("FILE_OPEN");
  bool ok = ::fsync(fd) == 0;
  ::close(fd);
  if (!ok) return io("FILE_WRITE");
  return {};
}

}  // namespace

Result<FileOut> FileOut::open(const std::string& folder, const std::string& name) {
  FileOut out(-1, folder, name);
  // What a crash left behind is ours (the name is derived from the delivery) and is written anew.
  (void)::unlink(out.part().c_str());
  out.fd_ = ::open(out.part().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
  if (out.fd_ < 0) return io("FILE_OPEN");
  return out;
}

FileOut::FileOut(FileOut&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), folder_(std::move(other.folder_)), name_(std::move(other.name_)) {}

FileOut::~FileOut() {
  if (fd_ < 0) return;
  ::close(fd_);
  (void)::unlink(part().c_str());
}

Result<void> FileOut::write(ByteView bytes) {
  while (!bytes.empty()) {
    ssize_t n = ::write(fd_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return io("FILE_WRITE");
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

Result<void> FileOut::finish() {
  if (::fsync(fd_) != 0) return io("FILE_WRITE");
  if (::rename(part().c_str(), (folder_ + '/' + name_).c_str()) != 0) return io("FILE_RENAME");
  ::close(std::exchange(fd_, -1));
  return sync_folder(folder_);
}

Result<std::vector<std::string>> names_in(const std::string& folder, std::string_view suffix, std::size_t limit) {
  DIR* dir = ::opendir(folder.c_str());
  if (!dir) return io("FILE_OPEN");
  std::vector<std::string> out;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of one's own
  while (dirent* entry = ::readdir(dir)) {
    std::string_view name = entry->d_name;
    if (name.starts_with('.') || !name.ends_with(suffix)) continue;
    struct stat info{};
    if (::fstatat(::dirfd(dir), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(info.st_mode)) continue;
    out.emplace_back(name);
  }
  ::closedir(dir);
  std::ranges::sort(out);
  if (out.size() > limit) out.resize(limit);
  return out;
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  int fd = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return io("FILE_READ");
  std::string out;
  char buffer[16384];
  for (;;) {
    ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      auto error = io("FILE_READ");
      ::close(fd);
      return error;
    }
    if (n == 0) break;
    out.append(buffer, static_cast<std::size_t>(n));
    if (out.size() > limit) {
      ::close(fd);
      return fail(ErrorKind::too_large, "FILE_TOO_LARGE", fmt::format("larger than {} bytes", limit));
    }
  }
  ::close(fd);
  return out;
}

Result<void> move_to(const std::string& folder, const std::string& name, const std::string& sub) {
  std::string target = folder + '/' + sub;
  if (::mkdir(target.c_str(), 0750) != 0 && errno != EEXIST) return io("FILE_RENAME");
  for (int n = 0; n < 1000; ++n) {
    std::string to = n == 0 ? target + '/' + name : fmt::format("{}/{}.{}", target, name, n);
    if (::renameat2(AT_FDCWD, (folder + '/' + name).c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
    if (errno != EEXIST) return io("FILE_RENAME");
  }
  return io("FILE_RENAME");
}

}  // namespace schakel
