#include "core/app/check_regions.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iostream>

#include "core/app/config.hpp"
#include "core/model/region_files.hpp"
#include "core/model/rule_check.hpp"

namespace schakel::app {
namespace fs = std::filesystem;
namespace {

/// The message types are the schemas; three more are made by the broker itself.
std::set<std::string, std::less<>> region_types(const fs::path& config_dir) {
  std::set<std::string, std::less<>> out;
  std::error_code ec;
  for (const auto& e : fs::directory_iterator(config_dir / "schemas/messages", ec))
    if (auto name = e.path().filename().string(); name.ends_with(".schema.json"))
      out.insert(name.substr(0, name.find('.')));
  if (!out.empty()) out.insert({"link_geopend", "termijnsignaal", "zaak_opening"});
  return out;
}

std::string facts_text(const Json& example) {
  std::string out;
  for (const auto& [name, value] : example.items())
    out += fmt::format("{}{} = {}", out.empty() ? "" : ", ", name,
                       value.is_string() ? value.get<std::string>()
                       : value.is_null() ? "not known"
                                         : value.dump());
  return out.empty() ? "any facts" : out;
}

void print_finding(const RuleFinding& f) {
  std::cout << fmt::format("  {:<7} {}  {}{}\n", to_string(f.severity), f.code, f.pointer,
                           f.rules.empty() ? "" : fmt::format("  [{}]", fmt::join(f.rules, ", ")));
  std::cout << "          " << f.message << "\n";
  if (!f.example.is_null()) std::cout << "          for example: " << facts_text(f.example) << "\n";
  if (!f.accepted.empty()) std::cout << "          accepted: " << f.accepted << "\n";
}

}  // namespace

bool is_region(const fs::path& path) {
  if (fs::is_directory(path)) return true;
  auto j = read_region_json(path);
  return j && j->is_object() && j->contains("region");
}

int check_regions(const fs::path& path, const RegionCheck& options, const Common& common) {
  auto config_dir = options.config_dir.empty() ? installed_prefix() / "share/schakel/config" : options.config_dir;
  auto facts = read_region_json(config_dir / "schemas/facts.json");
  if (!facts) return report(facts.error(), common);
  std::vector<RegionFile> files;
  if (fs::is_directory(path)) {
    auto more = options.more;
    if (!fs::equivalent(path, config_dir)) more.push_back(path);
    auto read = read_region_files(config_dir, more);
    if (!read) return report(read.error(), common);
    for (auto& f : *read)
      // A folder of a tenant: only what is in it. The regions of the product were checked when it was built.
      if (fs::equivalent(path, config_dir) || fs::equivalent(f.path.parent_path(), path / "regions"))
        files.push_back(std::move(f));
  } else {
    auto read = read_region_file(path, config_dir);
    if (!read) return report(read.error(), common);
    files.push_back(std::move(*read));
  }
  auto types = region_types(config_dir);
  Json all = Json::array();
  std::array<std::size_t, 3> total{};
  auto tell = [&](const std::string& file, const std::vector<RuleFinding>& findings) {
    std::array<std::size_t, 3> count{};
    for (const auto& x : findings) {
      ++count[static_cast<std::size_t>(x.severity)];
      ++total[static_cast<std::size_t>(x.severity)];
      all.push_back(to_json(x));
    }
    if (common.json) return;
    std::cout << fmt::format("{}: {} errors, {} warnings, {} notes\n", file, count[2], count[1], count[0]);
    for (const auto& x : findings)
      if (x.severity != Severity::note || options.notes) print_finding(x);
  };
  std::vector<const Json*> regions;
  for (const auto& f : files) {
    tell(f.path.filename().string(),
         check_region({f.path.filename(), f.region}, {f.base_path.filename(), f.base}, *facts, types));
    regions.push_back(&f.region);
  }
  // What one region does not look at another may: only all of them together say that nobody does.
  if (fs::is_directory(path) && fs::equivalent(path, config_dir))
    if (auto unused = unused_facts(*facts, regions); !unused.empty()) tell("facts.json", unused);
  bool good = total[2] == 0 && (!options.strict || total[1] == 0);
  if (common.json) print_json({{"ok", good}, {"findings", all}});
  return good ? kOk : kFinding;
}

}  // namespace schakel::app
