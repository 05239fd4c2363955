#include "plugins/invoicing/documents.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/base/json_object.hpp"

namespace schakel::invoicing {
namespace {

std::string_view kind_name(std::string_view kind) {
  if (kind == "zorg") return "Zorg";
  if (kind == "onderwijs") return "Onderwijs";
  if (kind == "grijs") return "Grijs gebied van onderwijs en zorg";
  return "Gecombineerde begeleiding onderwijs en zorg";
}

std::string_view payer_name(std::string_view payer) {
  return payer == "swv" ? "samenwerkingsverband" : payer == "schoolbestuur" ? "schoolbestuur" : "gemeente";
}

std::string dutch_date(Date d) {
  static constexpr std::array months{"januari", "februari", "maart",     "april",   "mei",      "juni",
                                     "juli",    "augustus", "september", "oktober", "november", "december"};
  return fmt::format("{} {} {}", d.day(), months[static_cast<std::size_t>(d.month() - 1)], d.year());
}

std::string dutch_period(const LedgerEntry& entry) {
  auto period = period_of(entry);
  if (!period) return "";
  if (period->from.day() == 1 && period->to == add_days(add_months(period->from, 1), -1))
    return ", " + dutch_date(period->from).substr(2);
  return fmt::format(", {} tot en met {}", dutch_date(period->from), dutch_date(period->to));
}

/// A credit note has no line that asks for money: a cent that rounding asks back in one group is taken off what goes
/// back in another. The sum stays.
void take_off_positive_lines(Json& lines) {
  auto cents_of = [](const Json& line) { return line["share_cents"].get<std::int64_t>(); };
  std::int64_t total = 0;
  for (const auto& line : lines) total += cents_of(line);
  if (total > 0) return;  // it is an invoice
  for (auto& line : lines) {
    std::int64_t rest = cents_of(line);
    if (rest <= 0) continue;
    line["share_cents"] = 0;
    while (rest > 0) {
      auto most = std::min_element(lines.begin(), lines.end(),
                                   [&](const Json& a, const Json& b) { return cents_of(a) < cents_of(b); });
      if (cents_of(*most) >= 0) return;
      std::int64_t part = std::min(rest, -cents_of(*most));
      (*most)["share_cents"] = cents_of(*most) + part;
      rest -= part;
    }
  }
}

/// One payer's lines: those in whose group it has a part. `sign` is -1 on a credit note. No text of the source is
/// passed on: an invoice to a mailbox carries no personal data (CORE-RET-03, Q-47).
Json lines_for(std::string_view payer, const LedgerEntry& source, const LedgerEntry& period_of,
               const std::vector<GroupAmounts>& groups, const std::vector<std::vector<PayerAmount>>& amounts,
               std::int64_t sign) {
  Json out = Json::array();
  out.get_ref<Json::array_t&>().reserve(source.lines.size());
  const std::string period = dutch_period(period_of);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const auto& group = *groups[g].group;
    auto mine = std::ranges::find(amounts[g], payer, &PayerAmount::role);
    if (mine == amounts[g].end()) continue;
    std::vector<const LedgerLine*> lines;
    std::vector<Cents> cents;
    lines.reserve(source.lines.size()), cents.reserve(source.lines.size());
    for (const auto& line : source.lines)
      if (std::ranges::find(group.kinds, line.kind) != group.kinds.end())
        lines.push_back(&line), cents.push_back(line.cents);
    Cents total = sign < 0 ? -mine->gross : mine->gross;
    // A cent of VAT that a credit takes beyond its own lines (shares.cpp): no line of it is of this group.
    LedgerLine rounding{group.kinds.front(), total};
    if (lines.empty() && total != Cents{}) lines.push_back(&rounding), cents.push_back(total);
    auto shares =
        group.method == ShareGroup::Method::half && sign > 0
            ? (payer == "swv" ? swv_half_of_lines(cents, group.odd) : gemeente_half_of_lines(cents, group.odd))
            : lay_on_lines(total, cents);
    std::string rest = period;
    if (group.method != ShareGroup::Method::whole) rest += fmt::format(": aandeel {}", payer_name(payer));
    rest += fmt::format(", {} {}", source.is_credit() ? "creditnota" : source.kind, source.number);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      auto name = kind_name(lines[i]->kind);
      std::string text;
      text.reserve(name.size() + rest.size());
      text.append(name).append(rest);
      out.push_back(json_object("cents", lines[i]->cents.value() * sign, "description", std::move(text), "kind",
                                lines[i]->kind, "share_cents", shares[i].value() * sign));
    }
  }
  if (sign < 0) take_off_positive_lines(out);
  return out;
}

