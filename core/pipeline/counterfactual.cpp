#include "core/pipeline/counterfactual.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/pipeline/fact_changes.hpp"

namespace schakel::replay {
namespace {

bool cf_through(Outcome o) { return o == Outcome::delivered || o == Outcome::recorded; }

std::set<std::string> cf_roles(const Draft& d) {
  std::set<std::string> out;
  for (const Recipient& r : d.recipients) out.insert(r.role);
  return out;
}

/// What counts as another outcome of this decision.
bool cf_altered(const Draft& recorded, const Draft& d) {
  if (d.outcome == Outcome::quarantined) return false;
  if (!cf_through(recorded.outcome)) return cf_through(d.outcome);
  return d.outcome != recorded.outcome || cf_roles(d) != cf_roles(recorded);
}

Alternative cf_alternative(const Draft& recorded, const Draft& d, std::vector<Change> changes) {
  Alternative a{std::move(changes), d.outcome, d.codes, {}, {}};
  auto before = cf_roles(recorded), after = cf_roles(d);
  std::ranges::set_difference(after, before, std::back_inserter(a.gained));
  std::ranges::set_difference(before, after, std::back_inserter(a.lost));
  return a;
}

/// A role that was refused and now gets it tells most, then another outcome, then more or fewer recipients.
int cf_rank(const Draft& recorded, const Alternative& a) {
  for (const Suppressed& s : recorded.suppressed)
    if (std::ranges::any_of(a.gained, [&](const std::string& r) { return r.starts_with(s.role); })) return 0;
  if (a.outcome != recorded.outcome) return 1;
  return a.gained.empty() ? 3 : 2;
}

/// The stored form without the facts it names: whether a change did anything at all.
bool cf_moved(const Draft& recorded, const Draft& d) {
  auto trace = [](const Draft& x) {
    std::set<std::string> out;
    for (const Explanation& e : x.explanation) out.insert(fmt::format("{}|{}|{}", e.rule, e.result, e.code));
    return out;
  };
  return d.outcome != recorded.outcome || d.codes != recorded.codes || cf_roles(d) != cf_roles(recorded) ||
         d.suppressed != recorded.suppressed || trace(d) != trace(recorded);
}

}  // namespace

Counterfactual counterfactual(std::span<const Decider* const> deciders, const Known& known, const Profile& profile,
                              const Draft& recorded, const SearchOptions& options) {
  Counterfactual out;
  auto all = candidates(known, profile, recorded, options.may_vary);
  out.candidates = all.size();
  auto decided = [&](std::initializer_list<const Candidate*> with) {
    Known k = known;
    for (const Candidate* c : with) c->apply(k);
    ++out.tried;
    return redecide(deciders, k, profile);
  };
  std::vector<std::pair<int, Alternative>> hits;
  std::set<std::string> answered;  // one alternative per set of facts: the first value that does it
  auto hit = [&](const Draft& d, std::vector<Change> changes) {
    std::string key;
    for (const Change& c : changes) key += c.fact + "\n";
    auto a = cf_alternative(recorded, d, std::move(changes));
    key += std::string(to_string(a.outcome));
    if (!answered.insert(key).second) return;
    int rank = cf_rank(recorded, a);
    hits.emplace_back(rank, std::move(a));
  };
  auto report = [&] {
    std::vector<Alternative> ordered;
    for (int rank = 0; rank <= 3; ++rank)
      for (auto& [r, a] : hits)
        if (r == rank && ordered.size() < options.limit) ordered.push_back(a);
    out.found = std::move(ordered);
  };

  std::vector<std::size_t> moving, still;
  std::vector<std::size_t> codes_left(all.size(), recorded.codes.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (out.tried >= options.budget) return out;
    Draft d = decided({&all[i]});
    if (cf_altered(recorded, d)) hit(d, {all[i].change});
    (cf_moved(recorded, d) ? moving : still).push_back(i);
    codes_left[i] = d.codes.size();
  }
  out.singles_complete = true;
  if (!hits.empty()) {
    report();
    return out;
  }

  // With several reasons a part of the budget is kept for taking them away one by one: pairs alone would use it up.
  const std::size_t kept = recorded.codes.size() < 2 ? 0 : std::min(8 * all.size(), options.budget / 2);
  const std::size_t for_pairs = options.budget - kept;
  // Changes that moved something first: most pairs that matter are made of these.
  std::vector<std::size_t> order = moving;
  order.insert(order.end(), still.begin(), still.end());
  out.pairs_complete = true;
  for (std::size_t last = 1; last < order.size() && out.pairs_complete; ++last)
    for (std::size_t first = 0; first < last; ++first) {
      const Candidate &a = all[order[first]], &b = all[order[last]];
      if (a.change.fact == b.change.fact) continue;
      if (out.tried >= for_pairs) {
        out.pairs_complete = false;
        break;
      }
      Draft d = decided({&a, &b});
      if (cf_altered(recorded, d)) hit(d, {a.change, b.change});
    }
  if (!hits.empty()) {
    report();
    return out;
  }

  // Several reasons at once: take away one reason after the other. Each step is decided; more than eight is no answer.
  Known k = known;
  Draft now = recorded;
  std::vector<Change> path;
  while (path.size() < 8 && !now.codes.empty()) {
    const Candidate* best = nullptr;
    Draft best_draft;
    for (const Candidate& c : all) {
      if (std::ranges::find(path, c.change.fact, &Change::fact) != path.end()) continue;
      if (out.tried >= options.budget) return out;
      Known t = k;
      c.apply(t);
      ++out.tried;
      Draft d = redecide(deciders, t, profile);
      if (d.outcome == Outcome::quarantined) continue;
      bool better = cf_altered(recorded, d) || d.codes.size() < now.codes.size();
      if (better && (!best || cf_altered(recorded, d) || d.codes.size() < best_draft.codes.size())) {
        best = &c;
        best_draft = std::move(d);
        if (cf_altered(recorded, best_draft)) break;
      }
    }
    if (!best) break;
    best->apply(k);
    path.push_back(best->change);
    now = std::move(best_draft);
    if (cf_altered(recorded, now)) {
      hit(now, path);
      report();
      break;
    }
  }
  return out;
}

}  // namespace schakel::replay
