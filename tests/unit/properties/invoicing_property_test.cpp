// Random invoices, credits and agreements: nothing is lost, nobody's share is negative, credits equal a recomputation.
#include <iostream>
#include <random>

#include "core/formats/invoice_ubl.hpp"
#include "plugins/invoicing/documents.hpp"
#include "tests/unit/properties/last_credit.hpp"
#include "tests/unit/rules/invoicing_support.hpp"

namespace schakel::invoicing_test {
namespace {

using namespace schakel::invoicing;

struct World {
  std::mt19937_64 random;
  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n)); }

  Switches switches() {
    Switches s;
    s.flow = below(8) == 0 ? Flow::offering_party : below(4) == 0 ? Flow::ordering_parties : Flow::contract_holder;
    s.grey_split = below(2) == 0;
    s.grey_swv_bp = below(3) ? 5000 : static_cast<std::uint32_t>(below(10001));
    s.combined_education_bp = below(3) ? 5000 : static_cast<std::uint32_t>(below(10001));
    return s;
  }

  std::vector<PayerShare> shares() {
    std::uint32_t a = static_cast<std::uint32_t>(below(10001)), b = static_cast<std::uint32_t>(below(10001 - a));
    std::vector<PayerShare> out;
    for (auto [role, bp] :
         {std::pair<std::string, std::uint32_t>{"gemeente", a}, {"schoolbestuur", b}, {"swv", 10000 - a - b}})
      if (bp > 0) out.push_back({role, bp});
    return out;
  }

  MoneyState state() {
    MoneyState s;
    s.agreed = true;
    const char* kinds[] = {"", "zorg", "onderwijs", "grijs"};
    for (auto n = below(4); n > 0; --n) {
      s.any_line = true;
      FundingLine line{kinds[below(4)], {}, {}};
      if (below(4)) line.shares = below(2) ? shares() : std::vector<PayerShare>{{"swv", 10000}};
      s.funding.push_back(line);
    }
    const char* holders[] = {"", "gemeente", "schoolbestuur", "swv"};
    s.contract_holder = holders[below(4)];
    s.education_payer = below(2) ? "swv" : "schoolbestuur";
    s.offered_by = below(2) ? "swv" : "wijkteam";
    return s;
  }

  LedgerEntry invoice() {
    LedgerEntry e;
    bool declared = below(5) == 0;
    e.kind = declared ? "declaratie" : "factuur";
    e.creditor_role = declared ? "schoolbestuur" : "zorgaanbieder";
    e.number = "A";
    const char* kinds[] = {"zorg", "onderwijs", "grijs", "gecombineerd"};
    for (auto n = 1 + below(5); n > 0; --n)
      e.lines.push_back({kinds[below(4)], Cents{below(3)   ? below(20)
                                                : below(2) ? below(500'000)
                                                           : below(1'000'000'000'000)}});
    auto total = e.total().value();
    e.vat = Cents{below(2) ? 0 : below(2) ? total * 21 / 121 : below(total + 1)};
    if (below(2)) e.minutes = below(3) ? below(1000) : 1;
    if (below(2))
      rate_lines(e);
    else if (e.vat > Cents{} && below(2))
      e.vat_rates = rates(total - e.vat.value(), e.vat.value());
    return e;
  }

  static std::int64_t vat_of(std::int64_t gross, const std::string& percent) {
    std::int64_t p = std::stoi(percent);
    return (gross * p + (100 + p) / 2) / (100 + p);
  }

  /// Each line its own rate, as a UBL has it: VAT of the line, rounded.
  void rate_lines(LedgerEntry& e) {
    const char* percents[] = {"0", "9", "21"};
    bool categories = below(2) == 0;
    e.vat = {};
    for (auto& l : e.lines) {
      l.percent = percents[below(3)];
      if (categories) l.category = l.percent != "0" ? "S" : below(3) ? "E" : "Z";
      l.vat = Cents{vat_of(l.cents.value(), l.percent)};
      e.vat += *l.vat;
    }
    e.vat_rates = sums(e);
  }

  static Json sums(const LedgerEntry& e) {
    Json out = Json::array();
    for (const auto& l : e.lines) {
      auto same = std::ranges::find_if(
          out, [&](const Json& r) { return r["percent"] == l.percent && r.value("category", "") == l.category; });
      if (same == out.end()) {
        out.push_back({{"percent", l.percent}, {"net_cents", 0}, {"vat_cents", 0}});
        if (!l.category.empty()) out.back()["category"] = l.category;
        same = out.end() - 1;
      }
      (*same)["net_cents"] = (*same)["net_cents"].get<std::int64_t>() + (l.cents - *l.vat).value();
      (*same)["vat_cents"] = (*same)["vat_cents"].get<std::int64_t>() + l.vat->value();
    }
    return out;
  }

  /// Every rate that there is, in any mix: the parts add up to net and VAT.
  Json rates(std::int64_t net, std::int64_t vat) {
    Json out = Json::array();
    std::int64_t n = below(net + 1), v = below(vat + 1), zero = below(3) == 0 ? below(n + 1) : 0;
    out.push_back({{"percent", "21"}, {"net_cents", net - n}, {"vat_cents", vat - v}});
    out.push_back({{"percent", "9"}, {"net_cents", n - zero}, {"vat_cents", v}});
    if (zero > 0) out.push_back({{"percent", "0"}, {"net_cents", zero}, {"vat_cents", 0}});
    return out;
  }

  /// A credit within what is left of every kind.
  LedgerEntry credit(const LedgerEntry& invoice, const std::vector<LedgerLine>& left, Cents vat) {
    LedgerEntry c;
    c.kind = "creditnota";
    c.creditor_role = invoice.creditor_role;
    c.number = "C";
    c.credits = invoice.number;
    for (const auto& line : left)
      if (line.cents > Cents{} && below(2))
        c.lines.push_back({line.kind,
                           below(8) ? Cents{below(2) ? 1 : 1 + below(line.cents.value())} : line.cents,
                           {},
                           {},
                           {},
                           line.percent,
                           line.category});
    if (c.lines.empty())
      for (const auto& line : left)
        if (line.cents > Cents{}) {
          c.lines.push_back({line.kind, line.cents, {}, {}, {}, line.percent, line.category});
          break;
        }
    auto total = c.total().value();
    if (!left[0].percent.empty()) {
      // A credit of rated lines names their rates; now and then its VAT is rounded another way than that of the
      // invoice.
      for (auto& l : c.lines) {
        auto of = std::ranges::find_if(left, [&](const LedgerLine& o) {
          return o.kind == l.kind && o.percent == l.percent && o.category == l.category;
        });
        auto exact = vat_of(l.cents.value(), l.percent), there = of->vat.value_or(Cents{}).value();
        bool all = l.cents == of->cents;
        l.vat = Cents{all ? std::min(there, l.cents.value()) : std::min(exact, below(4) ? there : exact)};
        c.vat += *l.vat;
      }
      c.vat_rates = sums(c);
      return c;
    }
    c.vat = Cents{below(3) ? std::min(vat.value(), total * 21 / 121) : below(std::min(vat.value(), total) + 1)};
    if (c.vat > Cents{} && below(2)) c.vat_rates = rates(total - c.vat.value(), c.vat.value());
    return c;
  }
};

