// Which line of the funding agreement answers for a line of an invoice, and which provider it is of.
#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>

#include "plugins/invoicing/state.hpp"

namespace schakel::invoicing {
namespace {

constexpr std::string_view kProviderRole = "zorgaanbieder:";

std::string called(const std::string& provider) { return std::string(kProviderRole) + provider; }

/// Names of providers on the lines of an agreement; true where a line has a maximum.
bool named_on(const Json& lines, std::vector<std::string>& into) {
  bool maximum = false;
  if (!lines.is_array()) return maximum;
  for (const auto& line : lines) {
    if (!line.is_object()) continue;
    maximum = maximum || line.contains("max_cents");
    if (auto it = line.find("aanbieder"); it != line.end() && it->is_string())
      into.push_back(called(it->get<std::string>()));
  }
  return maximum;
}

/// How far a funding line goes with a line of an invoice, in the order of the gate.
enum class Fit { period, provider, assignment, product, max, covers };

constexpr std::string_view code_of(Fit fit) {
  switch (fit) {
    case Fit::period:
      return "OUTSIDE_FUNDING_PERIOD";
    case Fit::provider:
      return "PROVIDER_IS_ANOTHER";
    case Fit::assignment:
      return "ASSIGNMENT_IS_ANOTHER";
    case Fit::product:
      return "PRODUCT_IS_ANOTHER";
    case Fit::max:
      return "FUNDING_MAX_EXCEEDED";
    case Fit::covers:
      break;
  }
  return {};
}

bool answers_for(const FundingLine& funding, std::string_view kind) {
  return funding.kind.empty() || kind == "gecombineerd" || funding.kind == kind;
}

/// `taken` is what earlier lines of the same invoice take of this funding line.
Fit fit(const FundingLine& funding, const MoneyState& state, const Switches& switches, const LedgerEntry& entry,
        const LedgerLine& line, Cents taken) {
  auto agreed = funding.period ? funding.period : state.funding_period;
  if (agreed || switches.lines_need_period) {
    auto period = period_of(line, entry);
    if (!agreed || !period || !agreed->contains(*period)) return Fit::period;
  }
  if (entry.is_credit()) return Fit::covers;
  // Who is named by an agreement must be known to be the sender: finance wrote the name, and can write another.
  if (!funding.provider.empty()) {
    auto known = state.providers.find(provider_key(entry.party, called(funding.provider)));
    if (known == state.providers.end() || !known->second) return Fit::provider;
  }
  if (funding.assignment && line.assignment != funding.assignment) return Fit::assignment;
  if (!funding.product.empty() && line.product != funding.product) return Fit::product;
  if (funding.max && funding.spent + taken + line.cents > *funding.max) return Fit::max;
  return Fit::covers;
}

Answer line_answer(const MoneyState& state, const Switches& switches, const LedgerEntry& entry, const LedgerLine& line,
                   std::span<const Cents> taken) {
  Answer answer;
  Fit nearest = Fit::period;
  for (std::size_t i = 0; i < state.funding.size(); ++i) {
    const auto& funding = state.funding[i];
    if (!answers_for(funding, line.kind)) continue;
    answer.any = true;
    nearest = std::max(nearest, fit(funding, state, switches, entry, line, taken.empty() ? Cents{} : taken[i]));
    if (nearest != Fit::covers) continue;
    answer.covers = &funding;
    return answer;
  }
  if (answer.any) answer.code = code_of(nearest);
  return answer;
}

bool has_maximum(const MoneyState& state) {
  return std::ranges::any_of(state.funding, [](const FundingLine& f) { return f.max.has_value(); });
}

std::size_t index_of(const MoneyState& state, const FundingLine* line) {
  return static_cast<std::size_t>(line - state.funding.data());
}

/// What a line of an invoice took of a funding line, and how much of that was not credited.
struct Taken {
  std::size_t funding;
  const LedgerLine* line;
  Cents left;
};

/// A credit gives back on the lines that it is like, then on any other of its kind, in the order of the invoice.
/// Credits may come in any other: of each group what is given back whole is walked over once. What it refers to
/// outlives it.
class GivingBack {
 public:
  explicit GivingBack(std::vector<Taken>& taken) : taken_(taken) {
    for (std::size_t i = 0; i < taken.size(); ++i) {
      alike_[likeness(*taken[i].line)].at.push_back(i);
      of_kind_[taken[i].line->kind].at.push_back(i);
    }
  }

  void credit(const LedgerLine& line) {
    Cents left = line.cents;
    if (auto it = alike_.find(likeness(line)); it != alike_.end()) give_back(it->second, left);
    if (auto it = of_kind_.find(line.kind); it != of_kind_.end()) give_back(it->second, left);
  }

 private:
  struct Group {
    std::vector<std::size_t> at;  ///< in `taken`
    std::size_t first = 0;        ///< nothing is left of those before it
  };
  using Likeness =
      std::tuple<std::string_view, std::optional<std::int64_t>, std::string_view, std::string_view, std::string_view>;

  static Likeness likeness(const LedgerLine& l) { return {l.kind, l.assignment, l.product, l.from, l.to}; }

