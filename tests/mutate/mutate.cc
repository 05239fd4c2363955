// Changes each rule of each region in turn, in memory, and plays scenarios until one notices. What nobody notices is a
// rule without a test: it is listed, and the exit status is 1, unless equivalent.json says why nothing can notice it.
//   rule_mutants [--region KNH] [--deletions] [--own] [--json] [--survivors N] [--threads N]
#include <fmt/format.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <mutex>
#include <set>
#include <sstream>
#include <thread>

#include "core/pipeline/scenario.hpp"
#include "tests/mutate/mutants.hpp"
#include "tests/scenarios/cited.hpp"
#include "tests/scenarios/deciders.hpp"

namespace {

using namespace schakel;
namespace fs = std::filesystem;
const fs::path kRoot = SCHAKEL_SOURCE_DIR;

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

struct Case {
  scenario::Scenario scenario;
  bool own = false;
};

struct RegionFile {
  std::string region;  ///< CORE: its mutants are judged by the scenarios of all regions
  Json file;
};

std::vector<Case> load_cases(const fs::path& folder, bool own) {
  std::vector<Case> out;
  if (!fs::exists(folder)) return out;
  std::vector<fs::path> files;
  for (const auto& e : fs::recursive_directory_iterator(folder))
    if (e.path().extension() == ".json") files.push_back(e.path());
  std::ranges::sort(files);
  for (const auto& f : files) {
    auto s = scenario::read(slurp(f));
    if (!s) {
      std::cerr << f.string() << ": " << s.error().message << "\n";
      std::exit(78);
    }
    out.push_back({std::move(*s), own});
  }
  return out;
}

using Profile_ = std::shared_ptr<const Profile>;

/// A rule is cited without the sentence that a person is shown.
bool speechless(const scenario::Played& played) {
  return std::ranges::any_of(played.drafts, [](const Draft& d) {
    return std::ranges::any_of(d.explanation, [](const Explanation& e) { return e.quote.empty(); });
  });
}

/// Whether playing this case with these rules shows a difference: another outcome, or of our own cases other rules
/// cited, or one without its sentence.
bool notices(const Case& c, const Profile_& profile) {
  scenario::PurePlayer player(scenario::test_deciders(), profile);
  auto played = scenario::run(c.scenario, player);
  return !played.passed() ||
         (c.own && (scenario::cited(c.scenario, played) != scenario::named(c.scenario) || speechless(played)));
}

/// An entry of equivalent.json speaks of one mutant, or with a * at its end of all that begin so.
bool covers(const std::string& entry, const std::string& key) {
  return entry.ends_with('*') ? key.starts_with(std::string_view(entry).substr(0, entry.size() - 1)) : entry == key;
}

enum class Fate { by_own, by_shared, refused, survived };

class Judge {
 public:
  Judge(std::map<std::string, RegionFile> files, std::vector<Case> cases, std::shared_ptr<const Vocabulary> vocabulary)
      : files_(std::move(files)), cases_(std::move(cases)), vocabulary_(std::move(vocabulary)) {}

  /// Scenarios that fail without any change; there must be none.
  std::vector<std::string> failing() const {
    std::vector<std::string> out;
    std::map<std::string, Profile_> profiles;
    for (const Case& c : cases_) {
      auto& p = profiles[c.scenario.region];
      if (!p) p = parsed(c.scenario.region, nullptr, nullptr);
      if (!p || notices(c, p)) out.push_back(c.scenario.id);
    }
    return out;
  }

  /// `last` is the case that noticed the last change of the same rule: it often notices this one too.
  Fate fate(const std::string& region, const mutate::Mutant& m, std::string& killer, std::size_t& last) const {
    Json changed = files_.at(region).file;
    changed[m.at] = m.value;
    std::map<std::string, Profile_> profiles;
    bool refused = false;
    auto tries = [&](std::size_t i) {
      const Case& c = cases_[i];
      if (region != "CORE" && c.scenario.region != region) return false;
      // A rule does nothing in a case without a message of its types.
      if (!m.on.empty() && std::ranges::none_of(c.scenario.messages, [&](const Message& x) {
            return std::ranges::find(m.on, x.type) != m.on.end();
          }))
        return false;
      auto [it, fresh] = profiles.try_emplace(c.scenario.region);
      if (fresh)
        it->second = region == "CORE" ? parsed(c.scenario.region, nullptr, &changed)
                                      : parsed(c.scenario.region, &changed, nullptr);
      if (!it->second) {
        refused = true;
        return true;
      }
      if (!notices(c, it->second)) return false;
      killer = c.scenario.id;
      last = i;
      return true;
    };
    auto of = [&](std::size_t i) { return refused ? Fate::refused : cases_[i].own ? Fate::by_own : Fate::by_shared; };
    if (last < cases_.size() && cases_[last].own && tries(last)) return of(last);
    for (std::size_t i = 0; i < cases_.size(); ++i)
      if (tries(i)) return of(i);
    return Fate::survived;
  }

 private:
  Profile_ parsed(const std::string& region, const Json* file, const Json* base) const {
    auto p = Profile::parse(file ? *file : files_.at(region).file, vocabulary_, base ? *base : files_.at("CORE").file);
    return p ? *p : nullptr;
  }