using ByRate = std::map<std::string, std::pair<std::int64_t, std::int64_t>>;
ByRate by_rate(const Json& rates) {
  ByRate out;
  for (const auto& r : rates) {
    auto& part = out[r.value("category", "") + r["percent"].get<std::string>()];
    part.first += r["net_cents"].get<std::int64_t>(), part.second += r["vat_cents"].get<std::int64_t>();
  }
  return out;
}

/// Of an invoice with rated lines: each payer has the rates of exactly the lines that it pays, to some cents of
/// rounding, and to the cent where it pays all or nothing of every line.
void expect_own_rates(const LedgerEntry& invoice, const Shares& shares, int round) {
  for (const auto& issued : invoice.issued) {
    std::map<std::string, std::pair<double, double>> exact;
    bool whole = true;
    for (const auto& g : shares.groups) {
      auto mine = std::ranges::find(g.payers, issued.role, &PayerAmount::role);
      if (mine == g.payers.end() || mine->gross == Cents{}) continue;
      whole = whole && mine->gross == g.cents;
      double part = static_cast<double>(mine->gross.value()) / static_cast<double>(g.cents.value());
      for (const auto& l : invoice.lines) {
        if (std::ranges::find(g.group->kinds, l.kind) == g.group->kinds.end()) continue;
        auto& sum = exact[l.category + l.percent];
        sum.first += part * static_cast<double>((l.cents - *l.vat).value());
        sum.second += part * static_cast<double>(l.vat->value());
      }
    }
    auto got = by_rate(issued.rates);
    for (const auto& [rate, part] : got)
      ASSERT_TRUE(exact.contains(rate)) << round << ' ' << issued.role << " has no line of rate " << rate;
    for (const auto& [rate, part] : exact) {
      // A share of some cents of a large amount is not exactly that part of its VAT.
      double slack = whole ? 0.001 : 4.0;
      ASSERT_NEAR(static_cast<double>(got[rate].first), part.first, slack)
          << round << ' ' << issued.role << ' ' << rate;
      ASSERT_NEAR(static_cast<double>(got[rate].second), part.second, slack)
          << round << ' ' << issued.role << ' ' << rate;
    }
  }
}