  void give_back(Group& group, Cents& left) {
    while (left > Cents{} && group.first < group.at.size()) {
      auto& t = taken_[group.at[group.first]];
      Cents back = std::min(left, t.left);
      t.left -= back, left -= back;
      if (t.left == Cents{}) ++group.first;
    }
  }

  std::vector<Taken>& taken_;
  std::map<Likeness, Group> alike_;
  std::map<std::string_view, Group> of_kind_;
};

}  // namespace

std::string provider_key(std::string_view party, std::string_view role) {
  return "provider/" + std::string(party) + "/" + std::string(role);
}

std::vector<std::string> assigned_providers(const CaseFile& file) {
  std::vector<std::string> out;
  for (const auto& m : file.messages) {
    if (m.type != "zorgtoewijzing" || m.outcome != Outcome::delivered) continue;
    for (const auto& r : m.recipients)
      if (r.role.starts_with(kProviderRole) && std::ranges::find(out, r.role) == out.end()) out.push_back(r.role);
  }
  return out;
}

std::vector<std::string> provider_keys(const CaseFile& file, const Message& message,
                                       std::span<const LedgerEntry> sources) {
  if (sources.empty()) return {};
  auto names = assigned_providers(file);
  bool maximum = false;
  if (file.facts.is_object())
    if (auto it = file.facts.find("funding"); it != file.facts.end()) maximum = named_on(*it, names);
  // What this message itself would add.
  auto given = [&](const char* key) {
    auto it = message.payload.find(key);
    return it == message.payload.end() ? Json() : *it;
  };
  if (message.type == "zorgtoewijzing")
    if (auto provider = given("provider"); provider.is_string()) names.push_back(called(provider.get<std::string>()));
  if (message.type == "financieringsafspraak") maximum = named_on(given("lines"), names) || maximum;
  std::vector<std::string> keys;
  auto ask = [&](const LedgerEntry& e) {
    if (e.party.empty() || e.creditor_role != "zorgaanbieder") return;
    for (const auto& name : names)
      if (auto key = provider_key(e.party, name); std::ranges::find(keys, key) == keys.end())
        keys.push_back(std::move(key));
  };
  for (const auto& s : sources) ask(s);
  // What the others had counts for a maximum.
  if (maximum && !names.empty())
    for (const auto& e : ledger_of(file.invoices).entries) ask(e);
  return keys;
}

void spend(MoneyState& state, const Ledger& ledger, const Switches& switches) {
  if (!has_maximum(state)) return;
  for (auto& f : state.funding) f.spent = {};
  for (const auto& e : ledger.entries) {
    if (e.held || e.refused || e.is_credit()) continue;
    std::vector<Taken> taken;
    std::vector<Cents> so_far(state.funding.size());
    for (const auto& line : e.lines) {
      const auto* funding = line_answer(state, switches, e, line, so_far).covers;
      // Sent under an agreement that was wider then: it counts for the first maximum that is about it.
      std::size_t i = funding ? index_of(state, funding) : state.funding.size();
      for (std::size_t k = 0; !funding && k < state.funding.size() && i == state.funding.size(); ++k)
        if (answers_for(state.funding[k], line.kind) &&
            fit(state.funding[k], state, switches, e, line, so_far[k]) == Fit::max)
          i = k;
      if (i == state.funding.size()) continue;
      so_far[i] += line.cents;
      taken.push_back({i, &line, line.cents});
    }
    if (auto credits = ledger.sent_credits(e); !credits.empty()) {
      GivingBack giving(taken);
      for (const auto* credit : credits)
        for (const auto& line : credit->lines) giving.credit(line);
    }
    for (const auto& t : taken) state.funding[t.funding].spent += t.left;
  }
}

bool is_of_another_provider(const LedgerEntry& entry, const MoneyState& state) {
  if (entry.is_credit() || entry.creditor_role != "zorgaanbieder" || state.assigned.empty()) return false;
  if (std::ranges::all_of(entry.lines, [](const LedgerLine& l) { return l.kind == "onderwijs"; })) return false;
  return std::ranges::all_of(state.assigned, [&](const std::string& role) {
    auto known = state.providers.find(provider_key(entry.party, role));
    return known != state.providers.end() && !known->second;
  });
}

Answer answer_for(const MoneyState& state, const Switches& switches, const LedgerEntry& entry, std::string_view kind) {
  Answer all;
  bool first = true, one = true;
  std::vector<Cents> taken;
  if (has_maximum(state)) taken.resize(state.funding.size());
  for (const auto& line : entry.lines) {
    // Lines of other kinds may take of the same maximum.
    if (line.kind != kind && taken.empty()) continue;
    auto answer = line_answer(state, switches, entry, line, taken);
    if (answer.covers && !taken.empty()) taken[index_of(state, answer.covers)] += line.cents;
    if (line.kind != kind) continue;
    all.any = all.any || answer.any;
    if (all.code.empty()) all.code = answer.code;
    if (first)
      all.covers = answer.covers;
    else if (!answer.covers || !all.covers || answer.covers->shares != all.covers->shares ||
             answer.covers->vat != all.covers->vat)
      one = false;
    first = false;
  }
  if (!one) all.covers = nullptr;
  // Each is covered, and not alike: they cannot be shared as one.
  if (all.any && !all.covers && all.code.empty()) all.code = code_of(Fit::period);
  return all;
}

}  // namespace schakel::invoicing
