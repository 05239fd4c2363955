#include "core/model/region_files.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace schakel {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kRegionBytes = std::size_t{8} << 20;

Error with_region_file(Error e, const fs::path& path) {
  for (Finding& f : e.findings) f.pointer = path.filename().string() + "#" + f.pointer;
  return e;
}

}  // namespace

Result<Json> read_region_json(const fs::path& path) {
  auto name = path.filename().string();
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(ErrorKind::not_found, "CONFIG_UNREADABLE", name + " cannot be read");
  // Not more than is accepted is taken into memory, whatever the file is.
  std::string text(kRegionBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  auto j = parse_json(text, {.bytes = kRegionBytes, .depth = 32, .string_bytes = 64 * 1024});
  if (!j) return fail(ErrorKind::invalid, "CONFIG_UNREADABLE", name + ": " + j.error().message);
  return j;
}

Result<RegionFile> read_region_file(const fs::path& path, const fs::path& config_dir) {
  auto region = read_region_json(path);
  if (!region) return fail(std::move(region.error()));
  RegionFile out{path, {}, std::move(*region), Json::object()};
  if (!out.region.is_object() || !out.region.contains("extends")) return out;
  const Json& name = out.region["extends"];
  // A file name, never a path.
  if (!name.is_string() || name.get_ref<const std::string&>().find_first_of("/\\") != std::string::npos)
    return fail(ErrorKind::invalid, "PROFILE_INVALID", "extends names a file of the folder regions",
                {{path.filename().string() + "#/extends", "TYPE", "a file name", ""}});
  out.base_path = path.parent_path() / name.get<std::string>();
  std::error_code ec;
  if (!fs::exists(out.base_path, ec)) out.base_path = config_dir / "regions" / name.get<std::string>();
  auto base = read_region_json(out.base_path);
  if (!base) return fail(std::move(base.error()));
  out.base = std::move(*base);
  return out;
}

Result<std::vector<RegionFile>> read_region_files(const fs::path& config_dir, std::span<const fs::path> more) {
  std::vector<fs::path> files;
  std::vector<fs::path> folders{config_dir};
  folders.insert(folders.end(), more.begin(), more.end());
  for (const auto& folder : folders) {
    std::error_code ec;
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(folder / "regions", ec))
      if (entry.path().extension() == ".json") found.push_back(entry.path());
    if (ec) return fail(ErrorKind::not_found, "CONFIG_UNREADABLE", "the folder regions cannot be read");
    std::ranges::sort(found);
    files.insert(files.end(), found.begin(), found.end());
  }
  std::vector<RegionFile> out;
  for (const auto& path : files) {
    auto file = read_region_file(path, config_dir);
    if (!file) return fail(std::move(file.error()));
    out.push_back(std::move(*file));
  }
  return out;
}

Result<Profiles> load_profiles(const fs::path& config_dir, std::span<const fs::path> more) {
  auto facts_path = config_dir / "schemas" / "facts.json";
  auto facts = read_region_json(facts_path);
  if (!facts) return fail(facts.error());
  auto vocabulary = Vocabulary::parse(*facts);
  if (!vocabulary) return fail(with_region_file(vocabulary.error(), facts_path));
  auto files = read_region_files(config_dir, more);
  if (!files) return fail(std::move(files.error()));
  Profiles out;
  for (const auto& file : *files) {
    if (file.only_base()) continue;
    auto profile = Profile::parse_file(file.path.filename().string(), file.region, *vocabulary, file.base);
    if (!profile) return fail(with_region_file(profile.error(), file.path));
    std::string code = (*profile)->region();
    if (!out.emplace(code, std::move(*profile)).second)
      return fail(ErrorKind::conflict, "PROFILE_INVALID", "two files have the same region",
                  {{file.path.filename().string() + "#/region", "TWICE", "another file has this region", ""}});
  }
  return out;
}

Result<Profiles> load_profiles(const fs::path& config_dir) { return load_profiles(config_dir, {}); }

}  // namespace schakel