/// Net and VAT of every rate: what the payers bear together is what the source charged, and each document is the sum of
/// its rates.
void expect_rates(const Written& w, const LedgerEntry& source, const LedgerEntry& invoice, const ByRate& left,
                  int round) {
  for (const auto& doc : w.invoices) {
    if (doc.vat_rates.empty()) continue;
    std::int64_t net = 0, vat = 0, sign = doc.amount_cents < 0 ? -1 : 1;
    for (const auto& r : doc.vat_rates) {
      net += r["net_cents"].get<std::int64_t>(), vat += r["vat_cents"].get<std::int64_t>();
      ASSERT_GE(r["net_cents"].get<std::int64_t>() * sign, 0) << round << ' ' << doc.number;
      ASSERT_GE(r["vat_cents"].get<std::int64_t>() * sign, 0) << round << ' ' << doc.number;
    }
    ASSERT_EQ(vat, doc.vat_cents.value_or(0)) << round << ' ' << doc.number;
    ASSERT_EQ(net + vat, doc.amount_cents) << round << ' ' << doc.number;
  }
  bool rated = !source.lines[0].percent.empty() && !invoice.lines[0].percent.empty();
  if (rated)
    for (const auto& doc : w.invoices) {
      ASSERT_FALSE(doc.amount_cents != 0 && doc.vat_rates.empty()) << round << ' ' << doc.number;
      for (const auto& r : doc.vat_rates) {
        // On the nose: the cents of rounding lines, shares and credits, not the euro that a validator allows.
        auto net = r["net_cents"].get<std::int64_t>(), vat = r["vat_cents"].get<std::int64_t>();
        auto off = std::abs(vat * 100 - net * std::stoi(r["percent"].get<std::string>()));
        ASSERT_LE(off, 1500) << round << ' ' << doc.number << ' ' << r;
      }
    }
  if (!rated && (source.is_credit() || source.vat_rates.empty())) return;
  ByRate shared;
  for (const auto& issued : invoice.issued)
    for (const auto& [percent, part] : by_rate(issued.rates))
      shared[percent].first += part.first, shared[percent].second += part.second;
  for (const auto& [percent, part] : left) ASSERT_EQ(shared[percent], part) << round << " rate " << percent;
}

/// Of everything that left: who re-invoices gets in what it pays out, for gross, VAT and net alike.
void expect_whole(const Written& w, const LedgerEntry& source, const LedgerEntry& invoice,
                  std::span<const PayerAmount> amounts, int round) {
  std::int64_t sign = source.is_credit() ? -1 : 1;
  std::int64_t gross = 0, vat = 0;
  for (const auto& a : amounts) gross += a.gross.value(), vat += a.vat.value();
  ASSERT_EQ(gross, source.total().value() * sign) << round;
  ASSERT_EQ(vat, source.vat.value() * sign) << round;
  for (const auto& doc : w.invoices) {
    std::int64_t lines = 0;
    for (const auto& l : doc.lines) lines += l["share_cents"].get<std::int64_t>();
    ASSERT_EQ(lines, doc.amount_cents) << round << ' ' << doc.number;
    if (doc.vat_cents) {
      ASSERT_EQ(*doc.vat_cents + *doc.net_cents, doc.amount_cents);
    }
    bool whole = doc.number == source.number;
    auto mine = std::ranges::find(amounts, doc.payer, &PayerAmount::role);
    ASSERT_NE(mine, amounts.end());
    ASSERT_EQ(doc.amount_cents, whole ? source.total().value() * sign : mine->gross.value())
        << round << ' ' << doc.number;
  }
  if (source.total() == Cents{}) {
    ASSERT_TRUE(w.invoices.empty()) << round << " of nothing no document is made";
    return;
  }
  if (invoice.holder.empty() || invoice.creditor_role == invoice.holder) return;
  auto forwarded = std::ranges::find(w.invoices, source.number, &InvoiceOut::number);
  ASSERT_NE(forwarded, w.invoices.end()) << "the holder gets the whole invoice";
  ASSERT_EQ(forwarded->payer, invoice.holder);
}

