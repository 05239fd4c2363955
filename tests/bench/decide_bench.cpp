// Decisions per second of one core, pure: no journal, vault or store. The case is the common one of Kop van
// Noord-Holland: documents for a multidisciplinary meeting in twenty days, both parents consented, a wijkteam is
// involved, some history.
//   build/release/bin/decide_bench
// Instructions per decision, which do not depend on what else the machine does (documentlevering, factuur or replayed):
//   valgrind --tool=callgrind --toggle-collect='*decide_for_callgrind*' build/release/bin/decide_bench --callgrind 100
//   factuur
// Where valgrind cannot read the debug information: strip -g a copy first.
#include <benchmark/benchmark.h>

#include <cstring>
#include <iostream>
#include <thread>

#include "core/model/pull.hpp"
#include "core/pipeline/scenario.hpp"
#include "tests/scenarios/deciders.hpp"

namespace {

using namespace schakel;

constexpr std::string_view kOpening = R"({
  "pupil": {"birth_date": "2018-04-03", "school": "De Verzonnen School", "school_type": "PO", "woongemeente": "Schagen", "enrolled": true},
  "case": {"question_kind": "onderwijs_zorg", "wijkteam_involved": true, "gi_involved": false, "extra_support": true, "custody": ["ouder_1", "ouder_2"],
           "dossier_exists": false, "funding_agreed": true, "dispute": false, "contract_holder": "gemeente", "intern_overleg_date": "2026-10-12",
           "situation": "op_school", "funding": [{"activity": "dagstructuur", "kind": "grijs", "payer": "50/50"}, {"activity": "zorgboerderij", "kind": "zorg", "payer": "gemeente"}],
           "funding_period": ["2026-09-01", "2027-07-31"]},
  "consents": [
    {"id": "c1", "giver": "ouder_1", "purpose": "documents", "doc_types": ["*"], "roles": ["*"], "valid_from": "2026-10-01T08:00:00+02:00", "valid_until": null, "withdrawn_at": null},
    {"id": "c2", "giver": "ouder_2", "purpose": "documents", "doc_types": ["groeidocument", "lvs", "opp"], "roles": ["orthopedagoog", "procesregisseur"],
     "valid_from": "2026-10-01T08:05:00+02:00", "valid_until": "2027-07-31T23:59:59+02:00", "withdrawn_at": null},
    {"id": "c3", "giver": "ouder_1", "purpose": "smw_contact", "doc_types": ["*"], "roles": ["*"], "valid_from": "2026-10-01T08:00:00+02:00", "valid_until": null, "withdrawn_at": null},
    {"id": "c4", "giver": "ouder_2", "purpose": "smw_contact", "doc_types": ["*"], "roles": ["*"], "valid_from": "2026-10-01T08:05:00+02:00", "valid_until": null, "withdrawn_at": null}],
  "documents": [{"doc_type": "groeidocument", "status": "compleet", "version": 2}, {"doc_type": "lvs", "status": "compleet", "version": 1}, {"doc_type": "opp", "status": "concept", "version": 1}],
  "meeting": {"kind": "MDO", "at": "2026-11-30T10:00:00+01:00"},
  "profile_overrides": {}
})";

Message message(std::int64_t seq, std::string_view type, std::string_view from, std::string_view at,
                std::string_view payload) {
  Message m;
  m.seq = seq;
  m.id = "bench/" + std::to_string(seq);
  m.source = "urn:nld:oin:00000001800000000000:systeem:bench";
  m.type = type;
  m.subject = "case:bench";
  m.time = parse_instant(at).value();
  m.region = "KNH";
  m.party = "school-1";
  m.sender_role = from;
  m.payload = parse_json(payload).value();
  return m;
}

/// The case as it stands before what is decided here, and what is decided.
struct Bench {
  std::shared_ptr<const Profile> profile;
  std::vector<const Decider*> deciders = in_order(scenario::test_deciders());
  CaseFile file;
  Message documents, invoice;

  Bench() {
    auto profiles = load_profiles(SCHAKEL_SOURCE_DIR "/config");
    if (!profiles) throw std::runtime_error(profiles.error().code);
    profile = profiles->at("KNH");
    scenario::PurePlayer player(deciders, profile);
    auto opening = message(0, "zaak_opening", "school_ib", "2026-10-01T09:00:00+02:00", kOpening);
    if (auto opened = player.open(opening); !opened) throw std::runtime_error(opened.error().message);
    for (const Message& m :
         {message(1, "ot_aanmelding", "school_ib", "2026-10-13T09:12:00+02:00",
                  R"({"question_kind": "onderwijs_zorg"})"),
          message(2, "documentlevering", "school_ib", "2026-10-20T11:30:00+02:00",
                  R"({"documents": ["groeidocument"], "meeting": "OT"})"),
          message(3, "link_geopend", "orthopedagoog", "2026-10-21T08:45:00+02:00", R"({"delivery": "bench/2"})"),
          message(4, "link_geopend", "procesregisseur", "2026-10-21T13:20:00+02:00", R"({"delivery": "bench/2"})")})
      if (auto played = player.play(m); !played) throw std::runtime_error(played.error().message);
    file = player.file();
    documents = message(5, "documentlevering", "school_ib", "2026-11-10T09:37:00+01:00",
                        R"({"documents": ["groeidocument", "lvs", "opp"], "meeting": "MDO"})");
    documents.attachments = {{"doc-1", "groeidocument", 3, "compleet", std::string(64, 'a')},
                             {"doc-2", "lvs", 1, "compleet", std::string(64, 'b')},
                             {"doc-3", "opp", 1, "concept", std::string(64, 'c')}};
    invoice = message(
        6, "factuur", "zorgaanbieder_billing", "2026-11-12T16:03:00+01:00",
        R"({"number": "ZB-1", "period": "2026-10", "lines": [{"kind": "grijs", "cents": 177069}, {"kind": "zorg", "cents": 331214}], "vat_cents": 0})");
  }
};

