// Plan and capture: recorded history under other rules, and as a scenario.
#include <filesystem>
#include <fstream>

#include "core/api/explain.hpp"
#include "core/journal/record.hpp"
#include "core/pipeline/capture.hpp"
#include "core/runtime/hop.hpp"
#include "core/runtime/together.hpp"

namespace schakel::api {
namespace {

constexpr std::uint64_t kPlanBody = 32 * 1024 * 1024;
constexpr int kPlanCases = 2000;
/// Cases at the same time: while one waits for the disk, another is decided.
constexpr int kPlanWorkers = 4;
/// Decisions of a case that are in memory at once, and those of one answer.
constexpr int kPlanRows = 200;
constexpr std::int64_t kPlanDecisions = 50'000;

Result<Profiles> plan_rules(const Json& sources) {
  if (!sources.is_array() || sources.empty())
    return fail(ErrorKind::invalid, "BODY_INVALID", "regels is a list of rule data",
                {{"/regels", "REQUIRED", "a list that is not empty", ""}});
  Profiles out;
  for (const Json& s : sources) {
    auto profile = Profile::from_source(s);
    if (!profile) return fail(std::move(profile.error()));
    out[(*profile)->region()] = std::move(*profile);
  }
  return out;
}

/// The cases of one answer. Of the shard that the call is on; what a case adds is counted apart, so that the sum does
/// not depend on which was ready first.
struct PlanPage {
  Services& services;
  Instant from;
  const Profiles& profiles;
  std::vector<store::MessageRow> openings;
  std::vector<pipeline::Rehearsal> counted;
  std::size_t next = 0;
  int cases = 0;
  std::int64_t decisions = 0;
  std::optional<Error> failed;
};

Task<Result<void>> plan_case(PlanPage& page, std::size_t index) {
  const auto case_id = page.openings[index].case_id;
  auto& rehearsal = page.counted[index];
  pipeline::Walk walk;
  store::MessageSeq after = 0;
  bool first = true, counts = false;
  for (;;) {
    auto part = co_await page.services.journal.stretch(case_id, after, kPlanRows);
    if (!part) co_return fail(std::move(part.error()));
    if (part->rows.empty()) break;
    bool last = part->rows.size() < static_cast<std::size_t>(kPlanRows);
    // Nothing of this case is in the span: it need not be opened.
    if (std::exchange(first, false) && last && part->rows.back().decided_at < page.from) break;
    after = part->rows.back().message;
    auto again = [&] {
      for (auto& row : part->rows) {
        bool in_span = row.decided_at >= page.from;
        counts = counts || in_span;
        walk.step(journal::recalled(std::move(row), part->opener, journal::Explained::unread),
                  [&](const pipeline::Step& step) {
                    if (in_span) rehearsal.add(page.services.pipeline.deciders(), step, page.profiles);
                  });
      }
    };
    if (page.services.pool) {
      auto done = co_await page.services.pool->run(again);
      if (!done) co_return fail(std::move(done.error()));
    } else {
      again();
    }
    if (last) break;
  }
  page.decisions += rehearsal.decisions();
  if (counts) ++page.cases;
  co_return Result<void>{};
}

Task<> plan_worker(PlanPage& page) {
  while (page.next < page.openings.size() && page.decisions < kPlanDecisions && !page.failed) {
    auto done = co_await plan_case(page, page.next++);
    if (!done) page.failed = std::move(done.error());
  }
}

/// One stretch of the replay: the next cases in order of their opening. The caller asks on with `verder`; nothing is
/// kept here.
Task<net::Response> plan(Call& call) {
  auto body = parse_json(call.request.body, {kPlanBody, 64, 256 * 1024});
  if (!body) co_return problem(body.error());
  if (!body->is_object()) co_return problem({ErrorKind::invalid, "BODY_NOT_OBJECT", "send an object", {}});
  auto from = parse_instant(text_of(*body, "vanaf"));
  if (!from)
    co_return problem({ErrorKind::invalid,
                       "INSTANT_FORMAT",
                       "vanaf must be an instant with offset (RFC 3339)",
                       {{"/vanaf", "REQUIRED", "an instant", ""}}});
  auto profiles = plan_rules(body->value("regels", Json()));
  if (!profiles) co_return problem(profiles.error());
  store::MessageFilter filter;
  filter.type = "zaak_opening";
  filter.after = body->contains("na") && (*body)["na"].is_number_integer() ? (*body)["na"].get<std::int64_t>() : 0;
  filter.limit = kPlanCases;
  auto openings = co_await call.services.store.messages(filter);
  if (!openings) co_return problem(openings.error());
  bool more = openings->size() == static_cast<std::size_t>(kPlanCases);
  PlanPage page{call.services, *from, *profiles, std::move(*openings), {}, 0, 0, 0, std::nullopt};
  page.counted.resize(page.openings.size());
  std::vector<Task<>> workers;
  for (int i = 0; i < kPlanWorkers; ++i) workers.push_back(plan_worker(page));
  co_await runtime::together(std::move(workers));
  if (page.failed) co_return problem(*page.failed);
  pipeline::Rehearsal sum;
  for (std::size_t i = 0; i < page.next; ++i) sum.add(page.counted[i]);
  auto j = sum.to_json();
  j["zaken"] = page.cases;
  j["verder"] = more || page.next < page.openings.size() ? Json(page.openings[page.next - 1].seq) : Json();
  co_return json(200, j);
}

Task<Result<std::shared_ptr<const Profile>>> capture_rules(pipeline::RuleStore* rules, std::string version) {
  auto found = co_await rules->version(std::move(version));
  co_return found;
}

/// The words that are nobody's: of the rules and of the schemas of messages.
std::set<std::string, std::less<>> public_words(const Profile& profile, const std::string& schemas) {
  std::set<std::string, std::less<>> words;
  scenario::collect_words(profile.source(), words);
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator(schemas, ec)) {
    std::ifstream in(entry.path(), std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(in)), {});
    if (auto j = parse_json(text, {1024 * 1024, 32, 64 * 1024})) scenario::collect_words(*j, words);
  }
  return words;
}

