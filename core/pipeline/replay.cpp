#include "core/pipeline/replay.hpp"

#include <algorithm>
#include <array>

namespace schakel::pipeline {

void walk(const std::vector<journal::Recalled>& rows, const std::function<void(const Step&)>& each) {
  CaseFile file;
  bool whole = true;
  for (const auto& row : rows) {
    Step step;
    step.row = &row;
    if (!row.content) {
      step.reason = row.gone == "VAULT_ERASED" ? "ERASED" : "UNREADABLE";
      whole = false;
    } else if (!whole) {
      step.reason = "CASE_INCOMPLETE";
    } else {
      const auto& r = *row.content;
      // What is about no case stands alone.
      if (r.message.subject.empty()) file = CaseFile{};
      step.known.file = file;
      step.known.file.id = r.message.subject;
      // As the pipeline does: a case that was never opened is of the region of its message.
      if (step.known.file.region.empty()) step.known.file.region = r.message.region;
      step.known.message = r.message;
      if (r.registers)
        for (const auto& [key, value] : *r.registers)
          if (!value.is_null()) step.known.registers[key] = value;
      if (r.draft.outcome == Outcome::quarantined)
        step.reason = "UNDECIDABLE";
      else if (r.semantics != kSemanticsVersion)
        step.reason = "SEMANTICS_CHANGED";
      file = step.known.file;
      apply(file, r.message, r.draft);
      step.after = file;
    }
    each(step);
  }
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
  auto found = replay::flips(step.row->content->draft, replay::redecide(deciders, step.known, *profile->second));
  if (found.empty()) {
    ++same_;
    return;
  }
  ++flipped_;
  for (const auto& f : found) {
    std::array<std::string, 4> key{std::string(replay::to_string(f.kind)), f.rule, step.after.pupil.school, f.target};
    auto it = groups_.find(key);
    if (it == groups_.end()) {
      if (groups_.size() >= kGroups) {
        ++uncounted_;
        continue;
      }
      it = groups_.emplace(std::move(key), Group{0, f.before, f.after, {}}).first;
    }
    ++it->second.count;
    auto seq = std::to_string(step.row->seq);
    if (it->second.examples.size() < kExamples &&
        std::ranges::find(it->second.examples, seq) == it->second.examples.end())
      it->second.examples.push_back(std::move(seq));
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
