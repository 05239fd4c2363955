// A scenario through the real road: journal, vault, pipeline and outbox on a store in memory, with a turned clock.
#pragma once
#include <filesystem>
#include <memory>

#include "core/app/config.hpp"
#include "core/pipeline/scenario.hpp"
#include "core/plugin/registry.hpp"

namespace schakel::app {

/// What all players share: rules, plugins, fictional parties. Thread: one. Lifetime: outlives its players.
class Stage {
 public:
  /// `config_dir` holds regions, schemas and scenario-parties.json; `plugins_dir` the plugins.
  static Result<std::unique_ptr<Stage>> build(const std::filesystem::path& config_dir, const std::filesystem::path& plugins_dir);
  ~Stage();

  /// Plays one scenario. With `artifacts`, every UBL, PDF, mail and partner call is written below artifacts/<scenario id>/.
  [[nodiscard]] scenario::Played play(const scenario::Scenario& scenario, const std::filesystem::path& artifacts);
  struct Parts;

 private:
  explicit Stage(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace schakel::app
