#include "core/api/explain.hpp"

#include <algorithm>
#include <charconv>

#include "core/audit/leaf.hpp"
#include "core/journal/members.hpp"
#include "core/runtime/hop.hpp"

namespace schakel::api {
namespace {

Task<Result<std::shared_ptr<const Profile>>> rules_of(pipeline::RuleStore* rules, std::string version) {
  auto found = co_await rules->version(std::move(version));
  co_return found;
}

store::MessageSeq seq_of(std::string_view text) {
  store::MessageSeq seq = 0;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), seq);
  return ec == std::errc() && end == text.data() + text.size() ? seq : 0;
}

/// Whether the payload of this message states the fact. A blocked message tells nobody else.
bool said_in(const Message& message, std::string_view fact, const Profile* profile) {
  int slot = profile ? profile->vocabulary().slot(fact) : -1;
  if (slot < 0 || !message.payload.is_object()) return false;
  return std::ranges::any_of(profile->vocabulary().statements(message.type), [&](const Statement& st) {
    return st.slot == slot &&
           std::ranges::any_of(st.fields, [&](const std::string& f) { return message.payload.contains(f); });
  });
}

/// Runs where blocking is allowed: a search of thousands of decisions must not hold up a shard.
Task<Result<void>> off_shard(Services& s, std::function<void()> work) {
  if (!s.pool) {
    work();
    co_return Result<void>{};
  }
  auto done = co_await s.pool->run(std::move(work));
  co_return done;
}

}  // namespace

Task<Result<Json>> explanations(Services& s, std::string case_id, store::MessageSeq only, const Party* party,
                                pipeline::Lang lang, bool search, store::MessageSeq after, std::size_t limit,
                                bool masked) {
  auto unknown = [&] {
    return only ? fail(ErrorKind::not_found, "MESSAGE_UNKNOWN", "there is no such message")
                : fail(ErrorKind::not_found, "CASE_UNKNOWN", "there is no such case");
  };
  auto rows = co_await s.journal.recall(case_id);
  if (!rows) co_return fail(std::move(rows.error()));

  // Decided under which rule data: read before the walk, which is not a coroutine.
  std::map<std::string, std::shared_ptr<const Profile>> profiles;
  for (const auto& row : *rows) {
    if ((only && row.seq != only) || profiles.contains(row.rules_version)) continue;
    auto found = co_await runtime::on(s.broker, rules_of(&s.pipeline.rules(), row.rules_version));
    if (!found && found.error().kind != ErrorKind::not_found && found.error().kind != ErrorKind::invalid)
      co_return fail(std::move(found.error()));
    profiles[row.rules_version] = found ? *found : nullptr;
  }

  auto members = co_await journal::members(s.store, *s.parties, case_id);
  if (!members) co_return fail(std::move(members.error()));
  pipeline::Knowledge knowledge(*s.parties, std::move(*members));
  Json out = Json::array();
  store::MessageSeq last = 0;
  bool more = false;
  const auto& deciders = s.pipeline.deciders();
  auto one = [&](const pipeline::Step& step) {
    // What the message itself states its sender knows, and who got it.
    knowledge.learn(step);
    if ((only && step.row->seq != only) || step.row->seq <= after || !step.row->content) return;
    const auto& recorded = *step.row->content;
    pipeline::Asker asker;
    asker.party = party;
    asker.masked = masked && !party;
    if (party) {
      asker.sender = recorded.message.party == party->id;
      asker.roles = knowledge.roles(*party, step);
    }
    pipeline::Explained e{&recorded, profiles[recorded.rules_version], step.reason, std::nullopt};
    if (party)
      asker.knows = [&](std::string_view fact) {
        return knowledge.knows(*party, asker.sender, fact, e.profile.get()) ||
               (asker.sender && said_in(recorded.message, fact, e.profile.get()));
      };
    if (!party || asker.sender || !asker.roles.empty()) {
      if (out.size() >= limit) {
        more = true;
        return;
      }
      last = step.row->seq;
      if (e.reason.empty() && !search) e.reason = "NOT_ASKED";
      if (e.reason.empty() && !e.profile) e.reason = "RULES_UNKNOWN";
      if (e.reason.empty()) e.reason = pipeline::registers_missing(deciders, step, *e.profile);
      // A search from a decision that cannot be made again would answer about another decision.
      if (e.reason.empty() && !replay::identical(recorded.draft, replay::redecide(deciders, step.known, *e.profile)))
        e.reason = "NOT_REPRODUCED";
      if (e.reason.empty()) {
        replay::SearchOptions options;
        options.may_vary = asker.knows;
        if (!only) options.budget = 1500;
        e.what_if = replay::counterfactual(deciders, step.known, *e.profile, recorded.draft, options);
      }
      auto j = explanation(e, asker, lang);
      if (!party || asker.sender) j["id"] = recorded.message.id;
      out.push_back(std::move(j));
    }
  };
  auto done = co_await off_shard(s, [&] { pipeline::walk(*rows, one); });
  if (!done) co_return fail(std::move(done.error()));
  if (out.empty() && (only || rows->empty())) {
    bool erased = std::ranges::any_of(*rows, [&](const auto& r) { return !r.content && (!only || r.seq == only); });
    if (!party && erased)
      co_return fail(ErrorKind::not_found, "DECISION_ERASED", "the content of this decision was erased");
    co_return unknown();
  }
  co_return Json{{"besluiten", out}, {"verder", more ? Json(last) : Json()}};
}

Task<Result<void>> note_shown(Services& s, std::string what, std::string case_id, std::optional<Digest> reason) {
  audit::LeafFields fields{.ids = {{"case", std::move(case_id)}, {"as", std::move(what)}}};
  if (reason) fields.hashes = {{"reason", *reason}};
  auto done = co_await s.store.commit({{audit::leaf(s.clock.now(), "case.shown", std::move(fields))}});
  if (!done) co_return fail(std::move(done.error()));
  co_return Result<void>{};
}