  std::map<std::string, RegionFile> files_;
  std::vector<Case> cases_;  ///< our own first
  std::shared_ptr<const Vocabulary> vocabulary_;
};

struct Options {
  std::string region;
  bool deletions = false, own = false, json = false;
  unsigned threads = std::max(1u, std::thread::hardware_concurrency());
};

Options options_of(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    std::string a = argv[i];
    if (a == "--region" && i + 1 < argc)
      o.region = argv[++i];
    else if (a == "--threads" && i + 1 < argc)
      o.threads = static_cast<unsigned>(std::max(1, std::atoi(argv[++i])));
    else if (a == "--deletions")
      o.deletions = true;
    else if (a == "--own")
      o.own = true;
    else if (a == "--json")
      o.json = true;
    else {
      std::cerr << "usage: rule_mutants [--region CODE] [--deletions] [--own] [--json] [--threads N]\n";
      std::exit(64);
    }
  }
  return o;
}

}  // namespace

int main(int argc, char** argv) {
  Options o = options_of(argc, argv);
  auto vocabulary = Vocabulary::parse(Json::parse(slurp(kRoot / "config/schemas/facts.json")));
  if (!vocabulary) return 78;
  std::map<std::string, RegionFile> files;
  for (const auto& e : fs::directory_iterator(kRoot / "config/regions"))
    if (e.path().extension() == ".json") {
      Json file = Json::parse(slurp(e.path()));
      std::string region = file.at("region").get<std::string>();
      files[region] = {region, std::move(file)};
    }
  std::vector<Case> cases = load_cases(kRoot / "tests/scenarios", true);
  if (!o.own)
    for (Case& c : load_cases(kRoot / "../shared/domain/scenarios", false)) cases.push_back(std::move(c));
  std::map<std::string, std::string> excused;
  std::set<std::string> used;
  for (const Json& e : Json::parse(slurp(kRoot / "tests/mutate/equivalent.json")))
    excused[e.at("region").get<std::string>() + " " + e.at("mutant").get<std::string>()] =
        e.at("reason").get<std::string>();

  Judge judge(files, std::move(cases), *vocabulary);
  if (auto bad = judge.failing(); !bad.empty()) {
    std::cerr << fmt::format("scenarios that fail without any change: {}\n", fmt::join(bad, ", "));
    return 1;
  }
  Json report = {{"regions", Json::object()}, {"survivors", Json::array()}, {"stale", Json::array()}};
  bool good = true;
  for (const auto& [region, file] : files) {
    if (!o.region.empty() && region != o.region) continue;
    auto all = mutate::mutants_of(file.file);
    if (o.deletions) std::erase_if(all, [](const mutate::Mutant& m) { return !m.deletion; });
    struct Row {
      Fate fate = Fate::survived;
      std::string killer;
    };
    std::vector<Row> rows(all.size());
    std::atomic<std::size_t> next{0};
    std::mutex say;
    std::vector<std::thread> workers;
    for (unsigned w = 0; w < o.threads; ++w)
      workers.emplace_back([&] {
        std::size_t last = static_cast<std::size_t>(-1);
        for (std::size_t i = next++; i < all.size(); i = next++) {
          rows[i].fate = judge.fate(region, all[i], rows[i].killer, last);
          if ((i + 1) % 200 == 0) {
            std::scoped_lock lock(say);
            std::cerr << fmt::format("{} {}/{}\n", region, i + 1, all.size());
          }
        }
      });
    for (auto& w : workers) w.join();
    std::map<Fate, int> tally;
    int listed = 0, alive = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      ++tally[rows[i].fate];
      std::string key = region + " " + all[i].key;
      if (rows[i].fate != Fate::survived) continue;
      if (auto it = std::ranges::find_if(excused, [&](const auto& e) { return covers(e.first, key); });
          it != excused.end()) {
        used.insert(it->first);
        ++listed;
        continue;
      }
      ++alive;
      report["survivors"].push_back({{"region", region}, {"rule", all[i].rule}, {"mutant", all[i].key}});
      if (!o.json) std::cout << "survived  " << key << "\n";
    }
    if (!o.deletions && !o.own)
      for (const auto& [key, why] : excused)
        if (key.starts_with(region + " ") && !used.contains(key)) {
          report["stale"].push_back(key);
          if (!o.json) std::cout << "stale     " << key << " is listed as equivalent, but is noticed or gone\n";
          good = false;
        }
    good = good && alive == 0;
    report["regions"][region] = {{"mutants", all.size()},
                                 {"killed_by_own", tally[Fate::by_own]},
                                 {"killed_by_shared", tally[Fate::by_shared]},
                                 {"refused", tally[Fate::refused]},
                                 {"equivalent", listed},
                                 {"survived", alive}};
    if (!o.json)
      std::cout << fmt::format(
          "{}: {} mutants, {} killed by our own scenarios, {} by the shared ones, {} refused by the reader, {} "
          "equivalent, {} survived\n",
          region, all.size(), tally[Fate::by_own], tally[Fate::by_shared], tally[Fate::refused], listed, alive);
  }
  if (o.json) std::cout << report.dump(1) << "\n";
  return good ? 0 : 1;
}
