#include "plugins/invoicing/rates.hpp"

#include <algorithm>
#include <utility>

namespace schakel::invoicing {
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

/// Rows and columns as asked, near `wanted`. Who gets nothing back is asked for it: a row below zero comes first, and
/// what it adds to its column is shared with the rest.
std::vector<Amounts> fit(const std::vector<Amounts>& wanted, const Amounts& rows, Amounts columns) {
  std::vector<Amounts> out(rows.size(), Amounts(columns.size()));
  std::optional<std::size_t> last;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] > 0) last = i;
    if (rows[i] >= 0) continue;
    auto least = std::ranges::min_element(wanted[i]) - wanted[i].begin();
    out[i][static_cast<std::size_t>(least)] = rows[i];
    columns[static_cast<std::size_t>(least)] -= rows[i];
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] <= 0) continue;
    if (i == *last) {
      out[i] = columns;
      break;
    }
    std::int64_t rest = rows[i];
    for (std::size_t j = 0; j < columns.size(); ++j) {
      out[i][j] = std::clamp<std::int64_t>(wanted[i][j], 0, columns[j]);
      rest -= out[i][j];
    }
    while (rest != 0) {
      // To where there is most room, or from where there is most.
      std::size_t at = 0;
      auto room = [&](std::size_t j) { return rest > 0 ? columns[j] - out[i][j] : out[i][j]; };
      for (std::size_t j = 1; j < columns.size(); ++j)
        if (room(j) > room(at)) at = j;
      std::int64_t part = std::min(room(at), rest > 0 ? rest : -rest);
      SCHAKEL_ASSERT(part > 0);
      out[i][at] += rest > 0 ? part : -part;
      rest -= rest > 0 ? part : -part;
    }
    for (std::size_t j = 0; j < columns.size(); ++j) columns[j] -= out[i][j];
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

Json rate_row(std::string percent, const std::string& category, std::int64_t net, std::int64_t vat) {
  Json row{{"percent", std::move(percent)}, {"net_cents", net}, {"vat_cents", vat}};
  if (!category.empty()) row["category"] = category;
  return row;
}

}  // namespace

std::vector<std::vector<RatePart>> share_group_rates(std::span<const PayerAmount> payers,
                                                     const std::vector<RatePart>& rates) {
  Amounts net, vat;
  for (const auto& r : rates) net.push_back(r.net.value()), vat.push_back(r.vat.value());
  auto rows = proportional_parts(payers, std::move(net), std::move(vat));
  std::vector<std::vector<RatePart>> out;
  for (const auto& row : rows) {
    auto& mine = out.emplace_back();
    for (std::size_t j = 0; j < rates.size(); ++j)
      mine.push_back({rates[j].percent, rates[j].category, Cents{row[j].net}, Cents{row[j].vat}});
  }
  return out;
}

Json rates_json(const std::vector<RatePart>& parts) {
  Json out = Json::array();
  for (const auto& r : parts)
    if (r.net != Cents{} || r.vat != Cents{})
      out.push_back(rate_row(r.percent, r.category, r.net.value(), r.vat.value()));
  return out;
}

std::vector<std::vector<RatePart>> fit_rates(std::span<const PayerAmount> back,
                                             std::vector<std::vector<RatePart>> wanted,
                                             const std::vector<RatePart>& rates) {
  // Net and VAT each by themselves.
  for (auto part : {&RatePart::net, &RatePart::vat}) {
    std::vector<Amounts> near;
    Amounts rows, columns;
    for (std::size_t i = 0; i < back.size(); ++i) {
      rows.push_back((part == &RatePart::vat ? back[i].vat : back[i].gross - back[i].vat).value());
      auto& row = near.emplace_back();
      for (const auto& r : wanted[i]) row.push_back((r.*part).value());
    }
    for (const auto& r : rates) columns.push_back((r.*part).value());
    auto parts = fit(near, rows, std::move(columns));
    for (std::size_t i = 0; i < parts.size(); ++i)
      for (std::size_t j = 0; j < rates.size(); ++j) wanted[i][j].*part = Cents{parts[i][j]};
  }
  return wanted;
}

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
        mine.push_back(rate_row(rates[j].at("percent"), rates[j].value("category", ""), row[j].net, row[j].vat));
    out.push_back(std::move(mine));
  }
  return out;
}

}  // namespace schakel::invoicing