/// Whatever the arithmetic makes, an e-invoice can say it, and says the same amount.
/// As the channel says it: O, E and S of the agreement for what is made, the VAT of the source for what is passed on.
void expect_sendable(const Written& w, const LedgerEntry& source, const char* treatment, int round) {
  static const formats::InvoiceSettings settings{Json::object()};
  auto party = [](const char* name, const char* kvk) {
    return Json{{"name", name},
                {"kvk", kvk},
                {"iban", "NL19TEST0001000001"},
                {"street", "Fictiestraat 1"},
                {"city", "Zandoever"},
                {"postcode", "1001 XX"},
                {"vat_number", "NL123456789B01"},
                {"vat_category", "O"}};
  };
  for (const auto& doc : w.invoices) {
    // Only rated lines have VAT that is that of their rate; what a channel refuses of others is tested elsewhere.
    bool own = doc.number == source.number && !doc.vat_rates.empty() && doc.amount_cents != 0;
    if (source.lines[0].percent.empty() && (own || treatment[0] == 'S')) continue;
    Json body{{"number", doc.number},
              {"kind", doc.kind},
              {"amount_cents", doc.amount_cents},
              {"vat_cents", doc.vat_cents.value_or(0)},
              {"issued", "2026-10-05"},
              {"credits", doc.credits},
              {"source_number", doc.source_number},
              {"lines", doc.lines},
              {"vat_rates", doc.vat_rates},
              {"vat_treatment", treatment},
              {"vat_of_source", own},
              {"seller", party("Verkoper", "90000002")},
              {"buyer", party("Koper", "90000004")}};
    auto ubl = formats::to_ubl(body, "OZA-1", settings);
    ASSERT_TRUE(ubl) << round << ' ' << doc.number << ' ' << doc.kind << ' ' << doc.amount_cents << ' '
                     << ubl.error().code;
    ASSERT_EQ(ubl->payable.value() * (ubl->credit_note ? -1 : 1), doc.amount_cents) << round;
    body["lines"] = Json::array();
    ASSERT_EQ(formats::stated_amounts(formats::to_ubl(body, "OZA-1", settings).value()), formats::stated_amounts(*ubl))
        << round << " what it says of its lines changes no amount";
    for (const auto& f : formats::check_ubl(*ubl)) ADD_FAILURE() << round << ' ' << doc.number << ' ' << f.rule;
    // What it says per rate is what was decided.
    bool rated =
        std::ranges::any_of(doc.vat_rates, [](const Json& r) { return r["percent"] != "0" && r["net_cents"] != 0; });
    bool taxed = own || (treatment[0] == 'S' && (doc.vat_cents.value_or(0) != 0 || rated));
    if (!taxed) {
      ASSERT_EQ(ubl->tax_total, Cents{}) << round;
      continue;
    }
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> says, decided;
    for (const auto& t : ubl->taxes)
      says[t.percent->text()].first += t.taxable.value(), says[t.percent->text()].second += t.tax.value();
    for (const auto& r : doc.vat_rates) {
      auto& part = decided[r["percent"].get<std::string>()];
      part.first += std::abs(r["net_cents"].get<std::int64_t>());
      part.second += std::abs(r["vat_cents"].get<std::int64_t>());
    }
    std::erase_if(says, [](const auto& row) { return row.second == std::pair<std::int64_t, std::int64_t>{}; });
    std::erase_if(decided, [](const auto& row) { return row.second == std::pair<std::int64_t, std::int64_t>{}; });
    ASSERT_EQ(says, decided) << round << ' ' << doc.number;
  }
}

