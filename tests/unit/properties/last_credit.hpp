// What has to hold of credits on any invoice, rated or not (plugins/invoicing/give_back.hpp).
#pragma once
#include <gtest/gtest.h>

#include <algorithm>

#include "plugins/invoicing/documents.hpp"

namespace schakel::invoicing_test {

using namespace schakel::invoicing;

/// Without rates nobody has more VAT left than money, nor less than none, when the credit's VAT can be given back so.
inline void expect_sound_vat(const LedgerEntry& credit, const std::vector<Issued>& before,
                             const std::vector<Issued>& now, int round) {
  Cents least, most;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i].vat < Cents{} || before[i].vat > before[i].gross) return;
    Cents back = std::max(before[i].gross - now[i].gross, Cents{});
    least += std::clamp(before[i].vat - now[i].gross, Cents{}, back);
    most += std::min(before[i].vat, back);
  }
  if (credit.vat < least || credit.vat > most) return;
  for (const auto& issued : now) {
    ASSERT_GE(issued.vat, Cents{}) << round << ' ' << issued.role;
    ASSERT_LE(issued.vat, issued.gross) << round << ' ' << issued.role;
  }
}

/// A row of every payer in `rates`, which gets the rates that are new to it.
inline std::vector<RatePart> rates_left(const Issued& issued, std::vector<RatePart>& rates) {
  std::vector<RatePart> out;
  for (const auto& r : issued.rates) {
    RatePart part{r["percent"], r.value("category", ""), Cents{r["net_cents"].get<std::int64_t>()},
                  Cents{r["vat_cents"].get<std::int64_t>()}};
    auto same = [&](const RatePart& p) { return p.percent == part.percent && p.category == part.category; };
    auto at = static_cast<std::size_t>(std::ranges::find_if(rates, same) - rates.begin());
    if (at == rates.size()) rates.push_back({part.percent, part.category, {}, {}});
    out.resize(rates.size());
    rates[at].net += part.net, rates[at].vat += part.vat;
    out[at].net += part.net, out[at].vat += part.vat;
  }
  return out;
}

/// The credit of all that is left of an invoice, where what each payer has left is what a document can say: no part
/// below zero, no VAT without money and, of rates that are not those of lines, each near its rate. Else nothing.
inline std::optional<LedgerEntry> credit_of_all(const LedgerEntry& invoice, std::span<const LedgerEntry* const> sent) {
  LedgerEntry last;
  last.kind = "creditnota", last.number = "L", last.creditor_role = invoice.creditor_role;
  last.credits = invoice.number;
  bool rated = true;
  Cents of_lines;
  for (auto& l : lines_left(invoice, sent)) {
    if (l.cents == Cents{}) continue;
    of_lines += l.vat.value_or(Cents{});
    rated = rated && !l.percent.empty();
    last.lines.push_back(std::move(l));
  }
  bool sound = !last.lines.empty(), known = true;
  std::vector<RatePart> rates;
  std::vector<std::vector<RatePart>> rows;
  for (const auto& issued : invoice.issued) {
    last.vat += issued.vat;
    sound = sound && issued.vat >= Cents{} && issued.vat <= issued.gross;
    Cents gross, vat;
    for (const auto& part : rows.emplace_back(rates_left(issued, rates))) {
      sound = sound && part.net >= Cents{} && part.vat >= Cents{};
      gross += part.net + part.vat, vat += part.vat;
    }
    known = known && gross == issued.gross && vat == issued.vat;
  }
  for (auto& row : rows) row.resize(rates.size());
  if (!sound || (rated && (!known || of_lines != last.vat))) return {};
  if (!rated) {
    if (known && !near_rates(rows, rates)) return {};
    for (auto& l : last.lines) l.vat.reset(), l.percent.clear(), l.category.clear();
  }
  if (known) last.vat_rates = rates_json(rates);
  return last;
}

/// After it every row of every payer is at zero.
inline void expect_last(LedgerEntry invoice, std::span<const LedgerEntry* const> sent, const Switches& switches,
                        Numbering& numbering, int round) {
  auto last = credit_of_all(invoice, sent);
  if (!last) return;
  (void)write_credit(*last, invoice, sent, switches, 0, numbering);
  for (const auto& issued : invoice.issued) {
    ASSERT_EQ(issued.gross, Cents{}) << round << ' ' << issued.role;
    ASSERT_EQ(issued.vat, Cents{}) << round << ' ' << issued.role;
    for (const auto& r : issued.rates)
      ASSERT_TRUE(r["net_cents"] == 0 && r["vat_cents"] == 0) << round << ' ' << issued.role << r;
  }
}

}  // namespace schakel::invoicing_test
