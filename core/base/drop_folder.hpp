// Files of a drop folder: written so that a reader never sees half a file, read so that nobody can lead us elsewhere.
#pragma once
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/error.hpp"

namespace schakel {

/// One file on its way: content goes to ".NAME.part", finish() makes it durable and gives it its name. Without finish()
/// the part is removed. Codes: FILE_OPEN, FILE_WRITE, FILE_RENAME (kind io).
class FileOut {
 public:
  [[nodiscard]] static Result<FileOut> open(const std::string& folder, const std::string& name);
  FileOut(FileOut&& other) noexcept;
  FileOut& operator=(FileOut&&) = delete;
  ~FileOut();
  [[nodiscard]] Result<void> write(ByteView bytes);
  [[nodiscard]] Result<void> finish();

 private:
  FileOut(int fd, std::string folder, std::string name) : fd_(fd), folder_(std::move(folder)), name_(std::move(name)) {}
  [[nodiscard]] std::string part() const { return folder_ + "/." + name_ + ".part"; }
  int fd_;
  std::string folder_, name_;
};

/// Names of regular files that end in `suffix`, sorted, at most `limit`; hidden files and links are passed over.
[[nodiscard]] Result<std::vector<std::string>> names_in(const std::string& folder, std::string_view suffix,
                                                        std::size_t limit);
/// Whole content. Follows no link. FILE_TOO_LARGE (kind too_large) above `limit`, FILE_READ otherwise.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t limit);
/// Moves below `folder`/`sub`, which is made when absent; a number is added when the name is taken.
[[nodiscard]] Result<void> move_to(const std::string& folder, const std::string& name, const std::string& sub);

}  // namespace schakel