void run(int rounds, std::uint64_t seed) {
  World world{std::mt19937_64(seed)};
  constexpr const char* treatments[] = {"O", "E", "S"};
  for (int round = 0; round < rounds; ++round) {
    // The long form takes minutes: it says how far it is.
    if (round > 0 && round % 500'000 == 0)
      std::cerr << round << " of " << rounds << " invoices, no cent lost" << std::endl;
    Switches switches = world.switches();
    LedgerEntry invoice = world.invoice();
    plan(invoice, world.state(), switches, world.below(2) ? OddCent::gemeente : OddCent::swv);
    Numbering numbering;
    auto written = write_invoice(invoice, switches, 0, numbering);
    ByRate rates_left = by_rate(invoice.vat_rates);
    const char* treatment = treatments[world.below(3)];
    ASSERT_NO_FATAL_FAILURE(expect_rates(written, invoice, invoice, rates_left, round));
    if (round % 10 == 0) ASSERT_NO_FATAL_FAILURE(expect_sendable(written, invoice, treatment, round));
    Shares shares = share(invoice, invoice.lines, invoice.vat);
    if (!invoice.lines[0].percent.empty()) ASSERT_NO_FATAL_FAILURE(expect_own_rates(invoice, shares, round));
    ASSERT_NO_FATAL_FAILURE(expect_whole(written, invoice, invoice, shares.payers, round));
    for (const auto& p : shares.payers) {
      ASSERT_GE(p.gross, Cents{}) << round;
      ASSERT_GE(p.vat, Cents{}) << round;
      ASSERT_LE(p.vat, p.gross) << round;
    }
    for (const auto& g : shares.groups) {
      Cents gross, vat;
      for (const auto& p : g.payers) gross += p.gross, vat += p.vat;
      ASSERT_EQ(gross, g.cents) << round;
      ASSERT_EQ(vat, g.vat) << round;
    }
    std::vector<LedgerEntry> credits;
    credits.reserve(4);
    for (int n = static_cast<int>(world.below(4)); n > 0; --n) {
      std::vector<const LedgerEntry*> sent;
      for (const auto& c : credits) sent.push_back(&c);
      auto left = lines_left(invoice, sent);
      if (std::ranges::all_of(left, [](const LedgerLine& l) { return l.cents == Cents{}; })) break;
      LedgerEntry credit = world.credit(invoice, left, vat_left(invoice, sent));
      auto before = invoice.issued;
      auto out = write_credit(credit, invoice, sent, switches, 0, numbering);
      for (const auto& [rate, part] : by_rate(credit.vat_rates))
        rates_left[rate].first -= part.first, rates_left[rate].second -= part.second;
      ASSERT_NO_FATAL_FAILURE(expect_rates(out, credit, invoice, rates_left, round));
      ASSERT_NO_FATAL_FAILURE(expect_sendable(out, credit, treatment, round));
      if (credit.vat_rates.empty()) ASSERT_NO_FATAL_FAILURE(expect_sound_vat(credit, before, invoice.issued, round));
      std::vector<PayerAmount> delta;
      for (std::size_t i = 0; i < before.size(); ++i)
        delta.push_back(
            {before[i].role, invoice.issued[i].gross - before[i].gross, invoice.issued[i].vat - before[i].vat});
      ASSERT_NO_FATAL_FAILURE(expect_whole(out, credit, invoice, delta, round));
      credits.push_back(credit);
      sent.clear();
      for (const auto& c : credits) sent.push_back(&c);
      Shares again = share(invoice, lines_left(invoice, sent), vat_left(invoice, sent));
      for (const auto& issued : invoice.issued)
        ASSERT_EQ(issued.gross, again.of(issued.role).gross) << "credit equals recomputation, round " << round;
      ASSERT_NO_FATAL_FAILURE(expect_last(invoice, sent, switches, numbering, round));
    }
  }
}

TEST(MoneyProperty, PartsAddUpNothingIsNegativeAndCreditsEqualARecomputation) {
  // SCHAKEL_MONEY_ROUNDS=10000000 for the long form.
  const char* rounds = std::getenv("SCHAKEL_MONEY_ROUNDS");
  run(rounds ? std::atoi(rounds) : 50'000, 20261122);
}

}  // namespace
}  // namespace schakel::invoicing_test