const Bench& bench() {
  static const Bench b;
  return b;
}

[[gnu::noinline]] Draft decide_for_callgrind(const Bench& b, const Message& m) {
  return decide(b.deciders, b.file, m, *b.profile, {});
}

void decisions(benchmark::State& state, const Message& m, bool serialised) {
  const Bench& b = bench();
  std::size_t bytes = 0, rules = 0;
  for (auto _ : state) {
    Draft d = decide(b.deciders, b.file, m, *b.profile, {});
    rules = d.explanation.size();
    if (serialised) bytes = dump_json(Json(d)).size();
    benchmark::DoNotOptimize(d);
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["rules"] = static_cast<double>(rules);
  if (serialised) state.counters["bytes"] = static_cast<double>(bytes);
}

void documentlevering(benchmark::State& state) { decisions(state, bench().documents, false); }
void documentlevering_recorded(benchmark::State& state) { decisions(state, bench().documents, true); }
void factuur(benchmark::State& state) { decisions(state, bench().invoice, false); }
BENCHMARK(documentlevering);
BENCHMARK(documentlevering_recorded);
BENCHMARK(factuur);

std::string record_text(const Bench& b) {
  return dump_json({{"message", b.documents}, {"draft", decide_for_callgrind(b, b.documents)}, {"semantics", 1}});
}

/// What a replay does per decision (plan): the record is read but for its explanation, decided again and folded into
/// the case file.
[[gnu::noinline]] bool replay_for_callgrind(const Bench& b, const std::string& text) {
  Message m;
  Draft was;
  std::string unread;
  JsonPull from(text);
  from.object([&](std::string_view key) {
    if (key == "message")
      read(from, m);
    else if (key == "draft")
      read(from, was, &unread);
    else
      from.skip();
  });
  Draft d = decide(b.deciders, b.file, m, *b.profile, {});
  CaseFile after = b.file;
  apply(after, m, was);
  return d.outcome == was.outcome && d.codes == was.codes && d.recipients == was.recipients &&
         after.messages.size() == b.file.messages.size() + 1;
}

void replayed(benchmark::State& state) {
  const Bench& b = bench();
  const std::string text = record_text(b);
  for (auto _ : state)
    if (!replay_for_callgrind(b, text)) return state.SkipWithError("another decision than the recorded one");
  state.SetItemsProcessed(state.iterations());
  state.counters["bytes"] = static_cast<double>(text.size());
}
BENCHMARK(replayed);

void baseline_parse_record(benchmark::State& state) {
  const std::string text = record_text(bench());
  for (auto _ : state) {
    auto j = Json::parse(text);
    benchmark::DoNotOptimize(j);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(baseline_parse_record);

/// As-of from a snapshot: the case file itself is read as well.
void case_file_read(benchmark::State& state) {
  const std::string file = dump_json(to_json(bench().file));
  for (auto _ : state) {
    auto known = case_file_from(Json::parse(file)).value();
    benchmark::DoNotOptimize(known);
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["bytes"] = static_cast<double>(file.size());
}
BENCHMARK(case_file_read);

/// The baselines of the same run: reading the message's own JSON, and the recorded case file as nothing but JSON.
void baseline_parse_message(benchmark::State& state) {
  const std::string text = dump_json(Json(bench().documents));
  for (auto _ : state) {
    auto j = Json::parse(text);
    benchmark::DoNotOptimize(j);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(baseline_parse_message);

}  // namespace

int main(int argc, char** argv) {
  if (argc > 2 && std::strcmp(argv[1], "--callgrind") == 0) {
    const Bench& b = bench();
    const std::string_view what = argc > 3 ? argv[3] : "documentlevering";
    const std::string text = what == "replayed" ? record_text(b) : "";
    for (int i = std::atoi(argv[2]); i > 0; --i)
      if (what == "replayed")
        benchmark::DoNotOptimize(replay_for_callgrind(b, text));
      else
        benchmark::DoNotOptimize(decide_for_callgrind(b, what == "factuur" ? b.invoice : b.documents));
    return 0;
  }
  if (argc > 1 && std::strcmp(argv[1], "--show") == 0) {
    std::cout << Json(decide_for_callgrind(bench(), bench().documents)).dump(1) << "\n"
              << Json(decide_for_callgrind(bench(), bench().invoice)).dump(1) << "\n";
    return 0;
  }
  // As in the broker: with more than one thread, what decisions share is counted atomically.
  std::jthread([] {}).join();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
