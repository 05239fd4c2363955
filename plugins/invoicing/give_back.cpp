#include "plugins/invoicing/give_back.hpp"

#include <algorithm>

#include "plugins/invoicing/fit.hpp"

namespace schakel::invoicing {
namespace {

using Parts = std::vector<std::vector<RatePart>>;  ///< by payer, by rate of the credit

const Issued& issued_to(const LedgerEntry& invoice, const std::string& role) {
  auto it = std::ranges::find(invoice.issued, role, &Issued::role);
  SCHAKEL_ASSERT(it != invoice.issued.end());
  return *it;
}

std::vector<RatePart> rates_of(const Json& rows) {
  std::vector<RatePart> out;
  for (const auto& r : rows)
    out.push_back({r.at("percent"), r.value("category", ""), Cents{r.at("net_cents").get<std::int64_t>()},
                   Cents{r.at("vat_cents").get<std::int64_t>()}});
  return out;
}

RatePart of_rate(const std::vector<RatePart>& parts, const RatePart& rate) {
  RatePart out{rate.percent, rate.category, {}, {}};
  for (const auto& p : parts)
    if (p.percent == rate.percent && p.category == rate.category) out.net += p.net, out.vat += p.vat;
  return out;
}

/// The VAT where no rates say whose it is: what was issued less what is borne now, as far as a document can say that.
void give_vat(std::vector<PayerAmount>& payers, const LedgerEntry& credit, const LedgerEntry& invoice,
              const Shares& after) {
  struct Room {
    Cents least, most;
  };
  std::vector<Room> sound;
  Cents lacking = credit.vat;
  for (std::size_t i = 0; i < payers.size(); ++i) {
    auto& p = payers[i];
    const Issued& had = issued_to(invoice, p.role);
    // What stays has no more VAT than money, and not less than none.
    Cents most = std::max(p.gross, Cents{});
    Room room{std::clamp(had.vat - after.payers[i].gross, Cents{}, most), std::clamp(had.vat, Cents{}, most)};
    room.least = std::min(room.least, room.most);
    p.vat = std::clamp(had.vat - after.payers[i].vat, room.least, room.most);
    lacking -= p.vat;
    sound.push_back(room);
  }
  auto take = [&](std::size_t i, Cents least, Cents most) {
    Cents now = std::clamp(payers[i].vat + lacking, least, most);
    lacking -= now - payers[i].vat;
    payers[i].vat = now;
  };
  // What is lacking stays with who has the whole invoice, as far as its money goes, then with the others.
  std::string_view first = invoice.holder.empty() ? "gemeente" : std::string_view(invoice.holder);
  auto whole = std::ranges::find(payers, first, &PayerAmount::role);
  auto holder = whole == payers.end() ? std::size_t{0} : static_cast<std::size_t>(whole - payers.begin());
  take(holder, sound[holder].least, sound[holder].most);
  for (std::size_t i = 0; i < payers.size(); ++i) take(i, sound[i].least, sound[i].most);
  for (std::size_t i = 0; i < payers.size(); ++i) take(i, Cents{}, std::max(payers[i].gross, Cents{}));
  SCHAKEL_ASSERT(lacking == Cents{});
}

/// The parts nearest to `wanted` that take the least beyond `left`.
Parts fit_parts(const std::vector<PayerAmount>& payers, const Parts& wanted, const Parts& left,
                const std::vector<RatePart>& rates) {
  // Net of every rate, then VAT of every rate: only of net a payer may be asked for a cent.
  std::vector<FitRow> rows;
  std::vector<std::int64_t> columns;
  for (auto part : {&RatePart::net, &RatePart::vat})
    for (const auto& r : rates) columns.push_back((r.*part).value());
  for (std::size_t i = 0; i < payers.size(); ++i) {
    auto& row = rows.emplace_back();
    row.sum = payers[i].gross.value();
    for (auto part : {&RatePart::net, &RatePart::vat})
      for (std::size_t j = 0; j < rates.size(); ++j) {
        row.wanted.push_back((wanted[i][j].*part).value());
        row.left.push_back((left[i][j].*part).value());
      }
  }
  auto cells = fit(rows, std::move(columns), rates.size());
  Parts out;
  for (const auto& row : cells) {
    auto& mine = out.emplace_back();
    for (std::size_t j = 0; j < rates.size(); ++j)
      mine.push_back({rates[j].percent, rates[j].category, Cents{row[j]}, Cents{row[rates.size() + j]}});
  }
  return out;
}

/// Of a source that names no rate per line: in proportion, and no more of a rate than a payer has left of it.
std::optional<Parts> share_parts(const std::vector<PayerAmount>& payers, const LedgerEntry& credit,
                                 const LedgerEntry& invoice, const Parts& left, const std::vector<RatePart>& rates) {
  auto shared = share_rates(payers, credit.vat_rates);
  if (!shared) return {};
  Parts wanted;
  bool known = true;
  for (std::size_t i = 0; i < payers.size(); ++i) {
    auto mine = rates_of((*shared)[i]);
    auto& row = wanted.emplace_back();
    for (const auto& r : rates) row.push_back(of_rate(mine, r));
    const Issued& had = issued_to(invoice, payers[i].role);
    Cents gross, vat;
    for (const auto& r : rates_of(had.rates)) gross += r.net + r.vat, vat += r.vat;
    known = known && gross == had.gross && vat == had.vat;
  }
  if (!known) return wanted;
  auto fitted = fit_parts(payers, wanted, left, rates);
  return near_rates(fitted, rates) ? fitted : wanted;
}

}  // namespace

GivenBack give_back(const LedgerEntry& credit, const LedgerEntry& invoice, const Shares& after) {
  GivenBack out;
  for (const auto& p : after.payers) out.payers.push_back({p.role, issued_to(invoice, p.role).gross - p.gross, {}});
  give_vat(out.payers, credit, invoice, after);
  if (credit.vat_rates.empty()) return out;
  auto rates = rates_of(credit.vat_rates);
  Parts left, wanted;
  for (std::size_t i = 0; i < out.payers.size(); ++i) {
    auto had = rates_of(issued_to(invoice, out.payers[i].role).rates);
    auto &row = left.emplace_back(), &want = wanted.emplace_back();
    for (const auto& r : rates) {
      row.push_back(of_rate(had, r));
      want.push_back(row.back());
      if (after.rates.empty()) continue;
      auto stays = of_rate(after.rates[i], r);
      want.back().net -= stays.net, want.back().vat -= stays.vat;
    }
  }
  out.rates = after.rates.empty() ? share_parts(out.payers, credit, invoice, left, rates)
                                  : fit_parts(out.payers, wanted, left, rates);
  if (!out.rates) return out;
  for (std::size_t i = 0; i < out.payers.size(); ++i) {
    out.payers[i].vat = {};
    for (const auto& r : (*out.rates)[i]) out.payers[i].vat += r.vat;
  }
  return out;
}

}  // namespace schakel::invoicing
