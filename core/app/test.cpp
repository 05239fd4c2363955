#include <fmt/format.h>

#include <atomic>
#include <fstream>
#include <iostream>
#include <thread>

#include "core/app/cli.hpp"
#include "core/app/coverage.hpp"
#include "core/app/road_player.hpp"

namespace schakel::app {
namespace fs = std::filesystem;
namespace {

struct Options {
  std::vector<std::string> paths;
  std::string junit, artifacts, config_dir;
  std::vector<std::string> regions;
  bool explain = false, coverage = false;
};

/// Files as given, folders walked; files that are no scenarios are passed over when a folder brought them.
std::vector<std::pair<fs::path, bool>> collect(const std::vector<std::string>& paths) {
  std::vector<std::pair<fs::path, bool>> out;
  for (const auto& p : paths) {
    if (!fs::is_directory(p)) {
      out.emplace_back(p, true);
      continue;
    }
    std::vector<fs::path> found;
    for (const auto& e : fs::recursive_directory_iterator(p))
      if (e.is_regular_file() && e.path().extension() == ".json") found.push_back(e.path());
    std::ranges::sort(found);
    for (auto& f : found) out.emplace_back(std::move(f), false);
  }
  return out;
}

std::string xml_text(std::string_view s) {
  std::string out;
  for (char c : s) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '"')
      out += "&quot;";
    else if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t')
      out += '?';  // XML 1.0 has no way to write it
    else
      out += c;
  }
  return out;
}

void print_why(const scenario::Scenario& s, const scenario::Played& played) {
  for (std::size_t i = 0; i < played.drafts.size(); ++i) {
    const auto& d = played.drafts[i];
    const auto& m = s.messages[i];
    std::cout << fmt::format("  {} {} van {}: {}{}\n", i + 1, m.type, m.sender_role, to_string(d.outcome),
                             d.codes.empty() ? "" : " (" + fmt::format("{}", fmt::join(d.codes, ", ")) + ")");
    for (const auto& e : d.explanation) {
      std::cout << fmt::format("      {:<10} {} {} {}\n", e.result, e.rule, e.stage, e.code);
      if (!e.quote.empty()) std::cout << "                 \"" << e.quote << "\"\n";
      if (!e.facts.empty()) std::cout << "                 " << e.facts.dump() << "\n";
    }
  }
}

struct Scene {
  Result<scenario::Scenario> scenario;
  scenario::Played played;
};

std::vector<Scene> read_scenes(const std::vector<std::string>& paths) {
  std::vector<Scene> out;
  for (const auto& [file, named] : collect(paths)) {
    std::ifstream in(file, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(in)), {});
    if (!named && text.find("oza-scenario/1") == std::string::npos) continue;
    Scene s{in ? scenario::read(text)
               : Result<scenario::Scenario>(fail(ErrorKind::not_found, "FILE_MISSING", "this file cannot be read")),
            {}};
    s.played.id = file.stem().string();
    if (!s.scenario) s.played.error = s.scenario.error();
    out.push_back(std::move(s));
  }
  return out;
}

/// Each on its own store; two at a time. With artifacts one after the other: those are files that a reader compares.
void play(std::vector<Scene>& scenes, Stage& stage, const std::string& artifacts) {
  std::atomic<std::size_t> next{0};
  auto work = [&] {
    for (std::size_t i = next++; i < scenes.size(); i = next++)
      if (scenes[i].scenario) scenes[i].played = stage.play(*scenes[i].scenario, artifacts);
  };
  std::jthread other;
  if (artifacts.empty() && scenes.size() > 1 && std::thread::hardware_concurrency() > 1) other = std::jthread(work);
  work();
}

