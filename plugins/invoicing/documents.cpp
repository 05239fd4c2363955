#include "plugins/invoicing/documents.hpp"

#include <algorithm>

#include "plugins/invoicing/give_back.hpp"
#include "plugins/invoicing/lines.hpp"

namespace schakel::invoicing {
namespace {

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

std::vector<std::vector<PayerAmount>> per_group(const Shares& shares) {
  std::vector<std::vector<PayerAmount>> out;
  for (const auto& g : shares.groups) out.push_back(g.payers);
  return out;
}

}  // namespace

std::string finance_role(std::string_view payer) {
  return payer == "schoolbestuur" ? "schoolbestuur" : std::string(payer) + "_financien";
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
  auto back = give_back(credit, invoice, after);
  std::vector<PayerAmount> amounts;
  for (const auto& p : back.payers) {
    amounts.push_back({p.role, -p.gross, -p.vat});
    auto issued = std::ranges::find(invoice.issued, p.role, &Issued::role);
    issued->gross -= p.gross, issued->vat -= p.vat;
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
  // The ledger keeps what is left of each rate.
  std::map<std::string, Json> rates;
  for (auto& issued : invoice.issued) {
    auto at = std::ranges::find(back.payers, issued.role, &PayerAmount::role);
    if (!back.rates || at == back.payers.end() || (issued.rates.empty() && after.rates.empty())) {
      if (!back.rates) issued.rates = Json::array();
      continue;
    }
    const Json mine = rates_json((*back.rates)[static_cast<std::size_t>(at - back.payers.begin())]);
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
