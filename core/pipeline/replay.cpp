#include "core/pipeline/replay.hpp"

#include <algorithm>
#include <array>

#include "core/journal/record.hpp"

namespace schakel::pipeline {

void Walk::step(const journal::Recalled& row, const std::function<void(const Step&)>& each) {
  any_ = true;
  Step step;
  step.row = &row;
  if (!row.content) {
    step.reason = row.gone == "VAULT_ERASED" ? "ERASED" : "UNREADABLE";
    whole_ = false;
    return each(step);
  }
  if (!whole_) {
    step.reason = "CASE_INCOMPLETE";
    return each(step);
  }
  const auto& r = *row.content;
  // What is about no case stands alone.
  if (r.message.subject.empty()) file_ = CaseFile{};
  file_.id = r.message.subject;
  // As the pipeline does: a case that was never opened is of the region of its message.
  if (file_.region.empty()) file_.region = r.message.region;
  // Lent to the step and taken back: a long case is not copied for each of its messages.
  step.known.file = std::move(file_);
  step.known.message = r.message;
  if (r.registers)
    for (const auto& [key, value] : *r.registers)
      if (!value.is_null()) step.known.registers[key] = value;
  if (r.draft.outcome == Outcome::quarantined)
    step.reason = "UNDECIDABLE";
  else if (r.semantics != kSemanticsVersion)
    step.reason = "SEMANTICS_CHANGED";
  each(step);
  file_ = std::move(step.known.file);
  apply(file_, r.message, r.draft);
}

void walk(const std::vector<journal::Recalled>& rows, const std::function<void(const Step&)>& each) {
  Walk all;
  for (const auto& row : rows) all.step(row, each);
}

Reason registers_missing(std::span<const Decider* const> deciders, const Step& step, const Profile& profile) {
  const auto& kept = step.row->content->registers;
  for (const auto& key : registers_read(deciders, step.known.file, step.known.message, profile))
    if (!kept || !kept->contains(key)) return "REGISTERS_NOT_KEPT";
  return {};
}

void Rehearsal::add(std::span<const Decider* const> deciders, const Step& step, const Profiles& profiles) {
  ++decisions_;
  if (!step.reason.empty()) return skip(step.reason);
  auto profile = profiles.find(step.known.message.region);
  if (profile == profiles.end()) return skip("REGION_ABSENT");
  if (auto missing = registers_missing(deciders, step, *profile->second); !missing.empty()) return skip(missing);
  const auto& recorded = *step.row->content;
  const Draft again = replay::redecide(deciders, step.known, *profile->second);
  auto found = replay::flips(recorded.draft, again);
  if (found.empty()) {
    ++same_;
    return;
  }
  // Which rule makes the difference may stand in the explanation, which is read for what flips alone.
  if (!recorded.unread.empty()) {
    Draft before = recorded.draft;
    before.explanation = journal::read_explanation(recorded);
    found = replay::flips(before, again);
  }
  ++flipped_;
  // The school that an opening states is the case's own already.
  CaseFile after = step.known.file;
  apply(after, step.known.message, recorded.draft);
  const std::string& school = after.pupil.school;
  const auto seq = std::to_string(step.row->seq);
  for (const auto& f : found) {
    auto* g = group({std::string(replay::to_string(f.kind)), f.rule, school, f.target}, f.before, f.after);
    if (!g) continue;
    ++g->count;
    if (g->examples.size() < kExamples && std::ranges::find(g->examples, seq) == g->examples.end())
      g->examples.push_back(seq);
  }
}

Rehearsal::Group* Rehearsal::group(const Key& key, std::string before, std::string after) {
  auto it = groups_.find(key);
  if (it == groups_.end()) {
    if (groups_.size() >= kGroups) {
      ++uncounted_;
      return nullptr;
    }
    it = groups_.emplace(key, Group{0, std::move(before), std::move(after), {}}).first;
  }
  return &it->second;
}

void Rehearsal::add(const Rehearsal& later) {
  decisions_ += later.decisions_;
  same_ += later.same_;
  flipped_ += later.flipped_;
  uncounted_ += later.uncounted_;
  for (const auto& [reason, n] : later.not_replayable_) not_replayable_[reason] += n;
  for (const auto& [key, g] : later.groups_) {
    auto* mine = group(key, g.before, g.after);
    if (!mine) {
      uncounted_ += g.count - 1;
      continue;
    }
    mine->count += g.count;
    for (const auto& seq : g.examples)
      if (mine->examples.size() < kExamples && std::ranges::find(mine->examples, seq) == mine->examples.end())
        mine->examples.push_back(seq);
  }
}

Json Rehearsal::to_json() const {
  Json groups = Json::array();
  for (const auto& [key, g] : groups_)
    groups.push_back({{"soort", key[0]},
                      {"regel", key[1]},
                      {"school", key[2]},
                      {"doel", key[3]},
                      {"aantal", g.count},
                      {"was", g.before},
                      {"wordt", g.after},
                      {"voorbeelden", g.examples}});
  return {{"besluiten", decisions_},
          {"gelijk", same_},
          {"anders", flipped_},
          {"groepen", groups},
          {"nietGegroepeerd", uncounted_},
          {"nietHerleidbaar", not_replayable_}};
}

}  // namespace schakel::pipeline
