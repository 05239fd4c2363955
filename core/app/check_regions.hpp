// schakel check on region files: what core/model/rule_check finds, as text or JSON.
#pragma once
#include <filesystem>
#include <vector>

#include "core/app/cli.hpp"

namespace schakel::app {

struct RegionCheck {
  std::filesystem::path config_dir;         ///< core.json, facts.json, message types; empty: the installed ones
  std::vector<std::filesystem::path> more;  ///< further folders with regions/
  bool notes = false, strict = false;
};

/// A region file (it has a key `region`), or a folder with regions/.
[[nodiscard]] bool is_region(const std::filesystem::path& path);
/// Prints every finding. kFinding where there is an error, or with `strict` a warning.
int check_regions(const std::filesystem::path& path, const RegionCheck& options, const Common& common);

}  // namespace schakel::app
