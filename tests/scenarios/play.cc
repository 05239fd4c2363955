// Plays scenario files with the pure player and prints what differs: for whoever writes rules.
//   play [--region KNH] [--skip invoices,...] [--explain N] [--got] [--dump] FILE...
// --got prints per file what was decided, in the shape of `expect`, and the rules that were cited: for whoever writes a
// scenario.
// --dump prints every decision as it would be recorded, one a line: two builds can be compared by it.
#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "core/pipeline/scenario.hpp"
#include "tests/scenarios/cited.hpp"
#include "tests/scenarios/deciders.hpp"

int main(int argc, char** argv) {
  using namespace schakel;
  std::vector<std::string> files;
  std::string only, skip;
  std::int64_t explain = 0;
  bool got = false, dump = false;
  for (int i = 1; i < argc; ++i) {
    std::string a = argv[i];
    if (a == "--region" && i + 1 < argc)
      only = argv[++i];
    else if (a == "--skip" && i + 1 < argc)
      skip = argv[++i];
    else if (a == "--explain" && i + 1 < argc)
      explain = std::atoi(argv[++i]);
    else if (a == "--got")
      got = true;
    else if (a == "--dump")
      dump = true;
    else
      files.push_back(a);
  }
  auto profiles = load_profiles(SCHAKEL_SOURCE_DIR "/config");
  if (!profiles) {
    std::cerr << profiles.error().code << ": " << profiles.error().message << "\n";
    for (const Finding& f : profiles.error().findings)
      std::cerr << "  " << f.pointer << " " << f.code << " " << f.message << "\n";
    return 78;
  }
  std::map<std::string, std::pair<int, int>> tally;
  for (const std::string& path : files) {
    std::ifstream in(path);
    std::ostringstream text;
    text << in.rdbuf();
    auto s = scenario::read(text.str());
    if (!s) {
      std::cerr << path << ": " << s.error().message << "\n";
      for (const Finding& f : s.error().findings)
        std::cerr << "  " << f.pointer << " " << f.code << " " << f.message << "\n";
      ++tally["?"].second;
      continue;
    }
    if (!only.empty() && s->region != only) continue;
    auto profile = profiles->find(s->region);
    if (profile == profiles->end()) {
      ++tally[s->region].second;
      continue;
    }
    scenario::PurePlayer player(scenario::test_deciders(), profile->second);
    auto played = scenario::run(*s, player);
    if (got) {
      for (Json& row : played.got["deadlines"])
        for (const Deadline& d : player.file().deadlines)
          if (row["name"] == d.name && d.state != "cancelled")
            row["warn"] = d.warn_date, row["responsible"] = d.responsible, row["state"] = d.state;
      std::cout << Json{{"id", s->id},
                        {"expect", played.got},
                        {"rules", scenario::cited(*s, played)},
                        {"error", played.error ? played.error->message : ""}}
                       .dump()
                << "\n";
      continue;
    }
    std::erase_if(played.differences,
                  [&](const scenario::Difference& d) { return skip.find(d.part) != std::string::npos; });
    auto& count = tally[s->region];
    ++(played.passed() ? count.first : count.second);
    if (!played.passed()) {
      std::cout << s->id << "\n";
      if (played.error) std::cout << "  ERROR " << played.error->message << "\n";
      for (const auto& d : played.differences) std::cout << "  " << d.text() << "\n";
    }
    if (dump)
      for (const Draft& d : played.drafts) std::cout << s->id << ' ' << dump_json(Json(d)) << "\n";
    if (explain > 0 && explain <= static_cast<std::int64_t>(played.drafts.size()))
      std::cout << Json(played.drafts[static_cast<std::size_t>(explain - 1)]).dump(1) << "\n";
  }
  int failed = 0;
  for (const auto& [region, n] : tally) {
    std::cout << fmt::format("{}: {} passed, {} failed\n", region, n.first, n.second);
    failed += n.second;
  }
  return failed ? 1 : 0;
}
