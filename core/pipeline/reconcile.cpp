#include "core/pipeline/reconcile.hpp"

#include <algorithm>
#include <set>

#include "core/base/calendar.hpp"
#include "core/model/invoice_types.hpp"
#include "core/model/ledger.hpp"
#include "core/outbox/plan.hpp"
#include "core/pipeline/invoice_index.hpp"
#include "core/pipeline/settlement.hpp"
#include "core/store/row_json.hpp"

namespace schakel::pipeline {
namespace {

struct NetVat {
  std::int64_t net = 0, vat = 0;
};
/// By VAT rate, as its text.
using ByRate = std::map<std::string, NetVat>;

/// Parts per rate of an amount; without rates one part, named 0 where there is no VAT.
ByRate parts(std::int64_t gross, std::int64_t vat, const Json& rates) {
  ByRate out;
  for (const auto& r : rates) {
    auto& part = out[r.value("percent", "?")];
    part.net += r.value("net_cents", std::int64_t{0}), part.vat += r.value("vat_cents", std::int64_t{0});
  }
  if (out.empty() && (gross != 0 || vat != 0)) out[vat == 0 ? "0" : "?"] = {gross - vat, vat};
  return out;
}

/// What became of one decision's invoices.
struct MonthBook {
  Month& month;
  std::map<std::tuple<std::string, std::string, std::string, std::string>, MonthRow> rows{};

