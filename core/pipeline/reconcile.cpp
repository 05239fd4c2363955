#include "core/pipeline/reconcile.hpp"

#include <algorithm>
#include <set>

#include "core/base/calendar.hpp"
#include "core/model/invoice_types.hpp"
#include "core/model/ledger.hpp"
#include "core/outbox/invoice_parties.hpp"
#include "core/outbox/plan.hpp"
#include "core/pipeline/books.hpp"
#include "core/pipeline/invoice_index.hpp"
#include "core/pipeline/settlement.hpp"
#include "core/store/row_json.hpp"

namespace schakel::pipeline {
namespace {

/// The month with its rows by key.
struct MonthBook {
  Month& month;
  std::map<std::tuple<std::string, std::string, std::string, std::string, std::string>, MonthRow> rows{};

  MonthRow& row(const std::string& payer, const std::string& case_id, const std::string& agreement,
                const std::pair<std::string, std::string>& tax) {
    auto& r = rows[{payer, case_id, agreement, tax.first, tax.second}];
    r.payer = payer, r.case_id = case_id, r.agreement = agreement, r.category = tax.first, r.rate = tax.second;
    return r;
  }
};

/// A document that a decision made: whether it left, and what the one that was sealed asks.
struct MadeDocument {
  const InvoiceOut* invoice = nullptr;
  std::string delivery;
  bool left = false;
  std::optional<DocumentAmounts> says;
};

/// Where the books of one case stand when a decision is booked.
struct CaseBook {
  std::string case_id, agreement;  ///< seq of the last financieringsafspraak, or "opening"
  Json funding;