Json source_lines(const LedgerEntry& source, const LedgerEntry& period_of, std::int64_t sign) {
  Json out = Json::array();
  out.get_ref<Json::array_t&>().reserve(source.lines.size());
  const std::string period = dutch_period(period_of);
  for (const auto& line : source.lines) {
    std::string text(kind_name(line.kind));
    text += period;
    out.push_back(json_object("cents", line.cents.value() * sign, "description", std::move(text), "kind", line.kind,
                              "share_cents", line.cents.value() * sign));
  }
  return out;
}

/// Number and kind of a re-invoice (domain.md 9.2, number scheme).
std::pair<std::string, std::string> name_reinvoice(const LedgerEntry& source, std::string_view holder,
                                                   std::string_view payer) {
  if (source.is_credit())
    return {"CN-" + source.number + (payer == "schoolbestuur" ? "-SB" : payer == "gemeente" ? "-G" : ""), "creditnota"};
  if (holder == "schoolbestuur")
    return payer == "gemeente" ? std::pair{"FG-" + source.number, std::string("factuur")}
                               : std::pair{"DE-" + source.number, std::string("declaratie")};
  return {"DB-" + source.number +
              (payer == "schoolbestuur" ? "-SB"
               : payer == "gemeente"    ? "-G"
                                        : ""),
          "doorbelasting"};
}

struct Writer {
  const LedgerEntry& source;   ///< what came in
  const LedgerEntry& invoice;  ///< the invoice itself, or the one a credit takes from
  const Switches& switches;
  std::int64_t released_by;
  const Shares& now;                               ///< shares after it; its groups carry the order of the lines
  std::vector<PayerAmount> amounts;                ///< what each payer gets, negative on a credit
  std::vector<std::vector<PayerAmount>> by_group;  ///< the same, per group
  Numbering& numbering;
  std::map<std::string, Json> rates{};  ///< by payer, as positive amounts; empty without rates
  Written out{};

  [[nodiscard]] bool credit() const { return source.is_credit(); }
  [[nodiscard]] std::int64_t sign() const { return credit() ? -1 : 1; }

  InvoiceOut document(std::string number, std::string kind, std::string_view payer, std::string_view payee, Cents gross,
                      Cents vat) const {
    InvoiceOut doc;
    doc.number = std::move(number);
    doc.kind = std::move(kind);
    // Rounding may give a payer a cent more after a credit than before it (CORE-MONEY-04): then the amount is positive,
    // and what is written is an invoice of that cent (core/formats/invoice_ubl.hpp), since a credit note cannot ask for
    // money.
    doc.payer = payer;
    doc.payee = payee;
    if (auto it = switches.addresses.find(doc.payer); it != switches.addresses.end()) doc.address = it->second;
    doc.amount_cents = gross.value();
    // VAT is passed through as charged, never made (CORE-MONEY-05).
    if (source.vat > Cents{}) doc.vat_cents = vat.value(), doc.net_cents = (gross - vat).value();
    doc.released_by = released_by;
    doc.source_number = source.number;
    doc.source_message = source.message;
    doc.vat_treatment = treatment_for(invoice, payer);
    if (payee == source.creditor_role) doc.payee_party = source.party;
    doc.period_from = invoice.period_from;
    doc.period_to = invoice.period_to;
    return doc;
  }

  /// Rates as a document of this sign says them.
  [[nodiscard]] Json signed_rates(Json parts) const {
    if (credit())
      for (auto& r : parts)
        r["net_cents"] = -r["net_cents"].get<std::int64_t>(), r["vat_cents"] = -r["vat_cents"].get<std::int64_t>();
    return parts;
  }
  [[nodiscard]] Json rates_of(const std::string& payer) const {
    auto it = rates.find(payer);
    return it == rates.end() ? Json::array() : signed_rates(it->second);
  }
  /// The number that this payer was sent the credited invoice under.
  [[nodiscard]] std::string credited_number(const std::string& payer, const std::string& otherwise) const {
    auto it = std::ranges::find(invoice.issued, payer, &Issued::role);
    return it == invoice.issued.end() || it->number.empty() ? otherwise : it->number;
  }

