// Random partial credits of the lines of an e-invoice, with VAT as providers compute it, until nothing is left: each is
// taken, none takes more than there is, and in the end every payer, every kind and every rate is at zero.
#include <random>

#include "core/formats/invoice_ubl.hpp"
#include "plugins/invoicing/documents.hpp"
#include "plugins/invoicing/gate.hpp"
#include "tests/unit/rules/invoicing_support.hpp"

namespace schakel::invoicing_test {
namespace {

using namespace schakel::invoicing;

/// A line as the provider has it, and what it did not credit yet.
struct ProviderLine {
  std::string kind;
  std::int64_t percent = 0, net = 0, left = 0;
};

struct Provider {
  std::mt19937_64 random;
  bool per_line = false;  ///< rounds the VAT of every line, else once per rate
  std::vector<ProviderLine> lines{};

  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n)); }

  void fill() {
    const char* kinds[] = {"zorg", "onderwijs", "grijs", "gecombineerd"};
    const std::int64_t percents[] = {21, 21, 9, 0};
    per_line = below(2) == 0;
    lines.clear();
    for (auto n = 1 + below(6); n > 0; --n) {
      auto net = 1 + (below(3) == 0 ? below(20) : below(2) == 0 ? below(30'000) : below(5'000'000));
      lines.push_back({kinds[below(4)], percents[below(4)], net, net});
    }
  }

  static std::int64_t rounded(std::int64_t net, std::int64_t percent) { return (net * percent + 50) / 100; }

  /// The document of these nets (0: not on it), its VAT per rate laid over the lines by cumulative rounding as the
  /// adapter does (adapters/zorgaanbieder/ubl_event.cpp). `most` is the VAT that there is of each rate.
  LedgerEntry document(const std::vector<std::int64_t>& nets, std::map<std::int64_t, std::int64_t>* most, bool last) {
    LedgerEntry e;
    e.creditor = "hoeve", e.creditor_role = "zorgaanbieder";
    for (std::int64_t percent : {21, 9, 0}) {
      std::int64_t total = 0, vat = 0, before = 0, given = 0;
      for (std::size_t i = 0; i < lines.size(); ++i)
        if (lines[i].percent == percent) total += nets[i], vat += per_line ? rounded(nets[i], percent) : 0;
      if (!per_line) vat = rounded(total, percent);
      // What is left of a rate is never more than what is credited of it; the last credit takes exactly that.
      if (most) {
        std::int64_t all = 0;
        for (const auto& l : lines) all += l.percent == percent ? l.left : 0;
        vat = last || total == all ? (*most)[percent] : std::min(vat, (*most)[percent]);
        (*most)[percent] -= vat;
      }
      if (total == 0) continue;
      for (std::size_t i = 0; i < lines.size(); ++i) {
        if (lines[i].percent != percent || nets[i] == 0) continue;
        before += nets[i];
        auto now = proportion_floor(Cents{vat}, before, total)->value();
        LedgerLine line{lines[i].kind, Cents{nets[i] + now - given}};
        line.vat = Cents{now - given};
        line.percent = std::to_string(percent), line.category = percent ? "S" : "E";
        given = now;
        e.lines.push_back(std::move(line));
      }
      e.vat += Cents{vat};
      e.vat_rates.push_back({{"percent", std::to_string(percent)},
                             {"category", percent ? "S" : "E"},
                             {"net_cents", total},
                             {"vat_cents", vat}});
    }
    return e;
  }
};

/// A document of the broker as a receiver gets it.
void expect_valid(const InvoiceOut& doc, const char* treatment, int round) {
  static const formats::InvoiceSettings settings{Json::object()};
  Json party{
      {"name", "Partij"},    {"kvk", "90000002"},     {"iban", "NL19TEST0001000001"},  {"street", "Fictiestraat 1"},
      {"city", "Zandoever"}, {"postcode", "1001 XX"}, {"vat_number", "NL123456789B01"}};
  Json body{{"number", doc.number},
            {"amount_cents", doc.amount_cents},
            {"vat_cents", doc.vat_cents.value_or(0)},
            {"issued", "2026-10-05"},
            {"credits", doc.credits},
            {"lines", doc.lines},
            {"vat_rates", doc.vat_rates},
            {"vat_treatment", treatment},
            {"seller", party},
            {"buyer", party}};
  auto ubl = formats::to_ubl(body, "OZA-1", settings);
  ASSERT_TRUE(ubl) << round << ' ' << doc.number << ' ' << ubl.error().code << body.dump();
  ASSERT_EQ(ubl->payable.value() * (ubl->credit_note ? -1 : 1), doc.amount_cents) << round;
  for (const auto& f : formats::check_ubl(*ubl)) ADD_FAILURE() << round << ' ' << doc.number << ' ' << f.rule;
}

struct CreditedInvoice {
  Ledger ledger;
  Switches switches;
  Numbering numbering;
  LedgerEntry& invoice() { return ledger.entries.front(); }

  [[nodiscard]] bool taken(const LedgerEntry& credit) { return !exceeds(credit, invoice(), ledger); }

  Written send(LedgerEntry credit) {
    auto credited = invoice();
    auto out = write_credit(credit, credited, ledger.sent_credits(invoice()), switches, 0, numbering);
    invoice() = std::move(credited);
    ledger.entries.push_back(std::move(credit));
    return out;
  }
};

void one_invoice(Provider& provider, int round) {
  provider.fill();
  std::vector<std::int64_t> nets;
  for (const auto& l : provider.lines) nets.push_back(l.net);
  CreditedInvoice all;
  LedgerEntry made = provider.document(nets, nullptr, false);
  made.kind = "factuur", made.number = "F";
  all.switches.grey_split = true;
  MoneyState state;
  state.agreed = state.any_line = true;
  std::vector<PayerShare> three{{"gemeente", 3333}, {"schoolbestuur", 3334}, {"swv", 3333}};
  state.funding = {{"zorg", {}, {}}, {"grijs", {}, {}}, {"onderwijs", {{"swv", 10000}}, {}}};
  if (provider.below(2)) state.funding.push_back({"", three, {}});
  plan(made, state, all.switches, provider.below(2) ? OddCent::gemeente : OddCent::swv);
  (void)write_invoice(made, all.switches, 0, all.numbering);
  all.ledger.put(made);
  std::map<std::int64_t, std::int64_t> vat_left;
  for (const auto& r : made.vat_rates)
    vat_left[std::stoll(r["percent"].get<std::string>())] = r["vat_cents"].get<std::int64_t>();
  const char* treatment = provider.below(2) ? "S" : "O";

  for (int n = 0;; ++n) {
    bool last = n == 6 || provider.below(4) == 0;
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < nets.size(); ++i) {
      auto& l = provider.lines[i];
      nets[i] = last || provider.below(3) == 0 ? l.left : provider.below(2) ? 0 : provider.below(l.left + 1);
      sum += nets[i];
    }
    if (sum == 0) continue;
    auto before = vat_left;
    auto credit = provider.document(nets, &vat_left, last);
    credit.kind = "creditnota", credit.number = "C" + std::to_string(n), credit.credits = "F";
    ASSERT_TRUE(all.taken(credit)) << round << " credit " << n << ' ' << Json(all.invoice()).dump()
                                   << Json(credit).dump();
    // A cent more of any rate, or of the net of any line that it takes whole, is more than there is.
    auto& planted = credit.lines[static_cast<std::size_t>(provider.below(std::ssize(credit.lines)))];
    auto rate = std::stoll(planted.percent);
    auto more = credit;
    auto& line = more.lines[static_cast<std::size_t>(&planted - credit.lines.data())];
    auto beyond = vat_left[rate] + 1;
    line.cents += Cents{beyond}, *line.vat += Cents{beyond};
    ASSERT_FALSE(all.taken(more)) << round << " VAT of " << rate;
    if (last) {
      more = credit;
      more.lines.front().cents += Cents{1};
      ASSERT_FALSE(all.taken(more)) << round << " net";
    }
    auto out = all.send(credit);
    std::int64_t gross = 0;
    for (const auto& doc : out.invoices) {
      if (doc.number != credit.number) ASSERT_NO_FATAL_FAILURE(expect_valid(doc, treatment, round));
      std::int64_t lines = 0;
      for (const auto& l : doc.lines) lines += l["share_cents"].get<std::int64_t>();
      ASSERT_EQ(lines, doc.amount_cents) << round << ' ' << doc.number;
    }
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> borne;
    for (const auto& issued : all.invoice().issued) {
      gross += issued.gross.value();
      ASSERT_GE(issued.gross, Cents{}) << round;
      for (const auto& r : issued.rates)
        borne[r["percent"]].first += r["net_cents"].get<std::int64_t>(),
            borne[r["percent"]].second += r["vat_cents"].get<std::int64_t>();
    }
    std::int64_t left = 0;
    for (std::size_t i = 0; i < nets.size(); ++i) provider.lines[i].left -= nets[i];
    for (std::int64_t percent : {21, 9, 0}) {
      std::int64_t net = 0;
      for (const auto& l : provider.lines) net += l.percent == percent ? l.left : 0;
      left += net + vat_left[percent];
      auto now = borne[std::to_string(percent)];
      ASSERT_EQ(now.first, net) << round << " rate " << percent;
      ASSERT_EQ(now.second, vat_left[percent]) << round << " rate " << percent;
    }
    ASSERT_EQ(gross, left) << round;
    if (left == 0) break;
  }
  for (const auto& issued : all.invoice().issued) {
    ASSERT_EQ(issued.gross, Cents{}) << round << ' ' << issued.role;
    // Every rate is at zero over its payers (above); of one payer net and VAT of a rate may be cents off against
    // another rate or payer, as no credit note asks for a cent of one of them.
    ASSERT_LE(std::abs(issued.vat.value()), 3) << round << ' ' << issued.role;
    for (const auto& r : issued.rates) {
      ASSERT_LE(std::abs(r["net_cents"].get<std::int64_t>()), 3) << round << ' ' << issued.role << r;
      ASSERT_LE(std::abs(r["vat_cents"].get<std::int64_t>()), 3) << round << ' ' << issued.role << r;
    }
  }
  for (const auto& l : lines_left(all.invoice(), all.ledger.sent_credits(all.invoice())))
    ASSERT_TRUE(l.cents == Cents{} && *l.vat == Cents{}) << round << ' ' << l.kind;
}

TEST(MoneyProperty, CreditsOfLinesAreTakenUntilNothingIsLeftOfAnyPayerKindOrRate) {
  const char* rounds = std::getenv("SCHAKEL_MONEY_ROUNDS");
  Provider provider{std::mt19937_64(20261123)};
  for (int round = 0, n = rounds ? std::atoi(rounds) : 20'000; round < n; ++round)
    ASSERT_NO_FATAL_FAILURE(one_invoice(provider, round));
}

}  // namespace
}  // namespace schakel::invoicing_test