  [[nodiscard]] std::string line_of(const std::vector<std::string>& kinds, const std::string& from,
                                    const std::string& to) const {
    auto lines = agreement_lines(funding, kinds, from, to);
    return lines.empty() ? agreement : agreement + "/" + lines;
  }
};

bool is_payer(const LedgerEntry& invoice, const std::string& role) {
  return std::ranges::find(invoice.issued, role, &Issued::role) != invoice.issued.end();
}

/// One source message: what it asked, by its payload, against what its documents ask, as they were sealed.
void book_source(MonthBook& book, const CaseBook& at, const SourceAmounts& source, const LedgerEntry& entry,
                 const LedgerEntry& invoice, const std::vector<const MadeDocument*>& documents) {
  auto& m = book.month;
  ++m.sources;
  m.source_gross += source.gross, m.source_vat += source.vat;
  auto add = [&](const std::string& role, const std::string& line, const ByTax& taxes, std::int64_t factor, bool in) {
    if (!is_payer(invoice, role)) return;
    for (const auto& [tax, part] : taxes) {
      auto& row = book.row(role, at.case_id, line, tax);
      (in ? row.in_net : row.out_net) += part.net * factor, (in ? row.in_vat : row.out_vat) += part.vat * factor;
    }
  };
  // Who creates the claim and is a payer itself has made the cost: what it is not paid back it bears.
  const bool bears = is_payer(invoice, entry.creditor_role);
  if (bears) {
    auto line = at.line_of(source.kinds, invoice.period_from, invoice.period_to);
    ByTax own = source.taxes;
    if (own.empty())
      own = {{{source.vat == 0 ? "O" : "?", source.vat == 0 ? "0" : "?"}, {source.gross - source.vat, source.vat}}};
    add(entry.creditor_role, line, own, 1, true);
    add(entry.creditor_role, line, own, 1, false);
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
    for (const auto& l : i.lines) kinds.push_back(l.value("kind", ""));
    auto line = at.line_of(kinds, i.period_from, i.period_to);
    add(i.payer, line, asks, 1, true);
    if (i.payee != entry.creditor_role || bears) add(i.payee, line, asks, -1, true);
    if (!d->left) continue;
    const ByTax& out = says ? *says : asks;
    add(i.payer, line, out, 1, false);
    if (i.payee != entry.creditor_role || bears) add(i.payee, line, out, -1, false);
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

/// Nothing where its row does not say: it was handed to an adapter that takes no document.
Task<Result<std::optional<DocumentAmounts>>> what_it_says(store::Store& store, std::string delivery) {
  auto key = co_await store.row(std::string(outbox::kInvoiceOfDelivery), std::move(delivery));
  if (!key) co_return fail(std::move(key.error()));
  if (!*key) co_return std::optional<DocumentAmounts>{};
  auto row = co_await store.row(std::string(outbox::kInvoicesOut), std::string(as_text((*key)->value)));
  if (!row) co_return fail(std::move(row.error()));
  if (!*row) co_return std::optional<DocumentAmounts>{};
  auto known = store::object_in(**row);
  if (!known) co_return fail(std::move(known.error()));
  co_return known->contains("gesteld") ? document_amounts((*known)["gesteld"]) : std::nullopt;
}

bool sent(const LedgerEntry& e) { return !e.held && !e.refused; }

/// Whether the sender of a quarantined one had the same number accepted after it.
bool came_right(const std::vector<journal::Recorded>& history, const journal::Recorded& r) {
  auto number = r.message.payload.value("number", "");
  return !number.empty() && std::ranges::any_of(history, [&](const journal::Recorded& later) {
    return later.message.seq > r.message.seq && is_invoice_type(later.message.type) &&
           later.message.party == r.message.party && later.message.payload.value("number", "") == number &&
           (later.draft.outcome == Outcome::delivered || later.draft.outcome == Outcome::held);
  });
}

Task<Result<bool>> set_aside(store::Store& store, std::string case_id, std::string message) {
  auto row = co_await store.row(std::string(kInvoiceAside), case_id + "/" + message);
  if (!row) co_return fail(std::move(row.error()));
  co_return row->has_value();
}

/// A source message that was not shared, by its outcome.
Task<Result<void>> name_unshared(journal::Journal& journal, Month& month, const journal::Recorded& r, bool came) {
  OpenItem item{"",
                r.message.payload.value("number", ""),
                r.message.subject,
                "",
                r.draft.codes.empty() ? "" : r.draft.codes.front(),
                "",
                source_amounts(r.message.type, r.message.payload).gross};
  bool this_month = local_date(r.message.time).str().starts_with(month.month);
  if (r.draft.outcome == Outcome::quarantined) {
    auto aside = co_await set_aside(journal.store(), r.message.subject, r.message.id);
    if (!aside) co_return fail(std::move(aside.error()));
    item.what = came || *aside ? "SET_ASIDE" : "QUARANTINED";
    if (!came && !*aside)
      month.open.push_back(std::move(item));
    else if (this_month)
      month.refused.push_back(std::move(item));
    co_return Result<void>{};
  }
  item.what = r.draft.outcome == Outcome::dropped_duplicate ? "DUPLICATE" : "BLOCKED";
  if (this_month) month.refused.push_back(std::move(item));
  co_return Result<void>{};
}

/// What finance refused of what was held, and the held credits that went with it: by message, named in the month of the
/// refusal.
void name_not_granted(Month& month, const journal::Recorded& r, std::set<std::string>& not_granted) {
  if (r.message.type != "factuur_status" || r.message.payload.value("status", "") != "not_granted") return;
  bool this_month = local_date(r.message.time).str().starts_with(month.month);
  Json refused;
  for (const auto& e : r.draft.effects)
    if (is_invoice_effect(e)) apply_invoice_effect(refused, e);
  for (const auto& e : ledger_of(refused).entries) {
    not_granted.insert(e.message);
    if (this_month)
      month.refused.push_back({"NOT_GRANTED", e.number, r.message.subject, "", e.codes.empty() ? "" : e.codes.front(),
                               "", e.total().value() * (e.is_credit() ? -1 : 1)});
  }
}

/// `seen` gets the source messages that this case accounts for. False: the case was erased.
Task<Result<bool>> book_case(journal::Journal& journal, MonthBook& book, std::string case_id,
                             std::set<store::MessageSeq>& seen) {
  auto history = co_await journal.history(case_id);
  if (!history && history.error().kind == ErrorKind::not_found) co_return false;
  if (!history) co_return fail(std::move(history.error()));
  Json invoices;
  CaseBook at{case_id, "opening", Json()};
  std::set<std::string> not_granted;
  for (const auto& r : *history) {
    name_not_granted(book.month, r, not_granted);
    if (r.message.type == "financieringsafspraak" && r.draft.outcome == Outcome::delivered)
      at.agreement = std::to_string(r.message.seq);
    for (const auto& e : r.draft.effects)
      if (e.what == "fact" && e.key == "funding") at.funding = e.value;
    bool about_money = is_invoice_type(r.message.type) || !r.draft.invoices.empty() ||
                       std::ranges::any_of(r.draft.effects, is_invoice_effect);
    if (!about_money) continue;
    auto before = ledger_of(invoices);
    for (const auto& e : r.draft.effects) apply_invoice_effect(invoices, e);
    auto after = ledger_of(invoices);
    bool this_month = local_date(r.message.time).str().starts_with(book.month.month);
    if (is_invoice_type(r.message.type)) {
      seen.insert(r.message.seq);
      bool shared = r.draft.outcome == Outcome::delivered || r.draft.outcome == Outcome::held;
      if (!shared) {
        auto named = co_await name_unshared(journal, book.month, r, came_right(*history, r));
        if (!named) co_return fail(std::move(named.error()));
      } else if (std::ranges::find(after.entries, r.message.id, &LedgerEntry::message) == after.entries.end()) {
        // Accepted, and nothing remembers it: neither shared nor waiting.
        book.month.open.push_back(
            {"NOT_CONSERVED", r.message.payload.value("number", ""), case_id, "", "NOT_IN_LEDGER", "", 0});
      }
    }
    // Sources that this decision shared, also those that made no document: what its creditor bears itself.
    std::vector<std::string> order;
    for (const auto& e : after.entries) {
      auto was = std::ranges::find(before.entries, e.message, &LedgerEntry::message);
      if (sent(e) && (was == before.entries.end() || !sent(*was))) order.push_back(e.message);
    }
    if (r.draft.invoices.empty() && order.empty()) continue;

    // What is open stays named in every month; only this month's are booked.
    std::vector<MadeDocument> made;
    for (const auto& i : r.draft.invoices) {
      auto delivery = outbox::invoice_delivery_id(r.message, i);
      auto state = co_await settled(journal.store(), delivery);
      if (!state) co_return fail(std::move(state.error()));
      bool there = state->status == "transported" || state->status == "received" || state->status == "processed";
      made.push_back({&i, delivery, there, {}});
      if (there && this_month) {
        auto says = co_await what_it_says(journal.store(), delivery);
        if (!says) co_return fail(std::move(says.error()));
        made.back().says = std::move(*says);
      }
      if (there) continue;
      std::string what = state->code == "DELIVERY_MISSING" ? "MISSING"
                         : state->status == "refused"      ? "REFUSED"
                                                           : "ON_ITS_WAY";
      book.month.open.push_back({what, i.number, case_id, i.payer, state->code, delivery, i.amount_cents});
    }
    if (!this_month) continue;
    std::map<std::string, std::vector<const MadeDocument*>> by_source;
    for (const auto& d : made) {
      const auto& source = d.invoice->source_message;
      if (std::ranges::find(order, source) == order.end()) order.push_back(source);
      by_source[source].push_back(&d);
    }
    /// All of this decision that concern one invoice: the ledger knows where they began and where they ended.
    struct OfInvoice {
      const LedgerEntry* invoice;
      std::int64_t gross = 0, vat = 0;
      std::vector<const MadeDocument*> documents;
    };
    std::vector<OfInvoice> touched;
    for (const auto& source : order) {
      auto entry = std::ranges::find(after.entries, source, &LedgerEntry::message);
      if (entry == after.entries.end()) {
        if (source != r.message.id)  // else it is named above
          book.month.open.push_back({"NOT_CONSERVED", by_source[source].front()->invoice->source_number, case_id, "",
                                     "NOT_IN_LEDGER", "", 0});
        continue;
      }
      const LedgerEntry* invoice = entry->is_credit() ? after.credited(entry->creditor, entry->credits) : &*entry;
      if (!invoice) {
        book.month.open.push_back(
            {"NOT_CONSERVED", entry->number, case_id, "", "CREDITED_NOT_FOUND", "", -entry->total().value()});
        continue;
      }
      auto came = std::ranges::find_if(*history, [&](const journal::Recorded& h) { return h.message.id == source; });
      if (came == history->end()) {
        book.month.open.push_back({"MISSING", entry->number, case_id, "", "NOT_IN_JOURNAL", "", 0});
        continue;
      }
      auto amounts = source_amounts(came->message.type, came->message.payload);
      const auto& documents = by_source[source];
      book_source(book, at, amounts, *entry, *invoice, documents);
      auto of = std::ranges::find(touched, invoice, &OfInvoice::invoice);
      if (of == touched.end()) of = touched.insert(touched.end(), {invoice, 0, 0, {}});
      of->gross += amounts.gross, of->vat += amounts.vat;
      of->documents.insert(of->documents.end(), documents.begin(), documents.end());
    }
    for (const auto& of : touched) {
      auto was = before.credited(of.invoice->creditor, of.invoice->number);
      if (was && was->issued.empty()) was = nullptr;
      check_shared(book.month, at, *of.invoice, was, of.gross, of.vat, of.documents);
    }
  }
  for (const auto& e : ledger_of(invoices).entries) {
    if (e.held) {
      OpenItem item{"HELD",
                    e.number,
                    case_id,
                    "",
                    e.codes.empty() ? "" : e.codes.front(),
                    "",
                    e.total().value() * (e.is_credit() ? -1 : 1)};
      auto owed = co_await journal.store().row(std::string(kInvoiceAnswer), case_id + "/" + e.message);
      if (!owed) co_return fail(std::move(owed.error()));
      if (*owed) {
        auto answer = store::object_in(**owed);
        if (!answer) co_return fail(std::move(answer.error()));
        item.due = answer->value("termijn", "");
      }
      book.month.open.push_back(std::move(item));
    }
    if (!e.refused || not_granted.contains(e.message)) continue;
    auto aside = co_await set_aside(journal.store(), case_id, e.message);
    if (!aside) co_return fail(std::move(aside.error()));
    if (!*aside)
      book.month.open.push_back({"CREDIT_REFUSED", e.number, case_id, "", "INVOICE_CONFLICT", "", -e.total().value()});
  }
  co_return true;
}

/// A source message that no case accounts for: not decided yet, about no case, or of one that was erased.
Task<Result<void>> name_stray(journal::Journal& journal, Month& month, store::MessageRow row, bool erased) {
  if (row.state == store::MessageState::decided) {
    if (erased) {
      ++month.erased;
      co_return Result<void>{};
    }
    auto decided = co_await journal.decision(row.seq);
    if (!decided && decided.error().kind == ErrorKind::not_found) {
      ++month.erased;
      co_return Result<void>{};
    }
    if (!decided) co_return fail(std::move(decided.error()));
    bool shared =
        !*decided || (**decided).draft.outcome == Outcome::delivered || (**decided).draft.outcome == Outcome::held;
    if (shared) {
      month.open.push_back({"MISSING", "", row.case_id, "", "NOT_IN_JOURNAL", "", 0});
      co_return Result<void>{};
    }
    auto named = co_await name_unshared(journal, month, **decided, false);
    co_return named;
  }
  OpenItem item{"UNDECIDED", "", row.case_id, "", "", "", 0};
  auto whole = co_await journal.store().message(row.seq);
  if (!whole) co_return fail(std::move(whole.error()));
  if (*whole) {
    // Nothing is lost when it cannot be opened: it is named without its number.
    auto message = co_await journal.read(std::move(**whole));
    if (message) item.number = message->payload.value("number", "");
  }
  month.open.push_back(std::move(item));
  co_return Result<void>{};
}

}  // namespace

bool Month::closes() const {
  return open.empty() &&
         std::ranges::all_of(rows, [](const MonthRow& r) { return r.in_net == r.out_net && r.in_vat == r.out_vat; });
}

Task<Result<Month>> reconcile(journal::Journal& journal, std::string month) {
  if (month.size() != 7 || !Date::parse(month + "-01"))
    co_return fail(ErrorKind::invalid, "MONTH_FORMAT", "a month is written YYYY-MM");
  Month out;
  out.month = std::move(month);
  std::set<std::string> cases, gone;
  std::vector<store::MessageRow> sources;
  for (auto type : kInvoiceTypes) {
    store::MessageFilter filter;
    filter.type = type;
    filter.limit = 1000;
    for (;;) {
      auto rows = co_await journal.store().messages(filter);
      if (!rows) co_return fail(std::move(rows.error()));
      if (rows->empty()) break;
      for (const auto& r : *rows) {
        if (!r.case_id.empty()) cases.insert(r.case_id);
        filter.after = std::max(filter.after, r.seq);
        sources.push_back(r);
      }
    }
  }
  MonthBook book{out};
  std::set<store::MessageSeq> seen;
  for (const auto& case_id : cases) {
    auto done = co_await book_case(journal, book, case_id, seen);
    if (!done) co_return fail(std::move(done.error()));
    if (!*done) gone.insert(case_id);
  }
  for (auto& row : sources) {
    if (seen.contains(row.seq)) continue;
    bool erased = gone.contains(row.case_id);
    auto named = co_await name_stray(journal, out, std::move(row), erased);
    if (!named) co_return fail(std::move(named.error()));
  }
  for (auto& [key, row] : book.rows)
    if (row.in_net != 0 || row.in_vat != 0 || row.out_net != 0 || row.out_vat != 0) out.rows.push_back(std::move(row));
  co_return out;
}

Json month_view(const Month& m) {
  Json rows = Json::array(), open = Json::array(), payers = Json::object();
  for (const auto& r : m.rows) {
    rows.push_back({{"betaler", r.payer},
                    {"zaak", r.case_id},
                    {"afspraak", r.agreement},
                    {"btwCategorie", r.category},
                    {"btwTarief", r.rate},
                    {"inNettoCent", r.in_net},
                    {"inBtwCent", r.in_vat},
                    {"uitNettoCent", r.out_net},
                    {"uitBtwCent", r.out_vat},
                    {"verschilCent", r.in_net + r.in_vat - r.out_net - r.out_vat}});
    auto& p = payers[r.payer];
    if (p.is_null()) p = {{"inCent", 0}, {"uitCent", 0}};
    p["inCent"] = p["inCent"].get<std::int64_t>() + r.in_net + r.in_vat;
    p["uitCent"] = p["uitCent"].get<std::int64_t>() + r.out_net + r.out_vat;
  }
  auto item = [](const OpenItem& o) {
    return Json{{"wat", o.what},  {"nummer", o.number},       {"zaak", o.case_id},    {"betaler", o.payer},
                {"code", o.code}, {"aflevering", o.delivery}, {"bedragCent", o.cents}};
  };
  Json refused = Json::array();
  for (const auto& o : m.open) open.push_back(item(o));
  for (const auto& o : m.refused) refused.push_back(item(o));
  for (std::size_t i = 0; i < m.open.size(); ++i)
    if (!m.open[i].due.empty()) open[i]["antwoordUiterlijk"] = m.open[i].due;
  return {{"maand", m.month},
          {"sluit", m.closes()},
          {"bronfacturen", m.sources},
          {"documenten", m.documents},
          {"bronCent", m.source_gross},
          {"bronBtwCent", m.source_vat},
          {"verdeeldCent", m.shared_gross},
          {"verdeeldBtwCent", m.shared_vat},
          {"betalers", payers},
          {"regels", rows},
          {"open", open},
          {"geweigerd", refused},
          {"gewist", m.erased}};
}

}  // namespace schakel::pipeline