  void send(InvoiceOut doc) {
    if (std::ranges::find(out.payers, doc.payer) == out.payers.end()) out.payers.push_back(doc.payer);
    out.invoices.push_back(std::move(doc));
  }

  /// The invoice as it came, to the party that holds the contract or pays it alone.
  void forward(std::string_view payer) {
    Cents gross = source.total(), vat = source.vat;
    auto doc = document(source.number, source.kind, payer, source.creditor_role, credit() ? -gross : gross,
                        credit() ? -vat : vat);
    doc.vat_treatment = invoice.vat_treatment;  // all of its kinds are on it
    doc.lines = source_lines(source, invoice, sign());
    doc.vat_rates = signed_rates(source.vat_rates);
    if (credit()) doc.credits = invoice.number;
    doc.minutes = source.minutes;
    send(std::move(doc));
  }

  [[nodiscard]] Json split(std::string_view first = {}) const {
    Json j = Json::object();
    Cents total;
    for (const auto& p : amounts) {
      total += p.gross;
      // The gemeente that was sent the whole invoice is one of its payers, also when nothing of it stays there.
      bool has_whole = p.role == "gemeente" && p.role == invoice.holder;
      bool in_plan = has_whole || std::ranges::any_of(now.groups, [&](const GroupAmounts& g) {
                       return std::ranges::find(g.payers, p.role, &PayerAmount::role) != g.payers.end();
                     });
      if (!in_plan) continue;
      j[first.empty() || p.role == "gemeente" ? p.role + "_cents" : std::string(first)] = p.gross.value();
    }
    j["total_cents"] = total.value();
    return j;
  }

  void contract_holder() {
    const std::string& holder = invoice.holder;
    if (invoice.creditor_role != holder) forward(holder);
    InvoiceOut* with_split = nullptr;
    std::vector<InvoiceOut> docs;
    for (const auto& p : amounts) {
      if (p.role == holder || p.gross == Cents{}) continue;
      auto [number, kind] = name_reinvoice(source, holder, p.role);
      auto doc = document(numbering.next(holder, number), std::move(kind), p.role, holder, p.gross, p.vat);
      doc.lines = lines_for(p.role, source, invoice, now.groups, by_group, sign());
      doc.vat_rates = rates_of(p.role);
      if (credit()) doc.credits = credited_number(p.role, name_reinvoice(invoice, holder, p.role).first);
      docs.push_back(std::move(doc));
    }
    for (auto& doc : docs)
      if (!with_split || doc.payer == "swv") with_split = &doc;
    if (with_split && with_split->payer != "swv") with_split = &docs.back();
    if (with_split) with_split->split = split();
    for (auto& doc : docs) send(std::move(doc));
  }

  void ordering_parties() {
    auto combined = std::ranges::find_if(
        now.groups, [](const GroupAmounts& g) { return g.group->method == ShareGroup::Method::minutes; });
    if (combined == now.groups.end() && amounts.size() == 1) return forward(amounts[0].role);
    std::string education = "swv";
    for (const auto& p : amounts)
      if (p.role != "gemeente") education = p.role;
    std::uint32_t bp = combined == now.groups.end() ? 5000 : combined->group->payers[0].basis_points;
    for (const auto& role : {education, std::string("gemeente")}) {
      auto it = std::ranges::find(amounts, role, &PayerAmount::role);
      PayerAmount p = it == amounts.end() ? PayerAmount{role, {}, {}} : *it;
      const char* half = role == "gemeente" ? "-J" : "-O";
      auto doc = document(source.number + half, source.kind, role, source.creditor_role, p.gross, p.vat);
      doc.lines = lines_for(role, source, invoice, now.groups, by_group, sign());
      doc.vat_rates = rates_of(role);
      if (credit()) doc.credits = credited_number(role, invoice.number + half);
      if (source.minutes) {
        auto minutes = education_minutes(*source.minutes, bp);
        doc.minutes = role == "gemeente" ? *source.minutes - minutes : minutes;
      }
      if (role == "gemeente") doc.split = split("education_cents");
      send(std::move(doc));
    }
  }

