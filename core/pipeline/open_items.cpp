#include "core/pipeline/open_items.hpp"

#include <algorithm>

#include "core/model/invoice_types.hpp"
#include "core/pipeline/books.hpp"
#include "core/pipeline/invoice_index.hpp"
#include "core/store/row_json.hpp"

namespace schakel::pipeline {
namespace {

std::string first_of(const std::vector<std::string>& codes) { return codes.empty() ? "" : codes.front(); }

std::int64_t signed_total(const LedgerEntry& e) { return e.total().value() * (e.is_credit() ? -1 : 1); }

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

/// The last day for the answer to its sender, where one is owed.
Task<Result<std::string>> answer_due(store::Store& store, std::string case_id, std::string message) {
  auto owed = co_await store.row(std::string(kInvoiceAnswer), case_id + "/" + message);
  if (!owed) co_return fail(std::move(owed.error()));
  if (!*owed) co_return std::string();
  auto answer = store::object_in(**owed);
  if (!answer) co_return fail(std::move(answer.error()));
  co_return answer->value("termijn", "");
}

}  // namespace

Task<Result<void>> name_unshared(journal::Journal& journal, Month& month, const journal::Recorded& r,
                                 const std::vector<journal::Recorded>& history) {
  const auto& m = r.message;
  OpenItem item{"", m.payload.value("number", ""),          m.subject, "", first_of(r.draft.codes),
                "", source_amounts(m.type, m.payload).gross};
  if (r.draft.outcome == Outcome::quarantined) {
    auto aside = co_await set_aside(journal.store(), m.subject, m.id);
    if (!aside) co_return fail(std::move(aside.error()));
    const bool done = *aside || came_right(history, r);
    item.what = done ? "SET_ASIDE" : "QUARANTINED";
    if (!done)
      month.open.push_back(std::move(item));
    else if (month.has(m.time))
      month.refused.push_back(std::move(item));
    co_return Result<void>{};
  }
  item.what = r.draft.outcome == Outcome::dropped_duplicate ? "DUPLICATE" : "BLOCKED";
  if (month.has(m.time)) month.refused.push_back(std::move(item));
  co_return Result<void>{};
}

void name_not_granted(Month& month, const journal::Recorded& r, std::set<std::string>& not_granted) {
  if (r.message.type != "factuur_status" || r.message.payload.value("status", "") != "not_granted") return;
  Json refused;
  for (const auto& e : r.draft.effects)
    if (is_invoice_effect(e)) apply_invoice_effect(refused, e);
  for (const auto& e : ledger_of(refused).entries) {
    not_granted.insert(e.message);
    if (month.has(r.message.time))
      month.refused.push_back({"NOT_GRANTED", e.number, r.message.subject, "", first_of(e.codes), "", signed_total(e)});
  }
}

void name_document(Month& month, const std::string& case_id, const InvoiceOut& invoice, const std::string& delivery,
                   const Settled& state) {
  std::string what = state.code == "DELIVERY_MISSING" ? "MISSING"
                     : state.status == "refused"      ? "REFUSED"
                                                      : "ON_ITS_WAY";
  month.open.push_back({what, invoice.number, case_id, invoice.payer, state.code, delivery, invoice.amount_cents});
}

Task<Result<void>> name_waiting(journal::Journal& journal, Month& month, std::string case_id, const Ledger& ledger,
                                const std::set<std::string>& not_granted) {
  for (const auto& e : ledger.entries) {
    if (e.held) {
      auto due = co_await answer_due(journal.store(), case_id, e.message);
      if (!due) co_return fail(std::move(due.error()));
      month.open.push_back({"HELD", e.number, case_id, "", first_of(e.codes), "", signed_total(e), std::move(*due)});
    }
    if (!e.refused || not_granted.contains(e.message)) continue;
    auto aside = co_await set_aside(journal.store(), case_id, e.message);
    if (!aside) co_return fail(std::move(aside.error()));
    if (!*aside)
      month.open.push_back({"CREDIT_REFUSED", e.number, case_id, "", "INVOICE_CONFLICT", "", -e.total().value()});
  }
  co_return Result<void>{};
}

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
    const std::vector<journal::Recorded> alone{**decided};
    auto named = co_await name_unshared(journal, month, alone.front(), alone);
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

}  // namespace schakel::pipeline
