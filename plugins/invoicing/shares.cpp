#include "plugins/invoicing/shares.hpp"

#include <algorithm>
#include <array>

namespace schakel::invoicing {
namespace {

constexpr std::array<std::string_view, 3> kTieOrder{"gemeente", "schoolbestuur", "swv"};

std::vector<std::string> kinds_of(const LedgerEntry& invoice) {
  std::vector<std::string> out;
  for (const auto& line : invoice.lines)
    if (std::ranges::find(out, line.kind) == out.end()) out.push_back(line.kind);
  return out;
}

/// Kinds that are shared alike form one group, so that rounding happens once (CORE-MONEY-02).
void add(std::vector<ShareGroup>& groups, ShareGroup group) {
  for (auto& g : groups)
    if (g.method == group.method && g.payers == group.payers && g.odd == group.odd) {
      g.kinds.insert(g.kinds.end(), group.kinds.begin(), group.kinds.end());
      return;
    }
  groups.push_back(std::move(group));
}

ShareGroup whole(std::string kind, std::string payer) {
  return {ShareGroup::Method::whole, {std::move(kind)}, {{std::move(payer), 10000}}, OddCent::gemeente};
}

ShareGroup by_shares(std::string kind, const std::vector<PayerShare>& shares, const std::string& otherwise) {
  if (shares.empty()) return whole(std::move(kind), otherwise);
  if (shares.size() == 1) return whole(std::move(kind), shares[0].role);
  return {ShareGroup::Method::basis_points, {std::move(kind)}, shares, OddCent::gemeente};
}

ShareGroup grey(std::string kind, const Switches& switches, OddCent odd) {
  if (switches.grey_swv_bp == 5000)
    return {ShareGroup::Method::half, {std::move(kind)}, {{"gemeente", 5000}, {"swv", 5000}}, odd};
  std::vector<PayerShare> shares;
  if (switches.grey_swv_bp < 10000) shares.push_back({"gemeente", 10000 - switches.grey_swv_bp});
  if (switches.grey_swv_bp > 0) shares.push_back({"swv", switches.grey_swv_bp});
  return by_shares(std::move(kind), shares, "gemeente");
}

std::string holder_of(const LedgerEntry& invoice, const MoneyState& state, const Switches& switches) {
  if (invoice.creditor_role == "schoolbestuur") return "schoolbestuur";
  std::string holder = state.contract_holder;
  // A pupil who is enrolled but elsewhere: there the region says who is invoiced, whatever the case has (KNH-MONEY-04).
  if (state.situation == "elders")
    if (auto it = switches.holder_elsewhere.find(state.school_type); it != switches.holder_elsewhere.end())
      holder = it->second;
  if (holder.empty() && switches.grey_split)
    if (auto it = switches.grey_holder.find(state.school_type); it != switches.grey_holder.end()) holder = it->second;
  if (std::ranges::find(kTieOrder, holder) == kTieOrder.end()) holder = "gemeente";
  // The contract of the grey area says nothing about care alone: that goes to the gemeente (KNH-MONEY-03, KNH-T9).
  bool care_only = std::ranges::all_of(invoice.lines, [](const LedgerLine& l) { return l.kind == "zorg"; });
  return switches.grey_split && care_only ? "gemeente" : holder;
}

/// Splits VAT by the same shares as the gross amount. Rounding may give a payer more VAT than money: it moves on then.
void split_vat(std::vector<PayerAmount>& payers, Cents vat, std::span<const std::uint32_t> bp) {
  auto parts = split_basis_points(vat, bp);
  SCHAKEL_ASSERT(parts.has_value());
  Cents over;
  for (std::size_t i = 0; i < payers.size(); ++i) {
    payers[i].vat = std::min((*parts)[i], payers[i].gross);
    over += (*parts)[i] - payers[i].vat;
  }
  for (auto& p : payers) {
    Cents room = std::min(over, p.gross - p.vat);
    p.vat += room;
    over -= room;
  }
}

void share_group(GroupAmounts& g, std::optional<std::int64_t> minutes) {
  const auto& payers = g.group->payers;
  for (const auto& p : payers) g.payers.push_back({p.role, {}, {}});
  switch (g.group->method) {
    case ShareGroup::Method::whole:
      g.payers[0].gross = g.cents, g.payers[0].vat = g.vat;
      return;
    case ShareGroup::Method::half: {
      auto gross = split_50_50(g.cents, g.group->odd), vat = split_50_50(g.vat, g.group->odd);
      for (auto& p : g.payers)
        p.gross = p.role == "swv" ? gross.swv : gross.gemeente, p.vat = p.role == "swv" ? vat.swv : vat.gemeente;
      return;
    }
    case ShareGroup::Method::minutes: {
      // The first payer is education; without minutes the halves of the order hold.
      bool counted = minutes.value_or(0) > 0;
      std::int64_t part = counted ? education_minutes(*minutes, payers[0].basis_points) : payers[0].basis_points,
                   of = counted ? *minutes : 10000;
      g.payers[0].gross = proportion_floor(g.cents, part, of).value_or(Cents{});
      g.payers[0].vat = proportion_floor(g.vat, part, of).value_or(Cents{});
      g.payers[1].gross = g.cents - g.payers[0].gross, g.payers[1].vat = g.vat - g.payers[0].vat;
      return;
    }
    case ShareGroup::Method::basis_points: {
      std::vector<std::uint32_t> bp;
      for (const auto& p : payers) bp.push_back(p.basis_points);
      auto gross = split_basis_points(g.cents, bp);
      SCHAKEL_ASSERT(gross.has_value());
      for (std::size_t i = 0; i < bp.size(); ++i) g.payers[i].gross = (*gross)[i];
      split_vat(g.payers, g.vat, bp);
      return;
    }
  }
}

/// What the lines of a group are per rate, in the order of the source; also what a credit took whole.
std::vector<RatePart> rates_of_lines(const LedgerEntry& invoice, std::span<const LedgerLine> lines,
                                     const ShareGroup& group) {
  std::vector<RatePart> out;
  auto part = [&](const std::string& percent, const std::string& category) -> RatePart& {
    for (auto& r : out)
      if (r.percent == percent && r.category == category) return r;
    return out.emplace_back(percent, category, Cents{}, Cents{});
  };
  for (const auto& r : invoice.vat_rates) part(r.at("percent"), r.value("category", ""));
  for (const auto& l : lines) {
    if (std::ranges::find(group.kinds, l.kind) == group.kinds.end()) continue;
    auto& r = part(l.percent, l.category);
    r.net += l.cents - l.vat.value_or(Cents{}), r.vat += l.vat.value_or(Cents{});
  }
  return out;
}

void add_rates(std::vector<RatePart>& to, const std::vector<RatePart>& more) {
  for (const auto& r : more) {
    auto same =
        std::ranges::find_if(to, [&](const RatePart& t) { return t.percent == r.percent && t.category == r.category; });
    if (same == to.end())
      to.push_back(r);
    else
      same->net += r.net, same->vat += r.vat;
  }
}

/// What the agreement says of VAT for all of these kinds; empty when it says nothing or not one thing.
std::string treatment_of(const std::vector<std::string>& kinds, const LedgerEntry& invoice, const MoneyState& state,
                         const Switches& switches) {
  std::string out;
  for (const auto& kind : kinds) {
    const FundingLine* line = answer_for(state, switches, invoice, kind).covers;
    if (!line || line->vat.empty() || (!out.empty() && out != line->vat)) return {};
    out = line->vat;
  }
  return out;
}

void make_groups(LedgerEntry& invoice, const MoneyState& state, const Switches& switches, OddCent odd) {
  invoice.groups.clear();
  if (invoice.kind == "doorbelasting") {
    // What the gemeente itself asks of the SWV is forwarded as it is (KNH-MONEY-05).
    invoice.holder = "swv";
    for (const auto& kind : kinds_of(invoice)) add(invoice.groups, whole(kind, "swv"));
    return;
  }
  if (switches.flow == Flow::offering_party) {
    invoice.holder = state.offered_by == "swv" ? "swv" : "gemeente";
    for (const auto& kind : kinds_of(invoice)) add(invoice.groups, whole(kind, invoice.holder));
    return;
  }
  if (switches.flow == Flow::ordering_parties) {
    invoice.holder.clear();
    for (const auto& kind : kinds_of(invoice)) {
      if (kind == "zorg")
        add(invoice.groups, whole(kind, "gemeente"));
      else if (kind == "onderwijs")
        add(invoice.groups, whole(kind, state.education_payer));
      else
        add(invoice.groups, {ShareGroup::Method::minutes,
                             {kind},
                             {{state.education_payer, switches.combined_education_bp},
                              {"gemeente", 10000 - switches.combined_education_bp}},
                             OddCent::gemeente});
    }
    return;
  }
  invoice.holder = holder_of(invoice, state, switches);
  bool advised =
      !switches.ratified_by.empty() && state.advice && state.advice_ratified && !state.advice->shares.empty();
  for (const auto& kind : kinds_of(invoice)) {
    if (advised) {
      add(invoice.groups, by_shares(kind, state.advice->shares, invoice.holder));
      continue;
    }
    const FundingLine* line = answer_for(state, switches, invoice, kind).covers;
    static const std::vector<PayerShare> nobody;
    const auto& recorded = line ? line->shares : nobody;
    if (!switches.grey_split) {
      add(invoice.groups, by_shares(kind, recorded, invoice.holder));
    } else if (kind == "grijs") {
      add(invoice.groups, grey(kind, switches, odd));
    } else if (kind == "zorg") {
      add(invoice.groups, whole(kind, "gemeente"));
    } else if (kind == "onderwijs") {
      // Only what the agreement allots to the SWV is invoiced on (KNH-MONEY-05, Q-22); the rest stays with the holder.
      bool to_swv = recorded.size() == 1 && recorded[0].role == "swv";
      add(invoice.groups, whole(kind, to_swv ? "swv" : invoice.holder));
    } else {
      add(invoice.groups, by_shares(kind, recorded, invoice.holder));
    }
  }
}

bool same_rate(const LedgerLine& a, const LedgerLine& b) { return a.percent == b.percent && a.category == b.category; }

/// VAT is charged per rate and laid over its lines here; whoever credits one of them computes it again, and may take a
/// cent more than was laid on it. That cent is another line's of the same rate: first of one that is shared alike.
void settle_vat_of_rates(std::vector<LedgerLine>& lines, const std::vector<ShareGroup>& groups) {
  auto alike = [&](const LedgerLine& a, const LedgerLine& b) {
    return std::ranges::any_of(groups, [&](const ShareGroup& g) {
      return std::ranges::find(g.kinds, a.kind) != g.kinds.end() && std::ranges::find(g.kinds, b.kind) != g.kinds.end();
    });
  };
  for (auto& lacks : lines)
    for (bool same_group : {true, false})
      for (auto& has : lines) {
        if (*lacks.vat >= Cents{}) break;
        if (&has == &lacks || *has.vat <= Cents{} || !same_rate(has, lacks) || alike(has, lacks) != same_group)
          continue;
        Cents part = std::min(-*lacks.vat, *has.vat);
        *lacks.vat += part, lacks.cents += part;
        *has.vat -= part, has.cents -= part;
      }
}

}  // namespace

std::int64_t education_minutes(std::int64_t minutes, std::uint32_t education_bp) {
  return education_bp == 5000 ? split_minutes(minutes).education : minutes * education_bp / 10000;
}

void plan(LedgerEntry& invoice, const MoneyState& state, const Switches& switches, OddCent odd) {
  make_groups(invoice, state, switches, odd);
  for (auto& group : invoice.groups) group.vat = treatment_of(group.kinds, invoice, state, switches);
  invoice.vat_treatment = treatment_of(kinds_of(invoice), invoice, state, switches);
}

std::string treatment_for(const LedgerEntry& invoice, std::string_view payer) {
  const ShareGroup* first = nullptr;
  for (const auto& group : invoice.groups) {
    if (std::ranges::find(group.payers, payer, &PayerShare::role) == group.payers.end()) continue;
    if (!first) first = &group;
    if (group.vat != first->vat) return {};
  }
  // What was sent before groups had it says one thing of all of them.
  return first && !first->vat.empty() ? first->vat : invoice.vat_treatment;
}

PayerAmount Shares::of(std::string_view role) const {
  for (const auto& p : payers)
    if (p.role == role) return p;
  return {std::string(role), {}, {}};
}

Shares share(const LedgerEntry& invoice, std::span<const LedgerLine> lines, Cents vat) {
  Shares out;
  out.vat = vat;
  for (const auto& line : lines) out.gross += line.cents;
  SCHAKEL_ASSERT(out.gross >= Cents{} && vat >= Cents{} && vat <= out.gross);
  // VAT goes with its own lines where they have it: one kind may be taxed and another not.
  Cents vat_of_lines;
  bool by_line = !lines.empty();
  for (const auto& line : lines) {
    by_line = by_line && line.vat.has_value();
    vat_of_lines += line.vat.value_or(Cents{});
  }
  bool rated = by_line && std::ranges::none_of(lines, [](const LedgerLine& l) { return l.percent.empty(); });
  // With rates VAT stays with its lines, also where a credit rounded it otherwise than its invoice.
  by_line = by_line && (rated || vat_of_lines == vat);
  Cents vat_given;
  for (const auto& group : invoice.groups) {
    GroupAmounts g{&group, {}, {}, {}};
    for (const auto& line : lines)
      if (std::ranges::find(group.kinds, line.kind) != group.kinds.end()) {
        g.cents += line.cents;
        if (by_line) g.vat += *line.vat;
      }
    // CORE-MONEY-05: the VAT of a group in proportion; what is lost in rounding stays with who has the whole invoice.
    if (!by_line && out.gross > Cents{})
      g.vat = proportion_floor(vat, g.cents.value(), out.gross.value()).value_or(Cents{});
    vat_given += g.vat;
    share_group(g, invoice.minutes);
    out.groups.push_back(std::move(g));
  }
  for (std::string_view role : kTieOrder) {
    PayerAmount sum{std::string(role), {}, {}};
    bool named = role == invoice.holder;
    for (const auto& g : out.groups)
      for (const auto& p : g.payers)
        if (p.role == role) named = true, sum.gross += p.gross, sum.vat += p.vat;
    if (named) out.payers.push_back(std::move(sum));
  }
  // The cents of VAT that no group has: first to the holder (or the gemeente), as far as its money goes.
  Cents left = vat - vat_given;
  auto take = [&](PayerAmount& p) {
    Cents room = std::clamp(left, -p.vat, p.gross - p.vat);
    p.vat += room;
    left -= room;
  };
  std::string_view first = invoice.holder.empty() ? "gemeente" : std::string_view(invoice.holder);
  for (auto& p : out.payers)
    if (p.role == first) take(p);
  for (auto& p : out.payers) take(p);
  SCHAKEL_ASSERT(left == Cents{});
  if (!rated) return out;
  out.rates.resize(out.payers.size());
  for (const auto& g : out.groups) {
    auto parts = share_group_rates(g.payers, rates_of_lines(invoice, lines, *g.group));
    for (std::size_t i = 0; i < g.payers.size(); ++i) {
      auto at = std::ranges::find(out.payers, g.payers[i].role, &PayerAmount::role);
      add_rates(out.rates[static_cast<std::size_t>(at - out.payers.begin())], parts[i]);
    }
  }
  return out;
}

std::vector<LedgerLine> lines_left(const LedgerEntry& invoice, std::span<const LedgerEntry* const> credits,
                                   bool by_rate) {
  auto rated = [](const LedgerLine& l) { return !l.percent.empty(); };
  by_rate = by_rate && std::ranges::all_of(invoice.lines, rated) &&
            std::ranges::all_of(credits, [&](const LedgerEntry* c) { return std::ranges::all_of(c->lines, rated); });
  std::vector<LedgerLine> out;
  auto find = [&](const LedgerLine& line) {
    return std::ranges::find_if(out, [&](const LedgerLine& l) {
      return l.kind == line.kind && (!by_rate || (l.percent == line.percent && l.category == line.category));
    });
  };
  for (const auto& line : invoice.lines) {
    if (auto it = find(line); it != out.end()) {
      it->cents += line.cents;
      it->vat = it->vat && line.vat ? std::optional(*it->vat + *line.vat) : std::nullopt;
    } else {
      out.push_back({line.kind, line.cents, line.vat});
      if (by_rate) out.back().percent = line.percent, out.back().category = line.category;
    }
  }
  for (const LedgerEntry* credit : credits)
    for (const auto& line : credit->lines)
      if (auto it = find(line); it != out.end()) {
        it->cents -= line.cents;
        it->vat = it->vat && line.vat ? std::optional(*it->vat - *line.vat) : std::nullopt;
      }
  if (by_rate) settle_vat_of_rates(out, invoice.groups);
  // A provider may round the VAT of its credits: what would be more than the money, or less than none, is not known.
  for (auto& line : out)
    if (line.vat && (*line.vat < Cents{} || *line.vat > line.cents)) {
      if (by_rate)
        line.vat = std::clamp(*line.vat, Cents{}, std::max(line.cents, Cents{}));
      else
        line.vat.reset();
    }
  return out;
}

Cents vat_left(const LedgerEntry& invoice, std::span<const LedgerEntry* const> credits) {
  Cents vat = invoice.vat, gross = invoice.total();
  for (const LedgerEntry* credit : credits) vat -= credit->vat, gross -= credit->total();
  return std::clamp(vat, Cents{}, std::max(gross, Cents{}));
}

std::vector<Cents> lay_on_lines(Cents share, std::span<const Cents> lines) {
  std::vector<Cents> out(lines.size());
  Cents total, before, given;
  for (Cents line : lines) total += line;
  if (out.empty()) return out;
  if (share < Cents{} || total <= Cents{} || share > total) {
    out.back() = share;
    return out;
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    before += lines[i];
    Cents now = proportion_floor(share, before.value(), total.value()).value_or(Cents{});
    out[i] = now - given;
    given = now;
  }
  return out;
}

}  // namespace schakel::invoicing