  Written run() {
    // Nothing is asked: it is booked, and no document says so to anybody (CORE-MONEY-09).
    if (source.total() == Cents{}) {
      out.facts = {{"number", source.number}, {"total_cents", 0}, {"holder", invoice.holder}};
      return std::move(out);
    }
    switch (switches.flow) {
      case Flow::offering_party:
        forward(invoice.holder);
        break;
      case Flow::ordering_parties:
        ordering_parties();
        break;
      case Flow::contract_holder:
        contract_holder();
        break;
    }
    // Shares of 0: only of what is really shared, and never of who has the whole invoice anyway. In the flow of
    // ordering parties both halves of an order are sent, also one of 0.
    if (switches.flow == Flow::contract_holder)
      for (const auto& payers : by_group) {
        Cents part;
        for (const auto& p : payers) part += p.gross;
        if (payers.size() < 2 || part == Cents{}) continue;
        for (const auto& p : payers)
          if (p.role != invoice.holder && p.gross == Cents{}) out.zero.push_back(p);
      }
    out.facts = {{"number", source.number},
                 {"total_cents", (credit() ? -source.total() : source.total()).value()},
                 {"holder", invoice.holder}};
    for (const auto& p : amounts) out.facts[p.role + "_cents"] = p.gross.value();
    return std::move(out);
  }
};

Json::iterator rate_in(Json& rates, const std::string& percent, const std::string& category) {
  return std::ranges::find_if(
      rates, [&](const Json& r) { return r["percent"] == percent && r.value("category", "") == category; });
}

/// What each payer gets back of each rate of a credit of which the lines have their rates. `after` is what is borne of
/// the lines that are left.
std::optional<std::vector<Json>> credit_rates(const LedgerEntry& credit, const LedgerEntry& invoice,
                                              std::span<const PayerAmount> back, const Shares& after) {
  std::vector<RatePart> rates;
  for (const auto& r : credit.vat_rates)
    rates.push_back({r.at("percent"), r.value("category", ""), Cents{r.at("net_cents").get<std::int64_t>()},
                     Cents{r.at("vat_cents").get<std::int64_t>()}});
  std::vector<std::vector<RatePart>> wanted;
  for (const auto& p : back) {
    auto& row = wanted.emplace_back();
    auto issued = std::ranges::find(invoice.issued, p.role, &Issued::role);
    auto at = std::ranges::find(after.payers, p.role, &PayerAmount::role);
    if (issued == invoice.issued.end() || at == after.payers.end()) return {};
    const auto& left = after.rates[static_cast<std::size_t>(at - after.payers.begin())];
    for (const auto& r : rates) {
      RatePart part{r.percent, r.category, {}, {}};
      for (const auto& had : issued->rates)
        if (had["percent"] == r.percent && had.value("category", "") == r.category)
          part.net += Cents{had["net_cents"].get<std::int64_t>()},
              part.vat += Cents{had["vat_cents"].get<std::int64_t>()};
      for (const auto& l : left)
        if (l.percent == r.percent && l.category == r.category) part.net -= l.net, part.vat -= l.vat;
      row.push_back(std::move(part));
    }
  }
  std::vector<Json> out;
  for (const auto& row : fit_rates(back, std::move(wanted), rates)) out.push_back(rates_json(row));
  return out;
}

std::vector<std::vector<PayerAmount>> per_group(const Shares& shares) {
  std::vector<std::vector<PayerAmount>> out;
  for (const auto& g : shares.groups) out.push_back(g.payers);
  return out;
}

}  // namespace

std::string finance_role(std::string_view payer) {
  return payer == "schoolbestuur" ? "schoolbestuur" : std::string(payer) + "_financien";
}

Numbering::Numbering(const Switches& switches, const std::map<std::string, Json>& facts, std::string region, int year)
    : series_(switches.number_series), known_(facts), region_(std::move(region)), year_(year) {}

Json Numbering::value(const std::string& key) const {
  if (auto it = changed_.find(key); it != changed_.end()) return it->second;
  auto it = known_.find(key);
  return it == known_.end() ? Json() : it->second;
}

