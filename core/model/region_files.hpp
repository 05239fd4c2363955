// Region files on disk: those of the product, and those that a tenant lays beside them.
#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/model/profile.hpp"

namespace schakel {

/// A region as read from disk, with the file that it extends. `base` is an empty object where it extends none.
struct RegionFile {
  std::filesystem::path path, base_path;
  Json region, base;
  [[nodiscard]] bool only_base() const { return region.is_object() && region.value("region", Json()) == "CORE"; }
};

/// CONFIG_UNREADABLE: not there, not JSON, larger than 8 MiB or nested deeper than 32.
[[nodiscard]] Result<Json> read_region_json(const std::filesystem::path& path);

/// One region file. What it extends is looked for beside it, then among the regions of `config_dir`; a path is refused.
[[nodiscard]] Result<RegionFile> read_region_file(const std::filesystem::path& path,
                                                  const std::filesystem::path& config_dir);

/// <dir>/regions/*.json of `config_dir` and of each of `more`, in the order of their names.
[[nodiscard]] Result<std::vector<RegionFile>> read_region_files(const std::filesystem::path& config_dir,
                                                                std::span<const std::filesystem::path> more);

/// As load_profiles in profile.hpp, with further folders: a region is added by a file. Two files with one region:
/// PROFILE_INVALID.
[[nodiscard]] Result<Profiles> load_profiles(const std::filesystem::path& config_dir,
                                             std::span<const std::filesystem::path> more);

}  // namespace schakel
