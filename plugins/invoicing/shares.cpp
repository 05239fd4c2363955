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

}  // namespace

namespace {

/// Splits `amount` over what is left by largest remainder; every part stays within what is left of its column.
std::vector<std::int64_t> take_parts(std::int64_t amount, std::vector<std::int64_t>& left) {
  std::int64_t total = 0;
  for (auto v : left) total += v;
  std::vector<std::int64_t> out(left.size());
  if (total == 0) return out;
  std::vector<std::pair<__int128, std::size_t>> remainder;
  std::int64_t given = 0;
  for (std::size_t j = 0; j < left.size(); ++j) {
    auto exact = static_cast<__int128>(amount) * left[j];
    out[j] = static_cast<std::int64_t>(exact / total);
    given += out[j];
    remainder.emplace_back(-(exact % total), j);
  }
  std::ranges::sort(remainder);
  // A column with a remainder has room for one more.
  for (std::size_t k = 0; given < amount; ++k, ++given) ++out[remainder[k].second];
  for (std::size_t j = 0; j < left.size(); ++j) left[j] -= out[j];
  return out;
}

struct RateShare {
  std::int64_t net = 0, vat = 0;
};
using RateRows = std::vector<std::vector<RateShare>>;  ///< by payer, by rate
using Amounts = std::vector<std::int64_t>;             ///< by rate

RateRows proportional_parts(std::span<const PayerAmount> payers, Amounts net, Amounts vat) {
  RateRows out;
  for (const auto& p : payers) {
    auto n = take_parts((p.gross - p.vat).value(), net), v = take_parts(p.vat.value(), vat);
    auto& row = out.emplace_back();
    for (std::size_t j = 0; j < n.size(); ++j) row.push_back({n[j], v[j]});
  }
  return out;
}

/// Is the VAT of every part within half a euro of its net at the rate of the whole? A validator allows one (BR-S-09).
bool near_rates(const RateRows& rows, const Amounts& net, const Amounts& vat) {
  for (const auto& row : rows)
    for (std::size_t j = 0; j < row.size(); ++j) {
      auto off = static_cast<__int128>(row[j].vat) * net[j] - static_cast<__int128>(row[j].net) * vat[j];
      auto slack = static_cast<__int128>(50) * net[j];
      if (off > slack || -off > slack) return false;
    }
  return true;
}

/// Two rates: a payer's net and VAT fix how much of it is of each. The last payer has what is left; nullopt when that
/// is less than nothing.
std::optional<RateRows> solved_parts(std::span<const PayerAmount> payers, const Amounts& net, const Amounts& vat) {
  // n0 * (V0/N0) + (n - n0) * (V1/N1) = v, as a fraction over N0 * N1.
  auto n0_all = static_cast<__int128>(net[0]), n1_all = static_cast<__int128>(net[1]);
  __int128 by = vat[0] * n1_all - vat[1] * n0_all;
  if (net[0] <= 0 || net[1] <= 0 || by == 0) return {};
  RateRows out;
  std::vector<RateShare> left{{net[0], vat[0]}, {net[1], vat[1]}};
  for (std::size_t i = 0; i < payers.size(); ++i) {
    std::int64_t n = (payers[i].gross - payers[i].vat).value(), v = payers[i].vat.value();
    std::vector<RateShare> row = left;
    if (i + 1 < payers.size()) {
      // At most 10^13 each, so that N0 * (v * N1 - n * V1) needs 130 bits at the very most: divided before that.
      __int128 over = v * n1_all - static_cast<__int128>(n) * vat[1], part = 0;
      if (__builtin_mul_overflow(over, n0_all, &part)) return {};
      part /= by;
      auto first = static_cast<std::int64_t>(std::clamp<__int128>(part, 0, std::min<__int128>(n, left[0].net)));
      row[0].net = first, row[1].net = n - first;
      row[0].vat = std::min(static_cast<std::int64_t>(static_cast<__int128>(first) * vat[0] / n0_all), v);
      row[1].vat = v - row[0].vat;
    }
    for (std::size_t j = 0; j < 2; ++j) {
      left[j].net -= row[j].net, left[j].vat -= row[j].vat;
      if (row[j].net < 0 || row[j].vat < 0 || left[j].net < 0 || left[j].vat < 0) return {};
    }
    out.push_back(std::move(row));
  }
  return out;
}

/// What the agreement says of VAT for all kinds of an invoice; empty when it says nothing or not one thing.
std::string treatment_of(const LedgerEntry& invoice, const MoneyState& state, const Switches& switches) {
  std::string out;
  for (const auto& kind : kinds_of(invoice)) {
    const FundingLine* line = answer_for(state, switches, invoice, kind).covers;
    if (!line || line->vat.empty() || (!out.empty() && out != line->vat)) return {};
    out = line->vat;
  }
  return out;
}

}  // namespace