std::string Numbering::next(const std::string& creditor, const std::string& scheme_number) {
  auto prefix = series_.find(creditor);
  const std::string series = "series/" + region_ + "/" + creditor;
  // Nobody knows yet whose series it is: its number comes from its source, and no series has a gap or a number twice.
  auto nobody = known_.find(series);
  bool ambiguous = nobody != known_.end() && nobody->second.is_object() && nobody->second.contains("ambiguous");
  if (prefix == series_.end() || ambiguous) {
    // The same number from two sources would be two invoices of one number by this creditor.
    std::string key = "made/" + region_ + "/" + creditor + "/" + scheme_number;
    Json made = value(key);
    auto n = made.is_number_integer() ? made.get<std::int64_t>() + 1 : 1;
    changed_[key] = n;
    return n == 1 ? scheme_number : fmt::format("{}-{}", scheme_number, n);
  }
  // A restored copy of the store counts on in an epoch of its own: what it had given out since the copy is never given
  // again.
  Json epoch_row = value("series-epoch");
  auto epoch = epoch_row.is_number_integer() ? epoch_row.get<std::int64_t>() : 0;
  std::string slot = fmt::format("{}/{}", year_, epoch);
  Json counters = value(series);
  if (!counters.is_object()) counters = Json::object();
  auto n = counters.value(slot, std::int64_t{0}) + 1;
  counters[slot] = n;
  changed_[series] = std::move(counters);
  return fmt::format("{}{}{}-{:06}", prefix->second, year_, epoch == 0 ? "" : fmt::format("R{}", epoch), n);
}

std::vector<RegisterWrite> Numbering::writes() const {
  std::vector<RegisterWrite> out;
  for (const auto& [key, v] : changed_) out.push_back({key, v});
  return out;
}

std::vector<std::string> numbering_keys(const Switches& switches, const std::string& region,
                                        std::span<const LedgerEntry* const> sources) {
  std::vector<std::string> out;
  if (!switches.number_series.empty()) out.emplace_back("series-epoch");
  for (const auto& [creditor, prefix] : switches.number_series) out.push_back("series/" + region + "/" + creditor);
  for (const LedgerEntry* source : sources)
    for (std::string_view holder : {"gemeente", "schoolbestuur", "swv"}) {
      for (std::string_view payer : {"gemeente", "schoolbestuur", "swv"}) {
        auto key = fmt::format("made/{}/{}/{}", region, holder, name_reinvoice(*source, holder, payer).first);
        if (std::ranges::find(out, key) == out.end()) out.push_back(std::move(key));
      }
    }
  return out;
}

Written write_invoice(LedgerEntry& invoice, const Switches& switches, std::int64_t released_by, Numbering& numbering) {
  Shares shares = share(invoice, invoice.lines, invoice.vat);
  invoice.issued.clear();
  for (const auto& p : shares.payers) invoice.issued.push_back({p.role, p.gross, p.vat});
  Writer writer{invoice, invoice, switches, released_by, shares, shares.payers, per_group(shares), numbering};
  if (!shares.rates.empty()) {
    for (std::size_t i = 0; i < shares.payers.size(); ++i)
      writer.rates[shares.payers[i].role] = invoice.issued[i].rates = rates_json(shares.rates[i]);
  } else if (!invoice.vat_rates.empty()) {
    // The source names its rates, but not of which line they are.
    if (auto rates = share_rates(shares.payers, invoice.vat_rates))
      for (std::size_t i = 0; i < shares.payers.size(); ++i) {
        writer.rates[shares.payers[i].role] = (*rates)[i];
        invoice.issued[i].rates = (*rates)[i];
      }
  }
  Written out = writer.run();
  for (auto& issued : invoice.issued)
    for (const auto& doc : out.invoices)
      if (doc.payer == issued.role) issued.number = doc.number;
  return out;
}

