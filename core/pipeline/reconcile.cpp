#include "core/pipeline/reconcile.hpp"

#include <algorithm>
#include <set>

#include "core/base/calendar.hpp"
#include "core/model/invoice_types.hpp"
#include "core/outbox/invoice_rows.hpp"
#include "core/outbox/plan.hpp"
#include "core/pipeline/month_book.hpp"
#include "core/pipeline/open_items.hpp"
#include "core/store/row_json.hpp"

namespace schakel::pipeline {
namespace {

/// What its row says of a document: whom it names, and of one that left what it asks. Nothing of that where it was
/// handed to an adapter that takes no document.
Task<Result<void>> read_row(store::Store& store, MadeDocument& document) {
  auto key = co_await store.row(std::string(outbox::kInvoiceOfDelivery), document.delivery);
  if (!key) co_return fail(std::move(key.error()));
  if (!*key) co_return Result<void>{};
  auto row = co_await store.row(std::string(outbox::kInvoicesOut), std::string(as_text((*key)->value)));
  if (!row) co_return fail(std::move(row.error()));
  if (!*row) co_return Result<void>{};
  auto known = store::object_in(**row);
  if (!known) co_return fail(std::move(known.error()));
  document.payer_party = known->value("betalerPartij", "");
  document.payee_party = known->value("ontvangerPartij", "");
  if (document.left && known->contains("gesteld")) document.says = document_amounts((*known)["gesteld"]);
  co_return Result<void>{};
}

bool sent(const LedgerEntry& e) { return !e.held && !e.refused; }

/// Source messages that a decision shared, also those that made no document: what its creditor bears itself.
std::vector<std::string> shared_by(const Ledger& before, const Ledger& after) {
  std::vector<std::string> out;
  for (const auto& e : after.entries) {
    auto was = std::ranges::find(before.entries, e.message, &LedgerEntry::message);
    if (sent(e) && (was == before.entries.end() || !sent(*was))) out.push_back(e.message);
  }
  return out;
}

/// The documents of a decision; those that have not left are named as open.
Task<Result<std::vector<MadeDocument>>> documents_of(store::Store& store, Month& month, const journal::Recorded& r) {
  std::vector<MadeDocument> out;
  for (const auto& i : r.draft.invoices) {
    auto delivery = outbox::invoice_delivery_id(r.message, i);
    auto state = co_await settled(store, delivery);
    if (!state) co_return fail(std::move(state.error()));
    bool left = state->status == "transported" || state->status == "received" || state->status == "processed";
    if (!left) name_document(month, r.message.subject, i, delivery, *state);
    out.push_back({&i, std::move(delivery), left});
    if (!month.has(r.message.time)) continue;
    auto read = co_await read_row(store, out.back());
    if (!read) co_return fail(std::move(read.error()));
  }
  co_return out;
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
    if (is_invoice_type(r.message.type)) {
      seen.insert(r.message.seq);
      bool accepted = r.draft.outcome == Outcome::delivered || r.draft.outcome == Outcome::held;
      if (!accepted) {
        auto named = co_await name_unshared(journal, book.month, r, *history);
        if (!named) co_return fail(std::move(named.error()));
      } else if (std::ranges::find(after.entries, r.message.id, &LedgerEntry::message) == after.entries.end()) {
        // Accepted, and nothing remembers it: neither shared nor waiting.
        book.month.open.push_back(
            {"NOT_CONSERVED", r.message.payload.value("number", ""), case_id, "", "NOT_IN_LEDGER", "", 0});
      }
    }
    MoneyDecision decided{r, *history, before, after, shared_by(before, after), {}};
    auto documents = co_await documents_of(journal.store(), book.month, r);
    if (!documents) co_return fail(std::move(documents.error()));
    decided.documents = std::move(*documents);
    // What is open stays named in every month; only this month's are booked.
    if (book.month.has(r.message.time)) book_decision(book, at, decided);
  }
  auto ledger = ledger_of(invoices);
  auto named = co_await name_waiting(journal, book.month, std::move(case_id), ledger, not_granted);
  if (!named) co_return fail(std::move(named.error()));
  co_return true;
}

}  // namespace

bool Month::has(Instant at) const { return local_date(at).str().starts_with(month); }

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
  book.close();
  co_return out;
}

Json month_view(const Month& m) {
  Json rows = Json::array(), open = Json::array(), payers = Json::object();
  for (const auto& r : m.rows) {
    rows.push_back({{"betaler", r.payer},
                    {"betalerPartij", r.party},
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
