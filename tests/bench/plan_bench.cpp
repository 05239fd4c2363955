// Recorded history decided again under the same rules (schakel plan): rows read from SQLite, checked, opened with the
// keys of their cases, read, decided, folded. The whole of the broker's side of the command but for HTTP.
//   TMPDIR=/dev/shm SCHAKEL_PLAN_CASES=1000 build/release/bin/plan_bench
// First the history is made, 20 decisions a case, each a durable commit: on a real disk that takes minutes.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <fstream>

#include "core/api/routes.hpp"
#include "core/journal/vault_sealer.hpp"
#include "core/store/sqlite/sqlite_store.hpp"
#include "tests/scenarios/deciders.hpp"

namespace {

using namespace schakel;

constexpr int kPerCase = 20;

int cases() {
  const char* asked = ::getenv("SCHAKEL_PLAN_CASES");  // NOLINT(concurrency-mt-unsafe): one thread
  return asked ? std::max(1, std::atoi(asked)) : 50;
}

template <class T>
T run(boost::asio::io_context& io, Task<T> task) {
  std::optional<T> out;
  boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr e, T value) {
    if (e) std::rethrow_exception(e);
    out.emplace(std::move(value));
  });
  io.restart();
  io.run();
  return std::move(out.value());
}
template <class T>
T good(Result<T> r) {
  if (!r) throw std::runtime_error(r.error().code + ": " + r.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*r);
}

struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("schakel-plan-" + to_hex(random_bytes(8)));
  Folder() { std::filesystem::create_directory(path); }
  ~Folder() { std::filesystem::remove_all(path); }
};

class Nobody final : public pipeline::Directory {
 public:
  Task<Result<std::vector<outbox::Contact>>> contacts(std::string) override {
    co_return std::vector<outbox::Contact>{};
  }
  Task<Result<void>> extend(const Message&, const Draft&, store::Transaction&) override { co_return Result<void>{}; }
};

struct NoCheck final : ingress::DocumentCheck {
  Task<Result<void>> check(const Attachment&, std::string_view, std::string_view) override { co_return Result<void>{}; }
};

struct History {
  boost::asio::io_context io{1};
  Folder folder;
  ManualClock clock{parse_instant("2026-10-01T07:00:00Z").value()};
  std::unique_ptr<store::SqliteStore> store =
      good(store::SqliteStore::open((folder.path / "journal.db").string(), clock, {}));
  runtime::BlockingPool pool{4, 1024};
  std::unique_ptr<vault::Vault> vault =
      good(run(io, vault::Vault::open(*store, clock, good(vault::MasterKey::from_bytes(Secret(Bytes(32, 7)))))));
  journal::VaultSealer sealer{*vault};
  journal::Journal journal{*store, sealer, clock, Secret("bench")};
  Profiles profiles = good(load_profiles(SCHAKEL_SOURCE_DIR "/config"));
  std::shared_ptr<const Parties> parties = std::make_shared<Parties>(good(Parties::read({{"parties", Json::array()}})));
  Nobody nobody;
  pipeline::Pipeline pipeline{journal, scenario::test_deciders(), profiles, parties, nobody};
  vault::Documents documents{*vault, *store, clock, pool, good(vault::Blobs::open(folder.path / "blobs"))};
  vault::Participants participants{*vault, *store};
  vault::Bsn bsn{*vault, *store};
  delivery::Delivering delivering{journal, *vault, documents, profiles};
  outbox::Dispatcher dispatcher{*store, delivering, clock, outbox::DispatcherOptions{}};
  ingress::TypeCatalogue types = good(ingress::TypeCatalogue::load(SCHAKEL_SOURCE_DIR "/config/schemas/messages"));
  NoCheck check;
  ingress::Ingress ingress{journal, parties, types, check, {"KNH"}};
  api::Services services{.broker = io.get_executor(),
                         .store = *store,
                         .journal = journal,
                         .ingress = ingress,
                         .pipeline = pipeline,
                         .dispatcher = dispatcher,
                         .delivering = delivering,
                         .vault = *vault,
                         .documents = documents,
                         .participants = participants,
                         .bsn = bsn,
                         .parties = parties,
                         .clock = clock,
                         .document_limit = 0,
                         .openapi = "",
                         .metrics = {},
                         .health = {},
                         .audit_verify = {},
                         .links = {},
                         .pool = &pool,
                         .schemas_dir = "",
                         .answered = {}};
  std::int64_t decisions = 0;

  History() {
    for (int n = 0; n < kPerCase; ++n) {
      for (int c = 0; c < cases(); ++c) good(run(io, journal.accept(message(c, n))));
      decisions += good(run(io, pipeline.step()));
      clock.advance(std::chrono::hours(26));
    }
  }