Written write_credit(const LedgerEntry& credit, LedgerEntry& invoice, std::span<const LedgerEntry* const> sent_credits,
                     const Switches& switches, std::int64_t released_by, Numbering& numbering) {
  std::vector<const LedgerEntry*> with(sent_credits.begin(), sent_credits.end());
  Shares before = share(invoice, lines_left(invoice, with), vat_left(invoice, with));
  with.push_back(&credit);
  Shares after = share(invoice, lines_left(invoice, with), vat_left(invoice, with));

  // Every share is the difference to what was sent, so that what rounding or a credit without VAT left is caught up
  // with.
  std::vector<PayerAmount> amounts;
  for (const auto& p : after.payers) {
    auto issued = std::ranges::find(invoice.issued, p.role, &Issued::role);
    SCHAKEL_ASSERT(issued != invoice.issued.end());
    amounts.push_back({p.role, p.gross - issued->gross, p.vat - issued->vat});
  }
  for (auto& delta : amounts) {
    // No note carries more VAT than money, or VAT the other way, and none at all where the credit has none; nor does a
    // cent that rounding asks back.
    delta.vat = credit.vat > Cents{} ? std::clamp(delta.vat, std::min(delta.gross, Cents{}), Cents{}) : Cents{};
  }
  // What is lacking stays with who has the whole invoice.
  std::string_view first = invoice.holder.empty() ? "gemeente" : std::string_view(invoice.holder);
  auto whole = std::ranges::find(amounts, first, &PayerAmount::role);
  if (whole == amounts.end()) whole = amounts.begin();
  Cents vat_given;
  for (const auto& a : amounts) vat_given += a.vat;
  // ... as far as its money goes, then with the others: nobody gets back more VAT than money.
  Cents lacking = -credit.vat - vat_given;
  auto take = [&](PayerAmount& a) {
    Cents now = std::clamp(a.vat + lacking, std::min(a.gross, Cents{}), Cents{});
    lacking -= now - a.vat;
    a.vat = now;
  };
  take(*whole);
  for (auto& a : amounts) take(a);
  SCHAKEL_ASSERT(lacking == Cents{});
  for (const auto& a : amounts) {
    auto issued = std::ranges::find(invoice.issued, a.role, &Issued::role);
    issued->gross += a.gross, issued->vat += a.vat;
  }
  auto by_group = per_group(after);
  for (std::size_t g = 0; g < by_group.size(); ++g)
    for (std::size_t p = 0; p < by_group[g].size(); ++p) {
      by_group[g][p].gross -= before.groups[g].payers[p].gross;
      by_group[g][p].vat -= before.groups[g].payers[p].vat;
    }
  // Groups that the credit does not touch are not written.
  Shares touched = after;
  for (std::size_t g = touched.groups.size(); g-- > 0;)
    if (std::ranges::all_of(by_group[g], [](const PayerAmount& p) { return p.gross == Cents{}; })) {
      touched.groups.erase(touched.groups.begin() + static_cast<std::ptrdiff_t>(g));
      by_group.erase(by_group.begin() + static_cast<std::ptrdiff_t>(g));
    }
  // The credit's rates over what each payer gets back: of its own lines where lines have rates, as the difference of
  // what it bore and what it bears of the lines that are left. The ledger keeps what is left of each rate.
  std::map<std::string, Json> rates;
  std::vector<PayerAmount> back;
  for (const auto& a : amounts) back.push_back({a.role, -a.gross, -a.vat});
  auto parts = credit.vat_rates.empty() ? std::nullopt
               : after.rates.empty()    ? share_rates(back, credit.vat_rates)
                                        : credit_rates(credit, invoice, back, after);
  for (auto& issued : invoice.issued) {
    auto at = std::ranges::find(back, issued.role, &PayerAmount::role);
    if (!parts || at == back.end() || (issued.rates.empty() && after.rates.empty())) {
      if (!parts) issued.rates = Json::array();
      continue;
    }
    const Json& mine = (*parts)[static_cast<std::size_t>(at - back.begin())];
    rates[issued.role] = mine;
    for (const auto& r : mine) {
      auto there = rate_in(issued.rates, r["percent"], r.value("category", ""));
      if (there == issued.rates.end()) {
        Json row = r;
        row["net_cents"] = -r["net_cents"].get<std::int64_t>(), row["vat_cents"] = -r["vat_cents"].get<std::int64_t>();
        issued.rates.push_back(std::move(row));
        continue;
      }
      (*there)["net_cents"] = (*there)["net_cents"].get<std::int64_t>() - r["net_cents"].get<std::int64_t>();
      (*there)["vat_cents"] = (*there)["vat_cents"].get<std::int64_t>() - r["vat_cents"].get<std::int64_t>();
    }
  }
  return Writer{credit,    invoice,         switches, released_by, touched, std::move(amounts), std::move(by_group),
                numbering, std::move(rates)}
      .run();
}

}  // namespace schakel::invoicing
