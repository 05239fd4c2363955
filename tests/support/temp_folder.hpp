// A folder of the test's own, in memory where the machine has that, removed at the end.
#pragma once
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "core/base/hash.hpp"

namespace schakel::test {

class TempFolder {
 public:
  TempFolder() {
    std::error_code none;
    auto base = std::filesystem::is_directory("/dev/shm", none) ? std::filesystem::path("/dev/shm")
                                                                : std::filesystem::temp_directory_path();
    path_ = base / ("schakel-" + to_hex(random_bytes(8)));
    std::filesystem::create_directory(path_);
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all);
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }
  /// Writes a file, with the folders above it.
  std::filesystem::path write(std::string_view name, std::string_view bytes) const {
    auto file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << bytes;
    return file;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace schakel::test