  static Message message(int c, int n) {
    Message m;
    auto id = [c](int k) { return "bench/" + std::to_string(c) + "/" + std::to_string(k); };
    m.id = id(n);
    m.source = "urn:nld:oin:00000001800000000000:systeem:bench";
    m.subject = "Z-" + std::to_string(1'000'000 + c);
    m.region = "KNH";
    m.party = "school-1";
    m.sender_role = "school_ib";
    // After the opening: a delivery that two roles open, six times over.
    if (n == 0) {
      m.type = "zaak_opening";
      m.payload = opening();
    } else if (n == 1) {
      m.type = "ot_aanmelding";
      m.payload = {{"question_kind", "onderwijs_zorg"}};
    } else if (n % 3 == 2) {
      m.type = "documentlevering";
      m.payload = {{"documents", {"groeidocument", "lvs", "opp"}}, {"meeting", "MDO"}};
      m.attachments = {{"doc-1", "groeidocument", 3, "compleet", std::string(64, 'a')},
                       {"doc-2", "lvs", 1, "compleet", std::string(64, 'b')},
                       {"doc-3", "opp", 1, "concept", std::string(64, 'c')}};
    } else {
      m.type = "link_geopend";
      m.sender_role = n % 3 == 0 ? "orthopedagoog" : "procesregisseur";
      m.payload = {{"delivery", id(n - (n % 3 == 0 ? 1 : 2))}};
    }
    return m;
  }
  static Json opening() {
    auto consent = [](const char* id, const char* giver) {
      return Json{{"id", id},
                  {"giver", giver},
                  {"purpose", "documents"},
                  {"doc_types", {"*"}},
                  {"roles", {"*"}},
                  {"valid_from", "2026-09-01T08:00:00+02:00"},
                  {"valid_until", nullptr},
                  {"withdrawn_at", nullptr}};
    };
    return {{"pupil",
             {{"birth_date", "2018-04-03"},
              {"school", "De Verzonnen School"},
              {"school_type", "PO"},
              {"woongemeente", "Schagen"},
              {"enrolled", true}}},
            {"case",
             {{"question_kind", "onderwijs_zorg"},
              {"wijkteam_involved", true},
              {"gi_involved", false},
              {"extra_support", true},
              {"custody", {"ouder_1", "ouder_2"}},
              {"dossier_exists", false},
              {"dispute", false}}},
            {"consents", {consent("c1", "ouder_1"), consent("c2", "ouder_2")}},
            {"documents", Json::array()},
            {"meeting", {{"kind", "MDO"}, {"at", "2026-11-30T10:00:00+01:00"}}},
            {"profile_overrides", Json::object()}};
  }

  /// Every page of the plan, as the command asks for them.
  Json plan(const Json& rules) {
    std::function<Task<net::Response>(api::Call&)> route;
    for (auto& r : api::rehearse_routes())
      if (r.pattern == "/v1/beheer/plan") route = r.run;
    Json sum{{"besluiten", 0}, {"gelijk", 0}, {"antwoorden", 0}};
    for (Json next = 0; !next.is_null();) {
      net::Request request;
      request.body = dump_json({{"vanaf", "2026-01-01T00:00:00Z"}, {"na", next}, {"regels", rules}});
      api::Call call{.services = services, .request = request, .party = nullptr, .path = {}, .query = {}};
      auto answer = Json::parse(run(io, route(call)).body);
      if (!answer.contains("besluiten")) throw std::runtime_error(answer.dump());
      for (const char* key : {"besluiten", "gelijk"})
        sum[key] = sum[key].get<std::int64_t>() + answer[key].get<std::int64_t>();
      sum["antwoorden"] = sum["antwoorden"].get<int>() + 1;
      next = answer["verder"];
    }
    return sum;
  }
};

double peak_mib() {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("VmHWM:")) return std::atof(line.c_str() + 6) / 1024;
  return 0;
}

void plan(benchmark::State& state) {
  static History history;
  Json rules = Json::array();
  for (const auto& [code, profile] : history.profiles) rules.push_back(profile->source());
  auto before = peak_mib();
  Json sum;
  for (auto _ : state) {
    sum = history.plan(rules);
    if (sum["besluiten"] != history.decisions || sum["gelijk"] != history.decisions)
      return state.SkipWithError("another history than was recorded");
  }
  state.SetItemsProcessed(state.iterations() * history.decisions);
  state.counters["decisions"] = static_cast<double>(history.decisions);
  state.counters["answers"] = sum["antwoorden"].get<double>();
  state.counters["MiB_more"] = peak_mib() - before;
}
BENCHMARK(plan)->UseRealTime()->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);

/// What every answer costs before its first decision: the rule data of five regions are read and compiled.
void baseline_rules(benchmark::State& state) {
  auto profiles = good(load_profiles(SCHAKEL_SOURCE_DIR "/config"));
  Json rules = Json::array();
  for (const auto& [code, profile] : profiles) rules.push_back(profile->source());
  const auto text = dump_json(rules);
  for (auto _ : state)
    for (const Json& one : parse_json(text, {32 * 1024 * 1024, 64, 256 * 1024}).value()) {
      auto read = Profile::from_source(one);
      benchmark::DoNotOptimize(read);
    }
}
BENCHMARK(baseline_rules)->Unit(benchmark::kMillisecond);

}  // namespace
