// A case as it was at an instant: rules, consents and parties, and every decision until then made again.
#include <algorithm>

#include "core/api/explain.hpp"
#include "core/outbox/invoice_parties.hpp"
#include "core/runtime/hop.hpp"

namespace schakel::api {
namespace {

using Kept = std::pair<std::shared_ptr<const Profile>, std::string>;  ///< rule data, or why there are none

Task<Result<Kept>> kept_rules(pipeline::RuleStore* rules, std::string version) {
  auto found = co_await rules->version(std::move(version));
  if (found) co_return Kept{*found, ""};
  if (found.error().kind == ErrorKind::io || found.error().kind == ErrorKind::unavailable)
    co_return fail(std::move(found.error()));
  co_return Kept{nullptr, "RULES_UNKNOWN"};
}

Task<Result<std::optional<pipeline::InForce>>> in_force(pipeline::RuleStore* rules, Instant at) {
  auto found = co_await rules->in_force_at(at);
  co_return found;
}

Task<Result<std::optional<Json>>> kept_parties(pipeline::RuleStore* rules, std::string hash) {
  auto found = co_await rules->parties(std::move(hash));
  co_return found;
}

Json consent_at(const Consent& c, Instant at) {
  const char* state = at < c.valid_from                         ? "nog niet"
                      : c.withdrawn_at && at >= *c.withdrawn_at ? "ingetrokken"
                      : c.valid_until && at >= *c.valid_until   ? "verlopen"
                                                                : "geldig";
  Json j{{"id", c.id},        {"gever", c.giver},
         {"doel", c.purpose}, {"documenten", c.doc_types},
         {"rollen", c.roles}, {"vanaf", format_instant(c.valid_from)},
         {"tot", nullptr},    {"ingetrokkenOp", nullptr},
         {"stand", state}};
  if (c.valid_until) j["tot"] = format_instant(*c.valid_until);
  if (c.withdrawn_at) j["ingetrokkenOp"] = format_instant(*c.withdrawn_at);
  return j;
}

/// Who had to do with the case: who sent something until then and who was sent it, under the directory of that day.
struct AsOfParties {
  std::map<std::string, std::set<std::string>> sent, got;
  void learn(const journal::Recorded& r, const Pupil& pupil, const Parties* directory) {
    sent[r.message.party].insert(r.message.sender_role);
    if (!directory) return;
    std::vector<std::string> members;
    for (const auto* known : {&sent, &got})
      for (const auto& [id, roles] : *known) members.push_back(id);
    const auto hints = outbox::hints_of(pupil);
    for (const Recipient& to : r.draft.recipients)
      for (const char* kind : {"documents", "message", "notice"})
        if (const auto* party = directory->desk(to.role, r.message.region, kind, hints, members).party) {
          got[party->id].insert(to.role);
          break;
        }
  }
  [[nodiscard]] Json view(const Parties* directory) const {
    std::set<std::string> ids;
    for (const auto& [id, roles] : sent) ids.insert(id);
    for (const auto& [id, roles] : got) ids.insert(id);
    Json out = Json::array();
    for (const auto& id : ids) {
      Json one{{"id", id}, {"naam", nullptr}, {"stuurdeAls", Json::array()}, {"ontvingAls", Json::array()}};
      if (const auto* p = directory ? directory->find(id) : nullptr) one["naam"] = p->name;
      if (auto it = sent.find(id); it != sent.end()) one["stuurdeAls"] = it->second;
      if (auto it = got.find(id); it != got.end()) one["ontvingAls"] = it->second;
      out.push_back(std::move(one));
    }
    return out;
  }
};

}  // namespace

Task<Result<Json>> case_as_of(Services& s, std::string case_id, Instant at, bool masked) {
  auto all = co_await s.journal.recall(case_id);
  if (!all) co_return fail(std::move(all.error()));
  if (all->empty()) co_return fail(ErrorKind::not_found, "CASE_UNKNOWN", "there is no such case");
  std::vector<journal::Recalled> rows;
  for (auto& r : *all)
    if (r.decided_at <= at) rows.push_back(std::move(r));
  if (rows.empty())
    co_return fail(ErrorKind::not_found, "CASE_NOT_YET", "nothing was decided in this case at that instant");

  auto* rules = &s.pipeline.rules();
  std::map<std::string, Kept> kept;
  for (const auto& r : rows) {
    if (kept.contains(r.rules_version)) continue;
    auto found = co_await runtime::on(s.broker, kept_rules(rules, r.rules_version));
    if (!found) co_return fail(std::move(found.error()));
    kept[r.rules_version] = std::move(*found);
  }
  auto force = co_await runtime::on(s.broker, in_force(rules, at));
  if (!force) co_return fail(std::move(force.error()));
  std::optional<Parties> directory;
  std::string directory_missing = "PARTIES_UNKNOWN";
  if (*force && !(*force)->parties.empty()) {
    auto text = co_await runtime::on(s.broker, kept_parties(rules, (*force)->parties));
    if (!text) co_return fail(std::move(text.error()));
    if (*text)
      if (auto read = Parties::read(**text)) {
        directory = std::move(*read);
        directory_missing.clear();
      }
  }
  const Parties* then = directory ? &*directory : nullptr;

  Json decisions = Json::array();
  AsOfParties involved;
  std::string last_version;
  const auto& deciders = s.pipeline.deciders();
  pipeline::Walk walked;
  auto each = [&](const pipeline::Step& step) {
    const auto& row = *step.row;
    Json j{{"volgnummer", row.seq},
           {"besloten", format_instant(row.decided_at)},
           {"uitkomst", row.outcome},
           {"regelversie", row.rules_version}};
    auto reason = step.reason;
    const auto& [profile, missing] = kept[row.rules_version];
    if (row.content) {
      const auto& r = *row.content;
      j["type"] = r.message.type;
      j["van"] = r.message.sender_role;
      j["codes"] = r.draft.codes;
      j["semantiek"] = r.semantics;
      involved.learn(r, step.known.file.pupil, then);
    }
    if (reason.empty()) reason = missing;
    if (reason.empty()) reason = pipeline::registers_missing(deciders, step, *profile);
    if (!reason.empty()) {
      j["herleid"] = "niet herleidbaar";
      j["reden"] = reason;
    } else {
      bool same = replay::identical(row.content->draft, replay::redecide(deciders, step.known, *profile));
      j["herleid"] = same ? "gelijk" : "verschilt";
    }
    last_version = row.rules_version;
    decisions.push_back(std::move(j));
  };
  for (const auto& row : rows) walked.step(row, each);
  const CaseFile* file = walked.file();

  Json out{{"zaak", case_id},
           {"moment", format_instant(at)},
           {"regelversie", last_version},
           {"ingericht", nullptr},
           {"volledig", file != nullptr},
           {"partijen", involved.view(then)},
           {"toestemmingen", Json::array()},
           {"documenten", Json::array()},
           {"termijnen", Json::array()},
           {"feiten", nullptr},
           {"overleg", nullptr},
           {"besluiten", decisions}};
  if (!directory_missing.empty()) out["partijenReden"] = directory_missing;
  if (*force)
    out["ingericht"] = {
        {"sinds", format_instant((*force)->since)}, {"regios", (*force)->regions}, {"partijen", (*force)->parties}};
  // Half a fold is no case file: what is not known is not shown.
  if (file) {
    out["feiten"] = file->facts;
    if (masked)
      for (auto& fact : out["feiten"]) fact = pipeline::kMasked;
    for (const auto& c : file->consents) out["toestemmingen"].push_back(consent_at(c, at));
    for (const auto& d : file->documents)
      out["documenten"].push_back({{"soort", d.doc_type}, {"status", d.status}, {"versie", d.version}});
    for (const auto& d : file->deadlines)
      out["termijnen"].push_back(
          {{"naam", d.name}, {"datum", d.date}, {"regel", d.rule}, {"zwaarte", d.severity}, {"status", d.state}});
    if (file->meeting) out["overleg"] = {{"soort", file->meeting->kind}, {"moment", format_instant(file->meeting->at)}};
  }
  co_return out;
}

}  // namespace schakel::api