Task<net::Response> capture_case(Call& call) {
  auto rows = co_await call.services.journal.recall(call.path["zaak"]);
  if (!rows) co_return problem(rows.error());
  if (rows->empty()) co_return problem({ErrorKind::not_found, "CASE_UNKNOWN", "there is no such case", {}});
  std::vector<scenario::CapturedDecision> decisions;
  for (auto& r : *rows) {
    if (!r.content) co_return problem({ErrorKind::conflict, "CAPTURE_ERASED", "a part of this case was erased", {}});
    decisions.push_back(
        {r.content->message, r.content->draft, r.content->registers.value_or(std::map<std::string, Json>{})});
  }
  auto profile = co_await runtime::on(call.services.broker,
                                      capture_rules(&call.services.pipeline.rules(), rows->back().rules_version));
  if (!profile) co_return problem(profile.error());
  Result<scenario::Capture> captured = fail(ErrorKind::internal, "CAPTURE_DIFFERS", "");
  auto work = [&] {
    captured = scenario::capture(call.services.pipeline.deciders(), *profile, decisions,
                                 public_words(**profile, call.services.schemas_dir));
  };
  if (call.services.pool) {
    auto done = co_await call.services.pool->run(work);
    if (!done) co_return problem(done.error());
  } else {
    work();
  }
  if (!captured) co_return problem(captured.error());
  auto noted = co_await note_shown(call.services, "scenario", call.path["zaak"]);
  if (!noted) co_return problem(noted.error());
  co_return json(200, {{"scenario", captured->scenario},
                       {"vervangen", captured->replaced},
                       {"weggelaten", captured->dropped},
                       {"geboortedatumBehouden", captured->birth_date_kept},
                       {"regelversie", (*profile)->version()}});
}

}  // namespace

std::vector<Route> rehearse_routes() {
  return {{"POST", "/v1/beheer/plan", Who::operator_, kPlanBody, false, plan},
          {"GET", "/v1/beheer/zaken/{zaak}/scenario", Who::operator_, 0, false, capture_case}};
}

}  // namespace schakel::api
