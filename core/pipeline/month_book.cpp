#include "core/pipeline/month_book.hpp"

#include <algorithm>
#include <map>

#include "core/outbox/invoice_parties.hpp"
#include "core/pipeline/provider.hpp"

namespace schakel::pipeline {
namespace {

bool is_payer(const LedgerEntry& invoice, const std::string& role) {
  return std::ranges::find(invoice.issued, role, &Issued::role) != invoice.issued.end();
}

/// The agreement, and which lines of it answer for a source's lines of these kinds; from and to are the period of those
/// that have none of their own.
std::string agreement_of(const CaseBook& at, const journal::Recorded& decision, const LedgerEntry& entry,
                         const std::vector<std::string>& kinds, const std::string& from, const std::string& to) {
  std::vector<AskedLine> asked;
  for (const auto& kind : kinds) {
    auto before = asked.size();
    for (const auto& l : entry.lines)
      if (l.kind == kind)
        asked.push_back({kind, l.from.empty() ? from : l.from, l.from.empty() ? to : l.to, l.assignment, l.product});
    // A cent that no line of the source asks for (plugins/invoicing/lines.cpp).
    if (asked.size() == before) asked.push_back({kind, from, to});
  }
  // As the decision had it, whatever the directory says by now.
  auto is_sender = [&](const std::string& name) {
    if (!decision.registers) return false;
    auto known = decision.registers->find(provider_key(entry.party, name));
    return known != decision.registers->end() && known->second == true;
  };
  auto lines = agreement_lines(at.funding, asked, is_sender);
  return lines.empty() ? at.agreement : at.agreement + "/" + lines;
}

/// One source message: what it asked, by its payload, against what its documents ask, as they were sealed.
void book_source(MonthBook& book, const CaseBook& at, const journal::Recorded& decision, const SourceAmounts& source,
                 const LedgerEntry& entry, const LedgerEntry& invoice,
                 const std::vector<const MadeDocument*>& documents) {
  auto& m = book.month;
  ++m.sources;
  m.source_gross += source.gross, m.source_vat += source.vat;
  auto add = [&](const std::string& role, const std::string& party, const std::string& line, const ByTax& taxes,
                 std::int64_t factor, bool in) {
    if (!is_payer(invoice, role)) return;
    for (const auto& [tax, part] : taxes) {
      auto& row = book.row(role, party, at.case_id, line, tax);
      (in ? row.in_net : row.out_net) += part.net * factor, (in ? row.in_vat : row.out_vat) += part.vat * factor;
    }
  };
  // Who creates the claim and is a payer itself has made the cost: what it is not paid back it bears.
  const bool bears = is_payer(invoice, entry.creditor_role);
  if (bears) {
    auto line = agreement_of(at, decision, entry, source.kinds, invoice.period_from, invoice.period_to);
    ByTax own = source.taxes;
    if (own.empty())
      own = {{{source.vat == 0 ? "O" : "?", source.vat == 0 ? "0" : "?"}, {source.gross - source.vat, source.vat}}};
    add(entry.creditor_role, entry.party, line, own, 1, true);
    add(entry.creditor_role, entry.party, line, own, 1, false);
  }
  // The last document of the creditor is asked for what the others leave of its source.
  const MadeDocument* last = nullptr;
  std::int64_t to_creditor = 0;
  for (const auto* d : documents)
    if (d->invoice->payee == entry.creditor_role) last = d, to_creditor += d->invoice->amount_cents;
  ByTax rest = source.taxes;
  std::int64_t gross = source.gross, vat = source.vat;
  for (const auto* d : documents) {
    ++m.documents;
    const auto& i = *d->invoice;
    const ByTax* says = d->says ? &d->says->taxes : nullptr;
    const std::string seller = d->says ? d->says->seller : "";
    ByTax asks = decided_taxes(i, i.amount_cents, i.vat_cents.value_or(0), seller);
    if (!bears && d == last) {
      asks = outbox::says_vat_of_source(i) ? rest : decided_taxes(i, gross, vat, seller);
    } else if (!bears && i.payee == entry.creditor_role) {
      add_taxes(rest, asks, -1);
      gross -= i.amount_cents, vat -= i.vat_cents.value_or(0);
    }
    std::vector<std::string> kinds;
    for (const auto& l : i.lines)
      if (auto kind = l.value("kind", ""); std::ranges::find(kinds, kind) == kinds.end()) kinds.push_back(kind);
    auto line = agreement_of(at, decision, entry, kinds, i.period_from, i.period_to);
    const auto& payee_party = i.payee == entry.creditor_role ? entry.party : d->payee_party;
    add(i.payer, d->payer_party, line, asks, 1, true);
    if (i.payee != entry.creditor_role || bears) add(i.payee, payee_party, line, asks, -1, true);
    if (!d->left) continue;
    const ByTax& out = says ? *says : asks;
    add(i.payer, d->payer_party, line, out, 1, false);
    if (i.payee != entry.creditor_role || bears) add(i.payee, payee_party, line, out, -1, false);
    if (d->says && (d->says->gross != i.amount_cents || *says != asks))
      m.open.push_back(
          {"NOT_CONSERVED", i.number, at.case_id, i.payer, "DOCUMENT", d->delivery, i.amount_cents - d->says->gross});
  }
  // A creditor that is no payer itself must be paid in full.
  if (!bears && to_creditor != source.gross)
    m.open.push_back({"NOT_CONSERVED", entry.number, at.case_id, "", "CREDITOR", "", source.gross - to_creditor});
}

/// Of one invoice and its credits in one decision: what is recorded as shared is what the sources ask, and what the
/// documents of the decision ask of each payer.
void check_shared(Month& m, const CaseBook& at, const LedgerEntry& invoice, const LedgerEntry* before,
                  std::int64_t gross, std::int64_t vat, const std::vector<const MadeDocument*>& documents) {
  std::int64_t shared_gross = 0, shared_vat = 0;
  bool same = true;
  for (const auto& now : invoice.issued) {
    auto was = before ? std::ranges::find(before->issued, now.role, &Issued::role) : invoice.issued.end();
    bool known = before && was != before->issued.end();
    std::int64_t g = now.gross.value() - (known ? was->gross.value() : 0),
                 v = now.vat.value() - (known ? was->vat.value() : 0);
    shared_gross += g, shared_vat += v;
    std::int64_t asked = now.role == invoice.creditor_role ? gross : 0;
    for (const auto* d : documents) {
      if (d->invoice->payer == now.role) asked += d->invoice->amount_cents;
      if (d->invoice->payee == now.role) asked -= d->invoice->amount_cents;
    }
    same = same && asked == g;
  }
  m.shared_gross += shared_gross, m.shared_vat += shared_vat;
  if (shared_gross != gross || shared_vat != vat || !same)
    m.open.push_back({"NOT_CONSERVED", invoice.number, at.case_id, "", "SHARES", "", gross - shared_gross});
}

/// All of a decision that concerns one invoice.
struct OfInvoice {
  const LedgerEntry* invoice;
  std::int64_t gross = 0, vat = 0;
  std::vector<const MadeDocument*> documents;
};

}  // namespace

MonthRow& MonthBook::row(const std::string& payer, const std::string& party, const std::string& case_id,
                         const std::string& agreement, const std::pair<std::string, std::string>& tax) {
  auto& r = rows[{payer, party, case_id, agreement, tax.first, tax.second}];
  r.payer = payer, r.party = party, r.case_id = case_id;
  r.agreement = agreement, r.category = tax.first, r.rate = tax.second;
  return r;
}

void MonthBook::close() {
  for (auto& [key, row] : rows)
    if (row.in_net != 0 || row.in_vat != 0 || row.out_net != 0 || row.out_vat != 0)
      month.rows.push_back(std::move(row));
  rows.clear();
}

void book_decision(MonthBook& book, const CaseBook& at, const MoneyDecision& decided) {
  auto& open = book.month.open;
  auto sources = decided.shared;
  std::map<std::string, std::vector<const MadeDocument*>> by_source;
  for (const auto& d : decided.documents) {
    const auto& source = d.invoice->source_message;
    if (std::ranges::find(sources, source) == sources.end()) sources.push_back(source);
    by_source[source].push_back(&d);
  }
  std::vector<OfInvoice> touched;
  for (const auto& source : sources) {
    const auto& documents = by_source[source];
    auto entry = std::ranges::find(decided.after.entries, source, &LedgerEntry::message);
    if (entry == decided.after.entries.end()) {
      // That of the decision's own message is named where its acceptance is.
      if (source != decided.decision.message.id)
        open.push_back(
            {"NOT_CONSERVED", documents.front()->invoice->source_number, at.case_id, "", "NOT_IN_LEDGER", "", 0});
      continue;
    }
    const LedgerEntry* invoice = entry->is_credit() ? decided.after.credited(entry->creditor, entry->credits) : &*entry;
    if (!invoice) {
      open.push_back(
          {"NOT_CONSERVED", entry->number, at.case_id, "", "CREDITED_NOT_FOUND", "", -entry->total().value()});
      continue;
    }
    auto came =
        std::ranges::find_if(decided.history, [&](const journal::Recorded& h) { return h.message.id == source; });
    if (came == decided.history.end()) {
      open.push_back({"MISSING", entry->number, at.case_id, "", "NOT_IN_JOURNAL", "", 0});
      continue;
    }
    auto amounts = source_amounts(came->message.type, came->message.payload);
    book_source(book, at, decided.decision, amounts, *entry, *invoice, documents);
    auto of = std::ranges::find(touched, invoice, &OfInvoice::invoice);
    if (of == touched.end()) of = touched.insert(touched.end(), {invoice, 0, 0, {}});
    of->gross += amounts.gross, of->vat += amounts.vat;
    of->documents.insert(of->documents.end(), documents.begin(), documents.end());
  }
  for (const auto& of : touched) {
    const auto* was = decided.before.credited(of.invoice->creditor, of.invoice->number);
    if (was && was->issued.empty()) was = nullptr;
    check_shared(book.month, at, *of.invoice, was, of.gross, of.vat, of.documents);
  }
}

}  // namespace schakel::pipeline