Task<Result<void>> add_explanation(Services& s, std::string case_id, Json& view, const Party& party) {
  auto answer = co_await explanations(s, std::move(case_id), view.value("volgnummer", store::MessageSeq{0}), &party,
                                      pipeline::Lang::nl, false);
  if (!answer) co_return fail(std::move(answer.error()));
  view["uitleg"] = (*answer)["besluiten"][0]["regels"];
  co_return Result<void>{};
}

namespace {

/// The command line has no headers: it asks with ?taal=.
pipeline::Lang language(Call& call) {
  auto asked = call.query.find("taal");
  return pipeline::language_of(asked != call.query.end() ? std::string_view(asked->second)
                                                         : call.request.head.headers.get("Accept-Language"));
}

/// ?na= of a page: 0 without it, nullopt when it is no number.
std::optional<store::MessageSeq> explained_after(Call& call) {
  auto asked = call.query.find("na");
  if (asked == call.query.end()) return store::MessageSeq{0};
  auto seq = seq_of(asked->second);
  return seq > 0 || asked->second == "0" ? std::optional(seq) : std::nullopt;
}

/// ?onthul=: the hash of the reason for which an operator wants to see what is stated about the child. nullopt: masked;
/// an error where it is no hash.
Result<std::optional<Digest>> reveal(Call& call) {
  auto asked = call.query.find("onthul");
  if (asked == call.query.end()) return std::optional<Digest>{};
  auto bytes = from_hex(asked->second);
  Digest hash{};
  if (!bytes || bytes->size() != hash.size())
    return fail(ErrorKind::invalid, "REASON_REQUIRED", "onthul is the sha-256 of the reason, in 64 hex digits");
  std::ranges::copy(*bytes, hash.begin());
  return std::optional<Digest>(hash);
}

net::Response explained_badly() {
  return problem({ErrorKind::invalid, "QUERY_INVALID", "na is a number", {{"na", "TYPE", "a number", ""}}});
}

net::Response explained(Call& call, Result<Json> answer) {
  if (!answer) return problem(answer.error());
  auto response = json(200, *answer);
  response.headers.set("Content-Language", std::string(pipeline::to_string(language(call))));
  response.headers.set("Vary", "Accept-Language");
  return response;
}

Task<net::Response> explain_message(Call& call) {
  auto seq = seq_of(call.path["bericht"]);
  auto row = co_await call.services.store.message(seq);
  if (!row) co_return problem(row.error());
  Error unknown{ErrorKind::not_found, "MESSAGE_UNKNOWN", "there is no such message", {}};
  if (!*row) co_return problem(unknown);
  // Who neither sent it nor got it learns not even that it is there.
  if ((*row)->party != call.party->id) {
    auto member = co_await require_member(call.services, *call.party, (*row)->case_id);
    if (!member) co_return problem(unknown);
  }
  auto answer = co_await explanations(call.services, (*row)->case_id, seq, call.party, language(call));
  if (answer) answer = Json((*answer)["besluiten"][0]);
  co_return explained(call, std::move(answer));
}

Task<net::Response> explain_case_of(Call& call) {
  auto member = co_await require_member(call.services, *call.party, call.path["zaak"]);
  if (!member) co_return problem(member.error());
  auto after = explained_after(call);
  if (!after) co_return explained_badly();
  auto answer = co_await explanations(call.services, call.path["zaak"], 0, call.party, language(call), true, *after);
  co_return explained(call, std::move(answer));
}

Task<net::Response> explain_for_operator(Call& call) {
  auto what = call.path["wat"];
  store::MessageSeq seq = 0;
  if (!what.starts_with("Z-")) {
    seq = seq_of(what);
    auto row = co_await call.services.store.message(seq);
    if (!row) co_return problem(row.error());
    if (!*row) co_return problem({ErrorKind::not_found, "MESSAGE_UNKNOWN", "there is no such message", {}});
    what = (*row)->case_id;
  }
  auto after = explained_after(call);
  if (!after) co_return explained_badly();
  auto reason = reveal(call);
  if (!reason) co_return problem(reason.error());
  auto answer = co_await explanations(call.services, what, seq, nullptr, language(call), true, *after, kExplainMessages,
                                      !*reason);
  if (answer) {
    auto noted = co_await note_shown(call.services, "explain", what, *reason);
    if (!noted) co_return problem(noted.error());
  }
  co_return explained(call, std::move(answer));
}

Task<net::Response> as_of(Call& call) {
  auto at = parse_instant(call.query["op"]);
  if (!at)
    co_return problem({ErrorKind::invalid, "INSTANT_FORMAT", "op must be an instant with offset (RFC 3339)", {}});
  auto reason = reveal(call);
  if (!reason) co_return problem(reason.error());
  auto answer = co_await case_as_of(call.services, call.path["zaak"], *at, !*reason);
  if (!answer) co_return problem(answer.error());
  auto noted = co_await note_shown(call.services, "as_of", call.path["zaak"], *reason);
  if (!noted) co_return problem(noted.error());
  co_return json(200, *answer);
}

}  // namespace

std::vector<Route> explain_routes() {
  return {{"GET", "/v1/berichten/{bericht}/uitleg", Who::party, 0, false, explain_message},
          {"GET", "/v1/zaken/{zaak}/uitleg", Who::party, 0, false, explain_case_of},
          {"GET", "/v1/beheer/uitleg/{wat}", Who::operator_, 0, false, explain_for_operator},
          {"GET", "/v1/beheer/toen/{zaak}", Who::operator_, 0, false, as_of}};
}

}  // namespace schakel::api
