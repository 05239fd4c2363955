// A scenario through the real road: journal, vault, pipeline and outbox on a store in memory, with a turned clock.
#pragma once
#include <filesystem>
#include <memory>
#include <span>

#include "core/app/config.hpp"
#include "core/pipeline/scenario.hpp"
#include "core/plugin/registry.hpp"

namespace schakel::app {

/// What all players share: rules, plugins, fictional parties. Thread: one. Lifetime: outlives its players.
class Stage {
 public:
  /// `config_dir` holds regions, schemas and scenario-parties.json; `plugins_dir` the plugins.
  /// `more` are folders with further regions/ and, if they have parties of their own, a scenario-parties.json.
  static Result<std::unique_ptr<Stage>> build(const std::filesystem::path& config_dir,
                                              const std::filesystem::path& plugins_dir,
                                              std::span<const std::filesystem::path> more = {});
  ~Stage();

  /// Plays one scenario. With `artifacts`, every UBL, PDF, mail and partner call is written below artifacts/<scenario
  /// id>/.
  [[nodiscard]] scenario::Played play(const scenario::Scenario& scenario, const std::filesystem::path& artifacts);
  /// The rules it plays with; as long as the stage.
  [[nodiscard]] const Profiles& profiles() const;
  struct Parts;

 private:
  explicit Stage(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace schakel::app