  MonthRow& row(const std::string& payer, const std::string& case_id, const std::string& agreement,
                const std::string& rate) {
    auto& r = rows[{payer, case_id, agreement, rate}];
    r.payer = payer, r.case_id = case_id, r.agreement = agreement, r.rate = rate;
    return r;
  }
};

const Issued* issued_to(const LedgerEntry* invoice, const std::string& role) {
  if (!invoice) return nullptr;
  auto it = std::ranges::find(invoice->issued, role, &Issued::role);
  return it == invoice->issued.end() ? nullptr : &*it;
}

/// One source invoice or credit note with the documents made of it.
void book_source(MonthBook& book, const std::string& case_id, const std::string& agreement, const LedgerEntry& entry,
                 const LedgerEntry& invoice, const LedgerEntry* before, const std::vector<const InvoiceOut*>& documents,
                 const std::set<const InvoiceOut*>& left) {
  std::int64_t sign = entry.is_credit() ? -1 : 1, gross = entry.total().value() * sign, vat = entry.vat.value() * sign;
  auto& m = book.month;
  ++m.sources;
  m.source_gross += gross, m.source_vat += vat;
  std::int64_t shared_gross = 0, shared_vat = 0;
  for (const auto& now : invoice.issued) {
    const Issued* was = issued_to(before, now.role);
    std::int64_t g = now.gross.value() - (was ? was->gross.value() : 0),
                 v = now.vat.value() - (was ? was->vat.value() : 0);
    shared_gross += g, shared_vat += v;
    auto add = [&](const ByRate& by, std::int64_t factor) {
      for (const auto& [rate, part] : by) {
        auto& row = book.row(now.role, case_id, agreement, rate);
        row.in_net += part.net * factor, row.in_vat += part.vat * factor;
      }
    };
    if (now.rates.empty()) {
      add(parts(g, v, now.rates), 1);
    } else {
      add(parts(now.gross.value(), now.vat.value(), now.rates), 1);
      if (was) add(parts(was->gross.value(), was->vat.value(), was->rates), -1);
    }
  }
  m.shared_gross += shared_gross, m.shared_vat += shared_vat;
  if (shared_gross != gross || shared_vat != vat)
    m.open.push_back({"NOT_CONSERVED", entry.number, case_id, "", "SHARES", "", gross - shared_gross});

  // Who creates the claim has made the cost itself: what it is not paid back it bears.
  auto add_out = [&](const std::string& role, const ByRate& by, std::int64_t factor) {
    bool payer = std::ranges::find(invoice.issued, role, &Issued::role) != invoice.issued.end();
    if (!payer) return;
    for (const auto& [rate, part] : by) {
      auto& row = book.row(role, case_id, agreement, rate);
      row.out_net += part.net * factor, row.out_vat += part.vat * factor;
    }
  };
  add_out(entry.creditor_role,
          parts(gross, vat,
                [&] {
                  Json rates = entry.vat_rates;
                  for (auto& r : rates)
                    r["net_cents"] = r.value("net_cents", std::int64_t{0}) * sign,
                    r["vat_cents"] = r.value("vat_cents", std::int64_t{0}) * sign;
                  return rates;
                }()),
          1);
  std::int64_t to_creditor = 0;
  for (const auto* d : documents) {
    ++m.documents;
    if (d->payee == entry.creditor_role) to_creditor += d->amount_cents;
    if (!left.contains(d)) continue;
    auto by = parts(d->amount_cents, d->vat_cents.value_or(0), d->vat_rates);
    add_out(d->payer, by, 1);
    add_out(d->payee, by, -1);
  }
  // A creditor that is no payer itself must be paid in full.
  bool bears = std::ranges::find(invoice.issued, entry.creditor_role, &Issued::role) != invoice.issued.end();
  if (!bears && to_creditor != gross)
    m.open.push_back({"NOT_CONSERVED", entry.number, case_id, "", "CREDITOR", "", gross - to_creditor});
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
                0};
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

/// `seen` gets the source messages that this case accounts for. False: the case was erased.
Task<Result<bool>> book_case(journal::Journal& journal, MonthBook& book, std::string case_id,
                             std::set<store::MessageSeq>& seen) {
  auto history = co_await journal.history(case_id);
  if (!history && history.error().kind == ErrorKind::not_found) co_return false;
  if (!history) co_return fail(std::move(history.error()));
  Json invoices;
  std::string agreement = "opening";
  for (const auto& r : *history) {
    if (r.message.type == "financieringsafspraak" && r.draft.outcome == Outcome::delivered)
      agreement = std::to_string(r.message.seq);
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
    std::set<const InvoiceOut*> left;
    for (const auto& i : r.draft.invoices) {
      auto delivery = outbox::invoice_delivery_id(r.message, i);
      auto state = co_await settled(journal.store(), delivery);
      if (!state) co_return fail(std::move(state.error()));
      bool there = state->status == "transported" || state->status == "received" || state->status == "processed";
      if (there) left.insert(&i);
      if (there) continue;
      std::string what = state->code == "DELIVERY_MISSING" ? "MISSING"
                         : state->status == "refused"      ? "REFUSED"
                                                           : "ON_ITS_WAY";
      book.month.open.push_back({what, i.number, case_id, i.payer, state->code, delivery, i.amount_cents});
    }
    if (!this_month) continue;
    std::map<std::string, std::vector<const InvoiceOut*>> by_source;
    for (const auto& i : r.draft.invoices) {
      if (std::ranges::find(order, i.source_message) == order.end()) order.push_back(i.source_message);
      by_source[i.source_message].push_back(&i);
    }
    std::set<std::string> booked;
    for (const auto& source : order) {
      auto entry = std::ranges::find(after.entries, source, &LedgerEntry::message);
      if (entry == after.entries.end()) {
        if (source != r.message.id)  // else it is named above
          book.month.open.push_back(
              {"NOT_CONSERVED", by_source[source].front()->source_number, case_id, "", "NOT_IN_LEDGER", "", 0});
        continue;
      }
      const LedgerEntry* invoice = entry->is_credit() ? after.credited(entry->creditor, entry->credits) : &*entry;
      if (!invoice) {
        book.month.open.push_back(
            {"NOT_CONSERVED", entry->number, case_id, "", "CREDITED_NOT_FOUND", "", -entry->total().value()});
        continue;
      }
      auto group = invoice->creditor + "/" + invoice->number;
      if (!booked.insert(group).second) continue;
      // All of this decision that concern one invoice together: the ledger knows where they began and where they ended.
      std::vector<const InvoiceOut*> documents;
      LedgerEntry all = *entry;
      bool first = true;
      for (const auto& other : order) {
        auto e = std::ranges::find(after.entries, other, &LedgerEntry::message);
        if (e == after.entries.end()) continue;
        const LedgerEntry* of = e->is_credit() ? after.credited(e->creditor, e->credits) : &*e;
        if (of != invoice) continue;
        documents.insert(documents.end(), by_source[other].begin(), by_source[other].end());
        if (first) {
          all = *e;
          first = false;
          continue;
        }
        // A credit behind its invoice takes from it; a credit behind a credit adds to it.
        if (all.is_credit() == e->is_credit()) {
          all.lines.insert(all.lines.end(), e->lines.begin(), e->lines.end());
          all.vat += e->vat;
          for (const auto& rate : e->vat_rates) all.vat_rates.push_back(rate);
        } else {
          for (const auto& line : e->lines) all.lines.push_back({line.kind, -line.cents});
          all.vat -= e->vat;
          for (auto rate : e->vat_rates) {
            rate["net_cents"] = -rate.value("net_cents", std::int64_t{0}),
            rate["vat_cents"] = -rate.value("vat_cents", std::int64_t{0});
            all.vat_rates.push_back(std::move(rate));
          }
        }
      }
      const LedgerEntry* was = entry->is_credit() ? before.credited(entry->creditor, entry->credits) : nullptr;
      if (was && was->issued.empty()) was = nullptr;
      book_source(book, case_id, agreement, all, *invoice, was, documents, left);
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
    if (!e.refused) continue;
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