std::optional<std::vector<Json>> share_rates(std::span<const PayerAmount> payers, const Json& rates) {
  std::vector<std::int64_t> net, vat;
  std::int64_t all_net = 0, all_vat = 0;
  for (const auto& r : rates) {
    net.push_back(r.at("net_cents").get<std::int64_t>());
    vat.push_back(r.at("vat_cents").get<std::int64_t>());
    if (net.back() < 0 || vat.back() < 0) return {};
    all_net += net.back(), all_vat += vat.back();
  }
  for (const auto& p : payers) {
    if (p.vat < Cents{} || p.gross < p.vat) return {};
    all_net -= (p.gross - p.vat).value(), all_vat -= p.vat.value();
  }
  if (all_net != 0 || all_vat != 0) return {};
  auto parts = proportional_parts(payers, net, vat);
  // Payers of differently taxed lines have differently taxed parts: with two rates net and VAT say which.
  if (!near_rates(parts, net, vat) && net.size() == 2)
    if (auto solved = solved_parts(payers, net, vat); solved && near_rates(*solved, net, vat)) parts = *solved;
  std::vector<Json> out;
  for (const auto& row : parts) {
    Json mine = Json::array();
    for (std::size_t j = 0; j < rates.size(); ++j)
      if (row[j].net != 0 || row[j].vat != 0)
        mine.push_back({{"percent", rates[j].at("percent")}, {"net_cents", row[j].net}, {"vat_cents", row[j].vat}});
    out.push_back(std::move(mine));
  }
  return out;
}

std::int64_t education_minutes(std::int64_t minutes, std::uint32_t education_bp) {
  return education_bp == 5000 ? split_minutes(minutes).education : minutes * education_bp / 10000;
}

void plan(LedgerEntry& invoice, const MoneyState& state, const Switches& switches, OddCent odd) {
  invoice.groups.clear();
  invoice.vat_treatment = treatment_of(invoice, state, switches);
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
  by_line = by_line && vat_of_lines == vat;
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
    Cents room = std::min(left, p.gross - p.vat);
    p.vat += room;
    left -= room;
  };
  std::string_view first = invoice.holder.empty() ? "gemeente" : std::string_view(invoice.holder);
  for (auto& p : out.payers)
    if (p.role == first) take(p);
  for (auto& p : out.payers) take(p);
  SCHAKEL_ASSERT(left == Cents{});
  return out;
}

std::vector<LedgerLine> lines_left(const LedgerEntry& invoice, std::span<const LedgerEntry* const> credits) {
  std::vector<LedgerLine> out;
  auto find = [&](const std::string& kind) { return std::ranges::find(out, kind, &LedgerLine::kind); };
  for (const auto& line : invoice.lines) {
    if (auto it = find(line.kind); it != out.end()) {
      it->cents += line.cents;
      it->vat = it->vat && line.vat ? std::optional(*it->vat + *line.vat) : std::nullopt;
    } else {
      out.push_back({line.kind, line.cents, line.vat});
    }
  }
  for (const LedgerEntry* credit : credits)
    for (const auto& line : credit->lines)
      if (auto it = find(line.kind); it != out.end()) {
        it->cents -= line.cents;
        it->vat = it->vat && line.vat ? std::optional(*it->vat - *line.vat) : std::nullopt;
      }
  // A provider may round the VAT of its credits: what would be more than the money, or less than none, is not known.
  for (auto& line : out)
    if (line.vat && (*line.vat < Cents{} || *line.vat > line.cents)) line.vat.reset();
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
