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

/// Is the VAT of a part within half a euro of its net at the rate of the whole? A validator allows one (BR-S-09).
bool near_rate(std::int64_t net, std::int64_t vat, std::int64_t all_net, std::int64_t all_vat) {
  auto off = static_cast<__int128>(vat) * all_net - static_cast<__int128>(net) * all_vat;
  auto slack = static_cast<__int128>(50) * all_net;
  return off <= slack && -off <= slack;
}
bool near_all(const RateRows& rows, const Amounts& net, const Amounts& vat) {
  for (const auto& row : rows)
    for (std::size_t j = 0; j < row.size(); ++j)
      if (!near_rate(row[j].net, row[j].vat, net[j], vat[j])) return false;
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

bool near_rates(const std::vector<std::vector<RatePart>>& rows, const std::vector<RatePart>& rates) {
  for (const auto& row : rows)
    for (std::size_t j = 0; j < rates.size(); ++j)
      if (!near_rate(row[j].net.value(), row[j].vat.value(), rates[j].net.value(), rates[j].vat.value())) return false;
  return true;
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
  if (!near_all(parts, net, vat) && net.size() == 2)
    if (auto solved = solved_parts(payers, net, vat); solved && near_all(*solved, net, vat)) parts = *solved;
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