int run(const Options& o, const Common& common) {
  auto config_dir = o.config_dir.empty() ? installed_prefix() / "share/schakel/config" : fs::path(o.config_dir);
  std::vector<fs::path> more(o.regions.begin(), o.regions.end());
  auto stage = Stage::build(config_dir, installed_prefix() / "lib/schakel", more);
  if (!stage) return report(stage.error(), common);
  Coverage coverage((*stage)->profiles());
  int passed = 0, failed = 0;
  Json results = Json::array();
  std::string cases;
  auto scenes = read_scenes(o.paths);
  play(scenes, **stage, o.artifacts);
  for (const auto& [scenario, played] : scenes) {
    (played.passed() ? passed : failed)++;
    coverage.add(played.region, played.drafts);
    std::string why;
    if (played.error) {
      why = played.error->code + ": " + played.error->message + "\n";
      for (const auto& f : played.error->findings) why += "    " + f.pointer + " " + f.code + ": " + f.message + "\n";
    }
    for (const auto& d : played.differences) why += "    " + d.text() + "\n";
    auto first = why.substr(0, why.find('\n'));
    cases += fmt::format("  <testcase classname=\"schakel.{}\" name=\"{}\"",
                         xml_text(played.region.empty() ? "unread" : played.region), xml_text(played.id));
    cases += why.empty() ? "/>\n"
                         : fmt::format("><failure type=\"{}\" message=\"{}\">{}</failure></testcase>\n",
                                       played.error ? xml_text(played.error->code) : "DIFFERENT", xml_text(first),
                                       xml_text(why));
    results.push_back({{"id", played.id}, {"passed", played.passed()}, {"differences", why}});
    if (common.json) continue;
    if (!played.passed())
      std::cout << "FAILED " << played.id << "  " << played.title << "\n" << why;
    else if (o.explain)
      std::cout << "passed " << played.id << "  " << played.title << "\n";
    if (o.explain && scenario) print_why(*scenario, played);
  }
  if (!o.junit.empty()) {
    std::ofstream report_file(o.junit, std::ios::binary);
    report_file << fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"schakel test\" tests=\"{}\" failures=\"{}\" "
        "errors=\"0\">\n{}</testsuite>\n",
        passed + failed, failed, cases);
    if (!report_file.flush())
      return report({ErrorKind::invalid, "FILE_UNWRITABLE", "the JUnit report cannot be written", {}}, common);
  }
  auto rules = o.coverage ? coverage.rows() : std::vector<RuleUse>();
  if (common.json) {
    Json out{{"passed", passed}, {"failed", failed}, {"scenarios", results}};
    if (o.coverage) out["coverage"] = to_json(rules);
    print_json(out);
  }
  if (passed + failed == 0) {
    std::cerr << "schakel: no scenarios found\n";
    return kUsage;
  }
  if (!common.json && o.coverage) std::cout << to_table(rules);
  if (!common.json) std::cout << passed << " passed, " << failed << " failed\n";
  return failed == 0 ? kOk : kFinding;
}

}  // namespace

void add_test(CLI::App& app, Common& common, int& exit) {
  static Options o;
  auto* c = app.add_subcommand("test", "Play scenarios (oza-scenario/1) through the real pipeline");
  c->add_option("path", o.paths, "scenario files or folders")->required()->check(CLI::ExistingPath);
  c->add_option("--junit", o.junit, "write a JUnit XML report to this file: one testsuite, a testcase per scenario");
  c->add_option("--artifacts", o.artifacts, "write every UBL, PDF, mail and partner call below this folder");
  c->add_option("--rules", o.config_dir, "folder with regions and schemas (default: the installed one)");
  c->add_option("--regions", o.regions, "further folder with regions/ and perhaps scenario-parties.json (repeatable)")
      ->check(CLI::ExistingDirectory);
  c->add_flag(
      "--coverage", o.coverage,
      "per rule, in how many scenarios it fired, blocked or nearly did; rules never exercised first (with --json as "
      "\"coverage\")");
  c->add_flag("--explain", o.explain, "print why each message was decided as it was");
  c->callback([&common, &exit] { exit = run(o, common); });
}

}  // namespace schakel::app
