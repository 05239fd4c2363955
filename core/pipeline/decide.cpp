#include "core/pipeline/decide.hpp"

#include <algorithm>

namespace schakel {
namespace {

std::size_t place(std::string_view stage) {
  auto it = std::ranges::find(kDeciderOrder, stage);
  return static_cast<std::size_t>(it - kDeciderOrder.begin());
}

/// Stable, for the handful of elements these lists have (std::stable_sort of libstdc++ 12 does not build without
/// warnings).
template <class T, class Key>
void sort_few(std::vector<T>& list, Key key) {
  for (std::size_t i = 1; i < list.size(); ++i)
    for (std::size_t k = i; k > 0 && key(list[k]) < key(list[k - 1]); --k) std::swap(list[k], list[k - 1]);
}

/// A message without side effects but its own record.
void strip(const Message& message, const Profile& profile, Draft& draft) {
  draft.recipients.clear();
  draft.suppressed.clear();
  draft.deadlines.clear();
  draft.filings.clear();
  draft.invoices.clear();
  draft.revoked_links.clear();
  draft.effects.clear();
  draft.registers.clear();
  std::erase_if(draft.signals, [&](const Signal& s) {
    return std::ranges::none_of(profile.rules(Stage::signal, message.type), [&](const Rule* r) {
      return r->then.signal->also_blocked && r->then.signal->code == s.code;
    });
  });
}

}  // namespace

std::vector<const Decider*> in_order(std::vector<const Decider*> deciders) {
  sort_few(deciders, [](const Decider* d) { return place(d->stage()); });
  return deciders;
}

std::vector<std::string> registers_read(std::span<const Decider* const> deciders, const CaseFile& file,
                                        const Message& message, const Profile& profile) {
  std::vector<std::string> keys;
  for (const Decider* d : deciders)
    for (std::string& key : d->reads(file, message, profile))
      if (std::ranges::find(keys, key) == keys.end()) keys.push_back(std::move(key));
  return keys;
}

Draft decide(std::span<const Decider* const> deciders, const CaseFile& file, const Message& message,
             const Profile& profile, const Facts& facts) {
  Draft draft;
  if (!message.payload.is_object()) {
    draft.outcome = Outcome::blocked;
    draft.codes = {"PAYLOAD_INVALID"};
    return draft;
  }
  // One view for all: a fact is read once, whoever asks. Each decider starts from the facts as the draft changes them.
  // Its room is written before it is read: zeroing it first would be a tenth of a decision.
  [[clang::uninitialized]] FactView view(file, message, profile, message.time);
  // What malloc has ready (explanation.hpp).
  draft.explanation.reserve(12);
  for (const Decider* d : deciders) {
    view.restart(draft.effects);
    draft = d->decide(view, facts, std::move(draft));
  }
  sort_few(draft.codes, [&](const std::string& code) { return profile.code_rank(message.type, code); });
  draft.codes.erase(std::unique(draft.codes.begin(), draft.codes.end()), draft.codes.end());
  if (!draft.codes.empty() && (draft.outcome == Outcome::delivered || draft.outcome == Outcome::recorded))
    draft.outcome = Outcome::blocked;
  if (draft.outcome == Outcome::blocked) strip(message, profile, draft);
  if (draft.outcome == Outcome::dropped_duplicate || draft.outcome == Outcome::quarantined ||
      draft.outcome == Outcome::held) {
    draft.recipients.clear();
    draft.suppressed.clear();
  }
  return draft;
}

}  // namespace schakel
