// Plan and capture: recorded history under other rules, and as a scenario.
#include <filesystem>
#include <fstream>

#include "core/api/explain.hpp"
#include "core/pipeline/capture.hpp"
#include "core/runtime/hop.hpp"

namespace schakel::api {
namespace {

constexpr std::uint64_t kPlanBody = 32 * 1024 * 1024;
constexpr int kPlanCases = 500;

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
  pipeline::Rehearsal rehearsal;
  const auto& deciders = call.services.pipeline.deciders();
  int cases = 0;
  for (const auto& opening : *openings) {
    auto rows = co_await call.services.journal.recall(opening.case_id);
    if (!rows) co_return problem(rows.error());
    if (rows->empty() || rows->back().decided_at < *from) continue;
    ++cases;
    auto again = [&rows, &from, &rehearsal, &deciders, &profiles] {
      pipeline::walk(*rows, [&](const pipeline::Step& step) {
        if (step.row->decided_at >= *from) rehearsal.add(deciders, step, *profiles);
      });
    };
    if (call.services.pool) {
      auto done = co_await call.services.pool->run(again);
      if (!done) co_return problem(done.error());
    } else {
      again();
    }
  }
  auto j = rehearsal.to_json();
  j["zaken"] = cases;
  j["verder"] = openings->size() < static_cast<std::size_t>(kPlanCases) ? Json() : Json(openings->back().seq);
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
    decisions.push_back({r.content->message, r.content->draft});
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
